"""the gateway sends to ports where the backend no longer listens"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway sends to ports where the backend no longer listens"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.point_gateway_elsewhere()
    s.record(files, "gateway: new backends", "Dana Okafor", 7)
    s.apply(files)
    return Truth([Cause([s.gateway], ["upstream.stale_address"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status in (502, 503)
