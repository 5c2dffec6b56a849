/*
 * skeleton.c
 *		From the filtered picture to lines of one pixel: ridges, their skeleton,
 *		and light cleaning.  Heavy cleaning, as unfiltered pictures want it,
 *		would remove true minutiae.
 */
#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define ISLAND_PIXELS 40 /* a ridge of fewer is dirt */
#define PORE_PIXELS   25 /* a hole in a ridge of fewer is a pore */

#define SPUR_LENGTH   6  /* shorter side branches go */
#define ISLAND_LENGTH 8  /* shorter lines go */
#define LAKE_LENGTH   10 /* of two ways between the same forks, shorter than this, one goes */
#define BRIDGE_LENGTH 10 /* shorter links across the ridges go */
#define BRIDGE_COSINE 0.64
#define GAP_LENGTH    12 /* facing endings closer than this are joined */
#define GAP_COSINE    0.8
#define GAP_ENDINGS   4000
#define ROUNDS        2

static const int step_x[8] = {0, 1, 1, 1, 0, -1, -1, -1}; /* clockwise from the top */
static const int step_y[8] = {-1, -1, 0, 1, 1, 1, 0, -1};

static int
neighbours(const Extraction *x, int i)
{
	const uint8_t *p = x->picture + i;
	int            w = x->width;

	return p[-w] | p[1 - w] << 1 | p[1] << 2 | p[w + 1] << 3 | p[w] << 4 | p[w - 1] << 5 |
		   p[-1] << 6 | p[-1 - w] << 7;
}

static int
count_bits(int code)
{
	int count = 0;

	for (; code; code &= code - 1)
		count++;
	return count;
}

/* lines that start at a pixel: changes from 0 to 1 around it */
static int
count_branches(int code)
{
	return count_bits(~code & (code >> 1 | code << 7) & 255);
}

/* whether the pixel can go without joining or parting anything (Yokoi's number is 1) */
static bool
is_simple(int code)
{
	int number = 0;

	for (int k = 0; k < 8; k += 2)
	{
		int a = !(code >> k & 1), b = !(code >> (k + 1) & 1), c = !(code >> ((k + 2) & 7) & 1);

		number += a - a * b * c;
	}
	return number == 1;
}

bool
skeleton_is_fork(const Extraction *x, int i)
{
	return x->picture[i] && count_branches(neighbours(x, i)) >= 3;
}

bool
skeleton_is_ending(const Extraction *x, int i)
{
	int code;

	if (!x->picture[i])
		return false;
	code = neighbours(x, i);
	return count_branches(code) == 1 && count_bits(code) <= 2;
}

int
skeleton_branches(const Extraction *x, int i, int first[8])
{
	int code = neighbours(x, i), count = 0;

	/* a diagonal neighbour beside a straight one is the same line */
	for (int k = 0; k < 8; k++)
		if ((code >> k & 1) &&
			!((k & 1) && (code >> ((k + 1) & 7) & 1 || code >> ((k + 7) & 7) & 1)))
			first[count++] = i + step_y[k] * x->width + step_x[k];
	return count;
}

static bool
touch(const Extraction *x, int i, int j)
{
	int dx = i % x->width - j % x->width, dy = i / x->width - j / x->width;

	return dx >= -1 && dx <= 1 && dy >= -1 && dy <= 1;
}

WalkEnd
skeleton_walk(const Extraction *x, int start, int first, int most, int *path, int *length)
{
	static const int order[8] = {0, 2, 4, 6, 1, 3, 5, 7};
	int              before = start, here = first;

	for (*length = 0;;)
	{
		int next = -1;

		path[(*length)++] = here;
		if (skeleton_is_fork(x, here))
			return WALK_FORK;
		if (*length >= most)
			return WALK_LONG;
		for (int k = 0; k < 8 && next < 0 && *length > 1; k++)
		{
			int i = here + step_y[k] * x->width + step_x[k];

			if (i != before && i != start && skeleton_is_fork(x, i))
				next = i;
		}
		for (int k = 0; k < 8 && next < 0; k++)
		{
			int i = here + step_y[order[k]] * x->width + step_x[order[k]];

			if (x->picture[i] && !touch(x, i, before) && !(*length <= 2 && i == start))
				next = i;
		}
		if (next < 0)
			return WALK_ENDING;
		before = here;
		here = next;
	}
}

