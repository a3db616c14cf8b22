"""Tokens: HS256, the claims that every service needs."""
import base64
import hashlib
import hmac
import json
import time

HEAD = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")


class BadToken(Exception):
    pass


def _seal(key, text):
    return base64.urlsafe_b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest()).rstrip(b"=")


def issue(key, subject, minutes):
    claims = {"sub": subject, "exp": int(time.time()) + 60 * minutes}
    text = HEAD + b"." + base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return (text + b"." + _seal(key, text)).decode()


def subject(key, token):
    head, _, seal = token.encode().rpartition(b".")
    if not hmac.compare_digest(seal, _seal(key, head)):
        raise BadToken("invalid signature")
    claims = json.loads(base64.urlsafe_b64decode(head.split(b".")[1] + b"=="))
    if claims["exp"] < time.time():
        raise BadToken("expired")
    return claims["sub"]
