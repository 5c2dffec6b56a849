/*
 * information.c
 *		Which bits of an iris code are evidence; the rules are in information.h.
 */
#include "match/iris/information.h"

#include <stdbool.h>
#include <string.h>

#include "match/iris/iris.h"
#include "match/iris/kernels.h"

/* per cent: the least share of the rarer value, and of pairs of rows that differ */
#define LEAST_CHANGE     15
#define LEAST_DIFFERENCE 10

/* rows that are compared; a window of fewer pairs a column decides nothing */
#define RING_STEP 4
#define MIN_PAIRS 2

/* columns of a window: 34 degrees, but some columns at least */
#define MIN_WINDOW      8
#define WINDOW(columns) ((columns) *3 / 32 > MIN_WINDOW ? (columns) *3 / 32 : MIN_WINDOW)

/* rotations in which a code is compared with itself, and the least share of its bits compared */
#define TURNS           48
#define MIN_TURNED_PART 32

/* strangers never reach this, in a code of NORMAL_CODE bits */
#define REPEATED 256.0

/* bits worth one independent bit, in a code of NORMAL_CODE bits */
#define USUAL_BITS      16.0
#define NORMAL_BITS     911.0 /* of NORMAL_CODE */
#define NORMAL_CODE     2048.0
#define MIN_NORMAL_BITS 263.0

#define MAX_ROWS (8 * IRIS_COLUMN_BYTES(IRIS_MAX_COLUMN_BITS))

double
normal_bits(int columns, int bits)
{
	double normal = NORMAL_BITS * IRIS_CODE_BITS(columns, bits) / NORMAL_CODE;

	return normal < MIN_NORMAL_BITS ? MIN_NORMAL_BITS : normal;
}

/* ---- rule 1 -------------------------------------------------------------- */

/* a share of bits, and the least share that a part with information has */
static inline bool
below_percent(uint32_t part, uint32_t whole, uint32_t percent)
{
	return 100 * part < percent * whole;
}

/* bits of a column, a byte each */
typedef struct Column
{
	uint8_t usable[MAX_ROWS];
	uint8_t ones[MAX_ROWS]; /* usable ones */
} Column;

static void
spread_column(const uint8_t *code, const uint8_t *mask, int column_bytes, Column *column)
{
	for (int i = 0; i < column_bytes; i++)
		for (int bit = 0; bit < 8; bit++)
		{
			column->usable[8 * i + bit] = mask[i] >> bit & 1;
			column->ones[8 * i + bit] = (mask[i] & code[i]) >> bit & 1;
		}
}

/* Some columns in a row */
typedef struct Window
{
	uint8_t  usable[MAX_ROWS]; /* in each row; a window has at most 96 columns */
	uint8_t  ones[MAX_ROWS];
	uint32_t pairs;     /* of rows RING_STEP apart, usable in both */
	uint32_t differing; /* of them */
} Window;

static inline void
add_column(Window *window, const Column *column, int rows)
{
	for (int row = 0; row < rows; row++)
	{
		window->usable[row] = (uint8_t) (window->usable[row] + column->usable[row]);
		window->ones[row] = (uint8_t) (window->ones[row] + column->ones[row]);
	}
}

static inline void
remove_column(Window *window, const Column *column, int rows)
{
	for (int row = 0; row < rows; row++)
	{
		window->usable[row] = (uint8_t) (window->usable[row] - column->usable[row]);
		window->ones[row] = (uint8_t) (window->ones[row] - column->ones[row]);
	}
}

/* pairs of a column's rows that are usable in both, and how many of them differ */
static inline void
count_pairs(const Column *column, int rows, uint32_t *pairs, uint32_t *differing)
{
	*pairs = *differing = 0;
	for (int row = 0; row + RING_STEP < rows; row++)
	{
		uint8_t both = column->usable[row] & column->usable[row + RING_STEP];

		*pairs += both;
		*differing += both & (column->ones[row] ^ column->ones[row + RING_STEP]);
	}
}

static bool
is_void(const Window *window, int rows, int width)
{
	uint32_t usable = 0;
	uint32_t rarer = 0;

	for (int row = 0; row < rows; row++)
	{
		uint8_t ones = window->ones[row];
		uint8_t zeros = (uint8_t) (window->usable[row] - ones);
		bool    seen = 3 * window->usable[row] >= width;

		usable += seen ? window->usable[row] : 0;
		rarer += !seen ? 0 : ones < zeros ? ones : zeros;
	}
	return below_percent(rarer, usable, LEAST_CHANGE) ||
		   (window->pairs >= MIN_PAIRS * (uint32_t) width &&
			below_percent(window->differing, window->pairs, LEAST_DIFFERENCE));
}

