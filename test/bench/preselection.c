/*
 * preselection.c
 *		How many mates pre-selection finds, and at what cost, in plain memory.
 *
 *	preselection fingers [N [PROBES]]
 *	preselection eyes [N [PROBES]]
 *
 * The gallery is N (20 000) synthetic templates; of fingers, a quarter is of
 * another generator (foreign.h).  Where the evaluation data are there, the first
 * captures of real ones are hidden among them.  Other captures are searched for:
 * PROBES (400) of each synthetic kind and all real ones.  The index's own search
 * does the same on pages.
 *
 * A mate is found at a penetration rate when that share of the gallery has no
 * more votes than it has; ties count half.  "Clear" are the searches that an
 * exact one wins with hardly a doubt, as the mate's score is at least 40 dB:
 * strangers in such a gallery hardly have that.  "Compared" is the share of clear
 * mates that are among those compared: of the best 0.2 % by votes, and of the
 * best BLOCK by votes among the COMPARED that resemble the probe most.
 *
 * Groups marked * had a part in the choice of parameters or constants.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"
#include "foreign.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/iris/iris.h"
#include "match/words.h"

#define BINS      16
#define MAX_VOTES 510

/* what a search of a million at the default rate looks at, and compares of it */
#define BLOCK    2000
#define COMPARED 128

/* decibans that strangers hardly have */
#define CLEAR_SCORE 40

typedef struct Modality
{
	int key_bits;
	int tag_bits;
	int max_words;
	int max_probe_words;
	int (*words)(const void *features, size_t size, Word *words);
	int (*probe_words)(const void *features, size_t size, Word *words);
} Modality;

static const Modality fingers = {FINGERPRINT_KEY_BITS,  FINGERPRINT_TAG_BITS,
								 FINGERPRINT_MAX_WORDS, FINGERPRINT_MAX_PROBE_WORDS,
								 fingerprint_words,     fingerprint_probe_words};
static const Modality eyes = {IRIS_KEY_BITS,        IRIS_TAG_BITS, IRIS_MAX_WORDS,
							  IRIS_MAX_PROBE_WORDS, iris_words,    iris_probe_words};

typedef struct Posting
{
	uint32_t entry;
	uint16_t signature;
	uint8_t  tag;
} Posting;

typedef struct Gallery
{
	const Modality *modality;
	uint32_t        entries;
	size_t          postings;
	size_t          capacity;
	uint32_t       *keys; /* while it is filled */
	Posting        *unsorted;
	size_t         *starts; /* of each key */
	Posting        *sorted;
	uint8_t (*votes)[BINS];
	Word *words;

	/* of fingers, for resemblances */
	FingerprintProbe *probe;
	uint8_t         **features;
	size_t           *sizes;
} Gallery;

static const double rates[] = {0.0005, 0.001, 0.002, 0.005, 0.02};
static const double budgets[] = {0.00625, 0.025, 0.05};

#define RATES   5
#define BUDGETS 3
#define GROUPS  24

/* the default rate and its budget */
#define DEFAULT_RATE   2
#define DEFAULT_BUDGET 1

/* what was found in a group of searches */
typedef struct Group
{
	char   name[64];
	int    searches[2]; /* all, clear */
	int    found[2][BUDGETS][RATES];
	double visited[BUDGETS];
	double voting[BUDGETS]; /* postings whose signature agrees */
	double words[BUDGETS];
	double seconds[BUDGETS];
	int    compared; /* of the clear ones, at the default */
} Group;

static Group groups[GROUPS];

static Group *
group_named(const char *name)
{
	for (int g = 0; g < GROUPS; g++)
	{
		if (groups[g].name[0] == '\0')
			snprintf(groups[g].name, sizeof(groups[g].name), "%s", name);
		if (strcmp(groups[g].name, name) == 0)
			return &groups[g];
	}
	exit(2);
}

/* ---- gallery ------------------------------------------------------------- */

static void
gallery_init(Gallery *gallery, const Modality *modality)
{
	memset(gallery, 0, sizeof(*gallery));
	gallery->modality = modality;
	gallery->words =
		bench_allocate(sizeof(Word) * (modality->max_probe_words + modality->max_words));
}

