/*
 * caps.h
 *		Caps of the distance: how near two fingers can be, by evidence that costs
 *		little.
 *
 * A distance is the larger of what the comparison finds and of all caps, on every
 * path, so a search with a limit may leave out what a cap puts beyond it.  No cap
 * is farther than the distance at 30 dB: below that they change nothing.
 *
 * The evidence, from the cheapest: words of all minutiae, which an index keeps as
 * a sketch; descriptors; the odds of the comparison's first two stages.  A cap is
 * a line through knots (constants/caps.c): the weaker the evidence, the farther.
 *
 * A minutia's words are the nearest of two codebooks, one after the other, so
 * that their sum is near the descriptor.  Evidence by words has a direction: what
 * the words of one finger are worth to the exact descriptors of the other.  Both
 * directions cap a distance, so it stays symmetric, and either finger's sketch
 * suffices to leave out a pair.
 */
#ifndef FINGERPRINT_CAPS_H
#define FINGERPRINT_CAPS_H

#include "match/fingerprint/internal.h"

typedef enum FingerprintCap
{
	FINGERPRINT_CAP_WORDS,
	FINGERPRINT_CAP_DESCRIPTORS,
	FINGERPRINT_CAP_CANDIDATES, /* odds of the first stage */
	FINGERPRINT_CAP_ALIGNMENT,  /* odds of the second */
	FINGERPRINT_CAPS
} FingerprintCap;

/* evidence, and the largest log-odds that it allows; both ascending */
typedef struct FingerprintCapKnot
{
	double evidence;
	double odds;
} FingerprintCapKnot;

#define FINGERPRINT_CAP_KNOTS 6

extern const FingerprintCapKnot fingerprint_caps[FINGERPRINT_CAPS][FINGERPRINT_CAP_KNOTS];

/* the nearest distance that evidence allows; 0 from the last knot on */
extern double fingerprint_cap(FingerprintCap cap, double evidence);

/* the farthest distance of all caps: nothing farther is capped */
extern double fingerprint_farthest_cap(void);

/* evidence from a sum over minutiae of one side, of whom the smaller finger can have but few */
static inline int
fingerprint_cap_evidence(int sum, int count_a, int count_b)
{
	return 8 * sum / (count_a < count_b ? count_a : count_b);
}

/* levels of all descriptors, quarters */
typedef int16_t FingerprintLevels[FINGERPRINT_CODEBOOK_DIMENSIONS][FINGERPRINT_MAX_MINUTIAE + 1];

/* the codebooks, in quarters, and half of the words' squared lengths */
typedef struct FingerprintCodebooks
{
	int16_t words[2][FINGERPRINT_CODEBOOK_DIMENSIONS][FINGERPRINT_CODEWORDS];
	int16_t half_squares[2][FINGERPRINT_CODEWORDS];
} FingerprintCodebooks;

/*
 * What evidence by words needs of a probe.  It costs some 20 µs, and the table of
 * all words' worth as much as a hundred thousand look-ups, so both are made when
 * they are first wanted.
 */
typedef struct FingerprintCapProbe
{
	const uint8_t       *features;
	bool                 has_words; /* codebooks, levels and sketch */
	FingerprintCodebooks books;
	FingerprintLevels    levels;
	uint8_t              sketch[FINGERPRINT_SKETCH_MAX_SIZE];
	bool                 has_worth;
	uint8_t              worth[FINGERPRINT_CODEWORDS][FINGERPRINT_CODEWORDS];
	double               limit; /* and the least evidence that it allows; NaN before the first */
	int                  least_evidence;
} FingerprintCapProbe;

/* evidence by descriptors; both have minutiae.  compare.c */
extern int fingerprint_descriptor_evidence(FingerprintProbe *probe, const void *features);

/* evidence by words, in the direction that has less */
extern int fingerprint_word_evidence(FingerprintCapProbe *probe, const void *features);

extern void fingerprint_cap_probe_init(FingerprintCapProbe *probe, const uint8_t *features);

/* whether a valid sketch's words, and the finger positions, allow a distance within the limit */
extern void fingerprint_cap_sketches(FingerprintCapProbe *probe, int n, const void *const *sketches,
									 double limit, bool *within);

#endif /* FINGERPRINT_CAPS_H */
