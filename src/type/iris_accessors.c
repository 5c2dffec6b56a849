/*
 * iris_accessors.c
 *		Iris codes from and to the layouts of other software, and their parts.
 */
#include "postgres.h"

#include "compat.h"
#include "type/iris.h"
#include "utils/builtins.h"

static void
report_error(const IrisError *error)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid iris code"),
					errdetail_internal("%s", error->reason)));
}

static uint8
eye_argument(const text *name)
{
	uint8 eye;

	if (!iris_eye_from_name(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &eye))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid eye"),
						errdetail("The eye is left, right or unknown.")));
	return eye;
}

static Datum
from_bytes(FunctionCallInfo fcinfo, bool paired_mask)
{
	bytea     *code = PG_GETARG_BYTEA_PP(0);
	bytea     *mask = PG_GETARG_BYTEA_PP(1);
	uint8      eye = eye_argument(PG_GETARG_TEXT_PP(3));
	IrisRecord record;
	IrisError  error;

	if (!iris_from_bytes((const uint8 *) VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code),
						 (const uint8 *) VARDATA_ANY(mask), VARSIZE_ANY_EXHDR(mask), paired_mask,
						 PG_GETARG_INT32(2), eye, &record, &error))
		report_error(&error);
	return iris_pack(&record.iris);
}

/* iris(code bytea, mask bytea, columns int, eye text) */
PG_FUNCTION_INFO_V1(biometric_iris_from_code);
Datum
biometric_iris_from_code(PG_FUNCTION_ARGS)
{
	return from_bytes(fcinfo, false);
}

/* the same where one mask bit stands for both phase bits */
PG_FUNCTION_INFO_V1(biometric_iris_from_paired_mask);
Datum
biometric_iris_from_paired_mask(PG_FUNCTION_ARGS)
{
	return from_bytes(fcinfo, true);
}

/* iris_from_pixels(code bytea, mask bytea, columns int, eye text, column_step int, row_step int) */
PG_FUNCTION_INFO_V1(biometric_iris_from_pixels);
Datum
biometric_iris_from_pixels(PG_FUNCTION_ARGS)
{
	bytea     *code = PG_GETARG_BYTEA_PP(0);
	bytea     *mask = PG_GETARG_BYTEA_PP(1);
	uint8      eye = eye_argument(PG_GETARG_TEXT_PP(3));
	IrisRecord record;
	IrisError  error;

	if (!iris_from_pixels((const uint8 *) VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code),
						  (const uint8 *) VARDATA_ANY(mask), VARSIZE_ANY_EXHDR(mask),
						  PG_GETARG_INT32(2), PG_GETARG_INT32(4), PG_GETARG_INT32(5), eye, &record,
						  &error))
		report_error(&error);
	return iris_pack(&record.iris);
}

/* iris_from_open_iris(code text, mask text, eye text, rows int, columns int, wavelets int) */
PG_FUNCTION_INFO_V1(biometric_iris_from_open_iris);
Datum
biometric_iris_from_open_iris(PG_FUNCTION_ARGS)
{
	text      *code = PG_GETARG_TEXT_PP(0);
	text      *mask = PG_GETARG_TEXT_PP(1);
	uint8      eye = eye_argument(PG_GETARG_TEXT_PP(2));
	IrisRecord record;
	IrisError  error;

	if (!iris_read_open_iris(VARDATA_ANY(code), VARSIZE_ANY_EXHDR(code), VARDATA_ANY(mask),
							 VARSIZE_ANY_EXHDR(mask), PG_GETARG_INT32(3), PG_GETARG_INT32(4),
							 PG_GETARG_INT32(5), eye, &record, &error))
		report_error(&error);
	return iris_pack(&record.iris);
}

static Datum
to_open_iris(const IrisTemplate *iris, const uint8 *bits, int32 wavelets)
{
	Size      size = iris_open_iris_size(iris);
	text     *result = palloc(VARHDRSZ + size);
	IrisError error;

	SET_VARSIZE(result, VARHDRSZ + size);
	if (!iris_write_open_iris(iris, bits, wavelets, VARDATA(result), &error))
		report_error(&error);
	PG_RETURN_TEXT_P(result);
}

PG_FUNCTION_INFO_V1(biometric_iris_open_iris_code);
Datum
biometric_iris_open_iris_code(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return to_open_iris(&iris, iris.code, PG_GETARG_INT32(1));
}

PG_FUNCTION_INFO_V1(biometric_iris_open_iris_mask);
Datum
biometric_iris_open_iris_mask(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return to_open_iris(&iris, iris.mask, PG_GETARG_INT32(1));
}

static Datum
make_bytea(const uint8 *bytes, Size length)
{
	bytea *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	PG_RETURN_BYTEA_P(result);
}

PG_FUNCTION_INFO_V1(biometric_iris_code);
Datum
biometric_iris_code(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return make_bytea(iris.code, IRIS_CODE_BYTES((Size) iris.columns, iris.bits));
}

PG_FUNCTION_INFO_V1(biometric_iris_mask);
Datum
biometric_iris_mask(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return make_bytea(iris.mask, IRIS_CODE_BYTES((Size) iris.columns, iris.bits));
}

PG_FUNCTION_INFO_V1(biometric_iris_mask_of_pairs);
Datum
biometric_iris_mask_of_pairs(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));
	uint8        mask[IRIS_MAX_CODE_BYTES];
	IrisError    error;

	if (!iris_paired_mask(&iris, mask, &error))
		report_error(&error);
	return make_bytea(mask, iris_paired_mask_size(&iris));
}

PG_FUNCTION_INFO_V1(biometric_iris_eye);
Datum
biometric_iris_eye(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	PG_RETURN_TEXT_P(cstring_to_text(iris_eye_name(iris.eye)));
}

PG_FUNCTION_INFO_V1(biometric_iris_columns);
Datum
biometric_iris_columns(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(iris_unpack(PG_GETARG_DATUM(0)).columns);
}

PG_FUNCTION_INFO_V1(biometric_iris_bits_per_column);
Datum
biometric_iris_bits_per_column(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(iris_unpack(PG_GETARG_DATUM(0)).bits);
}

PG_FUNCTION_INFO_V1(biometric_iris_usable_bits_sql);
Datum
biometric_iris_usable_bits_sql(PG_FUNCTION_ARGS)
{
	IrisTemplate   iris = iris_unpack(PG_GETARG_DATUM(0));
	IrisAssessment assessment;

	iris_assess(&iris, &assessment);
	PG_RETURN_INT32((int32) assessment.usable_bits);
}

PG_FUNCTION_INFO_V1(biometric_iris_quality_score);
Datum
biometric_iris_quality_score(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	PG_RETURN_INT16((int16) iris_quality(&iris));
}
