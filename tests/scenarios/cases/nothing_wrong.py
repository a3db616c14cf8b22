"""nothing is wrong: somebody changed prices and restarted the worker"""
from harness import decoys
from harness.scenario import Truth

NAME = "nothing is wrong: somebody changed prices and restarted the worker"


def inject(s):
    innocent = [decoys.settings_commit(s), decoys.other_program_restarted(s), decoys.legal_slow_call(s), *decoys.usual(s)]
    return Truth(nothing=True, decoys=innocent)


def symptom(s):
    return s.serves("static", "read", "cache")
