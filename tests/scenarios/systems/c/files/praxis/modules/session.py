"""Who somebody is, by insurance card and PIN."""
import os

from praxis import tokens
from praxis.web import Refusal


class Session:
    def __init__(self, records):
        self.records, self.key = records, os.environ["SESSION_KEY"]

    def enter(self, visit):
        given = visit.json()
        rows = self.records.rows("SELECT card FROM people WHERE card = %s AND pin = %s", given.get("card"), given.get("pin"))
        if not rows:
            raise Refusal(401, "card and PIN do not fit")
        return 200, {"token": tokens.issue(self.key, rows[0][0])}

    def routes(self):
        return {"/session": {"POST": self.enter}}
