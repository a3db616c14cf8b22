"""a memory limit kills the backend while it makes the report"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a memory limit kills the backend while it makes the report"


def inject(s):
    innocent = [decoys.settings_commit(s), *decoys.usual(s)]
    # Enough to serve; the report alone needs 48 MB more.
    files = [s.limit(program, "max_rss_mb", 60) for program in s.api_programs]
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["memory.exhausted"], files)], [Fix(file=files[0])], person=True, decoys=innocent)


def symptom(s):
    s.call("slow", timeout=4)
    return any(word in s.read(s.supervisor_log) for word in ("memmon:", "OOM killer", "max-memory-restart", "resource limit", "container oom"))
