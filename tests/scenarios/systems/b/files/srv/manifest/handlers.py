"""What the manifest service answers."""
import json
import logging
import os
import time
import urllib.request
import uuid

import parceltoken
from parcelweb import Problem

import day

log = logging.getLogger("manifest")
DRAFT_SECONDS = 900


class Handlers:
    def __init__(self, settings, ledger, scratch):
        self.settings, self.ledger, self.scratch = settings, ledger, scratch

    def health(self, request):
        return 200, {"up": True}

    def zones(self, request):
        return 200, self.settings["zones"]

    def shipments(self, request):
        rows = self.ledger.query("SELECT id, depot, leaves FROM shipments ORDER BY leaves LIMIT 40")
        return 200, [{"id": key, "depot": depot, "leaves": leaves.isoformat()} for key, depot, leaves in rows]

    def parcels(self, request):
        rows = self.ledger.query("SELECT id, depot, grams FROM parcels ORDER BY id LIMIT 60")
        return 200, [{"id": key, "depot": depot, "kg": grams / 1000} for key, depot, grams in rows]

    def draft(self, request):
        key = "draft:" + request.headers.get("X-Desk", "1")
        self.scratch.setex(key, DRAFT_SECONDS, json.dumps({"lines": []}))
        return 200, json.loads(self.scratch.get(key))

    def _customer(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Problem(401, "Log in first")
        try:
            return parceltoken.subject(self.settings["session"]["signing_key"], token)
        except parceltoken.BadToken as error:
            log.warning("token rejected: %s", error)
            raise Problem(401, "Token rejected") from error

    def bookings(self, request):
        rows = self.ledger.query("SELECT id, parcel FROM bookings WHERE customer = %s ORDER BY id DESC LIMIT 20", self._customer(request))
        return 200, [{"id": key, "parcel": parcel} for key, parcel in rows]

    def book(self, request):
        order = request.json()
        if order.get("kg", 0) > self.settings["limits"]["max_weight_kg"]:
            raise Problem(422, "Too heavy")
        row = self.ledger.query("INSERT INTO bookings (parcel, customer) VALUES (%s, 'counter') RETURNING id", order["parcel"])[0]
        self.scratch.lpush("labels:todo", row[0])
        self.scratch.ltrim("labels:todo", 0, 400)
        return 201, {"booking": row[0]}

    def quote(self, request):
        tariff = self.settings["tariff"]
        asked = urllib.request.Request(f"http://{tariff['host']}:{tariff['port']}/rates", headers={"User-Agent": "manifest/2.3"})
        with urllib.request.urlopen(asked, timeout=9) as answer:
            return 200, json.load(answer)

    def scan(self, request):
        target = os.path.join(self.settings["scans"], uuid.uuid4().hex + ".png")
        with open(target, "wb") as file:
            file.write(request.body)
        os.unlink(target)
        return 201, {"size": len(request.body)}

    def today(self, request):
        time.sleep(0.6)
        return 200, day.figures(self.ledger)

    def routes(self):
        return {"/health": {"GET": self.health}, "/zones": {"GET": self.zones}, "/shipments": {"GET": self.shipments},
                "/parcels": {"GET": self.parcels}, "/draft": {"GET": self.draft}, "/quote": {"GET": self.quote},
                "/bookings": {"GET": self.bookings, "POST": self.book}, "/scans": {"POST": self.scan},
                "/days/today": {"GET": self.today}}
