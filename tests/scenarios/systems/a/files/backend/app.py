"""Backend of a bicycle rental. usage: app.py ENVIRONMENT_FILE"""
import json
import logging
import os
import sys
import time
import urllib.request
import uuid

import reports
import server
import stores
import tokens
from server import HttpError

log = logging.getLogger("app")


def read_environment(path):
    with open(path, encoding="utf-8") as file:
        pairs = (line.strip().split("=", 1) for line in file if "=" in line and not line.startswith("#"))
        return dict(pairs)


class App:
    def __init__(self, environment):
        self.environment = environment
        with open(environment["SETTINGS"], encoding="utf-8") as file:
            self.settings = json.load(file)
        if not 0 < int(self.settings["rental"]["max_minutes"]) <= 1440:
            raise ValueError(f"settings: rental.max_minutes is {self.settings['rental']['max_minutes']}, expected 1 to 1440")
        self.pool = stores.Pool(environment["DATABASE_URL"], int(environment["POOL_SIZE"]), 2)
        self.cache = stores.open_cache(environment["REDIS_URL"])

    def health(self, headers, body):
        return 200, {"status": "ok"}

    def stations(self, headers, body):
        return 200, {"stations": [{"id": key, "name": name} for key, name in self.pool.rows("SELECT id, name FROM stations ORDER BY id")]}

    def bikes(self, headers, body):
        rows = self.pool.rows("SELECT id, station, state FROM bikes ORDER BY id LIMIT 50")
        return 200, {"bikes": [dict(zip(("id", "station", "state"), row)) for row in rows]}

    def prices(self, headers, body):
        return 200, self.settings["prices"]

    def basket(self, headers, body):
        key = "basket:" + headers.get("X-Visitor", "anonymous")
        self.cache.incr(key + ":seen")
        self.cache.setex(key, 600, json.dumps({"bikes": []}))
        return 200, json.loads(self.cache.get(key))

    def login(self, headers, body):
        given = json.loads(body or b"{}")
        rows = self.pool.rows("SELECT name FROM members WHERE name = %s AND secret = %s", (given.get("member"), given.get("secret")))
        if not rows:
            raise HttpError(401, "wrong member or secret")
        return 200, {"token": tokens.issue(self.environment["TOKEN_SECRET"], rows[0][0])}

    def member(self, headers):
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise HttpError(401, "not logged in")
        try:
            return tokens.verify(self.environment["TOKEN_SECRET"], token)
        except tokens.TokenError as error:
            log.warning("token refused: %s", error)
            raise HttpError(401, str(error)) from error

    def rentals(self, headers, body):
        rows = self.pool.rows("SELECT id, bike FROM rentals WHERE member = %s ORDER BY id DESC LIMIT 20", (self.member(headers),))
        return 200, {"rentals": [{"id": key, "bike": bike} for key, bike in rows]}

    def rent(self, headers, body):
        given = json.loads(body or b"{}")
        if given.get("bike") is None:
            raise HttpError(422, "which bike?")
        row = self.pool.rows("INSERT INTO rentals (bike, member) VALUES (%s, 'guest') RETURNING id", (given["bike"],))[0]
        self.cache.lpush("receipts", row[0])
        self.cache.ltrim("receipts", 0, 500)
        return 201, {"rental": row[0]}

    def payment_methods(self, headers, body):
        request = urllib.request.Request(self.environment["PAYMENTS_URL"] + "/methods", headers={"User-Agent": "velo-backend"})
        with urllib.request.urlopen(request, timeout=8) as response:
            return 200, json.load(response)

    def photo(self, headers, body):
        path = os.path.join(self.environment["UPLOAD_DIR"], f"{uuid.uuid4().hex}.jpg")
        with open(path, "wb") as file:
            file.write(body)
        size = os.path.getsize(path)
        os.remove(path)
        return 201, {"bytes": size}

    def daily_report(self, headers, body):
        time.sleep(0.6)
        return 200, reports.daily(self.pool)

    def routes(self):
        return {("GET", "/health"): self.health, ("GET", "/stations"): self.stations, ("GET", "/bikes"): self.bikes,
                ("GET", "/prices"): self.prices, ("GET", "/basket"): self.basket, ("POST", "/login"): self.login,
                ("GET", "/rentals"): self.rentals, ("POST", "/rentals"): self.rent, ("POST", "/photos"): self.photo,
                ("GET", "/payment-methods"): self.payment_methods, ("GET", "/reports/daily"): self.daily_report}


def main():
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    environment = read_environment(sys.argv[1])
    app = App(environment)
    log.info("listening on %s, pool of %s connections", environment["PORT"], environment["POOL_SIZE"])
    server.serve(int(environment["PORT"]), app.routes())


main()
