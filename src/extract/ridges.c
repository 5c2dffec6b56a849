/*
 * ridges.c
 *		From grey levels to ridges: normalisation, direction and wavelength of
 *		the ridges, and the filter that follows them.
 */
#include <string.h>

#include "extract/internal.h"
#include "match/portable_math.h"

#define FLAT_RANGE     1   /* grey levels in the surroundings of a picture, at most */
#define FLAT_SMALLEST  25  /* blocks of flat surroundings */
#define MEAN_BLUR      1.3 /* blocks */
#define CONTRAST_BLUR  1.8
#define CLIP           2.5 /* deviations */
#define CONTRAST_FLOOR 0.15f
#define CONTRAST_LEAST 0.25f
#define MASK_BLUR      1.5
#define MASK_HOLE      250 /* blocks */

/* what tells dark ridges from light ones */
#define SURROUNDINGS_LEAST   0.08 /* share of the picture */
#define SURROUNDINGS_LIGHTER 40   /* grey levels */
#define SKEWNESS             0.8

#define SCALES        3
#define FINEST_BLUR   2.0
#define MIDDLE_BLUR   2.75
#define COARSEST_BLUR 5.5

/* signatures across the ridges, by which their wavelength is known */
#define SIGNATURE_REACH 24 /* pixels either way across */
#define SIGNATURE_WIDTH 9  /* either way along */
#define SIGNATURE_EVERY 3  /* blocks */
#define SIGNATURE       (2 * SIGNATURE_REACH + 1)
#define PERIODS         40
#define PERIOD_LEAST    5.0
#define PERIOD_STEP     0.25
#define PERIOD_PRIOR    0.02f
#define PERIOD_BLUR     5.0 /* blocks */

/* filters */
#define DIRECTIONS  36
#define WAVELENGTHS 19 /* from PERIOD_LEAST in steps of half a pixel */
#define RADIUS      13
#define TAPS        (2 * RADIUS + 1)
#define TAPS_STRIDE 32
#define KERNEL      (TAPS * TAPS_STRIDE)
#define ALONG       5.0  /* deviation of the window along the ridge, pixels */
#define ACROSS      0.42 /* across it, wavelengths */
#define KERNEL_UNIT 16384
#define PASSES      3

/* where the filtered picture is believed */
#define AGREEMENT_BLUR  1.6 /* blocks */
#define AGREEMENT_LEAST 0.30f
#define ENERGY_LEAST    0.0784f /* of that of good ridges in the same picture */
#define ENERGY_BLUR     1.8
#define RIDGES_BLUR     1.3 /* of the mask */
#define RIDGES_HOLE     94  /* blocks */

/* values of a function of the distance, which is even */
#define DISTANCES_A_PIXEL 32
#define DISTANCES         (19 * DISTANCES_A_PIXEL) /* the corner of a filter is 18.4 pixels away */

/* Filters are made when first wanted, from tables that are made when first wanted */
typedef struct Filters
{
	bool    made[DIRECTIONS][WAVELENGTHS];
	bool    tables_made[WAVELENGTHS];
	float   along[DISTANCES];
	float   across[WAVELENGTHS][DISTANCES];
	float   wave[WAVELENGTHS][DISTANCES];
	int16_t kernels[DIRECTIONS][WAVELENGTHS][KERNEL];
} Filters;

size_t
ridges_room(void)
{
	return sizeof(Filters);
}

/*
 * Surroundings without a picture (paper, the background of a sensor) are flat.
 * Their edge would look like a ridge, so they are left out of every mean, with
 * a block around them.
 */
