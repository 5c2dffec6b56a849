/*
 * test_iris.c
 *		Iris codes: kernels, distance, score, synthesis and codecs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/iris/iris.h"
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"
#include "match/portable_math.h"
#include "record/iris_code.h"
#include "record/open_iris_json.h"
#include "tap.h"

static uint64_t state = 20240611;

static int
random_between(int low, int high)
{
	return low + (int) (portable_random(&state) % (uint64_t) (high - low + 1));
}

static void
random_bytes(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t) portable_random(&state);
}

static int
get_bit(const uint8_t *bytes, size_t i)
{
	return (bytes[i / 8] >> (i % 8)) & 1;
}

static void
set_bit(uint8_t *bytes, size_t i, int bit)
{
	bytes[i / 8] = (uint8_t) ((bytes[i / 8] & ~(1 << (i % 8))) | bit << (i % 8));
}

/* ---- kernels ------------------------------------------------------------- */

static void
test_kernels(void)
{
	int                  n = iris_code_loop.n;
	const Kernel *const *kernels = (const Kernel *const *) iris_code_loop.kernels;

	ok(strcmp(kernels[0]->cpu.name, "plain") == 0 && kernels[0]->cpu.needs == 0,
	   "the kernel in plain C comes first");
	ok(cpu_has(kernel_chosen()->cpu.needs), "the chosen kernel is supported");

	for (int k = 0; k < n; k++)
	{
		char what[100];
		bool equal = true;

		if (!cpu_has(kernels[k]->cpu.needs))
		{
			printf("ok %d # SKIP kernel %s is not supported here\n", ++tests, kernels[k]->cpu.name);
			continue;
		}
		for (int round = 0; round < 3000; round++)
		{
			int        length = round < 1200 ? round / 2 : random_between(0, 5000);
			int        n_offsets = random_between(0, 16);
			int        stretch = length + random_between(0, 300);
			int        planes = random_between(1, 2);
			uint8_t   *probe_code[2] = {allocate(stretch + KERNEL_PADDING),
										allocate(stretch + KERNEL_PADDING)};
			uint8_t   *probe_mask = allocate(stretch + KERNEL_PADDING);
			uint8_t   *code[2] = {allocate(length), allocate(length)};
			uint8_t   *mask = allocate(length);
			CodeBytes  probe = {{probe_code[0], planes == 2 ? probe_code[1] : NULL}, probe_mask};
			CodeBytes  other = {{code[0], planes == 2 ? code[1] : NULL}, mask};
			uint32_t   offsets[16];
			CodeCounts expected[16];
			CodeCounts got[16];

			for (int p = 0; p < 2; p++)
			{
				random_bytes(probe_code[p], stretch + KERNEL_PADDING);
				random_bytes(code[p], length);
			}
			random_bytes(probe_mask, stretch + KERNEL_PADDING);
			random_bytes(mask, length);
			/* the sums are largest when everything is valid and differs */
			if (round % 7 == 0)
			{
				for (int p = 0; p < 2; p++)
				{
					memset(probe_code[p], 0xFF, stretch + KERNEL_PADDING);
					memset(code[p], 0, length);
				}
				memset(probe_mask, 0xFF, stretch + KERNEL_PADDING);
				memset(mask, 0xFF, length);
			}
			else if (round % 7 == 1)
				memset(mask, 0, length);
			for (int i = 0; i < n_offsets; i++)
				offsets[i] = (uint32_t) random_between(0, stretch - length);
			kernels[0]->count_codes(&probe, &other, length, n_offsets, offsets, expected);
			kernels[k]->count_codes(&probe, &other, length, n_offsets, offsets, got);
			for (int i = 0; i < n_offsets; i++)
				equal &= expected[i].common == got[i].common &&
						 expected[i].differing == got[i].differing;

			/* and the plain one equals counting bit by bit */
			if (k == 0 && n_offsets > 0 && round % 10 == 0)
			{
				uint32_t common = 0;
				uint32_t differing = 0;

				for (size_t i = 0; i < 8 * (size_t) length; i++)
				{
					int valid = get_bit(mask, i) & get_bit(probe_mask + offsets[0], i);

					common += planes * valid;
					for (int p = 0; p < planes; p++)
						differing +=
							valid & (get_bit(code[p], i) ^ get_bit(probe_code[p] + offsets[0], i));
				}
				equal &= expected[0].common == common && expected[0].differing == differing;
			}
			for (int p = 0; p < 2; p++)
			{
				free(probe_code[p]);
				free(code[p]);
			}
			free(probe_mask);
			free(mask);
		}
		snprintf(what, sizeof(what), "kernel %s counts as %s", kernels[k]->cpu.name,
				 k == 0 ? "one bit at a time" : "the scalar one");
		ok(equal, what);
	}
}

/* samples and a probe's samples in some rotations, a few of them much alike */
static void
draw_samples(TurnedSamples *turned, uint8_t (*samples)[2 * SKETCH_BYTES], int n)
{
	int usable = random_between(0, 3);

	turned->rotations = random_between(1, MAX_SAMPLE_LANES);
	random_bytes((uint8_t *) turned->code, sizeof(turned->code));
	random_bytes((uint8_t *) turned->mask, sizeof(turned->mask));
	for (int lane = turned->rotations; lane < MAX_SAMPLE_LANES; lane++)
		for (int w = 0; w < SKETCH_WORDS; w++)
		{
			turned->code[w][lane] = turned->code[w][turned->rotations - 1];
			turned->mask[w][lane] = turned->mask[w][turned->rotations - 1];
		}
	for (int i = 0; i < n; i++)
	{
		int lane = random_between(0, turned->rotations - 1);
		int flips = random_between(0, 160);

		random_bytes(samples[i], sizeof(samples[i]));
		for (int k = 0; k < SKETCH_BYTES; k++)
			samples[i][SKETCH_BYTES + k] |= usable > 0 ? samples[i][k] : 0;
		if (usable == 3)
			memset(samples[i] + SKETCH_BYTES, 0xFF, SKETCH_BYTES);
		for (int w = 0; i % 2 == 0 && w < SKETCH_WORDS; w++)
			memcpy(samples[i] + 8 * w, &turned->code[w][lane], 8);
		for (int k = 0; k < flips; k++)
			samples[i][random_between(0, SKETCH_BYTES - 1)] ^=
				(uint8_t) (1 << random_between(0, 7));
	}
}

/* the alikeness of a sample, bit by bit */
static uint32_t
sample_alikeness(const TurnedSamples *turned, const uint8_t *sample)
{
	uint32_t most = 0;

	for (int lane = 0; lane < turned->rotations; lane++)
	{
		CodeCounts counts = {0, 0};
		uint32_t   alike;

		for (int bit = 0; bit < 8 * SKETCH_BYTES; bit++)
		{
			int valid = get_bit(sample + SKETCH_BYTES, bit) &
						(int) (turned->mask[bit / 64][lane] >> bit % 64 & 1);
			int other = (int) (turned->code[bit / 64][lane] >> bit % 64 & 1);

			counts.common += valid;
			counts.differing += valid & (get_bit(sample, bit) ^ other);
		}
		alike = sketch_alikeness(&counts);
		most = alike > most ? alike : most;
	}
	return most;
}

#define SAMPLES 50

