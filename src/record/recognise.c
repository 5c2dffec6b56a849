/*
 * recognise.c
 *		What some bytes are, told from their contents.
 */
#include "record/recognise.h"

#include <stdbool.h>
#include <string.h>

#include "record/text_encoding.h"

#define EXTRACT_HINT                                                                         \
	"Minutiae have to be extracted from a picture first: see fingerprint_from_image of the " \
	"extension biometric_image."

static const struct
{
	const char *name;
	const char *hint;
} kinds[RECORD_KINDS] = {
	[RECORD_UNKNOWN] = {"of a kind that is not known", NULL},
	[RECORD_EMPTY] = {"empty", NULL},
	[RECORD_ZEROES] = {"all zero", NULL},
	[RECORD_MINUTIAE] = {"a finger minutiae record", NULL},
	[RECORD_AN2K] = {"an ANSI/NIST-ITL file", "Use an2k_records(bytea) to see its records."},
	[RECORD_CBEFF] = {"a CBEFF record of PIV", NULL},
	[RECORD_CBEFF_XML] = {"a CBEFF record in XML", "Use cbeff_blocks(xml) for the records in it."},
	[RECORD_CARD_OBJECT] = {"a card's biometric data object",
							"Use fingerprint_from_card(bytea, format) for the minutiae in it."},
	[RECORD_FINGER_IMAGE] = {"a finger image record (ISO/IEC 19794-4, ANSI/INCITS 381)",
							 EXTRACT_HINT},
	[RECORD_IRIS_IMAGE] = {"an iris image record (ISO/IEC 19794-6)",
						   "An iris encoder has to make a code from the picture first."},
	[RECORD_FACE_IMAGE] = {"a face image record (ISO/IEC 19794-5)", NULL},
	[RECORD_AN2K_XML] = {"an ANSI/NIST-ITL package in XML",
						 "Convert it to the traditional form, which an2k_records(bytea) reads."},
	[RECORD_OPEN_IRIS] = {"an open-iris template", "Use iris_from_open_iris_json(jsonb)."},
	[RECORD_XYT] = {"minutiae in NIST's xyt form",
					"Use fingerprint_from_xyt(text, convention, width, height)."},
	[RECORD_WSQ] = {"a WSQ picture", EXTRACT_HINT},
	[RECORD_JPEG_2000] = {"a JPEG 2000 picture", EXTRACT_HINT},
	[RECORD_PNG] = {"a PNG picture", EXTRACT_HINT},
	[RECORD_JPEG] = {"a JPEG picture", EXTRACT_HINT},
	[RECORD_TIFF] = {"a TIFF picture", EXTRACT_HINT},
	[RECORD_BMP] = {"a BMP picture", EXTRACT_HINT},
	[RECORD_GZIP] = {"gzip-compressed", "Decompress the bytes first."},
	[RECORD_ZIP] = {"a zip archive", "Unpack the archive first."},
	[RECORD_PDF] = {"a PDF document", NULL},
	[RECORD_XML] = {"an XML document", NULL},
	[RECORD_HEX_TEXT] = {"text in hexadecimal digits",
						 "Use decode(convert_from(value, 'UTF8'), 'hex') for the bytes, or cast "
						 "the text to fingerprint."},
	[RECORD_BASE64_TEXT] = {"text in base64",
							"Use decode(convert_from(value, 'UTF8'), 'base64') for the bytes, or "
							"cast the text to fingerprint."},
	[RECORD_TEXT] = {"text", NULL},
};

const char *
record_kind_name(RecordKind kind)
{
	return kinds[kind].name;
}

const char *
record_kind_hint(RecordKind kind)
{
	return kinds[kind].hint;
}

/* beginnings of formats, and for some what has to stand elsewhere */
static const struct
{
	const char *bytes;
	size_t      size;
	RecordKind  kind;
} beginnings[] = {
	{"FMR\0", 4, RECORD_MINUTIAE},
	{"FIR\0", 4, RECORD_FINGER_IMAGE},
	{"IIR\0", 4, RECORD_IRIS_IMAGE},
	{"FAC\0", 4, RECORD_FACE_IMAGE},
	{"\xFF\xA0\xFF", 3, RECORD_WSQ},
	{"\0\0\0\x0CjP  ", 8, RECORD_JPEG_2000},
	{"\xFF\x4F\xFF\x51", 4, RECORD_JPEG_2000},
	{"\x89PNG\r\n\x1A\n", 8, RECORD_PNG},
	{"\xFF\xD8\xFF", 3, RECORD_JPEG},
	{"II*\0", 4, RECORD_TIFF},
	{"MM\0*", 4, RECORD_TIFF},
	{"BM", 2, RECORD_BMP},
	{"\x1F\x8B\x08", 3, RECORD_GZIP},
	{"PK\x03\x04", 4, RECORD_ZIP},
	{"%PDF-", 5, RECORD_PDF},
	{"\x7F\x61", 2, RECORD_CARD_OBJECT},
	{"\x7F\x60", 2, RECORD_CARD_OBJECT},
	{"\x7F\x2E", 2, RECORD_CARD_OBJECT},
	{"\x5F\x2E", 2, RECORD_CARD_OBJECT},
};

