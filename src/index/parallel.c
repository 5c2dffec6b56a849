/*
 * parallel.c
 *		The workers of a parallel CREATE INDEX.
 *
 * All participants, the leader among them, take rows from one parallel scan of
 * the table and write gallery pages (build.c).  The postings of the entries are
 * sorted as runs of one parallel sort, which the leader merges.  Shared memory
 * holds only counters and the descriptors of scan and sort, so a build of any
 * size needs little of it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "commands/progress.h"
#include "executor/instrument.h"
#include "index/build.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/spin.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#define KEY_BUILD        UINT64CONST(0xB100000000000001)
#define KEY_SORT         UINT64CONST(0xB100000000000002)
#define KEY_QUERY_TEXT   UINT64CONST(0xB100000000000003)
#define KEY_WAL_USAGE    UINT64CONST(0xB100000000000004)
#define KEY_BUFFER_USAGE UINT64CONST(0xB100000000000005)

/* What PostgreSQL itself puts there for each worker and once, in round figures */
#define MEMORY_OF_WORKER   (64 * 1024)
#define MEMORY_OF_PARALLEL (512 * 1024)

/* how often the leader shows the progress of the workers that it waits for, ms */
#define PROGRESS_INTERVAL 1000

typedef struct BuildShared
{
	Oid  heap;
	Oid  index;
	bool concurrent;
	int  memory; /* kB for the postings of each participant */

	pg_atomic_uint64  entries; /* on pages that are written */
	ConditionVariable participant_done;
	slock_t           mutex;
	/* by those who are done */
	int    participants_done;
	double heap_tuples;
	int64  index_tuples;
	bool   broken_hot_chain;

	/* the descriptor of the table scan follows */
} BuildShared;

#define BuildSharedScan(shared) \
	((ParallelTableScanDesc) ((char *) (shared) + BUFFERALIGN(sizeof(BuildShared))))

struct ParallelBuild
{
	ParallelContext   *context;
	BuildShared       *shared;
	Sharedsort        *sharedsort;
	Snapshot           snapshot;
	WalUsage          *wal_usage;
	BufferUsage       *buffer_usage;
	int                participants;
	SortCoordinateData coordinate;
};

PGDLLEXPORT void biometric_build_worker(dsm_segment *segment, shm_toc *toc);

/* ---- what every participant does ----------------------------------------- */

static void
take_part(Relation heap, Relation index, IndexInfo *index_info, BuildShared *shared,
		  Sharedsort *sharedsort, bool reports)
{
	BuildState        *state = palloc0(sizeof(BuildState));
	SortCoordinateData coordinate;
	double             heap_tuples;

	coordinate.isWorker = true;
	coordinate.nParticipants = -1;
	coordinate.sharedsort = sharedsort;

	state->index = index;
	state->modality = biometric_modality(index);
	state->all_entries = &shared->entries;
	state->reports = reports;
	if (preselection_enabled(index))
		state->postings = posting_sort_begin(state->modality, shared->memory, &coordinate);

	heap_tuples = build_extract(state, heap, index_info,
								table_beginscan_parallel(heap, BuildSharedScan(shared)));
	if (state->postings != NULL)
	{
		posting_sort_perform(state->postings);
		posting_sort_end(state->postings);
	}

	SpinLockAcquire(&shared->mutex);
	shared->participants_done++;
	shared->heap_tuples += heap_tuples;
	shared->index_tuples += state->entries;
	if (index_info->ii_BrokenHotChain)
		shared->broken_hot_chain = true;
	SpinLockRelease(&shared->mutex);
	ConditionVariableSignal(&shared->participant_done);
	pfree(state);
}

