"""Table and plots out of what "search" measured: FOLDER/raw/*.csv.

	search_report.py FOLDER
"""
import collections
import csv
import math
import os
import shutil
import subprocess
import sys

MODALITIES = (("fingerprint", "fingers", "a finger"), ("iris", "eyes", "an eye"))


def read(folder, name):
    with open(os.path.join(folder, "raw", name + ".csv"), newline="") as file:
        return list(csv.DictReader(file))


def quantile(values, q):
    """Between the two values nearest to it; values are sorted."""
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def wilson(hits, n):
    """Interval of a share that holds 95 % (Wilson 1927)."""
    z = 1.959964
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def digits(value, n=3):
    """A number to n significant digits, thousands apart."""
    if value == 0:
        return "0"
    places = max(0, n - 1 - int(math.floor(math.log10(abs(value)))))
    return "{:,.{}f}".format(round(value, places) if places else round(value, n - 1 - int(math.floor(math.log10(abs(value))))),
                             places).replace(",", " ")


def count(n):
    return "{:,}".format(n).replace(",", " ")


def percent(share):
    return "%.1f" % (100 * share)


def rate_name(rate):
    return "%g %%" % (100 * rate)


class Times(list):
    """Sorted milliseconds."""

    @property
    def median(self):
        return quantile(self, 0.5)

    @property
    def p99(self):
        return quantile(self, 0.99)


