/*
 * record_checks.h
 *		What must hold of any bytes that a reader of records gets: shared by the
 *		fuzz targets and by test_record_formats.c.
 *
 * Each check reads from a copy of exactly the size of the bytes, so that the
 * address sanitizer sees any read outside, and aborts if something does not
 * hold.  It returns the number of templates that were read.
 */
#ifndef RECORD_CHECKS_H
#define RECORD_CHECKS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/an2k.h"
#include "record/card.h"
#include "record/fingerprint_record.h"
#include "record/iris_code.h"
#include "record/misreading.h"
#include "record/open_iris_json.h"
#include "record/plausibility.h"
#include "record/text_encoding.h"
#include "record/xyt.h"

#define MUST(condition)                                                                   \
	do                                                                                    \
	{                                                                                     \
		if (!(condition))                                                                 \
		{                                                                                 \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
			abort();                                                                      \
		}                                                                                 \
	} while (0)

static inline void *
exact_copy(const void *data, size_t size)
{
	void *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, data, size);
	return copy;
}

static inline void
check_template(const FingerprintTemplate *finger)
{
	MUST(finger->width >= 1 && finger->width <= MAX_IMAGE_EDGE);
	MUST(finger->height >= 1 && finger->height <= MAX_IMAGE_EDGE);
	MUST(finger->x_resolution >= 1 && finger->y_resolution >= 1);
	MUST(finger->position <= FINGERPRINT_MAX_POSITION && finger->view <= 15);
	MUST(finger->impression <= 15 && finger->quality <= 100);
	for (int i = 0; i < finger->count; i++)
	{
		const Minutia *minutia = &finger->minutiae[i];

		MUST(minutia->x < finger->width && minutia->y < finger->height);
		MUST(minutia->type <= MINUTIA_BIFURCATION && minutia->quality <= 100);
	}
}

static inline bool
same_minutiae(const FingerprintTemplate *a, const FingerprintTemplate *b)
{
	if (a->count != b->count || a->position != b->position || a->width != b->width ||
		a->height != b->height || a->x_resolution != b->x_resolution ||
		a->y_resolution != b->y_resolution || a->quality != b->quality || a->view != b->view)
		return false;
	for (int i = 0; i < a->count; i++)
	{
		if (a->minutiae[i].x != b->minutiae[i].x || a->minutiae[i].y != b->minutiae[i].y ||
			a->minutiae[i].type != b->minutiae[i].type ||
			a->minutiae[i].quality != b->minutiae[i].quality)
			return false;
	}
	return true;
}

/* a template is written in each format and read again */
static inline void
check_writers(const FingerprintTemplate *finger)
{
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate again;
	RecordError         error;
	Plausibility        plausibility;
	size_t              size;

	check_template(finger);
	for (int format = 0; format < MINUTIAE_FORMATS; format++)
	{
		uint8_t record[MINUTIAE_RECORD_MAX_SIZE];

		size = minutiae_record_write(finger, format, 0x10001, record);
		MUST(size <= sizeof(record));
		MUST(minutiae_record_read(record, size, false, 0, &again, &error) == 1);
		MUST(same_minutiae(finger, &again));
	}
	for (int form = TYPE9_STANDARD; form < TYPE9_FORMS; form++)
	{
		char         record[TYPE9_MAX_SIZE];
		An2kRecord   parsed = {.type = 9, .idc = 1, .data = (const uint8_t *) record};
		An2kPictures pictures = {{0}, {0}};
		Type9Form    found;

		parsed.size = type9_write(finger, form, 1, record);
		MUST(parsed.size <= sizeof(record));
		if (parsed.size == 0)
			continue;
		/* a form without minutiae is not told from one that is not there */
		if (!type9_read((const uint8_t *) record, &parsed, &pictures, &again, &found, &error))
			continue;
		MUST(found == form && again.count == finger->count);
		check_template(&again);
	}
	for (int format = CARD_NORMAL; format <= CARD_COMPACT; format++)
	{
		uint8_t data[CARD_MAX_SIZE];

		if (card_write(finger, format, data, &size) && size > 0)
		{
			MUST(size <= sizeof(data) && card_read(data, size, format, &again, &error));
			/* unless minutiae happen to look like a data object with fewer inside */
			MUST(again.count == finger->count || get16(data) == 0x7F2E);
		}
	}
	for (int convention = XYT_NIST; convention <= XYT_M1; convention++)
	{
		char text[XYT_MAX_SIZE];

		size = xyt_write(finger, convention, text);
		again = *finger;
		MUST(size < sizeof(text) && xyt_read(text, size, convention, &again, &error));
		MUST(again.count == finger->count);
	}
	for (int i = 0; i < SCALES * AXES * ANGLES; i++)
	{
		if (misreading_undo(finger, i % SCALES, i / SCALES % AXES, i / (SCALES * AXES), &again))
			check_template(&again);
	}
	template_plausibility(finger, &plausibility);
	size = fingerprint_extract(finger, features);
	MUST(fingerprint_features_valid(features, size));
}

typedef struct CheckedViews
{
	size_t size;
	int    views;
	int    sound;
} CheckedViews;

static inline void
check_error(const RecordError *error, size_t size)
{
	MUST(error->field != NULL && error->problem != NULL && error->offset <= size);
}

