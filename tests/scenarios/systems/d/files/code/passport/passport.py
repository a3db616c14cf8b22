"""Says to nginx who somebody is, at a Unix socket. usage: passport.py SETTINGS"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import socketserver
import sys
import time
import xml.etree.ElementTree


def say(level, text):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}"
    print(f"{level[0]}, [{stamp} #{os.getpid()}] {level:>5} -- : {text}", flush=True)


class Stranger(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    key, skew = b"", 0

    def do_GET(self):
        begin = time.monotonic()
        tag = f"[{self.headers.get('X-Request-Id', '-')}]"
        say("INFO", f'{tag} Started GET "{self.path}" for {self.headers.get("X-Original-Method", "GET")}')
        try:
            status, member = 200, self.member()
        except Stranger as stranger:
            say("WARN", f"{tag} Authentication failed: {stranger}")
            status, member = 401, None
        self.send_response(status)
        if member:
            self.send_header("X-Member", member)
        self.send_header("Content-Length", "0")
        self.end_headers()
        say("INFO", f"{tag} Completed {status} {self.responses[status][0]} in {(time.monotonic() - begin) * 1000:.1f}ms")

    def member(self):
        # A browser asks before it shows who it is.
        if self.headers.get("X-Original-Method") == "OPTIONS":
            return None
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        parts = token.split(".")
        if scheme != "Bearer" or len(parts) != 3:
            raise Stranger("no token")
        expected = hmac.new(self.key, parts[1].encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(parts[2], expected):
            raise Stranger("InvalidSignature (token was signed with another key)")
        claims = json.loads(base64.urlsafe_b64decode(parts[1]))
        if claims["until"] + self.skew < time.time():
            raise Stranger("ExpiredToken")
        return claims["m"]

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def main(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    Handler.key = root.find("signature").get("key").encode()
    Handler.skew = int(root.find("clock").get("skewSeconds"))
    place = root.find("listen").get("unix")
    if os.path.exists(place):
        os.unlink(place)
    server = Server(place, Handler)
    say("INFO", f"Listening on unix://{place}")
    server.serve_forever()


main(sys.argv[1])
