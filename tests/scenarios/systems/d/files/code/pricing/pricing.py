"""Prices with fees. usage: pricing.py SETTINGS"""
import http.server
import json
import os
import re
import sys
import time
import urllib.request


def settings():
    """JSON with comments and commas at the end."""
    with open(sys.argv[1], encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/|(?<=[\s,{}])//[^\n]*", "", file.read(), flags=re.DOTALL)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


def say(letter, text):
    now = time.time()
    stamp = time.strftime("%m%d %H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}"
    print(f"{letter}{stamp} {os.getpid():7d} pricing.py:{sys._getframe(1).f_lineno}] {text}", flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        begin = time.monotonic()
        status, content = {"/price": self.price, "/healthz": self.healthz}.get(self.path.partition("?")[0], self.unknown)()
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        say("I", f'"HTTP" verb="GET" URI="{self.path}" latency="{(time.monotonic() - begin) * 1000:.3f}ms" '
            f'userAgent="{self.headers.get("User-Agent", "")}" resp={status}')

    def price(self):
        now = settings()
        time.sleep(now["engine"]["thinkMs"] / 1000)
        try:
            asked = urllib.request.Request(now["fees"]["endpoint"], headers={"User-Agent": "footlight-pricing"})
            with urllib.request.urlopen(asked, timeout=now["fees"]["timeoutMs"] / 1000) as answer:
                fees = json.load(answer)
        except OSError as error:
            say("E", f'"Failed to get fees" err="Get \\"{now["fees"]["endpoint"]}\\": {error}"')
            return 502, {"error": "no fees"}
        return 200, {kind: cents + fees["cents"] for kind, cents in now["cents"].items()}

    def healthz(self):
        return 200, {"ok": True}

    def unknown(self):
        return 404, {"error": "not found"}

    def log_message(self, *_):
        pass


def main():
    host, port = settings()["listen"].split(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    say("I", f'"Serving" addr="{host}:{port}"')
    server.serve_forever()


main()
