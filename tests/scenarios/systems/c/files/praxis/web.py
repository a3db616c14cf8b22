"""HTTP: routes below /svc, CORS, one line of the log a request."""
import base64
import fnmatch
import hashlib
import http.server
import itertools
import json
import threading
import time

from praxis import journal

log = journal.get("praxis.web")
access = journal.get("praxis.access")
ROOT = "/svc"
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Refusal(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class VisitFailed(Exception):
    """A request that went wrong; the cause says why."""


class Cors:
    def __init__(self, allow, headers):
        self.allow, self.headers = allow, ", ".join(headers)

    def answer(self, origin):
        if not origin or not any(fnmatch.fnmatchcase(origin, pattern) for pattern in self.allow):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": self.headers,
                "Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Vary": "Origin"}


class Visit(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "praxis/6", ""
    timeout = 30
    routes, cors = {}, None

    def do_any(self):
        begin = time.monotonic()
        path = self.path.partition("?")[0]
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == ROOT + "/feed" and self.headers.get("Upgrade", "").lower() == "websocket":
            self.feed()
            return
        status, content = self.outcome(path)
        self.write(status, content)
        access.info(f'"{self.command} {self.path} HTTP/1.1" {status} {(time.monotonic() - begin) * 1000:.0f} ms '
                    f'agent="{self.headers.get("User-Agent", "-")}"')

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_any

    def outcome(self, path):
        if path == ROOT + "/ready":
            return 200, {"ready": True}
        methods = self.routes.get(path.removeprefix(ROOT)) if path.startswith(ROOT + "/") else None
        if methods is None:
            return 404, {"error": "unknown path"}
        if self.command == "OPTIONS":
            return 204, None
        method = "GET" if self.command == "HEAD" else self.command
        if method not in methods:
            return 405, {"error": "not this way"}
        try:
            return methods[method](self)
        except Refusal as refusal:
            return refusal.status, {"error": str(refusal)}
        except Exception as error:  # pylint: disable=broad-except
            failed = VisitFailed(f"{self.command} {path}")
            failed.__cause__ = error
            log.severe("visit failed", exc_info=failed)
            return 500, {"error": "something went wrong", "path": path}

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refusal(400, "not JSON") from error

    def write(self, status, content):
        text = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in self.cors.answer(self.headers.get("Origin")).items():
            self.send_header(name, value)
        if content is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def feed(self):
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode())
        self.end_headers()
        self.close_connection = True
        access.info(f'"GET {self.path} HTTP/1.1" 101 0 ms agent="{self.headers.get("User-Agent", "-")}"')
        while self.rfile.read1(4096):
            pass

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    numbers = itertools.count(1)
    complained = 0.0

    def get_request(self):
        try:
            return super().get_request()
        except OSError as error:
            # Once a second is enough: the next attempt follows at once.
            if time.monotonic() - self.complained > 1:
                self.complained = time.monotonic()
                log.severe("accept failed", exc_info=error)
            raise

    def process_request_thread(self, request, client_address):
        threading.current_thread().name = f"visit-{next(self.numbers)}"
        super().process_request_thread(request, client_address)


def serve(host, port, routes, cors):
    Visit.routes, Visit.cors = routes, cors
    server = Server((host, port), Visit)
    log.notice(f"praxis serves {len(routes)} paths at {host}:{port}")
    server.serve_forever()
