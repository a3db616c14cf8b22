# -*- coding: utf-8 -*-
"""Réglages : values.yaml, l'environnement, et les secrets dans des fichiers (NOM_FILE)."""
import os

import yaml


class ReglageInvalide(Exception):
    pass


def secret(nom):
    chemin = os.environ.get(nom + "_FILE")
    if chemin is None:
        raise ReglageInvalide(f"variable {nom}_FILE absente")
    with open(chemin, encoding="utf-8") as fichier:
        return fichier.read().strip()


def charger(chemin):
    with open(chemin, encoding="utf-8") as fichier:
        valeurs = yaml.safe_load(fichier)["opac"]
    borner(chemin, "opac.prets.maxParLecteur", valeurs["prets"]["maxParLecteur"], 1, 60)
    borner(chemin, "opac.pool.size", valeurs["pool"]["size"], 0, 50)
    return valeurs


def borner(chemin, cle, valeur, minimum, maximum):
    if not isinstance(valeur, int) or not minimum <= valeur <= maximum:
        raise ReglageInvalide(f"{chemin} : {cle} = {valeur!r} hors limites ({minimum} à {maximum})")
