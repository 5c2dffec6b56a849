/*
 * test_quality.c
 *		The quality of templates: what it is made of, and that it is defined for
 *		every template.
 */
#include "match/fingerprint/quality.h"
#include "match/iris/iris.h"
#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
add_minutia(FingerprintTemplate *finger, int x, int y, int quality)
{
	Minutia *minutia = &finger->minutiae[finger->count++];

	minutia->x = (uint16_t) x;
	minutia->y = (uint16_t) y;
	minutia->quality = (uint8_t) quality;
}

static FingerprintTemplate
empty(void)
{
	FingerprintTemplate finger;

	memset(&finger, 0, sizeof(finger));
	finger.width = finger.height = 1000;
	finger.x_resolution = finger.y_resolution = 200;
	return finger;
}

static void
test_quantities(void)
{
	FingerprintTemplate finger = empty();
	QualityQuantities   quantities;

	fingerprint_quality_quantities(&finger, &quantities);
	ok(quantities.clear == 0 && quantities.mean == 0 && quantities.area == 0, "no minutiae");
	ok(fingerprint_quality(&finger) == 0, "no minutiae have quality 0");

	/* a square of 10 millimetres, with points inside, on its edge and twice in a corner */
	add_minutia(&finger, 100, 100, 80);
	add_minutia(&finger, 300, 100, 80);
	add_minutia(&finger, 300, 300, 40);
	add_minutia(&finger, 100, 300, 40);
	add_minutia(&finger, 200, 200, 60);
	add_minutia(&finger, 200, 100, 60);
	add_minutia(&finger, 300, 300, 60);
	add_minutia(&finger, 250, 210, 60);
	fingerprint_quality_quantities(&finger, &quantities);
	ok(fabs(quantities.area - 100) < 1e-9, "area of the hull");
	ok(fabs(quantities.clear - 4.8) < 1e-9 && fabs(quantities.mean - 0.6) < 1e-9,
	   "minutiae count by their quality");

	finger.x_resolution = finger.y_resolution = 400;
	for (int i = 0; i < finger.count; i++)
	{
		finger.minutiae[i].x *= 2;
		finger.minutiae[i].y *= 2;
	}
	fingerprint_quality_quantities(&finger, &quantities);
	ok(fabs(quantities.area - 100) < 1e-9, "in any resolution");

	for (int i = 0; i < finger.count; i++)
		finger.minutiae[i].quality = 0;
	fingerprint_quality_quantities(&finger, &quantities);
	ok(fabs(quantities.mean - 0.5) < 1e-9, "quality that is not reported");

	for (int i = 0; i < finger.count; i++)
		finger.minutiae[i].y = finger.minutiae[i].x;
	fingerprint_quality_quantities(&finger, &quantities);
	ok(quantities.area == 0, "minutiae on a line");
}

static void
test_range(void)
{
	FingerprintTemplate finger = empty();
	int                 previous = 0;
	int                 rising = 1;

	/* all 255, one place, the smallest and the largest resolution */
	for (int i = 0; i < FINGERPRINT_MAX_MINUTIAE; i++)
		add_minutia(&finger, 7, 9, 1);
	ok(fingerprint_quality(&finger) >= 0, "the worst is not below 0");
	for (int i = 0; i < FINGERPRINT_MAX_MINUTIAE; i++)
	{
		finger.minutiae[i].x = (uint16_t) ((i * 7919) % 16384);
		finger.minutiae[i].y = (uint16_t) ((i * 104729) % 16384);
		finger.minutiae[i].quality = 100;
	}
	finger.x_resolution = finger.y_resolution = 1;
	ok(fingerprint_quality(&finger) == 100, "the best is 100");

	finger = empty();
	add_minutia(&finger, 100, 100, 100);
	add_minutia(&finger, 300, 300, 100);
	ok(fingerprint_quality(&finger) < 20, "two good minutiae are no good capture");

	/* more of a finger is better */
	for (int n = 5; n <= 60; n += 5)
	{
		int quality;

		finger = empty();
		for (int i = 0; i < n; i++)
			add_minutia(&finger, 100 + (i * 37) % 200, 100 + (i * 53) % 200, 50);
		quality = fingerprint_quality(&finger);
		rising &= quality >= previous;
		previous = quality;
	}
	ok(rising && previous > 30, "more minutiae are better");
}

static void
test_eyes(void)
{
	static uint8_t code[IRIS_SYNTHETIC_COLUMNS * IRIS_SYNTHETIC_BITS / 8];
	static uint8_t mask[sizeof(code)];
	IrisTemplate   iris = {IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS, IRIS_EYE_LEFT, code, mask};
	int            whole, half;

	iris_synthesize(code, mask, 1, 0);
	memset(mask, 0xff, sizeof(mask));
	whole = iris_quality(&iris);
	memset(mask, 0, sizeof(mask) / 2);
	half = iris_quality(&iris);
	ok(whole > 90 && whole <= 100 && half < whole && half >= 40, "an eye's usable share");
	memset(mask, 0, sizeof(mask));
	ok(iris_quality(&iris) == 0, "an eye that is covered");
	memset(mask, 0xff, sizeof(mask));
	memset(code, 0, sizeof(code));
	ok(iris_quality(&iris) == 0, "a code without information");
}

int
main(void)
{
	test_quantities();
	test_range();
	test_eyes();
	printf("1..%d\n", tests);
	return failures > 0;
}
