"""a service that the backend calls takes seconds"""
from harness import decoys
from harness.scenario import Cause, Truth

NAME = "a service that the backend calls takes seconds"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.change("partner_delay_ms", 3500)
    return Truth([Cause([s.partner], ["dependency.slow"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("partner", timeout=2).status in (0, 500, 504)
