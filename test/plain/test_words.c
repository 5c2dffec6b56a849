/*
 * test_words.c
 *		Words of fingerprints and irises.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/words.h"
#include "match/iris/iris.h"
#include "match/portable_math.h"
#include "tap.h"

#define GUARD 0x5A

static uint64_t state = 20240917;

static int
random_between(int low, int high)
{
	return low + (int) (portable_random(&state) % (uint64_t) (high - low + 1));
}

typedef struct Limits
{
	int key_bits;
	int tag_bits;
	int signature_bits;
	int max_words;
	int max_probe_words;
	int (*words)(const void *features, size_t size, Word *words);
	int (*probe_words)(const void *features, size_t size, Word *words);
} Limits;

static const Limits finger_limits = {FINGERPRINT_KEY_BITS,        FINGERPRINT_TAG_BITS,
									 FINGERPRINT_SIGNATURE_BITS,  FINGERPRINT_MAX_WORDS,
									 FINGERPRINT_MAX_PROBE_WORDS, fingerprint_words,
									 fingerprint_probe_words};
static const Limits iris_limits = {IRIS_KEY_BITS,   IRIS_TAG_BITS,        IRIS_SIGNATURE_BITS,
								   IRIS_MAX_WORDS,  IRIS_MAX_PROBE_WORDS, iris_words,
								   iris_probe_words};

/* what was seen over all templates of a kind */
typedef struct Seen
{
	bool bounded;
	bool in_range;
	bool distinct;
	bool ordered;
	bool repeatable;
	long words;
	long probe_words;
} Seen;

static const Seen all_well = {true, true, true, true, true, 0, 0};

static bool
fits(const Word *word, const Limits *limits, bool probe)
{
	return word->key < UINT32_C(1) << limits->key_bits &&
		   word->signature < UINT32_C(1) << limits->signature_bits &&
		   word->tag < 1 << (probe ? 4 : limits->tag_bits) &&
		   (probe ? word->weight >= 1 && word->weight <= WORD_MAX_WEIGHT
				  : word->weight == 0 && word->slope == 0);
}

static bool
same_part(const Word *a, const Word *b)
{
	return a->key == b->key && a->tag == b->tag && a->signature == b->signature;
}

/* calls one of the two functions and looks at what it wrote and what not */
static int
look(const Limits *limits, bool probe, const void *features, size_t size, Word *words, Seen *seen)
{
	int (*function)(const void *, size_t, Word *) = probe ? limits->probe_words : limits->words;
	int      max = probe ? limits->max_probe_words : limits->max_words;
	int      n;
	uint8_t *behind;
	Word    *again = malloc(sizeof(Word) * (max + 1));

	if (again == NULL)
		abort();
	memset(words, GUARD, sizeof(Word) * (max + 1));
	n = function(features, size, words);
	seen->bounded &= n >= 0 && n <= max;
	behind = (uint8_t *) (words + max);
	for (size_t i = 0; i < sizeof(Word); i++)
		seen->bounded &= behind[i] == GUARD;
	for (int i = 0; i < n; i++)
	{
		seen->in_range &= fits(&words[i], limits, probe);
		seen->ordered &= !probe || i == 0 || words[i].weight <= words[i - 1].weight;
		for (int j = 0; !probe && j < i; j++)
			seen->distinct &= !same_part(&words[i], &words[j]);
	}
	seen->repeatable &= function(features, size, again) == n;
	for (int i = 0; i < n; i++)
		seen->repeatable &= same_part(&words[i], &again[i]) && words[i].weight == again[i].weight;
	free(again);
	*(probe ? &seen->probe_words : &seen->words) += n;
	return n;
}

static void
report(const Seen *seen, const char *what)
{
	char line[200];

	snprintf(line, sizeof(line), "%s: no more words than there is room for", what);
	ok(seen->bounded, line);
	snprintf(line, sizeof(line), "%s: keys, signatures, tags and weights within limits", what);
	ok(seen->in_range, line);
	snprintf(line, sizeof(line), "%s: words are distinct", what);
	ok(seen->distinct, line);
	snprintf(line, sizeof(line), "%s: probe words come best first", what);
	ok(seen->ordered, line);
	snprintf(line, sizeof(line), "%s: the same again", what);
	ok(seen->repeatable, line);
}