static void
test_sample_kernels(void)
{
	const Kernel *const *kernels = (const Kernel *const *) iris_code_loop.kernels;
	TurnedSamples       *turned = allocate(sizeof(TurnedSamples));

	for (int k = 0; k < iris_code_loop.n; k++)
	{
		char what[100];
		bool equal = true;
		int  alike = 0, strange = 0;

		if (!cpu_has(kernels[k]->cpu.needs))
		{
			printf("ok %d # SKIP kernel %s is not supported here\n", ++tests, kernels[k]->cpu.name);
			continue;
		}
		for (int round = 0; round < 60; round++)
		{
			uint8_t        samples[SAMPLES][2 * SKETCH_BYTES];
			uint8_t       *chunks[SAMPLES];
			const uint8_t *pointers[SAMPLES];
			uint32_t       expected[SAMPLES];
			bool           got[SAMPLES];
			uint32_t       least = (uint32_t) random_between(0, 65536);

			draw_samples(turned, samples, SAMPLES);
			for (int i = 0; i < SAMPLES; i++)
			{
				expected[i] = sample_alikeness(turned, samples[i]);
				/* in memory of exactly its size, at an odd address */
				chunks[i] = allocate(2 * SKETCH_BYTES + 1);
				memcpy(chunks[i] + 1, samples[i], 2 * SKETCH_BYTES);
				pointers[i] = chunks[i] + 1;
			}
			/* sometimes just what one sample has, or one more */
			if (round % 3 > 0 && expected[0] <= 65535)
				least = expected[0] + round % 3 - 1;
			kernels[k]->match_samples(turned, SAMPLES, pointers, least, got);
			for (int i = 0; i < SAMPLES; i++)
			{
				equal &= got[i] == (expected[i] >= least);
				alike += got[i];
				strange += !got[i];
				free(chunks[i]);
			}
		}
		snprintf(what, sizeof(what), "kernel %s finds samples as alike as bit by bit",
				 kernels[k]->cpu.name);
		ok(equal && alike > 200 && strange > 200, what);
	}
	free(turned);
}

/* ---- distance ------------------------------------------------------------ */

static IrisRecord *
make_record(int columns, int bits, int eye)
{
	IrisRecord *record = allocate(sizeof(IrisRecord));

	memset(record, 0, sizeof(*record));
	record->iris.columns = (uint16_t) columns;
	record->iris.bits = (uint16_t) bits;
	record->iris.eye = (uint8_t) eye;
	record->iris.code = record->code;
	record->iris.mask = record->mask;
	return record;
}

/*
 * Bits that are set with some probability, in columns that resemble each other;
 * the mask bit by bit or pair by pair.
 */
static void
randomize(IrisRecord *record, int usable_percent, bool pairs)
{
	size_t total = IRIS_CODE_BITS((size_t) record->iris.columns, record->iris.bits);

	for (size_t i = 0; i < total; i++)
	{
		bool same = i >= record->iris.bits && random_between(0, 2) > 0;

		set_bit(record->code, i,
				same ? get_bit(record->code, i - record->iris.bits) : random_between(0, 1));
		if (pairs && i % 2 == 1)
			set_bit(record->mask, i, get_bit(record->mask, i - 1));
		else
			set_bit(record->mask, i, random_between(0, 99) < usable_percent);
	}
}

/* the same eye seen again */
static void
disturb(IrisRecord *record, int flip_percent)
{
	size_t total = IRIS_CODE_BITS((size_t) record->iris.columns, record->iris.bits);

	for (size_t i = 0; i < total; i++)
	{
		if (random_between(0, 99) < flip_percent)
			set_bit(record->code, i, !get_bit(record->code, i));
	}
}

static void
turn(const IrisRecord *from, int by, IrisRecord *to)
{
	size_t total = IRIS_CODE_BITS((size_t) from->iris.columns, from->iris.bits);
	size_t shift = (size_t) ((by + from->iris.columns) % from->iris.columns) * from->iris.bits;

	for (size_t i = 0; i < total; i++)
	{
		set_bit(to->code, (i + shift) % total, get_bit(from->code, i));
		set_bit(to->mask, (i + shift) % total, get_bit(from->mask, i));
	}
}

/* in memory of exactly their size, at an odd address */
static uint8_t *
features_of(const IrisRecord *record, uint8_t **chunk)
{
	uint8_t *buffer = allocate(IRIS_FEATURES_MAX_SIZE);
	size_t   size = iris_extract(&record->iris, buffer);

	*chunk = allocate(size + 1);
	memcpy(*chunk + 1, buffer, size);
	free(buffer);
	return *chunk + 1;
}

static int capped = 0; /* comparisons of which a sketch decided the distance */

static void
compare_records(const IrisRecord *a, const IrisRecord *b, IrisComparison *comparison)
{
	uint8_t   *chunk_a, *chunk_b;
	uint8_t   *features_a = features_of(a, &chunk_a);
	uint8_t   *features_b = features_of(b, &chunk_b);
	IrisProbe *probe = allocate(iris_probe_size(features_a));

	iris_probe_init(probe, features_a);
	iris_compare(probe, features_b, comparison);
	free(probe);
	free(chunk_a);
	free(chunk_b);
}

static double
distance_with(const IrisRecord *a, const IrisRecord *b, const Kernel *kernel)
{
	uint8_t       *chunk_a, *chunk_b;
	uint8_t       *features_a = features_of(a, &chunk_a);
	uint8_t       *features_b = features_of(b, &chunk_b);
	IrisProbe     *probe = allocate(iris_probe_size(features_a));
	IrisComparison comparison;
	double         distance;

	iris_probe_init(probe, features_a);
	if (kernel != NULL)
		iris_probe_set_kernel(probe, kernel);
	distance = iris_distance(probe, features_b);
	iris_compare(probe, features_b, &comparison);
	if (memcmp(&comparison.distance, &distance, sizeof(double)) != 0)
		distance = -1;
	capped += comparison.distance > comparison.whole;
	free(probe);
	free(chunk_a);
	free(chunk_b);
	return distance;
}

static double
distance_of(const IrisRecord *a, const IrisRecord *b)
{
	return distance_with(a, b, NULL);
}

/* ---- the definition of the distance, a bit at a time ----------------------- */

typedef struct Reference
{
	int     columns, bits;
	uint8_t code[8 * IRIS_MAX_FEATURE_CODE];
	uint8_t usable[8 * IRIS_MAX_FEATURE_CODE];
	double  weight;
} Reference;

/* usable bits of a row of a window, at least so many, and the rarer value among them */
static void
count_row(const Reference *r, int row, int first, int width, double least, double *usable,
		  double *rarer)
{
	double n = 0, ones = 0;

	for (int i = first; i < first + width; i++)
	{
		size_t at = (size_t) (i % r->columns) * r->bits + row;

		n += r->usable[at];
		ones += r->usable[at] & r->code[at];
	}
	if (n >= least)
	{
		*usable += n;
		*rarer += fmin(ones, n - ones);
	}
}

