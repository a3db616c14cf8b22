"""a service that the backend calls is there, and does not answer"""
import signal

from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "a service that the backend calls is there, and does not answer"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.kill(s.partner_program, signal.SIGSTOP)
    return Truth([Cause([s.partner], ["service.hung"])], [Fix(command="restart")], person=True, decoys=innocent)


def symptom(s):
    return s.call("partner", timeout=1.5).status in (0, 500, 504)


def cleanup(s):
    s.kill(s.partner_program, signal.SIGCONT)
