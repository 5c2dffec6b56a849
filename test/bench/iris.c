/*
 * iris.c
 *		How accurate and how fast matching of irises is.
 *
 *	iris accuracy			error rates and calibration on CASIA-IrisV1
 *	iris synthetic [N]		statistics of N made-up eyes
 *	iris kernels [N]		speed of each kernel on N entries
 *	iris read BYTES COUNT	nanoseconds to read each of COUNT entries of BYTES
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/iris/iris.h"
#include "match/iris/kernels.h"
#include "match/portable_math.h"

#define COLUMNS IRIS_SYNTHETIC_COLUMNS
#define BITS    IRIS_SYNTHETIC_BITS
#define CODE    (COLUMNS * BITS / 8)

/* what lies before the features of an entry of an index: line pointer, TID, flags */
#define ENTRY_OVERHEAD 12
#define PAGE_ENTRIES   16
#define SKETCH_ENTRIES 96

/* of a search: near a score of 40 */
#define SEARCH_LIMIT 0.257

typedef struct Eye
{
	int      identity;
	uint8_t *features;
} Eye;

static uint8_t *
extract(const uint8_t *code, const uint8_t *mask, int columns, int bits)
{
	IrisTemplate iris = {(uint16_t) columns, (uint16_t) bits, IRIS_EYE_UNKNOWN, code, mask};
	uint8_t *features = bench_allocate(IRIS_FEATURES_HEADER + 2 * IRIS_FEATURE_CODE(columns, bits));

	iris_extract(&iris, features);
	return features;
}

static int
plain_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* the codes of CASIA-IrisV1: EEE_SS.bin, code and mask; 0 when there are none */
static int
load_casia(Eye **eyes)
{
	const char     *data = bench_data();
	char            path[4096];
	struct dirent **files;
	int             n;
	int             loaded = 0;

	if (data == NULL)
		return 0;
	snprintf(path, sizeof(path), "%s/iris/casia1", data);
	n = scandir(path, &files, plain_name, alphasort);
	if (n <= 0)
		return 0;
	*eyes = bench_allocate(sizeof(Eye) * n);
	for (int i = 0; i < n; i++)
	{
		uint8_t bytes[2 * CODE];
		FILE   *file;

		snprintf(path, sizeof(path), "%s/iris/casia1/%s", data, files[i]->d_name);
		file = fopen(path, "rb");
		if (file != NULL && fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes))
		{
			(*eyes)[loaded].identity = atoi(files[i]->d_name);
			(*eyes)[loaded++].features = extract(bytes, bytes + CODE, COLUMNS, BITS);
		}
		if (file != NULL)
			fclose(file);
		free(files[i]);
	}
	free(files);
	return loaded;
}

/* mated pairs that lose a score, multiples of ten, by their sketches */
#define LOSS_STEP 10
#define LOSSES    7

static int losses[LOSSES];

static void
count_losses(const IrisComparison *comparison)
{
	for (int i = 0; i < LOSSES; i++)
		losses[i] += iris_score(comparison->whole) >= i * LOSS_STEP &&
					 iris_score(comparison->distance) < i * LOSS_STEP;
}

static void
compare_all(const Eye *eyes, int n, BenchValues *mated, BenchValues *nonmated)
{
	IrisProbe *probe = bench_allocate(iris_probe_size(eyes[0].features));

	for (int i = 0; i < n; i++)
	{
		iris_probe_init(probe, eyes[i].features);
		for (int j = i + 1; j < n; j++)
		{
			IrisComparison comparison;

			if (eyes[i].identity != eyes[j].identity)
			{
				bench_add(nonmated, iris_distance(probe, eyes[j].features));
				continue;
			}
			iris_compare(probe, eyes[j].features, &comparison);
			bench_add(mated, comparison.distance);
			count_losses(&comparison);
		}
	}
	bench_sort(mated);
	bench_sort(nonmated);
	free(probe);
}

