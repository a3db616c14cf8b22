"""A process supervisor: starts the programs of a specification (see specification.py), restarts those that end, and takes commands.

    supervise.py run SPECIFICATION
    supervise.py restart|stop|start|signal SPECIFICATION PROGRAM

It logs as supervisord, PM2 or monit does, as systemd does to the journal, or as `docker events` shows ("style" of the specification)."""
import ctypes
import hashlib
import os
import pwd
import resource
import select
import signal
import socket
import subprocess
import sys
import time

import specification

RESTART_SECONDS = 0.7
LOOP_SECONDS = 0.05
STOP_SECONDS = 3
COMMAND_SECONDS = 10
libc = ctypes.CDLL(None)


class Program:
    def __init__(self, name):
        self.name = name
        self.child = None
        self.wanted = False
        self.start_at = 0.0
        self.restarts = 0


class Journal:
    """The supervisor's log in one of five styles."""

    def __init__(self, path, style, programs):
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.style, self.numbers = style, {name: number for number, name in enumerate(programs)}
        self.images = {name: program.get("image") for name, program in programs.items()}

    def write(self, supervisord, systemd, pm2, monit, docker):
        """monit: level, program and text; docker: event, program and what else it has."""
        now = time.time()
        stamp = {"systemd": "%b %d %H:%M:%S", "pm2": "%Y-%m-%dT%H:%M:%S",
                 "monit": "%Y-%m-%dT%H:%M:%S+0000", "docker": "%Y-%m-%dT%H:%M:%S"}.get(self.style, "%Y-%m-%d %H:%M:%S")
        head = time.strftime(stamp, time.gmtime(now))
        if self.style == "systemd":
            self.file.writelines(f"{head} node-1 systemd[1]: {text}\n" for text in systemd)
        elif self.style == "pm2":
            self.file.writelines(f"{head}: PM2 log: {text}\n" for text in pm2)
        elif self.style == "monit":
            self.file.writelines(f"[{head}] {level:<8} : '{name}' {text}\n" for level, name, text in monit)
        elif self.style == "docker":
            self.file.writelines(f"{head}.{int(now % 1 * 1e9):09d}Z container {event} {hashlib.sha256(name.encode()).hexdigest()} "
                                 f"({more}image={self.images[name]}, name=valmont-{name})\n" for event, name, more in docker)
        else:
            self.file.write(f"{head},{int(now % 1 * 1000):03d} {supervisord}\n")

    def app(self, program):
        return f"App [{program.name}:{self.numbers[program.name]}]"

    def started(self, program):
        self.write(f"INFO spawned: '{program.name}' with pid {program.child.pid}",
                   [f"Started {program.name}.service."],
                   [f"{self.app(program)} starting in -fork mode-", f"{self.app(program)} online"],
                   [("info", program.name, f"start: '{' '.join(program.child.args)}'"),
                    ("info", program.name, f"process is running with pid {program.child.pid}")],
                   [("start", program.name, "")])

    def stopped(self, program, text):
        self.write(f"INFO stopped: {program.name} ({text})",
                   [f"Stopping {program.name}.service...", f"Stopped {program.name}.service."],
                   [f"Stopping app:{program.name} id:{self.numbers[program.name]}",
                    f"{self.app(program)} exited with code [0] via signal [SIGINT]"],
                   [("info", program.name, "stop on user request"), ("info", program.name, "unmonitor action done")],
                   [("kill", program.name, "signal=15, "), ("die", program.name, "exitCode=143, "), ("stop", program.name, "")])

    def exited(self, program, status):
        if status < 0:
            word = signal.Signals(-status).name
            code, result = f"code=killed, status={-status}/{word[3:]}", "signal"
            text = f"terminated by {word}"
        else:
            word = "SIGINT"  # what PM2 writes where no signal ended the program
            code, result = f"code=exited, status={status}/{'FAILURE' if status else 'SUCCESS'}", "exit-code"
            text = f"exit status {status}"
        unit = program.name + ".service"
        self.write(f"WARN exited: {program.name} ({text}; not expected)",
                   [f"{unit}: Main process exited, {code}", f"{unit}: Failed with result '{result}'.",
                    f"{unit}: Scheduled restart job, restart counter is at {program.restarts}."],
                   [f"{self.app(program)} exited with code [{max(status, 0)}] via signal [{word}]"],
                   [("error", program.name, "process is not running"), ("info", program.name, "trying to restart")],
                   [("die", program.name, f"exitCode={status if status >= 0 else 128 - status}, ")])

    def over_memory(self, program, used, limit):
        unit = program.name + ".service"
        self.write(f"CRIT memmon: {program.name} uses {used} MB, limit {limit} MB: sending SIGKILL",
                   [f"{unit}: A process of this unit has been killed by the OOM killer."],
                   [f"[PM2][WORKER] Process {self.numbers[program.name]} restarted because it exceeds --max-memory-restart value "
                    f"(current_memory={used << 20} max_memory_limit={limit << 20} [octets])"],
                   [("error", program.name, f"total mem amount of {used}.0 MB matches resource limit [total mem amount > {limit}.0 MB]"),
                    ("info", program.name, "trying to restart")],
                   [("oom", program.name, "")])


