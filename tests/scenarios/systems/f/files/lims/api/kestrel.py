"""HTTP: routes below /api/v2, the hub of results, health."""
import base64
import hashlib
import http.server
import json
import time

import clef
import faults

BASE, HUB = "/api/v2", "/hubs/results"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Kestrel", ""
    timeout = 130
    routes = {}

    def handle_any(self):
        begin = time.monotonic()
        path = self.path.partition("?")[0]
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == HUB:
            self.hub(begin)
            return
        status, content = self.outcome(path)
        text = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if content is not None:
            self.send_header("Content-Type", "application/json; charset=utf-8" if status < 400 else "application/problem+json; charset=utf-8")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
        self.report(status, begin)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = handle_any

    def outcome(self, path):
        if path == "/health":
            return 200, {"status": "Healthy"}
        known = path.removeprefix(BASE) if path.startswith(BASE + "/") else None
        if not any(known == each for _, each in self.routes):
            return 404, None
        serve = self.routes.get(("GET" if self.command == "HEAD" else self.command, known))
        if serve is None:
            return 405, None
        try:
            return serve(self)
        except ValueError:
            return 400, {"title": "One or more validation errors occurred.", "status": 400}
        except Exception as error:  # pylint: disable=broad-except
            status = getattr(error, "status", 500)
            clef.write("An unhandled exception has occurred while executing the request.", "Error", faults.render(error),
                       "Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware", RequestPath=path,
                       CorrelationId=self.headers.get("X-Correlation-Id"))
            return status, {"title": "An error occurred while processing your request.", "status": status}

    def json(self):
        return json.loads(self.body or b"{}")

    def hub(self, begin):
        if self.headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in self.headers.get("Connection", "").lower():
            self.send_response(400)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.report(400, begin)
            return
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + GUID).digest()).decode())
        self.end_headers()
        self.close_connection = True
        self.report(101, begin)
        while self.rfile.read1(4096):
            pass

    def report(self, status, begin):
        clef.write("HTTP {RequestMethod} {RequestPath} responded {StatusCode} in {Elapsed} ms", "Error" if status >= 500 else None,
                   source="Serilog.AspNetCore.RequestLoggingMiddleware", RequestMethod=self.command, RequestPath=self.path, StatusCode=status,
                   Elapsed=round((time.monotonic() - begin) * 1000, 4), UserAgent=self.headers.get("User-Agent"),
                   CorrelationId=self.headers.get("X-Correlation-Id"))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    complained = 0.0

    def get_request(self):
        try:
            return super().get_request()
        except OSError as error:
            # The loop is back at once; a line a second says it.
            if time.monotonic() - self.complained > 1:
                self.complained = time.monotonic()
                clef.write("The listening socket failed to accept a connection.", "Critical",
                           f"System.Net.Sockets.SocketException ({error.errno}): {error.strerror}\n"
                           "   at Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketConnectionListener.AcceptAsync()",
                           "Microsoft.AspNetCore.Server.Kestrel")
            raise


def serve(url, routes):
    host, port = url.removeprefix("http://").split(":")
    Handler.routes = routes
    server = Server((host, int(port)), Handler)
    clef.write("Now listening on: {address}", source="Microsoft.Hosting.Lifetime", address=url)
    server.serve_forever()