static bool
window_is_void(const Reference *r, int first, int width)
{
	double usable = 0, rarer = 0, pairs = 0, differing = 0;

	for (int row = 0; row < r->bits; row++)
		count_row(r, row, first, width, width / 3.0, &usable, &rarer);
	for (int i = first; i < first + width; i++)
		for (int row = 0; row + 4 < r->bits; row++)
		{
			size_t at = (size_t) (i % r->columns) * r->bits + row;

			if (r->usable[at] & r->usable[at + 4])
			{
				pairs++;
				differing += r->code[at] ^ r->code[at + 4];
			}
		}
	return 100 * rarer < 15 * usable || (pairs >= 2 * width && 100 * differing < 10 * pairs);
}

static void
make_reference(const IrisRecord *record, Reference *r)
{
	uint8_t *informative = allocate(sizeof(r->usable));
	size_t   total;
	int      width;
	double   size, sum = 0, most = 0, n = 0;

	r->columns = record->iris.columns;
	r->bits = record->iris.bits;
	total = IRIS_CODE_BITS((size_t) r->columns, r->bits);
	width = 3 * r->columns / 32 > 8 ? 3 * r->columns / 32 : 8;
	size = fmax(911.0 * total / 2048, 263) / 911;
	for (size_t i = 0; i < total; i++)
	{
		r->code[i] = (uint8_t) get_bit(record->code, i);
		r->usable[i] = (uint8_t) get_bit(record->mask, i);
	}
	memcpy(informative, r->usable, total);
	for (int first = 0; first < r->columns; first++)
	{
		if (!window_is_void(r, first, width))
			continue;
		for (int i = first; i < first + width; i++)
			memset(informative + (size_t) (i % r->columns) * r->bits, 0, r->bits);
	}
	for (int row = 0; row < r->bits; row++)
	{
		double usable = 0, rarer = 0;

		count_row(r, row, 0, r->columns, width, &usable, &rarer);
		for (int i = 0; 100 * rarer < 15 * usable && i < r->columns; i++)
			informative[(size_t) i * r->bits + row] = 0;
	}
	memcpy(r->usable, informative, total);
	free(informative);

	for (int turn = 0; turn < 48; turn++)
	{
		size_t by = (size_t) (r->columns / 8 + turn * (r->columns / 2 - r->columns / 8) / 48);
		double common = 0, excess = 0;

		for (size_t i = 0; i < total; i++)
		{
			size_t j = (i + by * r->bits) % total;

			common += r->usable[i] & r->usable[j];
			if (r->usable[i] & r->usable[j])
				excess += r->code[i] == r->code[j] ? 1 : -1;
		}
		if (32 * common < total)
			continue;
		sum += excess * excess / common;
		most = fmax(most, excess * excess / common);
		n++;
	}
	sum = n > 0 ? sum / n : 0;
	if (most > 256 * size)
		sum = most;
	r->weight = sum <= 16 * size ? 1 : floor(65535 * (16 * size / sum)) / 65535;
}

static int
sector_of(int columns, int column, int turn)
{
	int middle = (2 * column + turn + 4 * columns) % (2 * columns);

	return middle * 8 / (2 * columns);
}

/* the cap of the sketch of one code against the other */
static double
reference_cap(const Reference *sketched, const Reference *whole, int reach)
{
	int      columns = sketched->columns, bits = sketched->bits;
	uint32_t most = 0;

	if (columns < 32 || bits < 8)
		return 0;
	for (int turn = -reach; turn <= reach; turn++)
	{
		uint32_t n = 0, d = 0, alike;

		for (int i = 0; i < 32; i++)
			for (int k = 0; k < 8; k++)
			{
				int    column = columns * i / 32;
				int    bit = bits / 2 * (k / 2) / 4 * 2 + k % 2;
				size_t here = (size_t) column * bits + bit;
				size_t there = (size_t) ((column + turn + columns) % columns) * bits + bit;

				n += sketched->usable[here] & whole->usable[there];
				d += sketched->usable[here] & whole->usable[there] &
					 (sketched->code[here] ^ whole->code[there]);
			}
		alike = n < 64 ? UINT32_MAX : 2 * d > n ? 0 : 256 * (n - 2 * d) * (n - 2 * d) / n;
		most = alike > most ? alike : most;
	}
	return sketch_cap(most);
}

/* every rotation in full, and every sector in every rotation */
static double
reference_distance(const IrisRecord *record_a, const IrisRecord *record_b)
{
	Reference *a = allocate(sizeof(Reference));
	Reference *b = allocate(sizeof(Reference));
	int        columns = record_a->iris.columns;
	int        bits = record_a->iris.bits;
	size_t     total = IRIS_CODE_BITS((size_t) columns, bits);
	int        reach = (int) ceil(columns * 15.0 / 256);
	double(*common)[8] = allocate(sizeof(double[8]) * (2 * reach + 3));
	double(*excess)[8] = allocate(sizeof(double[8]) * (2 * reach + 3));
	double min_common = fmax(ceil(total / 8.0), fmin(total, 64));
	double normal = fmax(911.0 * total / 2048, 263);
	double best = 2;

	make_reference(record_a, a);
	make_reference(record_b, b);
	memset(common, 0, sizeof(double[8]) * (2 * reach + 3));
	memset(excess, 0, sizeof(double[8]) * (2 * reach + 3));
	for (int turn = -reach - 1; turn <= reach + 1; turn++)
		for (int column = 0; column < columns; column++)
		{
			int sector = sector_of(columns, column, turn);

			for (int bit = 0; bit < bits; bit++)
			{
				size_t i = (size_t) column * bits + bit;
				size_t j = (size_t) ((column + turn + columns) % columns) * bits + bit;

				if (a->usable[j] & b->usable[i])
				{
					common[turn + reach + 1][sector]++;
					excess[turn + reach + 1][sector] += a->code[j] == b->code[i] ? 1 : -1;
				}
			}
		}
	for (int k = 1; k <= 2 * reach + 1; k++)
	{
		double n = 0, plain = 0, sectors = 0, distance;

		for (int s = 0; s < 8; s++)
		{
			double shifted = fmax(excess[k - 1][s] - common[k - 1][s] / 16,
								  excess[k + 1][s] - common[k + 1][s] / 16);

			n += common[k][s];
			plain += excess[k][s];
			sectors += fmax(excess[k][s], shifted);
		}
		if (n < min_common)
			continue;
		distance = 0.5 - plain / (2 * sqrt(n * normal)) * sqrt(sqrt(a->weight * b->weight));
		if (distance < 0.40)
			distance = 0.5 - sectors / (2 * sqrt(n * normal)) * sqrt(sqrt(a->weight * b->weight));
		best = fmin(best, distance);
	}
	best = fmax(0, fmin(best, 1));
	best = fmax(best, fmax(reference_cap(a, b, reach), reference_cap(b, a, reach)));
	free(a);
	free(b);
	free(common);
	free(excess);
	return best;
}

/*
 * Texture: noise, smoothed along the angle over some columns, each bit the sign
 * of one response, of which two phases and neighbouring rings are independent.
 */
static void
draw_texture(IrisRecord *record, int smooth)
{
	int     columns = record->iris.columns;
	int     bits = record->iris.bits;
	double *noise = allocate(sizeof(double) * columns);
	size_t  total = IRIS_CODE_BITS((size_t) columns, bits);

	for (int bit = 0; bit < bits; bit++)
	{
		for (int i = 0; i < columns; i++)
			noise[i] = portable_normal(&state);
		for (int i = 0; i < columns; i++)
		{
			double near = 0, around = 0;

			for (int k = -3 * smooth; k <= 3 * smooth; k++)
			{
				double value = noise[(i + k + 4 * columns) % columns];

				near += k >= -smooth && k <= smooth ? value / (2 * smooth + 1) : 0;
				around += smooth > 0 ? value / (6 * smooth + 1) : 0;
			}
			set_bit(record->code, (size_t) i * bits + bit, near > around);
		}
	}
	for (size_t i = 0; i < total; i++)
		set_bit(record->mask, i, 1);
	free(noise);
}

