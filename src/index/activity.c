/*
 * activity.c
 *		Counters of searches for each index, the function behind the view
 *		biometric_index_activity, and lines in EXPLAIN (ANALYZE).
 *
 * A search takes the lock of the table twice: when it begins, and when it ends.
 * A search that fails, or that is cancelled, has begun and never ends; its work is
 * not counted.
 *
 * The table has a fixed size.  If it is full, the index that was not searched
 * for the longest time gives way, and its counters are added to the first entry,
 * which is no index's.  So nothing need be done when an index is dropped.
 *
 * Counters tell of rows that the reader may not see.  So only members of
 * pg_monitor may read them (activity.sql), and EXPLAIN leaves them out where
 * row-level security applies to the user or they may not read the table.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/relscan.h"
#include "access/xact.h"
#include "compat.h"
#include "funcapi.h"
#include "index/activity.h"
#include "index/index.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain.h"
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "utils/acl.h"
#include "utils/rls.h"
#endif

/* Searches that took no longer than these, in milliseconds, are counted */
static const double time_limits[] = {10, 100, 1000, 10000};

#define TIME_LIMITS lengthof(time_limits)

/* Of one index; times are in milliseconds */
typedef struct IndexActivity
{
	Oid         database;
	Oid         index;
	TimestampTz since; /* the first search that is counted here */
	TimestampTz last;  /* and the last */
	int64       searches[SEARCH_KINDS];
	int64       ended;
	int64       within[TIME_LIMITS];
	double      time; /* of all processes */
	double      longest;
	SearchWork  work;
} IndexActivity;

/* The work of the workers of a parallel scan, until another scan takes its place */
typedef struct WorkersActivity
{
	uint64     ticket;
	SearchWork work;
} WorkersActivity;

#define PARALLEL_SCANS 64

typedef struct ActivityTable
{
	LWLock          lock; /* of all that follows; not used by a process of its own */
	uint64          tickets;
	WorkersActivity workers[PARALLEL_SCANS];
	int             n;
	int             room;
	IndexActivity   entries[FLEXIBLE_ARRAY_MEMBER]; /* the first: those that gave way */
} ActivityTable;

#define SHARED_INDEXES   1024
#define BACKEND_INDEXES  32
#define TABLE_SIZE(room) (offsetof(ActivityTable, entries) + (Size) (room) * sizeof(IndexActivity))

/*
 * The number is raised with the layout: from 17 on the server keeps the segment when a
 * backend loads another release of the library.
 */
#define TRANCHE_NAME "biometric_activity_1"

static ActivityTable *shared_table; /* NULL until it is attached, or if there is none */
static ActivityTable *backend_table;
static IndexActivity  own; /* of this process, all indexes */

/* ---- the table -------------------------------------------------------------- */

static void
init_table(ActivityTable *table, int room)
{
	memset(table, 0, TABLE_SIZE(room));
	table->room = room;
	table->n = 1;
}

#if PG_VERSION_NUM >= 170000

#if PG_VERSION_NUM >= 190000
static void
init_segment(void *segment, void *arg)
{
	init_table(segment, SHARED_INDEXES);
	LWLockInitialize(&((ActivityTable *) segment)->lock, LWLockNewTrancheId(TRANCHE_NAME));
}
#else
static void
init_segment(void *segment)
{
	init_table(segment, SHARED_INDEXES);
	LWLockInitialize(&((ActivityTable *) segment)->lock, LWLockNewTrancheId());
}
#endif

static void
attach_table(void)
{
	bool found;

	if (shared_table != NULL || !IsUnderPostmaster)
		return;
#if PG_VERSION_NUM >= 190000
	shared_table =
		GetNamedDSMSegment(TRANCHE_NAME, TABLE_SIZE(SHARED_INDEXES), init_segment, &found, NULL);
#else
	shared_table =
		GetNamedDSMSegment(TRANCHE_NAME, TABLE_SIZE(SHARED_INDEXES), init_segment, &found);
	LWLockRegisterTranche(shared_table->lock.tranche, TRANCHE_NAME);
#endif
}

