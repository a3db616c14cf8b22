"""Runs one scenario on one system in this process, and prints its marks as JSON."""
import importlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from . import mounts, process
from .judge import mark
from .ports import PortBlock
from .probe_load import ProbeLoad
from .scenario import SYMPTOM_SECONDS
from .traffic import Traffic

DIAGNOSIS_SECONDS = 60
# Time for the logs to fill with what the fault does to users.
SETTLE_SECONDS = 2.5
QUIET_AFTER_LOAD_SECONDS = 1.0


class Skipped(Exception):
    pass


def _system_class(letter):
    return getattr(importlib.import_module(f"systems.{letter.lower()}.system"), f"System{letter}")


def _diagnose(system, omnix):
    begin = time.monotonic()
    done = subprocess.run([omnix, "investigate", "--system", system.system_file, "--json"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DIAGNOSIS_SECONDS, env={**os.environ, **system.environment()}, check=False)
    seconds = time.monotonic() - begin
    if done.returncode != 0:
        raise RuntimeError(f"omnix investigate: exit code {done.returncode}: {done.stderr[-800:]}")
    return json.loads(done.stdout), seconds


def _run_on(scenario, system, omnix, symptoms):
    result = {}
    begin = time.monotonic()
    system.prepare()
    system.start()
    result["start_seconds"] = round(time.monotonic() - begin, 2)
    traffic = Traffic(system, system.traffic_kinds)
    traffic.start()
    try:
        truth = scenario.module.inject(system, **scenario.options)
        process.wait_until(lambda: scenario.module.symptom(system, **scenario.options), "the fault shows to a client", SYMPTOM_SECONDS, 0.1)
        if symptoms:
            return {**result, "shows": round(time.monotonic() - begin, 1)}, None
        time.sleep(SETTLE_SECONDS)
        load = ProbeLoad(system)
        answer, seconds = _diagnose(system, omnix)
        result.update(mark(truth, answer["diagnosis"]), seconds=round(seconds, 2))
        result["requests"] = load.counts()
        result["requests_per_second"] = round(max(result["requests"].values()) / max(1.0, seconds), 1)
        result["truth"] = [f"{'|'.join(cause.components)} {'|'.join(cause.kinds)}" for cause in truth.causes] or (
            ["nothing wrong"] if truth.nothing else ["unknown"])
        result["decoys"] = [decoy.text for decoy in truth.decoys]
        result["summary"] = answer["diagnosis"].get("summary", "")
        return result, answer
    finally:
        traffic.stop()
        after = getattr(scenario.module, "cleanup", None)
        if after is not None:
            after(system)


def run(scenario, letter, omnix, cache, keep=None, symptoms=False):
    """Marks of one scenario. `keep`: folder that gets the diagnosis and, where something failed, the system's files.
    `symptoms`: only whether the fault shows, without a diagnosis."""
    random.seed()
    result = {"scenario": scenario.id, "system": letter, "text": scenario.module.NAME}
    work = tempfile.mkdtemp(prefix=f"omnix-scenario-{letter.lower()}-")
    os.chmod(work, 0o755)
    system = _system_class(letter)(work, cache, PortBlock(cache))
    answer = None
    try:
        if "mount" in scenario.needs and not mounts.enter_private_namespace():
            raise Skipped("this machine does not allow mounts")
        marks, answer = _run_on(scenario, system, omnix, symptoms)
        result.update(marks)
    except Skipped as skipped:
        result["skipped"] = str(skipped)
    except Exception as error:  # pylint: disable=broad-except
        result["error"] = f"{type(error).__name__}: {error}"
    finally:
        system.stop()
        if keep:
            _keep(keep, f"{scenario.id.replace(':', '-')}-{letter}", work, system.kept, answer)
        shutil.rmtree(work, ignore_errors=True)
    json.dump(result, sys.stdout)
    return result


def _keep(folder, name, work, parts, answer):
    target = os.path.join(folder, name)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    with open(os.path.join(target, "diagnosis.json"), "w", encoding="utf-8") as file:
        json.dump(answer, file, indent=1)
    for part in parts:
        if os.path.isdir(os.path.join(work, part)):
            shutil.copytree(os.path.join(work, part), os.path.join(target, part), symlinks=True, ignore=shutil.ignore_patterns(".git"))
