/*
 * features.c
 *		From a template to features, and back to bits.
 */
#include "match/iris/features.h"

#include <string.h>

#include "match/iris/information.h"

/* see iris_min_common */
#define MIN_COMMON_SHARE 8
#define MIN_COMMON       64

bool
iris_geometry_valid(int64_t columns, int64_t bits)
{
	return columns >= IRIS_MIN_COLUMNS && columns <= IRIS_MAX_COLUMNS && bits >= 1 &&
		   bits <= IRIS_MAX_COLUMN_BITS &&
		   IRIS_FEATURE_CODE(columns, bits) <= IRIS_MAX_FEATURE_CODE;
}

/* ---- layout -------------------------------------------------------------- */

static size_t
features_size(const FeaturesHeader *header)
{
	return IRIS_FEATURES_HEADER + (header->planes + 1) * plane_length(header, header->planes);
}

CodeBytes
features_code(const FeaturesHeader *header, const void *features)
{
	const uint8_t *bytes = (const uint8_t *) features + IRIS_FEATURES_HEADER;
	size_t         length = plane_length(header, header->planes);
	CodeBytes      code = {{bytes, NULL}, bytes + header->planes * length};

	if (header->planes == 2)
		code.plane[1] = bytes + length;
	return code;
}

/* copy columns of packed bits to columns of whole bytes */
static void
align_columns(const uint8_t *packed, uint8_t *aligned, int columns, int bits)
{
	int    column_bytes = IRIS_COLUMN_BYTES(bits);
	size_t from = 0;

	if (bits % 8 == 0)
	{
		memcpy(aligned, packed, (size_t) columns * column_bytes);
		return;
	}
	memset(aligned, 0, (size_t) columns * column_bytes);
	for (int column = 0; column < columns; column++)
	{
		uint8_t *to = aligned + (size_t) column * column_bytes;

		for (int bit = 0; bit < bits; bit++, from++)
			to[bit / 8] |= (uint8_t) (((packed[from / 8] >> (from % 8)) & 1) << (bit % 8));
	}
}

/* the even bits of two bytes */
static inline uint8_t
even_bits(const uint8_t *bytes, int shift)
{
	uint32_t x = ((uint32_t) bytes[0] | (uint32_t) bytes[1] << 8) >> shift;

	x &= 0x5555;
	x = (x | x >> 1) & 0x3333;
	x = (x | x >> 2) & 0x0F0F;
	return (uint8_t) (x | x >> 4);
}

/* and back: the bits of a byte in the even places of two */
static inline uint32_t
spread_bits(uint8_t byte)
{
	uint32_t x = byte;

	x = (x | x << 4) & 0x0F0F;
	x = (x | x << 2) & 0x3333;
	return (x | x << 1) & 0x5555;
}

/* two planes of length bytes as one */
static void
join_planes(const uint8_t *even, const uint8_t *odd, size_t length, uint8_t *joined)
{
	for (size_t i = 0; i < length; i++)
	{
		uint32_t x = spread_bits(even[i]) | spread_bits(odd[i]) << 1;

		joined[2 * i] = (uint8_t) x;
		joined[2 * i + 1] = (uint8_t) (x >> 8);
	}
}

/* whether code and mask can be stored as two planes */
static bool
mask_is_paired(const uint8_t *mask, size_t length, int bits)
{
	uint8_t unpaired = 0;

	for (size_t i = 0; i < length; i++)
		unpaired |= (mask[i] ^ mask[i] >> 1) & 0x55;
	return unpaired == 0 && bits % 16 == 0;
}

CodeBytes
join_features(const FeaturesHeader *header, const CodeBytes *code, uint8_t *bytes)
{
	size_t    length = plane_length(header, 2);
	CodeBytes joined = {{bytes, NULL}, bytes + 2 * length};

	join_planes(code->plane[0], code->plane[1], length, bytes);
	join_planes(code->mask, code->mask, length, bytes + 2 * length);
	return joined;
}

/* ---- evidence ------------------------------------------------------------ */

/* code and usable bits in columns of whole bytes, and the template's weight */
static uint16_t
select_bits(const IrisTemplate *iris, uint8_t *code, uint8_t *mask)
{
	size_t length = IRIS_FEATURE_CODE((size_t) iris->columns, iris->bits);

	align_columns(iris->code, code, iris->columns, iris->bits);
	align_columns(iris->mask, mask, iris->columns, iris->bits);
	exclude_void_parts(iris->columns, IRIS_COLUMN_BYTES(iris->bits), code, mask);
	for (size_t i = 0; i < length; i++)
		code[i] &= mask[i];
	return code_weight(iris->columns, iris->bits, code, mask);
}

