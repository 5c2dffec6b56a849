"""
The generated constants of the fingerprint matcher, and how well they do on sets
that they were not trained on.

    train.py SETS EVIDENCE OUTPUT

SETS lists the sets of records, EVIDENCE is what the program "evidence" wrote of
them, and the constants go into the folder OUTPUT.  test/train/constants runs all
of it.  Tables for the documentation go to the standard output.

Deterministic on one version of numpy and scikit-learn: one thread, fixed seeds.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

# ---- options ---------------------------------------------------------------

# The trees.  More, or larger ones, gain nothing on sets left out.
TREES = dict(
    max_iter=120,
    learning_rate=0.07,
    max_leaf_nodes=8,
    min_samples_leaf=40,
    l2_regularization=3,
    early_stopping=False,
    random_state=1,
)

# Penalty of the linear rules on standardised slopes.
RIDGE = 1.0

# Of the non-mated pairs that look least alike one in EASY_STEP is used, with
# that weight: they tell nothing more, and most pairs are such.
EASY_SHARE = 0.8
EASY_STEP = 10

# Mated pairs, in percent, that a stage may turn away of those which the whole
# comparison accepts at an FMR of 1e-2 within their set: mean of an extractor's
# sets, left out of fitting.  Records without quality, and pairs of different
# extractors, are measured and not asked.
STAGE_LOSS = {"candidates": 0.18, "alignment": 0.10}
ASKED = ("mindtct", "own", "commercial")

# A pair that reaches this many decibans is worth finding: the stages are fitted
# to let it pass.
WORTH_FINDING = 10

# The calibration counts down to this many false matches of each group, and goes
# on from the pairs beyond TAIL with the slope that they have, less its error, but
# at most MOST_SLOPE decibans a unit: tails of single sets differ that much.
FEWEST = 10
TAIL = 2e-3
MOST_SLOPE = 4.0

# A single set may be this many times worse than its extractor's mean.
WORST_SET = 1.7

# Caps: percent of mated pairs, of each kind, that each cap may take below a level of
# decibans that they would reach.  The caps of a level together keep what is promised:
# 0.5 at 40 dB, 1 at 50, 0.3 beyond.
CAPS = ("words", "descriptors", "candidates", "alignment")
CAP_LOSS = {
    30: (0.1, 0.1, 0.1, 0.1),
    40: (0.1, 0.15, 0.2, 0.05),
    50: (0.35, 0.35, 0.25, 0.05),
    60: (0.14, 0.1, 0.05, 0.01),
    70: (0.14, 0.1, 0.05, 0.01),
    80: (0.14, 0.1, 0.05, 0.01),
}

# Levels that the table of caps shows
CAP_LEVELS_SHOWN = (40, 50, 60)

# Sets of these names have fingers cut to a window: only caps look at them.
CUT = ("rolled-flat", "partial")

KNOTS = [0, 1, 3, 5, 8, 10, 13, 16, 20, 23, 26, 30, 33, 36]
CEILING = 230

HEAD = ["set", "finger_a", "impression_a", "finger_b", "impression_b", "mated", "pairs"]
QUANTITIES = 29
CANDIDATES = 3
ALIGNMENT = 12
UNREPORTED = 28
CHEAP = 2


class Set:
    """One line of SETS: fingers and sensor that belong together, extractor, folders"""

    def __init__(self, line):
        self.group, self.extractor, self.folders = line.split()
        self.name = "+".join(os.path.basename(f.rstrip(":")) for f in self.folders.split("+"))


class Data:
    def __init__(self, sets, path, cut):
        """The rows of whole fingers, or of cut ones"""
        columns = len(HEAD) + QUANTITIES + ALIGNMENT + CHEAP
        rows = numpy.fromfile(path, dtype="<f4").reshape(-1, columns)
        rows = rows[numpy.array([(s.extractor in CUT) == cut for s in sets])[rows[:, 0].astype(int)]]
        self.sets = sets
        self.set = rows[:, 0].astype(int)
        self.fingers = rows[:, [1, 3]].astype(int)
        self.impressions = rows[:, [2, 4]].astype(int)
        self.mated = rows[:, 5] > 0
        self.pairs = rows[:, 6].astype(float)
        self.quantities = rows[:, len(HEAD) : -CHEAP].astype(float)
        self.cheap = rows[:, -CHEAP:].astype(float)
        groups = sorted(set(s.group for s in sets))
        self.groups = groups
        self.group = numpy.array([groups.index(s.group) for s in sets])[self.set]
        self.weight = self.weigh_sets()

    def weigh_sets(self):
        """A set counts by its fingers, and both classes alike in it"""
        weight = numpy.zeros(len(self.set))
        for k in numpy.unique(self.set):
            of_set = self.set == k
            fingers = len(numpy.unique(self.fingers[of_set]))
            for mated in (False, True):
                which = of_set & (self.mated == mated)
                if which.any():
                    weight[which] = fingers / which.sum()
        return weight / weight.mean()

    def of(self, extractor=None, group=None):
        which = [
            k
            for k, s in enumerate(self.sets)
            if (extractor is None or s.extractor == extractor)
            and (group is None or s.group == group)
        ]
        return numpy.isin(self.set, which)


# ---- models ------------------------------------------------------------------


def fit_linear(x, mated, weight):
    """Logistic regression with a ridge, by Newton's method: intercept and slopes"""
    weight = weight / weight.sum() * len(weight)
    mean = numpy.average(x, axis=0, weights=weight)
    deviation = numpy.sqrt(numpy.average((x - mean) ** 2, axis=0, weights=weight)) + 1e-9
    z = numpy.c_[(x - mean) / deviation, numpy.ones(len(x))]
    penalty = RIDGE * numpy.r_[numpy.ones(x.shape[1]), 0]
    b = numpy.zeros(z.shape[1])
    for _ in range(50):
        p = 1 / (1 + numpy.exp(-numpy.clip(z @ b, -500, 500)))
        gradient = z.T @ (weight * (p - mated)) + penalty * b
        hessian = (z * (weight * p * (1 - p) + 1e-9)[:, None]).T @ z
        step = numpy.linalg.solve(hessian + numpy.diag(penalty + 1e-6), gradient)
        b -= step
        if numpy.abs(step).max() < 1e-9:
            break
    slopes = b[:-1] / deviation
    return float("%.9g" % (b[-1] - slopes @ mean)), numpy.array([float("%.9g" % s) for s in slopes])


