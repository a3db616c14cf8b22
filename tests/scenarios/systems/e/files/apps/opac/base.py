# -*- coding: utf-8 -*-
"""PostgreSQL, par une URL de SQLAlchemy et une petite réserve de connexions."""
import contextlib
import queue
import re
from urllib.parse import parse_qs, urlsplit

import psycopg2

# Les noms que le pilote asynchrone donne à ce que dit le serveur.
_NOMS = (("password authentication failed", "asyncpg.exceptions.InvalidPasswordError"),
         ("too many clients", "asyncpg.exceptions.TooManyConnectionsError"),
         ("remaining connection slots", "asyncpg.exceptions.TooManyConnectionsError"),
         ("read-only transaction", "asyncpg.exceptions.ReadOnlySQLTransactionError"),
         ("does not exist", "asyncpg.exceptions.UndefinedColumnError"),
         ("starting up", "asyncpg.exceptions.CannotConnectNowError"),
         ("terminating connection", "asyncpg.exceptions.AdminShutdownError"))


class ErreurBase(Exception):
    def __init__(self, nom, message):
        super().__init__(message)
        self.nom = nom


class DelaiReserve(ErreurBase):
    def __init__(self, taille, delai):
        super().__init__("sqlalchemy.exc.TimeoutError", f"QueuePool limit of size {taille} overflow 0 reached, connection timed out, "
                         f"timeout {delai:.2f} (Background on this error at: https://sqlalche.me/e/20/3o7r)")


def _traduire(erreur, hote, port):
    texte = str(erreur).strip()
    if "Connection refused" in texte:
        return ErreurBase("builtins.ConnectionRefusedError", f"[Errno 111] Connect call failed ('{hote}', {port})")
    nom = next((nom for part, nom in _NOMS if part in texte), "asyncpg.exceptions.PostgresError")
    return ErreurBase(nom, re.sub(r"^.*?(FATAL|ERROR): +", "", texte.splitlines()[0]) if texte else type(erreur).__name__)


class Base:
    def __init__(self, url, mot_de_passe, reserve):
        parts = urlsplit(url.replace("+asyncpg", ""))
        self.ou = {"host": parts.hostname, "port": parts.port, "dbname": parts.path[1:], "user": parts.username, "password": mot_de_passe,
                   "application_name": parse_qs(parts.query)["application_name"][0], "connect_timeout": 3}
        self.taille, self.delai = reserve["size"], reserve["timeout"]
        self.libres = queue.LifoQueue()
        for _ in range(self.taille):
            self.libres.put(None)

    @contextlib.contextmanager
    def _connexion(self):
        try:
            connexion = self.libres.get(timeout=self.delai)
        except queue.Empty:
            raise DelaiReserve(self.taille, self.delai) from None
        try:
            if connexion is None or connexion.closed:
                connexion = None
                connexion = psycopg2.connect(**self.ou)
            with connexion:
                yield connexion
        except psycopg2.Error as erreur:
            if connexion is not None:
                connexion.close()
            connexion = None
            raise _traduire(erreur, self.ou["host"], self.ou["port"]) from None
        finally:
            self.libres.put(connexion)

    def lignes(self, texte, *valeurs):
        with self._connexion() as connexion, connexion.cursor() as curseur:
            curseur.execute(texte, valeurs)
            noms = [colonne.name for colonne in curseur.description]
            return [dict(zip(noms, ligne)) for ligne in curseur.fetchall()]