/*
 * Whether a search with a limit finds the same: for limits of all kinds, no
 * sketch is left out that is within, and no distance within a limit is another.
 */
static bool
sketches_keep_limits(const IrisRecord *a, const IrisRecord *b, double distance, int *left_out)
{
	uint8_t       *chunk_a, *chunk_b;
	const uint8_t *features_a = features_of(a, &chunk_a);
	const uint8_t *features_b = features_of(b, &chunk_b);
	const void    *features = features_b, *sketch;
	IrisProbe     *probe = allocate(iris_probe_size(features_a));
	uint8_t       *chunk = allocate(IRIS_SKETCH_MAX_SIZE + 1);
	size_t         size = iris_sketch(features_b, chunk + 1);
	bool           kept = true;

	/* in memory of exactly its size, at an odd address */
	chunk = realloc(chunk, size + 1);
	if (chunk == NULL)
		abort();
	sketch = chunk + 1;
	kept = iris_sketch_valid(sketch, size);
	iris_probe_init(probe, features_a);
	for (int i = 0; i < 12; i++)
	{
		double limit = i == 0   ? distance
					   : i == 1 ? distance - 1e-9
					   : i == 2 ? 1
					   : i == 3 ? 0
								: random_between(0, 4500) / 10000.0;
		double within_limit;
		bool   within;

		iris_sketches_within(probe, 1, &sketch, limit, &within);
		iris_distances(probe, 1, &features, limit, &within_limit);
		kept &= distance <= limit ? within && within_limit == distance : within_limit > limit;
		*left_out += !within;
	}
	free(probe);
	free(chunk);
	free(chunk_a);
	free(chunk_b);
	return kept;
}

static void
test_properties(void)
{
	int                  n_kernels = iris_code_loop.n;
	const Kernel *const *kernels = (const Kernel *const *) iris_code_loop.kernels;
	bool                 range = true, symmetric = true, invariant = true, self = true, same = true,
		 reference = true, limits = true;
	int mated = 0, sectors = 0, left_out = 0;

	for (int round = 0; round < 600; round++)
	{
		int            columns, bits;
		IrisRecord    *a, *b, *turned_a, *turned_b;
		IrisAssessment assessment;
		double         distance;
		int            by;

		do
		{
			columns = round % 4 == 0 ? 128
									 : random_between(IRIS_MIN_COLUMNS,
													  round % 40 == 1 ? IRIS_MAX_COLUMNS : 300);
			bits =
				round % 4 == 0 ? 16 : random_between(1, round % 3 == 0 ? IRIS_MAX_COLUMN_BITS : 24);
		} while (!iris_geometry_valid(columns, bits));
		a = make_record(columns, bits, IRIS_EYE_LEFT);
		b = make_record(columns, bits, IRIS_EYE_LEFT);
		turned_a = make_record(columns, bits, IRIS_EYE_LEFT);
		turned_b = make_record(columns, bits, IRIS_EYE_LEFT);
		if (round % 5 == 4)
			draw_texture(a, random_between(0, columns / 40 + 1));
		else
			randomize(a, random_between(20, 100), random_between(0, 1));
		if (round % 2 == 0)
			randomize(b, random_between(0, 100), random_between(0, 1));
		else
		{
			turn(a, random_between(-IRIS_MAX_TURN(columns), IRIS_MAX_TURN(columns)), b);
			disturb(b, random_between(0, 45));
			/* a pair of the other form */
			if (random_between(0, 3) == 0)
				b->mask[0] ^= 1;
		}

		distance = distance_of(a, b);
		range &= distance >= 0 && distance <= 1;
		symmetric &= distance == distance_of(b, a);
		mated += distance < 0.3;
		sectors += distance > 0.2 && distance < 0.4;
		reference &= fabs(distance - reference_distance(a, b)) < 1e-12;

		by = random_between(-columns / 2, columns / 2);
		turn(a, by, turned_a);
		turn(b, by, turned_b);
		/* sectors keep their place when both are turned, so they hold other bits then */
		invariant &= distance >= 0.4 ? distance == distance_of(turned_a, turned_b)
									 : fabs(distance - distance_of(turned_a, turned_b)) < 0.1;

		limits &= sketches_keep_limits(a, b, distance, &left_out);
		iris_assess(&a->iris, &assessment);
		if (assessment.usable_bits >= fmax(911.0 * assessment.bits / 2048, 263))
			self &= distance_of(a, a) == 0;
		for (int k = 0; k < n_kernels; k++)
		{
			if (cpu_has(kernels[k]->cpu.needs))
				same &= distance == distance_with(a, b, kernels[k]);
		}
		free(a);
		free(b);
		free(turned_a);
		free(turned_b);
	}
	ok(range, "distances lie in [0, 1]");
	ok(symmetric, "the distance is symmetric to the bit");
	ok(invariant, "turning both codes changes nothing, and little where sectors are looked at");
	ok(self, "the distance of a template with enough bits to itself is 0");
	ok(same, "every kernel gives the same distance");
	ok(reference, "the distance is what its definition says");
	ok(limits, "no limit leaves out what is within, and none changes a distance within");
	printf("# %d of 7200 sketches left out, %d comparisons capped\n", left_out, capped);
	ok(left_out > 500 && capped > 20, "sketches leave out what is beyond, and cap what is not");
	ok(mated > 50 && sectors > 50, "mated pairs were among them, and such that sectors decide");
}

/*
 * No rotation is lost: a code with a tenth of its bits changed, turned by every
 * number of columns that is compared, is found at the same distance, however
 * smooth the code is.
 */
static void
test_rotations(void)
{
	static const struct
	{
		int columns, bits;
	} geometries[] = {{256, 64}, {200, 64}, {128, 16}, {512, 32}, {64, 32}, {1024, 24}, {360, 20}};

	for (int g = 0; g < 7; g++)
	{
		int  columns = geometries[g].columns, bits = geometries[g].bits;
		bool found = true, others = true;
		char what[100];

		for (int smooth = 0; smooth <= columns / 40; smooth += 1 + columns / 60)
		{
			IrisRecord *a = make_record(columns, bits, 0), *b = make_record(columns, bits, 0);
			IrisRecord *turned = make_record(columns, bits, 0);

			draw_texture(a, smooth);
			memcpy(b->code, a->code, sizeof(a->code));
			memcpy(b->mask, a->mask, sizeof(a->mask));
			disturb(b, 10);
			for (int by = -IRIS_MAX_TURN(columns); by <= IRIS_MAX_TURN(columns); by++)
			{
				turn(b, by, turned);
				found &= distance_of(a, turned) < 0.15 && distance_of(turned, a) < 0.15;
			}
			draw_texture(b, smooth);
			others &= distance_of(a, b) > 0.35;
			free(a);
			free(b);
			free(turned);
		}
		snprintf(what, sizeof(what), "%d x %d: every rotation of a smooth or rough code is found",
				 columns, bits);
		ok(found && others, what);
	}
}

