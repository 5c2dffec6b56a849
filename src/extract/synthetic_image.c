/*
 * synthetic_image.c
 *		The picture of a made-up finger.
 *
 * Ridges grow by filtering again and again along the orientation field, as
 * Cappelli, Erol, Maio and Maltoni (2000) do, but not from noise: around each
 * minutia a small spiral of phase is set, which makes a ridge end or fork there.
 * Where ridges that grew from two of them meet out of step, a minutia arises
 * that the finger does not have; a real pattern has no choice either.
 */
#include "extract/synthetic_image.h"

#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define ROUNDS        18
#define SEED_ROUNDS   17 /* rounds that set the spirals again */
#define SEED_RADIUS   12 /* pixels */
#define PERIOD_MEAN   9.0
#define PERIOD_SPREAD 0.8
#define GROWTH        3 / 2 /* of the filtered picture from round to round */
#define PAPER         236   /* grey levels */
#define INK           60
#define NOISE_GOOD    5
#define NOISE_POOR    40

static void
set_up(Extraction *x, char *memory)
{
	memset(x, 0, sizeof(*x));
	x->width = SYNTHETIC_WIDTH;
	x->height = SYNTHETIC_HEIGHT;
	extraction_lay_out(x, memory);
}

size_t
synthetic_image_memory_size(void)
{
	Extraction x;

	memset(&x, 0, sizeof(x));
	x.width = SYNTHETIC_WIDTH;
	x.height = SYNTHETIC_HEIGHT;
	return extraction_lay_out(&x, NULL);
}

/* Lays the spirals of the minutiae into the plane that the filters read */
static void
set_seeds(Extraction *x, const Capture *capture, double period)
{
	for (int i = 0; i < capture->finger.count; i++)
	{
		double column, row, angle, cosine, sine;
		int    type;

		if (!synthetic_capture_minutia(capture, i, &column, &row, &angle, &type))
			continue;
		cosine = portable_cos(angle);
		sine = portable_sin(angle);
		for (int y = (int) row - SEED_RADIUS; y <= (int) row + SEED_RADIUS; y++)
			for (int k = (int) column - SEED_RADIUS; k <= (int) column + SEED_RADIUS; k++)
			{
				double dx = k - column, dy = y - row;
				double along = dx * cosine + dy * sine, across = dy * cosine - dx * sine;
				double phase;

				if (y < 0 || y >= x->height || k < 0 || k >= x->width ||
					dx * dx + dy * dy > SEED_RADIUS * SEED_RADIUS)
					continue;
				phase = 2 * PORTABLE_PI * across / period + portable_atan2(across, along);
				if (type == MINUTIA_BIFURCATION)
					phase += PORTABLE_PI;
				x->normal.origin[(ptrdiff_t) y * x->normal.stride + k] =
					(int16_t) (RIDGE * portable_cos(phase));
			}
	}
}

bool
synthetic_image(int64_t finger, int32_t impression, int position, void *memory,
				bool (*interrupted)(void *argument), void *argument, uint8_t *pixels)
{
	Extraction x;
	Capture    capture;
	uint64_t   random;
	double     period;

	set_up(&x, memory);
	x.interrupted = interrupted;
	x.argument = argument;
	synthetic_capture(&capture, finger, impression, position);
	random = portable_mix((uint64_t) finger, (uint64_t) position + 1000);
	period = PERIOD_MEAN + PERIOD_SPREAD * (2 * portable_uniform(&random) - 1);
	random = capture.random;
	for (int r = 0; r < x.rows; r++)
		for (int c = 0; c < x.columns; c++)
		{
			double angle, clarity;
			int    i = r * x.columns + c;

			x.mask[i] =
				synthetic_capture_at(&capture, c * BLOCK + 1.5, r * BLOCK + 1.5, &angle, &clarity);
			x.weight[i] = (float) clarity;
			x.cosine[i] = (float) -portable_cos(2 * angle); /* across */
			x.sine[i] = (float) -portable_sin(2 * angle);
			x.wavelength[i] = (float) period;
		}
	ridges_start(&x);
	for (int round = 0; round < ROUNDS; round++)
	{
		if (round < SEED_ROUNDS)
			set_seeds(&x, &capture, period);
		if (!ridges_filter(&x))
			return false;
		for (int y = 0; y < x.height; y++)
			for (int k = 0; k < x.width; k++)
			{
				int value = x.ridges.origin[(ptrdiff_t) y * x.ridges.stride + k] * GROWTH;

				value = value > RIDGE ? RIDGE : value < -RIDGE ? -RIDGE : value;
				x.normal.origin[(ptrdiff_t) y * x.normal.stride + k] = (int16_t) value;
			}
	}

	for (int y = 0; y < x.height; y++)
	{
		float *clarity = x.scratch[0];

		grid_row(&x, x.weight, y, clarity);
		for (int k = 0; k < x.width; k++)
		{
			double noise = portable_normal(&random);
			double value = PAPER;

			if (clarity[k] > 0)
			{
				double ridge =
					(double) x.normal.origin[(ptrdiff_t) y * x.normal.stride + k] / RIDGE;
				double ink = 0.5 + 0.5 * ridge * clarity[k];

				value = PAPER - (PAPER - INK) * ink * (clarity[k] < 0.2 ? clarity[k] * 5 : 1);
				value += noise * (NOISE_GOOD + (NOISE_POOR - NOISE_GOOD) * (1 - clarity[k]));
			}
			pixels[(size_t) y * x.width + k] = (uint8_t) (value < 0     ? 0
														  : value > 255 ? 255
																		: value + 0.5);
		}
	}
	return true;
}