def apply_linear(rule, x):
    return rule[0] + x @ rule[1]


def fit_trees(x, mated, weight):
    return HistGradientBoostingClassifier(**TREES).fit(x, mated, sample_weight=weight)


class Weigher:
    def __init__(self, data, use):
        """Trained on the rows that use tells, the easy ones of them thinned out"""
        x = data.quantities[:, :QUANTITIES]

        # the first quantity, the root of the pairs' evidence, tells roughly
        rough = x[:, 0]
        easy = ~data.mated & (rough < numpy.quantile(rough[~data.mated], EASY_SHARE))
        kept = numpy.random.RandomState(1).rand(len(x)) * EASY_STEP < 1
        self.kept = use & (~easy | kept)
        self.row_weight = numpy.where(easy, EASY_STEP * data.weight, data.weight)
        x, mated, weight = (v[self.kept] for v in (x, data.mated, self.row_weight))
        self.linear = fit_linear(x, mated, weight)
        self.trees = fit_trees(x, mated, weight)

    def odds(self, data, which, parameters, handicap=0.0):
        x = data.quantities[which, :QUANTITIES]
        odds = (apply_linear(self.linear, x) + self.trees.decision_function(x)) / 2
        odds = odds - handicap * (x[:, UNREPORTED] > 0)
        limit = parameters["ODDS_A_PAIR"] * data.pairs[which] - parameters["ODDS_OF_NO_PAIR"]
        return numpy.where(odds > limit, limit + parameters["EXCESS"] * (odds - limit), odds)


def read_parameters(path):
    result = {}
    for line in open(path):
        words = line.split()
        if len(words) >= 3 and words[0] == "#define":
            try:
                result[words[1]] = float(words[2].strip("()f"))
            except ValueError:
                pass
    return result


