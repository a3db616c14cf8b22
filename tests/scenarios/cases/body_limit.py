"""the gateway refuses bodies of a usual size"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway refuses bodies of a usual size"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("body_limit")
    s.record(files, "gateway: smaller bodies", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.body_limit"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("upload").status == 413
