/*
 * an2k.c
 *		The logical records of an ANSI/NIST-ITL file.
 */
#include "record/an2k.h"

#include <string.h>

#include "record/an2k_field.h"

/* Types 3 to 6: length, IDC, impression, positions, resolution, width, height, compression */
#define BINARY_IDC         4
#define BINARY_IMPRESSION  5
#define BINARY_POSITION    6
#define BINARY_WIDTH       13
#define BINARY_HEIGHT      15
#define BINARY_COMPRESSION 17
#define BINARY_PICTURE     18

#define MAX_TYPE 99

bool
an2k_next_part(Slice *rest, char separator, Slice *part)
{
	const char *end;

	if (rest->start == NULL)
		return false;
	end = memchr(rest->start, separator, (size_t) (rest->end - rest->start));
	part->start = rest->start;
	part->end = end != NULL ? end : rest->end;
	rest->start = end != NULL ? end + 1 : NULL;
	return true;
}

bool
an2k_number(Slice text, long max, long *number)
{
	const char *next = text.start;

	*number = 0;
	while (next < text.end && *next >= '0' && *next <= '9' && *number <= max)
		*number = *number * 10 + (*next++ - '0');
	return next > text.start && next == text.end && *number <= max;
}

bool
an2k_real(Slice text, double *number)
{
	double      scale = 1;
	const char *next = text.start;

	*number = 0;
	if (text.end - text.start > 12)
		return false;
	while (next < text.end && *next >= '0' && *next <= '9')
		*number = *number * 10 + (*next++ - '0');
	if (next < text.end && *next == '.')
	{
		for (next++; next < text.end && *next >= '0' && *next <= '9'; next++)
			*number += (*next - '0') * (scale /= 10);
	}
	return next > text.start && next == text.end;
}

/*
 * Reads "14.006:" at the start of a field: its record type and field number.
 * field then is what follows.
 */
static bool
read_tag(Slice *field, long *type, long *number)
{
	Slice rest = *field;
	Slice part;
	char  colon = ':';

	if (field->end - field->start > 12)
		rest.end = field->start + 12;
	if (!an2k_next_part(&rest, '.', &part) || !an2k_number(part, MAX_TYPE, type) ||
		!an2k_next_part(&rest, colon, &part) || rest.start == NULL ||
		!an2k_number(part, 99999, number))
		return false;
	field->start = rest.start;
	return true;
}

bool
an2k_field(const An2kRecord *record, int number, Slice *value)
{
	Slice rest = {(const char *) record->data, (const char *) record->data + record->size - 1};

	/* the picture, which may hold any byte, comes last and is not searched */
	if (record->picture != NULL)
		rest.end = (const char *) record->picture;
	while (an2k_next_part(&rest, AN2K_GS, value))
	{
		long type, found;

		if (read_tag(value, &type, &found) && type == record->type && found == number)
			return true;
	}
	return false;
}

/* the first item of a field as a number; none if the field is not there or is no number */
static long
field_number(const An2kRecord *record, int field, long max, long none)
{
	Slice value, part;
	long  number;

	if (!an2k_field(record, field, &value) || !an2k_next_part(&value, AN2K_RS, &part) ||
		!an2k_next_part(&part, AN2K_US, &value) || !an2k_number(value, max, &number))
		return none;
	return number;
}

/* what the fields of a record of text say of its picture */
static void
describe_picture(An2kRecord *record)
{
	Slice  value;
	long   unit = field_number(record, 8, 2, 0);
	double pixels;

	record->width = (int) field_number(record, 6, 99999, 0);
	record->height = (int) field_number(record, 7, 99999, 0);
	if (an2k_field(record, 9, &value) && an2k_real(value, &pixels))
		record->resolution = unit == 1 ? pixels / 2.54 : unit == 2 ? pixels : 0;
	if (an2k_field(record, 11, &value))
	{
		record->compression = value.start;
		record->compression_length = (size_t) (value.end - value.start);
	}
	if (record->type >= 13 && record->type <= 15)
	{
		record->position = (int) field_number(record, 13, 99, -1);
		record->impression = (int) field_number(record, 3, 99, -1);
	}
}

/* a record of text: "TYPE.001:LENGTH" comes first */
static bool
read_text_record(const uint8_t *data, size_t size, size_t offset, An2kRecord *record,
				 RecordError *error)
{
	Slice rest = {(const char *) data + offset, (const char *) data + size};
	Slice field;
	long  type, number, length;

	if (!an2k_next_part(&rest, AN2K_GS, &field) || !read_tag(&field, &type, &number) || number != 1)
		return record_fail(error, offset, "beginning of a record", "is not field 001");
	if (!an2k_number(field, 999999999, &length) || length < 1 || (size_t) length > size - offset ||
		(size_t) length <= (size_t) (field.end - (const char *) (data + offset)))
		return record_fail(error, offset, "record length (field 001)", "exceeds the file");
	if (data[offset + (size_t) length - 1] != AN2K_FS)
		return record_fail(error, offset, "record length (field 001)",
						   "does not lead to the end of the record");
	record->type = (int) type;
	record->size = (size_t) length;
	rest.end = (const char *) record->data + length - 1;
	while (rest.start != NULL && rest.start <= rest.end)
	{
		/* look at the tag before looking for the end: a picture may hold any byte */
		field = rest;
		if (read_tag(&field, &type, &number) && number == 999)
		{
			record->picture = (const uint8_t *) field.start;
			record->picture_size = (size_t) (rest.end - field.start);
			break;
		}
		an2k_next_part(&rest, AN2K_GS, &field);
	}
	if (type > 1)
		record->idc = (int) field_number(record, 2, 999, -1);
	describe_picture(record);
	return true;
}

