/*
 * foreign.c
 *		Made-up fingers that no constant was chosen on: another generator than
 *		the product's, with harder losses.
 *
 * Ridges follow one or two loops around random cores and deltas and a quadratic
 * bend.  Minutiae stand near the corners of a crooked lattice, so they keep
 * other distances from each other than the product's do, and the way they point
 * along the ridge is a matter of chance.  A capture is a round part of the
 * finger, turned, stretched, and bulged in one place.  Of its minutiae 10 to
 * 30 % are lost, each capture has its share, and as many are invented.  Places
 * are off by 1.8 pixels in each coordinate, directions by 7 degrees, and no
 * quality is reported.
 */
#include "foreign.h"

#include <math.h>
#include <string.h>

#include "match/portable_math.h"

#define PI PORTABLE_PI

#define WIDTH      416
#define HEIGHT     416
#define RESOLUTION 197

#define LATTICE       25.0 /* pixels */
#define CROOKED       9.0
#define OCCUPIED      0.72
#define FINGER_RADIUS 190.0

typedef struct Place
{
	double x;
	double y;
	double direction;
	int    type;
} Place;

typedef struct Ridges
{
	int    loops;
	double core_x[2], core_y[2], delta_x[2], delta_y[2];
	double lean;
	double bend[3];
} Ridges;

static double
between(uint64_t *random, double low, double high)
{
	return low + (high - low) * portable_uniform(random);
}

static double
ridge_angle(const Ridges *ridges, double x, double y)
{
	double angle =
		ridges->lean + ridges->bend[0] * x * x + ridges->bend[1] * x * y + ridges->bend[2] * y * y;

	for (int i = 0; i < ridges->loops; i++)
		angle += (atan2(y - ridges->core_y[i], x - ridges->core_x[i]) -
				  atan2(y - ridges->delta_y[i], x - ridges->delta_x[i])) /
				 2;
	return angle;
}

static void
make_ridges(uint64_t *random, Ridges *ridges)
{
	double kind = portable_uniform(random);
	double side = portable_uniform(random) < 0.5 ? 1 : -1;

	ridges->loops = kind < 0.07 ? 0 : kind < 0.7 ? 1 : 2;
	for (int i = 0; i < 2; i++)
	{
		ridges->core_x[i] = between(random, -15, 15);
		ridges->core_y[i] = (i == 0 ? 12 : -25) + between(random, -15, 15);
		ridges->delta_x[i] = (i == 0 ? side : -side) * between(random, 70, 140);
		ridges->delta_y[i] = -between(random, 80, 160);
	}
	ridges->lean = between(random, -0.15, 0.15);
	for (int i = 0; i < 3; i++)
		ridges->bend[i] = between(random, -1, 1) * 8e-6;
}

static double
some_direction(uint64_t *random, const Ridges *ridges, double x, double y)
{
	return ridge_angle(ridges, x, y) + (portable_uniform(random) < 0.5 ? 0 : PI);
}

void
foreign_synthesize(FingerprintTemplate *result, int64_t finger, int impression)
{
	uint64_t key = portable_mix(0xF0E1, (uint64_t) finger);
	uint64_t random = key;
	Ridges   ridges;
	Place    places[FINGERPRINT_MAX_MINUTIAE];
	int      n = 0;
	double   turn, lost, invented, radius, centre_x, centre_y, stretch_x, stretch_y;
	double   bulge, bulge_x, bulge_y, shift_x, shift_y;

	make_ridges(&random, &ridges);
	for (double y = -FINGER_RADIUS; y <= FINGER_RADIUS; y += LATTICE)
		for (double x = -FINGER_RADIUS; x <= FINGER_RADIUS; x += LATTICE)
		{
			Place *place = &places[n];

			place->x = x + CROOKED * portable_normal(&random);
			place->y = y + CROOKED * portable_normal(&random);
			place->direction = some_direction(&random, &ridges, place->x, place->y) +
							   0.06 * portable_normal(&random);
			place->type =
				portable_uniform(&random) < 0.6 ? MINUTIA_RIDGE_ENDING : MINUTIA_BIFURCATION;
			if (portable_uniform(&random) < OCCUPIED && n < FINGERPRINT_MAX_MINUTIAE - 1)
				n++;
		}

	random = portable_mix(key, (uint64_t) impression + 1);
	lost = between(&random, 0.1, 0.3);
	invented = between(&random, 0.1, 0.3);
	radius = between(&random, 105, 150);
	turn = 0.18 * portable_normal(&random);
	centre_x = 14 * portable_normal(&random);
	centre_y = 14 * portable_normal(&random);
	shift_x = 12 * portable_normal(&random);
	shift_y = 12 * portable_normal(&random);
	stretch_x = 1 + 0.025 * portable_normal(&random);
	stretch_y = 1 + 0.025 * portable_normal(&random);
	bulge = 0.05 * portable_normal(&random);
	bulge_x = between(&random, -80, 80);
	bulge_y = between(&random, -80, 80);

	/* what is invented stands among the lattice's places */
	for (int i = 0, real = n; i < real && n < FINGERPRINT_MAX_MINUTIAE; i++)
	{
		Place *place = &places[n];

		if (portable_uniform(&random) >= invented)
			continue;
		place->x = places[i].x + between(&random, -LATTICE, LATTICE);
		place->y = places[i].y + between(&random, -LATTICE, LATTICE);
		place->direction =
			some_direction(&random, &ridges, place->x, place->y) + 0.15 * portable_normal(&random);
		place->type = MINUTIA_RIDGE_ENDING;
		n++;
	}

	memset(result, 0, sizeof(*result));
	result->width = WIDTH;
	result->height = HEIGHT;
	result->x_resolution = result->y_resolution = RESOLUTION;
	for (int i = 0; i < n; i++)
	{
		const Place *place = &places[i];
		double       x = place->x - centre_x;
		double       y = place->y - centre_y;
		double       there = (place->x - bulge_x) * (place->x - bulge_x) +
					   (place->y - bulge_y) * (place->y - bulge_y);
		double   grow = bulge * exp(-there / (2 * 60 * 60));
		double   px, py, column, row, direction;
		Minutia *m = &result->minutiae[result->count];
		bool     missing = portable_uniform(&random) < lost;

		if (x * x + y * y > radius * radius || missing)
			continue;
		px = stretch_x * (x + grow * (place->x - bulge_x)) + 1.8 * portable_normal(&random);
		py = stretch_y * (y + grow * (place->y - bulge_y)) + 1.8 * portable_normal(&random);
		column = WIDTH / 2 + shift_x + cos(turn) * px - sin(turn) * py;
		row = HEIGHT / 2 - (shift_y + sin(turn) * px + cos(turn) * py);
		if (!(column >= 0 && column < WIDTH && row >= 0 && row < HEIGHT))
			continue;
		direction = place->direction + turn + 0.122 * portable_normal(&random);
		m->x = (int) column;
		m->y = (int) row;
		m->angle = (int) floor(direction / (2 * PI) * 256 + 0.5) & 255;
		m->type = place->type == MINUTIA_BIFURCATION ? MINUTIA_BIFURCATION : MINUTIA_RIDGE_ENDING;
		result->count++;
	}
}
