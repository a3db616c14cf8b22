# -*- coding: utf-8 -*-
"""Ce que tout le monde peut voir : thèmes, notices, exemplaires, couvertures."""
import json
import urllib.request

from web import Reponse


class JaquettesInjoignables(Exception):
    nom = "httpx.ConnectError"


def routes(opac):
    def themes(_):
        return Reponse(200, {"themes": opac.valeurs["themes"], "amende": opac.valeurs["amendes"]["parJour"]})

    def notices(_):
        lignes = opac.base.lignes("SELECT id, titre, auteur FROM notices ORDER BY titre LIMIT 40")
        return Reponse(200, {"notices": lignes})

    def exemplaires(_):
        lignes = opac.base.lignes("SELECT id, notice, site FROM exemplaires ORDER BY id LIMIT 80")
        return Reponse(200, {"exemplaires": [{"code": f"V{ligne['id']:06d}", "site": ligne["site"]} for ligne in lignes]})

    def couvertures(_):
        url = opac.jaquettes + "/v1/lot"
        demande = urllib.request.Request(url, headers={"User-Agent": "valmont-opac/4.7"})
        try:
            with urllib.request.urlopen(demande, timeout=12) as reponse:
                return Reponse(200, json.load(reponse))
        except OSError as erreur:
            raison = getattr(erreur, "reason", erreur)
            raise JaquettesInjoignables(f"GET {url} : {raison}") from None

    return {("GET", "/themes"): themes, ("GET", "/notices"): notices, ("GET", "/exemplaires"): exemplaires,
            ("GET", "/couvertures"): couvertures}
