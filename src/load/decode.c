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
#include "record/an2k.h"
#include "record/fingerprint_record.h"
#include "record/iris_code.h"
#include "record/open_iris_json.h"
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

	if (decoding->position != NULL &&
		(!number_of(decoding->position, &position) || !(position >= 0 && position <= 10) ||
		 position != (int) position))
		return false;
	if (position < 0 || finger->position != 0)
		return true;
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

static bool
must_stop(void *argument)
{
	(void) argument;
	return interrupted;
}

/*
 * Takes the minutiae of grey pixels.  The resolution is that of the file's
 * name, else the one stated, else that of the command line.
 */
static void
decode_pixels(const Decoding *decoding, int view, const uint8_t *pixels, int width, int height,
			  double stated_dpi, int position, int impression)
{
	static const char *const problems[] = {
		[EXTRACT_BAD_RESOLUTION] = "the resolution is beyond what is read (125 to 2000 dpi)",
		[EXTRACT_TOO_SMALL] = "the picture is too small for a finger",
		[EXTRACT_TOO_LARGE] = "the picture is too large for a finger",
		[EXTRACT_INTERRUPTED] = "interrupted",
	};
	ExtractImage        picture = {pixels, width, height, stated_dpi};
	FingerprintTemplate finger;
	ExtractStatus       status;
	void               *memory;
	int                 scaled_width;
	int                 scaled_height;

	if (decoding->dpi != NULL && !number_of(decoding->dpi, &picture.dpi))
	{
		refuse(decoding, view, 0, "the resolution of its name is not a number");
		return;
	}
	if (!(picture.dpi > 0))
		picture.dpi = options.dpi;
	if (!(picture.dpi > 0))
	{
		refuse(decoding, view, 0, "the picture does not state its resolution: --dpi gives it");
		return;
	}
	status = extract_check(width, height, picture.dpi, &scaled_width, &scaled_height);
	if (status == EXTRACT_OK)
	{
		memory = allocate(extract_memory_size(width, height, picture.dpi));
		status = extract_minutiae(&picture, memory, must_stop, NULL, NULL, &finger);
		free(memory);
	}
	if (status != EXTRACT_OK)
	{
		refuse(decoding, view, 0, problems[status]);
		return;
	}
	finger.position = (uint8_t) position;
	finger.impression = (uint8_t) impression;
	deliver(decoding, view, &finger);
}

#ifdef HAVE_IMAGE_LIBRARIES
static bool
decode_image(const uint8_t *data, size_t size, int which, Image *image, ImageError *error)
{
	ImageLimits limits = image_default_limits;

	limits.interrupted = must_stop;
	limits.max_bytes = options.max_size;
	return image_decode(data, size, which, &limits, image, error);
}

static void
decode_picture(const Decoding *decoding, const uint8_t *data, size_t size)
{
	Image      image;
	ImageError error;
	int        pictures = 1;

	for (int which = 0; which < pictures && !interrupted; which++)
	{
		int position;
		int impression;

		if (!decode_image(data, size, which, &image, &error))
		{
			refuse(decoding, which + 1, 0, error.reason);
			if (which == 0)
				return;
			continue;
		}
		pictures = image.info.pictures;
		/* as fingerprint_from_image has it */
		position = image.info.finger_position;
		impression = image.info.impression_type;
		decode_pixels(decoding, which + 1, image.pixels, (int) image.info.width,
					  (int) image.info.height, image.info.dpi_x,
					  position >= 0 && position <= 10 ? position : 0,
					  (impression >= 0 && impression <= 3) || impression == 8 ? impression : 0);
		image_free(&image);
	}
}
#endif

/* ---- pictures in ANSI/NIST files ------------------------------------------------------ */

typedef struct Transaction
{
	Decoding        decoding; /* its callback counts the rows and rejects */
	const Decoding *outer;
	const uint8_t  *file;
	An2kPictures    pictures;
	bool            has_minutiae[256]; /* by IDC: these pictures were read before */
	int             views;             /* shown until now */
	int             record;            /* whose number goes into reasons */
	int             type;
} Transaction;

/* the Type-9 records whose minutiae will be read */
static bool
note_minutiae(const An2kRecord *record, void *context)
{
	Transaction        *transaction = context;
	FingerprintTemplate finger;
	Type9Form           form;
	RecordError         error;

	if (record->type == 9 && record->idc >= 0 && record->idc <= 255 &&
		type9_read(transaction->file, record, &transaction->pictures, &finger, &form, &error))
		transaction->has_minutiae[record->idc] = true;
	return true;
}

/* says which record a reason is about */
static void
deliver_of_transaction(void *context, int view, const uint8_t *bytes, size_t size, size_t offset,
					   const char *problem)
{
	const Transaction *transaction = context;
	char               reason[MAX_REASON];

	if (problem != NULL)
		snprintf(reason, sizeof(reason), "record %d (Type-%d): %s", transaction->record,
				 transaction->type, problem);
	transaction->outer->callback(transaction->outer->context, view, bytes, size, offset,
								 problem == NULL ? NULL : reason);
}

