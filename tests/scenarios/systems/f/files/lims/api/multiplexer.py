"""Redis by a connection string of StackExchange.Redis."""
import contextlib

import redis

from faults import DotnetError

# Words that the server sends first, and the client takes off in some versions.
_WORDS = (("maxmemory", "OOM"), ("read only replica", "READONLY"))
_NOT_CONNECTED = "It was not possible to connect to the redis server(s). "


def _fault(error):
    text = str(error)
    if isinstance(error, redis.exceptions.AuthenticationError) or "WRONGPASS" in text:
        return DotnetError("StackExchange.Redis.RedisConnectionException", _NOT_CONNECTED + "There was an authentication failure; check that "
                           f"passwords (or client certificates) are configured correctly: (RedisServerException) {text}")
    if isinstance(error, (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError)):
        return DotnetError("StackExchange.Redis.RedisConnectionException", f"{_NOT_CONNECTED}UnableToConnect: {text}")
    word = next((word for part, word in _WORDS if part in text), "ERR")
    return DotnetError("StackExchange.Redis.RedisServerException", f"{word} {text.removeprefix(word + ' ')}")


@contextlib.contextmanager
def _translated():
    try:
        yield
    except (OSError, redis.RedisError) as error:
        raise _fault(error) from None


class Multiplexer:
    def __init__(self, text):
        address, *rest = text.split(",")
        options = dict(part.split("=", 1) for part in rest)
        host, port = address.split(":")
        wait = int(options.get("connectTimeout", 5000)) / 1000
        self.client = redis.Redis(host=host, port=int(port), password=options.get("password"), db=int(options.get("defaultDatabase", 0)),
                                  socket_connect_timeout=wait, socket_timeout=wait)

    def string_set(self, key, value, seconds):
        with _translated():
            self.client.setex(key, seconds, value)

    def string_get(self, key):
        with _translated():
            return self.client.get(key)

    def list_push(self, key, value):
        with _translated():
            self.client.lpush(key, value)
