"""Redis, at the first of the nodes that answers."""
import redis


class MemoUnavailable(Exception):
    pass


class Memo:
    def __init__(self, clients):
        self.clients = clients

    def remember(self, key, seconds, value):
        return self._ask(lambda client: client.setex(key, seconds, value))

    def recall(self, key):
        return self._ask(lambda client: client.get(key))

    def _ask(self, question):
        problem = None
        for client in self.clients:
            try:
                return question(client)
            except redis.RedisError as error:
                problem = error
        raise MemoUnavailable("no node of memo took the command") from problem


def connect(nodes, db, password, connect_seconds, wait_seconds):
    def client(node):
        host, port = node.rsplit(":", 1)
        return redis.Redis(host, int(port), db, password, socket_connect_timeout=connect_seconds, socket_timeout=wait_seconds)
    return Memo([client(node) for node in nodes])
