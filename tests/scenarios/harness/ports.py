"""Loopback ports that nobody else takes while this process lives.

They lie below the kernel's ephemeral range, in blocks that are locked by a file, so that neither an outgoing connection
nor another run gets one between the choice and the use."""
import fcntl
import os
import random
import socket

FIRST_PORT = 12000
BLOCK = 25
BLOCKS = 780


class PortBlock:
    def __init__(self, folder):
        blocks = list(range(BLOCKS))
        random.shuffle(blocks)
        for block in blocks:
            if self._take(folder, block):
                return
        raise RuntimeError("no block of free ports")

    def _take(self, folder, block):
        lock = open(os.path.join(folder, f"ports-{block}.lock"), "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ports = [FIRST_PORT + block * BLOCK + index for index in range(BLOCK)]
            if all(map(self._is_free, ports)):
                self._lock, self._ports = lock, ports
                return True
        except OSError:
            pass
        lock.close()
        return False

    @staticmethod
    def _is_free(port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return True
            except OSError:
                return False

    def next(self):
        return self._ports.pop(0)
