/*
 * cascade.c
 *		What the stages before the whole comparison save and lose.
 *
 *		cascade [DIRECTORY...]
 *
 * First the time of non-mated pairs, of synthetic fingers: through the stages,
 * and by the whole comparison alone, measured in between as machines differ and
 * are shared.  Then, for each directory of records F_I.fmr, how many non-mated
 * pairs come to each stage, and the FNMR with the stages and without, also with
 * stages that are milder or stricter by some log-odds.  Without directories the
 * records of the evaluation data are taken.
 *
 * The same for searches with a threshold: what an entry costs, how many non-mated
 * pairs the caps let through, and how many mated pairs they take below the
 * threshold.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/caps.h"
#include "match/fingerprint/internal.h"

#define ROUNDS  5
#define GALLERY 1000 /* synthetic fingers */
#define PROBES  10

/* what is added to the log-odds of both stages; infinity lets every pair pass */
static const double shifts[] = {INFINITY, 1, 0.5, 0, -0.5, -1};

#define SHIFTS ((int) (sizeof(shifts) / sizeof(shifts[0])))

typedef struct Pair
{
	double odds[FINGERPRINT_STAGE_WHOLE + 1]; /* of each stage */
	bool   mated;
} Pair;

/* thresholds of searches, dB */
static const int thresholds[] = {40, 50, 60};

#define THRESHOLDS ((int) (sizeof(thresholds) / sizeof(thresholds[0])))

static volatile uint64_t sink;