# ---- rates -------------------------------------------------------------------


def fnmr(odds, mated, fmr):
    """Share of mated pairs that a threshold with this FMR stops; equal ones are stopped"""
    others = numpy.sort(odds[~mated])[::-1]
    return numpy.mean(odds[mated] <= others[int(fmr * len(others))])


def rates_of_sets(data, odds, which, fmrs=(1e-2, 1e-3)):
    rates = []
    for k in numpy.unique(data.set[which]):
        rows = data.set == k
        rates.append([100 * fnmr(odds[rows], data.mated[rows], f) for f in fmrs])
    return numpy.array(rates)


def percentiles(results, count):
    """The middle 95 %; where nothing was seen in count pairs, up to the rule of three"""
    low, high = numpy.percentile(results, [2.5, 97.5], axis=0)
    return low, numpy.where(high > 0, high, 300 / count)


def interval(data, odds, which, fmrs=(1e-2, 1e-3), rounds=100):
    """95 % by drawing the fingers of each set with replacement"""
    random = numpy.random.RandomState(2)
    results = []
    prepared = []
    for k in numpy.unique(data.set[which]):
        rows = numpy.flatnonzero(data.set == k)
        rows = rows[numpy.argsort(-odds[rows], kind="stable")]
        fingers, number = numpy.unique(data.fingers[rows], return_inverse=True)
        prepared.append((data.mated[rows], len(fingers), number.reshape(-1, 2)))
    for _ in range(rounds):
        means = []
        for mated, count, number in prepared:
            drawn = numpy.bincount(random.randint(0, count, count), minlength=count)
            weight = numpy.where(
                mated, drawn[number[:, 0]], drawn[number[:, 0]] * drawn[number[:, 1]]
            ).astype(float)
            false = numpy.cumsum(numpy.where(mated, 0, weight))
            for_fmr = []
            for f in fmrs:
                accepted = false <= f * false[-1]
                total = weight[mated].sum()
                for_fmr.append(100 * weight[mated & ~accepted].sum() / max(total, 1))
            means.append(for_fmr)
        results.append(numpy.mean(means, axis=0))
    return numpy.transpose(percentiles(results, (which & data.mated).sum()))


# ---- calibration ---------------------------------------------------------------


class Tail:
    """Odds of non-mated pairs of one group, each set counting alike"""

    def __init__(self, data, odds, which):
        rows = which & ~data.mated
        sets, inverse, counts = numpy.unique(
            data.set[rows], return_inverse=True, return_counts=True
        )
        weight = 1 / counts[inverse] / len(sets)
        order = numpy.argsort(-odds[rows], kind="stable")
        self.odds = odds[rows][order]
        self.rate = numpy.cumsum(weight[order])
        self.count = rows.sum()

    def at(self, decibans):
        """The least odds whose false match rate keeps the promise; NaN where too few are counted"""
        k = int(numpy.searchsorted(self.rate, 10 ** (-decibans / 10), side="right"))
        return self.odds[min(k, len(self.odds) - 1)] if k >= FEWEST else numpy.nan

    def slope(self):
        """Decibans a unit of odds in the tail, less two standard errors"""
        k = max(int(TAIL * self.count), 3 * FEWEST)
        excess = numpy.mean(self.odds[:k] - self.odds[k])
        return 10 / numpy.log(10) / excess * (1 - 2 / numpy.sqrt(k))


def find_handicap(data, odds):
    """
    How many log-odds more non-mated pairs reach without the quality of minutiae:
    what the same records reach at 30 dB with and without it
    """
    without = data.of("noquality")
    groups = set(data.group[without])
    with_it = (data.of("mindtct") | data.of("own")) & numpy.isin(data.group, list(groups))
    return max(0.0, round(float(Tail(data, odds, without).at(30) - Tail(data, odds, with_it).at(30)), 2))


