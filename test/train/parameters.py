"""
What 20 % more or less of each parameter that a person has set does to the error.

    parameters.py SETS

Builds the comparison with each parameter of src/match/fingerprint/parameters.h
changed, compares the sets, weighs by a linear rule fitted anew with each group
left out, and prints FNMR at an FMR of 1e-2 and of 1e-3, means of the sets.
"""

import os
import re
import subprocess
import sys

import numpy

import train

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(HERE + "/../..")
HEADER = "match/fingerprint/parameters.h"
BUILD = HERE + "/build"
FLAGS = ["-std=gnu99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
CHANGED = ["compare", "weigh"]


def compile_rest():
    """All but what includes the parameters, once"""
    sources = subprocess.check_output(
        "ls %s/src/match/*.c %s/src/match/*/*.c %s/src/match/*/*/*.c %s/src/record/*.c"
        % ((ROOT,) * 4), shell=True, text=True
    ).split()
    sources += [HERE + "/evidence.c", ROOT + "/test/bench/bench.c"]
    objects = []
    for n, source in enumerate(sources):
        if any(source.endswith("fingerprint/%s.c" % name) for name in CHANGED):
            continue
        objects.append("%s/parameters_%d.o" % (BUILD, n))
        subprocess.check_call(["cc", *FLAGS, "-I", ROOT + "/src", "-c", "-o", objects[-1], source])
    return objects


def measure(objects, text, sets, parameters):
    os.makedirs(BUILD + "/include/match/fingerprint", exist_ok=True)
    with open(BUILD + "/include/" + HEADER, "w") as out:
        out.write(text)
    changed = [ROOT + "/src/match/fingerprint/%s.c" % name for name in CHANGED]
    program, evidence = BUILD + "/parameters", BUILD + "/parameters.bin"
    include = ["-I", BUILD + "/include", "-I", ROOT + "/src"]
    subprocess.check_call(["cc", *FLAGS, *include, "-o", program, *changed, *objects, "-lm"])
    subprocess.check_call([program, evidence] + [s.folders for s in sets])
    data = train.Data(sets, evidence, False)
    os.remove(evidence)
    odds = numpy.zeros(len(data.set))
    for k in range(len(data.groups)):
        out = data.group == k
        rule = train.fit_linear(
            data.quantities[~out, : train.QUANTITIES], data.mated[~out], data.weight[~out]
        )
        odds[out] = train.apply_linear(rule, data.quantities[out, : train.QUANTITIES])
    loss = numpy.logaddexp(0, numpy.where(data.mated, -odds, odds))
    everything = numpy.ones(len(data.set), bool)
    return tuple(train.rates_of_sets(data, odds, everything).mean(axis=0)) + (
        1000 * numpy.average(loss, weights=data.weight),
    )


def main():
    sets = [train.Set(line) for line in open(sys.argv[1]) if line.strip() and line[0] != "#"]
    text = open(ROOT + "/src/" + HEADER).read()
    parameters = train.read_parameters(ROOT + "/src/" + HEADER)
    objects = compile_rest()
    print("| parameter | value | 20 % less: FNMR at 1e-2, at 1e-3, log loss | 20 % more |")
    print("|---|---|---|---|")
    as_is = measure(objects, text, sets, parameters)
    cell = "%.2f, %.2f, %.1f"
    print("| as they are | | %s | |" % (cell % as_is), flush=True)
    weighed_later = ("MINUTIAE_THAT_COUNT", "ODDS_A_PAIR", "ODDS_OF_NO_PAIR", "EXCESS")
    for name in parameters:
        if name in weighed_later:
            continue
        cells = []
        for factor in (0.8, 1.2):
            pattern = r"(#define %s\s+)(\(?-?[0-9.]+f?\)?)" % name
            old = re.search(pattern, text).group(2)
            number = parameters[name] * factor
            if "." not in old:
                number = int(number + (0.5 if number > 0 else -0.5))
                if name == "MAX_CANDIDATES":
                    number = number // 8 * 8
            new = "(%s%s)" % (number, "f" if "f" in old else "")
            cells.append(cell % measure(objects, re.sub(pattern, r"\g<1>" + new, text), sets, parameters))
        print("| %s | %g | %s | %s |" % (name, parameters[name], *cells), flush=True)


if __name__ == "__main__":
    main()
