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
PERSONS = """
INSERT INTO watchlist.persons (person, reference, agency) SELECT n, 'border/L-' || n, 'border' FROM generate_series(%d, %d) n"""
TEMPLATES = """
INSERT INTO watchlist.gallery (part, subject, item, print, eye)
SELECT 1, 'here/border/L-' || n, i,
	CASE i WHEN 1 THEN synthetic_fingerprint(n, 0, 2) WHEN 2 THEN synthetic_fingerprint(n, 0, 7) END,
	CASE i WHEN 3 THEN synthetic_iris(n) WHEN 4 THEN synthetic_iris(10000000 + n) END
FROM generate_series(%d, %d) n, generate_series(1, 4) i"""
CHECK = ("SELECT verdict, person FROM watchlist.check_traveller("
         "(SELECT fingers FROM traveller WHERE n = $1), (SELECT eyes FROM traveller WHERE n = $1), 'entry', 'benchmark')")
TRAVELLERS = 200


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def enrol(persons):
    """Fill the gallery as a restore would: rows first, then indexes."""
    times = []

    def step(name, *functions):
        start = time.time()
        libpq.together(*functions)
        times.append("%s %.0f s" % (name, time.time() - start))

    def run(*statements):
        with libpq.Connection({"maintenance_work_mem": "512MB"}) as c:
            for statement in statements:
                c.execute(statement)

    run("CREATE EXTENSION biometric_watchlist CASCADE",
        "INSERT INTO watchlist.this_country VALUES ('here')",
        "CREATE ROLE border",
        "SELECT watchlist.add_agency('border', 'border')",
        "SELECT watchlist.create_list('list', 'List', 'act', 'benchmark', 'x', open => true)",
        "INSERT INTO watchlist.parts (owner, list) VALUES ('here', 'border/list')",
        "DROP INDEX watchlist.gallery_print, watchlist.gallery_eye")
    sessions = os.cpu_count() or 1
    share = (persons + sessions - 1) // sessions
    step("rows", *[lambda i=i: run(*[rows % (i * share + 1, min(persons, (i + 1) * share)) for rows in (PERSONS, TEMPLATES)])
                   for i in range(sessions)])
    step("index of prints", lambda: run("CREATE INDEX gallery_print ON watchlist.gallery USING biometric (print)"))
    step("index of eyes", lambda: run("CREATE INDEX gallery_eye ON watchlist.gallery USING biometric (eye)"))
    step("the rest", lambda: run(
        "INSERT INTO watchlist.list_entries (list, person, reason, added_by) SELECT 'border/list', person, 'x', 'x' FROM watchlist.persons",
        "INSERT INTO watchlist.arrivals (part, subject, since, searched) SELECT 1, 'here/' || reference, pg_current_xact_id(), true FROM watchlist.persons",
        "INSERT INTO watchlist.part_sizes SELECT 1, count(*) FROM watchlist.persons",
        "VACUUM ANALYZE", "CHECKPOINT"))
    with libpq.Connection() as c:
        # one in ten is on the list
        c.execute("CREATE TABLE traveller (n int PRIMARY KEY, fingers bytea[], eyes text[])")
        for n in range(TRAVELLERS):
            person = {"n": n * 7 % persons + 1 if n % 10 == 0 else 5000000 + n, "c": 3}
            c.execute("INSERT INTO traveller VALUES (%d, %s, %s)" % (n, FINGERS % person, EYES % person))
        size = c.value("SELECT sum(pg_relation_size('watchlist.' || r)) / 1e6 FROM unnest(ARRAY["
                       "'gallery', 'gallery_print', 'gallery_eye']) r")
    print("%d persons: %s; table and two indexes %.0f MB" % (persons, ", ".join(times), float(size)), flush=True)


def processor_time(pid):
    """Seconds that a process has had of a processor, where the system says so."""
    try:
        with open("/proc/%s/schedstat" % pid) as f:
            return int(f.read().split()[0]) / 1e9
    except OSError:
        return float("nan")


