/*
 * test_portable_math.c
 *		The portable elementary functions: accuracy against the C library,
 *		special values, and the same bits everywhere.
 */
#include "match/portable_math.h"
#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a over the bytes of a number, least significant first */
static uint64_t
hash_word(uint64_t hash, uint64_t word)
{
	for (int i = 0; i < 8; i++)
		hash = (hash ^ (word >> (8 * i) & 0xFF)) * UINT64_C(0x100000001B3);
	return hash;
}

static uint64_t
hash_double(uint64_t hash, double x)
{
	uint64_t word;

	memcpy(&word, &x, sizeof(word));
	return hash_word(hash, word);
}

/* error against the C library, relative where the result is large */
static double
error(double ours, double theirs)
{
	double scale = fabs(theirs) > 1 ? fabs(theirs) : 1;

	return fabs(ours - theirs) / scale;
}

static void
golden(uint64_t hash, uint64_t expected, const char *name)
{
	ok(hash == expected, name);
	if (hash != expected)
		printf("# %s: 0x%016llX\n", name, (unsigned long long) hash);
}

int
main(void)
{
	const uint64_t start = UINT64_C(0xCBF29CE484222325);
	uint64_t       state = 1;
	uint64_t       hash = start;
	double         worst_sin = 0, worst_cos = 0, worst_atan = 0, worst_exp = 0, worst_log = 0,
		   worst_log10 = 0, worst_far = 0;

	printf("1..22\n");

	for (int i = 0; i < 100000; i++)
	{
		double x = (portable_uniform(&state) - 0.5) * 40;
		double far_away = (portable_uniform(&state) - 0.5) * 2e6;
		double y = (portable_uniform(&state) - 0.5) * 40;
		double e = (portable_uniform(&state) - 0.5) * 1400;
		double p = portable_exp(e);

		worst_sin = fmax(worst_sin, fabs(portable_sin(x) - sin(x)));
		worst_cos = fmax(worst_cos, fabs(portable_cos(x) - cos(x)));
		worst_far = fmax(worst_far, fabs(portable_sin(far_away) - sin(far_away)));
		worst_atan = fmax(worst_atan, fabs(portable_atan2(y, x) - atan2(y, x)));
		worst_exp = fmax(worst_exp, fabs(p / exp(e) - 1));
		worst_log = fmax(worst_log, error(portable_log(p), log(p)));
		worst_log10 = fmax(worst_log10, error(portable_log10(p), log10(p)));
		hash = hash_double(hash, portable_sin(x));
		hash = hash_double(hash, portable_cos(far_away));
		hash = hash_double(hash, portable_atan2(y, x));
		hash = hash_double(hash, p);
		hash = hash_double(hash, portable_log(p));
		hash = hash_double(hash, portable_log10(p));
	}
	ok(worst_sin < 1e-12, "sin agrees with the C library");
	ok(worst_cos < 1e-12, "cos agrees with the C library");
	ok(worst_far < 1e-10, "sin far from zero agrees with the C library");
	ok(worst_atan < 1e-12, "atan2 agrees with the C library");
	ok(worst_exp < 1e-12, "exp agrees with the C library");
	ok(worst_log < 1e-12, "log agrees with the C library");
	ok(worst_log10 < 1e-12, "log10 agrees with the C library");
	printf("# worst errors: sin %.1e cos %.1e far %.1e atan2 %.1e exp %.1e log %.1e log10 %.1e\n",
		   worst_sin, worst_cos, worst_far, worst_atan, worst_exp, worst_log, worst_log10);

	ok(portable_sin(0) == 0 && portable_cos(0) == 1 && portable_exp(0) == 1 && portable_log(1) == 0,
	   "exact at the origin");
	ok(portable_atan2(0, 0) == 0, "atan2(0, 0) is 0");
	ok(portable_atan2(0, 1) == 0 && portable_atan2(1, 0) == PORTABLE_PI / 2 &&
		   portable_atan2(0, -1) == PORTABLE_PI && portable_atan2(-1, 0) == -PORTABLE_PI / 2,
	   "atan2 on the axes");
	ok(fabs(portable_atan2(1, 1) - PORTABLE_PI / 4) < 1e-13 &&
		   fabs(portable_atan2(-1, -1) + 3 * PORTABLE_PI / 4) < 1e-13,
	   "atan2 on the diagonals");
	ok(fabs(portable_atan2(1e-300, 1e300)) < 1e-300 &&
		   fabs(portable_atan2(1e300, 1e-300) - PORTABLE_PI / 2) < 1e-15,
	   "atan2 of extreme ratios");
	ok(portable_exp(1e6) == DBL_MAX && portable_exp(-1e6) == 0, "exp saturates");
	ok(portable_exp(709) < DBL_MAX && portable_exp(-707) > 0, "exp near its limits");
	ok(portable_log(0) == -DBL_MAX && portable_log(-1) == -DBL_MAX, "log of nothing");
	ok(error(portable_log(DBL_MAX), log(DBL_MAX)) < 1e-12 &&
		   error(portable_log(DBL_MIN), log(DBL_MIN)) < 1e-12 &&
		   error(portable_log(5e-324), log(5e-324)) < 1e-12,
	   "log of the largest, the smallest and a denormal number");
	ok(portable_sqrt(2) * portable_sqrt(2) > 1.9999999999999 && portable_sqrt(144) == 12, "sqrt");
	golden(hash, UINT64_C(0x444DD61468B7DBBA),
		   "elementary functions give the same bits everywhere");

	/* random numbers */
	{
		double sum = 0, sum2 = 0, low = 1, high = 0, mean = 0;
		int    n = 200000;

		hash = start;
		state = portable_mix(42, 7);
		for (int i = 0; i < n; i++)
		{
			double u = portable_uniform(&state);
			double z = portable_normal(&state);

			low = fmin(low, u);
			high = fmax(high, u);
			mean += u / n;
			sum += z / n;
			sum2 += z * z / n;
			hash = hash_double(hash_double(hash, u), z);
		}
		ok(low >= 0 && high < 1 && fabs(mean - 0.5) < 0.005,
		   "uniform numbers lie in [0, 1) and centre on 1/2");
		ok(fabs(sum) < 0.01 && fabs(sum2 - 1) < 0.02, "normal numbers have mean 0 and variance 1");
		golden(hash, UINT64_C(0x52F9087621989B32), "random numbers are the same everywhere");
	}

	/* keys that differ a little, or swap places, seed different streams */
	{
		bool distinct = portable_mix(1, 2) != portable_mix(2, 1);

		for (uint64_t a = 0; a < 64; a++)
			for (uint64_t b = 0; b < 64; b++)
			{
				distinct = distinct && portable_mix(a, b) != portable_mix(a + 1, b);
				distinct = distinct && portable_mix(a, b) != portable_mix(a, b + 1);
			}
		ok(distinct, "keys are mixed");
	}
	return failures > 0;
}
