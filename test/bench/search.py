"""What "search" measures; it runs where stage.sh has put the sources, with its server.

Every part appends to raw/*.csv and hands the files over at once, so that a run
that is cut short leaves what it has.  search_report.py makes a table of them.
"""
import argparse
import csv
import glob
import os
import platform
import random
import re
import struct
import subprocess
import sys
import tarfile
import threading
import time

from libpq import Connection, Error, together

PARTS = ("build", "latency", "recall", "cold", "insert", "vacuum")
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
EXACT, FAST = "exact", "fast"

# above all numbers of synthetic templates that are enrolled from the start
LATER = 100000000

# settings of sessions
ONE = {"max_parallel_workers_per_gather": 0}
TWO = {"max_parallel_workers_per_gather": 1, "min_parallel_index_scan_size": 0, "min_parallel_table_scan_size": 0,
       "parallel_setup_cost": 0, "parallel_tuple_cost": 0}


class Fingers:
    name = "fingerprint"
    table = "fingers"
    column = "print"
    type = "fingerprint"
    column_type = "fingerprint"
    synthesis = "synthetic_fingerprint"

    @staticmethod
    def real(data):
        """Sets of (name, enrolled {id: template}, probes [(mate, template)])."""
        for extractor, (suffix, name) in enumerate((("", "FVC2002, mindtct"), ("_secugen", "FVC2002, commercial extractor"))):
            enrolled, probes = {}, []
            for db in range(1, 5):
                for path in sorted(glob.glob("%s/fingerprint/fvc2002_db%d_b%s/*.fmr" % (data, db, suffix))):
                    finger, impression = map(int, os.path.basename(path)[:-4].split("_"))
                    identity = -(extractor * 10000 + db * 1000 + finger)
                    with open(path, "rb") as file:
                        record = file.read()
                    if impression == 1:
                        enrolled[identity] = record
                    else:
                        probes.append((identity, record))
            if probes:
                yield name, enrolled, probes

    @staticmethod
    def twin(identity):
        """The same real finger, its minutiae by the other extractor: neither mate nor stranger."""
        if identity >= 0:
            return None
        return identity + 10000 if identity < -10000 else identity - 10000


class Eyes:
    name = "iris"
    table = "eyes"
    column = "code"
    type = "iris"
    column_type = "iris(128, 16)"
    synthesis = "synthetic_iris"

    @staticmethod
    def real(data):
        enrolled, probes = {}, []
        for path in sorted(glob.glob("%s/iris/casia1/*.bin" % data)):
            eye, capture = map(int, os.path.basename(path)[:-4].split("_"))
            with open(path, "rb") as file:
                template = struct.pack(">BBHH", 1, 0, 128, 16) + file.read()
            if -eye not in enrolled:
                enrolled[-eye] = template
            else:
                probes.append((-eye, template))
        if probes:
            yield "CASIA-IrisV1", enrolled, probes

    @staticmethod
    def twin(identity):
        return None


class Output:
    """The files of raw/, and their way out."""

    HEADS = {
        "machine": ("name", "value"),
        "figures": ("part", "modality", "rows", "name", "value"),
        "latency": ("modality", "rows", "search", "processes", "detail", "query", "ms"),
        "recall": ("modality", "rows", "set", "probe", "exact_first", "mate_distance", "rate", "fast_first"),
        "insert": ("modality", "rows", "how", "insert", "ms"),
    }

    def __init__(self):
        self.folder = os.path.join(os.environ["HOME"], "raw")
        os.makedirs(self.folder, exist_ok=True)
        self.files = {}
        self.writers = {}
        for name, head in self.HEADS.items():
            self.files[name] = open(os.path.join(self.folder, name + ".csv"), "w", newline="")
            self.writers[name] = csv.writer(self.files[name], lineterminator="\n")
            self.writers[name].writerow(head)
        self.tar = tarfile.open(fileobj=os.fdopen(3, "wb"), mode="w|")

    def write(self, name, *row):
        self.writers[name].writerow(["%.6g" % v if isinstance(v, float) else v for v in row])

    def deliver(self):
        for file in self.files.values():
            file.flush()
        self.tar.add(self.folder, "raw")

    def close(self):
        self.deliver()
        self.tar.close()