/* Types 3 to 8 */
static bool
read_binary_record(const uint8_t *data, size_t size, size_t offset, An2kRecord *record,
				   RecordError *error)
{
	static const char *const compressions[] = {"NONE", "WSQ20", "JPEGB", "JPEGL",
											   "JP2",  "JP2L",  "PNG"};
	size_t                   length;

	if (size - offset < BINARY_IMPRESSION)
		return record_fail(error, offset, "record", "is cut off");
	length = get32(data + offset);
	if (length < BINARY_IMPRESSION || length > size - offset)
		return record_fail(error, offset, "record length", "exceeds the file");
	record->size = length;
	record->idc = record->data[BINARY_IDC];
	if (record->type > 6 || length < BINARY_PICTURE)
		return true;
	record->impression = record->data[BINARY_IMPRESSION];
	record->position = record->data[BINARY_POSITION];
	record->width = (int) get16(record->data + BINARY_WIDTH);
	record->height = (int) get16(record->data + BINARY_HEIGHT);
	if (record->type == 4 && record->data[BINARY_COMPRESSION] < 7)
	{
		record->compression = compressions[record->data[BINARY_COMPRESSION]];
		record->compression_length = strlen(record->compression);
	}
	record->picture = record->data + BINARY_PICTURE;
	record->picture_size = length - BINARY_PICTURE;
	return true;
}

int
an2k_visit(const uint8_t *data, size_t size, An2kVisitor visitor, void *context, RecordError *error)
{
	An2kRecord record;
	Slice      contents = {NULL, NULL};
	Slice      part, item;
	double     native = 0; /* resolution of what Type-4 records show, pixels per centimetre */
	size_t     offset = 0;
	int        count = 0;

	while (offset < size)
	{
		long type = 1;

		record = (An2kRecord){.number = count + 1,
							  .data = data + offset,
							  .idc = -1,
							  .position = -1,
							  .impression = -1};
		/* Type-1 lists the types of those that follow; what it lists first is itself */
		if (count > 0 &&
			(!an2k_next_part(&contents, AN2K_RS, &part) || !an2k_next_part(&part, AN2K_US, &item) ||
			 !an2k_number(item, MAX_TYPE, &type)))
		{
			record_fail(error, offset, "contents of the file (field 1.003)",
						"do not list the record that is here");
			return -1;
		}
		if (count == AN2K_MAX_RECORDS)
		{
			record_fail(error, offset, "file", "has more than 1000 records");
			return -1;
		}
		record.type = (int) type;
		if (!(type >= 3 && type <= 8 ? read_binary_record(data, size, offset, &record, error)
									 : read_text_record(data, size, offset, &record, error)))
			return -1;
		if (record.type != type)
		{
			record_fail(error, offset, "record type", "differs from that in field 1.003");
			return -1;
		}
		if (count == 0)
		{
			if (!an2k_field(&record, 3, &contents))
			{
				record_fail(error, offset, "contents of the file (field 1.003)", "are missing");
				return -1;
			}
			an2k_next_part(&contents, AN2K_RS, &part);
			/* pixels per millimetre */
			if (!an2k_field(&record, 11, &item) || !an2k_real(item, &native))
				native = 0;
			native *= 10;
		}
		if (record.type == 4)
			record.resolution = native;
		count++;
		offset += record.size;
		if (visitor != NULL && !visitor(&record, context))
			return count;
	}
	if (contents.start != NULL && contents.start < contents.end)
	{
		record_fail(error, offset, "file", "ends before all records that field 1.003 lists");
		return -1;
	}
	return count;
}

static bool
note_picture(const An2kRecord *record, void *context)
{
	An2kPictures *pictures = context;

	/* no picture of a finger or palm is larger */
	if (record->picture == NULL || record->idc < 0 || record->idc > 255 ||
		!(record->resolution >= 1) ||
		!(record->type == 4 || (record->type >= 13 && record->type <= 15)))
		return true;
	pictures->width[record->idc] = (int) (record->width * 1000 / record->resolution + 0.5);
	pictures->height[record->idc] = (int) (record->height * 1000 / record->resolution + 0.5);
	return true;
}

void
an2k_pictures(const uint8_t *data, size_t size, An2kPictures *pictures)
{
	RecordError ignored;

	memset(pictures, 0, sizeof(*pictures));
	an2k_visit(data, size, note_picture, pictures, &ignored);
}
