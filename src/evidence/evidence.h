/*
 * evidence.h
 *		What a score is made of.
 */
#ifndef BIOMETRIC_EVIDENCE_H
#define BIOMETRIC_EVIDENCE_H

#include "match/fingerprint/fingerprint.h"
#include "match/iris/iris.h"

typedef struct FingerprintEvidence
{
	double             score;
	FingerprintPairing pairing;
	uint8              order[2][FINGERPRINT_MAX_MINUTIAE]; /* see fingerprint_order */
	uint8              ranked
		[FINGERPRINT_MAX_MINUTIAE]; /* minutiae of side 0 that have partners, the heaviest first */
} FingerprintEvidence;

extern void evidence_pair(const FingerprintTemplate *a, const FingerprintTemplate *b,
						  FingerprintEvidence *result);
extern void evidence_compare(const IrisTemplate *a, const IrisTemplate *b, IrisComparison *result);

#endif /* BIOMETRIC_EVIDENCE_H */
