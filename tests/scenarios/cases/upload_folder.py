"""the backend may not write into its folder of uploads"""
import os

from harness import decoys
from harness.scenario import Cause, Truth

NAME = "the backend may not write into its folder of uploads"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    folder = s.setting("upload_folder")
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o755)
    return Truth([Cause([s.api], ["path.not_writable"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("upload").status >= 500
