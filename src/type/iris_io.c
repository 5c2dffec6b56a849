/*
 * iris_io.c
 *		How the type iris comes in and goes out, and its type modifier
 *		iris(columns, bits).
 */
#include "postgres.h"

#include "compat.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "type/iris.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* a type modifier is columns * TYPMOD_COLUMN + bits */
#define TYPMOD_COLUMN 512

IrisTemplate
iris_unpack(Datum datum)
{
	static const uint8 nothing[IRIS_MIN_COLUMNS] = {0};
	struct varlena    *varlena = PG_DETOAST_DATUM_PACKED(datum);
	const char        *data = VARDATA_ANY(varlena);
	Size               size = VARSIZE_ANY_EXHDR(varlena);
	IrisTemplate       iris = {IRIS_MIN_COLUMNS, 1, IRIS_EYE_UNKNOWN, nothing, nothing};

	if (size < IRIS_DATUM_HEADER)
		return iris;
	memcpy(&iris.columns, data, sizeof(uint16));
	memcpy(&iris.bits, data + 2, sizeof(uint16));
	iris.eye = (uint8) data[4];
	iris.code = (const uint8 *) data + IRIS_DATUM_HEADER;
	iris.mask = iris.code + IRIS_CODE_BYTES((Size) iris.columns, iris.bits);
	if (!iris_geometry_valid(iris.columns, iris.bits) || iris.eye > IRIS_EYE_LEFT ||
		size != IRIS_DATUM_HEADER + 2 * IRIS_CODE_BYTES((Size) iris.columns, iris.bits))
		return (IrisTemplate){IRIS_MIN_COLUMNS, 1, IRIS_EYE_UNKNOWN, nothing, nothing};
	return iris;
}

Datum
iris_pack(const IrisTemplate *iris)
{
	Size  length = IRIS_CODE_BYTES((Size) iris->columns, iris->bits);
	Size  size = VARHDRSZ + IRIS_DATUM_HEADER + 2 * length;
	char *result = palloc(size);
	char *data = VARDATA(result);

	SET_VARSIZE(result, size);
	memcpy(data, &iris->columns, sizeof(uint16));
	memcpy(data + 2, &iris->bits, sizeof(uint16));
	data[4] = (char) iris->eye;
	memcpy(data + IRIS_DATUM_HEADER, iris->code, length);
	memcpy(data + IRIS_DATUM_HEADER + length, iris->mask, length);
	return PointerGetDatum(result);
}

/* whether a column with this modifier takes the template */
static bool
typmod_accepts(int32 typmod, const IrisTemplate *iris)
{
	return typmod < 0 || typmod == iris->columns * TYPMOD_COLUMN + iris->bits;
}

/* "iris(128,16)", for messages */
static char *
iris_declaration(int32 typmod)
{
	return psprintf("iris(%d,%d)", typmod / TYPMOD_COLUMN, typmod % TYPMOD_COLUMN);
}

#define geometry_error(typmod, iris)                                                               \
	(errcode(ERRCODE_DATA_EXCEPTION), errmsg("geometry of the iris code does not fit the column"), \
	 errdetail("The code has %d columns of %d bits; the column is declared %s.", (iris)->columns,  \
			   (iris)->bits, iris_declaration(typmod)))

PG_FUNCTION_INFO_V1(biometric_iris_in);
Datum
biometric_iris_in(PG_FUNCTION_ARGS)
{
	int32      typmod = PG_GETARG_INT32(2);
	IrisRecord record;
	IrisError  error;

	if (!iris_read_text(PG_GETARG_CSTRING(0), &record, &error))
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "iris"),
				 errdetail_internal("%s", error.reason)));
	if (!typmod_accepts(typmod, &record.iris))
		ereturn(fcinfo->context, (Datum) 0, geometry_error(typmod, &record.iris));
	return iris_pack(&record.iris);
}

PG_FUNCTION_INFO_V1(biometric_iris_out);
Datum
biometric_iris_out(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));
	char        *text = palloc(iris_text_size(&iris));

	iris_write_text(&iris, text);
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(biometric_iris_recv);
Datum
biometric_iris_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int32      typmod = PG_GETARG_INT32(2);
	int        length = message->len - message->cursor;
	IrisRecord record;
	IrisError  error;

	if (!iris_read_binary((const uint8 *) pq_getmsgbytes(message, length), length, &record, &error))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("invalid binary form of type %s", "iris"),
						errdetail_internal("%s", error.reason)));
	if (!typmod_accepts(typmod, &record.iris))
		ereport(ERROR, geometry_error(typmod, &record.iris));
	return iris_pack(&record.iris);
}

PG_FUNCTION_INFO_V1(biometric_iris_send);
Datum
biometric_iris_send(PG_FUNCTION_ARGS)
{
	IrisTemplate iris = iris_unpack(PG_GETARG_DATUM(0));
	Size         size = VARHDRSZ + iris_binary_size(&iris);
	bytea       *result = palloc(size);

	SET_VARSIZE(result, size);
	iris_write_binary(&iris, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

PG_FUNCTION_INFO_V1(biometric_iris_typmod_in);
Datum
biometric_iris_typmod_in(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int        n;
	int32     *numbers = ArrayGetIntegerTypmods(array, &n);

	if (n != 2)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("type iris takes two modifiers: columns and bits per column")));
	if (!iris_geometry_valid(numbers[0], numbers[1]))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid geometry of an iris code: %d columns of %d bits", numbers[0],
					numbers[1]),
			 errdetail(
				 "There are %d to %d columns of 1 to %d bits, and at most %d bytes, columns rounded up to bytes.",
				 IRIS_MIN_COLUMNS, IRIS_MAX_COLUMNS, IRIS_MAX_COLUMN_BITS, IRIS_MAX_FEATURE_CODE)));
	PG_RETURN_INT32(numbers[0] * TYPMOD_COLUMN + numbers[1]);
}

PG_FUNCTION_INFO_V1(biometric_iris_typmod_out);
Datum
biometric_iris_typmod_out(PG_FUNCTION_ARGS)
{
	int32 typmod = PG_GETARG_INT32(0);

	PG_RETURN_CSTRING(psprintf("(%d,%d)", typmod / TYPMOD_COLUMN, typmod % TYPMOD_COLUMN));
}

/* the cast that makes a value fit a column with a modifier, or fails */
PG_FUNCTION_INFO_V1(biometric_iris_coerce);
Datum
biometric_iris_coerce(PG_FUNCTION_ARGS)
{
	Datum datum = PG_GETARG_DATUM(0);
	int32 typmod = PG_GETARG_INT32(1);

	if (typmod >= 0)
	{
		IrisTemplate iris = iris_unpack(datum);

		if (!typmod_accepts(typmod, &iris))
			ereport(ERROR, geometry_error(typmod, &iris));
	}
	PG_RETURN_DATUM(datum);
}
