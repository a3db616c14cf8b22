"""the cache has become a replica and takes no writes"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the cache has become a replica and takes no writes"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.redis.client().replicaof("127.0.0.1", s.ports.next())
    return Truth([Cause([s.cache], ["cache.read_only"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("cache").status >= 500
