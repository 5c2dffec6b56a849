/*
 * fingerprint_records.c
 *		Fingerprints from records that say themselves what they are.
 */
#include "postgres.h"

#include "compat.h"

#include "funcapi.h"
#include "type/fingerprint.h"
#include "miscadmin.h"
#include "record/fingerprint_record.h"
#include "record/plausibility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
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

void
fingerprint_notice(const FingerprintTemplate *finger)
{
	Plausibility plausibility;

	template_plausibility(finger, &plausibility);
	if (plausibility.too_small || plausibility.too_large)
		ereport(NOTICE,
				(errmsg("resolution of %d pixels per centimetre is implausible for a finger",
						finger->x_resolution),
				 errdetail("Its minutiae would lie within %.1f x %.1f millimetres.",
						   plausibility.width, plausibility.height),
				 errhint("500 dpi are 197 pixels per centimetre.")));
}

/* "The minutia x at byte 28 lies outside the image." */
char *
record_error_sentence(const RecordError *error)
{
	return psprintf("The %s at byte %zu %s.", error->field, error->offset, error->problem);
}

/* what is wrong with a whole record; error->field is NULL if it is of another kind */
void
fingerprint_describe_problem(InputProblem *problem, int code, const RecordSource *source,
							 const RecordError *error)
{
	problem->code = code;
	problem->message = "invalid finger minutiae record";
	problem->detail = error->field != NULL
						  ? record_error_sentence(error)
						  : psprintf("The value is %s.", record_kind_name(source->kind));
	problem->hint = record_kind_hint(source->kind);
}

/* The context of a visitor who wants one view, or the first problem */
typedef struct OneView
{
	int                  wanted;
	FingerprintTemplate *result;
	bool                 damaged;
	RecordError          error;
} OneView;

static bool
take_view(const RecordView *view, void *context)
{
	OneView *one = context;

	CHECK_FOR_INTERRUPTS();
	if (view->finger == NULL)
	{
		one->damaged = true;
		one->error = view->error;
		return false;
	}
	if (view->number == one->wanted)
		*one->result = *view->finger;
	return true;
}

#define VIEWS_HINT "Use fingerprint_views(bytea) to get the views that are sound."

bool
fingerprint_read_record(const uint8 *record, Size size, int view, bool strict, int code,
						FingerprintTemplate *result, InputProblem *problem)
{
	OneView      one = {.wanted = Max(view, 1), .result = result};
	RecordSource source;
	RecordError  error;
	int          views;

	views = fingerprint_record_visit(record, size, strict, take_view, &one, &source, &error);
	if (views < 0 || one.damaged)
	{
		fingerprint_describe_problem(problem, code, &source, views < 0 ? &error : &one.error);
		if (views > 1)
			problem->hint = VIEWS_HINT;
		return false;
	}
	*problem = (InputProblem){.code = code};
	if (view == 0 && views > 1)
	{
		problem->message = psprintf("finger minutiae record holds %d finger views", views);
		problem->hint = "Use fingerprint(bytea, view) to pick one, or fingerprints(bytea) for all.";
		return false;
	}
	if (view > views || view < 0)
	{
		problem->code = ERRCODE_INVALID_PARAMETER_VALUE;
		problem->message = psprintf("finger view %d does not exist", view);
		problem->detail = psprintf("The record holds views 1 to %d.", views);
		return false;
	}
	return true;
}

static Datum
fingerprint_from_bytes(bytea *record, int view, bool strict)
{
	FingerprintTemplate finger;
	InputProblem        problem;

	if (!fingerprint_read_record((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								 view, strict, ERRCODE_INVALID_BINARY_REPRESENTATION, &finger,
								 &problem))
		ereport(ERROR, problem_report(&problem));
	fingerprint_notice(&finger);
	return fingerprint_pack(&finger);
}

/* bytea::fingerprint: a record with one view */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_bytea);
Datum
biometric_fingerprint_from_bytea(PG_FUNCTION_ARGS)
{
	return fingerprint_from_bytes(PG_GETARG_BYTEA_PP(0), 0, false);
}

