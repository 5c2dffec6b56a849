/*
 * cost.c
 *		What a search costs, and whether it is worth several processes.
 *
 * An exact search is taken to read every page and to compare every entry, for any
 * query.  With a threshold it does less, because sketches rule entries out; how much less
 * depends on probe and threshold, so the planner does not count on it.  Quals decide
 * only how many rows it returns.  With an order-by, all of the work is done before the
 * first row; without one, rows are returned as they are found.  A fast search reads the
 * postings of the probe's words and compares a share of the entries; without quals, all
 * others follow.
 *
 * Nearly all of the cost is comparing, which several processes can share.  In
 * its parallel paths PostgreSQL divides only the work in the heap.  This file
 * replaces them by paths that divide the cost of comparing too.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "settings.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "utils/float.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/spccache.h"

/* Counting the vote of a posting, in units of cpu_operator_cost */
#define VOTE_COST 0.1

/* What one search is made of */
typedef struct SearchCost
{
	Cost query;        /* evaluating what is asked for */
	Cost pages;        /* reading all of the index */
	Cost entries;      /* comparing all entries */
	Cost order;        /* collecting the rows by distance */
	Cost heap;         /* and taking them in order */
	bool fast;         /* the search is a fast one */
	Cost fast_pages;   /* of it: reading postings and candidates */
	Cost fast_entries; /* counting and comparing these */
	bool goes_on;      /* and then looks at all the rest */
} SearchCost;

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

/* Each word of a probe begins on a page of its own, as long as there are so many */
static void
fast_cost(const BiometricModality *modality, const BiometricMetaPageData *meta, double tuples,
		  double pages, double page_cost, double random_cost, double entry_cost, SearchCost *cost)
{
	double candidates = Max(tuples * biometric_penetration_rate, PRESELECTION_MIN_CANDIDATES);
	double visits = preselection_visits((double) meta->postings, biometric_penetration_rate);
	double postings = Min(visits, (double) meta->postings);
	double touched =
		Min(modality->max_probe_words + postings * POSTING_BYTES / BLCKSZ, (double) meta->leaves) +
		candidates;

	cost->fast_pages = Min(touched * random_cost, pages * page_cost);
	cost->fast_entries = postings * VOTE_COST * cpu_operator_cost + candidates * entry_cost;
}