/*
 * No rotation is lost by sketches either.  A copy, turned by every number of
 * columns that is compared, is as alike as can be.  Of mates with a score of 20
 * to 40 caps take some, in no rotation many more than in others: the bits of a
 * sketch are others in each.  Those with 50 or more keep 40, but for one in a
 * hundred.
 */
static void
test_rotations_of_sketches(void)
{
	static const struct
	{
		int columns, bits;
	} geometries[] = {{256, 64}, {200, 64}, {128, 16}, {512, 32}, {64, 32}, {1024, 24},
					  {360, 20}, {32, 8},   {33, 9},   {128, 8},  {77, 255}};
	enum
	{
		MATES = 12
	};

	for (int g = 0; g < 11; g++)
	{
		int         columns = geometries[g].columns, bits = geometries[g].bits;
		int         reach = IRIS_MAX_TURN(columns);
		int         near = 0, near_lost = 0, far = 0, far_lost = 0, most_lost = 0;
		bool        copies = true;
		char        what[100];
		IrisRecord *a = make_record(columns, bits, 0), *turned = make_record(columns, bits, 0);
		IrisRecord *mates[MATES];

		draw_texture(a, 0);
		for (int k = 0; k < MATES; k++)
		{
			mates[k] = make_record(columns, bits, 0);
			memcpy(mates[k]->code, a->code, sizeof(a->code));
			memcpy(mates[k]->mask, a->mask, sizeof(a->mask));
			if (k > 0)
				disturb(mates[k], random_between(20, 35));
		}
		for (int by = -reach; by <= reach; by++)
		{
			int lost_here = 0;

			for (int k = 0; k < MATES; k++)
			{
				IrisComparison comparison;

				turn(mates[k], by, turned);
				compare_records(a, turned, &comparison);
				if (k == 0)
					copies &= comparison.distance == comparison.whole &&
							  comparison.alikeness >= 256 * 230;
				else if (iris_score(comparison.whole) >= 20)
				{
					double whole = iris_score(comparison.whole);
					bool is_near = whole<40, is_capped = comparison.distance> comparison.whole;

					near += is_near;
					near_lost += is_near && is_capped;
					far += whole >= 50;
					far_lost += whole >= 50 && iris_score(comparison.distance) < 40;
					lost_here += is_near && is_capped;
				}
			}
			most_lost = lost_here > most_lost ? lost_here : most_lost;
		}
		printf("# %d x %d: of %d mates with less than 40 %d capped, %d in one rotation; "
			   "of %d with 50 %d lose 40\n",
			   columns, bits, near, near_lost, most_lost, far, far_lost);
		snprintf(what, sizeof(what), "%d x %d: no cap on copies in any rotation", columns, bits);
		ok(copies, what);
		snprintf(what, sizeof(what), "%d x %d: few mates capped in any", columns, bits);
		ok(near_lost * 4 <= near && far_lost * 100 <= far && most_lost * 3 <= MATES, what);
		for (int k = 0; k < MATES; k++)
			free(mates[k]);
		free(a);
		free(turned);
	}
}

/* ---- failed captures ------------------------------------------------------- */

static int
bit_at(const IrisRecord *record, int column, int bit)
{
	return get_bit(record->code, (size_t) column * record->iris.bits + bit);
}

static void
put_bit(IrisRecord *record, int column, int bit, int value)
{
	set_bit(record->code, (size_t) column * record->iris.bits + bit, value);
}

#define FAILURES 15

/* a capture that failed, or failed in part, in one of several ways */
static void
draw_failure(IrisRecord *record, int kind)
{
	int columns = record->iris.columns, bits = record->iris.bits;
	int period = random_between(2, columns / 2), height = random_between(2, 8);
	int noise = random_between(0, 15), value = random_between(0, 1);
	int part = random_between(columns / 16, columns * 3 / 4), first = random_between(0, columns);
	uint8_t pattern[16];
	size_t  length = IRIS_CODE_BYTES((size_t) columns, bits);

	draw_texture(record, columns / 64);
	random_bytes(pattern, sizeof(pattern));
	for (int i = 0; i < columns; i++)
		for (int bit = 0; bit < bits; bit++)
		{
			bool in_part = (i - first + columns) % columns < part;
			int  noisy = value ^ (random_between(0, 99) < noise);

			switch (kind)
			{
				case 0: /* nothing seen */
					put_bit(record, i, bit, value);
					break;
				case 1: /* hardly anything */
					put_bit(record, i, bit, noisy);
					break;
				case 2: /* a sector hides behind an eyelid that is not masked */
					put_bit(record, i, bit, in_part ? noisy : bit_at(record, i, bit));
					break;
				case 3: /* the same, and the phases differ */
					put_bit(record, i, bit, in_part ? bit & 1 : bit_at(record, i, bit));
					break;
				case 4: /* outer rings do */
					put_bit(record, i, bit, bit * 3 > bits ? noisy : bit_at(record, i, bit));
					break;
				case 5: /* stripes */
					put_bit(record, i, bit, i % period < period / 2);
					break;
				case 6: /* a chequerboard */
					put_bit(record, i, bit, (i / height + bit / height) & 1);
					break;
				case 7: /* one ring for all */
					put_bit(record, i, bit,
							bit < 2 ? bit_at(record, i, bit) : bit_at(record, i, bit & 1));
					break;
				case 8: /* one row for all */
					put_bit(record, i, bit, bit_at(record, i, 0) ^ (bit & 1));
					break;
				case 9: /* rows that are not balanced */
					put_bit(record, i, bit,
							(bit * 7 % 5 < 2) ^ (random_between(0, 99) < 5 + noise));
					break;
				case 10: /* half the rings are 0, half are 1 */
					put_bit(record, i, bit, 2 * bit > bits);
					break;
				case 11: /* stripes in a part */
					put_bit(record, i, bit, in_part ? i / height & 1 : bit_at(record, i, bit));
					break;
				default:
					break;
			}
		}
	if (kind == 12) /* a pattern of some bytes */
		for (size_t i = 0; i < length; i++)
			record->code[i] = pattern[i % (height + 1)];
	if (kind == 13) /* the mask twice */
		memcpy(record->mask, record->code, length);
	if (kind == 14) /* code and mask exchanged */
	{
		memcpy(record->mask, record->code, length);
		memset(record->code, 0xFF, length);
		for (int i = first; i < first + columns / 4; i++)
			for (int bit = bits / 2; bit < bits; bit++)
				put_bit(record, i % columns, bit, 0);
	}
}

