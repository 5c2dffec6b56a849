/*
 * biometric_image.c
 *		The module biometric_image: pictures in SQL.
 *
 * It decodes, and leaves the extraction of minutiae to the module biometric, so
 * that a fault in a library of picture formats cannot reach those who do not
 * create this extension.
 *
 * Decoders allocate outside of PostgreSQL's memory contexts and must not be left
 * by an error: they return when an interrupt is pending, free what they have,
 * and only then the interrupt is served.
 */
#include "postgres.h"

#include <limits.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "image/image.h"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "biometric_image", .version = "2.0");
#else
PG_MODULE_MAGIC;
#endif

/* biometric_image.max_size, of the input, in kilobytes */
static int max_kilobytes = 16 * 1024;

/* biometric_image.max_pixels, of a picture */
static int max_pixels = 16000000;

void _PG_init(void);

void
_PG_init(void)
{
	DefineCustomIntVariable("biometric_image.max_size", "Largest picture file that is decoded.",
							"Larger files are refused before anything is read.", &max_kilobytes,
							16 * 1024, 1, 1024 * 1024, PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("biometric_image.max_pixels",
							"Largest number of pixels of a picture that is decoded.",
							"A decoder takes up to about 20 bytes a pixel while it works.",
							&max_pixels, 16000000, 1, 100000000, PGC_SUSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("biometric_image");
}

/* whether an interrupt waits that ends the query */
static bool
must_stop(void *argument)
{
	return InterruptPending && (QueryCancelPending || ProcDiePending);
}

static ImageLimits
limits(void)
{
	ImageLimits result = image_default_limits;

	result.max_bytes = (size_t) max_kilobytes * 1024;
	result.max_pixels = (uint64_t) max_pixels;
	result.interrupted = must_stop;
	return result;
}

static void
raise_error(const ImageError *error)
{
	if (error->interrupted)
	{
		CHECK_FOR_INTERRUPTS();
		/* interrupts are held off; the work is lost all the same */
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED), errmsg("decoding of a picture was interrupted")));
	}
	if (error->no_memory)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
						errdetail("A picture could not be decoded.")));
	ereport(
		ERROR,
		(errcode(error->too_large ? ERRCODE_PROGRAM_LIMIT_EXCEEDED
								  : ERRCODE_INVALID_BINARY_REPRESENTATION),
		 errmsg("picture cannot be read: %s", error->reason),
		 error->too_large
			 ? errhint(
				   "A superuser can raise biometric_image.max_size and biometric_image.max_pixels.")
			 : errhint("image_info() tells what a file is without raising an error.")));
}

/* "which" of SQL counts from 1 */
static int
which_picture(int32 which)
{
	if (which < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("pictures of a file are counted from 1"),
						errhint("image_info() tells how many there are.")));
	return which - 1;
}

/*
 * Bytes of the library's as a datum.  They are freed, whatever happens.
 */
