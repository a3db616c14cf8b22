"""An hour of normal traffic in the logs, so that there is a normal time to compare with."""
import random
import time

HISTORY_SECONDS = 3900
MEAN_PAUSE_SECONDS = 2.0


def clf_time(when):
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))


def python_time(when):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when)) + f",{int(when % 1 * 1000):03d}"


def nginx_time(when):
    return time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(when))


def iso_time(when):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1000):03d}Z"


def syslog_time(when):
    return time.strftime("%b %d %H:%M:%S", time.gmtime(when))


def moments(seed, mean_pause=MEAN_PAUSE_SECONDS, seconds=HISTORY_SECONDS):
    """Times of the last hour, irregular as users are, and a random source that belongs to them."""
    dice = random.Random(seed)
    now = time.time()
    when = now - seconds
    while when < now - 5:
        yield when, dice
        when += dice.expovariate(1 / mean_pause)


def write(path, lines):
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
