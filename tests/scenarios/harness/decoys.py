"""Innocent oddities. Each makes sure that it is really there and says what must not be blamed for it."""
import datetime
import os

from . import process
from .scenario import Decoy


def commit(s, edit, message, minutes_ago=25, author="Mia Lindt", components=()):
    """A harmless change, made lately, and committed where that is the habit."""
    files = s.edit(edit)
    made = s.record(files, message, author, minutes_ago)
    for file in files:
        os.utime(file, (file_time := datetime.datetime.now().timestamp() - minutes_ago * 60, file_time))
    return Decoy(f"commit: {message}", list(components), ["*"], files[0], made)


def frontend_commit(s, minutes_ago=12):
    return commit(s, "innocent_frontend", "frontend: a title that search engines like", minutes_ago, components=[s.client])


def gateway_commit(s, minutes_ago=20):
    return commit(s, "innocent_gateway", "gateway: answer to www as well", minutes_ago, "Dana Okafor")


def settings_commit(s, minutes_ago=35):
    return commit(s, "innocent_settings", "Prices of the new season", minutes_ago, "Ines Maurer")


def code_commit(s, minutes_ago=15):
    return commit(s, "innocent_code", "Say what the module is for", minutes_ago, "Ines Maurer")


def undeclared_program_is_stopped(s):
    """A program that the model does not name does not run, and has not for long."""
    assert not os.path.exists(s.path("run", f"{s.idle_program}.pid"))
    return Decoy(f"{s.idle_program} does not run", [s.idle_program])


def unused_certificate_has_expired(s):
    """A certificate of years ago lies beside the one in use."""
    end = process.check_output(["openssl", "x509", "-noout", "-enddate", "-in", s.path("certs", s.old_certificate)])
    assert "2023" in end
    return Decoy("an unused certificate has expired", [s.gateway], ["tls.*"])


def legal_slow_call(s):
    """One call is slow, has always been, and is meant to be."""
    answer = s.call("slow", timeout=8)
    assert answer.status == 0 or answer.seconds > 0.4 or answer.status >= 400, answer
    return Decoy("the report takes its time", [s.api, s.database], ["dependency.slow", "database.slow_query", "load.overload"])


def noisy_log(s):
    """A warning that the backend has written all day long, and writes again."""
    s.write_noise()
    return Decoy("push notifications fail now and then", [s.api], ["dependency.*"])


def other_program_restarted(s, program=None):
    """Somebody restarted an uninvolved program."""
    s.restart(program or s.worker_program)
    return Decoy(f"{program or s.worker_program} was restarted", [s.worker], ["service.crash_loop", "service.process_down"])


def usual(s):
    """What every system has about it."""
    return [undeclared_program_is_stopped(s), unused_certificate_has_expired(s)]