/* returns the number of the entry */
static uint32_t
gallery_add(Gallery *gallery, const void *features, size_t size)
{
	int n = gallery->modality->words(features, size, gallery->words);

	if (gallery->postings + n > gallery->capacity)
	{
		gallery->capacity = gallery->capacity ? 2 * gallery->capacity : 1 << 20;
		gallery->keys = realloc(gallery->keys, gallery->capacity * sizeof(uint32_t));
		gallery->unsorted = realloc(gallery->unsorted, gallery->capacity * sizeof(Posting));
		if (gallery->keys == NULL || gallery->unsorted == NULL)
			exit(2);
	}
	if (gallery->probe != NULL)
	{
		gallery->features[gallery->entries] = bench_allocate(size);
		memcpy(gallery->features[gallery->entries], features, size);
		gallery->sizes[gallery->entries] = size;
	}
	for (int i = 0; i < n; i++)
	{
		Posting *posting = &gallery->unsorted[gallery->postings];

		gallery->keys[gallery->postings++] = gallery->words[i].key;
		posting->entry = gallery->entries;
		posting->signature = gallery->words[i].signature;
		posting->tag = gallery->words[i].tag;
	}
	return gallery->entries++;
}

/* by key; prints how evenly keys are used */
static void
gallery_sort(Gallery *gallery)
{
	size_t keys = (size_t) 1 << gallery->modality->key_bits;
	size_t used = 0;
	double squares = 0;

	gallery->starts = bench_allocate((keys + 1) * sizeof(size_t));
	gallery->sorted = bench_allocate(gallery->postings * sizeof(Posting));
	gallery->votes = bench_allocate((size_t) gallery->entries * BINS);
	for (size_t i = 0; i < gallery->postings; i++)
		gallery->starts[gallery->keys[i] + 1]++;
	for (size_t key = 0; key < keys; key++)
	{
		double n = (double) gallery->starts[key + 1];

		used += n > 0;
		squares += n * n;
		gallery->starts[key + 1] += gallery->starts[key];
	}
	for (size_t i = 0; i < gallery->postings; i++)
		gallery->sorted[gallery->starts[gallery->keys[i]]++] = gallery->unsorted[i];
	for (size_t key = keys; key > 0; key--)
		gallery->starts[key] = gallery->starts[key - 1];
	gallery->starts[0] = 0;
	free(gallery->keys);
	free(gallery->unsorted);
	printf("gallery: %u entries, %.1f postings each; %zu of %zu keys in use, a posting shares its "
		   "key with %.1f times the mean\n",
		   gallery->entries, (double) gallery->postings / gallery->entries, used, keys,
		   squares / gallery->postings / ((double) gallery->postings / keys));
}

/* ---- search -------------------------------------------------------------- */

/* so many postings at a time: those that vote are collected first, then counted */
#define STEP 4096

typedef struct Vote
{
	uint32_t counter;
	uint32_t votes;
} Vote;

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2")))
#endif
static int
collect_votes(const Posting *posting, const Posting *end, const Word *word, Vote *result)
{
	uint8_t votes[17];
	int     n = 0;

	for (int differing = 0; differing <= 16; differing++)
	{
		int value = word->weight - (word->slope * differing + 7) / 8;

		votes[differing] = (uint8_t) (value > 0 ? value : 0);
	}
	for (; posting < end; posting++)
	{
		unsigned differing = (unsigned) (posting->signature ^ word->signature);

		result[n].counter = posting->entry * BINS + ((posting->tag - word->tag) & (BINS - 1));
		result[n].votes = votes[__builtin_popcount(differing)];
		n += result[n].votes > 0;
	}
	return n;
}

static void
vote(Gallery *gallery, int n, size_t budget, int *used, size_t *visited, size_t *voting)
{
	static Vote votes[STEP + 1];
	uint8_t    *counters = gallery->votes[0];

	memset(counters, 0, (size_t) gallery->entries * BINS);
	*visited = 0;
	*voting = 0;
	for (*used = 0; *used < n && *visited < budget; (*used)++)
	{
		const Word    *word = &gallery->words[*used];
		const Posting *posting = &gallery->sorted[gallery->starts[word->key]];
		const Posting *end = &gallery->sorted[gallery->starts[word->key + 1]];

		*visited += end - posting;
		while (posting < end)
		{
			const Posting *stop = end - posting < STEP ? end : posting + STEP;
			int            voters = collect_votes(posting, stop, word, votes);

			for (int i = 0; i < voters; i++)
			{
				unsigned sum = counters[votes[i].counter] + votes[i].votes;

				counters[votes[i].counter] = (uint8_t) (sum < 255 ? sum : 255);
			}
			*voting += voters;
			posting = stop;
		}
	}
}

/* the most votes of an entry in a bin, or in two neighbouring ones */
static int
best_votes(const Gallery *gallery, uint32_t entry)
{
	const uint8_t *counters = gallery->votes[entry];
	bool           neighbours = gallery->modality->tag_bits > 0;
	int            best = 0;

	for (int bin = 0; bin < BINS; bin++)
	{
		int sum = counters[bin] + (neighbours ? counters[(bin + 1) % BINS] : 0);

		best = sum > best ? sum : best;
	}
	return best;
}