#else /* before 17 there is shared memory only for libraries that are preloaded */

static shmem_request_hook_type next_shmem_request_hook;
static shmem_startup_hook_type next_shmem_startup_hook;

static void
request_table(void)
{
	if (next_shmem_request_hook != NULL)
		next_shmem_request_hook();
	RequestAddinShmemSpace(TABLE_SIZE(SHARED_INDEXES));
	RequestNamedLWLockTranche(TRANCHE_NAME, 1);
}

static void
start_table(void)
{
	bool found;

	if (next_shmem_startup_hook != NULL)
		next_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared_table = ShmemInitStruct(TRANCHE_NAME, TABLE_SIZE(SHARED_INDEXES), &found);
	if (!found)
	{
		init_table(shared_table, SHARED_INDEXES);
		LWLockInitialize(&shared_table->lock, GetNamedLWLockTranche(TRANCHE_NAME)->lock.tranche);
	}
	LWLockRelease(AddinShmemInitLock);
}

static void
attach_table(void)
{
}

#endif

/* The table, locked */
static ActivityTable *
lock_table(LWLockMode mode)
{
	attach_table();
	if (shared_table != NULL)
	{
		LWLockAcquire(&shared_table->lock, mode);
		return shared_table;
	}
	if (backend_table == NULL)
	{
		backend_table = MemoryContextAlloc(TopMemoryContext, TABLE_SIZE(BACKEND_INDEXES));
		init_table(backend_table, BACKEND_INDEXES);
	}
	return backend_table;
}

static void
unlock_table(ActivityTable *table)
{
	if (table == shared_table)
		LWLockRelease(&table->lock);
}

static void
add_work(SearchWork *sum, const SearchWork *work)
{
	sum->visited += work->visited;
	sum->passed += work->passed;
	sum->compared += work->compared;
	sum->candidates += work->candidates;
	sum->rows += work->rows;
}

static void
add_activity(IndexActivity *sum, const IndexActivity *activity)
{
	if (sum->since == 0 || (activity->since != 0 && activity->since < sum->since))
		sum->since = activity->since;
	sum->last = Max(sum->last, activity->last);
	for (int i = 0; i < SEARCH_KINDS; i++)
		sum->searches[i] += activity->searches[i];
	sum->ended += activity->ended;
	for (int i = 0; i < TIME_LIMITS; i++)
		sum->within[i] += activity->within[i];
	sum->time += activity->time;
	sum->longest = Max(sum->longest, activity->longest);
	add_work(&sum->work, &activity->work);
}

/* The entry of an index, made if there is none */
static IndexActivity *
find_entry(ActivityTable *table, Oid index)
{
	IndexActivity *entry;
	int            oldest = 1;

	for (int i = 1; i < table->n; i++)
	{
		entry = &table->entries[i];
		if (entry->index == index && entry->database == MyDatabaseId)
			return entry;
		if (entry->last < table->entries[oldest].last)
			oldest = i;
	}
	if (table->n < table->room)
		entry = &table->entries[table->n++];
	else
	{
		entry = &table->entries[oldest];
		add_activity(&table->entries[0], entry);
	}
	memset(entry, 0, sizeof(*entry));
	entry->database = MyDatabaseId;
	entry->index = index;
	return entry;
}

/* Adds to the counters of an index and of this process */
static void
count(Relation index, const IndexActivity *activity, const SearchActivity *search)
{
	ActivityTable *table = lock_table(LW_EXCLUSIVE);

	add_activity(find_entry(table, RelationGetRelid(index)), activity);
	if (search != NULL && search->ticket != 0 && IsParallelWorker() && table == shared_table)
	{
		WorkersActivity *workers = &table->workers[search->ticket % PARALLEL_SCANS];

		if (workers->ticket < search->ticket)
		{
			memset(workers, 0, sizeof(*workers));
			workers->ticket = search->ticket;
		}
		if (workers->ticket == search->ticket)
			add_work(&workers->work, &search->work);
	}
	unlock_table(table);
	add_activity(&own, activity);
}

