/*
 * vacuum.c
 *		Removing the entries of dead rows and their postings, and recording free
 *		space.
 *
 * Gallery pages are processed in ranges of blocks, so that the dead entries of
 * a range fit in memory; usually one range is the whole index.  In each range
 * vacuum finds the dead entries, then removes their postings in one pass over
 * young pages and leaves, then removes the entries with their sketches.  A page without entries
 * stays a gallery page and is filled again.
 *
 * Vacuum needs no new page, so it makes room for entries even if the disk is full.  An
 * insertion may need a page for the pending list too, for which vacuum makes no room.
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

typedef struct VacuumState
{
	IndexVacuumInfo        *info;
	IndexBulkDeleteResult  *stats;
	IndexBulkDeleteCallback callback; /* NULL if nothing is dead */
	void                   *callback_state;
	BiometricMetaPageData   meta; /* as it was before */
	bool                    preselection;

	/* of the blocks from first on: a bit for each offset of entries whose postings are to go */
	BlockNumber first;
	BlockNumber nblocks;
	uint32     *dead;
	int64       ndead;
} VacuumState;

static void
rest(void)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
}

static Buffer
read_page(VacuumState *state, BlockNumber block)
{
	return ReadBufferExtended(state->info->index, MAIN_FORKNUM, block, RBM_NORMAL,
							  state->info->strategy);
}

/* Reads and locks a page, and before it the sketch page of its group if it may be a gallery page */
static Buffer
lock_page(VacuumState *state, BlockNumber block, int lock, Buffer *sketch_buffer)
{
	Buffer buffer = read_page(state, block);

	*sketch_buffer = InvalidBuffer;
	if (gallery_may_be_at(&state->meta, block))
	{
		BlockNumber sketch_block = sketch_block_of(&state->meta, block);

		*sketch_buffer = read_page(state, sketch_block);
		LockBuffer(*sketch_buffer, lock);
		sketch_check_page(state->info->index, sketch_block, BufferGetPage(*sketch_buffer));
	}
	LockBuffer(buffer, lock);
	return buffer;
}

/* Counts a gallery page, unlocks it and its sketch page, and records its room */
static void
end_page(VacuumState *state, Buffer sketch_buffer, Buffer buffer)
{
	BlockNumber block = BufferGetBlockNumber(buffer);
	Page        page = BufferGetPage(buffer);
	Size        room = sketch_limit_room(&state->meta, BufferGetPage(sketch_buffer),
										 gallery_page_room(page, false));

	if (gallery_page_entries(page) == 0)
		state->stats->pages_free++;
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(sketch_buffer);
	RecordPageWithFreeSpace(state->info->index, block, room);
}

/* Removes an entry and its sketch, if it has one, from the pages */
static void
remove_entry(VacuumState *state, Page sketch_page, Page page, BlockNumber block, OffsetNumber i)
{
	if (i <= GALLERY_TEMPLATE_OFFSETS)
		sketch_page_remove(state->info->index, &state->meta, sketch_block_of(&state->meta, block),
						   sketch_page, block, i);
	gallery_page_remove(page, i);
	state->stats->tuples_removed++;
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
	int               lock = state->callback != NULL ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE;
	Buffer            sketch_buffer;
	Buffer            buffer = lock_page(state, block, lock, &sketch_buffer);
	Page              page = BufferGetPage(buffer);
	BiometricPageKind kind = biometric_page_kind(index, block, page);
	OffsetNumber      gone[GALLERY_PAGE_MAX_ENTRIES];
	OffsetNumber      dying[GALLERY_PAGE_MAX_ENTRIES];
	int               ngone = 0;
	int               ndying = 0;
	int               live = 0;
	int               entries;

	if (!BufferIsValid(sketch_buffer) || (kind != BIOMETRIC_GALLERY_PAGE && kind != 0))
	{
		if (kind == BIOMETRIC_FREE_PAGE)
			stats->pages_free++;
		UnlockReleaseBuffer(buffer);
		if (BufferIsValid(sketch_buffer))
			UnlockReleaseBuffer(sketch_buffer);
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
			state->dead[block - state->first] |= (uint32) 1 << (i - 1);
			state->ndead++;
		}
		else
			gone[ngone++] = i;
	}

	if (ngone + ndying > 0)
	{
		GenericXLogState *wal = GenericXLogStart(index);
		Page              sketch_page = GenericXLogRegisterBuffer(wal, sketch_buffer, 0);

		page = GenericXLogRegisterBuffer(wal, buffer, 0);
		for (int i = 0; i < ndying; i++)
		{
			Size size;

			gallery_page_entry(index, block, page, dying[i], &size)->flags |= GALLERY_ENTRY_DEAD;
		}
		while (ngone > 0)
			remove_entry(state, sketch_page, page, block, gone[--ngone]);
		GenericXLogFinish(wal);
	}
	stats->num_index_tuples += live;
	end_page(state, sketch_buffer, buffer);
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

