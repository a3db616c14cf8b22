"""the gateway was restarted with a syntax error in its configuration"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the gateway was restarted with a syntax error in its configuration"


def inject(s):
    innocent = [decoys.frontend_commit(s), *decoys.usual(s)]
    files = s.edit("nginx_syntax")
    s.record(files, "gateway: larger photos", "Dana Okafor", 5)
    s.nginx.stop()
    s.nginx.start()
    return Truth([Cause([s.gateway], ["nginx.syntax_error", "config.syntax_error"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 0
