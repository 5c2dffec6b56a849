/*
 * accuracy.c
 *		Error rates of fingerprint matching and the calibration of its scores.
 *
 *		accuracy [--csv FILE] [--synthetic FINGERS] [DIRECTORY...]
 *
 * A directory holds records named F_I.fmr: impression I of finger F.  Fingers
 * of different directories are different.  Without directories the program
 * takes the evaluation data's records and synthetic fingers.
 *
 * Rates are those of ISO/IEC 19795-1: all pairs of impressions, each once.
 * FNMR at FMR f is the least FNMR of a threshold that keeps the FMR at or below
 * f; equal distances count against the matcher.  Intervals hold 95 % and come
 * from resampling fingers with replacement (comparisons that share a finger are
 * not independent); where nothing was counted the rule of three bounds the
 * rate, as if all comparisons were independent.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/portable_math.h"

#define MAX_SETS 16
#define ROUNDS   200 /* of resampling */

typedef struct Comparison
{
	double distance;
	double score;
	int    finger[2]; /* numbered through the group */
	int    set[2];
	int    record[2];
} Comparison;

typedef struct Group
{
	char        title[128];
	int         sets;
	BenchSet    set[MAX_SETS];
	int         fingers;
	int         records;
	int         count; /* comparisons, by ascending distance */
	Comparison *comparisons;
	int        *finger_of; /* of a record numbered through the group */
	int        *set_of;
} Group;

typedef struct Rates
{
	double eer;
	double fnmr[3]; /* at FMR 1e-2, 1e-3, 1e-4 */
} Rates;

static const double operating_point[3] = {1e-2, 1e-3, 1e-4};

static FILE *csv;

static int
compare_comparisons(const void *left, const void *right)
{
	const Comparison *a = left;
	const Comparison *b = right;

	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;

	/* ties: non-mated first, which counts against the matcher */
	return (a->finger[0] == a->finger[1]) - (b->finger[0] == b->finger[1]);
}

static void
compare_all(Group *group)
{
	const BenchRecord **records;
	FingerprintProbe   *probe = bench_allocate(fingerprint_probe_size());
	int                 n = 0;

	for (int s = 0; s < group->sets; s++)
		group->records += group->set[s].count;
	records = bench_allocate(group->records * sizeof(*records));
	group->finger_of = bench_allocate(group->records * sizeof(int));
	group->set_of = bench_allocate(group->records * sizeof(int));
	group->comparisons =
		bench_allocate((size_t) group->records * (group->records - 1) / 2 * sizeof(Comparison));
	for (int s = 0; s < group->sets; s++)
	{
		bench_extract(&group->set[s]);
		for (int i = 0; i < group->set[s].count; i++)
		{
			records[n] = &group->set[s].records[i];
			if (i == 0 || records[n]->identity != records[n - 1]->identity)
				group->fingers++;
			group->finger_of[n] = group->fingers - 1;
			group->set_of[n] = s;
			n++;
		}
	}
	for (int i = 0; i < n; i++)
	{
		fingerprint_probe_init(probe, records[i]->features, records[i]->size);
		for (int j = i + 1; j < n; j++)
		{
			Comparison *c = &group->comparisons[group->count++];

			c->distance = fingerprint_distance(probe, records[j]->features, records[j]->size);
			c->score = fingerprint_score(c->distance);
			c->record[0] = i;
			c->record[1] = j;
			for (int k = 0; k < 2; k++)
			{
				c->finger[k] = group->finger_of[c->record[k]];
				c->set[k] = group->set_of[c->record[k]];
			}
			if (csv)
				fprintf(csv, "%s,%d,%d,%s,%d,%d,%d,%.9g,%.4f\n", group->set[c->set[0]].name,
						records[i]->identity, records[i]->impression, group->set[c->set[1]].name,
						records[j]->identity, records[j]->impression, c->finger[0] == c->finger[1],
						c->distance, c->score);
		}
	}
	qsort(group->comparisons, group->count, sizeof(Comparison), compare_comparisons);
	free(records);
	free(probe);
}

