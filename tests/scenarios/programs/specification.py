"""A supervisor's specification as a dictionary: a JSON file of our own or as PM2 has it, a folder of units as systemd has them
beside manager.ini, or monit's control file."""
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
