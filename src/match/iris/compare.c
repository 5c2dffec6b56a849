/*
 * compare.c
 *		Features of an iris code, and the distance of two.
 *
 * In one relative rotation k, let n bits be usable in both codes and d of them
 * differ.  HD = d / n is the fractional Hamming distance; Daugman's
 * normalisation (Daugman 2007, "New methods in iris recognition", IEEE Trans.
 * SMC-B 37, section VI) allows for how many bits were compared:
 *
 *		HDnorm = 0.5 - (0.5 - HD) sqrt(n / N) = 0.5 - (n - 2 d) / (2 sqrt(n N))
 *
 * N = 911 for codes of 2048 bits, his typical number of bits compared.  A
 * code with more bits samples the same texture more densely, so N grows with
 * the size of the code: N = 911 bits / 2048.  It never falls below 263, where
 * HDnorm of unrelated codes has the same spread, 0.5 / sqrt(N) = 0.031, if all
 * bits are independent: fewer cannot tell more.
 *
 * The distance is the smallest HDnorm over the rotations of up to 20 degrees,
 * with these rules, which are part of its definition:
 *
 * - Two passes.  Texture is correlated over about 8 degrees, so a mated pair
 *	 shows in the nearest of the rotations that are multiples of 8.4 degrees
 *	 (3 columns of 128).  The rotations between are looked at only beside
 *	 those where HDnorm is below REFINE_BELOW.  Most non-mated pairs never get
 *	 there and cost a third.
 * - A rotation with fewer common bits than one in MIN_COMMON_SHARE of the code,
 *	 or than MIN_COMMON (all bits, where the code has fewer), decides nothing.
 * - Codes that agree in every common bit of a rotation have distance 0.  The
 *	 formula alone leaves 0.5 - 0.5 sqrt(n / N) where n < N, even for a template
 *	 with itself.
 * - The result is kept within [0, 1].
 *
 * All sets of rotations are symmetric and the distance follows from the largest
 * of numbers that depend on d and n alone: so exchanging the two codes gives
 * the same bits.
 */
#include "match/iris/iris.h"

#include <string.h>

#include "match/iris/kernels.h"
#include "match/portable_math.h"

#define REFINE_BELOW     0.44
#define MIN_COMMON_SHARE 8
#define MIN_COMMON       64
#define NORMAL_BITS      911.0 /* of NORMAL_CODE */
#define NORMAL_CODE      2048.0
#define MIN_NORMAL_BITS  263.0

/* columns / 18 is 20 degrees */
#define MAX_TURN(columns) ((columns) / 18)
#define MAX_ROTATIONS     (2 * MAX_TURN(IRIS_MAX_COLUMNS) + 1)

/* 20 degrees are at most 3 steps: steps are rounded to whole columns */
#define MAX_COARSE 7

/*
 * Features are this header, then code and mask in one of two forms:
 *
 * - one plane: the code, and a mask of as many bits; columns are filled up to
 *	 whole bytes with bits that are not usable;
 * - two planes: the even bits of the code, its odd bits, and one mask for both.
 *	 Encoders take two phase bits from each filter response and mask both or
 *	 none, so this is the usual form.  It takes three quarters of the space and
 *	 time.  It is used whenever it can be: where the bits of a column fill the
 *	 bytes of both planes.
 *
 * Bits of the code that are not usable are 0.
 */
typedef struct FeaturesHeader
{
	uint16_t columns;
	uint16_t bits;
	uint8_t  eye;
	uint8_t  planes; /* 1 or 2 */
	uint8_t  zero[2];
} FeaturesHeader;

/*
 * A probe's code in one form.  Each part reaches from max_turn columns before
 * column 0, around the eye, to max_turn columns after the last, so a turn is
 * an offset.
 */
typedef struct ProbeForm
{
	uint32_t  column_bytes;
	uint32_t  length; /* bytes of a plane */
	CodeBytes bytes;
	uint32_t  coarse_offsets[MAX_COARSE];
} ProbeForm;