def calibrate(data, odds, use):
    """Knots of odds and decibans, and the last decibans that were counted"""
    extractors = sorted(set(s.extractor for s in data.sets) - set(CUT))
    tails = {e: Tail(data, odds, data.of(e) & use) for e in extractors}
    singles = [Tail(data, odds, data.set == k) for k in numpy.unique(data.set[use])]
    knots = [(float(min(tail.odds[-1] for tail in tails.values())), 0.0)]
    last = 0
    slope = min([MOST_SLOPE] + [tail.slope() for tail in tails.values()])
    for decibans in KNOTS[1:]:
        need = [tail.at(decibans) for tail in tails.values()]
        need += [tail.at(decibans - 10 * numpy.log10(WORST_SET)) for tail in singles]
        need = [n for n in need if not numpy.isnan(n)]
        if not need:
            break

        # groups too small to count go on with the slope from where they could be
        at = max(need + [knots[-1][0] + 0.05])
        if all(numpy.isnan(tail.at(decibans)) for tail in tails.values()):
            break
        small = [tail for tail in tails.values() if numpy.isnan(tail.at(decibans))]
        for tail in small:
            reached = max(d for d in range(0, decibans + 1) if not numpy.isnan(tail.at(d)))
            at = max(at, tail.at(reached) + (decibans - reached) / slope)
        knots.append((round(float(at), 3), float(decibans)))
        if not small:
            last = decibans
    knots.append((round(knots[-1][0] + (CEILING - knots[-1][1]) / slope, 3), float(CEILING)))
    return knots, last, slope


def to_decibans(knots, odds):
    return numpy.interp(odds, [k[0] for k in knots], [k[1] for k in knots])


# ---- stages --------------------------------------------------------------------


def columns_of_stage(stage):
    return slice(QUANTITIES, QUANTITIES + (CANDIDATES if stage == "candidates" else ALIGNMENT))


def fit_stage(data, stage, use, worth, weigher):
    x = data.quantities[:, columns_of_stage(stage)]
    use = use & weigher.kept & (worth | ~data.mated)
    return fit_linear(x[use], data.mated[use], weigher.row_weight[use])


def losses(data, accepted, passes):
    """Percent of mated pairs that were accepted and do not pass, of each set"""
    result = {}
    for k in numpy.unique(data.set):
        rows = (data.set == k) & data.mated
        result[k] = 100 * numpy.mean(accepted[rows] & ~passes[rows])
    return result


def mean_by_extractor(data, of_sets):
    by = {}
    for k, value in of_sets.items():
        by.setdefault(data.sets[k].extractor, []).append(value)
    return {e: numpy.mean(v) for e, v in by.items()}


def choose_threshold(data, stage, score, passed, accepted):
    """The highest threshold that no extractor's mean loss exceeds the limit at"""
    low, high = score.min(), score.max()
    for _ in range(40):
        middle = (low + high) / 2
        loss = losses(data, accepted & passed, score >= middle)
        mean = mean_by_extractor(data, loss)
        if max(mean[e] for e in mean if e in ASKED) <= STAGE_LOSS[stage]:
            low = middle
        else:
            high = middle
    return low


# ---- caps ------------------------------------------------------------------------


class Pairs:
    """What caps are fitted to: decibans without them, and the evidence of each"""

    def __init__(self, data, decibans, passed, odds_of_stages):
        self.kinds = {}
        for k in numpy.unique(data.set):
            s = data.sets[k]
            kind = "rolled" if s.group == "ink" and s.extractor not in CUT else s.extractor
            self.kinds[k] = kind
        self.set, self.mated, self.group = data.set, data.mated, data.group
        self.fingers, self.passed = data.fingers, passed
        self.decibans = numpy.where(passed, decibans, 0)
        self.evidence = numpy.c_[data.cheap, odds_of_stages]

    @staticmethod
    def together(a, b):
        both = Pairs.__new__(Pairs)
        both.kinds = {**a.kinds, **b.kinds}
        for name in ("set", "mated", "group", "fingers", "passed", "decibans", "evidence"):
            setattr(both, name, numpy.concatenate([getattr(a, name), getattr(b, name)]))
        return both


