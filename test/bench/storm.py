"""Random work of many sessions in two countries, with outages: see "storm --help"."""
import argparse
import collections
import os
import random
import subprocess
import threading
import time

import libpq

PERSONS = 30
LEVELS = ["READ COMMITTED"] * 3 + ["REPEATABLE READ", "SERIALIZABLE"]
FINGERS = "ARRAY[synthetic_fingerprint(%(n)d, %(c)d, 2), synthetic_fingerprint(%(n)d, %(c)d, 7)]::bytea[]"
EYES = "ARRAY[synthetic_iris(%(n)d, %(c)d)]::text[]"
OTHER = {"north": "south", "south": "north"}
FIRST = {"north": 0, "south": 1000}
ROLES = """
CREATE ROLE border; CREATE ROLE police;
CREATE ROLE bea LOGIN IN ROLE border; CREATE ROLE pia LOGIN IN ROLE police; CREATE ROLE otto LOGIN;
CREATE ROLE login_north LOGIN; CREATE ROLE login_south LOGIN"""
COUNTRY = """
SET client_min_messages = error;
CREATE EXTENSION biometric_watchlist CASCADE;
CREATE EXTENSION postgres_fdw;
INSERT INTO watchlist.this_country VALUES ('%(here)s');
SELECT watchlist.add_agency('border', 'border'), watchlist.add_agency('police', 'police');
SELECT watchlist.grant_duty(d, r::regrole) FROM unnest('{officer,curator,releaser}'::text[]) d, unnest('{bea,pia}'::text[]) r;
SELECT watchlist.grant_duty('operator', 'otto');
SELECT watchlist.add_partner('%(there)s', 'login_%(there)s', 'x', 'x');
CREATE SERVER %(there)s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%(host)s', dbname '%(there)s', options '-c statement_timeout=5s -c lock_timeout=3s');
CREATE USER MAPPING FOR watchlist_courier SERVER %(there)s OPTIONS (user 'login_%(here)s', password_required 'false');
SELECT watchlist.connect_partner('%(there)s', '%(there)s', 'x', 'x');
SET SESSION AUTHORIZATION bea;
SELECT watchlist.create_list('wanted', 'x', 'act', 'x', 'x', open => true), watchlist.create_list('own', 'x', 'act', 'x', 'x');
SET SESSION AUTHORIZATION pia;
SELECT watchlist.create_list('secret', 'x', 'act', 'x', 'x');
SET SESSION AUTHORIZATION bea;
SELECT watchlist.add_person('x', NULL, 'x', 'x', reference => 'P-' || n) FROM generate_series(1, %(persons)d) n;
SELECT count(*) FROM generate_series(1, %(persons)d) n, watchlist.enrol('%(here)s/border/P-' || n,
	ARRAY[synthetic_fingerprint(%(first)d + n, 0, 2), synthetic_fingerprint(%(first)d + n, 0, 7)]::bytea[], ARRAY[synthetic_iris(%(first)d + n)]::text[], 'x', 'x');
SELECT watchlist.consent_to_listing('%(here)s/border/P-' || n, 'police', 'x', 'x', partners => '{%(there)s}') FROM generate_series(1, %(persons)d, 2) n"""

counts = collections.Counter()
stop = threading.Event()


def connect(country, user=None):
    c = libpq.Connection(where="dbname=%s connect_timeout=5" % country)
    if user:
        c.execute("SET SESSION AUTHORIZATION " + user)
    return c


def operation(rng, country):
    """Somebody, and a statement of theirs."""
    user = rng.choice(["bea", "pia"])
    n = rng.randint(1, PERSONS)
    person = "%s/border/P-%d" % (country, n)
    lists = ["border/wanted", "border/own"] if user == "bea" else ["police/secret"]
    name = "%s/%s" % (country, rng.choice(lists))
    there = OTHER[country]
    kind = rng.choice(["check"] * 6 + ["add"] * 4 + ["remove"] * 3 + ["change", "release", "end", "close", "enrol", "withdraw", "view", "open"])
    if kind == "check":
        # of either country's persons, or nobody's
        f = {"n": rng.choice([FIRST[country], FIRST[there], 5000]) + n, "c": rng.randint(3, 5)}
        return kind, user, "watchlist.check_traveller(%s, %s, 'x', 'person %d')" % (FINGERS % f, EYES % f, f["n"])
    withheld = rng.choice(["{}", "{%s}" % there])
    return kind, user, {
        "add": "watchlist.add_to_list('%s', '%s', 'x', 'x', withheld_from => '%s')" % (name, person, withheld),
        "remove": "watchlist.remove_from_list('%s', '%s', 'x', 'x')" % (name, person),
        "change": "watchlist.change_entry('%s', '%s', 'x', 'x', withheld_from => '%s', caveats => '{c%d}')" % (name, person, withheld, n),
        "release": "watchlist.release_list('%s', '%s', %s, 'x', 'x')" % (name, there, rng.choice(["true", "true", "false"])),
        "end": "watchlist.end_release('%s', '%s', 'x', 'x')" % (name, there),
        "close": "watchlist.close_list('%s', %s, 'x', 'x')" % (name, rng.choice(["true", "false", "false"])),
        "enrol": "watchlist.enrol('%s', ARRAY[synthetic_fingerprint(%d, %d, 3)]::bytea[], NULL, 'x', 'x')" % (person, FIRST[country] + n, rng.randint(0, 99)),
        "withdraw": "watchlist.withdraw_enrolment('%s', %d, 'x', 'x')" % (person, rng.randint(4, 9)),
        "view": "watchlist.view_person('%s', 'x', 'x')" % person,
        "open": "watchlist.open_list_to('%s', '%s', 'x', 'x')" % (name, rng.choice(["border", "police"])),
    }[kind]


