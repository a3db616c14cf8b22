"""A PostgreSQL server of its own in a folder of its own, copied from a cluster that is made once and kept."""
import fcntl
import glob
import hashlib
import os
import shutil
import signal
import subprocess

import psycopg2

from . import process

OWNER = "postgres"
SUPERUSER = "postgres"


def programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not folders:
        raise RuntimeError("PostgreSQL is not installed (deploy/packages.txt)")
    return folders[-1]


def _run_as_owner(argv):
    prefix = ["runuser", "-u", OWNER, "--"] if process.is_root() else []
    process.check_output(prefix + argv, seconds=60, cwd="/")


def _template(cache, schema):
    """A cluster with the schema (SQL of psql) loaded; made at the first use of this schema."""
    with open(schema, "rb") as file:
        key = hashlib.sha256(programs().encode() + file.read()).hexdigest()[:12]
    folder = os.path.join(cache, f"postgres-{key}")
    with open(os.path.join(cache, f"postgres-{key}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(os.path.join(folder, "complete")):
            return os.path.join(folder, "data")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if process.is_root():
            shutil.chown(folder, OWNER)
        _make_cluster(folder, schema)
        with open(os.path.join(folder, "complete"), "w", encoding="utf-8"):
            return os.path.join(folder, "data")


def _make_cluster(folder, schema):
    data = os.path.join(folder, "data")
    _run_as_owner([f"{programs()}/initdb", "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                   "--wal-segsize=1", "--no-sync"])
    start = ["-o", f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off", "-l", f"{folder}/log"]
    _run_as_owner([f"{programs()}/pg_ctl", "-D", data, "-w", *start, "start"])
    try:
        process.check_output([f"{programs()}/psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", SUPERUSER,
                              "-d", "postgres", "-f", schema])
    finally:
        _run_as_owner([f"{programs()}/pg_ctl", "-D", data, "-m", "fast", "-w", "stop"])


class Postgres:
    """`folder` gets `data`, and the socket. Clients come by TCP with a password; the harness by the socket."""

    def __init__(self, folder, log, port, database):
        self.data = os.path.join(folder, "data")
        self.folder, self.log, self.port, self.database = folder, log, port, database
        self.process = None

    def prepare(self, cache, schema, settings):
        subprocess.run(["cp", "-a", _template(cache, schema), self.data], check=True)
        options = {"port": self.port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": f"'{self.folder}'",
                   "fsync": "off", "log_timezone": "'UTC'", "timezone": "'UTC'", **settings}
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.writelines(f"{key} = {value}\n" for key, value in options.items())
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="utf-8") as file:
            file.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")

    def start(self):
        self.process = process.spawn([f"{programs()}/postgres", "-D", self.data], self.log, user=OWNER,
                                     death_signal=signal.SIGQUIT)

    def wait_ready(self):
        def ready():
            try:
                self.connect().close()
                return True
            except psycopg2.Error:
                return False
        process.wait_until(ready, f"PostgreSQL answers (see {self.log})", 15)

    def stop(self):
        process.end(self.process, signal.SIGINT)

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def restart(self):
        self.stop()
        self.start()
        self.wait_ready()

    def connect(self, **options):
        """As superuser by the socket, in autocommit mode, unless said otherwise."""
        merged = {"host": self.folder, "port": self.port, "user": SUPERUSER, "dbname": self.database,
                  "connect_timeout": 3, **options}
        connection = psycopg2.connect(**merged)
        connection.autocommit = True
        return connection

    def sql(self, text, *values):
        """Rows of one statement."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def end_sessions_of(self, role):
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", role)
