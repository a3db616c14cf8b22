"""one instance signs with another secret"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "one instance signs with another secret"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change_twin("secret", "deadbeefdeadbeef")
    s.restart(s.twin_programs[-1])
    return Truth([Cause([s.api, s.twin], ["secret.mismatch"], files)], [Fix(file=files[0]), Fix(kind="git.revert")], person=True,
                 decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and any(s.call("private").status == 401 for _ in range(6))
