/*
 * decode.c
 *		From the bytes of an item to templates, in the binary form of their type.
 *
 * The same readers as in the server, so that what is loaded here is what would
 * be loaded there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/extract.h"
#include "load/load.h"
#include "record/fingerprint_record.h"
#include "record/iris_code.h"
#include "record/text_encoding.h"
#ifdef HAVE_IMAGE_LIBRARIES
#include "image/image.h"
#endif

#define MAX_REASON 400

typedef struct Decoding
{
	const char *position; /* of the finger, where a record does not say; NULL = leave it */
	const char *dpi;
	DecodedView callback;
	void       *context;
} Decoding;

/* a number that a part of a name or an option gives; false if it is none */
static bool
number_of(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && *end == '\0';
}

static void
refuse(const Decoding *decoding, int view, size_t offset, const char *reason)
{
	decoding->callback(decoding->context, view, NULL, 0, offset, reason);
}

/* the position that a name states, for a template that states none */
static bool
set_position(const Decoding *decoding, FingerprintTemplate *finger)
{
	double position = options.finger_position;

	if (decoding->position != NULL && !number_of(decoding->position, &position))
		return false;
	if (position < 0 || finger->position != 0)
		return true;
	if (position > 10 || position != (int) position)
		return false;
	finger->position = (uint8_t) position;
	return true;
}

static void
deliver(const Decoding *decoding, int view, FingerprintTemplate *finger)
{
	uint8_t record[MINUTIAE_RECORD_MAX_SIZE];
	size_t  size;

	if (!set_position(decoding, finger))
	{
		refuse(decoding, view, 0, "the finger position of its name is not a number from 0 to 10");
		return;
	}
	size = minutiae_record_write(finger, ISO19794_2_2005, 0, record);
	decoding->callback(decoding->context, view, record, size, 0, NULL);
}

/* ---- pictures -------------------------------------------------------------------- */

#ifdef HAVE_IMAGE_LIBRARIES
static bool
must_stop(void *argument)
{
	(void) argument;
	return interrupted;
}

static void
decode_picture(const Decoding *decoding, const uint8_t *data, size_t size)
{
	ImageLimits limits = image_default_limits;
	Image       image;
	ImageError  error;
	int         pictures = 1;

	limits.interrupted = must_stop;
	limits.max_bytes = options.max_size;
	for (int which = 0; which < pictures; which++)
	{
		static const char *const problems[] = {
			[EXTRACT_BAD_RESOLUTION] = "the resolution is beyond what is read (125 to 2000 dpi)",
			[EXTRACT_TOO_SMALL] = "the picture is too small for a finger",
			[EXTRACT_TOO_LARGE] = "the picture is too large for a finger",
			[EXTRACT_INTERRUPTED] = "interrupted",
		};
		FingerprintTemplate finger;
		ExtractImage        pixels;
		ExtractStatus       status;
		void               *memory;
		double              dpi;

		if (!image_decode(data, size, which, &limits, &image, &error))
		{
			refuse(decoding, which + 1, 0, error.reason);
			if (which == 0)
				return;
			continue;
		}
		pictures = image.info.pictures;
		dpi = image.info.dpi_x;
		if (decoding->dpi != NULL && !number_of(decoding->dpi, &dpi))
		{
			refuse(decoding, which + 1, 0, "the resolution of its name is not a number");
			image_free(&image);
			return;
		}
		if (!(dpi > 0))
			dpi = options.dpi;
		if (!(dpi > 0))
		{
			refuse(decoding, which + 1, 0,
				   "the picture does not state its resolution: --dpi gives it");
			image_free(&image);
			continue;
		}
		pixels.pixels = image.pixels;
		pixels.width = (int) image.info.width;
		pixels.height = (int) image.info.height;
		pixels.dpi = dpi;
		{
			int width;
			int height;

			status = extract_check(pixels.width, pixels.height, dpi, &width, &height);
		}
		if (status == EXTRACT_OK)
		{
			memory = allocate(extract_memory_size(pixels.width, pixels.height, dpi));
			status = extract_minutiae(&pixels, memory, must_stop, NULL, NULL, &finger);
			free(memory);
		}
		image_free(&image);
		if (status != EXTRACT_OK)
		{
			refuse(decoding, which + 1, 0, problems[status]);
			continue;
		}
		if (image.info.finger_position >= 0 && image.info.finger_position <= 10)
			finger.position = (uint8_t) image.info.finger_position;
		deliver(decoding, which + 1, &finger);
	}
}
#endif

