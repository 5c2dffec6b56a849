"""
How well a measure of quality foretells which captures are not matched, and the
constants of quality_score().

    quality.py curve|fit PAIRS

PAIRS is what the program "quality" wrote.  Captures are left out in rising order
of the measure; those with equal values stay or go together.  Intervals are 95 %, from
1000 samples of fingers, drawn with replacement.
"""

import sys

import numpy

SHARES = (0, 0.05, 0.1, 0.2, 0.3)
THRESHOLDS = (40, 60)
SAMPLES = 1000
RIDGE = 1.0  # of standardised slopes, for a thousand pairs
AREA_UNIT = 100


class Pairs:
    """The mated pairs of one set"""

    def __init__(self, name, rows):
        self.name = name
        self.finger = numpy.unique([r[1] for r in rows], return_inverse=True)[1]
        keys = [[(r[1], r[2 + side]) for r in rows] for side in (0, 1)]
        captures = sorted(set(keys[0] + keys[1]))
        index = {key: n for n, key in enumerate(captures)}
        self.capture = numpy.array([[index[key] for key in side] for side in keys]).T
        self.score = numpy.array([float(r[4]) for r in rows])
        values = numpy.array([r[5:] for r in rows], float)
        self.values = values.reshape(len(rows), 2, -1)
        self.of_capture = numpy.zeros((len(captures), self.values.shape[2]))
        self.capture_finger = numpy.zeros(len(captures), int)
        for side in (0, 1):
            self.of_capture[self.capture[:, side]] = self.values[:, side]
            self.capture_finger[self.capture[:, side]] = self.finger

    def curve(self, measure, threshold, weight):
        """FNMR after each share of the captures was left out; fingers are weighted"""
        order = numpy.argsort(measure, kind="stable")
        below = numpy.cumsum(weight[self.capture_finger[order]])
        least = numpy.minimum(measure[self.capture[:, 0]], measure[self.capture[:, 1]])
        missed = self.score < threshold
        result = []
        for share in SHARES:
            n = numpy.searchsorted(below, share * below[-1], side="right")
            kept = (least >= measure[order[min(n, len(order) - 1)]]) * weight[self.finger]
            result.append(100 * (kept * missed).sum() / max(kept.sum(), 1e-9))
        return numpy.array(result)


def read(path):
    rows = {}
    for line in open(path):
        words = line.split()
        rows.setdefault(words[0], []).append(words)
    return {name: Pairs(name, of_set) for name, of_set in rows.items()}


# ---- curves ------------------------------------------------------------------

FINGER_MEASURES = {
    "`quality_score`": lambda v: v[:, 0],
    "minutiae": lambda v: v[:, 1],
    "mean quality of minutiae": lambda v: v[:, 3],
    "minutiae, each by its quality": lambda v: v[:, 2],
}
EYE_MEASURES = {
    "`quality_score`": lambda v: v[:, 0],
    "bits that the mask allows": lambda v: v[:, 1],
}


def interval(samples):
    return numpy.percentile(samples, [2.5, 97.5], axis=0)


