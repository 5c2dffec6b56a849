/*
 * plausibility.h
 *		Signs that a template is not of a real finger.  Such a record can be
 *		read, but it matches no other, because its writer used a wrong
 *		convention.  Plain C.
 */
#ifndef RECORD_PLAUSIBILITY_H
#define RECORD_PLAUSIBILITY_H

#include "match/fingerprint/fingerprint.h"

typedef struct Plausibility
{
	double width; /* of what the minutiae span, millimetres */
	double height;
	double density; /* minutiae per square millimetre of that */
	int    doubles; /* minutiae that repeat another: position and direction */
	bool   too_small;
	bool   too_large;
	bool   one_corner;   /* all of them within a small part of the image */
	bool   right_angles; /* all directions are multiples of 90 degrees */
} Plausibility;

/* With fewer minutiae nothing but doubles is judged */
#define PLAUSIBILITY_MIN_MINUTIAE 10

extern void template_plausibility(const FingerprintTemplate *finger, Plausibility *result);

#endif /* RECORD_PLAUSIBILITY_H */