static void
find_flat(Extraction *x)
{
	uint8_t *flat = x->marks;
	int      blocks = x->columns * x->rows;

	for (int r = 0; r < x->rows; r++)
		for (int c = 0; c < x->columns; c++)
		{
			int     x0 = c * BLOCK > 0 ? c * BLOCK - 1 : 0, y0 = r * BLOCK > 0 ? r * BLOCK - 1 : 0;
			int     x1 = c * BLOCK + BLOCK < x->width ? c * BLOCK + BLOCK : x->width - 1;
			int     y1 = r * BLOCK + BLOCK < x->height ? r * BLOCK + BLOCK : x->height - 1;
			uint8_t low = 255, high = 0;

			for (int y = y0; y <= y1; y++)
			{
				const uint8_t *p = x->picture + (size_t) y * x->width;

				for (int i = x0; i <= x1; i++)
				{
					low = p[i] < low ? p[i] : low;
					high = p[i] > high ? p[i] : high;
				}
			}
			flat[r * x->columns + c] = high - low <= FLAT_RANGE;
		}
	remove_parts(flat, x->columns, x->rows, 1, FLAT_SMALLEST, false, x->stack);
	for (int i = 0; i < blocks; i++)
		x->weight[i] = 1;
	for (int r = 0; r < x->rows; r++)
		for (int c = 0; c < x->columns; c++)
			if (flat[r * x->columns + c])
				for (int dr = -1; dr <= 1; dr++)
					for (int dc = -1; dc <= 1; dc++)
						if (r + dr >= 0 && r + dr < x->rows && c + dc >= 0 && c + dc < x->columns)
							x->weight[(r + dr) * x->columns + c + dc] = 0;
}

/*
 * Whether ridges are light on dark: the finger is lighter than what surrounds
 * it, and most of it is light.  (Ridges are narrower than the valleys between
 * them where they are dry, so that dark ridges leave most of a finger light.)
 * Of 302 pictures of eight sensors and cards none was taken for inverted, and
 * 260 of their negatives were.
 */
static bool
light_on_dark(const Extraction *x)
{
	int64_t grey[2] = {0, 0}, count[2] = {0, 0}, squares = 0, cubes = 0;
	double  evidence = 0, variance;

	for (int y = 0; y < x->height; y++)
	{
		const uint8_t *p = x->picture + (size_t) y * x->width;
		const int16_t *normal = x->normal.origin + (ptrdiff_t) y * x->normal.stride;
		const uint8_t *mask = x->mask + (size_t) (y / BLOCK) * x->columns;

		for (int k = 0; k < x->width; k++)
		{
			int in = mask[k / BLOCK];

			grey[in] += p[k];
			count[in]++;
			if (in)
			{
				squares += normal[k] * normal[k];
				cubes += (int64_t) normal[k] * normal[k] * normal[k];
			}
		}
	}
	if (count[1] == 0 || squares == 0)
		return false;
	if (count[0] > SURROUNDINGS_LEAST * (double) (count[0] + count[1]))
		evidence += ((double) grey[0] / (double) count[0] - (double) grey[1] / (double) count[1]) /
					SURROUNDINGS_LIGHTER;
	variance = (double) squares / (double) count[1];
	evidence +=
		(double) cubes / (double) count[1] / (variance * portable_sqrt(variance)) / SKEWNESS;
	return evidence < -1;
}

