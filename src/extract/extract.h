/*
 * extract.h
 *		From the picture of a finger to its minutiae.
 *
 * Plain C without PostgreSQL.  Equal pixels give equal templates on every
 * processor: integers, or floating-point additions in a fixed order, and no
 * mathematical library.
 *
 * A picture is 8-bit grey, row by row from the top, without gaps between rows:
 * pixel (x, y) is pixels[y * width + x], 0 is black.  Ridges are dark, or light
 * on dark, which is detected.
 */
#ifndef EXTRACT_H
#define EXTRACT_H

#include "match/fingerprint/fingerprint.h"

/* Limits of a picture.  Pixels are those of the picture; 500 dpi is where work is done. */
#define EXTRACT_MIN_SIDE        32   /* pixels */
#define EXTRACT_MAX_SIDE        4096 /* pixels */
#define EXTRACT_MIN_SCALED_SIDE 64   /* pixels at 500 dpi */
#define EXTRACT_MAX_SCALED_SIDE 2048
#define EXTRACT_MIN_DPI         125.0
#define EXTRACT_MAX_DPI         2000.0

typedef enum ExtractStatus
{
	EXTRACT_OK,
	EXTRACT_BAD_RESOLUTION, /* not EXTRACT_MIN_DPI to EXTRACT_MAX_DPI, or not a number */
	EXTRACT_TOO_SMALL,      /* a side is shorter than a limit above */
	EXTRACT_TOO_LARGE,      /* a side is longer than a limit above */
	EXTRACT_INTERRUPTED     /* interrupted() said so */
} ExtractStatus;

typedef struct ExtractImage
{
	const uint8_t *pixels;
	int            width;
	int            height;
	double         dpi; /* pixels per inch, both ways */
} ExtractImage;

/*
 * Whether a picture of this size is within the limits; nothing but the three
 * numbers is looked at, so that a decoder can ask before it allocates.  Sets
 * the size at 500 dpi, which is that of the record and of the enhanced picture.
 */
extern ExtractStatus extract_check(int width, int height, double dpi, int *scaled_width,
								   int *scaled_height);

/* Bytes of working memory for a picture that extract_check accepts */
extern size_t extract_memory_size(int width, int height, double dpi);

/*
 * Takes the minutiae of a picture.  The result has the size and resolution of
 * the picture at 500 dpi, minutiae of falling quality and the mean quality of
 * the picture; finger position, view, impression and device are 0.  A picture
 * without ridges gives a template of quality 0 without minutiae, which is no
 * error.
 *
 * memory has extract_memory_size() bytes, aligned as malloc does.  enhanced,
 * unless NULL, receives the enhanced picture at 500 dpi (scaled_width *
 * scaled_height bytes, dark ridges, white where there are none).  interrupted,
 * unless NULL, is called with argument at least every 10 ms or so; when it
 * returns true, work stops.  It may as well not return.
 */
extern ExtractStatus extract_minutiae(const ExtractImage *image, void           *memory,
									  bool (*interrupted)(void *argument), void *argument,
									  uint8_t *enhanced, FingerprintTemplate *result);

#endif /* EXTRACT_H */
