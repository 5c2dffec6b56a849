/*
 * fingerprint_formats.c
 *		Fingerprints as records of a format that the caller names, and from such
 *		as do not say themselves what they are.
 */
#include "postgres.h"

#include "compat.h"

#include "lib/stringinfo.h"
#include "record/an2k.h"
#include "record/card.h"
#include "record/xyt.h"
#include "type/fingerprint.h"
#include "utils/builtins.h"

static bytea *
make_bytea(const void *data, Size size)
{
	bytea *result = palloc(VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	memcpy(VARDATA(result), data, size);
	return result;
}

/* one of some names, in capital or small letters; the value of parameter what */
static int
choose(text *name, const char *const *names, int count, const char *what)
{
	char          *chosen = text_to_cstring(name);
	StringInfoData list;

	for (int i = 0; i < count; i++)
	{
		if (names[i] != NULL && pg_strcasecmp(names[i], chosen) == 0)
			return i;
	}
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
	{
		if (names[i] != NULL)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", names[i]);
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("%s \"%s\" is not known", what, chosen),
					errhint("Choose one of: %s.", list.data)));
}

static Datum
written_record(Datum datum, MinutiaeFormat format, uint32 cbeff_product)
{
	FingerprintTemplate finger;
	uint8_t             record[MINUTIAE_RECORD_MAX_SIZE];

	fingerprint_unpack(datum, &finger);
	PG_RETURN_BYTEA_P(
		make_bytea(record, minutiae_record_write(&finger, format, cbeff_product, record)));
}

/* to_iso19794_2(fingerprint, edition); of 2005 the datum is the record */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_iso19794_2);
Datum
biometric_fingerprint_to_iso19794_2(PG_FUNCTION_ARGS)
{
	int edition = PG_GETARG_INT32(1);

	if (edition == 2005)
		PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
	if (edition != 2011)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("edition of ISO/IEC 19794-2 must be 2005 or 2011")));
	return written_record(PG_GETARG_DATUM(0), ISO19794_2_2011, 0);
}

/* to_incits378(fingerprint, cbeff_product, edition): the product identifier is owner << 16 | type */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_incits378);
Datum
biometric_fingerprint_to_incits378(PG_FUNCTION_ARGS)
{
	int64          product = PG_GETARG_INT64(1);
	MinutiaeFormat format;

	if (product < 0 || product > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("CBEFF product identifier must be between 0 and 4294967295")));
	switch (PG_GETARG_INT32(2))
	{
		case 2004:
			format = INCITS378_2004;
			break;
		case 2007:
			format = INCITS378_2007;
			break;
		case 2009:
			format = INCITS378_2009;
			break;
		case 2010:
			format = INCITS378_2010;
			break;
		default:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("edition of ANSI/INCITS 378 must be 2004, 2007, 2009 or 2010")));
	}
	return written_record(PG_GETARG_DATUM(0), format, (uint32) product);
}

/* ---- cards ---------------------------------------------------------------- */

static const char *const card_formats[] = {[CARD_NORMAL] = "normal", [CARD_COMPACT] = "compact"};

static void
check_position(int position)
{
	if (position < 0 || position > FINGERPRINT_MAX_POSITION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("finger position must be between 0 and 10")));
}

/* fingerprint_from_card(data, format, finger_position) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_card);
Datum
biometric_fingerprint_from_card(PG_FUNCTION_ARGS)
{
	bytea              *data = PG_GETARG_BYTEA_PP(0);
	CardFormat          format = choose(PG_GETARG_TEXT_PP(1), card_formats, 2, "card format");
	int                 position = PG_GETARG_INT32(2);
	FingerprintTemplate finger;
	RecordError         error;

	check_position(position);
	if (!card_read((const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), format, &finger,
				   &error))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid minutiae in a card's %s format", card_formats[format]),
						errdetail_internal("%s", record_error_sentence(&error))));
	finger.position = (uint8) position;
	return fingerprint_pack(&finger);
}

/* to_card(fingerprint, format) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_card);
Datum
biometric_fingerprint_to_card(PG_FUNCTION_ARGS)
{
	CardFormat          format = choose(PG_GETARG_TEXT_PP(1), card_formats, 2, "card format");
	FingerprintTemplate finger;
	uint8_t             data[CARD_MAX_SIZE];
	size_t              size;

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	if (!card_write(&finger, format, data, &size))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("the minutiae lie too far apart for a card's %s format",
							   card_formats[format])));
	PG_RETURN_BYTEA_P(make_bytea(data, size));
}

/* ---- xyt ------------------------------------------------------------------ */

