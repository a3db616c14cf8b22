"""The table of the runner, the calibration, and the bars."""

FIRST_BAR, FIRST_THREE_BAR = 0.90, 0.97
MEDIAN_SECONDS_BAR, WORST_SECONDS_BAR = 5.0, 30.0
REQUESTS_BAR = 5.0
BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 1.01))
_ROW = "{:<24} {:<3} {:<8} {:<5} {:<5} {:<6} {:<6} {:>6} {:>5}  {}"


def head():
    return _ROW.format("scenario", "on", "detected", "first", "in 3", "remedy", "blame", "s", "req/s", "named first")


def _yes(value):
    return "yes" if value else "NO"


def row(mark):
    if "skipped" in mark:
        return _ROW.format(mark["scenario"], mark["system"], "skipped", "", "", "", "", "", "", mark["skipped"])
    if "error" in mark:
        return _ROW.format(mark["scenario"], mark["system"], "ERROR", "", "", "", "", "", "", mark["error"].replace("\n", " ")[-300:])
    if "shows" in mark:
        return _ROW.format(mark["scenario"], mark["system"], "shows", "", "", "", "", f"{mark['shows']:.1f}", "", mark["text"])
    named = mark["named"][0] if mark["named"] else "(nothing)"
    if not mark["first"]:
        named += "; wanted " + ", ".join(mark["truth"])
    return _ROW.format(mark["scenario"], mark["system"], _yes(mark["detected"]), _yes(mark["first"]), _yes(mark["first_three"]),
                       mark["remedy"], mark["blame"] or "-", f"{mark['seconds']:.1f}", f"{mark['requests_per_second']:.1f}", named)


def calibration(marks):
    lines = ["", "confidence of the first  scenarios  right"]
    for low, high in BINS:
        inside = [mark for mark in marks if low <= mark["confidence"] < high]
        if inside:
            right = sum(mark["first"] for mark in inside) / len(inside)
            lines.append(f"{low:.2f} to {min(high, 1):.2f}             {len(inside):>9}  {right:.2f}")
    return lines


def per_system(marks, median):
    """A line for each system, and what its busiest service got from the probes."""
    lines = ["", "system  runs  detected  first  in 3  remedy  decoy  wrong  median s  worst s  most requests/s"]
    for letter in sorted({mark["system"] for mark in marks}):
        some = [mark for mark in marks if mark["system"] == letter]
        count = lambda key: sum(bool(mark[key]) for mark in some)  # noqa: E731
        blamed = [mark["blame"] for mark in some]
        busiest = {}
        for mark in some:
            for service, requests in mark["requests"].items():
                busiest[service] = max(busiest.get(service, 0.0), requests / max(1.0, mark["seconds"]))
        seconds = [mark["seconds"] for mark in some]
        lines.append(f"{letter:<7} {len(some):>4} {count('detected'):>9} {count('first'):>6} {count('first_three'):>5} "
                     f"{sum(mark['remedy'] == 'ok' for mark in some):>7} {blamed.count('decoy'):>6} {blamed.count('wrong'):>6} "
                     f"{median(seconds):>9.1f} {max(seconds):>8.1f}  " + ", ".join(f"{name} {rate:.1f}" for name, rate in busiest.items()))
    return lines


def symptom_verdict(marks):
    """Prints how many faults show; 0 where all do."""
    shown, skipped = (sum(key in mark for mark in marks) for key in ("shows", "skipped"))
    print(f"\n{shown} of {len(marks) - skipped} faults show to a client; {skipped} skipped")
    return 0 if shown and shown + skipped == len(marks) else 1


def verdict(marks, median):
    """Prints the bars; 0 where all are met."""
    done = [mark for mark in marks if "first" in mark]
    errors = [mark for mark in marks if "error" in mark]
    if not done:
        print("no scenario was run")
        return 1
    print("\n".join(per_system(done, median) + calibration(done)))
    share = lambda key: sum(bool(mark[key]) for mark in done) / len(done)  # noqa: E731
    seconds = [mark["seconds"] for mark in done]
    decoys = sum(mark["blame"] == "decoy" for mark in done)
    remedies = [mark["remedy"] for mark in done if mark["remedy"] != "-"]
    bars = (
        (f"right cause first {share('first'):.2f} (at least {FIRST_BAR})", share("first") >= FIRST_BAR),
        (f"in the first three {share('first_three'):.2f} (at least {FIRST_THREE_BAR})", share("first_three") >= FIRST_THREE_BAR),
        (f"decoys blamed first {decoys} (none)", decoys == 0),
        (f"median {median(seconds):.1f} s (under {MEDIAN_SECONDS_BAR:g})", median(seconds) < MEDIAN_SECONDS_BAR),
        (f"worst {max(seconds):.1f} s (under {WORST_SECONDS_BAR:g})", max(seconds) < WORST_SECONDS_BAR),
        (f"requests to one service {max(mark['requests_per_second'] for mark in done):.1f}/s (under {REQUESTS_BAR:g})",
         max(mark["requests_per_second"] for mark in done) < REQUESTS_BAR),
        (f"errors {len(errors)} (none)", not errors),
    )
    print(f"\n{len(done)} runs; acceptable remedy where a right cause was named: {remedies.count('ok')} of {len(remedies)}")
    for text, met in bars:
        print(f"{'met    ' if met else 'NOT MET'} {text}")
    return 0 if all(met for _, met in bars) else 1
