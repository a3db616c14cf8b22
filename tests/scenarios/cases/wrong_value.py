"""a setting has a value that the backend refuses, and it ends at once, again and again"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a setting has a value that the backend refuses, and it ends at once, again and again"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change("limit_value", 9999)
    s.record(files, "Rentals of a week", "Ines Maurer", 5)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["config.wrong_value"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status in (0, 502, 503)