/* fingerprint(bytea, view, strict) */
PG_FUNCTION_INFO_V1(biometric_fingerprint_from_view);
Datum
biometric_fingerprint_from_view(PG_FUNCTION_ARGS)
{
	int view = PG_GETARG_INT32(1);

	if (view < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("finger views are numbered from 1")));
	return fingerprint_from_bytes(PG_GETARG_BYTEA_PP(0), view, PG_GETARG_BOOL(2));
}

/* What a set-returning function makes of views, as a visitor's context */
typedef struct ViewRows
{
	ReturnSetInfo *result;
	MemoryContext  row_context; /* emptied after each row: a small record may have many views */
	bool           problems; /* rows have view, print and problem; else print alone, or an error */
	bool           damaged;  /* a view is, and problems are not wanted */
	RecordError    error;
} ViewRows;

static MemoryContext
row_context(void)
{
	return AllocSetContextCreate(CurrentMemoryContext, "view of a record", ALLOCSET_SMALL_SIZES);
}

static bool
add_view_row(const RecordView *view, void *context)
{
	ViewRows     *rows = context;
	Datum         values[3] = {0};
	bool          nulls[3] = {false, view->finger == NULL, view->finger != NULL};
	MemoryContext old_context;

	CHECK_FOR_INTERRUPTS();
	if (view->finger == NULL && !rows->problems)
	{
		rows->damaged = true;
		rows->error = view->error;
		return false;
	}
	old_context = MemoryContextSwitchTo(rows->row_context);
	values[0] = Int32GetDatum(view->number);
	if (view->finger != NULL)
	{
		fingerprint_notice(view->finger);
		values[1] = fingerprint_pack(view->finger);
	}
	else
		values[2] = CStringGetTextDatum(record_error_sentence(&view->error));
	if (rows->problems)
		tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	else
		tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values + 1, nulls + 1);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(rows->row_context);
	return true;
}

/* fingerprints(bytea, strict): all views, in order, or an error */
PG_FUNCTION_INFO_V1(biometric_fingerprints_from_bytea);
Datum
biometric_fingerprints_from_bytea(PG_FUNCTION_ARGS)
{
	bytea       *record = PG_GETARG_BYTEA_PP(0);
	ViewRows     rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	RecordSource source;
	RecordError  error;
	InputProblem problem;
	int          views;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	rows.row_context = row_context();
	views = fingerprint_record_visit((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
									 PG_GETARG_BOOL(1), add_view_row, &rows, &source, &error);
	if (views >= 0 && !rows.damaged)
		return (Datum) 0;
	fingerprint_describe_problem(&problem, ERRCODE_INVALID_BINARY_REPRESENTATION, &source,
								 views < 0 ? &error : &rows.error);
	if (views > 1)
		problem.hint = VIEWS_HINT;
	ereport(ERROR, problem_report(&problem));
}

/*
 * fingerprint_views(bytea, strict): a row for each view, with what is wrong
 * with it if it is damaged.  What is wrong with the whole record stands in a
 * row without a view, the last one.
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_views);
Datum
biometric_fingerprint_views(PG_FUNCTION_ARGS)
{
	bytea       *record = PG_GETARG_BYTEA_PP(0);
	ViewRows     rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo, .problems = true};
	RecordSource source;
	RecordError  error;

	InitMaterializedSRF(fcinfo, 0);
	rows.row_context = row_context();
	if (fingerprint_record_visit((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								 PG_GETARG_BOOL(1), add_view_row, &rows, &source, &error) < 0)
	{
		InputProblem problem;
		Datum        values[3] = {0};
		bool         nulls[3] = {true, true, false};

		fingerprint_describe_problem(&problem, 0, &source, &error);
		values[2] = CStringGetTextDatum(problem.detail);
		tuplestore_putvalues(rows.result->setResult, rows.result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
