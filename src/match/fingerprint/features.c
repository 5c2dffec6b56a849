/*
 * features.c
 *		Minutiae of a template -> match-ready features.
 *
 * Each minutia is described by its neighbourhood, seen from the minutia's own
 * position and direction so that rotation and translation of the finger do not
 * matter.  The neighbourhood is a cylinder in the sense of Cappelli, Ferrara
 * and Maltoni (Minutia Cylinder-Code, IEEE TPAMI 32(12), 2010): cells of space
 * times sectors of direction, to which every neighbour contributes around its
 * own place.  Contributions are cubic B-splines here, which are close to
 * Gaussians, cost four cells an axis and need no exponential; the square root
 * of a cell's sum takes the place of the sigmoid, so that a second minutia in
 * a cell counts less than the first.  A trained projection reduces the
 * cylinder to 32 numbers of four bits (constants/projection.c).
 */
#include "match/fingerprint/internal.h"
#include "match/portable_math.h"

#include <math.h>
#include <string.h>

/* ISO/IEC 19794-2 counts pixels per centimetre; 500 dpi is 196.85, written as 197 */
#define STANDARD_RESOLUTION 197

/* neighbours farther than this, in cells, touch no cell of the grid */
#define REACH ((FINGERPRINT_GRID - 1) / 2 + 2)

/* minutiae this near, in units, and turned by no more are one */
#define SAME_PLACE (3 * FINGERPRINT_UNIT)
#define SAME_TURN  8 /* 11 degrees, a step of coarse directions */

/* four numbers at a time; what is done to each is the same as to one alone */
typedef float Lanes __attribute__((vector_size(16)));

typedef struct Point
{
	int16_t x;
	int16_t y;
	uint8_t angle;
	uint8_t type;
	uint8_t weight;
	uint8_t number; /* in the template */
} Point;

/* the cells that a neighbour within reach touches lie on this larger square */
#define SQUARE (2 * REACH + 3)

/* index of a cell in the cylinder; those outside the circle share a last one */
static const uint8_t cell_index[SQUARE][SQUARE] = {
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 0, 1, 2, 3, 4, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 5, 6, 7, 8, 9, 10, 11, 69, 69, 69, 69},
	{69, 69, 69, 12, 13, 14, 15, 16, 17, 18, 19, 20, 69, 69, 69},
	{69, 69, 69, 21, 22, 23, 24, 25, 26, 27, 28, 29, 69, 69, 69},
	{69, 69, 69, 30, 31, 32, 33, 34, 35, 36, 37, 38, 69, 69, 69},
	{69, 69, 69, 39, 40, 41, 42, 43, 44, 45, 46, 47, 69, 69, 69},
	{69, 69, 69, 48, 49, 50, 51, 52, 53, 54, 55, 56, 69, 69, 69},
	{69, 69, 69, 69, 57, 58, 59, 60, 61, 62, 63, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 64, 65, 66, 67, 68, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69},
	{69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69, 69}};

/* pixels to units at 500 dpi, rounded half up */
static int32_t
to_units(int32_t pixels, int32_t resolution)
{
	return (2 * FINGERPRINT_UNIT * STANDARD_RESOLUTION * pixels + resolution) / (2 * resolution);
}

static int16_t
clamp_coordinate(int32_t value)
{
	if (value > INT16_MAX)
		return INT16_MAX;
	if (value < -INT16_MAX)
		return -INT16_MAX;
	return (int16_t) value;
}

/* the direction on square pixels of one drawn on pixels that are not square */
static uint8_t
square_angle(uint8_t angle, int x_resolution, int y_resolution)
{
	double turn;

	if (x_resolution == y_resolution)
		return angle;
	turn = portable_atan2((double) fingerprint_sine(angle) / y_resolution,
						  (double) fingerprint_cosine[angle] / x_resolution) *
		   (128 / PORTABLE_PI);
	return (uint8_t) (int) (turn + 256.5);
}

static bool
comes_before(const Point *a, const Point *b)
{
	if (a->x != b->x)
		return a->x < b->x;
	if (a->y != b->y)
		return a->y < b->y;
	if (a->angle != b->angle)
		return a->angle < b->angle;
	if (a->type != b->type)
		return a->type < b->type;
	return a->weight < b->weight;
}

/* sum and number of the qualities that are reported */
static void
sum_quality(const FingerprintTemplate *finger, int *sum, int *reported)
{
	*sum = 0;
	*reported = 0;
	for (int i = 0; i < finger->count; i++)
	{
		*sum += finger->minutiae[i].quality;
		*reported += finger->minutiae[i].quality != 0;
	}
}

/* of the minutiae whose quality is reported; 0 where none is */
static uint8_t
mean_quality(const FingerprintTemplate *finger)
{
	int sum, reported;

	sum_quality(finger, &sum, &reported);
	return (uint8_t) (reported > 0 ? (2 * sum + reported) / (2 * reported) : 0);
}

