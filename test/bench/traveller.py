"""How long the check of one traveller takes: see "traveller --help"."""
import argparse
import os
import re
import subprocess
import threading
import time

import libpq

# a person's fingers and eyes; others' numbers never meet
FINGERS = "ARRAY[synthetic_fingerprint(%(n)d, %(c)d, 2), synthetic_fingerprint(%(n)d, %(c)d, 7)]::bytea[]"
EYES = "ARRAY[synthetic_iris(%(n)d, %(c)d), synthetic_iris(10000000 + %(n)d, %(c)d)]::text[]"
ENROL = """
INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print, eye)
SELECT 'here', 'here', 'list', 'L-' || n, i, false,
	CASE i WHEN 1 THEN synthetic_fingerprint(n, 0, 2) WHEN 2 THEN synthetic_fingerprint(n, 0, 7) END,
	CASE i WHEN 3 THEN synthetic_iris(n) WHEN 4 THEN synthetic_iris(10000000 + n) END
FROM generate_series(%d, %d) n, generate_series(1, 4) i"""
CHECK = ("SELECT verdict, reference FROM watchlist.check_traveller("
         "(SELECT fingers FROM traveller WHERE n = $1), (SELECT eyes FROM traveller WHERE n = $1), 'entry', 'benchmark')")
TRAVELLERS = 200


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def enrol(persons):
    with libpq.Connection() as c:
        c.execute("CREATE EXTENSION biometric_watchlist CASCADE")
        c.execute("INSERT INTO watchlist.this_country VALUES ('here')")
        for index in ("shared_templates_print", "shared_templates_eye"):
            c.execute("DROP INDEX watchlist." + index)
    sessions = os.cpu_count() or 1
    share = (persons + sessions - 1) // sessions

    def part(i):
        with libpq.Connection() as c:
            c.execute(ENROL % (i * share + 1, min(persons, (i + 1) * share)))

    start = time.time()
    libpq.together(*[lambda i=i: part(i) for i in range(sessions)])
    with libpq.Connection() as c:
        c.execute("CREATE INDEX shared_templates_print ON watchlist.shared_templates USING biometric (print)")
        c.execute("CREATE INDEX shared_templates_eye ON watchlist.shared_templates USING biometric (eye)")
        # nothing was let in yet: no past encounters to search
        c.execute("TRUNCATE watchlist.arrivals")
        c.execute("SELECT watchlist.recount_gallery()")
        c.execute("VACUUM ANALYZE watchlist.shared_templates")
        # one in ten is on the list
        c.execute("CREATE TABLE traveller (n int PRIMARY KEY, fingers bytea[], eyes text[])")
        for n in range(TRAVELLERS):
            person = {"n": n * 7 % persons + 1 if n % 10 == 0 else 5000000 + n, "c": 3}
            c.execute("INSERT INTO traveller VALUES (%d, %s, %s)" % (n, FINGERS % person, EYES % person))
    print("%d persons enrolled and indexed in %.0f s" % (persons, time.time() - start), flush=True)


def measure(sessions, seconds, settings):
    """Check travellers one after the other in each session; rows (when, how long, right)."""
    rows = []
    end = time.time() + seconds

    def session(i):
        with libpq.Connection(settings) as c:
            c.execute("PREPARE traveller(int) AS " + CHECK)
            n = i * 37
            mine = []
            while time.time() < end or not mine:
                n = (n + 1) % TRAVELLERS
                start = time.perf_counter()
                verdict, _ = c.execute("EXECUTE traveller(%d)" % n)[0]
                took = time.perf_counter() - start
                mine.append((time.time(), took, (verdict != "clear") == (n % 10 == 0)))
            rows.extend(mine)

    libpq.together(*[lambda i=i: session(i) for i in range(sessions)])
    return sorted(rows)


def alerts(listener, count):
    program = subprocess.Popen([listener, "--count", str(count), "--timeout", "120"], stdout=subprocess.PIPE, text=True)
    for line in program.stdout:
        if "listening" in line:
            break
    committed, seen = [], []

    def read():
        for line in program.stdout:
            if " alert " in line:
                seen.append((time.time(), float(re.search(r"after ([0-9.]+) ms", line).group(1))))

    reader = threading.Thread(target=read)
    reader.start()
    with libpq.Connection() as c:
        for n in range(count):
            c.execute("SELECT watchlist.raise_alert('benchmark', 'here', 'list', 'L-1', 'hit', 100, NULL)")
            committed.append(time.time())
            while len(seen) <= n and program.poll() is None:
                time.sleep(0.0002)
            time.sleep(0.01)
    reader.join()
    program.wait()
    return [1000 * (s[0] - t) for s, t in zip(seen, committed)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listener")
    parser.add_argument("--persons", type=int, default=10000)
    parser.add_argument("--sessions", default="1,2")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--mode", default="exact")
    parser.add_argument("--alerts", type=int, default=50)
    arguments = parser.parse_args()

    enrol(arguments.persons)
    settings = {"biometric.search_mode": arguments.mode}
    print("search mode %s, %d processors" % (arguments.mode, os.cpu_count()))
    for sessions in map(int, arguments.sessions.split(",")):
        measure(sessions, 1, settings)
        rows = measure(sessions, arguments.seconds, settings)
        took = [1000 * row[1] for row in rows]
        half = len(took) // 2
        print("%d session%s: %d checks, %.1f a second, p50 %.0f ms, p99 %.0f ms, longest %.0f ms; "
              "first half p50 %.0f ms, second half %.0f ms; %d verdicts of %d as enrolled"
              % (sessions, "" if sessions == 1 else "s", len(took), len(took) / arguments.seconds, quantile(took, 0.5),
                 quantile(took, 0.99), max(took), quantile(took[:half] or took, 0.5), quantile(took[half:], 0.5),
                 sum(row[2] for row in rows), len(rows)), flush=True)
    with libpq.Connection() as c:
        c.execute("UPDATE watchlist.alerts SET delivered = now() WHERE delivered IS NULL")
    delays = alerts(arguments.listener, arguments.alerts)
    print("%d alerts, COMMIT to the listener's output: p50 %.1f ms, p99 %.1f ms, longest %.1f ms"
          % (len(delays), quantile(delays, 0.5), quantile(delays, 0.99), max(delays)))


if __name__ == "__main__":
    main()
