/*
 * error_rates.c
 *		Error rates of comparisons, as aggregates over (score, mated).
 *
 * Terms are those of ISO/IEC 19795-1.  At a threshold t
 *		FMR(t)	false match rate: share of non-mated comparisons with score >= t
 *		FNMR(t)	false non-match rate: share of mated comparisons with score < t
 *
 * EER: both rates as functions of the threshold are steps.  It is taken where
 * the straight lines between neighbouring steps have FMR = FNMR.
 *
 * FNMR at an FMR of at most f: the threshold is just above the lowest score that
 * leaves no more than f of the non-mated comparisons above it.
 *
 * NULL scores, NULL classes and NaN are left out, as aggregates do.  Without a
 * comparison of a class its rates are NULL.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "catalog/pg_type.h"
#include "evidence/error_rates.h"
#include "evidence/score_set.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* points of a DET curve that differ by less than this in both rates are one */
#define DET_STEP 0.01 /* in powers of ten */

#define STATE_VERSION 1

/* ---- accumulation ----------------------------------------------------------- */

MemoryContext
error_rates_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("function is only for aggregates")));
	return context;
}

static RatesState *
new_state(MemoryContext context)
{
	RatesState *state = MemoryContextAllocZero(context, sizeof(RatesState));

	score_set_init(NON_MATED(state));
	score_set_init(MATED(state));
	return state;
}

static void
set_parameter(RatesState *state, double parameter)
{
	if (state->has_parameter && state->parameter != parameter)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the last argument must be the same in all rows"),
						errhint("Give it as a constant.")));
	if (isnan(parameter))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the last argument must not be NaN")));
	state->has_parameter = true;
	state->parameter = parameter;
}

/*
 * error_rates_add(internal, score float8, mated boolean [, parameter float8])
 */
PG_FUNCTION_INFO_V1(biometric_error_rates_add);
Datum
biometric_error_rates_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = error_rates_context(fcinfo);
	RatesState *state = PG_ARGISNULL(0) ? new_state(context) : (RatesState *) PG_GETARG_POINTER(0);

	if (PG_NARGS() > 3)
	{
		if (PG_ARGISNULL(3))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("the last argument must not be NULL")));
		set_parameter(state, PG_GETARG_FLOAT8(3));
	}
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !isnan(PG_GETARG_FLOAT8(1)))
		score_set_add(PG_GETARG_BOOL(2) ? MATED(state) : NON_MATED(state), PG_GETARG_FLOAT8(1), 1,
					  context);
	PG_RETURN_POINTER(state);
}

/*
 * search_rates_add(internal, score float8, enrolled boolean, parameter float8):
 * of searches.  A person who was not found has no score: the lowest there is.
 */
PG_FUNCTION_INFO_V1(biometric_search_rates_add);
Datum
biometric_search_rates_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = error_rates_context(fcinfo);
	RatesState *state = PG_ARGISNULL(0) ? new_state(context) : (RatesState *) PG_GETARG_POINTER(0);
	double      score = PG_ARGISNULL(1) ? -INFINITY : PG_GETARG_FLOAT8(1);

	if (PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the last argument must not be NULL")));
	set_parameter(state, PG_GETARG_FLOAT8(3));
	if (!PG_ARGISNULL(2))
		score_set_add(PG_GETARG_BOOL(2) ? MATED(state) : NON_MATED(state),
					  isnan(score) ? -INFINITY : score, 1, context);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_error_rates_combine);
Datum
biometric_error_rates_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = error_rates_context(fcinfo);
	RatesState   *state = PG_ARGISNULL(0) ? NULL : (RatesState *) PG_GETARG_POINTER(0);
	RatesState   *other = PG_ARGISNULL(1) ? NULL : (RatesState *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (state == NULL)
			state = new_state(context);
		if (other->has_parameter)
			set_parameter(state, other->parameter);
		for (int i = 0; i < 2; i++)
			score_set_merge(&state->scores[i], &other->scores[i], context);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_error_rates_serialize);
