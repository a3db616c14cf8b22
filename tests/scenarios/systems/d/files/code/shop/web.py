"""HTTP below the context path."""
import base64
import hashlib
import http.server
import json
import time

import pino

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Problem(Exception):
    def __init__(self, status, title):
        super().__init__(title)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "shop", ""
    timeout = 30
    root, routes, origins, allowed_headers = "", {}, [], ""

    def do_any(self):
        begin = time.monotonic()
        path = self.path.partition("?")[0]
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == self.root + "/live" and self.headers.get("Upgrade", "").lower() == "websocket":
            self.live()
            return
        status, content = self.outcome(path)
        self.answer(status, content)
        self.report(status, begin)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_any

    def outcome(self, path):
        known = path.removeprefix(self.root) if path.startswith(self.root + "/") else None
        if known == "/health":
            return 200, {"status": "UP"}
        if not any(known == each for _, each in self.routes):
            return 404, {"title": "Not Found", "status": 404, "instance": path}
        if self.command == "OPTIONS":
            return 204, None
        serve = self.routes.get(("GET" if self.command == "HEAD" else self.command, known))
        if serve is None:
            return 405, {"title": "Method Not Allowed", "status": 405, "instance": path}
        try:
            return serve(self)
        except Problem as problem:
            return problem.status, {"title": str(problem), "status": problem.status, "instance": path}
        except Exception as error:  # pylint: disable=broad-except
            status = getattr(error, "status", 500)
            pino.line(pino.ERROR, "request errored", reqId=self.headers.get("X-Request-Id"), req={"method": self.command, "url": self.path},
                      err=pino.serialize(error))
            return status, {"title": "Internal Server Error" if status == 500 else "Bad Gateway", "status": status, "instance": path}

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise Problem(400, "not JSON") from error

    def answer(self, status, content):
        text = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        origin = self.headers.get("Origin")
        if origin in self.origins:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Headers", self.allowed_headers)
            self.send_header("Access-Control-Allow-Methods", "GET,HEAD,POST")
            self.send_header("Vary", "Origin")
        if status != 204:
            self.send_header("Content-Type", "application/json" if status < 400 else "application/problem+json")
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def live(self):
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + GUID).digest()).decode())
        self.end_headers()
        self.close_connection = True
        self.report(101, time.monotonic())
        while self.rfile.read1(4096):
            pass

    def report(self, status, begin):
        pino.line(pino.INFO, "request completed", reqId=self.headers.get("X-Request-Id"),
                  req={"method": self.command, "url": self.path, "headers": {"user-agent": self.headers.get("User-Agent")}},
                  res={"statusCode": status}, responseTime=round((time.monotonic() - begin) * 1000))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    complained = 0.0

    def get_request(self):
        try:
            return super().get_request()
        except OSError as error:
            # The loop is here again at once; one line a second will do.
            if time.monotonic() - self.complained > 1:
                self.complained = time.monotonic()
                pino.line(pino.ERROR, "cannot accept connection", err=pino.serialize(error))
            raise


def serve(address, port, root, routes, origins, allowed_headers):
    Handler.root, Handler.routes, Handler.origins, Handler.allowed_headers = root, routes, origins, allowed_headers
    server = Server((address, port), Handler)
    pino.line(pino.INFO, f"Server listening at http://{address}:{port}{root}")
    server.serve_forever()