/* how many entries have so many votes; most have none */
static void
count_entries(const Gallery *gallery, int histogram[MAX_VOTES + 1])
{
	memset(histogram, 0, sizeof(int) * (MAX_VOTES + 1));
	for (uint32_t entry = 0; entry < gallery->entries; entry++)
	{
		uint64_t halves[2];

		memcpy(halves, gallery->votes[entry], sizeof(halves));
		histogram[(halves[0] | halves[1]) == 0 ? 0 : best_votes(gallery, entry)]++;
	}
}

/* Whether a mate that the probe is ready for is among those that are compared */
static bool
is_compared(const Gallery *gallery, const int histogram[MAX_VOTES + 1], uint32_t mate)
{
	int level = MAX_VOTES + 1;
	int n = 0;
	int resemblance =
		fingerprint_resemblance(gallery->probe, gallery->features[mate], gallery->sizes[mate]);
	int better = 0;

	while (level > 1 && n < BLOCK)
		n += histogram[--level];
	if (best_votes(gallery, mate) < level)
		return false;
	for (uint32_t entry = 0; entry < gallery->entries; entry++)
		better += entry != mate && best_votes(gallery, entry) >= level &&
				  fingerprint_resemblance(gallery->probe, gallery->features[entry],
										  gallery->sizes[entry]) >= resemblance;
	return better < COMPARED;
}

static void
search(Gallery *gallery, const void *features, size_t size, uint32_t mate, double mate_score,
	   Group *group)
{
	double start = bench_seconds();
	int    n = gallery->modality->probe_words(features, size, gallery->words);
	double words_seconds = bench_seconds() - start;
	bool   clear = mate_score >= CLEAR_SCORE;

	group->searches[0]++;
	group->searches[1] += clear;
	for (int b = 0; b < BUDGETS; b++)
	{
		int    used;
		size_t visited, voting;
		int    histogram[MAX_VOTES + 1];
		int    mate_votes;
		double more = 0, rate;

		start = bench_seconds();
		vote(gallery, n, (size_t) (budgets[b] * gallery->postings), &used, &visited, &voting);
		count_entries(gallery, histogram);
		group->seconds[b] += bench_seconds() - start + words_seconds;
		group->words[b] += used;
		group->visited[b] += visited;
		group->voting[b] += voting;
		mate_votes = best_votes(gallery, mate);
		for (int votes = mate_votes + 1; votes <= MAX_VOTES; votes++)
			more += histogram[votes];
		rate = (more + 0.5 * (histogram[mate_votes] - 1)) / gallery->entries;
		for (int r = 0; r < RATES; r++)
		{
			group->found[0][b][r] += rate <= rates[r];
			group->found[1][b][r] += clear && rate <= rates[r];
		}
		if (gallery->probe != NULL && clear && b == DEFAULT_BUDGET && rate <= rates[DEFAULT_RATE])
		{
			fingerprint_probe_init(gallery->probe, features, size);
			group->compared += is_compared(gallery, histogram, mate);
		}
	}
}

/* with Wilson's interval of 95 % */
static void
print_share(int of, int all)
{
	double z = 1.96, p = (double) of / all;
	double middle = (p + z * z / (2 * all)) / (1 + z * z / all);
	double half = z * sqrt(p * (1 - p) / all + z * z / (4.0 * all * all)) / (1 + z * z / all);

	printf(" %6.2f (%.1f-%.1f)", 100 * p, 100 * (middle - half), 100 * (middle + half));
}

static void
print_groups(const Gallery *gallery)
{
	printf("\nmates found, %%, when so much of the gallery are candidates\n");
	printf("%-22s %8s %7s %9s %7s %7s %6s |", "searches", "", "budget", "postings", "words",
		   "voting", "ms");
	for (int r = 0; r < RATES; r++)
		printf(" %5.2f%%", 100 * rates[r]);
	printf(" compared (95 %%)\n");
	for (int g = 0; g < GROUPS && groups[g].name[0] != '\0'; g++)
		for (int clear = 1; clear >= 0; clear--)
			for (int b = 0; b < BUDGETS; b++)
			{
				const Group *group = &groups[g];
				double       n = group->searches[0];

				if (group->searches[clear] == 0)
					continue;
				printf("%-15s %-6s %8d %6.2f%% %9.0f %7.0f %6.1f%% %6.1f |", group->name,
					   clear ? "clear" : "all", group->searches[clear], 100 * budgets[b],
					   group->visited[b] / n, group->words[b] / n,
					   100 * group->voting[b] / group->visited[b], 1000 * group->seconds[b] / n);
				for (int r = 0; r < RATES; r++)
					printf(" %6.2f", 100.0 * group->found[clear][b][r] / group->searches[clear]);
				if (clear && b == DEFAULT_BUDGET && gallery->probe != NULL)
					print_share(group->compared, group->searches[1]);
				printf("\n");
			}
}

