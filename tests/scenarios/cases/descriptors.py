"""the backend may open too few files, and idle clients hold them all"""
import socket
from urllib.parse import urlsplit

from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the backend may open too few files, and idle clients hold them all"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = [s.limit(program, "open_files", 24) for program in s.api_programs]
    s.restart(*s.api_programs)
    s.idle = []
    return Truth([Cause([s.api], ["descriptors.exhausted"], files)], [Fix(file=files[0])], person=True, decoys=innocent)


def symptom(s):
    for instance in range(1, 1 + len(s.api_programs)):
        address = urlsplit(s.url("static", instance))
        while len(s.idle) < 30 * instance:
            try:
                s.idle.append(socket.create_connection((address.hostname, address.port), timeout=1))
            except OSError:
                return False
    return s.call("static", timeout=2).status in (0, 500, 502, 503, 504)


def cleanup(s):
    for connection in s.idle:
        connection.close()
