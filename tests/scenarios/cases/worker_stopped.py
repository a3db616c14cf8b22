"""the worker does not run, and its queue grows"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the worker does not run, and its queue grows"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    s.supervise("stop", s.worker_program)
    return Truth([Cause([s.worker], ["service.process_down", "process.missing"])],
                 [Fix(command="restart"), Fix(command="start")], person=True, decoys=innocent)


def symptom(s):
    return s.call("write").status < 400 and s.queue_length() > 3
