# -*- coding: utf-8 -*-
"""HTTP sous /opac."""
import base64
import dataclasses
import hashlib
import http.server
import json
import time

import journal

RACINE = "/opac"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclasses.dataclass
class Reponse:
    statut: int
    contenu: object = None


@dataclasses.dataclass
class Requete:
    entetes: object
    corps: bytes

    def json(self):
        return json.loads(self.corps or b"{}")


class Guichet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "uvicorn", ""
    timeout = 65
    routes = {}

    def traiter(self):
        debut = time.monotonic()
        chemin = self.path.partition("?")[0]
        corps = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if chemin == RACINE + "/flux":
            self.flux(debut)
            return
        reponse = self.repondre(chemin, corps)
        texte = json.dumps(reponse.contenu, ensure_ascii=False).encode()
        self.send_response(reponse.statut)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(texte)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(texte)
        self.noter(reponse.statut, debut)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = traiter

    def repondre(self, chemin, corps):
        court = chemin.removeprefix(RACINE) if chemin.startswith(RACINE + "/") else None
        if court == "/etat":
            return Reponse(200, {"etat": "en service"})
        if not any(court == connu for _, connu in self.routes):
            return Reponse(404, {"detail": "Not Found"})
        servir = self.routes.get(("GET" if self.command == "HEAD" else self.command, court))
        if servir is None:
            return Reponse(405, {"detail": "Method Not Allowed"})
        try:
            return servir(Requete(self.headers, corps))
        except ValueError:
            return Reponse(422, {"detail": "corps illisible"})
        except Exception as erreur:  # pylint: disable=broad-except
            journal.ecrire("ERROR", f"échec de la requête {self.command} {chemin}", trace_id=self.headers.get("X-Request-Id"),
                           **journal.exception(erreur))
            return Reponse(500, {"detail": "Erreur interne"})

    def flux(self, debut):
        """Les retours en direct. Un client qui n'ouvre pas de WebSocket est prié de le faire."""
        jetons = self.headers.get("Connection", "").lower()
        if self.headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in jetons:
            self.send_response(426)
            self.send_header("Upgrade", "websocket")
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.noter(426, debut)
            return
        cle = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(cle + GUID).digest()).decode())
        self.end_headers()
        self.close_connection = True
        self.noter(101, debut)
        while self.rfile.read1(4096):
            pass

    def noter(self, statut, debut):
        journal.ecrire("INFO", "requête servie", http__request__method=self.command, url__path=self.path, http__response__status_code=statut,
                       duration_ms=round((time.monotonic() - debut) * 1000, 1), user_agent__original=self.headers.get("User-Agent", ""),
                       trace_id=self.headers.get("X-Request-Id"))

    def log_message(self, *_):
        pass


class Serveur(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    dernier = 0.0

    def get_request(self):
        try:
            return super().get_request()
        except OSError as erreur:
            # La boucle revient aussitôt : une ligne par seconde suffit.
            if time.monotonic() - self.dernier > 1:
                self.dernier = time.monotonic()
                journal.ecrire("ERROR", "socket.accept() out of system resource", **journal.exception(erreur))
            raise


def servir(port, routes):
    Guichet.routes = routes
    serveur = Serveur(("127.0.0.1", port), Guichet)
    journal.ecrire("INFO", f"à l'écoute sur http://127.0.0.1:{port}{RACINE}")
    serveur.serve_forever()