static void
test_failures(void)
{
	static const struct
	{
		int columns, bits;
	} geometries[] = {{128, 16}, {256, 64}, {64, 32}};
	int            each = 6;
	IrisRecord    *texture = make_record(128, 16, 0);
	IrisAssessment assessment;

	for (int g = 0; g < 3; g++)
	{
		int         columns = geometries[g].columns, bits = geometries[g].bits;
		IrisRecord *failures[FAILURES * 6];
		uint8_t    *features[FAILURES * 6], *chunks[FAILURES * 6];
		int         matches = 0, pairs = 0, exchanged = 0;
		bool        worthless = true;

		for (int i = 0; i < FAILURES * each; i++)
		{
			failures[i] = make_record(columns, bits, 0);
			draw_failure(failures[i], i % FAILURES);
			features[i] = features_of(failures[i], &chunks[i]);
			iris_assess(&failures[i]->iris, &assessment);
			if (i % FAILURES == 14)
				exchanged += assessment.exchanged;
			else if (i % FAILURES != 2 && i % FAILURES != 3 && i % FAILURES != 4 &&
					 i % FAILURES != 11)
				worthless &= 4 * assessment.usable_bits < assessment.bits;
		}
		for (int i = 0; i < FAILURES * each; i++)
		{
			IrisProbe *probe = allocate(iris_probe_size(features[i]));

			iris_probe_init(probe, features[i]);
			for (int j = 0; j < i; j++)
			{
				matches += iris_score(iris_distance(probe, features[j])) >= 40;
				pairs++;
			}
			free(probe);
		}
		printf("# %d x %d: %d of %d pairs of failed captures match\n", columns, bits, matches,
			   pairs);
		ok(matches <= 2, "failed captures do not match each other but for chance");
		ok(worthless, "few bits of them are usable");
		ok(exchanged == each, "code and mask exchanged are recognised");
		for (int i = 0; i < FAILURES * each; i++)
		{
			free(failures[i]);
			free(chunks[i]);
		}
	}

	draw_texture(texture, 2);
	iris_assess(&texture->iris, &assessment);
	ok(assessment.bits == 2048 && assessment.mask_bits == 2048 &&
		   assessment.informative_bits == 2048 && assessment.usable_bits == 2048 &&
		   !assessment.exchanged,
	   "all bits of a texture are usable");
	free(texture);
}

static void
test_not_mated(void)
{
	IrisRecord *a = make_record(128, 16, IRIS_EYE_LEFT);
	IrisRecord *b = make_record(128, 16, IRIS_EYE_RIGHT);
	IrisRecord *c = make_record(256, 8, IRIS_EYE_LEFT);
	IrisRecord *d = make_record(128, 16, IRIS_EYE_UNKNOWN);

	draw_texture(a, 0);
	memcpy(b->code, a->code, sizeof(a->code));
	memcpy(b->mask, a->mask, sizeof(a->mask));
	memcpy(c->code, a->code, sizeof(a->code));
	memcpy(c->mask, a->mask, sizeof(a->mask));
	memcpy(d->code, a->code, sizeof(a->code));
	memcpy(d->mask, a->mask, sizeof(a->mask));
	ok(distance_of(a, b) == 1, "left and right eye are not mated");
	ok(distance_of(a, d) == 0 && distance_of(d, b) == 0, "an unknown eye may be either");
	ok(distance_of(a, c) == 1 && distance_of(c, a) == 1, "different geometries are not mated");

	/* exactly the minimum of 256 common bits, then one less: 0.5 - 0.5 sqrt(256 / 911) = 0.235 */
	memset(d->mask, 0, sizeof(d->mask));
	memset(d->mask, 0xFF, 32);
	ok(distance_of(a, d) < 0.235 && distance_of(a, d) > 0.23,
	   "an eighth of the bits can decide, but says less than all of them");
	d->mask[0] = 0x7F;
	ok(distance_of(a, d) == 1, "fewer cannot");
	memset(d->mask, 0, sizeof(d->mask));
	ok(distance_of(a, d) == 1 && distance_of(d, d) == 1,
	   "without usable bits nothing matches, not even itself");

	/* bits that are not usable have no influence */
	for (int i = 0; i < 256; i++)
		a->mask[i] = (uint8_t) portable_random(&state);
	memcpy(d->code, a->code, sizeof(a->code));
	memcpy(d->mask, a->mask, sizeof(a->mask));
	for (int i = 0; i < 256; i++)
		d->code[i] ^= (uint8_t) (portable_random(&state) & ~d->mask[i]);
	ok(distance_of(a, d) == 0, "masked bits have no influence");
	free(a);
	free(b);
	free(c);
	free(d);
}

static void
test_features_valid(void)
{
	for (int planes = 1; planes <= 2; planes++)
	{
		IrisRecord *a = make_record(128, 16, IRIS_EYE_LEFT);
		size_t      right_size = planes == 2 ? 8 + 3 * 128 : 8 + 2 * 256;
		uint8_t    *chunk;
		uint8_t    *features;
		bool        accepted, rejected = true;

		randomize(a, 50, planes == 2);
		features = features_of(a, &chunk);
		accepted = iris_features_valid(features, right_size);
		for (size_t size = 0; size < 600; size++)
			rejected &= size == right_size || !iris_features_valid(features, size);
		ok(accepted && rejected, planes == 2
									 ? "features with a mask for pairs are valid in their size only"
									 : "features with any mask are valid in their size only");
		features[4] = 3;
		rejected = !iris_features_valid(features, right_size);
		features[4] = 0;
		features[5] = 3;
		rejected &= !iris_features_valid(features, right_size);
		features[5] = (uint8_t) (3 - planes);
		rejected &= !iris_features_valid(features, right_size);
		features[5] = (uint8_t) planes;
		memset(features, 0, 4);
		ok(rejected && !iris_features_valid(features, right_size),
		   "not with an impossible eye, form or geometry");
		free(chunk);
		free(a);
	}
}

static void
test_sketch_valid(void)
{
	IrisRecord *a = make_record(128, 16, IRIS_EYE_LEFT);
	uint8_t     sketch[IRIS_SKETCH_MAX_SIZE], damaged[IRIS_SKETCH_MAX_SIZE];
	uint8_t    *chunk;
	uint8_t    *features = features_of(a, &chunk);
	size_t      size = iris_sketch(features, sketch);
	bool        sizes = true;
	int         accepted = 0;

	ok(size == IRIS_SKETCH_MAX_SIZE && iris_sketch_valid(sketch, size), "a sketch is valid");
	for (size_t other = 0; other < 100; other++)
		sizes &= other == size || !iris_sketch_valid(sketch, other);
	ok(sizes, "in its size only");
	for (int i = 0; i < 100000; i++)
	{
		IrisProbe  *probe = NULL;
		const void *damage = damaged;
		bool        within;

		memcpy(damaged, sketch, size);
		damaged[random_between(0, 3)] ^= (uint8_t) (1 << random_between(0, 7));
		damaged[random_between(0, 3)] ^= (uint8_t) (1 << random_between(0, 7));
		random_bytes(damaged + 4, size - 4);
		if (!iris_sketch_valid(damaged, size) || i % 100 > 0)
			continue;
		accepted++;
		probe = allocate(iris_probe_size(features));
		iris_probe_init(probe, features);
		iris_sketches_within(probe, 1, &damage, 0.2, &within);
		free(probe);
	}
	ok(accepted > 10, "any bytes that are valid can be used");
	free(chunk);
	free(a);
}

static void
test_score(void)
{
	bool   monotone = true;
	double last = iris_score(-1);

	for (int i = -1000; i <= 12000; i++)
	{
		double score = iris_score(i / 10000.0);

		monotone &= score <= last && score >= 0;
		last = score;
	}
	ok(monotone, "the score never grows with the distance");
	ok(iris_score(1) == 0 && iris_score(NAN) == 0 && iris_score(0) > 100,
	   "it goes from more than 100 to 0");
}

/* ---- synthesis ----------------------------------------------------------- */