bool
ridges_normalise(Extraction *x)
{
	int    blocks = x->columns * x->rows;
	float *mean = x->scratch[0], *weight = x->scratch[1], *blurred = x->scratch[2];
	float *row = x->scratch[3], *contrast_row = x->scratch[4];
	float  floor;

	find_flat(x);
	if (extraction_stopped(x))
		return false;
	for (int r = 0; r < x->rows; r++)
		for (int c = 0; c < x->columns; c++)
		{
			int sum = 0, count = 0, i = r * x->columns + c;

			for (int y = r * BLOCK; y < r * BLOCK + BLOCK && y < x->height; y++)
				for (int k = c * BLOCK; k < c * BLOCK + BLOCK && k < x->width; k++)
				{
					sum += x->picture[(size_t) y * x->width + k];
					count++;
				}
			x->weight[i] *= (float) count / (BLOCK * BLOCK);
			mean[i] = x->weight[i] * (float) sum / (float) count;
			weight[i] = x->weight[i];
		}
	grid_blur(x, mean, MEAN_BLUR, blurred);
	grid_blur(x, weight, MEAN_BLUR, blurred);
	for (int i = 0; i < blocks; i++)
		mean[i] = weight[i] > 0.02f ? mean[i] / weight[i] : 0;

	memset(x->contrast, 0, blocks * sizeof(float));
	for (int y = 0; y < x->height; y++)
	{
		const uint8_t *p = x->picture + (size_t) y * x->width;
		int16_t       *out = x->normal.origin + (ptrdiff_t) y * x->normal.stride;
		float         *sums = x->contrast + (size_t) (y / BLOCK) * x->columns;

		if (extraction_stopped(x))
			return false;
		grid_row(x, mean, y, row);
		for (int c = 0; c < x->columns; c++)
		{
			float sum = 0;

			for (int k = c * BLOCK; k < c * BLOCK + BLOCK && k < x->width; k++)
			{
				float away = row[k] - (float) p[k];

				out[k] = (int16_t) (away * 64);
				sum += away * away;
			}
			sums[c] += sum;
		}
	}
	for (int i = 0; i < blocks; i++)
	{
		x->contrast[i] *= x->weight[i] > 0 ? 1.0f / (BLOCK * BLOCK) : 0;
		weight[i] = x->weight[i];
	}
	grid_blur(x, x->contrast, CONTRAST_BLUR, blurred);
	grid_blur(x, weight, CONTRAST_BLUR, blurred);
	for (int i = 0; i < blocks; i++)
		x->contrast[i] = weight[i] > 0.02f && x->contrast[i] > 0
							 ? (float) portable_sqrt(x->contrast[i] / weight[i])
							 : 0;
	x->top_contrast = grid_quantile(x->contrast, blocks, 0.92, blurred);
	floor = CONTRAST_FLOOR * x->top_contrast + 2;
	for (int i = 0; i < blocks; i++)
	{
		blurred[i] = RIDGE / 64.0f / (x->contrast[i] > floor ? x->contrast[i] : floor);
		x->mask[i] = x->contrast[i] * weight[i] > CONTRAST_LEAST / 2 * x->top_contrast &&
					 x->contrast[i] > CONTRAST_LEAST * x->top_contrast && x->contrast[i] > 3;
	}
	for (int y = 0; y < x->height; y++)
	{
		int16_t     *out = x->normal.origin + (ptrdiff_t) y * x->normal.stride;
		const float *seen = x->weight + (size_t) (y / BLOCK) * x->columns;

		if (extraction_stopped(x))
			return false;
		grid_row(x, blurred, y, contrast_row);
		for (int k = 0; k < x->width; k++)
		{
			float value = (float) out[k] * contrast_row[k];

			value = value > CLIP * RIDGE ? (float) (CLIP * RIDGE) : value;
			value = value < -CLIP * RIDGE ? (float) (-CLIP * RIDGE) : value;
			out[k] = seen[k / BLOCK] > 0 ? (int16_t) value : 0;
		}
	}
	grid_tidy(x, x->mask, MASK_BLUR, MASK_HOLE);
	if (light_on_dark(x))
		for (int y = 0; y < x->height; y++)
			for (int k = 0; k < x->width; k++)
				x->normal.origin[(ptrdiff_t) y * x->normal.stride + k] *= -1;
	return true;
}

/*
 * Direction of the ridges from the gradient's structure tensor (Bigun and
 * Granlund 1987; Kass and Witkin 1987): at the finest scale where it is clear,
 * coarser where it is not.
 */
