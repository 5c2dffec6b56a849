/*
 * an2k_field.h
 *		Fields, subfields and items of a record of text in an ANSI/NIST file.
 */
#ifndef RECORD_AN2K_FIELD_H
#define RECORD_AN2K_FIELD_H

#include "record/an2k.h"

#define AN2K_FS 0x1C
#define AN2K_GS 0x1D
#define AN2K_RS 0x1E
#define AN2K_US 0x1F

/* Some characters of a record; where nothing is left, start is NULL */
typedef struct Slice
{
	const char *start;
	const char *end;
} Slice;

/* cuts the part up to a separator off rest; false if nothing is left */
extern bool an2k_next_part(Slice *rest, char separator, Slice *part);

/* a whole number of digits alone, at most max */
extern bool an2k_number(Slice text, long max, long *number);

/* digits with a point */
extern bool an2k_real(Slice text, double *number);

/* the contents of a field of a record of text */
extern bool an2k_field(const An2kRecord *record, int number, Slice *value);

#endif /* RECORD_AN2K_FIELD_H */
