"""Serilog's compact JSON, rendered."""
import json
import sys
import threading
import time
import zlib

_lock = threading.Lock()
_properties = {}


def enrich(properties):
    _properties.update(properties)


def write(template, level=None, exception=None, source="Lims.Api.Program", **values):
    now = time.time()
    event = {"@t": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e7):07d}Z",
             "@m": template.format(**values), "@i": f"{zlib.crc32(template.encode()):08x}"}
    if level:
        event["@l"] = level
    if exception:
        event["@x"] = exception
    event.update(values, SourceContext=source, **_properties)
    with _lock:
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
        sys.stdout.flush()
