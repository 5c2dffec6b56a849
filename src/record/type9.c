/*
 * type9.c
 *		The minutiae of Type-9 records of ANSI/NIST files, in and out.
 *
 * What the forms count and where they start:
 *
 *	standard	0.01 mm from the lower left; degrees counter-clockwise, pointing
 *				away from the ridge: half a turn from what a minutiae record says
 *	IAFIS		0.01 mm from the upper left; degrees as in a minutiae record
 *	M1			pixels from the upper left; steps of two degrees
 *	EFS			0.01 mm from the upper left of the region of interest; degrees
 */
#include <stdio.h>
#include <string.h>

#include "record/an2k_field.h"
#include "record/minutiae_record.h"

#define HUNDREDTHS 1000 /* of a millimetre in a centimetre: the resolution of coordinates */

#define FIELD_IMPRESSION 3

static const char *const form_names[TYPE9_FORMS] = {
	[TYPE9_NONE] = "none", [TYPE9_STANDARD] = "standard", [TYPE9_IAFIS] = "IAFIS",
	[TYPE9_M1] = "M1",     [TYPE9_EFS] = "EFS",
};

const char *
type9_form_name(Type9Form form)
{
	return form_names[form];
}

/* What all forms' readers need */
typedef struct Type9
{
	const uint8_t       *file;
	const An2kRecord    *record;
	const An2kPictures  *pictures;
	FingerprintTemplate *finger;
	RecordError         *error;
} Type9;

static bool
fail_at(const Type9 *type9, const char *where, const char *field, const char *problem)
{
	return record_fail(type9->error, (size_t) ((const uint8_t *) where - type9->file), field,
					   problem);
}

const char *
an2k_finger(long code, uint8_t *position)
{
	*position = 0;
	if ((code >= 20 && code <= 38) || code >= 60)
		return "is not that of a finger";
	if ((code >= 13 && code <= 15) || (code >= 40 && code <= 50))
		return "is that of several fingers";
	if (code >= 1 && code <= 10)
		*position = (uint8_t) code;
	else if (code == 11 || code == 12) /* plain thumbs */
		*position = code == 11 ? 1 : 6;
	return NULL;
}

uint8_t
an2k_impression(long code)
{
	if (code >= 0 && code <= 9)
		return (uint8_t) code;
	if (code >= 20 && code <= 23)
		return (uint8_t) (code % 2);
	return code >= 24 && code <= 27 ? IMPRESSION_CONTACTLESS : IMPRESSION_UNKNOWN;
}

/* reads the finger from a field that may list several, which then is unknown */
static bool
read_position(const Type9 *type9, int field, const char *name)
{
	Slice       value, part, item, again;
	long        position;
	uint8_t     finger;
	const char *problem;

	if (!an2k_field(type9->record, field, &value))
		return true;
	an2k_next_part(&value, AN2K_RS, &part);
	an2k_next_part(&part, AN2K_US, &item);
	if (item.start == item.end)
		return true;
	if (!an2k_number(item, 99, &position))
		return fail_at(type9, item.start, name, "is not a number");
	problem = an2k_finger(position, &finger);
	if (problem != NULL)
		return fail_at(type9, item.start, name, problem);
	if (!an2k_next_part(&value, AN2K_RS, &again))
		type9->finger->position = finger;
	return true;
}

static void
read_impression(const Type9 *type9)
{
	Slice value, part;
	long  code;

	type9->finger->impression = IMPRESSION_UNKNOWN;
	if (!an2k_field(type9->record, FIELD_IMPRESSION, &value) ||
		!an2k_next_part(&value, AN2K_RS, &part) || !an2k_number(part, 99, &code))
		return;
	type9->finger->impression = an2k_impression(code);
}

/* standard and IAFIS: 2 is best, 63 worst, 0 and 1 say nothing */
static uint8_t
quality_from_63(long quality)
{
	if (quality < 2 || quality > 63)
		return 0;
	quality = ((63 - quality) * 100 + 30) / 61;
	return (uint8_t) (quality < 1 ? 1 : quality);
}

static int
quality_to_63(uint8_t quality)
{
	return quality == 0 ? 1 : 63 - (quality * 61 + 50) / 100;
}

