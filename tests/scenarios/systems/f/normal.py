"""System F's past: /etc under git, the services and the web client in repositories of their own, and an hour of logs."""
import json
import os
import shutil
import time
import uuid
import zlib

from harness import history, http
from harness.repository import Repository

POSTGRES_SETTINGS = {"max_connections": 26, "superuser_reserved_connections": 3, "shared_buffers": "'16MB'",
                     "log_line_prefix": "'%m [%p] %q%u@%d %a '", "log_connections": "on", "autovacuum": "off"}

PLACES = {"etc": "etc", "lims": "opt/lims", "web": "src/lims-web"}
COMMITS = {
    "etc": ((97000, "Dana Okafor", "nginx of lab-prod-2", ("nginx",)),
            (96100, "Dana Okafor", "redis", ("redis",)),
            (47500, "Samir Haddad", "LIMS: units, settings", ("systemd", "lims"))),
    "lims": ((88200, "Ines Maurer", "api: off .NET, settings and logs stay", ("api", "README.md", "__gitignore")),
             (71900, "Jonas Lindqvist", "identity", ("identity",)),
             (46800, "Samir Haddad", "hl7bridge, labels", ("hl7bridge", "labels"))),
    "web": ((64000, "Mia Lindt", "Angular 17", ("package.json", "angular.json", "proxy.conf.json", "__gitignore")),
            (31700, "Mia Lindt", "Samples, orders, live results", ("src",))),
}
WEIGHTS = {"read": 26, "static": 22, "cache": 15, "private": 9, "write": 7, "upload": 4, "partner": 8, "slow": 2, "login": 6, "other": 12}
_RESPONDED = "HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed} ms"
_REFUSED = "Bearer was not authenticated. Failure message: {FailureMessage}"
_UNACKNOWLEDGED = "Analyzer {Analyzer} did not acknowledge batch, will be sent again in {Seconds} s"


def write_files(system, source, values):
    """All files; returns the repositories."""
    repositories = []
    for folder, commits in COMMITS.items():
        repository = Repository(system.path(PLACES[folder]))
        repository.create()
        repository.commit_parts(os.path.join(source, folder), commits, values)
        repositories.append(repository)
    shutil.copy(system.path("src/lims-web/src/index.html"), system.path("var/www/lims-web/index.html"))
    return repositories


def _clef(when, node, template, source, level=None, exception=None, **values):
    event = {"@t": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1e7):07d}Z",
             "@m": template.format(**values), "@i": f"{zlib.crc32(template.encode()):08x}"}
    event.update({"@l": level} if level else {}, **({"@x": exception} if exception else {}))
    return json.dumps({**event, **values, "SourceContext": source, "Application": "Lims.Api", "Node": node}, separators=(",", ":"))


def analyzer_warning(when, node="lims-api-1"):
    return _clef(when, node, _UNACKNOWLEDGED, "Lims.Api.Analyzers.AstmSender", "Warning",
                 "System.TimeoutException: No ENQ/ACK from AU5800-2 within 15 s.\n"
                 "   at Lims.Api.Analyzers.AstmSender.send() in /opt/lims/api/astm.py:line 88", Analyzer="AU5800-2", Seconds=120)


def _edge_line(system, when, request, call, status, took, node, dice):
    port = system.port["IDENTITY_PORT" if call.program else f"API_{node[-1]}_PORT"]
    return json.dumps({"t": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(when)), "ip": "127.0.0.1", "h": "127.0.0.1",
                       "r": f"{call.method} {call.path} HTTP/1.1", "s": status, "b": dice.randrange(80, 2400), "rt": round(took, 3),
                       "ua": http.TRAFFIC_AGENT, "up": f"127.0.0.1:{port}", "us": str(status), "uct": "0.000", "urt": f"{took:.3f}",
                       "rid": request}, separators=(",", ":"))


def _service_lines(when, request, call, status, took, node):
    if call.program:
        return "lims/identity.log", [f'127.0.0.1 - - [{history.clf_time(when)}] "POST /login HTTP/1.1" 200 214 "-" "{http.TRAFFIC_AGENT}"']
    lines = []
    if status == 401:
        expired = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(when - 900))
        lines.append(_clef(when, node, _REFUSED, "Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler",
                           FailureMessage=f"IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '{expired}'."))
    lines.append(_clef(when, node, _RESPONDED, "Serilog.AspNetCore.RequestLoggingMiddleware", RequestMethod=call.method,
                       RequestPath=call.own_path, StatusCode=status, Elapsed=round(took * 1000, 4), UserAgent=http.TRAFFIC_AGENT,
                       CorrelationId=request))
    return f"lims/{node}.clef", lines


def _label_lines(when, number, dice):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1000):03d}"
    return [f"{stamp} info: Meridian.Labels.Worker[201]",
            f"      Printed 2 labels of order {8000 + number} (job {uuid.UUID(int=dice.getrandbits(128), version=4)})"]


def write_logs(system):
    logs = {name: [] for name in ("nginx/access.json", "nginx/error.log", "lims/lims-api-1.clef", "lims/lims-api-2.clef", "lims/identity.log",
                                  "lims/hl7bridge.log", "lims/labels.log")}
    logs["journal.log"] = [f"{history.syslog_time(time.time() - history.HISTORY_SECONDS)} node-1 systemd[1]: Reached target Multi-User System."]
    kinds, weights = zip(*WEIGHTS.items())
    for number, (when, dice) in enumerate(history.moments(6), 1):
        kind = dice.choices(kinds, weights)[0]
        call, node, request = system.calls[kind], f"lims-api-{1 + number % 2}", f"{dice.getrandbits(128):032x}"
        took = 0.82 + dice.random() / 20 if kind == "slow" else 0.002 + dice.expovariate(185)
        status = 201 if call.method == "POST" and kind != "login" else 200
        if kind == "private" and dice.random() < 0.2:
            status = 401
        logs["nginx/access.json"].append(_edge_line(system, when, request, call, status, took, node, dice))
        name, lines = _service_lines(when, request, call, status, took, node)
        logs[name] += lines
        if kind == "upload":
            logs["nginx/error.log"].append(
                f"{history.nginx_time(when)} [warn] 571#571: *{number} a client request body is buffered to a temporary file "
                f"{system.path('run/nginx/body')}/{number:010d}, client: 127.0.0.1, server: api.meridian.example, "
                f'request: "POST {call.path} HTTP/1.1", host: "127.0.0.1:{system.port["EDGE_PORT"]}"')
        if kind == "partner":
            logs["lims/hl7bridge.log"].append(
                f'{{"level":"info","ts":{when:.6f},"caller":"api/server.go:71","msg":"request served","method":"GET","path":"/v1/pending",'
                f'"status":200,"latency":{0.006 + dice.random() / 1000:.6f},"user_agent":"lims-api/2.31"}}')
        if kind == "write":
            logs["lims/labels.log"] += _label_lines(when, number, dice)
        if dice.random() < 0.01:
            logs[f"lims/{node}.clef"].append(analyzer_warning(when, node))
    for name, lines in logs.items():
        history.write(system.path("var/log", name), lines)
