"""the gateway names the allowed origin twice"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway names the allowed origin twice"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("cors_twice")
    s.record(files, "gateway: let the new site call the API", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["cors.origin_duplicated"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.count_header("static", "Access-Control-Allow-Origin", {"Origin": s.origin}) > 1