Datum
biometric_error_rates_serialize(PG_FUNCTION_ARGS)
{
	RatesState    *state = (RatesState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	pq_begintypsend(&buffer);
	pq_sendint32(&buffer, STATE_VERSION);
	pq_sendbyte(&buffer, state->has_parameter);
	pq_sendfloat8(&buffer, state->parameter);
	for (int i = 0; i < 2; i++)
	{
		ScoreSet *set = &state->scores[i];

		score_set_finish(set);
		pq_sendint32(&buffer, set->bits);
		pq_sendint32(&buffer, set->n);
		for (int j = 0; j < set->n; j++)
		{
			pq_sendfloat8(&buffer, set->entries[j].score);
			pq_sendint64(&buffer, set->entries[j].count);
		}
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(biometric_error_rates_deserialize);
Datum
biometric_error_rates_deserialize(PG_FUNCTION_ARGS)
{
	bytea         *bytes = PG_GETARG_BYTEA_PP(0);
	RatesState    *state = new_state(CurrentMemoryContext);
	StringInfoData buffer;

	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (pq_getmsgint(&buffer, 4) != STATE_VERSION)
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("state of an aggregate is of another version")));
	state->has_parameter = pq_getmsgbyte(&buffer) != 0;
	state->parameter = pq_getmsgfloat8(&buffer);
	for (int i = 0; i < 2; i++)
	{
		int bits = (int) pq_getmsgint(&buffer, 4);
		int n = (int) pq_getmsgint(&buffer, 4);

		if (bits < 1 || bits > 52)
			ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
							errmsg("state of an aggregate is damaged")));
		state->scores[i].bits = bits;
		for (int j = 0; j < n; j++)
		{
			double score = pq_getmsgfloat8(&buffer);
			int64  count = pq_getmsgint64(&buffer);

			score_set_add(&state->scores[i], score, count, CurrentMemoryContext);
		}
	}
	pq_getmsgend(&buffer);
	PG_RETURN_POINTER(state);
}

/* ---- results -------------------------------------------------------------------- */

/* the state with its sets in order, or NULL if a class that is needed is empty */
static RatesState *
finished(FunctionCallInfo fcinfo, bool need_non_mated, bool need_mated)
{
	RatesState *state;

	error_rates_context(fcinfo);
	if (PG_ARGISNULL(0))
		return NULL;
	state = (RatesState *) PG_GETARG_POINTER(0);
	for (int i = 0; i < 2; i++)
		score_set_finish(&state->scores[i]);
	if ((need_non_mated && NON_MATED(state)->total == 0) ||
		(need_mated && MATED(state)->total == 0))
		return NULL;
	return state;
}

static void
check_rate(double rate)
{
	if (!(rate >= 0 && rate <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("an error rate must be from 0 to 1"), errhint("A percent is 0.01.")));
}

PG_FUNCTION_INFO_V1(biometric_fmr_at);
Datum
biometric_fmr_at(PG_FUNCTION_ARGS)
{
	RatesState *state = finished(fcinfo, true, false);
	ScoreSet   *set;

	if (state == NULL)
		PG_RETURN_NULL();
	set = NON_MATED(state);
	PG_RETURN_FLOAT8((double) (set->total - score_set_below(set, state->parameter, false)) /
					 (double) set->total);
}

PG_FUNCTION_INFO_V1(biometric_fnmr_at);
Datum
biometric_fnmr_at(PG_FUNCTION_ARGS)
{
	RatesState *state = finished(fcinfo, false, true);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((double) score_set_below(MATED(state), state->parameter, false) /
					 (double) MATED(state)->total);
}

/*
 * The highest non-mated score that a threshold for an FMR of at most rate has to
 * exclude; -infinity if there is none.
 */