/* the type of a letter: A and E endings, B bifurcations, all else other */
static uint8_t
type_of_letter(Slice letter)
{
	if (letter.end - letter.start != 1)
		return MINUTIA_OTHER;
	if (*letter.start == 'A' || *letter.start == 'E')
		return MINUTIA_RIDGE_ENDING;
	return *letter.start == 'B' ? MINUTIA_BIFURCATION : MINUTIA_OTHER;
}

/* room for one more; each form has its minutiae in subfields of one field */
static Minutia *
next_minutia(const Type9 *type9, const char *where, const char *field)
{
	if (type9->finger->count == FINGERPRINT_MAX_MINUTIAE)
	{
		fail_at(type9, where, field, "has more than 255 minutiae");
		return NULL;
	}
	return &type9->finger->minutiae[type9->finger->count];
}

static int
greatest(const FingerprintTemplate *finger, bool vertical)
{
	int result = 0;

	for (int i = 0; i < finger->count; i++)
	{
		int value = vertical ? finger->minutiae[i].y : finger->minutiae[i].x;

		if (value > result)
			result = value;
	}
	return result;
}

/* sets the size of an image in hundredths of a millimetre: as said, or what minutiae take */
static void
set_size(FingerprintTemplate *finger, double width, double height)
{
	int right = greatest(finger, false) + 1;
	int bottom = greatest(finger, true) + 1;

	finger->x_resolution = HUNDREDTHS;
	finger->y_resolution = HUNDREDTHS;
	finger->width = (uint16_t) (width >= right && width <= MAX_IMAGE_EDGE ? width : right);
	finger->height = (uint16_t) (height >= bottom && height <= MAX_IMAGE_EDGE ? height : bottom);
}

/* x and y in four digits each, hundredths of a millimetre, then the angle in three, degrees */
static bool
read_packed(const Type9 *type9, Slice item, const char *field, Minutia *minutia, long *degrees)
{
	Slice x = {item.start, item.start + 4};
	Slice y = {item.start + 4, item.start + 8};
	Slice theta = {item.start + 8, item.end};
	long  numbers[2];

	if (item.end - item.start != 11 || !an2k_number(x, 9999, &numbers[0]) ||
		!an2k_number(y, 9999, &numbers[1]) || !an2k_number(theta, 360, degrees))
		return fail_at(type9, item.start, field,
					   "has a position that is not of four, four and three digits");
	minutia->x = (uint16_t) numbers[0];
	minutia->y = (uint16_t) numbers[1];
	return true;
}

/* 9.012 and 9.023: index, position and direction, quality, type, and then neighbours */
static bool
read_packed_minutiae(const Type9 *type9, Slice value, const char *field, long turn)
{
	Slice subfield;

	while (an2k_next_part(&value, AN2K_RS, &subfield))
	{
		Slice    items[4] = {{subfield.end, subfield.end}};
		Minutia *minutia = next_minutia(type9, subfield.start, field);
		long     degrees, quality;

		if (minutia == NULL)
			return false;
		if (subfield.start == subfield.end)
			continue;
		for (int i = 0; i < 4; i++)
		{
			if (!an2k_next_part(&subfield, AN2K_US, &items[i]))
				return fail_at(type9, items[0].start, field,
							   "has a minutia of less than four items");
		}
		if (!read_packed(type9, items[1], field, minutia, &degrees))
			return false;
		minutia->angle = angle_from_degrees((degrees + turn) % 360);
		minutia->quality = an2k_number(items[2], 99, &quality) ? quality_from_63(quality) : 0;
		minutia->type = type_of_letter(items[3]);
		type9->finger->count++;
	}
	return true;
}

/* the size of the picture that belongs to the record, or else what the minutiae take */
static void
set_picture_size(const Type9 *type9)
{
	int idc = type9->record->idc;

	if (idc >= 0 && idc < 256)
		set_size(type9->finger, type9->pictures->width[idc], type9->pictures->height[idc]);
	else
		set_size(type9->finger, 0, 0);
}

