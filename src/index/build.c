/*
 * build.c
 *		CREATE INDEX and REINDEX.
 *
 * No other session sees the index while it is built.  One process or several
 * scan the table.  Each fills its own pages, one after the other, and appends
 * them to the index through shared buffers, without WAL.  So the first searches
 * find the pages cached.  Meanwhile it sorts the postings of its entries.  Then
 * the leader merges the postings of all into the leaves, and logs the finished
 * file in one go.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "commands/progress.h"
#include "index/build.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "storage/freespace.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* phases of pg_stat_progress_create_index; 1 is PostgreSQL's own */
#define PHASE_EXTRACT 2
#define PHASE_SORT    3
#define PHASE_WORDS   4
#define PHASE_LOG     5

char *
biometric_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case PHASE_EXTRACT:
			return "extracting features";
		case PHASE_SORT:
			return "sorting words";
		case PHASE_WORDS:
			return "writing words";
		case PHASE_LOG:
			return "writing WAL";
		default:
			return NULL;
	}
}

/* Appends the page to the index */
static BlockNumber
append_page(Relation index, Page page)
{
	Buffer      buffer = biometric_extend(index, MAIN_FORKNUM);
	BlockNumber block = BufferGetBlockNumber(buffer);

	memcpy(BufferGetPage(buffer), page, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	return block;
}

/* Appends the page being filled.  Now that its entries have a place they get their postings. */
static void
finish_page(BuildState *state)
{
	Page        page = state->page.data;
	int         entries = gallery_page_entries(page);
	BlockNumber block = append_page(state->index, page);
	uint64      done;

	for (OffsetNumber i = FirstOffsetNumber; state->postings != NULL && i <= entries; i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(state->index, block, page, i, &size);

		if (!(entry->flags & GALLERY_ENTRY_NULL) && EntryRefExists(block, i))
			posting_sort_add(state->postings, EntryRefMake(block, i), entry->features, size);
	}

	state->page_started = false;
	state->entries += entries;
	done = state->all_entries == NULL
			   ? state->entries
			   : pg_atomic_fetch_add_u64(state->all_entries, entries) + entries;
	if (state->reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool tuple_is_alive,
			   void *callback_state)
{
	BuildState   *state = callback_state;
	Page          page = state->page.data;
	MemoryContext old_context = MemoryContextSwitchTo(state->row_context);
	GalleryEntry  entry;
	Size          size;

	entry = gallery_form_entry(index, state->modality, values[0], isnull[0], tid, &size);
	if (!state->page_started || gallery_page_add(index, page, entry, size) == InvalidOffsetNumber)
	{
		if (state->page_started)
			finish_page(state);
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
		state->page_started = true;
		if (gallery_page_add(index, page, entry, size) == InvalidOffsetNumber)
			elog(ERROR, "could not add an entry to a page of index \"%s\"",
				 RelationGetRelationName(index));
	}

	MemoryContextSwitchTo(old_context);
	MemoryContextReset(state->row_context);
}

double
build_extract(BuildState *state, Relation heap, IndexInfo *index_info, TableScanDesc scan)
{
	double heap_tuples;

	state->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric build", ALLOCSET_DEFAULT_SIZES);
	heap_tuples = table_index_build_scan(heap, state->index, index_info, true, state->reports,
										 build_callback, state, scan);
	if (state->page_started)
		finish_page(state);
	MemoryContextDelete(state->row_context);
	return heap_tuples;
}

/* How many workers may help */
static int
workers_wanted(Relation heap, Relation index, IndexInfo *index_info)
{
#if PG_VERSION_NUM >= 170000
	return index_info->ii_ParallelWorkers;
#else
	/* before 17 PostgreSQL asks only for btree indexes */
	return plan_create_index_workers(RelationGetRelid(heap), RelationGetRelid(index));
#endif
}

IndexBuildResult *
biometric_build(Relation heap, Relation index, IndexInfo *index_info)
{
	const BiometricModality *modality = biometric_modality(index);
	IndexBuildResult        *result = palloc0(sizeof(IndexBuildResult));
	int                      workers = workers_wanted(heap, index, index_info);
	PostingSort             *postings = NULL;
	ParallelBuild           *parallel = NULL;
	bool                     has_words;
	PGAlignedBlock           page;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	biometric_init_meta_page(index, page.data);
	append_page(index, page.data);
	has_words = preselection_enabled(index);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_EXTRACT);
	if (heap->rd_rel->reltuples > 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
									 (int64) heap->rd_rel->reltuples);

	if (workers > 0)
		parallel = parallel_build_begin(heap, index, index_info, workers);
	if (parallel != NULL)
	{
		parallel_build_extract(parallel, heap, index, index_info, &result->heap_tuples,
							   &result->index_tuples);
		if (has_words)
			postings = posting_sort_begin(modality, maintenance_work_mem,
										  parallel_build_coordinate(parallel));
	}
	else
	{
		BuildState *state = palloc0(sizeof(BuildState));

		if (has_words)
			postings = posting_sort_begin(modality, maintenance_work_mem, NULL);
		state->index = index;
		state->modality = modality;
		state->postings = postings;
		state->reports = true;
		result->heap_tuples = build_extract(state, heap, index_info, NULL);
		result->index_tuples = state->entries;
		pfree(state);
	}

	if (has_words)
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_SORT);
		posting_sort_perform(postings);
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_WORDS);
		preselection_build(index, postings);
		posting_sort_end(postings);
	}
	if (parallel != NULL)
		parallel_build_end(parallel);

	/* so that the free space map has all pages that vacuum needs, also on a full disk */
	RecordPageWithFreeSpace(index, RelationGetNumberOfBlocks(index) - 1, 0);

	if (RelationNeedsWAL(index))
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_LOG);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}
	return result;
}

/*
 * The init fork of an unlogged index, which replaces it after a crash: a
 * metapage.  Unlike the rest of such an index it is logged.
 */
void
biometric_buildempty(Relation index)
{
	Buffer buffer = biometric_extend(index, INIT_FORKNUM);

	START_CRIT_SECTION();
	biometric_init_meta_page(index, BufferGetPage(buffer));
	MarkBufferDirty(buffer);
	log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}
