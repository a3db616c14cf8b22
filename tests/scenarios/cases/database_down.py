"""the database does not run"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the database does not run"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.postgres.stop()
    return Truth([Cause([s.database], ["service.process_down", "process.missing", "database.refuses"])], person=True,
                 decoys=innocent)


def symptom(s):
    return s.call("read", timeout=4).status >= 500
