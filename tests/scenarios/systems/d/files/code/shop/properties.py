"""Settings as the Java shop had them: .properties in layers, ${NAME:default} from the environment."""
import os
import re


class PropertiesError(Exception):
    pass


def _unescape(text, place):
    if re.search(r"\\u(?![0-9a-fA-F]{4})", text):
        raise PropertiesError(f"{place}: Malformed \\uxxxx encoding")
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match.group(1), 16)), text)


def _resolve(text, place):
    def value(match):
        name, colon, default = match.group(1).partition(":")
        if name not in os.environ and not colon:
            raise PropertiesError(f"{place}: Could not resolve placeholder '{name}'")
        return os.environ.get(name, default)
    return re.sub(r"\$\{([^}]*)\}", value, text)


def load(paths):
    """Later files win."""
    found = {}
    for path in paths:
        with open(path, encoding="latin-1") as file:
            for number, line in enumerate(file, 1):
                line = line.strip()
                if line and line[0] not in "#!":
                    key, _, value = line.partition("=")
                    found[key.strip()] = _resolve(_unescape(value.strip(), f"{path}:{number}"), f"{path}:{number}")
    return found


def number(settings, key, least, most):
    text = settings[key]
    if not text.isdigit() or not least <= int(text) <= most:
        raise PropertiesError(f"Failed to bind '{key}': {text} must be between {least} and {most}")
    return int(text)
