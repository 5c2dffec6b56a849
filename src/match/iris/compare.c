/*
 * compare.c
 *		The distance of two iris codes.
 *
 * In one relative rotation k, let n bits be usable in both codes and d of them
 * differ.  HD = d / n is the fractional Hamming distance; Daugman's
 * normalisation (Daugman 2007, "New methods in iris recognition", IEEE Trans.
 * SMC-B 37, section VI) allows for how many bits were compared:
 *
 *		HDnorm = 0.5 - (0.5 - HD) sqrt(n / N) = 0.5 - (n - 2 d) / (2 sqrt(n N))
 *
 * N = 911 for codes of 2048 bits, the typical number of bits compared in that
 * paper.  A code with more bits samples the same texture more densely, so N
 * grows with the size of the code: N = 911 bits / 2048.  It never falls below
 * 263: with 263 independent bits, HDnorm of unrelated codes has its spread of
 * 0.5 / sqrt(N) = 0.031, and fewer bits cannot give a smaller spread.
 *
 * The distance is the smallest HDnorm over all rotations of up to
 * IRIS_MAX_TURN columns, with these rules, which are part of its definition:
 *
 * - Only bits that carry information count, and the excess n - 2 d of codes
 *	 with unusually few independent bits is multiplied by (wa wb)^(1/4), where
 *	 wa and wb are the templates' weights.  See information.h.
 * - A rotation with fewer than iris_min_common() common bits decides nothing.
 * - Sectors.  The pupil widens and narrows, and the texture shifts a little
 *	 against itself.  Where a rotation leaves HDnorm below DOUBT, the eye is
 *	 divided into IRIS_SECTORS sectors, and each of them may be turned by one
 *	 more column either way.  The excess of the rotation is then the sum of the
 *	 sectors' best ones, where turning further costs one in SHIFT_COST of the
 *	 sector's bits; n remains that of the rotation itself.  That can only lower
 *	 HDnorm.
 * - The result is kept within [0, 1].
 * - It is not below the cap of either code's sketch against the other code
 *	 (sketch.h).
 *
 * The distance is symmetric to the bit.  All sets of rotations are symmetric.  A
 * column i of one code that meets column i + k of the other belongs to the
 * sector in which the middle between both lies, i + k / 2.  The rest is the
 * largest of some numbers that depend only on n and d.
 */
#include "match/iris/iris.h"

#include <string.h>

#include "match/iris/features.h"
#include "match/iris/information.h"
#include "match/iris/kernels.h"
#include "match/iris/sketch.h"
#include "match/portable_math.h"

#define DOUBT      0.40
#define SHIFT_COST 16

#define MAX_ROTATIONS (2 * IRIS_MAX_TURN(IRIS_MAX_COLUMNS) + 1)

/*
 * A probe's code in one form.  Each part reaches from max_turn + 1 columns
 * before column 0, around the eye, to as many after the last, so a turn is an
 * offset.
 */
typedef struct ProbeForm
{
	uint32_t  column_bytes;
	uint32_t  length; /* bytes of a plane */
	CodeBytes bytes;
	uint32_t  offsets[MAX_ROTATIONS]; /* of the rotations from -max_turn */
} ProbeForm;

struct IrisProbe
{
	const Kernel  *kernel;
	FeaturesHeader header;
	uint32_t       min_common;
	int            max_turn; /* columns */
	int            n_rotations;
	double         normal; /* N */
	double         scale;  /* 0.5 / sqrt(N) */
	ProbeForm      one;
	ProbeForm      two; /* if the header says 2 planes */
	bool           sampled;
	TurnedSamples  samples; /* if sampled: made when the first sketch is seen */
	uint8_t        bytes[]; /* of both forms */
};

/* ---- probe --------------------------------------------------------------- */

/*
 * No part of a probe is longer: the overlaps of a code are at most a quarter of
 * its columns where columns are so many that the code can be this long.
 */
