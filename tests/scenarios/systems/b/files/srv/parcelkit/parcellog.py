"""One JSON object a line."""
import json
import logging
import time


class JsonLines(logging.Formatter):
    def format(self, record):
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
                "level": record.levelname.lower(), "logger": record.name, "msg": record.getMessage(),
                **getattr(record, "fields", {})}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class LogFmt(logging.Formatter):
    def format(self, record):
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        pairs = {"msg": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info:
            pairs["error"] = f"{record.exc_info[0].__name__}: {record.exc_info[1]}".strip()
        text = " ".join(f"{key}={json.dumps(str(value)) if ' ' in str(value) else value}" for key, value in pairs.items())
        return f"ts={when} level={record.levelname.lower()} {text}"


def begin(formatter):
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
