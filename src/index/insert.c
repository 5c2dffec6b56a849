/*
 * insert.c
 *		A new row's entry.
 *
 * The entry goes to any page with room.  In this order: the page that this
 * backend used last, one that the free space map offers, the last page of the
 * file, a new page.  Its sketch goes to the sketch page of that page's group, which
 * must have room too.
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
	Relation              index;
	BiometricMetaPageData meta; /* as it was before */
	int                   pending_limit;
	GalleryEntry          entry;
	Size                  size;
	SketchEntry           sketch; /* NULL if the template is NULL */
	Size                  sketch_size;
	int inserted; /* the place on its page of the pending reference; 0 if there is none */
} Insertion;

/*
 * Puts the entry on a page if it fits, its sketch on the group's sketch page, and its
 * reference into the pending list, if the index has pre-selection.  Both pages are
 * locked exclusively; without a template there is no sketch page.  Returns whether it did;
 * otherwise *free_space is the room that there is for others.
 */
static bool
add_to_page(Insertion *insertion, Buffer sketch_buffer, Buffer buffer, Size *free_space)
{
	Relation          index = insertion->index;
	GalleryEntry      entry = insertion->entry;
	Page              page = BufferGetPage(buffer);
	Page              sketch_page = NULL;
	BlockNumber       block = BufferGetBlockNumber(buffer);
	BlockNumber       locked[2] = {0, block};
	bool              is_new = PageIsNew(page);
	bool              sketch_is_new = false;
	bool              pending;
	Buffer            pending_buffer = InvalidBuffer;
	GenericXLogState *wal;
	OffsetNumber      offset;

	if (BufferIsValid(sketch_buffer))
	{
		locked[0] = BufferGetBlockNumber(sketch_buffer);
		sketch_page = BufferGetPage(sketch_buffer);
		sketch_is_new = PageIsNew(sketch_page);
		sketch_check_page(index, locked[0], sketch_page);
	}

	/* after a crash the free space map may name pages that became others */
	if (!is_new && biometric_page_kind(index, block, page) != BIOMETRIC_GALLERY_PAGE)
		return false;
	if (sketch_page != NULL && sketch_page_room(sketch_page) < MAXALIGN(insertion->sketch_size))
		return false;
	if (gallery_page_room(page, sketch_page == NULL) < MAXALIGN(insertion->size))
	{
		/* the free space map knows of room for templates only */
		*free_space = gallery_page_room(page, false);
		return false;
	}

	pending = (insertion->meta.flags & BIOMETRIC_META_PRESELECTION) != 0 && sketch_page != NULL &&
			  EntryRefExists(block, FirstOffsetNumber);
	if (pending)
	{
		pending_buffer =
			pending_lock_last(index, &insertion->meta, insertion->pending_limit, locked);
		entry->flags |= GALLERY_ENTRY_PENDING;
	}
	else
		entry->flags &= ~GALLERY_ENTRY_PENDING;

	wal = GenericXLogStart(index);
	if (sketch_page != NULL)
		sketch_page = GenericXLogRegisterBuffer(wal, sketch_buffer,
												sketch_is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	page = GenericXLogRegisterBuffer(wal, buffer, is_new ? GENERIC_XLOG_FULL_IMAGE : 0);
	if (sketch_is_new)
		biometric_init_page(sketch_page, BIOMETRIC_SKETCH_PAGE);
	if (is_new)
		biometric_init_page(page, BIOMETRIC_GALLERY_PAGE);
	offset = gallery_page_add(index, page, entry, insertion->size);
	if (offset == InvalidOffsetNumber)
		biometric_page_corrupted(index, block, "An entry does not fit where there is room.");
	if (sketch_page != NULL)
		sketch_page_add(index, &insertion->meta, sketch_page, insertion->sketch,
						insertion->sketch_size, block, offset);
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

/* Tries a block of the index */
static bool
try_block(Insertion *insertion, BlockNumber block, Size *free_space)
{
	Relation index = insertion->index;
	Buffer   sketch_buffer = InvalidBuffer;
	Buffer   buffer;
	bool     added;

	*free_space = 0;
	if (!gallery_may_be_at(&insertion->meta, block))
		return false;
	buffer = ReadBuffer(index, block);
	if (insertion->sketch != NULL)
	{
		sketch_buffer = ReadBuffer(index, sketch_block_of(&insertion->meta, block));
		LockBuffer(sketch_buffer, BUFFER_LOCK_EXCLUSIVE);
	}
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	added = add_to_page(insertion, sketch_buffer, buffer, free_space);
	UnlockReleaseBuffer(buffer);
	if (insertion->sketch != NULL)
		UnlockReleaseBuffer(sketch_buffer);
	if (added)
		RelationSetTargetBlock(index, block);
	return added;
}

static void
insert_entry(Insertion *insertion)
{
	Relation    index = insertion->index;
	Size        size = MAXALIGN(insertion->size);
	BlockNumber block = RelationGetTargetBlock(index);
	bool        tried_last = false;
	Size        free_space;

	if (block == InvalidBlockNumber)
		block = GetPageWithFreeSpace(index, size);

	for (;;)
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(index);

		/* the free space map may name many pages whose sketch pages are full */
		CHECK_FOR_INTERRUPTS();
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
		if (block < blocks && try_block(insertion, block, &free_space))
			return;
		if (tried_last)
			break;
		block = RecordAndGetPageWithFreeSpace(index, block, free_space, size);
	}

	/* others may fill a new page before us, or the sketch page of its group */
	do
	{
		Buffer buffer = biometric_new_page(index, &insertion->meta);

		CHECK_FOR_INTERRUPTS();
		block = BufferGetBlockNumber(buffer);
		UnlockReleaseBuffer(buffer);
	} while (!try_block(insertion, block, &free_space));
}

bool
biometric_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid, Relation heap,
				 IndexUniqueCheck check_unique, bool unchanged, IndexInfo *index_info)
{
	MemoryContext insert_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric insert", ALLOCSET_DEFAULT_SIZES);
	MemoryContext            old_context = MemoryContextSwitchTo(insert_context);
	BiometricOptions        *options = (BiometricOptions *) index->rd_options;
	Insertion                insertion = {index};
	const BiometricModality *modality = biometric_open(index, false, &insertion.meta);

	insertion.pending_limit =
		options != NULL ? options->pending_limit : BIOMETRIC_DEFAULT_PENDING_LIMIT;
	insertion.entry =
		gallery_form_entry(index, modality, values[0], isnull[0], tid, &insertion.size);
	if (!isnull[0])
		insertion.sketch =
			sketch_form_entry(modality, insertion.entry, insertion.size, &insertion.sketch_size);
	insert_entry(&insertion);
	if (insertion.inserted > 0)
		preselection_merge_some(index, modality, &insertion.meta, insertion.pending_limit,
								insertion.inserted);

	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(insert_context);
	return false;
}
