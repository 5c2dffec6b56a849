/*
 * minutiae.c
 *		From the skeleton to minutiae: where ridges end and fork, in which
 *		direction, how sure, and how good the picture is.
 */
#include <stdlib.h>
#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define CANDIDATES 4000
#define TANGENT    14 /* pixels of a line by which its heading is known */
#define BORDER     10 /* pixels from the outline of the ridges that have no minutiae */
#define BORDER_AHEAD \
	14 /* an ending whose ridge would leave the mask within this is the outline's */
#define BORDER_GOOD  24   /* pixels from the outline where it matters no more */
#define ENDING_SHIFT -2.2 /* pixels along the direction, to where others put it */
#define FORK_SHIFT   1.9
#define OPPOSED      6.5 /* two minutiae that face each other closer than this are neither */
#define TWIN         5.0 /* two closer than this are one */
#define MOST         120
#define GOOD_AREA    40000 /* pixels of ridges, from which on the picture gains nothing by more */

typedef struct Candidate
{
	double x;
	double y;
	double angle; /* counter-clockwise from east */
	double cosine;
	double sine;
	double quality; /* 0 to 1 */
	int    type;
	int    order;
} Candidate;

/* better first; of equals the first found */
static int
compare_candidates(const void *a, const void *b)
{
	const Candidate *x = a, *y = b;

	if (x->quality != y->quality)
		return x->quality < y->quality ? 1 : -1;
	return x->order - y->order;
}

/* Distance of the blocks to the outline of the mask, in pixels, from two chamfer passes */
static void
measure_depth(const Extraction *x, float *depth)
{
	const float straight = BLOCK, diagonal = 1.4f * BLOCK;
	int         columns = x->columns, rows = x->rows;

	for (int i = 0; i < columns * rows; i++)
		depth[i] = x->mask[i] ? 1e6f : -straight / 2;
	for (int forth = 1; forth >= 0; forth--)
		for (int k = 0; k < columns * rows; k++)
		{
			int   i = forth ? k : columns * rows - 1 - k;
			int   r = i / columns, c = i % columns, dr = forth ? -1 : 1;
			float least = depth[i];

			/* beyond the picture there is no finger */
			for (int dc = -1; dc <= 1; dc++)
			{
				bool  outside = r + dr < 0 || r + dr >= rows || c + dc < 0 || c + dc >= columns;
				float other = outside ? -straight / 2 : depth[(r + dr) * columns + c + dc];

				other += dc ? diagonal : straight;
				least = other < least ? other : least;
			}
			{
				bool  outside = c + dr < 0 || c + dr >= columns;
				float other = (outside ? -straight / 2 : depth[i + dr]) + straight;

				least = other < least ? other : least;
			}
			if (x->mask[i])
				depth[i] = least;
		}
}

static double
at_block(const Extraction *x, const float *grid, int column, int row)
{
	return grid[row / BLOCK * x->columns + column / BLOCK];
}

