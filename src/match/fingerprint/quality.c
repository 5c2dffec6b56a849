/*
 * quality.c
 *		How useful a capture of a finger is for matching.
 *
 * Each capture has a value, a linear function of three quantities.  It was fitted
 * so that the sum of two captures' values is the logit of their chance to reach a
 * score of 40 if they are mated (test/bench/quality fit).  Quantities are taken at
 * the scale of the finger, so records of other resolutions have the same quality.
 */
#include "match/fingerprint/quality.h"

#include "match/portable_math.h"

#include <stdlib.h>
#include <string.h>

/* fitted by test/bench/quality fit */
#define VALUE_BASE  (-3.69)
#define VALUE_CLEAR 0.48
#define VALUE_MEAN  5.38
#define VALUE_AREA  1.30

/* square millimetres by which the area is divided before its logarithm is taken */
#define AREA_UNIT 100

/* the quality where the odds are even */
#define EVEN_CHANCE 40

/* no capture that was fitted has fewer minutiae; below, the quality falls with their number */
#define FEWEST_MINUTIAE 12

/* a minutia that does not report its quality counts as one of this quality */
#define UNREPORTED_QUALITY 0.5

/* in millimetres */
typedef struct Place
{
	double x;
	double y;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *p = a;
	const Place *q = b;

	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return p->y < q->y ? -1 : p->y > q->y;
}

/* twice the area of the triangle, negative if it turns to the other side */
static double
turn(const Place *a, const Place *b, const Place *c)
{
	return (b->x - a->x) * (c->y - a->y) - (b->y - a->y) * (c->x - a->x);
}

/* Adds a corner to a chain of the hull, and drops those that it makes inner points */
static int
add_corner(Place *hull, int corners, int fixed, const Place *place)
{
	while (corners >= fixed + 2 && turn(&hull[corners - 2], &hull[corners - 1], place) <= 0)
		corners--;
	hull[corners] = *place;
	return corners + 1;
}

/* Area of the convex hull, by two monotone chains.  Sorts the places. */
static double
hull_area(Place *places, int n)
{
	Place  hull[2 * FINGERPRINT_MAX_MINUTIAE];
	int    corners = 0;
	int    lower;
	double area = 0;

	if (n < 3)
		return 0;
	qsort(places, n, sizeof(Place), compare_places);
	for (int i = 0; i < n; i++)
		corners = add_corner(hull, corners, 0, &places[i]);
	lower = corners - 1;
	for (int i = n - 2; i >= 0; i--)
		corners = add_corner(hull, corners, lower, &places[i]);
	for (int i = 0; i + 1 < corners; i++)
		area += hull[i].x * hull[i + 1].y - hull[i + 1].x * hull[i].y;
	return area / 2;
}

void
fingerprint_quality_quantities(const FingerprintTemplate *finger, QualityQuantities *quantities)
{
	Place places[FINGERPRINT_MAX_MINUTIAE];

	memset(quantities, 0, sizeof(*quantities));
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];

		places[i].x = minutia->x * 10.0 / finger->x_resolution;
		places[i].y = minutia->y * 10.0 / finger->y_resolution;
		quantities->clear += minutia->quality > 0 ? minutia->quality / 100.0 : UNREPORTED_QUALITY;
	}
	if (finger->count > 0)
		quantities->mean = quantities->clear / finger->count;
	quantities->area = hull_area(places, finger->count);
}

int
fingerprint_quality(const FingerprintTemplate *finger)
{
	QualityQuantities quantities;
	double            value;
	double            quality;

	if (finger->count == 0)
		return 0;
	fingerprint_quality_quantities(finger, &quantities);
	value = VALUE_BASE + VALUE_CLEAR * portable_log(1 + quantities.clear) +
			VALUE_MEAN * quantities.mean +
			VALUE_AREA * portable_log(1 + quantities.area / AREA_UNIT);

	/* of two captures of this value */
	quality = EVEN_CHANCE + 20 * value / portable_log(10);
	if (finger->count < FEWEST_MINUTIAE)
		quality *= (double) finger->count / FEWEST_MINUTIAE;
	return (int) (quality < 0 ? 0 : quality > 100 ? 100 : quality + 0.5);
}
