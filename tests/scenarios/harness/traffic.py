"""The system's own users: a few requests a second, whatever happens."""
import queue
import threading

REQUESTS_PER_SECOND = 4
THREADS = 8


class Traffic:
    def __init__(self, system, kinds, rate=REQUESTS_PER_SECOND, threads=THREADS):
        self.system, self.kinds, self.pause = system, list(kinds), 1 / rate
        self.ended = threading.Event()
        self.work = queue.Queue(threads)
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(threads)]
        self.threads.append(threading.Thread(target=self._plan, daemon=True))
        self.sent = 0
        self.failed = 0

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ended.set()

    def _plan(self):
        turn = 0
        while not self.ended.wait(self.pause):
            try:
                self.work.put_nowait(self.kinds[turn % len(self.kinds)])
            except queue.Full:
                pass
            turn += 1

    def _serve(self):
        while not self.ended.is_set():
            try:
                kind = self.work.get(timeout=0.2)
            except queue.Empty:
                continue
            answer = self.system.call(kind, timeout=3)
            self.sent += 1
            self.failed += answer.status == 0 or answer.status >= 500
