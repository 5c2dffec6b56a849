/*
 * scores.c
 *		What a score means for a gallery, and how far that was measured.
 *
 * A score s promises a false match rate of FMR = 10^(-s/10) for one non-mated
 * comparison.  A search of a gallery of N makes N comparisons.  So the share of
 * searches for people who are not enrolled that still return a candidate (false
 * positive identification rate, ISO/IEC 19795-1) is 1 - (1 - FMR)^N, if the
 * comparisons are independent.
 *
 * A sum of n scores promises less than a single score of the same value,
 * because n numbers can reach a sum by chance in many ways.  See fusion.c.
 *
 * The formula also gives rates that were never measured.  False match rates
 * were counted up to a score of the modality's score_limit.  A rate computed
 * from a higher score is a bound, and so is each rate below FPIR_FLOOR.
 * Functions that show rates to people say so.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "match/fusion.h"
#include "search/scores.h"
#include "type/modality.h"
#include "utils/builtins.h"

void
check_gallery_size(int64 size)
{
	if (size < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("gallery size must be at least 1")));
}

static void
check_score(double score)
{
	if (isnan(score))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("score must not be NaN")));
}

static void
check_fpir(double fpir)
{
	if (!(fpir > 0 && fpir < 1))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("false positive identification rate must be between 0 and 1, both excluded")));
}

static void
check_sources(int sources)
{
	if (sources < 1 || sources > FUSION_MAX_SOURCES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("number of sources must be between 1 and %d", FUSION_MAX_SOURCES)));
}

double
fpir_of(double log_fmr, int64 size)
{
	if (log_fmr >= 0)
		return 1;
	return -expm1((double) size * log1p(-exp(log_fmr)));
}

/* the false match rate of a comparison that gives a gallery this FPIR */
static double
fmr_of(double fpir, int64 size)
{
	return -expm1(log1p(-fpir) / (double) size);
}

double
threshold_of(double fpir, int64 size, int sources)
{
	return fusion_sum(fmr_of(fpir, size), sources);
}

double
best_threshold_of(double fpir, int64 size, int sources)
{
	return fusion_best(fmr_of(fpir, size), sources);
}

/* fpir(score, gallery_size): in [0, 1] */
PG_FUNCTION_INFO_V1(biometric_fpir);
Datum
biometric_fpir(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);

	check_gallery_size(size);
	check_score(score);
	PG_RETURN_FLOAT8(fpir_of(fusion_log_fmr(score, 1), size));
}

/* score_threshold(fpir, gallery_size): decibans, >= 0 */
PG_FUNCTION_INFO_V1(biometric_score_threshold);
Datum
biometric_score_threshold(PG_FUNCTION_ARGS)
{
	double fpir = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);

	check_gallery_size(size);
	check_fpir(fpir);
	PG_RETURN_FLOAT8(threshold_of(fpir, size, 1));
}

/* fused_score(sum, sources): decibans, >= 0, of the false match rate of a sum */
PG_FUNCTION_INFO_V1(biometric_fused_score);
Datum
biometric_fused_score(PG_FUNCTION_ARGS)
{
	double sum = PG_GETARG_FLOAT8(0);
	int    sources = PG_GETARG_INT32(1);

	check_score(sum);
	check_sources(sources);

	/* adding 0 turns the -0 of a rate of 1 into 0 */
	PG_RETURN_FLOAT8(-10 / M_LN10 * fusion_log_fmr(sum, sources) + 0.0);
}

/* fpir(score, gallery_size, sources): the same of a sum of scores */
PG_FUNCTION_INFO_V1(biometric_fused_fpir);
Datum
biometric_fused_fpir(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);
	int    sources = PG_GETARG_INT32(2);

	check_gallery_size(size);
	check_score(score);
	check_sources(sources);
	PG_RETURN_FLOAT8(fpir_of(fusion_log_fmr(score, sources), size));
}

/* Both thresholds have the same arguments */
static double
threshold_of_arguments(FunctionCallInfo fcinfo, double (*threshold)(double, int64, int))
{
	double fpir = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);
	int    sources = PG_GETARG_INT32(2);

	check_gallery_size(size);
	check_fpir(fpir);
	check_sources(sources);
	return threshold(fpir, size, sources);
}

/* score_threshold(fpir, gallery_size, sources) */
PG_FUNCTION_INFO_V1(biometric_fused_score_threshold);
Datum
biometric_fused_score_threshold(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(threshold_of_arguments(fcinfo, threshold_of));
}

/* best_score_threshold(fpir, gallery_size, sources) */
PG_FUNCTION_INFO_V1(biometric_best_score_threshold);
Datum
biometric_best_score_threshold(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(threshold_of_arguments(fcinfo, best_threshold_of));
}

/* fpir_floor(): the lowest rate that is shown to people */
PG_FUNCTION_INFO_V1(biometric_fpir_floor);
Datum
biometric_fpir_floor(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(FPIR_FLOOR);
}

/*
 * score_limits(): for each type with a modality, the score up to which false
 * match rates were counted
 */
PG_FUNCTION_INFO_V1(biometric_score_limits);
Datum
biometric_score_limits(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell      *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach (cell, biometric_types())
	{
		const BiometricModality *modality = biometric_modality_of_type(lfirst_oid(cell));
		bool                     nulls[2] = {false};
		Datum                    values[2];

		values[0] = CStringGetTextDatum(modality->name);
		values[1] = Float8GetDatum(modality->score_limit());
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
