/*
 * fusion.c
 *		What several fingers and eyes of a person are worth: identification with
 *		one, two and four of them, whether sums of scores keep their promise, and
 *		how many mates are lost by searching each finger with a threshold.
 *
 *		fusion [--synthetic FINGERS] [DIRECTORY...]
 *
 * A directory holds records named F_I.fmr: impression I of finger F.  Without
 * directories the program takes the FVC2002 records and the CASIA-IrisV1 codes of
 * the evaluation data and synthetic fingers.
 *
 * These data know fingers and eyes and no persons.  A pseudo-person is n different
 * fingers of one set, drawn at random: one sensor, one session, but fingers
 * that have no more to do with each other than those of strangers.  Some have
 * two different eyes besides.  Every
 * figure is a mean over many such draws.  Intervals hold 95 % and come from
 * drawing the fingers themselves with replacement first.
 */
#include "bench.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fusion.h"
#include "match/iris/iris.h"
#include "match/portable_math.h"

#define MAX_SETS    16
#define MAX_FINGERS 10  /* of a pseudo-person */
#define ROUNDS      200 /* of resampling */
#define DRAWS       32000 /* searches with one finger for a figure; a tenth in a round of resampling */
#define LEVELS      3

static const double level[LEVELS] = {1e-2, 1e-3, 1e-4};
static const int    sizes[] = {1, 2, 4};

/*
 * Losses are measured at this FPIR for galleries of these sizes, and for these
 * thresholds, as shares of the score that a single comparison needs.
 */
#define LOSS_FPIR  0.05
#define GALLERIES  2
#define THRESHOLDS 4

static const double gallery_size[GALLERIES] = {1000, 100000};
static const double least[THRESHOLDS] = {0.5, 0.65, 0.8, 0.95};

/* or an eye */
typedef struct Finger
{
	int set;
	int first; /* record */
	int impressions;
} Finger;

typedef struct Group
{
	const char *title;
	int         sets;
	BenchSet    set[MAX_SETS];
	int         records;
	float      *scores; /* records x records */
	int         fingers;
	Finger     *finger;
	int         first_finger[MAX_SETS + 1];
} Group;

typedef struct Person
{
	int finger[MAX_FINGERS];
} Person;

/* what a pass over many draws counts */
typedef struct Counts
{
	double comparisons;
	double naive[LEVELS];     /* non-mated sums that reach the score of n independent ones */
	double corrected[LEVELS]; /* that reach the score of n of one person */
	double searches;
	double alarms[LEVELS]; /* searches of strangers that return somebody */
	double misses[LEVELS]; /* searches that do not return the mate */
	double gallery;
	double mates;
	double far_misses[LEVELS]; /* the same against the threshold for a big gallery */
} Counts;

#define BIG_GALLERY 100000

static double
threshold(double fpir, double size, int n)
{
	return fusion_sum(-expm1(log1p(-fpir) / size), n);
}

static int
below(uint64_t *random, int n)
{
	return (int) (portable_uniform(random) * n);
}

static void
set_score(Group *group, int i, int j, double score)
{
	group->scores[(size_t) i * group->records + j] =
		group->scores[(size_t) j * group->records + i] = (float) score;
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
	group->finger = bench_allocate(group->records * sizeof(Finger));
	group->scores = bench_allocate((size_t) group->records * group->records * sizeof(float));
	for (int s = 0; s < group->sets; s++)
	{
		bench_extract(&group->set[s]);
		group->first_finger[s] = group->fingers;
		for (int i = 0; i < group->set[s].count; i++, n++)
		{
			records[n] = &group->set[s].records[i];
			if (i == 0 || records[n]->identity != records[n - 1]->identity)
				group->finger[group->fingers++] = (Finger){s, n, 0};
			group->finger[group->fingers - 1].impressions++;
		}
	}
	group->first_finger[group->sets] = group->fingers;
	for (int i = 0; i < n; i++)
	{
		fingerprint_probe_init(probe, records[i]->features, records[i]->size);
		for (int j = i + 1; j < n; j++)
		{
			double distance = fingerprint_distance(probe, records[j]->features, records[j]->size);

			set_score(group, i, j, fingerprint_score(distance));
		}
	}
	free(records);
	free(probe);
}

