/*
 * vacuum.c
 *		Removing the entries of dead rows, and telling where there is room.
 *
 * One pass over all pages in block order.  No page is ever taken out of use:
 * one without entries is filled again.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "index/index.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "storage/indexfsm.h"
#include "utils/rel.h"

/* Room on a page for entries, as insert.c asks for it */
static Size
page_room(Page page)
{
	if (PageIsNew(page))
		return GALLERY_ENTRY_MAX_SIZE;
	return PageGetFreeSpace(page);
}

/*
 * Removes from one page what callback, if any, says is dead; counts the rest.
 */
static void
vacuum_page(IndexVacuumInfo *info, BlockNumber block, IndexBulkDeleteResult *stats,
			IndexBulkDeleteCallback callback, void *callback_state)
{
	Relation index = info->index;
	Buffer   buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, info->strategy);
	Page     page = BufferGetPage(buffer);
	OffsetNumber dead[GALLERY_PAGE_MAX_ENTRIES];
	int          ndead = 0;
	int          entries;
	Size         room;

	LockBuffer(buffer, callback != NULL ? BUFFER_LOCK_EXCLUSIVE : BUFFER_LOCK_SHARE);
	gallery_check_page(index, block, page);
	entries = gallery_page_entries(page);
	for (OffsetNumber i = FirstOffsetNumber; callback != NULL && i <= entries; i++)
	{
		Size         features_size;
		GalleryEntry entry = gallery_page_entry(index, block, page, i, &features_size);

		if (callback(&entry->tid, callback_state))
			dead[ndead++] = i;
	}

	if (ndead > 0)
	{
		GenericXLogState *wal = GenericXLogStart(index);

		PageIndexMultiDelete(GenericXLogRegisterBuffer(wal, buffer, 0), dead, ndead);
		GenericXLogFinish(wal);
	}

	room = page_room(page);
	if (entries == ndead)
		stats->pages_free++;
	UnlockReleaseBuffer(buffer);

	stats->tuples_removed += ndead;
	stats->num_index_tuples += entries - ndead;
	RecordPageWithFreeSpace(index, block, room);
}

static IndexBulkDeleteResult *
vacuum_pages(IndexVacuumInfo *info, IndexBulkDeleteResult *stats, IndexBulkDeleteCallback callback,
			 void *callback_state)
{
	BlockNumber block = BIOMETRIC_FIRST_BLOCK;
	BlockNumber blocks;

	/* what is in the index does not matter, only whose it is */
	biometric_open(info->index, true);

	if (stats == NULL)
		stats = palloc0(sizeof(IndexBulkDeleteResult));

	/* of several passes in one VACUUM the last one counts, removals add up */
	stats->num_index_tuples = 0;
	stats->pages_free = 0;
	stats->estimated_count = false;

	/*
	 * Rows that were inserted before this pass began and are dead by now may
	 * have had their entries put on pages that were added since we last looked
	 * at the size of the file.
	 */
	while (block < (blocks = RelationGetNumberOfBlocks(info->index)))
	{
		for (; block < blocks; block++)
		{
#if PG_VERSION_NUM >= 180000
			vacuum_delay_point(false);
#else
			vacuum_delay_point();
#endif
			vacuum_page(info, block, stats, callback, callback_state);
		}
	}
	stats->num_pages = blocks;
	IndexFreeSpaceMapVacuum(info->index);
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
