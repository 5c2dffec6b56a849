/*
 * wsq.c
 *		Decoder of the FBI's wavelet scalar quantisation (IAFIS-IC-0110), the
 *		format in which agencies exchange fingerprints.
 *
 * A file is a sequence of segments, each a marker and a length: tables of the
 * transform (DTT), the quantisation (DQT) and the Huffman codes (DHT), a frame
 * header (SOF), and three blocks of Huffman coded coefficients (SOB).
 *
 * The picture is split four times into low and high frequencies of rows and
 * columns, which gives 64 subbands of different depth; the last four are never
 * sent.  A band of high frequencies comes out of the filter with its spectrum
 * reversed, so where a band that is the second half of its parent is split
 * again, its high half is put first.  Of an odd length the low half has the
 * sample more.
 *
 * Arithmetic is in float: values of another decoder differ by rounding.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/decoder.h"

#define WSQ_SOI 0xFFA0
#define WSQ_EOI 0xFFA1
#define WSQ_SOF 0xFFA2
#define WSQ_SOB 0xFFA3
#define WSQ_DTT 0xFFA4
#define WSQ_DQT 0xFFA5
#define WSQ_DHT 0xFFA6
#define WSQ_COM 0xFFA8

#define WSQ_SUBBANDS      64
#define WSQ_SENT_SUBBANDS 60
#define WSQ_MAX_TABLES    8
#define WSQ_MAX_TAPS      31 /* half a filter's taps are sent: 16 at most */
#define WSQ_MAX_CODE      16 /* bits of a Huffman code */

/* Symbols of the Huffman code; 1 .. 100 are runs of so many zeroes */
#define WSQ_LAST_RUN    100
#define WSQ_POSITIVE_8  101
#define WSQ_NEGATIVE_8  102
#define WSQ_POSITIVE_16 103
#define WSQ_NEGATIVE_16 104
#define WSQ_RUN_8       105
#define WSQ_RUN_16      106
#define WSQ_FIRST_VALUE 107 /* and further: a coefficient of symbol - 180 */
#define WSQ_LAST_VALUE  254
#define WSQ_VALUE_ZERO  180

/* Canonical: codes of one length are consecutive numbers */
typedef struct HuffmanTable
{
	bool    defined;
	int     first_code[WSQ_MAX_CODE + 1];  /* the lowest code of this length */
	int     first_index[WSQ_MAX_CODE + 1]; /* and its symbol's place */
	int     count[WSQ_MAX_CODE + 1];
	uint8_t symbols[256];
} HuffmanTable;

/* a symmetric filter of odd length, from its middle outwards */
typedef struct Filter
{
	int   half; /* taps on either side of the middle */
	float tap[WSQ_MAX_TAPS / 2 + 1];
} Filter;

typedef struct Subband
{
	uint32_t x, y, width, height;
} Subband;

typedef struct WsqDecoder
{
	const uint8_t     *bytes;
	size_t             size;
	size_t             at;
	const ImageLimits *limits;
	ImageError        *error;

	/* frame */
	uint32_t width;
	uint32_t height;
	float    shift;
	float    scale;
	double   dpi;

	/* tables */
	bool         has_transform;
	bool         has_quantisation;
	Filter       low; /* of the synthesis */
	Filter       high;
	float        centre;
	float        step[WSQ_SUBBANDS];
	float        zero_bin[WSQ_SUBBANDS];
	HuffmanTable huffman[WSQ_MAX_TABLES];

	/* bits of a block, stuffed bytes removed */
	uint32_t bits;
	int      bit_count;

	/* picture of coefficients */
	Subband  subbands[WSQ_SUBBANDS];
	int      subband; /* the next coefficient goes here */
	uint32_t row;
	uint32_t column;
	float   *values;
	float   *line; /* scratch: one row or column, and a block of columns */
} WsqDecoder;

/* ---- segments ------------------------------------------------------------- */