struct IrisProbe
{
	const Kernel  *kernel;
	FeaturesHeader header;
	uint32_t       min_common;
	int            max_turn; /* columns */
	int            step;     /* columns between coarse rotations */
	int            n_coarse;
	int            coarse[MAX_COARSE]; /* columns */
	double         scale;              /* 0.5 / sqrt(N) */
	double         refine;             /* refine where alikeness is above */
	ProbeForm      one;
	ProbeForm      two;     /* if the header says 2 planes */
	uint8_t        bytes[]; /* of both forms */
};

bool
iris_geometry_valid(int64_t columns, int64_t bits)
{
	return columns >= IRIS_MIN_COLUMNS && columns <= IRIS_MAX_COLUMNS && bits >= 1 &&
		   bits <= IRIS_MAX_COLUMN_BITS &&
		   IRIS_FEATURE_CODE(columns, bits) <= IRIS_MAX_FEATURE_CODE;
}

uint32_t
iris_usable_bits(const IrisTemplate *iris)
{
	size_t     length = IRIS_CODE_BYTES((size_t) iris->columns, iris->bits);
	uint32_t   offset = 0;
	uint8_t    padded[IRIS_MAX_CODE_BYTES + KERNEL_PADDING];
	CodeBytes  probe = {{padded, NULL}, padded};
	CodeBytes  mask = {{iris->mask, NULL}, iris->mask};
	CodeCounts counts;

	/* the mask compared with itself */
	memcpy(padded, iris->mask, length);
	memset(padded + length, 0, KERNEL_PADDING);
	kernel_chosen()->count_codes(&probe, &mask, length, 1, &offset, &counts);
	return counts.common;
}

/* ---- features ------------------------------------------------------------ */

static size_t
plane_length(const FeaturesHeader *header, int planes)
{
	return (size_t) header->columns * IRIS_COLUMN_BYTES(header->bits / planes);
}

static size_t
features_size(const FeaturesHeader *header)
{
	return IRIS_FEATURES_HEADER + (header->planes + 1) * plane_length(header, header->planes);
}

static CodeBytes
features_code(const FeaturesHeader *header, const void *features)
{
	const uint8_t *bytes = (const uint8_t *) features + IRIS_FEATURES_HEADER;
	size_t         length = plane_length(header, header->planes);
	CodeBytes      code = {{bytes, NULL}, bytes + header->planes * length};

	if (header->planes == 2)
		code.plane[1] = bytes + length;
	return code;
}

/* copy columns of packed bits to columns of whole bytes */
static void
align_columns(const uint8_t *packed, uint8_t *aligned, int columns, int bits)
{
	int    column_bytes = IRIS_COLUMN_BYTES(bits);
	size_t from = 0;

	if (bits % 8 == 0)
	{
		memcpy(aligned, packed, (size_t) columns * column_bytes);
		return;
	}
	memset(aligned, 0, (size_t) columns * column_bytes);
	for (int column = 0; column < columns; column++)
	{
		uint8_t *to = aligned + (size_t) column * column_bytes;

		for (int bit = 0; bit < bits; bit++, from++)
			to[bit / 8] |= (uint8_t) (((packed[from / 8] >> (from % 8)) & 1) << (bit % 8));
	}
}

/* the even bits of two bytes */
static inline uint8_t
even_bits(const uint8_t *bytes, int shift)
{
	uint32_t x = ((uint32_t) bytes[0] | (uint32_t) bytes[1] << 8) >> shift;

	x &= 0x5555;
	x = (x | x >> 1) & 0x3333;
	x = (x | x >> 2) & 0x0F0F;
	return (uint8_t) (x | x >> 4);
}

/* and back: the bits of a byte in the even places of two */
static inline uint32_t
spread_bits(uint8_t byte)
{
	uint32_t x = byte;

	x = (x | x << 4) & 0x0F0F;
	x = (x | x << 2) & 0x3333;
	return (x | x << 1) & 0x5555;
}

/* two planes of length bytes as one */
static void
join_planes(const uint8_t *even, const uint8_t *odd, size_t length, uint8_t *joined)
{
	for (size_t i = 0; i < length; i++)
	{
		uint32_t x = spread_bits(even[i]) | spread_bits(odd[i]) << 1;

		joined[2 * i] = (uint8_t) x;
		joined[2 * i + 1] = (uint8_t) (x >> 8);
	}
}

