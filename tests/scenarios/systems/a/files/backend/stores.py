"""The database's connections and the cache."""
import contextlib
import logging
import threading

import psycopg2
import redis

log = logging.getLogger("stores")


class PoolExhausted(Exception):
    pass


class Pool:
    """At most `size` connections to the database; one that failed is thrown away."""

    def __init__(self, url, size, wait_seconds):
        self.url, self.size, self.wait_seconds = url, size, wait_seconds
        self.free = []
        self.places = threading.BoundedSemaphore(size)

    @contextlib.contextmanager
    def connection(self):
        if not self.places.acquire(timeout=self.wait_seconds):
            raise PoolExhausted(f"no database connection became free within {self.wait_seconds} s (pool size {self.size})")
        connection = None
        try:
            connection = self.free.pop() if self.free else psycopg2.connect(self.url, connect_timeout=3)
            yield connection
            connection.commit()
            self.free.append(connection)
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        finally:
            self.places.release()

    def rows(self, text, values=()):
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []


def open_cache(url):
    return redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
