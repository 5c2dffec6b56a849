/*
 * test_kernels.c
 *		Whatever the processor has, features, words and distances are those of
 *		plain C to the bit: all of matching, with one feature of the processor
 *		more at a time.
 */
#include "match/cpu.h"
#include "match/fingerprint/fingerprint.h"
#include "match/iris/iris.h"
#include "match/words.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERS 60
#define EYES    60

/* All that came out of a run, in order */
typedef struct Result
{
	size_t   size;
	size_t   room;
	uint8_t *bytes;
} Result;

static void
note(Result *result, const void *bytes, size_t size)
{
	if (result->size + size > result->room)
	{
		result->room = 2 * (result->room + size);
		result->bytes = realloc(result->bytes, result->room);
		if (result->bytes == NULL)
			abort();
	}
	memcpy(result->bytes + result->size, bytes, size);
	result->size += size;
}

/* a word without what pads it */
static void
note_words(Result *result, const Word *words, int n)
{
	for (int i = 0; i < n; i++)
	{
		uint32_t numbers[4] = {words[i].key, words[i].signature, words[i].tag, words[i].weight};

		note(result, numbers, sizeof(numbers));
	}
}

static void
match_fingers(Result *result)
{
	static uint8_t    features[FINGERS][FINGERPRINT_FEATURES_MAX_SIZE];
	static Word       words[FINGERPRINT_MAX_PROBE_WORDS];
	size_t            sizes[FINGERS];
	FingerprintProbe *probe = allocate(fingerprint_probe_size());

	for (int i = 0; i < FINGERS; i++)
	{
		FingerprintTemplate finger;

		/* three captures of each */
		fingerprint_synthesize(&finger, i / 3, i % 3, 0);
		sizes[i] = fingerprint_extract(&finger, features[i]);
		note(result, features[i], sizes[i]);
		note_words(result, words, fingerprint_words(features[i], sizes[i], words));
		if (i % 6 == 0)
			note_words(result, words, fingerprint_probe_words(features[i], sizes[i], words));
	}
	for (int i = 0; i < FINGERS; i++)
	{
		fingerprint_probe_init(probe, features[i], sizes[i]);
		for (int j = 0; j < FINGERS; j++)
		{
			double      distance = fingerprint_distance(probe, features[j], sizes[j]);
			uint8_t     sketch[FINGERPRINT_SKETCH_MAX_SIZE];
			const void *sketches[1] = {sketch};
			bool        within[1];

			note(result, &distance, sizeof(distance));
			note(result, sketch, fingerprint_sketch(features[j], sketch));
			for (double limit = 0; limit < 1; limit += 0.01)
			{
				fingerprint_sketches_within(probe, 1, sketches, limit, within);
				note(result, within, sizeof(within));
			}
		}
	}
	free(probe);
}

static void
match_irises(Result *result)
{
	static uint8_t features[EYES][IRIS_FEATURES_MAX_SIZE];
	static Word    words[IRIS_MAX_PROBE_WORDS];

	for (int i = 0; i < EYES; i++)
	{
		uint8_t      code[256], mask[256];
		IrisTemplate iris = {IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS, IRIS_EYE_UNKNOWN, code,
							 mask};
		size_t       size;

		iris_synthesize(code, mask, i / 3, i % 3);
		size = iris_extract(&iris, features[i]);
		note(result, features[i], size);
		note_words(result, words, iris_words(features[i], size, words));
		if (i % 6 == 0)
			note_words(result, words, iris_probe_words(features[i], size, words));
	}
	for (int i = 0; i < EYES; i++)
	{
		IrisProbe *probe = allocate(iris_probe_size(features[i]));

		iris_probe_init(probe, features[i]);
		for (int j = 0; j < EYES; j++)
		{
			double      distance = iris_distance(probe, features[j]);
			uint8_t     sketch[IRIS_SKETCH_MAX_SIZE];
			const void *pointer = sketch;
			bool        within;

			note(result, &distance, sizeof(distance));
			note(result, sketch, iris_sketch(features[j], sketch));
			for (int limit = 15; limit < 35; limit++)
			{
				iris_sketches_within(probe, 1, &pointer, limit / 100.0, &within);
				note(result, &within, sizeof(within));
			}
		}
		free(probe);
	}
}

static bool
same(const Result *a, const Result *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

int
main(void)
{
	static const struct
	{
		unsigned    features;
		const char *name;
	} levels[] = {{CPU_POPCNT, "popcnt"},
				  {CPU_POPCNT | CPU_AVX2, "avx2"},
				  {CPU_POPCNT | CPU_AVX2 | CPU_AVX512_POPCNT, "avx512"},
				  {CPU_NEON, "neon"}};
	Result plain[2] = {{0}};

	cpu_limit(0);
	match_fingers(&plain[0]);
	match_irises(&plain[1]);
	ok(plain[0].size > 0 && plain[1].size > 0, "plain C");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
	{
		char   what[100];
		Result result[2] = {{0}};

		cpu_limit(levels[i].features);
		if (!cpu_has(levels[i].features))
		{
			printf("ok %d # SKIP this processor has no %s\n", ++tests, levels[i].name);
			printf("ok %d # SKIP this processor has no %s\n", ++tests, levels[i].name);
			continue;
		}
		match_fingers(&result[0]);
		match_irises(&result[1]);
		snprintf(what, sizeof(what), "%s: fingerprints as in plain C", levels[i].name);
		ok(same(&plain[0], &result[0]), what);
		snprintf(what, sizeof(what), "%s: irises as in plain C", levels[i].name);
		ok(same(&plain[1], &result[1]), what);
		free(result[0].bytes);
		free(result[1].bytes);
	}
	free(plain[0].bytes);
	free(plain[1].bytes);
	printf("1..%d\n", tests);
	return failures != 0;
}
