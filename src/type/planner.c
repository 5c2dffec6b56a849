/*
 * planner.c
 *		What the planner is told of matching: how many rows match, which function
 *		calls an index can answer, and which comparisons are a mistake.
 *
 * The score is calibrated, so the number of rows follows from its definition: a
 * threshold of s decibans lets through a share 10^(-s/10) of the non-mated
 * rows, and a person has about one mate in a gallery.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "compat.h"
#include "settings.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "type/modality.h"
#include "type/probe.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

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

/* The selectivity of a condition on args that finds scores of at least min_score */
static double
restriction_selectivity(PlannerInfo *root, List *args, int var_rel_id, double min_score)
{
	double           sel;
	VariableStatData variable;
	Node            *other;
	bool             var_on_left;

	if (!get_restriction_variable(root, args, var_rel_id, &variable, &other, &var_on_left))
		return selectivity(min_score, 0, 0);
	if (IsA(other, Const) && ((Const *) other)->constisnull)
		sel = 0; /* the operator is strict */
	else
		sel = selectivity(min_score, variable.rel != NULL ? variable.rel->tuples : 0,
						  null_fraction(&variable));
	ReleaseVariableStats(variable);
	return sel;
}

/* a % b */
PG_FUNCTION_INFO_V1(biometric_match_sel);
Datum
biometric_match_sel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(restriction_selectivity((PlannerInfo *) PG_GETARG_POINTER(0),
											 (List *) PG_GETARG_POINTER(2), PG_GETARG_INT32(3),
											 biometric_match_threshold));
}

/*
 * a % probe, either way round: a probe that is constant has its own threshold.
 * An operator of any types may have been given this estimator.
 */
PG_FUNCTION_INFO_V1(biometric_probe_sel);
Datum
biometric_probe_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List        *args = (List *) PG_GETARG_POINTER(2);
	double       min_score = biometric_match_threshold;
	ListCell    *cell;

	foreach (cell, args)
	{
		Node *argument = estimate_expression_value(root, lfirst(cell));

		if (IsA(argument, Const) && !((Const *) argument)->constisnull &&
			OidIsValid(biometric_template_type(getBaseType(((Const *) argument)->consttype))))
			min_score = probe_min_score(((Const *) argument)->constvalue);
	}
	PG_RETURN_FLOAT8(restriction_selectivity(root, args, PG_GETARG_INT32(3), min_score));
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

/* ----------
 * Support functions
 * ----------
 */

/* The selectivity of matches(a, b, min_score) */
static bool
matches_selectivity(SupportRequestSelectivity *request)
{
	Node  *last;
	double min_score = biometric_match_threshold;

	if (request->is_join || list_length(request->args) != 3)
		return false;
	last = estimate_expression_value(request->root, lthird(request->args));
	if (IsA(last, Const))
	{
		if (((Const *) last)->constisnull)
		{
			request->selectivity = 0;
			return true;
		}
		min_score = DatumGetFloat8(((Const *) last)->constvalue);
	}
	request->selectivity = restriction_selectivity(
		request->root, list_make2(linitial(request->args), lsecond(request->args)),
		request->varRelid, min_score);
	return true;
}

/* matches(column, b, min_score) as column % probe(b, min_score), for an index on the column */
static List *
matches_condition(SupportRequestIndexCondition *request)
{
	FuncExpr *call;
	Node     *column, *other, *min_score;
	Oid       type, probe_type, operator_oid, probe_function;
	Oid       argument_types[2];
	FuncExpr *probe;

	if (!IsA(request->node, FuncExpr))
		return NIL;
	call = (FuncExpr *) request->node;
	if (list_length(call->args) != 3 || request->indexarg > 1)
		return NIL;
	column = list_nth(call->args, request->indexarg);
	other = list_nth(call->args, 1 - request->indexarg);
	min_score = lthird(call->args);
	if (!is_pseudo_constant_for_index(request->root, other, request->index) ||
		!is_pseudo_constant_for_index(request->root, min_score, request->index))
		return NIL;

	/* an index of another access method has no such operator */
	type = exprType(other);
	probe_type = biometric_probe_type(request->opfamily, type);
	if (!OidIsValid(probe_type) || biometric_template_type(probe_type) != type)
		return NIL;
	operator_oid =
		get_opfamily_member(request->opfamily, type, probe_type, BIOMETRIC_PROBE_STRATEGY);
	argument_types[0] = type;
	argument_types[1] = FLOAT8OID;
	probe_function =
		LookupFuncName(list_make2(makeString(get_namespace_name(get_func_namespace(call->funcid))),
								  makeString("probe")),
					   2, argument_types, true);
	if (!OidIsValid(operator_oid) || !OidIsValid(probe_function))
		return NIL;

	probe = makeFuncExpr(probe_function, probe_type, list_make2(other, min_score), InvalidOid,
						 InvalidOid, COERCE_EXPLICIT_CALL);
	request->lossy = false;
	return list_make1(make_opclause(operator_oid, BOOLOID, false, (Expr *) column, (Expr *) probe,
									InvalidOid, InvalidOid));
}

/*
 * Two columns declared with different type modifiers, for example iris codes of
 * different geometry, never match: to compare them is a mistake in the query.
 * Where a geometry is known only from the data the pair is non-mated, for the
 * operators must not fail on any data.
 */
static void
check_type_modifiers(const FuncExpr *call)
{
	Oid   type;
	int32 left, right;

	if (list_length(call->args) < 2 ||
		exprType(linitial(call->args)) != exprType(lsecond(call->args)))
		return;
	type = exprType(linitial(call->args));
	left = exprTypmod(linitial(call->args));
	right = exprTypmod(lsecond(call->args));
	if (left >= 0 && right >= 0 && left != right)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("templates of different geometry cannot match"),
						errdetail("One side is declared %s, the other %s.",
								  format_type_with_typemod(type, left),
								  format_type_with_typemod(type, right))));
}

/* of the functions that compare two templates */
PG_FUNCTION_INFO_V1(biometric_match_support);
Datum
biometric_match_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
		check_type_modifiers(((SupportRequestSimplify *) request)->fcall);
	PG_RETURN_POINTER(NULL); /* nothing is simplified */
}

/* of matches() */
PG_FUNCTION_INFO_V1(biometric_matches_support);
Datum
biometric_matches_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	Node *result = NULL;

	if (IsA(request, SupportRequestIndexCondition))
		result = (Node *) matches_condition((SupportRequestIndexCondition *) request);
	else if (IsA(request, SupportRequestSelectivity) &&
			 matches_selectivity((SupportRequestSelectivity *) request))
		result = request;
	else if (IsA(request, SupportRequestSimplify))
		check_type_modifiers(((SupportRequestSimplify *) request)->fcall);
	PG_RETURN_POINTER(result);
}
