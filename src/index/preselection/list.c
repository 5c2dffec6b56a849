/*
 * list.c
 *		The lists of pages that wait for a merge: pending entries and young
 *		postings.
 *
 * Insertions append to the last pending page.  A merge frees pages from the first
 * one on, and appends whole pages to the list of young ones.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "compat.h"
#include "index/preselection/preselection.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "utils/memutils.h"

NumberedList *
meta_list(BiometricMetaPage meta, BiometricPageKind kind)
{
	return kind == BIOMETRIC_PENDING_PAGE ? &meta->pending : &meta->young;
}

/*
 * Makes a new last page with n items, if last still is the last one and has at
 * least full items.  The caller has the blocks held[0] and held[1] locked, 0 for none.
 */
static void
append_page(Relation index, BiometricPageKind kind, BlockNumber last, int full, const void *items,
			int n, const BlockNumber *held)
{
	BlockNumber       blocks = 0;
	BlockNumber       locked[] = {held[0], held[1], last};
	Buffer            old_buffer = InvalidBuffer;
	Buffer            meta_buffer;
	Buffer            buffer;
	GenericXLogState *wal;
	NumberedList     *list;
	Page              page;

	if (last != 0)
	{
		WordPage words;

		if (last == held[0] || last == held[1])
			biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
									 "It says that a page in use is the last one of a list.");
		old_buffer = biometric_read_linked(index, &blocks, last);
		LockBuffer(old_buffer, BUFFER_LOCK_EXCLUSIVE);
		words = BiometricPageGetWords(BufferGetPage(old_buffer));
		if (biometric_page_kind(index, last, BufferGetPage(old_buffer)) != kind ||
			words->right != 0 || words->count < full)
		{
			UnlockReleaseBuffer(old_buffer);
			return;
		}
	}

	meta_buffer = biometric_lock_meta(index);
	if (meta_list(BiometricPageGetMeta(BufferGetPage(meta_buffer)), kind)->last == last)
	{
		BiometricMetaPage meta;

		wal = GenericXLogStart(index);
		meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
		list = meta_list(meta, kind);
		buffer = word_page_allocate(index, meta, &blocks, locked, lengthof(locked));
		page = GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE);
		word_page_init(page, kind, list->next_number, 0, 0);
		word_page_set(page, kind, items, n);
		list->last = BufferGetBlockNumber(buffer);
		if (last == 0)
		{
			list->first = list->last;
			list->first_number = list->next_number;
		}
		else
			BiometricPageGetWords(GenericXLogRegisterBuffer(wal, old_buffer, 0))->right =
				list->last;
		list->next_number++;
		GenericXLogFinish(wal);
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(meta_buffer);
	if (old_buffer != InvalidBuffer)
		UnlockReleaseBuffer(old_buffer);
}

Buffer
pending_lock_last(Relation index, const BiometricMetaPageData *seen, int limit,
				  const BlockNumber *held)
{
	int                   full = Min(limit, PENDING_MAX_ENTRIES);
	BlockNumber           blocks = 0;
	BiometricMetaPageData meta = *seen;

	for (int attempts = 0; attempts < 1000; attempts++)
	{
		BlockNumber last = meta.pending.last;
		bool        is_held = last == held[0] || last == held[1];

		if (last != 0 && !is_held)
		{
			Buffer buffer = biometric_read_linked(index, &blocks, last);
			Page   page = BufferGetPage(buffer);

			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			if (biometric_page_kind(index, last, page) == BIOMETRIC_PENDING_PAGE &&
				BiometricPageGetWords(page)->right == 0 &&
				BiometricPageGetWords(page)->count < full)
				return buffer;

			/* full, or not the last one any more */
			UnlockReleaseBuffer(buffer);
		}

		/* what was seen may be so old that the page is another one now */
		if (attempts > 0)
		{
			if (last != 0 && is_held)
				biometric_page_corrupted(
					index, BIOMETRIC_META_BLOCK,
					"It says that the last pending page is a gallery or sketch page.");
			append_page(index, BIOMETRIC_PENDING_PAGE, last, full, NULL, 0, held);
		}
		biometric_read_meta(index, &meta);
	}
	biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
							 "The list of pending entries does not end.");
	return InvalidBuffer;
}

void
pending_add(Page page, EntryRef ref)
{
	WordPage words = BiometricPageGetWords(page);

	((uint32 *) words->items)[words->count++] = ref;
	((PageHeader) page)->pd_lower += sizeof(uint32);
}