def worker(seed):
    rng = random.Random(seed)
    c, country = None, None
    while not stop.is_set():
        try:
            if c is None or rng.random() < 0.05:
                if c:
                    c.close()
                country = rng.choice(["north", "south"])
                c = connect(country)
            c.execute("BEGIN ISOLATION LEVEL " + rng.choice(LEVELS))
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                kind, user, sql = operation(rng, country)
                c.execute("SET LOCAL SESSION AUTHORIZATION " + user)
                c.execute("SELECT * FROM " + sql)
                counts[kind] += 1
                if rng.random() < 0.1:
                    time.sleep(rng.random() / 5)
            c.execute("COMMIT" if rng.random() < 0.9 else "ROLLBACK")
        except libpq.Error as e:
            message = str(e).split("\n")[0]
            counts["refused"] += 1
            if "ERROR:" not in message:
                counts["outage"] += 1
                c = None
                time.sleep(0.2)
            else:
                if not any(known in message for known in (
                        "serialize", "deadlock", "already", "is not on list", "is not released", "nothing is enrolled", "has not consented",
                        "there is no", "read what is committed", "belongs to another", "both are kept", "shutting down", "starting up", "recovery mode")):
                    counts["unexpected: " + message] += 1
                try:
                    c.execute("ROLLBACK")
                except libpq.Error:
                    c = None


def jobs(country, seed):
    rng = random.Random(seed)
    while not stop.is_set():
        run_jobs(country, rng.sample(range(6), 6))
        time.sleep(rng.random() / 2)


def run_jobs(country, order=range(6)):
    there = OTHER[country]
    statements = ["watchlist.search_past_encounters(50)", "watchlist.seal_log()", "watchlist.number_changes()", "watchlist.pull('%s', 200)" % there,
                  "watchlist.complete_remote_searches('%s', 20)" % there, "watchlist.refresh_gallery()"]
    try:
        with connect(country, "otto") as c:
            for n in order:
                c.execute("SELECT * FROM " + statements[n])
                counts["jobs"] += 1
    except libpq.Error as e:
        counts["job failed"] += 1
        message = str(e).split("\n")[0]
        if "ERROR:" in message and not any(known in message for known in ("deadlock", "serialize", "starting up", "shutting down", "recovery mode", "lock timeout")):
            counts["unexpected in a job: " + message] += 1


def kill(every):
    data = os.path.join(os.environ["HOME"], "data")
    while every and not stop.wait(every):
        subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "-s", "stop"], check=True)
        subprocess.run(["pg_ctl", "-D", data, "-l", os.path.join(os.environ["HOME"], "server.log"), "-w", "-s", "start"], check=True)
        counts["kills"] += 1


