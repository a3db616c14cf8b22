"""Baskets, orders and members."""
import base64
import hashlib
import hmac
import json
import time

from web import Problem


class Sales:
    def __init__(self, settings, pool, shelf):
        self.settings, self.pool, self.shelf = settings, pool, shelf

    def basket(self, request):
        key = "basket:" + request.headers.get("X-Sales-Channel", "none")
        return 200, json.loads(self.shelf.keep(key, int(self.settings["basket.minutes"]) * 60, '{"tickets":[]}'))

    def order(self, request):
        wanted = request.json()
        if wanted["tickets"] > int(self.settings["basket.max-tickets"]):
            raise Problem(422, "too many tickets")
        made = self.pool.rows("INSERT INTO orders (event, tickets) VALUES (%s, %s) RETURNING id", wanted["event"], wanted["tickets"])[0]
        self.shelf.enqueue({"order": made["id"], "tickets": wanted["tickets"]})
        return 201, made

    def mine(self, request):
        return 200, {"member": request.headers.get("X-Member"), "orders": []}

    def enter(self, request):
        given = request.json()
        rows = self.pool.rows("SELECT mail FROM members WHERE mail = %s AND word = %s", given.get("mail"), given.get("word"))
        if not rows:
            raise Problem(401, "unknown member")
        claims = base64.urlsafe_b64encode(json.dumps({"m": rows[0]["mail"], "until": int(time.time()) + 28800}).encode()).decode()
        seal = hmac.new(self.settings["session.hmac-key"].encode(), claims.encode(), hashlib.sha256).hexdigest()
        return 200, {"token": f"fl1.{claims}.{seal}"}

    def required(self, request):
        raise Problem(401, "Bitte anmelden")

    def routes(self):
        return {("GET", "/basket"): self.basket, ("POST", "/orders"): self.order, ("GET", "/orders/mine"): self.mine,
                ("POST", "/session"): self.enter, ("GET", "/session/required"): self.required}
