"""an origin is missing in the CORS list"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "an origin is missing in the CORS list"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("cors_origin")
    s.record(files, "gateway: origins of the new site", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.cors_service], ["cors.origin_missing"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200
