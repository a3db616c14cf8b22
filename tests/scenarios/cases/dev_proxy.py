"""the development server forwards another prefix than the client calls"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the development server forwards another prefix than the client calls"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.edit("dev_proxy")
    s.record(files, "vite: prefix of the API", "Mia Lindt", 6)
    return Truth([Cause([s.client], ["proxy.dev_mismatch"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200