static bytea *
take_bytes(uint8_t *bytes, size_t size)
{
	bytea *result = palloc_extended(VARHDRSZ + size, MCXT_ALLOC_NO_OOM);

	if (result != NULL)
	{
		SET_VARSIZE(result, VARHDRSZ + size);
		memcpy(VARDATA(result), bytes, size);
	}
	free(bytes);
	if (result == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return result;
}

/* what a picture's file states about resolution, NULL if it does not */
static Datum
resolution(const ImageInfo *info, bool vertical, bool *null)
{
	double dpi = vertical ? info->dpi_y : info->dpi_x;

	*null = !(dpi > 0);
	return Float8GetDatum(dpi);
}

static Datum
code(int value, bool *null)
{
	*null = value < 0;
	return Int32GetDatum(value);
}

/*
 * image_info(image bytea, which integer): what a file is, by its header.  Never
 * fails on any bytes: problem says what is wrong.
 */
PG_FUNCTION_INFO_V1(biometric_image_info);
Datum
biometric_image_info(PG_FUNCTION_ARGS)
{
	bytea      *bytes = PG_GETARG_BYTEA_PP(0);
	int         which = which_picture(PG_GETARG_INT32(1));
	ImageLimits limit = limits();
	ImageInfo   info;
	ImageError  error;
	TupleDesc   descriptor;
	Datum       values[12];
	bool        nulls[12] = {false};
	bool        sound;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	sound = image_info((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), which,
					   &limit, &info, &error);
	if (error.no_memory)
		raise_error(&error);
	values[0] = CStringGetTextDatum(info.format_name);
	nulls[0] = info.format == IMAGE_UNKNOWN;
	values[1] = CStringGetTextDatum(info.compression);
	nulls[1] = info.compression[0] == '\0';
	values[2] = Int32GetDatum((int32) info.width);
	nulls[2] = info.width == 0 || info.width > INT_MAX;
	values[3] = Int32GetDatum((int32) info.height);
	nulls[3] = info.height == 0 || info.height > INT_MAX;
	values[4] = resolution(&info, false, &nulls[4]);
	values[5] = resolution(&info, true, &nulls[5]);
	values[6] = Int32GetDatum(info.bits);
	nulls[6] = info.bits == 0;
	values[7] = Int32GetDatum(info.channels);
	nulls[7] = info.channels == 0;
	values[8] = Int32GetDatum(info.pictures);
	nulls[8] = info.format == IMAGE_UNKNOWN;
	values[9] = code(info.finger_position, &nulls[9]);
	values[10] = code(info.impression_type, &nulls[10]);
	nulls[11] = sound;
	values[11] = sound ? (Datum) 0 : CStringGetTextDatum(error.reason);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* image_pixels(image bytea, which integer): the picture in 8-bit grey */
PG_FUNCTION_INFO_V1(biometric_image_pixels);
Datum
biometric_image_pixels(PG_FUNCTION_ARGS)
{
	bytea      *bytes = PG_GETARG_BYTEA_PP(0);
	int         which = which_picture(PG_GETARG_INT32(1));
	ImageLimits limit = limits();
	Image       image;
	ImageError  error;
	TupleDesc   descriptor;
	Datum       values[7];
	bool        nulls[7] = {false};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	descriptor = BlessTupleDesc(descriptor);
	if (!image_decode((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), which, &limit,
					  &image, &error))
		raise_error(&error);
	values[0] =
		PointerGetDatum(take_bytes(image.pixels, (size_t) image.info.width * image.info.height));
	values[1] = Int32GetDatum((int32) image.info.width);
	values[2] = Int32GetDatum((int32) image.info.height);
	values[3] = resolution(&image.info, false, &nulls[3]);
	values[4] = resolution(&image.info, true, &nulls[4]);
	values[5] = code(image.info.finger_position, &nulls[5]);
	values[6] = code(image.info.impression_type, &nulls[6]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}

/* pixels_png(pixels bytea, width integer, height integer, dpi float8) */
PG_FUNCTION_INFO_V1(biometric_image_pixels_png);
Datum
biometric_image_pixels_png(PG_FUNCTION_ARGS)
{
	bytea   *pixels = PG_GETARG_BYTEA_PP(0);
	int32    width = PG_GETARG_INT32(1);
	int32    height = PG_GETARG_INT32(2);
	double   dpi = PG_GETARG_FLOAT8(3);
	uint8_t *png;
	size_t   size;

	if (width < 1 || height < 1 || (int64) width * height > max_pixels)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a picture of %d x %d pixels cannot be made", width, height),
				 errhint("It takes at least one pixel and at most biometric_image.max_pixels.")));
	if ((int64) width * height != VARSIZE_ANY_EXHDR(pixels))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d x %d pixels take %lld bytes, there are %lld", width, height,
							   (long long) width * height, (long long) VARSIZE_ANY_EXHDR(pixels)),
						errhint("Pixels are 8-bit grey, one byte each.")));
	/* 0 is "not stated"; more than this cannot be stated */
	if (!(dpi >= 0 && dpi <= 100000))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("resolution must be from 0 to 100000 pixels an inch"),
						errhint("0 leaves it unstated.")));
	if (!image_write_png((const uint8_t *) VARDATA_ANY(pixels), (uint32_t) width, (uint32_t) height,
						 dpi, &png, &size))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	PG_RETURN_BYTEA_P(take_bytes(png, size));
}

/*
 * picture_resolution(given, horizontal, vertical): pixels an inch to extract
 * with.  Not strict: NULL is "not stated".
 */
PG_FUNCTION_INFO_V1(biometric_image_resolution);
Datum
biometric_image_resolution(PG_FUNCTION_ARGS)
{
	double horizontal;
	double vertical;

	if (!PG_ARGISNULL(0))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the picture does not state its resolution"),
				 errhint("Pass the argument dpi. Scanners of fingerprints have 500 or 1000.")));
	horizontal = PG_GETARG_FLOAT8(1);
	vertical = PG_GETARG_FLOAT8(2);
	if (horizontal > vertical * 1.01 || vertical > horizontal * 1.01)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("the picture has %.0f pixels an inch across and %.0f down",
							   horizontal, vertical),
						errdetail("Minutiae are taken from pictures with one resolution."),
						errhint("If the file is wrong, pass the argument dpi.")));
	PG_RETURN_FLOAT8((horizontal + vertical) / 2);
}
