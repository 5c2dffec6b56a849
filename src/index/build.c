/*
 * build.c
 *		CREATE INDEX and REINDEX.
 *
 * Nobody else sees the index while it is built.  Pages are filled one after
 * the other and written through shared buffers, where the first searches find
 * them, without WAL; the finished file is logged in one go at the end.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xloginsert.h"
#include "commands/progress.h"
#include "index/index.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* phases of pg_stat_progress_create_index; 1 is PostgreSQL's own */
#define PHASE_EXTRACT 2
#define PHASE_LOG     3

typedef struct BuildState
{
	const BiometricModality *modality;
	MemoryContext            row_context; /* reset after each row */
	int64                    entries;
	bool                     page_started;
	PGAlignedBlock           page; /* the page being filled */
} BuildState;

char *
biometric_buildphasename(int64 phase)
{
	switch (phase)
	{
		case PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE:
			return "initializing";
		case PHASE_EXTRACT:
			return "extracting features";
		case PHASE_LOG:
			return "writing WAL";
		default:
			return NULL;
	}
}

/* Appends the page to the index */
static void
append_page(Relation index, Page page)
{
	Buffer buffer = biometric_extend(index, MAIN_FORKNUM);

	memcpy(BufferGetPage(buffer), page, BLCKSZ);
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
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
	if (state->page_started && PageGetFreeSpace(page) < MAXALIGN(size))
	{
		append_page(index, page);
		state->page_started = false;
	}
	if (!state->page_started)
	{
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
		state->page_started = true;
	}
	if (PageAddItem(page, (Item) entry, size, InvalidOffsetNumber, false, false) ==
		InvalidOffsetNumber)
		elog(ERROR, "could not add an entry to a page of index \"%s\"",
			 RelationGetRelationName(index));

	pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_DONE, ++state->entries);
	MemoryContextSwitchTo(old_context);
	MemoryContextReset(state->row_context);
}

IndexBuildResult *
biometric_build(Relation heap, Relation index, IndexInfo *index_info)
{
	BuildState       *state = palloc0(sizeof(BuildState));
	IndexBuildResult *result = palloc0(sizeof(IndexBuildResult));

	if (RelationGetNumberOfBlocks(index) != 0)
		elog(ERROR, "index \"%s\" already contains data", RelationGetRelationName(index));

	state->modality = biometric_modality(index);
	state->row_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric build", ALLOCSET_DEFAULT_SIZES);

	biometric_init_meta_page(state->page.data, state->modality);
	append_page(index, state->page.data);

	pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_EXTRACT);
	if (heap->rd_rel->reltuples > 0)
		pgstat_progress_update_param(PROGRESS_CREATEIDX_TUPLES_TOTAL,
									 (int64) heap->rd_rel->reltuples);
	result->heap_tuples =
		table_index_build_scan(heap, index, index_info, true, true, build_callback, state, NULL);
	result->index_tuples = state->entries;
	if (state->page_started)
		append_page(index, state->page.data);

	if (RelationNeedsWAL(index))
	{
		pgstat_progress_update_param(PROGRESS_CREATEIDX_SUBPHASE, PHASE_LOG);
		log_newpage_range(index, MAIN_FORKNUM, 0, RelationGetNumberOfBlocks(index), true);
	}

	MemoryContextDelete(state->row_context);
	pfree(state);
	return result;
}

/*
 * The init fork of an unlogged index, which replaces it after a crash: a
 * metapage.  Unlike the rest of such an index it is logged.
 */
void
biometric_buildempty(Relation index)
{
	const BiometricModality *modality = biometric_modality(index);
	Buffer                   buffer = biometric_extend(index, INIT_FORKNUM);

	START_CRIT_SECTION();
	biometric_init_meta_page(BufferGetPage(buffer), modality);
	MarkBufferDirty(buffer);
	log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
}
