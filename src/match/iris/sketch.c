/*
 * sketch.c
 *		Making and checking sketches, and their caps.
 */
#include "match/iris/sketch.h"

#include <string.h>

/* pairs less alike have at least this distance */
typedef struct Cap
{
	double   distance;
	uint32_t alikeness;
} Cap;

/* distances fall, alikenesses rise */
#include "match/iris/caps.h"

#define CAPS ((int) (sizeof(caps) / sizeof(caps[0])))

/* ---- caps ---------------------------------------------------------------- */

double
sketch_cap(uint32_t alikeness)
{
	for (int i = 0; i < CAPS; i++)
	{
		if (alikeness < caps[i].alikeness)
			return caps[i].distance;
	}
	return 0;
}

uint32_t
sketch_least(double limit)
{
	uint32_t least = 0;

	for (int i = 0; i < CAPS && caps[i].distance > limit; i++)
		least = caps[i].alikeness;
	return least;
}

double
sketch_largest_cap(void)
{
	return caps[0].distance;
}

/* ---- samples ------------------------------------------------------------- */

static int
sampled_column(const FeaturesHeader *header, int i)
{
	return i * header->columns / SKETCH_COLUMNS;
}

/* bit k of the 8 of a column; its phase is k % 2 */
static int
sampled_bit(const FeaturesHeader *header, int k)
{
	return 2 * (k / 2 * (header->bits / 2) / 4) + k % 2;
}

/* a column's 8 bits of code and of mask */
static void
sample_column(const FeaturesHeader *header, const CodeBytes *code, int column, uint8_t *code_byte,
			  uint8_t *mask_byte)
{
	int    planes = code->plane[1] == NULL ? 1 : 2;
	size_t start = (size_t) column * IRIS_COLUMN_BYTES(header->bits / planes);

	*code_byte = *mask_byte = 0;
	for (int k = 0; k < 8; k++)
	{
		int            bit = sampled_bit(header, k);
		const uint8_t *plane = code->plane[planes == 2 ? bit % 2 : 0] + start;

		bit /= planes;
		*code_byte |= (uint8_t) ((plane[bit / 8] >> bit % 8 & 1) << k);
		*mask_byte |= (uint8_t) ((code->mask[start + bit / 8] >> bit % 8 & 1) << k);
	}
}

void
sample_pattern(const FeaturesHeader *header, int planes, uint8_t *pattern)
{
	size_t column_bytes = IRIS_COLUMN_BYTES(header->bits / planes);

	memset(pattern, 0, header->columns * column_bytes);
	for (int i = 0; i < SKETCH_COLUMNS; i++)
		for (int k = 0; k < 8; k++)
		{
			int bit = sampled_bit(header, k) / planes;

			pattern[sampled_column(header, i) * column_bytes + bit / 8] |= (uint8_t) (1 << bit % 8);
		}
}

void
turn_sample(const FeaturesHeader *header, const CodeBytes *code, int first, int rotations,
			TurnedSamples *turned)
{
	int lanes = (rotations + SAMPLE_LANES - 1) / SAMPLE_LANES * SAMPLE_LANES;

	turned->rotations = rotations;
	for (int lane = 0; lane < lanes; lane++)
	{
		int     turn = first + (lane < rotations ? lane : rotations - 1) + header->columns;
		uint8_t bytes[2][SKETCH_BYTES];

		for (int i = 0; i < SKETCH_COLUMNS; i++)
			sample_column(header, code, (sampled_column(header, i) + turn) % header->columns,
						  &bytes[0][i], &bytes[1][i]);
		for (int w = 0; w < SKETCH_WORDS; w++)
		{
			memcpy(&turned->code[w][lane], bytes[0] + 8 * w, 8);
			memcpy(&turned->mask[w][lane], bytes[1] + 8 * w, 8);
		}
	}
}

/* ---- sketches ------------------------------------------------------------ */

size_t
iris_sketch(const void *features, void *sketch)
{
	FeaturesHeader header;
	SketchHeader   sketch_header;
	CodeBytes      code;
	uint8_t       *bytes = (uint8_t *) sketch + sizeof(SketchHeader);

	memcpy(&header, features, sizeof(header));
	sketch_header.columns = header.columns;
	sketch_header.bits = header.bits;
	sketch_header.eye = header.eye;
	memcpy(sketch, &sketch_header, sizeof(sketch_header));
	if (!has_sample(header.columns, header.bits))
		return sizeof(SketchHeader);
	code = features_code(&header, features);
	for (int i = 0; i < SKETCH_COLUMNS; i++)
		sample_column(&header, &code, sampled_column(&header, i), &bytes[i],
					  &bytes[SKETCH_BYTES + i]);
	return IRIS_SKETCH_MAX_SIZE;
}

bool
iris_sketch_valid(const void *sketch, size_t size)
{
	SketchHeader header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, sketch, sizeof(header));
	return iris_geometry_valid(header.columns, header.bits) && header.eye <= IRIS_EYE_LEFT &&
		   size == (has_sample(header.columns, header.bits) ? IRIS_SKETCH_MAX_SIZE
															: sizeof(SketchHeader));
}
