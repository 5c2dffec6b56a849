/*
 * iris_code.c
 *		The forms in which iris codes enter and leave.  All input is checked
 *		here, so matching can rely on what these functions accept.
 */
#include "record/iris_code.h"

#include <stdio.h>
#include <string.h>

#include "record/text_encoding.h"

/* says why, and is false */
#define refuse(error, ...) (snprintf((error)->reason, sizeof((error)->reason), __VA_ARGS__), false)

/* ---- geometry and eye ---------------------------------------------------- */

static const char *const eye_names[] = {"unknown", "right", "left"};

const char *
iris_eye_name(int eye)
{
	return eye_names[eye];
}

bool
iris_eye_from_name(const char *name, size_t length, uint8_t *eye)
{
	for (int i = 0; i < 3; i++)
	{
		if (strlen(eye_names[i]) == length && memcmp(name, eye_names[i], length) == 0)
		{
			*eye = (uint8_t) i;
			return true;
		}
	}
	return false;
}

static bool
check_geometry(int64_t columns, int64_t bits, IrisError *error)
{
	if (iris_geometry_valid(columns, bits))
		return true;
	if (columns < IRIS_MIN_COLUMNS || columns > IRIS_MAX_COLUMNS)
		return refuse(error, "An iris code has %d to %d columns, not %lld.", IRIS_MIN_COLUMNS,
					  IRIS_MAX_COLUMNS, (long long) columns);
	if (bits < 1 || bits > IRIS_MAX_COLUMN_BITS)
		return refuse(error, "A column has 1 to %d bits, not %lld.", IRIS_MAX_COLUMN_BITS,
					  (long long) bits);
	return refuse(
		error,
		"A code of %lld columns of %lld bits is too large: the limit is %d bytes, columns rounded up to bytes.",
		(long long) columns, (long long) bits, IRIS_MAX_FEATURE_CODE);
}

static void
begin_record(IrisRecord *record, int64_t columns, int64_t bits, uint8_t eye)
{
	record->iris.columns = (uint16_t) columns;
	record->iris.bits = (uint16_t) bits;
	record->iris.eye = eye;
	record->iris.code = record->code;
	record->iris.mask = record->mask;
}

static size_t
code_bytes(const IrisTemplate *iris)
{
	return IRIS_CODE_BYTES((size_t) iris->columns, iris->bits);
}

/* the bits of the last byte that are beyond the code */
static bool
check_tail(const IrisRecord *record, IrisError *error)
{
	size_t used = IRIS_CODE_BITS((size_t) record->iris.columns, record->iris.bits);
	size_t last = code_bytes(&record->iris) - 1;

	if (used % 8 == 0)
		return true;
	if (record->code[last] >> (used % 8) != 0)
		return refuse(error, "The code has bits set beyond its %lld bits.", (long long) used);
	if (record->mask[last] >> (used % 8) != 0)
		return refuse(error, "The mask has bits set beyond its %lld bits.", (long long) used);
	return true;
}

/* ---- base64 --------------------------------------------------------------- */

/*
 * Reads exactly "expected" bytes, at most IRIS_MAX_CODE_BYTES; what names the
 * part in errors.  Our own text form is exact; what others write may have
 * broken lines or lack its padding.
 */
static bool
base64_read(const char *text, size_t length, const char *what, uint8_t *bytes, size_t expected,
			bool exact, IrisError *error)
{
	/* twice the digits leave room for any way of breaking lines */
	uint8_t decoded[IRIS_MAX_CODE_BYTES * 2 + 16];
	size_t  size = 0;

	if (length == base64_size(expected) || (!exact && length <= base64_size(expected) * 2))
	{
		if (!text_decode(TEXT_BASE64, text, length, decoded, &size))
			return size < length
					   ? refuse(error, "The %s is not base64 at character %zu of %zu.", what,
								size + 1, length)
					   : refuse(error, "The %s is cut off or has bits set after its last byte.",
								what);
		if (size != expected)
			return refuse(error, "The %s has %zu bytes, not %zu.", what, size, expected);
		memcpy(bytes, decoded, expected);
		return true;
	}
	return refuse(error, "The %s has %zu characters of base64; %zu bytes need %zu.", what, length,
				  expected, base64_size(expected));
}

/* ---- text ---------------------------------------------------------------- */

