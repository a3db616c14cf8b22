"""Connections to the ledger, kept and given out again."""
import contextlib
import queue

import psycopg2


class NoConnectionLeft(Exception):
    pass


class Connections:
    def __init__(self, size, wait_seconds, **parameters):
        self.size, self.wait_seconds, self.parameters = size, wait_seconds, parameters
        self.places = queue.Queue()
        for _ in range(size):
            self.places.put(None)

    @contextlib.contextmanager
    def one(self):
        try:
            connection = self.places.get(timeout=self.wait_seconds)
        except queue.Empty as error:
            raise NoConnectionLeft(f"all {self.size} connections to the ledger are in use, waited {self.wait_seconds} s") from error
        try:
            if connection is None:
                connection = psycopg2.connect(connect_timeout=3, **self.parameters)
            with connection:
                yield connection
        except BaseException:
            if connection is not None:
                connection.close()
                connection = None
            raise
        finally:
            self.places.put(connection)

    def query(self, text, *values):
        with self.one() as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()