def measure(sessions, seconds, settings, rate=None):
    """Check travellers: in each session one after the other, or so many a second whoever is free; rows (when the
    traveller came, how long until the answer, how long of it the check took, right)."""
    rows = []
    used = []
    begin = time.time() + 0.2
    end = begin + seconds
    arrivals = iter(()) if rate is None else iter([begin + i / rate for i in range(int(seconds * rate))])
    lock = threading.Lock()

    def session(i):
        with libpq.Connection(settings) as c:
            c.execute("PREPARE traveller(int) AS " + CHECK)
            pid = c.value("SELECT pg_backend_pid()")
            before = processor_time(pid)
            n = i * 37
            mine = []
            while True:
                came = time.time()
                if rate is None:
                    if came >= end and mine:
                        break
                else:
                    with lock:
                        came = next(arrivals, None)
                    if came is None:
                        break
                    time.sleep(max(0, came - time.time()))
                n = (n + 1) % TRAVELLERS
                start = time.time()
                verdict, _ = c.execute("EXECUTE traveller(%d)" % n)[0]
                done = time.time()
                mine.append((came, done - came, done - start, (verdict != "clear") == (n % 10 == 0)))
            rows.extend(mine)
            used.append(processor_time(pid) - before)

    libpq.together(*[lambda i=i: session(i) for i in range(sessions)])
    return sorted(rows), sum(used)


def report(title, measured, seconds):
    rows, used = measured
    took = [1000 * row[1] for row in rows]
    half = len(took) // 2
    last = max(row[0] + row[1] for row in rows)
    print("%s: %d checks, %.1f a second, p50 %.0f ms, p99 %.0f ms, longest %.0f ms; of it the check itself p50 %.0f ms, "
          "p99 %.0f ms, %.0f ms of a processor; first half p50 %.0f ms, second half %.0f ms; %d verdicts of %d as enrolled"
          % (title, len(took), len(took) / max(seconds, last - rows[0][0]), quantile(took, 0.5), quantile(took, 0.99), max(took),
             quantile([1000 * row[2] for row in rows], 0.5), quantile([1000 * row[2] for row in rows], 0.99),
             1000 * used / len(rows),
             quantile(took[:half] or took, 0.5), quantile(took[half:], 0.5), sum(row[3] for row in rows), len(rows)), flush=True)


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
            c.execute("SELECT watchlist.raise_alert('benchmark', 'here/border/list', 'here/border/L-1', 'hit', 100, NULL)")
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
    parser.add_argument("--rates", default="")
    parser.add_argument("--pool", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--modes", default="exact")
    parser.add_argument("--alerts", type=int, default=50)
    arguments = parser.parse_args()

    enrol(arguments.persons)
    for mode in arguments.modes.split(","):
        settings = {}
        with libpq.Connection() as c:
            c.execute("SELECT watchlist.change_setting('search_mode', '%s', 'benchmark', 'x')" % mode)
        print("search mode %s, %d processors, load average %.1f" % (mode, os.cpu_count(), os.getloadavg()[0]))
        measure(1, 3, settings)
        for sessions in map(int, filter(None, arguments.sessions.split(","))):
            report("%d session%s" % (sessions, "" if sessions == 1 else "s"),
                   measure(sessions, arguments.seconds, settings), arguments.seconds)
        for rate in map(float, filter(None, arguments.rates.split(","))):
            report("%g a second to %d sessions" % (rate, arguments.pool),
                   measure(arguments.pool, arguments.seconds, settings, rate), arguments.seconds)
    with libpq.Connection() as c:
        c.execute("UPDATE watchlist.alerts SET acknowledged_at = now(), acknowledged_by = 'x' WHERE acknowledged_at IS NULL")
    if arguments.alerts > 0:
        delays = alerts(arguments.listener, arguments.alerts)
        print("%d alerts, COMMIT to the listener's output: p50 %.1f ms, p99 %.1f ms, longest %.1f ms"
              % (len(delays), quantile(delays, 0.5), quantile(delays, 0.99), max(delays)))


if __name__ == "__main__":
    main()