static int
is_code(const struct dirent *entry)
{
	return strstr(entry->d_name, ".bin") != NULL;
}

/* The codes of CASIA-IrisV1, EEE_SS.bin, as a set of eyes; false when there are none */
static bool
load_eyes(Group *group, const char *data)
{
	const size_t    code = IRIS_SYNTHETIC_COLUMNS * IRIS_SYNTHETIC_BITS / 8;
	char            path[4096];
	struct dirent **files;
	unsigned char **features;
	IrisProbe      *probe;
	int             n;
	int             last = -1;

	snprintf(path, sizeof(path), "%s/iris/casia1", data);
	n = scandir(path, &files, is_code, alphasort);
	if (n <= 0)
		return false;
	features = bench_allocate(n * sizeof(*features));
	group->finger = bench_allocate(n * sizeof(Finger));
	for (int i = 0; i < n; i++)
	{
		unsigned char *bytes = bench_allocate(2 * code);
		IrisTemplate   iris = {IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS, IRIS_EYE_UNKNOWN, bytes,
							   bytes + code};
		FILE          *file;

		snprintf(path, sizeof(path), "%s/iris/casia1/%s", data, files[i]->d_name);
		file = fopen(path, "rb");
		if (file == NULL || fread(bytes, 1, 2 * code, file) != 2 * code)
		{
			fprintf(stderr, "cannot read %s\n", path);
			exit(1);
		}
		fclose(file);
		features[i] =
			bench_allocate(IRIS_FEATURES_HEADER +
						   2 * IRIS_FEATURE_CODE(IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS));
		iris_extract(&iris, features[i]);
		free(bytes);
		if (atoi(files[i]->d_name) != last)
			group->finger[group->fingers++] = (Finger){0, i, 0};
		group->finger[group->fingers - 1].impressions++;
		last = atoi(files[i]->d_name);
		free(files[i]);
	}
	free(files);
	group->sets = 1;
	group->first_finger[1] = group->fingers;
	group->records = n;
	group->scores = bench_allocate((size_t) n * n * sizeof(float));
	probe = bench_allocate(iris_probe_size(features[0]));
	for (int i = 0; i < n; i++)
	{
		iris_probe_init(probe, features[i]);
		for (int j = i + 1; j < n; j++)
			set_score(group, i, j, iris_score(iris_distance(probe, features[j])));
	}
	for (int i = 0; i < n; i++)
		free(features[i]);
	free(features);
	free(probe);
	return true;
}

/* the score of one finger or eye of two persons, the first captured as impression i, the other as j */
static double
score_of(const Group *group, const Person *a, int i, const Person *b, int j, int k)
{
	const Finger *x = &group->finger[a->finger[k]];
	const Finger *y = &group->finger[b->finger[k]];

	return group->scores[(size_t) (x->first + i % x->impressions) * group->records + y->first +
						 j % y->impressions];
}

/* the fused score of two persons, the first captured as impression i, the other as j */
static double
fused(const Group *group, const Person *a, int i, const Person *b, int j, int n)
{
	double sum = 0;

	for (int k = 0; k < n; k++)
		sum += score_of(group, a, i, b, j, k);
	return sum;
}

static bool
share_a_finger(const Person *a, const Person *b, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			if (a->finger[i] == b->finger[j])
				return true;
	return false;
}

/*
 * Cut the fingers of every set, as drawn, into persons of n different ones;
 * what is left over, or would make a person with one finger twice, is left out.
 */
static int
make_persons(const Group *group, const int *drawn, int n, uint64_t *random, Person *persons)
{
	int count = 0;

	for (int s = 0; s < group->sets; s++)
	{
		int  first = group->first_finger[s];
		int  fingers = group->first_finger[s + 1] - first;
		int *order = bench_allocate(fingers * sizeof(int));

		for (int i = 0; i < fingers; i++)
		{
			int j = below(random, i + 1);

			order[i] = order[j];
			order[j] = drawn[first + i];
		}
		for (int i = 0; i + n <= fingers; i += n)
		{
			bool twice = false;

			for (int k = 0; k < n; k++)
			{
				persons[count].finger[k] = order[i + k];
				for (int l = 0; l < k; l++)
					twice |= order[i + k] == order[i + l];
			}
			if (!twice)
				count++;
		}
		free(order);
	}
	return count;
}