/* ---- searches --------------------------------------------------------------- */

void
activity_parallel_init(ParallelActivity *parallel)
{
	parallel->ticket = 0;
	pg_atomic_init_flag(&parallel->counted);
#if PG_VERSION_NUM >= 180000
	{
		ActivityTable *table = lock_table(LW_EXCLUSIVE);

		parallel->ticket = ++table->tickets;
		unlock_table(table);
	}
#endif
}

void
activity_parallel_restart(ParallelActivity *parallel)
{
	pg_atomic_clear_flag(&parallel->counted);
}

void
activity_begin(SearchActivity *activity, Relation index, SearchKind kind,
			   ParallelActivity *parallel)
{
	IndexActivity begun = {0};

	activity->running = true;
	activity->counts = parallel == NULL || pg_atomic_test_set_flag(&parallel->counted);
	activity->ticket = parallel == NULL ? 0 : parallel->ticket;
	memset(&activity->work, 0, sizeof(activity->work));
	INSTR_TIME_SET_ZERO(activity->time);
	if (!activity->counts)
		return;
	begun.since = begun.last = GetCurrentStatementStartTimestamp();
	begun.searches[kind] = 1;
	count(index, &begun, NULL);
}

void
activity_end(SearchActivity *activity, Relation index)
{
	IndexActivity ended = {0};

	if (!activity->running)
		return;
	ended.work = activity->work;
	ended.time = INSTR_TIME_GET_MILLISEC(activity->time);
	if (activity->counts)
	{
		ended.ended = 1;
		ended.longest = ended.time;
		for (int i = 0; i < TIME_LIMITS; i++)
			ended.within[i] = ended.time <= time_limits[i];
	}
	count(index, &ended, activity);
	activity->running = false;
	activity->searches++;
	add_work(&activity->ended, &activity->work);
}

/* ---- SQL ---------------------------------------------------------------------- */

