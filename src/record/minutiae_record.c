/*
 * minutiae_record.c
 *		Reader and writer of finger minutiae records.
 *
 * The six formats differ in the header, in what precedes the minutiae of a view
 * and in the unit of directions.  So there is one reader, and a small
 * description of each format.
 *
 * Two of them have one version number, and two pairs cannot be told apart by
 * theirs.  So the frame decides: the views, one after the other, must end where
 * the bytes end.
 */
#include "record/minutiae_record.h"

#include <string.h>

/* What precedes the minutiae of a view */
typedef enum ViewHeader
{
	VIEW_2004,     /* 4 bytes; size and resolution are in the record's header */
	VIEW_2009,     /* 17 bytes */
	REPRESENTATION /* ISO 2011: begins with its length and has quality blocks */
} ViewHeader;

/* Offsets of fields in the header; 0: it has none */
typedef struct RecordLayout
{
	const char *name;
	char        version[4];
	uint8_t     length; /* of the record */
	uint8_t     length_size;
	uint8_t     product; /* CBEFF product identifier, 4 bytes */
	uint8_t     device;
	uint8_t     image; /* width, height, horizontal and vertical resolution */
	uint8_t     views;
	uint8_t     views_size;
	uint8_t     certified;
	uint8_t     reserved;
	uint8_t     header_size;
	ViewHeader  view;
	bool        incits;
} RecordLayout;

static const RecordLayout layouts[MINUTIAE_FORMATS] = {
	[ISO19794_2_2005] =
		{
			.name = "ISO/IEC 19794-2:2005",
			.version = {' ', '2', '0', 0},
			.length = 8,
			.length_size = 4,
			.device = 12,
			.image = 14,
			.views = 22,
			.views_size = 1,
			.reserved = 23,
			.header_size = 24,
			.view = VIEW_2004,
		},
	[ISO19794_2_2011] =
		{
			.name = "ISO/IEC 19794-2:2011",
			.version = {'0', '3', '0', 0},
			.length = 8,
			.length_size = 4,
			.views = 12,
			.views_size = 2,
			.certified = 14,
			.header_size = 15,
			.view = REPRESENTATION,
		},
	[INCITS378_2004] =
		{
			.name = "ANSI/INCITS 378-2004",
			.version = {' ', '2', '0', 0},
			.length = 8,
			.length_size = 2,
			.product = 10,
			.device = 14,
			.image = 16,
			.views = 24,
			.views_size = 1,
			.reserved = 25,
			.header_size = 26,
			.view = VIEW_2004,
			.incits = true,
		},
	[INCITS378_2007] =
		{
			.name = "the M1 draft of 2007 of ANSI/INCITS 378",
			.version = {'0', '3', '0', 0},
			.length = 8,
			.length_size = 4,
			.product = 12,
			.device = 16,
			.views = 18,
			.views_size = 1,
			.reserved = 19,
			.header_size = 20,
			.view = VIEW_2009,
			.incits = true,
		},
	[INCITS378_2009] =
		{
			.name = "ANSI/INCITS 378-2009",
			.version = {'0', '3', '0', 0},
			.length = 8,
			.length_size = 4,
			.product = 12,
			.device = 17,
			.views = 19,
			.views_size = 1,
			.reserved = 20,
			.header_size = 21,
			.view = VIEW_2009,
			.incits = true,
		},
	[INCITS378_2010] =
		{
			.name = "ANSI/INCITS 378-2009 with amendment 1",
			.version = {'0', '3', '5', 0},
			.length = 8,
			.length_size = 4,
			.product = 12,
			.device = 17,
			.views = 19,
			.views_size = 1,
			.reserved = 20,
			.header_size = 21,
			.view = VIEW_2009,
			.incits = true,
		},
};

/* INCITS 2004: a record of 65536 bytes or more has a length of 0, then four bytes */
static const RecordLayout incits_long_layout = {"ANSI/INCITS 378-2004",
												{' ', '2', '0', 0},
												10,
												4,
												14,
												18,
												20,
												28,
												1,
												0,
												29,
												30,
												VIEW_2004,
												true};

#define MAGIC_SIZE   4
#define VERSION_SIZE 4
static const uint8_t magic[MAGIC_SIZE] = {'F', 'M', 'R', 0};