/* whether code and mask can be stored as two planes */
static bool
mask_is_paired(const uint8_t *mask, size_t length, int bits)
{
	uint8_t unpaired = 0;

	for (size_t i = 0; i < length; i++)
		unpaired |= (mask[i] ^ mask[i] >> 1) & 0x55;
	return unpaired == 0 && bits % 16 == 0;
}

size_t
iris_extract(const IrisTemplate *iris, void *features)
{
	FeaturesHeader header = {0};
	size_t         length = IRIS_FEATURE_CODE((size_t) iris->columns, iris->bits);
	uint8_t       *bytes = (uint8_t *) features + IRIS_FEATURES_HEADER;
	uint8_t        code[IRIS_MAX_FEATURE_CODE];
	uint8_t        mask[IRIS_MAX_FEATURE_CODE];

	align_columns(iris->code, code, iris->columns, iris->bits);
	align_columns(iris->mask, mask, iris->columns, iris->bits);
	for (size_t i = 0; i < length; i++)
		code[i] &= mask[i];

	header.columns = iris->columns;
	header.bits = iris->bits;
	header.eye = iris->eye;
	header.planes = mask_is_paired(mask, length, iris->bits) ? 2 : 1;
	memcpy(features, &header, sizeof(header));
	if (header.planes == 2)
	{
		for (size_t i = 0; i < length / 2; i++)
		{
			bytes[i] = even_bits(code + 2 * i, 0);
			bytes[length / 2 + i] = even_bits(code + 2 * i, 1);
			bytes[length + i] = even_bits(mask + 2 * i, 0);
		}
	}
	else
	{
		memcpy(bytes, code, length);
		memcpy(bytes + length, mask, length);
	}
	return features_size(&header);
}

bool
iris_features_valid(const void *features, size_t size)
{
	FeaturesHeader header;

	if (size < IRIS_FEATURES_HEADER)
		return false;
	memcpy(&header, features, sizeof(header));
	return iris_geometry_valid(header.columns, header.bits) && header.eye <= IRIS_EYE_LEFT &&
		   (header.planes == 1 || (header.planes == 2 && header.bits % 16 == 0)) &&
		   size == features_size(&header);
}

void
iris_unpack_features(const void *features, IrisBits *bits)
{
	FeaturesHeader header;
	CodeBytes      code;

	memcpy(&header, features, sizeof(header));
	code = features_code(&header, features);
	bits->columns = header.columns;
	bits->bits = header.bits;
	if (header.planes == 2)
	{
		join_planes(code.plane[0], code.plane[1], plane_length(&header, 2), bits->code);
		join_planes(code.mask, code.mask, plane_length(&header, 2), bits->mask);
		return;
	}
	memcpy(bits->code, code.plane[0], plane_length(&header, 1));
	memcpy(bits->mask, code.mask, plane_length(&header, 1));
}

/* ---- probe --------------------------------------------------------------- */

/* bytes of a probe's form */
static size_t
form_size(const FeaturesHeader *header, int planes)
{
	size_t columns = header->columns;

	return (planes + 1) * (columns + 2 * MAX_TURN(columns)) *
			   IRIS_COLUMN_BYTES(header->bits / planes) +
		   KERNEL_PADDING;
}

size_t
iris_probe_size(const void *features)
{
	FeaturesHeader header;

	memcpy(&header, features, sizeof(header));
	return sizeof(IrisProbe) + form_size(&header, 1) +
		   (header.planes == 2 ? form_size(&header, 2) : 0);
}

/* a part of a code with the overlap at both ends; returns where the next goes */
static uint8_t *
stretch(uint8_t *to, const uint8_t *part, size_t length, size_t overlap)
{
	memcpy(to, part + length - overlap, overlap);
	memcpy(to + overlap, part, length);
	memcpy(to + overlap + length, part, overlap);
	return to + length + 2 * overlap;
}