static bool
read_standard(const Type9 *type9, Slice value)
{
	FingerprintTemplate *finger = type9->finger;

	if (!read_position(type9, 6, "finger position (field 9.006)") ||
		!read_packed_minutiae(type9, value, "field 9.012", 180))
		return false;
	set_picture_size(type9);
	for (int i = 0; i < finger->count; i++)
		finger->minutiae[i].y = (uint16_t) (finger->height - 1 - finger->minutiae[i].y);
	return true;
}

static bool
read_iafis(const Type9 *type9, Slice value)
{
	if (!read_position(type9, 14, "finger position (field 9.014)") ||
		!read_packed_minutiae(type9, value, "field 9.023", 0))
		return false;
	set_picture_size(type9);
	return true;
}

/* a field of one number */
static bool
read_number(const Type9 *type9, int number, const char *name, long min, long max, long *result)
{
	Slice value, part, item;

	if (!an2k_field(type9->record, number, &value))
		return fail_at(type9, (const char *) type9->record->data, name, "is missing");
	an2k_next_part(&value, AN2K_RS, &part);
	an2k_next_part(&part, AN2K_US, &item);
	if (!an2k_number(item, max, result) || *result < min)
		return fail_at(type9, item.start, name, "is out of range");
	return true;
}

static bool
read_m1(const Type9 *type9, Slice value)
{
	FingerprintTemplate *finger = type9->finger;
	Slice                subfield, quality;
	long                 width, height, unit, x_resolution, y_resolution, number;

	if (!read_number(type9, 128, "image width (field 9.128)", 1, MAX_IMAGE_EDGE, &width) ||
		!read_number(type9, 129, "image height (field 9.129)", 1, MAX_IMAGE_EDGE, &height) ||
		!read_number(type9, 130, "unit of resolution (field 9.130)", 1, 2, &unit) ||
		!read_number(type9, 131, "horizontal resolution (field 9.131)", 1, 65535, &x_resolution) ||
		!read_number(type9, 132, "vertical resolution (field 9.132)", 1, 65535, &y_resolution) ||
		!read_position(type9, 134, "finger position (field 9.134)"))
		return false;
	finger->width = (uint16_t) width;
	finger->height = (uint16_t) height;
	/* pixels per inch are rounded to pixels per centimetre */
	finger->x_resolution = (uint16_t) (unit == 1 ? x_resolution / 2.54 + 0.5 : x_resolution);
	finger->y_resolution = (uint16_t) (unit == 1 ? y_resolution / 2.54 + 0.5 : y_resolution);
	if (finger->x_resolution == 0 || finger->y_resolution == 0)
		return fail_at(type9, value.start, "resolution (field 9.131)", "is out of range");
	if (an2k_field(type9->record, 133, &subfield) && an2k_number(subfield, 15, &number))
		finger->view = (uint8_t) number;
	if (an2k_field(type9->record, 135, &quality) && an2k_next_part(&quality, AN2K_US, &subfield) &&
		an2k_number(subfield, 255, &number) && number <= 100)
		finger->quality = (uint8_t) (number == 0 ? 1 : number);

	while (an2k_next_part(&value, AN2K_RS, &subfield))
	{
		static const long maxima[6] = {999, MAX_IMAGE_EDGE, MAX_IMAGE_EDGE, 179, 2, 255};
		const char       *start = subfield.start;
		Minutia          *minutia = next_minutia(type9, start, "field 9.137");
		long              numbers[6]; /* index, x, y, angle, type, quality */
		Slice             item;

		if (minutia == NULL)
			return false;
		if (subfield.start == subfield.end)
			continue;
		for (int i = 0; i < 6; i++)
		{
			if (!an2k_next_part(&subfield, AN2K_US, &item) ||
				!an2k_number(item, maxima[i], &numbers[i]))
				return fail_at(type9, start, "field 9.137",
							   "has a minutia without six numbers in their range");
		}
		if (numbers[1] >= width || numbers[2] >= height)
			return fail_at(type9, start, "field 9.137", "has a minutia outside the image");
		*minutia = (Minutia){.x = (uint16_t) numbers[1],
							 .y = (uint16_t) numbers[2],
							 .angle = angle_from_incits378((uint8_t) numbers[3]),
							 .type = (uint8_t) numbers[4],
							 .quality = (uint8_t) (numbers[5] <= 100 ? numbers[5] : 0)};
		finger->count++;
	}
	return true;
}

