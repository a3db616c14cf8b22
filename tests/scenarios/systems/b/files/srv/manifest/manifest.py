"""The manifest service. usage: manifest.py SETTINGS"""
import sys
import tomllib

import parceldb
import parcellog
import parcelweb
import redis

from handlers import Handlers


def read_settings(path):
    with open(path, "rb") as file:
        settings = tomllib.load(file)
    weight = settings["limits"]["max_weight_kg"]
    if not 1 <= weight <= 70:
        raise SystemExit(f"{path}: limits.max_weight_kg must be between 1 and 70, got {weight}")
    return settings


def main():
    parcellog.begin(parcellog.JsonLines())
    settings = read_settings(sys.argv[1])
    ledger = dict(settings["postgres"])
    pool = ledger.pop("pool")
    connections = parceldb.Connections(pool["size"], pool["wait_seconds"], **ledger)
    scratch = redis.Redis(**settings["redis"], socket_timeout=3, socket_connect_timeout=3)
    host, port = settings["listen"].split(":")
    parcelweb.serve(host, int(port), Handlers(settings, connections, scratch).routes(), parcelweb.Cors(**settings["cors"]), "/ws/events")


main()
