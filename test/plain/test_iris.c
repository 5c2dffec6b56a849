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
#include "match/portable_math.h"
#include "record/iris_code.h"

static int      tests = 0;
static int      failures = 0;
static uint64_t state = 20240611;

static void
ok(bool passed, const char *what)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tests, what);
	failures += !passed;
}

static void *
allocate(size_t size)
{
	void *result = malloc(size > 0 ? size : 1);

	if (result == NULL)
		abort();
	return result;
}

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

/* the definition, a bit at a time; every rotation if there is no coarse pass */
static double
reference_distance(const IrisRecord *a, const IrisRecord *b)
{
	int    columns = a->iris.columns;
	int    bits = a->iris.bits;
	size_t total = IRIS_CODE_BITS((size_t) columns, bits);
	int    reach = columns * 20 / 360;
	int    step = (3 * columns + 64) / 128;
	double norm[2 * 1024];
	bool   identical[2 * 1024];
	double best = 2;
	bool   any_identical = false;
	int    outermost;
	double min_common = fmax(total / 8.0, fmin(total, 64));
	double normal = fmax(911.0 * total / 2048, 263);

	if (step < 1)
		step = 1;
	outermost = reach / step * step;
	for (int k = -reach; k <= reach; k++)
	{
		double n = 0, d = 0;

		for (size_t i = 0; i < total; i++)
		{
			size_t j = (i + (size_t) (k + columns) * bits) % total;

			if (get_bit(a->mask, j) & get_bit(b->mask, i))
			{
				n++;
				d += get_bit(a->code, j) ^ get_bit(b->code, i);
			}
		}
		identical[k + reach] = n >= min_common && d == 0;
		norm[k + reach] = n < min_common ? 2 : 0.5 - (0.5 - d / n) * sqrt(n / normal);
	}
	for (int k = -reach; k <= reach; k++)
	{
		bool looked_at = k % step == 0;

		for (int c = -outermost; c <= outermost; c += step)
		{
			bool belongs =
				2 * abs(k - c) <= step || (abs(c) == outermost && abs(k) > outermost && k * c >= 0);

			looked_at |= norm[c + reach] < 0.44 && belongs;
		}
		if (looked_at)
		{
			best = norm[k + reach] < best ? norm[k + reach] : best;
			any_identical |= identical[k + reach];
		}
	}
	if (any_identical || best < 0)
		return 0;
	return best > 1 ? 1 : best;
}

static void
test_properties(void)
{
	int                  n_kernels = iris_code_loop.n;
	const Kernel *const *kernels = (const Kernel *const *) iris_code_loop.kernels;
	bool                 range = true, symmetric = true, invariant = true, self = true, same = true,
		 reference = true;
	int mated = 0;

	for (int round = 0; round < 600; round++)
	{
		int         columns, bits;
		IrisRecord *a, *b, *turned_a, *turned_b;
		double      distance;
		int         by;

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
		randomize(a, random_between(20, 100), random_between(0, 1));
		if (round % 2 == 0)
			randomize(b, random_between(0, 100), random_between(0, 1));
		else
		{
			turn(a, random_between(-(columns / 18), columns / 18), b);
			disturb(b, random_between(0, 45));
			/* a pair of the other form */
			if (random_between(0, 3) == 0)
				b->mask[0] ^= 1;
		}

		distance = distance_of(a, b);
		range &= distance >= 0 && distance <= 1;
		symmetric &= distance == distance_of(b, a);
		mated += distance < 0.3;
		reference &= fabs(distance - reference_distance(a, b)) < 1e-12;

		by = random_between(-columns / 2, columns / 2);
		turn(a, by, turned_a);
		turn(b, by, turned_b);
		invariant &= distance == distance_of(turned_a, turned_b);

		if (8 * (int64_t) iris_usable_bits(&a->iris) >= IRIS_CODE_BITS(columns, bits) &&
			(iris_usable_bits(&a->iris) >= 64 ||
			 iris_usable_bits(&a->iris) == (uint32_t) IRIS_CODE_BITS(columns, bits)))
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
	ok(invariant, "turning both codes changes nothing");
	ok(self, "the distance of a template to itself is 0");
	ok(same, "every kernel gives the same distance");
	ok(reference, "the distance is what its definition says");
	ok(mated > 50, "mated pairs were among them");
}

static void
test_not_mated(void)
{
	IrisRecord *a = make_record(128, 16, IRIS_EYE_LEFT);
	IrisRecord *b = make_record(128, 16, IRIS_EYE_RIGHT);
	IrisRecord *c = make_record(256, 8, IRIS_EYE_LEFT);
	IrisRecord *d = make_record(128, 16, IRIS_EYE_UNKNOWN);

	randomize(a, 100, true);
	memcpy(b->code, a->code, sizeof(a->code));
	memcpy(b->mask, a->mask, sizeof(a->mask));
	memcpy(c->code, a->code, sizeof(a->code));
	memcpy(c->mask, a->mask, sizeof(a->mask));
	memcpy(d->code, a->code, sizeof(a->code));
	memcpy(d->mask, a->mask, sizeof(a->mask));
	ok(distance_of(a, b) == 1, "left and right eye are not mated");
	ok(distance_of(a, d) == 0 && distance_of(d, b) == 0, "an unknown eye may be either");
	ok(distance_of(a, c) == 1 && distance_of(c, a) == 1, "different geometries are not mated");

	/* exactly the minimum of 256 common bits, then one less */
	memset(d->mask, 0, sizeof(d->mask));
	memset(d->mask, 0xFF, 32);
	ok(distance_of(a, d) == 0, "an eighth of the bits can decide");
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

	for (int round = 0; round < 300; round++)
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

int
main(void)
{
	test_kernels();
	test_properties();
	test_not_mated();
	test_features_valid();
	test_score();
	test_synthesis();
	test_own_forms();
	test_bytes();
	test_open_iris();
	printf("1..%d\n", tests);
	return failures > 0;
}
