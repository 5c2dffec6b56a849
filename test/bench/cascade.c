/*
 * cascade.c
 *		What one setting of the matcher's cascade costs and loses: one row of the
 *		table that test/bench/cascade prints.
 *
 *		cascade NAME
 *
 * Machines differ and are shared: the ratio is to the whole comparison of the
 * same pairs, measured in between.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/internal.h"

#define ROUNDS  5
#define GALLERY 1000 /* synthetic fingers */
#define PROBES  10
#define STAGES  (FINGERPRINT_STAGE_WHOLE + 1)

static volatile uint64_t sink;

/*
 * Seconds a non-mated pair by the cascade and by the whole comparison, and the
 * share of pairs that reaches each stage
 */
static void
measure(double seconds[2], double reached[STAGES])
{
	BenchSet          gallery;
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	BenchValues       times[2] = {{0}};

	bench_synthesize(&gallery, 0, GALLERY, 1);
	bench_extract(&gallery);
	memset(reached, 0, STAGES * sizeof(double));
	for (int round = 0; round < ROUNDS; round++)
	{
		double total[2] = {0};

		for (int p = 0; p < PROBES; p++)
		{
			BenchRecord *record = &gallery.records[p];
			double       start;

			fingerprint_probe_init(probe, record->features, record->size);
			start = bench_seconds();
			for (int i = PROBES; i < GALLERY; i++)
				sink += fingerprint_distance(probe, gallery.records[i].features,
											 gallery.records[i].size) < 0.5;
			total[0] += bench_seconds() - start;
			start = bench_seconds();
			for (int i = PROBES; i < GALLERY; i++)
			{
				double evidence[FINGERPRINT_EVIDENCE];

				fingerprint_evidence(probe, gallery.records[i].features, gallery.records[i].size,
									 evidence);
				sink += fingerprint_weigh(evidence) > 0;
			}
			total[1] += bench_seconds() - start;
			for (int i = PROBES; round == 0 && i < GALLERY; i++)
			{
				double odds;
				int    last = fingerprint_stage(probe, gallery.records[i].features,
												gallery.records[i].size, &odds);

				for (int stage = 0; stage <= last; stage++)
					reached[stage] += 1.0 / (PROBES * (GALLERY - PROBES));
			}
		}
		for (int k = 0; k < 2; k++)
			bench_add(&times[k], total[k] / (PROBES * (GALLERY - PROBES)));
	}
	for (int k = 0; k < 2; k++)
	{
		bench_sort(&times[k]);
		seconds[k] = bench_quantile(&times[k], 0);
		free(times[k].values);
	}
	free(probe);
	bench_free(&gallery);
}

/* adds one set's FNMR at the FMRs of 1e-2 and 1e-3; equal distances do not match */
static bool
add_rates(const char *path, double fnmr[2])
{
	static const double fmr[2] = {1e-2, 1e-3};
	BenchSet            set;
	FingerprintProbe   *probe;
	BenchValues         mated = {0}, nonmated = {0};

	if (!bench_load(&set, path))
		return false;
	probe = bench_allocate(fingerprint_probe_size());
	bench_extract(&set);
	for (int i = 0; i < set.count; i++)
	{
		fingerprint_probe_init(probe, set.records[i].features, set.records[i].size);
		for (int j = 0; j < i; j++)
			bench_add(set.records[i].identity == set.records[j].identity ? &mated : &nonmated,
					  fingerprint_distance(probe, set.records[j].features, set.records[j].size));
	}
	bench_sort(&nonmated);
	for (int k = 0; k < 2; k++)
	{
		double threshold = nonmated.values[(size_t) (fmr[k] * nonmated.count)];
		size_t missed = 0;

		for (size_t i = 0; i < mated.count; i++)
			missed += mated.values[i] >= threshold;
		fnmr[k] += (double) missed / mated.count;
	}
	free(mated.values);
	free(nonmated.values);
	free(probe);
	bench_free(&set);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const suffixes[2] = {"", "_secugen"};
	const char              *data = bench_data();
	double                   reached[STAGES];
	double                   seconds[2];

	if (argc != 2)
	{
		fprintf(stderr, "usage: cascade NAME\n");
		return 2;
	}
	measure(seconds, reached);
	printf("| %s | %.3f | %.2f | %.0f |", argv[1], seconds[0] / seconds[1], seconds[0] * 1e6,
		   1 / seconds[0]);
	for (int stage = 1; stage < STAGES; stage++)
		printf(" %.1f |", 100 * reached[stage]);
	for (int s = 0; s < 2; s++)
	{
		double fnmr[2] = {0};
		int    sets = 0;

		for (int db = 1; data != NULL && db <= 4; db++)
		{
			char path[4096];

			snprintf(path, sizeof(path), "%s/fingerprint/fvc2002_db%d_b%s", data, db, suffixes[s]);
			sets += add_rates(path, fnmr);
		}
		for (int k = 0; k < 2; k++)
		{
			if (sets == 4)
				printf(" %.2f |", 100 * fnmr[k] / sets);
			else
				printf(" skipped |");
		}
	}
	putchar('\n');
	return 0;
}
