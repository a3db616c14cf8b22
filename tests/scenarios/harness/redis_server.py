"""A Redis server of its own."""
import os

import redis

from . import process


class RedisServer:
    def __init__(self, config, log, port, password=None, user=None):
        self.config, self.log, self.port, self.password, self.user = config, log, port, password, user
        self.process = None

    def start(self):
        self.process = process.spawn(["/usr/bin/redis-server", self.config], self.log, user=self.user)

    def client(self, database=0):
        return redis.Redis(host="127.0.0.1", port=self.port, db=database, password=self.password, socket_timeout=3)

    def wait_ready(self):
        def ready():
            try:
                return self.client().ping()
            except redis.RedisError:
                return False
        process.wait_until(ready, f"Redis answers (see {self.log})")

    def stop(self):
        process.end(self.process)

    def restart(self):
        self.stop()
        self.start()
        self.wait_ready()

    def connections_received(self):
        return int(self.client().info("stats")["total_connections_received"])

    def set_in_file(self, key, value):
        """Changes or adds a line of the configuration file."""
        with open(self.config, encoding="utf-8") as file:
            lines = [line for line in file if line.split(" ")[0] != key]
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines(lines + [f"{key} {value}\n"])

    def folder(self):
        return os.path.dirname(self.config)