static void
init_form(IrisProbe *probe, ProbeForm *form, const CodeBytes *code, uint8_t *bytes)
{
	int    planes = code->plane[1] == NULL ? 1 : 2;
	size_t overlap;

	form->column_bytes = IRIS_COLUMN_BYTES(probe->header.bits / planes);
	form->length = probe->header.columns * form->column_bytes;
	for (int c = 0; c < probe->n_coarse; c++)
		form->coarse_offsets[c] =
			(uint32_t) (probe->max_turn + probe->coarse[c]) * form->column_bytes;

	overlap = (size_t) probe->max_turn * form->column_bytes;
	for (int p = 0; p < planes; p++)
	{
		form->bytes.plane[p] = bytes;
		bytes = stretch(bytes, code->plane[p], form->length, overlap);
	}
	form->bytes.mask = bytes;
	bytes = stretch(bytes, code->mask, form->length, overlap);
	memset(bytes, 0, KERNEL_PADDING);
}

/* features of two planes as one; the result points to bytes */
static CodeBytes
join_features(const FeaturesHeader *header, const CodeBytes *code, uint8_t *bytes)
{
	size_t    length = plane_length(header, 2);
	CodeBytes joined = {{bytes, NULL}, bytes + 2 * length};

	join_planes(code->plane[0], code->plane[1], length, bytes);
	join_planes(code->mask, code->mask, length, bytes + 2 * length);
	return joined;
}

void
iris_probe_init(IrisProbe *probe, const void *features)
{
	CodeBytes code;
	uint32_t  total;
	double    normal;

	memset(probe, 0, sizeof(*probe));
	memcpy(&probe->header, features, sizeof(probe->header));
	probe->kernel = kernel_chosen();
	probe->max_turn = MAX_TURN(probe->header.columns);

	total = IRIS_CODE_BITS((uint32_t) probe->header.columns, probe->header.bits);
	probe->min_common = (total + MIN_COMMON_SHARE - 1) / MIN_COMMON_SHARE;
	if (probe->min_common < MIN_COMMON)
		probe->min_common = total < MIN_COMMON ? total : MIN_COMMON;
	normal = NORMAL_BITS * total / NORMAL_CODE;
	if (normal < MIN_NORMAL_BITS)
		normal = MIN_NORMAL_BITS;
	probe->scale = 0.5 / portable_sqrt(normal);
	probe->refine = 4 * (0.5 - REFINE_BELOW) * (0.5 - REFINE_BELOW) * normal;

	/* 3 columns of 128 */
	probe->step = (3 * probe->header.columns + 64) / 128;
	if (probe->step < 1)
		probe->step = 1;
	for (int k = -(probe->max_turn / probe->step); k <= probe->max_turn / probe->step; k++)
		probe->coarse[probe->n_coarse++] = k * probe->step;

	code = features_code(&probe->header, features);
	if (probe->header.planes == 2)
	{
		uint8_t   bytes[2 * IRIS_MAX_FEATURE_CODE];
		CodeBytes joined = join_features(&probe->header, &code, bytes);

		init_form(probe, &probe->one, &joined, probe->bytes);
		init_form(probe, &probe->two, &code, probe->bytes + form_size(&probe->header, 1));
	}
	else
		init_form(probe, &probe->one, &code, probe->bytes);
}

void
iris_probe_set_kernel(IrisProbe *probe, const struct Kernel *kernel)
{
	probe->kernel = kernel;
}

/* ---- distance ------------------------------------------------------------ */

/*
 * How alike two codes are in a rotation: e |e| / n, where e = n - 2 d is how
 * many more bits agree than differ.  HDnorm falls as it grows.  Kept as a
 * fraction of integers, so that the best is found without rounding: e |e| is
 * below 2^30, n below 2^15.
 */
typedef struct Alikeness
{
	int64_t numerator;
	int64_t n;
} Alikeness;

/* with n = 1: less than any other, as no code has 2^15 bits */
#define UNDECIDABLE (-(INT64_C(1) << 31))

static inline Alikeness
alikeness(const CodeCounts *counts, uint32_t min_common)
{
	int64_t   n = counts->common;
	int64_t   excess = n - 2 * (int64_t) counts->differing;
	bool      decides = counts->common >= min_common;
	Alikeness result;

	result.numerator = decides ? excess * (excess < 0 ? -excess : excess) : UNDECIDABLE;
	result.n = decides ? n : 1;
	return result;
}