def print_curves(sets):
    generator = numpy.random.default_rng(1)
    relative = {}
    print("| set, threshold | by | " + " | ".join(f"{100 * s:.0f} % left out" for s in SHARES) + " |")
    print("|---|---|" + "---|" * len(SHARES))
    for name, pairs in sets.items():
        if name.startswith("fvc2002"):
            continue
        measures = EYE_MEASURES if name == "casia1" else FINGER_MEASURES
        fingers = pairs.finger.max() + 1
        weights = [numpy.bincount(generator.integers(0, fingers, fingers), minlength=fingers) for _ in range(SAMPLES)]
        for threshold in THRESHOLDS:
            for label, function in measures.items():
                measure = function(pairs.of_capture)
                curve = pairs.curve(measure, threshold, numpy.ones(fingers))
                samples = numpy.array([pairs.curve(measure, threshold, w) for w in weights])
                low, high = interval(samples)
                cells = (f"{c:.2f} ({a:.2f} to {b:.2f})" for c, a, b in zip(curve, low, high))
                print(f"| {name}, {threshold} | {label} | " + " | ".join(cells) + " |")
                if name != "casia1" and (pairs.score < threshold).mean() >= 0.02:
                    relative.setdefault(label, []).append((curve, samples))
    print()
    print("Fingers, sets and thresholds with at least 2 % missed: what is left of the rate, in percent, mean of sets")
    print()
    print("| by | " + " | ".join(f"{100 * s:.0f} % left out" for s in SHARES[1:]) + " |")
    print("|---|" + "---|" * len(SHARES[1:]))
    left = {}
    for label, curves in relative.items():
        mean = numpy.mean([100 * c[1:] / c[0] for c, _ in curves], axis=0)
        left[label] = numpy.mean([100 * s[:, 1:] / numpy.maximum(s[:, :1], 1e-9) for _, s in curves], axis=0)
        low, high = interval(left[label])
        print(f"| {label} | " + " | ".join(f"{m:.0f} ({a:.0f} to {b:.0f})" for m, a, b in zip(mean, low, high)) + " |")
    own = left["`quality_score`"]
    for label, samples in left.items():
        if label != "`quality_score`":
            low, high = interval(own - samples)
            print(f"| less than {label} by | " + " | ".join(f"{a:.0f} to {b:.0f}" for a, b in zip(low, high)) + " |")


# ---- constants -----------------------------------------------------------------


def quantities(values):
    """those of src/match/fingerprint/quality.c, of both captures"""
    return numpy.stack([numpy.log1p(values[..., 2]), values[..., 3], numpy.log1p(values[..., 4] / AREA_UNIT)], -1)


def fit(sets):
    """Logistic regression of a score of 40 on the sum of both captures, a level for each set"""
    chosen = [p for n, p in sets.items() if n.startswith("fvc2002")]
    x = numpy.concatenate([quantities(p.values).sum(1) for p in chosen])
    y = numpy.concatenate([p.score >= 40 for p in chosen]).astype(float)
    weight = numpy.concatenate([numpy.full(len(p.score), 1 / len(p.score)) for p in chosen])
    levels = numpy.concatenate([numpy.tile(numpy.eye(len(chosen))[k], (len(p.score), 1)) for k, p in enumerate(chosen)])
    weight /= weight.mean()
    mean, deviation = x.mean(0), x.std(0)
    design = numpy.hstack([(x - mean) / deviation, levels])
    penalty = numpy.diag([RIDGE * len(y) / 1000] * x.shape[1] + [1e-6 * len(y)] * len(chosen))
    beta = numpy.zeros(design.shape[1])
    for _ in range(100):
        p = 1 / (1 + numpy.exp(-design @ beta))
        gradient = design.T @ (weight * (y - p)) - penalty @ beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
        beta += numpy.linalg.solve(hessian, gradient)
    slopes = beta[: x.shape[1]] / deviation

    # one level for all sets whose records are as they came
    level, step = 0.0, 16.0
    records = [p for p in chosen if not p.name.endswith(":")]
    while step > 1e-9:
        excess = sum(
            (1 / (1 + numpy.exp(-(quantities(p.values).sum(1) @ slopes + level)))).mean() - (p.score >= 40).mean()
            for p in records
        )
        level -= numpy.copysign(step, excess)
        step /= 2
    print("VALUE_BASE  %.2f\nVALUE_CLEAR %.2f\nVALUE_MEAN  %.2f\nVALUE_AREA  %.2f" % (level / 2, *slopes))


if __name__ == "__main__":
    pairs_of_sets = read(sys.argv[2])
    if sys.argv[1] == "fit":
        fit({n: p for n, p in pairs_of_sets.items()})
    else:
        print_curves(pairs_of_sets)
