# -*- coding: utf-8 -*-
"""Comptes et sessions des lecteurs, repris du service Java avec ses réglages et son journal. Usage : lecteurs.py CONF"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time
from urllib.parse import urlsplit

import psycopg2

import hocon


def dire(niveau, classe, texte):
    maintenant = time.time()
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(maintenant)) + f".{int(maintenant % 1 * 1000):03d}Z"
    fil = threading.current_thread().name.replace("Thread-", "nio-exec-").partition(" ")[0]
    print(f"{date} {niveau:>5} {os.getpid()} --- [lecteurs] [{fil:>15.15}] {classe:<40.40} : {texte}", flush=True)


def _pile(erreur):
    texte = str(erreur).strip().splitlines()[0]
    cause = ""
    if "Connection refused" in texte:
        texte, cause = "Connection to 127.0.0.1 refused. Check that the hostname and port are correct.", "java.net.ConnectException: Connection refused"
    else:
        texte = texte[texte.index("FATAL"):] if "FATAL" in texte else texte
    lignes = [f"org.postgresql.util.PSQLException: {texte}",
              "\tat org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:346)",
              "\tat fr.valmont.lecteurs.Comptes.chercher(Comptes.java:41)",
              "\tat fr.valmont.lecteurs.SessionController.ouvrir(SessionController.java:29)"]
    if cause:
        lignes += [f"Caused by: {cause}", "\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)", "\t... 12 common frames omitted"]
    return "\n".join(lignes)


def _b64(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


class Comptes:
    def __init__(self, reglages):
        url = urlsplit(reglages["url"].removeprefix("jdbc:"))
        self.ou = {"host": url.hostname, "port": url.port, "dbname": url.path[1:], "user": reglages["utilisateur"],
                   "password": reglages["mot-de-passe"], "application_name": "lecteurs", "connect_timeout": 3}

    def chercher(self, carte, code):
        connexion = psycopg2.connect(**self.ou)
        try:
            with connexion, connexion.cursor() as curseur:
                curseur.execute("SELECT carte FROM abonnes WHERE carte = %s AND code = %s", (carte, code))
                return curseur.fetchone()
        finally:
            connexion.close()


class Session(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "", ""
    timeout = 65
    comptes, cle, duree = None, b"", 0

    def do_GET(self):
        debut = time.monotonic()
        connu = self.path.partition("?")[0] == "/actuator/health"
        self.rendre(*((200, {"status": "UP"}) if connu else (404, {"status": 404, "error": "Not Found", "path": self.path})), debut)

    def do_POST(self):
        debut = time.monotonic()
        corps = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/session":
            self.rendre(404, {"status": 404, "error": "Not Found", "path": self.path}, debut)
            return
        try:
            donne = json.loads(corps)
            trouve = self.comptes.chercher(donne.get("carte"), donne.get("code"))
        except ValueError:
            self.rendre(400, {"status": 400, "error": "Bad Request"}, debut)
            return
        except psycopg2.Error as erreur:
            dire("ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() for servlet [dispatcherServlet] threw exception\n\n"
                 + _pile(erreur))
            self.rendre(500, {"status": 500, "error": "Internal Server Error", "path": self.path}, debut)
            return
        if trouve is None:
            dire("WARN", "f.valmont.lecteurs.SessionController", f"Code refusé pour la carte {donne.get('carte')}")
            self.rendre(401, {"status": 401, "error": "Unauthorized"}, debut)
            return
        self.rendre(200, {"token": self.jeton(trouve[0]), "expire": self.duree}, debut)

    def jeton(self, carte):
        corps = _b64(b'{"alg":"HS256","typ":"JWT"}') + "." + _b64(json.dumps(
            {"sub": carte, "iss": "lecteurs.valmont", "exp": int(time.time()) + self.duree}).encode())
        return corps + "." + _b64(hmac.new(self.cle, corps.encode(), hashlib.sha256).digest())

    def rendre(self, statut, contenu, debut):
        texte = json.dumps(contenu).encode()
        self.send_response(statut)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(texte)))
        self.end_headers()
        self.wfile.write(texte)
        dire("INFO", "f.valmont.http.AccessLog", f'127.0.0.1 "{self.command} {self.path} HTTP/1.1" {statut} '
             f'{(time.monotonic() - debut) * 1000:.0f}ms "{self.headers.get("User-Agent", "-")}"')

    def log_message(self, *_):
        pass


def main(chemin):
    reglages = hocon.lire(chemin)["lecteurs"]
    Session.comptes = Comptes(reglages["base"])
    Session.duree = int(reglages["jeton"]["duree"].split()[0]) * 3600
    with open(reglages["jeton"]["cle-fichier"], encoding="utf-8") as fichier:
        Session.cle = fichier.read().strip().encode()
    serveur = http.server.ThreadingHTTPServer((reglages["http"]["interface"], int(reglages["http"]["port"])), Session)
    serveur.daemon_threads = True
    dire("INFO", "o.s.b.w.embedded.tomcat.TomcatWebServer", f"Tomcat started on port {reglages['http']['port']} (http) with context path '/'")
    serveur.serve_forever()


main(sys.argv[1])