/* FNV-1a, to tell whether another platform makes the same bytes */
static uint64_t
hash_bytes(uint64_t hash, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
	return hash;
}

static void
test_synthesis(void)
{
	uint64_t    hash = UINT64_C(0xCBF29CE484222325);
	IrisRecord *a = make_record(IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS, 0);
	IrisRecord *b = make_record(IRIS_SYNTHETIC_COLUMNS, IRIS_SYNTHETIC_BITS, 0);
	double      mated = 0;
	double      nonmated = 0;
	int         turned = 0;

	for (int eye = 0; eye < 200; eye++)
	{
		iris_synthesize(a->code, a->mask, eye, 0);
		hash = hash_bytes(hash_bytes(hash, a->code, 256), a->mask, 256);
		iris_synthesize(b->code, b->mask, eye, 1);
		hash = hash_bytes(hash_bytes(hash, b->code, 256), b->mask, 256);
		mated += distance_of(a, b) / 200;
		turned += memcmp(a->mask, b->mask, 256) != 0;
		iris_synthesize(b->code, b->mask, eye + 1, 0);
		nonmated += distance_of(a, b) / 200;
	}
	iris_synthesize(a->code, a->mask, INT64_MIN, INT32_MIN);
	iris_synthesize(b->code, b->mask, INT64_MAX, INT32_MAX);
	hash = hash_bytes(hash_bytes(hash, a->code, 256), b->code, 256);
	ok(mated > 0.09 && mated < 0.14, "synthetic captures of one eye are near each other");
	ok(nonmated > 0.44 && nonmated < 0.49, "those of two eyes are not");
	ok(turned == 200, "captures have masks of their own");
	printf("# hash of synthetic eyes: %016llX\n", (unsigned long long) hash);
	ok(hash == UINT64_C(0x90B5C0B94FE70FAA), "synthetic eyes are the same bytes as everywhere");
	free(a);
	free(b);
}

/* ---- codecs -------------------------------------------------------------- */

static bool
same_record(const IrisRecord *a, const IrisRecord *b)
{
	size_t length = IRIS_CODE_BYTES((size_t) a->iris.columns, a->iris.bits);

	return a->iris.columns == b->iris.columns && a->iris.bits == b->iris.bits &&
		   a->iris.eye == b->iris.eye && memcmp(a->code, b->code, length) == 0 &&
		   memcmp(a->mask, b->mask, length) == 0;
}

/* read a text in memory of exactly its size */
static bool
reads_text(const char *text, IrisRecord *record, IrisError *error)
{
	char *copy = allocate(strlen(text) + 1);
	bool  result;

	strcpy(copy, text);
	result = iris_read_text(copy, record, error);
	free(copy);
	return result;
}

static void
test_own_forms(void)
{
	IrisRecord *back = make_record(8, 1, 0);
	IrisError   error;
	bool        text_ok = true, binary_ok = true, cut_refused = true;

	for (int round = 0; round < 60; round++)
	{
		int         columns, bits;
		IrisRecord *record;
		size_t      size;
		char       *text;
		uint8_t    *bytes;

		do
		{
			columns = random_between(IRIS_MIN_COLUMNS, 200);
			bits = random_between(1, 40);
		} while (!iris_geometry_valid(columns, bits));
		record = make_record(columns, bits, random_between(0, 2));
		randomize(record, 50, false);

		text = allocate(iris_text_size(&record->iris));
		iris_write_text(&record->iris, text);
		text_ok &= strlen(text) < iris_text_size(&record->iris) && reads_text(text, back, &error) &&
				   same_record(record, back);
		for (int cut = 0; cut < 20; cut++)
		{
			text[random_between(0, (int) strlen(text) - 1)] = '\0';
			cut_refused &= !reads_text(text, back, &error);
			if (text[0] == '\0')
				break;
		}

		size = iris_binary_size(&record->iris);
		bytes = allocate(size);
		iris_write_binary(&record->iris, bytes);
		binary_ok &= iris_read_binary(bytes, size, back, &error) && same_record(record, back);
		for (int cut = 0; cut < 10; cut++)
		{
			size_t   less = (size_t) random_between(0, (int) size - 1);
			uint8_t *copy = allocate(less);

			memcpy(copy, bytes, less);
			cut_refused &= !iris_read_binary(copy, less, back, &error);
			free(copy);
		}
		free(text);
		free(bytes);
		free(record);
	}
	ok(text_ok, "the text form is lossless");
	ok(binary_ok, "the binary form is lossless");
	ok(cut_refused, "either is refused when cut short");
	ok(reads_text(" 8x2:left:AAE=:/wA=\n", back, &error) && back->iris.eye == IRIS_EYE_LEFT &&
		   back->code[1] == 1 && back->mask[0] == 0xFF,
	   "text: bytes as written, space around is allowed");
	ok(!reads_text("", back, &error) && !reads_text("8", back, &error) &&
		   !reads_text("8x", back, &error) && !reads_text("8x2", back, &error) &&
		   !reads_text("-8x2:left:AAE=:/wA=", back, &error) &&
		   !reads_text("8x2:both:AAE=:/wA=", back, &error) &&
		   !reads_text("8x2:left:AAE=", back, &error) &&
		   !reads_text("99999999x2:left:AAE=:/wA=", back, &error) &&
		   !reads_text("0x2:left:AAE=:/wA=", back, &error) &&
		   !reads_text("8x0:left::", back, &error) &&
		   !reads_text("8x2:left:AAE=:/wA=:", back, &error),
	   "text: bad headers are refused");
	ok(!reads_text("8x2:left:AA*=:/wA=", back, &error) &&
		   !reads_text("8x2:left:AAAA:/wA=", back, &error) &&
		   !reads_text("8x2:left:A==A:/wA=", back, &error) &&
		   !reads_text("8x2:left:AAF=:/wA=", back, &error) &&
		   !reads_text("8x2:left:AAE:/wA=", back, &error) &&
		   !reads_text("8x2:left:AAE=:/w A=", back, &error),
	   "text: bad base64 is refused");
	/* 9 columns of 1 bit: 7 bits of the second byte are beyond the code */
	ok(reads_text("9x1:left:AAE=:/wE=", back, &error) &&
		   !reads_text("9x1:left:AAI=:/wE=", back, &error) &&
		   !reads_text("9x1:left:AAE=:/wM=", back, &error),
	   "text: bits beyond code or mask are refused");
	free(back);
}