/* ---- fingers ------------------------------------------------------------- */

/* sets of records, and the group of their searches */
static const char *const sets[][2] = {{"fvc2002_db1_b", "FVC2002 1, 3 *"},
									  {"fvc2002_db3_b", "FVC2002 1, 3 *"},
									  {"fvc2002_db1_b_secugen", "1, 3 secugen *"},
									  {"fvc2002_db3_b_secugen", "1, 3 secugen *"},
									  {"neuro_uareu", "U.are.U *"},
									  {"fvc2002_db2_b", "FVC2002 2, 4"},
									  {"fvc2002_db4_b", "FVC2002 2, 4"},
									  {"fvc2002_db2_b_secugen", "2, 4 secugen"},
									  {"fvc2002_db4_b_secugen", "2, 4 secugen"},
									  {"neuro_crossmatch", "CrossMatch"},
									  {"neuro_upek", "UPEK"},
									  {"sd4_part", "SD4, rolled"}};

#define SETS 12

static double
score_of_pair(FingerprintProbe *probe, const uint8_t *features, size_t size, const Gallery *gallery,
			  uint32_t mate)
{
	fingerprint_probe_init(probe, features, size);
	return fingerprint_score(
		fingerprint_distance(probe, gallery->features[mate], gallery->sizes[mate]));
}

static int
search_fingers(int n, int probes)
{
	Gallery             gallery;
	const char         *data = bench_data();
	FingerprintProbe   *probe = bench_allocate(fingerprint_probe_size());
	BenchSet            real[SETS];
	static uint32_t     first[SETS][1000]; /* by record: its finger's first capture */
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate finger;
	int                 own = n - n / 4;
	int                 n_real = 0;

	gallery_init(&gallery, &fingers);
	gallery.probe = bench_allocate(fingerprint_probe_size());
	gallery.features = bench_allocate(sizeof(uint8_t *) * ((size_t) n + SETS * 1000));
	gallery.sizes = bench_allocate(sizeof(size_t) * ((size_t) n + SETS * 1000));
	for (int64_t i = 0; i < n; i++)
	{
		if (i < own)
			fingerprint_synthesize(&finger, i, 0, 0);
		else
			foreign_synthesize(&finger, i, 0);
		gallery_add(&gallery, features, fingerprint_extract(&finger, features));
	}
	for (int s = 0; s < SETS && data != NULL; s++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/%s", data, sets[s][0]);
		if (!bench_load(&real[s], path) || real[s].count > 1000)
			break;
		bench_extract(&real[s]);
		n_real++;
		for (int i = 0; i < real[s].count; i++)
		{
			const BenchRecord *record = &real[s].records[i];

			first[s][i] = i > 0 && record[-1].identity == record->identity
							  ? first[s][i - 1]
							  : gallery_add(&gallery, record->features, record->size);
		}
	}
	if (n_real < SETS)
		printf("SKIPPED: real fingers (no evaluation data, BIOMETRIC_DATA or ../shared/data)\n");
	gallery_sort(&gallery);

	for (int foreign = 0; foreign < 2; foreign++)
		for (int i = 0; i < probes; i++)
		{
			int64_t number =
				foreign ? own + (int64_t) i * (n - own) / probes : (int64_t) i * own / probes;
			size_t size;

			if (foreign)
				foreign_synthesize(&finger, number, 1);
			else
				fingerprint_synthesize(&finger, number, 1, 0);
			size = fingerprint_extract(&finger, features);
			search(&gallery, features, size, (uint32_t) number,
				   score_of_pair(probe, features, size, &gallery, (uint32_t) number),
				   group_named(foreign ? "foreign" : "synthetic"));
		}
	for (int s = 0; s < n_real; s++)
		for (int i = 0; i < real[s].count; i++)
		{
			const BenchRecord *record = &real[s].records[i];

			if (i > 0 && first[s][i] == first[s][i - 1])
				search(&gallery, record->features, record->size, first[s][i],
					   score_of_pair(probe, record->features, record->size, &gallery, first[s][i]),
					   group_named(sets[s][1]));
		}
	print_groups(&gallery);
	return 0;
}

/* ---- eyes ---------------------------------------------------------------- */

