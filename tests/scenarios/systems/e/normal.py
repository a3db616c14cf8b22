"""System E's past: three repositories, and an hour of logs."""
import json
import os
import time
import uuid

from harness import history, http
from harness.render import render_tree
from harness.repository import Repository

POSTGRES_SETTINGS = {"max_connections": 24, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%t [%p] [%a] %u@%d '", "log_connections": "on", "autovacuum": "off"}

COMMITS = {
    "apps": ((91000, "Ines Maurer", "opac : première version", ("opac", "README.md", "__gitignore")),
             (66200, "Jonas Lindqvist", "lecteurs, en Python", ("lecteurs",)),
             (40100, "Samir Haddad", "jaquettes et relances", ("jaquettes", "relances"))),
    "catalogue-web": ((60400, "Mia Lindt", "Catalogue : Vite et React", ("package.json", "vite.config.js", "public", "__gitignore")),
                      (21500, "Mia Lindt", "Compte du lecteur", ("src",))),
    "infra": ((90100, "Dana Okafor", "nginx", ("nginx", "README.md")),
              (39800, "Dana Okafor", "Tout le reste par compose", ("compose",))),
}
WEIGHTS = {"read": 26, "static": 22, "cache": 15, "private": 9, "write": 7, "upload": 4, "partner": 8, "slow": 2, "login": 6, "other": 12}


def write_files(system, source, values):
    """All files; returns the repositories."""
    repositories = []
    for folder, commits in COMMITS.items():
        repository = Repository(system.path(folder))
        repository.create()
        if folder == "infra":
            enable_sites(system)
        repository.commit_parts(os.path.join(source, folder), commits, values)
        repositories.append(repository)
    render_tree(os.path.join(source, "secrets"), system.path("secrets"), values)
    return repositories


def enable_sites(system):
    os.makedirs(system.path("infra/nginx/sites-enabled"))
    for site in ("api", "catalogue"):
        name = f"{site}.valmont.example"
        os.symlink(f"../sites-available/{name}", system.path("infra/nginx/sites-enabled", name))


def _opac(when, node, severity, text, **attributes):
    number = {"INFO": 9, "WARN": 13}[severity]
    return json.dumps({"@timestamp": history.iso_time(when), "severity_text": severity, "severity_number": number,
                       "resource": {"service.name": "opac", "service.version": "4.7.2", "service.instance.id": node}, "msg": text,
                       "attributes": {name.replace("__", "."): value for name, value in attributes.items()}}, ensure_ascii=False)


def union_catalogue_warning(when, node="opac-1"):
    return _opac(when, node, "WARN", "synchronisation SUDOC en échec, nouvel essai dans 300 s", exception__type="httpx.HTTPStatusError",
                 exception__message="Server error '503 Service Unavailable' for url 'https://sudoc.example/oai'")


def _edge_line(system, when, call, status, took, node, dice):
    port = system.port["LECTEURS_PORT" if call.program else f"OPAC_{node[-1]}_PORT"]
    return (f'[{history.clf_time(when)}] 127.0.0.1 api.valmont.example "{call.method} {call.path} HTTP/1.1" => {status} '
            f'({dice.randrange(70, 2200)} o) amont=127.0.0.1:{port} [{status}] durees={took:.3f}/0.000/{took:.3f}/{took:.3f} '
            f'"{http.TRAFFIC_AGENT}"')


def _service_lines(when, call, status, took, node, dice):
    if call.program:
        return "lecteurs.log", [f'{history.iso_time(when)}  INFO 612 --- [lecteurs] [   nio-exec-{dice.randrange(1, 9)}] '
                                f'{"f.valmont.http.AccessLog":<40} : 127.0.0.1 "POST /session HTTP/1.1" 200 {took * 1000:.0f}ms '
                                f'"{http.TRAFFIC_AGENT}"']
    refused = [_opac(when, node, "WARN", "jeton refusé", exception__type="jwt.exceptions.ExpiredSignatureError",
                     exception__message="Signature has expired")] if status == 401 else []
    return node + ".log", [*refused, _opac(when, node, "INFO", "requête servie", http__request__method=call.method, url__path=call.own_path,
                                           http__response__status_code=status, duration_ms=round(took * 1000, 1),
                                           user_agent__original=http.TRAFFIC_AGENT, trace_id=f"{dice.getrandbits(128):032x}")]


def write_logs(system):
    logs = {name: [] for name in ("nginx/access.log", "nginx/error.log", "opac-1.log", "opac-2.log", "lecteurs.log", "jaquettes.log",
                                  "relances.log")}
    logs["docker-events.log"] = start_events()
    kinds, weights = zip(*WEIGHTS.items())
    for number, (when, dice) in enumerate(history.moments(5), 1):
        kind = dice.choices(kinds, weights)[0]
        call, node = system.calls[kind], "opac-1" if number % 3 else "opac-2"
        took = 0.87 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(180)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private" and dice.random() < 0.2:
            status = 401
        logs["nginx/access.log"].append(_edge_line(system, when, call, status, took, node, dice))
        name, lines = _service_lines(when, call, status, took, node, dice)
        logs[name] += lines
        if kind == "upload":
            logs["nginx/error.log"].append(
                f"{history.nginx_time(when)} [warn] 588#588: *{number} a client request body is buffered to a temporary file "
                f"{system.path('run/nginx/body')}/{number:010d}, client: 127.0.0.1, server: api.valmont.example, "
                f'request: "POST {call.path} HTTP/1.1", host: "127.0.0.1:{system.port["EDGE_PORT"]}"')
        if kind == "partner":
            logs["jaquettes.log"].append(f'time={history.iso_time(when)} level=INFO msg="requête" method=GET path=/v1/lot status=200 '
                                         f'dur={7 + dice.random():.1f}ms ua=valmont-opac/4.7')
        if kind == "write":
            logs["relances.log"] += _letter(when, dice)
        if dice.random() < 0.01:
            logs[node + ".log"].append(union_catalogue_warning(when, node))
    for name, lines in logs.items():
        history.write(system.path("journaux", name), lines)


def _letter(when, dice):
    task = uuid.UUID(int=dice.getrandbits(128), version=4)
    stamp = history.python_time(when)
    return [f"[{stamp}: INFO/MainProcess] Task relances.taches.confirmer[{task}] received",
            f"[{stamp}: INFO/ForkPoolWorker-1] Task relances.taches.confirmer[{task}] succeeded in {0.0003 + dice.random() / 1000:.6f}s: None"]


def start_events():
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - history.HISTORY_SECONDS))
    return [f"{stamp}.104730218Z network connect 4f2c9d (container=valmont, name=host, type=host)"]
