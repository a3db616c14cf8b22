"""A plain client: what a user of the system sees."""
import base64
import http.client
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# Tells the system's own traffic from that of the diagnosis in the access logs.
TRAFFIC_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"


@dataclass
class Answer:
    status: int = 0  # 0: no answer, see error
    error: str = ""
    headers: dict = field(default_factory=dict)
    header_lines: list = field(default_factory=list)  # (name in lower case, value), repeated ones too
    body: bytes = b""
    seconds: float = 0.0

    def json(self):
        return json.loads(self.body)


def request(url, method="GET", body=None, headers=None, timeout=2.5, ca_file=None):
    """One request, no redirect followed, no retry."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    begin = time.monotonic()
    connection = None
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
        all_headers = {"User-Agent": TRAFFIC_AGENT, "Connection": "close", **(headers or {})}
        connection.request(method, path, body=body, headers=all_headers)
        response = connection.getresponse()
        content = response.read(1 << 20)
        lines = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, "", dict(lines), lines, content, time.monotonic() - begin)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, f"{type(error).__name__}: {error}", seconds=time.monotonic() - begin)
    finally:
        if connection is not None:
            connection.close()


def upgrade(url, timeout=2.5, headers=None):
    """A WebSocket handshake; status 101 where it is accepted."""
    key = base64.b64encode(os.urandom(16)).decode()
    all_headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": key,
                   "Sec-WebSocket-Version": "13", "User-Agent": TRAFFIC_AGENT, **(headers or {})}
    parts = urlsplit(url)
    head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in all_headers.items()) + "\r\n"
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as connection:
            connection.sendall(head.encode())
            line = connection.makefile("rb").readline().decode("latin-1").split()
            return Answer(int(line[1]) if len(line) > 1 else 0)
    except (OSError, ValueError) as error:
        return Answer(0, str(error))
