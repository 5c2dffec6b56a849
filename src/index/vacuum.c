/*
 * vacuum.c
 *		Removing the entries of dead rows and their postings, and telling where
 *		there is room.
 *
 * Gallery pages are taken in ranges of blocks for whose dead entries memory
 * suffices; usually one range is the whole index.  In each the dead entries are
 * found, then one pass over the leaves takes away the postings of those that
 * have some, then they are removed.  No page is ever taken out of use: one
 * without entries is filled again.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "postmaster/autovacuum.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 170000
#define AmAutoVacuumWorkerProcess() IsAutoVacuumWorkerProcess()
#endif

/* the pending list is looked at whenever so many pages have been dealt with */
#define MERGE_INTERVAL 256

typedef struct VacuumState
{
	IndexVacuumInfo         *info;
	IndexBulkDeleteResult   *stats;
	IndexBulkDeleteCallback  callback; /* NULL if nothing is dead */
	void                    *callback_state;
	const BiometricModality *modality; /* NULL if pending entries cannot be merged */
	bool                     preselection;
	int                      memory; /* kB */
	int                      pending_limit;
	int                      steps;

	/* of the blocks from first on: a bit for each offset of entries whose postings are to go */
	BlockNumber first;
	BlockNumber nblocks;
	uint16     *dead;
	int64       ndead;
} VacuumState;

/* Between pages: rests, and keeps the pending list short while nobody else can */
static void
between_pages(VacuumState *state)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
	if (state->modality != NULL && ++state->steps % MERGE_INTERVAL == 0 &&
		pending_count(state->info->index) >= state->pending_limit)
		preselection_merge_pending(state->info->index, state->modality, state->memory / 2);
}

static Buffer
read_page(VacuumState *state, BlockNumber block, int lock)
{
	Buffer buffer = ReadBufferExtended(state->info->index, MAIN_FORKNUM, block, RBM_NORMAL,
									   state->info->strategy);

	LockBuffer(buffer, lock);
	return buffer;
}

/*
 * Removes from one page what the callback says is dead and has no postings, and
 * gives the flag DEAD to what has some; counts the rest.
 */
static void
vacuum_page(VacuumState *state, BlockNumber block)
{
	Relation               index = state->info->index;
	IndexBulkDeleteResult *stats = state->stats;
	Buffer                 buffer = read_page(state, block,
                              state->callback != NULL ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE);
	Page                   page = BufferGetPage(buffer);
	BiometricPageKind      kind = biometric_page_kind(index, block, page);
	OffsetNumber           gone[GALLERY_PAGE_MAX_ENTRIES];
	OffsetNumber           dying[GALLERY_PAGE_MAX_ENTRIES];
	int                    ngone = 0;
	int                    ndying = 0;
	int                    live = 0;
	int                    entries;
	Size                   room;

	if (kind != BIOMETRIC_GALLERY_PAGE && kind != 0)
	{
		if (kind == BIOMETRIC_FREE_PAGE)
			stats->pages_free++;
		UnlockReleaseBuffer(buffer);
		RecordPageWithFreeSpace(index, block, 0);
		return;
	}

	entries = gallery_page_entries(page);
	for (OffsetNumber i = FirstOffsetNumber; i <= entries; i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(index, block, page, i, &size);

		if (entry == NULL)
			continue;
		if (!(entry->flags & GALLERY_ENTRY_DEAD) &&
			(state->callback == NULL || !state->callback(&entry->tid, state->callback_state)))
		{
			live++;
			continue;
		}
		if (state->callback == NULL)
			continue;
		if (((entry->flags & GALLERY_ENTRY_DEAD) && EntryRefExists(block, i)) ||
			(state->preselection &&
			 !(entry->flags & (GALLERY_ENTRY_NULL | GALLERY_ENTRY_PENDING)) &&
			 EntryRefExists(block, i)))
		{
			if (!(entry->flags & GALLERY_ENTRY_DEAD))
				dying[ndying++] = i;
			state->dead[block - state->first] |= 1 << (i - 1);
			state->ndead++;
		}
		else
			gone[ngone++] = i;
	}

	if (ngone + ndying > 0)
	{
		GenericXLogState *wal = GenericXLogStart(index);

		page = GenericXLogRegisterBuffer(wal, buffer, 0);
		for (int i = 0; i < ndying; i++)
		{
			Size size;

			gallery_page_entry(index, block, page, dying[i], &size)->flags |= GALLERY_ENTRY_DEAD;
		}
		while (ngone > 0)
		{
			gallery_page_remove(page, gone[--ngone]);
			stats->tuples_removed++;
		}
		GenericXLogFinish(wal);
		page = BufferGetPage(buffer);
	}

	room = gallery_page_room(page);
	if (gallery_page_entries(page) == 0)
		stats->pages_free++;
	UnlockReleaseBuffer(buffer);
	stats->num_index_tuples += live;
	RecordPageWithFreeSpace(index, block, room);
}

