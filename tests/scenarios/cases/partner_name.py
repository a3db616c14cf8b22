"""the backend calls its partner by a name that does not resolve"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the backend calls its partner by a name that does not resolve"


def inject(s):
    innocent = [decoys.gateway_commit(s), *decoys.usual(s)]
    files = s.change("partner_host", "payments.internal.invalid")
    s.record(files, "Payments by name", "Ines Maurer", 8)
    s.restart(*s.api_programs)
    return Truth([Cause([s.api], ["dns.failure", "dependency.wrong_address"], files)],
                 [Fix(file=files[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200 and s.call("partner").status >= 500
