"""the backend has another password than the cache"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the backend has another password than the cache"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change("cache_password", "old-spokes")
    s.restart(*s.api_programs)
    return Truth([Cause([s.api, s.cache], ["cache.credentials"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], person=True, decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("cache").status >= 500