/* a picture of a finger, unless there are minutiae of it */
static bool
decode_record(const An2kRecord *record, void *context)
{
	Transaction    *transaction = context;
	const Decoding *decoding = &transaction->decoding;
	bool            finger = record->type == 4 || record->type == 13 || record->type == 14;
	double          dpi = record->resolution * 2.54;
	uint8_t         position;
	const char     *problem;
	char            reason[MAX_REASON];

	if (interrupted)
		return false;
	if (record->picture == NULL || !(finger || (record->type >= 3 && record->type <= 6)) ||
		(record->idc >= 0 && record->idc <= 255 && transaction->has_minutiae[record->idc]))
		return true;
	transaction->record = record->number;
	transaction->type = record->type;
	transaction->views++;
	problem = an2k_finger(record->position, &position);
	if (!finger)
		refuse(decoding, transaction->views, 0, "pictures of this type are not read");
	else if (problem != NULL)
	{
		snprintf(reason, sizeof(reason), "the finger position %s", problem);
		refuse(decoding, transaction->views, 0, reason);
	}
	else if (record->compression_length == 4 && memcmp(record->compression, "NONE", 4) == 0)
	{
		if (record->width < 1 || record->height < 1 ||
			(size_t) record->width * (size_t) record->height != record->picture_size)
			refuse(decoding, transaction->views, 0,
				   "the picture is not as wide and high as the record says, with a byte a pixel");
		else
			decode_pixels(decoding, transaction->views, record->picture, record->width,
						  record->height, dpi, position, an2k_impression(record->impression));
	}
	else
	{
#ifdef HAVE_IMAGE_LIBRARIES
		Image      image;
		ImageError error;

		if (!decode_image(record->picture, record->picture_size, 0, &image, &error))
			refuse(decoding, transaction->views, 0, error.reason);
		else
		{
			decode_pixels(decoding, transaction->views, image.pixels, (int) image.info.width,
						  (int) image.info.height, dpi > 0 ? dpi : image.info.dpi_x, position,
						  an2k_impression(record->impression));
			image_free(&image);
		}
#else
		refuse(decoding, transaction->views, 0,
			   "this program was built without the libraries that read pictures");
#endif
	}
	return true;
}

/* those of fingers, behind the minutiae; views counts the rows and rejects there were before */
static int
decode_transaction(const Decoding *decoding, int views, const uint8_t *data, size_t size,
				   RecordError *error)
{
	Transaction *transaction = allocate(sizeof(Transaction));
	int          result;

	memset(transaction, 0, sizeof(*transaction));
	transaction->outer = decoding;
	transaction->decoding = *decoding;
	transaction->decoding.callback = deliver_of_transaction;
	transaction->decoding.context = transaction;
	transaction->file = data;
	transaction->views = views;
	an2k_pictures(data, size, &transaction->pictures);
	result = an2k_visit(data, size, note_minutiae, transaction, error);
	/* what is before the place that is wrong is read, as with minutiae */
	an2k_visit(data, size, decode_record, transaction, error);
	if (result >= 0 && transaction->views == 0)
	{
		*error = (RecordError){.field = "file",
							   .problem = "has neither minutiae nor pictures of fingers"};
		result = -1;
	}
	free(transaction);
	return result;
}

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

/* passes views on and counts them */
typedef struct Counter
{
	const Decoding *decoding;
	int             views;
} Counter;

static bool
visit_counting(const RecordView *view, void *context)
{
	Counter *counter = context;

	counter->views = view->number;
	return visit(view, (void *) counter->decoding);
}

static void
decode_fingerprint(const Decoding *decoding, const uint8_t *data, size_t size)
{
	RecordSource source;
	RecordError  error = {0};
	Counter      counter = {decoding, 0};
	char         reason[MAX_REASON];
	const char  *hint;
	int          views;

	views = fingerprint_record_visit(data, size, options.strict, visit_counting, &counter, &source,
									 &error);
	if (source.kind == RECORD_AN2K)
		views = decode_transaction(decoding, counter.views, data, size, &error);
	if (views >= 0)
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

/* what open-iris has unless told otherwise, as in iris_from_open_iris_json() */
#define OPEN_IRIS_ROWS     16
#define OPEN_IRIS_COLUMNS  256
#define OPEN_IRIS_WAVELETS 2

/* a text form, the binary one, or what open-iris writes */
static void
decode_iris(const Decoding *decoding, const uint8_t *data, size_t size)
{
	IrisRecord *record = allocate(sizeof(IrisRecord));
	char       *text = allocate(size + 1);
	uint8_t    *binary;
	IrisError   error;
	size_t      length = size;
	bool        sound;

	/* lines of files end with a newline */
	while (length > 0 && data[length - 1] != '\0' && strchr(" \t\r\n", data[length - 1]) != NULL)
		length--;
	memcpy(text, data, length);
	text[length] = '\0';
	if (size > 0 && data[0] == IRIS_BINARY_VERSION)
		sound = iris_read_binary(data, size, record, &error);
	else if (text[strspn(text, " \t\r\n")] == '{')
		sound = iris_read_open_iris_json(text, length, OPEN_IRIS_ROWS, OPEN_IRIS_COLUMNS,
										 OPEN_IRIS_WAVELETS, record, &error);
	else
		sound = iris_read_text(text, record, &error);
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