static void
count_draws(const Group *group, const int *drawn, int n, int draws, uint64_t *random,
			Counts *counts)
{
	Person *persons = bench_allocate(group->fingers * sizeof(Person));
	double  independent[LEVELS], sum[LEVELS], big[LEVELS];

	memset(counts, 0, sizeof(*counts));
	for (int l = 0; l < LEVELS; l++)
	{
		independent[l] = fusion_sum(fmin(level[l] * pow(FUSION_DEPENDENCE, n - 1), 1), n);
		sum[l] = fusion_sum(level[l], n);
		big[l] = threshold(level[l], BIG_GALLERY, n);
	}
	for (int draw = 0; draw < draws; draw++)
	{
		int count = make_persons(group, drawn, n, random, persons);

		for (int p = 0; p < count; p++)
		{
			int    enrolled = below(random, 8);
			int    captured = (enrolled + 1 + below(random, 7)) % 8;
			double best = 0;
			int    size = 0;
			double mate = fused(group, &persons[p], captured, &persons[p], enrolled, n);
			int    impressions = group->finger[persons[p].finger[0]].impressions;

			if (captured % impressions == enrolled % impressions)
				continue;
			for (int q = 0; q < count; q++)
			{
				double score;

				if (share_a_finger(&persons[p], &persons[q], n))
					continue;
				score = fused(group, &persons[p], captured, &persons[q], enrolled, n);
				size++;
				best = fmax(best, score);

				/* promises of one comparison: fingers of one sensor, the harder case */
				if (group->finger[persons[p].finger[0]].set !=
					group->finger[persons[q].finger[0]].set)
					continue;
				counts->comparisons++;
				for (int l = 0; l < LEVELS; l++)
				{
					counts->naive[l] += score >= independent[l];
					counts->corrected[l] += score >= sum[l];
				}
			}
			if (size == 0)
				continue;
			counts->searches++;
			counts->gallery += size;
			for (int l = 0; l < LEVELS; l++)
			{
				double t = threshold(level[l], size, n);

				counts->alarms[l] += best >= t;
				counts->misses[l] += mate < t;
				counts->far_misses[l] += mate < big[l];
			}
		}
	}
	free(persons);
}

/* Mates who reach the FPIR, and those who are lost: no finger and no eye reaches its threshold */
typedef struct Losses
{
	double mates;
	double reach[GALLERIES];
	double lost[GALLERIES][THRESHOLDS]
			   [THRESHOLDS + 1]; /* by threshold of fingers, of eyes; last: eyes not searched */
} Losses;

/*
 * Mates with n fingers, and, if eyes is not NULL, with two eyes.  Scores of
 * fingers are fused, scores of eyes too, and the two are fused.
 */
static void
count_losses(const Group *fingers, const Group *eyes, const int *drawn, const int *drawn_eyes,
			 int n, int draws, uint64_t *random, Losses *losses)
{
	Person *persons = bench_allocate(fingers->fingers * sizeof(Person));
	Person *pairs = eyes == NULL ? NULL : bench_allocate(eyes->fingers * sizeof(Person));

	memset(losses, 0, sizeof(*losses));
	for (int draw = 0; draw < draws; draw++)
	{
		int count = make_persons(fingers, drawn, n, random, persons);

		if (eyes != NULL)
			count = (int) fmin(count, make_persons(eyes, drawn_eyes, 2, random, pairs));
		for (int p = 0; p < count; p++)
		{
			int    enrolled = below(random, 8);
			int    captured = (enrolled + 1 + below(random, 7)) % 8;
			double sum = 0, best = 0, sum_of_eyes = 0, best_eye = 0;
			double log_fmr;

			if (captured % fingers->finger[persons[p].finger[0]].impressions ==
				enrolled % fingers->finger[persons[p].finger[0]].impressions)
				continue;
			for (int k = 0; k < n; k++)
			{
				double score = score_of(fingers, &persons[p], captured, &persons[p], enrolled, k);

				sum += score;
				best = fmax(best, score);
			}
			log_fmr = fusion_log_fmr(sum, n);
			if (eyes != NULL)
			{
				if (captured % 7 == enrolled % 7)
					continue;
				for (int k = 0; k < 2; k++)
				{
					double score = score_of(eyes, &pairs[p], captured, &pairs[p], enrolled, k);

					sum_of_eyes += score;
					best_eye = fmax(best_eye, score);
				}
				log_fmr =
					fusion_log_fmr(-10 / M_LN10 * (log_fmr + fusion_log_fmr(sum_of_eyes, 2)), 2);
			}
			losses->mates++;
			for (int b = 0; b < GALLERIES; b++)
			{
				double single = threshold(LOSS_FPIR, gallery_size[b], 1);

				if (-10 / M_LN10 * log_fmr < single)
					continue;
				losses->reach[b]++;
				for (int i = 0; i < THRESHOLDS; i++)
					for (int j = 0; j <= THRESHOLDS; j++)
						losses->lost[b][i][j] += best < least[i] * single &&
												 (j == THRESHOLDS || best_eye < least[j] * single);
			}
		}
	}
	free(persons);
	free(pairs);
}

