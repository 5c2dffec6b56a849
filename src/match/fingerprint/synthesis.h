/*
 * synthesis.h
 *		The inside of a made-up finger, for code that draws its picture.
 *
 * Coordinates of a finger: pixels at 500 dpi, x to the right, y upwards, origin
 * in the middle of the pattern.
 */
#ifndef FINGERPRINT_SYNTHESIS_H
#define FINGERPRINT_SYNTHESIS_H

#include "match/fingerprint/fingerprint.h"

/* The record: 500 dpi, the size of an optical sensor of 19.7 mm by 19 mm */
#define SYNTHETIC_WIDTH      388
#define SYNTHETIC_HEIGHT     374
#define SYNTHETIC_RESOLUTION 197

#define SYNTHETIC_MINUTIAE 140 /* of a finger, at most */
#define SYNTHETIC_BENDS    4   /* waves of the random bending */
#define SYNTHETIC_PATCHES  3   /* of an impression, at most */

typedef enum PatternClass
{
	PATTERN_ARCH,
	PATTERN_TENTED_ARCH,
	PATTERN_LEFT_LOOP,
	PATTERN_RIGHT_LOOP,
	PATTERN_WHORL
} PatternClass;

typedef struct Point
{
	double x;
	double y;
} Point;

/* a plane wave: amplitude * sin(x * fx + y * fy + phase) */
typedef struct Wave
{
	double amplitude;
	double fx;
	double fy;
	double phase;
} Wave;

typedef struct Field
{
	PatternClass class;
	int    singularities; /* of each kind */
	Point  core[2];
	Point  delta[2];
	double arching;
	Wave   bend[SYNTHETIC_BENDS];
	Wave   sense;
} Field;

typedef struct FingerMinutia
{
	Point  at;
	double deviation; /* of its direction from the field */
	double sense;     /* decides which way along the ridge it points */
	int    type;
	bool   hidden;
} FingerMinutia;

typedef struct Finger
{
	Field         field;
	int           count;
	FingerMinutia minutiae[SYNTHETIC_MINUTIAE];
} Finger;

typedef struct Impression
{
	double quality;
	Point  centre; /* of contact, on the finger */
	double half_width;
	double half_height;
	double cosine; /* of the rotation */
	double sine;
	double rotation;
	Point  shift; /* of the centre, on the sensor */
	double scale_x;
	double scale_y;
	double shear;
	Wave   plastic[2];
	int    patches;
	Point  patch[SYNTHETIC_PATCHES];
	double patch_radius[SYNTHETIC_PATCHES];
} Impression;

/* One impression of a finger, and the generator as it stands after them */
typedef struct Capture
{
	Finger     finger;
	Impression impression;
	uint64_t   random;
} Capture;

extern void synthetic_capture(Capture *capture, int64_t finger, int32_t impression, int position);

/*
 * What the picture shows at a pixel, counted from the upper left: whether the
 * finger touches the sensor there, the angle of the ridges (radians, y down,
 * modulo pi), and how clear they are, from 0 to 1.
 */
extern bool synthetic_capture_at(const Capture *capture, double column, double row, double *angle,
								 double *clarity);

/*
 * Minutia i of the finger in the picture, seen or not: pixels from the upper
 * left, and the angle of its direction, radians, y down.  False: off the
 * contact area.
 */
extern bool synthetic_capture_minutia(const Capture *capture, int i, double *column, double *row,
									  double *angle, int *type);

#endif /* FINGERPRINT_SYNTHESIS_H */
