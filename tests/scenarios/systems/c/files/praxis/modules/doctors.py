"""Doctors, rooms and their free time."""


class Doctors:
    def __init__(self, settings, records):
        self.settings, self.records = settings, records

    def opening_hours(self, visit):
        return 200, self.settings["opening_hours"]

    def doctors(self, visit):
        return 200, [{"id": key, "name": name} for key, name in self.records.rows("SELECT id, name FROM doctors ORDER BY name")]

    def slots(self, visit):
        rows = self.records.rows("SELECT id, doctor, begins FROM slots WHERE begins < now() + %s * interval '1 day' ORDER BY begins LIMIT 50",
                                 self.settings["booking"]["days_ahead"])
        return 200, [{"id": key, "doctor": doctor, "begins": begins.isoformat()} for key, doctor, begins in rows]

    def rooms(self, visit):
        rows = self.records.rows("SELECT id, floor, beds FROM rooms ORDER BY id LIMIT 80")
        return 200, [{"id": key, "floor": floor, "beds": beds} for key, floor, beds in rows]

    def routes(self):
        return {"/opening-hours": {"GET": self.opening_hours}, "/doctors": {"GET": self.doctors}, "/slots": {"GET": self.slots},
                "/rooms": {"GET": self.rooms}}
