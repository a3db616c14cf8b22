"""the gateway gives up before a slow call is done"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway gives up before a slow call is done"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("short_timeout")
    s.record(files, "gateway: fail fast", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.timeout_too_short"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("slow", timeout=8).status == 504
