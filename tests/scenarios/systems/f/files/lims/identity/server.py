"""Accounts of staff, and their tokens. Settings are in the environment: PORT, PGURL, JWT_SIGNING_KEY, JWT_HOURS."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import time
from urllib.parse import urlsplit

import psycopg2

KEY, HOURS = os.environ["JWT_SIGNING_KEY"], int(os.environ["JWT_HOURS"])
DATABASE = urlsplit(os.environ["PGURL"])


def log(level, message, **more):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
    print(f"{stamp} {level}: {message} {json.dumps({'service': 'identity', **more})}", flush=True)


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(login):
    head = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(json.dumps(
        {"sub": login, "iss": "meridian-identity", "exp": int(time.time()) + HOURS * 3600}).encode())
    return head + "." + encode(hmac.new(KEY.encode(), head.encode(), hashlib.sha256).digest())


def node_error(error):
    """Name and text as node-postgres gives them."""
    text = (str(error).strip() or "Connection terminated unexpectedly").splitlines()[0]
    if "Connection refused" in text:
        return f"Error: connect ECONNREFUSED {DATABASE.hostname}:{DATABASE.port}"
    return "error: " + text.rpartition("FATAL:  ")[2]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "", ""
    timeout = 65

    def do_GET(self):
        self.answer(*((200, {"ok": True}) if self.path == "/healthz" else (404, {"message": f"Cannot GET {self.path}"})))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/login":
            self.answer(404, {"message": f"Cannot POST {self.path}"})
            return
        try:
            given = json.loads(body)
            login = self.find(given["login"], given["pin"])
        except (ValueError, KeyError):
            self.answer(400, {"message": "login and pin, please"})
            return
        except psycopg2.Error as error:
            text = node_error(error)
            log("error", "login failed", stack=f"{text}\n    at Client.connect (/app/node_modules/pg/lib/client.js:132:19)\n"
                "    at async Accounts.find (/app/src/accounts.js:17:18)\n    at async login (/app/src/routes.js:31:21)")
            self.answer(500, {"message": "Internal server error"})
            return
        if login is None:
            log("warn", "wrong pin", login=given["login"])
            self.answer(401, {"message": "Unauthorized"})
            return
        self.answer(200, {"token": sign(login), "hours": HOURS})

    @staticmethod
    def find(login, pin):
        connection = psycopg2.connect(host=DATABASE.hostname, port=DATABASE.port, dbname=DATABASE.path[1:], user=DATABASE.username,
                                      password=DATABASE.password, application_name="identity", connect_timeout=3)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT login FROM staff WHERE login = %s AND pin = %s", (login, pin))
                row = cursor.fetchone()
                return row and row[0]
        finally:
            connection.close()

    def answer(self, status, content):
        text = json.dumps(content, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        print(f'{self.client_address[0]} - - [{stamp}] "{self.requestline}" {status} {len(text)} "-" "{self.headers.get("User-Agent", "-")}"',
              flush=True)

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    server.daemon_threads = True
    log("info", f"listening on {os.environ['PORT']}")
    server.serve_forever()


main()
