/*
 * selectivity.c
 *		How many rows the operator % keeps, for the planner.
 *
 * The score is calibrated, so the answer follows from its definition: a
 * threshold of s decibans lets through a share 10^(-s/10) of the non-mated
 * rows, and a person has about one mate in a gallery.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "compat.h"
#include "settings.h"
#include "catalog/pg_statistic.h"
#include "fmgr.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "type/matching.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

extern Datum fingerprint_probe_in(PG_FUNCTION_ARGS);
extern Datum iris_probe_in(PG_FUNCTION_ARGS);

static double
selectivity(double min_score, double rows, double null_fraction)
{
	double sel = min_score > 0 ? pow(10, -min_score / 10) : 1; /* no score is below 0 */

	if (isnan(min_score))
		return 0;
	if (rows >= 1)
		sel += 1 / rows;
	sel *= 1 - null_fraction;
	CLAMP_PROBABILITY(sel);
	return sel;
}

static double
null_fraction(VariableStatData *variable)
{
	if (!HeapTupleIsValid(variable->statsTuple))
		return 0;
	return ((Form_pg_statistic) GETSTRUCT(variable->statsTuple))->stanullfrac;
}

/*
 * Whether a type is fingerprint_probe or iris_probe, whatever their schema.
 * An operator of any types may have been given this estimator.
 */
static bool
is_probe(Oid type)
{
	Oid      input, parameter;
	FmgrInfo function;

	getTypeInputInfo(getBaseType(type), &input, &parameter);
	fmgr_info(input, &function);
	return function.fn_addr == fingerprint_probe_in || function.fn_addr == iris_probe_in;
}

/* shared by both restriction estimators; a probe, if constant, has its own threshold */
static double
restriction_selectivity(FunctionCallInfo fcinfo, bool with_probe)
{
	PlannerInfo     *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List            *args = (List *) PG_GETARG_POINTER(2);
	int              var_rel_id = PG_GETARG_INT32(3);
	double           min_score = biometric_match_threshold;
	double           sel;
	VariableStatData variable;
	Node            *other;
	bool             var_on_left;

	if (!get_restriction_variable(root, args, var_rel_id, &variable, &other, &var_on_left))
		return selectivity(min_score, 0, 0);

	if (IsA(other, Const) && ((Const *) other)->constisnull)
		sel = 0; /* the operator is strict */
	else
	{
		if (with_probe && IsA(other, Const) && is_probe(((Const *) other)->consttype))
			min_score = probe_min_score(((Const *) other)->constvalue);
		sel = selectivity(min_score, variable.rel != NULL ? variable.rel->tuples : 0,
						  null_fraction(&variable));
	}
	ReleaseVariableStats(variable);
	return sel;
}

PG_FUNCTION_INFO_V1(biometric_match_sel);
Datum
biometric_match_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(restriction_selectivity(fcinfo, false));
}

PG_FUNCTION_INFO_V1(biometric_probe_sel);
Datum
biometric_probe_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(restriction_selectivity(fcinfo, true));
}

/* a row of the larger side has about one mate on the other */
PG_FUNCTION_INFO_V1(biometric_match_joinsel);
Datum
biometric_match_joinsel(PG_FUNCTION_ARGS)
{
	PlannerInfo     *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List            *args = (List *) PG_GETARG_POINTER(2);
	SpecialJoinInfo *join = (SpecialJoinInfo *) PG_GETARG_POINTER(4);
	VariableStatData left, right;
	bool             reversed;
	double           rows, nulls;

	get_join_variables(root, args, join, &left, &right, &reversed);
	rows = Max(left.rel != NULL ? left.rel->tuples : 0, right.rel != NULL ? right.rel->tuples : 0);
	nulls = 1 - (1 - null_fraction(&left)) * (1 - null_fraction(&right));
	ReleaseVariableStats(left);
	ReleaseVariableStats(right);
	PG_RETURN_FLOAT8(selectivity(biometric_match_threshold, rows, nulls));
}