static bool
segment(WsqDecoder *wsq, const uint8_t **body, size_t *length)
{
	size_t size;

	if (wsq->size - wsq->at < 2)
		return image_fail(wsq->error, "WSQ: byte %zu: the file ends in a segment", wsq->at);
	size = image_be16(wsq->bytes + wsq->at);
	if (size < 2 || size > wsq->size - wsq->at)
		return image_fail(wsq->error, "WSQ: byte %zu: a segment of %zu bytes does not fit", wsq->at,
						  size);
	*body = wsq->bytes + wsq->at + 2;
	*length = size - 2;
	wsq->at += size;
	return true;
}

static bool
marker(WsqDecoder *wsq, uint32_t *code)
{
	if (wsq->size - wsq->at < 2)
		return image_fail(wsq->error, "WSQ: byte %zu: the file ends where a marker is due",
						  wsq->at);
	*code = image_be16(wsq->bytes + wsq->at);
	if (*code < 0xFF00)
		return image_fail(wsq->error, "WSQ: byte %zu: there is no marker", wsq->at);
	wsq->at += 2;
	return true;
}

/* an integer with a decimal exponent */
static float
decimal(uint32_t value, int exponent)
{
	double result = value;

	while (exponent-- > 0)
		result /= 10;
	return (float) result;
}

/*
 * Half of a symmetric filter as it is sent, from the middle outwards: sign,
 * exponent, and four bytes.  The synthesis filter of the other half of the
 * spectrum has the same taps with every second sign changed.
 */
static bool
read_filter(WsqDecoder *wsq, int taps, const uint8_t **from, const uint8_t *end, Filter *filter)
{
	if (taps % 2 == 0)
		return image_fail(wsq->error,
						  "WSQ: transform table: a filter of %d taps, even lengths are not read",
						  taps);
	if (taps > WSQ_MAX_TAPS)
		return image_fail(wsq->error, "WSQ: transform table: a filter of %d taps, more than %d",
						  taps, WSQ_MAX_TAPS);
	filter->half = taps / 2;
	for (int i = 0; i <= filter->half; i++)
	{
		float value;

		if (end - *from < 6)
			return image_fail(wsq->error, "WSQ: transform table: too short");
		value = decimal(image_be32(*from + 2), (*from)[1]);
		if ((*from)[0] != 0)
			value = -value;
		filter->tap[i] = i % 2 == 0 ? value : -value;
		*from += 6;
	}
	return true;
}

static bool
read_transform(WsqDecoder *wsq, const uint8_t *body, size_t length)
{
	const uint8_t *from = body + 2;

	if (length < 2)
		return image_fail(wsq->error, "WSQ: transform table: too short");
	/* the analysis low pass gives the synthesis high pass, and the other way round */
	if (!read_filter(wsq, body[0], &from, body + length, &wsq->high) ||
		!read_filter(wsq, body[1], &from, body + length, &wsq->low))
		return false;
	wsq->has_transform = true;
	return true;
}

static bool
read_quantisation(WsqDecoder *wsq, const uint8_t *body, size_t length)
{
	if (length < 3 + 6 * WSQ_SUBBANDS)
		return image_fail(wsq->error, "WSQ: quantisation table: too short");
	wsq->centre = decimal(image_be16(body + 1), body[0]);
	for (int i = 0; i < WSQ_SUBBANDS; i++)
	{
		const uint8_t *entry = body + 3 + 6 * i;

		wsq->step[i] = decimal(image_be16(entry + 1), entry[0]);
		wsq->zero_bin[i] = decimal(image_be16(entry + 4), entry[3]);
	}
	wsq->has_quantisation = true;
	return true;
}

