/*
 * cost.c
 *		What a search costs, for the planner.
 *
 * A search reads every page and compares every entry, whatever it looks for.
 * Quals decide only how many rows come out.  With an order-by all of that
 * happens before the first row; without one, rows come as they are found.
 */
#include "postgres.h"

#include <math.h>

#include "index/index.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

static const BiometricModality *
modality_of(Oid index_oid)
{
	/* the planner holds a lock on it */
	Relation                 index = index_open(index_oid, NoLock);
	const BiometricModality *modality = biometric_modality(index);

	index_close(index, NoLock);
	return modality;
}

/* A qual is template % query, or template % ANY (queries), which only a bitmap scan asks for */
static Node *
right_argument(Expr *clause)
{
	if (IsA(clause, ScalarArrayOpExpr))
		return (Node *) lsecond(((ScalarArrayOpExpr *) clause)->args);
	return (Node *) lsecond(castNode(OpExpr, clause)->args);
}

/* The executor searches once for each element of an array */
static double
number_of_searches(PlannerInfo *root, List *quals)
{
	double    searches = 1;
	ListCell *cell;

	foreach (cell, quals)
	{
		Expr *clause = lfirst_node(RestrictInfo, cell)->clause;

		if (IsA(clause, ScalarArrayOpExpr))
#if PG_VERSION_NUM >= 170000
			searches *= Max(estimate_array_length(root, right_argument(clause)), 1);
#else
			searches *= Max(estimate_array_length(right_argument(clause)), 1);
#endif
	}
	return searches;
}

/* How many different templates each entry is compared with */
static int
number_of_probes(IndexPath *path, List *quals)
{
	List     *templates = NIL;
	ListCell *cell;

	foreach (cell, quals)
		templates =
			list_append_unique(templates, right_argument(lfirst_node(RestrictInfo, cell)->clause));
	foreach (cell, path->indexorderbys)
		templates = list_append_unique(templates, right_argument(lfirst(cell)));
	return list_length(templates);
}

void
biometric_costestimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost,
					   Cost *total_cost, Selectivity *selectivity, double *correlation,
					   double *pages)
{
	IndexOptInfo *index = path->indexinfo;
	List         *quals = get_quals_from_indexclauses(path->indexclauses);
	double        index_pages = Max(index->pages, 1);
	double        index_tuples = Max(index->tuples, 0);
	double        searches = number_of_searches(root, quals);
	double        rows;
	double        page_cost;
	double        entry_cost;
	Cost          query_cost;
	Cost          pass_cost;

	*selectivity = clauselist_selectivity(root, add_predicate_to_index_quals(index, quals),
										  index->rel->relid, JOIN_INNER, NULL);
	rows = clamp_row_est(*selectivity * index->rel->tuples);

	/* pages are read in order; the later of several searches find them cached */
	get_tablespace_page_costs(index->reltablespace, NULL, &page_cost);
	if (loop_count > 1)
		page_cost *=
			index_pages_fetched(index_pages * loop_count, index->pages, index_pages, root) /
			(loop_count * index_pages);

	entry_cost = cpu_index_tuple_cost;
	if (path->indexclauses != NIL || path->indexorderbys != NIL)
		entry_cost += number_of_probes(path, quals) * modality_of(index->indexoid)->compare_cost *
					  cpu_operator_cost;

	query_cost = index_other_operands_eval_cost(root, quals) +
				 index_other_operands_eval_cost(root, path->indexorderbys);
	pass_cost = searches * (index_pages * page_cost + index_tuples * entry_cost);

	if (path->indexorderbys == NIL)
	{
		*startup_cost = query_cost;
		*total_cost = query_cost + pass_cost;
	}
	else
	{
		/* rows are collected in the pass and then taken from a heap */
		*startup_cost = query_cost + pass_cost + rows * cpu_operator_cost;
		*total_cost = *startup_cost + rows * log2(rows + 1) * cpu_operator_cost;
	}
	*correlation = 0;
	*pages = index_pages;

	/*
	 * The planner believes that any index can count rows, since that takes no
	 * column of it.  This one returns rows, never index tuples.
	 */
	if (path->path.pathtype == T_IndexOnlyScan)
	{
		*startup_cost = *total_cost = get_float8_infinity();
#if PG_VERSION_NUM >= 180000
		path->path.disabled_nodes = 2;
#endif
	}
}