/* which columns lie in a void window */
static void
find_void_columns(int columns, int column_bytes, const uint8_t *code, const uint8_t *mask,
				  bool *void_columns)
{
	Window   window = {{0}, {0}, 0, 0};
	Column   column = {{0}, {0}};
	int      rows = 8 * column_bytes;
	int      width = WINDOW(columns);
	int      marked = 0; /* columns before this one need not be marked again */
	uint32_t pairs, differing;

	memset(void_columns, 0, sizeof(bool) * columns);
	for (int first = 1 - width; first < columns; first++)
	{
		size_t next = (size_t) ((first + width - 1) % columns) * column_bytes;

		spread_column(code + next, mask + next, column_bytes, &column);
		add_column(&window, &column, rows);
		count_pairs(&column, rows, &pairs, &differing);
		window.pairs += pairs;
		window.differing += differing;
		if (first < 0)
			continue;

		if (is_void(&window, rows, width))
		{
			for (int i = first > marked ? first : marked; i < first + width; i++)
				void_columns[i % columns] = true;
			marked = first + width;
		}
		next = (size_t) first * column_bytes;
		spread_column(code + next, mask + next, column_bytes, &column);
		remove_column(&window, &column, rows);
		count_pairs(&column, rows, &pairs, &differing);
		window.pairs -= pairs;
		window.differing -= differing;
	}
}

/* the rows that hold no information, as the bits of a column */
static void
find_void_rows(int columns, int column_bytes, const uint8_t *code, const uint8_t *mask,
			   uint8_t *void_rows)
{
	memset(void_rows, 0, column_bytes);
	for (int row = 0; row < 8 * column_bytes; row++)
	{
		uint32_t usable = 0;
		uint32_t ones = 0;

		for (int column = 0; column < columns; column++)
		{
			size_t   byte = (size_t) column * column_bytes + row / 8;
			uint32_t is_usable = mask[byte] >> row % 8 & 1;

			usable += is_usable;
			ones += is_usable & code[byte] >> row % 8;
		}
		if (usable >= (uint32_t) WINDOW(columns) &&
			below_percent(ones < usable - ones ? ones : usable - ones, usable, LEAST_CHANGE))
			void_rows[row / 8] |= (uint8_t) (1 << row % 8);
	}
}

void
exclude_void_parts(int columns, int column_bytes, const uint8_t *code, uint8_t *mask)
{
	bool    void_columns[IRIS_MAX_COLUMNS];
	uint8_t void_rows[MAX_ROWS / 8];

	find_void_columns(columns, column_bytes, code, mask, void_columns);
	find_void_rows(columns, column_bytes, code, mask, void_rows);
	for (int column = 0; column < columns; column++)
		for (int i = 0; i < column_bytes; i++)
			mask[(size_t) column * column_bytes + i] &=
				void_columns[column] ? 0 : (uint8_t) ~void_rows[i];
}

/* ---- rule 2 -------------------------------------------------------------- */

uint16_t
code_weight(int columns, int bits, const uint8_t *code, const uint8_t *mask)
{
	int        column_bytes = IRIS_COLUMN_BYTES(bits);
	size_t     length = IRIS_FEATURE_CODE((size_t) columns, bits);
	uint8_t    twice_code[2 * IRIS_MAX_FEATURE_CODE + KERNEL_PADDING];
	uint8_t    twice_mask[2 * IRIS_MAX_FEATURE_CODE + KERNEL_PADDING];
	CodeBytes  probe = {{twice_code, NULL}, twice_mask};
	CodeBytes  other = {{code, NULL}, mask};
	uint32_t   offsets[TURNS];
	CodeCounts counts[TURNS];
	double     size = normal_bits(columns, bits) / NORMAL_BITS;
	double     alike;
	double     sum = 0;
	double     most = 0;
	double     bits_worth_one;
	int        n = 0;

	for (int copy = 0; copy < 2; copy++)
	{
		memcpy(twice_code + copy * length, code, length);
		memcpy(twice_mask + copy * length, mask, length);
	}
	memset(twice_code + 2 * length, 0, KERNEL_PADDING);
	memset(twice_mask + 2 * length, 0, KERNEL_PADDING);
	for (int i = 0; i < TURNS; i++)
		offsets[i] =
			(uint32_t) ((columns / 8 + i * (columns / 2 - columns / 8) / TURNS) * column_bytes);
	kernel_chosen()->count_codes(&probe, &other, length, TURNS, offsets, counts);
	for (int i = 0; i < TURNS; i++)
	{
		double excess = (double) counts[i].common - 2 * (double) counts[i].differing;

		if (MIN_TURNED_PART * counts[i].common < (uint32_t) IRIS_CODE_BITS(columns, bits))
			continue;
		alike = excess * excess / counts[i].common;
		sum += alike;
		most = alike > most ? alike : most;
		n++;
	}
	bits_worth_one = n == 0 ? 0 : sum / n;
	if (most > REPEATED * size)
		bits_worth_one = most;
	if (bits_worth_one <= USUAL_BITS * size)
		return FULL_WEIGHT;
	return (uint16_t) (FULL_WEIGHT * (USUAL_BITS * size / bits_worth_one));
}
