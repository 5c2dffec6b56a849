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

/* What one insertion does */
typedef struct Insertion
{
	Relation     index;
	bool         preselection;
	int          pending_limit;
	GalleryEntry entry;
	Size         size;
	int          inserted; /* the place on its page of the pending reference; 0 if there is none */
} Insertion;

/*
 * Puts the entry on a page, pinned and locked exclusively, if it fits, and its
 * reference into the pending list, if the index has pre-selection.  Returns
 * whether it did; otherwise *free_space is the room that there is for others.
 */
static bool
add_to_page(Insertion *insertion, Buffer buffer, Size *free_space)
{
	Relation          index = insertion->index;
	GalleryEntry      entry = insertion->entry;
	BlockNumber       block = BufferGetBlockNumber(buffer);
	bool              is_new = PageIsNew(BufferGetPage(buffer));
	bool              is_null = (entry->flags & GALLERY_ENTRY_NULL) != 0;
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
		/* the free space map knows of room for templates only */
		*free_space = gallery_page_room(BufferGetPage(buffer), false);
		if (gallery_page_room(BufferGetPage(buffer), is_null) < MAXALIGN(insertion->size))
			return false;
	}

	pending = insertion->preselection && !is_null && EntryRefExists(block, FirstOffsetNumber);
	if (pending)
	{
		pending_buffer = pending_lock_last(index, insertion->pending_limit, block);
		entry->flags |= GALLERY_ENTRY_PENDING;
	}
	else
		entry->flags &= ~GALLERY_ENTRY_PENDING;

	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (is_new)
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
	offset = gallery_page_add(index, page, entry, insertion->size);
	if (offset == InvalidOffsetNumber)
		biometric_page_corrupted(index, block, "An entry does not fit where there is room.");
	if (pending)
	{
		Page pending_page = GenericXLogRegisterBuffer(wal, pending_buffer, 0);

		pending_add(pending_page, EntryRefMake(block, offset));
		insertion->inserted = BiometricPageGetWords(pending_page)->count;
	}
	GenericXLogFinish(wal);
	if (pending)
		UnlockReleaseBuffer(pending_buffer);
	return true;
}

static void
insert_entry(Insertion *insertion)
{
	Relation    index = insertion->index;
	Size        size = MAXALIGN(insertion->size);
	BlockNumber block = RelationGetTargetBlock(index);
	bool        tried_last = false;
	Buffer      buffer;
	Size        free_space;

	if (block == InvalidBlockNumber)
		block = GetPageWithFreeSpace(index, size);

	for (;;)
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(index);

		if (block == InvalidBlockNumber)
		{
			/* another process may have just added a page that is not in the map yet */
			if (tried_last || blocks <= BIOMETRIC_FIRST_BLOCK)
				break;
			tried_last = true;
			block = blocks - 1;
		}

		/* the free space map is not crash-safe: it may name blocks that do not exist */
		free_space = 0;
		if (block >= BIOMETRIC_FIRST_BLOCK && block < blocks)
		{
			bool added;

			buffer = ReadBuffer(index, block);
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			added = add_to_page(insertion, buffer, &free_space);
			UnlockReleaseBuffer(buffer);
			if (added)
			{
				RelationSetTargetBlock(index, block);
				return;
			}
		}
		if (tried_last)
			break;
		block = RecordAndGetPageWithFreeSpace(index, block, free_space, size);
	}

	buffer = biometric_extend(index, MAIN_FORKNUM);
	block = BufferGetBlockNumber(buffer);
	if (!add_to_page(insertion, buffer, &free_space))
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
	BiometricOptions        *options = (BiometricOptions *) index->rd_options;
	BiometricMetaPageData    meta;
	const BiometricModality *modality = biometric_open(index, false, &meta);
	Insertion                insertion = {index};

	insertion.preselection = (meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
	insertion.pending_limit =
		options != NULL ? options->pending_limit : BIOMETRIC_DEFAULT_PENDING_LIMIT;
	insertion.entry =
		gallery_form_entry(index, modality, values[0], isnull[0], tid, &insertion.size);
	insert_entry(&insertion);
	if (insertion.inserted > 0)
		preselection_merge_some(index, modality, &meta, insertion.pending_limit,
								insertion.inserted);

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(insert_context);
	return false;
}
