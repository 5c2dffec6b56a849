/*
 * extract.c
 *		The way from a picture to a template, its memory and its limits.
 */
#include "extract/extract.h"

#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define WORKING_DPI        500.0
#define WORKING_RESOLUTION 197 /* pixels per centimetre */
#define ALIGNMENT          64

bool
extraction_stopped(const Extraction *x)
{
	return x->interrupted && x->interrupted(x->argument);
}

static int
scaled(int side, double dpi)
{
	double result = side * (WORKING_DPI / dpi) + 0.5;

	return result < EXTRACT_MAX_SCALED_SIDE + 1 ? (int) result : EXTRACT_MAX_SCALED_SIDE + 1;
}

ExtractStatus
extract_check(int width, int height, double dpi, int *scaled_width, int *scaled_height)
{
	if (!(dpi >= EXTRACT_MIN_DPI && dpi <= EXTRACT_MAX_DPI))
		return EXTRACT_BAD_RESOLUTION;
	if (width < EXTRACT_MIN_SIDE || height < EXTRACT_MIN_SIDE)
		return EXTRACT_TOO_SMALL;
	if (width > EXTRACT_MAX_SIDE || height > EXTRACT_MAX_SIDE)
		return EXTRACT_TOO_LARGE;
	*scaled_width = scaled(width, dpi);
	*scaled_height = scaled(height, dpi);
	if (*scaled_width < EXTRACT_MIN_SCALED_SIDE || *scaled_height < EXTRACT_MIN_SCALED_SIDE)
		return EXTRACT_TOO_SMALL;
	if (*scaled_width > EXTRACT_MAX_SCALED_SIDE || *scaled_height > EXTRACT_MAX_SCALED_SIDE)
		return EXTRACT_TOO_LARGE;
	return EXTRACT_OK;
}

/* Hands out the next piece of memory; counts only, when there is none */
static void *
take(char *memory, size_t *used, size_t size)
{
	void *result = memory ? memory + *used : NULL;

	*used += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return result;
}

static void
take_plane(Extraction *x, char *memory, size_t *used, Plane *plane)
{
	size_t   stride = x->width + 2 * MARGIN;
	size_t   size = stride * (x->height + 2 * MARGIN) * sizeof(int16_t);
	int16_t *start = take(memory, used, size);

	plane->stride = (int) stride;
	if (memory)
	{
		memset(start, 0, size);
		plane->origin = start + MARGIN * stride + MARGIN;
	}
}

size_t
extraction_lay_out(Extraction *x, char *memory)
{
	size_t used = 0, pixels, grid, room;

	if (memory)
		memory += (ALIGNMENT - (uintptr_t) memory % ALIGNMENT) % ALIGNMENT;
	x->columns = (x->width + BLOCK - 1) / BLOCK;
	x->rows = (x->height + BLOCK - 1) / BLOCK;
	pixels = (size_t) x->width * x->height;
	grid = (size_t) x->columns * x->rows * sizeof(float);
	x->picture = take(memory, &used, pixels);
	x->stack = take(memory, &used, 2 * pixels * sizeof(int32_t));
	take_plane(x, memory, &used, &x->normal);
	take_plane(x, memory, &used, &x->ridges);
	room = ridges_room();
	room = room < skeleton_room() ? skeleton_room() : room;
	room = room < minutiae_room() ? minutiae_room() : room;
	x->room = take(memory, &used, room);
	x->weight = take(memory, &used, grid);
	x->contrast = take(memory, &used, grid);
	x->cosine = take(memory, &used, grid);
	x->sine = take(memory, &used, grid);
	x->coherence = take(memory, &used, grid);
	x->wavelength = take(memory, &used, grid);
	x->agreement = take(memory, &used, grid);
	x->energy = take(memory, &used, grid);
	x->mask = take(memory, &used, grid / sizeof(float));
	x->marks = take(memory, &used, grid / sizeof(float));

	/* also rows of pixels, which are longer than the grid of a low picture */
	for (int i = 0; i < 6; i++)
		x->scratch[i] = take(memory, &used, grid + (BLOCK + 1) * x->columns * sizeof(float));
	return used + ALIGNMENT;
}

size_t
extract_memory_size(int width, int height, double dpi)
{
	Extraction x = {0};

	if (extract_check(width, height, dpi, &x.width, &x.height) != EXTRACT_OK)
		return 0;
	return extraction_lay_out(&x, NULL);
}

/* To 500 dpi: triangle-weighted means of the pixels around, as wide as a target pixel */
static void
scale_line(const uint8_t *in, int step, int size, double ratio, uint8_t *out, int out_step,
		   int out_size)
{
	double reach = ratio > 1 ? ratio : 1;

	for (int i = 0; i < out_size; i++)
	{
		double centre = (i + 0.5) * ratio - 0.5, sum = 0, weights = 0;
		int    from = (int) (centre - reach + 1), to = (int) (centre + reach);

		from = from < 0 ? 0 : from >= size ? size - 1 : from;
		to = to < from ? from : to >= size ? size - 1 : to;
		for (int k = from; k <= to; k++)
		{
			double away = k < centre ? centre - k : k - centre;
			double weight = away < reach ? reach - away : 1e-9;

			sum += weight * in[(size_t) k * step];
			weights += weight;
		}
		out[(size_t) i * out_step] = (uint8_t) (sum / weights + 0.5);
	}
}

static void
scale(const ExtractImage *image, Extraction *x)
{
	uint8_t *between = (uint8_t *) x->stack;
	double   ratio = image->dpi / WORKING_DPI;

	if (x->width == image->width && x->height == image->height)
	{
		memcpy(x->picture, image->pixels, (size_t) x->width * x->height);
		return;
	}
	for (int y = 0; y < image->height; y++)
		scale_line(image->pixels + (size_t) y * image->width, 1, image->width, ratio,
				   between + (size_t) y * x->width, 1, x->width);
	for (int column = 0; column < x->width; column++)
		scale_line(between + column, x->width, image->height, ratio, x->picture + column, x->width,
				   x->height);
}

ExtractStatus
extract_minutiae(const ExtractImage *image, void *memory, bool (*interrupted)(void *argument),
				 void *argument, uint8_t *enhanced, FingerprintTemplate *result)
{
	Extraction    x = {0};
	ExtractStatus status =
		extract_check(image->width, image->height, image->dpi, &x.width, &x.height);

	if (status != EXTRACT_OK)
		return status;
	x.interrupted = interrupted;
	x.argument = argument;
	extraction_lay_out(&x, memory);
	scale(image, &x);
	if (!ridges_normalise(&x) || !ridges_enhance(&x))
		return EXTRACT_INTERRUPTED;
	ridges_judge(&x);
	if (enhanced)
		for (int y = 0; y < x.height; y++)
			for (int k = 0; k < x.width; k++)
			{
				int ridge = x.ridges.origin[(ptrdiff_t) y * x.ridges.stride + k] * 110 / RIDGE;

				ridge = ridge > 110 ? 110 : ridge < -110 ? -110 : ridge;
				enhanced[(size_t) y * x.width + k] =
					x.mask[y / BLOCK * x.columns + k / BLOCK] ? (uint8_t) (128 - ridge) : 255;
			}
	if (!skeleton_make(&x))
		return EXTRACT_INTERRUPTED;

	memset(result, 0, sizeof(*result));
	result->width = (uint16_t) x.width;
	result->height = (uint16_t) x.height;
	result->x_resolution = WORKING_RESOLUTION;
	result->y_resolution = WORKING_RESOLUTION;
	return minutiae_find(&x, result) ? EXTRACT_OK : EXTRACT_INTERRUPTED;
}
