"""Figures of a day."""


def figures(ledger):
    rows = ledger.query("SELECT depot, count(*), sum(grams) FROM parcels GROUP BY depot ORDER BY depot")
    # The sheet as it will be printed.
    page = bytearray(b" " * (50 << 20))
    for line, (depot, count, grams) in enumerate(rows):
        text = f"{depot:>6} {count:>8} {grams / 1000:>10.1f}\n".encode()
        page[line * 32:line * 32 + len(text)] = text
    return {"depots": len(rows), "parcels": sum(row[1] for row in rows), "sheets": len(page) // 65536}