/* Whether the entry of a posting is to go */
static bool
posting_is_dead(const VacuumState *state, Posting posting)
{
	EntryRef    ref = PostingRef(posting);
	BlockNumber block = EntryRefBlock(ref);

	return block >= state->first && block - state->first < state->nblocks &&
		   (state->dead[block - state->first] >> (EntryRefOffset(ref) - 1) & 1) != 0;
}

/* Removes the postings of dead entries.  Returns how many. */
static int64
vacuum_leaves(VacuumState *state)
{
	Relation              index = state->info->index;
	BlockNumber           blocks = 0;
	BiometricMetaPageData meta;
	BlockNumber           block;
	uint64                low = 0;
	int64                 removed = 0;

	biometric_read_meta(index, &meta);
	for (block = meta.first_leaf; block != 0;)
	{
		Buffer   buffer;
		WordPage words;
		int      n = 0;

		between_pages(state);
		buffer = word_page_read(index, &blocks, block, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_EXCLUSIVE);
		words = BiometricPageGetWords(BufferGetPage(buffer));
		if (words->low != low)
			biometric_page_corrupted(index, block,
									 "It does not begin where its left sibling ends.");
		for (int i = 0; i < words->count; i++)
			n += posting_is_dead(state, words->items[i]);
		if (n > 0)
		{
			GenericXLogState *wal = GenericXLogStart(index);
			Page              page = GenericXLogRegisterBuffer(wal, buffer, 0);
			int               sorted = 0;
			int               kept = 0;

			words = BiometricPageGetWords(page);
			for (int i = 0; i < words->count; i++)
			{
				if (posting_is_dead(state, words->items[i]))
					continue;
				sorted += i < words->sorted;
				words->items[kept++] = words->items[i];
			}
			words->count = kept;
			words->sorted = sorted;
			((PageHeader) page)->pd_lower = (char *) (words->items + kept) - (char *) page;
			GenericXLogFinish(wal);
			words = BiometricPageGetWords(BufferGetPage(buffer));
			removed += n;
		}
		low = words->high;
		block = words->right;
		UnlockReleaseBuffer(buffer);
	}
	return removed;
}

/* Removes the dead entries, to which no posting leads any more, from a page */
static void
remove_dead(VacuumState *state, BlockNumber block)
{
	Relation          index = state->info->index;
	Buffer            buffer = read_page(state, block, BUFFER_LOCK_EXCLUSIVE);
	GenericXLogState *wal;
	Page              page;
	Size              room;

	gallery_check_page(index, block, BufferGetPage(buffer));
	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	for (OffsetNumber i = gallery_page_entries(page); i >= FirstOffsetNumber; i--)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(index, block, page, i, &size);

		if (entry != NULL && (entry->flags & GALLERY_ENTRY_DEAD) && i <= GALLERY_TEMPLATE_OFFSETS &&
			(state->dead[block - state->first] >> (i - 1) & 1) != 0)
		{
			gallery_page_remove(page, i);
			state->stats->tuples_removed++;
		}
	}
	GenericXLogFinish(wal);
	page = BufferGetPage(buffer);
	room = gallery_page_room(page);
	if (gallery_page_entries(page) == 0)
		state->stats->pages_free++;
	UnlockReleaseBuffer(buffer);
	RecordPageWithFreeSpace(index, block, room);
}

