"""the gateway shows a certificate of another name"""
import shutil

from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the gateway shows a certificate of another name"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    for end in ("pem", "key"):
        shutil.copy(s.path("certs", f"{s.foreign_certificate}.{end}"), s.path("certs", f"{s.certificate}.{end}"))
    s.reload()
    return Truth([Cause([s.gateway], ["tls.name_mismatch", "tls.certificate_invalid"])], person=True, decoys=innocent)


def symptom(s):
    return s.tls_answers().status == 0
