"""Templates: files with @NAME@ in them."""
import os
import re


def render(text, values):
    """Every @NAME@ must have a value."""
    return re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda match: str(values[match.group(1)]), text)


def render_file(source, target, values):
    with open(source, encoding="utf-8") as file:
        text = file.read()
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(render(text, values))
    os.chmod(target, os.stat(source).st_mode & 0o777)


def render_tree(source, target, values):
    """Renders all files below `source`; `__` at the beginning of a name stands for a dot (`__gitignore`)."""
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name != "__pycache__"]
        relative = os.path.relpath(folder, source)
        for name in files:
            shown = "." + name[2:] if name.startswith("__") else name
            render_file(os.path.join(folder, name), os.path.normpath(os.path.join(target, relative, shown)), values)
