/*
 * fingerprint_pixels.c
 *		Fingerprints from pictures, as pixels.  Files of pictures are decoded
 *		elsewhere: no decoder is part of this module.
 */
#include "postgres.h"

#include "compat.h"
#include "extract/extract.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "type/fingerprint.h"

/* Raises the cancellation of the query, and then does not return */
static bool
check_for_interrupts(void *argument)
{
	CHECK_FOR_INTERRUPTS();
	return false;
}

static void
report(ExtractStatus status, int width, int height, double dpi)
{
	switch (status)
	{
		case EXTRACT_OK:
		case EXTRACT_INTERRUPTED:
			break;
		case EXTRACT_BAD_RESOLUTION:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("resolution of %g pixels per inch is out of range", dpi),
							errdetail("Pictures of fingers have %g to %g pixels per inch.",
									  EXTRACT_MIN_DPI, EXTRACT_MAX_DPI),
							errhint("Most scanners of fingers have 500 pixels per inch.")));
			break;
		case EXTRACT_TOO_SMALL:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("picture of %d x %d pixels is too small", width, height),
							errdetail("At least %d x %d pixels, and at 500 pixels per inch "
									  "at least %d x %d, are needed.",
									  EXTRACT_MIN_SIDE, EXTRACT_MIN_SIDE, EXTRACT_MIN_SCALED_SIDE,
									  EXTRACT_MIN_SCALED_SIDE),
							errhint("Check the resolution: it says how large the finger is.")));
			break;
		case EXTRACT_TOO_LARGE:
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("picture of %d x %d pixels is too large", width, height),
				 errdetail("At most %d x %d pixels, and at 500 pixels per inch at most %d x %d, "
						   "are taken.",
						   EXTRACT_MAX_SIDE, EXTRACT_MAX_SIDE, EXTRACT_MAX_SCALED_SIDE,
						   EXTRACT_MAX_SCALED_SIDE),
				 errhint("Cut out the picture of one finger, and check the resolution.")));
			break;
	}
}

/* The picture of arguments 0 to 3, checked; the size is that at 500 dpi */
static void
read_picture(FunctionCallInfo fcinfo, ExtractImage *image, int *width, int *height)
{
	bytea *pixels = PG_GETARG_BYTEA_PP(0);
	int64  size = VARSIZE_ANY_EXHDR(pixels);

	image->pixels = (const uint8_t *) VARDATA_ANY(pixels);
	image->width = PG_GETARG_INT32(1);
	image->height = PG_GETARG_INT32(2);
	image->dpi = PG_GETARG_FLOAT8(3);
	report(extract_check(image->width, image->height, image->dpi, width, height), image->width,
		   image->height, image->dpi);
	if ((int64) image->width * image->height != size)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("picture of %d x %d pixels does not have %lld bytes", image->width,
							   image->height, (long long) size),
						errdetail("It has one byte for each pixel: %lld.",
								  (long long) image->width * image->height),
						errhint("Pixels are 8-bit grey, row by row from the top, without gaps.")));
}

/*
 * fingerprint_from_pixels(pixels bytea, width int, height int, dpi float8,
 *		finger_position int, impression_type int)
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_pixels);
Datum
biometric_fingerprint_from_pixels(PG_FUNCTION_ARGS)
{
	ExtractImage        image;
	int32               position = PG_GETARG_INT32(4);
	int32               impression = PG_GETARG_INT32(5);
	int                 width = 0, height = 0;
	FingerprintTemplate finger;
	void               *memory;

	if (position < 0 || position > FINGERPRINT_MAX_POSITION)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("finger position %d is out of range", position),
			 errhint(
				 "Finger positions are 0 (unknown), 1 to 5 (right thumb to little finger) and 6 to 10 (left thumb to little finger).")));
	if (impression < 0 || impression > 15)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("impression type %d is out of range", impression),
			 errhint(
				 "Impression types of ISO/IEC 19794-2 are 0 to 15, for instance 0 (live-scan plain), 2 (nonlive-scan plain) and 3 (nonlive-scan rolled).")));
	read_picture(fcinfo, &image, &width, &height);
	memory = palloc(extract_memory_size(image.width, image.height, image.dpi));
	extract_minutiae(&image, memory, check_for_interrupts, NULL, NULL, &finger);
	finger.position = (uint8_t) position;
	finger.impression = (uint8_t) impression;
	pfree(memory);
	PG_RETURN_DATUM(fingerprint_pack(&finger));
}

/*
 * enhanced_pixels(pixels bytea, width int, height int, dpi float8): the picture
 * as the filters leave it, at 500 dpi
 */
PG_FUNCTION_INFO_V1(biometric_enhanced_pixels);
Datum
biometric_enhanced_pixels(PG_FUNCTION_ARGS)
{
	ExtractImage        image;
	int                 width = 0, height = 0;
	FingerprintTemplate finger;
	bytea              *result;
	void               *memory;

	read_picture(fcinfo, &image, &width, &height);
	result = palloc(VARHDRSZ + (Size) width * height);
	memory = palloc(extract_memory_size(image.width, image.height, image.dpi));
	extract_minutiae(&image, memory, check_for_interrupts, NULL, (uint8_t *) VARDATA(result),
					 &finger);
	pfree(memory);
	SET_VARSIZE(result, VARHDRSZ + (Size) width * height);
	PG_RETURN_BYTEA_P(result);
}
