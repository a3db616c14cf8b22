# -*- coding: utf-8 -*-
"""Lettres aux lecteurs : prend les tâches de la file, une à une."""
import json
import os
import time

import redis

FILE, GARDEES = "celery", 25


def dire(niveau, qui, texte):
    maintenant = time.time()
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(maintenant)) + f",{int(maintenant % 1 * 1000):03d}"
    print(f"[{date}: {niveau}/{qui}] {texte}", flush=True)


def confirmer(reservation):
    chemin = os.path.join(os.environ["LETTRES"], f"{reservation % GARDEES:02d}.txt")
    with open(chemin, "w", encoding="utf-8") as fichier:
        fichier.write(f"Réservation {reservation} : nous vous écrirons dès son retour.\n")


def travailler(courtier):
    while True:
        pris = courtier.brpop(FILE, timeout=1)
        if pris is None:
            continue
        tache = json.loads(pris[1])
        debut = time.monotonic()
        dire("INFO", "MainProcess", f"Task {tache['task']}[{tache['id']}] received")
        confirmer(*tache["args"])
        dire("INFO", "ForkPoolWorker-1", f"Task {tache['task']}[{tache['id']}] succeeded in {time.monotonic() - debut:.6f}s: None")


def main():
    url, essais = os.environ["CELERY_BROKER_URL"], 0
    dire("INFO", "MainProcess", "relances@bib-prod-1 ready.")
    while True:
        try:
            travailler(redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=5))
        except (OSError, redis.RedisError) as erreur:
            essais += 1
            sans = url.replace(url.split(":")[2].split("@")[0], "**")
            dire("ERROR", "MainProcess", f"consumer: Cannot connect to {sans}: {erreur}.\nTrying again in 2.00 seconds... ({essais}/100)\n")
            time.sleep(2)


main()
