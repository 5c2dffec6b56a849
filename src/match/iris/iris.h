/*
 * iris.h
 *		An eye's iris code, and the similarity of two codes.  Plain C: nothing
 *		here uses PostgreSQL, allocates memory or raises errors.
 *
 * The steps of a template: IrisTemplate (code and mask as stored) -> features
 * (match-ready, stored in the index) -> distance of two features -> score.
 */
#ifndef MATCH_IRIS_H
#define MATCH_IRIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum IrisEye
{
	IRIS_EYE_UNKNOWN = 0,
	IRIS_EYE_RIGHT = 1, /* numbered as in ISO/IEC 19794-6 records */
	IRIS_EYE_LEFT = 2
} IrisEye;

/*
 * Geometry: angular columns, and bits in each (rings x filters x phases).
 * Features hold each column in whole bytes, so that turning a code is a move
 * by bytes, and a page of 8 kB must hold them with some room to spare.
 */
#define IRIS_MIN_COLUMNS      8
#define IRIS_MAX_COLUMNS      1024
#define IRIS_MAX_COLUMN_BITS  256
#define IRIS_MAX_FEATURE_CODE 3936 /* bytes of code, as many of mask */

/* bytes of a column, and of a code, in features */
#define IRIS_COLUMN_BYTES(bits)          (((bits) + 7) / 8)
#define IRIS_FEATURE_CODE(columns, bits) ((columns) *IRIS_COLUMN_BYTES(bits))

/* bytes of a code (or mask) as stored and exchanged, and bits in them */
#define IRIS_CODE_BITS(columns, bits)  ((columns) * (bits))
#define IRIS_CODE_BYTES(columns, bits) ((IRIS_CODE_BITS(columns, bits) + 7) / 8)
#define IRIS_MAX_CODE_BYTES            IRIS_MAX_FEATURE_CODE

/*
 * Codes are compared in all rotations of up to so many columns either way:
 * 21.1 degrees, as open-iris does (15 columns of 256), rounded up.
 */
#define IRIS_MAX_TURN(columns) ((15 * (columns) + 255) / 256)

/*
 * Code and mask are column-major (all bits of column 0, then of column 1...),
 * bit i of the whole in byte i / 8, least significant first; a mask bit of 1
 * is usable.  Bits of the last byte beyond the code are 0.
 */
typedef struct IrisTemplate
{
	uint16_t       columns;
	uint16_t       bits; /* per column */
	uint8_t        eye;  /* IrisEye */
	const uint8_t *code;
	const uint8_t *mask;
} IrisTemplate;

extern bool iris_geometry_valid(int64_t columns, int64_t bits);

/*
 * A rotation with fewer common bits than this decides nothing: an eighth of the
 * code's bits, but at least 64, or all of a code that has fewer.
 */
extern uint32_t iris_min_common(int columns, int bits);

/*
 * How much of a template is evidence.  A code is made of phases, which change
 * along the angle and are balanced; other parts, for example of a failed
 * capture, are not evidence (information.h has the rules).
 */
typedef struct IrisAssessment
{
	uint32_t bits;             /* of the code */
	uint32_t mask_bits;        /* of them usable by the mask */
	uint32_t informative_bits; /* of those in parts that carry information */
	uint32_t usable_bits;      /* bits of an ordinary iris code that are worth as much */
	bool     exchanged;        /* code and mask make sense only if swapped */
} IrisAssessment;

extern void iris_assess(const IrisTemplate *iris, IrisAssessment *result);

/* 0 to 100: the usable bits in percent of the code's; 0 if there are too few to compare */
extern int iris_quality(const IrisTemplate *iris);

/*
 * Match-ready form: a flat block of bytes, starting at any address, whose
 * layout features.h knows.  Equal templates give equal bytes on every platform
 * of the same byte order.  The size depends on the geometry, and on whether the
 * usable bits come in pairs.
 *
 * IRIS_FEATURES_VERSION changes whenever the bytes, or the distances they lead
 * to, change: an index built with another version needs REINDEX.
 */
