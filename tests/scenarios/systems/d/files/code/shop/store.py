"""PostgreSQL by a JDBC URL and a pool; Redis by its URI."""
import contextlib
import queue
from urllib.parse import parse_qs, urlsplit

import psycopg2
import redis


class StoreError(Exception):
    pass


class Pool:
    def __init__(self, url, user, password, size, wait_ms):
        parts = urlsplit(url.removeprefix("jdbc:"))
        query = parse_qs(parts.query)
        self.options = {"host": parts.hostname, "port": parts.port, "dbname": parts.path[1:], "user": user, "password": password,
                        "application_name": query["ApplicationName"][0], "connect_timeout": int(query["connectTimeout"][0])}
        self.size, self.wait_ms = size, wait_ms
        self.idle = queue.LifoQueue()
        for _ in range(size):
            self.idle.put(None)

    @contextlib.contextmanager
    def _connection(self):
        try:
            connection = self.idle.get(timeout=self.wait_ms / 1000)
        except queue.Empty:
            raise StoreError(f"shop-pool - Connection is not available, request timed out after {self.wait_ms}ms "
                             f"(total={self.size}, maximum={self.size})") from None
        try:
            if connection is None or connection.closed:
                connection = None
                connection = psycopg2.connect(**self.options)
            with connection:
                yield connection
        except psycopg2.Error as error:
            if connection is not None:
                connection.close()
            connection = None
            raise StoreError("could not execute statement") from error
        finally:
            self.idle.put(connection)

    def rows(self, text, *values):
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]


class Shelf:
    """Baskets, and the jobs of the printer."""

    def __init__(self, uri, timeout_ms):
        self.client = redis.Redis.from_url(uri, socket_connect_timeout=timeout_ms / 1000, socket_timeout=timeout_ms / 1000)

    def keep(self, key, seconds, value):
        self.client.setex(key, seconds, value)
        return self.client.get(key)

    def enqueue(self, job):
        self.client.xadd("print.jobs", job)
