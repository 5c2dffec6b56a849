/*
 * insert.c
 *		A new row's entry.
 *
 * The entry goes to any page with room.  In this order: the page that this
 * backend used last, one that the free space map offers, the last page of the
 * file, a new page.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "index/index.h"
#include "storage/freespace.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Puts the entry on a page, pinned and locked exclusively, if it fits.  Returns
 * whether it did; otherwise *free_space is the room that there is.
 */
static bool
add_to_page(Relation index, Buffer buffer, GalleryEntry entry, Size size, Size *free_space)
{
	bool              is_new = PageIsNew(BufferGetPage(buffer));
	GenericXLogState *wal;
	Page              page;

	gallery_check_page(index, BufferGetBlockNumber(buffer), BufferGetPage(buffer));
	if (!is_new)
	{
		*free_space = PageGetFreeSpace(BufferGetPage(buffer));
		if (*free_space < MAXALIGN(size))
			return false;
	}

	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (is_new)
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
	if (PageAddItem(page, (Item) entry, size, InvalidOffsetNumber, false, false) ==
		InvalidOffsetNumber)
		elog(ERROR, "could not add an entry to a page of index \"%s\"",
			 RelationGetRelationName(index));
	GenericXLogFinish(wal);
	return true;
}

static void
insert_entry(Relation index, GalleryEntry entry, Size size)
{
	BlockNumber block = RelationGetTargetBlock(index);
	bool        tried_last = false;
	Buffer      buffer;
	Size        free_space;

	if (block == InvalidBlockNumber)
		block = GetPageWithFreeSpace(index, MAXALIGN(size));

	for (;;)
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(index);

		if (block == InvalidBlockNumber)
		{
			/* others may have just begun a page that the map does not know */
			if (tried_last || blocks <= BIOMETRIC_FIRST_BLOCK)
				break;
			tried_last = true;
			block = blocks - 1;
		}

		/* the free space map is not crash safe: it may name blocks that are not there */
		free_space = 0;
		if (block >= BIOMETRIC_FIRST_BLOCK && block < blocks)
		{
			bool added;

			buffer = ReadBuffer(index, block);
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			added = add_to_page(index, buffer, entry, size, &free_space);
			UnlockReleaseBuffer(buffer);
			if (added)
			{
				RelationSetTargetBlock(index, block);
				return;
			}
		}
		if (tried_last)
			break;
		block = RecordAndGetPageWithFreeSpace(index, block, free_space, MAXALIGN(size));
	}

	buffer = biometric_extend(index, MAIN_FORKNUM);
	block = BufferGetBlockNumber(buffer);
	if (!add_to_page(index, buffer, entry, size, &free_space))
		elog(ERROR, "entry does not fit a new page of index \"%s\"",
			 RelationGetRelationName(index));
	UnlockReleaseBuffer(buffer);
	RelationSetTargetBlock(index, block);
}

bool
biometric_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
				 IndexUniqueCheck check_unique, bool unchanged, IndexInfo *index_info)
{
	MemoryContext insert_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric insert", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(insert_context);
	GalleryEntry  entry;
	Size          size;

	entry =
		gallery_form_entry(index, biometric_open(index, false), values[0], isnull[0], tid, &size);
	insert_entry(index, entry, size);

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(insert_context);
	return false;
}