def cap_threshold(pairs, use, cap, level):
    """The most evidence wanted that takes no kind's mean loss of the sets beyond its limit"""
    limit = CAP_LOSS[level][cap] / 100
    wanted = numpy.inf
    kinds = sorted(set(pairs.kinds.values()))
    for kind in kinds:
        if kind not in ASKED + CUT + ("rolled",):
            continue
        evidence, share = [], []
        for k in (k for k in pairs.kinds if pairs.kinds[k] == kind):
            mates = use & (pairs.set == k) & pairs.mated
            if mates.any():
                reach = mates & (pairs.decibans >= level)
                evidence.append(pairs.evidence[reach, cap])
                share.append(numpy.full(reach.sum(), 1 / mates.sum()))
        if not evidence:
            continue
        order = numpy.argsort(numpy.concatenate(evidence), kind="stable")
        lost = numpy.cumsum(numpy.concatenate(share)[order]) / len(evidence)
        first = int(numpy.searchsorted(lost, limit, side="right"))
        if first < len(order):
            wanted = min(wanted, numpy.concatenate(evidence)[order][first])
    return wanted


def fit_caps(pairs, use):
    """Evidence at each level, ascending"""
    caps = []
    for cap in range(len(CAPS)):
        step = 1 if cap < CHEAP else 0.01
        wanted = [cap_threshold(pairs, use, cap, level) for level in CAP_LOSS]
        wanted = [numpy.floor(w / step) * step for w in wanted]
        for k in range(len(wanted) - 2, -1, -1):
            wanted[k] = min(wanted[k], wanted[k + 1] - step)
        caps.append(wanted)
    return numpy.array(caps)


def resampled(pairs, use, lost, kind, rounds=100):
    """95 % of the mean of the sets of a kind, by drawing fingers with replacement"""
    random = numpy.random.RandomState(3)
    of_sets = []
    for k in (k for k in pairs.kinds if pairs.kinds[k] == kind):
        mates = use & (pairs.set == k) & pairs.mated
        if mates.any():
            _, finger = numpy.unique(pairs.fingers[mates, 0], return_inverse=True)
            of_sets.append((numpy.bincount(finger), numpy.bincount(finger, lost[mates])))
    means = []
    for _ in range(rounds):
        mean = []
        for count, gone in of_sets:
            drawn = random.randint(0, len(count), len(count))
            mean.append(100 * gone[drawn].sum() / count[drawn].sum())
        means.append(numpy.mean(mean))
    return percentiles(means, (use & pairs.mated).sum())


def table_of_caps(pairs, left_out):
    """left_out: of each pair, what the caps fitted without its group want at each level"""
    rows = [("dB", "fingers", "mated pairs that reach it, %")]
    rows[0] += ("lost by words", "by all caps", "95 %")
    rows[0] += tuple("non-mated let through by " + c + ", %" for c in CAPS)
    for n, level in enumerate(CAP_LOSS):
        if level not in CAP_LEVELS_SHOWN:
            continue
        for kind in sorted(set(pairs.kinds.values())):
            use = numpy.isin(pairs.set, [k for k in pairs.kinds if pairs.kinds[k] == kind])
            within = pairs.evidence >= left_out[:, :, n]
            let = numpy.logical_and.accumulate(within, axis=1)
            reach = pairs.mated & (pairs.decibans >= level)
            of_sets = [k for k in pairs.kinds if pairs.kinds[k] == kind]

            def mean(which):
                return numpy.mean(
                    [100 * which[(pairs.set == k) & pairs.mated].mean() for k in of_sets]
                )

            gone = reach & ~let[:, -1]
            others = use & ~pairs.mated
            rows.append(
                (level, kind, "%.1f" % mean(reach), "%.2f" % mean(reach & ~within[:, 0]))
                + ("%.2f" % mean(gone), "%.1f to %.1f" % tuple(resampled(pairs, use, gone, kind)))
                + tuple("%.1f" % (100 * let[others, c].mean()) for c in range(2))
                + tuple(
                    "%.2f" % (100 * (let[others, c] & pairs.passed[others]).mean())
                    for c in range(2, len(CAPS))
                )
            )
    return rows