/* a decimal number of 1 to 6 digits */
static const char *
read_number(const char *text, int64_t *number)
{
	const char *start = text;

	*number = 0;
	while (*text >= '0' && *text <= '9' && text - start < 6)
		*number = *number * 10 + (*text++ - '0');
	return text == start ? NULL : text;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool
iris_read_text(const char *text, IrisRecord *record, IrisError *error)
{
	int64_t     columns, bits;
	uint8_t     eye;
	size_t      length;
	const char *end;

	while (is_space(*text))
		text++;
	end = text + strlen(text);
	while (end > text && is_space(end[-1]))
		end--;

	text = read_number(text, &columns);
	if (text != NULL && *text == 'x')
		text = read_number(text + 1, &bits);
	else
		text = NULL;
	if (text == NULL || *text != ':')
		return refuse(
			error,
			"An iris is columns x bits per column, eye, code and mask, such as 128x16:left:...:...");
	if (!check_geometry(columns, bits, error))
		return false;

	text++;
	for (length = 0; text + length < end && text[length] != ':'; length++)
		;
	if (text + length == end || !iris_eye_from_name(text, length, &eye))
		return refuse(error, "The eye is left, right or unknown, between two colons.");
	text += length + 1;

	begin_record(record, columns, bits, eye);
	for (length = 0; text + length < end && text[length] != ':'; length++)
		;
	if (text + length == end)
		return refuse(error, "After the code, a colon and the mask are missing.");
	return base64_read(text, length, "code", record->code, code_bytes(&record->iris), true,
					   error) &&
		   base64_read(text + length + 1, (size_t) (end - text) - length - 1, "mask", record->mask,
					   code_bytes(&record->iris), true, error) &&
		   check_tail(record, error);
}

size_t
iris_text_size(const IrisTemplate *iris)
{
	/* the longest header is 1024x256:unknown: */
	return 20 + 2 * base64_size(code_bytes(iris));
}

void
iris_write_text(const IrisTemplate *iris, char *text)
{
	text += sprintf(text, "%dx%d:%s:", iris->columns, iris->bits, eye_names[iris->eye]);
	text = base64_write(iris->code, code_bytes(iris), text);
	*text++ = ':';
	text = base64_write(iris->mask, code_bytes(iris), text);
	*text = '\0';
}

/* ---- binary -------------------------------------------------------------- */

bool
iris_read_binary(const uint8_t *bytes, size_t length, IrisRecord *record, IrisError *error)
{
	int64_t columns, bits;
	size_t  size;

	if (length < IRIS_BINARY_HEADER)
		return refuse(error, "The header of an iris has %d bytes; there are %zu.",
					  IRIS_BINARY_HEADER, length);
	if (bytes[0] != IRIS_BINARY_VERSION)
		return refuse(error, "Byte 0 is the version, %d; it is %d.", IRIS_BINARY_VERSION, bytes[0]);
	if (bytes[1] > IRIS_EYE_LEFT)
		return refuse(error, "Byte 1 is the eye: 0 unknown, 1 right, 2 left; it is %d.", bytes[1]);
	columns = bytes[2] << 8 | bytes[3];
	bits = bytes[4] << 8 | bytes[5];
	if (!check_geometry(columns, bits, error))
		return false;
	begin_record(record, columns, bits, bytes[1]);
	size = code_bytes(&record->iris);
	if (length != iris_binary_size(&record->iris))
		return refuse(error, "An iris of %lld x %lld bits has %zu bytes; there are %zu.",
					  (long long) columns, (long long) bits, iris_binary_size(&record->iris),
					  length);
	memcpy(record->code, bytes + IRIS_BINARY_HEADER, size);
	memcpy(record->mask, bytes + IRIS_BINARY_HEADER + size, size);
	return check_tail(record, error);
}

size_t
iris_binary_size(const IrisTemplate *iris)
{
	return IRIS_BINARY_HEADER + 2 * code_bytes(iris);
}

void
iris_write_binary(const IrisTemplate *iris, uint8_t *bytes)
{
	size_t size = code_bytes(iris);

	bytes[0] = IRIS_BINARY_VERSION;
	bytes[1] = iris->eye;
	bytes[2] = (uint8_t) (iris->columns >> 8);
	bytes[3] = (uint8_t) iris->columns;
	bytes[4] = (uint8_t) (iris->bits >> 8);
	bytes[5] = (uint8_t) iris->bits;
	memcpy(bytes + IRIS_BINARY_HEADER, iris->code, size);
	memcpy(bytes + IRIS_BINARY_HEADER + size, iris->mask, size);
}

/* ---- raw bytes, masks for pairs ------------------------------------------ */

static inline int
get_bit(const uint8_t *bytes, size_t i)
{
	return (bytes[i / 8] >> (i % 8)) & 1;
}

bool
iris_from_bytes(const uint8_t *code, size_t code_length, const uint8_t *mask, size_t mask_length,
				bool paired_mask, int64_t columns, uint8_t eye, IrisRecord *record,
				IrisError *error)
{
	int64_t bits;
	size_t  total;
	size_t  mask_bits;

	if (columns < IRIS_MIN_COLUMNS || columns > IRIS_MAX_COLUMNS)
		return check_geometry(columns, 1, error);
	if (code_length > IRIS_MAX_CODE_BYTES)
		return refuse(error, "The code has %zu bytes; the limit is %d.", code_length,
					  IRIS_MAX_CODE_BYTES);

	/* what is left of the last byte is less than a column */
	bits = (int64_t) code_length * 8 / columns;
	if (bits < 1 || IRIS_CODE_BYTES((size_t) columns, (size_t) bits) != code_length)
		return refuse(error, "A code of %zu bytes cannot be divided into %lld columns.",
					  code_length, (long long) columns);
	if (!check_geometry(columns, bits, error))
		return false;
	if (paired_mask && bits % 2 != 0)
		return refuse(
			error,
			"A mask for pairs of phase bits needs an even number of bits in a column, not %lld.",
			(long long) bits);
	total = IRIS_CODE_BITS((size_t) columns, (size_t) bits);
	mask_bits = paired_mask ? total / 2 : total;
	if (mask_length != (mask_bits + 7) / 8)
		return refuse(error, "The mask of a code of %zu bytes has %zu bytes, not %zu.", code_length,
					  (mask_bits + 7) / 8, mask_length);

	begin_record(record, columns, bits, eye);
	memcpy(record->code, code, code_length);
	if (paired_mask)
	{
		if (mask_bits % 8 != 0 && mask[mask_length - 1] >> (mask_bits % 8) != 0)
			return refuse(error, "The mask has bits set beyond its %zu bits.", mask_bits);
		memset(record->mask, 0, code_length);
		for (size_t i = 0; i < mask_bits; i++)
		{
			if (get_bit(mask, i))
				record->mask[i / 4] |= (uint8_t) (3 << (2 * (i % 4)));
		}
	}
	else
		memcpy(record->mask, mask, mask_length);
	return check_tail(record, error);
}

bool
iris_from_pixels(const uint8_t *code, size_t code_length, const uint8_t *mask, size_t mask_length,
				 int64_t columns, int64_t column_step, int64_t row_step, uint8_t eye,
				 IrisRecord *record, IrisError *error)
{
	size_t rows, mask_rows;
	size_t bits;

	if (columns < 1 || column_step < 1 || row_step < 1)
		return refuse(error, "Columns and steps are at least 1.");
	if (code_length == 0 || code_length % (size_t) columns != 0)
		return refuse(error, "A picture of %zu pixels has no whole rows of %lld.", code_length,
					  (long long) columns);
	if (mask_length == 0 || mask_length % (size_t) columns != 0 || code_length % mask_length != 0)
		return refuse(error,
					  "A mask of %zu pixels cannot be repeated over a code of %zu, rows of %lld.",
					  mask_length, code_length, (long long) columns);
	if (columns % column_step != 0)
		return refuse(error, "%lld columns cannot be thinned by steps of %lld.",
					  (long long) columns, (long long) column_step);
	rows = code_length / (size_t) columns;
	mask_rows = mask_length / (size_t) columns;
	bits = (rows + (size_t) row_step - 1) / (size_t) row_step;
	if (!check_geometry(columns / column_step, (int64_t) bits, error))
		return false;
	begin_record(record, columns / column_step, (int64_t) bits, eye);
	memset(record->code, 0, code_bytes(&record->iris));
	memset(record->mask, 0, code_bytes(&record->iris));
	for (size_t i = 0; i < IRIS_CODE_BITS((size_t) record->iris.columns, bits); i++)
	{
		size_t column = i / bits * (size_t) column_step;
		size_t row = i % bits * (size_t) row_step;

		if (code[row * (size_t) columns + column] != 0)
			record->code[i / 8] |= (uint8_t) (1 << (i % 8));
		if (mask[row % mask_rows * (size_t) columns + column] != 0)
			record->mask[i / 8] |= (uint8_t) (1 << (i % 8));
	}
	return true;
}

size_t
iris_paired_mask_size(const IrisTemplate *iris)
{
	return (IRIS_CODE_BITS((size_t) iris->columns, iris->bits) / 2 + 7) / 8;
}

bool
iris_paired_mask(const IrisTemplate *iris, uint8_t *mask, IrisError *error)
{
	size_t pairs = IRIS_CODE_BITS((size_t) iris->columns, iris->bits) / 2;

	if (iris->bits % 2 != 0)
		return refuse(
			error,
			"A mask for pairs of phase bits needs an even number of bits in a column, not %d.",
			iris->bits);
	memset(mask, 0, iris_paired_mask_size(iris));
	for (size_t i = 0; i < pairs; i++)
	{
		if (get_bit(iris->mask, 2 * i) != get_bit(iris->mask, 2 * i + 1))
			return refuse(error, "The two phase bits of a pair are not usable together.");
		mask[i / 8] |= (uint8_t) (get_bit(iris->mask, 2 * i) << (i % 8));
	}
	return true;
}

/* ---- open-iris ----------------------------------------------------------- */

/*
 * Array element (row, column, wavelet, phase) is bit
 * ((row * columns + column) * wavelets + wavelet) * 2 + phase of the packed
 * array, and with us bit (row * wavelets + wavelet) * 2 + phase of the column.
 */
static inline size_t
open_iris_bit(size_t columns, size_t column_bits, size_t cell, size_t i)
{
	size_t column = i / column_bits;
	size_t bit = i % column_bits;

	/* cell: bits of one row and column, wavelets x 2 */
	return (bit / cell * columns + column) * cell + bit % cell;
}

static bool
unpack_open_iris(const char *text, size_t length, const char *what, const IrisTemplate *iris,
				 size_t cell, uint8_t *bits, IrisError *error)
{
	uint8_t packed[IRIS_MAX_CODE_BYTES] = {0};
	size_t  total = IRIS_CODE_BITS((size_t) iris->columns, iris->bits);

	if (!base64_read(text, length, what, packed, code_bytes(iris), false, error))
		return false;
	if (total % 8 != 0 && (uint8_t) (packed[total / 8] << (total % 8)) != 0)
		return refuse(error, "The %s has bits set beyond its %zu bits.", what, total);
	memset(bits, 0, code_bytes(iris));
	for (size_t i = 0; i < total; i++)
	{
		size_t from = open_iris_bit(iris->columns, iris->bits, cell, i);

		bits[i / 8] |= (uint8_t) (((packed[from / 8] >> (7 - from % 8)) & 1) << (i % 8));
	}
	return true;
}

bool
iris_read_open_iris(const char *code, size_t code_length, const char *mask, size_t mask_length,
					int64_t rows, int64_t columns, int64_t wavelets, uint8_t eye,
					IrisRecord *record, IrisError *error)
{
	if (rows < 1 || rows > IRIS_MAX_COLUMN_BITS || wavelets < 1 || wavelets > IRIS_MAX_COLUMN_BITS)
		return refuse(error, "Rows and wavelets are numbers from 1 to %d.", IRIS_MAX_COLUMN_BITS);
	if (!check_geometry(columns, rows * wavelets * 2, error))
		return false;
	begin_record(record, columns, rows * wavelets * 2, eye);
	return unpack_open_iris(code, code_length, "code", &record->iris, (size_t) wavelets * 2,
							record->code, error) &&
		   unpack_open_iris(mask, mask_length, "mask", &record->iris, (size_t) wavelets * 2,
							record->mask, error);
}

size_t
iris_open_iris_size(const IrisTemplate *iris)
{
	return base64_size(code_bytes(iris));
}

bool
iris_write_open_iris(const IrisTemplate *iris, const uint8_t *bits, int64_t wavelets, char *text,
					 IrisError *error)
{
	uint8_t packed[IRIS_MAX_CODE_BYTES] = {0};
	size_t  total = IRIS_CODE_BITS((size_t) iris->columns, iris->bits);

	if (wavelets < 1 || wavelets > IRIS_MAX_COLUMN_BITS || iris->bits % (wavelets * 2) != 0)
		return refuse(
			error,
			"%d bits in a column cannot be divided into rows of %lld wavelets with 2 phases.",
			iris->bits, (long long) wavelets);
	for (size_t i = 0; i < total; i++)
	{
		size_t to = open_iris_bit(iris->columns, iris->bits, (size_t) wavelets * 2, i);

		packed[to / 8] |= (uint8_t) (get_bit(bits, i) << (7 - to % 8));
	}
	base64_write(packed, code_bytes(iris), text);
	return true;
}
