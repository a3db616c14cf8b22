"""the gateway denies the addresses of its users"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway denies the addresses of its users"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("deny")
    s.record(files, "gateway: access list", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.rejects"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 403
