"""PostgreSQL; where it is, libpq reads from the environment."""
import contextlib
import queue

import psycopg2


class RecordsUnavailable(Exception):
    pass


class Records:
    def __init__(self, pool, connect_seconds, wait_seconds):
        self.most, self.connect_seconds, self.wait_seconds = pool["max"], connect_seconds, wait_seconds
        self.free = queue.LifoQueue()
        for _ in range(self.most):
            self.free.put(None)

    @contextlib.contextmanager
    def _connection(self):
        try:
            connection = self.free.get(timeout=self.wait_seconds)
        except queue.Empty:
            raise RecordsUnavailable(f"pool is empty: no connection within {self.wait_seconds} s, max={self.most}") from None
        try:
            if connection is None or connection.closed:
                connection = None
                connection = psycopg2.connect(connect_timeout=self.connect_seconds, application_name="praxis")
            with connection:
                yield connection
        except psycopg2.Error as error:
            if connection is not None:
                connection.close()
            connection = None
            raise RecordsUnavailable("records do not answer") from error
        finally:
            self.free.put(connection)

    def rows(self, text, *values):
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()
