"""the disk for uploads is full"""
from harness import decoys, mounts
from harness.scenario import Cause, Truth

NAME = "the disk for uploads is full"


NEEDS = ("mount",)


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    folder = s.setting("upload_folder")
    mounts.mount_small(folder, 256, s.user)
    with open(f"{folder}/fill", "wb") as file:
        try:
            file.write(b"x" * (1 << 20))
            file.flush()
        except OSError:
            pass
    return Truth([Cause([s.api], ["disk.full"])], person=True, decoys=innocent)


def symptom(s):
    return s.call("upload").status >= 500
