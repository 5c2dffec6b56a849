/*
 * test_caps.c
 *		Caps of the fingerprint distance: a sketch or a limit never leaves out a
 *		pair that is within the limit, and changes no distance that is.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/caps.h"
#include "match/fingerprint/fingerprint.h"
#include "match/portable_math.h"
#include "tap.h"

#define FINGERS 60

static uint64_t state = 20261127;

/* features and sketch in memory of exactly their size, for the address sanitizer to watch */
typedef struct Capture
{
	size_t   size;
	uint8_t *features;
	size_t   sketch_size;
	uint8_t *sketch;
} Capture;

static int
random_below(int limit)
{
	return (int) (portable_random(&state) % (uint64_t) limit);
}

static void
make_sketch(Capture *capture)
{
	uint8_t buffer[FINGERPRINT_SKETCH_MAX_SIZE];

	capture->sketch_size = fingerprint_sketch(capture->features, buffer);
	capture->sketch = allocate(capture->sketch_size);
	memcpy(capture->sketch, buffer, capture->sketch_size);
}

static void
make_capture(const FingerprintTemplate *finger, Capture *capture)
{
	static uint8_t buffer[FINGERPRINT_FEATURES_MAX_SIZE];

	capture->size = fingerprint_extract(finger, buffer);
	capture->features = allocate(capture->size);
	memcpy(capture->features, buffer, capture->size);
	make_sketch(capture);
}

/* bytes that are valid features of count minutiae, and otherwise anything */
static void
make_garbage(int count, Capture *capture)
{
	capture->size = FINGERPRINT_HEADER_SIZE + (size_t) count * FINGERPRINT_MINUTIA_SIZE;
	capture->features = allocate(capture->size);
	for (size_t i = 0; i < capture->size; i++)
		capture->features[i] = (uint8_t) random_below(256);
	capture->features[0] = (uint8_t) random_below(3);
	capture->features[1] = (uint8_t) count;
	make_sketch(capture);
}

/* mates and strangers, parts of fingers, hardly any minutiae, too many, garbage */
static void
make_captures(Capture captures[FINGERS])
{
	static const int garbage[] = {0, 1, 2, 40, 255};

	for (int i = 0; i < FINGERS; i++)
	{
		FingerprintTemplate finger;

		if (i < (int) (sizeof(garbage) / sizeof(garbage[0])))
		{
			make_garbage(garbage[i], &captures[i]);
			continue;
		}
		fingerprint_synthesize(&finger, i / 4, i % 4, i % 7 == 0 ? 1 + i % 2 : 0);
		if (i % 5 == 0)
			finger.count = (uint8_t) (finger.count / (1 + i % 3) / 2);
		make_capture(&finger, &captures[i]);
	}

	/* one comes twice */
	free(captures[FINGERS - 1].features);
	free(captures[FINGERS - 1].sketch);
	captures[FINGERS - 1] = captures[FINGERS - 2];
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* a limit: anywhere, where caps are, at a distance or just below it */
static double
random_limit(double distance)
{
	switch (random_below(4))
	{
		case 0:
			return random_below(1000) / 1000.0;
		case 1:
			return fingerprint_cap((FingerprintCap) random_below(FINGERPRINT_CAPS),
								   random_below(400));
		case 2:
			return distance;
		default:
			return nextafter(distance, -1);
	}
}

static void
test_limits(const Capture captures[FINGERS])
{
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	bool              symmetric = true, sketches = true, distances = true, itself = true;
	int               left_out = 0, cut_short = 0, let_in = 0;
	double            distance[FINGERS][FINGERS];

	for (int i = 0; i < FINGERS; i++)
	{
		fingerprint_probe_init(probe, captures[i].features, captures[i].size);
		for (int j = 0; j < FINGERS; j++)
			distance[i][j] = fingerprint_distance(probe, captures[j].features, captures[j].size);
		for (int round = 0; round < 4; round++)
		{
			double      limit = random_limit(distance[i][random_below(FINGERS)]);
			const void *all[FINGERS];
			bool        within[FINGERS];

			for (int j = 0; j < FINGERS; j++)
				all[j] = captures[j].sketch;
			fingerprint_sketches_within(probe, FINGERS, all, limit, within);
			for (int j = 0; j < FINGERS; j++)
			{
				double d = distance[i][j];
				double limited;

				sketches = sketches && (within[j] || d > limit);
				left_out += !within[j];
				let_in += within[j] && d > limit;
				if (j % 4 != round && d > limit)
					continue;
				limited = fingerprint_distance_within(probe, captures[j].features, captures[j].size,
													  limit);
				distances = distances && (d <= limit ? same_bits(limited, d) : limited > limit);
				cut_short += !same_bits(limited, d);
			}
		}
	}
	for (int i = 0; i < FINGERS; i++)
		for (int j = 0; j < FINGERS; j++)
		{
			symmetric = symmetric && same_bits(distance[i][j], distance[j][i]);
			itself = itself && (captures[i].features[1] == 0 || distance[i][i] <= distance[i][j]);
		}
	ok(symmetric, "distances with caps are symmetric to the bit");
	ok(itself, "any finger is nearest to itself");
	ok(sketches, "what a sketch leaves out is beyond the limit");
	ok(distances, "a limit changes no distance within it");
	ok(left_out > FINGERS && let_in > 0, "sketches leave out some, and let in some for nothing");
	ok(cut_short > FINGERS, "a limit cuts comparisons short");
	free(probe);
}

static void
test_caps(void)
{
	bool descending = true, bounded = true;

	for (int cap = 0; cap < FINGERPRINT_CAPS; cap++)
	{
		double before = 1;

		for (int evidence = -400; evidence < 2000; evidence++)
		{
			double distance = fingerprint_cap((FingerprintCap) cap, evidence / 2.0);

			descending = descending && distance <= before;
			bounded = bounded && distance <= fingerprint_farthest_cap();
			before = distance;
		}
		bounded = bounded && before == 0;
	}
	ok(descending, "the more evidence, the nearer a cap");
	ok(bounded && fingerprint_score(fingerprint_farthest_cap()) >= 29.99 &&
		   fingerprint_score(fingerprint_farthest_cap()) <= 30.01,
	   "caps begin at 30 dB and end");
}

static void
test_valid(const Capture captures[FINGERS])
{
	bool    written = true, damaged = true;
	uint8_t copy[FINGERPRINT_SKETCH_MAX_SIZE + 1] = {0};

	for (int i = 0; i < FINGERS; i++)
	{
		written = written && fingerprint_sketch_valid(captures[i].sketch, captures[i].sketch_size);
		memcpy(copy, captures[i].sketch, captures[i].sketch_size);
		damaged = damaged && !fingerprint_sketch_valid(copy, captures[i].sketch_size + 1) &&
				  !fingerprint_sketch_valid(copy, captures[i].sketch_size - 1);
		copy[0] = FINGERPRINT_MAX_POSITION + 1;
		damaged = damaged && !fingerprint_sketch_valid(copy, captures[i].sketch_size);
	}
	ok(written, "sketches are valid");
	ok(damaged && !fingerprint_sketch_valid(copy, 0), "damaged sketches are not");
}

int
main(void)
{
	Capture captures[FINGERS];

	make_captures(captures);
	test_caps();
	test_limits(captures);
	test_valid(captures);
	printf("1..%d\n", tests);
	return failures != 0;
}
