/*
 * calibration.c
 *		Scores as counted on an installation's own comparisons.
 *
 * Calibrations with a name are rows of the table stored_calibrations.  It is
 * read with the rights of the caller.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "search/calibration.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"

/* The steepest rise beyond the last knot is taken from so many knots: a power of ten */
#define LAST_KNOTS 8

/* What lies so far beyond the last knot was not measured, and is worth no more */
#define MOST_BEYOND 10

static void
refuse(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("calibration is not valid"),
			 errdetail_internal("%s", detail), errhint("make_calibration() makes calibrations.")));
}

/* the numbers of an array in the JSON; none if there is no array of that name */
static double *
numbers(Jsonb *json, const char *key, int *count)
{
	JsonbValue     name, value;
	JsonbValue    *array = NULL;
	JsonbIterator *iterator;
	double        *result;

	*count = 0;
	name.type = jbvString;
	name.val.string.val = (char *) key;
	name.val.string.len = (int) strlen(key);
	if (JB_ROOT_IS_OBJECT(json))
		array = findJsonbValueFromContainer(&json->root, JB_FOBJECT, &name);
	if (array == NULL || array->type != jbvBinary || !JsonContainerIsArray(array->val.binary.data))
		return NULL;
	result = palloc(Max(JsonContainerSize(array->val.binary.data), 1) * sizeof(double));
	iterator = JsonbIteratorInit(array->val.binary.data);
	(void) JsonbIteratorNext(&iterator, &value, true);
	while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
	{
		if (value.type != jbvNumeric)
			refuse("A knot is not a number.");
		result[(*count)++] =
			DatumGetFloat8(DirectFunctionCall1(numeric_float8, NumericGetDatum(value.val.numeric)));
	}
	return result;
}

Calibration *
calibration_from(Jsonb *json)
{
	Calibration *calibration = palloc0(sizeof(Calibration));
	int          count;

	calibration->scores = numbers(json, "scores", &calibration->count);
	calibration->decibans = numbers(json, "decibans", &count);
	if (count != calibration->count)
		refuse("It has not as many scores as rates.");
	if (count < 2)
		return NULL;
	for (int i = 0; i < count; i++)
	{
		if (!isfinite(calibration->scores[i]) || !isfinite(calibration->decibans[i]) ||
			calibration->decibans[i] < 0)
			refuse("A knot is out of range.");
		if (i > 0 && !(calibration->scores[i] > calibration->scores[i - 1] &&
					   calibration->decibans[i] >= calibration->decibans[i - 1]))
			refuse("The knots are not in order.");
	}
	return calibration;
}

double
calibration_limit(const Calibration *calibration)
{
	return calibration->decibans[calibration->count - 1];
}

/*
 * How fast the map rises beyond the last knot: as fast as it did over the last
 * power of ten, but not faster than the score itself.
 */
static double
last_slope(const Calibration *calibration)
{
	int last = calibration->count - 1;
	int before = Max(last - LAST_KNOTS, 0);

	return Min((calibration->decibans[last] - calibration->decibans[before]) /
				   (calibration->scores[last] - calibration->scores[before]),
			   1);
}

/* Linear between knots; below the first it falls to 0 */
double
calibration_apply(const Calibration *calibration, double score)
{
	const double *s = calibration->scores;
	const double *d = calibration->decibans;
	int           low = 0;
	int           high = calibration->count - 1;

	if (score <= s[low])
		return Max(0, d[low] + Min(score - s[low], 0));
	if (score >= s[high])
	{
		double slope = last_slope(calibration);

		/* no rise, however far: infinity times 0 is not a number */
		return slope > 0 ? d[high] + Min(MOST_BEYOND, (score - s[high]) * slope) : d[high];
	}
	while (high - low > 1)
	{
		int middle = (low + high) / 2;

		if (s[middle] <= score)
			low = middle;
		else
			high = middle;
	}
	return d[low] + (score - s[low]) * (d[high] - d[low]) / (s[high] - s[low]);
}

/*
 * By bisection of the map itself, so that its rounding does not matter: below the
 * result all scores are worth less.
 */