static inline double
quotient(Alikeness a)
{
	return (double) a.numerator / (double) a.n;
}

static inline bool
promising(const IrisProbe *probe, Alikeness a)
{
	return (double) a.numerator > probe->refine * (double) a.n;
}

/* The best rotation */
typedef struct Best
{
	Alikeness alike;
	bool      identical; /* some rotation has no differing bit */
} Best;

static const Best no_rotation = {{UNDECIDABLE, 1}, false};

static inline void
consider(Best *best, Alikeness a, const CodeCounts *counts)
{
	bool better = a.numerator * best->alike.n > best->alike.numerator * a.n;

	best->alike.numerator = better ? a.numerator : best->alike.numerator;
	best->alike.n = better ? a.n : best->alike.n;
	best->identical |= (counts->differing == 0) & (a.numerator != UNDECIDABLE);
}

/*
 * The rotations that are nearer to a promising coarse one than to any other,
 * or as near; those beyond the outermost belong to it.
 */
static int
refinement(const IrisProbe *probe, const ProbeForm *form, const Alikeness *coarse, int *turns,
		   uint32_t *offsets)
{
	int last_turn = -probe->max_turn - 1;
	int n = 0;

	for (int c = 0; c < probe->n_coarse; c++)
	{
		int first = c == 0 ? -probe->max_turn : probe->coarse[c] - probe->step / 2;
		int last = c == probe->n_coarse - 1 ? probe->max_turn : probe->coarse[c] + probe->step / 2;

		if (!promising(probe, coarse[c]))
			continue;
		for (int turn = first; turn <= last; turn++)
		{
			/* not twice where it is as near to two of them */
			if (turn == probe->coarse[c] || turn <= last_turn)
				continue;
			turns[n] = turn;
			offsets[n++] = (uint32_t) (probe->max_turn + turn) * form->column_bytes;
		}
		last_turn = last;
	}
	return n;
}

/* Alikeness in each rotation, in the order in which they are looked at */
typedef struct Rotations
{
	int        n;
	int        turns[MAX_ROTATIONS];
	CodeCounts counts[MAX_ROTATIONS];
	Alikeness  alike[MAX_ROTATIONS];
} Rotations;

static void
refine(const IrisProbe *probe, const ProbeForm *form, const CodeBytes *code, Rotations *rotations,
	   Best *best)
{
	uint32_t offsets[MAX_ROTATIONS];
	int      first = rotations->n;
	int      n = refinement(probe, form, rotations->alike, rotations->turns + first, offsets);

	if (n > 0)
		probe->kernel->count_codes(&form->bytes, code, form->length, n, offsets,
								   rotations->counts + first);
	rotations->n += n;
	for (int i = first; i < rotations->n; i++)
	{
		rotations->alike[i] = alikeness(&rotations->counts[i], probe->min_common);
		consider(best, rotations->alike[i], &rotations->counts[i]);
	}
}

static double
best_distance(const IrisProbe *probe, const Best *best)
{
	double alike = quotient(best->alike);
	double root;
	double distance;

	if (best->alike.numerator == UNDECIDABLE)
		return IRIS_DISTANCE_NONMATED;
	if (best->identical)
		return 0;
	root = portable_sqrt(alike < 0 ? -alike : alike) * probe->scale;
	distance = 0.5 - (alike < 0 ? -root : root);
	if (distance < 0)
		return 0;
	return distance < IRIS_DISTANCE_NONMATED ? distance : IRIS_DISTANCE_NONMATED;
}

static bool
can_be_mated(const FeaturesHeader *a, const FeaturesHeader *b)
{
	return a->columns == b->columns && a->bits == b->bits &&
		   (a->eye == b->eye || a->eye == IRIS_EYE_UNKNOWN || b->eye == IRIS_EYE_UNKNOWN);
}

static inline void
count_coarse(const IrisProbe *probe, const ProbeForm *form, const CodeBytes *code,
			 CodeCounts *counts)
{
	probe->kernel->count_codes(&form->bytes, code, form->length, probe->n_coarse,
							   form->coarse_offsets, counts);
}