static uint8_t
relative_weight(int quality, int sum, int reported)
{
	int weight;

	if (quality == 0)
		return FINGERPRINT_WEIGHT_ONE;
	weight = (2 * FINGERPRINT_WEIGHT_ONE * quality * reported + sum) / (2 * sum);
	if (weight < FINGERPRINT_WEIGHT_MIN)
		return FINGERPRINT_WEIGHT_MIN;
	if (weight > FINGERPRINT_WEIGHT_MAX)
		return FINGERPRINT_WEIGHT_MAX;
	return (uint8_t) weight;
}

/* whether two minutiae, near in x, are one that was found twice, as in records that were merged */
static bool
is_same(const Point *a, const Point *b)
{
	int dx = a->x - b->x;
	int dy = a->y - b->y;
	int turn = (int8_t) (a->angle - b->angle);

	return dy <= SAME_PLACE && dy >= -SAME_PLACE && dx * dx + dy * dy <= SAME_PLACE * SAME_PLACE &&
		   turn <= SAME_TURN && turn >= -SAME_TURN;
}

/*
 * Puts minutiae that come twice behind all others, and returns how many there
 * are without them.  Every second copy would count as a pair of its own.
 */
static int
set_copies_aside(Point *points, int count)
{
	Point copies[FINGERPRINT_MAX_MINUTIAE];
	int   kept = 0;
	int   ncopies = 0;

	for (int i = 0; i < count; i++)
	{
		bool copy = false;

		for (int k = kept - 1; k >= 0 && points[i].x - points[k].x <= SAME_PLACE && !copy; k--)
			copy = is_same(&points[i], &points[k]);
		if (copy)
			copies[ncopies++] = points[i];
		else
			points[kept++] = points[i];
	}
	memcpy(points + kept, copies, ncopies * sizeof(Point));
	return kept;
}

/*
 * Positions at 500 dpi, y upwards as angles count, from the middle of the
 * bounding box, in an order that does not depend on the record's.  Returns how
 * many minutiae there are: copies of others stand behind them.
 */
static int
normalize(const FingerprintTemplate *finger, Point *points)
{
	int32_t x[FINGERPRINT_MAX_MINUTIAE];
	int32_t y[FINGERPRINT_MAX_MINUTIAE];
	int32_t min_x = INT32_MAX, max_x = INT32_MIN, min_y = INT32_MAX, max_y = INT32_MIN;
	int     count = finger->count;
	int     sum, reported;

	sum_quality(finger, &sum, &reported);
	for (int i = 0; i < count; i++)
	{
		x[i] = to_units(finger->minutiae[i].x, finger->x_resolution);
		y[i] = -to_units(finger->minutiae[i].y, finger->y_resolution);
		min_x = x[i] < min_x ? x[i] : min_x;
		max_x = x[i] > max_x ? x[i] : max_x;
		min_y = y[i] < min_y ? y[i] : min_y;
		max_y = y[i] > max_y ? y[i] : max_y;
	}
	for (int i = 0; i < count; i++)
	{
		Point point;
		int   k = i;

		point.x = clamp_coordinate(x[i] - (min_x + max_x) / 2);
		point.y = clamp_coordinate(y[i] - (min_y + max_y) / 2);
		point.angle =
			square_angle(finger->minutiae[i].angle, finger->x_resolution, finger->y_resolution);
		point.type = finger->minutiae[i].type;
		point.number = (uint8_t) i;
		point.weight = relative_weight(finger->minutiae[i].quality, sum, reported);
		for (; k > 0 && comes_before(&point, &points[k - 1]); k--)
			points[k] = points[k - 1];
		points[k] = point;
	}
	return set_copies_aside(points, count);
}

/* weights of a uniform cubic B-spline for the four knots around a fraction */
static void
spline(float fraction, float weight[4])
{
	float f = fraction;
	float g = 1 - fraction;

	weight[0] = g * g * g * (1.0f / 6);
	weight[1] = (4 - 6 * f * f + 3 * f * f * f) * (1.0f / 6);
	weight[2] = (4 - 6 * g * g + 3 * g * g * g) * (1.0f / 6);
	weight[3] = f * f * f * (1.0f / 6);
}

