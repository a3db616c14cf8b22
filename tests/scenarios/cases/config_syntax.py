"""a settings file has a syntax error, and the backend does not start"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a settings file has a syntax error, and the backend does not start"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.edit("config_syntax")
    s.record(files, "Deposit", "Ines Maurer", 6)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["config.syntax_error"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status in (0, 502, 503)
