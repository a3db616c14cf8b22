"""a service that the backend calls does not run"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a service that the backend calls does not run"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.supervise("stop", s.partner_program)
    return Truth([Cause([s.partner], ["service.process_down", "process.missing"])],
                 [Fix(command="restart"), Fix(command="start")], person=True, decoys=innocent)


def symptom(s):
    return s.call("partner").status >= 500