/* A worker's main function */
void
biometric_build_worker(dsm_segment *segment, shm_toc *toc)
{
	BuildShared *shared = shm_toc_lookup(toc, KEY_BUILD, false);
	Sharedsort  *sharedsort = shm_toc_lookup(toc, KEY_SORT, false);
	WalUsage    *wal_usage = shm_toc_lookup(toc, KEY_WAL_USAGE, false);
	BufferUsage *buffer_usage = shm_toc_lookup(toc, KEY_BUFFER_USAGE, false);
	LOCKMODE     heap_lock = shared->concurrent ? ShareUpdateExclusiveLock : ShareLock;
	LOCKMODE     index_lock = shared->concurrent ? RowExclusiveLock : AccessExclusiveLock;
	Relation     heap, index;
	IndexInfo   *index_info;

	debug_query_string = shm_toc_lookup(toc, KEY_QUERY_TEXT, true);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);

	/* the leader has the same locks */
	heap = table_open(shared->heap, heap_lock);
	index = index_open(shared->index, index_lock);
	index_info = BuildIndexInfo(index);
	index_info->ii_Concurrent = shared->concurrent;
	tuplesort_attach_shared(sharedsort, segment);

	InstrStartParallelQuery();
	take_part(heap, index, index_info, shared, sharedsort, false);
	InstrEndParallelQuery(&buffer_usage[ParallelWorkerNumber], &wal_usage[ParallelWorkerNumber]);

	index_close(index, index_lock);
	table_close(heap, heap_lock);
}

/* ---- the leader ---------------------------------------------------------- */

/*
 * Whether a segment of dynamic shared memory can be allocated.  PostgreSQL
 * raises an error if the operating system has no more, but an index can be
 * built without workers.  So a segment of that size is allocated on trial, in a
 * subtransaction, and freed.
 */
static bool
shared_memory_available(Relation index, Size size)
{
	MemoryContext old_context = CurrentMemoryContext;
	ResourceOwner old_owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;
	dsm_segment *volatile segment = NULL;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment != NULL)
			dsm_detach(segment);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(old_context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old_context);
	CurrentResourceOwner = old_owner;

	if (error == NULL && segment != NULL)
		return true;
	if (error != NULL && (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
						  error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN))
		ReThrowError(error);
	ereport(WARNING, (errcode(error != NULL ? error->sqlerrcode : ERRCODE_INSUFFICIENT_RESOURCES),
					  errmsg("building index \"%s\" without parallel workers",
							 RelationGetRelationName(index)),
					  errdetail("Could not allocate %zu bytes of shared memory: %s", size,
								error != NULL ? error->message : "too many segments"),
					  errhint("Provide more dynamic shared memory, in a container by the size of "
							  "/dev/shm, or set max_parallel_maintenance_workers to 0.")));
	return false;
}

/* In parallel mode */
static void
leave(ParallelBuild *build)
{
	WaitForParallelWorkersToFinish(build->context);
	for (int i = 0; i < build->context->nworkers_launched; i++)
		InstrAccumParallelQuery(&build->buffer_usage[i], &build->wal_usage[i]);
	if (IsMVCCSnapshot(build->snapshot))
		UnregisterSnapshot(build->snapshot);
	DestroyParallelContext(build->context);
	ExitParallelMode();
	pfree(build);
}

