"""a release brought a query that is too slow"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a release brought a query that is too slow"


def inject(s):
    innocent = [decoys.settings_commit(s), *decoys.usual(s)]
    files = s.edit("slow_query")
    s.record(files, "bikes: by station", "Ines Maurer", 6)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api, s.database], ["endpoint.bad_deploy", "database.slow_query", "dependency.slow"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("other", timeout=2).status in (0, 500, 504)
