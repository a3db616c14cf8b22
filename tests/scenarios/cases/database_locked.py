"""a forgotten transaction holds a lock on a table"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "a forgotten transaction holds a lock on a table"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.holder = s.postgres.connect(application_name="psql")
    s.holder.autocommit = False
    s.holder.cursor().execute(f"LOCK TABLE {s.locked_table} IN ACCESS EXCLUSIVE MODE")
    return Truth([Cause([s.database], ["database.locks"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("write", timeout=1.5).status in (0, 500, 504)


def cleanup(s):
    s.holder.close()