/* the distance, once the coarse rotations are counted */
static inline double
conclude(const IrisProbe *probe, const ProbeForm *form, const CodeBytes *code,
		 const CodeCounts *counts, Rotations *rotations)
{
	Best best = no_rotation;

	for (int c = 0; c < probe->n_coarse; c++)
		consider(&best, alikeness(&counts[c], probe->min_common), &counts[c]);
	if (promising(probe, best.alike))
	{
		rotations->n = probe->n_coarse;
		for (int c = 0; c < probe->n_coarse; c++)
		{
			rotations->turns[c] = probe->coarse[c];
			rotations->counts[c] = counts[c];
			rotations->alike[c] = alikeness(&counts[c], probe->min_common);
		}
		refine(probe, form, code, rotations, &best);
	}
	return best_distance(probe, &best);
}

/*
 * The form of the probe in which it can be compared with features, and their
 * code, or NULL where they cannot be mated.  joined has room for the code of
 * features that are in another form than the probe, which is rare.
 */
static inline const ProbeForm *
common_form(const IrisProbe *probe, const void *features, CodeBytes *code, uint8_t *joined)
{
	FeaturesHeader header;

	memcpy(&header, features, sizeof(header));
	if (!can_be_mated(&probe->header, &header))
		return NULL;
	*code = features_code(&header, features);
	if (header.planes != 2)
		return &probe->one;
	if (probe->header.planes == 2)
		return &probe->two;
	*code = join_features(&header, code, joined);
	return &probe->one;
}

/*
 * Counting first and concluding after lets the processor work on several
 * conclusions, which are chains of dependent steps, at a time.
 */
#define BATCH 8

void
iris_distances(const IrisProbe *probe, int n, const void *const *features, double *distances)
{
	uint8_t          joined[2 * IRIS_MAX_FEATURE_CODE];
	const ProbeForm *forms[BATCH];
	CodeBytes        codes[BATCH];
	CodeCounts       counts[BATCH][MAX_COARSE];
	Rotations        rotations;

	for (int start = 0; start < n; start += BATCH)
	{
		int end = n - start < BATCH ? n : start + BATCH;

		for (int i = start; i < end; i++)
		{
			int b = i - start;

			forms[b] = common_form(probe, features[i], &codes[b], joined);
			distances[i] = IRIS_DISTANCE_NONMATED;
			if (forms[b] == NULL)
				continue;
			count_coarse(probe, forms[b], &codes[b], counts[b]);

			/* there is room for one joined code only */
			if (codes[b].plane[0] == joined)
			{
				distances[i] = conclude(probe, forms[b], &codes[b], counts[b], &rotations);
				forms[b] = NULL;
			}
		}
		for (int i = start; i < end; i++)
		{
			int b = i - start;

			if (forms[b] != NULL)
				distances[i] = conclude(probe, forms[b], &codes[b], counts[b], &rotations);
		}
	}
}

double
iris_distance(const IrisProbe *probe, const void *features)
{
	double distance;

	iris_distances(probe, 1, &features, &distance);
	return distance;
}

void
iris_compare(const IrisProbe *probe, const void *features, IrisComparison *result)
{
	uint8_t          joined[2 * IRIS_MAX_FEATURE_CODE];
	CodeBytes        code;
	const ProbeForm *form = common_form(probe, features, &code, joined);
	CodeCounts       counts[MAX_COARSE];
	Rotations        rotations;
	Alikeness        best = no_rotation.alike;

	memset(result, 0, sizeof(*result));
	result->distance = IRIS_DISTANCE_NONMATED;
	if (form == NULL)
		return;
	count_coarse(probe, form, &code, counts);
	rotations.n = 0;
	result->distance = conclude(probe, form, &code, counts, &rotations);

	for (int i = 0; i < (rotations.n > 0 ? rotations.n : probe->n_coarse); i++)
	{
		const CodeCounts *here = rotations.n > 0 ? &rotations.counts[i] : &counts[i];
		Alikeness         alike = alikeness(here, probe->min_common);

		if (alike.numerator * best.n > best.numerator * alike.n)
		{
			best = alike;
			result->rotation = rotations.n > 0 ? rotations.turns[i] : probe->coarse[i];
			result->common = here->common;
			result->differing = here->differing;
		}
	}
}
