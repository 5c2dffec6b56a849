/*
 * fingerprint_records.c
 *		Fingerprints from interchange records and back.
 */
#include "postgres.h"

#include "compat.h"

#include "funcapi.h"
#include "type/fingerprint.h"
#include "miscadmin.h"
#include "record/minutiae_record.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

void
fingerprint_unpack(Datum datum, FingerprintTemplate *result)
{
	bytea      *bytes = DatumGetByteaPP(datum);
	RecordError error;

	if (minutiae_record_read((const uint8_t *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), false,
							 0, result, &error) < 1)
		memset(result, 0, sizeof(*result));
	if ((Pointer) bytes != DatumGetPointer(datum))
		pfree(bytes);
}

Datum
fingerprint_pack(const FingerprintTemplate *finger)
{
	bytea *result = palloc(VARHDRSZ + MINUTIAE_RECORD_MAX_SIZE);

	SET_VARSIZE(result, VARHDRSZ + minutiae_record_write(finger, ISO19794_2_2005, 0,
														 (uint8_t *) VARDATA(result)));
	PG_RETURN_BYTEA_P(result);
}

Datum
fingerprint_from_record(const uint8 *record, Size size, int view, bool strict, int code,
						Node *error_context)
{
	FingerprintTemplate finger;
	RecordError         error;
	int                 views;

	views = minutiae_record_read(record, size, strict, view > 0 ? view - 1 : 0, &finger, &error);
	if (views < 0)
		ereturn(error_context, (Datum) 0,
				(errcode(code), errmsg("invalid finger minutiae record"),
				 errdetail("The %s at byte %zu %s.", error.field, error.offset, error.problem)));
	if (view == 0 && views > 1)
		ereturn(
			error_context, (Datum) 0,
			(errcode(code), errmsg("finger minutiae record holds %d finger views", views),
			 errhint("Use fingerprint(bytea, view) to pick one, or fingerprints(bytea) for all.")));
	if (view > views || view < 0)
		ereturn(error_context, (Datum) 0,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("finger view %d does not exist", view),
				 errdetail("The record holds views 1 to %d.", views)));
	return fingerprint_pack(&finger);
}

/* bytea::fingerprint: a record with one view */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_bytea);
Datum
biometric_fingerprint_from_bytea(PG_FUNCTION_ARGS)
{
	bytea *record = PG_GETARG_BYTEA_PP(0);

	return fingerprint_from_record((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								   0, false, ERRCODE_INVALID_BINARY_REPRESENTATION, NULL);
}

/* fingerprint(bytea, view, strict) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_view);
Datum
biometric_fingerprint_from_view(PG_FUNCTION_ARGS)
{
	bytea *record = PG_GETARG_BYTEA_PP(0);
	int    view = PG_GETARG_INT32(1);

	if (view < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("finger views are numbered from 1")));
	return fingerprint_from_record((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								   view, PG_GETARG_BOOL(2), ERRCODE_INVALID_BINARY_REPRESENTATION,
								   NULL);
}

/* What a set-returning function makes of views, as a visitor's context */
typedef struct ViewRows
{
	ReturnSetInfo *result;
	bool           problems; /* rows have view, print and problem; else print alone, or an error */
	bool           spoilt;   /* a view is, and problems are not wanted */
	RecordError    error;
} ViewRows;

static Datum
problem_text(const RecordError *error)
{
	return PointerGetDatum(cstring_to_text(
		psprintf("The %s at byte %zu %s.", error->field, error->offset, error->problem)));
}

static bool
add_view_row(const RecordView *view, void *context)
{
	ViewRows *rows = context;
	Datum     values[3] = {0};
	bool      nulls[3] = {false, view->finger == NULL, view->finger != NULL};

	CHECK_FOR_INTERRUPTS();
	if (view->finger == NULL && !rows->problems)
	{
		rows->spoilt = true;
		rows->error = view->error;
		return false;
	}
	values[0] = Int32GetDatum(view->number);
	if (view->finger != NULL)
		values[1] = fingerprint_pack(view->finger);
	else
		values[2] = problem_text(&view->error);
	if (rows->problems)
		tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	else
		tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values + 1, nulls + 1);
	return true;
}

/* fingerprints(bytea, strict): all views, in order, or an error */
PG_FUNCTION_INFO_V1(biometric_fingerprints_from_bytea);
Datum
biometric_fingerprints_from_bytea(PG_FUNCTION_ARGS)
{
	bytea         *record = PG_GETARG_BYTEA_PP(0);
	ViewRows       rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	MinutiaeFormat format;
	RecordError    error;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (minutiae_record_visit((const uint8_t *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
							  PG_GETARG_BOOL(1), add_view_row, &rows, &format, &error) < 0)
		rows.spoilt = true;
	else
		error = rows.error;
	if (rows.spoilt)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid finger minutiae record"),
				 errdetail("The %s at byte %zu %s.", error.field, error.offset, error.problem)));
	return (Datum) 0;
}

/*
 * fingerprint_views(bytea, strict): a row for each view, with what is wrong
 * with it if it is spoilt.  What is wrong with the whole record stands in a
 * row without a view, the last one.
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_views);
Datum
biometric_fingerprint_views(PG_FUNCTION_ARGS)
{
	bytea         *record = PG_GETARG_BYTEA_PP(0);
	ViewRows       rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo, .problems = true};
	MinutiaeFormat format;
	RecordError    error;

	InitMaterializedSRF(fcinfo, 0);
	if (minutiae_record_visit((const uint8_t *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
							  PG_GETARG_BOOL(1), add_view_row, &rows, &format, &error) < 0)
	{
		Datum values[3] = {0, 0, problem_text(&error)};
		bool  nulls[3] = {true, true, false};

		tuplestore_putvalues(rows.result->setResult, rows.result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* to_iso19794_2(fingerprint), and the cast to bytea: the datum is the record */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_iso19794_2);
Datum
biometric_fingerprint_to_iso19794_2(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}

/* to_incits378(fingerprint, cbeff_product): the product identifier is owner << 16 | type */
PG_FUNCTION_INFO_V1(biometric_fingerprint_to_incits378);
Datum
biometric_fingerprint_to_incits378(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	int64               product = PG_GETARG_INT64(1);
	bytea              *result = palloc(VARHDRSZ + MINUTIAE_RECORD_MAX_SIZE);

	if (product < 0 || product > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("CBEFF product identifier must be between 0 and 4294967295")));
	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	SET_VARSIZE(result,
				VARHDRSZ + minutiae_record_write(&finger, INCITS378_2004, (uint32_t) product,
												 (uint8_t *) VARDATA(result)));
	PG_RETURN_BYTEA_P(result);
}
