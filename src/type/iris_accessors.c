/*
 * iris_accessors.c
 *		Iris codes from and to the layouts of other software, their parts, and
 *		their order.
 */
#include "postgres.h"

#include "compat.h"
#include "common/hashfn.h"
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
PG_FUNCTION_INFO_V1(iris_from_code);
Datum
iris_from_code(PG_FUNCTION_ARGS)
{
	return from_bytes(fcinfo, false);
}

/* the same where one mask bit stands for both phase bits */
PG_FUNCTION_INFO_V1(iris_from_paired_mask);
Datum
iris_from_paired_mask(PG_FUNCTION_ARGS)
{
	return from_bytes(fcinfo, true);
}

/* iris_from_open_iris(code text, mask text, eye text, rows int, columns int, wavelets int) */
PG_FUNCTION_INFO_V1(iris_from_open_iris);
Datum
iris_from_open_iris(PG_FUNCTION_ARGS)
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

PG_FUNCTION_INFO_V1(iris_open_iris_code);
Datum
iris_open_iris_code(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return to_open_iris(&iris, iris.code, PG_GETARG_INT32(1));
}

PG_FUNCTION_INFO_V1(iris_open_iris_mask);
Datum
iris_open_iris_mask(PG_FUNCTION_ARGS)
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

PG_FUNCTION_INFO_V1(iris_code);
Datum
iris_code(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return make_bytea(iris.code, IRIS_CODE_BYTES((Size) iris.columns, iris.bits));
}

PG_FUNCTION_INFO_V1(iris_mask);
Datum
iris_mask(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	return make_bytea(iris.mask, IRIS_CODE_BYTES((Size) iris.columns, iris.bits));
}

PG_FUNCTION_INFO_V1(iris_mask_of_pairs);
Datum
iris_mask_of_pairs(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));
	uint8        mask[IRIS_MAX_CODE_BYTES];
	IrisError    error;

	if (!iris_paired_mask(&iris, mask, &error))
		report_error(&error);
	return make_bytea(mask, iris_paired_mask_size(&iris));
}

PG_FUNCTION_INFO_V1(iris_eye);
Datum
iris_eye(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	PG_RETURN_TEXT_P(cstring_to_text(iris_eye_name(iris.eye)));
}

PG_FUNCTION_INFO_V1(iris_columns);
Datum
iris_columns(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(iris_unpack(PG_GETARG_DATUM(0)).columns);
}

PG_FUNCTION_INFO_V1(iris_bits_per_column);
Datum
iris_bits_per_column(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(iris_unpack(PG_GETARG_DATUM(0)).bits);
}

PG_FUNCTION_INFO_V1(iris_usable_bits_sql);
Datum
iris_usable_bits_sql(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));

	PG_RETURN_INT32((int32) iris_usable_bits(&iris));
}

/* ---- order --------------------------------------------------------------- */

/*
 * By geometry, eye, code and mask.  The order means nothing, but it is the
 * same on every machine: numbers are compared as numbers, bytes as bytes.
 */
static int
iris_order(FunctionCallInfo fcinfo)
{
	IrisTemplate a = iris_unpack(PG_GETARG_DATUM(0));
	IrisTemplate b = iris_unpack(PG_GETARG_DATUM(1));

	if (a.columns != b.columns)
		return a.columns < b.columns ? -1 : 1;
	if (a.bits != b.bits)
		return a.bits < b.bits ? -1 : 1;
	if (a.eye != b.eye)
		return a.eye < b.eye ? -1 : 1;
	/* the mask follows the code */
	return memcmp(a.code, b.code, 2 * IRIS_CODE_BYTES((Size) a.columns, a.bits));
}

PG_FUNCTION_INFO_V1(iris_eq);
Datum
iris_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(iris_ne);
Datum
iris_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(iris_lt);
Datum
iris_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(iris_le);
Datum
iris_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(iris_gt);
Datum
iris_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) > 0);
}

PG_FUNCTION_INFO_V1(iris_ge);
Datum
iris_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(iris_order(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(iris_cmp);
Datum
iris_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(iris_order(fcinfo));
}

PG_FUNCTION_INFO_V1(iris_hash);
Datum
iris_hash(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);

	return hash_any((const unsigned char *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum));
}

PG_FUNCTION_INFO_V1(iris_hash_extended);
Datum
iris_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *datum = PG_GETARG_VARLENA_PP(0);

	return hash_any_extended((const unsigned char *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum),
							 PG_GETARG_INT64(1));
}