/* whether a comparison belongs to set s, or, for s < 0, to any one set */
static bool
within(const Comparison *c, int s)
{
	return c->set[0] == c->set[1] && (s < 0 || c->set[0] == s);
}

/* how often a comparison counts when finger f was drawn weight[f] times */
static double
weight_of(const Comparison *c, const int *weight)
{
	if (weight == NULL)
		return 1;
	if (c->finger[0] == c->finger[1])
		return weight[c->finger[0]];
	return (double) weight[c->finger[0]] * weight[c->finger[1]];
}

/* rates of set s, or of all comparisons within a set for s < 0 */
static Rates
rates(const Group *group, int s, const int *weight)
{
	Rates  result = {NAN, {NAN, NAN, NAN}};
	double mated = 0, nonmated = 0, hits = 0, false_matches = 0;
	double narrowest = INFINITY, gap;

	for (int i = 0; i < group->count; i++)
	{
		const Comparison *c = &group->comparisons[i];

		if (within(c, s))
			*(c->finger[0] == c->finger[1] ? &mated : &nonmated) += weight_of(c, weight);
	}
	if (mated == 0 || nonmated == 0)
		return result;
	for (int k = 0; k < 3; k++)
		if (nonmated * operating_point[k] >= 1)
			result.fnmr[k] = 0;

	/* walk up the distances; before each step the threshold lies just below */
	for (int i = 0; i < group->count; i++)
	{
		const Comparison *c = &group->comparisons[i];
		double            w = within(c, s) ? weight_of(c, weight) : 0;

		if (w == 0)
			continue;
		if (c->finger[0] == c->finger[1])
			hits += w;
		else
		{
			for (int k = 0; k < 3; k++)
				if (false_matches <= operating_point[k] * nonmated &&
					false_matches + w > operating_point[k] * nonmated && !isnan(result.fnmr[k]))
					result.fnmr[k] = 1 - hits / mated;
			false_matches += w;
		}
		gap = fabs(false_matches / nonmated - (1 - hits / mated));
		if (gap < narrowest)
		{
			narrowest = gap;
			result.eer = (false_matches / nonmated + 1 - hits / mated) / 2;
		}
	}
	return result;
}

/* mean over the sets of a group */
static Rates
mean_rates(const Group *group, const int *weight)
{
	Rates mean = {0, {0, 0, 0}};

	for (int s = 0; s < group->sets; s++)
	{
		Rates r = rates(group, s, weight);

		mean.eer += r.eer / group->sets;
		for (int k = 0; k < 3; k++)
			mean.fnmr[k] += r.fnmr[k] / group->sets;
	}
	return mean;
}

/*
 * Share of the searches that put the mate first, alone: the first impression
 * of every finger is enrolled, the others search.  Candidates are those of the
 * probe's set, or of the whole group.
 */
static double
rank_one(const Group *group, bool pooled, const int *weight, int *searches)
{
	double *mate = bench_allocate(group->records * sizeof(double));
	double *other = bench_allocate(group->records * sizeof(double));
	double  found = 0, total = 0;

	*searches = 0;
	for (int i = 0; i < group->records; i++)
		mate[i] = other[i] = INFINITY;
	for (int i = 0; i < group->count; i++)
	{
		const Comparison *c = &group->comparisons[i];

		for (int k = 0; k < 2; k++)
		{
			int     enrolled = c->record[k];
			int     probe = c->record[1 - k];
			double *best;

			if (enrolled > 0 && group->finger_of[enrolled - 1] == group->finger_of[enrolled])
				continue;
			if (!pooled && c->set[0] != c->set[1])
				continue;
			best = c->finger[0] == c->finger[1] ? &mate[probe] : &other[probe];
			if (c->distance < *best)
				*best = c->distance;
		}
	}
	for (int i = 1; i < group->records; i++)
		if (group->finger_of[i] == group->finger_of[i - 1])
		{
			double w = weight ? weight[group->finger_of[i]] : 1;

			++*searches;
			total += w;
			if (mate[i] < other[i])
				found += w;
		}
	free(mate);
	free(other);
	return total > 0 ? found / total : NAN;
}

