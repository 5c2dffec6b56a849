/*
 * misreading.h
 *		The conventions that writers of records get wrong, put right.  Plain C.
 *
 * Each gives records that can be read but match no other.
 */
#ifndef RECORD_MISREADING_H
#define RECORD_MISREADING_H

#include "match/fingerprint/fingerprint.h"

/* Each group holds alternatives; one of each group can be wrong at a time */
typedef enum MisreadScale
{
	SCALE_RIGHT,
	SCALE_DPI,    /* dots per inch written as pixels per centimetre */
	SCALE_PER_CM, /* the other way round: pixels per centimetre divided by 2.54 */
	SCALES
} MisreadScale;

typedef enum MisreadAxes
{
	AXES_RIGHT,
	AXES_Y_UP,     /* y counted from below, directions right */
	AXES_MIRRORED, /* the finger seen through the glass: x and directions mirrored */
	AXES
} MisreadAxes;

typedef enum MisreadAngle
{
	ANGLE_RIGHT,
	ANGLE_CLOCKWISE,
	ANGLE_HALF_TURN,
	ANGLE_CLOCKWISE_HALF_TURN,
	ANGLE_TWO_DEGREES, /* steps of two degrees in a field that counts 1/256 turns */
	ANGLES
} MisreadAngle;

extern const char *const misread_scale_names[SCALES];
extern const char *const misread_axes_names[AXES];
extern const char *const misread_angle_names[ANGLES];

/*
 * What a template would be if these had been wrong in it; false if they cannot
 * have been, for a value would be out of range.
 */
extern bool misreading_undo(const FingerprintTemplate *finger, MisreadScale scale, MisreadAxes axes,
							MisreadAngle angle, FingerprintTemplate *result);

#endif /* RECORD_MISREADING_H */
