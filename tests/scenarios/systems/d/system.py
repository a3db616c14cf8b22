"""System D: a ticket shop. nginx by ports with locations shared by inclusion, auth_request to a Unix socket and generated upstreams;
layered .properties, XML, JSON with comments and a machine's environment file; a Procfile under monit; a generated TypeScript client."""
import os
import time

from harness import history, process
from harness.certificates import cached
from harness.nginx import Nginx
from harness.postgres import Postgres
from harness.redis_server import RedisServer
from harness.render import render_file
from harness.supervision import MonitAndProcfile
from harness.system import PYTHON, SUPERVISE, System

from . import normal
from .names import CALLS, EDITS, SETTINGS

HERE = os.path.dirname(os.path.abspath(__file__))
DB_PASSWORD, WATCHER_PASSWORD, REDIS_PASSWORD = "velvet-and-dust", "from-the-gallery", "props-in-boxes"
SESSION_KEY = "5e0c7b91d24fa836"
PORTS = ("EDGE_PORT", "EDGE_TLS_PORT", "PAGES_PORT", "SHOP_PORT", "PRICING_PORT", "FEES_PORT", "PG_PORT", "REDIS_PORT")


class SystemD(MonitAndProcfile, System):
    letter = "D"
    gateway, api, twin, database, cache, worker, partner = "front", "shop", "passport", "postgres", "redis", "printer", "pricing"
    client, cors_service = "web", "shop"
    api_programs, twin_programs = ("shop",), ("passport",)
    worker_program, partner_program = "printer", "pricing"
    database_role, watch_role, locked_table = "shop", "watcher", "orders"
    idle_program, certificate, old_certificate = "almanac", "footlight", "footlight-2022.pem"
    foreign_certificate, origin = "backstage", "https://www.footlight.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow", "other")
    supervisor_log, manager_output = "log/monit.log", "log/monit.out"
    kept = ("log", "code", "ops", "etc", "omnix")

    def prepare(self):
        self.port = ports = {name: self.ports.next() for name in PORTS}
        self.make_folders(["data/posters", "data/printed", "data/redis", "run/sock", "log"], ["data/pg", "run/nginx", "log/front", "certs"])
        self.nginx = Nginx(self.work, self.path("ops/nginx/nginx.conf"), self.path("run/nginx.pid"), self.path("log/front/error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "DB_PASSWORD": DB_PASSWORD, "REDIS_PASSWORD": REDIS_PASSWORD,
                  "SESSION_KEY": SESSION_KEY, "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv()), "SUPERVISE_ARGV": f"{PYTHON}, {SUPERVISE}"}
        self.repositories = normal.write_files(self, os.path.join(HERE, "files"), values)
        self.system_file = self.path("omnix/system.yaml")
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.system_file, values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Footlight Root",
                              {"footlight": (["tickets.footlight.example", "127.0.0.1"], {}),
                               "backstage": (["backstage.footlight.example"], {}),
                               "footlight-2022": (["tickets.footlight.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("data/pg"), self.path("log/postgres.log"), ports["PG_PORT"], "footlight")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("data/pg"), "postgres")
        self.redis = RedisServer(self.path("ops/config/redis.conf"), self.path("log/redis.log"), ports["REDIS_PORT"], REDIS_PASSWORD,
                                 self.user)
        normal.write_logs(self)
        for folder in ("code", "ops", "etc"):
            self.age_files(self.path(folder))
        self.gateway_url = f"http://127.0.0.1:{ports['EDGE_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['EDGE_TLS_PORT']}/_alive"
        self.specification = self.path("ops/monitrc")

    def environment(self):
        return {"WATCHER_PASSWORD": WATCHER_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        """Gateway: reload; the shop's own files: restart of it."""
        if any(file.endswith(".properties") or "/etc/default/" in file for file in files):
            self.restart("shop")
        if any("/nginx/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        return f"http://127.0.0.1:{self.port['SHOP_PORT']}"

    def point_gateway_elsewhere(self):
        """The address of the shop in the gateway is one where nobody listens; returns the files."""
        return [self.replace("ops/nginx/generated/footlight.upstreams", str(self.port["SHOP_PORT"]), str(self.ports.next()))]

    def queue_length(self):
        return self.redis.client(2).xlen("print.jobs")

    def write_noise(self):
        with open(self.path("log/shop.log"), "a", encoding="utf-8") as file:
            file.write(normal.newsletter_warning(time.time()) + "\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"front": ["log/front/access.kv"], "shop": ["log/shop.log"], "pricing": ["log/pricing.log"]}


__all__ = ["SystemD", "history"]