static void
test_bytes(void)
{
	IrisRecord *record = make_record(8, 1, 0);
	IrisError   error;
	uint8_t    *bytes = allocate(5000);
	uint8_t     mask[256];
	uint8_t     paired[128];

	memset(bytes, 0, 5000);
	ok(iris_from_bytes(bytes, 256, bytes, 256, false, 128, 1, record, &error) &&
		   record->iris.bits == 16,
	   "256 bytes in 128 columns are 16 bits each");
	ok(iris_from_bytes(bytes, 2, bytes, 2, false, 9, 1, record, &error) && record->iris.bits == 1,
	   "2 bytes in 9 columns are 1 bit each");
	ok(!iris_from_bytes(bytes, 256, bytes, 255, false, 128, 1, record, &error) &&
		   !iris_from_bytes(bytes, 256, bytes, 257, false, 128, 1, record, &error) &&
		   !iris_from_bytes(bytes, 255, bytes, 255, false, 128, 1, record, &error) &&
		   !iris_from_bytes(bytes, 0, bytes, 0, false, 128, 1, record, &error) &&
		   !iris_from_bytes(bytes, 256, bytes, 256, false, 0, 1, record, &error) &&
		   !iris_from_bytes(bytes, 256, bytes, 256, false, -1, 1, record, &error) &&
		   !iris_from_bytes(bytes, 256, bytes, 256, false, 2147483647, 1, record, &error) &&
		   !iris_from_bytes(bytes, 5000, bytes, 5000, false, 1000, 1, record, &error) &&
		   !iris_from_bytes(bytes, 3937, bytes, 3937, false, 8, 1, record, &error),
	   "other lengths and impossible geometries are refused");

	random_bytes(paired, 128);
	ok(iris_from_bytes(bytes, 256, paired, 128, true, 128, 1, record, &error) &&
		   iris_paired_mask_size(&record->iris) == 128 &&
		   iris_paired_mask(&record->iris, mask, &error) && memcmp(mask, paired, 128) == 0 &&
		   get_bit(record->mask, 2 * 77) == get_bit(paired, 77) &&
		   get_bit(record->mask, 2 * 77 + 1) == get_bit(paired, 77),
	   "a mask for pairs, there and back");
	record->mask[0] = 1;
	ok(!iris_paired_mask(&record->iris, mask, &error),
	   "a mask that splits a pair has no such form");
	ok(!iris_from_bytes(bytes, 256, bytes, 256, true, 128, 1, record, &error) &&
		   !iris_from_bytes(bytes, 2, bytes, 1, true, 9, 1, record, &error),
	   "a mask for pairs has half the bits, and pairs there must be");
	free(bytes);
	free(record);
}

static void
test_open_iris(void)
{
	IrisRecord *record = make_record(256, 64, IRIS_EYE_RIGHT);
	IrisRecord *back = make_record(256, 64, IRIS_EYE_UNKNOWN);
	IrisError   error;
	size_t      size;
	char       *code, *mask;

	randomize(record, 60, false);
	size = iris_open_iris_size(&record->iris);
	code = allocate(size);
	mask = allocate(size);
	ok(iris_write_open_iris(&record->iris, record->code, 2, code, &error) &&
		   iris_write_open_iris(&record->iris, record->mask, 2, mask, &error) &&
		   iris_read_open_iris(code, size, mask, size, 16, 256, 2, IRIS_EYE_RIGHT, back, &error) &&
		   same_record(record, back),
	   "open-iris arrays, there and back");
	ok(!iris_read_open_iris(code, size - 4, mask, size, 16, 256, 2, 0, back, &error) &&
		   !iris_read_open_iris(code, size, mask, size, 16, 257, 2, 0, back, &error) &&
		   !iris_read_open_iris(code, size, mask, size, 0, 256, 2, 0, back, &error) &&
		   !iris_read_open_iris(code, size, mask, size, 2147483647, 256, 2147483647, 0, back,
								&error) &&
		   !iris_write_open_iris(&record->iris, record->code, 0, code, &error) &&
		   !iris_write_open_iris(&record->iris, record->code, 5, code, &error),
	   "other shapes are refused");

	/*
	 * Shape 2 x 8 x 1 x 2: element (row 1, column 3, wavelet 0, phase 1) is bit
	 * (1 * 8 + 3) * 2 + 1 = 23 of the packed array, the lowest of its third byte
	 * ("AAABAA=="); with us bit 2 + 1 of column 3.
	 */
	ok(iris_read_open_iris("AAABAA==", 8, "/////w==", 8, 2, 8, 1, 0, back, &error) &&
		   back->iris.bits == 4 && get_bit(back->code, 3 * 4 + 3) == 1 && back->code[0] == 0 &&
		   back->code[1] == 0x80 && back->code[2] == 0 && back->code[3] == 0,
	   "an element is found where numpy packs it");
	free(code);
	free(mask);
	free(record);
	free(back);
}

/* each time in memory of exactly its size, for the sanitizer */
static bool
read_json(const char *text, size_t size, IrisRecord *record)
{
	char     *copy = allocate(size);
	IrisError error;
	bool      sound;

	memcpy(copy, text, size);
	sound = iris_read_open_iris_json(copy, size, 2, 8, 1, record, &error);
	free(copy);
	return sound;
}

static void
test_open_iris_json(void)
{
	static const char bare[] =
		"{\"iris_codes\": \"AAABAA==\", \"mask_codes\": \"\\/\\/\\/\\/\\/w==\\n\"}";
	static const char whole[] =
		" {\"error\": null, \"list\": [1, {\"iris_codes\": []}, -2.5e3, true],\n\"metadata\": {\"eye_side\":"
		"\"left\", \"a\\u00e9\\\"\": \"b\"}, \"iris_template\": {\"mask_codes\": \"/////w==\", \"iris_codes\":"
		"\"AAABAA==\"}}\n";
	static const char *const refused[] = {
		"",
		"[]",
		"{}",
		"{\"iris_codes\": 1, \"mask_codes\": \"/////w==\"}",
		"{\"iris_codes\": \"AAABAA==\", \"mask_codes\": \"/////w==\",}",
		"{\"iris_codes\": \"AAABAA==\", \"mask_codes\": \"/////w==\"} {}",
		"{\"iris_codes\": \"\\u0041AABAA==\", \"mask_codes\": \"/////w==\"}",
		"{\"iris_codes\": \"AAABAA==\", \"mask_codes\": \"/////w==\", \"x\": \"\\x\"}",
		"{\"metadata\": {\"eye_side\": \"LEFT\"}, \"iris_codes\": \"AAABAA==\", \"mask_codes\": \"/////w==\"}",
	};
	IrisRecord *record = make_record(8, 4, IRIS_EYE_RIGHT);
	IrisRecord *again = make_record(8, 4, IRIS_EYE_RIGHT);
	char        deep[300];
	int         bad = 0;

	ok(read_json(bare, sizeof(bare) - 1, record) && record->iris.eye == IRIS_EYE_UNKNOWN &&
		   read_json(whole, sizeof(whole) - 1, again) && again->iris.eye == IRIS_EYE_LEFT &&
		   memcmp(record->code, again->code, 4) == 0 && get_bit(record->code, 3 * 4 + 3) == 1 &&
		   memcmp(record->mask, again->mask, 4) == 0,
	   "open-iris JSON, alone and with metadata");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		bad += read_json(refused[i], strlen(refused[i]), record);
	for (size_t size = 0; size < sizeof(whole) - 2; size++)
		bad += read_json(whole, size, record);
	memset(deep, '[', sizeof(deep));
	bad += read_json(deep, sizeof(deep), record);
	ok(bad == 0, "other JSON, and what is cut off anywhere, is refused");
	free(record);
	free(again);
}

int
main(void)
{
	test_kernels();
	test_sample_kernels();
	test_properties();
	test_rotations();
	test_rotations_of_sketches();
	test_failures();
	test_not_mated();
	test_features_valid();
	test_sketch_valid();
	test_score();
	test_synthesis();
	test_own_forms();
	test_bytes();
	test_open_iris();
	test_open_iris_json();
	printf("1..%d\n", tests);
	return failures > 0;
}