/* the largest distance of a score */
static double
limit_of(double decibans)
{
	double low = 0, high = 1;

	for (int k = 0; k < 60; k++)
	{
		double middle = (low + high) / 2;

		if (fingerprint_score(middle) >= decibans)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
measure(void)
{
	BenchSet          gallery;
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	double            best[2] = {INFINITY, INFINITY};

	bench_synthesize(&gallery, 0, GALLERY, 1);
	bench_extract(&gallery);
	for (int round = 0; round < ROUNDS; round++)
	{
		double total[2] = {0};

		for (int p = 0; p < PROBES; p++)
		{
			BenchRecord *record = &gallery.records[p];

			fingerprint_probe_init(probe, record->features, record->size);
			for (int k = 0; k < 2; k++)
			{
				double start = bench_seconds();

				for (int i = PROBES; i < GALLERY; i++)
				{
					const BenchRecord *other = &gallery.records[i];
					double             evidence[FINGERPRINT_EVIDENCE];

					if (k == 0)
					{
						sink += fingerprint_distance(probe, other->features, other->size) < 0.5;
						continue;
					}
					fingerprint_evidence(probe, other->features, other->size, evidence);
					sink += fingerprint_weigh(evidence) > 0;
				}
				total[k] += bench_seconds() - start;
			}
		}
		for (int k = 0; k < 2; k++)
			best[k] = fmin(best[k], total[k] / (PROBES * (GALLERY - PROBES)));
	}
	printf("| non-mated pair | µs | a second | of the whole comparison |\n|---|---|---|---|\n");
	printf("| through the stages | %.2f | %.0f | %.3f |\n", best[0] * 1e6, 1 / best[0],
		   best[0] / best[1]);
	printf("| the whole comparison | %.2f | %.0f | 1 |\n", best[1] * 1e6, 1 / best[1]);
	free(probe);
	bench_free(&gallery);
}

/* What an entry of a search with a threshold costs */
static void
measure_limits(void)
{
	BenchSet          gallery;
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	uint8_t(*sketches)[FINGERPRINT_SKETCH_MAX_SIZE] =
		bench_allocate((size_t) GALLERY * sizeof(*sketches));
	const void **all = bench_allocate(GALLERY * sizeof(void *));
	bool        *within = bench_allocate(GALLERY * sizeof(bool));
	double       best[THRESHOLDS][2]; /* sketches, then distances */
	double       let_in[THRESHOLDS];
	double       descriptors = INFINITY, table = INFINITY;

	bench_synthesize(&gallery, 0, GALLERY, 1);
	bench_extract(&gallery);
	for (int i = 0; i < GALLERY; i++)
	{
		fingerprint_sketch(gallery.records[i].features, sketches[i]);
		all[i] = sketches[i];
	}
	for (int k = 0; k < THRESHOLDS; k++)
		best[k][0] = best[k][1] = INFINITY, let_in[k] = 0;
	for (int round = 0; round < ROUNDS; round++)
	{
		double total[THRESHOLDS][2] = {{0}};
		double tables = 0, largest = 0;

		for (int p = 0; p < PROBES; p++)
		{
			BenchRecord *record = &gallery.records[p];
			double       start;

			fingerprint_probe_init(probe, record->features, record->size);
			start = bench_seconds();
			fingerprint_sketches_within(probe, 1, all, limit_of(60), within);
			tables += bench_seconds() - start;
			start = bench_seconds();
			for (int i = PROBES; i < GALLERY; i++)
				sink += fingerprint_descriptor_evidence(probe, gallery.records[i].features);
			largest += bench_seconds() - start;
			for (int k = 0; k < THRESHOLDS; k++)
			{
				double limit = limit_of(thresholds[k]);

				start = bench_seconds();
				fingerprint_sketches_within(probe, GALLERY, all, limit, within);
				total[k][0] += bench_seconds() - start;
				start = bench_seconds();
				for (int i = PROBES; i < GALLERY; i++)
				{
					const BenchRecord *other = &gallery.records[i];

					if (within[i])
						sink += fingerprint_distance_within(probe, other->features, other->size,
															limit) <= limit;
				}
				total[k][1] += bench_seconds() - start;
				for (int i = PROBES; i < GALLERY && round == 0; i++)
					let_in[k] += within[i];
			}
		}
		table = fmin(table, tables / PROBES);
		descriptors = fmin(descriptors, largest / (PROBES * (GALLERY - PROBES)));
		for (int k = 0; k < THRESHOLDS; k++)
		{
			best[k][0] = fmin(best[k][0], total[k][0] / (PROBES * GALLERY));
			best[k][1] = fmin(best[k][1], total[k][1] / (PROBES * (GALLERY - PROBES)));
		}
	}
	printf(
		"\nEvidence by descriptors takes %.0f ns an entry, the table of words %.0f us a probe.\n",
		descriptors * 1e9, table * 1e6);
	printf("\n| threshold, dB | sketch, ns an entry | let in, %% | then, ns an entry | both, a "
		   "second |\n|---|---|---|---|---|\n");
	for (int k = 0; k < THRESHOLDS; k++)
		printf("| %d | %.0f | %.1f | %.0f | %.0f |\n", thresholds[k], best[k][0] * 1e9,
			   100 * let_in[k] / (PROBES * (GALLERY - PROBES)), best[k][1] * 1e9,
			   1 / (best[k][0] + best[k][1]));
	free(within);
	free(all);
	free(sketches);
	free(probe);
	bench_free(&gallery);
}

static int
compare_doubles(const void *left, const void *right)
{
	double a = *(const double *) left;
	double b = *(const double *) right;

	return a < b ? -1 : a > b;
}

/* whether a pair passes the stages before this one */
static bool
reaches(const Pair *pair, int stage, double shift)
{
	for (int k = 0; k < stage; k++)
		if (!(pair->odds[k] + shift >= 0))
			return false;
	return true;
}

/* FNMR at an FMR; pairs turned away are farther than all others; equal ones do not match */
static double
false_non_matches(const Pair *pairs, int n, double shift, double fmr)
{
	double *others = bench_allocate(n * sizeof(double));
	int     mated = 0, missed = 0, nonmated = 0;
	double  threshold;

	for (int i = 0; i < n; i++)
		if (!pairs[i].mated)
			others[nonmated++] = reaches(&pairs[i], FINGERPRINT_STAGE_WHOLE, shift)
									 ? -pairs[i].odds[FINGERPRINT_STAGE_WHOLE]
									 : INFINITY;
	qsort(others, nonmated, sizeof(double), compare_doubles);
	threshold = others[(int) (fmr * nonmated)];
	for (int i = 0; i < n; i++)
	{
		mated += pairs[i].mated;
		missed += pairs[i].mated && !(reaches(&pairs[i], FINGERPRINT_STAGE_WHOLE, shift) &&
									  -pairs[i].odds[FINGERPRINT_STAGE_WHOLE] < threshold);
	}
	free(others);
	return (double) missed / mated;
}

static bool
report(const char *path)
{
	BenchSet          set;
	FingerprintProbe *probe;
	Pair             *pairs;
	int               n = 0;
	int               nonmated = 0;

	if (!bench_load(&set, path))
		return false;
	probe = bench_allocate(fingerprint_probe_size());
	pairs = bench_allocate((size_t) set.count * set.count / 2 * sizeof(Pair));
	bench_extract(&set);
	for (int i = 0; i < set.count; i++)
	{
		fingerprint_probe_init(probe, set.records[i].features, set.records[i].size);
		for (int j = 0; j < i; j++)
		{
			Pair  *pair = &pairs[n++];
			double evidence[FINGERPRINT_EVIDENCE];

			fingerprint_evidence(probe, set.records[j].features, set.records[j].size, evidence);
			for (int k = 0; k < FINGERPRINT_STAGE_WHOLE; k++)
				pair->odds[k] = fingerprint_weigh_stage((FingerprintStage) k, evidence);
			pair->odds[FINGERPRINT_STAGE_WHOLE] = fingerprint_weigh(evidence);
			pair->mated = set.records[i].identity == set.records[j].identity;
			nonmated += !pair->mated;
		}
	}
	for (int k = 0; k < SHIFTS; k++)
	{
		double reached[FINGERPRINT_STAGE_WHOLE + 1] = {0};

		for (int i = 0; i < n; i++)
			for (int stage = 0; !pairs[i].mated && stage <= FINGERPRINT_STAGE_WHOLE; stage++)
				reached[stage] += reaches(&pairs[i], stage, shifts[k]);
		printf("| %s | %s%.1f | %.1f | %.1f | %.2f | %.2f |\n", set.name, shifts[k] > 0 ? "+" : "",
			   shifts[k], 100 * reached[FINGERPRINT_STAGE_ALIGNMENT] / nonmated,
			   100 * reached[FINGERPRINT_STAGE_WHOLE] / nonmated,
			   100 * false_non_matches(pairs, n, shifts[k], 1e-2),
			   100 * false_non_matches(pairs, n, shifts[k], 1e-3));
	}
	fflush(stdout);
	free(pairs);
	free(probe);
	bench_free(&set);
	return true;
}

/* What the caps let through and lose in a set */
static bool
report_caps(const char *path)
{
	BenchSet             set;
	FingerprintProbe    *probe;
	FingerprintCapProbe *caps;
	int                  mated = 0, nonmated = 0;
	int                  lost[THRESHOLDS] = {0};
	int                  let[THRESHOLDS][2] = {{0}};

	if (!bench_load(&set, path))
		return false;
	probe = bench_allocate(fingerprint_probe_size());
	caps = bench_allocate(sizeof(*caps));
	bench_extract(&set);
	for (int i = 0; i < set.count; i++)
	{
		fingerprint_probe_init(probe, set.records[i].features, set.records[i].size);
		fingerprint_cap_probe_init(caps, set.records[i].features);
		for (int j = 0; j < i; j++)
		{
			const BenchRecord *other = &set.records[j];
			double             odds, distance, cap[2];
			FingerprintStage stage = fingerprint_stage(probe, other->features, other->size, &odds);
			double           whole = fingerprint_odds_to_distance(stage, odds);

			if (set.records[i].identity == other->identity)
			{
				mated++;
				distance = fingerprint_distance(probe, other->features, other->size);
				for (int k = 0; k < THRESHOLDS; k++)
					lost[k] += fingerprint_score(whole) >= thresholds[k] &&
							   !(fingerprint_score(distance) >= thresholds[k]);
				continue;
			}
			nonmated++;
			cap[0] = fingerprint_cap(FINGERPRINT_CAP_WORDS,
									 fingerprint_word_evidence(caps, other->features));
			cap[1] = fingerprint_cap(FINGERPRINT_CAP_DESCRIPTORS,
									 fingerprint_descriptor_evidence(probe, other->features));
			for (int k = 0; k < THRESHOLDS; k++)
			{
				bool within = fingerprint_score(cap[0]) >= thresholds[k];

				let[k][0] += within;
				let[k][1] += within && fingerprint_score(cap[1]) >= thresholds[k];
			}
		}
	}
	for (int k = 0; k < THRESHOLDS; k++)
		printf("| %s | %d | %.1f | %.1f | %.2f |\n", set.name, thresholds[k],
			   100.0 * let[k][0] / nonmated, 100.0 * let[k][1] / nonmated, 100.0 * lost[k] / mated);
	fflush(stdout);
	free(caps);
	free(probe);
	bench_free(&set);
	return true;
}

/* A table of all sets */
static void
report_all(bool (*report_set)(const char *path), int argc, char **argv)
{
	static const char *const sets[] = {
		"fvc2002_db1_b", "fvc2002_db2_b", "fvc2002_db3_b",         "fvc2002_db4_b",
		"neuro_uareu",   "sd4_part",      "fvc2002_db1_b_secugen", "fvc2002_db4_b_secugen"};
	const char *data = bench_data();

	for (int i = 1; i < argc; i++)
		if (!report_set(argv[i]))
		{
			fprintf(stderr, "no records F_I.fmr in %s\n", argv[i]);
			exit(2);
		}
	if (argc > 1)
		return;
	if (data == NULL)
		printf("\nskipped: there are no evaluation data in ../shared/data or BIOMETRIC_DATA\n");
	for (size_t k = 0; data != NULL && k < sizeof(sets) / sizeof(sets[0]); k++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/%s", data, sets[k]);
		if (!report_set(path))
			printf("\nskipped: no records in fingerprint/%s of the evaluation data\n", sets[k]);
	}
}

int
main(int argc, char **argv)
{
	measure();
	measure_limits();
	printf("\n| set | log-odds added | to the alignment, %% of non-mated | to the whole, %% | "
		   "FNMR at FMR 1e-2 | at 1e-3 |\n|---|---|---|---|---|---|\n");
	report_all(report, argc, argv);
	printf(
		"\n| set | threshold, dB | non-mated let through by words, %% | and by descriptors, %% | "
		"mated that the caps lose, %% |\n|---|---|---|---|---|\n");
	report_all(report_caps, argc, argv);
	return 0;
}
