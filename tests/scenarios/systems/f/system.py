"""System F: a laboratory for hospitals. nginx as one large file that includes locations into a location, CORS by `if`, a regular
expression with a variable in proxy_pass; appsettings.json in layers, command lines and environments of systemd units, TOML; two copies of
an API that logs as Serilog does, others that log as Express, zap and .NET's console do; an Angular client; /etc under git."""
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
DB_PASSWORD, IDENTITY_PASSWORD, OBSERVER_PASSWORD, REDIS_PASSWORD = "centrifuge-at-nine", "badge-and-lanyard", "behind-the-glass", "cold-chain"
SIGNING_KEY = "e27a90c4b81f53d6"
PORTS = ("EDGE_PORT", "EDGE_TLS_PORT", "API_1_PORT", "API_2_PORT", "IDENTITY_PORT", "BRIDGE_PORT", "PG_PORT", "REDIS_PORT")


class SystemF(UnitFiles, System):
    letter = "F"
    gateway, api, twin, database, cache, worker, partner = "edge", "lims-api", "identity", "postgres", "redis", "labels", "hl7bridge"
    client, cors_service = "lims-web", "edge"
    api_programs, twin_programs = ("lims-api-1", "lims-api-2"), ("identity",)
    worker_program, partner_program = "labels", "hl7bridge"
    database_role, watch_role, locked_table = "lims", "observer", "orders"
    idle_program, certificate, old_certificate = "stocktake", "meridian", "meridian-2022.pem"
    foreign_certificate, origin = "intranet", "https://lims.meridian.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow", "other")
    specification_folder = "etc/systemd/system"
    supervisor_log, manager_output = "var/log/journal.log", "var/log/manager.out"
    kept = ("var/log", "etc", "opt", "src", "omnix")

    def prepare(self):
        self.port = ports = {name: self.ports.next() for name in PORTS}
        self.make_folders(["var/lib/lims/attachments", "var/lib/redis", "var/spool/labels"],
                          ["var/lib/postgresql", "var/log/nginx", "var/log/lims", "var/www/empty", "var/www/lims-web", "run/nginx", "certs"])
        self.nginx = Nginx(self.work, self.path("etc/nginx/nginx.conf"), self.path("run/nginx.pid"), self.path("var/log/nginx/error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "DB_PASSWORD": DB_PASSWORD, "IDENTITY_PASSWORD": IDENTITY_PASSWORD,
                  "REDIS_PASSWORD": REDIS_PASSWORD, "SIGNING_KEY": SIGNING_KEY, "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv()), "SUPERVISE_ARGV": f"{PYTHON}, {SUPERVISE}"}
        self.repositories = normal.write_files(self, os.path.join(HERE, "files"), values)
        self.system_file = self.path("omnix/system.yaml")
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.system_file, values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Meridian Internal",
                              {"meridian": (["api.meridian.example", "lims.meridian.example", "127.0.0.1"], {}),
                               "intranet": (["intranet.meridian.example"], {}),
                               "meridian-2022": (["api.meridian.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("var/lib/postgresql"), self.path("var/log/postgresql.log"), ports["PG_PORT"], "lims")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("var/lib/postgresql"), "postgres")
        self.redis = RedisServer(self.path("etc/redis/redis.conf"), self.path("var/log/redis.log"), ports["REDIS_PORT"], REDIS_PASSWORD,
                                 self.user)
        normal.write_logs(self)
        for folder in normal.PLACES.values():
            self.age_files(self.path(folder))
        self.gateway_url = f"http://127.0.0.1:{ports['EDGE_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['EDGE_TLS_PORT']}/edge-health"
        self.specification = self.path(self.specification_folder)

    def environment(self):
        return {"OBSERVER_PASSWORD": OBSERVER_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        if any("/etc/nginx/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        return f"http://127.0.0.1:{self.port['IDENTITY_PORT' if call.program else f'API_{instance}_PORT']}"

    def point_gateway_elsewhere(self, instances=(1, 2)):
        """The upstream's servers of these instances at ports where nobody listens; returns the files."""
        for instance in instances:
            file = self.replace("etc/nginx/conf.d/upstreams/lims-api.conf", f"127.0.0.1:{self.port[f'API_{instance}_PORT']}",
                                f"127.0.0.1:{self.ports.next()}")
        return [file]

    def queue_length(self):
        return self.redis.client(5).llen("labels:pending")

    def write_noise(self):
        with open(self.path("var/log/lims/lims-api-1.clef"), "a", encoding="utf-8") as file:
            file.write(normal.analyzer_warning(time.time()) + "\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"edge": ["var/log/nginx/access.json"], "lims-api": ["var/log/lims/lims-api-1.clef", "var/log/lims/lims-api-2.clef"],
                "identity": ["var/log/lims/identity.log"], "hl7bridge": ["var/log/lims/hl7bridge.log"]}


__all__ = ["SystemF", "history"]