/* one or more Huffman tables */
static bool
read_huffman(WsqDecoder *wsq, const uint8_t *body, size_t length)
{
	while (length > 0)
	{
		HuffmanTable *table;
		int           code = 0;
		int           total = 0;

		if (length < 1 + WSQ_MAX_CODE)
			return image_fail(wsq->error, "WSQ: Huffman table: too short");
		if (body[0] >= WSQ_MAX_TABLES)
			return image_fail(wsq->error, "WSQ: Huffman table: number %d, there are %d", body[0],
							  WSQ_MAX_TABLES);
		table = &wsq->huffman[body[0]];
		for (int bits = 1; bits <= WSQ_MAX_CODE; bits++)
		{
			table->first_code[bits] = code;
			table->first_index[bits] = total;
			table->count[bits] = body[bits];
			total += body[bits];
			code += body[bits];
			if (code > 1 << bits)
				return image_fail(wsq->error,
								  "WSQ: Huffman table: more codes of %d bits than there are", bits);
			code <<= 1;
		}
		if (total > 256 || length < 1 + WSQ_MAX_CODE + (size_t) total)
			return image_fail(wsq->error, "WSQ: Huffman table: %d symbols do not fit", total);
		memcpy(table->symbols, body + 1 + WSQ_MAX_CODE, total);
		table->defined = true;
		body += 1 + WSQ_MAX_CODE + total;
		length -= 1 + WSQ_MAX_CODE + total;
	}
	return true;
}

static bool
read_frame(WsqDecoder *wsq, const uint8_t *body, size_t length)
{
	if (length < 15)
		return image_fail(wsq->error, "WSQ: frame header: too short");
	wsq->height = image_be16(body + 2);
	wsq->width = image_be16(body + 4);
	wsq->shift = decimal(image_be16(body + 7), body[6]);
	wsq->scale = decimal(image_be16(body + 10), body[9]);
	return true;
}

/* NIST's comment: lines of a name and a value; PPI is the resolution */
static void
read_comment(WsqDecoder *wsq, const uint8_t *body, size_t length)
{
	static const char nist[] = "NIST_COM";
	bool              line_start = true;

	if (length < sizeof(nist) - 1 || memcmp(body, nist, sizeof(nist) - 1) != 0)
		return;
	for (size_t i = 0; i + 4 < length; i++)
	{
		if (line_start && memcmp(body + i, "PPI ", 4) == 0)
		{
			uint32_t ppi = 0;

			for (i += 4; i < length && body[i] >= '0' && body[i] <= '9' && ppi < 100000; i++)
				ppi = 10 * ppi + (body[i] - '0');
			wsq->dpi = ppi;
			return;
		}
		line_start = body[i] == '\n';
	}
}

/* a segment that may stand before the frame or before a block */
static bool
read_table(WsqDecoder *wsq, uint32_t code)
{
	const uint8_t *body;
	size_t         length;

	if (!segment(wsq, &body, &length))
		return false;
	switch (code)
	{
		case WSQ_DTT:
			return read_transform(wsq, body, length);
		case WSQ_DQT:
			return read_quantisation(wsq, body, length);
		case WSQ_DHT:
			return read_huffman(wsq, body, length);
		case WSQ_COM:
			read_comment(wsq, body, length);
			return true;
		default:
			return image_fail(wsq->error, "WSQ: byte %zu: marker %04X is not expected here",
							  wsq->at, code);
	}
}

/* everything up to the frame header */
static bool
read_head(WsqDecoder *wsq)
{
	uint32_t       code;
	const uint8_t *body;
	size_t         length;

	if (!marker(wsq, &code))
		return false;
	if (code != WSQ_SOI)
		return image_fail(wsq->error, "WSQ: the file does not start with a picture");
	for (;;)
	{
		if (!marker(wsq, &code))
			return false;
		if (code == WSQ_SOF)
			return segment(wsq, &body, &length) && read_frame(wsq, body, length);
		if (!read_table(wsq, code))
			return false;
	}
}

/* ---- subbands ------------------------------------------------------------- */

/* The parts of a length that is split: the half that comes first has the low
 * frequencies, or the high ones if reversed. */
static uint32_t
first_half(uint32_t length, bool reversed)
{
	return reversed ? length / 2 : length - length / 2;
}

/*
 * The four quarters of a band: upper left, upper right, lower left, lower
 * right.  Those on the right are reversed in rows, those below in columns.
 */