# ---- output ----------------------------------------------------------------------


def heading(what, data):
    names = {}
    for s in data.sets:
        if s.extractor not in CUT:
            names.setdefault(s.extractor, []).append(s.name)
    lines = [
        what,
        "",
        "Generated by test/train/constants: do not edit.  %d pairs, %d of them mated, of"
        % (len(data.set), data.mated.sum()),
    ]
    for extractor in sorted(names):
        lines.append("%s: %s" % (extractor, ", ".join(names[extractor])))
    lines.append(
        "numpy %s, scikit-learn %s; trees %s; ridge %g; easy pairs (%g %%) 1 in %d"
        % (
            numpy.__version__,
            sklearn.__version__,
            ", ".join("%s %s" % item for item in TREES.items()),
            RIDGE,
            100 * EASY_SHARE,
            EASY_STEP,
        )
    )
    text = ["/*"]
    for line in lines:
        words, row = line.split(" "), " *\t\t"
        for word in words:
            if len(row) + len(word) > 92:
                text.append(row.rstrip())
                row = " *\t\t\t"
            row += word + " "
        text.append(row.rstrip())
    return "\n".join(text + [" */", '#include "match/fingerprint/internal.h"', "", "/* clang-format off */", ""])


def write_rule(rule):
    return "{%.9g, {%s}}" % (rule[0], ", ".join("%.9g" % s for s in rule[1]))


def write_tree(nodes):
    """A tree of scikit-learn, its inner nodes in their order"""
    inner = [k for k, node in enumerate(nodes) if not node["is_leaf"]]
    leaves = [k for k, node in enumerate(nodes) if node["is_leaf"]]
    number = {k: n for n, k in enumerate(inner)}
    number.update({k: ~n for n, k in enumerate(leaves)})
    rows = [
        "{%sf, %d, {%d, %d}}"
        % (
            numpy.format_float_scientific(numpy.float32(nodes[k]["num_threshold"]), unique=True),
            nodes[k]["feature_idx"],
            number[nodes[k]["left"]],
            number[nodes[k]["right"]],
        )
        for k in inner
    ]
    answers = ["%d" % round(float(nodes[k]["value"]) * 65536) for k in leaves]
    if not inner:
        rows = ["{0, 0, {-1, -1}}"]
    return "{{%s}, {%s}}" % (", ".join(rows), ", ".join(answers))


def write_weigher(data, weigher, handicap, path):
    trees = [predictor[0].nodes for predictor in weigher.trees._predictors]
    # the trees' common beginning goes into the linear rule: the two are averaged
    start = float(weigher.trees._baseline_prediction.ravel()[0])
    linear = (weigher.linear[0] + start, weigher.linear[1])
    assert len(trees) == TREES["max_iter"]
    with open(path, "w") as out:
        out.write(heading("weigher.c: a whole comparison's quantities, weighed.", data))
        out.write("\nconst FingerprintRule fingerprint_linear = %s;\n" % write_rule(linear))
        out.write("\nconst double fingerprint_handicap = %g;\n" % handicap)
        out.write("\nconst FingerprintTree fingerprint_trees[FINGERPRINT_TREES] = {\n")
        out.write(",\n".join(write_tree(nodes) for nodes in trees))
        out.write("};\n")


def write_stages(data, rules, path):
    with open(path, "w") as out:
        out.write(heading("stages.c: what lets a pair pass the stages before the whole.", data))
        out.write("\nconst FingerprintRule fingerprint_stages[FINGERPRINT_STAGE_WHOLE] = {\n")
        out.write(",\n".join(write_rule(rule) for rule in rules))
        out.write("};\n")


def write_calibration(data, knots, last, path):
    with open(path, "w") as out:
        out.write(heading("calibration.c: decibans of the false match rate at log-odds.", data))
        out.write("\nconst int fingerprint_knots = %d;\n" % len(knots))
        out.write("\nconst FingerprintKnot fingerprint_calibration[] = {\n")
        out.write(", ".join("{%.3f, %g}" % knot for knot in knots))
        out.write("};\n\nconst double fingerprint_last_counted = %g;\n" % last)