/* Only so much of a text is searched for a word: it stands near the beginning */
#define SEARCHED 4096

static bool
contains(const uint8_t *data, size_t size, const char *word)
{
	size_t length = strlen(word);

	if (size > SEARCHED)
		size = SEARCHED;
	for (size_t i = 0; i + length <= size; i++)
	{
		if (data[i] == (uint8_t) word[0] && memcmp(data + i, word, length) == 0)
			return true;
	}
	return false;
}

static bool
all_zero(const uint8_t *data, size_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* "1.001:" or "1.01:", the length of the Type-1 record */
static bool
begins_an2k(const uint8_t *data, size_t size)
{
	size_t i = 2;

	if (size < 8 || memcmp(data, "1.0", 3) != 0)
		return false;
	while (i < 5 && data[i] == '0')
		i++;
	return data[i] == '1' && data[i + 1] == ':';
}

/*
 * PIV's header: patron header version 3; format owner 27 is INCITS M1.  The
 * data object of a card has it in tags 53 and BC.
 */
static bool
begins_piv(const uint8_t *data, size_t size)
{
	if (size > 8 && data[0] == 0x53)
	{
		for (size_t i = 2; i <= 5; i++)
		{
			if (data[i] == 0xBC)
				return true;
		}
		return false;
	}
	return size >= 88 && data[0] == 0x03 && data[8] == 0x00 && data[9] == 0x1B;
}

/* lines of three or four numbers */
static bool
is_xyt(const uint8_t *data, size_t size)
{
	int  numbers = 0;
	int  lines = 0;
	bool in_number = false;

	if (size > SEARCHED)
		size = SEARCHED;
	for (size_t i = 0; i < size; i++)
	{
		bool digit = data[i] >= '0' && data[i] <= '9';

		if (!digit && data[i] != '-' && data[i] != ' ' && data[i] != '\t' && data[i] != '\r' &&
			data[i] != '\n')
			return false;
		if (digit && !in_number)
			numbers++;
		in_number = digit;
		if (data[i] == '\n' && numbers > 0)
		{
			if (numbers != 3 && numbers != 4)
				return false;
			numbers = 0;
			lines++;
		}
	}
	return lines > 0 || numbers == 3 || numbers == 4;
}

static RecordKind
recognise_text(const uint8_t *data, size_t size)
{
	size_t start = 0;

	if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		start = 3; /* byte order mark */
	while (start < size && (data[start] == ' ' || (data[start] >= '\t' && data[start] <= '\r')))
		start++;
	for (size_t i = start; i < size && i < SEARCHED; i++)
	{
		if (data[i] < ' ' && (data[i] < '\t' || data[i] > '\r'))
			return RECORD_UNKNOWN;
	}
	if (start == size)
		return RECORD_TEXT;
	data += start;
	size -= start;
	if (data[0] == '<')
	{
		if (contains(data, size, "BIR") && contains(data, size, "BDB"))
			return RECORD_CBEFF_XML;
		if (contains(data, size, "NISTBiometricInformationExchangePackage"))
			return RECORD_AN2K_XML;
		return RECORD_XML;
	}
	if (data[0] == '{' && contains(data, size, "iris_codes"))
		return RECORD_OPEN_IRIS;
	if (is_xyt(data, size))
		return RECORD_XYT;
	switch (text_encoding((const char *) data, size))
	{
		case TEXT_HEX:
			return RECORD_HEX_TEXT;
		case TEXT_BASE64:
			return size >= 16 ? RECORD_BASE64_TEXT : RECORD_TEXT;
		case TEXT_NOT_ENCODED:
		default:
			return RECORD_TEXT;
	}
}

RecordKind
record_recognise(const uint8_t *data, size_t size)
{
	if (size == 0)
		return RECORD_EMPTY;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
	{
		if (size >= beginnings[i].size &&
			memcmp(data, beginnings[i].bytes, beginnings[i].size) == 0)
			return beginnings[i].kind;
	}
	if (all_zero(data, size))
		return RECORD_ZEROES;
	if (begins_an2k(data, size))
		return RECORD_AN2K;
	if (begins_piv(data, size))
		return RECORD_CBEFF;
	return recognise_text(data, size);
}