static void
quarters(const Subband *band, bool reversed_x, bool reversed_y, Subband quarter[4])
{
	uint32_t left = first_half(band->width, reversed_x);
	uint32_t upper = first_half(band->height, reversed_y);

	for (int i = 0; i < 4; i++)
	{
		bool right = i & 1;
		bool lower = i & 2;

		quarter[i].x = band->x + (right ? left : 0);
		quarter[i].width = right ? band->width - left : left;
		quarter[i].y = band->y + (lower ? upper : 0);
		quarter[i].height = lower ? band->height - upper : upper;
	}
}

/* sixteen subbands of a band, four quarters of each of its quarters */
static void
sixteen(const Subband *band, bool reversed_x, bool reversed_y, Subband *subbands)
{
	Subband quarter[4];

	quarters(band, reversed_x, reversed_y, quarter);
	for (int i = 0; i < 4; i++)
		quarters(&quarter[i], i & 1, i & 2, subbands + 4 * i);
}

/* where the 64 subbands lie in the picture of coefficients */
static void
find_subbands(WsqDecoder *wsq)
{
	Subband *subbands = wsq->subbands;
	Subband  whole = {0, 0, wsq->width, wsq->height};
	Subband  quarter[4];
	Subband  sixteenth[4];
	Subband  lowest[16];

	quarters(&whole, false, false, quarter);
	quarters(&quarter[0], false, false, sixteenth);

	/* 0 .. 18: the lowest sixteenth in sixteen, its first in four again */
	sixteen(&sixteenth[0], false, false, lowest);
	quarters(&lowest[0], false, false, subbands);
	memcpy(subbands + 4, lowest + 1, 15 * sizeof(Subband));
	sixteen(&sixteenth[1], true, false, subbands + 19);
	sixteen(&sixteenth[2], false, true, subbands + 35);
	subbands[51] = sixteenth[3];
	for (int i = 1; i < 4; i++)
		quarters(&quarter[i], i & 1, i & 2, subbands + 48 + 4 * i);
}

/* ---- coefficients ---------------------------------------------------------- */

/* moves to the next subband that is sent and not empty */
static void
skip_empty_subbands(WsqDecoder *wsq)
{
	while (wsq->subband < WSQ_SENT_SUBBANDS)
	{
		const Subband *band = &wsq->subbands[wsq->subband];

		if (wsq->step[wsq->subband] != 0 && band->width > 0 && band->height > 0)
			break;
		wsq->subband++;
	}
}

/* count coefficients of one value, rows within subbands */
static bool
put(WsqDecoder *wsq, int coefficient, uint32_t count)
{
	while (count > 0)
	{
		const Subband *band = &wsq->subbands[wsq->subband];
		uint32_t       run;

		if (wsq->subband >= WSQ_SENT_SUBBANDS)
			return image_fail(wsq->error, "WSQ: byte %zu: more coefficients than the picture has",
							  wsq->at);
		run = band->width - wsq->column;
		if (run > count)
			run = count;
		if (coefficient != 0)
		{
			float  step = wsq->step[wsq->subband];
			float  half_zero = wsq->zero_bin[wsq->subband] / 2;
			float  value = coefficient > 0 ? step * ((float) coefficient - wsq->centre) + half_zero
										   : step * ((float) coefficient + wsq->centre) - half_zero;
			float *to =
				wsq->values + (size_t) (band->y + wsq->row) * wsq->width + band->x + wsq->column;

			for (uint32_t i = 0; i < run; i++)
				to[i] = value;
		}
		count -= run;
		wsq->column += run;
		if (wsq->column < band->width)
			continue;
		wsq->column = 0;
		if (++wsq->row < band->height)
			continue;
		wsq->row = 0;
		wsq->subband++;
		skip_empty_subbands(wsq);
	}
	return true;
}

/*
 * The next byte of a block; a 0xFF of the data is followed by 0.  False at the
 * end, which is a marker.
 */
