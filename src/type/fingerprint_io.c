/*
 * fingerprint_io.c
 *		Text and binary form of the type fingerprint.
 *
 * The text form is
 *
 *		(finger 2, view 0, impression 0, quality 80, device 0,
 *		 size 388x374, resolution 197x197) e100,14,80,90 b164,17,60,80
 *
 * on one line: the header, then for each minutia its type (e ridge ending,
 * b bifurcation, o other), x, y, angle and quality in the units of
 * ISO/IEC 19794-2:2005 (angle in 1/256 turns), so that nothing is lost.  Input
 * takes the header's entries in any order; all but size and resolution may be
 * left out and are then 0.  Input also takes hexadecimal digits, with or without
 * \x, and base64 of any record that can be read.  The binary form is the record.
 */
#include "postgres.h"

#include "compat.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "type/fingerprint.h"
#include "record/text_encoding.h"

static const char minutia_letters[] = {'o', 'e', 'b'}; /* by MinutiaType */

typedef enum HeaderEntry
{
	ENTRY_FINGER,
	ENTRY_VIEW,
	ENTRY_IMPRESSION,
	ENTRY_QUALITY,
	ENTRY_DEVICE,
	ENTRY_SIZE,
	ENTRY_RESOLUTION,
	ENTRIES
} HeaderEntry;

static const struct
{
	const char *name;
	unsigned    min;
	unsigned    max;
	bool        pair; /* two numbers with an x between them */
} entries[ENTRIES] = {
	[ENTRY_FINGER] = {"finger", 0, FINGERPRINT_MAX_POSITION, false},
	[ENTRY_VIEW] = {"view", 0, 15, false},
	[ENTRY_IMPRESSION] = {"impression", 0, 15, false},
	[ENTRY_QUALITY] = {"quality", 0, 100, false},
	[ENTRY_DEVICE] = {"device", 0, 65535, false},
	[ENTRY_SIZE] = {"size", 1, 16384, true},
	[ENTRY_RESOLUTION] = {"resolution", 1, 65535, true},
};

/* Less than this in hexadecimal digits or base64 is just a word */
#define SMALLEST_RECORD 24

/* Where the parser is, and the first thing it did not like */
typedef struct Parser
{
	const char *start;
	const char *next;
	const char *problem;
} Parser;

static bool
parse_problem(Parser *parser, const char *problem)
{
	if (parser->problem == NULL)
		parser->problem = problem;
	return false;
}

static void
skip_space(Parser *parser)
{
	while (*parser->next == ' ' || *parser->next == '\t' || *parser->next == '\n' ||
		   *parser->next == '\r')
		parser->next++;
}

static bool
parse_character(Parser *parser, char character, const char *problem)
{
	if (*parser->next != character)
		return parse_problem(parser, problem);
	parser->next++;
	return true;
}

/* digits of a number of at most six of them */
static bool
parse_number(Parser *parser, unsigned min, unsigned max, unsigned *result)
{
	const char *digits = parser->next;
	unsigned    value = 0;

	while (*parser->next >= '0' && *parser->next <= '9' && parser->next - digits < 6)
		value = value * 10 + (unsigned) (*parser->next++ - '0');
	if (parser->next == digits)
		return parse_problem(parser, "a number is expected");
	if (value < min || value > max)
	{
		parser->next = digits;
		return parse_problem(parser, "the number is out of range");
	}
	*result = value;
	return true;
}

/* one entry of the header, for instance "size 388x374" */
static bool
parse_entry(Parser *parser, unsigned values[][2], bool *seen)
{
	for (int i = 0; i < ENTRIES; i++)
	{
		size_t length = strlen(entries[i].name);

		if (strncmp(parser->next, entries[i].name, length) != 0 || parser->next[length] != ' ')
			continue;
		if (seen[i])
			return parse_problem(parser, "the entry is given twice");
		seen[i] = true;
		parser->next += length;
		skip_space(parser);
		if (!parse_number(parser, entries[i].min, entries[i].max, &values[i][0]))
			return false;
		return !entries[i].pair ||
			   (parse_character(parser, 'x', "an \"x\" between two numbers is expected") &&
				parse_number(parser, entries[i].min, entries[i].max, &values[i][1]));
	}
	return parse_problem(parser, "the name of a header entry is expected");
}

