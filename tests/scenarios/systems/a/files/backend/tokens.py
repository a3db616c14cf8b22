"""Signed tokens: who is logged in, since when, until when."""
import base64
import hashlib
import hmac
import json
import time

LEEWAY_SECONDS = 30
LIFETIME_SECONDS = 600


class TokenError(Exception):
    pass


def _sign(secret, text):
    return base64.urlsafe_b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest())


def issue(secret, user):
    now = int(time.time())
    text = base64.urlsafe_b64encode(json.dumps({"sub": user, "iat": now, "nbf": now, "exp": now + LIFETIME_SECONDS}).encode())
    return (text + b"." + _sign(secret, text)).decode()


def verify(secret, token):
    text, _, signature = token.encode().partition(b".")
    if not hmac.compare_digest(_sign(secret, text), signature):
        raise TokenError("signature verification failed")
    claims = json.loads(base64.urlsafe_b64decode(text))
    now = time.time()
    if claims["nbf"] > now + LEEWAY_SECONDS:
        raise TokenError("the token is not yet valid (nbf)")
    if claims["exp"] < now - LEEWAY_SECONDS:
        raise TokenError("the token has expired (exp)")
    return claims["sub"]