static bool
next_byte(WsqDecoder *wsq, uint8_t *byte)
{
	if (wsq->at >= wsq->size)
		return false;
	*byte = wsq->bytes[wsq->at];
	if (*byte == 0xFF)
	{
		if (wsq->size - wsq->at < 2 || wsq->bytes[wsq->at + 1] != 0)
			return false;
		wsq->at++;
	}
	wsq->at++;
	return true;
}

/* n bits, 16 at most; false at the end of the block */
static bool
next_bits(WsqDecoder *wsq, int n, uint32_t *value)
{
	while (wsq->bit_count < n)
	{
		uint8_t byte;

		if (!next_byte(wsq, &byte))
			return false;
		wsq->bits = wsq->bits << 8 | byte;
		wsq->bit_count += 8;
	}
	wsq->bit_count -= n;
	*value = wsq->bits >> wsq->bit_count & ((1U << n) - 1);
	return true;
}

/*
 * The next symbol.  At the end of a block, where fewer than 8 bits of ones may
 * be left to fill the last byte, *end is set.
 */
static bool
next_symbol(WsqDecoder *wsq, const HuffmanTable *table, int *symbol, bool *end)
{
	int code = 0;

	for (int bits = 1; bits <= WSQ_MAX_CODE; bits++)
	{
		uint32_t bit;
		int      place;

		if (!next_bits(wsq, 1, &bit))
		{
			if (bits > 8)
				return image_fail(wsq->error, "WSQ: byte %zu: a block ends within a code", wsq->at);
			*end = true;
			return true;
		}
		code = code << 1 | (int) bit;
		place = code - table->first_code[bits];
		if (place >= 0 && place < table->count[bits])
		{
			*symbol = table->symbols[table->first_index[bits] + place];
			*end = false;
			return true;
		}
	}
	return image_fail(wsq->error, "WSQ: byte %zu: a code that the table does not have", wsq->at);
}

static bool
read_block(WsqDecoder *wsq)
{
	const uint8_t      *body;
	size_t              length;
	const HuffmanTable *table;
	uint32_t            symbols = 0;

	if (!segment(wsq, &body, &length))
		return false;
	if (length < 1 || body[0] >= WSQ_MAX_TABLES || !wsq->huffman[body[0]].defined)
		return image_fail(wsq->error, "WSQ: byte %zu: a block names no Huffman table", wsq->at);
	table = &wsq->huffman[body[0]];
	wsq->bits = 0;
	wsq->bit_count = 0;

	for (;;)
	{
		int      symbol;
		bool     end;
		int      bits;
		uint32_t value;

		if ((++symbols & 0xFFFF) == 0 && image_stop(wsq->limits))
			return image_interrupted(wsq->error);
		if (!next_symbol(wsq, table, &symbol, &end))
			return false;
		if (end)
			return true;
		if (symbol >= 1 && symbol <= WSQ_LAST_RUN)
		{
			if (!put(wsq, 0, (uint32_t) symbol))
				return false;
			continue;
		}
		if (symbol >= WSQ_FIRST_VALUE && symbol <= WSQ_LAST_VALUE)
		{
			if (!put(wsq, symbol - WSQ_VALUE_ZERO, 1))
				return false;
			continue;
		}
		if (symbol < WSQ_POSITIVE_8 || symbol > WSQ_RUN_16)
			return image_fail(wsq->error, "WSQ: byte %zu: symbol %d has no meaning", wsq->at,
							  symbol);

		/* the others are followed by 8 or 16 bits */
		bits = symbol == WSQ_POSITIVE_8 || symbol == WSQ_NEGATIVE_8 || symbol == WSQ_RUN_8 ? 8 : 16;
		if (!next_bits(wsq, bits, &value))
			return image_fail(wsq->error, "WSQ: byte %zu: a block ends within a number", wsq->at);
		if (symbol == WSQ_RUN_8 || symbol == WSQ_RUN_16)
		{
			if (!put(wsq, 0, value))
				return false;
		}
		else
		{
			int coefficient = (int) value;

			if (symbol == WSQ_NEGATIVE_8 || symbol == WSQ_NEGATIVE_16)
				coefficient = -coefficient;
			if (!put(wsq, coefficient, 1))
				return false;
		}
	}
}