static bool
parse_header(Parser *parser, FingerprintTemplate *finger)
{
	unsigned values[ENTRIES][2] = {{0}};
	bool     seen[ENTRIES] = {false};

	if (!parse_character(parser, '(', "an opening parenthesis is expected"))
		return false;
	for (;;)
	{
		skip_space(parser);
		if (!parse_entry(parser, values, seen))
			return false;
		skip_space(parser);
		if (*parser->next == ')')
			break;
		if (!parse_character(parser, ',', "a comma or a closing parenthesis is expected"))
			return false;
	}
	if (!seen[ENTRY_SIZE] || !seen[ENTRY_RESOLUTION])
		return parse_problem(parser, "the header lacks size or resolution");
	parser->next++;

	finger->position = (uint8_t) values[ENTRY_FINGER][0];
	finger->view = (uint8_t) values[ENTRY_VIEW][0];
	finger->impression = (uint8_t) values[ENTRY_IMPRESSION][0];
	finger->quality = (uint8_t) values[ENTRY_QUALITY][0];
	finger->device = (uint16_t) values[ENTRY_DEVICE][0];
	finger->width = (uint16_t) values[ENTRY_SIZE][0];
	finger->height = (uint16_t) values[ENTRY_SIZE][1];
	finger->x_resolution = (uint16_t) values[ENTRY_RESOLUTION][0];
	finger->y_resolution = (uint16_t) values[ENTRY_RESOLUTION][1];
	return true;
}

static bool
parse_minutia(Parser *parser, const FingerprintTemplate *finger, Minutia *result)
{
	const char *letter = memchr(minutia_letters, *parser->next, sizeof(minutia_letters));
	unsigned    maxima[4] = {finger->width - 1, finger->height - 1, 255, 100};
	unsigned    values[4];

	if (letter == NULL)
		return parse_problem(parser, "a minutia type (e, b or o) is expected");
	parser->next++;
	for (int i = 0; i < 4; i++)
	{
		if (i > 0 && !parse_character(parser, ',', "a comma is expected"))
			return false;
		if (!parse_number(parser, 0, maxima[i], &values[i]))
			return false;
	}
	result->type = (uint8_t) (letter - minutia_letters);
	result->x = (uint16_t) values[0];
	result->y = (uint16_t) values[1];
	result->angle = (uint8_t) values[2];
	result->quality = (uint8_t) values[3];
	return true;
}

static bool
parse_fingerprint(Parser *parser, FingerprintTemplate *finger)
{
	memset(finger, 0, sizeof(*finger));
	if (!parse_header(parser, finger))
		return false;
	for (;;)
	{
		const char *before = parser->next;

		skip_space(parser);
		if (*parser->next == '\0')
			return true;
		if (parser->next == before)
			return parse_problem(parser, "a space is expected");
		if (finger->count == FINGERPRINT_MAX_MINUTIAE)
			return parse_problem(parser, "there are more than 255 minutiae");
		if (!parse_minutia(parser, finger, &finger->minutiae[finger->count]))
			return false;
		finger->count++;
	}
}

uint8 *
text_to_bytes(const char *text, Size length, Size *size)
{
	TextEncoding encoding = text_encoding(text, length);
	uint8       *bytes;

	if (encoding == TEXT_NOT_ENCODED)
		return NULL;
	bytes = palloc(text_decoded_size(length));
	return text_decode(encoding, text, length, bytes, size) ? bytes : NULL;
}

