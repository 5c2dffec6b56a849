/*
 * build.c
 *		CREATE INDEX and REINDEX.
 *
 * No other session sees the index while it is built.  One process or several
 * scan the table.  Each appends gallery pages of its own to the index, one after the
 * other, and fills them.  The sketch pages are filled by all.  This goes through shared
 * buffers, without WAL.  So the first searches find the pages cached.  Meanwhile it sorts the postings of its entries.  Then
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

/* Writes the page being filled.  Its entries get their postings. */
static void
finish_page(BuildState *state)
{
	Page   page = state->page.data;
	int    entries = gallery_page_entries(page);
	Buffer buffer = ReadBuffer(state->index, state->block);
	uint64 done;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	memcpy(BufferGetPage(buffer), page, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);

	for (OffsetNumber i = FirstOffsetNumber; state->postings != NULL && i <= entries; i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(state->index, state->block, page, i, &size);

		if (!(entry->flags & GALLERY_ENTRY_NULL) && EntryRefExists(state->block, i))
			posting_sort_add(state->postings, EntryRefMake(state->block, i), entry->features, size);
	}

	state->block = InvalidBlockNumber;
	state->entries += entries;
	done = state->all_entries == NULL
			   ? state->entries
			   : pg_atomic_fetch_add_u64(state->all_entries, entries) + entries;
	if (state->reports)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, done);
}

/* Begins with a new page, which only this process writes */
static void
begin_page(BuildState *state)
{
	Buffer buffer = biometric_new_page(state->index, &state->meta);

	state->block = BufferGetBlockNumber(buffer);
	UnlockReleaseBuffer(buffer);
	biometric_init_page(state->page.data, BIOMETRIC_GALLERY_PAGE);
}

/*
 * Adds an entry to the page being filled, and its sketch, NULL if it has none.  False if
 * there is no room for both.
 */
static bool
add_entry(BuildState *state, GalleryEntry entry, Size size, SketchEntry sketch, Size sketch_size)
{
	Relation     index = state->index;
	Page         page = state->page.data;
	OffsetNumber offset;
	Buffer       buffer;
	Page         sketch_page;
	bool         fits;

	if (sketch == NULL)
		return gallery_page_add(index, page, entry, size) != InvalidOffsetNumber;
	if (gallery_page_room(page, false) < MAXALIGN(size))
		return false;

	buffer = ReadBuffer(index, sketch_block_of(&state->meta, state->block));
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	sketch_page = BufferGetPage(buffer);
	fits = sketch_page_room(sketch_page) >= MAXALIGN(sketch_size);
	if (fits)
	{
		offset = gallery_page_add(index, page, entry, size);
		if (offset == InvalidOffsetNumber)
			elog(ERROR, "could not add an entry to a page of index \"%s\"",
				 RelationGetRelationName(index));
		if (PageIsNew(sketch_page))
			biometric_init_page(sketch_page, BIOMETRIC_SKETCH_PAGE);
		sketch_page_add(index, &state->meta, sketch_page, sketch, sketch_size, state->block,
						offset);
		MarkBufferDirty(buffer);
	}
	UnlockReleaseBuffer(buffer);
	return fits;
}

static void
build_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool tuple_is_alive,
			   void *callback_state)
{
	BuildState   *state = callback_state;
	MemoryContext old_context = MemoryContextSwitchTo(state->row_context);
	Size          size;
	Size          sketch_size = 0;
	SketchEntry   sketch = NULL;
	GalleryEntry  entry =
		gallery_form_entry(index, state->modality, values[0], isnull[0], tid, &size);

	if (!isnull[0])
		sketch = sketch_form_entry(state->modality, entry, size, &sketch_size);
	if (state->block == InvalidBlockNumber)
		begin_page(state);
	while (!add_entry(state, entry, size, sketch, sketch_size))
	{
		CHECK_FOR_INTERRUPTS();
		finish_page(state);
		begin_page(state);
	}

	MemoryContextSwitchTo(old_context);
	MemoryContextReset(state->row_context);
}

double
build_extract(BuildState *state, Relation heap, IndexInfo *index_info, TableScanDesc scan)
{
	double heap_tuples;

	biometric_read_meta(state->index, &state->meta);
	state->block = InvalidBlockNumber;
	state->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric build", ALLOCSET_DEFAULT_SIZES);
	heap_tuples = table_index_build_scan(heap, state->index, index_info, true, state->reports,
										 build_callback, state, scan);
	if (state->block != InvalidBlockNumber)
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
	Buffer                   buffer;

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	buffer = biometric_extend(index, MAIN_FORKNUM);
	biometric_init_meta_page(index, BufferGetPage(buffer));
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
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
