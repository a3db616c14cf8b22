"""Takes reminders from the table and hands them to the post. usage: courier.py OUTBOX"""
import os
import sys
import time

import psycopg2

PAUSE_SECONDS = 0.4
KEPT = 30
TAKE = ("DELETE FROM reminders WHERE appointment = (SELECT appointment FROM reminders ORDER BY appointment LIMIT 1 "
        "FOR UPDATE SKIP LOCKED) RETURNING appointment")


def say(level, text):
    print(f"{time.strftime('%b %d %H:%M:%S', time.gmtime())} ward3 courier[{os.getpid()}]: {level} {text}", flush=True)


def deliver(connection, outbox):
    """Whether there was one."""
    with connection, connection.cursor() as cursor:
        cursor.execute(TAKE)
        taken = cursor.fetchone()
        if taken is None:
            return False
        with open(os.path.join(outbox, f"{taken[0] % KEPT:02d}.txt"), "w", encoding="utf-8") as file:
            file.write(f"Your appointment {taken[0]} is near.\n")
    say("INFO", f"reminder of appointment {taken[0]} sent")
    return True


def main():
    connection = None
    while True:
        try:
            if connection is None:
                connection = psycopg2.connect(connect_timeout=3)
            while deliver(connection, sys.argv[1]):
                pass
            time.sleep(PAUSE_SECONDS)
        except (OSError, psycopg2.Error) as error:
            say("CRIT", f"no reminder sent: {type(error).__name__}: {str(error).strip()}")
            if connection is not None:
                connection.close()
            connection = None
            time.sleep(1)


main()
