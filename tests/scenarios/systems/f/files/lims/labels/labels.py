"""Prints labels for tubes. usage: labels.py --redis CONNECTION --queue NAME --spool FOLDER"""
import argparse
import json
import os
import time

import redis

KEPT = 30


def say(level, event, text):
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}"
    print(f"{stamp} {level}: Meridian.Labels.Worker[{event}]\n      " + text.replace("\n", "\n      "), flush=True)


def connect(text):
    address, *rest = text.split(",")
    options = dict(part.split("=", 1) for part in rest)
    host, port = address.split(":")
    return redis.Redis(host=host, port=int(port), password=options["password"], db=int(options["defaultDatabase"]), socket_connect_timeout=3,
                       socket_timeout=5)


def print_label(folder, order, copies):
    with open(os.path.join(folder, f"label-{order % KEPT:02d}.zpl"), "w", encoding="ascii") as file:
        file.write(f"^XA^PQ{copies}^FO40,30^BCN,80^FD{order:010d}^FS^XZ\n")


def work(client, options):
    while True:
        taken = client.brpop(options.queue, timeout=1)
        if taken is not None:
            job = json.loads(taken[1])
            print_label(options.spool, job["order"], job["copies"])
            say("info", 201, f"Printed {job['copies']} labels of order {job['order']} (job {job['jobId']})")


def main():
    options = argparse.ArgumentParser()
    for name in ("--redis", "--queue", "--spool"):
        options.add_argument(name, required=True)
    options = options.parse_args()
    say("info", 1, f"Waiting for jobs in {options.queue}")
    while True:
        try:
            work(connect(options.redis), options)
        except (OSError, redis.RedisError) as error:
            say("fail", 500, f"Lost the queue, next attempt in 2 s\nStackExchange.Redis.RedisConnectionException: {error}\n"
                "   at Meridian.Labels.Worker.ExecuteAsync(CancellationToken stoppingToken) in /src/Labels/Worker.cs:line 44")
            time.sleep(2)


main()
