/*
 * minutiae_record.c
 *		Reader and writers of finger minutiae records.
 *
 * ISO/IEC 19794-2:2005 and ANSI/INCITS 378-2004 differ in the header and in the
 * unit of directions; views, minutiae and extended data are laid out alike.  So
 * there is one reader, and a small description of each format's header.
 */
#include "record/minutiae_record.h"

#include <string.h>

typedef struct RecordLayout
{
	size_t length_offset;  /* of the record length, 0: none */
	size_t length_size;    /* bytes of the record length */
	size_t product_offset; /* of the CBEFF product identifier, 0: none */
	size_t device_offset;  /* the header's fields from here on are alike */
	bool   incits;
} RecordLayout;

/* 8 bytes of magic and version come first in each */
static const RecordLayout iso_layout = {8, 4, 0, 12, false};
static const RecordLayout incits_layout = {8, 2, 10, 14, true};

/* INCITS: a record of 65536 bytes or more has a length of 0, then four bytes */
static const RecordLayout incits_long_layout = {10, 4, 14, 18, true};

/* Fields after the device, relative to device_offset */
#define WIDTH_OFFSET        2
#define HEIGHT_OFFSET       4
#define X_RESOLUTION_OFFSET 6
#define Y_RESOLUTION_OFFSET 8
#define VIEWS_OFFSET        10
#define RESERVED_OFFSET     11
#define AFTER_HEADER        12

#define VIEW_HEADER_SIZE 4
#define MINUTIA_SIZE     6

#define MAX_EDGE 16384 /* coordinates have 14 bits */

#define NO_FINGER 0xFF

static const uint8_t magic[8] = {'F', 'M', 'R', 0, ' ', '2', '0', 0};

typedef struct Reader
{
	const uint8_t *data;
	size_t         size;
	bool           strict;
	RecordError   *error;
} Reader;

static unsigned
get16(const uint8_t *bytes)
{
	return (unsigned) bytes[0] << 8 | bytes[1];
}

static uint32_t
get32(const uint8_t *bytes)
{
	return (uint32_t) get16(bytes) << 16 | get16(bytes + 2);
}

static void
put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t) (value >> 8);
	bytes[1] = (uint8_t) value;
}

static void
put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value & 0xFFFF);
}

uint8_t
angle_from_incits378(uint8_t angle)
{
	return (uint8_t) ((angle * 512 + 180) / 360);
}

uint8_t
angle_to_incits378(uint8_t angle)
{
	return (uint8_t) ((angle * 360 + 256) / 512 % 180);
}

static bool
fail(Reader *reader, size_t offset, const char *field, const char *problem)
{
	reader->error->offset = offset;
	reader->error->field = field;
	reader->error->problem = problem;
	return false;
}

/* the layout that the first bytes speak for, NULL if they are no record */
static const RecordLayout *
guess_layout(const uint8_t *data, size_t size)
{
	if (size < sizeof(magic) + 4)
		return NULL;

	/* the high half of ISO's length stands where INCITS has all of its own */
	if (get16(data + 8) >= 26)
		return &incits_layout;
	if (get16(data + 8) > 0 || get16(data + 10) >= 24)
		return &iso_layout;
	return &incits_long_layout;
}

/* impression types of the standards' tables */
static bool
known_impression(const RecordLayout *layout, uint8_t impression)
{
	return impression <= 3 || impression == 8 || (layout->incits && impression == 9);
}

static bool
read_minutia(Reader *reader, const RecordLayout *layout, size_t offset,
			 const FingerprintTemplate *finger, Minutia *result)
{
	const uint8_t *bytes = reader->data + offset;
	uint8_t        type = bytes[0] >> 6;
	unsigned       x = get16(bytes) & 0x3FFF;
	unsigned       y = get16(bytes + 2) & 0x3FFF;
	uint8_t        angle = bytes[4];
	uint8_t        quality = bytes[5];

	if (type > MINUTIA_BIFURCATION)
		return fail(reader, offset, "minutia type", "is not one the standard knows");
	if (x >= finger->width)
		return fail(reader, offset, "minutia x", "lies outside the image");
	if (y >= finger->height)
		return fail(reader, offset + 2, "minutia y", "lies outside the image");
	if (layout->incits)
	{
		if (angle > 179)
			return fail(reader, offset + 4, "minutia angle", "is above 179");
		angle = angle_from_incits378(angle);
	}
	if (reader->strict && (bytes[2] & 0xC0) != 0)
		return fail(reader, offset + 2, "reserved bits of a minutia", "are not zero");
	if (quality > 100)
	{
		if (reader->strict)
			return fail(reader, offset + 5, "minutia quality", "is above 100");
		quality = 0;
	}
	result->x = (uint16_t) x;
	result->y = (uint16_t) y;
	result->type = type;
	result->angle = angle;
	result->quality = quality;
	return true;
}

