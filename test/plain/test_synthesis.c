/*
 * test_synthesis.c
 *		Synthetic fingers: the same on every platform, always valid, mated
 *		impressions alike and others not.
 */
#include "match/fingerprint/fingerprint.h"
#include "match/portable_math.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
hash_word(uint64_t hash, uint64_t word)
{
	for (int i = 0; i < 8; i++)
		hash = (hash ^ (word >> (8 * i) & 0xFF)) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t
hash_template(uint64_t hash, const FingerprintTemplate *t)
{
	hash = hash_word(hash, t->width);
	hash = hash_word(hash, t->height);
	hash = hash_word(hash, t->x_resolution);
	hash = hash_word(hash, t->y_resolution);
	hash = hash_word(hash, t->position);
	hash = hash_word(hash, t->quality);
	hash = hash_word(hash, t->count);
	for (int i = 0; i < t->count; i++)
	{
		hash = hash_word(hash, t->minutiae[i].x);
		hash = hash_word(hash, t->minutiae[i].y);
		hash = hash_word(hash, t->minutiae[i].angle);
		hash = hash_word(hash, t->minutiae[i].type);
		hash = hash_word(hash, t->minutiae[i].quality);
	}
	return hash;
}

static bool
valid(const FingerprintTemplate *t, int position)
{
	if (t->width < 1 || t->width > 16384 || t->height < 1 || t->height > 16384 ||
		t->x_resolution != 197 || t->y_resolution != 197 || t->position != position ||
		t->view != 0 || t->impression != 0 || t->quality < 1 || t->quality > 100)
		return false;
	for (int i = 0; i < t->count; i++)
	{
		const Minutia *m = &t->minutiae[i];

		if (m->x >= t->width || m->y >= t->height || m->quality < 1 || m->quality > 100 ||
			(m->type != MINUTIA_RIDGE_ENDING && m->type != MINUTIA_BIFURCATION))
			return false;
		for (int j = 0; j < i; j++)
			if (t->minutiae[j].x == m->x && t->minutiae[j].y == m->y)
				return false;
	}
	return true;
}

static double
score(FingerprintProbe *probe, const FingerprintTemplate *a, const FingerprintTemplate *b)
{
	static unsigned char fa[FINGERPRINT_FEATURES_MAX_SIZE];
	static unsigned char fb[FINGERPRINT_FEATURES_MAX_SIZE];
	size_t               na = fingerprint_extract(a, fa);
	size_t               nb = fingerprint_extract(b, fb);

	fingerprint_probe_init(probe, fa, na);
	return fingerprint_score(fingerprint_distance(probe, fb, nb));
}

int
main(void)
{
	FingerprintTemplate  a, b;
	uint64_t             hash = UINT64_C(0xCBF29CE484222325);
	const uint64_t       expected = UINT64_C(0xC57184ECF2966943);
	static const int64_t extreme[] = {0, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 40};
	FingerprintProbe    *probe = calloc(1, fingerprint_probe_size());
	bool                 all_valid = true, differ = true, repeat = true;
	double               count = 0;
	int fewest = FINGERPRINT_MAX_MINUTIAE, most = 0, endings = 0, aligned = 0, near = 0, n = 3000;
	int mated_higher = 0, mated_match = 0, nonmated_match = 0;

	printf("1..12\n");

	for (int i = 0; i < n; i++)
	{
		int position = i % (FINGERPRINT_MAX_POSITION + 1);

		fingerprint_synthesize(&a, i, i % 9, position);
		all_valid = all_valid && valid(&a, position);
		hash = hash_template(hash, &a);
		count += (double) a.count / n;
		fewest = a.count < fewest ? a.count : fewest;
		most = a.count > most ? a.count : most;
		for (int j = 0; j < a.count; j++)
		{
			endings += a.minutiae[j].type == MINUTIA_RIDGE_ENDING;
			for (int k = 0; k < j; k++)
			{
				int dx = a.minutiae[j].x - a.minutiae[k].x, dy = a.minutiae[j].y - a.minutiae[k].y,
					turn = (a.minutiae[j].angle - a.minutiae[k].angle) & 127;

				/* within 30 degrees of parallel, either way */
				if (dx * dx + dy * dy < 30 * 30)
				{
					near++;
					aligned += turn <= 21 || turn >= 107;
				}
			}
		}
	}
	ok(all_valid, "every template is valid");
	ok(hash == expected, "templates are the same on every platform");
	if (hash != expected)
		printf("# templates: 0x%016llX\n", (unsigned long long) hash);
	printf("# minutiae: %d to %d, mean %.1f\n", fewest, most, count);
	ok(count > 35 && count < 55 && fewest >= 5 && most <= 110, "as many minutiae as captures have");
	ok(endings > 0.55 * n * count && endings < 0.80 * n * count, "endings outnumber bifurcations");
	ok(aligned > 0.75 * near, "directions follow the ridges");

	for (size_t i = 0; i < sizeof(extreme) / sizeof(extreme[0]); i++)
	{
		fingerprint_synthesize(&a, extreme[i], INT32_MAX, 10);
		all_valid = all_valid && valid(&a, 10) && a.count > 0;
		fingerprint_synthesize(&b, extreme[i], INT32_MAX, 10);
		repeat = repeat && memcmp(&a, &b, sizeof(a)) == 0;
		fingerprint_synthesize(&b, extreme[i], INT32_MAX - 1, 10);
		differ = differ && memcmp(a.minutiae, b.minutiae, sizeof(a.minutiae)) != 0;
		fingerprint_synthesize(&b, extreme[i], INT32_MAX, 9);
		differ = differ && memcmp(a.minutiae, b.minutiae, sizeof(a.minutiae)) != 0;
		fingerprint_synthesize(&b, extreme[i] ^ 1, INT32_MAX, 10);
		differ = differ && memcmp(a.minutiae, b.minutiae, sizeof(a.minutiae)) != 0;
	}
	ok(all_valid, "extreme fingers and impressions are valid");
	ok(repeat, "the same arguments give the same template");
	ok(differ, "other arguments give another template");

	for (int i = 0; i < 200; i++)
	{
		FingerprintTemplate other;
		double              mated, nonmated;

		fingerprint_synthesize(&a, i, 0, 0);
		fingerprint_synthesize(&b, i, 1, 0);
		fingerprint_synthesize(&other, i + 1, 1, 0);
		mated = score(probe, &a, &b);
		nonmated = score(probe, &a, &other);
		mated_higher += mated > nonmated;
		mated_match += mated >= 30;
		nonmated_match += nonmated >= 30;
	}
	printf("# 200 fingers: mated higher %d, mated at 30 dB %d, non-mated at 30 dB %d\n",
		   mated_higher, mated_match, nonmated_match);
	ok(mated_higher >= 185, "mated impressions score higher than others");
	ok(mated_match >= 160, "most mated impressions match at 30 dB");
	ok(nonmated_match <= 4, "hardly any other finger matches at 30 dB");

	fingerprint_synthesize(&a, 5, 0, 2);
	fingerprint_synthesize(&b, 5, 0, 7);
	ok(fingerprint_score(FINGERPRINT_DISTANCE_NONMATED) >= score(probe, &a, &b),
	   "another position is another finger");
	free(probe);
	return failures > 0;
}