/* the text after \x: a record in hexadecimal digits, to the end of the text */
static bool
read_hex(const char *digits, FingerprintTemplate *result, InputProblem *problem)
{
	Size   length = strlen(digits);
	uint8 *record = palloc(text_decoded_size(length));
	Size   size;

	if (!text_decode(TEXT_HEX, digits, length, record, &size))
	{
		problem->message = "invalid finger minutiae record";
		problem->detail = size < length
							  ? psprintf("Character %zu is not a hexadecimal digit.", size + 3)
							  : "The number of hexadecimal digits is odd.";
		return false;
	}
	return fingerprint_read_record(record, size, 0, false, problem->code, result, problem);
}

bool
fingerprint_read_text(const char *text, FingerprintTemplate *result, InputProblem *problem)
{
	Parser parser = {text, text, NULL};
	uint8 *record;
	Size   size;

	*problem = (InputProblem){.code = ERRCODE_INVALID_TEXT_REPRESENTATION};
	skip_space(&parser);
	if (parser.next[0] == '\\' && parser.next[1] == 'x')
		return read_hex(parser.next + 2, result, problem);
	if (*parser.next != '(')
	{
		record = text_to_bytes(parser.next, strlen(parser.next), &size);
		if (record != NULL && size >= SMALLEST_RECORD)
			return fingerprint_read_record(record, size, 0, false, problem->code, result, problem);
		if (*parser.next == '<' || *parser.next == '{')
			return fingerprint_read_record((const uint8 *) text, strlen(text), 0, false,
										   problem->code, result, problem);
	}
	if (parse_fingerprint(&parser, result))
		return true;
	problem->message = "invalid input syntax for type fingerprint";
	problem->detail =
		psprintf("At character %zu %s.", (Size) (parser.next - parser.start) + 1, parser.problem);
	problem->hint =
		*parser.start == '('
			? NULL
			: "A fingerprint is written as (finger ..., size ..., resolution ...) and its minutiae, "
			  "or as a record in hexadecimal digits or base64.";
	return false;
}

PG_FUNCTION_INFO_V1(biometric_fingerprint_in);
Datum
biometric_fingerprint_in(PG_FUNCTION_ARGS)
{
	char               *text = PG_GETARG_CSTRING(0);
	FingerprintTemplate finger;
	InputProblem        problem;

	if (!fingerprint_read_text(text, &finger, &problem))
		ereturn(fcinfo->context, (Datum) 0, problem_report(&problem));
	/* not of its own form, which a restored dump has; nor where problems are only asked for */
	if (fcinfo->context == NULL && strchr(text, '(') == NULL)
		fingerprint_notice(&finger);
	return fingerprint_pack(&finger);
}

PG_FUNCTION_INFO_V1(biometric_fingerprint_out);
Datum
biometric_fingerprint_out(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	StringInfoData      text;

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	initStringInfo(&text);
	appendStringInfo(
		&text,
		"(finger %d, view %d, impression %d, quality %d, device %d, size %dx%d, resolution %dx%d)",
		finger.position, finger.view, finger.impression, finger.quality, finger.device,
		finger.width, finger.height, finger.x_resolution, finger.y_resolution);
	for (int i = 0; i < finger.count; i++)
	{
		Minutia *minutia = &finger.minutiae[i];

		appendStringInfo(&text, " %c%d,%d,%d,%d", minutia_letters[minutia->type], minutia->x,
						 minutia->y, minutia->angle, minutia->quality);
	}
	PG_RETURN_CSTRING(text.data);
}

PG_FUNCTION_INFO_V1(biometric_fingerprint_recv);
Datum
biometric_fingerprint_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int        size = message->len - message->cursor;

	FingerprintTemplate finger;
	InputProblem        problem;

	if (!fingerprint_read_record((const uint8 *) pq_getmsgbytes(message, size), size, 0, false,
								 ERRCODE_INVALID_BINARY_REPRESENTATION, &finger, &problem))
		ereport(ERROR, problem_report(&problem));
	fingerprint_notice(&finger);
	return fingerprint_pack(&finger);
}

PG_FUNCTION_INFO_V1(biometric_fingerprint_send);
Datum
biometric_fingerprint_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}