def say(*words):
    print("[%4d s]" % (time.monotonic() - STARTED), *words, flush=True)


def skip(words):
    print("SKIPPED:", words, flush=True)


STARTED = time.monotonic()


def median(values):
    values = sorted(values)
    n = len(values)
    return (values[(n - 1) // 2] + values[n // 2]) / 2


def by(processes):
    return "one process" if processes == 1 else "%d processes" % processes


def stolen():
    """Share of the processors' time that the hypervisor gave to others since the machine started: two counters."""
    try:
        with open("/proc/stat") as file:
            ticks = [int(n) for n in file.readline().split()[1:9]]
    except OSError:
        return 0, 1
    return ticks[7], sum(ticks)


def bytes_of(size):
    """Bytes of a size such as 700MB."""
    number, unit = re.fullmatch(r"(\d+)\s*([KMGT]?)i?B?", size.strip(), re.I).groups()
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[unit.upper()]


class Server:
    """The private server."""

    def __init__(self, shared_buffers, maintenance_work_mem):
        self.data = os.path.join(os.environ["PGHOST"], "data")
        self.log = os.path.join(os.environ["PGHOST"], "server.log")
        self.settings = {
            # as durable as in production; stage.sh's is not
            "fsync": "on",
            "shared_buffers": "%dMB" % (shared_buffers >> 20),
            "maintenance_work_mem": "%dMB" % (maintenance_work_mem >> 20),
            "max_wal_size": "16GB",
            "checkpoint_timeout": "1h",
            "max_parallel_workers": "8",
            # nothing in the background, nothing that comes and goes with the plan's cost
            "autovacuum": "off",
            "jit": "off",
        }

    def control(self, *arguments):
        subprocess.run(["pg_ctl", "-D", self.data, "-l", self.log, "-w", "-s", "-t", "600", *arguments], check=True)

    def options(self):
        return " ".join("-c %s=%s" % setting for setting in self.settings.items())

    def restart(self):
        self.control("-m", "fast", "-o", self.options(), "restart")

    def restart_cold(self):
        """Restart with nothing of the data in memory, as far as this machine is concerned."""
        self.control("-m", "fast", "stop")
        os.sync()
        for folder, _, names in os.walk(os.path.join(self.data, "base")):
            for name in names:
                forget(os.path.join(folder, name))
        self.control("-o", self.options(), "start")


def forget(path):
    """Have the system drop its copy of a file."""
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


class Bench:
    def __init__(self, options):
        self.options = options
        self.out = Output()
        self.rows = options.rows
        self.largest = max(self.rows)
        self.parts = options.only
        self.quick = options.quick
        self.data = os.environ.get("BIOMETRIC_DATA")
        self.real = {}
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        maintenance = min(1 << 30, memory // 8)
        if options.memory:
            buffers = bytes_of(options.memory) // 4
            maintenance = max(bytes_of(options.memory) // 8, 32 << 20)
        elif options.shared_buffers:
            buffers = bytes_of(options.shared_buffers)
        else:
            buffers = min((512 << 20) + 4096 * self.largest, memory // 2)
        self.server = Server(buffers, maintenance)

    def figure(self, part, modality, rows, name, value):
        self.out.write("figures", part, modality.name if modality else "", rows, name, value)

    # -- what the run is about ------------------------------------------------

    def describe(self):
        facts = {}
        found = {}
        with open("/proc/cpuinfo") as file:
            for line in file:
                name, _, value = line.partition(":")
                found.setdefault(name.strip(), value.strip())
        facts["processor"] = found.get("model name", found.get("CPU part", "unknown"))
        if "cpu family" in found:
            facts["processor"] += " (%s, family %s, model %s)" % (found["vendor_id"], found["cpu family"], found["model"])
        facts["architecture"] = platform.machine()
        facts["cores"] = len(os.sched_getaffinity(0))
        facts["memory"] = "%.0f GiB" % (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30))
        try:
            with open("/sys/devices/system/cpu/cpu0/cache/index3/size") as file:
                facts["L3 cache"] = file.read().strip()
        except OSError:
            pass
        for line in open("/etc/os-release"):
            if line.startswith("PRETTY_NAME="):
                facts["system"] = "%s, Linux %s" % (line.split("=", 1)[1].strip().strip('"'), platform.release().split("-")[0])
        with Connection() as db:
            facts["PostgreSQL"] = re.sub(r"^PostgreSQL ", "", db.value("SELECT version()"))
            facts["biometric"] = db.value("SELECT extversion FROM pg_extension WHERE extname = 'biometric'")
            facts["kernels"] = ", ".join(row[0] for row in db.execute("SELECT kernel FROM biometric_kernels() WHERE chosen"))
            facts["settings"] = ", ".join("%s = %s" % setting for setting in self.server.settings.items())
            self.has_fast = db.execute("SELECT FROM pg_settings WHERE name = 'biometric.search_mode'") != []
            self.default_rate = None
            if self.has_fast:
                self.default_rate = float(db.value("SELECT boot_val FROM pg_settings WHERE name = 'biometric.penetration_rate'"))
                facts["default penetration rate"] = self.default_rate
        if self.options.memory:
            facts["memory limit"] = self.options.memory if self.options.limited else "none (%s wanted)" % self.options.memory
        facts["load at the start"] = "%.2f" % os.getloadavg()[0]
        facts["date"] = time.strftime("%Y-%m-%d")
        facts["rows"] = ",".join(map(str, self.rows))
        for fact in facts.items():
            self.out.write("machine", *fact)
        say(facts["processor"], "-", facts["cores"], "cores -", facts["PostgreSQL"].split(",")[0])
        if os.getloadavg()[0] > 0.5:
            print("WARNING: other programs are at work (load %.2f); times will be too long" % os.getloadavg()[0], flush=True)
        if not self.has_fast:
            skip("fast searches: this version has none")

    # -- data -----------------------------------------------------------------

    def load(self, modality):
        """The largest gallery, and smaller ones out of it."""
        big = "%s_%d" % (modality.table, self.largest)
        with Connection() as db:
            db.execute("CREATE TABLE %s (id bigint, %s %s)" % (big, modality.column, modality.column_type))
        start = time.perf_counter()
        real = self.enrol_real(modality, big)

        def enrol(first, last):
            with Connection() as db:
                db.execute("INSERT INTO %s SELECT n, %s(n) FROM generate_series(%d, %d) n"
                           % (big, modality.synthesis, first, last))
        half = self.largest // 2
        together(lambda: enrol(1, half), lambda: enrol(half + 1, self.largest))
        seconds = time.perf_counter() - start
        with Connection() as db:
            for rows in self.rows:
                table = "%s_%d" % (modality.table, rows)
                if table != big:
                    db.execute("CREATE TABLE %s AS SELECT * FROM %s WHERE id <= %d" % (table, big, rows))
                db.execute("VACUUM (FREEZE, ANALYZE) %s" % table)
            size = int(db.value("SELECT pg_table_size('%s')" % big))
        self.figure("load", modality, self.largest, "seconds", seconds)
        self.figure("load", modality, self.largest, "table bytes", size)
        self.figure("load", modality, self.largest, "real", real)
        say("%d %s loaded (%d of them real)" % (self.largest + real, modality.table, real))

    def enrol_real(self, modality, table):
        """Real first captures; they are in every gallery before its index is built."""
        self.real[modality] = []
        if "recall" not in self.parts:
            return 0
        if not self.data:
            skip("real %s: there are no evaluation data in ../shared/data or BIOMETRIC_DATA" % modality.table)
            return 0
        n = 0
        with Connection() as db:
            db.prepare("enrol", "INSERT INTO %s VALUES ($1, $2)" % table)
            for name, enrolled, probes in modality.real(self.data):
                for identity, template in enrolled.items():
                    db.run("enrol", struct.pack(">q", identity), template)
                self.real[modality].append((name, probes))
                n += len(enrolled)
        if n == 0:
            skip("real %s: there are none below %s that could be read" % (modality.table, self.data))
        return n

    def templates(self, modality, arguments):
        """Made-up templates in binary, of (number, capture)."""
        with Connection() as db:
            db.execute("CREATE TEMPORARY TABLE wanted (i serial, n bigint, capture int)")
            for first in range(0, len(arguments), 1000):
                db.execute("INSERT INTO wanted (n, capture) VALUES %s"
                           % ", ".join("(%d, %d)" % a for a in arguments[first:first + 1000]))
            db.prepare("made", "SELECT %s(n, capture) FROM wanted ORDER BY i" % modality.synthesis)
            return [row[0] for row in db.run("made")[0]]

    def probes(self, modality, rows, n):
        """Probes for timing: every other one of somebody enrolled, all of another capture than that."""
        return self.templates(modality, [
            (1 + (i * 7919) % rows if i % 2 == 0 else LATER // 2 + i, 1) for i in range(n)])

    # -- searches -------------------------------------------------------------

    def searcher(self, modality, rows, settings, mode=EXACT, rate=None, limit=10, what="id", threshold=None):
        """A session with a prepared search, and whether it runs in parallel."""
        table = "%s_%d" % (modality.table, rows) if isinstance(rows, int) else rows
        db = Connection(settings)
        if self.has_fast:
            db.execute("SET biometric.search_mode = %s" % mode)
            if rate:
                db.execute("SET biometric.penetration_rate = %g" % rate)
        statement = "SELECT %s FROM %s %sORDER BY %s <-> %%s LIMIT %d" % (
            what, table, "WHERE %s %% probe(%%s, %g) " % (modality.column, threshold) if threshold else "",
            modality.column, limit)
        example = "%s(1, 1)" % modality.synthesis
        plan = "\n".join(row[0] for row in db.execute("EXPLAIN " + fill(statement, example)))
        if ("Seq Scan" if settings.get("enable_indexscan") == "off" else table + "_index") not in plan:
            raise Error("the planner chooses another plan than is to be measured:\n%s\n%s" % (statement, plan))
        db.prepare("search", fill(statement, "$1::" + modality.type))
        return db, plan

    def time_searches(self, modality, rows, db, probes, label, processes, detail="", budget=60.0, least=3):
        """Times of the searches for probes, as far as the budget goes."""
        times = []
        for probe in probes[:6] if len(probes) > 30 else probes[:1]:
            db.run("search", probe)
        start = time.perf_counter()
        for i, probe in enumerate(probes):
            seconds = db.run("search", probe)[1]
            times.append(seconds)
            self.out.write("latency", modality.name, rows, label, processes, detail, i, seconds * 1000)
            if time.perf_counter() - start > budget and i + 1 >= least:
                break
        say("  %s of %s %s, %s: median %.2f ms of %d" % (
            ", ".join(filter(None, (label, detail))), rows, modality.table, by(processes), 1000 * median(times), len(times)))
        return times

    def latency(self, modality):
        for rows in self.rows:
            self.latency_of(modality, rows)
            self.out.deliver()

    def latency_of(self, modality, rows):
        probes = self.probes(modality, rows, 200)
        budget = 6.0 if self.quick else 60.0
        index = "%s_%d_index" % (modality.table, rows)

        with Connection() as db:
            size = int(db.value("SELECT pg_relation_size('%s')" % index))
        self.warm(modality, rows)
        if not self.options.memory:
            # best of five reads of as many bytes
            wide = max(1, size // rows)
            read = float(subprocess.run(["test/bench/build/iris", "read", str(wide), str(min(rows, (1 << 30) // wide))],
                                        check=True, capture_output=True, text=True).stdout)
            self.figure("latency", modality, rows, "memory read, ns an entry", read)

        with Connection(ONE) as db:
            db.prepare("search", "SELECT $1::%s IS NULL" % modality.type)
            self.time_searches(modality, rows, db, probes, "round trip", 1, budget=budget)

        if rows == min(self.rows):
            # nothing kept between comparisons: every template is decoded again
            db, _ = self.searcher(modality, rows, dict(ONE, enable_indexscan="off", enable_bitmapscan="off"))
            with db:
                self.time_searches(modality, rows, db, probes[:10], "sequential scan", 1, budget=budget)
            self.all_mated(modality)

        db, plan = self.searcher(modality, rows, ONE)
        with db:
            self.time_searches(modality, rows, db, probes[:30 if rows > 100000 else 100], EXACT, 1, budget=budget)
            self.figure("latency", modality, rows, "blocks read while warm", self.blocks_read(db, modality, rows))
        for settings, processes in ((ONE, 1), (TWO, 2)):
            for threshold in (60, 40):
                db, plan = self.searcher(modality, rows, settings, threshold=threshold)
                with db:
                    if processes == 1 or "Gather" in plan:
                        self.time_searches(modality, rows, db, probes[:30], EXACT, processes, "from score %d" % threshold,
                                           budget=budget / 3)
        db, plan = self.searcher(modality, rows, TWO)
        with db:
            if "Gather" in plan:
                self.time_searches(modality, rows, db, probes[:30 if rows > 100000 else 100], EXACT, 2, budget=budget)
            else:
                skip("exact search of %d %s by two processes: the planner makes no parallel plan" % (rows, modality.table))

        if self.has_fast:
            db, plan = self.searcher(modality, rows, ONE, FAST)
            with db:
                self.time_searches(modality, rows, db, probes, FAST, 1, budget=budget)
            for rate in RATES:
                if rate != self.default_rate:
                    db, plan = self.searcher(modality, rows, ONE, FAST, rate)
                    with db:
                        self.time_searches(modality, rows, db, probes[:50], FAST, 1, "at %g" % rate, budget=budget / 3)
            self.throughput(modality, rows, probes)

    def all_mated(self, modality):
        """The full comparison of every row: a gallery of captures of the probe's own finger or eye."""
        n = 2000
        with Connection(ONE) as db:
            table = "%s_mated" % modality.table
            db.execute("CREATE TABLE %s (id bigint, %s %s)" % (table, modality.column, modality.column_type))
            db.execute("INSERT INTO %s SELECT i, %s(1, i) FROM generate_series(0, %d) i" % (table, modality.synthesis, n - 1))
            db.execute("CREATE INDEX %s_index ON %s USING biometric (%s)" % (table, table, modality.column))
            db.execute("VACUUM ANALYZE %s" % table)
        db, plan = self.searcher(modality, table, dict(ONE, enable_seqscan="off"))
        with db:
            self.time_searches(modality, n, db, self.templates(modality, [(1, n + i) for i in range(30)]),
                               "all mated", 1, budget=5)

    def throughput(self, modality, rows, probes):
        """Fast searches of two sessions at the same time."""
        seconds = 2.0 if self.quick else 5.0
        end = time.perf_counter() + seconds

        def work(share):
            n = 0
            db, _ = self.searcher(modality, rows, ONE, FAST)
            with db:
                while time.perf_counter() < end:
                    db.run("search", share[n % len(share)])
                    n += 1
            return n
        start = time.perf_counter()
        n = sum(together(lambda: work(probes[0::2]), lambda: work(probes[1::2])))
        self.figure("latency", modality, rows, "fast searches a second, two sessions", n / (time.perf_counter() - start))

    def blocks_read(self, db, modality, rows):
        plan = "\n".join(row[0] for row in db.execute(
            "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF, SUMMARY OFF) SELECT id FROM %s_%d ORDER BY %s <-> %s(1, 1) LIMIT 10"
            % (modality.table, rows, modality.column, modality.synthesis)))
        found = re.search(r"read=(\d+)", plan)
        return int(found.group(1)) if found else 0

    def warm(self, modality, rows):
        with Connection() as db:
            if db.execute("SELECT FROM pg_available_extensions WHERE name = 'pg_prewarm'"):
                db.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
                for relation in ("%s_%d", "%s_%d_index"):
                    db.execute("SELECT pg_prewarm('%s')" % (relation % (modality.table, rows)))

    # -- recall ---------------------------------------------------------------

    def recall(self, modality):
        if not self.has_fast:
            skip("recall: there are no fast searches")
            return
        for rows in [rows for rows in self.rows if rows == self.largest or rows >= 100000]:
            n = 100 if self.quick else 500 if modality is Fingers else 1500
            step = max(1, rows // n)
            numbers = [1 + i * step for i in range(min(n, rows))]
            sets = [("synthetic", list(zip(numbers, self.templates(modality, [(i, 1) for i in numbers]))))]
            sets += self.real[modality]
            work = [(name, i, mate, template) for name, probes in sets for i, (mate, template) in enumerate(probes)]
            # whatever is not reached in time is missing from all sets alike
            random.Random(1).shuffle(work)
            self.recall_of(modality, rows, work)
            self.out.deliver()

    def recall_of(self, modality, rows, work):
        end = time.perf_counter() + (20 if self.quick else 600)
        what = "id, %s <-> %%s" % modality.column

        def first(db, mate, template):
            """Whether the mate is ranked first, alone; and its distance."""
            found = [struct.unpack(">q", i) + struct.unpack(">d", d) for i, d in db.run("search", template)[0]]
            found = [row for row in found if row[0] != modality.twin(mate)]
            if not found or found[0][0] != mate or (len(found) > 1 and found[1][1] <= found[0][1]):
                return False, None
            return True, found[0][1]

        def search(share, mode, rate):
            results = []
            db, _ = self.searcher(modality, rows, ONE, mode, rate, 3, what)
            with db:
                for name, i, mate, template in share:
                    if mode == EXACT and time.perf_counter() > end:
                        break
                    results.append((name, i, mate, template) + first(db, mate, template))
            return results

        def both(work, mode, rate=None):
            halves = together(lambda: search(work[0::2], mode, rate), lambda: search(work[1::2], mode, rate))
            return halves[0] + halves[1]

        exact = both(work, EXACT)
        say("  recall of %d %s: %d of %d probes searched for exactly" % (rows, modality.table, len(exact), len(work)))
        for rate in sorted(set(RATES) | {self.default_rate}):
            fast = both([e[:4] for e in exact], FAST, rate)
            # both() deals the same way each time, but in halves of another list
            found = {(f[0], f[1]): f[4] for f in fast}
            hits = total = 0
            for name, i, _, _, exact_first, distance in exact:
                fast_first = found[name, i]
                self.out.write("recall", modality.name, rows, name, i, int(exact_first),
                               "" if distance is None else float(distance), rate, int(fast_first))
                total += exact_first
                hits += exact_first and fast_first
            say("  recall of %d %s at %g: %d of %d" % (rows, modality.table, rate, hits, total))

    # -- build ----------------------------------------------------------------

    def build(self, modality):
        measured = "build" in self.parts
        for rows in self.rows:
            table = "%s_%d" % (modality.table, rows)
            for processes in (1, 2) if measured else (2,):
                with Connection({"max_parallel_maintenance_workers": processes - 1, "min_parallel_table_scan_size": 0}) as db:
                    db.execute("DROP INDEX IF EXISTS %s_index" % table)
                    db.execute("CHECKPOINT")
                    wal = db.value("SELECT pg_current_wal_lsn()")
                    watch = Workers(db.value("SELECT pg_backend_pid()"))
                    start = time.perf_counter()
                    db.execute("CREATE INDEX %s_index ON %s USING biometric (%s)" % (table, table, modality.column))
                    seconds = time.perf_counter() - start
                    workers = watch.stop()
                    if processes == 2 and workers == 0:
                        skip("build of %d %s by two processes: no worker was seen to help" % (rows, modality.table))
                    else:
                        self.figure("build", modality, rows, "seconds, %d processes" % processes, seconds)
                        self.figure("build", modality, rows, "WAL bytes, %d processes" % processes,
                                    int(db.value("SELECT pg_current_wal_lsn() - '%s'" % wal)))
                        say("  built the index of %d %s, %s: %.1f s" % (rows, modality.table, by(processes), seconds))
            self.sizes(modality, rows)
            self.out.deliver()

    def sizes(self, modality, rows):
        table = "%s_%d" % (modality.table, rows)
        with Connection() as db:
            self.figure("size", modality, rows, "index bytes", int(db.value("SELECT pg_relation_size('%s_index')" % table)))
            self.figure("size", modality, rows, "table bytes", int(db.value("SELECT pg_table_size('%s')" % table)))
            values = db.execute("SELECT * FROM biometric_index_stats('%s_index')" % table)[0]
            for name, value in zip(db.columns, values):
                self.figure("size", modality, rows, name, value)
            if db.value("SELECT to_regproc('biometric_index_estimate') IS NULL") == "t":
                return
            # as somebody would ask before there is an index, with one template of common size
            for processes in (1, 2):
                values = db.execute("""
                    SELECT e.* FROM (SELECT {c} FROM {t}, (SELECT avg(pg_column_size({c})) AS usual FROM {t}) u
                                     ORDER BY abs(pg_column_size({c}) - usual) LIMIT 1) sample,
                        biometric_index_estimate({n}, {c}, {w}) e""".format(
                    c=modality.column, t="%s_%d" % (modality.table, min(self.rows)), n=rows, w=processes - 1))[0]
                for name, value in zip(db.columns, values):
                    self.figure("estimate", modality, rows, "%s, %d processes" % (name, processes), value)

    # -- cold -----------------------------------------------------------------

    def cold(self, modality):
        rows = self.largest
        probes = self.probes(modality, rows, 40)
        times = []
        for i in range(2 if self.quick else 5):
            if not self.has_fast:
                skip("cold fast search: there are no fast searches")
                break
            self.server.restart_cold()
            if i == 0:
                self.cold_read(modality, rows)
                self.server.restart_cold()
            db = self.cold_session(modality, FAST)
            with db:
                seconds = db.run("search", probes[i])[1]
                self.out.write("latency", modality.name, rows, FAST, 1, "first, cold", i, seconds * 1000)
                times.append(seconds)
        if times:
            say("  first fast search of %d %s, cold: median %.1f ms" % (rows, modality.table, 1000 * median(times)))
            # the same session goes on: how it warms up
            db = self.cold_session(modality, FAST)
            with db:
                end = time.perf_counter() + 20
                for i, probe in enumerate(probes[5:]):
                    seconds = db.run("search", probe)[1]
                    self.out.write("latency", modality.name, rows, FAST, 1, "warming", i, seconds * 1000)
                    if time.perf_counter() > end:
                        break
        for i in range(1 if self.quick else 2):
            self.server.restart_cold()
            if i == 0 and not times:
                self.cold_read(modality, rows)
                self.server.restart_cold()
            db = self.cold_session(modality, EXACT)
            with db:
                seconds = db.run("search", probes[i])[1]
                self.out.write("latency", modality.name, rows, EXACT, 1, "first, cold", i, seconds * 1000)
                say("  first exact search of %d %s, cold: %.1f s" % (rows, modality.table, seconds))
        self.out.deliver()

    def cold_session(self, modality, mode):
        """A session that has the catalogs and the library, but nothing of the large index."""
        db, _ = self.searcher(modality, self.largest, ONE, mode)
        return db

    def cold_read(self, modality, rows):
        """What the disk gives, read in order by one process."""
        with Connection() as db:
            path = db.value("SELECT pg_relation_filepath('%s_%d_index')" % (modality.table, rows))
        start = time.perf_counter()
        n = 0
        for path in sorted(glob.glob(os.path.join(self.server.data, path)) + glob.glob(os.path.join(self.server.data, path + ".*"))):
            with open(path, "rb", buffering=0) as file:
                while True:
                    chunk = file.read(1 << 20)
                    if not chunk:
                        break
                    n += len(chunk)
        self.figure("cold", modality, rows, "disk, bytes a second", n / (time.perf_counter() - start))

    # -- insert ---------------------------------------------------------------

    def insert(self, modality):
        rows = self.largest
        n = 4000 if self.quick else 20000
        table = "%s_%d" % (modality.table, rows)
        self.warm(modality, rows)
        with Connection() as db:
            db.execute("CREATE TABLE %s_plain (LIKE %s)" % (modality.table, table))
        templates = self.templates(modality, [(LATER + i, 0) for i in range(n)])
        for how, target, group in (("no index, one by one", "%s_plain" % modality.table, 1),
                                   ("no index, 100 a transaction", "%s_plain" % modality.table, 100),
                                   ("one by one", table, 1), ("100 a transaction", table, 100)):
            # one by one is the disk's speed
            self.insert_into(modality, rows, target, how, templates if group > 1 else templates[:n // 2], group)
        if self.has_fast:
            probes = self.probes(modality, rows, 60)
            db, _ = self.searcher(modality, rows, ONE, FAST)
            with db:
                self.time_searches(modality, rows, db, probes, FAST, 1, "after inserts", budget=20)
        self.out.deliver()

    def insert_into(self, modality, rows, target, how, templates, group):
        times = []
        with Connection() as db:
            db.execute("CHECKPOINT")
            wal = db.value("SELECT pg_current_wal_lsn()")
            db.prepare("insert", "INSERT INTO %s VALUES ($1, $2)" % target)
            start = time.perf_counter()
            for i, template in enumerate(templates):
                if group > 1 and i % group == 0:
                    db.execute("BEGIN")
                times.append(db.run("insert", struct.pack(">q", LATER + i), template)[1])
                if group > 1 and i % group == group - 1:
                    db.execute("COMMIT")
            if group > 1 and len(templates) % group:
                db.execute("COMMIT")
            seconds = time.perf_counter() - start
            wal = int(db.value("SELECT pg_current_wal_lsn() - '%s'" % wal))
        for i, t in enumerate(times):
            self.out.write("insert", modality.name, rows, how, i, t * 1000)
        self.figure("insert", modality, rows, "rows a second, " + how, len(times) / seconds)
        self.figure("insert", modality, rows, "WAL bytes a row, " + how, wal / len(times))
        say("  inserts into %d %s, %s: %.0f rows/s, slowest %.1f ms" % (
            rows, modality.table, how, len(times) / seconds, 1000 * max(times)))

    # -- vacuum ---------------------------------------------------------------

    def vacuum(self, modality):
        rows = self.largest
        table = "%s_%d" % (modality.table, rows)
        with Connection() as db:
            # so that only the deletions are left to do
            db.execute("VACUUM %s" % table)
            deleted = int(db.value("WITH d AS (DELETE FROM %s WHERE id > 0 AND id %% 10 = 3 RETURNING 1) SELECT count(*) FROM d" % table))
            start = time.perf_counter()
            db.execute("VACUUM (INDEX_CLEANUP ON, PARALLEL 0) %s" % table)
            seconds = time.perf_counter() - start
        self.figure("vacuum", modality, rows, "deleted", deleted)
        self.figure("vacuum", modality, rows, "seconds", seconds)
        say("  vacuum of %d %s, a tenth deleted: %.1f s" % (rows, modality.table, seconds))
        self.out.deliver()

    # -- all of it ------------------------------------------------------------

    def run(self):
        self.stolen = stolen()
        self.server.restart()
        with Connection() as db:
            db.execute("CREATE EXTENSION biometric")
        self.describe()
        subprocess.run(["test/bench/run", "iris", "read", "8", "1"], check=True, stdout=subprocess.DEVNULL)
        for modality in (Fingers, Eyes):
            if self.options.modality not in (None, modality.name):
                continue
            self.load(modality)
            self.build(modality)
            for part in PARTS:
                if part in self.parts and part != "build":
                    getattr(self, part)(modality)
            with Connection() as db:
                for (table,) in db.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%s\\_%%'" % modality.table):
                    db.execute("DROP TABLE %s" % table)
        self.out.write("machine", "load at the end", "%.2f" % os.getloadavg()[0])
        self.out.write("machine", "minutes", "%.0f" % ((time.monotonic() - STARTED) / 60))
        theirs, all_ticks = stolen()
        self.out.write("machine", "time taken by the hypervisor", "%.1f %%" % (
            100 * (theirs - self.stolen[0]) / max(1, all_ticks - self.stolen[1])))


class Workers:
    """How many workers help a backend, seen from another session."""

    def __init__(self, leader):
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, args=(leader,), daemon=True)
        self.thread.start()

    def watch(self, leader):
        with Connection() as db:
            while not self.ended.wait(0.02):
                self.most = max(self.most, int(db.value("SELECT count(*) FROM pg_stat_activity WHERE leader_pid = %s" % leader)))

    def stop(self):
        self.ended.set()
        self.thread.join()
        return self.most


def fill(statement, value):
    """The statement with a value wherever the probe goes."""
    return statement.replace("%s", value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows")
    parser.add_argument("--modality", choices=(Fingers.name, Eyes.name))
    parser.add_argument("--only")
    parser.add_argument("--shared-buffers")
    parser.add_argument("--memory")
    parser.add_argument("--limited", action="store_true")
    options = parser.parse_args()
    rows = options.rows or ("10000,30000" if options.quick else "1000000" if options.memory else "10000,100000,1000000")
    options.rows = sorted({int(float(n)) for n in rows.split(",")})
    only = options.only or ("build,latency,cold" if options.memory else ",".join(PARTS))
    options.only = only.split(",")
    if set(options.only) - set(PARTS):
        parser.error("--only takes " + ", ".join(PARTS))
    bench = Bench(options)
    try:
        bench.run()
    finally:
        bench.out.close()


if __name__ == "__main__":
    sys.exit(main())
