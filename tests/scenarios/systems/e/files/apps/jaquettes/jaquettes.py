# -*- coding: utf-8 -*-
"""Couvertures des livres. Usage : jaquettes.py -config FICHIER"""
import http.server
import json
import sys
import time

import yaml


def config():
    with open(sys.argv[2], encoding="utf-8") as fichier:
        return yaml.safe_load(fichier)


def dire(niveau, message, **champs):
    maintenant = time.time()
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(maintenant)) + f".{int(maintenant % 1 * 1000):03d}Z"
    suite = "".join(f" {nom}={json.dumps(valeur, ensure_ascii=False) if ' ' in str(valeur) else valeur}" for nom, valeur in champs.items())
    print(f'time={date} level={niveau} msg="{message}"{suite}', flush=True)


class Lot(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self):
        debut = time.monotonic()
        statut, contenu = {"/v1/lot": self.lot, "/livez": self.livez}.get(self.path.partition("?")[0], self.inconnu)()
        texte = json.dumps(contenu).encode()
        self.send_response(statut)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(texte)))
        self.end_headers()
        self.wfile.write(texte)
        dire("INFO", "requête", method="GET", path=self.path, status=statut, dur=f"{(time.monotonic() - debut) * 1000:.1f}ms",
             ua=self.headers.get("User-Agent", "-"))

    def lot(self):
        reglages = config()
        time.sleep(reglages["fournisseur"]["delai_ms"] / 1000)
        return 200, {"couvertures": [f"{reglages['images']['racine']}/{numero}.webp" for numero in (12, 40, 77)]}

    def livez(self):
        return 200, "ok"

    def inconnu(self):
        return 404, "404 page not found"

    def log_message(self, *_):
        pass


def main():
    hote, port = config()["listen"].split(":")
    serveur = http.server.ThreadingHTTPServer((hote, int(port)), Lot)
    serveur.daemon_threads = True
    dire("INFO", "jaquettes en service", addr=f"{hote}:{port}")
    serveur.serve_forever()


main()