class Report:
    def __init__(self, folder):
        self.folder = folder
        self.machine = {row["name"]: row["value"] for row in read(folder, "machine")}
        self.figures = {(row["part"], row["modality"], int(row["rows"]), row["name"]): row["value"]
                        for row in read(folder, "figures")}
        times = collections.defaultdict(Times)
        for row in read(folder, "latency"):
            times[row["modality"], int(row["rows"]), row["search"], int(row["processes"]), row["detail"]].append(float(row["ms"]))
        for values in times.values():
            values.sort()
        self.times = dict(times)
        self.inserts = collections.defaultdict(Times)
        for row in read(folder, "insert"):
            self.inserts[row["modality"], int(row["rows"]), row["how"]].append(float(row["ms"]))
        for values in self.inserts.values():
            values.sort()
        # (hits, of) by modality, rows, set, rate; and the mates that exact ranks first
        self.recall = collections.defaultdict(lambda: [0, 0])
        self.ranked = {}
        for row in read(folder, "recall"):
            sets = [row["set"]]
            if row["set"] == "synthetic" and row["modality"] == "iris" and row["mate_distance"]:
                distance = float(row["mate_distance"])
                sets.append("synthetic, %s capture" % (
                    "good" if distance < 0.2 else "fair" if distance < 0.28 else "poor"))
            for name in sets:
                cell = self.recall[row["modality"], int(row["rows"]), name, float(row["rate"])]
                if row["exact_first"] == "1":
                    cell[1] += 1
                    cell[0] += row["fast_first"] == "1"
            self.ranked.setdefault((row["modality"], int(row["rows"]), row["set"]), {})[row["probe"]] = row["exact_first"] == "1"
        self.default_rate = float(self.machine.get("default penetration rate") or "nan")
        self.lines = []

    def number(self, part, modality, rows, name):
        value = self.figures.get((part, modality, rows, name))
        return None if value is None else float(value)

    def rows_of(self, modality):
        return sorted({rows for part, m, rows, name in self.figures if m == modality and part == "size"})

    def say(self, *lines):
        self.lines += lines

    def table(self, head, rows):
        if rows:
            self.say("", "| " + " | ".join(head) + " |", "|" + "---|" * len(head))
            self.say(*("| " + " | ".join(row) + " |" for row in rows))

    # -- tables -----------------------------------------------------------------

    def run(self):
        self.say("# Search benchmark", "",
                 "Written by `test/bench/search`. Times are those a client sees: prepared statement, binary parameter and result, socket.",
                 "p99 of fewer than 100 searches is near the slowest.")
        self.table(("machine", ""), [(name, value) for name, value in self.machine.items() if name not in ("rows",)])
        self.wanted()
        for modality, many, one in MODALITIES:
            if not self.rows_of(modality):
                continue
            self.say("", "## " + many.capitalize())
            self.searches(modality, one)
            self.baselines(modality, many)
            self.growth(modality)
            self.recalls(modality)
            self.cold(modality)
            self.build(modality, one)
            self.insert(modality)
        with open(os.path.join(self.folder, "table.md"), "w") as file:
            file.write("\n".join(self.lines) + "\n")

    def get(self, modality, rows, search, processes=1, detail=""):
        return self.times.get((modality, rows, search, processes, detail))

    def per_core(self, modality, rows):
        """Entries that one process compares a second in an exact search."""
        times = self.get(modality, rows, "exact")
        return rows / (times.median / 1000) if times else None

    def wanted(self):
        rows = []

        def row(work, wanted, measured, good, at):
            # what is wanted of a million is not judged by less
            rows.append((work, wanted, "not measured" if measured is None else measured + at,
                         "" if measured is None or at else "yes" if good else "no"))

        for modality, many, one in MODALITIES:
            sizes = self.rows_of(modality)
            if not sizes:
                continue
            largest = sizes[-1]
            at = "" if largest == 1000000 else " (at %s)" % count(largest)
            speed = self.per_core(modality, largest)
            least = 500000 if modality == "fingerprint" else 8000000
            row("exact, %s, entries a second and core" % many, ">= " + count(least), speed and digits(speed), speed and speed >= least, at)
            one_process, two = self.get(modality, largest, "exact"), self.get(modality, largest, "exact", 2)
            ratio = one_process.median / two.median if one_process and two else None
            if modality == "fingerprint":
                row("exact, two processes to one", ">= 1.7", ratio and "%.2f" % ratio, ratio and ratio >= 1.7, at)
            fast = self.get(modality, largest, "fast")
            limit, limit99 = (20, 60) if modality == "fingerprint" else (10, None)
            row("fast, %s, median" % many, "<= %d ms" % limit, fast and "%.1f ms" % fast.median, fast and fast.median <= limit, at)
            if limit99:
                row("fast, %s, p99" % many, "<= %d ms" % limit99, fast and "%.1f ms" % fast.p99, fast and fast.p99 <= limit99, at)
            for (m, n, name, rate), (hits, of) in sorted(self.recall.items()):
                if m == modality and n == largest and rate == self.default_rate and of:
                    good = 0.98 if modality == "fingerprint" else 0.99
                    judged = modality == "fingerprint" or name == "synthetic, good capture"
                    rows.append(("fast, mates ranked first: " + name,
                                 ">= %d %%" % (100 * good) if judged else "published",
                                 "%s %% (%s to %s)" % ((percent(hits / of),) + tuple(map(percent, wilson(hits, of)))) + at,
                                 ("yes" if hits / of >= good else "no") if judged and not at else ""))
            if modality == "fingerprint":
                build = self.number("build", modality, largest, "seconds, 2 processes")
                row("build, two processes", "<= 6 minutes", build and "%.1f minutes" % (build / 60),
                    build and build <= 360, at)
                size = self.number("size", modality, largest, "index bytes")
                row("index, a finger", "<= 1.5 kB", size and "%.0f bytes" % (size / largest), size and size / largest <= 1500, at)
                for how in ("one by one", "100 a transaction"):
                    insert = self.number("insert", modality, largest, "rows a second, " + how)
                    row("insert, rows a second, " + how, ">= 3 000", insert and digits(insert), insert and insert >= 3000, at)
                times = self.inserts.get((modality, largest, "one by one"))
                row("insert, p99", "<= 50 ms", times and "%.2f ms" % times.p99, times and times.p99 <= 50, at)
            for search, good in (("exact", "linear"), ("fast", "below linear")):
                a, b = self.get(modality, largest // 10, search), self.get(modality, largest, search)
                ratio = b.median / a.median if a and b else None
                row("growth, %s, ten times the %s" % (search, many), good, ratio and "%.1f times the time" % ratio,
                    ratio and (8 < ratio < 12 if search == "exact" else ratio < 8), at)
        self.say("", "## Wanted and measured")
        self.table(("work", "wanted", "measured", "reached"), rows)

    def searches(self, modality, one):
        rows = []
        for n in self.rows_of(modality):
            read_time = self.number("latency", modality, n, "memory read, ns an entry")
            for (m, r, search, processes, detail), times in self.times.items():
                if m != modality or r != n or search not in ("exact", "fast") or "cold" in detail or detail == "warming":
                    continue
                entry = times.median * 1e6 / n
                rate = ""
                if search == "fast":
                    both = self.number("latency", modality, n, "fast searches a second, two sessions")
                    rate = digits(1000 / (sum(times) / len(times)))
                    if not detail and both:
                        rate += "; two sessions " + digits(both)
                rows.append((count(n), search + (", " + detail if detail else ""), str(processes), str(len(times)),
                             digits(times.median), digits(times.p99),
                             digits(1e9 / entry / processes) if search == "exact" else "", rate,
                             "%.1f" % (entry / read_time) if read_time and search == "exact" else ""))
        self.table(("rows", "search", "processes", "searches", "median, ms", "p99, ms", "entries a second and core", "searches a second",
                    "times a memory read"), rows)
        for n in self.rows_of(modality):
            blocks = self.number("latency", modality, n, "blocks read while warm")
            if blocks:
                self.say("", "Not all was in shared buffers: an exact search of %s read %s of %s blocks."
                         % (count(n), count(int(blocks)), count(int(self.number("size", modality, n, "pages")))))

    def baselines(self, modality, many):
        rows = []
        least = min(self.rows_of(modality))
        exact = self.get(modality, least, "exact")
        for (m, n, search, processes, detail), times in self.times.items():
            if m != modality or search not in ("round trip", "sequential scan", "all mated"):
                continue
            what = {"round trip": "a statement that takes a template and searches nothing",
                    "sequential scan": "sequential scan, no index: every template decoded and compared",
                    "all mated": "exact search where every entry is a mate: no comparison ends early"}[search]
            if search == "round trip":
                rows.append((what, count(n), digits(times.median), "", ""))
            else:
                rows.append((what, count(n), digits(times.median), digits(times.median * 1e6 / n),
                             "%.1f" % (times.median / n / (exact.median / least)) if exact else ""))
        for n in self.rows_of(modality):
            time = self.number("latency", modality, n, "memory read, ns an entry")
            if time:
                exact = self.get(modality, n, "exact")
                rows.append(("memory read of as many bytes as the index has", count(n), digits(time * n / 1e6), digits(time),
                             "%.4f" % (time * n / 1e6 / exact.median) if exact else ""))
        self.say("", "Baselines of the same run:")
        self.table(("baseline", "rows", "median, ms", "ns an entry", "time an entry, times that of an exact search"), rows)

    def growth(self, modality):
        rows = []
        sizes = self.rows_of(modality)
        for small, big in zip(sizes, sizes[1:]):
            row = ["%s to %s" % (count(small), count(big)), "%.1f" % (big / small)]
            for search, processes in (("exact", 1), ("exact", 2), ("fast", 1)):
                a, b = self.get(modality, small, search, processes), self.get(modality, big, search, processes)
                row.append("%.1f" % (b.median / a.median) if a and b else "")
            rows.append(row)
        self.table(("growth", "rows, times", "exact", "exact, two processes", "fast"), rows)

    def recalls(self, modality):
        rows = []
        for n in sorted({key[1] for key in self.recall if key[0] == modality}):
            for name in sorted({key[2] for key in self.recall if key[:2] == (modality, n)}):
                rates = sorted(key[3] for key in self.recall if key[:3] == (modality, n, name))
                cells = []
                of = 0
                for rate in rates:
                    hits, of = self.recall[modality, n, name, rate]
                    cells.append("%s (%s to %s)" % ((percent(hits / of),) + tuple(map(percent, wilson(hits, of)))) if of else "")
                ranked = self.ranked.get((modality, n, name))
                rows.append([count(n), name, "%d of %d" % (of, len(ranked)) if ranked else str(of)] + cells)
        if rows:
            self.say("", "Of the mates that exact search ranks first, those that fast search ranks first, percent, by penetration rate; intervals hold 95 %."
                     + (" Good captures are less than 0.2 from their mate, poor ones 0.28 or more." if modality == "iris" else ""))
            self.table(["rows", "probes", "exact first"] + [rate_name(rate) for rate in rates], rows)

    def cold(self, modality):
        rows = []
        for (m, n, search, processes, detail), times in self.times.items():
            if m == modality and ("cold" in detail or detail == "warming"):
                rows.append((count(n), search + ", " + detail, str(len(times)), digits(times.median), digits(times[-1])))
        speeds = [(n, float(value)) for (part, m, n, name), value in self.figures.items()
                  if part == "cold" and m == modality and name == "disk, bytes a second"]
        for n, speed in speeds:
            size = self.number("size", modality, n, "index bytes")
            rows.append((count(n), "the index's file read in order from disk, %.0f MB/s" % (speed / 1e6), "1",
                         digits(size / speed * 1000), ""))
        self.table(("rows", "cold", "times", "median, ms", "slowest, ms"), rows)

    def build(self, modality, one):
        rows = []
        for n in self.rows_of(modality):
            row = [count(n)]
            for processes in (1, 2):
                seconds = self.number("build", modality, n, "seconds, %d processes" % processes)
                row.append("%.1f" % seconds if seconds else "")
            wal = self.number("build", modality, n, "WAL bytes, 1 processes") or self.number("build", modality, n, "WAL bytes, 2 processes")
            size = self.number("size", modality, n, "index bytes")
            row.append("%.0f" % (wal / n) if wal else "")
            row.append("%.0f" % (self.number("size", modality, n, "table bytes") / n))
            row.append("%.0f" % (size / n))
            kinds = []
            for (part, m, r, name), value in self.figures.items():
                if part == "size" and m == modality and r == n and name.endswith("pages") and name not in ("pages", "empty_pages"):
                    if float(value):
                        kinds.append("%s %.0f" % (name[:-5].strip("_"), float(value) * 8192 / n))
            entry = self.number("size", modality, n, "entry_bytes")
            entries = self.number("size", modality, n, "entries")
            if entry and entries:
                kinds.append("(entries themselves %.0f)" % (entry / entries))
            row.append(", ".join(kinds))
            rows.append(row)
        self.table(("rows", "build, s", "build by two processes, s", "WAL of the build, bytes a row", "table, bytes a row",
                    "index, bytes " + one, "by kind of page"), rows)

        rows = []
        for n in self.rows_of(modality):
            row = [count(n)]
            for part, name in (("index bytes", "index_bytes"), ("seconds", "build_seconds")):
                for processes in (1, 2) if part == "seconds" else (1,):
                    true = self.number("size" if part == "index bytes" else "build", modality, n,
                                       part + (", %d processes" % processes if part == "seconds" else ""))
                    said = self.number("estimate", modality, n, "%s, %d processes" % (name, processes))
                    row.append("%s (%.2f)" % (digits(said), said / true) if said and true else "")
            if any(row[1:]):
                rows.append(row)
        self.table(("rows", "estimated: index, bytes (times measured)", "build, s", "build by two processes, s"), rows)

    def insert(self, modality):
        rows = []
        for (m, n, how), times in self.inserts.items():
            if m == modality:
                rows.append((count(n), how, count(len(times)), digits(self.number("insert", modality, n, "rows a second, " + how)),
                             digits(times.median), digits(times.p99), digits(times[-1]),
                             "%.0f" % self.number("insert", modality, n, "WAL bytes a row, " + how)))
        self.table(("rows", "inserts", "number", "rows a second", "median, ms", "p99, ms", "slowest, ms", "WAL, bytes a row"), rows)
        rows = []
        for (part, m, n, name), value in self.figures.items():
            if part == "vacuum" and m == modality and name == "seconds":
                rows.append((count(n), count(int(self.number("vacuum", modality, n, "deleted"))), "%.1f" % float(value)))
        self.table(("rows", "deleted", "vacuum, s"), rows)

    # -- plots ------------------------------------------------------------------

    def plots(self):
        if shutil.which("gnuplot") is None:
            print("SKIPPED: plots: gnuplot is not installed", flush=True)
            return
        present = [m for m in MODALITIES if self.rows_of(m[0])]
        self.plot("latency", [self.latency_panel(*m) for m in present])
        self.plot("recall", [self.recall_panel(*m) for m in present])
        self.plot("build", [self.build_panel(*m) for m in present])
        self.plot("insert", [self.insert_panel(*m) for m in present])

    def plot(self, name, panels):
        """Panels are (settings, [(title, style, points)]), side by side."""
        panels = [(settings, series) for settings, series in panels if series]
        if not panels:
            return
        for kind, terminal in (("svg", "svg size %d,400 font 'sans-serif,13' background rgb 'white'" % (480 * len(panels))),
                               ("png", "pngcairo size %d,800 font 'sans-serif,13' fontscale 1.4 linewidth 2 background rgb 'white'" % (960 * len(panels)))):
            script = ["set terminal " + terminal, "set output '%s.%s'" % (name, kind), "set encoding utf8",
                      "set grid lc rgb '#c8c8c8'", "set border 3", "set tics nomirror", "set key top left Left reverse samplen 2"]
            for i, color in enumerate(("#1f5f99", "#5fa8d3", "#c8553d", "#e9a03b", "#3c896d", "#7b5ea7", "#666666")):
                script.append("set style line %d lc rgb '%s' lw 1.5 pt 7 ps 0.5" % (i + 1, color))
            for p, (_, series) in enumerate(panels):
                for s, (_, _, points) in enumerate(series):
                    script += ["$d%d_%d << E" % (p, s)] + [" ".join("%.6g" % v for v in point) for point in points] + ["E"]
            script.append("set multiplot layout 1,%d" % len(panels))
            for p, (settings, series) in enumerate(panels):
                script += settings
                script.append("plot " + ", ".join("$d%d_%d %s title '%s'" % (p, s, style % {"ls": s + 1}, title)
                                                  for s, (title, style, _) in enumerate(series)))
            script.append("unset multiplot")
            done = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", cwd=self.folder, capture_output=True, text=True)
            if done.returncode:
                print("SKIPPED: plot %s.%s: %s" % (name, kind, done.stderr.strip().splitlines()[-1]), flush=True)

    def latency_panel(self, modality, many, one):
        series = []
        for search, processes, title in (("exact", 1, "exact"), ("exact", 2, "exact, two processes"), ("fast", 1, "fast")):
            points = [(n, t.median, t.median, t.p99) for n in self.rows_of(modality) for t in [self.get(modality, n, search, processes)] if t]
            if points:
                series.append((title, "using 1:2:3:4 with yerrorlines ls %(ls)d", points))
        return (["set logscale xy", "set format x '10^{%T}'", "set xlabel '%s in the gallery'" % many,
                 "set ylabel 'median to p99, ms'", "unset yrange", "set autoscale"], series)

    def recall_panel(self, modality, many, one):
        series = []
        sizes = sorted({key[1] for key in self.recall if key[0] == modality})
        for n in sizes[-1:]:
            for name in sorted({key[2] for key in self.recall if key[:2] == (modality, n)}):
                points = []
                for rate in sorted(key[3] for key in self.recall if key[:3] == (modality, n, name)):
                    hits, of = self.recall[modality, n, name, rate]
                    if of:
                        low, high = wilson(hits, of)
                        # a little apart, so that intervals do not hide each other
                        points.append((100 * rate * 1.04 ** len(series), 100 * hits / of, 100 * low, 100 * high))
                if points:
                    series.append((name, "using 1:2:3:4 with yerrorlines ls %(ls)d", points))
        return (["unset logscale", "set logscale x", "set format x '%g'", "set xlabel 'compared, %% of %s %s'" % (count(sizes[-1]) if sizes else "", many),
                 "set ylabel 'found of those exact ranks first, %'", "set key bottom right", "set autoscale", "set yrange [*:100]"], series)

    def build_panel(self, modality, many, one):
        series = []
        for processes, title in ((1, "one process"), (2, "two processes")):
            points = [(n, t) for n in self.rows_of(modality) for t in [self.number("build", modality, n, "seconds, %d processes" % processes)] if t]
            if points:
                series.append((title, "with linespoints ls %(ls)d", points))
        return (["set logscale xy", "set format x '10^{%T}'", "set xlabel '%s'" % many, "set ylabel 'build, s'", "set autoscale"], series)

    def insert_panel(self, modality, many, one):
        series = []
        for (m, n, how), times in self.inserts.items():
            if m == modality:
                size = len(times)
                places = sorted({min(size - 1, int(size * (1 - 10 ** (-i / 40 * math.log10(size))))) for i in range(41)})
                series.append((how, "with lines ls %(ls)d", [(times[i], (size - i) / size) for i in places]))
        return (["set logscale xy", "set format x '%g'", "set format y '10^{%T}'", "set xlabel 'insert of %s, ms'" % one,
                 "set ylabel 'share of inserts that take longer'", "set key top right Right noreverse", "set autoscale"], series)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    report = Report(sys.argv[1])
    report.run()
    report.plots()
    print("table.md and plots are in", sys.argv[1])


if __name__ == "__main__":
    main()
