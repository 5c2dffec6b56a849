/*
 * card.c
 *		The formats in which cards compare minutiae.
 */
#include "record/card.h"

#include <string.h>

#include "record/tagged.h"

#define TAG_DATA_OBJECT 0x7F2E
#define TAG_MINUTIAE    0x81

static const struct
{
	size_t   size;       /* of a minutia */
	unsigned resolution; /* pixels per centimetre */
	int      max;        /* largest coordinate */
} formats[] = {
	[CARD_NORMAL] = {5, 1000, 0x3FFF},
	[CARD_COMPACT] = {3, 100, 0xFF},
};

/* the minutiae inside a data object, if the data is one */
static void
unwrap(const uint8_t **data, size_t *size)
{
	Tagged object, minutiae;
	size_t offset = 0;

	if (tagged_next(*data, *size, &offset, &object) && offset == *size &&
		object.tag == TAG_DATA_OBJECT &&
		tagged_find(object.data, object.size, TAG_MINUTIAE, &minutiae))
	{
		*data = minutiae.data;
		*size = minutiae.size;
	}
}

bool
card_read(const uint8_t *data, size_t size, CardFormat format, FingerprintTemplate *result,
		  RecordError *error)
{
	size_t         step = formats[format].size;
	const uint8_t *start = data;

	unwrap(&data, &size);
	memset(result, 0, sizeof(*result));
	result->impression = IMPRESSION_UNKNOWN;
	result->x_resolution = (uint16_t) formats[format].resolution;
	result->y_resolution = result->x_resolution;
	result->width = 1;
	result->height = 1;
	if (size == 0 || size % step != 0)
		return record_fail(error, (size_t) (data - start), "length of the minutiae",
						   format == CARD_NORMAL ? "is not a multiple of 5"
												 : "is not a multiple of 3");
	if (size / step > FINGERPRINT_MAX_MINUTIAE)
		return record_fail(error, (size_t) (data - start), "number of minutiae", "is above 255");
	for (const uint8_t *end = data + size; data < end; data += step)
	{
		Minutia *minutia = &result->minutiae[result->count++];

		if (format == CARD_NORMAL)
		{
			minutia->type = data[0] >> 6;
			minutia->x = (uint16_t) (get16(data) & 0x3FFF);
			minutia->y = (uint16_t) (get16(data + 2) & 0x3FFF);
			minutia->angle = data[4];
		}
		else
		{
			minutia->type = data[2] >> 6;
			minutia->x = data[0];
			minutia->y = data[1];
			minutia->angle = (uint8_t) (data[2] << 2);
		}
		if (minutia->type > MINUTIA_BIFURCATION)
			return record_fail(error, (size_t) (data - start), "minutia type",
							   "is not one the standard knows");
		if (minutia->x >= result->width)
			result->width = minutia->x + 1;
		if (minutia->y >= result->height)
			result->height = minutia->y + 1;
	}
	return true;
}

static int
rescale(int pixels, int from, unsigned to)
{
	return (int) (((long) pixels * to + from / 2) / from);
}

bool
card_write(const FingerprintTemplate *finger, CardFormat format, uint8_t data[CARD_MAX_SIZE],
		   size_t *size)
{
	int x[FINGERPRINT_MAX_MINUTIAE], y[FINGERPRINT_MAX_MINUTIAE];
	int left = INT32_MAX, right = 0, top = INT32_MAX, bottom = 0;

	for (int i = 0; i < finger->count; i++)
	{
		x[i] = rescale(finger->minutiae[i].x, finger->x_resolution, formats[format].resolution);
		y[i] = rescale(finger->minutiae[i].y, finger->y_resolution, formats[format].resolution);
		left = x[i] < left ? x[i] : left;
		right = x[i] > right ? x[i] : right;
		top = y[i] < top ? y[i] : top;
		bottom = y[i] > bottom ? y[i] : bottom;
	}
	if (right <= formats[format].max)
		left = 0;
	if (bottom <= formats[format].max)
		top = 0;
	if (finger->count > 0 &&
		(right - left > formats[format].max || bottom - top > formats[format].max))
		return false;
	*size = finger->count * formats[format].size;
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];

		if (format == CARD_NORMAL)
		{
			put16(data, (unsigned) minutia->type << 14 | (unsigned) (x[i] - left));
			put16(data + 2, (unsigned) (y[i] - top));
			data[4] = minutia->angle;
		}
		else
		{
			data[0] = (uint8_t) (x[i] - left);
			data[1] = (uint8_t) (y[i] - top);
			data[2] = (uint8_t) (minutia->type << 6 | (((minutia->angle + 2) >> 2) & 0x3F));
		}
		data += formats[format].size;
	}
	return true;
}
