/*
 * test_fingerprint.c
 *		Fingerprint features, distance and score: what must hold for any
 *		template, however odd.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/fingerprint.h"
#include "match/fingerprint/internal.h"
#include "match/portable_math.h"
#include "tap.h"

#define FINGERS 40

static uint64_t state = 20240229;

typedef struct Features
{
	size_t  size;
	uint8_t bytes[FINGERPRINT_FEATURES_MAX_SIZE];
} Features;

static int
random_below(int limit)
{
	return (int) (portable_random(&state) % (uint64_t) limit);
}

static void
extract(const FingerprintTemplate *finger, Features *features)
{
	/* memory of exactly the promised size, for the address sanitizer to watch */
	uint8_t *bytes = allocate(FINGERPRINT_FEATURES_MAX_SIZE);

	features->size = fingerprint_extract(finger, bytes);
	memcpy(features->bytes, bytes, features->size);
	free(bytes);
}

/* through copies of exact size at odd addresses */
static double
distance(const Features *a, const Features *b)
{
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	uint8_t          *left = allocate(a->size + 1);
	uint8_t          *right = allocate(b->size + 1);
	double            result;

	memset(probe, 0xA5, fingerprint_probe_size());
	memcpy(left + 1, a->bytes, a->size);
	memcpy(right + 1, b->bytes, b->size);
	fingerprint_probe_init(probe, left + 1, a->size);
	result = fingerprint_distance(probe, right + 1, b->size);
	free(right);
	free(left);
	free(probe);
	return result;
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* both ways; -1 when they differ or lie outside of [0, 1] */
static double
both_ways(const Features *a, const Features *b)
{
	double forth = distance(a, b);
	double back = distance(b, a);

	if (!same_bits(forth, back) || !(forth >= 0 && forth <= 1))
		return -1;
	return forth;
}

static void
empty_template(FingerprintTemplate *finger, int count)
{
	memset(finger, 0, sizeof(*finger));
	finger->width = 500;
	finger->height = 500;
	finger->x_resolution = 197;
	finger->y_resolution = 197;
	finger->count = (uint8_t) count;
}

static void
random_template(FingerprintTemplate *finger, int count)
{
	empty_template(finger, count);
	for (int i = 0; i < count; i++)
	{
		finger->minutiae[i].x = (uint16_t) random_below(500);
		finger->minutiae[i].y = (uint16_t) random_below(500);
		finger->minutiae[i].angle = (uint8_t) random_below(256);
		finger->minutiae[i].type = (uint8_t) random_below(3);
		finger->minutiae[i].quality = (uint8_t) random_below(101);
	}
}

static double
self_score(const FingerprintTemplate *finger)
{
	Features features;

	extract(finger, &features);
	return fingerprint_score(both_ways(&features, &features));
}

static void
test_sizes(void)
{
	static const int    counts[] = {0, 1, 2, 3, 40, 255};
	FingerprintTemplate finger;
	Features            features[6];
	bool                valid = true;
	bool                compact = true;
	bool                damaged = false;
	bool                symmetric = true;

	for (int k = 0; k < 6; k++)
	{
		Features *f = &features[k];

		random_template(&finger, counts[k]);
		extract(&finger, f);
		valid &= fingerprint_features_valid(f->bytes, f->size);
		compact &= f->size <= 4 + 26 * (size_t) counts[k];
		for (size_t size = 0; size < f->size; size++)
			damaged |= fingerprint_features_valid(f->bytes, size);
		damaged |= fingerprint_features_valid(f->bytes, f->size + 1);
		f->bytes[0] = FINGERPRINT_MAX_POSITION + 1;
		damaged |= fingerprint_features_valid(f->bytes, f->size);
		f->bytes[0] = 0;
	}
	ok(valid, "features of 0, 1, 2, 3, 40 and 255 minutiae are valid");
	ok(compact, "26 bytes a minutia at most");
	ok(!damaged, "features of another size, or of an impossible finger, are not valid");
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			symmetric &= both_ways(&features[i], &features[j]) >= 0;
	ok(symmetric, "templates of any two sizes compare, the same both ways");
	ok(both_ways(&features[0], &features[0]) == 1 && both_ways(&features[0], &features[4]) == 1,
	   "no minutiae: nothing in common");
}

static void
test_little_evidence(void)
{
	static const double limits[] = {0, 3, 8, 15, 22, 32};
	FingerprintTemplate finger;
	bool                modest = true;

	for (int count = 0; count < 6; count++)
	{
		double most = 0;

		for (int round = 0; round < 20; round++)
		{
			random_template(&finger, count);
			most = fmax(most, self_score(&finger));
		}
		printf("# %d equal minutiae: at most %.1f dB\n", count, most);
		modest &= most <= limits[count];
	}
	ok(modest, "few minutiae prove little, even when they are equal");
	random_template(&finger, 60);
	ok(self_score(&finger) > 60, "many equal minutiae prove a lot");
}

static void
test_odd_templates(void)
{
	FingerprintTemplate finger;
	Features            all[8];
	int                 n = 0;
	bool                passed = true;

	/* all minutiae at one place */
	empty_template(&finger, 255);
	for (int i = 0; i < 255; i++)
		finger.minutiae[i] = (Minutia){100, 100, 64, MINUTIA_BIFURCATION, 50};
	extract(&finger, &all[n++]);

	/* on one line */
	for (int i = 0; i < 255; i++)
		finger.minutiae[i] = (Minutia){(uint16_t) i, (uint16_t) i, 32, MINUTIA_RIDGE_ENDING, 1};
	extract(&finger, &all[n++]);

	/* in the corners of the largest image */
	for (int resolution = 0; resolution < 2; resolution++)
	{
		random_template(&finger, 255);
		finger.width = 16384;
		finger.height = 16384;
		finger.x_resolution = resolution == 0 ? 1 : UINT16_MAX;
		finger.y_resolution = resolution == 0 ? UINT16_MAX : 1;
		for (int i = 0; i < 200; i++)
		{
			finger.minutiae[i].x = random_below(2) ? 16383 : 0;
			finger.minutiae[i].y = random_below(2) ? 16383 : 0;
		}
		extract(&finger, &all[n++]);
		finger.x_resolution = finger.y_resolution = 1;
		extract(&finger, &all[n++]);
	}

	/* two minutiae as far apart as can be, and an ordinary finger */
	empty_template(&finger, 2);
	finger.minutiae[1] = (Minutia){16383, 16383, 255, 0, 100};
	finger.x_resolution = finger.y_resolution = 1;
	extract(&finger, &all[n++]);
	random_template(&finger, 50);
	extract(&finger, &all[n++]);

	for (int i = 0; i < n; i++)
	{
		passed &= fingerprint_features_valid(all[i].bytes, all[i].size);
		for (int j = 0; j < n; j++)
			passed &= both_ways(&all[i], &all[j]) >= 0;
	}
	ok(passed, "coincident, collinear and far-flung minutiae compare, the same both ways");
}

static void
test_garbage(void)
{
	Features a;
	Features b;
	bool     passed = true;

	for (int round = 0; round < 200; round++)
	{
		Features *each[2] = {&a, &b};

		for (int k = 0; k < 2; k++)
		{
			int count = random_below(round < 20 ? 256 : 80);

			each[k]->size = FINGERPRINT_HEADER_SIZE + (size_t) count * FINGERPRINT_MINUTIA_SIZE;
			for (size_t i = 0; i < each[k]->size; i++)
				each[k]->bytes[i] = (uint8_t) portable_random(&state);
			each[k]->bytes[0] = 0;
			each[k]->bytes[1] = (uint8_t) count;
			passed &= fingerprint_features_valid(each[k]->bytes, each[k]->size);
		}
		passed &= both_ways(&a, &b) >= 0 && both_ways(&a, &a) >= 0;
	}
	ok(passed, "any valid block of bytes compares, the same both ways");
}

static void
test_order_of_minutiae(void)
{
	FingerprintTemplate finger;
	Features            before;
	Features            after;
	bool                equal = true;

	for (int round = 0; round < 20; round++)
	{
		random_template(&finger, 60);
		extract(&finger, &before);
		for (int i = 59; i > 0; i--)
		{
			int     j = random_below(i + 1);
			Minutia swap = finger.minutiae[i];

			finger.minutiae[i] = finger.minutiae[j];
			finger.minutiae[j] = swap;
		}
		extract(&finger, &after);
		equal &= before.size == after.size && memcmp(before.bytes, after.bytes, before.size) == 0;
	}
	ok(equal, "features do not depend on the order of minutiae in the record");
}

/* the same finger, its pixels sx by sy times as many */
static void
resample(FingerprintTemplate *finger, double sx, double sy)
{
	finger->x_resolution = (uint16_t) (finger->x_resolution * sx + 0.5);
	finger->y_resolution = (uint16_t) (finger->y_resolution * sy + 0.5);
	for (int i = 0; i < finger->count; i++)
	{
		Minutia *m = &finger->minutiae[i];
		double   angle = m->angle * PORTABLE_PI / 128;
		double   turned = portable_atan2(portable_sin(angle) * sy, portable_cos(angle) * sx);

		m->x = (uint16_t) (m->x * sx + 0.5);
		m->y = (uint16_t) (m->y * sy + 0.5);
		m->angle = (uint8_t) (int) (turned * 128 / PORTABLE_PI + 256.5);
	}
}

/* quarter turns counter-clockwise, then a shift */
static void
turn(FingerprintTemplate *finger, int quarters, int shift)
{
	for (int i = 0; i < finger->count; i++)
	{
		Minutia *m = &finger->minutiae[i];

		for (int q = 0; q < quarters; q++)
		{
			uint16_t x = m->x;

			m->x = m->y;
			m->y = (uint16_t) (1000 - x);
			m->angle = (uint8_t) (m->angle + 64);
		}
		m->x = (uint16_t) (m->x + shift);
		m->y = (uint16_t) (m->y + 2 * shift);
	}
	finger->width = 4000;
	finger->height = 4000;
}

static void
test_geometry(void)
{
	bool finer = true;
	bool oblong = true;
	bool turned = true;
	bool as_is = false;

	for (int k = 0; k < 10; k++)
	{
		FingerprintTemplate finger;
		FingerprintTemplate other;
		Features            original;
		Features            changed;
		double              best;

		random_template(&finger, 45);
		extract(&finger, &original);
		best = fingerprint_score(both_ways(&original, &original));

		other = finger;
		resample(&other, 224.0 / 197, 224.0 / 197);
		extract(&other, &changed);
		finer &= fingerprint_score(both_ways(&original, &changed)) > 0.8 * best;

		/* the same pixels taken for 500 dpi are another finger, or nearly */
		other.x_resolution = other.y_resolution = 197;
		extract(&other, &changed);
		as_is |= fingerprint_score(both_ways(&original, &changed)) > 0.8 * best;

		other = finger;
		resample(&other, 1, 2);
		extract(&other, &changed);
		oblong &= fingerprint_score(both_ways(&original, &changed)) > 0.8 * best;

		for (int quarters = 0; quarters < 4; quarters++)
		{
			other = finger;
			turn(&other, quarters, 250);
			extract(&other, &changed);
			turned &= fingerprint_score(both_ways(&original, &changed)) > 0.8 * best;
		}
	}
	ok(finer, "a finger at 569 dpi is the same at 500 dpi");
	ok(!as_is, "but not if the resolution is ignored");
	ok(oblong, "pixels that are not square are made so, directions included");
	ok(turned, "a finger turned and shifted is the same");
}

static void
test_positions(void)
{
	FingerprintTemplate finger;
	Features            features[11];
	double              unknown;
	bool                passed = true;

	random_template(&finger, 40);
	for (int position = 0; position <= 10; position++)
	{
		finger.position = (uint8_t) position;
		extract(&finger, &features[position]);
	}
	unknown = both_ways(&features[0], &features[0]);
	for (int i = 0; i <= 10; i++)
		for (int j = 0; j <= 10; j++)
		{
			double d = both_ways(&features[i], &features[j]);

			passed &=
				same_bits(d, i != 0 && j != 0 && i != j ? FINGERPRINT_DISTANCE_NONMATED : unknown);
		}
	ok(passed, "known positions that differ are non-mated; an unknown one matches all");
}

static void
test_score(void)
{
	double last = fingerprint_score(0);
	bool   monotone = last > 0;
	bool   inverse = true;

	for (int i = 0; i <= 200000; i++)
	{
		double score = fingerprint_score(i / 200000.0);

		monotone &= score >= 0 && score <= last;
		last = score;
	}
	ok(monotone && last == 0, "the score falls from its most at 0 to nothing at 1");
	for (int stage = 0; stage <= FINGERPRINT_STAGE_WHOLE; stage++)
	{
		for (double odds = -30; odds < 40; odds += 0.37)
		{
			FingerprintStage back;
			double distance = fingerprint_odds_to_distance((FingerprintStage) stage, odds);

			inverse &= fabs(fingerprint_distance_to_odds(distance, &back) - odds) < 1e-6 &&
					   back == (FingerprintStage) stage;
		}
	}
	ok(inverse, "distances give back the stage and the log-odds they came from");
}

/*
 * Records that something is wrong with, made of a finger.  What matters is that
 * they compare, and that nothing is as near to one as itself.
 */
enum
{
	ORIGINAL,
	NO_QUALITY,
	QUALITY_ONE,
	DPI_300,
	DPI_1000,
	COPIED,      /* every minutia twice: a merged record */
	NEARLY_SAME, /* and the copies a pixel off */
	MIRRORED,
	CLOCKWISE, /* the wrong convention of directions */
	OPPOSITE,  /* another one */
	NO_TYPES,
	ONE,
	TWO,
	MANY,      /* 255 all over the place */
	ONE_PLACE, /* 255 at one place, in all directions */
	ALIKE,     /* 255 equal ones */
	BAD_INPUTS
};

static void
make_bad_input(FingerprintTemplate *finger, int kind)
{
	fingerprint_synthesize(finger, 77, 0, 0);
	switch (kind)
	{
		case NO_QUALITY:
		case QUALITY_ONE:
			for (int i = 0; i < finger->count; i++)
				finger->minutiae[i].quality = kind == QUALITY_ONE;
			break;
		case DPI_300:
			resample(finger, 118.0 / 197, 118.0 / 197);
			break;
		case DPI_1000:
			resample(finger, 2, 2);
			break;
		case COPIED:
		case NEARLY_SAME:
			for (int i = 0, n = finger->count; i < n && finger->count < 255; i++)
			{
				Minutia copy = finger->minutiae[i];

				copy.x = (uint16_t) (copy.x + (kind == NEARLY_SAME));
				finger->minutiae[finger->count++] = copy;
			}
			finger->width++;
			break;
		case MIRRORED:
			for (int i = 0; i < finger->count; i++)
			{
				Minutia *m = &finger->minutiae[i];

				m->x = (uint16_t) (finger->width - 1 - m->x);
				m->angle = (uint8_t) (128 - m->angle);
			}
			break;
		case CLOCKWISE:
			for (int i = 0; i < finger->count; i++)
				finger->minutiae[i].angle = (uint8_t) -finger->minutiae[i].angle;
			break;
		case OPPOSITE:
			for (int i = 0; i < finger->count; i++)
				finger->minutiae[i].angle = (uint8_t) (finger->minutiae[i].angle + 128);
			break;
		case NO_TYPES:
			for (int i = 0; i < finger->count; i++)
				finger->minutiae[i].type = MINUTIA_OTHER;
			break;
		case ONE:
		case TWO:
			finger->count = (uint8_t) (kind == ONE ? 1 : 2);
			break;
		case MANY:
			random_template(finger, 255);
			break;
		case ONE_PLACE:
		case ALIKE:
			empty_template(finger, 255);
			for (int i = 0; i < 255; i++)
				finger->minutiae[i] = (Minutia){100, 100, (uint8_t) (kind == ALIKE ? 64 : i),
												MINUTIA_BIFURCATION, 50};
			break;
		default:
			break;
	}
}

static void
test_bad_input(void)
{
	FingerprintTemplate *finger = allocate(sizeof(*finger));
	Features            *features = allocate((BAD_INPUTS + 20) * sizeof(*features));
	Features             mate;
	double               near_mate[BAD_INPUTS];
	double               original;
	bool                 symmetric = true;
	bool                 nearest = true;

	for (int k = 0; k < BAD_INPUTS + 20; k++)
	{
		if (k < BAD_INPUTS)
			make_bad_input(finger, k);
		else
			fingerprint_synthesize(finger, 1000 + k, 0, 0);
		extract(finger, &features[k]);
	}
	fingerprint_synthesize(finger, 77, 1, 0);
	extract(finger, &mate);
	for (int k = 0; k < BAD_INPUTS; k++)
	{
		double itself = both_ways(&features[k], &features[k]);

		symmetric &= itself >= 0;
		for (int j = 0; j < BAD_INPUTS + 20; j++)
		{
			double other = both_ways(&features[k], &features[j]);

			symmetric &= other >= 0;

			/* the first ones are of one finger, and so may be as near; a minutia or two are no finger */
			if (itself <= other || (k <= NO_TYPES && j <= NO_TYPES) || features[k].bytes[1] <= 2)
				continue;
			printf("# record %d is nearer to %d, %.6f, than to itself, %.6f\n", k, j, other,
				   itself);
			nearest = false;
		}
		near_mate[k] = fingerprint_score(both_ways(&features[k], &mate));
		printf("# record %d: itself %.1f dB, its finger %.1f dB\n", k, fingerprint_score(itself),
			   near_mate[k]);
	}
	original = near_mate[ORIGINAL];
	ok(symmetric, "records with something wrong compare, the same both ways");
	ok(nearest, "nothing is nearer to a record than itself");
	ok(original > 20 && near_mate[DPI_300] > 0.7 * original && near_mate[DPI_1000] > 0.7 * original,
	   "records of 300 and 1000 dpi find their finger");
	ok(near_mate[COPIED] > 0.8 * original && near_mate[NEARLY_SAME] > 0.8 * original,
	   "so do records with two copies of each minutia");
	ok(near_mate[NO_QUALITY] > 20 && near_mate[QUALITY_ONE] > 20 && near_mate[NO_TYPES] > 20,
	   "and those without quality or types");
	ok(near_mate[MIRRORED] < 10 && near_mate[CLOCKWISE] < 10,
	   "mirrored records and directions the wrong way are another finger");
	ok(near_mate[ONE] < 5 && near_mate[TWO] < 10 && near_mate[ONE_PLACE] < 5,
	   "one minutia, two, or many at one place are no evidence");
	free(features);
	free(finger);
}

/* evidence with one more pair like the others, of two minutiae that had no partner */
static void
add_pair(double evidence[FINGERPRINT_EVIDENCE])
{
	static const FingerprintEvidence sums[] = {
		EVIDENCE_SUM,      EVIDENCE_SQUARES,  EVIDENCE_TRUSTED, EVIDENCE_LIKELIHOOD,
		EVIDENCE_LIKELY,   EVIDENCE_TURNS,    EVIDENCE_BENDING, EVIDENCE_SHARES,
		EVIDENCE_SPREAD_A, EVIDENCE_SPREAD_B, EVIDENCE_CLUSTER};
	static const FingerprintEvidence products[] = {EVIDENCE_AGREEMENT, EVIDENCE_NEAR_AGREEMENT,
												   EVIDENCE_NEAR_WEIGHT};
	double more = (evidence[EVIDENCE_PAIRS] + 1) / evidence[EVIDENCE_PAIRS];

	for (size_t k = 0; k < sizeof(sums) / sizeof(sums[0]); k++)
		evidence[sums[k]] *= more;
	for (size_t k = 0; k < sizeof(products) / sizeof(products[0]); k++)
		evidence[products[k]] *= more * more;
	evidence[EVIDENCE_UNPAIRED] = fmax(evidence[EVIDENCE_UNPAIRED] - 2, 0);
	evidence[EVIDENCE_PAIRS]++;
}

static void
test_further_pair(void)
{
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	int               pairs = 0;
	int               lower = 0;
	double            most = 0;

	for (int i = 0; i < 60; i++)
	{
		FingerprintTemplate finger;
		Features            a;
		Features            b;
		double              evidence[FINGERPRINT_EVIDENCE];
		double              before;
		double              after;

		fingerprint_synthesize(&finger, 500 + i, 0, 0);
		extract(&finger, &a);
		fingerprint_synthesize(&finger, 500 + i + i % 2, 1, 0);
		extract(&finger, &b);
		fingerprint_probe_init(probe, a.bytes, a.size);
		fingerprint_evidence(probe, b.bytes, b.size, evidence);
		if (evidence[EVIDENCE_PAIRS] < 2)
			continue;
		before = fingerprint_weigh(evidence);
		add_pair(evidence);
		after = fingerprint_weigh(evidence);
		pairs++;
		lower += after < before;
		most = fmax(most, before - after);
	}
	free(probe);
	printf("# one more pair lowers the log-odds of %d of %d comparisons, by %.2f at most\n", lower,
		   pairs, most);
	ok(lower <= pairs / 10 && most < 0.5, "a further agreeing pair hardly ever lowers a score");
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
test_synthetic_fingers(void)
{
	static Features   first[FINGERS];
	static Features   second[FINGERS];
	static double     nonmated[FINGERS * FINGERS];
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	int               n = 0;
	int               distinct = 1;
	int               found = 0;
	bool              symmetric = true;
	bool              repeatable = true;

	for (int k = 0; k < FINGERS; k++)
	{
		FingerprintTemplate finger;

		fingerprint_synthesize(&finger, k, 0, 0);
		extract(&finger, &first[k]);
		fingerprint_synthesize(&finger, k, 1, 0);
		extract(&finger, &second[k]);
	}
	for (int i = 0; i < FINGERS; i++)
	{
		double mated = 0;
		double least = 1;

		fingerprint_probe_init(probe, second[i].bytes, second[i].size);
		for (int j = 0; j < FINGERS; j++)
		{
			double d = fingerprint_distance(probe, first[j].bytes, first[j].size);

			/* a probe that has seen others answers as a fresh one does */
			repeatable &= same_bits(d, distance(&second[i], &first[j]));
			symmetric &= same_bits(d, distance(&first[j], &second[i]));
			if (i == j)
				mated = d;
			else
			{
				nonmated[n++] = d;
				least = d < least ? d : least;
			}
		}
		found += mated < least;
	}
	free(probe);
	qsort(nonmated, (size_t) n, sizeof(double), by_value);
	for (int i = 1; i < n; i++)
		distinct += nonmated[i] != nonmated[i - 1];
	printf("# %d of %d fingers found, %d distinct of %d non-mated distances\n", found, FINGERS,
		   distinct, n);
	ok(repeatable, "the same distance whatever was compared before");
	ok(symmetric, "symmetric to the bit");
	ok(distinct >= 512, "at least 512 distinct non-mated distances");
	ok(found >= FINGERS - 4, "the mated finger is nearest");
	ok(fingerprint_score(nonmated[n / 2]) < 10, "an ordinary non-mated score is low");
}

/*
 * The distances themselves.  The suite fingerprint_match expects the same sum of
 * an optimised build: kernels, compilers and platforms agree to the bit.
 */
#define SUM_OF_DISTANCES INT64_C(1664348636251218)

static void
test_same_everywhere(void)
{
	static uint8_t    features[40][FINGERPRINT_FEATURES_MAX_SIZE];
	size_t            sizes[40];
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	int64_t           sum = 0;

	for (int i = 0; i < 40; i++)
	{
		FingerprintTemplate finger;

		fingerprint_synthesize(&finger, i / 2 + 1, i % 2, 0);
		sizes[i] = fingerprint_extract(&finger, features[i]);
	}
	for (int i = 0; i < 40; i++)
	{
		fingerprint_probe_init(probe, features[i], sizes[i]);
		for (int j = 0; j < 40; j++)
			sum += (int64_t) (fingerprint_distance(probe, features[j], sizes[j]) * 1099511627776.0);
	}
	free(probe);
	printf("# sum of distances %lld\n", (long long) sum);
	ok(sum == SUM_OF_DISTANCES, "distances are the same on every platform");
}

/* pairings of anything: each minutia at most once, on both sides alike, and the order a permutation */
static void
test_pairing(void)
{
	FingerprintPairing  *there = allocate(sizeof(*there));
	FingerprintPairing  *back = allocate(sizeof(*back));
	FingerprintTemplate *fingers = allocate(12 * sizeof(*fingers));
	Features            *features = allocate(12 * sizeof(*features));
	FingerprintProbe    *probe = allocate(fingerprint_probe_size());
	bool                 sound = true, alike = true, permuted = true;

	memset(fingers, 0, 12 * sizeof(*fingers));
	for (int f = 0; f < 12; f++)
	{
		uint8_t order[FINGERPRINT_MAX_MINUTIAE];
		bool    seen[FINGERPRINT_MAX_MINUTIAE] = {false};

		if (f < 6)
			fingerprint_synthesize(&fingers[f], f / 2, f % 2, 0);
		else
		{
			/* many, few and none, all over the place or all at the same */
			fingers[f].width = fingers[f].height = f < 9 ? 16384 : 1;
			fingers[f].x_resolution = f == 7 ? 1 : 197;
			fingers[f].y_resolution = f == 7 ? 65535 : 197;
			fingers[f].count = (uint8_t) (f % 3 == 0 ? 255 : f == 10 ? 0 : 3);
			for (int i = 0; i < fingers[f].count; i++)
			{
				fingers[f].minutiae[i].x = (uint16_t) random_below(fingers[f].width);
				fingers[f].minutiae[i].y = (uint16_t) random_below(fingers[f].height);
				fingers[f].minutiae[i].angle = (uint8_t) random_below(256);
				fingers[f].minutiae[i].type = (uint8_t) random_below(3);
				fingers[f].minutiae[i].quality = (uint8_t) random_below(101);
			}
		}
		extract(&fingers[f], &features[f]);
		fingerprint_order(&fingers[f], order);
		for (int i = 0; i < fingers[f].count; i++)
		{
			permuted &= order[i] < fingers[f].count && !seen[order[i]];
			seen[order[i]] = true;
		}
	}
	for (int f = 0; f < 12; f++)
		for (int g = 0; g < 12; g++)
		{
			int pairs = 0;

			fingerprint_probe_init(probe, features[f].bytes, features[f].size);
			fingerprint_pair(probe, features[g].bytes, features[g].size, there);
			fingerprint_probe_init(probe, features[g].bytes, features[g].size);
			fingerprint_pair(probe, features[f].bytes, features[f].size, back);
			sound &= there->minutiae[0] == features[f].bytes[1] &&
					 there->minutiae[1] == features[g].bytes[1];
			for (int i = 0; i < there->minutiae[0]; i++)
			{
				int j = there->partner[0][i];

				alike &= back->partner[1][i] == j && back->overlaps[1][i] == there->overlaps[0][i];
				if (j < 0)
					continue;
				pairs++;
				sound &= j < there->minutiae[1] && there->partner[1][j] == i &&
						 there->weight[0][i] > 0 && there->weight[0][i] == there->weight[1][j] &&
						 there->distance[0][i] >= 0 && there->overlaps[0][i];
				alike &= back->weight[1][i] == there->weight[0][i];
			}
			sound &= pairs == there->pairs;
		}
	ok(permuted, "the order of features is a permutation of the template's minutiae");
	ok(sound, "pairs are pairs from both sides");
	ok(alike, "and the same whichever finger is the probe");
	free(there);
	free(back);
	free(fingers);
	free(features);
	free(probe);
}

/* Mates resemble each other more than strangers do; equal features do equally; positions tell */
static void
test_resemblance(void)
{
	FingerprintProbe *probe = allocate(fingerprint_probe_size());
	int               nearest = 0;
	bool              equal = true;

	for (int finger = 1; finger <= 20; finger++)
	{
		FingerprintTemplate template;
		Features a, b;
		int      mate;
		int      better = 0;

		fingerprint_synthesize(&template, finger, 1, 2);
		extract(&template, &a);
		fingerprint_probe_init(probe, a.bytes, a.size);
		fingerprint_synthesize(&template, finger, 2, 2);
		extract(&template, &b);
		mate = fingerprint_resemblance(probe, b.bytes, b.size);
		equal = equal && mate == fingerprint_resemblance(probe, b.bytes, b.size) &&
				mate < fingerprint_resemblance(probe, a.bytes, a.size);
		for (int other = 101; other <= 120; other++)
		{
			fingerprint_synthesize(&template, other, 1, 0);
			extract(&template, &b);
			better += fingerprint_resemblance(probe, b.bytes, b.size) >= mate;
		}
		nearest += better == 0;
		fingerprint_synthesize(&template, finger, 2, 3);
		extract(&template, &b);
		equal = equal && fingerprint_resemblance(probe, b.bytes, b.size) == -1;
	}
	ok(equal, "a resemblance is repeated, is highest for the same features, and heeds positions");
	ok(nearest >= 18, "mates resemble each other more than 20 strangers do");
	free(probe);
}

int
main(void)
{
	test_sizes();
	test_little_evidence();
	test_odd_templates();
	test_garbage();
	test_order_of_minutiae();
	test_geometry();
	test_positions();
	test_score();
	test_bad_input();
	test_further_pair();
	test_synthetic_fingers();
	test_same_everywhere();
	test_pairing();
	test_resemblance();
	printf("1..%d\n", tests);
	return failures != 0;
}
