"""The day's figures."""


def daily(pool):
    rows = pool.rows("SELECT station, count(*) FROM bikes GROUP BY station ORDER BY station")
    # The report is laid out in memory before it is sent.
    sheet = bytearray(48 << 20)
    for station, count in rows:
        sheet[station] = min(count, 255)
    return {"stations": len(rows), "bikes": sum(count for _, count in rows), "pages": len(sheet) >> 12}