static bool
read_blocks(WsqDecoder *wsq)
{
	uint32_t code;

	for (;;)
	{
		if (!marker(wsq, &code))
			return false;
		if (code == WSQ_EOI)
			break;
		if (code != WSQ_SOB)
		{
			if (!read_table(wsq, code))
				return false;
			continue;
		}
		/* places of coefficients depend on which subbands are sent */
		if (wsq->subband < 0)
		{
			if (!wsq->has_quantisation)
				return image_fail(wsq->error,
								  "WSQ: byte %zu: a block before the quantisation table", wsq->at);
			wsq->subband = 0;
			skip_empty_subbands(wsq);
		}
		if (!read_block(wsq))
			return false;
	}
	if (!wsq->has_transform)
		return image_fail(wsq->error, "WSQ: there is no transform table");
	if (wsq->subband < WSQ_SENT_SUBBANDS)
		return image_fail(wsq->error, "WSQ: the file ends before the last subband");
	return true;
}

/* ---- synthesis -------------------------------------------------------------- */

/* an index beyond the ends of a line, reflected into it; both ends are axes */
static int
reflect(int i, int length)
{
	int period = 2 * length - 2;

	if (length == 1)
		return 0;
	i %= period;
	if (i < 0)
		i += period;
	return i < length ? i : period - i;
}

/*
 * A line out of its two halves.  lanes lines side by side are joined at once:
 * sample i of lane k is at [i * stride + k].  scratch takes 2 * length * lanes.
 *
 * The halves are put where they were taken: low samples at even places, high
 * ones at odd places, in one line.  Each sample of the result is then a sum of
 * low taps at even places and high taps at odd ones around it.
 */
static void
join(const WsqDecoder *wsq, float *line, size_t stride, int length, int lanes, bool reversed,
	 float *scratch)
{
	int    low_length = length - length / 2;
	int    high_length = length / 2;
	int    low_start = reversed ? high_length : 0;
	int    high_start = reversed ? 0 : low_length;
	int    reach = wsq->low.half > wsq->high.half ? wsq->low.half : wsq->high.half;
	float *sum = scratch + (size_t) length * lanes;

	if (length < 2)
		return;
	for (int i = 0; i < low_length; i++)
		memcpy(scratch + (size_t) 2 * i * lanes, line + (size_t) (low_start + i) * stride,
			   sizeof(float) * lanes);
	for (int i = 0; i < high_length; i++)
		memcpy(scratch + ((size_t) 2 * i + 1) * lanes, line + (size_t) (high_start + i) * stride,
			   sizeof(float) * lanes);

	for (int i = 0; i < length; i++)
	{
		for (int k = 0; k < lanes; k++)
			sum[k] = 0;
		for (int d = -reach; d <= reach; d++)
		{
			/* reflection about a sample keeps even places even */
			const Filter *filter = ((i + d) & 1) == 0 ? &wsq->low : &wsq->high;
			int           distance = abs(d);
			const float  *from;
			float         tap;

			if (distance > filter->half)
				continue;
			from = scratch + (size_t) reflect(i + d, length) * lanes;
			tap = filter->tap[distance];
			for (int k = 0; k < lanes; k++)
				sum[k] += tap * from[k];
		}
		memcpy(line + (size_t) i * stride, sum, sizeof(float) * lanes);
	}
}

/* columns are joined so many at a time: neighbours share cache lines */
#define LANES 16

