/*
 * grid.c
 *		Fields on the grid of blocks: blurring, interpolation, masks.
 *
 * Sums run in a fixed order; compilers may work on several columns at a time,
 * which changes no bit.
 */
#include <stdlib.h>
#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define MAX_RADIUS 24 /* of a blur, blocks */

void
grid_blur(const Extraction *x, float *grid, double deviation, float *scratch)
{
	float weight[MAX_RADIUS + 1] = {0};
	int   radius = (int) (3 * deviation + 0.5);
	int   columns = x->columns, rows = x->rows;
	float sum = 0;

	if (radius > MAX_RADIUS)
		radius = MAX_RADIUS;
	for (int k = 0; k <= radius; k++)
	{
		weight[k] = (float) portable_exp(-0.5 * k * k / (deviation * deviation));
		sum += k == 0 ? weight[k] : 2 * weight[k];
	}
	for (int k = 0; k <= radius; k++)
		weight[k] /= sum;

	for (int r = 0; r < rows; r++)
	{
		const float *in = grid + (size_t) r * columns;
		float       *out = scratch + (size_t) r * columns;

		for (int c = 0; c < columns; c++)
			out[c] = weight[0] * in[c];
		for (int k = 1; k <= radius && k < columns; k++)
		{
			for (int c = k; c < columns; c++)
				out[c] += weight[k] * in[c - k];
			for (int c = 0; c < columns - k; c++)
				out[c] += weight[k] * in[c + k];
		}
	}
	for (int r = 0; r < rows; r++)
	{
		const float *in = scratch + (size_t) r * columns;
		float       *out = grid + (size_t) r * columns;

		for (int c = 0; c < columns; c++)
			out[c] = weight[0] * in[c];
		for (int k = 1; k <= radius; k++)
		{
			const float *above = in - (size_t) k * columns;
			const float *below = in + (size_t) k * columns;

			if (r >= k)
				for (int c = 0; c < columns; c++)
					out[c] += weight[k] * above[c];
			if (r + k < rows)
				for (int c = 0; c < columns; c++)
					out[c] += weight[k] * below[c];
		}
	}
}

void
grid_row(const Extraction *x, const float *grid, int y, float *row)
{
	int          columns = x->columns;
	int          eighths = 2 * y - (BLOCK - 1); /* of a block, from the first block's centre */
	int          above = eighths < 0 ? 0 : eighths / 8;
	int          below = above + 1 < x->rows ? above + 1 : above;
	float        share = eighths < 0 ? 0 : (float) (eighths % 8) / 8;
	const float *a = grid + (size_t) above * columns;
	const float *b = grid + (size_t) below * columns;
	float       *line = row + (size_t) columns * BLOCK;

	for (int c = 0; c < columns; c++)
		line[c] = a[c] * (1 - share) + b[c] * share;
	for (int c = 0; c < columns; c++)
	{
		float left = line[c > 0 ? c - 1 : 0], here = line[c],
			  right = line[c + 1 < columns ? c + 1 : c];
		float *out = row + (size_t) c * BLOCK;

		out[0] = left * 0.375f + here * 0.625f;
		out[1] = left * 0.125f + here * 0.875f;
		out[2] = here * 0.875f + right * 0.125f;
		out[3] = here * 0.625f + right * 0.375f;
	}
}

static int
compare_floats(const void *a, const void *b)
{
	float x = *(const float *) a, y = *(const float *) b;

	return (x > y) - (x < y);
}

float
grid_quantile(const float *values, int count, double q, float *scratch)
{
	if (count == 0)
		return 0;
	if (values != scratch)
		memcpy(scratch, values, count * sizeof(float));
	qsort(scratch, count, sizeof(float), compare_floats);
	return scratch[(int) (q * (count - 1))];
}

void
grid_tidy(const Extraction *x, uint8_t *mask, double deviation, int hole)
{
	int    blocks = x->columns * x->rows;
	float *smooth = x->scratch[0];

	for (int i = 0; i < blocks; i++)
		smooth[i] = mask[i];
	grid_blur(x, smooth, deviation, x->scratch[1]);
	for (int i = 0; i < blocks; i++)
		mask[i] = smooth[i] > 0.5f;
	remove_parts(mask, x->columns, x->rows, 0, hole, false, x->stack);
	remove_parts(mask, x->columns, x->rows, 1, 0, true, x->stack);
}

void
remove_parts(uint8_t *plane, int columns, int rows, uint8_t value, int smallest, bool only_largest,
			 int32_t *stack)
{
	int count = columns * rows;
	int queued = 0; /* pixels of the parts that stay so far, part by part */
	int largest_start = 0, largest_end = 0;

	for (int first = 0; first < count; first++)
	{
		int start = queued;

		if (plane[first] != value)
			continue;
		plane[first] = 2;
		stack[queued++] = first;
		for (int next = start; next < queued; next++)
		{
			int i = stack[next], column = i % columns;

			if (column > 0 && plane[i - 1] == value)
				plane[stack[queued++] = i - 1] = 2;
			if (column + 1 < columns && plane[i + 1] == value)
				plane[stack[queued++] = i + 1] = 2;
			if (i >= columns && plane[i - columns] == value)
				plane[stack[queued++] = i - columns] = 2;
			if (i + columns < count && plane[i + columns] == value)
				plane[stack[queued++] = i + columns] = 2;
		}
		if (queued - start < smallest)
		{
			while (queued > start)
				plane[stack[--queued]] = 1 - value;
		}
		else if (queued - start > largest_end - largest_start)
		{
			largest_start = start;
			largest_end = queued;
		}
	}
	for (int next = 0; next < queued; next++)
		plane[stack[next]] =
			only_largest && (next < largest_start || next >= largest_end) ? 1 - value : value;
}
