# -*- coding: utf-8 -*-
"""Jetons (JWT, HS256) que le service des lecteurs signe."""
import base64
import hashlib
import hmac
import json
import time


class JetonRefuse(Exception):
    def __init__(self, nom, message):
        super().__init__(message)
        self.nom = f"jwt.exceptions.{nom}"


def _decoder(texte):
    return base64.urlsafe_b64decode(texte + "=" * (-len(texte) % 4))


def lecteur(entete, cle):
    """La carte du lecteur, d'après l'en-tête Authorization."""
    genre, _, jeton = entete.partition(" ")
    parts = jeton.split(".")
    if genre != "Bearer" or len(parts) != 3:
        raise JetonRefuse("DecodeError", "Not enough segments")
    attendu = hmac.new(cle.encode(), ".".join(parts[:2]).encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(attendu, _decoder(parts[2])):
        raise JetonRefuse("InvalidSignatureError", "Signature verification failed")
    contenu = json.loads(_decoder(parts[1]))
    if contenu["exp"] < time.time():
        raise JetonRefuse("ExpiredSignatureError", "Signature has expired")
    return contenu["sub"]
