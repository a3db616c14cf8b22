"""Marks a diagnosis (JSON of `omnix investigate --json`) by the truth."""
import fnmatch
import json
import os
import re

# A hypothesis below this is a guess that claims nothing.
CLAIM = 0.5
FIRST = 3


def _fits(cause, hypothesis):
    return (hypothesis.get("component") in cause.components and
            any(fnmatch.fnmatch(hypothesis.get("kind", ""), kind) for kind in cause.kinds))


def _same_file(one, other):
    return bool(one) and bool(other) and os.path.realpath(one) == os.path.realpath(other)


def _action_text(action):
    return json.dumps(action.get("with", {}), ensure_ascii=False)


def _names_file(text, file):
    """Also by a symbolic link."""
    return file in text or any(_same_file(path, file) for path in re.findall(r'"(/[^"]+)"', text))


def _matches(fix, remedy):
    def action_matches(action):
        text = _action_text(action)
        return ((not fix.kind or fnmatch.fnmatch(action.get("kind", ""), fix.kind)) and
                (not fix.file or _names_file(text, fix.file)) and
                (not fix.component or action.get("component") == fix.component) and
                (not fix.command or (action.get("kind", "").startswith("command") and f'"{fix.command}"' in text)))
    if fix.side and remedy.get("side") != fix.side:
        return False
    actions = remedy.get("actions", [])
    return any(map(action_matches, actions)) if actions else not (fix.kind or fix.file or fix.command)


def _remedy_verdict(truth, hypotheses):
    """Of the first remedy of each right hypothesis: "ok", "no", or "-" where no cause was found."""
    if not truth.causes:
        return "-"
    verdicts = []
    for hypothesis in hypotheses:
        if not any(_fits(cause, hypothesis) for cause in truth.causes):
            continue
        remedies = [each for each in hypothesis.get("remedies", []) if not each.get("symptom_only")]
        if not remedies:
            verdicts.append(truth.person or not truth.fixes)
        else:
            first = remedies[0]
            verdicts.append(any(_matches(fix, first) for fix in truth.fixes) and
                            not any(_matches(fix, first) for fix in truth.wrong_fixes))
    if not verdicts:
        return "-"
    return "ok" if all(verdicts) else "no"


def _blames(decoy, hypothesis):
    location = hypothesis.get("location", {}).get("file", "")
    text = json.dumps(hypothesis.get("remedies", []))
    if _same_file(location, decoy.file) or (decoy.commit and decoy.commit in text):
        return True
    # A decoy that is a change is blamed by its file or commit alone.
    if decoy.file or decoy.commit:
        return False
    return (hypothesis.get("component") in decoy.components and
            any(fnmatch.fnmatch(hypothesis.get("kind", ""), kind) for kind in decoy.kinds))


def _blame(truth, hypotheses):
    """"decoy" or "wrong" where the first hypothesis is neither right nor modest; else ""."""
    if not hypotheses or any(_fits(cause, hypotheses[0]) for cause in truth.causes):
        return ""
    for decoy in truth.decoys:
        if _blames(decoy, hypotheses[0]):
            return "decoy"
    return "wrong" if hypotheses[0].get("confidence", 0) >= CLAIM else ""


def _first_explanation(diagnosis):
    by_id = {each.get("id"): each for each in diagnosis.get("hypotheses", [])}
    for explanation in diagnosis.get("explanations", [])[:1]:
        return [by_id[cause["hypothesis_id"]] for cause in explanation.get("causes", []) if cause.get("hypothesis_id") in by_id]
    return []


def _is_right(truth, diagnosis, hypotheses):
    """Right cause first, right cause in the first three."""
    claims = [each for each in hypotheses if each.get("confidence", 0) >= CLAIM]
    if truth.nothing:
        right = diagnosis.get("nothing_wrong", False) and not claims
        return right, right
    if truth.unknown:
        right = not claims and not diagnosis.get("nothing_wrong", False)
        return right, right
    wanted = len(truth.causes)
    if wanted == 1:
        found = [any(_fits(cause, each) for cause in truth.causes) for each in hypotheses]
        return any(found[:1]), any(found[:FIRST])
    # Several causes: all of them in the first explanation, which blames nothing else, or in the first places.
    def covered(some):
        return all(any(_fits(cause, each) for each in some) for cause in truth.causes)
    explained = _first_explanation(diagnosis)
    only = all(any(_fits(cause, each) for cause in truth.causes) for each in explained)
    return (bool(explained) and covered(explained) and only) or covered(hypotheses[:wanted]), covered(hypotheses[:max(FIRST, wanted + 1)])


def mark(truth, diagnosis):
    """The marks as a dictionary: detected, first, first_three, remedy, blame, confidence, named."""
    hypotheses = diagnosis.get("hypotheses", [])
    first, first_three = _is_right(truth, diagnosis, hypotheses)
    detected = bool(diagnosis.get("symptoms")) or bool(hypotheses)
    return {"detected": not detected if truth.nothing else detected, "first": first, "first_three": first_three,
            "remedy": _remedy_verdict(truth, hypotheses), "blame": _blame(truth, hypotheses),
            "confidence": hypotheses[0].get("confidence", 0.0) if hypotheses else 0.0,
            "named": [f"{each.get('component')} {each.get('kind')} {each.get('confidence', 0):.2f}" for each in hypotheses[:FIRST]],
            "location": _location(truth, hypotheses)}


def _location(truth, hypotheses):
    """Whether a right hypothesis points to the right file; None where the truth names none or nothing right was said."""
    verdicts = [any(_same_file(each.get("location", {}).get("file", ""), file) for file in cause.files)
                for cause in truth.causes if cause.files for each in hypotheses[:FIRST] if _fits(cause, each)]
    return all(verdicts) if verdicts else None
