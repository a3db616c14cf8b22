"""System B: a parcel carrier. nginx in sites and snippets, two different services with TOML and INI, a queue consumer, rates of
carriers, PostgreSQL, Redis; no suite of checks, configuration in no repository."""
import os
import time

from harness import history, process
from harness.certificates import cached
from harness.nginx import Nginx
from harness.postgres import Postgres
from harness.redis_server import RedisServer
from harness.render import render_file
from harness.supervision import UnitFiles
from harness.system import PYTHON, SUPERVISE, System

from . import normal
from .names import CALLS, EDITS, SETTINGS

HERE = os.path.dirname(os.path.abspath(__file__))
LEDGER_PASSWORD, PEOPLE_PASSWORD, WATCH_PASSWORD = "hooks-and-crates", "names-and-faces", "through-the-fence"
SCRATCH_PASSWORD, SIGNING_KEY = "chalk-on-slate", "7d41c09be2aa4f16"
PORTS = ("EDGE_PORT", "EDGE_TLS_PORT", "MANIFEST_PORT", "GATEHOUSE_PORT", "TARIFFD_PORT", "LEDGER_PORT", "SCRATCH_PORT")


class SystemB(UnitFiles, System):
    letter = "B"
    gateway, api, twin, database, cache, worker, partner = "edge", "manifest", "gatehouse", "ledger", "scratch", "stamper", "tariffd"
    client, cors_service = "portal", "manifest"
    api_programs, twin_programs = ("manifest",), ("gatehouse",)
    worker_program, partner_program = "stamper", "tariffd"
    database_role, watch_role, locked_table = "freight", "onlooker", "bookings"
    idle_program, certificate, old_certificate = "yearbook", "portal", "portal-2022.pem"
    foreign_certificate, origin = "backoffice", "https://portal.parcels.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow", "other")
    supervisor_log, manager_output = "var/log/journal.log", "var/log/manager.out"
    kept = ("var", "etc", "srv", "omnix")

    def prepare(self):
        self.port = ports = {name: self.ports.next() for name in PORTS}
        self.make_folders(["data/scans", "data/labels", "data/scratch"], ["data/ledger", "run/nginx", "var/log/edge", "certs"])
        self.nginx = Nginx(self.work, self.path("etc/nginx/nginx.conf"), self.path("run/nginx.pid"), self.path("var/log/edge/error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "LEDGER_PASSWORD": LEDGER_PASSWORD, "PEOPLE_PASSWORD": PEOPLE_PASSWORD,
                  "SCRATCH_PASSWORD": SCRATCH_PASSWORD, "SIGNING_KEY": SIGNING_KEY,
                  "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv()), "SUPERVISE_ARGV": f"{PYTHON}, {SUPERVISE}"}
        self.repositories = normal.write_files(self, os.path.join(HERE, "files"), values)
        os.makedirs(self.path("etc/nginx/sites-enabled"))
        for site in ("portal.conf", "status.conf"):
            os.symlink(f"../sites-available/{site}", self.path("etc/nginx/sites-enabled", site))
        self.system_file = self.path("omnix/system.yaml")
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.system_file, values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Parcels Root",
                              {"portal": (["portal.parcels.example", "127.0.0.1"], {}), "backoffice": (["backoffice.parcels.example"], {}),
                               "portal-2022": (["portal.parcels.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("data/ledger"), self.path("var/log/ledger.log"), ports["LEDGER_PORT"], "ledger")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("data/ledger"), "postgres")
        self.redis = RedisServer(self.path("etc/scratch.conf"), self.path("var/log/scratch.log"), ports["SCRATCH_PORT"],
                                 SCRATCH_PASSWORD, self.user)
        normal.write_logs(self)
        self.age_files(self.path("etc"))
        self.age_files(self.path("srv"))
        self.gateway_url = f"http://127.0.0.1:{ports['EDGE_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['EDGE_TLS_PORT']}/ping"
        self.specification = self.path("etc/units")

    def environment(self):
        return {"ONLOOKER_PASSWORD": WATCH_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        """Gateway: reload; a service's own file: restart of it."""
        if any("/etc/manifest/" in file for file in files):
            self.restart("manifest")
        if any("/etc/nginx/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        return f"http://127.0.0.1:{self.port[(call.program or 'manifest').upper() + '_PORT']}"

    def point_gateway_elsewhere(self):
        """The address of manifest in the gateway is one where nobody listens; returns the files."""
        return [self.replace("etc/nginx/snippets/backends.conf", str(self.port["MANIFEST_PORT"]), str(self.ports.next()))]

    def queue_length(self):
        return self.redis.client(3).llen("labels:todo")

    def write_noise(self):
        with open(self.path("var/log/manifest.log"), "a", encoding="utf-8") as file:
            file.write(normal.push_warning(time.time()) + "\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"edge": ["var/log/edge/requests.json"], "manifest": ["var/log/manifest.log"], "gatehouse": ["var/log/gatehouse.log"],
                "tariffd": ["var/log/tariffd.log"]}


__all__ = ["SystemB", "history"]
