"""Prints tickets: a consumer of the stream of jobs."""
import os
import time

import redis

STREAM, GROUP, KEPT = "print.jobs", "printers", 30


def say(level, text, job="-"):
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
    print(f"{stamp} pid={os.getpid()} tid=main class=PrintTickets jid={job} {level}: {text}", flush=True)


def work(client):
    try:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
    while True:
        for _, jobs in client.xreadgroup(GROUP, "printer-1", {STREAM: ">"}, count=5, block=800):
            for job, fields in jobs:
                begin = time.monotonic()
                order = int(fields[b"order"])
                with open(os.path.join(os.environ["SPOOL_DIR"], f"{order % KEPT:02d}.ps"), "w", encoding="utf-8") as file:
                    file.write(f"%!PS order {order}\n")
                client.xack(STREAM, GROUP, job)
                client.xdel(STREAM, job)
                say("INFO", f"done: {time.monotonic() - begin:.3f} sec", job.decode())


def main():
    while True:
        try:
            work(redis.Redis.from_url(os.environ["BROKER_URL"], socket_connect_timeout=3, socket_timeout=5))
        except (OSError, redis.RedisError) as error:
            say("ERROR", f"fetch failed: {type(error).__name__}: {error}")
            time.sleep(1)


main()
