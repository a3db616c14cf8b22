"""System D's past: code and operations in a repository each, and an hour of logs."""
import json
import os
import socket
import time

from harness import history, http
from harness.render import render_tree
from harness.repository import Repository

POSTGRES_SETTINGS = {"max_connections": 20, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%t [%p]: user=%u,db=%d,app=%a '", "log_connections": "on", "autovacuum": "off"}

COMMITS = {
    "code": ((80100, "Jonas Lindqvist", "shop: Python instead of Spring, the same properties", ("shop", "README.md", "__gitignore")),
             (74000, "Priya Raman", "pricing and fees", ("pricing", "fees")),
             (51300, "Jonas Lindqvist", "passport, printer", ("passport", "printer")),
             (30200, "Mia Lindt", "web: generated client", ("web",))),
    "ops": ((79900, "Dana Okafor", "nginx", ("nginx",)),
            (50800, "Dana Okafor", "Processes and settings of production", ("config", "Procfile", "monitrc", "run", "README.md"))),
}
WEIGHTS = {"read": 26, "static": 22, "cache": 15, "private": 9, "write": 7, "upload": 4, "partner": 8, "slow": 2, "login": 6, "other": 12}


def write_files(system, source, values):
    """All files; returns the repositories."""
    repositories = []
    for folder, commits in COMMITS.items():
        repository = Repository(system.path(folder))
        repository.create()
        repository.commit_parts(os.path.join(source, folder), commits, values)
        repositories.append(repository)
    render_tree(os.path.join(source, "etc"), system.path("etc"), values)
    return repositories


def _pino(when, level, text, **fields):
    return json.dumps({"level": level, "time": int(when * 1000), "pid": 702, "hostname": socket.gethostname(), "name": "shop", **fields,
                       "msg": text}, separators=(",", ":"))


def newsletter_warning(when):
    error = {"type": "FetchError", "message": "request to https://news.example/hooks/17 failed, reason: 429 Too Many Requests",
             "stack": "FetchError: request to https://news.example/hooks/17 failed, reason: 429 Too Many Requests\n"
                      "    at deliver (/srv/code/shop/newsletter.py:22:1)"}
    return _pino(when, 40, "newsletter hook failed, will retry", err=error)


def _ruby(when, level, text):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1e6):06d}"
    return f"{level[0]}, [{stamp} #703] {level:>5} -- : {text}"


def _check(when, request, status):
    word = "OK" if status == 200 else "Unauthorized"
    lines = [_ruby(when, "INFO", f'[{request}] Started GET "/check" for GET')]
    if status != 200:
        lines.append(_ruby(when, "WARN", f"[{request}] Authentication failed: ExpiredToken"))
    return [*lines, _ruby(when, "INFO", f"[{request}] Completed {status} {word} in 0.4ms")]


def _glog(when, text):
    return f"I{time.strftime('%m%d %H:%M:%S', time.gmtime(when))}.{int(when % 1 * 1e6):06d}     704 pricing.py:38] {text}"


def _gateway_line(system, when, request, call, status, took, dice):
    return (f'ts={when:.3f} id={request} client=127.0.0.1 server={system.port["EDGE_PORT"]} method={call.method} uri="{call.path}" '
            f'status={status} bytes={dice.randrange(60, 2300)} dur={took:.3f} up="127.0.0.1:{system.port["SHOP_PORT"]}" '
            f'up_status="{status}" up_dur="{took:.3f}" ua="{http.TRAFFIC_AGENT}"')


def write_logs(system):
    logs = {name: [] for name in ("front/access.kv", "front/error.log", "shop.log", "passport.log", "pricing.log", "fees.log",
                                  "printer.log")}
    logs["monit.log"] = monit_lines()
    kinds, weights = zip(*WEIGHTS.items())
    for number, (when, dice) in enumerate(history.moments(4), 1):
        kind = dice.choices(kinds, weights)[0]
        call, request = system.calls[kind], f"{dice.getrandbits(128):032x}"
        took = 0.8 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(190)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private":
            status = 401 if dice.random() < 0.2 else 200
            logs["passport.log"] += _check(when, request, status)
        logs["front/access.kv"].append(_gateway_line(system, when, request, call, status, took, dice))
        path = "/api/v1/session/required" if status == 401 else call.own_path
        logs["shop.log"].append(_pino(when, 30, "request completed", reqId=request,
                                      req={"method": call.method, "url": path, "headers": {"user-agent": http.TRAFFIC_AGENT}},
                                      res={"statusCode": status}, responseTime=round(took * 1000)))
        if kind == "upload":
            logs["front/error.log"].append(
                f"{history.nginx_time(when)} [warn] 640#640: *{number} a client request body is buffered to a temporary file "
                f"{system.path('run/nginx/body')}/{number:010d}, client: 127.0.0.1, server: , request: \"POST {call.path} HTTP/1.1\", "
                f"host: \"127.0.0.1:{system.port['EDGE_PORT']}\"")
        if kind == "partner":
            logs["pricing.log"].append(_glog(when, '"HTTP" verb="GET" URI="/price" latency="8.114ms" '
                                             'userAgent="footlight-shop/3" resp=200'))
            logs["fees.log"].append(f'127.0.0.1 - - [{time.strftime("%d/%b/%Y %H:%M:%S", time.gmtime(when))}] "GET /fees HTTP/1.1" 200 -')
        if kind == "write":
            logs["printer.log"].append(f"{history.iso_time(when)} pid=706 tid=main class=PrintTickets jid={int(when * 1000)}-0 INFO: "
                                       "done: 0.002 sec")
        if dice.random() < 0.01:
            logs["shop.log"].append(newsletter_warning(when))
    for name, lines in logs.items():
        path = system.path("log", name)
        history.write(path, lines)
        if "/" not in name:
            # The programs write for themselves, not as root.
            system.chown_to(path, system.user)


def monit_lines():
    stamp = time.strftime("[%Y-%m-%dT%H:%M:%S+0000]", time.gmtime(time.time() - history.HISTORY_SECONDS))
    return [f"{stamp} info     : '{socket.gethostname()}' Monit 5.33.0 started"]
