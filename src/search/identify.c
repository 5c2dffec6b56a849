/*
 * identify.c
 *		Candidate lists: who in a gallery is this?
 *
 * identify(gallery, template_column, probe, ..) returns the k nearest rows.
 * identify(gallery, person_column, template_column, probes, ..) searches with
 * each of several probes of one person, completes the scores of every person
 * that any of them found, and adds those of different fingers or eyes.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "match/fusion.h"
#include "search/gallery.h"
#include "search/persons.h"
#include "search/scores.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define MAX_CANDIDATES 10000

/* The two bounds between the three verdicts */
typedef struct Bands
{
	double possible;
	double probable;
} Bands;

/* ----------
 * Arguments and results that both have
 * ----------
 */

static int
candidates_argument(FunctionCallInfo fcinfo, int argument)
{
	int k;

	if (PG_ARGISNULL(argument))
		gallery_null_argument("k");
	k = PG_GETARG_INT32(argument);
	if (k < 1 || k > MAX_CANDIDATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be between 1 and %d", MAX_CANDIDATES)));
	return k;
}

static Bands
bands_argument(FunctionCallInfo fcinfo, int argument)
{
	Bands bands;

	if (PG_ARGISNULL(argument))
		gallery_null_argument("possible_fpir");
	if (PG_ARGISNULL(argument + 1))
		gallery_null_argument("probable_fpir");
	bands.possible = PG_GETARG_FLOAT8(argument);
	bands.probable = PG_GETARG_FLOAT8(argument + 1);
	if (!(bands.probable >= FPIR_FLOOR && bands.probable <= bands.possible && bands.possible < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bounds of the verdict are out of range"),
				 errdetail("The bounds must satisfy %g <= probable_fpir <= possible_fpir < 1.",
						   FPIR_FLOOR),
				 errhint("No measurement supports lower rates.")));
	return bands;
}

static int64
size_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return 0;
	check_gallery_size(PG_GETARG_INT64(argument));
	return PG_GETARG_INT64(argument);
}

static int
depth_argument(FunctionCallInfo fcinfo, int argument)
{
	int depth;

	if (PG_ARGISNULL(argument))
		return 0;
	depth = PG_GETARG_INT32(argument);
	if (depth < 1 || depth > MAX_DEPTH)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("search_depth must be between 1 and %d", MAX_DEPTH)));
	return depth;
}

static ArrayType *
names_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_ARRAYTYPE_P(argument);
}

static Jsonb *
filter_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

/* the FPIR that a candidate of the least verdict has at most; 1 for "none" */
static double
max_fpir_argument(FunctionCallInfo fcinfo, int argument, const Bands *bands)
{
	char *verdict;

	if (PG_ARGISNULL(argument))
		gallery_null_argument("min_verdict");
	verdict = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (strcmp(verdict, "none") == 0)
		return 1;
	if (strcmp(verdict, "possible") == 0)
		return bands->possible;
	if (strcmp(verdict, "probable") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no verdict \"%s\"", verdict),
						errhint("min_verdict is \"none\", \"possible\" or \"probable\".")));
	return bands->probable;
}

static double
min_score_argument(FunctionCallInfo fcinfo, int argument)
{
	double min_score = PG_ARGISNULL(argument) ? 0 : PG_GETARG_FLOAT8(argument);

	if (isnan(min_score))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("min_score must not be NaN")));
	return min_score;
}

static const char *
calibration_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static Datum
calibration_result(const Gallery *gallery, bool *is_null)
{
	*is_null = gallery->calibration == NULL;
	return *is_null ? (Datum) 0 : CStringGetTextDatum(gallery->calibration->name);
}

static const char *
verdict_of(double fpir, const Bands *bands)
{
	if (fpir <= bands->probable)
		return "probable";
	return fpir <= bands->possible ? "possible" : "none";
}

/* the type of the probes: the argument's, or its elements' */
static Oid
template_type_of(FunctionCallInfo fcinfo, int argument)
{
	Oid *types;
	int  arguments;
	Oid  element;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &arguments);
	element = get_element_type(types[argument]);
	return OidIsValid(element) ? element : types[argument];
}

/* ----------
 * One probe, candidates are rows
 * ----------
 */

typedef struct CandidateRow
{
	Datum  key;   /* jsonb */
	double score; /* match_score */
} CandidateRow;

/* best first; ties by key, so that the order does not depend on the plan */
static int
compare_candidate_rows(const void *left, const void *right)
{
	const CandidateRow *a = left;
	const CandidateRow *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return compareJsonbContainers(&DatumGetJsonbP(a->key)->root, &DatumGetJsonbP(b->key)->root);
}