#define VIEW_2004_SIZE      4
#define VIEW_2009_SIZE      17
#define MIN_REPRESENTATION  34
#define QUALITY_BLOCK_SIZE  5
#define CERTIFICATION_SIZE  3
#define REPRESENTATION_TAIL 13 /* from the finger position to the number of minutiae */
#define MINUTIA_SIZE        6

/* ISO 2005 and INCITS 2004: 4 bits of compliance, 12 of the device */
#define DEVICE_MASK    0x0FFF
#define APPENDIX_F_BIT 0x8000

/* 2009 and 2011: not reported, and could not be computed */
#define QUALITY_NOT_REPORTED 254
#define QUALITY_FAILED       255

typedef struct Reader
{
	const uint8_t      *data;
	size_t              size;
	bool                strict;
	const RecordLayout *layout;
	uint32_t            length; /* as the record says */
	size_t              end;    /* before zeroes that fill a buffer */
	int                 views;  /* as the record says */
	RecordError        *error;
} Reader;

/* Where the parts of a view are */
typedef struct ViewFrame
{
	size_t start;
	size_t fields; /* finger position and what follows; the start but in ISO 2011 */
	size_t minutiae;
	size_t minutia_size;
	int    count;
	size_t extended;
	size_t extended_size;
	size_t end;   /* where the next view starts */
	bool   sound; /* false: the view is damaged, but its end is known */
} ViewFrame;

const char *
minutiae_format_name(MinutiaeFormat format)
{
	return format < MINUTIAE_FORMATS ? layouts[format].name : NULL;
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
	return record_fail(reader->error, offset, field, problem);
}

/* ---- codes ---------------------------------------------------------------- */

/*
 * The impression type of a record as ISO/IEC 19794-2:2005 has it in four bits,
 * and whether the format lists it.  2009 and 2011 tell more kinds apart.
 */
static uint8_t
read_impression(const RecordLayout *layout, uint8_t code, bool *listed)
{
	if (layout->view == VIEW_2004)
	{
		*listed = code <= 3 || code == 8 || (layout->incits && code == IMPRESSION_CONTACTLESS);
		return code;
	}
	if (layout->incits)
		*listed = code <= 3 || code == 8 || code == 10 || code == 11 || (code >= 20 && code <= 29);
	else
		*listed = code <= 9 || code == 24 || code == 28 || code == 29;
	if (code <= 8)
		return code;
	if (code == 9)
		return layout->incits ? IMPRESSION_CONTACTLESS : IMPRESSION_LIVE_ROLLED;
	if (code >= 20 && code <= 23)
		return code % 2; /* plain, rolled */
	return code >= 24 && code <= 27 ? IMPRESSION_CONTACTLESS : IMPRESSION_UNKNOWN;
}

static uint8_t
write_impression(const RecordLayout *layout, uint8_t impression)
{
	if (layout->view == VIEW_2004 || impression <= 8)
		return impression;
	return impression == IMPRESSION_CONTACTLESS ? 24 : 29;
}

/*
 * A quality as ISO/IEC 19794-2:2005 has it: 1 to 100, 0 is not reported.  In
 * 2009 and 2011 0 is the worst, and becomes 1.
 */
static bool
read_quality(Reader *reader, size_t offset, const char *field, uint8_t *quality)
{
	bool unreported = reader->layout->view != VIEW_2004;

	*quality = reader->data[offset];
	if (*quality <= 100)
	{
		if (unreported && *quality == 0)
			*quality = 1;
		return true;
	}
	if (reader->strict && !(unreported && *quality >= QUALITY_NOT_REPORTED))
		return fail(reader, offset, field,
					unreported ? "is none of 0 to 100, 254 and 255" : "is above 100");
	*quality = 0;
	return true;
}

static uint8_t
write_quality(const RecordLayout *layout, uint8_t quality)
{
	return quality == 0 && layout->view != VIEW_2004 ? QUALITY_NOT_REPORTED : quality;
}

/* ---- frame ---------------------------------------------------------------- */

/*
 * Finds the extended data after the minutiae.  Leniently the last view's may
 * end beside the end of the record.
 */