CHECKS = {
    "what the gallery lacks": "SELECT problem || ' ' || object FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%' OR problem LIKE '%feed%' OR problem LIKE 'new entry%' OR problem LIKE 'encounter not%' OR problem LIKE 'no index%'",
    "searches of partners that wait": "SELECT state || ' ' || coalesce(problem, '') FROM watchlist.remote_searches WHERE state <> 'answered'",
    "the log": "SELECT problem || ' ' || entry FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'",
    "encounters without a search, an entry, or captures": """
        SELECT 'encounter ' || encounter FROM watchlist.encounters e
        WHERE NOT EXISTS (SELECT FROM watchlist.searches s WHERE s.encounter = e.encounter)
           OR NOT EXISTS (SELECT FROM watchlist.log l WHERE l.encounter = e.encounter AND l.action = 'search')""",
    "a listed person who was met, and no alert": """
        SELECT format('person %s on %s, encounter %s, agency %s', n, l.list, e.encounter, a.agency)
        FROM watchlist.encounters e, substring(e.case_reference FROM '\\d+') n, watchlist.this_country c,
             (SELECT DISTINCT t.list, g.subject FROM watchlist.gallery g JOIN watchlist.parts t USING (part)) l, watchlist.agencies a
        WHERE l.subject = format('%s/border/P-%s', c.country, n::int - CASE c.country WHEN 'south' THEN 1000 ELSE 0 END)
          AND watchlist.list_is_visible(l.list, ARRAY[a.agency])
          AND NOT EXISTS (SELECT FROM watchlist.alerts k WHERE k.encounter = e.encounter AND k.agency = a.agency AND k.list = c.country || '/' || l.list AND k.person = l.subject)""",
    "alerts that came twice": "SELECT format('%s %s %s %s', encounter, agency, list, person) FROM watchlist.alerts WHERE kind <> 'partner asked' AND list IS NOT NULL GROUP BY encounter, agency, list, person, band HAVING count(*) > 1",
    "indexes": "SELECT i FROM unnest('{gallery_print,gallery_eye,received_print,received_eye,encounter_items_print,encounter_items_eye}'::text[]) i WHERE biometric_index_check(('watchlist.' || i)::regclass, true)::text <> ''",
}
RELEASED = "SELECT string_agg(DISTINCT list || ' ' || reference || ' ' || item || ' ' || caveats::text, chr(10)) FROM watchlist.released WHERE partner = '%s'"
RECEIVED = """SELECT string_agg(DISTINCT t.list || ' ' || substr(r.subject, %d) || ' ' || r.item || ' ' || e.caveats::text, chr(10))
    FROM watchlist.received r JOIN watchlist.received_entries e USING (part, subject) JOIN watchlist.parts t USING (part)"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--kill", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    with connect("postgres") as c:
        c.execute(ROLES)
        for country in OTHER:
            c.execute("CREATE DATABASE " + country)
    for here, there in OTHER.items():
        with connect(here) as c:
            c.execute(COUNTRY % {"here": here, "there": there, "host": os.environ["PGHOST"], "persons": PERSONS, "first": FIRST[here]})
    threads = [threading.Thread(target=worker, args=(arguments.seed * 1000 + i,)) for i in range(arguments.workers)]
    threads += [threading.Thread(target=jobs, args=(country, arguments.seed + i)) for i, country in enumerate(OTHER)]
    threads.append(threading.Thread(target=kill, args=(arguments.kill,)))
    for t in threads:
        t.start()
    time.sleep(arguments.seconds)
    stop.set()
    for t in threads:
        t.join()
    print(", ".join("%s %d" % pair for pair in sorted(counts.items())), flush=True)

    # the storm is over: the jobs until nothing is left to do
    for _ in range(60):
        for country in OTHER:
            run_jobs(country)
        left = 0
        for country in OTHER:
            with connect(country) as c:
                c.execute("UPDATE watchlist.remote_searches SET state = 'pending' WHERE state = 'refused'")
                left += int(c.value("SELECT (SELECT count(*) FROM watchlist.feed_changes) + (SELECT count(*) FROM watchlist.feed) + (SELECT count(*) FROM watchlist.remote_searches WHERE state = 'pending')"
                                    " + (SELECT count(*) FROM watchlist.arrivals WHERE NOT searched) + (SELECT count(*) FROM watchlist.encounters WHERE NOT searched)"))
        if left == 0:
            break
    wrong = 0
    for country, there in OTHER.items():
        with connect(country) as c:
            for what, query in CHECKS.items():
                rows = c.execute(query)
                if rows:
                    wrong += 1
                    print("WRONG in %s: %s: %d, as %s" % (country, what, len(rows), "; ".join(r[0] for r in rows[:5])))
            released = c.value(RELEASED % there) or ""
            print("%s: %s encounters, %s alerts, %s entries in the log, %s released to the partner" % (
                country, c.value("SELECT count(*) FROM watchlist.encounters"), c.value("SELECT count(*) FROM watchlist.alerts"),
                c.value("SELECT count(*) FROM watchlist.log"), len(released.split("\n")) if released else 0))
        with connect(there) as c:
            received = c.value(RECEIVED % (len(country) + 2)) or ""
        if sorted(released.split("\n")) != sorted(received.split("\n")):
            wrong += 1
            a, b = set(released.split("\n")), set(received.split("\n"))
            print("WRONG: %s has not received what %s releases: lacks %s; too much %s" % (there, country, sorted(a - b)[:5], sorted(b - a)[:5]))
    unexpected = [key for key in counts if key.startswith("unexpected")]
    wrong += len(unexpected)
    print("nothing wrong" if not wrong else "%d WRONG" % wrong)
    raise SystemExit(wrong != 0)


if __name__ == "__main__":
    main()
