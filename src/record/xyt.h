/*
 * xyt.h
 *		Minutiae as NIST's tools write them for their matcher: a line of text
 *		for each, "x y theta quality".  Plain C.
 *
 * Two conventions are in use, and nothing in a file tells them apart:
 *
 *	NIST	origin lower left; degrees 0 to 359 counter-clockwise, pointing away
 *			from the ridge, half a turn from what a minutiae record says
 *	M1		origin upper left; steps of two degrees 0 to 179, as a record has them
 */
#ifndef RECORD_XYT_H
#define RECORD_XYT_H

#include "record/record.h"

typedef enum XytConvention
{
	XYT_NIST,
	XYT_M1
} XytConvention;

/*
 * Reads lines of three or four numbers.  result has its image size and
 * resolution set; the offset of an error counts characters.
 */
extern bool xyt_read(const char *text, size_t length, XytConvention convention,
					 FingerprintTemplate *result, RecordError *error);

/* writes a line for each minutia and a final zero; returns the length */
#define XYT_MAX_SIZE (24 * FINGERPRINT_MAX_MINUTIAE + 1)

extern size_t xyt_write(const FingerprintTemplate *finger, XytConvention convention,
						char text[XYT_MAX_SIZE]);

#endif /* RECORD_XYT_H */
