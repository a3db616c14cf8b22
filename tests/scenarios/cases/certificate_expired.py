"""the gateway's certificate has expired"""
import shutil

from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the gateway's certificate has expired"


def inject(s):
    innocent = [decoys.code_commit(s), decoys.undeclared_program_is_stopped(s)]
    for end in ("pem", "key"):
        shutil.copy(s.path("certs", s.old_certificate.replace(".pem", "." + end)), s.path("certs", f"{s.certificate}.{end}"))
    s.reload()
    return Truth([Cause([s.gateway], ["tls.certificate_expired", "tls.certificate_invalid"])], person=True, decoys=innocent)


def symptom(s):
    return s.tls_answers().status == 0
