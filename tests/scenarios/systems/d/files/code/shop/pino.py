"""Log lines in the shape of pino, which the rest of the house uses."""
import json
import os
import socket
import sys
import threading
import time
import traceback

INFO, WARN, ERROR, FATAL = 30, 40, 50, 60
_lock = threading.Lock()


def _stack(error):
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return "\n".join([f"{type(error).__name__}: {str(error).strip()}",
                      *(f"    at {frame.name} ({frame.filename}:{frame.lineno}:1)" for frame in frames)])


def serialize(error):
    shape = {"type": type(error).__name__, "message": str(error).strip(), "stack": _stack(error)}
    if error.__cause__ is not None:
        shape["cause"] = serialize(error.__cause__)
    return shape


def line(level, text, **fields):
    entry = {"level": level, "time": int(time.time() * 1000), "pid": os.getpid(), "hostname": socket.gethostname(), "name": "shop",
             **fields, "msg": text}
    with _lock:
        sys.stdout.write(json.dumps(entry, separators=(",", ":")) + "\n")
        sys.stdout.flush()
