/*
 * minutiae_record.h
 *		Finger minutiae records of the interchange standards, in and out.
 *
 * Plain C without PostgreSQL: tested and fuzzed on its own.
 *
 * Read and written: ISO/IEC 19794-2 of 2005 and of 2011, ANSI/INCITS 378 of
 * 2004 and of 2009, its amendment of 2010, and the M1 draft of 2007.  All begin
 * with "FMR\0" and hold a header, finger views and after each view a block of
 * extended data, which is stepped over.  Every byte may come from an attacker.
 */
#ifndef MINUTIAE_RECORD_H
#define MINUTIAE_RECORD_H

#include "record/record.h"

typedef enum MinutiaeFormat
{
	ISO19794_2_2005,
	ISO19794_2_2011,
	INCITS378_2004,
	INCITS378_2007, /* M1 draft */
	INCITS378_2009,
	INCITS378_2010, /* 2009 with amendment 1 */
	MINUTIAE_FORMATS
} MinutiaeFormat;

/* the largest record of one view that the writer makes: header, view, no extended data */
#define MINUTIAE_RECORD_MAX_SIZE (15 + 39 + 6 * FINGERPRINT_MAX_MINUTIAE)

/* "ISO/IEC 19794-2:2005" and so on; of MINUTIAE_FORMATS NULL */
extern const char *minutiae_format_name(MinutiaeFormat format);

/*
 * Reads a record and shows each view to the visitor, which may be NULL.
 * Returns the number of views, of which some may be damaged, or -1 if the record
 * itself is wrong; *error then says how, and views before the fault may have
 * been shown.  *format is the format in both cases, MINUTIAE_FORMATS if it
 * cannot be told.
 *
 * Not strict, these faults of existing products are let pass:
 * - zeroes behind a record that ends where its length says, as in a buffer of
 *   fixed size;
 * - a record length that differs from the number of bytes, if the last view
 *   ends exactly with the bytes;
 * - if the record length is right, extended data of the last view that ends up
 *   to RECORD_EXTENDED_SLACK bytes before or after the end of the record;
 * - extended data whose items do not fit together;
 * - reserved bits that are set, views not numbered from 0 for each finger, a
 *   date of capture that is none;
 * - a quality that the standard does not list, which is read as not reported;
 * - an impression type that the standard does not list, a CBEFF product
 *   identifier of 0;
 * - a resolution that no picture of a finger has, unless it is 0.
 */
#define RECORD_EXTENDED_SLACK 4

extern int minutiae_record_visit(const uint8_t *data, size_t size, bool strict,
								 RecordVisitor visitor, void *context, MinutiaeFormat *format,
								 RecordError *error);

/*
 * The same for callers that want one view, or all or nothing: -1 also if any
 * view is damaged.  Stores view "wanted" (from 0) in *result, if there is one
 * and result is not NULL.
 */
extern int minutiae_record_read(const uint8_t *data, size_t size, bool strict, int wanted,
								FingerprintTemplate *result, RecordError *error);

/*
 * Writes a record of one view without extended data and returns its size, at
 * most MINUTIAE_RECORD_MAX_SIZE.  cbeff_product, owner << 16 | type, is for the
 * INCITS formats.
 */
extern size_t minutiae_record_write(const FingerprintTemplate *finger, MinutiaeFormat format,
									uint32_t cbeff_product, uint8_t *record);

/*
 * Directions: ISO counts 1/256 turns, INCITS 2 degrees.  From INCITS to ISO
 * and back loses nothing; from ISO to INCITS loses up to one degree.
 */
extern uint8_t angle_from_incits378(uint8_t angle);
extern uint8_t angle_to_incits378(uint8_t angle);

#endif /* MINUTIAE_RECORD_H */
