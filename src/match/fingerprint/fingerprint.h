/*
 * fingerprint.h
 *		A finger's minutiae, what is derived from them, and the similarity of
 *		two fingers.  Plain C: nothing here uses PostgreSQL, allocates memory or
 *		raises errors.
 *
 * The steps of a template: FingerprintTemplate (what a record says, validated
 * by the codec that read it) -> FingerprintFeatures (match-ready, position
 * independent, stored in the index) -> distance of two features -> score.
 */
#ifndef MATCH_FINGERPRINT_H
#define MATCH_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_MAX_MINUTIAE 255
#define FINGERPRINT_MAX_POSITION 10 /* left little finger; 0 is unknown */

typedef enum MinutiaType
{
	MINUTIA_OTHER = 0,
	MINUTIA_RIDGE_ENDING = 1,
	MINUTIA_BIFURCATION = 2
} MinutiaType;

/* ISO/IEC 19794-2:2005, 7.5: one minutia as the record carries it */
typedef struct Minutia
{
	uint16_t x;       /* pixels from the left, < width */
	uint16_t y;       /* pixels from the top, < height */
	uint8_t  angle;   /* 1/256 turns, counter-clockwise from east */
	uint8_t  type;    /* MinutiaType */
	uint8_t  quality; /* 1..100, 0 = not reported */
} Minutia;

/* One finger view.  Any instance that a codec returns is valid. */
typedef struct FingerprintTemplate
{
	uint16_t width; /* pixels, 1..16384 */
	uint16_t height;
	uint16_t x_resolution; /* pixels per centimetre, >= 1 */
	uint16_t y_resolution;
	uint16_t device;     /* 4 bits of compliance, 12 of device type */
	uint8_t  position;   /* finger, 0..FINGERPRINT_MAX_POSITION */
	uint8_t  view;       /* 0..15 */
	uint8_t  impression; /* impression type, 0..15 */
	uint8_t  quality;    /* 0..100 */
	uint8_t  count;      /* minutiae */
	Minutia  minutiae[FINGERPRINT_MAX_MINUTIAE];
} FingerprintTemplate;

/*
 * Match-ready form: a flat block of bytes, starting at any address, whose
 * layout is in internal.h and known only to this folder.  Equal templates give
 * equal bytes on every platform of the same byte order.
 *
 * FINGERPRINT_FEATURES_VERSION changes whenever the bytes, or the distances
 * they lead to, change: an index built with another version needs REINDEX.  The
 * largest features must fit a page of 8 kB with some room to spare.
 */
#define FINGERPRINT_FEATURES_VERSION  4
#define FINGERPRINT_FEATURES_MAX_SIZE 7900

/*
 * Writes the features of a template, whose size it returns: at most
 * FINGERPRINT_FEATURES_MAX_SIZE bytes.  Coordinates are brought to 500 dpi by
 * the template's own resolutions.
 */
extern size_t fingerprint_extract(const FingerprintTemplate *finger, void *features);

/*
 * Whether size bytes can be compared without reading outside them: true for
 * everything fingerprint_extract writes, false for a damaged block.
 */
extern bool fingerprint_features_valid(const void *features, size_t size);

/*
 * A probe: features unpacked once for comparison with many.  It holds all the
 * memory that comparisons need.  Not shared between threads.
 */
typedef struct FingerprintProbe FingerprintProbe;

extern size_t fingerprint_probe_size(void);
extern void   fingerprint_probe_init(FingerprintProbe *probe, const void *features, size_t size);

/*
 * Distance of the probe to other features (which are valid), in [0, 1]: 0 is
 * the most similar, 1 is nothing in common, or both finger positions known and
 * different.  Never NaN.  Symmetric to the bit: which one is the probe does not
 * matter.
 */
extern double fingerprint_distance(FingerprintProbe *probe, const void *features, size_t size);

#define FINGERPRINT_DISTANCE_NONMATED 1.0

/* the same, but for a distance beyond the limit any number beyond it may be returned: less work */
extern double fingerprint_distance_within(FingerprintProbe *probe, const void *features,
										  size_t size, double limit);

/*
 * A sketch: what a search with a limit looks at first.  2 bytes a minutia and 2
 * more.  fingerprint_sketch returns its size; fingerprint_sketch_valid is true for
 * all that it writes, and tells damaged ones.
 */
#define FINGERPRINT_SKETCH_MAX_SIZE (2 + 2 * FINGERPRINT_MAX_MINUTIAE)

extern size_t fingerprint_sketch(const void *features, void *sketch);
extern bool   fingerprint_sketch_valid(const void *sketch, size_t size);

/*
 * within[i] is false only if the distance to all features with valid sketch i is
 * beyond the limit.
 */
extern void fingerprint_sketches_within(FingerprintProbe *probe, int n, const void *const *sketches,
										double limit, bool *within);

/*
 * How much the minutiae of both resemble each other, by their descriptors alone:
 * the higher, the likelier mates.  -1 if both finger positions are known and
 * different.  A fifth of the work of a distance, or less.
 */
extern int fingerprint_resemblance(FingerprintProbe *probe, const void *features, size_t size);

/*
 * Which minutiae of the probe [0] and of other features [1] the whole comparison
 * pairs, for people who examine a score.  Minutiae are numbered as in the
 * features: fingerprint_order says which of the template they are.  Fingers of
 * different positions are paired too; their score is 0.  A score of 2 or less
 * may come from an earlier stage of the comparison, without these pairs; a cap may
 * keep a score below what they would give.
 */
typedef struct FingerprintPairing
{
	int     pairs;
	int     minutiae[2];
	int16_t partner[2][FINGERPRINT_MAX_MINUTIAE];  /* on the other side, -1 is none */
	bool    overlaps[2][FINGERPRINT_MAX_MINUTIAE]; /* the other side could show it */
	float   weight[2][FINGERPRINT_MAX_MINUTIAE];   /* of a pair: its share of the evidence */
	float   distance[2]
				  [FINGERPRINT_MAX_MINUTIAE]; /* of a pair, laid on each other: pixels at 500 dpi */
} FingerprintPairing;

extern void fingerprint_pair(FingerprintProbe *probe, const void *features, size_t size,
							 FingerprintPairing *pairing);

/*
 * order[i]: the minutia of the template, from 0, that is i in its features.
 * Minutiae that come twice in the template come once in the features; their
 * copies stand behind all others in the order.
 */
extern void fingerprint_order(const FingerprintTemplate *finger,
							  uint8_t                    order[FINGERPRINT_MAX_MINUTIAE]);

/*
 * The calibrated score of a distance: decibans of the false match rate,
 * -10 log10(FMR), at least 0, monotonically not increasing in the distance.
 */
extern double fingerprint_score(double distance);

/*
 * False match rates were counted up to this score, in decibans.  Scores beyond
 * it are extrapolated: they promise no more than that the rate is lower than at
 * the limit, and a figure computed from one is a bound, to be marked so.
 */
extern double fingerprint_score_limit(void);

/*
 * A made-up finger: deterministic on every platform, equal (finger, position)
 * are mated, different fingers are not.  impression 0, 1, 2.. differ as
 * captures of one finger do.
 */
extern void fingerprint_synthesize(FingerprintTemplate *result, int64_t finger, int32_t impression,
								   int position);

#endif /* MATCH_FINGERPRINT_H */