static void
find_direction(Extraction *x, Plane input)
{
	static const double blur[SCALES] = {FINEST_BLUR, MIDDLE_BLUR, COARSEST_BLUR};
	int                 blocks = x->columns * x->rows;
	float              *a = x->scratch[0], *b = x->scratch[1], *e = x->scratch[2];
	double              done = 0;

	memset(a, 0, blocks * sizeof(float));
	memset(b, 0, blocks * sizeof(float));
	memset(e, 0, blocks * sizeof(float));
	for (int y = 0; y < x->height; y++)
	{
		const int16_t *here = input.origin + (ptrdiff_t) y * input.stride;
		const int16_t *above = here - input.stride, *below = here + input.stride;
		size_t         first = (size_t) (y / BLOCK) * x->columns;

		for (int c = 0; c < x->columns; c++)
		{
			int difference = 0, product = 0, sum = 0;

			for (int k = c * BLOCK; k < c * BLOCK + BLOCK; k++)
			{
				int across = (above[k + 1] - above[k - 1]) + 2 * (here[k + 1] - here[k - 1]) +
							 (below[k + 1] - below[k - 1]);
				int down = (below[k - 1] - above[k - 1]) + 2 * (below[k] - above[k]) +
						   (below[k + 1] - above[k + 1]);

				difference += across * across - down * down;
				product += 2 * across * down;
				sum += across * across + down * down;
			}
			a[first + c] += (float) difference;
			b[first + c] += (float) product;
			e[first + c] += (float) sum;
		}
	}
	for (int scale = 0; scale < SCALES; scale++)
	{
		double further = portable_sqrt(blur[scale] * blur[scale] - done * done);

		done = blur[scale];
		grid_blur(x, a, further, x->scratch[3]);
		grid_blur(x, b, further, x->scratch[3]);
		grid_blur(x, e, further, x->scratch[3]);
		for (int i = 0; i < blocks; i++)
		{
			float energy = e[i] + 10000.0f;
			float cosine = a[i] / energy, sine = b[i] / energy;

			if (scale == 0)
			{
				x->cosine[i] = cosine;
				x->sine[i] = sine;
				x->coherence[i] = (float) portable_sqrt(cosine * cosine + sine * sine);
			}
			else
			{
				float clear =
					(float) portable_sqrt(x->cosine[i] * x->cosine[i] + x->sine[i] * x->sine[i]);
				float keep = (clear - 0.25f) / 0.4f;

				keep = keep < 0 ? 0 : keep > 1 ? 1 : keep;
				x->cosine[i] = x->cosine[i] * keep + cosine * (1 - keep);
				x->sine[i] = x->sine[i] * keep + sine * (1 - keep);
			}
		}
	}
}

/*
 * Wavelength of the ridges: the strongest period of the signature across them
 * (Hong, Wan and Jain 1998 count its peaks instead).
 */
