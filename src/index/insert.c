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
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "storage/freespace.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * Puts the entry on a page, pinned and locked exclusively, if it fits, and its
 * reference into the pending list, if the index has pre-selection.  Returns
 * whether it did; otherwise *free_space is the room that there is.
 */
static bool
add_to_page(Relation index, bool preselection, Buffer buffer, GalleryEntry entry, Size size,
			Size *free_space)
{
	BlockNumber       block = BufferGetBlockNumber(buffer);
	bool              is_new = PageIsNew(BufferGetPage(buffer));
	bool              pending;
	Buffer            pending_buffer = InvalidBuffer;
	GenericXLogState *wal;
	Page              page;
	OffsetNumber      offset;

	/* after a crash the free space map may name pages that became others */
	if (biometric_page_kind(index, block, BufferGetPage(buffer)) != BIOMETRIC_GALLERY_PAGE &&
		!is_new)
	{
		*free_space = 0;
		return false;
	}
	if (!is_new)
	{
		*free_space = gallery_page_room(BufferGetPage(buffer));
		if (*free_space < MAXALIGN(size))
			return false;
	}

	pending = preselection && !(entry->flags & GALLERY_ENTRY_NULL) &&
			  EntryRefExists(block, FirstOffsetNumber);
	if (pending)
	{
		pending_buffer = pending_lock_last(index);
		entry->flags |= GALLERY_ENTRY_PENDING;
	}
	else
		entry->flags &= ~GALLERY_ENTRY_PENDING;

	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (is_new)
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
	offset = gallery_page_add(index, page, entry, size);
	if (offset == InvalidOffsetNumber)
		elog(ERROR, "could not add an entry to a page of index \"%s\"",
			 RelationGetRelationName(index));
	if (pending)
		pending_add(GenericXLogRegisterBuffer(wal, pending_buffer, 0), EntryRefMake(block, offset));
	GenericXLogFinish(wal);
	if (pending)
		UnlockReleaseBuffer(pending_buffer);
	return true;
}

static void
insert_entry(Relation index, bool preselection, GalleryEntry entry, Size size)
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
			added = add_to_page(index, preselection, buffer, entry, size, &free_space);
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
	if (!add_to_page(index, preselection, buffer, entry, size, &free_space))
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
	MemoryContext            old_context = MemoryContextSwitchTo(insert_context);
	const BiometricModality *modality = biometric_open(index, false);
	BiometricOptions        *options = (BiometricOptions *) index->rd_options;
	int          limit = options != NULL ? options->pending_limit : BIOMETRIC_DEFAULT_PENDING_LIMIT;
	bool         preselection = preselection_enabled(index);
	GalleryEntry entry;
	Size         size;

	entry = gallery_form_entry(index, modality, values[0], isnull[0], tid, &size);
	insert_entry(index, preselection, entry, size);

	/* whoever finds the list long shortens it, unless somebody does already */
	if (preselection && pending_count(index) >= limit && preselection_lock(index, false))
	{
		if (pending_count(index) >= limit)
			preselection_merge_pending(index, modality, work_mem);
		preselection_unlock(index);
	}

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(insert_context);
	return false;
}