#define COLUMNS IRIS_SYNTHETIC_COLUMNS
#define BITS    IRIS_SYNTHETIC_BITS
#define CODE    (COLUMNS * BITS / 8)

static size_t
extract_eye(const uint8_t *code, const uint8_t *mask, uint8_t *features)
{
	IrisTemplate iris = {COLUMNS, BITS, IRIS_EYE_UNKNOWN, code, mask};

	return iris_extract(&iris, features);
}

static size_t
synthesize_eye(int64_t eye, int capture, uint8_t *features)
{
	uint8_t code[CODE], mask[CODE];

	iris_synthesize(code, mask, eye, capture);
	return extract_eye(code, mask, features);
}

static void
search_eye(Gallery *gallery, const uint8_t *features, size_t size, const uint8_t *mate,
		   uint32_t entry, const char *name)
{
	static IrisProbe *probe = NULL;
	IrisComparison    comparison;
	const char       *quality;
	char              full[64];
	double            differing;

	if (probe == NULL)
		probe = bench_allocate(iris_probe_size(features) + IRIS_FEATURES_MAX_SIZE);
	iris_probe_init(probe, features);
	iris_compare(probe, mate, &comparison);
	differing = comparison.common > 0 ? (double) comparison.differing / comparison.common : 1;
	quality = differing < 0.2 ? "HD < .20" : differing < 0.27 ? "< .27" : "< .33";
	if (differing >= 0.33)
		quality = ">= .33";
	snprintf(full, sizeof(full), "%s %s", name, quality);
	search(gallery, features, size, entry, iris_score(comparison.distance), group_named(full));
}

static int
plain_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
search_eyes(int n, int probes)
{
	Gallery         gallery;
	const char     *data = bench_data();
	char            path[4096];
	struct dirent **files = NULL;
	int             n_files = 0;
	uint8_t(*real)[IRIS_FEATURES_HEADER + 2 * CODE];
	uint32_t *entries;
	size_t    real_size = 0;
	uint8_t   features[IRIS_FEATURES_HEADER + 2 * CODE];
	uint8_t   mate[IRIS_FEATURES_HEADER + 2 * CODE];

	gallery_init(&gallery, &eyes);
	for (int64_t i = 0; i < n; i++)
		gallery_add(&gallery, features, synthesize_eye(i, 0, features));
	if (data != NULL)
	{
		snprintf(path, sizeof(path), "%s/iris/casia1", data);
		n_files = scandir(path, &files, plain_name, alphasort);
	}
	if (n_files <= 0)
	{
		printf("SKIPPED: real eyes (no evaluation data, BIOMETRIC_DATA or ../shared/data)\n");
		n_files = 0;
	}
	real = bench_allocate(sizeof(*real) * n_files);
	entries = bench_allocate(sizeof(uint32_t) * n_files);
	for (int i = 0; i < n_files; i++)
	{
		uint8_t bytes[2 * CODE];
		FILE   *file;

		snprintf(path, sizeof(path), "%s/iris/casia1/%s", data, files[i]->d_name);
		file = fopen(path, "rb");
		if (file == NULL || fread(bytes, 1, sizeof(bytes), file) != sizeof(bytes))
		{
			perror(path);
			return 2;
		}
		fclose(file);
		real_size = extract_eye(bytes, bytes + CODE, real[i]);
		if (i == 0 || atoi(files[i]->d_name) != atoi(files[i - 1]->d_name))
			entries[i] = gallery_add(&gallery, real[i], real_size);
		else
			entries[i] = entries[i - 1];
	}
	gallery_sort(&gallery);

	for (int i = 0; i < probes; i++)
	{
		int64_t number = (int64_t) i * n / probes;
		size_t  size = synthesize_eye(number, 1, features);

		synthesize_eye(number, 0, mate);
		search_eye(&gallery, features, size, mate, (uint32_t) number, "synth");
	}
	for (int i = 1, first = 0; i < n_files; i++)
	{
		if (entries[i] != entries[i - 1])
			first = i;
		else
			search_eye(&gallery, real[i], real_size, real[first], entries[i], "CASIA1");
	}
	print_groups(&gallery);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int         n = argc > 2 ? atoi(argv[2]) : 20000;
	int         probes = argc > 3 ? atoi(argv[3]) : 400;

	if (n < 1 || probes < 0 || probes > n)
		what = "";
	if (strcmp(what, "fingers") == 0)
		return search_fingers(n, probes);
	if (strcmp(what, "eyes") == 0)
		return search_eyes(n, probes);
	fprintf(stderr, "usage: preselection fingers | eyes [N [PROBES]]\n");
	return 2;
}
