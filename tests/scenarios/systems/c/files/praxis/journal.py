"""The log as the hospital's collector wants it: levels and traces in the manner of Java."""
import logging
import os
import time
import traceback

NOTICE, SEVERE = 25, 40
logging.addLevelName(NOTICE, "NOTICE")
logging.addLevelName(SEVERE, "SEVERE")
logging.addLevelName(logging.WARNING, "WARN")


def _frames(error):
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = frame.filename.split(os.sep)
        package = ".".join(parts[parts.index("praxis"):-1] if "praxis" in parts[:-1] else parts[-2:-1])
        module = parts[-1].removesuffix(".py")
        yield f"\tat {package}.{module}.{frame.name}({parts[-1]}:{frame.lineno})"


def _name(error):
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def trace(error):
    lines, prefix = [], ""
    while error is not None:
        lines.append(f"{prefix}{_name(error)}: {str(error).strip()}")
        lines += _frames(error)
        prefix, error = "Caused by: ", error.__cause__
    return "\n".join(lines)


class Formatter(logging.Formatter):
    def formatException(self, ei):
        return trace(ei[1])

    def formatTime(self, record, datefmt=None):
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}"


class Logger(logging.Logger):
    def severe(self, text, **options):
        self.log(SEVERE, text, **options)

    def notice(self, text, **options):
        self.log(NOTICE, text, **options)


logging.setLoggerClass(Logger)


def get(name):
    return logging.getLogger(name)


def begin():
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(asctime)s %(levelname)-6s [%(threadName)s] %(name)s - %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