/*
 * Removes the postings of dead entries from a page, locked exclusively.  Returns
 * how many.
 */
static int
vacuum_postings(VacuumState *state, Buffer buffer)
{
	WordPage          words = BiometricPageGetWords(BufferGetPage(buffer));
	GenericXLogState *wal;
	Page              page;
	int               n = 0;
	int               sorted = 0;
	int               kept = 0;

	for (int i = 0; i < words->count; i++)
		n += posting_is_dead(state, words->items[i]);
	if (n == 0)
		return 0;

	wal = GenericXLogStart(state->info->index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
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
	return n;
}

/* A young page */
static void
vacuum_young(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	if (BufferIsValid(buffer))
		vacuum_postings(argument, buffer);
}

/* Removes the postings of dead entries.  Returns how many were in leaves. */
static int64
vacuum_words(VacuumState *state)
{
	Relation              index = state->info->index;
	BlockNumber           blocks = 0;
	BiometricMetaPageData meta;
	BlockNumber           block;
	uint64                low = 0;
	int64                 removed = 0;

	/* in this order: a merge takes them from young pages to leaves */
	list_read(index, BIOMETRIC_YOUNG_PAGE, NULL, BUFFER_LOCK_EXCLUSIVE, vacuum_young, state);
	biometric_read_meta(index, &meta);
	for (block = meta.first_leaf; block != 0;)
	{
		Buffer   buffer;
		WordPage words;

		rest();
		buffer = word_page_read(index, &blocks, block, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_EXCLUSIVE);
		words = BiometricPageGetWords(BufferGetPage(buffer));
		if (words->low != low)
			biometric_page_corrupted(index, block,
									 "It does not begin where its left sibling ends.");
		removed += vacuum_postings(state, buffer);
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
	Buffer            sketch_buffer;
	Buffer            buffer = lock_page(state, block, BUFFER_LOCK_EXCLUSIVE, &sketch_buffer);
	GenericXLogState *wal;
	Page              sketch_page;
	Page              page;

	gallery_check_page(index, block, BufferGetPage(buffer));
	wal = GenericXLogStart(index);
	sketch_page = GenericXLogRegisterBuffer(wal, sketch_buffer, 0);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	for (OffsetNumber i = gallery_page_entries(page); i >= FirstOffsetNumber; i--)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(index, block, page, i, &size);

		if (entry != NULL && (entry->flags & GALLERY_ENTRY_DEAD) && i <= GALLERY_TEMPLATE_OFFSETS &&
			(state->dead[block - state->first] >> (i - 1) & 1) != 0)
			remove_entry(state, sketch_page, page, block, i);
	}
	GenericXLogFinish(wal);
	end_page(state, sketch_buffer, buffer);
}

/* From now on no running scan sets the flag KILLED: the TIDs of removed entries may be reused */
static void
count_vacuum(Relation index)
{
	Buffer            buffer = biometric_lock_meta(index);
	GenericXLogState *wal = GenericXLogStart(index);

	BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, buffer, 0))->vacuums++;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

static IndexBulkDeleteResult *
vacuum_pages(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
			 void *callback_state)
{
	Relation    index = info->index;
	VacuumState state = {0};
	BlockNumber block = BIOMETRIC_FIRST_BLOCK;
	BlockNumber blocks;
	BlockNumber max_blocks;
	int memory = AmAutoVacuumWorkerProcess() && autovacuum_work_mem != -1 ? autovacuum_work_mem
																		  : maintenance_work_mem;

	/* the version of the features does not matter here */
	biometric_open(index, true, &state.meta);

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
	state.preselection = (state.meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
	max_blocks = (BlockNumber) Min((int64) memory * 1024 / 2 / sizeof(uint32), MaxBlockNumber);

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
			MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (Size) state.nblocks,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		state.ndead = 0;
		for (; block < state.first + state.nblocks; block++)
		{
			rest();
			vacuum_page(&state, block);
		}
		if (state.ndead > 0)
		{
			int64 postings = state.preselection ? vacuum_words(&state) : 0;

			for (BlockNumber b = 0; b < state.nblocks; b++)
			{
				if (state.dead[b] == 0)
					continue;
				rest();
				remove_dead(&state, state.first + b);
			}
			preselection_removed(index, postings, state.ndead);
		}
		pfree(state.dead);
	}

	/* a scan that has begun meanwhile may have seen what was removed */
	if (callback != NULL)
		count_vacuum(index);
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
