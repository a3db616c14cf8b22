"""System A: bicycle rental. nginx, two backends, worker, payments, PostgreSQL, Redis; a suite of checks, git."""
import os
import time

from harness import history, process
from harness.certificates import cached
from harness.nginx import Nginx
from harness.postgres import Postgres
from harness.redis_server import RedisServer
from harness.render import render_file
from harness.repository import Repository
from harness.system import SUPERVISE, System
from harness.supervision import JsonSpecification

from . import normal
from .names import CALLS, EDITS, SETTINGS

HERE = os.path.dirname(os.path.abspath(__file__))
DATABASE_PASSWORD, WATCH_PASSWORD, CACHE_PASSWORD = "wheels-go-round", "look-not-touch", "spokes-and-chains"
TOKEN_SECRET = "b0a1f6d2c7e94d50"


class SystemA(JsonSpecification, System):
    letter = "A"
    gateway, api, twin, database, cache, worker, partner = "gateway", "backend", "backend", "database", "cache", "worker", "payments"
    client, cors_service = "web", "gateway"
    api_programs = twin_programs = ("backend-1", "backend-2")
    worker_program, partner_program = "worker", "payments"
    database_role, watch_role, locked_table = "velo_app", "velo_watch", "rentals"
    idle_program, certificate, old_certificate = "newsletter", "velo", "velo-2022.pem"
    foreign_certificate, origin = "intranet", "https://velo.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow")

    def prepare(self):
        ports = {name: self.ports.next() for name in ("GATEWAY_PORT", "GATEWAY_TLS_PORT", "BACKEND_1_PORT", "BACKEND_2_PORT",
                                                      "PAYMENTS_PORT", "DATABASE_PORT", "CACHE_PORT")}
        self.port = ports
        self.make_folders(["data/uploads", "data/receipts", "data/redis"], ["data/postgres", "run/nginx", "logs", "certs"])
        self.nginx = Nginx(self.work, self.path("app/gateway/nginx.conf"), self.path("run/nginx.pid"), self.path("logs/gateway-error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "DATABASE_PASSWORD": DATABASE_PASSWORD,
                  "CACHE_PASSWORD": CACHE_PASSWORD, "TOKEN_SECRET": TOKEN_SECRET, "SUPERVISE": SUPERVISE,
                  "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv())}
        self.repositories = [Repository(self.path("app"))]
        self.repositories[0].create()
        normal.write_commits(self, os.path.join(HERE, "files"), values)
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.path("omnix/system.yaml"), values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Velo Internal CA",
                              {"velo": (["velo.example", "127.0.0.1"], {}), "intranet": (["intranet.example"], {}),
                               "velo-2022": (["velo.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("data/postgres"), self.path("logs/database.log"), ports["DATABASE_PORT"], "velo")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("data/postgres"), "postgres")
        self.redis = RedisServer(self.path("app/config/redis.conf"), self.path("logs/cache.log"), ports["CACHE_PORT"],
                                 CACHE_PASSWORD, self.user)
        normal.write_logs(self)
        self.age_files(self.path("app"))
        self.gateway_url = f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['GATEWAY_TLS_PORT']}/healthz"
        self.specification = self.path("app/ops/programs.json")
        self.system_file = self.path("omnix/system.yaml")

    def environment(self):
        return {"VELO_WATCH_PASSWORD": WATCH_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        if any("/gateway/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        port = self.port["PAYMENTS_PORT"] if call.program == "payments" else self.port[f"BACKEND_{instance}_PORT"]
        return f"http://127.0.0.1:{port}"

    def point_gateway_elsewhere(self, instances=(1, 2)):
        """The upstream's servers of these instances at ports where nobody listens; returns the files."""
        for name in (f"BACKEND_{instance}_PORT" for instance in instances):
            file = self.replace("app/gateway/conf.d/upstream.conf", f"127.0.0.1:{self.port[name]}", f"127.0.0.1:{self.ports.next()}")
        return [file]

    def queue_length(self):
        return self.redis.client().llen("receipts")

    def write_noise(self):
        with open(self.path("logs/backend-1.log"), "a", encoding="utf-8") as file:
            file.write(f"{history.python_time(time.time())} WARNING [push] notification service answered 503, will try again in 60 s\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"gateway": ["logs/gateway-access.log"], "backend": ["logs/backend-1.log", "logs/backend-2.log"],
                "payments": ["logs/payments.log"]}


__all__ = ["SystemA", "history"]