/* ---- records ----------------------------------------------------------------------- */

static bool
visit(const RecordView *view, void *context)
{
	const Decoding     *decoding = context;
	FingerprintTemplate finger;
	char                reason[MAX_REASON];

	if (view->finger == NULL)
	{
		snprintf(reason, sizeof(reason), "%s %s", view->error.field, view->error.problem);
		refuse(decoding, view->number, view->error.offset, reason);
		return true;
	}
	finger = *view->finger;
	deliver(decoding, view->number, &finger);
	return !interrupted;
}

static void
decode_fingerprint(const Decoding *decoding, const uint8_t *data, size_t size)
{
	RecordSource source;
	RecordError  error = {0};
	char         reason[MAX_REASON];
	const char  *hint;

	if (fingerprint_record_visit(data, size, options.strict, visit, (void *) decoding, &source,
								 &error) >= 0)
		return;
	if (error.field != NULL)
	{
		snprintf(reason, sizeof(reason), "%s: %s %s",
				 source.format < MINUTIAE_FORMATS ? minutiae_format_name(source.format)
												  : record_kind_name(source.kind),
				 error.field, error.problem);
		refuse(decoding, 0, error.offset, reason);
		return;
	}
#ifdef HAVE_IMAGE_LIBRARIES
	if (image_format(data, size) != IMAGE_UNKNOWN)
	{
		decode_picture(decoding, data, size);
		return;
	}
#endif
	hint = record_kind_hint(source.kind);
	snprintf(reason, sizeof(reason), "it is %s%s%s", record_kind_name(source.kind),
			 hint == NULL ? "" : ": ", hint == NULL ? "" : hint);
	refuse(decoding, 0, 0, reason);
}

/* a text form or the binary one */
static void
decode_iris(const Decoding *decoding, const uint8_t *data, size_t size)
{
	IrisRecord *record = allocate(sizeof(IrisRecord));
	char       *text = allocate(size + 1);
	uint8_t    *binary;
	IrisError   error;
	bool        sound;

	memcpy(text, data, size);
	/* lines of files end with a newline */
	for (size_t n = size; n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL; n--)
		text[n - 1] = '\0';
	sound = size > 0 && data[0] == IRIS_BINARY_VERSION
				? iris_read_binary(data, size, record, &error)
				: iris_read_text(text, record, &error);
	free(text);
	if (!sound)
		refuse(decoding, 0, 0, error.reason);
	else
	{
		size = iris_binary_size(&record->iris);
		binary = allocate(size);
		iris_write_binary(&record->iris, binary);
		decoding->callback(decoding->context, 1, binary, size, 0, NULL);
		free(binary);
	}
	free(record);
}

void
decode_item(const Item *item, const char *position, const char *dpi, DecodedView callback,
			void *context)
{
	Decoding       decoding = {position, dpi, callback, context};
	const uint8_t *data = item->data;
	size_t         size = item->size;
	uint8_t       *decoded = NULL;
	TextEncoding   encoding;

	if (item->problem != NULL)
	{
		refuse(&decoding, 0, 0, item->problem);
		return;
	}
	if (options.iris)
	{
		decode_iris(&decoding, data, size);
		return;
	}
	encoding = text_encoding((const char *) data, size);
	if (encoding != TEXT_NOT_ENCODED && size > 0)
	{
		size_t n;

		decoded = allocate(text_decoded_size(size));
		if (!text_decode(encoding, (const char *) data, size, decoded, &n))
		{
			refuse(&decoding, 0, n, "the text is neither hexadecimal digits nor base64");
			free(decoded);
			return;
		}
		data = decoded;
		size = n;
	}
	decode_fingerprint(&decoding, data, size);
	free(decoded);
}
