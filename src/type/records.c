/*
 * records.c
 *		What records are and what is in them, for people who load them.  Nothing
 *		here raises an error for bad bytes.
 */
#include "postgres.h"

#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "record/an2k_field.h"
#include "record/text_encoding.h"
#include "type/fingerprint.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

/* ---- what this is --------------------------------------------------------- */

#define MAX_PROBLEMS 100 /* more are only counted */

typedef struct Description
{
	int   views;
	int   sound;
	int64 minutiae;
	int   problems;
	Datum problem[MAX_PROBLEMS + 1];
} Description;

static void
add_problem(Description *description, char *problem)
{
	if (description->problems < MAX_PROBLEMS)
		description->problem[description->problems] = CStringGetTextDatum(problem);
	description->problems++;
}

static bool
describe_view(const RecordView *view, void *context)
{
	Description *description = context;

	CHECK_FOR_INTERRUPTS();
	description->views++;
	if (view->finger != NULL)
	{
		description->sound++;
		description->minutiae += view->finger->count;
	}
	else
		add_problem(description,
					psprintf("View %d: %s", view->number, record_error_sentence(&view->error)));
	return true;
}

/* the version of an ANSI/NIST file, as field 1.002 has it */
static bool
take_version(const An2kRecord *record, void *context)
{
	Slice version;

	if (an2k_field(record, 2, &version) && version.end - version.start == 4 &&
		strspn(version.start, "0123456789") >= 4)
		*(char **) context = psprintf("ANSI/NIST-ITL, version %.4s", version.start);
	return false;
}

static const char *
format_name(const RecordSource *source, const uint8 *data, Size size)
{
	char       *version = NULL;
	RecordError ignored;

	if (source->kind == RECORD_AN2K)
		an2k_visit(data, size, take_version, &version, &ignored);
	return version != NULL ? version : minutiae_format_name(source->format);
}

