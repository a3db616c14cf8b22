"""Puts the modules together. usage: python3 -m praxis.boot SETTINGS"""
import os
import re
import sys

import yaml

from praxis import journal, memo, records, web
from praxis.modules import appointments, documents, doctors, hold, laboratory, session, statistics

log = journal.get("praxis.boot")


def read_settings(path):
    """YAML; ${NAME} stands for a variable of the environment."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match.group(1)], file.read())
    settings = yaml.safe_load(text)
    days = settings["booking"]["days_ahead"]
    if not 1 <= days <= 365:
        raise ValueError(f"booking.days_ahead: {days} is not between 1 and 365")
    return settings


def main(path):
    journal.begin()
    try:
        settings = read_settings(path)
    except Exception as error:  # pylint: disable=broad-except
        log.severe(f"cannot read {path}, giving up", exc_info=error)
        sys.exit(78)
    store = records.Records(**settings["records"])
    cache = memo.connect(**settings["memo"])
    routes = {}
    for module in (doctors.Doctors(settings, store), appointments.Appointments(store), hold.Hold(cache),
                   session.Session(store), laboratory.Laboratory(settings["labs"]["url"]),
                   documents.Documents(settings["documents"]), statistics.Statistics(store)):
        routes.update(module.routes())
    host, port = os.environ["PRAXIS_BIND"].split(":")
    web.serve(host, int(port), routes, web.Cors(settings["cors"]["allow"], settings["cors"]["headers"]))


if __name__ == "__main__":
    main(sys.argv[1])
