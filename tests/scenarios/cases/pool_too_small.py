"""the pool of the backend is set to no connection at all"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the pool of the backend is set to no connection at all"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.change("pool_size", 0)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["database.connections_exhausted", "config.wrong_value"], files)],
                 [Fix(file=files[0])], person=True, decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("read", timeout=4).status >= 500
