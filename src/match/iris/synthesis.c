/*
 * synthesis.c
 *		Made-up eyes.
 *
 * An iris code is the signs of a complex band-pass response to the texture of
 * the iris.  Here the texture is white noise that depends on the eye alone;
 * it is mixed with the noise of the capture, smoothed between rings and
 * filtered along the angle with a Gabor filter, whose phase bits are the code.
 * So neighbouring columns and rings correlate as in real codes, and the bits
 * near a sign change are the fragile ones.  A capture also has its own turn of
 * the head (to quarter columns), quality, eyelids, lashes and a reflection.
 *
 * All of it is integer arithmetic.  doc/iris.md shows the statistics.
 */
#include "match/iris/iris.h"

#include <string.h>

#include "match/portable_math.h"

#define COLUMNS IRIS_SYNTHETIC_COLUMNS
#define RINGS   (IRIS_SYNTHETIC_BITS / 2)

/* texture: one ring more on either side, and columns around the circle */
#define TEXTURE_RINGS   (RINGS + 2)
#define FILTER_TAPS     10
#define FILTER_CENTRE   4
#define TEXTURE_COLUMNS (COLUMNS + FILTER_TAPS)

/* weight of the eye's texture, against which a capture's noise is 1 to 9 */
#define EYE_WEIGHT 8

/* eyelids are looked for this many columns to either side */
#define LID_REACH 45

/*
 * 16 exp(-x^2 / 2 s^2) exp(2 pi i x / w) at x = tap - FILTER_CENTRE - shift,
 * for shifts of 0 to 3 quarters of a column, s = 1.8, w = 10 columns.
 */
static const int16_t filter_real[4][FILTER_TAPS] = {
	{-1, -1, 3, 11, 16, 11, 3, -1, -1, 0},
	{-1, -1, 1, 9, 16, 13, 5, -1, -1, 0},
	{-1, -1, 0, 7, 15, 15, 7, 0, -1, -1},
	{0, -1, -1, 5, 13, 16, 9, 1, -1, -1},
};
static const int16_t filter_imag[4][FILTER_TAPS] = {
	{-1, -4, -8, -8, 0, 8, 8, 4, 1, 0},
	{0, -3, -7, -9, -2, 7, 9, 5, 1, 0},
	{0, -2, -6, -9, -5, 5, 9, 6, 2, 0},
	{0, -1, -5, -9, -7, 2, 9, 7, 3, 0},
};

typedef struct Texture
{
	int16_t real[TEXTURE_RINGS][TEXTURE_COLUMNS];
	int16_t imag[TEXTURE_RINGS][TEXTURE_COLUMNS];
} Texture;

/*
 * 8 independent values of mean 0 and variance 2: how many of 8 fair coins
 * show heads, less 4.
 */
