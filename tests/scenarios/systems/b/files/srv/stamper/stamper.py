"""Prints the labels of bookings that wait in the list. usage: stamper.py SETTINGS"""
import logging
import os
import sys
import time

import parcellog
import psycopg2
import redis

log = logging.getLogger("stamper")
WAIT_SECONDS = 1
LABELS_KEPT = 25


def read_settings(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.strip().split(": ", 1) for line in file if ": " in line and not line.startswith("#"))


def stamp(settings, ledger, key):
    with ledger, ledger.cursor() as cursor:
        cursor.execute("SELECT parcel, customer FROM bookings WHERE id = %s", (key,))
        found = cursor.fetchone()
    if found:
        with open(os.path.join(settings["folder"], f"{key % LABELS_KEPT:02d}.label"), "w", encoding="utf-8") as file:
            file.write(f"{key}\n{found[0]}\n{found[1]}\n")
        log.info("label printed", extra={"fields": {"booking": key}})


def main():
    parcellog.begin(parcellog.LogFmt())
    settings = read_settings(sys.argv[1])
    host, port = settings["redis"].split(":")
    scratch = redis.Redis(host, int(port), int(settings["redis_db"]), settings["redis_password"], socket_timeout=5, socket_connect_timeout=3)
    ledger = None
    while True:
        try:
            if ledger is None or ledger.closed:
                ledger = psycopg2.connect(settings["database"], connect_timeout=3)
            taken = scratch.brpop(settings["list"], WAIT_SECONDS)
            if taken:
                stamp(settings, ledger, int(taken[1]))
        except (OSError, psycopg2.Error, redis.RedisError):
            log.exception("no label printed")
            if ledger is not None:
                ledger.close()
            time.sleep(1)


main()
