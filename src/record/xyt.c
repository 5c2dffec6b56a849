/*
 * xyt.c
 *		Minutiae as NIST's tools write them for their matcher.
 */
#include "record/xyt.h"

#include <stdio.h>

#include "record/minutiae_record.h"

/* Where the reader is */
typedef struct Cursor
{
	const char *start;
	const char *next;
	const char *end;
} Cursor;

static bool
fail(const Cursor *cursor, const char *field, const char *problem, RecordError *error)
{
	return record_fail(error, (size_t) (cursor->next - cursor->start), field, problem);
}

static void
skip_blanks(Cursor *cursor)
{
	while (cursor->next < cursor->end &&
		   (*cursor->next == ' ' || *cursor->next == '\t' || *cursor->next == '\r'))
		cursor->next++;
}

/* a whole number of at most five digits; *number is not set at the end of a line */
static bool
read_number(Cursor *cursor, int *number)
{
	bool        negative = cursor->next < cursor->end && *cursor->next == '-';
	const char *digits;

	cursor->next += negative;
	digits = cursor->next;
	*number = 0;
	while (cursor->next < cursor->end && *cursor->next >= '0' && *cursor->next <= '9' &&
		   cursor->next - digits < 5)
		*number = *number * 10 + (*cursor->next++ - '0');
	if (negative)
		*number = -*number;
	return cursor->next > digits;
}

static bool
set_minutia(const Cursor *cursor, XytConvention convention, const FingerprintTemplate *finger,
			const int numbers[4], Minutia *minutia, RecordError *error)
{
	int y = convention == XYT_NIST ? finger->height - numbers[1] : numbers[1];

	if (numbers[0] < 0 || numbers[0] >= finger->width)
		return fail(cursor, "minutia x before this", "lies outside the image", error);
	if (y < 0 || y >= finger->height)
		return fail(cursor, "minutia y before this", "lies outside the image", error);
	if (convention == XYT_NIST ? numbers[2] < -180 || numbers[2] > 360
							   : numbers[2] < 0 || numbers[2] > 179)
		return fail(cursor, "minutia angle before this", "is out of range", error);
	if (numbers[3] < 0 || numbers[3] > 100)
		return fail(cursor, "minutia quality before this", "is not between 0 and 100", error);
	minutia->x = (uint16_t) numbers[0];
	minutia->y = (uint16_t) y;
	minutia->type = MINUTIA_OTHER;
	minutia->angle = convention == XYT_NIST ? angle_from_degrees((numbers[2] + 540) % 360)
											: angle_from_incits378((uint8_t) numbers[2]);
	minutia->quality = (uint8_t) numbers[3];
	return true;
}

bool
xyt_read(const char *text, size_t length, XytConvention convention, FingerprintTemplate *result,
		 RecordError *error)
{
	Cursor cursor = {text, text, text + length};

	result->count = 0;
	while (cursor.next < cursor.end)
	{
		int numbers[4] = {0};
		int n = 0;

		skip_blanks(&cursor);
		while (cursor.next < cursor.end && *cursor.next != '\n')
		{
			if (n == 4 || !read_number(&cursor, &numbers[n]))
				return fail(&cursor, "line", "does not consist of three or four whole numbers",
							error);
			n++;
			skip_blanks(&cursor);
		}
		if (n > 0)
		{
			if (n < 3)
				return fail(&cursor, "line", "has less than three numbers", error);
			if (result->count == FINGERPRINT_MAX_MINUTIAE)
				return fail(&cursor, "number of minutiae", "is above 255", error);
			if (!set_minutia(&cursor, convention, result, numbers, &result->minutiae[result->count],
							 error))
				return false;
			result->count++;
		}
		if (cursor.next < cursor.end)
			cursor.next++; /* the end of the line */
	}
	return true;
}

size_t
xyt_write(const FingerprintTemplate *finger, XytConvention convention, char text[XYT_MAX_SIZE])
{
	size_t n = 0;

	text[0] = '\0';
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];
		int            y = convention == XYT_NIST ? finger->height - minutia->y : minutia->y;
		int angle = convention == XYT_NIST ? (degrees_from_angle(minutia->angle) + 180) % 360
										   : angle_to_incits378(minutia->angle);

		n += (size_t) sprintf(text + n, "%d %d %d %d\n", minutia->x, y, angle, minutia->quality);
	}
	return n;
}