static inline void
eight_values(uint64_t *state, int16_t *values)
{
	uint64_t x = portable_random(state);

	x -= (x >> 1) & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + ((x >> 2) & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
	for (int i = 0; i < 8; i++)
		values[i] = (int16_t) ((int) ((x >> (8 * i)) & 0xFF) - 4);
}

/* add weighted white noise to one part of a texture, turned by whole columns */
static void
add_noise(int16_t part[TEXTURE_RINGS][TEXTURE_COLUMNS], uint64_t *state, int weight, int turn)
{
	for (int ring = 0; ring < TEXTURE_RINGS; ring++)
	{
		int16_t noise[2 * COLUMNS];

		for (int i = 0; i < COLUMNS; i += 8)
			eight_values(state, noise + i);
		memcpy(noise + COLUMNS, noise, COLUMNS * sizeof(noise[0]));
		for (int i = 0; i < COLUMNS; i++)
			part[ring][i] = (int16_t) (part[ring][i] + weight * noise[turn + i]);
	}
}

/* smooth between rings in place; the first RINGS rows are the result */
static void
smooth_rings(int16_t part[TEXTURE_RINGS][TEXTURE_COLUMNS])
{
	for (int ring = 0; ring < RINGS; ring++)
	{
		for (int i = 0; i < COLUMNS; i++)
			part[ring][i] = (int16_t) (part[ring][i] + 3 * part[ring + 1][i] + part[ring + 2][i]);
		memcpy(part[ring] + COLUMNS, part[ring], FILTER_TAPS * sizeof(part[ring][0]));
	}
}

/* signs of the response of one ring to the filter */
static void
encode_ring(const int16_t *real, const int16_t *imag, int quarter, int ring, uint16_t *columns)
{
	int16_t response_real[COLUMNS] = {0};
	int16_t response_imag[COLUMNS] = {0};

	/* below 2^15 in size: 5 x (8 x 4 + 9 x 4) x the sum of a filter's taps */
	for (int tap = 0; tap < FILTER_TAPS; tap++)
	{
		int16_t a = filter_real[quarter][tap];
		int16_t b = filter_imag[quarter][tap];

		for (int i = 0; i < COLUMNS; i++)
		{
			response_real[i] = (int16_t) (response_real[i] + a * real[i + tap] - b * imag[i + tap]);
			response_imag[i] = (int16_t) (response_imag[i] + a * imag[i + tap] + b * real[i + tap]);
		}
	}
	for (int i = 0; i < COLUMNS; i++)
		columns[i] |=
			(uint16_t) (((response_real[i] > 0) | (response_imag[i] > 0) << 1) << (2 * ring));
}

/* a number from low to high, both included */
static int
random_between(uint64_t *state, int low, int high)
{
	return low + (int) ((portable_random(state) >> 32) * (uint64_t) (high - low + 1) >> 32);
}

static int
popcount64(uint64_t x)
{
	int n = 0;

	for (; x != 0; x &= x - 1)
		n++;
	return n;
}

/* rings from the outside in become unusable */
static void
hide_outer(uint16_t *mask, int column, int rings)
{
	if (rings <= 0)
		return;
	if (rings > RINGS)
		rings = RINGS;
	mask[column & (COLUMNS - 1)] &= (uint16_t) (0xFFFF >> (2 * rings));
}

/*
 * Eyelids cover the outer rings above and below, a parabola deep; lashes reach
 * from the upper one inward; a lamp is reflected somewhere.
 */
static void
occlude(uint16_t *mask, uint64_t *eye, uint64_t *capture, int turn)
{
	const int above = COLUMNS / 4 - turn;
	const int below = COLUMNS * 3 / 4 - turn;
	int       upper = random_between(eye, 72, 136) + random_between(capture, -12, 12);
	int       lower = random_between(eye, 0, 64) + random_between(capture, -8, 8);
	int       lashes = random_between(capture, 0, 8);
	int       column, ring;

	/* depths in sixteenths of a ring; a column is 1/128 turn */
	for (int i = -LID_REACH; i <= LID_REACH; i++)
	{
		hide_outer(mask, above + i, (upper - i * i / 14) / 16);
		hide_outer(mask, below + i, (lower - i * i / 10) / 16);
	}
	for (int i = 0; i < lashes; i++)
	{
		column = random_between(capture, -24, 24);
		ring = (upper - column * column / 14) / 16 + random_between(capture, 1, 3);
		hide_outer(mask, above + column, ring);
		hide_outer(mask, above + column + 1, ring);
	}
	column = random_between(capture, 0, COLUMNS - 1);
	ring = random_between(capture, 0, RINGS - 2);
	for (int i = 0; i < 3; i++)
		mask[(column + i) & (COLUMNS - 1)] &= (uint16_t) ~(0xF << (2 * ring));
}

void
iris_synthesize(uint8_t *code, uint8_t *mask, int64_t eye, int32_t capture)
{
	/* how noisy a capture is: most are good, one in 16 is poor */
	static const uint8_t noise_weights[16] = {1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 6, 9};

	uint64_t eye_state = portable_mix((uint64_t) eye, UINT64_C(0x65796500));
	uint64_t capture_state =
		portable_mix((uint64_t) eye, UINT64_C(0x6361700000000000) + (uint32_t) capture);
	uint16_t code_columns[COLUMNS] = {0};
	uint16_t mask_columns[COLUMNS];
	Texture  texture;
	int      quarters, turn, weight;

	memset(&texture, 0, sizeof(texture));
	memset(mask_columns, 0xFF, sizeof(mask_columns));

	/* the head turns by about one column (sd), or 2.8 degrees */
	quarters = popcount64(portable_random(&capture_state)) - 32 + 4 * COLUMNS;
	turn = (quarters / 4) % COLUMNS;
	weight = noise_weights[random_between(&capture_state, 0, 15)];

	occlude(mask_columns, &eye_state, &capture_state, turn);
	add_noise(texture.real, &eye_state, EYE_WEIGHT, turn);
	add_noise(texture.imag, &eye_state, EYE_WEIGHT, turn);
	add_noise(texture.real, &capture_state, weight, 0);
	add_noise(texture.imag, &capture_state, weight, 0);
	smooth_rings(texture.real);
	smooth_rings(texture.imag);
	for (int ring = 0; ring < RINGS; ring++)
		encode_ring(texture.real[ring], texture.imag[ring], quarters % 4, ring, code_columns);

	/* where lids and lashes cover the iris, the code is theirs */
	for (int i = 0; i < COLUMNS; i++)
	{
		uint16_t other = (uint16_t) portable_random(&capture_state);
		uint16_t bits =
			(uint16_t) ((code_columns[i] & mask_columns[i]) | (other & ~mask_columns[i]));

		code[2 * i] = (uint8_t) bits;
		code[2 * i + 1] = (uint8_t) (bits >> 8);
		mask[2 * i] = (uint8_t) mask_columns[i];
		mask[2 * i + 1] = (uint8_t) (mask_columns[i] >> 8);
	}
}
