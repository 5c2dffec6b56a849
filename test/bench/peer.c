/*
 * peer.c
 *		Our comparison of fingerprints beside that of openafis, a free matcher: time
 *		and errors, on the same records in the same run.
 *
 *		peer [SET...]
 *
 * SET is a folder of data/fingerprint; FVC2002's four by two extractors if none is
 * named.  Each record is compared with all others of its set by both matchers.  The
 * rounds alternate, and the best of each counts, since whatever else runs can only
 * add.  Pairs of the same record are left out.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 3

extern void *peer_load(const char *path);
extern int   peer_similarity(const void *a, const void *b);

/* What one matcher found on one set */
typedef struct Findings
{
	double      seconds; /* of a comparison */
	BenchValues mated;   /* scores */
	BenchValues nonmated;
} Findings;

typedef double (*Comparison)(void *probe, const BenchRecord *record, void *theirs);

static double
our_score(void *probe, const BenchRecord *record, void *theirs)
{
	return fingerprint_score(fingerprint_distance(probe, record->features, record->size));
}

static double
their_score(void *probe, const BenchRecord *record, void *theirs)
{
	return peer_similarity(probe, theirs);
}

/* One round: all pairs of a set */
static void
compare(const BenchSet *set, void *const *theirs, Comparison comparison, Findings *findings)
{
	FingerprintProbe *ours = bench_allocate(fingerprint_probe_size());
	double            start = bench_seconds();
	double            seconds;
	long              n = 0;

	findings->mated.count = findings->nonmated.count = 0;
	for (int i = 0; i < set->count; i++)
	{
		const BenchRecord *a = &set->records[i];

		if (theirs[i] == NULL)
			continue;
		if (comparison == our_score)
			fingerprint_probe_init(ours, a->features, a->size);
		for (int j = 0; j < set->count; j++)
		{
			const BenchRecord *b = &set->records[j];

			if (i == j || theirs[j] == NULL)
				continue;
			bench_add(
				a->identity == b->identity ? &findings->mated : &findings->nonmated,
				comparison(comparison == our_score ? (void *) ours : theirs[i], b, theirs[j]));
			n++;
		}
	}
	seconds = (bench_seconds() - start) / (n > 0 ? n : 1);
	if (findings->seconds == 0 || seconds < findings->seconds)
		findings->seconds = seconds;
	free(ours);
}

/* Per cent of the mated that score less than all but the share fmr of the non-mated, or as much */
static double
fnmr_at(Findings *findings, double fmr)
{
	BenchValues *nonmated = &findings->nonmated;
	size_t       allowed = (size_t) (fmr * (double) nonmated->count);
	double       threshold;
	size_t       missed = 0;

	bench_sort(nonmated);
	threshold = nonmated->values[nonmated->count - 1 - allowed];
	for (size_t i = 0; i < findings->mated.count; i++)
		missed += findings->mated.values[i] <= threshold;
	return 100.0 * (double) missed / (double) findings->mated.count;
}

static void
measure(const char *data, const char *name)
{
	char     path[4096];
	BenchSet set;
	void   **theirs;
	Findings findings[2] = {{0}};
	int      refused = 0;

	snprintf(path, sizeof(path), "%s/fingerprint/%s", data, name);
	if (!bench_load(&set, path))
	{
		printf("| %s | no records |\n", name);
		return;
	}
	bench_extract(&set);
	theirs = bench_allocate(sizeof(*theirs) * set.count);
	for (int i = 0; i < set.count; i++)
	{
		snprintf(path, sizeof(path), "%s/fingerprint/%s/%d_%d.fmr", data, name,
				 set.records[i].identity, set.records[i].impression);
		theirs[i] = peer_load(path);
		refused += theirs[i] == NULL;
	}
	for (int round = 0; round < ROUNDS; round++)
	{
		compare(&set, theirs, our_score, &findings[0]);
		compare(&set, theirs, their_score, &findings[1]);
	}
	printf("| %s | %.0f | %.0f | %.1f | %.1f / %.1f | %.1f / %.1f | %d |\n", name,
		   1 / findings[0].seconds, 1 / findings[1].seconds,
		   findings[1].seconds / findings[0].seconds, fnmr_at(&findings[0], 1e-2),
		   fnmr_at(&findings[0], 1e-3), fnmr_at(&findings[1], 1e-2), fnmr_at(&findings[1], 1e-3),
		   refused);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const char *const sets[] = {"fvc2002_db1_b",         "fvc2002_db2_b",
									   "fvc2002_db3_b",         "fvc2002_db4_b",
									   "fvc2002_db1_b_secugen", "fvc2002_db2_b_secugen",
									   "fvc2002_db3_b_secugen", "fvc2002_db4_b_secugen"};
	const char              *data = bench_data();

	if (data == NULL)
	{
		fprintf(stderr, "SKIPPED: no evaluation data\n");
		return 0;
	}
	printf("| set | ours, a second | openafis, a second | ratio | our FNMR %% at FMR 1e-2 / 1e-3 | "
		   "its | records it refuses |\n|---|---|---|---|---|---|---|\n");
	if (argc > 1)
		for (int i = 1; i < argc; i++)
			measure(data, argv[i]);
	else
		for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
			measure(data, sets[i]);
	return 0;
}