/* identify(gallery, template_column, probe, ..) */
PG_FUNCTION_INFO_V1(biometric_identify);
Datum
biometric_identify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid            template_type = template_type_of(fcinfo, 2);
	Gallery        gallery;
	Bands          bands;
	Probe          probe;
	void          *features;
	CandidateRow  *rows;
	int            k, count;
	int64          size;
	double         max_fpir, min_score;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		gallery_null_argument("gallery");
	if (PG_ARGISNULL(1))
		gallery_null_argument("template_column");
	k = candidates_argument(fcinfo, 3);
	bands = bands_argument(fcinfo, 5);
	size = size_argument(fcinfo, 7);
	max_fpir = max_fpir_argument(fcinfo, 10, &bands);
	min_score = min_score_argument(fcinfo, 11);

	SPI_connect();
	gallery_open(&gallery, PG_GETARG_OID(0), NULL, NameStr(*PG_GETARG_NAME(1)),
				 filter_argument(fcinfo, 4), names_argument(fcinfo, 8), names_argument(fcinfo, 9),
				 template_type, calibration_argument(fcinfo, 12));

	/* no probe */
	if (PG_ARGISNULL(2))
		goto done;

	gallery_begin_probe(&gallery, &probe, PG_GETARG_DATUM(2));
	if (size == 0)
		size = gallery_count(&gallery, gallery_comparable(&gallery, &probe));
	features = palloc(gallery.modality->max_features_size);
	min_score = Max(gallery_min_score(&gallery, min_score),
					gallery_least_score(&gallery, best_threshold_of(max_fpir, Max(size, 1), 1)));
	gallery_search(&gallery, psprintf("%s, %s", gallery.key, gallery.column), template_type,
				   probe.datum, min_score, k);
	count = (int) SPI_processed;
	rows = palloc(Max(count, 1) * sizeof(CandidateRow));
	for (int i = 0; i < count; i++)
	{
		rows[i].key = gallery_result(i, 1);
		rows[i].score = gallery_result_score(&gallery, &probe, i, features);
	}
	qsort(rows, count, sizeof(CandidateRow), compare_candidate_rows);
	for (int i = 0; i < count; i++)
	{
		double score = gallery_calibrated(&gallery, rows[i].score);
		double fpir = fpir_of(fusion_log_fmr(score, 1), Max(size, 1));
		bool   nulls[8] = {false};
		Datum  values[8];

		if (fpir > max_fpir)
			break;
		values[0] = Int32GetDatum(i + 1);
		values[1] = rows[i].key;
		values[2] = Float8GetDatum(score);
		values[3] = Float8GetDatum(Max(fpir, FPIR_FLOOR));
		values[4] = CStringGetTextDatum(verdict_of(fpir, &bands));
		values[5] = Int64GetDatum(size);
		values[6] = BoolGetDatum(fpir < FPIR_FLOOR || score > gallery_score_limit(&gallery));
		values[7] = calibration_result(&gallery, &nulls[7]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}

done:
	gallery_close(&gallery);
	SPI_finish();
	return (Datum) 0;
}

/* ----------
 * Several probes, candidates are persons
 * ----------
 */

/* the least likely by chance first */
static int
compare_persons(const void *left, const void *right)
{
	const Person *a = left;
	const Person *b = right;

	if (a->log_fmr != b->log_fmr)
		return a->log_fmr < b->log_fmr ? -1 : 1;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;

	/* a calibration ends somewhere */
	if (a->sum != b->sum)
		return a->sum < b->sum ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* the probes that are not null */
static void
begin_probes(PersonSearch *search, ArrayType *array)
{
	int16  length;
	bool   by_value;
	char   align;
	Datum *values;
	bool  *nulls;
	int    elements;

	get_typlenbyvalalign(search->template_type, &length, &by_value, &align);
	deconstruct_array(array, search->template_type, length, by_value, align, &values, &nulls,
					  &elements);
	for (int i = 0; i < elements; i++)
	{
		if (nulls[i])
			continue;
		if (search->probe_count == MAX_PROBES)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("more than %d probes", MAX_PROBES)));
		search->probes[search->probe_count].number = i + 1;
		gallery_begin_probe(search->gallery, &search->probes[search->probe_count++], values[i]);
	}
}