static void
put_activity(ReturnSetInfo *result, bool server, const IndexActivity *activity)
{
	Datum values[20];
	bool  nulls[20] = {false};
	int   n = 0;

	nulls[n] = !OidIsValid(activity->index);
	values[n++] = ObjectIdGetDatum(activity->index);
	values[n++] = CStringGetTextDatum(server ? "server" : "backend");
	for (int i = 0; i < SEARCH_KINDS; i++)
		values[n++] = Int64GetDatum(activity->searches[i]);
	values[n++] = Int64GetDatum(activity->ended);
	values[n++] = Int64GetDatum(activity->work.visited);
	values[n++] = Int64GetDatum(activity->work.passed);
	values[n++] = Int64GetDatum(activity->work.candidates);
	values[n++] = Int64GetDatum(activity->work.compared);
	values[n++] = Int64GetDatum(activity->work.rows);
	values[n++] = Float8GetDatum(activity->time);
	values[n++] = Float8GetDatum(activity->longest);
	for (int i = 0; i < TIME_LIMITS; i++)
		values[n++] = Int64GetDatum(activity->within[i]);
	nulls[n] = activity->last == 0;
	values[n++] = TimestampTzGetDatum(activity->last);
	nulls[n] = activity->since == 0;
	values[n++] = TimestampTzGetDatum(activity->since);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * biometric_activity(): a row for each index of this database that was searched.
 * A row without an index is, of the scope "server", those that gave way, and of the
 * scope "backend", all searches of this process.
 */
PG_FUNCTION_INFO_V1(biometric_activity);
Datum
biometric_activity(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ActivityTable *table;
	ActivityTable *copy;
	bool           server;

	InitMaterializedSRF(fcinfo, 0);

	/* what follows may fail, and allocates: not under the lock */
	copy = palloc(TABLE_SIZE(SHARED_INDEXES));
	table = lock_table(LW_SHARED);
	server = table == shared_table;
	memcpy(copy, table, TABLE_SIZE(table->n));
	unlock_table(table);

	if (server)
		put_activity(result, true, &copy->entries[0]);
	for (int i = 1; i < copy->n; i++)
	{
		if (copy->entries[i].database == MyDatabaseId)
			put_activity(result, server, &copy->entries[i]);
	}
	put_activity(result, false, &own);
	return (Datum) 0;
}

/* biometric_index_activity_reset(): of this database, and of this process */
PG_FUNCTION_INFO_V1(biometric_index_activity_reset);
Datum
biometric_index_activity_reset(PG_FUNCTION_ARGS)
{
	ActivityTable *table = lock_table(LW_EXCLUSIVE);

	for (int i = table->n - 1; i > 0; i--)
	{
		if (table->entries[i].database == MyDatabaseId)
			table->entries[i] = table->entries[--table->n];
	}
	memset(&table->entries[0], 0, sizeof(IndexActivity));
	unlock_table(table);
	memset(&own, 0, sizeof(own));
	PG_RETURN_VOID();
}

/* ---- EXPLAIN -------------------------------------------------------------------- */

#if PG_VERSION_NUM >= 180000

static explain_per_node_hook_type next_explain_per_node_hook;

/* What workers of a parallel scan did */
static SearchWork
work_of_workers(uint64 ticket)
{
	SearchWork     work = {0};
	ActivityTable *table;

	if (ticket == 0)
		return work;
	table = lock_table(LW_SHARED);
	if (table->workers[ticket % PARALLEL_SCANS].ticket == ticket)
		work = table->workers[ticket % PARALLEL_SCANS].work;
	unlock_table(table);
	return work;
}

static bool
may_be_told(Oid table)
{
	return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		   check_enable_rls(table, InvalidOid, true) != RLS_ENABLED;
}

static void
explain_search(PlanState *plan, List *ancestors, const char *relationship, const char *plan_name,
			   ExplainState *es)
{
	IndexScanDesc   scan = NULL;
	SearchActivity *activity;
	SearchWork      work;
	SearchWork      workers;

	if (next_explain_per_node_hook != NULL)
		next_explain_per_node_hook(plan, ancestors, relationship, plan_name, es);

	if (IsA(plan, IndexScanState))
		scan = ((IndexScanState *) plan)->iss_ScanDesc;
	else if (IsA(plan, BitmapIndexScanState))
		scan = ((BitmapIndexScanState *) plan)->biss_ScanDesc;
	if (!es->analyze || scan == NULL ||
		scan->indexRelation->rd_indam->ambeginscan != biometric_beginscan ||
		!may_be_told(scan->indexRelation->rd_index->indrelid))
		return;

	activity = biometric_scan_activity(scan);
	work = activity->ended;
	if (activity->running)
		add_work(&work, &activity->work);
	workers = work_of_workers(activity->ticket);
	add_work(&work, &workers);

	ExplainPropertyInteger("Entries Visited", NULL, work.visited, es);
	ExplainPropertyInteger("Entries Passed", NULL, work.passed, es);
	if (work.candidates > 0)
		ExplainPropertyInteger("Candidates", NULL, work.candidates, es);
	ExplainPropertyInteger("Comparisons", NULL, work.compared, es);
}

#endif

void
activity_init(void)
{
#if PG_VERSION_NUM < 170000
	if (process_shared_preload_libraries_in_progress)
	{
		next_shmem_request_hook = shmem_request_hook;
		shmem_request_hook = request_table;
		next_shmem_startup_hook = shmem_startup_hook;
		shmem_startup_hook = start_table;
	}
#endif
#if PG_VERSION_NUM >= 180000
	next_explain_per_node_hook = explain_per_node_hook;
	explain_per_node_hook = explain_search;
#endif
}
