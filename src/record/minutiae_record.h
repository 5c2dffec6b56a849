/*
 * minutiae_record.h
 *		Finger minutiae records of the interchange standards, in and out.
 *
 * Plain C without PostgreSQL: tested and fuzzed on its own.
 *
 * Read: ISO/IEC 19794-2:2005 and ANSI/INCITS 378-2004 records ("FMR\0 20\0").
 * Both hold a header, finger views and after each view a block of extended
 * data, which is stepped over.  Every byte may come from an attacker.
 */
#ifndef MINUTIAE_RECORD_H
#define MINUTIAE_RECORD_H

#include "match/fingerprint/fingerprint.h"

#define MINUTIAE_RECORD_MAX_VIEWS 255

/* the largest records that the writers make: header, view, no extended data */
#define ISO19794_2_MAX_SIZE (24 + 4 + 6 * FINGERPRINT_MAX_MINUTIAE + 2)
#define INCITS378_MAX_SIZE  (26 + 4 + 6 * FINGERPRINT_MAX_MINUTIAE + 2)

/* What is wrong with a record; says nothing of what the template holds */
typedef struct RecordError
{
	size_t      offset;  /* of the field, bytes from the start */
	const char *field;   /* its name in the standard */
	const char *problem; /* completes "the field ..." */
} RecordError;

/*
 * Reads a record.  If it is sound returns the number of its views and, unless
 * result is NULL, stores view "wanted" (from 0) there, if there is one.
 * Otherwise returns -1 and describes the first problem in *error.
 *
 * Not strict, these faults of existing products are let pass:
 * - a record length field that differs from the number of bytes, if the last
 *   view ends exactly with the bytes;
 * - if the record length is right, extended data of the last view that ends up
 *   to RECORD_EXTENDED_SLACK bytes before or after the end of the record;
 * - extended data whose items do not fit together;
 * - reserved bits that are set, and views not numbered from 0 for each finger;
 * - a quality above 100, which is read as not reported;
 * - an impression type that the standard does not list, a CBEFF product
 *   identifier of 0.
 */
#define RECORD_EXTENDED_SLACK 4

extern int minutiae_record_read(const uint8_t *data, size_t size, bool strict, int wanted,
								FingerprintTemplate *result, RecordError *error);

/* Write a record of one view without extended data; return its size */
extern size_t iso19794_2_write(const FingerprintTemplate *finger, uint8_t *record);
extern size_t incits378_write(const FingerprintTemplate *finger, uint32_t cbeff_product,
							  uint8_t *record);

/*
 * Directions: ISO counts 1/256 turns, INCITS 2 degrees.  From INCITS to ISO
 * and back loses nothing; from ISO to INCITS loses up to one degree.
 */
extern uint8_t angle_from_incits378(uint8_t angle);
extern uint8_t angle_to_incits378(uint8_t angle);

#endif /* MINUTIAE_RECORD_H */
