/*
 * speed.c
 *		Time of fingerprint comparison, feature extraction and synthesis on one
 *		core.
 *
 *		speed [DIRECTORY...]
 *
 * Machines differ and are shared, so each time is also given as a ratio to a
 * baseline measured in the same run: copying, and counting the differing bits
 * of, the same features.  Every figure is the best of several rounds,
 * since whatever else runs can only add.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/portable_math.h"

#define ROUNDS  7
#define GALLERY 2000 /* synthetic fingers of the search */
#define PROBES  20

/* keeps the compiler from dropping what is timed */
static volatile uint64_t sink;

static double
best(BenchValues *values)
{
	double result;

	bench_sort(values);
	result = bench_quantile(values, 0);
	values->count = 0;
	return result;
}

static uint64_t
differing_bits(const unsigned char *a, size_t na, const unsigned char *b, size_t nb)
{
	size_t   n = na < nb ? na : nb;
	uint64_t bits = 0;

	for (size_t i = 0; i + 8 <= n; i += 8)
	{
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		bits += __builtin_popcountll(x ^ y);
	}
	return bits;
}

static void
row(const char *what, double seconds, double baseline)
{
	printf("| %s | %.3f µs | %.0f | %.0f |\n", what, seconds * 1e6, 1 / seconds,
		   seconds / baseline);
}

/* the records of a set against each other, all pairs */
static void
measure(BenchSet *set)
{
	FingerprintProbe    *probe = bench_allocate(fingerprint_probe_size());
	static unsigned char buffer[FINGERPRINT_FEATURES_MAX_SIZE];
	BenchValues          times = {0}, minutiae = {0}, sizes = {0};
	double               copy, count, extract, init, start;
	double               compare[2];
	long                 n = 0;

	bench_extract(set);
	for (int i = 0; i < set->count; i++)
	{
		bench_add(&minutiae, set->records[i].finger.count);
		bench_add(&sizes, set->records[i].size);
	}

	for (int round = 0; round < ROUNDS; round++)
	{
		start = bench_seconds();
		n = 0;
		for (int i = 0; i < set->count; i++)
			for (int j = 0; j < set->count; j++, n++)
			{
				memcpy(buffer, set->records[j].features, set->records[j].size);
				sink += buffer[j & 15];
			}
		bench_add(&times, (bench_seconds() - start) / n);
	}
	copy = best(&times);
	for (int round = 0; round < ROUNDS; round++)
	{
		start = bench_seconds();
		for (int i = 0; i < set->count; i++)
			for (int j = 0; j < set->count; j++)
				sink += differing_bits(set->records[i].features, set->records[i].size,
									   set->records[j].features, set->records[j].size);
		bench_add(&times, (bench_seconds() - start) / n);
	}
	count = best(&times);
	for (int round = 0; round < ROUNDS; round++)
	{
		start = bench_seconds();
		for (int i = 0; i < set->count; i++)
			sink += fingerprint_extract(&set->records[i].finger, buffer);
		bench_add(&times, (bench_seconds() - start) / set->count);
	}
	extract = best(&times);
	for (int round = 0; round < ROUNDS; round++)
	{
		start = bench_seconds();
		for (int i = 0; i < set->count; i++)
			fingerprint_probe_init(probe, set->records[i].features, set->records[i].size);
		bench_add(&times, (bench_seconds() - start) / set->count);
	}
	init = best(&times);

	/* mated and non-mated apart: the former pass all the stages */
	for (int kind = 0; kind < 2; kind++)
	{
		for (int round = 0; round < ROUNDS; round++)
		{
			double total = 0;

			n = 0;
			for (int i = 0; i < set->count; i++)
			{
				fingerprint_probe_init(probe, set->records[i].features, set->records[i].size);
				start = bench_seconds();
				for (int j = 0; j < set->count; j++)
					if (j != i && (set->records[i].identity == set->records[j].identity) == kind)
					{
						sink += fingerprint_distance(probe, set->records[j].features,
													 set->records[j].size) < 0.5;
						n++;
					}
				total += bench_seconds() - start;
			}
			if (n > 0)
				bench_add(&times, total / n);
		}
		compare[kind] = best(&times);
	}

	printf("\n## %s: %d records, %.1f minutiae and %.0f bytes of features on average\n\n",
		   set->name, set->count, bench_mean(&minutiae), bench_mean(&sizes));
	printf("| | time | a second and core | times the copy |\n|---|---|---|---|\n");
	row("baseline: copy of the features", copy, copy);
	row("baseline: differing bits of the features", count, copy);
	row("comparison, non-mated", compare[0], copy);
	if (!isnan(compare[1]))
		row("comparison, mated", compare[1], copy);
	row("preparing a probe", init, copy);
	row("feature extraction", extract, copy);
	fflush(stdout);
	free(probe);
	free(times.values);
	free(minutiae.values);
	free(sizes.values);
}

