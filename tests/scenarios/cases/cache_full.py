"""the cache has used up its memory"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the cache has used up its memory"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    client = s.redis.client()
    client.set("warmup:ballast", b"x" * 3_000_000)
    client.config_set("maxmemory", 1_000_000)
    return Truth([Cause([s.cache], ["cache.memory_exhausted"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("cache").status >= 500
