"""The laboratory's sidecar: results for those who show a session, and what can be analysed. usage: labs.py SETTINGS"""
import base64
import fnmatch
import hashlib
import hmac
import http.server
import json
import os
import sys
import time


def settings():
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def say(level, text):
    print(f"{time.strftime('%b %d %H:%M:%S', time.gmtime())} ward3 labs[{os.getpid()}]: {level} {text}", flush=True)


class SessionRejected(Exception):
    pass


def card_of(authorization, secret):
    if not authorization.startswith("Bearer "):
        raise SessionRejected("no session")
    signed, _, seal = authorization.removeprefix("Bearer ").rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    if not hmac.compare_digest(seal, expected):
        raise SessionRejected("JWT verification failed: signature does not match")
    claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    if claims["exp"] < time.time():
        raise SessionRejected("JWT verification failed: expired")
    return claims["sub"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    secret = ""

    def do_GET(self):
        begin = time.monotonic()
        status, content = self.outcome(self.path.partition("?")[0])
        self.write(status, content)
        say("INFO", f'"GET {self.path} HTTP/1.1" {status} {(time.monotonic() - begin) * 1000:.0f}ms '
            f'agent="{self.headers.get("User-Agent", "-")}"')

    def do_OPTIONS(self):
        self.write(200 if self.path.startswith("/results") else 404, {})

    def write(self, status, content):
        text = json.dumps(content).encode()
        self.send_response(status)
        origin, cors = self.headers.get("Origin", ""), settings()["cors"]
        if any(fnmatch.fnmatchcase(origin, pattern) for pattern in cors["origins"]):
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Headers", cors["headers"])
            self.send_header("Vary", "Origin")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def outcome(self, path):
        if path == "/alive":
            return 200, {"alive": "yes"}
        if path == "/tests":
            # The analyser is asked each time; how long it takes is not ours to say.
            time.sleep(settings()["analyser"]["pauseMs"] / 1000)
            return 200, {"tests": ["blood count", "iron", "thyroid"]}
        if path == "/results":
            try:
                return 200, {"card": card_of(self.headers.get("Authorization", ""), self.secret), "results": []}
            except SessionRejected as error:
                say("WARN", f"session refused: {error}")
                return 401, {"error": "session refused"}
        return 404, {"error": "unknown path"}

    def log_message(self, *_):
        pass


def main():
    Handler.secret = settings()["jwt"]["secret"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", settings()["port"]), Handler)
    server.daemon_threads = True
    say("NOTICE", f"serving at 127.0.0.1:{settings()['port']}")
    server.serve_forever()


main()