/* one probe against a gallery of other fingers, as a search does */
static void
measure_search(void)
{
	BenchSet          gallery;
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	BenchValues       times = {0};
	double            start = bench_seconds();
	double            synthesis, search;

	bench_synthesize(&gallery, 0, GALLERY, 1);
	synthesis = (bench_seconds() - start) / GALLERY;
	bench_extract(&gallery);
	for (int p = 0; p < PROBES; p++)
	{
		FingerprintTemplate  finger;
		static unsigned char features[FINGERPRINT_FEATURES_MAX_SIZE];
		size_t               size;

		fingerprint_synthesize(&finger, p, 1, 0);
		size = fingerprint_extract(&finger, features);
		fingerprint_probe_init(probe, features, size);
		start = bench_seconds();
		for (int i = 0; i < GALLERY; i++)
			sink += fingerprint_distance(probe, gallery.records[i].features,
										 gallery.records[i].size) < 0.5;
		bench_add(&times, (bench_seconds() - start) / GALLERY);
	}
	search = best(&times);
	printf("\n## Synthetic fingers\n\n| | time | a second and core |\n|---|---|---|\n");
	printf("| making a template | %.3f µs | %.0f |\n", synthesis * 1e6, 1 / synthesis);
	printf("| search of %d fingers, each entry | %.3f µs | %.0f |\n", GALLERY, search * 1e6,
		   1 / search);
	bench_free(&gallery);
	free(times.values);
	free(probe);
}

/* the dearest templates: 255 minutiae, anywhere and on a tight grid, with each other */
static void
measure_large(void)
{
	FingerprintProbe    *probe = bench_allocate(fingerprint_probe_size());
	static unsigned char features[4][FINGERPRINT_FEATURES_MAX_SIZE];
	size_t               sizes[4];
	uint64_t             random = 1;
	BenchValues          times = {0};

	printf("\n## Templates of 255 minutiae\n\n| | time | a second and core |\n|---|---|---|\n");
	for (int k = 0; k < 4; k++)
	{
		FingerprintTemplate finger = {.width = 500, .height = 500, .x_resolution = 197};

		finger.y_resolution = finger.x_resolution;
		finger.count = 255;
		for (int i = 0; i < 255; i++)
			finger.minutiae[i] = (Minutia){
				(uint16_t) (k < 2 ? portable_uniform(&random) * 500 : 20 + 9 * (i % 16)),
				(uint16_t) (k < 2 ? portable_uniform(&random) * 500 : 20 + 9 * (i / 16)),
				(uint8_t) (k < 2 ? portable_uniform(&random) * 256 : 64), MINUTIA_RIDGE_ENDING, 50};
		sizes[k] = fingerprint_extract(&finger, features[k]);
	}
	for (int k = 0; k < 4; k += 2)
		for (int with = k; with < k + 2; with++)
		{
			double time;

			for (int round = 0; round < ROUNDS; round++)
			{
				double start;

				fingerprint_probe_init(probe, features[k], sizes[k]);
				start = bench_seconds();
				for (int i = 0; i < 100; i++)
					sink += fingerprint_distance(probe, features[with], sizes[with]) < 0.5;
				bench_add(&times, (bench_seconds() - start) / 100);
			}
			time = best(&times);
			printf("| %s, with %s | %.1f µs | %.0f |\n", k == 0 ? "anywhere" : "on a grid",
				   with == k ? "itself" : "another", time * 1e6, 1 / time);
		}
	free(times.values);
	free(probe);
}

int
main(int argc, char **argv)
{
	BenchSet    set;
	const char *data = bench_data();

	printf("# Speed of fingerprint matching, one core\n");
	for (int i = 1; i < argc; i++)
	{
		if (argv[i][0] == '-')
		{
			fprintf(stderr, "usage: speed [DIRECTORY...]\n");
			return 2;
		}
		if (!bench_load(&set, argv[i]))
		{
			fprintf(stderr, "no records F_I.fmr in %s\n", argv[i]);
			return 2;
		}
		measure(&set);
		bench_free(&set);
	}
	if (argc == 1 && data == NULL)
		printf(
			"\nskipped: FVC2002, because there are no evaluation data in ../shared/data or BIOMETRIC_DATA\n");
	if (argc == 1 && data != NULL)
	{
		static const char *const names[] = {"fvc2002_db1_b", "fvc2002_db3_b",
											"fvc2002_db2_b_secugen"};

		for (int i = 0; i < 3; i++)
		{
			char path[4096];

			snprintf(path, sizeof(path), "%s/fingerprint/%s", data, names[i]);
			if (!bench_load(&set, path))
			{
				printf("\nskipped: no records in fingerprint/%s of the evaluation data\n",
					   names[i]);
				continue;
			}
			measure(&set);
			bench_free(&set);
		}
	}
	if (argc == 1)
	{
		bench_synthesize(&set, 0, 10, 8);
		measure(&set);
		bench_free(&set);
		measure_search();
		measure_large();
	}
	return 0;
}