static double
limit(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

static bool
inside(const Extraction *x, double column, double row)
{
	return column >= 0 && row >= 0 && column < x->width && row < x->height &&
		   x->mask[(int) row / BLOCK * x->columns + (int) column / BLOCK];
}

/* Whether pixel i is a minutia, and which */
static bool
judge(const Extraction *x, const float *depth, int i, Candidate *result)
{
	int    column = i % x->width, row = i / x->width;
	int    type, branches, first[8], path[TANGENT], length;
	double head_x[8], head_y[8], dx, dy, along, angle, shift;

	if (skeleton_is_ending(x, i))
		type = MINUTIA_RIDGE_ENDING;
	else if (skeleton_is_fork(x, i))
		type = MINUTIA_BIFURCATION;
	else
		return false;
	branches = skeleton_branches(x, i, first);
	if (branches < (type == MINUTIA_BIFURCATION ? 3 : 1))
		return false;
	for (int b = 0; b < branches; b++)
	{
		double distance;

		skeleton_walk(x, i, first[b], TANGENT, path, &length);
		dx = path[length - 1] % x->width - column;
		dy = path[length - 1] / x->width - row;
		distance = portable_sqrt(dx * dx + dy * dy) + 1e-6;
		head_x[b] = dx / distance;
		head_y[b] = dy / distance;
	}
	dx = head_x[0];
	dy = head_y[0];
	if (type == MINUTIA_BIFURCATION)
	{
		/* between the two branches that are closest in direction */
		double closest = -2;

		for (int a = 0; a < branches; a++)
			for (int b = a + 1; b < branches; b++)
			{
				double cosine = head_x[a] * head_x[b] + head_y[a] * head_y[b];

				if (cosine > closest)
				{
					closest = cosine;
					dx = head_x[a] + head_x[b];
					dy = head_y[a] + head_y[b];
				}
			}
	}

	/* the field is surer than the skeleton; the skeleton tells which way along it */
	angle = ridges_angle(x, column, row);
	along = dx * portable_cos(angle) + dy * portable_sin(angle);
	if (along < 0)
		angle += PORTABLE_PI;
	result->angle = -angle; /* rows count downwards */
	result->cosine = portable_cos(angle);
	result->sine = -portable_sin(angle);
	if (type == MINUTIA_RIDGE_ENDING && !inside(x, column - BORDER_AHEAD * result->cosine + 0.5,
												row + BORDER_AHEAD * result->sine + 0.5))
		return false;
	shift = type == MINUTIA_RIDGE_ENDING ? ENDING_SHIFT : FORK_SHIFT;
	result->x = limit(column + shift * result->cosine, 0, x->width - 1);
	result->y = limit(row - shift * result->sine, 0, x->height - 1);
	result->type = type;
	result->quality = limit((at_block(x, x->agreement, column, row) - 0.3) / 0.6, 0, 1) *
					  (0.5 + 0.5 * limit(at_block(x, x->coherence, column, row), 0, 1)) *
					  (0.6 + 0.4 * limit(at_block(x, depth, column, row) / BORDER_GOOD, 0, 1)) *
					  limit(at_block(x, x->contrast, column, row) / (0.6 * x->top_contrast), 0, 1);
	return true;
}

size_t
minutiae_room(void)
{
	return CANDIDATES * sizeof(Candidate);
}

/* Drops minutiae that contradict each other; returns how many are left */
static int
drop_contradictory(Candidate *candidates, int count, uint8_t *dead)
{
	int kept = 0;

	memset(dead, 0, count);
	for (int a = 0; a < count; a++)
	{
		for (int b = 0; b < count; b++)
		{
			double dx = candidates[a].x - candidates[b].x, dy = candidates[a].y - candidates[b].y;
			double squared = dx * dx + dy * dy;
			double cosine = candidates[a].cosine * candidates[b].cosine +
							candidates[a].sine * candidates[b].sine;

			if (a == b)
				continue;
			if (squared < OPPOSED * OPPOSED && cosine < -0.5)
				dead[a] = 1;
			else if (squared < TWIN * TWIN &&
					 compare_candidates(&candidates[a], &candidates[b]) > 0)
				dead[a] = 1;
		}
	}
	for (int a = 0; a < count; a++)
		if (!dead[a])
			candidates[kept++] = candidates[a];
	return kept;
}

/* Quality of the picture: how sure its ridges are, on how large an area */
static uint8_t
quality(const Extraction *x)
{
	double sure = 0, area;
	int    blocks = 0;

	for (int i = 0; i < x->columns * x->rows; i++)
		if (x->mask[i])
		{
			sure += limit((x->agreement[i] - 0.3) / 0.6, 0, 1) * limit(x->coherence[i], 0, 1);
			blocks++;
		}
	if (blocks == 0)
		return 0;
	area = limit((double) blocks * BLOCK * BLOCK / GOOD_AREA, 0, 1);
	return (uint8_t) (100 * sure / blocks * area + 0.5);
}

bool
minutiae_find(Extraction *x, FingerprintTemplate *result)
{
	Candidate *candidates = x->room;
	float     *depth = x->scratch[0];
	int        count = 0;

	measure_depth(x, depth);
	for (int row = SKELETON_BORDER; row < x->height - SKELETON_BORDER; row++)
	{
		if (extraction_stopped(x))
			return false;
		for (int column = SKELETON_BORDER;
			 column < x->width - SKELETON_BORDER && count < CANDIDATES; column++)
		{
			int i = row * x->width + column;

			if (!x->picture[i] || at_block(x, depth, column, row) < BORDER)
				continue;
			if (judge(x, depth, i, &candidates[count]))
			{
				candidates[count].order = count;
				count++;
			}
		}
	}
	count = drop_contradictory(candidates, count, (uint8_t *) x->stack);
	qsort(candidates, count, sizeof(Candidate), compare_candidates);
	if (count > MOST)
		count = MOST;
	for (int i = 0; i < count; i++)
	{
		Minutia *m = &result->minutiae[i];

		m->x = (uint16_t) (candidates[i].x + 0.5);
		m->y = (uint16_t) (candidates[i].y + 0.5);
		m->angle = (uint8_t) ((int) (candidates[i].angle * (128 / PORTABLE_PI) + 1024.5) & 255);
		m->type = (uint8_t) candidates[i].type;
		m->quality = (uint8_t) limit(100 * candidates[i].quality + 0.5, 1, 100);
	}
	result->count = (uint8_t) count;
	result->quality = quality(x);
	return true;
}
