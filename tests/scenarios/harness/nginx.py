"""An nginx of its own."""
import os
import signal
import subprocess

from . import process

PROGRAM = "/usr/sbin/nginx"


class Nginx:
    def __init__(self, folder, config, pid_file, error_log):
        self.folder, self.config, self.pid_file, self.error_log = folder, config, pid_file, error_log
        self.process = None

    def argv(self, *more):
        return [PROGRAM, "-e", self.error_log, "-p", self.folder, "-c", self.config, *more]

    def start(self):
        self.process = process.spawn(self.argv("-g", "daemon off;"), self.error_log, death_signal=signal.SIGTERM)

    def stop(self):
        process.end(self.process)

    def workers(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="utf-8") as file:
            return file.read().split()

    def reload(self):
        """Returns once new workers serve; False where the configuration is refused."""
        before = set(self.workers())
        done = subprocess.run(self.argv("-s", "reload"), capture_output=True, text=True, timeout=10, check=False)
        if done.returncode != 0:
            return False
        process.wait_until(lambda: set(self.workers()) - before, "new workers of nginx", 5)
        process.wait_until(lambda: not any(self._takes_requests(pid) for pid in before), "old workers of nginx stop", 5)
        return True

    @staticmethod
    def _takes_requests(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return b"shutting down" not in file.read() and os.path.exists(f"/proc/{pid}")
        except OSError:
            return False