/* how many words are among the first so many of the probe words, same part or same key and tag */
static int
count_found(const Word *words, int n, const Word *probe_words, int first)
{
	int found = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < first; j++)
			if (same_part(&words[i], &probe_words[j]))
			{
				found++;
				break;
			}
	return found;
}

/* ---- fingerprints -------------------------------------------------------- */

static void
random_finger(FingerprintTemplate *finger, int count, int kind)
{
	memset(finger, 0, sizeof(*finger));
	finger->width = 500;
	finger->height = 500;
	finger->x_resolution = finger->y_resolution = 197;
	finger->count = (uint8_t) count;
	for (int i = 0; i < count; i++)
	{
		Minutia *minutia = &finger->minutiae[i];

		/* anywhere, all in one place, or in a row */
		minutia->x = (uint16_t) (kind == 0   ? random_between(0, 499)
								 : kind == 1 ? 250
											 : 2 * (i % 250));
		minutia->y = (uint16_t) (kind == 0 ? random_between(0, 499) : 250);
		minutia->angle = (uint8_t) (kind == 1 ? 7 : random_between(0, 255));
		minutia->quality = (uint8_t) random_between(0, 100);
	}
}

/* what an entry's word gets from a probe's */
static int
votes(const Word *word, const Word *probe)
{
	int differing = __builtin_popcount(word->signature ^ probe->signature);

	if (word->key != probe->key || 8 * probe->weight < probe->slope * differing)
		return 0;
	return (8 * probe->weight - probe->slope * differing) / 8;
}

/* a finger on a sensor of 500 by 500 pixels, turned by quarters and moved */
static void
turn_finger(FingerprintTemplate *finger, int quarters, int dx, int dy)
{
	for (int i = 0; i < finger->count; i++)
	{
		Minutia *minutia = &finger->minutiae[i];

		for (int q = 0; q < quarters; q++)
		{
			uint16_t x = minutia->x;

			minutia->x = minutia->y;
			minutia->y = (uint16_t) (499 - x);
			minutia->angle = (uint8_t) (minutia->angle + 64);
		}
		minutia->x = (uint16_t) (minutia->x + dx);
		minutia->y = (uint16_t) (minutia->y + dy);
	}
}

static void
test_triples(void)
{
	static Word         words[FINGERPRINT_MAX_TRIPLES], turned[FINGERPRINT_MAX_TRIPLES];
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate finger, other;
	int                 of = 0, same = 0, moved = 0, strangers = 0, kept = 0, could = 0;

	for (int i = 0; i < 40; i++)
	{
		int quarters = 1 + i % 3;
		int n, n_other;

		random_finger(&finger, 40 + i, 0);
		for (int k = 0; k < finger.count; k++)
		{
			finger.minutiae[k].x = (uint16_t) (finger.minutiae[k].x / 2 + 100);
			finger.minutiae[k].y = (uint16_t) (finger.minutiae[k].y / 2 + 100);
		}
		fingerprint_extract(&finger, features);
		n = fingerprint_triples(features, words);
		of += n;

		other = finger;
		turn_finger(&other, quarters, 0, 0);
		fingerprint_extract(&other, features);
		n_other = fingerprint_triples(features, turned);
		for (int a = 0; a < n; a++)
			for (int b = 0; b < n_other; b++)
				same += words[a].key == turned[b].key &&
						words[a].signature == turned[b].signature &&
						((words[a].tag + 4 * quarters) & 15) == turned[b].tag;

		other = finger;
		turn_finger(&other, 0, 37, -21);
		fingerprint_extract(&other, features);
		n_other = fingerprint_triples(features, turned);
		for (int a = 0; a < n && a < n_other; a++)
			moved += same_part(&words[a], &turned[a]);

		/* a lost minutia takes its own triangles, and lets its neighbours make others */
		other = finger;
		other.count--;
		fingerprint_extract(&other, features);
		n_other = fingerprint_triples(features, turned);
		could += n;
		for (int a = 0; a < n; a++)
			for (int b = 0; b < n_other; b++)
				if (same_part(&words[a], &turned[b]))
				{
					kept++;
					break;
				}

		random_finger(&other, 40 + i, 0);
		fingerprint_extract(&other, features);
		n_other = fingerprint_triples(features, turned);
		for (int a = 0; a < n; a++)
			for (int b = 0; b < n_other; b++)
				strangers += words[a].key == turned[b].key;
	}
	ok(same * 100 >= of * 97, "triangles are the same in a finger that is turned");
	ok(moved == of, "triangles are the same in a finger that is moved");
	ok(kept * 10 >= could * 8, "most triangles stay when a minutia is lost");
	ok(strangers * 10 < of, "triangles of random fingers differ");
}

