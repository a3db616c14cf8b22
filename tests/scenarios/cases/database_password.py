"""the backend has another password than the database"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the backend has another password than the database"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change("database_password", "rotated-last-night")
    s.restart(*s.api_programs)
    return Truth([Cause([s.api, s.database], ["database.credentials"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], person=True, decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("read").status >= 500
