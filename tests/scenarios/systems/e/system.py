"""System E: public libraries. nginx in sites, snippets and a fallback to named locations, two weighted copies of a service and one of
another under compose, secrets in files, values as of a chart beside HOCON and environment files, logs in French, axios with settings
that the page loads; three repositories."""
import os
import time

from harness import history, process
from harness.certificates import cached
from harness.nginx import Nginx
from harness.postgres import Postgres
from harness.redis_server import RedisServer
from harness.render import render_file
from harness.supervision import Compose
from harness.system import PYTHON, SUPERVISE, System

from . import normal
from .names import CALLS, EDITS, SETTINGS

HERE = os.path.dirname(os.path.abspath(__file__))
DB_PASSWORD, LECTEURS_PASSWORD, WATCH_PASSWORD, REDIS_PASSWORD = "rayon-du-fond", "carte-perforee", "depuis-le-phare", "marque-page"
TOKEN_KEY = "9b3d60ce71f8a254"
PORTS = ("EDGE_PORT", "EDGE_TLS_PORT", "OPAC_1_PORT", "OPAC_2_PORT", "LECTEURS_PORT", "JAQUETTES_PORT", "PG_PORT", "REDIS_PORT")


class SystemE(Compose, System):
    letter = "E"
    gateway, api, twin, database, cache, worker, partner = "nginx", "opac", "lecteurs", "pg-biblio", "redis", "relances", "jaquettes"
    client, cors_service = "catalogue", "nginx"
    api_programs, twin_programs = ("opac-1", "opac-2"), ("lecteurs",)
    worker_program, partner_program = "relances", "jaquettes"
    database_role, watch_role, locked_table = "opac", "vigie", "reservations"
    idle_program, certificate, old_certificate = "recolement", "valmont", "valmont-2022.pem"
    foreign_certificate, origin = "mairie", "https://catalogue.valmont.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow", "other")
    supervisor_log, manager_output = "journaux/docker-events.log", "journaux/dockerd.out"
    kept = ("journaux", "apps", "catalogue-web", "infra", "secrets", "omnix")

    def prepare(self):
        self.port = ports = {name: self.ports.next() for name in PORTS}
        self.make_folders(["volumes/numerisations", "volumes/lettres", "volumes/redis"], ["volumes/pg", "run/nginx", "journaux/nginx", "certs"])
        self.nginx = Nginx(self.work, self.path("infra/nginx/nginx.conf"), self.path("run/nginx.pid"), self.path("journaux/nginx/error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "DB_PASSWORD": DB_PASSWORD, "LECTEURS_PASSWORD": LECTEURS_PASSWORD,
                  "REDIS_PASSWORD": REDIS_PASSWORD, "JETON_CLE": TOKEN_KEY, "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv()), "SUPERVISE_ARGV": f"{PYTHON}, {SUPERVISE}"}
        self.repositories = normal.write_files(self, os.path.join(HERE, "files"), values)
        self.system_file = self.path("omnix/system.yaml")
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.system_file, values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Valmont Interne",
                              {"valmont": (["api.valmont.example", "catalogue.valmont.example", "127.0.0.1"], {}),
                               "mairie": (["mairie.valmont.example"], {}),
                               "valmont-2022": (["api.valmont.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("volumes/pg"), self.path("journaux/postgresql.log"), ports["PG_PORT"], "biblio")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("volumes/pg"), "postgres")
        self.redis = RedisServer(self.path("infra/compose/redis/redis.conf"), self.path("journaux/redis.log"), ports["REDIS_PORT"],
                                 REDIS_PASSWORD, self.user)
        normal.write_logs(self)
        for folder in (*normal.COMMITS, "secrets"):
            self.age_files(self.path(folder))
        self.gateway_url = f"http://127.0.0.1:{ports['EDGE_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['EDGE_TLS_PORT']}/sante"
        self.specification = self.path("infra/compose/compose.yaml")

    def environment(self):
        return {"VIGIE_PASSWORD": WATCH_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        if any("/nginx/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        return f"http://127.0.0.1:{self.port['LECTEURS_PORT' if call.program else f'OPAC_{instance}_PORT']}"

    def point_gateway_elsewhere(self, instances=(1, 2)):
        """The upstream's servers of these instances at ports where nobody listens; returns the files."""
        for instance in instances:
            file = self.replace("infra/nginx/conf.d/amonts.conf", f"127.0.0.1:{self.port[f'OPAC_{instance}_PORT']}",
                                f"127.0.0.1:{self.ports.next()}")
        return [file]

    def queue_length(self):
        return self.redis.client(4).llen("celery")

    def write_noise(self):
        with open(self.path("journaux/opac-1.log"), "a", encoding="utf-8") as file:
            file.write(normal.union_catalogue_warning(time.time()) + "\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"nginx": ["journaux/nginx/access.log"], "opac": ["journaux/opac-1.log", "journaux/opac-2.log"],
                "lecteurs": ["journaux/lecteurs.log"], "jaquettes": ["journaux/jaquettes.log"]}


__all__ = ["SystemE", "history"]