static bool
find_wavelength(Extraction *x, Plane input)
{
	int16_t cosines[PERIODS][SIGNATURE], sines[PERIODS][SIGNATURE];
	int     blocks = x->columns * x->rows;
	float  *sum = x->wavelength, *weight = x->scratch[0];
	float   all = 0, all_weights = 0, common;

	for (int k = 0; k < PERIODS; k++)
		for (int i = 0; i < SIGNATURE; i++)
		{
			int    at = i - SIGNATURE_REACH;
			double window = 0.5 + 0.5 * portable_cos(PORTABLE_PI * at / (SIGNATURE_REACH + 1));
			double phase = 2 * PORTABLE_PI * at / (PERIOD_LEAST + k * PERIOD_STEP);

			cosines[k][i] = (int16_t) (1024 * window * portable_cos(phase));
			sines[k][i] = (int16_t) (1024 * window * portable_sin(phase));
		}
	memset(sum, 0, blocks * sizeof(float));
	memset(weight, 0, blocks * sizeof(float));
	for (int r = SIGNATURE_EVERY / 2; r < x->rows; r += SIGNATURE_EVERY)
	{
		if (extraction_stopped(x))
			return false;
		for (int c = SIGNATURE_EVERY / 2; c < x->columns; c += SIGNATURE_EVERY)
		{
			int     i = r * x->columns + c, mean = 0, best = 0;
			int     signature[SIGNATURE];
			int16_t centred[SIGNATURE];
			double  angle, power, total = 0, most = 0;
			int     across_x, across_y;

			if (!x->mask[i])
				continue;
			angle = portable_atan2(x->sine[i], x->cosine[i]) / 2;
			across_x = (int) (65536 * portable_cos(angle));
			across_y = (int) (65536 * portable_sin(angle));
			for (int u = 0; u < SIGNATURE; u++)
			{
				int at_x = (c * BLOCK + BLOCK / 2) * 65536 + (u - SIGNATURE_REACH) * across_x +
						   SIGNATURE_WIDTH * across_y;
				int at_y = (r * BLOCK + BLOCK / 2) * 65536 + (u - SIGNATURE_REACH) * across_y -
						   SIGNATURE_WIDTH * across_x;

				signature[u] = 0;
				for (int v = 0; v < 2 * SIGNATURE_WIDTH + 1; v++)
				{
					signature[u] +=
						input.origin[(ptrdiff_t) (at_y >> 16) * input.stride + (at_x >> 16)];
					at_x -= across_y;
					at_y += across_x;
				}
				mean += signature[u];
			}
			mean /= SIGNATURE;
			for (int u = 0; u < SIGNATURE; u++)
			{
				centred[u] = (int16_t) (signature[u] - mean);
				total += centred[u] * centred[u];
			}
			for (int k = 0; k < PERIODS; k++)
			{
				int even = 0, odd = 0;

				for (int u = 0; u < SIGNATURE; u++)
				{
					even += centred[u] * cosines[k][u];
					odd += centred[u] * sines[k][u];
				}
				power = (double) even * even + (double) odd * odd;
				if (power > most)
				{
					most = power;
					best = k;
				}
			}
			if (best > 0 && best < PERIODS - 1)
			{
				float clear = (float) (most / (1048576.0 * (total + 1) * SIGNATURE_REACH * 0.75));

				clear *= clear;
				sum[i] = clear * (float) (PERIOD_LEAST + best * PERIOD_STEP);
				weight[i] = clear;
				all += sum[i];
				all_weights += clear;
			}
		}
	}
	common = all_weights > 0 ? all / all_weights : 9;
	grid_blur(x, sum, PERIOD_BLUR, x->scratch[1]);
	grid_blur(x, weight, PERIOD_BLUR, x->scratch[1]);
	for (int i = 0; i < blocks; i++)
	{
		const float prior = PERIOD_PRIOR / (SIGNATURE_EVERY * SIGNATURE_EVERY);

		sum[i] = (sum[i] + prior * common) / (weight[i] + prior);
	}
	return true;
}

static void
make_tables(Filters *filters, int wavelength)
{
	double period = PERIOD_LEAST + wavelength * 0.5, across = ACROSS * period;

	for (int i = 0; i < DISTANCES; i++)
	{
		double u = (double) i / DISTANCES_A_PIXEL;

		filters->across[wavelength][i] = (float) portable_exp(-0.5 * u * u / (across * across));
		filters->wave[wavelength][i] = (float) portable_cos(2 * PORTABLE_PI * u / period);
	}
	filters->tables_made[wavelength] = true;
}