/* the column that names persons; returns its type's output function */
static Oid
set_person_column(PersonSearch *search, const char *column)
{
	Oid  type, output;
	bool is_varlena;

	gallery_column(search->gallery, column, &type, &search->collation);
	search->person = gallery_quote_column(column);
	search->person_type =
		gallery_equality(column, type, TYPECACHE_EQ_OPR_FINFO | TYPECACHE_HASH_PROC_FINFO);
	if (!OidIsValid(search->person_type->hash_proc))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("column \"%s\" cannot be used as person_column", column),
						errdetail("Type %s has no hash function.", format_type_be(type))));
	getTypeOutputInfo(type, &output, &is_varlena);
	return output;
}

static void
put_person(ReturnSetInfo *result, const Gallery *gallery, int rank, const Person *person,
		   const Bands *bands, int64 size, int depth, double unseen)
{
	double fpir = fpir_of(person->log_fmr, size);
	bool   nulls[13] = {false};
	Datum  values[13];

	values[0] = Int32GetDatum(rank);
	values[1] = CStringGetTextDatum(person->name);
	values[2] = Float8GetDatum(person->score);
	values[3] = Int32GetDatum(person->sources);
	values[4] = Float8GetDatum(-10 / M_LN10 * person->log_fmr + 0.0);
	values[5] = Float8GetDatum(Max(fpir, FPIR_FLOOR));
	values[6] = CStringGetTextDatum(verdict_of(fpir, bands));
	values[7] = JsonbPGetDatum(person->evidence);
	values[8] = Int64GetDatum(size);
	values[9] = Int32GetDatum(depth);
	values[10] = Float8GetDatum(unseen);
	nulls[10] = !search_is_exact();
	values[11] = BoolGetDatum(fpir < FPIR_FLOOR || person->beyond_limit);
	values[12] = calibration_result(gallery, &nulls[12]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* identify(gallery, person_column, template_column, probes, ..) */
PG_FUNCTION_INFO_V1(biometric_identify_persons);
Datum
biometric_identify_persons(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Gallery        gallery;
	PersonSearch   search = {.gallery = &gallery, .template_type = template_type_of(fcinfo, 3)};
	Bands          bands;
	char          *column;
	Oid            output;
	int            k, depth;
	int64          size;
	double         max_fpir, unseen;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		gallery_null_argument("gallery");
	if (PG_ARGISNULL(1))
		gallery_null_argument("person_column");
	if (PG_ARGISNULL(2))
		gallery_null_argument("template_column");
	k = candidates_argument(fcinfo, 4);
	bands = bands_argument(fcinfo, 6);
	size = size_argument(fcinfo, 8);
	depth = depth_argument(fcinfo, 9);
	max_fpir = max_fpir_argument(fcinfo, 12, &bands);
	search.min_score = min_score_argument(fcinfo, 13);

	SPI_connect();
	column = NameStr(*PG_GETARG_NAME(1));
	gallery_open(&gallery, PG_GETARG_OID(0), column, NameStr(*PG_GETARG_NAME(2)),
				 filter_argument(fcinfo, 5), names_argument(fcinfo, 10), names_argument(fcinfo, 11),
				 search.template_type, calibration_argument(fcinfo, 14));
	output = set_person_column(&search, column);
	search.probes = palloc0(MAX_PROBES * sizeof(Probe));
	if (!PG_ARGISNULL(3))
		begin_probes(&search, PG_GETARG_ARRAYTYPE_P(3));

	/* no probe, or an empty gallery */
	if (search.probe_count == 0)
		goto done;
	if (size == 0)
		size = gallery_count_distinct(&gallery, search.person);
	if (size == 0)
		goto done;

	persons_begin(&search);
	search.min_score = Max(gallery_min_score(&gallery, search.min_score),
						   persons_best_threshold(&search, max_fpir, size));
	if (depth > 0)
		unseen = persons_find_depth(&search, depth, bands.possible, size);
	else
		depth = persons_find_enough(&search, k, bands.possible, size, &unseen);
	if (search.count == 0)
		goto done;

	persons_complete(&search);
	for (int i = 0; i < search.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		search.list[i].name = OidOutputFunctionCall(output, search.list[i].value);
		person_score(&search, &search.list[i]);
	}
	qsort(search.list, search.count, sizeof(Person), compare_persons);
	for (int i = 0; i < Min(k, search.count); i++)
		if (fpir_of(search.list[i].log_fmr, size) <= max_fpir)
			put_person(result, &gallery, i + 1, &search.list[i], &bands, size, depth, unseen);

done:
	gallery_close(&gallery);
	SPI_finish();
	return (Datum) 0;
}
