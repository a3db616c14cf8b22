"""Rates of the carriers, asked and passed on. usage: tariffd.py SETTINGS"""
import sys
import time

import parcellog
import parcelweb


def read_settings(path):
    with open(path, encoding="utf-8") as file:
        return {key: int(value) for key, value in (line.split(":") for line in file if ":" in line)}


def rates(request):
    # The carriers' answer, which takes as long as it takes.
    time.sleep(read_settings(sys.argv[1])["carrier_delay_ms"] / 1000)
    return 200, {"rates": [{"carrier": "north", "price": 5.2}, {"carrier": "coast", "price": 6.1}]}


parcellog.begin(parcellog.LogFmt())
parcelweb.serve("127.0.0.1", read_settings(sys.argv[1])["listen_port"], {"/rates": {"GET": rates}})