typedef struct Figure
{
	double      value;
	BenchValues resampled;
} Figure;

/*
 * No interval where drawing fingers again tells none: an event that was not
 * counted cannot be drawn, and a rare one in few draws is mostly not.
 */
static void
print_figure(Figure *figure, const char *unit)
{
	double low, high;

	bench_sort(&figure->resampled);
	low = bench_quantile(&figure->resampled, 0.025);
	high = bench_quantile(&figure->resampled, 0.975);
	printf(" %.3g%s", figure->value, unit);
	if (figure->value > high || high <= 0)
		printf(" |");
	else
		printf(" (%.3g to %.3g) |", low, high);
	free(figure->resampled.values);
}

enum
{
	NAIVE,
	CORRECTED,
	ALARMS,
	MISSES,
	FAR_MISSES,
	KINDS
};

static void
take(const Counts *counts, double values[KINDS][LEVELS])
{
	for (int l = 0; l < LEVELS; l++)
	{
		values[NAIVE][l] = counts->naive[l] / counts->comparisons;
		values[CORRECTED][l] = counts->corrected[l] / counts->comparisons;
		values[ALARMS][l] = counts->alarms[l] / counts->searches;
		values[MISSES][l] = 100 * counts->misses[l] / counts->searches;
		values[FAR_MISSES][l] = 100 * counts->far_misses[l] / counts->searches;
	}
}

static void
draw_all(const Group *group, int *drawn, uint64_t *random, bool resample)
{
	for (int s = 0; s < group->sets; s++)
	{
		int first = group->first_finger[s];
		int fingers = group->first_finger[s + 1] - first;

		for (int f = 0; f < fingers; f++)
			drawn[first + f] = first + (resample ? below(random, fingers) : f);
	}
}