/* share of sorted values below x */
static double
share_below(const BenchValues *values, double x)
{
	size_t low = 0;
	size_t high = values->count;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (values->values[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return (double) low / values->count;
}

static void
print_rates(const BenchValues *mated, const BenchValues *nonmated)
{
	static const double rates[] = {1e-2, 1e-3, 1e-4, 1e-5};

	printf("%zu mated pairs, %zu non-mated\n", mated->count, nonmated->count);
	for (int i = 0; i < 4; i++)
	{
		double limit = bench_quantile(nonmated, rates[i]);

		printf("FMR %.0e: distance %.4f, FNMR %5.2f %%\n", rates[i], limit,
			   100 * (1 - share_below(mated, limit)));
	}
	for (int decibans = 10; decibans <= 50; decibans += 10)
	{
		size_t false_matches = 0;

		while (false_matches < nonmated->count &&
			   iris_score(nonmated->values[false_matches]) >= decibans)
			false_matches++;
		printf("score %d: promised FMR %.0e, measured %.1e (%zu pairs)\n", decibans,
			   pow(10, -decibans / 10.0), (double) false_matches / nonmated->count, false_matches);
	}
	for (int i = 2; i < LOSSES; i++)
		printf("mated pairs that lose a score of %d by their sketches: %.2f %%\n", i * LOSS_STEP,
			   100.0 * losses[i] / mated->count);
	printf("distance of mated pairs: mean %.3f, median %.3f, 95 %% below %.3f, 99 %% below %.3f\n",
		   bench_mean(mated), bench_quantile(mated, 0.5), bench_quantile(mated, 0.95),
		   bench_quantile(mated, 0.99));
}

static int
accuracy(void)
{
	Eye        *eyes;
	int         n = load_casia(&eyes);
	BenchValues mated = {0};
	BenchValues nonmated = {0};

	if (n == 0)
	{
		printf("SKIPPED: no evaluation data (BIOMETRIC_DATA or ../shared/data)\n");
		return 0;
	}
	printf("CASIA-IrisV1: %d codes\n", n);
	compare_all(eyes, n, &mated, &nonmated);
	print_rates(&mated, &nonmated);
	return 0;
}

static int
synthetic(int n)
{
	Eye        *eyes = bench_allocate(sizeof(Eye) * 2 * n);
	BenchValues mated = {0};
	BenchValues nonmated = {0};
	double      sum = 0, squares = 0, common = 0, usable = 0, start = bench_seconds();
	size_t      pairs = 0;
	uint32_t    offset = 0;
	uint8_t    *codes = bench_allocate((size_t) 2 * n * CODE + KERNEL_PADDING);
	uint8_t    *masks = bench_allocate((size_t) 2 * n * CODE + KERNEL_PADDING);

	for (int i = 0; i < 2 * n; i++)
	{
		uint8_t       *code = codes + (size_t) i * CODE;
		uint8_t       *mask = masks + (size_t) i * CODE;
		IrisTemplate   iris = {COLUMNS, BITS, IRIS_EYE_UNKNOWN, code, mask};
		IrisAssessment assessment;

		iris_synthesize(code, mask, i / 2, i % 2);
		iris_assess(&iris, &assessment);
		usable += assessment.usable_bits;
		eyes[i].identity = i / 2;
		eyes[i].features = extract(code, mask, COLUMNS, BITS);
	}
	printf("%d synthetic eyes, 2 captures each, %.0f captures a second, %.0f usable bits\n", n,
		   2 * n / (bench_seconds() - start), usable / (2 * n));

	/* one rotation only: the statistic that has a binomial distribution */
	for (int i = 0; i < n; i++)
	{
		CodeBytes a = {{codes + (size_t) 2 * i * CODE, NULL}, masks + (size_t) 2 * i * CODE};

		for (int j = i + 1; j < n; j++)
		{
			CodeBytes  b = {{codes + (size_t) 2 * j * CODE, NULL}, masks + (size_t) 2 * j * CODE};
			CodeCounts counts;
			double     distance;

			kernel_chosen()->count_codes(&a, &b, CODE, 1, &offset, &counts);
			distance = 0.5 - (0.5 - (double) counts.differing / counts.common) *
								 sqrt(counts.common / 911.0);
			sum += distance;
			squares += distance * distance;
			common += counts.common;
			pairs++;
		}
	}
	printf("non-mated, one rotation: %.0f common bits, HDnorm mean %.4f, sd %.4f\n", common / pairs,
		   sum / pairs, sqrt(squares / pairs - (sum / pairs) * (sum / pairs)));
	compare_all(eyes, 2 * n, &mated, &nonmated);
	print_rates(&mated, &nonmated);
	return 0;
}

/* ---- speed --------------------------------------------------------------- */

/* keeps the compiler from leaving out what is measured */
static volatile double sink;

static double
read_entries(const uint8_t *gallery, size_t entry, size_t n)
{
	double best = 1e9;

	for (int round = 0; round < 5; round++)
	{
		double   start = bench_seconds();
		uint64_t sum[4] = {0};

		for (size_t i = 0; i + 32 <= entry * n; i += 32)
		{
			uint64_t words[4];

			memcpy(words, gallery + i, 32);
			for (int k = 0; k < 4; k++)
				sum[k] += words[k];
		}
		sink = (double) (sum[0] ^ sum[1] ^ sum[2] ^ sum[3]);
		start = (bench_seconds() - start) / n * 1e9;
		best = start < best ? start : best;
	}
	return best;
}

static double
compare_entries(const uint8_t *gallery, size_t entry, size_t n, const Kernel *kernel)
{
	IrisProbe *probe = bench_allocate(iris_probe_size(gallery + ENTRY_OVERHEAD));
	double     best = 1e9;

	iris_probe_init(probe, gallery + ENTRY_OVERHEAD);
	iris_probe_set_kernel(probe, kernel);
	for (int round = 0; round < 5; round++)
	{
		double start = bench_seconds();
		double nearest = 1;

		/* as many at a time as a page has */
		for (size_t i = 1; i + PAGE_ENTRIES <= n; i += PAGE_ENTRIES)
		{
			const void *features[PAGE_ENTRIES];
			double      distances[PAGE_ENTRIES];

			for (size_t j = 0; j < PAGE_ENTRIES; j++)
				features[j] = gallery + (i + j) * entry + ENTRY_OVERHEAD;
			iris_distances(probe, PAGE_ENTRIES, features, 1, distances);
			for (size_t j = 0; j < PAGE_ENTRIES; j++)
				nearest = distances[j] < nearest ? distances[j] : nearest;
		}
		sink = nearest;
		start = (bench_seconds() - start) / n * 1e9;
		best = start < best ? start : best;
	}
	free(probe);
	return best;
}

/* what lies before the sketch of an entry: line pointer, number, flags */
#define SKETCH_OVERHEAD 8

/* contiguous sketches of all entries */
static uint8_t *
make_sketches(const uint8_t *gallery, size_t entry, size_t n, size_t *size)
{
	uint8_t  sketch[IRIS_SKETCH_MAX_SIZE];
	uint8_t *sketches;

	*size = SKETCH_OVERHEAD + iris_sketch(gallery + ENTRY_OVERHEAD, sketch);
	sketches = bench_allocate(*size * n);
	for (size_t i = 0; i < n; i++)
		iris_sketch(gallery + i * entry + ENTRY_OVERHEAD, sketches + i * *size + SKETCH_OVERHEAD);
	return sketches;
}

/* a search: sketches, and the entries that they do not rule out; a share of n is compared */
static double
search_entries(const uint8_t *gallery, size_t entry, const uint8_t *sketches, size_t sketch,
			   size_t n, const Kernel *kernel, double limit, double *compared)
{
	IrisProbe *probe = bench_allocate(iris_probe_size(gallery + ENTRY_OVERHEAD));
	double     best = 1e9;

	iris_probe_init(probe, gallery + ENTRY_OVERHEAD);
	iris_probe_set_kernel(probe, kernel);
	for (int round = 0; round < 5; round++)
	{
		double start = bench_seconds();
		double nearest = 1;
		size_t passed = 0;

		for (size_t i = 1; i + SKETCH_ENTRIES <= n; i += SKETCH_ENTRIES)
		{
			const void *pointers[SKETCH_ENTRIES];
			bool        within[SKETCH_ENTRIES];

			for (size_t j = 0; j < SKETCH_ENTRIES; j++)
				pointers[j] = sketches + (i + j) * sketch + SKETCH_OVERHEAD;
			iris_sketches_within(probe, SKETCH_ENTRIES, pointers, limit, within);
			for (size_t j = 0; j < SKETCH_ENTRIES; j++)
			{
				const void *features = gallery + (i + j) * entry + ENTRY_OVERHEAD;
				double      distance;

				if (!within[j])
					continue;
				iris_distances(probe, 1, &features, limit, &distance);
				nearest = distance < nearest ? distance : nearest;
				passed++;
			}
		}
		sink = nearest;
		start = (bench_seconds() - start) / n * 1e9;
		best = start < best ? start : best;
		*compared = (double) passed / n;
	}
	free(probe);
	return best;
}

/* n different entries of a geometry; with paired masks, or the same without */
static uint8_t *
make_gallery(int columns, int bits, bool paired, size_t n, size_t *entry)
{
	size_t   length = IRIS_FEATURE_CODE((size_t) columns, bits);
	uint8_t *gallery = NULL;
	uint8_t *code = bench_allocate(length);
	uint8_t *mask = bench_allocate(length);
	uint8_t *features = bench_allocate(IRIS_FEATURES_MAX_SIZE);
	uint64_t state = 1;

	for (size_t i = 0; i < n; i++)
	{
		IrisTemplate iris = {(uint16_t) columns, (uint16_t) bits, IRIS_EYE_UNKNOWN, code, mask};
		size_t       size;

		/* larger codes are many synthetic ones */
		for (size_t part = 0; part < length; part += CODE)
		{
			uint8_t c[CODE], m[CODE];
			size_t  some = length - part < CODE ? length - part : CODE;

			iris_synthesize(c, m, (int64_t) portable_random(&state), 0);
			memcpy(code + part, c, some);
			memcpy(mask + part, m, some);
		}
		if (!paired)
			mask[0] = 1;
		/* an entry that is smaller or larger than the first is left out */
		size = iris_extract(&iris, features);
		if (gallery == NULL)
		{
			*entry = ENTRY_OVERHEAD + size;
			gallery = bench_allocate(*entry * n);
		}
		else if (*entry != ENTRY_OVERHEAD + size)
		{
			i--;
			continue;
		}
		memcpy(gallery + i * *entry + ENTRY_OVERHEAD, features, size);
	}
	free(code);
	free(mask);
	free(features);
	return gallery;
}

static int
kernels(size_t n)
{
	static const struct
	{
		int  columns;
		int  bits;
		bool paired;
	} galleries[] = {{128, 16, true}, {128, 16, false}, {200, 64, true}, {256, 64, true}};
	const Kernel *const *list;
	int                  n_kernels;

	list = (const Kernel *const *) iris_code_loop.kernels;
	n_kernels = iris_code_loop.n;
	for (int g = 0; g < 4; g++)
	{
		int      columns = galleries[g].columns;
		int      bits = galleries[g].bits;
		size_t   count = n * (128 * 16) / (columns * bits);
		size_t   entry;
		uint8_t *gallery = make_gallery(columns, bits, galleries[g].paired, count, &entry);
		double   reading = read_entries(gallery, entry, count);
		size_t   sketch;
		uint8_t *sketches = make_sketches(gallery, entry, count, &sketch);

		printf("%d x %d bits, %s, %zu entries of %zu bytes: bare read %.1f ns an entry\n", columns,
			   bits, galleries[g].paired ? "mask by pairs" : "mask by bits", count, entry, reading);
		for (int k = 0; k < n_kernels; k++)
		{
			double time, search, compared;

			if (!cpu_has(list[k]->cpu.needs))
			{
				printf("  %-18s not supported by this processor\n", list[k]->cpu.name);
				continue;
			}
			time = compare_entries(gallery, entry, count, list[k]);
			printf("  %-18s %8.1f ns an entry, %5.2f times the bare read%s\n", list[k]->cpu.name,
				   time, time / reading, list[k] == kernel_chosen() ? " (chosen)" : "");
			search = search_entries(gallery, entry, sketches, sketch, count, list[k], SEARCH_LIMIT,
									&compared);
			printf(
				"  %-18s %8.1f ns an entry in a search with a limit, %.1f million a second, %.1f "
				"times as fast; %.3f %% compared\n",
				"", search, 1e3 / search, time / search, 100 * compared);
		}
		free(sketches);
		free(gallery);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "accuracy") == 0)
		return accuracy();
	if (strcmp(what, "synthetic") == 0)
		return synthetic(argc > 2 ? atoi(argv[2]) : 1500);
	if (strcmp(what, "kernels") == 0)
		return kernels(argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000);
	if (strcmp(what, "read") == 0 && argc == 4)
	{
		size_t   entry = strtoul(argv[2], NULL, 10);
		size_t   n = strtoul(argv[3], NULL, 10);
		uint8_t *gallery = bench_allocate(entry * n);

		memset(gallery, 1, entry * n);
		printf("%.2f\n", read_entries(gallery, entry, n));
		free(gallery);
		return 0;
	}
	fprintf(stderr, "usage: iris accuracy | synthetic [N] | kernels [N] | read BYTES COUNT\n");
	return 2;
}
