"""the gateway does not pass the WebSocket upgrade on"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway does not pass the WebSocket upgrade on"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    files = s.edit("no_upgrade")
    s.record(files, "gateway: fewer headers", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["websocket.upgrade_lost"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("live").status != 101
