"""the backend calls its partner at a port where nobody listens"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the backend calls its partner at a port where nobody listens"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change("partner_port", s.ports.next())
    s.record(files, "Payments have moved", "Ines Maurer", 8)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["dependency.wrong_address"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("partner").status >= 500
