# -*- coding: utf-8 -*-
"""Ce que fait un lecteur : sélection, réservations, prêts, et les numérisations du personnel."""
import json
import os
import time
import uuid

import jetons
import journal
from web import Reponse

FILE_RELANCES = "celery"


def routes(opac):
    def selection(requete):
        cle = "selection:" + requete.entetes.get("X-Bibliotheque", "centre")
        opac.tampon.setex(cle, 900, json.dumps({"notices": [12, 40], "vue": int(time.time())}))
        return Reponse(200, json.loads(opac.tampon.get(cle)))

    def reserver(requete):
        voulu = requete.json()
        faite = opac.base.lignes("INSERT INTO reservations (notice) VALUES (%s) RETURNING id", voulu["notice"])[0]
        tache = {"id": str(uuid.uuid4()), "task": "relances.taches.confirmer", "args": [faite["id"]], "retries": 0}
        opac.tampon.lpush(FILE_RELANCES, json.dumps(tache))
        return Reponse(201, {"reservation": faite["id"], "max": opac.valeurs["prets"]["maxParLecteur"]})

    def prets(requete):
        try:
            carte = jetons.lecteur(requete.entetes.get("Authorization", ""), opac.cle)
        except jetons.JetonRefuse as refus:
            journal.ecrire("WARN", "jeton refusé", exception__type=refus.nom, exception__message=str(refus))
            return Reponse(401, {"erreur": "identification requise"})
        return Reponse(200, {"carte": carte, "prets": [], "jours": opac.valeurs["prets"]["jours"]})

    def numeriser(requete):
        chemin = os.path.join(opac.valeurs["stockage"]["numerisations"], f"{uuid.uuid4().hex}.tif")
        with open(chemin, "wb") as fichier:
            fichier.write(requete.corps)
        # L'archive départementale l'a déjà repris.
        os.unlink(chemin)
        return Reponse(201, {"octets": len(requete.corps)})

    return {("GET", "/selection"): selection, ("POST", "/reservations"): reserver, ("GET", "/prets"): prets,
            ("POST", "/numerisations"): numeriser}
