"""Child processes that never outlive their parent, and waiting with a deadline."""
import ctypes
import os
import pwd
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 5

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sig):
    """For preexec_fn, after any change of user (which would undo it)."""
    _libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)


def is_root():
    return os.geteuid() == 0


def spawn(argv, log, user=None, env=None, cwd="/", death_signal=signal.SIGKILL):
    """Starts a program; `user` counts only where root starts it. Its output is appended to the file `log`."""
    identity = {}
    if user and is_root():
        entry = pwd.getpwnam(user)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with open(log, "ab") as output:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, env=env,
                                start_new_session=True, preexec_fn=lambda: die_with_parent(death_signal), **identity)


def end(process, sig=signal.SIGTERM, seconds=STOP_SECONDS):
    """Ends a child started by spawn and waits for it."""
    if process is None or process.poll() is not None:
        return
    for each, patience in ((sig, seconds), (signal.SIGKILL, STOP_SECONDS)):
        os.kill(process.pid, signal.SIGCONT)
        os.kill(process.pid, each)
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            pass


def check_output(argv, seconds=20, **kwargs):
    """Output of a command that must succeed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          timeout=seconds, check=False, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def wait_until(condition, what, seconds=10.0, pause=0.05):
    """Returns what the condition gives once it is true; raises TimeoutError that says `what`."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)


def is_running(pid):
    """False also for a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