static bool
frame_extended(Reader *reader, size_t limit, bool last, ViewFrame *frame)
{
	size_t start = frame->extended;
	size_t length;

	if (limit - start < 2)
		return fail(reader, start, "extended data block length", "is cut off");
	length = get16(reader->data + start);
	start += 2;

	if (!reader->strict && last && reader->length == reader->end && length > 0 &&
		start <= reader->end && length != limit - start)
	{
		size_t left = reader->end - start;

		if (length <= left + RECORD_EXTENDED_SLACK && left <= length + RECORD_EXTENDED_SLACK)
			length = left;
	}
	if (length > limit - start)
		return fail(reader, start - 2, "extended data block length", "exceeds the record");
	frame->extended = start;
	frame->extended_size = length;
	frame->end = start + length;
	return true;
}

/* finds the parts of the view that starts at frame->start and ends at or before limit */
static bool
frame_view(Reader *reader, size_t limit, bool last, ViewFrame *frame)
{
	const uint8_t *data = reader->data;
	size_t         next = frame->start;

	frame->minutia_size = MINUTIA_SIZE;
	if (reader->layout->view == REPRESENTATION)
	{
		/* the caller saw to it that there are MIN_REPRESENTATION bytes */
		next += 18;
		next += 1 + (size_t) data[next] * QUALITY_BLOCK_SIZE;
		if (data[reader->layout->certified] != 0)
		{
			if (next >= limit)
				return fail(reader, frame->start + 18, "number of quality blocks",
							"exceeds the representation");
			next += 1 + (size_t) data[next] * CERTIFICATION_SIZE;
		}
		frame->fields = next;
		next += REPRESENTATION_TAIL;
		if (next > limit)
			return fail(reader, frame->start + 18, "number of quality or certification blocks",
						"exceeds the representation");
		frame->minutia_size = data[next - 2] >> 4;
		if (frame->minutia_size != 5 && frame->minutia_size != 6)
			return fail(reader, next - 2, "minutia field length", "is neither 5 nor 6");
	}
	else
	{
		frame->fields = next;
		next += reader->layout->view == VIEW_2004 ? VIEW_2004_SIZE : VIEW_2009_SIZE;
		if (next > limit)
			return fail(reader, frame->start, "finger view", "is cut off");
	}
	frame->count = data[next - 1];
	frame->minutiae = next;
	if ((limit - next) / frame->minutia_size < (size_t) frame->count)
		return fail(reader, next - 1, "number of minutiae", "exceeds the bytes of the record");
	frame->extended = next + frame->count * frame->minutia_size;
	return frame_extended(reader, limit, last, frame);
}

/*
 * Steps from the end of the frame to the next view.  False if the record gives
 * no way to the view after that.
 */
static bool
next_view(Reader *reader, bool last, ViewFrame *frame)
{
	size_t   left = reader->size - frame->end;
	uint32_t length;

	frame->start = frame->end;
	if (reader->layout->view != REPRESENTATION)
	{
		frame->sound = frame_view(reader, reader->size, last, frame);
		return frame->sound;
	}

	if (left < MIN_REPRESENTATION)
		return fail(reader, frame->start, "representation", "is cut off");
	length = get32(reader->data + frame->start);
	if (length < MIN_REPRESENTATION || length > left)
		return fail(reader, frame->start, "representation length",
					"is less than a representation has, or exceeds the record");
	frame->sound = frame_view(reader, frame->start + length, false, frame);
	if (frame->sound && frame->end != frame->start + length)
		frame->sound = fail(reader, frame->start, "representation length",
							"differs from that of its contents");
	frame->end = frame->start + length;
	return true;
}

/* chooses a layout: its lengths and counts are read, nothing is checked but that they are there */
static bool
begin(Reader *reader, const RecordLayout *layout)
{
	const uint8_t *data = reader->data;

	reader->layout = layout;
	if (reader->size < layout->header_size)
		return fail(reader, reader->size, "record header", "is cut off");
	reader->length =
		layout->length_size == 2 ? get16(data + layout->length) : get32(data + layout->length);
	reader->views = layout->views_size == 2 ? get16(data + layout->views) : data[layout->views];
	reader->end = reader->size;
	if (!reader->strict && reader->length >= layout->header_size && reader->length < reader->size)
	{
		size_t zeroes = reader->length;

		while (zeroes < reader->size && data[zeroes] == 0)
			zeroes++;
		if (zeroes == reader->size)
			reader->end = reader->length;
	}
	return true;
}