/* a band out of its quarters, columns first */
static bool
join_band(WsqDecoder *wsq, const Subband *band, bool reversed_x, bool reversed_y)
{
	float *corner = wsq->values + (size_t) band->y * wsq->width + band->x;

	for (uint32_t x = 0; x < band->width; x += LANES)
	{
		uint32_t lanes = band->width - x < LANES ? band->width - x : LANES;

		join(wsq, corner + x, wsq->width, (int) band->height, (int) lanes, reversed_y, wsq->line);
		if (image_stop(wsq->limits))
			return image_interrupted(wsq->error);
	}
	for (uint32_t y = 0; y < band->height; y++)
		join(wsq, corner + (size_t) y * wsq->width, 1, (int) band->width, 1, reversed_x, wsq->line);
	if (image_stop(wsq->limits))
		return image_interrupted(wsq->error);
	return true;
}

/* a band whose quarters were split in four themselves */
static bool
join_sixteen(WsqDecoder *wsq, const Subband *band, bool reversed_x, bool reversed_y)
{
	Subband quarter[4];

	quarters(band, reversed_x, reversed_y, quarter);
	for (int i = 0; i < 4; i++)
	{
		if (!join_band(wsq, &quarter[i], i & 1, i & 2))
			return false;
	}
	return join_band(wsq, band, reversed_x, reversed_y);
}

/* the splits of find_subbands undone, the smallest first */
static bool
synthesise(WsqDecoder *wsq)
{
	Subband whole = {0, 0, wsq->width, wsq->height};
	Subband quarter[4];
	Subband sixteenth[4];
	Subband lowest[16];

	quarters(&whole, false, false, quarter);
	quarters(&quarter[0], false, false, sixteenth);
	sixteen(&sixteenth[0], false, false, lowest);
	return join_band(wsq, &lowest[0], false, false) &&
		   join_sixteen(wsq, &sixteenth[0], false, false) &&
		   join_sixteen(wsq, &sixteenth[1], true, false) &&
		   join_sixteen(wsq, &sixteenth[2], false, true) &&
		   join_band(wsq, &quarter[0], false, false) && join_band(wsq, &quarter[1], true, false) &&
		   join_band(wsq, &quarter[2], false, true) && join_band(wsq, &whole, false, false);
}

/* ---- public ------------------------------------------------------------------ */

bool
image_wsq_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error)
{
	WsqDecoder *wsq = calloc(1, sizeof(WsqDecoder));
	bool        sound;

	if (wsq == NULL)
		return image_no_memory(error);
	wsq->bytes = bytes;
	wsq->size = size;
	wsq->error = error;
	info->format_name = "WSQ";
	info->compression = "WSQ";
	info->bits = 8;
	info->channels = 1;
	sound = read_head(wsq);
	info->width = wsq->width;
	info->height = wsq->height;
	info->dpi_x = info->dpi_y = wsq->dpi;
	free(wsq);
	return sound;
}

bool
image_wsq_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
				 const ImageInfo *info, uint8_t *pixels, ImageError *error)
{
	WsqDecoder *wsq = calloc(1, sizeof(WsqDecoder));
	size_t      n = (size_t) info->width * info->height;
	size_t      longest = info->width > info->height ? info->width : info->height;
	bool        done = false;

	if (wsq == NULL)
		return image_no_memory(error);
	wsq->bytes = bytes;
	wsq->size = size;
	wsq->limits = limits;
	wsq->error = error;
	wsq->subband = -1;
	/* zeroes: coefficients that are not sent */
	wsq->values = calloc(n, sizeof(float));
	wsq->line = malloc((longest + 1) * LANES * 2 * sizeof(float));
	if (wsq->values == NULL || wsq->line == NULL)
		(void) image_no_memory(error);
	else if (read_head(wsq))
	{
		find_subbands(wsq);
		done = read_blocks(wsq) && synthesise(wsq);
	}
	for (size_t i = 0; done && i < n; i++)
	{
		float value = wsq->values[i] * wsq->scale + wsq->shift + 0.5f;

		/* written so that a value that is not a number becomes black */
		pixels[i] = value >= 255 ? 255 : value >= 0 ? (uint8_t) value : 0;
	}
	free(wsq->values);
	free(wsq->line);
	free(wsq);
	return done;
}