static inline bool
check_view(const RecordView *view, void *context)
{
	CheckedViews *checked = context;

	MUST(view->number == ++checked->views);
	if (view->finger == NULL)
		check_error(&view->error, checked->size);
	else
	{
		/* of many views a few are written again */
		check_template(view->finger);
		if (checked->sound++ < 4)
			check_writers(view->finger);
	}
	return true;
}

/* anything that says itself what it is */
static inline int
check_fingerprint_record(const uint8_t *data, size_t size)
{
	int sound = 0;

	for (int strict = 0; strict < 2; strict++)
	{
		uint8_t     *copy = exact_copy(data, size);
		CheckedViews checked = {.size = size};
		RecordSource source;
		RecordError  error;
		int          views;

		views = fingerprint_record_visit(copy, size, strict, check_view, &checked, &source, &error);
		MUST(record_kind_name(source.kind) != NULL);
		if (views >= 0)
		{
			MUST(views == checked.views);
			sound += checked.sound;
		}
		else if (error.field != NULL)
			check_error(&error, size);
		free(copy);
	}
	return sound;
}

static inline bool
check_an2k_record(const An2kRecord *record, void *context)
{
	CheckedViews *checked = context;

	MUST(record->number == ++checked->views && record->size > 0);
	if (record->picture != NULL)
		MUST(record->picture >= record->data &&
			 record->picture + record->picture_size <= record->data + record->size);
	return true;
}

static inline int
check_an2k(const uint8_t *data, size_t size)
{
	uint8_t     *copy = exact_copy(data, size);
	CheckedViews checked = {.size = size};
	RecordError  error;
	int          records = an2k_visit(copy, size, check_an2k_record, &checked, &error);

	if (records < 0)
		check_error(&error, size);
	free(copy);
	return records > 0 ? records : 0;
}

static inline int
check_card(const uint8_t *data, size_t size)
{
	int sound = 0;

	for (int format = CARD_NORMAL; format <= CARD_COMPACT; format++)
	{
		uint8_t            *copy = exact_copy(data, size);
		FingerprintTemplate finger;
		RecordError         error;

		if (card_read(copy, size, format, &finger, &error))
		{
			check_writers(&finger);
			sound++;
		}
		else
			check_error(&error, size);
		free(copy);
	}
	return sound;
}

static inline int
check_xyt(const uint8_t *data, size_t size)
{
	int sound = 0;

	for (int convention = XYT_NIST; convention <= XYT_M1; convention++)
	{
		char               *copy = exact_copy(data, size);
		FingerprintTemplate finger = {
			.width = 500, .height = 600, .x_resolution = 197, .y_resolution = 197};
		RecordError error;

		if (xyt_read(copy, size, convention, &finger, &error))
		{
			check_writers(&finger);
			sound++;
		}
		else
			check_error(&error, size);
		free(copy);
	}
	return sound;
}

static inline int
check_text(const uint8_t *data, size_t size)
{
	char        *copy = exact_copy(data, size);
	uint8_t     *bytes = malloc(text_decoded_size(size));
	TextEncoding encoding = text_encoding(copy, size);
	size_t       n;
	int          decoded = 0;

	if (encoding != TEXT_NOT_ENCODED && text_decode(encoding, copy, size, bytes, &n))
	{
		char  *text = malloc(base64_size(n) + 1);
		size_t length = (size_t) (base64_write(bytes, n, text) - text);
		size_t again;

		MUST(n < text_decoded_size(size) && length == base64_size(n));
		MUST(text_decode(TEXT_BASE64, text, length, bytes, &again) && again == n);
		free(text);
		decoded = 1;
	}
	free(bytes);
	free(copy);
	return decoded;
}

/* the forms of an iris: text, binary, and the arrays of open-iris in two halves */
static inline int
check_iris(const uint8_t *data, size_t size)
{
	char       *text = malloc(size + 1);
	uint8_t    *copy = exact_copy(data, size);
	IrisRecord *record = malloc(sizeof(*record));
	IrisRecord *again = malloc(sizeof(*again));
	IrisError   error;
	int         sound = 0;

	memcpy(text, data, size);
	text[size] = '\0';
	if (iris_read_text(text, record, &error))
	{
		char *written = malloc(iris_text_size(&record->iris));

		iris_write_text(&record->iris, written);
		MUST(strlen(written) < iris_text_size(&record->iris));
		MUST(iris_read_text(written, again, &error));
		free(written);
		sound++;
	}
	if (iris_read_binary(copy, size, record, &error))
	{
		uint8_t *written = malloc(iris_binary_size(&record->iris));

		iris_write_binary(&record->iris, written);
		MUST(iris_binary_size(&record->iris) == size && memcmp(written, data, size) == 0);
		free(written);
		sound++;
	}
	if (iris_read_open_iris((const char *) copy, size / 2, (const char *) copy + size / 2,
							size - size / 2, 4, 16, 2, 0, record, &error))
	{
		char *written = malloc(iris_open_iris_size(&record->iris));

		MUST(iris_write_open_iris(&record->iris, record->iris.code, 2, written, &error));
		free(written);
		sound++;
	}
	if (size > 0)
	{
		/* it changes the text */
		memcpy(copy, data, size);
		sound += iris_read_open_iris_json((char *) copy, size, 4, 16, 2, record, &error);
	}
	free(again);
	free(record);
	free(copy);
	free(text);
	return sound;
}

#endif /* RECORD_CHECKS_H */