static IndexBulkDeleteResult *
vacuum_pages(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
			 void *callback_state)
{
	Relation              index = info->index;
	BiometricOptions     *options = (BiometricOptions *) index->rd_options;
	VacuumState           state = {0};
	BiometricMetaPageData meta;
	BlockNumber           block = BIOMETRIC_FIRST_BLOCK;
	BlockNumber           blocks;
	BlockNumber           max_blocks;

	/* what is in the index does not matter, only whose it is */
	const BiometricModality *modality = biometric_open(index, true);

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));

	/* of several passes in one VACUUM the last one counts, removals add up */
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	stats->estimated_count = false;

	state.info = info;
	state.stats = stats;
	state.callback = callback;
	state.callback_state = callback_state;
	state.memory = AmAutoVacuumWorkerProcess() && autovacuum_work_mem != -1 ? autovacuum_work_mem
																			: maintenance_work_mem;
	state.pending_limit =
		options != NULL ? options->pending_limit : BIOMETRIC_DEFAULT_PENDING_LIMIT;
	biometric_read_meta(index, &meta);
	state.preselection = (meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
	if (state.preselection)
	{
		/* features of another version have other words */
		if (meta.features_version == modality->features_version)
			state.modality = modality;
		preselection_lock(index, true);
		if (state.modality != NULL)
			preselection_merge_pending(index, modality, state.memory / 2);
	}

	max_blocks =
		(BlockNumber) Min((int64) state.memory * 1024 / 2 / sizeof(uint16), MaxBlockNumber);

	/*
	 * Rows that were inserted before this pass began and are dead by now may
	 * have had their entries put on pages that were added since we last looked
	 * at the size of the file.
	 */
	while (block < (blocks = RelationGetNumberOfBlocks(index)))
	{
		state.first = block;
		state.nblocks = Min(blocks - block, max_blocks);
		state.dead =
			MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint16) * (Size) state.nblocks,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		state.ndead = 0;
		for (; block < state.first + state.nblocks; block++)
		{
			between_pages(&state);
			vacuum_page(&state, block);
		}
		if (state.ndead > 0)
		{
			int64 postings = state.preselection ? vacuum_leaves(&state) : 0;

			for (BlockNumber b = 0; b < state.nblocks; b++)
			{
				if (state.dead[b] == 0)
					continue;
				between_pages(&state);
				remove_dead(&state, state.first + b);
			}
			preselection_removed(index, postings, state.ndead);
		}
		pfree(state.dead);
	}
	if (state.preselection)
		preselection_unlock(index);
	stats->num_pages = blocks;
	IndexFreeSpaceMapVacuum(index);
	return stats;
}

/* Also the validation of CREATE INDEX CONCURRENTLY, which collects all TIDs */
IndexBulkDeleteResult *
biometric_bulkdelete(IndexVacuumInfo *info, IndexBulkDeleteResult *stats,
					 IndexBulkDeleteCallback callback, void *callback_state)
{
	return vacuum_pages(info, stats, callback, callback_state);
}

IndexBulkDeleteResult *
biometric_vacuumcleanup(IndexVacuumInfo *info, IndexBulkDeleteResult *stats)
{
	if (info->analyze_only)
		return stats;

	/* nothing was dead: count, and find the room that insertions left */
	if (stats == NULL)
		stats = vacuum_pages(info, NULL, NULL, NULL);
	return stats;
}
