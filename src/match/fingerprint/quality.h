/*
 * quality.h
 *		How useful a capture of a finger is for matching.  Plain C.
 */
#ifndef MATCH_FINGERPRINT_QUALITY_H
#define MATCH_FINGERPRINT_QUALITY_H

#include "match/fingerprint/fingerprint.h"

/* What is measured of a template */
typedef struct QualityQuantities
{
	double clear; /* number of minutiae, each counted by its quality */
	double mean;  /* quality of the minutiae, 0 to 1 */
	double area;  /* of the convex hull of the minutiae, in square millimetres */
} QualityQuantities;

extern void fingerprint_quality_quantities(const FingerprintTemplate *finger,
										   QualityQuantities         *quantities);

/*
 * 0 to 100.  At 40, two captures of this quality are as likely as not to reach a
 * score of 40 if they are mated; 10 more multiply these odds by 10.  It puts
 * captures of one kind in order; the odds themselves differ from sensor to
 * sensor.  0 without minutiae.
 */
extern int fingerprint_quality(const FingerprintTemplate *finger);

#endif /* MATCH_FINGERPRINT_QUALITY_H */
