"""proxy_pass lost the slash that takes the prefix off"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "proxy_pass lost the slash that takes the prefix off"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("proxy_path")
    s.record(files, "gateway: tidy up", "Dana Okafor", 6)
    s.apply(files)
    return Truth([Cause([s.gateway], ["gateway.proxy_path", "route.prefix_mismatch"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 404