/* whether the views end where the record ends */
static bool
check_frame(Reader *reader)
{
	ViewFrame frame = {.end = reader->layout->header_size};

	if (reader->views == 0)
		return fail(reader, reader->layout->views, "number of finger views", "is zero");
	for (int i = 0; i < reader->views; i++)
	{
		if (!next_view(reader, i == reader->views - 1, &frame))
			return false;
	}
	if (frame.end != reader->size && frame.end != reader->end)
		return fail(reader, frame.end, "record", "has bytes after its last finger view");
	return true;
}

/*
 * Chooses the layout with a frame that fits.  If none fits, chooses by the
 * record length; *error is what is wrong with that frame.
 */
static bool
choose_layout(Reader *reader, MinutiaeFormat *format)
{
	const uint8_t      *version = reader->data + MAGIC_SIZE;
	const RecordLayout *candidates[3];
	int                 count = 0;
	RecordError        *error = reader->error;
	RecordError         ignored;

	if (memcmp(version, layouts[ISO19794_2_2005].version, VERSION_SIZE) == 0)
	{
		const RecordLayout *iso = &layouts[ISO19794_2_2005];
		const RecordLayout *incits = &layouts[INCITS378_2004];
		const uint8_t      *length = reader->data + iso->length;

		if (reader->size < (size_t) iso->length + 4)
			return fail(reader, reader->size, "record header", "is cut off");
		/* the high half of ISO's length stands where INCITS has all of its own */
		if (get16(length) == 0 && get16(length + 2) < iso->header_size)
			incits = &incits_long_layout;
		candidates[count++] =
			get16(length) >= incits->header_size || incits == &incits_long_layout ? incits : iso;
		candidates[count++] = candidates[0] == iso ? incits : iso;
	}
	else if (memcmp(version, layouts[INCITS378_2010].version, VERSION_SIZE) == 0)
		candidates[count++] = &layouts[INCITS378_2010];
	else if (memcmp(version, layouts[ISO19794_2_2011].version, VERSION_SIZE) == 0)
	{
		candidates[count++] = &layouts[ISO19794_2_2011];
		candidates[count++] = &layouts[INCITS378_2009];
		candidates[count++] = &layouts[INCITS378_2007];
	}
	else
		return fail(reader, MAGIC_SIZE, "version number", "is not one that can be read");

	reader->error = &ignored;
	for (int i = 0; i < count; i++)
	{
		if (begin(reader, candidates[i]) && check_frame(reader))
			break;
		reader->layout = NULL;
	}
	reader->error = error;
	if (reader->layout != NULL)
		*error = (RecordError){0};
	else if (begin(reader, candidates[0]))
	{
		/* most often a part of the record is missing, and this error says so */
		if (reader->length != reader->end)
			fail(reader, reader->layout->length, "record length",
				 "differs from the number of bytes");
		else
			check_frame(reader);
	}
	*format = ISO19794_2_2005;
	while (strcmp(layouts[*format].name, reader->layout->name) != 0)
		(*format)++;
	return error->field == NULL;
}

/* ---- contents ------------------------------------------------------------- */

