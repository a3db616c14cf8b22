"""A small file system that fills up, in a mount namespace of this process's own: it goes when the process goes."""
import ctypes
import os
import subprocess

CLONE_NEWNS = 0x00020000


def enter_private_namespace():
    """False where the machine does not allow it (no root, a container without the capability)."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    return _mount("--make-rprivate", "/")


def mount_small(folder, kilobytes, user):
    """Puts an empty file system of this size, owned by `user`, on the folder."""
    if not _mount("-t", "tmpfs", "-o", f"size={kilobytes}k,mode=755,uid={_uid(user)}", "tmpfs", folder):
        raise RuntimeError(f"cannot mount on {folder}")


def _uid(user):
    import pwd
    return pwd.getpwnam(user).pw_uid


def _mount(*argv):
    return subprocess.run(["mount", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