/* draw as many fingers as each set has, with replacement */
static void
draw(const Group *group, uint64_t *random, int *weight)
{
	int first = 0;

	memset(weight, 0, group->fingers * sizeof(int));
	for (int s = 0, record = 0; s < group->sets; s++)
	{
		int fingers;

		record += group->set[s].count;
		fingers = group->finger_of[record - 1] + 1 - first;
		for (int i = 0; i < fingers; i++)
			weight[first + (int) (portable_uniform(random) * fingers)]++;
		first += fingers;
	}
}

static void
print_rate(double rate)
{
	if (isnan(rate))
		printf(" – |");
	else
		printf(" %.2f |", 100 * rate);
}

static void
print_rates(const char *name, int mated, int nonmated, const Rates *r)
{
	printf("| %s | %d | %d |", name, mated, nonmated);
	print_rate(r->eer);
	for (int k = 0; k < 3; k++)
		print_rate(r->fnmr[k]);
	putchar('\n');
}

/*
 * Of a rate of errors of n comparisons.  Drawing fingers again cannot find an
 * error where none was counted: there the rule of three tells what n can exclude.
 */
static void
error_interval(BenchValues *values, double rate, double n, double *low, double *high)
{
	bench_sort(values);
	*low = bench_quantile(values, 0.025);
	*high = rate > 0 ? bench_quantile(values, 0.975) : fmin(3 / n, 1);
}

static void
print_interval(BenchValues *values, double rate, double n)
{
	double low, high;

	if (isnan(rate))
	{
		printf(" – |");
		return;
	}
	error_interval(values, rate, n, &low, &high);
	printf(" %.2f to %.2f |", 100 * low, 100 * high);
}

static void
count_pairs(const Group *group, int s, int *mated, int *nonmated)
{
	*mated = *nonmated = 0;
	for (int i = 0; i < group->count; i++)
	{
		const Comparison *c = &group->comparisons[i];

		if (within(c, s))
			++*(c->finger[0] == c->finger[1] ? mated : nonmated);
	}
}

/*
 * Non-mated comparisons within a set (cross false) or of different sets that
 * reach a score
 */
static double
false_match_rate(const Group *group, double score, bool cross, const int *weight, double *total,
				 double *matches)
{
	*total = *matches = 0;
	for (int i = 0; i < group->count; i++)
	{
		const Comparison *c = &group->comparisons[i];
		double            w;

		if (c->finger[0] == c->finger[1] || (c->set[0] != c->set[1]) != cross)
			continue;
		w = weight_of(c, weight);
		*total += w;
		if (c->score >= score)
			*matches += w;
	}
	return *total > 0 ? *matches / *total : NAN;
}

