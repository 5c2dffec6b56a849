/*
 * record.h
 *		What all readers of records have in common.
 *
 * A reader gets bytes, any of which may come from an attacker, and passes what
 * it finds to a visitor: one view after the other, in the record's order.  A
 * damaged view is passed with what is wrong with it.  The views after it are
 * passed too, if the record says where they start.
 */
#ifndef RECORD_H
#define RECORD_H

#include "match/fingerprint/fingerprint.h"

/* What is wrong with a record; never shows contents of the template */
typedef struct RecordError
{
	size_t      offset;  /* of the field, bytes from the start */
	const char *field;   /* its name in the standard */
	const char *problem; /* completes "the field ..." */
} RecordError;

typedef struct RecordView
{
	int                        number; /* from 1 */
	const FingerprintTemplate *finger; /* NULL: the view is damaged, and error says how */
	RecordError                error;
} RecordView;

/* returns whether to go on; what a view points to is gone afterwards */
typedef bool (*RecordVisitor)(const RecordView *view, void *context);

/* How a format says which finger, and how it was captured */
#define IMPRESSION_LIVE_ROLLED 1
#define IMPRESSION_CONTACTLESS 9  /* as ANSI/INCITS 378-2004 numbers it */
#define IMPRESSION_UNKNOWN     15 /* other or unknown; no number of ISO/IEC 19794-2:2005 */

#define MAX_IMAGE_EDGE 16384 /* pixels: coordinates have 14 bits */

/* pixels per centimetre that a picture of a finger can have: 250 to 4 000 dpi */
#define MIN_FINGER_RESOLUTION 99
#define MAX_FINGER_RESOLUTION 1600

static inline unsigned
get16(const uint8_t *bytes)
{
	return (unsigned) bytes[0] << 8 | bytes[1];
}

static inline uint32_t
get32(const uint8_t *bytes)
{
	return (uint32_t) get16(bytes) << 16 | get16(bytes + 2);
}

static inline void
put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t) (value >> 8);
	bytes[1] = (uint8_t) value;
}

static inline void
put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value & 0xFFFF);
}

/* Directions: 1/256 turns, which survive the way to whole degrees and back */
static inline uint8_t
angle_from_degrees(long degrees)
{
	return (uint8_t) ((degrees * 256 + 180) / 360);
}

static inline int
degrees_from_angle(uint8_t angle)
{
	return (angle * 360 + 128) / 256;
}

/* fills in the error; always false */
static inline bool
record_fail(RecordError *error, size_t offset, const char *field, const char *problem)
{
	error->offset = offset;
	error->field = field;
	error->problem = problem;
	return false;
}

#endif /* RECORD_H */
