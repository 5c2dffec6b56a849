/*
 * card.h
 *		Minutiae as cards compare them: the normal and the compact format of
 *		ISO/IEC 19794-2:2005.  Plain C.
 *
 * They have no header, no count and no image: one finger's minutiae follow each
 * other, and the bytes do not show which format it is.  So the caller has to
 * name it.  Inside a card's data object (tags 7F2E and 81) they are found.
 */
#ifndef RECORD_CARD_H
#define RECORD_CARD_H

#include "record/record.h"

typedef enum CardFormat
{
	CARD_NORMAL,  /* 5 bytes: positions in 0.01 mm, directions in 1/256 turns */
	CARD_COMPACT, /* 3 bytes: positions in 0.1 mm up to 25.5 mm, directions in 1/64 turns */
} CardFormat;

#define CARD_MAX_SIZE (5 * FINGERPRINT_MAX_MINUTIAE)

/*
 * The template counts in the format's own unit: its resolution is 1000 or 100
 * pixels per centimetre, its image just holds all minutiae.
 */
extern bool card_read(const uint8_t *data, size_t size, CardFormat format,
					  FingerprintTemplate *result, RecordError *error);

/*
 * Writes a template's minutiae in their order; *size is that of the data.
 * Where they lie too far from the origin, all are moved up and to the left; false
 * if they span more than the format holds.
 */
extern bool card_write(const FingerprintTemplate *finger, CardFormat format,
					   uint8_t data[CARD_MAX_SIZE], size_t *size);

#endif /* RECORD_CARD_H */