/*
 * Strict: the items of extended data fill their block.  Whether the length of
 * an item includes its own four bytes is read in both ways in the field, so a
 * chain that fits in either is sound.
 */
static bool
items_fit(const uint8_t *items, size_t size, size_t uncounted)
{
	while (size > 0)
	{
		size_t length;

		if (size < 4)
			return false;
		length = get16(items + 2) + uncounted;
		if (length < 4 || length > size)
			return false;
		items += length;
		size -= length;
	}
	return true;
}

/* steps over extended data; *offset moves from its start to what follows */
static bool
skip_extended(Reader *reader, const RecordLayout *layout, size_t *offset, bool last,
			  bool length_right)
{
	size_t start = *offset;
	size_t length, left;

	if (reader->size - start < 2)
		return fail(reader, start, "extended data block length", "is cut off");
	length = get16(reader->data + start);
	start += 2;
	left = reader->size - start;

	if (!reader->strict && last && length_right && length > 0 && length != left &&
		length <= left + RECORD_EXTENDED_SLACK && left <= length + RECORD_EXTENDED_SLACK)
		length = left;
	if (length > left)
		return fail(reader, start - 2, "extended data block length", "exceeds the record");
	if (reader->strict && !items_fit(reader->data + start, length, 0) &&
		(layout->incits || !items_fit(reader->data + start, length, 4)))
		return fail(reader, start, "extended data", "consists of items that do not fit together");
	*offset = start + length;
	return true;
}

/* one view; *offset moves from its start to what follows */
static bool
read_view(Reader *reader, const RecordLayout *layout, size_t *offset, FingerprintTemplate *finger)
{
	const uint8_t *header = reader->data + *offset;
	size_t         start = *offset;

	if (reader->size - start < VIEW_HEADER_SIZE)
		return fail(reader, start, "finger view", "is cut off");
	finger->position = header[0];
	finger->view = header[1] >> 4;
	finger->impression = header[1] & 0x0F;
	finger->quality = header[2];
	finger->count = header[3];
	if (finger->position > FINGERPRINT_MAX_POSITION)
		return fail(reader, start, "finger position", "is above 10");
	if (reader->strict && !known_impression(layout, finger->impression))
		return fail(reader, start + 1, "impression type", "is not one the standard lists");
	if (finger->quality > 100)
	{
		if (reader->strict)
			return fail(reader, start + 2, "finger quality", "is above 100");
		finger->quality = 0;
	}
	start += VIEW_HEADER_SIZE;
	if ((reader->size - start) / MINUTIA_SIZE < finger->count)
		return fail(reader, start - 1, "number of minutiae", "exceeds the bytes of the record");
	for (int i = 0; i < finger->count; i++)
	{
		if (!read_minutia(reader, layout, start, finger, &finger->minutiae[i]))
			return false;
		start += MINUTIA_SIZE;
	}
	*offset = start;
	return true;
}

static bool
read_header(Reader *reader, const RecordLayout *layout, FingerprintTemplate *finger)
{
	const uint8_t *header = reader->data + layout->device_offset;
	size_t         offset = layout->device_offset;

	if (reader->size < offset + AFTER_HEADER)
		return fail(reader, reader->size, "record header", "is cut off");
	finger->device = (uint16_t) get16(header);
	finger->width = (uint16_t) get16(header + WIDTH_OFFSET);
	finger->height = (uint16_t) get16(header + HEIGHT_OFFSET);
	finger->x_resolution = (uint16_t) get16(header + X_RESOLUTION_OFFSET);
	finger->y_resolution = (uint16_t) get16(header + Y_RESOLUTION_OFFSET);
	if (finger->width == 0 || finger->width > MAX_EDGE)
		return fail(reader, offset + WIDTH_OFFSET, "image width", "is not between 1 and 16384");
	if (finger->height == 0 || finger->height > MAX_EDGE)
		return fail(reader, offset + HEIGHT_OFFSET, "image height", "is not between 1 and 16384");
	if (finger->x_resolution == 0)
		return fail(reader, offset + X_RESOLUTION_OFFSET, "horizontal resolution", "is zero");
	if (finger->y_resolution == 0)
		return fail(reader, offset + Y_RESOLUTION_OFFSET, "vertical resolution", "is zero");
	if (header[VIEWS_OFFSET] == 0)
		return fail(reader, offset + VIEWS_OFFSET, "number of finger views", "is zero");
	if (!reader->strict)
		return true;
	if (header[RESERVED_OFFSET] != 0)
		return fail(reader, offset + RESERVED_OFFSET, "reserved byte of the header", "is not zero");
	if (layout->product_offset != 0 && get16(reader->data + layout->product_offset) == 0)
		return fail(reader, layout->product_offset, "CBEFF product owner", "is zero");
	return true;
}

