"""Whether this machine has the programs of the systems under test."""
import glob
import importlib.util
import os
import shutil

SKIPPED = 77  # exit code that CTest takes for a skipped test


def missing(letters):
    """What is not installed, in words; empty where all that these systems need is there."""
    absent = [name for name in ("redis-server", "git", "openssl") if shutil.which(name) is None]
    absent += [file for file in ("/usr/sbin/nginx",) if not os.access(file, os.X_OK)]
    if not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        absent.append("PostgreSQL")
    absent += [f"Python's {name}" for name in ("psycopg2", "redis", *(["yaml"] if set("CE") & set(letters) else [])) if importlib.util.find_spec(name) is None]
    return absent