static void
test_fingers(void)
{
	static Word         words[FINGERPRINT_MAX_WORDS + 1];
	static Word         probe_words[FINGERPRINT_MAX_PROBE_WORDS + 1];
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate finger;
	Seen                seen = all_well;
	size_t              size;
	int                 n, n_probe, first, found[2] = {0}, of[2] = {0}, mated = 0, nonmated = 0;

	for (int i = 0; i < 30; i++)
	{
		fingerprint_synthesize(&finger, i, 0, 0);
		size = fingerprint_extract(&finger, features);
		n = look(&finger_limits, false, features, size, words, &seen);
		n_probe = look(&finger_limits, true, features, size, probe_words, &seen);
		for (first = 0; first < n && words[first].key < FINGERPRINT_TRIPLE_KEYS;)
			first++;
		of[0] += first;
		found[0] += count_found(words, first, probe_words, n_probe);
		of[1] += n - first;
		found[1] += count_found(words + first, n - first, probe_words, n_probe);

		fingerprint_synthesize(&finger, i, 1, 0);
		size = fingerprint_extract(&finger, features);
		n_probe = fingerprint_probe_words(features, size, probe_words);
		for (int other = 0; other < 2; other++)
		{
			int *common = other ? &nonmated : &mated;

			if (other)
			{
				fingerprint_synthesize(&finger, 1000 + i, 0, 0);
				n = fingerprint_words(features, fingerprint_extract(&finger, features), words);
			}
			for (int k = 0; k < n; k++)
				for (int j = 0; j < n_probe; j++)
					*common += votes(&words[k], &probe_words[j]);
		}
	}
	report(&seen, "synthetic fingers");
	ok(found[0] * 10 >= of[0] * 9, "nine in ten words of minutiae are among their own probe's");
	ok(found[1] * 100 >= of[1] * 99, "words of triangles are among their own probe's");
	ok(mated > 2 * nonmated, "mates have more votes than others");

	seen = all_well;
	for (int i = 0; i < 60; i++)
	{
		static const int counts[] = {0, 1, 2, 3, 80, 255};

		random_finger(&finger, counts[i % 6], i / 6 % 3);
		size = fingerprint_extract(&finger, features);
		n = look(&finger_limits, false, features, size, words, &seen);
		seen.bounded &= n <= 2 * finger.count + 24 + 36 && (n > 0) == (finger.count > 0);
		look(&finger_limits, true, features, size, probe_words, &seen);
	}
	report(&seen, "fingers of any minutiae");

	/* whatever is valid in an index, and not aligned */
	seen = all_well;
	for (int i = 0; i < 60; i++)
	{
		uint8_t *bytes = features + 1;
		int      count = i % 3 == 0 ? 255 : random_between(0, 255);

		size = FINGERPRINT_HEADER_SIZE + (size_t) count * FINGERPRINT_MINUTIA_SIZE;
		for (size_t k = 0; k < size; k++)
			bytes[k] = (uint8_t) (i % 4 == 1 ? 0 : i % 4 == 2 ? 255 : portable_random(&state));
		bytes[0] = 0;
		bytes[1] = (uint8_t) count;
		if (!fingerprint_features_valid(bytes, size))
			continue;
		look(&finger_limits, false, bytes, size, words, &seen);
		look(&finger_limits, true, bytes, size, probe_words, &seen);
	}
	report(&seen, "fingers of any bytes");
}

