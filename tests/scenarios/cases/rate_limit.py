"""the rate limit is below normal traffic"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the rate limit is below normal traffic"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("rate_limit")
    s.record(files, "gateway: protect against bursts", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.rate_limit"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return any(s.call("static").status in (429, 503) for _ in range(8))