/* Zhang and Suen 1984, then what is left of steps */
static bool
thin(Extraction *x)
{
	int32_t *list = x->stack, *gone = x->stack + (size_t) x->width * x->height;
	int      count = 0;
	bool     changed = true;
	uint8_t  role[256]; /* bits 0 and 1: goes in that phase; 2: goes at the end */

	for (int code = 0; code < 256; code++)
	{
		int  bits = count_bits(code);
		bool n = code & 1, e = code & 4, s = code & 16, w = code & 64;

		role[code] = 0;
		if (bits >= 2 && bits <= 6 && count_branches(code) == 1)
			role[code] = (!(n && e && s) && !(e && s && w) ? 1 : 0) |
						 (!(n && e && w) && !(n && s && w) ? 2 : 0);
		if (bits >= 2 && is_simple(code))
			role[code] |= 4;
	}
	for (int i = 0; i < x->width * x->height; i++)
		if (x->picture[i])
			list[count++] = i;
	while (changed)
	{
		changed = false;
		if (extraction_stopped(x))
			return false;
		for (int phase = 0; phase < 2; phase++)
		{
			int kept = 0, going = 0;

			for (int k = 0; k < count; k++)
				if (role[neighbours(x, list[k])] >> phase & 1)
					gone[going++] = list[k];
				else
					list[kept++] = list[k];
			for (int k = 0; k < going; k++)
				x->picture[gone[k]] = 0;
			changed = changed || going > 0;
			count = kept;
		}
	}
	for (changed = true; changed;)
	{
		int kept = 0;

		for (int k = 0; k < count; k++)
			if (role[neighbours(x, list[k])] & 4)
				x->picture[list[k]] = 0;
			else
				list[kept++] = list[k];
		changed = kept < count;
		count = kept;
	}
	return true;
}

/* After lines were removed: pixels that are alone, and steps that no line needs now */
static void
thin_again(Extraction *x)
{
	for (bool changed = true; changed;)
	{
		changed = false;
		for (int y = 1; y < x->height - 1; y++)
			for (int i = y * x->width + 1; i < (y + 1) * x->width - 1; i++)
			{
				int code;

				if (!x->picture[i])
					continue;
				code = neighbours(x, i);
				if (code == 0 || ((code & (code - 1)) != 0 && is_simple(code)))
				{
					x->picture[i] = 0;
					changed = true;
				}
			}
	}
}

static void
erase(Extraction *x, const int *path, int length)
{
	for (int k = 0; k < length; k++)
		x->picture[path[k]] = 0;
}

static void
remove_spurs_and_islands(Extraction *x)
{
	int path[ISLAND_LENGTH + SPUR_LENGTH + 2], first[8], length;

	for (int y = 2; y < x->height - 2; y++)
		for (int i = y * x->width + 2; i < (y + 1) * x->width - 2; i++)
		{
			WalkEnd end;

			if (!skeleton_is_ending(x, i))
				continue;
			if (skeleton_branches(x, i, first) < 1)
				continue;
			end = skeleton_walk(x, i, first[0], ISLAND_LENGTH + SPUR_LENGTH, path, &length);
			if (end == WALK_FORK && length < SPUR_LENGTH)
			{
				x->picture[i] = 0;
				erase(x, path, length - 1);
			}
			else if (end == WALK_ENDING && length < ISLAND_LENGTH)
			{
				x->picture[i] = 0;
				erase(x, path, length);
			}
		}
}

/* Short links between two forks: across the ridges, or beside another */
static void
remove_bridges_and_lakes(Extraction *x)
{
	int path[LAKE_LENGTH + BRIDGE_LENGTH + 2], first[8], length;

	for (int y = 2; y < x->height - 2; y++)
		for (int i = y * x->width + 2; i < (y + 1) * x->width - 2; i++)
		{
			int    ends[8], lengths[8] = {0}, branches;
			double angle, along_x, along_y;

			if (!skeleton_is_fork(x, i))
				continue;
			branches = skeleton_branches(x, i, first);
			angle = ridges_angle(x, i % x->width, y);
			along_x = portable_cos(angle);
			along_y = portable_sin(angle);
			for (int b = 0; b < branches; b++)
			{
				bool   gone = false;
				double dx, dy;

				ends[b] = -1;
				if (skeleton_walk(x, i, first[b], LAKE_LENGTH + BRIDGE_LENGTH, path, &length) !=
						WALK_FORK ||
					length < 2)
					continue;
				ends[b] = path[length - 1];
				lengths[b] = length;
				dx = ends[b] % x->width - i % x->width;
				dy = ends[b] / x->width - y;
				if (length < BRIDGE_LENGTH && ends[b] != i)
				{
					double along = dx * along_x + dy * along_y;

					gone = along * along < BRIDGE_COSINE * BRIDGE_COSINE * (dx * dx + dy * dy);
				}
				for (int k = 0; k < b && !gone; k++)
					gone = ends[k] == ends[b] && ends[b] != i && length < LAKE_LENGTH &&
						   lengths[k] < LAKE_LENGTH;
				if (gone)
				{
					erase(x, path, length - 1);
					break;
				}
			}
		}
}