static bool
read_minutia(Reader *reader, size_t offset, size_t size, const FingerprintTemplate *finger,
			 Minutia *result)
{
	const uint8_t *bytes = reader->data + offset;
	uint8_t        type = bytes[0] >> 6;
	unsigned       x = get16(bytes) & 0x3FFF;
	unsigned       y = get16(bytes + 2) & 0x3FFF;
	uint8_t        angle = bytes[4];
	uint8_t        quality = 0;

	if (type > MINUTIA_BIFURCATION)
		return fail(reader, offset, "minutia type", "is not one the standard knows");
	if (x >= finger->width)
		return fail(reader, offset, "minutia x", "lies outside the image");
	if (y >= finger->height)
		return fail(reader, offset + 2, "minutia y", "lies outside the image");
	if (reader->layout->incits)
	{
		if (angle > 179)
			return fail(reader, offset + 4, "minutia angle", "is above 179");
		angle = angle_from_incits378(angle);
	}
	if (reader->strict && (bytes[2] & 0xC0) != 0)
		return fail(reader, offset + 2, "reserved bits of a minutia", "are not zero");
	if (size > 5 && !read_quality(reader, offset + 5, "minutia quality", &quality))
		return false;
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

/* width, height and resolutions, two bytes each, in the order that ISO 2005 has in its header */
static bool
read_image(Reader *reader, const size_t offsets[4], FingerprintTemplate *finger)
{
	static const char *const names[] = {"image width", "image height", "horizontal resolution",
										"vertical resolution"};
	uint16_t *const          fields[] = {&finger->width, &finger->height, &finger->x_resolution,
										 &finger->y_resolution};

	for (int i = 0; i < 4; i++)
	{
		unsigned value = get16(reader->data + offsets[i]);

		if (i < 2 && (value == 0 || value > MAX_IMAGE_EDGE))
			return fail(reader, offsets[i], names[i], "is not between 1 and 16384");
		if (i >= 2 && value == 0)
			return fail(reader, offsets[i], names[i], "is zero");
		if (i >= 2 && reader->strict &&
			(value < MIN_FINGER_RESOLUTION || value > MAX_FINGER_RESOLUTION))
			return fail(reader, offsets[i], names[i],
						"is not between 99 and 1600 pixels per centimetre");
		*fields[i] = (uint16_t) value;
	}
	return true;
}

/* 2011: whether a date and time of capture is one, each field of which may be unknown */
static bool
date_valid(const uint8_t *date)
{
	unsigned millisecond = get16(date + 7);

	return ((date[2] >= 1 && date[2] <= 12) || date[2] == 0xFF) &&
		   ((date[3] >= 1 && date[3] <= 31) || date[3] == 0xFF) &&
		   (date[4] <= 23 || date[4] == 0xFF) && (date[5] <= 59 || date[5] == 0xFF) &&
		   (date[6] <= 60 || date[6] == 0xFF) && (millisecond <= 999 || millisecond == 0xFFFF);
}

/* what precedes the minutiae: finger, view, impression, quality, device, image */
static bool
read_view_header(Reader *reader, const ViewFrame *frame, FingerprintTemplate *finger)
{
	const RecordLayout *layout = reader->layout;
	const uint8_t      *data = reader->data;
	size_t              fields = frame->fields;
	size_t              view = fields + 1;
	size_t              impression, quality, image;
	bool                listed;

	finger->position = data[fields];
	finger->view = data[view];
	switch (layout->view)
	{
		case VIEW_2004:
			finger->view = data[view] >> 4;
			impression = view;
			quality = fields + 2;
			break;
		case VIEW_2009:
			impression = fields + 2;
			quality = fields + 3;
			image = fields + 8;
			if (!read_image(reader, (size_t[]){image, image + 2, image + 4, image + 6}, finger))
				return false;
			break;
		case REPRESENTATION:
		default:
			impression = fields + 6;
			quality = data[frame->start + 18] > 0 ? frame->start + 19 : 0;
			image = fields + 2;
			if (!read_image(reader, (size_t[]){image + 5, image + 7, image, image + 2}, finger))
				return false;
			finger->device = (uint16_t) get16(data + frame->start + 16);
			if (finger->device > DEVICE_MASK)
				finger->device = 0;
			if (reader->strict && !date_valid(data + frame->start + 4))
				return fail(reader, frame->start + 4, "capture date and time", "is none");
			break;
	}
	if (finger->position > FINGERPRINT_MAX_POSITION)
		return fail(reader, fields, "finger position", "is above 10");
	if (finger->view > 15)
	{
		if (reader->strict)
			return fail(reader, view, "view number", "is above 15");
		finger->view = 15;
	}
	finger->impression = read_impression(
		layout, layout->view == VIEW_2004 ? data[impression] & 0x0F : data[impression], &listed);
	if (reader->strict && !listed)
		return fail(reader, impression, "impression type", "is not one the standard lists");
	finger->quality = 0;
	return quality == 0 || read_quality(reader, quality, "finger quality", &finger->quality);
}

static bool
read_view(Reader *reader, const ViewFrame *frame, FingerprintTemplate *finger)
{
	if (!read_view_header(reader, frame, finger))
		return false;
	finger->count = (uint8_t) frame->count;
	for (int i = 0; i < frame->count; i++)
	{
		if (!read_minutia(reader, frame->minutiae + i * frame->minutia_size, frame->minutia_size,
						  finger, &finger->minutiae[i]))
			return false;
	}
	if (reader->strict)
	{
		const uint8_t *items = reader->data + frame->extended;
		bool           iso_2005 = reader->layout == &layouts[ISO19794_2_2005];

		if (!items_fit(items, frame->extended_size, 0) &&
			!(iso_2005 && items_fit(items, frame->extended_size, 4)))
			return fail(reader, frame->extended, "extended data",
						"consists of items that do not fit together");
	}
	return true;
}

/* what the record's header says of all views */
static bool
read_header(Reader *reader, FingerprintTemplate *finger)
{
	const RecordLayout *layout = reader->layout;
	const uint8_t      *data = reader->data;
	size_t              image = layout->image;

	if (layout->device > 0)
		finger->device = (uint16_t) get16(data + layout->device);
	if (layout->device > 16)
	{
		/* 2009: the certification has a byte of its own, before the device */
		finger->device = (uint16_t) ((finger->device > DEVICE_MASK ? 0 : finger->device) |
									 ((data[16] & 0x80) != 0 ? APPENDIX_F_BIT : 0));
	}
	if (image > 0 &&
		!read_image(reader, (size_t[]){image, image + 2, image + 4, image + 6}, finger))
		return false;
	if (!reader->strict)
		return true;
	if (reader->length != reader->size)
		return fail(reader, layout->length, "record length", "differs from the number of bytes");
	if (layout->reserved > 0 && data[layout->reserved] != 0)
		return fail(reader, layout->reserved, "reserved byte of the header", "is not zero");
	if (layout->product > 0 && get16(data + layout->product) == 0)
		return fail(reader, layout->product, "CBEFF product owner", "is zero");
	if (layout->certified > 0 && data[layout->certified] > 1)
		return fail(reader, layout->certified, "device certification flag", "is neither 0 nor 1");
	return true;
}

int
minutiae_record_visit(const uint8_t *data, size_t size, bool strict, RecordVisitor visitor,
					  void *context, MinutiaeFormat *format, RecordError *error)
{
	Reader              reader = {.data = data, .size = size, .strict = strict, .error = error};
	FingerprintTemplate finger;
	int                 next_number[FINGERPRINT_MAX_POSITION + 1] = {0};
	ViewFrame           frame = {0};
	RecordView          view;
	bool                framed;

	*format = MINUTIAE_FORMATS;
	*error = (RecordError){0};
	if (size < MAGIC_SIZE + VERSION_SIZE || memcmp(data, magic, MAGIC_SIZE) != 0)
	{
		fail(&reader, 0, "format identifier", "is not that of a finger minutiae record");
		return -1;
	}
	framed = choose_layout(&reader, format);
	if (reader.layout == NULL || reader.size < reader.layout->header_size)
		return -1;
	memset(&finger, 0, sizeof(finger));
	if (!framed && strict)
		return -1;
	if (!read_header(&reader, &finger))
		return -1;

	frame.end = reader.layout->header_size;
	reader.error = &view.error;
	for (int i = 0; i < reader.views; i++)
	{
		view.number = i + 1;
		view.error = (RecordError){0};
		if (!next_view(&reader, i == reader.views - 1, &frame))
			break; /* *error says so: the frame does not fit */
		view.finger = frame.sound && read_view(&reader, &frame, &finger) ? &finger : NULL;
		if (strict && view.finger != NULL && finger.view != next_number[finger.position]++ &&
			!(reader.layout->view == REPRESENTATION && finger.view == i))
		{
			fail(&reader, frame.fields + 1, "view number", "is out of order");
			view.finger = NULL;
		}
		if (visitor != NULL && !visitor(&view, context))
			break;
	}
	return framed ? reader.views : -1;
}

typedef struct Wanted
{
	int                  number;
	FingerprintTemplate *result;
	bool                 damaged;
	RecordError          error;
} Wanted;

static bool
take_wanted(const RecordView *view, void *context)
{
	Wanted *wanted = context;

	if (view->finger == NULL)
	{
		wanted->damaged = true;
		wanted->error = view->error;
		return false;
	}
	if (view->number == wanted->number && wanted->result != NULL)
		*wanted->result = *view->finger;
	return true;
}

int
minutiae_record_read(const uint8_t *data, size_t size, bool strict, int wanted,
					 FingerprintTemplate *result, RecordError *error)
{
	Wanted         one = {.number = wanted + 1, .result = result};
	MinutiaeFormat format;
	int views = minutiae_record_visit(data, size, strict, take_wanted, &one, &format, error);

	if (views >= 0 && one.damaged)
	{
		*error = one.error;
		return -1;
	}
	return views;
}

/* ---- writing -------------------------------------------------------------- */

/* what precedes the minutiae; returns its size */
static size_t
write_view_header(const FingerprintTemplate *finger, const RecordLayout *layout, uint8_t *bytes)
{
	uint8_t  impression = write_impression(layout, finger->impression);
	uint8_t  quality = write_quality(layout, finger->quality);
	uint8_t *next = bytes;

	switch (layout->view)
	{
		case VIEW_2004:
			bytes[0] = finger->position;
			bytes[1] = (uint8_t) (finger->view << 4 | (impression & 0x0F));
			bytes[2] = quality;
			bytes[3] = finger->count;
			return VIEW_2004_SIZE;
		case VIEW_2009:
			bytes[0] = finger->position;
			bytes[1] = finger->view;
			bytes[2] = impression;
			bytes[3] = quality;
			put32(bytes + 4, 0); /* the quality algorithm is not known */
			put16(bytes + 8, finger->width);
			put16(bytes + 10, finger->height);
			put16(bytes + 12, finger->x_resolution);
			put16(bytes + 14, finger->y_resolution);
			bytes[16] = finger->count;
			return VIEW_2009_SIZE;
		case REPRESENTATION:
		default:
			memset(next + 4, 0xFF, 9); /* date and time: unknown */
			next += 13;
			*next++ = 0; /* capture technology: unknown */
			put16(next, 0);
			put16(next + 2, finger->device & DEVICE_MASK);
			next += 4;
			*next++ = finger->quality > 0;
			if (finger->quality > 0)
			{
				*next++ = finger->quality;
				put32(next, 0);
				next += 4;
			}
			*next++ = finger->position;
			*next++ = finger->view;
			put16(next, finger->x_resolution);
			put16(next + 2, finger->y_resolution);
			next[4] = impression;
			put16(next + 5, finger->width);
			put16(next + 7, finger->height);
			next[9] = MINUTIA_SIZE << 4;
			next[10] = finger->count;
			return (size_t) (next + 11 - bytes);
	}
}

size_t
minutiae_record_write(const FingerprintTemplate *finger, MinutiaeFormat format,
					  uint32_t cbeff_product, uint8_t *record)
{
	const RecordLayout *layout = &layouts[format];
	uint8_t            *view = record + layout->header_size;
	uint8_t            *next;
	size_t              size;

	memset(record, 0, layout->header_size);
	memcpy(record, magic, MAGIC_SIZE);
	memcpy(record + MAGIC_SIZE, layout->version, VERSION_SIZE);
	record[layout->views + layout->views_size - 1] = 1;
	if (layout->product > 0)
		put32(record + layout->product, cbeff_product);
	if (layout->device > 16)
	{
		record[16] = (finger->device & APPENDIX_F_BIT) != 0 ? 0x80 : 0;
		put16(record + layout->device, finger->device & DEVICE_MASK);
	}
	else if (layout->device > 0)
		put16(record + layout->device, finger->device);
	if (layout->image > 0)
	{
		put16(record + layout->image, finger->width);
		put16(record + layout->image + 2, finger->height);
		put16(record + layout->image + 4, finger->x_resolution);
		put16(record + layout->image + 6, finger->y_resolution);
	}

	next = view + write_view_header(finger, layout, view);
	for (int i = 0; i < finger->count; i++, next += MINUTIA_SIZE)
	{
		const Minutia *minutia = &finger->minutiae[i];

		put16(next, (unsigned) minutia->type << 14 | minutia->x);
		put16(next + 2, minutia->y);
		next[4] = layout->incits ? angle_to_incits378(minutia->angle) : minutia->angle;
		next[5] = write_quality(layout, minutia->quality);
	}
	put16(next, 0); /* no extended data */
	size = (size_t) (next + 2 - record);
	if (layout->view == REPRESENTATION)
		put32(view, (uint32_t) (next + 2 - view));
	if (layout->length_size == 2)
		put16(record + layout->length, (unsigned) size);
	else
		put32(record + layout->length, (uint32_t) size);
	return size;
}
