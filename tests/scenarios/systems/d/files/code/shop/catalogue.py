"""What is on, where, and for how much."""
import json
import urllib.request


class PricingError(Exception):
    status = 502


class Catalogue:
    def __init__(self, settings, pool):
        self.settings, self.pool = settings, pool

    def season(self, request):
        return 200, {"title": self.settings["season.title"], "begins": self.settings.get("season.begins")}

    def events(self, request):
        rows = self.pool.rows("SELECT id, title, venue, starts FROM events ORDER BY starts LIMIT 40")
        return 200, [{**row, "starts": row["starts"].isoformat()} for row in rows]

    def venues(self, request):
        rows = self.pool.rows("SELECT id, town, seats FROM venues ORDER BY id LIMIT 90")
        return 200, [{"id": row["id"], "town": row["town"], "seats": row["seats"]} for row in rows]

    def quote(self, request):
        url = self.settings["pricing.base-url"] + "/price"
        asked = urllib.request.Request(url, headers={"User-Agent": "footlight-shop/3"})
        try:
            with urllib.request.urlopen(asked, timeout=int(self.settings["pricing.read-timeout"]) / 1000) as answer:
                return 200, json.load(answer)
        except OSError as error:
            raise PricingError(f"request to {url} failed, reason: {error}") from error

    def routes(self):
        return {("GET", "/season"): self.season, ("GET", "/events"): self.events, ("GET", "/venues"): self.venues,
                ("GET", "/quote"): self.quote}
