"""A supervisor's specification as a dictionary: a JSON file of our own or as PM2 has it, a folder of units as systemd has them
beside manager.ini, monit's control file, or a compose file."""
import configparser
import glob
import json
import os
import re
import shlex


def read(path):
    if os.path.isdir(path):
        return _folder(path)
    if os.path.basename(path) == "monitrc":
        return _monit(path)
    if os.path.basename(path) == "compose.yaml":
        return _compose(path)
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    return _ecosystem(document) if "apps" in document else document


def _ecosystem(document):
    return {"style": "pm2", "log": document["log"], "run": document["home"], "socket": os.path.join(document["home"], "rpc.sock"),
            "programs": {app["name"]: _app(app) for app in document["apps"]}}


def _app(app):
    program = {"argv": [app["interpreter"], app["script"]], "user": app.get("uid"), "log": app["out_file"],
               "autostart": app.get("autorestart", True)}
    if "max_memory_restart" in app:
        program["max_rss_mb"] = int(app["max_memory_restart"].removesuffix("M"))
    return program


def _ini(path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    return parser


def _folder(path):
    manager = dict(_ini(os.path.join(path, "manager.ini"))["manager"])
    units = sorted(glob.glob(os.path.join(path, "*.service")))
    return {**manager, "style": "systemd",
            "programs": {os.path.basename(unit).removesuffix(".service"): _program(_ini(unit)) for unit in units}}


def _program(unit):
    service = unit["Service"]
    program = {"argv": shlex.split(service["ExecStart"]), "user": service.get("User"),
               "log": service["StandardOutput"].removeprefix("append:"), "autostart": unit.has_section("Install"),
               "env": dict(pair.split("=", 1) for pair in shlex.split(service.get("Environment", "")))}
    if "LimitNOFILE" in service:
        program["open_files"] = service.getint("LimitNOFILE")
    if "MemoryMax" in service:
        program["max_rss_mb"] = int(service["MemoryMax"].removesuffix("M"))
    return program


def _monit(path):
    with open(path, encoding="utf-8") as file:
        head, *checks = re.split(r"^check process ", file.read(), flags=re.MULTILINE)
    socket = re.search(r"unixsocket (\S+)", head).group(1)
    return {"style": "monit", "log": re.search(r"set log (\S+)", head).group(1), "run": os.path.dirname(socket), "socket": socket,
            "programs": {check.split()[0]: _check(check) for check in checks}}


def _check(text):
    start = re.search(r'start program = "(.*)" as uid "(.*)"', text)
    # The program's output goes where the start program sends it.
    program = {"argv": shlex.split(start.group(1)), "user": start.group(2), "log": os.devnull, "autostart": "mode manual" not in text}
    limit = re.search(r"if total memory > (\d+) MB", text)
    if limit:
        program["max_rss_mb"] = int(limit.group(1))
    return program


def _compose(path):
    import yaml  # only systems with such a file need it

    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    host = document["x-hote"]
    return {"style": "docker", "log": host["evenements"], "run": host["run"], "socket": os.path.join(host["run"], "docker.sock"),
            "programs": {name: _container(name, service, os.path.dirname(path), host["journaux"])
                         for name, service in document["services"].items()}}


def _container(name, service, folder, logs):
    environment = {}
    for file in service.get("env_file", []):
        with open(os.path.join(folder, file), encoding="utf-8") as lines:
            environment.update(line.strip().split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {"argv": service["command"], "user": service["user"], "log": os.path.join(logs, name + ".log"),
            "autostart": "profiles" not in service, "env": {**environment, **service.get("environment", {})},
            "open_files": service.get("ulimits", {}).get("nofile"), "max_rss_mb": int(service["mem_limit"].removesuffix("m")),
            "image": service["image"]}