/* An even Gabor filter without response to a constant, and 1 to ridges of its kind */
static void
make_kernel(Filters *filters, int direction, int wavelength)
{
	double angle = PORTABLE_PI * direction / DIRECTIONS;
	float  cosine = (float) (DISTANCES_A_PIXEL * portable_cos(angle)),
		  sine = (float) (DISTANCES_A_PIXEL * portable_sin(angle));
	float    window[TAPS * TAPS], wave[TAPS * TAPS], sum = 0, windows = 0, response = 0, mean;
	int16_t *kernel = filters->kernels[direction][wavelength];
	int      n = 0;

	if (!filters->tables_made[wavelength])
		make_tables(filters, wavelength);
	for (int y = -RADIUS; y <= RADIUS; y++)
		for (int x = -RADIUS; x <= RADIUS; x++, n++)
		{
			float u = (float) x * cosine + (float) y * sine;
			float v = (float) y * cosine - (float) x * sine;
			int   across = (int) ((u < 0 ? -u : u) + 0.5f);
			int   along = (int) ((v < 0 ? -v : v) + 0.5f);

			window[n] = filters->across[wavelength][across] * filters->along[along];
			wave[n] = filters->wave[wavelength][across];
			sum += window[n] * wave[n];
			windows += window[n];
		}
	mean = sum / windows;
	for (n = 0; n < TAPS * TAPS; n++)
		response += window[n] * (wave[n] - mean) * wave[n];
	memset(kernel, 0, KERNEL * sizeof(int16_t));
	for (n = 0; n < TAPS * TAPS; n++)
	{
		float value = KERNEL_UNIT * window[n] * (wave[n] - mean) / response;

		kernel[n / TAPS * TAPS_STRIDE + n % TAPS] =
			(int16_t) (value < 0 ? value - 0.5f : value + 0.5f);
	}
	filters->made[direction][wavelength] = true;
}

static int
filter(const int16_t *pixels, int stride, const int16_t *kernel)
{
	int sum = 0;

	for (int v = 0; v < TAPS; v++)
		for (int u = 0; u < TAPS_STRIDE; u++)
			sum += pixels[(ptrdiff_t) v * stride + u] * kernel[v * TAPS_STRIDE + u];
	return sum;
}

void
ridges_start(Extraction *x)
{
	Filters *filters = x->room;

	memset(filters->made, 0, sizeof(filters->made));
	memset(filters->tables_made, 0, sizeof(filters->tables_made));
	for (int i = 0; i < DISTANCES; i++)
	{
		double v = (double) i / DISTANCES_A_PIXEL;

		filters->along[i] = (float) portable_exp(-0.5 * v * v / (ALONG * ALONG));
	}
}

bool
ridges_filter(Extraction *x)
{
	Filters *filters = x->room;
	float   *cosine = x->scratch[0], *sine = x->scratch[1], *wavelength = x->scratch[2];

	for (int y = 0; y < x->height; y++)
	{
		const int16_t *in = x->normal.origin + (ptrdiff_t) y * x->normal.stride;
		int16_t       *out = x->ridges.origin + (ptrdiff_t) y * x->ridges.stride;
		const uint8_t *mask = x->mask + (size_t) (y / BLOCK) * x->columns;

		if (extraction_stopped(x))
			return false;
		grid_row(x, x->cosine, y, cosine);
		grid_row(x, x->sine, y, sine);
		grid_row(x, x->wavelength, y, wavelength);
		for (int k = 0; k < x->width; k++)
		{
			double angle;
			int    direction, w;

			if (!mask[k / BLOCK])
			{
				out[k] = 0;
				continue;
			}
			angle = portable_atan2(sine[k], cosine[k]) / 2;
			direction = (int) (angle * DIRECTIONS / PORTABLE_PI + DIRECTIONS + 0.5) % DIRECTIONS;
			w = (int) ((wavelength[k] - PERIOD_LEAST) * 2 + 0.5);
			w = w < 0 ? 0 : w >= WAVELENGTHS ? WAVELENGTHS - 1 : w;
			if (!filters->made[direction][w])
				make_kernel(filters, direction, w);
			out[k] = (int16_t) (filter(in - (ptrdiff_t) RADIUS * x->normal.stride + k - RADIUS,
									   x->normal.stride, filters->kernels[direction][w]) /
								KERNEL_UNIT);
		}
	}
	return true;
}