#define IRIS_FEATURES_VERSION  3
#define IRIS_FEATURES_HEADER   8
#define IRIS_FEATURES_MAX_SIZE (IRIS_FEATURES_HEADER + 2 * IRIS_MAX_FEATURE_CODE)

extern size_t iris_extract(const IrisTemplate *iris, void *features);
extern bool   iris_features_valid(const void *features, size_t size);

/*
 * A sample of features, at any address: enough to tell that most strangers are
 * not near (sketch.h).
 */
#define IRIS_SKETCH_MAX_SIZE 68

extern size_t iris_sketch(const void *features, void *sketch);
extern bool   iris_sketch_valid(const void *sketch, size_t size);

/*
 * The bits of features: each column in IRIS_COLUMN_BYTES(bits) bytes, least
 * significant bit first.  Bits that are not usable are 0 in both.
 */
typedef struct IrisBits
{
	int     columns;
	int     bits; /* per column */
	uint8_t code[IRIS_MAX_FEATURE_CODE];
	uint8_t mask[IRIS_MAX_FEATURE_CODE];
} IrisBits;

extern void iris_unpack_features(const void *features, IrisBits *bits);

/*
 * A probe: features unpacked once for comparison with many.  It fits the
 * features it is made from; iris_probe_size says how large it is.
 */
typedef struct IrisProbe IrisProbe;

struct Kernel;

extern size_t iris_probe_size(const void *features);
extern void   iris_probe_init(IrisProbe *probe, const void *features);
/* for tests: another kernel than the one chosen for this processor */
extern void iris_probe_set_kernel(IrisProbe *probe, const struct Kernel *kernel);

/* the eye in sectors, each of which may be turned by one more column */
#define IRIS_SECTORS 8

/* What was compared in the rotation that decided. */
typedef struct IrisComparison
{
	double   distance;
	double   whole;                /* the distance but for the cap */
	uint32_t alikeness;            /* of the sketch that decides the cap (sketch.h) */
	int      rotation;             /* columns by which the probe was turned */
	uint32_t common;               /* bits usable in both; 0: undecidable */
	uint32_t differing;            /* of them, in this rotation */
	int8_t   shifts[IRIS_SECTORS]; /* by which a sector was turned further: -1, 0 or 1 column */
} IrisComparison;

/*
 * Distance of the probe to other features (which are valid), in [0, 1]: the
 * normalised fractional Hamming distance, best over rotations, as defined in
 * compare.c.  1 where the templates cannot be mated: different geometry,
 * both eyes known and different, too few common bits.  Never NaN; symmetric to
 * the bit.  For a distance beyond the limit any number beyond it may be given.
 */
#define IRIS_DISTANCE_NONMATED 1.0

extern void iris_distances(const IrisProbe *probe, int n, const void *const *features, double limit,
						   double *distances);
extern double iris_distance(const IrisProbe *probe, const void *features);
extern void   iris_compare(const IrisProbe *probe, const void *features, IrisComparison *result);

/*
 * For each of n sketches (which are valid): false only if the distance of the
 * probe to all features with this sketch is beyond the limit.
 */
extern void iris_sketches_within(IrisProbe *probe, int n, const void *const *sketches, double limit,
								 bool *within);

/*
 * The calibrated score of a distance: decibans of the false match rate,
 * -10 log10(FMR), at least 0, monotonically not increasing in the distance.
 */
extern double iris_score(double distance);

/* scores were measured up to this one; beyond it they are extrapolated */
extern double iris_score_limit(void);

/*
 * A made-up eye: deterministic on every platform, equal numbers are mated.
 * capture 0, 1, 2... differ as captures of one eye do.  The geometry is
 * 128 x 16; code and mask have room for 256 bytes each.
 */
#define IRIS_SYNTHETIC_COLUMNS 128
#define IRIS_SYNTHETIC_BITS    16

extern void iris_synthesize(uint8_t *code, uint8_t *mask, int64_t eye, int32_t capture);

#endif /* MATCH_IRIS_H */
