/*
 * portable_math.c
 *		Elementary functions from IEEE 754 basic operations only; see the header
 *		for why.
 */
#include "match/portable_math.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define LN2_HI 6.93147180369123816490e-01
#define LN2_LO 1.90821492927058770002e-10
#define LN10   2.30258509299404568402

/* pi/2 in two parts, so that k * HALF_PI_HI is exact for |k| < 2^20 */
#define HALF_PI_HI 1.57079632673412561417e+00
#define HALF_PI_LO 6.07710050650619224932e-11

double
portable_sqrt(double x)
{
	return sqrt(x);
}

/* nearest integer, ties away from zero; |x| < 2^31 */
static int
nearest(double x)
{
	return (int) (x < 0 ? x - 0.5 : x + 0.5);
}

/* Taylor series on |r| <= pi/4; the first dropped term is below 1e-16 */
static double
sin_reduced(double r)
{
	double r2 = r * r;

	return r * (1 + r2 * (-1.0 / 6 +
						  r2 * (1.0 / 120 +
								r2 * (-1.0 / 5040 +
									  r2 * (1.0 / 362880 +
											r2 * (-1.0 / 39916800 + r2 * (1.0 / 6227020800.0)))))));
}

static double
cos_reduced(double r)
{
	double r2 = r * r;

	return 1 + r2 * (-0.5 +
					 r2 * (1.0 / 24 +
						   r2 * (-1.0 / 720 +
								 r2 * (1.0 / 40320 + r2 * (-1.0 / 3628800 +
														   r2 * (1.0 / 479001600.0 +
																 r2 * (-1.0 / 87178291200.0)))))));
}

/* sin(x + quarter * pi/2) */
static double
sin_quarter(double x, int quarter)
{
	int    k = nearest(x / (PORTABLE_PI / 2));
	double r = (x - k * HALF_PI_HI) - k * HALF_PI_LO;

	switch ((k + quarter) & 3)
	{
		case 0:
			return sin_reduced(r);
		case 1:
			return cos_reduced(r);
		case 2:
			return -sin_reduced(r);
		default:
			return -cos_reduced(r);
	}
}

double
portable_sin(double x)
{
	return sin_quarter(x, 0);
}

double
portable_cos(double x)
{
	return sin_quarter(x, 1);
}

/* atan on [0, 1]: halve the angle twice, then the series on [0, 0.199] */
static double
atan_unit(double t)
{
	double u, u2, sum = 0;
	int    i;

	u = t / (1 + sqrt(1 + t * t));
	u = u / (1 + sqrt(1 + u * u));
	u2 = u * u;
	for (i = 17; i >= 1; i -= 2)
		sum = 1.0 / i - u2 * sum;
	return 4 * u * sum;
}

double
portable_atan2(double y, double x)
{
	double ax = x < 0 ? -x : x;
	double ay = y < 0 ? -y : y;
	double angle;

	if (ax == 0 && ay == 0)
		return 0;
	if (ay <= ax)
		angle = atan_unit(ay / ax);
	else
		angle = PORTABLE_PI / 2 - atan_unit(ax / ay);
	if (x < 0)
		angle = PORTABLE_PI - angle;
	return y < 0 ? -angle : angle;
}

/* 2^k for -1022 <= k <= 1023 */
static double
power_of_two(int k)
{
	uint64_t bits = (uint64_t) (k + 1023) << 52;
	double   result;

	memcpy(&result, &bits, sizeof(result));
	return result;
}

double
portable_exp(double x)
{
	int    k, i;
	double r, sum = 1;

	if (x > 709)
		return DBL_MAX;
	if (!(x > -708))
		return 0;
	k = nearest(x / (LN2_HI + LN2_LO));
	r = (x - k * LN2_HI) - k * LN2_LO;
	for (i = 14; i >= 1; i--)
		sum = 1 + r / i * sum;
	return sum * power_of_two(k);
}

double
portable_log(double x)
{
	uint64_t bits;
	int      k = 0, i;
	double   m, s, s2, sum = 0;

	if (!(x > 0))
		return -DBL_MAX;
	if (x < DBL_MIN)
	{
		x *= power_of_two(54);
		k = -54;
	}
	memcpy(&bits, &x, sizeof(bits));
	k += (int) (bits >> 52) - 1023;
	bits = (bits & UINT64_C(0x000FFFFFFFFFFFFF)) | UINT64_C(0x3FF0000000000000);
	memcpy(&m, &bits, sizeof(m));
	if (m > 1.41421356237309504880)
	{
		m /= 2;
		k++;
	}

	/* log m = 2 artanh((m - 1) / (m + 1)), argument at most 0.172 */
	s = (m - 1) / (m + 1);
	s2 = s * s;
	for (i = 19; i >= 1; i -= 2)
		sum = 1.0 / i + s2 * sum;
	return k * LN2_HI + (k * LN2_LO + 2 * s * sum);
}

double
portable_log10(double x)
{
	return portable_log(x) / LN10;
}

uint64_t
portable_mix(uint64_t a, uint64_t b)
{
	uint64_t state = a * UINT64_C(0x9E3779B97F4A7C15) ^ b;

	state = portable_random(&state) ^ (b * UINT64_C(0xD1B54A32D192ED03));
	return portable_random(&state);
}

uint64_t
portable_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

double
portable_uniform(uint64_t *state)
{
	return (double) (portable_random(state) >> 11) * (1.0 / 9007199254740992.0);
}

double
portable_normal(uint64_t *state)
{
	/* Box and Muller 1958; the second value is not kept: the state is one word */
	double u = 1 - portable_uniform(state);
	double v = portable_uniform(state);

	return sqrt(-2 * portable_log(u)) * portable_cos(2 * PORTABLE_PI * v);
}
