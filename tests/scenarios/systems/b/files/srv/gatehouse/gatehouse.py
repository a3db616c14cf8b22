"""Logins. usage: gatehouse.py SETTINGS"""
import configparser
import sys

import parceldb
import parcellog
import parceltoken
import parcelweb


class Gatehouse:
    def __init__(self, settings):
        self.tokens = settings["tokens"]
        dsn = settings["database"]["dsn"]
        self.ledger = parceldb.Connections(3, 2, dsn=dsn)

    def about(self, request):
        return 200, {"service": "gatehouse", "token_minutes": self.tokens.getint("minutes")}

    def login(self, request):
        given = request.json()
        rows = self.ledger.query("SELECT name FROM accounts WHERE name = %s AND pass = %s", given.get("name"), given.get("pass"))
        if not rows:
            raise parcelweb.Problem(401, "Unknown name or password")
        return 200, {"token": parceltoken.issue(self.tokens["signing_key"], rows[0][0], self.tokens.getint("minutes"))}

    def routes(self):
        return {"/id/about": {"GET": self.about}, "/id/login": {"POST": self.login}}


def main():
    parcellog.begin(parcellog.LogFmt())
    settings = configparser.ConfigParser()
    settings.read(sys.argv[1])
    origins = [each.strip() for each in settings["cors"]["origins"].split(",")]
    parcelweb.serve(settings["http"]["host"], settings["http"].getint("port"), Gatehouse(settings).routes(),
                    parcelweb.Cors(origins, ["Authorization", "Content-Type"]))


main()
