"""a release broke one endpoint"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a release broke one endpoint"


def inject(s):
    innocent = [decoys.settings_commit(s), *decoys.usual(s)]
    files = s.edit("bad_endpoint")
    s.record(files, "bikes: battery level", "Ines Maurer", 6)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["endpoint.bad_deploy"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("other").status == 500
