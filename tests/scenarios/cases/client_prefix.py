"""the web client calls a version of the API that the gateway does not serve"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the web client calls a version of the API that the gateway does not serve"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.edit("client_prefix")
    s.record(files, "frontend: next version of the API", "Mia Lindt", 6)
    return Truth([Cause([s.client, s.gateway], ["route.prefix_mismatch"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200
