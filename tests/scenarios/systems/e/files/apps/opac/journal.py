# -*- coding: utf-8 -*-
"""Journal en JSON, une ligne par évènement, tel que le collecteur l'attend."""
import json
import os
import sys
import threading
import time
import traceback

_verrou = threading.Lock()
_NUMEROS = {"INFO": 9, "WARN": 13, "ERROR": 17, "FATAL": 21}
_RESSOURCE = {"service.name": "opac", "service.version": "4.7.2", "service.instance.id": os.environ.get("OPAC_NOEUD", "?")}


def ecrire(gravite, message, **attributs):
    maintenant = time.time()
    ligne = {"@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(maintenant)) + f".{int(maintenant % 1 * 1000):03d}Z",
             "severity_text": gravite, "severity_number": _NUMEROS[gravite], "resource": _RESSOURCE, "msg": message}
    if attributs:
        ligne["attributes"] = {nom.replace("__", "."): valeur for nom, valeur in attributs.items()}
    with _verrou:
        sys.stdout.write(json.dumps(ligne, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def exception(erreur):
    """Attributs d'une exception, avec sa pile."""
    return {"exception__type": getattr(erreur, "nom", f"{type(erreur).__module__}.{type(erreur).__name__}".removeprefix("builtins.")),
            "exception__message": str(erreur).strip(),
            "exception__stacktrace": "".join(traceback.format_exception(type(erreur), erreur, erreur.__traceback__))}
