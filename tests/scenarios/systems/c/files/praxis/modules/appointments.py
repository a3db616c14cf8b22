"""Appointments, and the reminders that follow from them."""


class Appointments:
    def __init__(self, records):
        self.records = records

    def book(self, visit):
        wanted = visit.json()
        rows = self.records.rows("WITH made AS (INSERT INTO appointments (slot, card) VALUES (%s, %s) RETURNING id) "
                                 "INSERT INTO reminders (appointment) SELECT id FROM made RETURNING appointment",
                                 wanted["slot"], wanted.get("card", "desk"))
        return 201, {"appointment": rows[0][0]}

    def routes(self):
        return {"/appointments": {"POST": self.book}}