static void
search_cost(PlannerInfo *root, IndexPath *path, double loop_count, SearchCost *cost)
{
	IndexOptInfo            *index = path->indexinfo;
	List                    *quals = get_quals_from_indexclauses(path->indexclauses);
	double                   index_pages = Max(index->pages, 1);
	double                   index_tuples = Max(index->tuples, 0);
	double                   searches = number_of_searches(root, quals);
	double                   rows = clamp_row_est(path->indexselectivity * index->rel->tuples);
	double                   page_cost, random_cost;
	double                   entry_cost = cpu_index_tuple_cost;
	bool                     compares = path->indexclauses != NIL || path->indexorderbys != NIL;
	const BiometricModality *modality;
	Relation                 relation;
	BiometricMetaPageData    meta;

	memset(cost, 0, sizeof(SearchCost));

	/* the planner holds a lock on it */
	relation = index_open(index->indexoid, NoLock);
	modality = biometric_modality(relation);
	cost->fast = biometric_search_mode == BIOMETRIC_SEARCH_FAST && compares &&
				 index_tuples > PRESELECTION_MIN_CANDIDATES;

	/* only then: an index that is damaged or old must not fail statements that do not search it */
	if (cost->fast)
	{
		biometric_read_meta(relation, &meta);
		cost->fast = (meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
	}
	index_close(relation, NoLock);

	/* pages are read in order; the later of several searches find them cached */
	get_tablespace_page_costs(index->reltablespace, &random_cost, &page_cost);
	if (loop_count > 1)
	{
		double share =
			index_pages_fetched(index_pages * loop_count, index->pages, index_pages, root) /
			(loop_count * index_pages);

		page_cost *= share;
		random_cost *= share;
	}

	if (compares)
		entry_cost += number_of_probes(path, quals) * modality->compare_cost * cpu_operator_cost;

	cost->query = index_other_operands_eval_cost(root, quals) +
				  index_other_operands_eval_cost(root, path->indexorderbys);
	cost->pages = searches * index_pages * page_cost;
	cost->entries = searches * index_tuples * entry_cost;
	if (path->indexorderbys != NIL)
	{
		cost->order = rows * cpu_operator_cost;
		cost->heap = rows * log2(rows + 1) * cpu_operator_cost;
	}
	if (cost->fast)
	{
		fast_cost(modality, &meta, index_tuples, index_pages, page_cost, random_cost, entry_cost,
				  cost);
		cost->fast_pages *= searches;
		cost->fast_entries *= searches;
		cost->goes_on = quals == NIL;
	}
}

void
biometric_costestimate(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup_cost,
					   Cost *total_cost, Selectivity *selectivity, double *correlation,
					   double *pages)
{
	IndexOptInfo *index = path->indexinfo;
	List         *quals = get_quals_from_indexclauses(path->indexclauses);
	SearchCost    cost;
	Cost          first_pass, later_passes;

	*selectivity = clauselist_selectivity(root, add_predicate_to_index_quals(index, quals),
										  index->rel->relid, JOIN_INNER, NULL);
	path->indexselectivity = *selectivity;
	search_cost(root, path, loop_count, &cost);

	first_pass = cost.fast ? cost.fast_pages + cost.fast_entries : cost.pages + cost.entries;
	later_passes = cost.fast && cost.goes_on ? cost.pages + cost.entries : 0;

	/* with an order-by, rows are collected in a pass and then taken from a heap */
	*startup_cost = cost.query;
	if (path->indexorderbys != NIL)
		*startup_cost += first_pass + cost.order;
	*total_cost = cost.query + first_pass + later_passes + cost.order + cost.heap;
	*correlation = 0;
	*pages = Max(index->pages, 1);

	/*
	 * The planner assumes that any index can count rows, because that needs no
	 * column.  But this access method cannot return index tuples.
	 */
	if (path->path.pathtype == T_IndexOnlyScan)
	{
		*startup_cost = *total_cost = get_float8_infinity();
#if PG_VERSION_NUM >= 180000
		path->path.disabled_nodes = 2;
#endif
	}
}

/* ---- parallel paths ------------------------------------------------------ */

static set_rel_pathlist_hook_type previous_hook = NULL;

/* The scan of one of our indexes in a path: the path itself, or what fills its bitmap; or NULL */
static IndexPath *
index_scan_of(Path *path)
{
	IndexPath *scan;

	if (IsA(path, BitmapHeapPath))
		path = ((BitmapHeapPath *) path)->bitmapqual;
	if (!IsA(path, IndexPath))
		return NULL;
	scan = (IndexPath *) path;
	if ((void *) scan->indexinfo->amcostestimate != (void *) biometric_costestimate)
		return NULL;
	return scan;
}

/*
 * Whether several processes can divide the scan.  PostgreSQL makes sure that
 * all processes know the values in the quals, but not those in order-bys: for
 * example, workers do not know a column of an outer query.
 */
static bool
can_be_partial(PlannerInfo *root, IndexPath *scan)
{
	ListCell *cell;

	if (scan->path.param_info != NULL || !scan->path.parallel_safe ||
		scan->path.pathtype != T_IndexScan || !is_parallel_safe(root, (Node *) scan->indexorderbys))
		return false;
	foreach (cell, get_quals_from_indexclauses(scan->indexclauses))
	{
		if (IsA(lfirst_node(RestrictInfo, cell)->clause, ScalarArrayOpExpr))
			return false;
	}
	return true;
}

/*
 * As in the planner: the more workers there are, the less time the leader has
 * for scanning
 */
static double
parallel_divisor(int workers)
{
	double divisor = workers;

	if (parallel_leader_participation)
		divisor += Max(1.0 - 0.3 * workers, 0);
	return divisor;
}

/* Filtering a row from the heap */
static Cost
row_cost(PlannerInfo *root, RelOptInfo *rel, IndexPath *scan)
{
	List     *filters = NIL;
	ListCell *cell;
	QualCost  cost;

	foreach (cell, rel->baserestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (!is_redundant_with_indexclauses(clause, scan->indexclauses))
			filters = lappend(filters, clause);
	}
	cost_qual_eval(&cost, filters, root);
	return cpu_tuple_cost + cost.per_tuple;
}

/*
 * The path of one participant.  Reading the pages is not divided, as for other
 * scans: one disk serves all.
 */
static void
add_partial_scan(PlannerInfo *root, RelOptInfo *rel, IndexPath *scan, int workers)
{
	IndexPath *partial = makeNode(IndexPath);
	double     divisor = parallel_divisor(workers);
	double     saved = 1 - 1 / divisor;
	double     fetched = clamp_row_est(scan->indexselectivity * rel->tuples);
	SearchCost cost;

	search_cost(root, scan, 1, &cost);
	if (cost.fast)
		return;

	memcpy(partial, scan, sizeof(IndexPath));
	partial->path.parallel_aware = true;
	partial->path.parallel_workers = workers;
	partial->path.rows = clamp_row_est(scan->path.rows / divisor);
	if (scan->indexorderbys != NIL)
		partial->path.startup_cost -= saved * (cost.entries + cost.order);
	partial->path.total_cost -=
		saved * (cost.entries + cost.order + cost.heap + fetched * row_cost(root, rel, scan));
	add_partial_path(rel, &partial->path);
}

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	ListCell *cell;

	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);

	if (rte->rtekind != RTE_RELATION || !rel->consider_parallel || rel->indexlist == NIL)
		return;

	foreach (cell, rel->partial_pathlist)
	{
		Path *path = lfirst(cell);

		if (IsA(path, IndexPath) && index_scan_of(path) != NULL)
			rel->partial_pathlist = foreach_delete_current(rel->partial_pathlist, cell);
	}

	foreach (cell, rel->pathlist)
	{
		IndexPath *scan = index_scan_of(lfirst(cell));
		int        workers;

		if (scan == NULL || !can_be_partial(root, scan))
			continue;
		workers = compute_parallel_worker(rel, -1, scan->indexinfo->pages,
										  max_parallel_workers_per_gather);
		if (workers > 0)
			add_partial_scan(root, rel, scan, workers);
	}
}

void
biometric_install_planner_hook(void)
{
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
}
