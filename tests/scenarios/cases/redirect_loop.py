"""the gateway redirects every call to itself"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway redirects every call to itself"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("redirect_loop")
    s.record(files, "gateway: https only", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.redirect_loop"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 301
