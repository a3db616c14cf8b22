"""System B's past: commits of its parts (configuration is in no repository) and an hour of logs."""
import json
import os
import time

from harness import history, http
from harness.render import render_tree
from harness.repository import Repository

POSTGRES_SETTINGS = {"max_connections": 24, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%t [%p]: user=%u,db=%d,client=%h '", "log_connections": "on", "autovacuum": "off"}

COMMITS = {
    "manifest": ((40100, "Jonas Ek", "Manifests"), (21000, "Jonas Ek", "Quotes from tariffd")),
    "gatehouse": ((39000, "Priya Nair", "Logins move out of manifest"),),
    "portal": ((38000, "Leo Brandt", "The desk"), (10500, "Leo Brandt", "Drafts")),
}
UNVERSIONED = ("etc", "srv/parcelkit", "srv/stamper", "srv/tariffd")
WEIGHTS = {"read": 28, "static": 26, "cache": 18, "private": 9, "write": 7, "upload": 4, "partner": 8, "slow": 2, "login": 5, "other": 13}


def write_files(system, source, values):
    """All files; returns the repositories."""
    for part in UNVERSIONED:
        render_tree(os.path.join(source, part), system.path(part), values)
    repositories = []
    for name, commits in COMMITS.items():
        repository = Repository(system.path("srv", name))
        repository.create()
        for number, (minutes, author, message) in enumerate(commits):
            if number == 0:
                render_tree(os.path.join(source, "srv", name), repository.folder, values)
            else:
                with open(os.path.join(repository.folder, "CHANGES"), "a", encoding="utf-8") as changes:
                    changes.write(message + "\n")
            repository.commit(message, author, minutes)
        repositories.append(repository)
    return repositories


def _gateway_line(system, when, call, status, took, size):
    port = system.port["GATEHOUSE_PORT" if call.program else "MANIFEST_PORT"]
    return json.dumps({"ts": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(when)), "client": "127.0.0.1",
                       "vhost": "portal.parcels.example", "method": call.method, "uri": call.path, "status": status, "bytes": size,
                       "took": round(took, 3), "backend": f"127.0.0.1:{port}", "backend_status": str(status),
                       "agent": http.TRAFFIC_AGENT}, separators=(",", ":"))


def push_warning(when):
    return json.dumps({"time": history.iso_time(when), "level": "warning", "logger": "push",
                       "msg": "push to a driver's phone failed: 503 from provider, will be tried again"})


def write_logs(system):
    gateway, manifest, gatehouse, stamper, tariffd = [], [], [], [], []
    kinds, weights = zip(*WEIGHTS.items())
    for when, dice in history.moments(2):
        kind = dice.choices(kinds, weights)[0]
        call = system.calls[kind]
        took = 0.6 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(180)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private" and dice.random() < 0.25:
            status = 401
        gateway.append(_gateway_line(system, when, call, status, took, dice.randrange(60, 1900)))
        stamp, milliseconds = history.iso_time(when), round(took * 1000)
        if call.program:
            gatehouse.append(f"ts={stamp} level=info msg=request method={call.method} path={call.own_path} status={status} "
                             f'ms={milliseconds} peer=127.0.0.1 agent="{http.TRAFFIC_AGENT}"')
        else:
            manifest.append(json.dumps({"time": stamp, "level": "info", "logger": "http", "msg": "request", "method": call.method,
                                        "path": call.own_path, "status": status, "ms": milliseconds, "peer": "127.0.0.1",
                                        "agent": http.TRAFFIC_AGENT}))
        if kind == "partner":
            tariffd.append(f"ts={stamp} level=info msg=request method=GET path=/rates status=200 ms=5 peer=127.0.0.1 agent=manifest/2.3")
        if kind == "write":
            stamper.append(f'ts={history.iso_time(when + 0.1)} level=info msg="label printed" booking={dice.randrange(100, 900)}')
        if dice.random() < 0.01:
            manifest.append(push_warning(when))
    for name, lines in (("edge/requests.json", gateway), ("manifest.log", manifest), ("gatehouse.log", gatehouse),
                        ("stamper.log", stamper), ("tariffd.log", tariffd), ("journal.log", journal_lines())):
        history.write(system.path("var/log", name), lines)


def journal_lines():
    when = history.syslog_time(time.time() - history.HISTORY_SECONDS)
    return [f"{when} node-1 systemd[1]: Started {name}.service." for name in ("manifest", "gatehouse", "stamper", "tariffd")]
