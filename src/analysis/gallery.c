/*
 * gallery.c
 *		What a score means for a gallery.
 *
 * A score s promises a false match rate of FMR = 10^(-s/10) for one non-mated
 * comparison.  A search of a gallery of N makes N of them, so the share of
 * searches of people who are not enrolled that still return somebody (false
 * positive identification rate, ISO/IEC 19795-1) is 1 - (1 - FMR)^N, taking
 * the comparisons as independent.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

static void
check_gallery_size(int64 size)
{
	if (size < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("gallery size must be at least 1")));
}

/* fpir(score, gallery_size): in [0, 1] */
PG_FUNCTION_INFO_V1(biometric_fpir);
Datum
biometric_fpir(PG_FUNCTION_ARGS)
{
	double score = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);

	check_gallery_size(size);
	if (isnan(score))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("score must not be NaN")));
	if (score <= 0)
		PG_RETURN_FLOAT8(1);
	PG_RETURN_FLOAT8(-expm1((double) size * log1p(-pow(10, -score / 10))));
}

/* score_threshold(fpir, gallery_size): decibans, >= 0 */
PG_FUNCTION_INFO_V1(biometric_score_threshold);
Datum
biometric_score_threshold(PG_FUNCTION_ARGS)
{
	double fpir = PG_GETARG_FLOAT8(0);
	int64  size = PG_GETARG_INT64(1);
	double fmr;

	check_gallery_size(size);
	if (!(fpir > 0 && fpir < 1))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("false positive identification rate must be between 0 and 1, both excluded")));
	fmr = -expm1(log1p(-fpir) / (double) size);

	/* adding 0 turns the -0 of fmr = 1 into 0 */
	PG_RETURN_FLOAT8(-10 * log10(fmr) + 0.0);
}
