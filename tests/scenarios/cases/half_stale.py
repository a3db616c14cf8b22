"""one of two instances behind the gateway has another address now, and half of the calls fail"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "one of two instances behind the gateway has another address now, and half of the calls fail"

# The others have one process of each service.
SYSTEMS = "AEF"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.point_gateway_elsewhere([2])
    # No second attempt at the other instance, and none is left out after it failed: else users would hardly notice.
    s.edit("no_second_attempt")
    s.record(files, "gateway: instance 2 has moved", "Dana Okafor", 7)
    s.apply(files)
    return Truth([Cause([s.gateway], ["upstream.stale_address"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    found = {s.call("static").status for _ in range(4)}
    return {200, 502} <= found