void
list_append(Relation index, BiometricPageKind kind, const void *items, int n)
{
	const BlockNumber     held[2] = {0, 0};
	BiometricMetaPageData meta;
	uint64                number;

	biometric_read_meta(index, &meta);
	number = meta_list(&meta, kind)->next_number;
	append_page(index, kind, meta_list(&meta, kind)->last, 0, items, n, held);

	/* only the merger appends to this list */
	biometric_read_meta(index, &meta);
	if (meta_list(&meta, kind)->next_number != number + 1)
		biometric_page_corrupted(index, BIOMETRIC_META_BLOCK, "One of its lists does not end.");
}

void
list_free_first(Relation index, BiometricPageKind kind, int64 entries)
{
	BlockNumber           blocks = 0;
	BiometricMetaPageData seen;
	NumberedList         *list;
	Buffer                buffer;
	Buffer                meta_buffer;
	GenericXLogState     *wal;
	BiometricMetaPage     meta;
	Page                  page;
	BlockNumber           first;
	BlockNumber           right;

	biometric_read_meta(index, &seen);
	list = meta_list(&seen, kind);
	first = list->first;
	buffer = word_page_read(index, &blocks, first, kind, BUFFER_LOCK_EXCLUSIVE);
	right = BiometricPageGetWords(BufferGetPage(buffer))->right;
	if (BiometricPageGetWords(BufferGetPage(buffer))->low != list->first_number ||
		(right == 0) != (first == list->last))
		biometric_page_corrupted(index, first, "It is not the first page of its list.");
	meta_buffer = biometric_lock_meta(index);

	wal = GenericXLogStart(index);
	meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
	page = GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE);
	word_page_init(page, BIOMETRIC_FREE_PAGE, 0, 0, meta->first_free);
	meta->first_free = first;
	list = meta_list(meta, kind);
	list->first = right;
	list->first_number++;
	if (right == 0)
		list->last = 0;
	if (kind == BIOMETRIC_YOUNG_PAGE && list->first_number == meta->merging_end)
		meta->merging_end = meta->merged = 0;
	meta->entries += entries;
	meta->young_entries += entries;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(buffer);
}

void
list_read(Relation index, BiometricPageKind kind, Snapshot snapshot, int lock, ListVisitor visit,
		  void *argument)
{
	BlockNumber blocks = 0;

	for (;;)
	{
		BiometricMetaPageData meta;
		BiometricMetaPageData now;
		BlockNumber           block;
		uint64                number;

		biometric_read_meta(index, &meta);
		visit(&meta, InvalidBuffer, argument);
		block = meta_list(&meta, kind)->first;
		for (number = meta_list(&meta, kind)->first_number; block != 0; number++)
		{
			Buffer   buffer;
			Page     page;
			WordPage words;
			bool     expected;

			CHECK_FOR_INTERRUPTS();
			buffer = biometric_read_linked(index, &blocks, block);
			LockBuffer(buffer, lock);
			page = BufferGetPage(buffer);
			words = BiometricPageGetWords(page);
			expected = biometric_page_kind(index, block, page) == kind && words->low == number;
			if (expected)
			{
				TestForOldSnapshot(snapshot, index, page);
				visit(&meta, buffer, argument);
				block = words->right;
			}
			UnlockReleaseBuffer(buffer);
			if (!expected)
				break;
		}
		if (block == 0)
			return;

		/* freed meanwhile: begin again; if it was not freed, the list is damaged */
		biometric_read_meta(index, &now);
		if (meta_list(&now, kind)->first_number == meta_list(&meta, kind)->first_number)
			biometric_page_corrupted(index, block, "A list of pages is broken.");
	}
}

/* ---- references of pending entries ---------------------------------------- */

typedef struct References
{
	EntryRef *refs;
	int64     n;
	int64     room;
} References;

static void
collect_references(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	References *references = argument;
	WordPage    words;

	if (!BufferIsValid(buffer))
	{
		references->n = 0;
		return;
	}
	words = BiometricPageGetWords(BufferGetPage(buffer));
	if (references->n + words->count > references->room)
	{
		references->room = Max(2 * references->room, references->n + words->count);
		references->refs = repalloc_huge(references->refs, sizeof(EntryRef) * references->room);
	}
	memcpy(references->refs + references->n, words->items, sizeof(EntryRef) * words->count);
	references->n += words->count;
}

int64
pending_read(Relation index, Snapshot snapshot, EntryRef **refs)
{
	References references = {NULL, 0, 4 * PENDING_MAX_ENTRIES};

	references.refs = palloc(sizeof(EntryRef) * references.room);
	list_read(index, BIOMETRIC_PENDING_PAGE, snapshot, BUFFER_LOCK_SHARE, collect_references,
			  &references);
	*refs = references.refs;
	qsort(*refs, references.n, sizeof(EntryRef), compare_entry_refs);
	return (int64) qunique(*refs, references.n, sizeof(EntryRef), compare_entry_refs);
}