static void
report(Group *group)
{
	uint64_t            random = portable_mix(19795, 1);
	int                *weight = bench_allocate(group->fingers * sizeof(int));
	static const double promised[] = {10, 20, 30, 40, 50};
	enum
	{
		LEVELS = 5
	};
	BenchValues eer = {0}, fnmr[3] = {{0}}, rank[2] = {{0}}, measured[LEVELS][2] = {{{0}}};
	Rates       mean = mean_rates(group, NULL);
	int         mated, nonmated, searches;

	for (int round = 0; round < ROUNDS; round++)
	{
		Rates r;

		draw(group, &random, weight);
		r = mean_rates(group, weight);
		bench_add(&eer, r.eer);
		for (int k = 0; k < 3; k++)
			bench_add(&fnmr[k], r.fnmr[k]);
		for (int k = 0; k < 2; k++)
			bench_add(&rank[k], 1 - rank_one(group, k == 1, weight, &searches));
		for (int l = 0; l < LEVELS; l++)
			for (int k = 0; k < 2; k++)
			{
				double total, matches;

				bench_add(&measured[l][k],
						  false_match_rate(group, promised[l], k == 1, weight, &total, &matches));
			}
	}

	printf("\n## %s\n\nPercent.\n\n", group->title);
	printf(
		"| set | mated | non-mated | EER | FNMR at FMR 1e-2 | at 1e-3 | at 1e-4 |\n|---|---|---|---|---|---|---|\n");
	for (int s = 0; s < group->sets; s++)
	{
		Rates r = rates(group, s, NULL);

		count_pairs(group, s, &mated, &nonmated);
		print_rates(group->set[s].name, mated, nonmated, &r);
	}
	count_pairs(group, -1, &mated, &nonmated);
	if (group->sets > 1)
	{
		Rates r = rates(group, -1, NULL);

		print_rates("**mean of the sets**", mated, nonmated, &mean);
		printf("| its 95 %% interval | | |");
		print_interval(&eer, mean.eer, mated);
		for (int k = 0; k < 3; k++)
			print_interval(&fnmr[k], mean.fnmr[k], mated);
		putchar('\n');
		print_rates("one threshold for all sets", mated, nonmated, &r);
	}
	else
	{
		printf("| 95 %% interval | | |");
		print_interval(&eer, mean.eer, mated);
		for (int k = 0; k < 3; k++)
			print_interval(&fnmr[k], mean.fnmr[k], mated);
		putchar('\n');
	}

	printf(
		"\n| first impressions enrolled | searches | rank 1, %% | 95 %% interval |\n|---|---|---|---|\n");
	for (int k = 0; k < (group->sets > 1 ? 2 : 1); k++)
	{
		double share = rank_one(group, k == 1, NULL, &searches);
		double low, high;

		if (k == 0)
			printf("| of the probe's set | %d | %.2f |", searches, 100 * share);
		else
			printf("| %d, of all sets | %d | %.2f |", group->fingers, searches, 100 * share);
		error_interval(&rank[k], 1 - share, searches, &low, &high);
		printf(" %.2f to %.2f |\n", 100 * (1 - high), 100 * (1 - low));
	}

	printf(
		"\n| score | non-mated pairs | comparisons | false matches | FMR promised | measured | 95 %% interval | measured / promised |\n|---|---|---|---|---|---|---|---|\n");
	for (int k = 0; k < (group->sets > 1 ? 2 : 1); k++)
		for (int l = 0; l < LEVELS; l++)
		{
			double total, matches;
			double rate = false_match_rate(group, promised[l], k == 1, NULL, &total, &matches);
			double promise = pow(10, -promised[l] / 10);
			double low, high;

			/* fewer than ten expected tell nothing about a factor of 3 */
			if (promise * total < 1)
				continue;
			error_interval(&measured[l][k], rate, total, &low, &high);
			printf("| %.0f dB | %s | %.0f | %.0f | %.1e | %.1e | %.1e to %.1e | %.2f%s |\n",
				   promised[l], k == 0 ? "within a set" : "of different sets", total, matches,
				   promise, rate, low, high, rate / promise,
				   promise * total < 10 ? " (too few to tell)" : "");
		}
	fflush(stdout);

	free(weight);
	free(eer.values);
	for (int k = 0; k < 3; k++)
		free(fnmr[k].values);
	for (int k = 0; k < 2; k++)
	{
		free(rank[k].values);
		for (int l = 0; l < LEVELS; l++)
			free(measured[l][k].values);
	}
}

static void
free_group(Group *group)
{
	for (int s = 0; s < group->sets; s++)
		bench_free(&group->set[s]);
	free(group->comparisons);
	free(group->finger_of);
	free(group->set_of);
	memset(group, 0, sizeof(*group));
}

