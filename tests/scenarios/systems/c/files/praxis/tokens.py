"""Session tokens: JWT, HS256."""
import base64
import hashlib
import hmac
import json
import time


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def issue(key, card, hours=10):
    head = _text(b'{"alg":"HS256","typ":"JWT"}')
    claims = _text(json.dumps({"sub": card, "iat": int(time.time()), "exp": int(time.time()) + 3600 * hours}).encode())
    seal = hmac.new(key.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    return f"{head}.{claims}.{_text(seal)}"
