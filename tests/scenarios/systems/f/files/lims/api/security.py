"""Bearer tokens that identity signs (HS256)."""
import base64
import hashlib
import hmac
import json
import time


class Refused(Exception):
    pass


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def subject(header, options):
    scheme, _, token = header.partition(" ")
    parts = token.split(".")
    if scheme != "Bearer" or len(parts) != 3:
        raise Refused("IDX12741: JWT must have three segments (JWS) or five segments (JWE).")
    wanted = hmac.new(options["SigningKey"].encode(), ".".join(parts[:2]).encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(wanted, _decode(parts[2])):
        raise Refused("IDX10503: Signature validation failed. Token does not have a kid. Keys tried: "
                      "'Microsoft.IdentityModel.Tokens.SymmetricSecurityKey'.")
    claims = json.loads(_decode(parts[1]))
    if claims["exp"] < time.time():
        expired = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime(claims["exp"]))
        raise Refused(f"IDX10223: Lifetime validation failed. The token is expired. ValidTo (UTC): '{expired}'.")
    return claims["sub"]
