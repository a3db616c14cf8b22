"""Orders that hospitals sent as HL7. usage: hl7bridge.py -http.listen=HOST:PORT -config=FILE -log.format=json"""
import http.server
import json
import sys
import time
import tomllib


def flag(name):
    return next(each.partition("=")[2] for each in sys.argv[1:] if each.startswith(f"-{name}="))


def settings():
    with open(flag("config"), "rb") as file:
        return tomllib.load(file)


def log(level, caller, message, **fields):
    print(json.dumps({"level": level, "ts": round(time.time(), 6), "caller": caller, "msg": message, **fields}, separators=(",", ":")), flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self):
        begin = time.monotonic()
        status, content = {"/v1/pending": self.pending, "/healthz": self.healthz}.get(self.path.partition("?")[0], self.unknown)()
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        log("info", "api/server.go:71", "request served", method="GET", path=self.path, status=status,
            latency=round(time.monotonic() - begin, 6), user_agent=self.headers.get("User-Agent", ""))

    def pending(self):
        now = settings()
        time.sleep(now["source"]["pacing_ms"] / 1000)
        urgent, routine = now["mapping"]["urgent"][0], now["mapping"]["routine"][0]
        return 200, {"source": now["source"]["name"], "orders": [{"msh10": f"NG{number}", "priority": urgent if number % 3 else routine}
                                                                for number in (4411, 4412, 4420)]}

    def healthz(self):
        return 200, {"mllp": "connected"}

    def unknown(self):
        return 404, {"error": "not found"}

    def log_message(self, *_):
        pass


def main():
    host, port = flag("http.listen").split(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    log("info", "cmd/main.go:38", "serving", addr=f"{host}:{port}", source=settings()["source"]["name"])
    server.serve_forever()


main()
