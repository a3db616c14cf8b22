"""System C: a clinic. nginx by host names and regular expressions, one program with many modules and a sidecar under PM2, a queue in
PostgreSQL, settings in YAML with anchors and variables, a plain JavaScript client; one repository."""
import os
import time

from harness import history, process
from harness.certificates import cached
from harness.nginx import Nginx
from harness.postgres import Postgres
from harness.redis_server import RedisServer
from harness.render import render_file
from harness.supervision import Ecosystem
from harness.system import PYTHON, SUPERVISE, System

from . import normal
from .names import CALLS, EDITS, SETTINGS

HERE = os.path.dirname(os.path.abspath(__file__))
DB_PASSWORD, AUDITOR_PASSWORD, REDIS_PASSWORD = "lime-leaves-fall", "eyes-on-charts", "notes-on-doors"
SESSION_KEY = "c41f77ab90e25d38"
PORTS = ("EDGE_PORT", "EDGE_TLS_PORT", "PRAXIS_PORT", "LABS_PORT", "SORRY_PORT", "RECORDS_PORT", "MEMO_PORT")


class SystemC(Ecosystem, System):
    letter = "C"
    gateway, api, twin, database, cache, worker, partner = "frontdoor", "praxis", "labs", "records", "memo", "courier", "labs"
    client, cors_service = "site", "praxis"
    api_programs, twin_programs = ("praxis",), ("labs",)
    worker_program, partner_program = "courier", "labs"
    database_role, watch_role, locked_table = "clinic", "auditor", "appointments"
    idle_program, certificate, old_certificate = "quarter", "lindenhof", "lindenhof-2022.pem"
    foreign_certificate, origin = "wards", "https://app.lindenhof.example"
    calls, settings, edits = CALLS, SETTINGS, EDITS
    traffic_kinds = ("read", "static", "private", "cache", "write", "partner", "read", "upload", "static", "slow", "other")
    supervisor_log, manager_output = "log/pm2.log", "log/pm2.out"
    kept = ("log", "clinic", "omnix")

    def prepare(self):
        self.port = ports = {name: self.ports.next() for name in PORTS}
        self.make_folders(["state/documents", "state/outbox", "state/memo"], ["state/records", "run/nginx", "log/nginx", "certs"])
        self.nginx = Nginx(self.work, self.path("clinic/gateway/nginx.conf"), self.path("run/nginx.pid"), self.path("log/nginx/error.log"))
        values = {**ports, "WORK": self.work, "USER": self.user, "DB_PASSWORD": DB_PASSWORD, "REDIS_PASSWORD": REDIS_PASSWORD,
                  "SESSION_KEY": SESSION_KEY, "NGINX_USER": f"user {self.user};" if process.is_root() else "",
                  "NGINX_ARGV": ", ".join(self.nginx.argv()), "SUPERVISE_ARGV": f"{PYTHON}, {SUPERVISE}"}
        self.repositories = [normal.write_files(self, os.path.join(HERE, "files"), values)]
        self.system_file = self.path("omnix/system.yaml")
        render_file(os.path.join(HERE, "omnix", "system.yaml"), self.system_file, values)
        self.ca_file = cached(self.cache_folder, self.path("certs"), "Lindenhof Trust",
                              {"lindenhof": (["api.lindenhof.example", "app.lindenhof.example", "static.lindenhof.example", "127.0.0.1"], {}),
                               "wards": (["wards.lindenhof.example"], {}),
                               "lindenhof-2022": (["api.lindenhof.example"], {"begin": "20220101000000Z", "end": "20230101000000Z"})})
        self.postgres = Postgres(self.path("state/records"), self.path("log/records.log"), ports["RECORDS_PORT"], "lindenhof")
        self.postgres.prepare(self.cache_folder, os.path.join(HERE, "schema.sql"), normal.POSTGRES_SETTINGS)
        self.chown_to(self.path("state/records"), "postgres")
        self.redis = RedisServer(self.path("clinic/conf/memo.conf"), self.path("log/memo.log"), ports["MEMO_PORT"], REDIS_PASSWORD, self.user)
        normal.write_logs(self)
        self.age_files(self.path("clinic"))
        self.gateway_url = f"http://127.0.0.1:{ports['EDGE_PORT']}"
        self.tls_url = f"https://127.0.0.1:{ports['EDGE_TLS_PORT']}/_gw"
        self.specification = self.path("clinic/ecosystem.config.json")

    def environment(self):
        return {"AUDITOR_PASSWORD": AUDITOR_PASSWORD, "SSL_CERT_FILE": self.ca_file}

    def apply(self, files):
        """Gateway: reload; a service's own file: restart of it."""
        if any(file.endswith("/conf/clinic.yml") for file in files):
            self.restart("praxis")
        if any("/gateway/" in file for file in files):
            self.reload()

    def instance_url(self, call, instance):
        return f"http://127.0.0.1:{self.port[(call.program or 'praxis').upper() + '_PORT']}"

    def point_gateway_elsewhere(self):
        """The address of praxis in the gateway is one where nobody listens; returns the files."""
        return [self.replace("clinic/gateway/http.d/20-upstreams.conf", f"127.0.0.1:{self.port['PRAXIS_PORT']}", f"127.0.0.1:{self.ports.next()}")]

    def queue_length(self):
        return self.postgres.sql("SELECT count(*) FROM reminders")[0][0]

    def write_noise(self):
        with open(self.path("log/praxis.log"), "a", encoding="utf-8") as file:
            file.write(normal.pager_warning(time.time()) + "\n")

    def access_logs(self):
        """Service -> its logs with a line for each request."""
        return {"frontdoor": ["log/nginx/access.log"], "praxis": ["log/praxis.log"], "labs": ["log/labs.log"]}


__all__ = ["SystemC", "history"]
