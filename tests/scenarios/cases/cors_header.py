"""a header that the client sends is missing in the CORS answer"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a header that the client sends is missing in the CORS answer"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("cors_header")
    s.record(files, "gateway: only what is needed", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.cors_service], ["cors.header_missing"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200