static void
report(Group *group)
{
	const char *what = group->set[0].records == NULL ? "eyes" : "fingers";
	int         count = sizeof(sizes) / sizeof(sizes[0]);
	int        *drawn = bench_allocate(group->fingers * sizeof(int));
	Figure      figures[sizeof(sizes) / sizeof(sizes[0])][KINDS][LEVELS];
	double      gallery[sizeof(sizes) / sizeof(sizes[0])];

	memset(figures, 0, sizeof(figures));
	for (int i = 0; i < count; i++)
	{
		uint64_t random = portable_mix(19795, sizes[i]);
		Counts   counts;
		double   values[KINDS][LEVELS];

		draw_all(group, drawn, &random, false);
		count_draws(group, drawn, sizes[i], DRAWS / group->fingers + 1, &random, &counts);
		take(&counts, values);
		gallery[i] = counts.gallery / counts.searches;
		for (int k = 0; k < KINDS; k++)
			for (int l = 0; l < LEVELS; l++)
				figures[i][k][l].value = values[k][l];

		for (int round = 0; round < ROUNDS; round++)
		{
			draw_all(group, drawn, &random, true);
			count_draws(group, drawn, sizes[i], DRAWS / 10 / group->fingers + 1, &random, &counts);
			if (counts.searches == 0 || counts.comparisons == 0)
				continue;
			take(&counts, values);
			for (int k = 0; k < KINDS; k++)
				for (int l = 0; l < LEVELS; l++)
					bench_add(&figures[i][k][l].resampled, values[k][l]);
		}
	}

	printf("\n### %s: %d %s\n", group->title, group->fingers, what);
	printf("\nFalse matches of pseudo-persons of one set.\n\n"
		   "| %s | promised | measured, as if they were independent (Fisher) "
		   "| measured, by the rule |\n|---|---|---|---|\n",
		   what);
	for (int i = 0; i < count; i++)
		for (int l = 0; l < LEVELS; l++)
		{
			printf("| %d | %g |", sizes[i], level[l]);
			print_figure(&figures[i][NAIVE][l], "");
			print_figure(&figures[i][CORRECTED][l], "");
			putchar('\n');
		}
	printf("\nIdentification.  Thresholds are those of score_threshold(fpir, gallery, fingers).\n\n"
		   "| %s | gallery | FPIR promised | FPIR measured | FNIR, %% | FNIR, %%, "
		   "with the threshold for %d persons |\n|---|---|---|---|---|---|\n",
		   what, BIG_GALLERY);
	for (int i = 0; i < count; i++)
		for (int l = 0; l < LEVELS; l++)
		{
			printf("| %d | %.0f | %g |", sizes[i], gallery[i], level[l]);
			print_figure(&figures[i][ALARMS][l], "");
			print_figure(&figures[i][MISSES][l], "");
			print_figure(&figures[i][FAR_MISSES][l], "");
			putchar('\n');
		}
	fflush(stdout);
	free(drawn);
}

static double
share(const Losses *losses, int b, int i, int j)
{
	return losses->reach[b] > 0 ? 100 * losses->lost[b][i][j] / losses->reach[b] : 0;
}

/*
 * What a threshold of each finger loses of n fingers; with eyes, one line for
 * each threshold of the eyes.
 */
static void
report_losses(const Group *group, const Group *eyes, int n)
{
	int   *drawn = bench_allocate(group->fingers * sizeof(int));
	int   *drawn_eyes = eyes == NULL ? NULL : bench_allocate(eyes->fingers * sizeof(int));
	int    first = eyes == NULL ? THRESHOLDS : 0;
	int    last = eyes == NULL ? THRESHOLDS + 1 : THRESHOLDS - 1;
	Losses whole, *rounds = bench_allocate(ROUNDS * sizeof(Losses));

	for (int round = -1; round < ROUNDS; round++)
	{
		uint64_t random = portable_mix(794, n * 1000 + round + 1);
		int      draws = DRAWS / (round < 0 ? 1 : 10) / group->fingers + 1;

		draw_all(group, drawn, &random, round >= 0);
		if (eyes != NULL)
			draw_all(eyes, drawn_eyes, &random, round >= 0);
		count_losses(group, eyes, drawn, drawn_eyes, n, draws, &random,
					 round < 0 ? &whole : &rounds[round]);
	}
	for (int b = 0; b < GALLERIES; b++)
		for (int j = first; j < last; j++)
		{
			printf("| %d%s | %.0f | %.1f | %.0f |", n, eyes == NULL ? "" : " and 2 eyes",
				   gallery_size[b], 100 * whole.reach[b] / whole.mates,
				   threshold(LOSS_FPIR, gallery_size[b], 1));
			if (eyes != NULL)
				printf(" %g |", least[j]);
			for (int i = 0; i < THRESHOLDS; i++)
			{
				Figure figure = {share(&whole, b, i, j), {0}};

				for (int round = 0; round < ROUNDS; round++)
					if (rounds[round].reach[b] > 0)
						bench_add(&figure.resampled, share(&rounds[round], b, i, j));
				print_figure(&figure, "");
			}
			putchar('\n');
		}
	fflush(stdout);
	free(drawn);
	free(drawn_eyes);
	free(rounds);
}

