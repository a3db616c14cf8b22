# -*- coding: utf-8 -*-
"""Ce qu'il nous faut de HOCON : objets imbriqués, chaînes, nombres, ${?VARIABLE}, commentaires # et //."""
import os
import re

_JETONS = re.compile(r'\s*(?:(?:#|//)[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|\$\{\??[^}]*\}|[{}=:,]|[^\s{}=:,"#]+(?: [^\s{}=:,"#]+)*)')


class ErreurHocon(Exception):
    pass


def lire(chemin):
    with open(chemin, encoding="utf-8") as fichier:
        texte = fichier.read()
    jetons = _JETONS.findall(texte + "\n")
    valeurs, reste = _objet(jetons, 0)
    if reste != len(jetons):
        raise ErreurHocon(f"{chemin}: Expecting end of input but got '{jetons[reste]}'")
    return valeurs


def _objet(jetons, rang):
    valeurs = {}
    while rang < len(jetons) and jetons[rang] != "}":
        if jetons[rang] == ",":
            rang += 1
            continue
        cle = jetons[rang]
        rang += 1
        if jetons[rang] in "=:":
            rang += 1
        if jetons[rang] == "{":
            valeurs[cle], rang = _objet(jetons, rang + 1)
        else:
            valeur = _valeur(jetons[rang])
            if valeur is not None:
                valeurs[cle] = valeur
        rang += 1
    return valeurs, rang


def _valeur(jeton):
    if jeton.startswith("${?"):
        return os.environ.get(jeton[3:-1])
    return jeton.strip('"')