static void
run(Group *group, const char *title)
{
	snprintf(group->title, sizeof(group->title), "%s", title);
	compare_all(group);
	report(group);
	free_group(group);
}

/* the sets of one extractor or sensor, of the evaluation data */
static void
run_sets(const char *data, const char *title, const char *const *names)
{
	Group group = {0};

	for (; *names != NULL; names++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/%s", data, *names);
		if (bench_load(&group.set[group.sets], path))
			group.sets++;
		else
			printf("\nskipped: no records in fingerprint/%s of the evaluation data\n", *names);
	}
	if (group.sets > 0)
		run(&group, title);
}

static void
run_data(const char *data)
{
	static const struct
	{
		const char *title;
		const char *sets[5];
	} groups[] = {{"FVC2002 set B, minutiae by NIST mindtct",
				   {"fvc2002_db1_b", "fvc2002_db2_b", "fvc2002_db3_b", "fvc2002_db4_b"}},
				  {"FVC2002 set B, minutiae by a commercial extractor",
				   {"fvc2002_db1_b_secugen", "fvc2002_db2_b_secugen", "fvc2002_db3_b_secugen",
					"fvc2002_db4_b_secugen"}},
				  {"U.are.U, an optical sensor, minutiae by NIST mindtct", {"neuro_uareu"}},
				  {"CrossMatch, an optical sensor, minutiae by NIST mindtct", {"neuro_crossmatch"}},
				  {"UPEK, a capacitive sensor, minutiae by NIST mindtct", {"neuro_upek"}},
				  {"Rolled ink, minutiae by NIST mindtct", {"sd4_part"}}};

	for (size_t k = 0; k < sizeof(groups) / sizeof(groups[0]); k++)
		run_sets(data, groups[k].title, groups[k].sets);
}

static void
usage(void)
{
	fprintf(stderr, "usage: accuracy [--csv FILE] [--synthetic FINGERS] [DIRECTORY...]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	Group       group = {0};
	int         synthetic = -1; /* not said */
	const char *data;

	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--csv") == 0 && i + 1 < argc)
		{
			csv = fopen(argv[++i], "w");
			if (csv == NULL)
			{
				perror(argv[i]);
				return 2;
			}
			fprintf(
				csv,
				"set_a,finger_a,impression_a,set_b,finger_b,impression_b,mated,distance,score\n");
		}
		else if (strcmp(argv[i], "--synthetic") == 0 && i + 1 < argc)
			synthetic = atoi(argv[++i]);
		else if (argv[i][0] == '-')
			usage();
		else if (group.sets == MAX_SETS)
			usage();
		else if (bench_load(&group.set[group.sets], argv[i]))
			group.sets++;
		else
		{
			fprintf(stderr, "no records F_I.fmr in %s\n", argv[i]);
			return 2;
		}
	}

	printf("# Accuracy of fingerprint matching\n");
	if (group.sets > 0)
	{
		if (synthetic < 0)
			synthetic = 0;
		run(&group, "The given directories");
	}
	else if ((data = bench_data()) == NULL)
		printf(
			"\nskipped: FVC2002, because there are no evaluation data in ../shared/data or BIOMETRIC_DATA\n");
	else
		run_data(data);

	if (synthetic != 0)
	{
		int fingers = synthetic < 0 ? 25 : synthetic > 250 ? 250 : synthetic;

		for (int s = 0; s < 4; s++)
		{
			bench_synthesize(&group.set[s], 1000000 + (int64_t) s * fingers, fingers, 8);
			snprintf(group.set[s].name, sizeof(group.set[s].name), "synthetic %d", s + 1);
		}
		group.sets = 4;
		run(&group, "Synthetic fingers");
	}
	if (csv && fclose(csv) != 0)
	{
		perror("scores");
		return 2;
	}
	return 0;
}