static bool
read_efs(const Type9 *type9, Slice value)
{
	Slice  field, part;
	double size[2] = {0, 0};

	if (!read_position(type9, 302, "finger position (field 9.302)"))
		return false;
	if (an2k_field(type9->record, 300, &field))
	{
		for (int i = 0; i < 2; i++)
		{
			if (!an2k_next_part(&field, AN2K_US, &part) || !an2k_real(part, &size[i]))
				return fail_at(type9, field.start != NULL ? field.start : field.end,
							   "region of interest (field 9.300)", "has no width and height");
		}
	}
	while (an2k_next_part(&value, AN2K_RS, &part))
	{
		const char *start = part.start;
		Minutia    *minutia = next_minutia(type9, start, "field 9.331");
		long        numbers[3]; /* x, y, angle */
		Slice       item;

		if (minutia == NULL)
			return false;
		if (part.start == part.end)
			continue;
		for (int i = 0; i < 3; i++)
		{
			if (!an2k_next_part(&part, AN2K_US, &item) ||
				!an2k_number(item, i < 2 ? MAX_IMAGE_EDGE - 1 : 360, &numbers[i]))
				return fail_at(type9, start, "field 9.331",
							   "has a minutia without three numbers in their range");
		}
		if (!an2k_next_part(&part, AN2K_US, &item))
			return fail_at(type9, start, "field 9.331", "has a minutia without a type");
		*minutia = (Minutia){.x = (uint16_t) numbers[0],
							 .y = (uint16_t) numbers[1],
							 .angle = angle_from_degrees(numbers[2]),
							 .type = type_of_letter(item)};
		type9->finger->count++;
	}
	set_size(type9->finger, size[0], size[1]);
	return true;
}

bool
type9_read(const uint8_t *file, const An2kRecord *record, const An2kPictures *pictures,
		   FingerprintTemplate *result, Type9Form *form, RecordError *error)
{
	Type9 type9 = {file, record, pictures, result, error};
	Slice value;

	memset(result, 0, sizeof(*result));
	*form = TYPE9_NONE;
	read_impression(&type9);
	if (an2k_field(record, 137, &value))
	{
		*form = TYPE9_M1;
		return read_m1(&type9, value);
	}
	if (an2k_field(record, 331, &value))
	{
		*form = TYPE9_EFS;
		return read_efs(&type9, value);
	}
	if (an2k_field(record, 23, &value))
	{
		*form = TYPE9_IAFIS;
		return read_iafis(&type9, value);
	}
	if (an2k_field(record, 12, &value))
	{
		*form = TYPE9_STANDARD;
		return read_standard(&type9, value);
	}
	return fail_at(&type9, (const char *) record->data, "Type-9 record",
				   "has no minutiae in a form that is read");
}

/* ---- writing -------------------------------------------------------------- */

/* A coordinate in hundredths of a millimetre */
static int
hundredths(int pixels, int resolution)
{
	return (pixels * HUNDREDTHS + resolution / 2) / resolution;
}

/* impression types as ANSI/NIST numbers them */
static int
impression_code(const FingerprintTemplate *finger)
{
	if (finger->impression <= 8)
		return finger->impression;
	return finger->impression == IMPRESSION_CONTACTLESS ? 24 : 29;
}

static int
write_packed_minutiae(const FingerprintTemplate *finger, bool from_below, int turn, char *text)
{
	static const char letters[] = {'D', 'A', 'B'};
	int               height = hundredths(finger->height - 1, finger->y_resolution);
	int               n = 0;

	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];
		int            x = hundredths(minutia->x, finger->x_resolution);
		int            y = hundredths(minutia->y, finger->y_resolution);

		if (from_below)
			y = height - y;
		if (x > 9999 || y > 9999)
			return -1;
		n += sprintf(text + n, "%s%03d\x1F%04d%04d%03d\x1F%02d\x1F%c", i > 0 ? "\x1E" : "", i + 1,
					 x, y, (degrees_from_angle(minutia->angle) + turn) % 360,
					 quality_to_63(minutia->quality), letters[minutia->type]);
	}
	return n;
}