static void
report_all_losses(const Group *group, const Group *eyes, const char *what)
{
	bool ten = true;

	for (int s = 0; s < group->sets; s++)
		ten = ten && group->first_finger[s + 1] - group->first_finger[s] >= 10;
	printf("\nMates who reach an FPIR of %g. Lost are those of them without %s %s that reaches a "
		   "threshold,\nwhich is such a share of what a single comparison needs.\n\n"
		   "| %ss | persons | reach it, %% | needed, dB | lost at 0.5, %% | at 0.65 | at 0.8 "
		   "| at 0.95 |\n|---|---|---|---|---|---|---|---|\n",
		   LOSS_FPIR, what[0] == 'e' ? "an" : "a", what, what);
	for (int n = 2; n <= 4; n += 2)
		report_losses(group, NULL, n);
	if (ten && strcmp(what, "finger") == 0)
		report_losses(group, NULL, 10);
	if (eyes == NULL || eyes->fingers == 0)
		return;
	printf(
		"\nThe same of persons with two eyes of CASIA-IrisV1 besides: no finger and no eye\n"
		"reaches its threshold.\n\n"
		"| fingers | persons | reach it, %% | needed, dB | eyes at | lost with fingers at 0.5, %% "
		"| at 0.65 | at 0.8 | at 0.95 |\n|---|---|---|---|---|---|---|---|---|\n");
	report_losses(group, eyes, 1);
	report_losses(group, eyes, 2);
}

static void
run(Group *group, const Group *eyes, const char *title)
{
	group->title = title;
	compare_all(group);
	report(group);
	report_all_losses(group, eyes, "finger");
	for (int s = 0; s < group->sets; s++)
		bench_free(&group->set[s]);
	free(group->scores);
	free(group->finger);
	memset(group, 0, sizeof(*group));
}

static void
run_fvc(const char *data, const char *suffix, const Group *eyes, const char *title)
{
	Group group = {0};

	for (int db = 1; db <= 4; db++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/fvc2002_db%d_b%s", data, db, suffix);
		if (bench_load(&group.set[group.sets], path))
			group.sets++;
		else
			printf("\nskipped: no records in fingerprint/fvc2002_db%d_b%s of the evaluation data\n",
				   db, suffix);
	}
	if (group.sets > 0)
		run(&group, eyes, title);
}

static void
usage(void)
{
	fprintf(stderr, "usage: fusion [--synthetic FINGERS] [DIRECTORY...]\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	Group       group = {0};
	Group       eyes = {0};
	int         synthetic = -1; /* not said */
	const char *data;

	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--synthetic") == 0 && i + 1 < argc)
			synthetic = atoi(argv[++i]);
		else if (argv[i][0] == '-' || group.sets == MAX_SETS)
			usage();
		else if (bench_load(&group.set[group.sets], argv[i]))
			group.sets++;
		else
		{
			fprintf(stderr, "no records F_I.fmr in %s\n", argv[i]);
			return 2;
		}
	}

	printf("# Several fingers of a person\n\nIn parentheses 95 %% intervals.\n");
	if (group.sets > 0)
	{
		run(&group, NULL, "The given directories");
		synthetic = synthetic < 0 ? 0 : synthetic;
	}
	else if ((data = bench_data()) == NULL)
		printf("\nskipped: FVC2002, because there are no evaluation data in ../shared/data or "
			   "BIOMETRIC_DATA\n");
	else
	{
		if (load_eyes(&eyes, data))
		{
			eyes.title = "CASIA-IrisV1, the codes of the evaluation data";
			report(&eyes);
			report_all_losses(&eyes, NULL, "eye");
		}
		else
			printf("\nskipped: CASIA-IrisV1, because there are no codes in iris/casia1 of the "
				   "evaluation data\n");
		run_fvc(data, "", &eyes, "FVC2002 set B, minutiae by NIST mindtct");
		run_fvc(data, "_secugen", &eyes, "FVC2002 set B, minutiae by a commercial extractor");
	}
	if (synthetic < 0)
		synthetic = 40;
	if (synthetic > 0)
	{
		for (int s = 0; s < 4; s++)
			bench_synthesize(&group.set[group.sets++], 1000000 + (int64_t) s * synthetic, synthetic,
							 4);
		run(&group, &eyes, "Synthetic fingers");
	}
	return 0;
}