/* ones in a mask */
static uint32_t
count_mask(const uint8_t *mask, size_t length)
{
	uint32_t   offset = 0;
	uint8_t    padded[IRIS_MAX_FEATURE_CODE + KERNEL_PADDING];
	CodeBytes  probe = {{padded, NULL}, padded};
	CodeBytes  other = {{mask, NULL}, mask};
	CodeCounts counts;

	/* the mask compared with itself */
	memcpy(padded, mask, length);
	memset(padded + length, 0, KERNEL_PADDING);
	kernel_chosen()->count_codes(&probe, &other, length, 1, &offset, &counts);
	return counts.common;
}

static void
assess_as_given(const IrisTemplate *iris, IrisAssessment *result)
{
	uint8_t  code[IRIS_MAX_FEATURE_CODE];
	uint8_t  mask[IRIS_MAX_FEATURE_CODE];
	uint16_t weight = select_bits(iris, code, mask);

	result->bits = IRIS_CODE_BITS((uint32_t) iris->columns, iris->bits);
	result->mask_bits = count_mask(iris->mask, IRIS_CODE_BYTES((size_t) iris->columns, iris->bits));
	result->informative_bits =
		count_mask(mask, IRIS_FEATURE_CODE((size_t) iris->columns, iris->bits));
	result->usable_bits = (uint32_t) ((uint64_t) result->informative_bits * weight / FULL_WEIGHT);
	result->exchanged = false;
}

void
iris_assess(const IrisTemplate *iris, IrisAssessment *result)
{
	assess_as_given(iris, result);
	if (2 * result->usable_bits < result->mask_bits)
	{
		IrisTemplate   other = *iris;
		IrisAssessment exchanged;

		other.code = iris->mask;
		other.mask = iris->code;
		assess_as_given(&other, &exchanged);
		result->exchanged = 2 * exchanged.usable_bits >= exchanged.mask_bits &&
							exchanged.usable_bits >= iris_min_common(iris->columns, iris->bits) &&
							exchanged.usable_bits > 2 * result->usable_bits;
	}
}

int
iris_quality(const IrisTemplate *iris)
{
	IrisAssessment assessment;

	iris_assess(iris, &assessment);
	if (assessment.usable_bits < iris_min_common(iris->columns, iris->bits))
		return 0;
	return (int) ((200 * assessment.usable_bits + assessment.bits) / (2 * assessment.bits));
}

uint32_t
iris_min_common(int columns, int bits)
{
	uint32_t total = IRIS_CODE_BITS((uint32_t) columns, bits);
	uint32_t least = (total + MIN_COMMON_SHARE - 1) / MIN_COMMON_SHARE;

	if (least < MIN_COMMON)
		least = total < MIN_COMMON ? total : MIN_COMMON;
	return least;
}

/* ---- features ------------------------------------------------------------ */

size_t
iris_extract(const IrisTemplate *iris, void *features)
{
	FeaturesHeader header;
	size_t         length = IRIS_FEATURE_CODE((size_t) iris->columns, iris->bits);
	uint8_t       *bytes = (uint8_t *) features + IRIS_FEATURES_HEADER;
	uint8_t        code[IRIS_MAX_FEATURE_CODE];
	uint8_t        mask[IRIS_MAX_FEATURE_CODE];

	header.columns = iris->columns;
	header.bits = iris->bits;
	header.eye = iris->eye;
	header.weight = select_bits(iris, code, mask);
	header.planes = mask_is_paired(mask, length, iris->bits) ? 2 : 1;
	memcpy(features, &header, sizeof(header));
	if (header.planes == 2)
	{
		for (size_t i = 0; i < length / 2; i++)
		{
			bytes[i] = even_bits(code + 2 * i, 0);
			bytes[length / 2 + i] = even_bits(code + 2 * i, 1);
			bytes[length + i] = even_bits(mask + 2 * i, 0);
		}
	}
	else
	{
		memcpy(bytes, code, length);
		memcpy(bytes + length, mask, length);
	}
	return features_size(&header);
}

bool
iris_features_valid(const void *features, size_t size)
{
	FeaturesHeader header;

	if (size < IRIS_FEATURES_HEADER)
		return false;
	memcpy(&header, features, sizeof(header));
	return iris_geometry_valid(header.columns, header.bits) && header.eye <= IRIS_EYE_LEFT &&
		   (header.planes == 1 || (header.planes == 2 && header.bits % 16 == 0)) &&
		   size == features_size(&header);
}

void
iris_unpack_features(const void *features, IrisBits *bits)
{
	FeaturesHeader header;
	CodeBytes      code;

	memcpy(&header, features, sizeof(header));
	code = features_code(&header, features);
	bits->columns = header.columns;
	bits->bits = header.bits;
	if (header.planes == 2)
	{
		join_planes(code.plane[0], code.plane[1], plane_length(&header, 2), bits->code);
		join_planes(code.mask, code.mask, plane_length(&header, 2), bits->mask);
		return;
	}
	memcpy(bits->code, code.plane[0], plane_length(&header, 1));
	memcpy(bits->mask, code.mask, plane_length(&header, 1));
}