typedef struct Ending
{
	int    at;
	double heading_x; /* out of the line, unit vector */
	double heading_y;
} Ending;

size_t
skeleton_room(void)
{
	return GAP_ENDINGS * sizeof(Ending);
}

static void
join_gaps(Extraction *x)
{
	Ending *endings = x->room;
	int     count = 0, path[GAP_LENGTH + 1], first[8], length;

	for (int y = 2; y < x->height - 2; y++)
		for (int i = y * x->width + 2; i < (y + 1) * x->width - 2 && count < GAP_ENDINGS; i++)
		{
			double dx, dy, distance;

			if (!skeleton_is_ending(x, i) || skeleton_branches(x, i, first) < 1)
				continue;
			skeleton_walk(x, i, first[0], GAP_LENGTH, path, &length);
			dx = i % x->width - path[length - 1] % x->width;
			dy = y - path[length - 1] / x->width;
			distance = portable_sqrt(dx * dx + dy * dy) + 1e-6;
			endings[count].at = i;
			endings[count].heading_x = dx / distance;
			endings[count++].heading_y = dy / distance;
		}
	for (int a = 0; a < count; a++)
	{
		double nearest = GAP_LENGTH;
		int    best = -1, from = endings[a].at, steps, dx, dy;

		if (from < 0)
			continue;
		for (int b = a + 1; b < count; b++)
		{
			double distance;

			if (endings[b].at < 0)
				continue;
			dy = endings[b].at / x->width - from / x->width;
			if (dy > GAP_LENGTH)
				break; /* they are in order of rows */
			dx = endings[b].at % x->width - from % x->width;
			distance = portable_sqrt(dx * dx + dy * dy);
			if (distance >= nearest || distance < 1 ||
				dx * endings[a].heading_x + dy * endings[a].heading_y < GAP_COSINE * distance ||
				-dx * endings[b].heading_x - dy * endings[b].heading_y < GAP_COSINE * distance)
				continue;
			nearest = distance;
			best = b;
		}
		if (best < 0)
			continue;
		dx = endings[best].at % x->width - from % x->width;
		dy = endings[best].at / x->width - from / x->width;
		steps = dx > dy ? dx : dy;
		steps = -dx > steps ? -dx : steps;
		for (int k = 1; k < steps; k++)
			x->picture[from + (2 * k * dy + steps) / (2 * steps) * x->width +
					   (2 * (k * dx + steps * GAP_LENGTH) + steps) / (2 * steps) - GAP_LENGTH] = 1;
		endings[best].at = -1;
	}
}

bool
skeleton_make(Extraction *x)
{
	for (int y = 0; y < x->height; y++)
	{
		const int16_t *ridges = x->ridges.origin + (ptrdiff_t) y * x->ridges.stride;
		const uint8_t *mask = x->mask + (size_t) (y / BLOCK) * x->columns;
		uint8_t       *out = x->picture + (size_t) y * x->width;
		bool           inside = y >= SKELETON_BORDER && y < x->height - SKELETON_BORDER;

		for (int k = 0; k < x->width; k++)
			out[k] = inside && k >= SKELETON_BORDER && k < x->width - SKELETON_BORDER &&
					 mask[k / BLOCK] && ridges[k] > 0;
	}
	remove_parts(x->picture, x->width, x->height, 1, ISLAND_PIXELS, false, x->stack);
	remove_parts(x->picture, x->width, x->height, 0, PORE_PIXELS, false, x->stack);
	if (!thin(x))
		return false;
	for (int round = 0; round < ROUNDS; round++)
	{
		remove_spurs_and_islands(x);
		thin_again(x);
		if (extraction_stopped(x))
			return false;
		remove_bridges_and_lakes(x);
		thin_again(x);
		if (extraction_stopped(x))
			return false;
	}
	join_gaps(x);
	thin_again(x);
	return true;
}
