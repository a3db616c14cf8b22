"""HTTP and WebSocket for the routes of app.py: one thread a connection, one log line a request."""
import base64
import hashlib
import http.server
import json
import logging
import socketserver
import time

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
log = logging.getLogger("http")


class HttpError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "velo-backend"
    timeout = 30
    routes = {}

    def handle_any(self):
        begin = time.monotonic()
        path = self.path.split("?")[0]
        route = self.routes.get((self.command.replace("HEAD", "GET"), path))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/live" and "websocket" in self.headers.get("Upgrade", "").lower():
            self.serve_websocket()
            return
        try:
            if route is None:
                known = any(path == each for _, each in self.routes)
                raise HttpError(405 if known else 404, "method not allowed" if known else "no such resource")
            status, answer = route(self.headers, body)
        except HttpError as error:
            status, answer = error.status, {"error": str(error)}
        except Exception:  # pylint: disable=broad-except
            log.exception("%s %s failed", self.command, path)
            status, answer = 500, {"error": "internal error"}
        self.reply(status, answer)
        log.info('%s "%s %s" %d %.0fms agent="%s"', self.client_address[0], self.command, self.path, status,
                 (time.monotonic() - begin) * 1000, self.headers.get("User-Agent", "-"))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def reply(self, status, answer):
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def serve_websocket(self):
        key = self.headers.get("Sec-WebSocket-Key", "")
        accept = base64.b64encode(hashlib.sha1((key + WEBSOCKET_GUID).encode()).digest()).decode()
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        log.info('%s "GET %s" 101 agent="%s"', self.client_address[0], self.path, self.headers.get("User-Agent", "-"))
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 0x0F == 8:
                return
            length = int.from_bytes(self.rfile.read(2), "big") if head[1] & 0x7F == 126 else head[1] & 0x7F
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(length)))
            self.wfile.write(bytes([0x80 | head[0] & 0x0F, min(length, 125)]) + text[:125])

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


def serve(port, routes):
    Handler.routes = routes
    Server(("127.0.0.1", port), Handler).serve_forever()
