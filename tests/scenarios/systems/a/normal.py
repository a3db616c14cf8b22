"""System A's past: its commits and an hour of logs."""
import os

from harness import history, http
from harness.render import render_tree

POSTGRES_SETTINGS = {"max_connections": 20, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%m [%p] %q%u@%d '", "log_lock_waits": "on", "deadlock_timeout": "'1s'",
                     "log_connections": "on", "autovacuum": "off"}

COMMITS = (
    (57600, "Ines Maurer", "Add the API", ["backend", "__gitignore", "README.md"]),
    (54700, "Dana Okafor", "gateway: web site and API under one name", ["gateway"]),
    (47500, "Mia Lindt", "Show the stations", ["frontend"]),
    (30200, "Ines Maurer", "Write receipts in the background; ask payments for its methods", ["worker", "payments", "config"]),
)
AFTER = (
    (8700, "Dana Okafor", "Say who is on call", "README.md", "\n## On call\n\nDana, then Ines.\n"),
    (4300, "Ines Maurer", "Releases are on Thursdays", "README.md", "\nReleases: Thursdays before noon.\n"),
)

WEIGHTS = {"read": 30, "static": 25, "cache": 20, "private": 10, "write": 6, "upload": 3, "partner": 6, "slow": 2, "login": 4, "other": 14}


def write_commits(system, source, values):
    for minutes, author, message, parts in COMMITS:
        for part in parts:
            path = os.path.join(source, part)
            if os.path.isdir(path):
                render_tree(path, system.path("app", part), values)
            else:
                render_tree_file(path, system.path("app"), values)
        system.repositories[0].commit(message, author, minutes)
    for minutes, author, message, file, more in AFTER:
        with open(system.path("app", file), "a", encoding="utf-8") as target:
            target.write(more)
        system.repositories[0].commit(message, author, minutes)
    render_tree(os.path.join(source, "ops"), system.path("app/ops"), values)


def render_tree_file(path, target, values):
    from harness.render import render_file
    name = os.path.basename(path)
    render_file(path, os.path.join(target, "." + name[2:] if name.startswith("__") else name), values)


def write_logs(system):
    gateway, errors, backends = [], [], ([], [])
    payments, worker = [], []
    kinds, weights = zip(*WEIGHTS.items())
    for when, dice in history.moments(1):
        kind = dice.choices(kinds, weights)[0]
        call = system.calls[kind]
        instance = dice.randrange(2)
        port = system.port[f"BACKEND_{instance + 1}_PORT"]
        took = 0.6 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(200)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private" and dice.random() < 0.3:
            status = 401
        gateway.append(f'127.0.0.1 - - [{history.clf_time(when)}] "{call.method} {call.path} HTTP/1.1" {status} {dice.randrange(80, 900)} '
                       f'"-" "{http.TRAFFIC_AGENT}" rt={took:.3f} upstream=127.0.0.1:{port} ustatus={status}')
        backends[instance].append(f'{history.python_time(when)} INFO [http] 127.0.0.1 "{call.method} {call.own_path}" {status} '
                                  f'{took * 1000:.0f}ms agent="{http.TRAFFIC_AGENT}"')
        if kind == "partner":
            payments.append(f'{history.python_time(when)} INFO [payments] "GET /methods" 200 agent="velo-backend"')
        if kind == "write":
            worker.append(f"{history.python_time(when + 0.3)} INFO [worker] receipt of rental {dice.randrange(100, 900)} written")
        if dice.random() < 0.01:
            backends[instance].append(f"{history.python_time(when)} WARNING [push] notification service answered 503, will try again in 60 s")
        if dice.random() < 0.008:
            errors.append(f"{history.nginx_time(when)} [warn] 2114#2114: *{dice.randrange(9999)} a client request body is buffered to a "
                          f"temporary file {system.work}/run/nginx/body/00000000{dice.randrange(10, 99)}, client: 127.0.0.1, server: "
                          f'velo.example, request: "POST /api/v1/photos HTTP/1.1", host: "velo.example"')
        if dice.random() < 0.01:
            gateway.append(f'127.0.0.1 - - [{history.clf_time(when)}] "GET /favicon.ico HTTP/1.1" 404 153 "-" "{http.TRAFFIC_AGENT}" '
                           'rt=0.000 upstream=- ustatus=-')
    for name, lines in (("gateway-access", gateway), ("gateway-error", errors), ("backend-1", backends[0]), ("backend-2", backends[1]),
                        ("payments", payments), ("worker", worker)):
        history.write(system.path("logs", name + ".log"), lines)
    first = history.HISTORY_SECONDS
    history.write(system.path("logs/supervisor.log"), supervisor_lines(first))


def supervisor_lines(seconds):
    import time
    when = time.time() - seconds
    return [f"{history.python_time(when)} INFO spawned: '{name}' with pid {pid}\n{history.python_time(when + 1)} INFO success: {name} "
            "entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)"
            for pid, name in enumerate(("backend-1", "backend-2", "worker", "payments"), 2101)]