def write_caps(data, caps, knots, path):
    rows = []
    for wanted in caps:
        odds = numpy.interp(list(CAP_LOSS), [k[1] for k in knots], [k[0] for k in knots])
        rows.append("{%s}" % ", ".join("{%g, %.3f}" % knot for knot in zip(wanted, odds)))
    with open(path, "w") as out:
        what = heading("caps.c: the largest log-odds that cheap evidence allows.", data)
        out.write(what.replace('internal.h"', 'caps.h"'))
        out.write(
            "\nconst FingerprintCapKnot fingerprint_caps[FINGERPRINT_CAPS][FINGERPRINT_CAP_KNOTS] = {\n"
        )
        out.write(",\n".join(rows) + "};\n")


# ---- the whole --------------------------------------------------------------------


def table(*rows):
    print()
    for n, row in enumerate(rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
        if n == 0:
            print("|" + "---|" * len(row))
    sys.stdout.flush()


def main():
    lines, evidence, output = sys.argv[1:4]
    sets = [Set(line) for line in open(lines) if line.strip() and line[0] != "#"]
    data = Data(sets, evidence, False)
    cut = Data(sets, evidence, True)
    here = os.path.dirname(os.path.abspath(__file__))
    parameters = read_parameters(here + "/../../src/match/fingerprint/parameters.h")
    everything = numpy.ones(len(data.set), bool)

    # each group of fingers left out in turn
    odds = numpy.zeros(len(data.set))
    alone = []
    for k in range(len(data.groups)):
        out = data.group == k
        alone.append(Weigher(data, ~out))
        odds[out] = alone[k].odds(data, out, parameters)
    handicap = find_handicap(data, odds)
    for k in range(len(data.groups)):
        out = data.group == k
        odds[out] = alone[k].odds(data, out, parameters, handicap)
    odds_of_cut = numpy.zeros(len(cut.set))
    for k in range(len(data.groups)):
        out = cut.group == k
        if out.any():
            odds_of_cut[out] = alone[k].odds(cut, out, parameters, handicap)
    whole = Weigher(data, everything)
    knots, last, slope = calibrate(data, odds, everything)
    decibans = to_decibans(knots, odds)

    # what a calibration promises for fingers that are not in it
    promised_unseen = numpy.zeros(len(data.set))
    for k in range(len(data.groups)):
        out = data.group == k
        promised_unseen[out] = to_decibans(calibrate(data, odds, ~out)[0], odds[out])

    # the stages, too
    accepted = numpy.zeros(len(data.set), bool)
    strictly = numpy.zeros(len(data.set), bool)
    for k in numpy.unique(data.set):
        rows = data.set == k
        others = numpy.sort(odds[rows & ~data.mated])[::-1]
        accepted[rows] = odds[rows] > others[int(1e-2 * len(others))]
        strictly[rows] = odds[rows] > others[int(1e-3 * len(others))]
    worth = data.mated & (decibans >= WORTH_FINDING)
    passed = everything
    passed_of_cut = numpy.ones(len(cut.set), bool)
    stage_odds, stage_odds_of_cut = [], []
    rules = []
    stage_rows = [("stage", "extractor", "non-mated that pass, %", "lost at FMR 1e-2", "at 1e-3")]
    for stage in ("candidates", "alignment"):
        x = data.quantities[:, columns_of_stage(stage)]
        score = numpy.zeros(len(data.set))
        score_of_cut = numpy.zeros(len(cut.set))
        for k in range(len(data.groups)):
            out = data.group == k
            rule = fit_stage(data, stage, ~out & passed, worth, alone[k])
            score[out] = apply_linear(rule, x[out])
            out = cut.group == k
            score_of_cut[out] = apply_linear(rule, cut.quantities[out, columns_of_stage(stage)])
        threshold = choose_threshold(data, stage, score, passed, accepted)
        rule = fit_stage(data, stage, passed, worth, whole)
        rules.append((rule[0] - threshold, rule[1]))
        passed = passed & (score >= threshold)
        passed_of_cut = passed_of_cut & (score_of_cut >= threshold)
        stage_odds.append(score - threshold)
        stage_odds_of_cut.append(score_of_cut - threshold)
        milder, stricter = (
            mean_by_extractor(data, losses(data, a, passed)) for a in (accepted, strictly)
        )
        for e in milder:
            of = data.of(e) & ~data.mated
            stage_rows.append(
                (stage, e, "%.1f" % (100 * passed[of].mean()), "%.2f" % milder[e], "%.2f" % stricter[e])
            )
        for k, s in enumerate(sets):
            if s.group == "ink" and s.extractor not in CUT:
                of = (data.set == k) & ~data.mated
                stage_rows.append(
                    (
                        stage,
                        s.extractor + ", rolled ink",
                        "%.1f" % (100 * passed[of].mean()),
                        "%.2f" % losses(data, accepted, passed)[k],
                        "%.2f" % losses(data, strictly, passed)[k],
                    )
                )

    write_weigher(data, whole, handicap, output + "/weigher.c")
    write_stages(data, rules, output + "/stages.c")
    write_calibration(data, knots, last, output + "/calibration.c")

    # the caps, fitted without each group and to all
    pairs = Pairs.together(
        Pairs(data, decibans, passed, numpy.array(stage_odds).T),
        Pairs(cut, to_decibans(knots, odds_of_cut), passed_of_cut, numpy.array(stage_odds_of_cut).T),
    )
    left_out = numpy.zeros((len(pairs.set), len(CAPS), len(CAP_LOSS)))
    for k in range(len(data.groups)):
        out = pairs.group == k
        left_out[out] = fit_caps(pairs, ~out)
    write_caps(data, fit_caps(pairs, numpy.ones(len(pairs.set), bool)), knots, output + "/caps.c")

    print("## Sets left out of training")
    rows = [("minutiae by", "sets", "FNMR at FMR 1e-2, %", "95 %", "at 1e-3, %", "95 %", "below 40 dB, %", "60 dB", "80 dB")]
    final = numpy.where(passed, odds, odds.min() - 10)
    for e in sorted(set(s.extractor for s in sets) - set(CUT)):
        for g in data.groups + [None]:
            which = data.of(e, g)
            if not which.any() or (g is None and len(set(data.group[which])) == 1):
                continue
            mean = rates_of_sets(data, final, which).mean(axis=0)
            between = interval(data, final, which)
            mates = which & data.mated
            rows.append(
                [e, g or "**mean of all**"]
                + ["%.2f" % mean[0], "%.1f to %.1f" % tuple(between[0])]
                + ["%.2f" % mean[1], "%.1f to %.1f" % tuple(between[1])]
                + ["%.1f" % (100 * numpy.mean(numpy.where(passed, decibans, 0)[mates] < d)) for d in (40, 60, 80)]
            )
    table(*rows)

    print("\n## False matches counted against those promised, sets left out of training and calibration")
    levels = (10, 20, 30, 40)
    rows = [["minutiae by", "sets", "non-mated pairs"] + ["at %d dB" % d for d in levels]]
    for e in sorted(set(s.extractor for s in sets) - set(CUT)) + [None]:
        for g in data.groups + [None]:
            which = data.of(e, g) & ~data.mated
            if not which.any() or (g is not None and e is None):
                continue
            cells = []
            for d in levels:
                counted, promised = (promised_unseen[which] >= d).sum(), which.sum() * 10 ** (-d / 10)
                cells.append("%d / %.1f = %.2f" % (counted, promised, counted / promised) if promised >= 1 else "%d" % counted)
            rows.append([e or "**all**", g or "**all**", which.sum()] + cells)
    table(*rows)

    print("\n## Calibration\n\nslope %.2f dB a unit, last counted %g dB, handicap %g" % (slope, last, handicap))
    table(["log-odds"] + ["%.2f" % k[0] for k in knots], ["dB"] + ["%g" % k[1] for k in knots])
    print("\n## Stages, sets left out of training")
    table(*stage_rows)
    print("\n## Caps, sets left out of training")
    table(*table_of_caps(pairs, left_out))


if __name__ == "__main__":
    main()
