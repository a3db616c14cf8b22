"""The API of the LIMS. usage: program.py --urls http://HOST:PORT --configdir FOLDER"""
import argparse
import os
import sys

import clef
import configuration
import faults
import kestrel
from laboratory import Laboratory
from multiplexer import Multiplexer
from npgsql import DataSource
from paperwork import Paperwork


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--urls")
    options.add_argument("--configdir")
    options = options.parse_args()
    try:
        settings = configuration.load(options.configdir, os.path.dirname(os.path.abspath(__file__)))
        configuration.require_range(settings, "Orders", "MaxTubesPerOrder", 1, 60)
        configuration.require_range(settings, "Attachments", "MaxPages", 1, 200)
    except faults.DotnetError as error:
        # The log is set up by the settings.
        print(f"Unhandled exception. {faults.render(error)}", flush=True)
        sys.exit(134)
    clef.enrich(settings["Serilog"]["Properties"])
    database, cache = DataSource(settings["ConnectionStrings"]["Main"]), Multiplexer(settings["ConnectionStrings"]["Redis"])
    kestrel.serve(options.urls, {**Laboratory(settings, database, cache).routes(), **Paperwork(settings, database).routes()})


main()
