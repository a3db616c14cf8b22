"""HTTP for the services: routes, CORS, errors as problem+json, one log line a request."""
import base64
import hashlib
import http.server
import json
import logging
import time

log = logging.getLogger("http")
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Problem(Exception):
    def __init__(self, status, title):
        super().__init__(title)
        self.status = status


class Request:
    def __init__(self, headers, body):
        self.headers, self.body = headers, body

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise Problem(400, "not JSON") from error


class Cors:
    def __init__(self, origins, headers):
        self.origins, self.allowed = origins, ", ".join(headers)

    def headers_for(self, origin):
        if origin not in self.origins:
            return {"Vary": "Origin"}
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Headers": self.allowed,
                "Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Access-Control-Max-Age": "600"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "parcelkit"
    timeout = 30
    routes, cors, socket_path = {}, Cors([], []), None

    def answer(self):
        begin = time.monotonic()
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == self.socket_path and self.headers.get("Upgrade", "").lower() == "websocket":
            self.talk()
            return
        status, content = self.outcome(path, Request(self.headers, body))
        self.write(status, content)
        log.info("request", extra={"fields": {
            "method": self.command, "path": self.path, "status": status, "ms": round((time.monotonic() - begin) * 1000),
            "peer": self.client_address[0], "agent": self.headers.get("User-Agent", "-")}})

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def outcome(self, path, request):
        methods = self.routes.get(path)
        if methods is None:
            return 404, {"title": "Not Found", "status": 404}
        if self.command == "OPTIONS":
            return 204, None
        handle = methods.get(self.command.replace("HEAD", "GET"))
        try:
            if handle is None:
                raise Problem(405, "Method Not Allowed")
            return handle(request)
        except Problem as problem:
            return problem.status, {"title": str(problem), "status": problem.status}
        except Exception:  # pylint: disable=broad-except
            log.exception("unhandled error", extra={"fields": {"method": self.command, "path": path}})
            return 500, {"title": "Internal Server Error", "status": 500}

    def write(self, status, content):
        text = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in self.cors.headers_for(self.headers.get("Origin")).items():
            self.send_header(name, value)
        if content is not None:
            self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def talk(self):
        """Accepts the socket; nothing that it says matters. Events would follow."""
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode())
        self.end_headers()
        self.close_connection = True
        log.info("socket", extra={"fields": {"method": "GET", "path": self.path, "status": 101,
                                             "agent": self.headers.get("User-Agent", "-")}})
        while self.rfile.read1(4096):
            pass

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def serve(host, port, routes, cors=None, socket_path=None):
    Handler.routes, Handler.cors, Handler.socket_path = routes, cors or Cors([], []), socket_path
    server = Server((host, port), Handler)
    log.info("ready", extra={"fields": {"listen": f"{host}:{port}"}})
    server.serve_forever()
