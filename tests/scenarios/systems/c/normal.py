"""System C's past: one repository, commits by several people, and an hour of logs."""
import os
import time

from harness import history, http
from harness.repository import Repository

POSTGRES_SETTINGS = {"max_connections": 22, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%m [%p] %q%u@%d/%a '", "log_connections": "on", "autovacuum": "off"}

COMMITS = (
    (90400, "Henrike Vos", "praxis: doctors, slots, appointments", ("praxis", "bin", "README.md", "__gitignore")),
    (88100, "Tomasz Zielinski", "nginx before praxis", ("gateway",)),
    (71300, "Aiko Brandt", "The page for visitors", ("site",)),
    (52900, "Samir Haddad", "labs and courier", ("labs", "courier")),
    (52700, "Samir Haddad", "Settings into one place", ("conf",)),
    (33000, "Tomasz Zielinski", "From systemd to PM2", ("ecosystem.config.json",)),
)
AFTER = (
    (9200, "Henrike Vos", "README: who to call", "\nHenrike until six, then whoever has the pager.\n"),
    (4700, "Samir Haddad", "README: new staff", "\nStart with praxis/boot.py.\n"),
)
WEIGHTS = {"read": 26, "static": 22, "cache": 16, "private": 9, "write": 7, "upload": 4, "partner": 8, "slow": 2, "login": 6, "other": 12}


def write_files(system, source, values):
    """All files; returns the repository."""
    repository = Repository(system.path("clinic"))
    repository.create()
    repository.commit_parts(source, COMMITS, values)
    for minutes, author, message, more in AFTER:
        with open(system.path("clinic/README.md"), "a", encoding="utf-8") as readme:
            readme.write(more)
        repository.commit(message, author, minutes)
    return repository


def praxis_time(when):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1000):03d}"


def pager_warning(when):
    return (f"{praxis_time(when)} WARN   [pager] praxis.pager - text message not delivered, will be tried again\n"
            "praxis.pager.PagerBusy: 503 Service Unavailable from the provider\n"
            "\tat praxis.pager.send(pager.py:31)")


def _gateway_line(system, when, call, status, took, dice):
    port = system.port["LABS_PORT" if call.program else "PRAXIS_PORT"]
    return (f'127.0.0.1 - - [{history.clf_time(when)}] "{call.method} {call.path} HTTP/1.1" {status} {dice.randrange(70, 2100)} "-" '
            f'"{http.TRAFFIC_AGENT}" api.lindenhof.example rt={took:.3f} uct="0.000" urt="{took:.3f}" up="127.0.0.1:{port}"')


def write_logs(system):
    gateway, errors, praxis, labs, courier = [], [], [], [], []
    kinds, weights = zip(*WEIGHTS.items())
    for number, (when, dice) in enumerate(history.moments(3), 1):
        kind = dice.choices(kinds, weights)[0]
        call = system.calls[kind]
        took = 0.75 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(190)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private" and dice.random() < 0.2:
            status = 401
        gateway.append(_gateway_line(system, when, call, status, took, dice))
        stamp = history.syslog_time(when)
        if call.program:
            if status == 401:
                labs.append(f"{stamp} ward3 labs[811]: WARN session refused: no session")
            labs.append(f'{stamp} ward3 labs[811]: INFO "GET /results HTTP/1.1" {status} 1ms agent="{http.TRAFFIC_AGENT}"')
        else:
            praxis.append(f'{praxis_time(when)} INFO   [visit-{number}] praxis.access - "{call.method} {call.own_path} HTTP/1.1" {status} '
                          f'{took * 1000:.0f} ms agent="{http.TRAFFIC_AGENT}"')
        if kind == "upload":
            errors.append(f"{history.nginx_time(when)} [warn] 640#640: *{number} a client request body is buffered to a temporary file "
                          f"{system.path('run/nginx/body')}/{number:010d}, client: 127.0.0.1, server: api.lindenhof.example, "
                          'request: "POST /documents HTTP/1.1", host: "api.lindenhof.example"')
        if kind == "partner":
            labs.append(f'{stamp} ward3 labs[811]: INFO "GET /tests HTTP/1.1" 200 5ms agent="praxis/6"')
        if kind == "write":
            courier.append(f"{stamp} ward3 courier[812]: INFO reminder of appointment {dice.randrange(100, 900)} sent")
        if dice.random() < 0.01:
            praxis.append(pager_warning(when))
    for name, lines in (("nginx/access.log", gateway), ("nginx/error.log", errors), ("praxis.log", praxis), ("labs.log", labs),
                        ("courier.log", courier), ("pm2.log", pm2_lines())):
        history.write(system.path("log", name), lines)


def pm2_lines():
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - history.HISTORY_SECONDS))
    return [f"{stamp}: PM2 log: App [{name}:{number}] {what}" for number, name in enumerate(("praxis", "labs", "courier"))
            for what in ("starting in -fork mode-", "online")]
