"""The payment provider's gateway on this site. usage: payments.py SETTINGS"""
import http.server
import json
import logging
import sys
import time

log = logging.getLogger("payments")
METHODS = {"methods": ["card", "invoice"]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    settings_file = ""

    def do_GET(self):
        with open(self.settings_file, encoding="utf-8") as file:
            settings = json.load(file)
        # Answers of the provider itself are slow where its batch runs.
        time.sleep(settings["provider_delay_ms"] / 1000)
        known = self.path in ("/methods", "/status")
        text = json.dumps(METHODS if known else {"error": "unknown"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        log.info('"GET %s" %d agent="%s"', self.path, 200 if known else 404, self.headers.get("User-Agent", "-"))

    def log_message(self, *_):
        pass


def main():
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    Handler.settings_file = sys.argv[1]
    with open(sys.argv[1], encoding="utf-8") as file:
        port = json.load(file)["port"]
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


main()
