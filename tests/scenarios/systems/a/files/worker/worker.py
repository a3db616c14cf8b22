"""Writes receipts: takes rentals from the queue in Redis, looks them up, writes a file each. usage: worker.py SETTINGS"""
import json
import logging
import os
import sys
import time

import psycopg2
import redis

log = logging.getLogger("worker")


def write_receipt(settings, connection, key):
    with connection.cursor() as cursor:
        cursor.execute("SELECT bike, member FROM rentals WHERE id = %s", (key,))
        row = cursor.fetchone()
    connection.rollback()
    if row is None:
        return
    # One file a day and hour of the clock: old ones are overwritten.
    with open(os.path.join(settings["receipts"], f"receipt-{int(key) % 20}.txt"), "w", encoding="utf-8") as file:
        file.write(f"rental {key}: bike {row[0]}, member {row[1]}\n")
    log.info("receipt of rental %s written", key)


def main():
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    cache = redis.Redis.from_url(settings["queue"]["url"], socket_timeout=3, socket_connect_timeout=3)
    connection = None
    while True:
        try:
            if connection is None or connection.closed:
                connection = psycopg2.connect(settings["database"], connect_timeout=3)
            key = cache.rpop(settings["queue"]["name"])
            if key is None:
                time.sleep(settings["queue"]["pause_seconds"])
                continue
            write_receipt(settings, connection, int(key))
        except Exception:  # pylint: disable=broad-except
            log.exception("a receipt could not be written")
            if connection is not None:
                connection.close()
            time.sleep(1)


main()