/* describe_record(bytea): (kind, format, views, sound_views, minutiae, problems) */
PG_FUNCTION_INFO_V1(biometric_describe_record);
Datum
biometric_describe_record(PG_FUNCTION_ARGS)
{
	bytea       *record = PG_GETARG_BYTEA_PP(0);
	const uint8 *data = (const uint8 *) VARDATA_ANY(record);
	Size         size = VARSIZE_ANY_EXHDR(record);
	Description  description = {0};
	RecordSource source;
	RecordError  error;
	TupleDesc    desc;
	Datum        values[6] = {0};
	bool         nulls[6] = {false};
	const char  *format;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (fingerprint_record_visit(data, size, false, describe_view, &description, &source, &error) <
			0 &&
		error.field != NULL)
		add_problem(&description, record_error_sentence(&error));
	if (description.problems > MAX_PROBLEMS)
	{
		description.problem[MAX_PROBLEMS] =
			CStringGetTextDatum(psprintf("%d problems more", description.problems - MAX_PROBLEMS));
		description.problems = MAX_PROBLEMS + 1;
	}
	values[0] = CStringGetTextDatum(record_kind_name(source.kind));
	format = format_name(&source, data, size);
	if (format != NULL)
		values[1] = CStringGetTextDatum(format);
	else
		nulls[1] = true;
	values[2] = Int32GetDatum(description.views);
	values[3] = Int32GetDatum(description.sound);
	values[4] = Int64GetDatum(description.minutiae);
	values[5] = PointerGetDatum(description.problems == 0
									? construct_empty_array(TEXTOID)
									: construct_array(description.problem, description.problems,
													  TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static Datum
problem_or_null(FunctionCallInfo fcinfo, const InputProblem *problem)
{
	if (problem->message == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(problem->detail == NULL
										 ? psprintf("%s", problem->message)
										 : psprintf("%s: %s", problem->message, problem->detail)));
}

static bool
keep_first_problem(const RecordView *view, void *context)
{
	CHECK_FOR_INTERRUPTS();
	if (view->finger != NULL)
		return true;
	*(RecordError *) context = view->error;
	return false;
}

/* record_problem(bytea): why fingerprints(bytea) would raise an error, NULL if it would not */
PG_FUNCTION_INFO_V1(biometric_record_problem_of_bytes);
Datum
biometric_record_problem_of_bytes(PG_FUNCTION_ARGS)
{
	bytea       *record = PG_GETARG_BYTEA_PP(0);
	RecordSource source;
	RecordError  error, of_view = {0};
	InputProblem problem = {0};

	if (fingerprint_record_visit((const uint8 *) VARDATA_ANY(record), VARSIZE_ANY_EXHDR(record),
								 false, keep_first_problem, &of_view, &source, &error) < 0)
		fingerprint_describe_problem(&problem, 0, &source, &error);
	else if (of_view.field != NULL)
		fingerprint_describe_problem(&problem, 0, &source, &of_view);
	return problem_or_null(fcinfo, &problem);
}

/* record_problem(text): why a cast to fingerprint would raise an error, NULL if it would not */
PG_FUNCTION_INFO_V1(biometric_record_problem_of_text);
Datum
biometric_record_problem_of_text(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	InputProblem        problem;

	if (fingerprint_read_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), &finger, &problem))
		problem.message = NULL;
	return problem_or_null(fcinfo, &problem);
}

/* record_bytes(text): what hexadecimal digits or base64 stand for, NULL if it is neither */
PG_FUNCTION_INFO_V1(biometric_record_bytes);
Datum
biometric_record_bytes(PG_FUNCTION_ARGS)
{
	text        *encoded = PG_GETARG_TEXT_PP(0);
	const char  *digits = VARDATA_ANY(encoded);
	Size         length = VARSIZE_ANY_EXHDR(encoded);
	TextEncoding encoding;
	bytea       *result;
	size_t       size;

	if (length >= 2 && digits[0] == '\\' && digits[1] == 'x')
	{
		digits += 2;
		length -= 2;
	}
	encoding = text_encoding(digits, length);
	if (encoding == TEXT_NOT_ENCODED)
		PG_RETURN_NULL();
	result = palloc(VARHDRSZ + text_decoded_size(length));
	if (!text_decode(encoding, digits, length, (uint8 *) VARDATA(result), &size))
		PG_RETURN_NULL();
	SET_VARSIZE(result, VARHDRSZ + size);
	PG_RETURN_BYTEA_P(result);
}

/* ---- ANSI/NIST files ------------------------------------------------------ */

typedef struct An2kRows
{
	ReturnSetInfo *result;
	const uint8   *file;
	An2kPictures   pictures;
} An2kRows;

enum An2kColumn
{
	AN2K_NUMBER,
	AN2K_TYPE,
	AN2K_IDC,
	AN2K_POSITION,
	AN2K_IMPRESSION,
	AN2K_CONTENT,
	AN2K_PRINT,
	AN2K_PICTURE,
	AN2K_WIDTH,
	AN2K_HEIGHT,
	AN2K_DPI,
	AN2K_PROBLEM,
	AN2K_COLUMNS
};

/* what a record holds, for a reader */
static const char *
an2k_content(const An2kRecord *record)
{
	RecordKind kind;

	if (record->type == 1)
		return "header of the file";
	if (record->picture == NULL)
		return record->type >= 3 && record->type <= 8 ? "binary data" : "text";
	kind = record_recognise(record->picture, record->picture_size);
	if (kind >= RECORD_WSQ && kind <= RECORD_BMP)
		return record_kind_name(kind);
	if (record->compression_length > 0 && record->compression_length < 20 &&
		strncmp(record->compression, "NONE", record->compression_length) != 0)
		return psprintf("a picture, compression %.*s", (int) record->compression_length,
						record->compression);
	return "a raw picture";
}

static void
add_type9(An2kRows *rows, const An2kRecord *record, Datum *values, bool *nulls)
{
	FingerprintTemplate finger;
	Type9Form           form;
	RecordError         error;

	if (type9_read(rows->file, record, &rows->pictures, &finger, &form, &error))
	{
		values[AN2K_PRINT] = fingerprint_pack(&finger);
		values[AN2K_POSITION] = Int32GetDatum(finger.position);
		values[AN2K_IMPRESSION] = Int32GetDatum(finger.impression);
		nulls[AN2K_PRINT] = nulls[AN2K_POSITION] = nulls[AN2K_IMPRESSION] = false;
	}
	else
	{
		values[AN2K_PROBLEM] = CStringGetTextDatum(record_error_sentence(&error));
		nulls[AN2K_PROBLEM] = false;
	}
	if (form != TYPE9_NONE)
		values[AN2K_CONTENT] =
			CStringGetTextDatum(psprintf("minutiae in %s form", type9_form_name(form)));
}

static bool
add_an2k_row(const An2kRecord *record, void *context)
{
	An2kRows *rows = context;
	Datum     values[AN2K_COLUMNS] = {0};
	bool      nulls[AN2K_COLUMNS];

	CHECK_FOR_INTERRUPTS();
	memset(nulls, true, sizeof(nulls));
	nulls[AN2K_NUMBER] = nulls[AN2K_TYPE] = nulls[AN2K_CONTENT] = false;
	values[AN2K_NUMBER] = Int32GetDatum(record->number);
	values[AN2K_TYPE] = Int32GetDatum(record->type);
	values[AN2K_CONTENT] = CStringGetTextDatum(an2k_content(record));

#define SET_IF(condition, column, datum) \
	if (condition)                       \
	{                                    \
		values[column] = (datum);        \
		nulls[column] = false;           \
	}

	SET_IF(record->idc >= 0, AN2K_IDC, Int32GetDatum(record->idc));
	SET_IF(record->position >= 0, AN2K_POSITION, Int32GetDatum(record->position));
	SET_IF(record->impression >= 0, AN2K_IMPRESSION, Int32GetDatum(record->impression));
	SET_IF(record->width > 0, AN2K_WIDTH, Int32GetDatum(record->width));
	SET_IF(record->height > 0, AN2K_HEIGHT, Int32GetDatum(record->height));
	SET_IF(record->resolution > 0, AN2K_DPI, Float8GetDatum(record->resolution * 2.54));
	if (record->picture != NULL)
	{
		bytea *picture = palloc(VARHDRSZ + record->picture_size);

		SET_VARSIZE(picture, VARHDRSZ + record->picture_size);
		memcpy(VARDATA(picture), record->picture, record->picture_size);
		values[AN2K_PICTURE] = PointerGetDatum(picture);
		nulls[AN2K_PICTURE] = false;
	}
	if (record->type == 9)
		add_type9(rows, record, values, nulls);
	tuplestore_putvalues(rows->result->setResult, rows->result->setDesc, values, nulls);
	if (record->picture != NULL)
		pfree(DatumGetPointer(values[AN2K_PICTURE]));
	return true;
}

/* an2k_records(bytea): a row for each record of an ANSI/NIST file */
PG_FUNCTION_INFO_V1(biometric_an2k_records);
Datum
biometric_an2k_records(PG_FUNCTION_ARGS)
{
	bytea       *file = PG_GETARG_BYTEA_PP(0);
	const uint8 *data = (const uint8 *) VARDATA_ANY(file);
	Size         size = VARSIZE_ANY_EXHDR(file);
	An2kRows     rows = {.result = (ReturnSetInfo *) fcinfo->resultinfo, .file = data};
	RecordKind   kind = record_recognise(data, size);
	RecordError  error = {0};
	char        *problem = NULL;

	InitMaterializedSRF(fcinfo, 0);
	if (kind != RECORD_AN2K)
		problem = psprintf("The value is %s, not an ANSI/NIST-ITL file.", record_kind_name(kind));
	else
	{
		an2k_pictures(data, size, &rows.pictures);
		if (an2k_visit(data, size, add_an2k_row, &rows, &error) < 0)
			problem = record_error_sentence(&error);
	}
	if (problem != NULL)
	{
		/* what is wrong with the file itself stands in a last row without a number */
		Datum values[AN2K_COLUMNS] = {0};
		bool  nulls[AN2K_COLUMNS];

		memset(nulls, true, sizeof(nulls));
		values[AN2K_PROBLEM] = CStringGetTextDatum(problem);
		nulls[AN2K_PROBLEM] = false;
		tuplestore_putvalues(rows.result->setResult, rows.result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
