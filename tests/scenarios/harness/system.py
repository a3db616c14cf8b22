"""What all systems under test have in common: a folder, servers, programs under a supervisor, and ways to break them.

A system is described by its class (systems/*/system.py): names of its services, its calls, its settings (where a value
stands in which file) and its named edits. Scenarios speak of these, so that one scenario breaks every system."""
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass, field

from . import http, process
from .render import render_file, render_tree

SUPERVISE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs", "supervise.py")
PYTHON = "/usr/bin/python3"
FILES_ARE_OLD_DAYS = 3


@dataclass
class Call:
    """One thing that users do, by the gateway's path and by the backend's own."""
    path: str
    own_path: str
    method: str = "GET"
    body: bytes = None
    headers: dict = field(default_factory=dict)
    private: bool = False
    program: str = ""  # the program (or the first instance) that serves it; empty: the main backend


@dataclass
class Setting:
    """`pattern` has one group: the value. `{}` in `file` stands for the instance."""
    file: str
    pattern: str


class System:  # pylint: disable=too-many-public-methods
    letter = ""
    # Names of services and clients in the system model; None: this system has no such thing.
    gateway = api = twin = database = cache = worker = partner = client = None
    # The service whose file says which browser origins may call.
    cors_service = None
    # Supervised programs behind them.
    api_programs = ()
    twin_programs = ()
    worker_program = partner_program = ""
    supervisor_log, manager_output = "logs/supervisor.log", "logs/supervisor.out"
    # Folders worth a look after a scenario.
    kept = ("logs", "app", "omnix")
    calls = {}
    settings = {}
    edits = {}
    user = "www-data"

    def __init__(self, work, cache, ports):
        self.work, self.cache_folder, self.ports = work, cache, ports
        self.supervisor = self.nginx = self.redis = self.postgres = None
        self.repositories = []
        self.gateway_url = self.tls_url = self.system_file = self.specification = ""
        self.ca_file = None

    # What a system's class provides beside the names above.
    def prepare(self):
        """Writes all files and the history of logs and commits; chooses ports; makes the servers."""
        raise NotImplementedError

    def apply(self, files):
        """Makes changed files take effect, as whoever changed them would have done."""
        raise NotImplementedError

    def environment(self):
        """What a user would set for Omnix: passwords that the model names, the certificate authority."""
        return {}

    # The life of a system.
    def start(self):
        """Starts everything and returns when it serves."""
        self.postgres.start()
        self.redis.start()
        self.supervisor = process.spawn([PYTHON, SUPERVISE, "run", self.specification], self.path(self.manager_output), death_signal=15)
        self.nginx.start()
        self.postgres.wait_ready()
        self.redis.wait_ready()
        for instance in (*range(1, 1 + len(self.api_programs)), None):
            process.wait_until(lambda i=instance: self.call("static", i).status == 200, f"system {self.letter} serves", 20)
        process.wait_until(lambda: self.serves("read", "login", "partner"), f"system {self.letter} serves all", 20)

    def stop(self):
        servers = [each for each in (self.nginx, self.redis, self.postgres) if each is not None]
        for ended in servers:
            if ended.process is not None and ended.process.poll() is None:
                os.kill(ended.process.pid, signal.SIGCONT)
        process.end(self.supervisor)
        for ended in servers:
            ended.stop()

    def reload(self):
        return self.nginx.reload()

    def tls_answers(self):
        return http.request(self.tls_url, ca_file=self.ca_file)

    # Files.
    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def read(self, relative):
        with open(self.path(relative), encoding="utf-8") as file:
            return file.read()

    def write(self, relative, text):
        """Overwrites in place: owner and mode stay."""
        with open(self.path(relative), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(relative)

    def replace(self, relative, old, new):
        text = self.read(relative)
        if text.count(old) < 1:
            raise ValueError(f"{relative}: nothing to replace: {old!r}")
        return self.write(relative, text.replace(old, new))

    def edit(self, name):
        """Makes one of the system's named edits; returns the files that it changed."""
        return [self.replace(file, old, new) for file, old, new in self.edits[name]]

    def setting(self, key, instance=1):
        setting = self.settings[key]
        return re.search(setting.pattern, self.read(setting.file.format(instance))).group(1)

    def change(self, key, value, instances=None):
        """Gives a setting another value in the files of these instances (default: all); returns the files."""
        setting = self.settings[key]
        files = []
        numbers = instances or range(1, 1 + (len(self.api_programs) if "{}" in setting.file else 1))
        for number in numbers:
            relative = setting.file.format(number)
            text = self.read(relative)
            match = re.search(setting.pattern, text)
            if match is None:
                raise ValueError(f"{relative}: {key} is not there")
            files.append(self.write(relative, text[:match.start(1)] + str(value) + text[match.end(1):]))
        return files

    def render(self, source, values):
        render_tree(source, self.work, values)

    def age_files(self, folder):
        """Files of a system that has run for days are days old."""
        then = time.time() - FILES_ARE_OLD_DAYS * 86400
        for root, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name != ".git"]
            for name in files:
                os.utime(os.path.join(root, name), (then, then))

    def make_folders(self, owned, plain):
        for relative in (*owned, *plain):
            os.makedirs(self.path(relative), exist_ok=True)
        if process.is_root():
            for relative in owned:
                shutil.chown(self.path(relative), self.user, self.user)

    def chown_to(self, path, user):
        if process.is_root():
            shutil.chown(path, user, user)

    def record(self, files, message, author, minutes_ago):
        """Commits what changed in the repository that holds these files; returns the commit, or "" where none holds them."""
        for repository in self.repositories:
            if all(os.path.realpath(file).startswith(os.path.realpath(repository.folder) + os.sep) for file in files):
                return repository.commit(message, author, minutes_ago)
        return ""

    def change_twin(self, key, value):
        """Gives the setting another value at the twin alone; returns the files."""
        return self.change(f"twin_{key}", value) if f"twin_{key}" in self.settings else self.change(key, value, [2])

    # Programs.
    def supervise_argv(self, verb, *programs):
        return [PYTHON, SUPERVISE, verb, self.specification, *programs]

    def supervise(self, verb, *programs):
        process.check_output(self.supervise_argv(verb, *programs))

    def restart(self, *programs):
        self.supervise("restart", *programs)

    def pid(self, program):
        return int(self.read(f"run/{program}.pid"))

    def kill(self, program, sig):
        os.kill(self.pid(program), sig)

    def limit(self, program, key, value):
        """Changes a limit of a program in the supervisor's specification; returns the file."""
        raise NotImplementedError

    # Calls.
    def url(self, kind, instance=None):
        call = self.calls[kind]
        if instance is None:
            return self.gateway_url + call.path
        return self.instance_url(call, instance) + call.own_path

    def instance_url(self, call, instance):
        """Where an instance (1, 2, ...) of the service that serves the call listens."""
        raise NotImplementedError

    def call(self, kind, instance=None, token=None, **options):
        """One of the system's calls, by the gateway or straight at an instance."""
        call = self.calls[kind]
        headers = dict(call.headers)
        if call.private:
            headers["Authorization"] = f"Bearer {token or self.token()}"
        headers.update(options.pop("headers", {}))
        options.setdefault("body", call.body)
        if kind == "live":
            return http.upgrade(self.url(kind, instance), headers=headers, timeout=options.get("timeout", 2.5))
        return http.request(self.url(kind, instance), call.method, headers=headers, **options)

    def count_header(self, kind, name, headers):
        """How many lines of this header the answer has; a browser refuses some that come twice."""
        return sum(line[0] == name.lower() for line in self.call(kind, headers=headers).header_lines)

    def token(self, instance=None):
        answer = self.call("login", instance)
        return answer.json().get("token", "none") if answer.status == 200 else "none"

    def serves(self, *kinds):
        return all(0 < self.call(kind).status < 400 for kind in kinds)


__all__ = ["Call", "Setting", "System", "render_file"]