double
ridges_angle(const Extraction *x, int column, int row)
{
	/* bilinear between the centres of blocks */
	double at_x = (column - 1.5) / BLOCK, at_y = (row - 1.5) / BLOCK;
	double cosine = 0, sine = 0;
	int    left, top;

	at_x = at_x < 0 ? 0 : at_x > x->columns - 1 ? x->columns - 1 : at_x;
	at_y = at_y < 0 ? 0 : at_y > x->rows - 1 ? x->rows - 1 : at_y;
	left = (int) at_x < x->columns - 1 ? (int) at_x : x->columns - 2;
	top = (int) at_y < x->rows - 1 ? (int) at_y : x->rows - 2;
	at_x -= left;
	at_y -= top;
	for (int k = 0; k < 4; k++)
	{
		double share = (k & 1 ? at_x : 1 - at_x) * (k & 2 ? at_y : 1 - at_y);
		int    i = (top + (k >> 1)) * x->columns + left + (k & 1);

		cosine += share * x->cosine[i];
		sine += share * x->sine[i];
	}
	return portable_atan2(sine, cosine) / 2 + PORTABLE_PI / 2;
}

bool
ridges_enhance(Extraction *x)
{
	ridges_start(x);
	for (int pass = 0; pass < PASSES; pass++)
	{
		/* directions again from what was filtered */
		Plane input = pass == 0 ? x->normal : x->ridges;

		find_direction(x, input);
		if (!find_wavelength(x, input) || !ridges_filter(x))
			return false;
	}
	return true;
}

void
ridges_judge(Extraction *x)
{
	int    blocks = x->columns * x->rows, inside = 0;
	float *product = x->agreement, *filtered = x->energy;
	float *normal = x->scratch[0], *blurred = x->scratch[1];
	float  good;

	for (int r = 0; r < x->rows; r++)
		for (int c = 0; c < x->columns; c++)
		{
			int i = r * x->columns + c;
			int products = 0, normals = 0, filtereds = 0;

			for (int y = r * BLOCK; y < r * BLOCK + BLOCK && y < x->height; y++)
				for (int k = c * BLOCK; k < c * BLOCK + BLOCK && k < x->width; k++)
				{
					int n = x->normal.origin[(ptrdiff_t) y * x->normal.stride + k];
					int f = x->ridges.origin[(ptrdiff_t) y * x->ridges.stride + k];

					products += n * f;
					normals += n * n;
					filtereds += f * f;
				}
			product[i] = (float) products / (RIDGE * RIDGE * BLOCK * BLOCK);
			normal[i] = (float) normals / (RIDGE * RIDGE * BLOCK * BLOCK);
			filtered[i] = (float) filtereds / (RIDGE * RIDGE * BLOCK * BLOCK);
		}
	memcpy(x->scratch[2], filtered, blocks * sizeof(float));
	grid_blur(x, product, AGREEMENT_BLUR, blurred);
	grid_blur(x, normal, AGREEMENT_BLUR, blurred);
	grid_blur(x, x->scratch[2], AGREEMENT_BLUR, blurred);
	for (int i = 0; i < blocks; i++)
	{
		double squares = (double) normal[i] * x->scratch[2][i];

		product[i] /= (float) (portable_sqrt(squares > 0 ? squares : 0) + 0.001);
	}
	grid_blur(x, filtered, ENERGY_BLUR, blurred);
	for (int i = 0; i < blocks; i++)
		if (x->mask[i])
			blurred[inside++] = filtered[i];
	good = grid_quantile(blurred, inside, 0.8, blurred);
	for (int i = 0; i < blocks; i++)
		x->mask[i] =
			x->mask[i] && product[i] > AGREEMENT_LEAST && filtered[i] > ENERGY_LEAST * good;
	grid_tidy(x, x->mask, RIDGES_BLUR, RIDGES_HOLE);
}