/* ---- irises -------------------------------------------------------------- */

static void
test_eyes(void)
{
	static Word    words[IRIS_MAX_WORDS + 1];
	static Word    probe_words[IRIS_MAX_PROBE_WORDS + 1];
	static uint8_t features[IRIS_FEATURES_MAX_SIZE];
	static uint8_t code[IRIS_MAX_CODE_BYTES + 2], mask[IRIS_MAX_CODE_BYTES + 2];
	uint8_t        turned[256], turned_mask[256];
	Seen           seen = all_well;
	IrisTemplate   iris = {128, 16, 0, code, mask};
	IrisTemplate   turned_iris = {128, 16, 0, turned, turned_mask};
	size_t         size;
	int            n, n_probe, found = 0, of = 0, votes[16] = {0};
	bool           none = true;

	for (int i = 0; i < 10; i++)
	{
		int turn = i % 8;

		iris_synthesize(code, mask, i, 0);
		size = iris_extract(&iris, features);
		n = look(&iris_limits, false, features, size, words, &seen);
		look(&iris_limits, true, features, size, probe_words, &seen);
		of += n;

		/* the first words are those of rotation 0: the same ones */
		for (int k = 0; k < n; k++)
			found += same_part(&words[k], &probe_words[k]);

		/* column c of the probe is column c + turn of the gallery's */
		for (int k = 0; k < 256; k++)
		{
			turned[k] = code[(k + 2 * turn) % 256];
			turned_mask[k] = mask[(k + 2 * turn) % 256];
		}
		size = iris_extract(&turned_iris, features);
		n_probe = iris_probe_words(features, size, probe_words);
		for (int k = 0; k < n; k++)
			for (int j = 0; j < n_probe; j++)
				if (words[k].key == probe_words[j].key &&
					words[k].signature == probe_words[j].signature)
					votes[(0 - probe_words[j].tag + turn) & 15]++;
	}
	report(&seen, "synthetic eyes");
	ok(found == of, "the words of an eye are the first among its own probe words");
	ok(votes[0] >= of, "all words of a turned eye are found in the bin of its rotation");

	seen = all_well;
	for (int i = 0; i < 200; i++)
	{
		static const int columns[] = {8, 32, 36, 64, 100, 128, 200, 256, 512, 1024};
		static const int bits[] = {1, 3, 8, 15, 16, 24, 64, 256};
		IrisTemplate     any;

		any.columns = (uint16_t) columns[i % 10];
		any.bits = (uint16_t) bits[i / 10 % 8];
		any.eye = 0;
		any.code = code;
		any.mask = mask;
		if (!iris_geometry_valid(any.columns, any.bits))
			continue;
		for (int k = 0; k < IRIS_MAX_CODE_BYTES; k++)
		{
			code[k] = (uint8_t) portable_random(&state);
			mask[k] = (uint8_t) (i % 3 == 0 ? 255 : i % 3 == 1 ? 0 : portable_random(&state));
		}
		size = iris_extract(&any, features);
		n = look(&iris_limits, false, features, size, words, &seen);
		n_probe = look(&iris_limits, true, features, size, probe_words, &seen);
		if (i % 3 == 1)
			none &= n == 0 && n_probe == 0;
		if (i % 3 == 0 && any.columns >= 32 && any.bits >= 8)
			seen.bounded &= n > 0 && n_probe >= n;
	}
	report(&seen, "eyes of any geometry");
	ok(none, "a code that is all hidden has no words");
}

int
main(void)
{
	test_triples();
	test_fingers();
	test_eyes();
	printf("1..%d\n", tests);
	return failures > 0;
}