static double
excluded_score(const ScoreSet *non_mated, double rate)
{
	/* 0.29 of 100 is 29, although the product of the two doubles is less */
	double allowed = rate * (double) non_mated->total * (1 + 1e-12);
	int64  above = 0;

	for (int i = non_mated->n - 1; i >= 0; i--)
	{
		above += non_mated->entries[i].count;
		if ((double) above > allowed)
			return non_mated->entries[i].score;
	}
	return -INFINITY;
}

double
fnmr_at_fmr(const RatesState *state, double rate)
{
	double excluded = excluded_score(NON_MATED(state), rate);

	/* a score of -infinity never matches */
	return (double) score_set_below(MATED(state), excluded, true) / (double) MATED(state)->total;
}

PG_FUNCTION_INFO_V1(biometric_fnmr_at_fmr);
Datum
biometric_fnmr_at_fmr(PG_FUNCTION_ARGS)
{
	RatesState *state = finished(fcinfo, true, true);

	if (state == NULL)
		PG_RETURN_NULL();
	check_rate(state->parameter);
	PG_RETURN_FLOAT8(fnmr_at_fmr(state, state->parameter));
}

PG_FUNCTION_INFO_V1(biometric_zero_fmr_fnmr);
Datum
biometric_zero_fmr_fnmr(PG_FUNCTION_ARGS)
{
	RatesState *state = finished(fcinfo, true, true);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(fnmr_at_fmr(state, 0));
}

/* walks through the thresholds of both sets in rising order */
typedef struct Walk
{
	const ScoreSet *non_mated;
	const ScoreSet *mated;
	int             i;
	int             j;
	int64           rejected;  /* non-mated below the threshold */
	int64           missed;    /* mated below it */
	double          threshold; /* infinity at the end */
	double          fmr;
	double          fnmr;
} Walk;

static void
walk_start(Walk *walk, const RatesState *state)
{
	memset(walk, 0, sizeof(*walk));
	walk->non_mated = NON_MATED(state);
	walk->mated = MATED(state);
	walk->threshold = -INFINITY;
	walk->fmr = 1;
	walk->fnmr = 0;
}

/* to the next threshold: the next score of either set, at last above all scores */
static bool
walk_next(Walk *walk)
{
	const ScoreSet *n = walk->non_mated;
	const ScoreSet *m = walk->mated;
	double          next = INFINITY;

	if (walk->i == n->n && walk->j == m->n)
		return false;
	/* pass what is at the present threshold */
	if (walk->i < n->n && n->entries[walk->i].score <= walk->threshold)
		walk->rejected += n->entries[walk->i++].count;
	if (walk->j < m->n && m->entries[walk->j].score <= walk->threshold)
		walk->missed += m->entries[walk->j++].count;
	if (walk->i < n->n)
		next = n->entries[walk->i].score;
	if (walk->j < m->n && m->entries[walk->j].score < next)
		next = m->entries[walk->j].score;
	walk->threshold = next;
	walk->fmr = n->total > 0 ? (double) (n->total - walk->rejected) / (double) n->total : 0;
	walk->fnmr = m->total > 0 ? (double) walk->missed / (double) m->total : 0;
	return true;
}

double
equal_error_rate(const RatesState *state)
{
	Walk   walk;
	double fmr = 1;
	double fnmr = 0;

	walk_start(&walk, state);
	while (walk_next(&walk))
	{
		if (walk.fnmr >= walk.fmr)
		{
			/* between the last point and this one, where the lines cross */
			double before = fmr - fnmr;
			double after = walk.fnmr - walk.fmr;
			double share = before + after > 0 ? before / (before + after) : 0;

			return fnmr + share * (walk.fnmr - fnmr);
		}
		fmr = walk.fmr;
		fnmr = walk.fnmr;
	}
	return fnmr;
}

PG_FUNCTION_INFO_V1(biometric_eer);
Datum
biometric_eer(PG_FUNCTION_ARGS)
{
	RatesState *state = finished(fcinfo, true, true);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(equal_error_rate(state));
}

