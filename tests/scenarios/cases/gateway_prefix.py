"""the gateway's location lost a part of its prefix"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway's location lost a part of its prefix"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("gateway_prefix")
    s.record(files, "gateway: one location for all versions", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["route.prefix_mismatch", "gateway.route_missing", "gateway.proxy_path"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    # A gateway may answer what it does not know with its page.
    answer = s.call("static")
    return answer.status == 404 or b"<html" in answer.body