static int
read_record(Reader *reader, const RecordLayout *layout, int wanted, FingerprintTemplate *result)
{
	FingerprintTemplate finger;
	int                 next_view[FINGERPRINT_MAX_POSITION + 1] = {0};
	size_t              offset = layout->device_offset + AFTER_HEADER;
	uint32_t            length;
	int                 views;

	memset(&finger, 0, sizeof(finger));
	if (!read_header(reader, layout, &finger))
		return -1;
	length = layout->length_size == 2 ? get16(reader->data + layout->length_offset)
									  : get32(reader->data + layout->length_offset);
	if (reader->strict && length != reader->size)
	{
		fail(reader, layout->length_offset, "record length", "differs from the number of bytes");
		return -1;
	}

	views = reader->data[layout->device_offset + VIEWS_OFFSET];
	for (int i = 0; i < views; i++)
	{
		size_t start = offset;

		if (!read_view(reader, layout, &offset, &finger))
			return -1;
		if (reader->strict && finger.view != next_view[finger.position]++)
		{
			fail(reader, start + 1, "view number", "is out of order");
			return -1;
		}
		if (!skip_extended(reader, layout, &offset, i == views - 1, length == reader->size))
			return -1;
		if (i == wanted && result != NULL)
			*result = finger;
	}
	if (offset != reader->size)
	{
		fail(reader, offset, "record", "has bytes after its last finger view");
		return -1;
	}
	return views;
}

int
minutiae_record_read(const uint8_t *data, size_t size, bool strict, int wanted,
					 FingerprintTemplate *result, RecordError *error)
{
	Reader              reader = {data, size, strict, error};
	const RecordLayout *layout;
	RecordError         ignored;
	int                 views;

	if (size < sizeof(magic) || memcmp(data, magic, 4) != 0)
	{
		fail(&reader, 0, "format identifier", "is not that of a finger minutiae record");
		return -1;
	}
	if (memcmp(data, magic, sizeof(magic)) != 0)
	{
		fail(&reader, 4, "version number", "is not one that can be read");
		return -1;
	}
	layout = guess_layout(data, size);
	if (layout == NULL)
	{
		fail(&reader, size, "record header", "is cut off");
		return -1;
	}
	views = read_record(&reader, layout, wanted, result);
	if (views >= 0 || strict)
		return views;

	/*
	 * The two standards differ only in their record length: with a wrong
	 * length one looks like the other.  All else is checked, so a record that
	 * is sound in the other layout is meant so.
	 */
	reader.error = &ignored;
	return read_record(&reader, layout->incits ? &iso_layout : &incits_layout, wanted, result);
}

/* a view without extended data; returns its size */
static size_t
write_view(const FingerprintTemplate *finger, bool incits, uint8_t *bytes)
{
	uint8_t *next = bytes + VIEW_HEADER_SIZE;

	bytes[0] = finger->position;
	bytes[1] = (uint8_t) (finger->view << 4 | (finger->impression & 0x0F));
	bytes[2] = finger->quality;
	bytes[3] = finger->count;
	for (int i = 0; i < finger->count; i++, next += MINUTIA_SIZE)
	{
		const Minutia *minutia = &finger->minutiae[i];

		put16(next, (unsigned) minutia->type << 14 | minutia->x);
		put16(next + 2, minutia->y);
		next[4] = incits ? angle_to_incits378(minutia->angle) : minutia->angle;
		next[5] = minutia->quality;
	}
	put16(next, 0);
	return (size_t) (next + 2 - bytes);
}

/* a record of one view in a layout; returns its size */
static size_t
write_record(const FingerprintTemplate *finger, const RecordLayout *layout, uint32_t cbeff_product,
			 uint8_t *record)
{
	uint8_t *header = record + layout->device_offset;
	size_t   size = layout->device_offset + AFTER_HEADER;

	memcpy(record, magic, sizeof(magic));
	put16(header, finger->device);
	put16(header + WIDTH_OFFSET, finger->width);
	put16(header + HEIGHT_OFFSET, finger->height);
	put16(header + X_RESOLUTION_OFFSET, finger->x_resolution);
	put16(header + Y_RESOLUTION_OFFSET, finger->y_resolution);
	header[VIEWS_OFFSET] = 1;
	header[RESERVED_OFFSET] = 0;
	size += write_view(finger, layout->incits, record + size);
	if (layout->product_offset != 0)
		put32(record + layout->product_offset, cbeff_product);
	if (layout->length_size == 2)
		put16(record + layout->length_offset, (unsigned) size);
	else
		put32(record + layout->length_offset, (uint32_t) size);
	return size;
}

size_t
iso19794_2_write(const FingerprintTemplate *finger, uint8_t *record)
{
	return write_record(finger, &iso_layout, 0, record);
}

size_t
incits378_write(const FingerprintTemplate *finger, uint32_t cbeff_product, uint8_t *record)
{
	return write_record(finger, &incits_layout, cbeff_product, record);
}