static int
write_m1(const FingerprintTemplate *finger, char *text)
{
	int n = sprintf(text,
					"\x1D"
					"9.126:0\x1F"
					"0\x1D"
					"9.127:NONE\x1F%d\x1D"
					"9.128:%d\x1D"
					"9.129:%d\x1D"
					"9.130:2\x1D"
					"9.131:%d\x1D"
					"9.132:%d\x1D"
					"9.133:%d\x1D"
					"9.134:%02d\x1D"
					"9.135:%d\x1F"
					"0000\x1F"
					"0\x1D"
					"9.136:%d\x1D"
					"9.137:",
					finger->device & 0x0FFF, finger->width, finger->height, finger->x_resolution,
					finger->y_resolution, finger->view, finger->position,
					finger->quality == 0 ? 254 : finger->quality, finger->count);

	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];

		n += sprintf(text + n, "%s%03d\x1F%d\x1F%d\x1F%d\x1F%d\x1F%d", i > 0 ? "\x1E" : "", i + 1,
					 minutia->x, minutia->y, angle_to_incits378(minutia->angle), minutia->type,
					 minutia->quality);
	}
	return n;
}

static int
write_efs(const FingerprintTemplate *finger, char *text)
{
	static const char letters[] = {'X', 'E', 'B'};
	int               n;

	n = sprintf(text,
				"\x1D"
				"9.300:%d\x1F%d\x1D"
				"9.302:%d\x1D"
				"9.331:",
				hundredths(finger->width, finger->x_resolution),
				hundredths(finger->height, finger->y_resolution), finger->position);
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];
		int            x = hundredths(minutia->x, finger->x_resolution);
		int            y = hundredths(minutia->y, finger->y_resolution);

		if (x >= MAX_IMAGE_EDGE || y >= MAX_IMAGE_EDGE)
			return -1;
		n += sprintf(text + n, "%s%d\x1F%d\x1F%d\x1F%c", i > 0 ? "\x1E" : "", x, y,
					 degrees_from_angle(minutia->angle) % 360, letters[minutia->type]);
	}
	return n;
}

size_t
type9_write(const FingerprintTemplate *finger, Type9Form form, int idc, char record[TYPE9_MAX_SIZE])
{
	char *text = record + 32; /* room for the length, which is written last */
	int   length = 0;
	int   n, fields;

	n = sprintf(text,
				"\x1D"
				"9.002:%02d\x1D"
				"9.003:%d\x1D"
				"9.004:%c",
				idc, impression_code(finger), form == TYPE9_STANDARD ? 'S' : 'U');
	switch (form)
	{
		case TYPE9_STANDARD:
			n += sprintf(text + n,
						 "\x1D"
						 "9.005:BIOMETRIC\x1F"
						 "A\x1D"
						 "9.006:%02d\x1D"
						 "9.007:T\x1F"
						 "UN\x1D"
						 "9.010:%d\x1D"
						 "9.011:0\x1D"
						 "9.012:",
						 finger->position, finger->count);
			fields = write_packed_minutiae(finger, true, 180, text + n);
			break;
		case TYPE9_IAFIS:
			n += sprintf(text + n,
						 "\x1D"
						 "9.014:%02d\x1D"
						 "9.015:%d\x1D"
						 "9.023:",
						 finger->position, finger->count);
			fields = write_packed_minutiae(finger, false, 0, text + n);
			break;
		case TYPE9_M1:
			fields = write_m1(finger, text + n);
			break;
		case TYPE9_EFS:
			fields = write_efs(finger, text + n);
			break;
		case TYPE9_NONE:
		case TYPE9_FORMS:
		default:
			return 0;
	}
	if (fields < 0)
		return 0;
	n += fields;
	text[n++] = AN2K_FS;

	/* the length counts its own digits */
	for (int digits = 1; digits < 7; digits++)
	{
		char head[32];

		length = sprintf(head, "9.001:%d", n + 6 + digits);
		if (length == 6 + digits)
		{
			memmove(record + length, text, (size_t) n);
			memcpy(record, head, (size_t) length);
			break;
		}
	}
	return (size_t) length + (size_t) n;
}
