"""Exceptions with the names, texts and stacks that our log searches know."""
import os
import traceback


class DotnetError(Exception):
    def __init__(self, name, message, inner=None, status=500):
        super().__init__(message)
        self.name, self.inner, self.status = name, inner, status


def _head(error):
    if isinstance(error, DotnetError):
        text = f"{error.name}: {error}"
        return f"{text}\n ---> {_head(error.inner)}\n   --- End of inner exception stack trace ---" if error.inner else text
    if isinstance(error, KeyError):
        return f"System.Collections.Generic.KeyNotFoundException: The given key {error} was not present in the dictionary."
    if isinstance(error, PermissionError):
        return (f"System.UnauthorizedAccessException: Access to the path '{error.filename}' is denied.\n"
                " ---> System.IO.IOException: Permission denied\n   --- End of inner exception stack trace ---")
    if isinstance(error, OSError):
        return f"System.IO.IOException: {error.strerror} : '{error.filename}'"
    return f"System.{type(error).__name__}: {error}"


def _pascal(name):
    return "<Main>$" if name == "<module>" else "".join(part.capitalize() for part in name.split("_"))


def render(error):
    """As Exception.ToString() has it."""
    frames = [frame for frame in reversed(traceback.extract_tb(error.__traceback__)) if not frame.filename.startswith("/usr/")]
    return "\n".join([_head(error), *(f"   at Lims.Api.{_pascal(os.path.basename(frame.filename)[:-3])}.{_pascal(frame.name)}() "
                                      f"in {frame.filename}:line {frame.lineno}" for frame in frames)])