/* the cylinder of minutia i: square roots of the cells, FINGERPRINT_RAW_ONE for a 1 */
static void
cylinder(const Point *points, int count, int i, int16_t raw[FINGERPRINT_RAW_PADDED])
{
	const float   scale = 1.0f / (16384.0f * FINGERPRINT_UNIT * FINGERPRINT_CELL_SIZE);
	const int32_t reach = REACH * FINGERPRINT_CELL_SIZE * FINGERPRINT_UNIT;
	int32_t       c = fingerprint_cosine[points[i].angle];
	int32_t       s = fingerprint_sine(points[i].angle);
	Lanes         cells[FINGERPRINT_CELLS + 1][2]; /* two sectors are padding */
	float         sums[FINGERPRINT_CELLS * 8];
	int16_t       roots[FINGERPRINT_CELLS * 8];

	memset(cells, 0, sizeof(cells));
	for (int j = 0; j < count; j++)
	{
		int32_t dx = points[j].x - points[i].x;
		int32_t dy = points[j].y - points[i].y;
		float   u, v, turn;
		float   wu[4], wv[4], wt[4];
		float   sectors[8] = {0};
		Lanes   low, high;
		float   trust = (float) points[j].weight * (1.0f / FINGERPRINT_WEIGHT_ONE);
		int     cell_u, cell_v, sector;

		if (j == i || dx > 2 * reach || dx < -2 * reach || dy > 2 * reach || dy < -2 * reach)
			continue;
		u = (float) (dx * c + dy * s) * scale;
		v = (float) (dy * c - dx * s) * scale;
		if (!(u > -REACH && u < REACH && v > -REACH && v < REACH))
			continue;

		/* shifted to be positive, where truncation is floor */
		u += REACH;
		v += REACH;
		cell_u = (int) u;
		cell_v = (int) v;
		spline(u - (float) cell_u, wu);
		spline(v - (float) cell_v, wv);
		turn = (float) ((points[j].angle - points[i].angle) & 255) * (FINGERPRINT_SECTORS / 256.0f);
		sector = (int) turn;
		spline(turn - (float) sector, wt);
		for (int t = 0; t < 4; t++)
			sectors[(sector + FINGERPRINT_SECTORS - 1 + t) % FINGERPRINT_SECTORS] += wt[t] * trust;
		memcpy(&low, sectors, sizeof(low));
		memcpy(&high, sectors + 4, sizeof(high));

		for (int m = 0; m < 4; m++)
			for (int n = 0; n < 4; n++)
			{
				Lanes *cell = cells[cell_index[cell_u + m][cell_v + n]];
				float  weight = wu[m] * wv[n];

				cell[0] += weight * low;
				cell[1] += weight * high;
			}
	}

	/* all roots first, padding too, for the loop to run in vectors */
	memcpy(sums, cells, sizeof(sums));
	for (int k = 0; k < FINGERPRINT_CELLS * 8; k++)
		roots[k] = (int16_t) (int32_t) (sqrtf(sums[k]) * FINGERPRINT_RAW_ONE + 0.5f);
	for (int k = 0; k < FINGERPRINT_CELLS; k++)
		memcpy(raw + k * FINGERPRINT_SECTORS, roots + k * 8, sizeof(int16_t) * FINGERPRINT_SECTORS);
	memset(raw + FINGERPRINT_RAW, 0, sizeof(int16_t) * (FINGERPRINT_RAW_PADDED - FINGERPRINT_RAW));
}

/* one dimension of the projection, as a nibble */
CPU_INLINE int
project_loop(const int16_t raw[FINGERPRINT_RAW_PADDED], int dimension)
{
	const int16_t *weights = fingerprint_projection[dimension];
	int32_t        sum = 0;
	int32_t        value;

	for (int k = 0; k < FINGERPRINT_RAW_PADDED; k++)
		sum += (int32_t) raw[k] * weights[k];
	value = (sum + fingerprint_projection_bias[dimension]) >> FINGERPRINT_PROJECTION_SHIFT;
	if (value > 7)
		value = 7;
	if (value < -7)
		value = -7;
	return value + 8;
}

WIDER(int, project, (const int16_t raw[FINGERPRINT_RAW_PADDED], int dimension), (raw, dimension))

size_t
fingerprint_extract(const FingerprintTemplate *finger, void *features)
{
	Point    points[FINGERPRINT_MAX_MINUTIAE];
	int      count = normalize(finger, points);
	uint8_t *bytes = features;
	uint8_t *x = bytes + FINGERPRINT_HEADER_SIZE;
	uint8_t *y = x + 2 * count;
	uint8_t *angle = y + 2 * count;
	uint8_t *kind = angle + count;
	uint8_t *descriptor = kind + count;

	bytes[0] = finger->position;
	bytes[1] = (uint8_t) count;
	bytes[2] = mean_quality(finger);
	bytes[3] = 0;
	for (int i = 0; i < count; i++)
	{
		int16_t raw[FINGERPRINT_RAW_PADDED];

		memcpy(x + 2 * i, &points[i].x, 2);
		memcpy(y + 2 * i, &points[i].y, 2);
		angle[i] = points[i].angle;
		kind[i] = (uint8_t) (points[i].weight | points[i].type << 4);
		cylinder(points, count, i, raw);
		for (int k = 0; k < FINGERPRINT_DIMENSIONS / 2; k++)
			descriptor[k * count + i] =
				(uint8_t) (project(raw, 2 * k) | project(raw, 2 * k + 1) << 4);
	}
	return FINGERPRINT_HEADER_SIZE + (size_t) count * FINGERPRINT_MINUTIA_SIZE;
}

bool
fingerprint_features_valid(const void *features, size_t size)
{
	const uint8_t *bytes = features;

	return size >= FINGERPRINT_HEADER_SIZE && bytes[0] <= FINGERPRINT_MAX_POSITION &&
		   size == FINGERPRINT_HEADER_SIZE + (size_t) bytes[1] * FINGERPRINT_MINUTIA_SIZE;
}

void
fingerprint_order(const FingerprintTemplate *finger, uint8_t order[FINGERPRINT_MAX_MINUTIAE])
{
	Point points[FINGERPRINT_MAX_MINUTIAE];

	normalize(finger, points);
	for (int i = 0; i < finger->count; i++)
		order[i] = points[i].number;
}
