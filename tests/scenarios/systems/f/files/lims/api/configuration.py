"""appsettings.json, appsettings.{Environment}.json and the environment (Section__Key), later ones over earlier ones."""
import json
import os
import re

from faults import DotnetError


def _read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # Comments on lines of their own and commas at the end are allowed.
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    try:
        return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))
    except json.JSONDecodeError as error:
        inner = DotnetError("System.Text.Json.JsonReaderException",
                            f"'{text[error.pos]}' is invalid after a value. Expected either ',', '}}', or ']'. "
                            f"LineNumber: {error.lineno - 1} | BytePositionInLine: {error.colno - 1}.")
        raise DotnetError("System.IO.InvalidDataException", f"Failed to load configuration from file '{path}'.",
                          DotnetError("System.FormatException", "Could not parse the JSON file.", inner)) from None


def _merge(lower, upper):
    for key, value in upper.items():
        if isinstance(value, dict) and isinstance(lower.get(key), dict):
            _merge(lower[key], value)
        else:
            lower[key] = value
    return lower


def load(folder, content_root):
    settings = _read(os.path.join(content_root, "appsettings.json"))
    _merge(settings, _read(os.path.join(folder, f"appsettings.{os.environ.get('DOTNET_ENVIRONMENT', 'Development')}.json")))
    for name, value in os.environ.items():
        *sections, key = name.split("__")
        if sections and sections[0] in settings:
            part = settings
            for section in sections:
                part = part.setdefault(section, {})
            part[key] = value
    return settings


def require_range(settings, section, member, least, most):
    value = settings[section][member]
    if not isinstance(value, int) or not least <= value <= most:
        raise DotnetError("Microsoft.Extensions.Options.OptionsValidationException",
                          f"DataAnnotation validation failed for '{section}Options' members: '{member}' with the error: "
                          f"'The field {member} must be between {least} and {most}.'.")
