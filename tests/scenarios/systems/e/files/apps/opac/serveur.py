# -*- coding: utf-8 -*-
"""Le catalogue en ligne. Usage : serveur.py --values FICHIER"""
import argparse
import os
import sys
import types

import redis
import yaml

import base
import bilans
import catalogue
import guichet
import journal
import reglages
import web


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--values")
    chemin = options.parse_args().values
    try:
        valeurs = reglages.charger(chemin)
        opac = types.SimpleNamespace(
            valeurs=valeurs, cle=reglages.secret("JETON_CLE"), jaquettes=os.environ["JAQUETTES_URL"],
            base=base.Base(os.environ["DATABASE_URL"], reglages.secret("DATABASE_PASSWORD"), valeurs["pool"]),
            tampon=redis.Redis.from_url(os.environ["REDIS_URL"], password=reglages.secret("REDIS_PASSWORD"), socket_connect_timeout=2,
                                        socket_timeout=2))
    except (OSError, KeyError, yaml.YAMLError, reglages.ReglageInvalide) as erreur:
        journal.ecrire("FATAL", "démarrage impossible", **journal.exception(erreur))
        sys.exit(1)
    routes = {}
    for module in (catalogue, guichet, bilans):
        routes.update(module.routes(opac))
    web.servir(int(os.environ["OPAC_PORT"]), routes)


main()
