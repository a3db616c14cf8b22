"""PostgreSQL by a connection string of Npgsql and a pool."""
import contextlib
import queue
import re

import psycopg2

from faults import DotnetError

# Errors at connecting come without their code.
_STATES = (("password authentication failed", "28P01"), ("too many clients", "53300"), ("remaining connection slots", "53300"),
           ("starting up", "57P03"), ("shutting down", "57P03"), ("terminating connection", "57P01"))


def parse(text):
    return dict(part.split("=", 1) for part in text.split(";") if part)


def _translate(error, host, port):
    text = str(error).strip()
    if "Connection refused" in text or not text or "closed" in text:
        kind, reason = ("111", "Connection refused") if "refused" in text else ("104", "Connection reset by peer")
        what = f"Failed to connect to {host}:{port}" if "refused" in text else "Exception while reading from stream"
        return DotnetError("Npgsql.NpgsqlException (0x80004005)", what, DotnetError(f"System.Net.Sockets.SocketException ({kind})", reason))
    state = error.pgcode or next((state for part, state in _STATES if part in text), "XX000")
    message = re.sub(r"^.*?(?:FATAL|ERROR): +", "", text.splitlines()[0])
    return DotnetError("Npgsql.PostgresException (0x80004005)", f"{state}: {message}")


class DataSource:
    def __init__(self, text):
        parts = parse(text)
        self.where = {"host": parts["Host"], "port": int(parts["Port"]), "dbname": parts["Database"], "user": parts["Username"],
                      "password": parts["Password"], "application_name": parts.get("Application Name", "lims-api"), "connect_timeout": 3}
        self.size, self.timeout = int(parts["Maximum Pool Size"]), int(parts["Timeout"])
        self.idle = queue.LifoQueue()
        for _ in range(self.size):
            self.idle.put(None)

    @contextlib.contextmanager
    def _connection(self):
        try:
            connection = self.idle.get(timeout=self.timeout)
        except queue.Empty:
            raise DotnetError("Npgsql.NpgsqlException (0x80004005)",
                              f"The connection pool has been exhausted, either raise 'Max Pool Size' (currently {self.size}) or 'Timeout' "
                              f"(currently {self.timeout} seconds) in your connection string.") from None
        try:
            if connection is None or connection.closed:
                connection = None
                connection = psycopg2.connect(**self.where)
            with connection:
                yield connection
        except psycopg2.Error as error:
            if connection is not None:
                connection.close()
            connection = None
            raise _translate(error, self.where["host"], self.where["port"]) from None
        finally:
            self.idle.put(connection)

    def query(self, text, *values):
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]