double
calibration_least_score(const Calibration *calibration, double decibans)
{
	double low = calibration->scores[0] - calibration->decibans[0] - 1;
	double high = calibration->scores[calibration->count - 1];
	double slope = last_slope(calibration);

	if (decibans <= 0)
		return -get_float8_infinity();
	if (slope > 0)
		high += MOST_BEYOND / slope + 1;
	if (calibration_apply(calibration, high) < decibans)
		return get_float8_infinity();
	for (int i = 0; i < 100; i++)
	{
		double middle = low + (high - low) / 2;

		if (calibration_apply(calibration, middle) < decibans)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* ---- by name ------------------------------------------------------------- */

Calibration *
calibration_named(const char *schema, const char *name, Oid template_type)
{
	/* a name has no colon */
	const char *statement =
		"SELECT pg_catalog.concat(c.name, ':', c.version), c.template_type, c.fit "
		"FROM %s.stored_calibrations c "
		"WHERE c.name OPERATOR(pg_catalog.=) pg_catalog.split_part($1, ':', 1) "
		"AND (pg_catalog.strpos($1, ':') OPERATOR(pg_catalog.=) 0 OR c.version::pg_catalog.text "
		"OPERATOR(pg_catalog.=) pg_catalog.substr($1, pg_catalog.strpos($1, ':') "
		"OPERATOR(pg_catalog.+) 1)) ORDER BY c.version DESC LIMIT 1";
	Oid          type = TEXTOID;
	Datum        value = CStringGetTextDatum(name);
	bool         is_null;
	Oid          stored_type;
	Calibration *calibration;
	int          result =
		SPI_execute_with_args(psprintf(statement, schema), 1, &type, &value, NULL, true, 1);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	if (SPI_processed == 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("calibration \"%s\" does not exist", name),
						errhint("The table stored_calibrations lists those there are; "
								"store_calibration() adds one.")));
	stored_type =
		DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null));
	if (OidIsValid(template_type) && stored_type != template_type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("calibration \"%s\" is for scores of type %s, not %s", name,
						format_type_be(stored_type), format_type_be(template_type)),
				 errhint("Name one of that type: the table stored_calibrations lists them.")));
	calibration = calibration_from(DatumGetJsonbPCopy(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &is_null)));
	if (calibration == NULL)
		refuse("It has fewer than two knots.");
	calibration->name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	SPI_freetuptable(SPI_tuptable);
	return calibration;
}

static const char *
schema_of(FunctionCallInfo fcinfo)
{
	return quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
}

/* calibrated_score(score, calibration jsonb): NULL where it says nothing */
PG_FUNCTION_INFO_V1(biometric_calibrated_score);
Datum
biometric_calibrated_score(PG_FUNCTION_ARGS)
{
	double       score = PG_GETARG_FLOAT8(0);
	Calibration *calibration = calibration_from(PG_GETARG_JSONB_P(1));

	if (calibration == NULL || isnan(score))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(calibration_apply(calibration, score));
}

/* calibrated_score_by_name(score, calibration): of a stored one */
PG_FUNCTION_INFO_V1(biometric_calibrated_score_named);
Datum
biometric_calibrated_score_named(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	double result;

	SPI_connect();
	result = calibration_apply(
		calibration_named(schema_of(fcinfo), text_to_cstring(PG_GETARG_TEXT_PP(1)), InvalidOid),
		score);
	SPI_finish();
	if (isnan(score))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

/* calibration_name(name, template_type): the version that is used under a name */
PG_FUNCTION_INFO_V1(biometric_calibration_name);
Datum
biometric_calibration_name(PG_FUNCTION_ARGS)
{
	text *result;

	SPI_connect();
	result =
		cstring_to_text(calibration_named(schema_of(fcinfo), text_to_cstring(PG_GETARG_TEXT_PP(0)),
										  PG_GETARG_OID(1))
							->name);
	result = (text *) DatumGetPointer(SPI_datumTransfer(PointerGetDatum(result), false, -1));
	SPI_finish();
	PG_RETURN_TEXT_P(result);
}
