"""What a scenario is: a module of `cases` with

    NAME = "..."                     one line: what is broken, as a person would say it
    VARIANTS = {"one": {...}, ...}   optional: options of `inject`, by the variant's name
    SYSTEMS = "AB"                   optional; default: all
    NEEDS = ("mount",)               optional: what the machine must allow, else the scenario is skipped

    def inject(s, **options) -> Truth     breaks the system `s` and says what the diagnosis should find
    def symptom(s, **options) -> bool     whether the fault shows to a plain client; waited for before the diagnosis
"""
import fnmatch
import importlib
import os
from dataclasses import dataclass, field

CASES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cases")
SYMPTOM_SECONDS = 30


@dataclass
class Fix:
    """Matches a remedy that has an action with all of what is given here."""
    side: str = ""
    kind: str = ""  # of an action; a glob
    file: str = ""
    component: str = ""
    command: str = ""


@dataclass
class Cause:
    """Component and kind that a person on call would accept as this cause; both may have several names."""
    components: list
    kinds: list
    files: list = field(default_factory=list)


@dataclass
class Decoy:
    """Something innocent. It must not be blamed first: neither these kinds at these components, nor this file or commit."""
    text: str
    components: list = field(default_factory=list)
    kinds: list = field(default_factory=lambda: ["*"])
    file: str = ""
    commit: str = ""


@dataclass
class Truth:
    """Without causes: nothing is wrong (`nothing`), or what is wrong can't be known from the model (`unknown`)."""
    causes: list = field(default_factory=list)
    fixes: list = field(default_factory=list)
    wrong_fixes: list = field(default_factory=list)
    # No proposal at all is right: the model allows no action that would mend it.
    person: bool = False
    nothing: bool = False
    unknown: bool = False
    decoys: list = field(default_factory=list)


@dataclass
class Scenario:
    name: str
    variant: str
    module: object
    options: dict

    @property
    def id(self):
        return f"{self.name}:{self.variant}" if self.variant else self.name

    @property
    def systems(self):
        return getattr(self.module, "SYSTEMS", "ABCDEF")

    @property
    def needs(self):
        return getattr(self.module, "NEEDS", ())


def load_all():
    """Every variant of every case, by name."""
    scenarios = []
    for file in sorted(os.listdir(CASES)):
        if not file.endswith(".py") or file.startswith("_"):
            continue
        name = file[:-3]
        module = importlib.import_module(f"cases.{name}")
        for variant, options in getattr(module, "VARIANTS", {"": {}}).items():
            scenarios.append(Scenario(name, variant, module, options))
    return scenarios


def choose(scenarios, patterns):
    """Those whose id or name one of the globs fits; all without a pattern."""
    if not patterns:
        return scenarios
    return [each for each in scenarios
            if any(fnmatch.fnmatch(each.id, p) or fnmatch.fnmatch(each.name, p) for p in patterns)]