#define MAX_STRETCHED (IRIS_MAX_FEATURE_CODE + IRIS_MAX_FEATURE_CODE / 4)

/* bytes of a probe's form */
static size_t
form_size(const FeaturesHeader *header, int planes)
{
	size_t columns = header->columns;

	return (planes + 1) * (columns + 2 * (IRIS_MAX_TURN(columns) + 1)) *
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

/* where column 0 meets the probe that is turned by so many columns */
static inline uint32_t
turn_offset(const IrisProbe *probe, const ProbeForm *form, int turn)
{
	return (uint32_t) (probe->max_turn + 1 + turn) * form->column_bytes;
}

static void
init_form(IrisProbe *probe, ProbeForm *form, const CodeBytes *code, uint8_t *bytes)
{
	int    planes = code->plane[1] == NULL ? 1 : 2;
	size_t overlap;

	form->column_bytes = IRIS_COLUMN_BYTES(probe->header.bits / planes);
	form->length = probe->header.columns * form->column_bytes;
	for (int k = 0; k < probe->n_rotations; k++)
		form->offsets[k] = turn_offset(probe, form, k - probe->max_turn);

	overlap = turn_offset(probe, form, 0);
	for (int p = 0; p < planes; p++)
	{
		form->bytes.plane[p] = bytes;
		bytes = stretch(bytes, code->plane[p], form->length, overlap);
	}
	form->bytes.mask = bytes;
	bytes = stretch(bytes, code->mask, form->length, overlap);
	memset(bytes, 0, KERNEL_PADDING);
}

void
iris_probe_init(IrisProbe *probe, const void *features)
{
	CodeBytes code;

	memset(probe, 0, offsetof(IrisProbe, samples));
	memcpy(&probe->header, features, sizeof(probe->header));
	probe->kernel = kernel_chosen();
	probe->max_turn = IRIS_MAX_TURN(probe->header.columns);
	probe->n_rotations = 2 * probe->max_turn + 1;
	probe->min_common = iris_min_common(probe->header.columns, probe->header.bits);
	probe->normal = normal_bits(probe->header.columns, probe->header.bits);
	probe->scale = 0.5 / portable_sqrt(probe->normal);

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

/* the probe's code in one plane, without the overlap */
static CodeBytes
unturned(const IrisProbe *probe)
{
	uint32_t  start = turn_offset(probe, &probe->one, 0);
	CodeBytes code = {{probe->one.bytes.plane[0] + start, NULL}, probe->one.bytes.mask + start};

	return code;
}

/* ---- pairs --------------------------------------------------------------- */

/* The probe and a code it is compared with */
typedef struct Pair
{
	const ProbeForm *form; /* NULL if they cannot be mated */
	CodeBytes        code;
	double           weight; /* sqrt(wa wb) */
} Pair;

static inline bool
can_be_mated(const FeaturesHeader *probe, int columns, int bits, int eye)
{
	return probe->columns == columns && probe->bits == bits &&
		   (probe->eye == eye || probe->eye == IRIS_EYE_UNKNOWN || eye == IRIS_EYE_UNKNOWN);
}

/*
 * joined has room for the code of features that are in another form than the
 * probe, which is rare.
 */
static inline void
make_pair(const IrisProbe *probe, const void *features, uint8_t *joined, Pair *pair)
{
	FeaturesHeader header;

	memcpy(&header, features, sizeof(header));
	pair->form = NULL;
	if (!can_be_mated(&probe->header, header.columns, header.bits, header.eye))
		return;
	pair->weight = 1;
	if ((probe->header.weight & header.weight) != FULL_WEIGHT)
		pair->weight = portable_sqrt((double) probe->header.weight * header.weight) / FULL_WEIGHT;
	pair->code = features_code(&header, features);
	pair->form = &probe->one;
	if (header.planes == 2)
	{
		if (probe->header.planes == 2)
			pair->form = &probe->two;
		else
			pair->code = join_features(&header, &pair->code, joined);
	}
}

/* ---- rotations ----------------------------------------------------------- */

/*
 * Similarity of two codes in a rotation: e |e| / n for an excess of e.  HDnorm
 * falls as it grows.  The numerator is below 2^30, and dividing rounds
 * correctly, so the result is the same everywhere.
 */
#define UNDECIDABLE (-1e30)

static inline double
alikeness(const CodeCounts *counts, uint32_t min_common)
{
	int32_t n = (int32_t) counts->common;
	int32_t excess = n - 2 * (int32_t) counts->differing;
	double  alike = (double) (excess * (excess < 0 ? -excess : excess)) / (n > 0 ? n : 1);

	return counts->common >= min_common ? alike : UNDECIDABLE;
}

/* the distance of a pair, from the similarity in its best rotation */
static double
distance_of(const IrisProbe *probe, double alike, double weight)
{
	double root;
	double distance;

	if (alike == UNDECIDABLE)
		return IRIS_DISTANCE_NONMATED;
	root = portable_sqrt((alike < 0 ? -alike : alike) * weight) * probe->scale;
	distance = 0.5 - (alike < 0 ? -root : root);
	if (distance < 0)
		return 0;
	return distance < IRIS_DISTANCE_NONMATED ? distance : IRIS_DISTANCE_NONMATED;
}

/* the similarity of weight 1 that has a HDnorm of less than 0.5 */
static inline double
alikeness_at(const IrisProbe *probe, double distance)
{
	return 4 * (0.5 - distance) * (0.5 - distance) * probe->normal;
}

/* whether sectors are looked at: HDnorm is below DOUBT */
static inline bool
in_doubt(const IrisProbe *probe, double alike, double weight)
{
	return alike * weight > alikeness_at(probe, DOUBT);
}

/*
 * What a rotation needs for its bits for a pair to come within a limit, or to be
 * in doubt, less what rounding may add; 0 if the limit is too large to tell.
 */
static double
least_alikeness(const IrisProbe *probe, double limit)
{
	double limited = limit < DOUBT ? DOUBT : limit;

	return limited < 0.5 ? alikeness_at(probe, limited) * (1 - 1e-6) : 0;
}

/* whether a pair is beyond the limit of "least", told without dividing */
static bool
is_beyond(const IrisProbe *probe, const CodeCounts *counts, double least)
{
	bool beyond = true;

	for (int k = 0; k < probe->n_rotations; k++)
	{
		int32_t n = (int32_t) counts[k].common;
		int32_t excess = n - 2 * (int32_t) counts[k].differing;

		beyond &= (double) (excess * (excess < 0 ? 0 : excess)) < least * n;
	}
	return beyond;
}

/* ---- sectors ------------------------------------------------------------- */

/* Bits compared in each sector in one rotation */
typedef struct SectorCounts
{
	bool    counted;
	int32_t common[IRIS_SECTORS];
	int32_t excess[IRIS_SECTORS];
} SectorCounts;

/* those of all rotations, and one further, counted when they are needed */
typedef struct Sectors
{
	SectorCounts turned[MAX_ROTATIONS + 2];
} Sectors;

static void
forget_sectors(Sectors *sectors)
{
	for (int k = 0; k < MAX_ROTATIONS + 2; k++)
		sectors->turned[k].counted = false;
}

/* compare the columns from first to last - 1 of a code */
static void
count_columns(const IrisProbe *probe, const Pair *pair, int turn, int first, int last,
			  int32_t *common, int32_t *excess)
{
	const ProbeForm *form = pair->form;
	size_t           start = (size_t) first * form->column_bytes;
	size_t           length = (size_t) (last - first) * form->column_bytes;
	uint32_t         offset = turn_offset(probe, form, turn);
	CodeBytes        a = form->bytes;
	CodeBytes        b = pair->code;
	CodeCounts       counts;

	for (int p = 0; p < 2 && b.plane[p] != NULL; p++)
	{
		a.plane[p] += start;
		b.plane[p] += start;
	}
	a.mask += start;
	b.mask += start;
	probe->kernel->count_codes(&a, &b, length, 1, &offset, &counts);
	*common += (int32_t) counts.common;
	*excess += (int32_t) counts.common - 2 * (int32_t) counts.differing;
}

/*
 * The first column i of the code for which i + turn / 2, the middle between
 * the columns that meet, lies in a sector.  It may be less than 0, or beyond the
 * last column: the eye is round.
 */
static int
sector_start(int columns, int sector, int turn)
{
	int eighths = columns * sector - 4 * turn;

	/* divide by 8, rounding up; the added turns keep the numerator positive */
	return (eighths + 8 * columns + 7) / 8 - columns;
}

static void
count_sectors(const IrisProbe *probe, const Pair *pair, int turn, SectorCounts *counts)
{
	int columns = probe->header.columns;

	memset(counts, 0, sizeof(*counts));
	counts->counted = true;
	for (int s = 0; s < IRIS_SECTORS; s++)
	{
		int      first = sector_start(columns, s, turn);
		int      last = sector_start(columns, s + 1, turn);
		int32_t *common = &counts->common[s];
		int32_t *excess = &counts->excess[s];

		/* in one piece, or in two at both ends of the code */
		if (first < 0 && last > 0)
		{
			count_columns(probe, pair, turn, first + columns, columns, common, excess);
			first = 0;
		}
		else if (first < columns && last > columns)
		{
			count_columns(probe, pair, turn, first, columns, common, excess);
			first = columns;
		}
		if (first < 0)
			first += columns, last += columns;
		else if (first >= columns)
			first -= columns, last -= columns;
		count_columns(probe, pair, turn, first, last, common, excess);
	}
}

/* what a sector contributes, in SHIFT_COST times the excess, and by which further turn */
static int32_t
best_shift(const SectorCounts *turned, int sector, int8_t *shift)
{
	int32_t best = SHIFT_COST * turned[0].excess[sector];

	*shift = 0;
	for (int by = -1; by <= 1; by += 2)
	{
		int32_t shifted = SHIFT_COST * turned[by].excess[sector] - turned[by].common[sector];

		if (shifted > best)
		{
			best = shifted;
			*shift = (int8_t) by;
		}
	}
	return best;
}

/* similarity of two codes in rotation k of the probe, with sectors that shift */
static double
alikeness_of_sectors(const IrisProbe *probe, const Pair *pair, int k, const CodeCounts *counts,
					 Sectors *sectors, int8_t *shifts)
{
	SectorCounts *turned = &sectors->turned[k + 1];
	double        sum = 0;

	for (int by = -1; by <= 1; by++)
	{
		if (!turned[by].counted)
			count_sectors(probe, pair, k - probe->max_turn + by, &turned[by]);
	}
	for (int s = 0; s < IRIS_SECTORS; s++)
		sum += best_shift(turned, s, &shifts[s]);
	return sum * sum / (SHIFT_COST * SHIFT_COST * (double) counts->common);
}

/* ---- distance ------------------------------------------------------------ */

/* of a pair, of which all rotations are counted; fills in all of result if that is not NULL */
static double
conclude(const IrisProbe *probe, const Pair *pair, const CodeCounts *counts, IrisComparison *result)
{
	double  alike[MAX_ROTATIONS];
	double  best = UNDECIDABLE;
	int     rotation = -1;
	int8_t  shifts[IRIS_SECTORS] = {0};
	Sectors sectors;

	for (int k = 0; k < probe->n_rotations; k++)
		alike[k] = alikeness(&counts[k], probe->min_common);
	for (int k = 0; k < probe->n_rotations; k++)
		best = alike[k] > best ? alike[k] : best;

	if (in_doubt(probe, best, pair->weight))
	{
		forget_sectors(&sectors);
		for (int k = 0; k < probe->n_rotations; k++)
		{
			if (in_doubt(probe, alike[k], pair->weight))
				alike[k] = alikeness_of_sectors(probe, pair, k, &counts[k], &sectors, shifts);
			best = alike[k] > best ? alike[k] : best;
		}
	}
	if (result == NULL)
		return distance_of(probe, best, pair->weight);

	/* of equals the one with the smaller turn, then with more bits */
	for (int k = 0; k < probe->n_rotations; k++)
	{
		int turn = k - probe->max_turn;
		int chosen = rotation - probe->max_turn;

		if (alike[k] == best && (rotation < 0 || turn * turn < chosen * chosen ||
								 (turn == -chosen && counts[k].common > counts[rotation].common)))
			rotation = k;
	}
	memset(result, 0, sizeof(*result));
	result->distance = distance_of(probe, best, pair->weight);
	if (best == UNDECIDABLE || rotation < 0)
		return result->distance;
	result->rotation = rotation - probe->max_turn;
	result->common = counts[rotation].common;
	result->differing = counts[rotation].differing;
	if (in_doubt(probe, alikeness(&counts[rotation], probe->min_common), pair->weight))
	{
		forget_sectors(&sectors);
		(void) alikeness_of_sectors(probe, pair, rotation, &counts[rotation], &sectors,
									result->shifts);
	}
	return result->distance;
}

static inline void
count_rotations(const IrisProbe *probe, const Pair *pair, CodeCounts *counts)
{
	probe->kernel->count_codes(&pair->form->bytes, &pair->code, pair->form->length,
							   probe->n_rotations, pair->form->offsets, counts);
}

/* ---- caps ---------------------------------------------------------------- */

/* the alikeness of a sketch and a code, one of which has a mask of sampled bits only */
static uint32_t
sample_alikeness(const IrisProbe *probe, const Pair *pair, const CodeBytes *a, const CodeBytes *b)
{
	CodeCounts counts[MAX_ROTATIONS];
	uint32_t   most = 0;

	probe->kernel->count_codes(a, b, pair->form->length, probe->n_rotations, pair->form->offsets,
							   counts);
	for (int k = 0; k < probe->n_rotations; k++)
	{
		uint32_t alike = sketch_alikeness(&counts[k]);

		most = alike > most ? alike : most;
	}
	return most;
}

/* how alike the codes of a pair are to the sketch of the other, the lesser of both */
static uint32_t
alikeness_of_sketches(const IrisProbe *probe, const Pair *pair)
{
	uint8_t   pattern[IRIS_MAX_FEATURE_CODE];
	uint8_t   mask[MAX_STRETCHED + KERNEL_PADDING];
	size_t    length = pair->form->length;
	size_t    overlap = turn_offset(probe, pair->form, 0);
	CodeBytes a = pair->form->bytes;
	CodeBytes b = pair->code;
	uint32_t  alike, other;

	if (!has_sample(probe->header.columns, probe->header.bits))
		return SKETCH_ANY;
	sample_pattern(&probe->header, b.plane[1] == NULL ? 1 : 2, pattern);

	for (size_t i = 0; i < length; i++)
		mask[i] = pattern[i] & b.mask[i];
	b.mask = mask;
	alike = sample_alikeness(probe, pair, &a, &b);

	(void) stretch(mask, pattern, length, overlap);
	for (size_t i = 0; i < length + 2 * overlap; i++)
		mask[i] &= a.mask[i];
	memset(mask + length + 2 * overlap, 0, KERNEL_PADDING);
	a.mask = mask;
	b.mask = pair->code.mask;
	other = sample_alikeness(probe, pair, &a, &b);
	return alike < other ? alike : other;
}

/* the distance of a pair, of which all rotations are counted */
static double
pair_distance(const IrisProbe *probe, const Pair *pair, const CodeCounts *counts, double limit,
			  double least)
{
	double whole;
	double cap = 0;

	if (least > 0 && is_beyond(probe, counts, least))
		return IRIS_DISTANCE_NONMATED;
	whole = conclude(probe, pair, counts, NULL);

	/* one beyond the limit may stay what it is */
	if (whole <= limit && whole < sketch_largest_cap())
		cap = sketch_cap(alikeness_of_sketches(probe, pair));
	return cap > whole ? cap : whole;
}

#define SKETCH_BATCH 64

void
iris_sketches_within(IrisProbe *probe, int n, const void *const *sketches, double limit,
					 bool *within)
{
	const FeaturesHeader *own = &probe->header;
	uint32_t              least = has_sample(own->columns, own->bits) ? sketch_least(limit) : 0;

	if (least > 0 && !probe->sampled)
	{
		CodeBytes code = unturned(probe);

		turn_sample(own, &code, -probe->max_turn, probe->n_rotations, &probe->samples);
		probe->sampled = true;
	}
	for (int start = 0; start < n; start += SKETCH_BATCH)
	{
		int            end = n - start < SKETCH_BATCH ? n : start + SKETCH_BATCH;
		const uint8_t *samples[SKETCH_BATCH];
		int            positions[SKETCH_BATCH];
		bool           alike[SKETCH_BATCH];
		int            count = 0;

		for (int i = start; i < end; i++)
		{
			SketchHeader header;

			memcpy(&header, sketches[i], sizeof(header));
			within[i] = true;
			if (!can_be_mated(own, header.columns, header.bits, header.eye))
				within[i] = limit >= IRIS_DISTANCE_NONMATED;
			else if (least > 0)
			{
				samples[count] = (const uint8_t *) sketches[i] + sizeof(header);
				positions[count++] = i;
			}
		}
		probe->kernel->match_samples(&probe->samples, count, samples, least, alike);
		for (int k = 0; k < count; k++)
			within[positions[k]] = alike[k];
	}
}

/*
 * Counts are made first and evaluated afterwards, so that the processor works
 * on several evaluations at a time: each is a chain of dependent steps.
 */
#define BATCH 8

void
iris_distances(const IrisProbe *probe, int n, const void *const *features, double limit,
			   double *distances)
{
	uint8_t    joined[2 * IRIS_MAX_FEATURE_CODE];
	Pair       pairs[BATCH];
	CodeCounts counts[BATCH][MAX_ROTATIONS];
	double     least = least_alikeness(probe, limit);

	for (int start = 0; start < n; start += BATCH)
	{
		int end = n - start < BATCH ? n : start + BATCH;

		for (int i = start; i < end; i++)
		{
			Pair *pair = &pairs[i - start];

			make_pair(probe, features[i], joined, pair);
			distances[i] = IRIS_DISTANCE_NONMATED;
			if (pair->form == NULL)
				continue;
			count_rotations(probe, pair, counts[i - start]);

			/* there is room for one joined code only */
			if (pair->code.plane[0] == joined)
			{
				distances[i] = pair_distance(probe, pair, counts[i - start], limit, least);
				pair->form = NULL;
			}
		}
		for (int i = start; i < end; i++)
		{
			if (pairs[i - start].form != NULL)
				distances[i] =
					pair_distance(probe, &pairs[i - start], counts[i - start], limit, least);
		}
	}
}

double
iris_distance(const IrisProbe *probe, const void *features)
{
	double distance;

	iris_distances(probe, 1, &features, IRIS_DISTANCE_NONMATED, &distance);
	return distance;
}

void
iris_compare(const IrisProbe *probe, const void *features, IrisComparison *result)
{
	uint8_t    joined[2 * IRIS_MAX_FEATURE_CODE];
	CodeCounts counts[MAX_ROTATIONS];
	Pair       pair;

	memset(result, 0, sizeof(*result));
	result->distance = result->whole = IRIS_DISTANCE_NONMATED;
	make_pair(probe, features, joined, &pair);
	if (pair.form == NULL)
		return;
	count_rotations(probe, &pair, counts);
	(void) conclude(probe, &pair, counts, result);
	result->whole = result->distance;
	result->alikeness = alikeness_of_sketches(probe, &pair);
	result->distance = pair_distance(probe, &pair, counts, IRIS_DISTANCE_NONMATED, 0);
}
