"""the database takes no writes"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the database takes no writes"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    s.postgres.sql("SELECT pg_reload_conf()")
    s.postgres.end_sessions_of(s.database_role)
    return Truth([Cause([s.database], ["database.read_only"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("write").status >= 500
