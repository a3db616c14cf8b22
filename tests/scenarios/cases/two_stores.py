"""the cache is full, and the disk for uploads takes nothing (two causes)"""
import os

from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the cache is full, and the disk for uploads takes nothing (two causes)"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    client = s.redis.client()
    client.set("warmup:ballast", b"x" * 3_000_000)
    client.config_set("maxmemory", 1_000_000)
    os.chown(s.setting("upload_folder"), 0, 0)
    return Truth([Cause([s.cache], ["cache.memory_exhausted"]), Cause([s.api], ["path.not_writable"])], person=True,
                 decoys=innocent)


def symptom(s):
    return s.call("cache").status >= 500 and s.call("upload").status >= 500
