/*
 * fingerprint_records.c
 *		Fingerprints from interchange records and back.
 */
#include "compat.h"

#include "funcapi.h"
#include "type/fingerprint.h"
#include "record/minutiae_record.h"

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
	bytea *result = palloc(VARHDRSZ + ISO19794_2_MAX_SIZE);

	SET_VARSIZE(result, VARHDRSZ + iso19794_2_write(finger, (uint8_t *) VARDATA(result)));
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
PG_FUNCTION_INFO_V1(fingerprint_from_bytea);
Datum
fingerprint_from_bytea(PG_FUNCTION_ARGS)
{
	bytea *record = PG_GETARG_BYTEA_PP(0);

	return fingerprint_from_record((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								   0, false, ERRCODE_INVALID_BINARY_REPRESENTATION, NULL);
}

/* fingerprint(bytea, view, strict) */
PG_FUNCTION_INFO_V1(fingerprint_from_view);
Datum
fingerprint_from_view(PG_FUNCTION_ARGS)
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

/* fingerprints(bytea, strict): all views, in order */
PG_FUNCTION_INFO_V1(fingerprints_from_bytea);
Datum
fingerprints_from_bytea(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	bytea           *record;
	int              view;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old_context;
		RecordError   error;
		int           views;

		context = SRF_FIRSTCALL_INIT();
		old_context = MemoryContextSwitchTo(context->multi_call_memory_ctx);
		record = PG_GETARG_BYTEA_P_COPY(0);
		MemoryContextSwitchTo(old_context);
		views = minutiae_record_read((const uint8_t *) VARDATA_ANY(record),
									 VARSIZE_ANY_EXHDR(record), PG_GETARG_BOOL(1), 0, NULL, &error);
		if (views < 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("invalid finger minutiae record"),
							errdetail("The %s at byte %zu %s.", error.field, error.offset,
									  error.problem)));
		context->max_calls = views;
		context->user_fctx = record;
	}
	context = SRF_PERCALL_SETUP();
	if (context->call_cntr >= context->max_calls)
		SRF_RETURN_DONE(context);
	record = context->user_fctx;
	view = (int) context->call_cntr + 1;
	SRF_RETURN_NEXT(context,
					fingerprint_from_record((const uint8 *) VARDATA_ANY(record),
											VARSIZE_ANY_EXHDR(record), view, PG_GETARG_BOOL(1),
											ERRCODE_INVALID_BINARY_REPRESENTATION, NULL));
}

/* to_iso19794_2(fingerprint), and the cast to bytea: the datum is the record */
PG_FUNCTION_INFO_V1(fingerprint_to_iso19794_2);
Datum
fingerprint_to_iso19794_2(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P_COPY(0));
}

/* to_incits378(fingerprint, cbeff_product): the product identifier is owner << 16 | type */
PG_FUNCTION_INFO_V1(fingerprint_to_incits378);
Datum
fingerprint_to_incits378(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	int64               product = PG_GETARG_INT64(1);
	bytea              *result = palloc(VARHDRSZ + INCITS378_MAX_SIZE);

	if (product < 0 || product > PG_UINT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("CBEFF product identifier must be between 0 and 4294967295")));
	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	SET_VARSIZE(result, VARHDRSZ + incits378_write(&finger, (uint32_t) product,
												   (uint8_t *) VARDATA(result)));
	PG_RETURN_BYTEA_P(result);
}
