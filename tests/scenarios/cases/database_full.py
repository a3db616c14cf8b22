"""other clients hold all connections of the database"""
import psycopg2

from harness import decoys
from harness.scenario import Cause, Truth

NAME = "other clients hold all connections of the database"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.postgres.end_sessions_of(s.database_role)
    s.held = []
    for _ in range(40):
        try:
            s.held.append(s.postgres.connect(user=s.database_role))
        except psycopg2.OperationalError:
            break
    return Truth([Cause([s.database], ["database.connections_exhausted"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("read", timeout=4).status >= 500


def cleanup(s):
    for connection in s.held:
        connection.close()
