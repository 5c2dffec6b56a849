/*
 * words.c
 *		Words of an eye: its code around some columns.
 *
 * A table is a fixed choice of bits within a few columns of the code; there are
 * IRIS_TABLES of them, in bands around the whole eye.  The word of a table is
 * what these bits are: the first ones are the key, together with the table's
 * number, the others the signature.  A table of which too much is hidden has
 * no word.  (Hao, Daugman and Zielinski, A fast search algorithm for a large
 * fuzzy database, IEEE TIFS 3(2), 2008, showed that a few agreeing parts of a
 * code suffice to find it among millions.)
 *
 * All bits of a key must agree, but in a good capture of the same eye one bit
 * in ten differs.  Those are mostly bits beside a change of sign along the
 * column's row, the fragile ones, so a probe also has the words in which one
 * fragile bit of the key is the other way.
 *
 * Places are told in 1/128 turns and in shares of a column's bits, so that a
 * code of any geometry has words.  Codes of different geometry are never mated,
 * so shared keys do no harm.
 */
#include "match/words.h"

#include "match/iris/iris.h"

/* smaller codes have no words: a table would have the same bits twice */
#define MIN_COLUMNS     32
#define MIN_COLUMN_BITS 8

#define KEY_BITS  IRIS_TABLE_KEY_BITS
#define KEY_MASK  ((1U << KEY_BITS) - 1)
#define WORD_BITS (KEY_BITS + IRIS_SIGNATURE_BITS)

/* places are 1/128 turns and 1/16 columns */
#define CIRCLE 128
#define HEIGHT 16

/* a table's places: columns that lie some steps apart, times rows of a band */
#define TABLE_COLUMNS 4
#define COLUMN_STEP   3
#define TABLE_ROWS    6
#define ROW_STEP      5 /* takes the rows in another order: neighbours are alike */
#define BANDS         4 /* they overlap */

/* bits of a signature that may be hidden; of a key, none */
#define MAX_HIDDEN 3

/* what a signature that differs in no bit counts, and one bit of the key costs */
#define WEIGHT     9
#define KEY_WEIGHT 1

/* what a differing bit of the signature takes, eighths */
#define SIGNATURE_SLOPE 16

/* where a bit is: a byte of code and mask, and a bit of it */
typedef struct Place
{
	int byte;
	int shift;
} Place;

/* of bit k of a table, so many columns from where it usually is */
static Place
place_of(const IrisBits *eye, int table, int k, int turn)
{
	int   around = table / BANDS * (CIRCLE * BANDS / IRIS_TABLES) + k % TABLE_COLUMNS * COLUMN_STEP;
	int   band = table % BANDS * (HEIGHT - TABLE_ROWS) / (BANDS - 1);
	int   row = band + k / TABLE_COLUMNS * ROW_STEP % TABLE_ROWS;
	int   column = around * eye->columns / CIRCLE + turn + eye->columns;
	int   bit = row * eye->bits / HEIGHT;
	Place place;

	place.byte = column % eye->columns * IRIS_COLUMN_BYTES(eye->bits) + bit / 8;
	place.shift = bit % 8;
	return place;
}

static int
bit_at(const uint8_t *bytes, Place place)
{
	return bytes[place.byte] >> place.shift & 1;
}

/* false where too much is hidden; turn in columns */
static bool
make_word(const IrisBits *eye, int table, int turn, Word *word)
{
	uint32_t bits = 0;
	int      hidden = 0;

	for (int k = 0; k < WORD_BITS; k++)
	{
		Place place = place_of(eye, table, k, turn);

		if (!bit_at(eye->mask, place) && (k < KEY_BITS || ++hidden > MAX_HIDDEN))
			return false;
		bits |= (uint32_t) bit_at(eye->code, place) << k;
	}
	word->key = (uint32_t) table << KEY_BITS | (bits & KEY_MASK);
	word->signature = (uint16_t) (bits >> KEY_BITS);
	word->tag = 0;
	word->weight = 0;
	word->slope = 0;
	return true;
}

/* whether a bit differs from the one before or after it in its row */
static bool
is_fragile(const IrisBits *eye, int table, int k, int turn)
{
	int here = bit_at(eye->code, place_of(eye, table, k, turn));

	return here != bit_at(eye->code, place_of(eye, table, k, turn - 1)) ||
		   here != bit_at(eye->code, place_of(eye, table, k, turn + 1));
}

static bool
has_words(const IrisBits *eye)
{
	return eye->columns >= MIN_COLUMNS && eye->bits >= MIN_COLUMN_BITS;
}

int
iris_words(const void *features, size_t size, Word *words)
{
	IrisBits eye;
	int      n = 0;

	iris_unpack_features(features, &eye);
	if (!has_words(&eye))
		return 0;
	for (int table = 0; table < IRIS_TABLES; table++)
		n += make_word(&eye, table, 0, &words[n]);
	return n;
}

/* the words of one rotation, as they are or with each fragile bit flipped; returns the new n */
static int
add_rotation(const IrisBits *eye, int rotation, int turn, bool flipped, Word *words, int n)
{
	for (int table = 0; table < IRIS_TABLES; table++)
	{
		Word word;

		if (!make_word(eye, table, turn, &word))
			continue;
		word.tag = (uint8_t) (-rotation & 15);
		word.weight = WEIGHT;
		word.slope = SIGNATURE_SLOPE;
		if (!flipped && n < IRIS_MAX_PROBE_WORDS)
			words[n++] = word;
		for (int k = 0; flipped && k < KEY_BITS; k++)
		{
			if (!is_fragile(eye, table, k, turn) || n == IRIS_MAX_PROBE_WORDS)
				continue;
			words[n] = word;
			words[n].key ^= 1U << k;
			words[n++].weight = WEIGHT - KEY_WEIGHT;
		}
	}
	return n;
}

int
iris_probe_words(const void *features, size_t size, Word *words)
{
	IrisBits eye;
	int      n = 0;
	int      step;

	iris_unpack_features(features, &eye);
	if (!has_words(&eye))
		return 0;
	step = (eye.columns + CIRCLE / 2) / CIRCLE;
	if (step < 1)
		step = 1;
	for (int flipped = 0; flipped < 2; flipped++)
		for (int i = 0; i < IRIS_WORD_ROTATIONS; i++)
		{
			/* 0, -1, 1, -2...: small turns are more likely than large ones */
			int rotation = i % 2 == 0 ? i / 2 : -(i + 1) / 2;
			int turn = rotation * step;

			if (turn <= IRIS_MAX_TURN(eye.columns) && turn >= -IRIS_MAX_TURN(eye.columns))
				n = add_rotation(&eye, rotation, turn, flipped, words, n);
		}
	return n;
}