/* whether two rates are apart enough to be two points of a curve */
static bool
apart(double a, double b)
{
	if (a == b)
		return false;
	return a == 0 || b == 0 || fabs(log10(a / b)) >= DET_STEP;
}

static ArrayBuildState *
add_point(ArrayBuildState *points, TupleDesc descriptor, const Walk *walk)
{
	Datum values[3];
	bool  nulls[3] = {false, walk->non_mated->total == 0, walk->mated->total == 0};

	values[0] = Float8GetDatum(walk->threshold);
	values[1] = Float8GetDatum(walk->fmr);
	values[2] = Float8GetDatum(walk->fnmr);
	return accumArrayResult(points, HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)),
							false, descriptor->tdtypeid, CurrentMemoryContext);
}

/*
 * det_curve: an array of (threshold, fmr, fnmr) by rising threshold, thinned
 * where neither rate changes by more than DET_STEP.  Both ends of a greater step
 * are kept: whoever draws a line from point to point sees where the step is.  The
 * rate of a class without comparisons is NULL.
 */
PG_FUNCTION_INFO_V1(biometric_det_curve);
Datum
biometric_det_curve(PG_FUNCTION_ARGS)
{
	RatesState      *state = finished(fcinfo, false, false);
	Oid              array_type;
	Oid              type;
	TupleDesc        descriptor;
	ArrayBuildState *points = NULL;
	Walk             walk;
	Walk             before;
	Walk             last;

	if (state == NULL || NON_MATED(state)->total + MATED(state)->total == 0)
		PG_RETURN_NULL();
	array_type = get_fn_expr_rettype(fcinfo->flinfo);
	if (!OidIsValid(array_type))
		array_type = get_func_rettype(fcinfo->flinfo->fn_oid);
	type = get_element_type(array_type);
	descriptor = lookup_rowtype_tupdesc(type, -1);
	walk_start(&walk, state);
	last = before = walk;
	for (bool first = true; walk_next(&walk); first = false, before = walk)
	{
		CHECK_FOR_INTERRUPTS();
		if (!first && !apart(walk.fmr, last.fmr) && !apart(walk.fnmr, last.fnmr))
			continue;
		if (before.threshold > last.threshold &&
			(apart(walk.fmr, before.fmr) || apart(walk.fnmr, before.fnmr)))
			points = add_point(points, descriptor, &before);
		points = add_point(points, descriptor, &walk);
		last = walk;
	}
	ReleaseTupleDesc(descriptor);
	PG_RETURN_DATUM(makeArrayResult(points, CurrentMemoryContext));
}

/* ---- a rate's interval ------------------------------------------------------------ */

/* of the standard normal distribution, two-sided 95 % */
#define NORMAL_95 1.959963984540054

/*
 * rate_interval(errors bigint, trials bigint): the 95 % interval of a share of
 * independent trials (E. B. Wilson, 1927), as an array of two.
 */
PG_FUNCTION_INFO_V1(biometric_rate_interval);
Datum
biometric_rate_interval(PG_FUNCTION_ARGS)
{
	double errors = (double) PG_GETARG_INT64(0);
	double trials = (double) PG_GETARG_INT64(1);
	double z2 = NORMAL_95 * NORMAL_95;
	double share;
	double middle;
	double half;
	Datum  limits[2];

	if (!(errors >= 0 && trials >= 1 && errors <= trials))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there must be at least one trial and no more errors than trials")));
	share = errors / trials;
	middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
	half = NORMAL_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) /
		   (1 + z2 / trials);
	limits[0] = Float8GetDatum(errors == 0 ? 0 : Max(middle - half, 0));
	limits[1] = Float8GetDatum(errors == trials ? 1 : Min(middle + half, 1));
	PG_RETURN_ARRAYTYPE_P(
		construct_array(limits, 2, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