static const char *const xyt_conventions[] = {[XYT_NIST] = "nist", [XYT_M1] = "m1"};

/* fingerprint_from_xyt(xyt, convention, width, height, resolution, finger_position) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_xyt);
Datum
biometric_fingerprint_from_xyt(PG_FUNCTION_ARGS)
{
	text               *xyt = PG_GETARG_TEXT_PP(0);
	XytConvention       convention = choose(PG_GETARG_TEXT_PP(1), xyt_conventions, 2, "convention");
	int                 width = PG_GETARG_INT32(2);
	int                 height = PG_GETARG_INT32(3);
	int                 resolution = PG_GETARG_INT32(4);
	int                 position = PG_GETARG_INT32(5);
	FingerprintTemplate finger;
	RecordError         error;

	if (width < 1 || width > MAX_IMAGE_EDGE || height < 1 || height > MAX_IMAGE_EDGE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("image width and height must be between 1 and 16384")));
	if (resolution < 1 || resolution > 65535)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("resolution must be between 1 and 65535 pixels per centimetre")));
	check_position(position);
	memset(&finger, 0, sizeof(finger));
	finger.width = (uint16) width;
	finger.height = (uint16) height;
	finger.x_resolution = (uint16) resolution;
	finger.y_resolution = (uint16) resolution;
	finger.position = (uint8) position;
	finger.impression = IMPRESSION_UNKNOWN;
	if (!xyt_read(VARDATA_ANY(xyt), VARSIZE_ANY_EXHDR(xyt), convention, &finger, &error))
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("invalid minutiae in xyt form"),
						errdetail("The %s at character %zu %s.", error.field, error.offset + 1,
								  error.problem)));
	fingerprint_notice(&finger);
	return fingerprint_pack(&finger);
}

/* to_xyt(fingerprint, convention) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_xyt);
Datum
biometric_fingerprint_to_xyt(PG_FUNCTION_ARGS)
{
	XytConvention       convention = choose(PG_GETARG_TEXT_PP(1), xyt_conventions, 2, "convention");
	FingerprintTemplate finger;
	char                text[XYT_MAX_SIZE];

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	xyt_write(&finger, convention, text);
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

/* ---- Type-9 --------------------------------------------------------------- */

/* to_type9(fingerprint, form, idc): a logical record of an ANSI/NIST file */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_type9);
Datum
biometric_fingerprint_to_type9(PG_FUNCTION_ARGS)
{
	const char         *names[TYPE9_FORMS] = {NULL};
	int                 idc = PG_GETARG_INT32(2);
	FingerprintTemplate finger;
	Type9Form           form;
	char                record[TYPE9_MAX_SIZE];
	size_t              size;

	for (int i = TYPE9_NONE + 1; i < TYPE9_FORMS; i++)
		names[i] = type9_form_name(i);
	form = choose(PG_GETARG_TEXT_PP(1), names, TYPE9_FORMS, "form of a Type-9 record");
	if (idc < 0 || idc > 99)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("IDC must be between 0 and 99")));
	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	size = type9_write(&finger, form, idc, record);
	if (size == 0)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("a minutia lies too far from the origin for the %s form",
							   type9_form_name(form))));
	PG_RETURN_BYTEA_P(make_bytea(record, size));
}