class Supervisor:
    def __init__(self, path):
        self.path = path
        self.read()
        self.journal = Journal(self.specification["log"], self.specification["style"], self.specification["programs"])
        self.programs = {name: Program(name) for name in self.specification["programs"]}
        self.ending = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.specification["socket"])
        self.listener.listen(4)

    def read(self):
        self.specification = specification.read(self.path)

    def run(self):
        signal.signal(signal.SIGTERM, self.end)
        for name, program in self.programs.items():
            if self.specification["programs"][name].get("autostart", True):
                program.wanted = True
                self.start(program, quiet=True)
        while not self.ending:
            readable, _, _ = select.select([self.listener], [], [], LOOP_SECONDS)
            if readable:
                self.answer(self.listener.accept()[0])
            for program in self.programs.values():
                self.look_at(program)
        for program in self.programs.values():
            self.stop(program)

    def end(self, *_):
        self.ending = True

    def look_at(self, program):
        if program.child is not None:
            status = program.child.poll()
            if status is not None:
                program.child = None
                program.restarts += 1
                program.start_at = time.monotonic() + RESTART_SECONDS
                self.journal.exited(program, status)
            else:
                self.watch_memory(program)
        elif program.wanted and time.monotonic() >= program.start_at:
            self.start(program)

    def watch_memory(self, program):
        limit = self.specification["programs"][program.name].get("max_rss_mb")
        if limit is None:
            return
        with open(f"/proc/{program.child.pid}/statm", encoding="utf-8") as file:
            used = int(file.read().split()[1]) * resource.getpagesize() >> 20
        if used > limit:
            self.journal.over_memory(program, used, limit)
            program.child.kill()
            program.child.wait()

    def start(self, program, quiet=False):
        spec = self.specification["programs"][program.name]
        identity = {}
        if os.geteuid() == 0 and spec.get("user"):
            entry = pwd.getpwnam(spec["user"])
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

        def prepare():
            libc.prctl(1, signal.SIGKILL, 0, 0, 0)
            for key, limit in (("open_files", resource.RLIMIT_NOFILE), ("address_space_mb", resource.RLIMIT_AS)):
                if spec.get(key):
                    value = spec[key] << (20 if key.endswith("_mb") else 0)
                    resource.setrlimit(limit, (value, value))

        with open(spec["log"], "ab") as output:
            program.child = subprocess.Popen(spec["argv"], cwd=spec.get("cwd", "/"), stdin=subprocess.DEVNULL, stdout=output,
                                             stderr=output, env={**os.environ, **spec.get("env", {})}, preexec_fn=prepare,
                                             start_new_session=True, **identity)
        with open(os.path.join(self.specification["run"], program.name + ".pid"), "w", encoding="utf-8") as file:
            file.write(f"{program.child.pid}\n")
        if not quiet:
            self.journal.started(program)

    def stop(self, program):
        program.wanted = False
        if program.child is None:
            return
        program.child.send_signal(signal.SIGCONT)
        program.child.terminate()
        try:
            status = program.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            program.child.kill()
            status = program.child.wait()
        program.child = None
        self.journal.stopped(program, f"exit status {status}" if status >= 0 else f"terminated by {signal.Signals(-status).name}")

    def answer(self, connection):
        with connection:
            verb, name = connection.recv(200).decode().split()
            program = self.programs.get(name)
            if program is None:
                connection.sendall(b"no such program")
                return
            self.read()
            if verb in ("stop", "restart"):
                self.stop(program)
            if verb in ("start", "restart") and program.child is None:
                program.wanted = True
                program.restarts = 0
                self.start(program)
            connection.sendall(b"done")


def tell(verb, specification_path, name):
    path = specification.read(specification_path)["socket"]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(COMMAND_SECONDS)
        connection.connect(path)
        connection.sendall(f"{verb} {name}".encode())
        answer = connection.recv(200).decode()
    if answer != "done":
        sys.exit(f"{name}: {answer}")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        Supervisor(sys.argv[2]).run()
    else:
        for each in sys.argv[3:]:
            tell(sys.argv[1], sys.argv[2], each)