ParallelBuild *
parallel_build_begin(Relation heap, Relation index, IndexInfo *index_info, int workers)
{
	ParallelBuild   *build;
	ParallelContext *context;
	BuildShared     *shared;
	Snapshot         snapshot = SnapshotAny;
	Size             shared_size, sort_size;
	Size             query_length = 0;

	/* a concurrent build indexes what one snapshot sees, others all rows that anybody may see */
	if (index_info->ii_Concurrent)
		snapshot = RegisterSnapshot(GetTransactionSnapshot());
	shared_size =
		add_size(BUFFERALIGN(sizeof(BuildShared)), table_parallelscan_estimate(heap, snapshot));
	sort_size = tuplesort_estimate_shared(workers + 1);
	if (!shared_memory_available(
			index, add_size(add_size(shared_size, sort_size),
							add_size(mul_size(workers, MEMORY_OF_WORKER), MEMORY_OF_PARALLEL))))
	{
		if (IsMVCCSnapshot(snapshot))
			UnregisterSnapshot(snapshot);
		return NULL;
	}

	EnterParallelMode();
	context = CreateParallelContext("biometric", "biometric_build_worker", workers);
	shm_toc_estimate_chunk(&context->estimator, shared_size);
	shm_toc_estimate_chunk(&context->estimator, sort_size);
	shm_toc_estimate_chunk(&context->estimator, mul_size(sizeof(WalUsage), workers));
	shm_toc_estimate_chunk(&context->estimator, mul_size(sizeof(BufferUsage), workers));
	shm_toc_estimate_keys(&context->estimator, 4);
	if (debug_query_string != NULL)
	{
		query_length = strlen(debug_query_string);
		shm_toc_estimate_chunk(&context->estimator, query_length + 1);
		shm_toc_estimate_keys(&context->estimator, 1);
	}
	InitializeParallelDSM(context);

	build = palloc0(sizeof(ParallelBuild));
	build->context = context;
	build->snapshot = snapshot;
	if (context->seg != NULL)
	{
		shared = shm_toc_allocate(context->toc, shared_size);
		memset(shared, 0, sizeof(BuildShared));
		shared->heap = RelationGetRelid(heap);
		shared->index = RelationGetRelid(index);
		shared->concurrent = index_info->ii_Concurrent;
		shared->memory = maintenance_work_mem / (workers + 1);
		pg_atomic_init_u64(&shared->entries, 0);
		ConditionVariableInit(&shared->participant_done);
		SpinLockInit(&shared->mutex);
		table_parallelscan_initialize(heap, BuildSharedScan(shared), snapshot);
		shm_toc_insert(context->toc, KEY_BUILD, shared);
		build->shared = shared;

		build->sharedsort = shm_toc_allocate(context->toc, sort_size);
		tuplesort_initialize_shared(build->sharedsort, workers + 1, context->seg);
		shm_toc_insert(context->toc, KEY_SORT, build->sharedsort);

		if (debug_query_string != NULL)
		{
			char *query = shm_toc_allocate(context->toc, query_length + 1);

			memcpy(query, debug_query_string, query_length + 1);
			shm_toc_insert(context->toc, KEY_QUERY_TEXT, query);
		}

		build->wal_usage = shm_toc_allocate(context->toc, mul_size(sizeof(WalUsage), workers));
		shm_toc_insert(context->toc, KEY_WAL_USAGE, build->wal_usage);
		build->buffer_usage =
			shm_toc_allocate(context->toc, mul_size(sizeof(BufferUsage), workers));
		shm_toc_insert(context->toc, KEY_BUFFER_USAGE, build->buffer_usage);

		LaunchParallelWorkers(context);
	}

	if (context->nworkers_launched == 0)
	{
		leave(build);
		ereport(WARNING, (errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
						  errmsg("building index \"%s\" without parallel workers",
								 RelationGetRelationName(index)),
						  errdetail("No background worker could be started."),
						  errhint("Raise max_worker_processes or max_parallel_workers, or set "
								  "max_parallel_maintenance_workers to 0.")));
		return NULL;
	}

	build->participants = context->nworkers_launched + 1;
	build->coordinate.isWorker = false;
	build->coordinate.nParticipants = build->participants;
	build->coordinate.sharedsort = build->sharedsort;
	return build;
}

void
parallel_build_extract(ParallelBuild *build, Relation heap, Relation index, IndexInfo *index_info,
					   double *heap_tuples, double *index_tuples)
{
	BuildShared *shared = build->shared;

	take_part(heap, index, index_info, shared, build->sharedsort, true);

	/*
	 * without this, the leader would wait for ever for a worker that fails
	 * before it begins
	 */
	WaitForParallelWorkersToAttach(build->context);

	ConditionVariablePrepareToSleep(&shared->participant_done);
	for (;;)
	{
		bool all_done;

		SpinLockAcquire(&shared->mutex);
		all_done = shared->participants_done == build->participants;
		*heap_tuples = shared->heap_tuples;
		*index_tuples = shared->index_tuples;
		index_info->ii_BrokenHotChain = shared->broken_hot_chain;
		SpinLockRelease(&shared->mutex);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE,
									 pg_atomic_read_u64(&shared->entries));
		if (all_done)
			break;
		ConditionVariableTimedSleep(&shared->participant_done, PROGRESS_INTERVAL,
									WAIT_EVENT_PARALLEL_CREATE_INDEX_SCAN);
	}
	ConditionVariableCancelSleep();
}

SortCoordinate
parallel_build_coordinate(ParallelBuild *build)
{
	return &build->coordinate;
}

void
parallel_build_end(ParallelBuild *build)
{
	leave(build);
}
