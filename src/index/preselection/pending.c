/*
 * pending.c
 *		The list of entries whose words are not in the leaves yet.
 *
 * Insertions append to the last page; a merge frees pages from the first on.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Makes a new last page, if last still is it and is full or, with cut, is not
 * empty.
 */
static void
begin_page(Relation index, BlockNumber last, bool cut)
{
	BlockNumber       blocks = 0;
	Buffer            old_buffer = InvalidBuffer;
	Buffer            meta_buffer;
	Buffer            buffer;
	GenericXLogState *wal;
	BiometricMetaPage meta;
	uint64            number = 1;

	if (last != 0)
	{
		WordPage words;

		old_buffer = ReadBuffer(index, last);
		LockBuffer(old_buffer, BUFFER_LOCK_EXCLUSIVE);
		words = BiometricPageGetWords(BufferGetPage(old_buffer));
		if (biometric_page_kind(index, last, BufferGetPage(old_buffer)) != BIOMETRIC_PENDING_PAGE ||
			words->right != 0 || words->count < (cut ? 1 : PENDING_MAX_ENTRIES))
		{
			UnlockReleaseBuffer(old_buffer);
			return;
		}
		number = words->low + 1;
	}

	meta_buffer = meta_page_lock(index);
	if (BiometricPageGetMeta(BufferGetPage(meta_buffer))->last_pending == last)
	{
		wal = GenericXLogStart(index);
		meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
		buffer = word_page_allocate(index, meta, &blocks);
		word_page_init(GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE),
					   BIOMETRIC_PENDING_PAGE, number, 0, 0);
		meta->last_pending = BufferGetBlockNumber(buffer);
		if (last == 0)
		{
			meta->first_pending = meta->last_pending;
			meta->first_number = number;
		}
		else
			BiometricPageGetWords(GenericXLogRegisterBuffer(wal, old_buffer, 0))->right =
				meta->last_pending;
		GenericXLogFinish(wal);
		UnlockReleaseBuffer(buffer);
	}
	UnlockReleaseBuffer(meta_buffer);
	if (old_buffer != InvalidBuffer)
		UnlockReleaseBuffer(old_buffer);
}

Buffer
pending_lock_last(Relation index)
{
	for (int attempts = 0; attempts < 1000; attempts++)
	{
		BiometricMetaPageData meta;
		Buffer                buffer;
		Page                  page;

		biometric_read_meta(index, &meta);
		if (meta.last_pending != 0)
		{
			buffer = ReadBuffer(index, meta.last_pending);
			LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
			page = BufferGetPage(buffer);
			if (biometric_page_kind(index, meta.last_pending, page) == BIOMETRIC_PENDING_PAGE &&
				BiometricPageGetWords(page)->right == 0 &&
				BiometricPageGetWords(page)->count < PENDING_MAX_ENTRIES)
				return buffer;

			/* full, or not the last one any more */
			UnlockReleaseBuffer(buffer);
		}
		begin_page(index, meta.last_pending, false);
	}
	biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
							 "The list of pending entries has no end.");
	return InvalidBuffer;
}

void
pending_add(Page page, EntryRef ref)
{
	WordPage words = BiometricPageGetWords(page);

	((uint32 *) words->items)[words->count++] = ref;
	((PageHeader) page)->pd_lower += sizeof(uint32);
}

BlockNumber
pending_cut(Relation index)
{
	BiometricMetaPageData meta;

	biometric_read_meta(index, &meta);
	if (meta.last_pending == 0)
		return 0;
	begin_page(index, meta.last_pending, true);
	biometric_read_meta(index, &meta);
	return meta.first_pending == meta.last_pending ? 0 : meta.last_pending;
}

void
pending_free_first(Relation index)
{
	BlockNumber           blocks = 0;
	BiometricMetaPageData seen;
	Buffer                buffer;
	Buffer                meta_buffer;
	GenericXLogState     *wal;
	BiometricMetaPage     meta;
	Page                  page;
	BlockNumber           right;

	biometric_read_meta(index, &seen);
	buffer = word_page_read(index, &blocks, seen.first_pending, BIOMETRIC_PENDING_PAGE,
							BUFFER_LOCK_EXCLUSIVE);
	right = BiometricPageGetWords(BufferGetPage(buffer))->right;
	if (right == 0)
		biometric_page_corrupted(index, seen.first_pending,
								 "The list of pending entries is broken.");
	meta_buffer = meta_page_lock(index);

	wal = GenericXLogStart(index);
	meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
	page = GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE);
	word_page_init(page, BIOMETRIC_FREE_PAGE, 0, 0, meta->first_free);
	meta->first_free = seen.first_pending;
	meta->first_pending = right;
	meta->first_number++;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(meta_buffer);
	UnlockReleaseBuffer(buffer);
}

double
pending_count(Relation index)
{
	BiometricMetaPageData meta;
	Buffer                buffer;
	Page                  page;
	double                count = 0;

	biometric_read_meta(index, &meta);
	if (meta.last_pending == 0)
		return 0;
	if (meta.last_pending >= RelationGetNumberOfBlocks(index))
		biometric_page_corrupted(index, meta.last_pending, "Another page says that it is there.");
	buffer = ReadBuffer(index, meta.last_pending);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(buffer);
	if (biometric_page_kind(index, meta.last_pending, page) == BIOMETRIC_PENDING_PAGE &&
		BiometricPageGetWords(page)->low >= meta.first_number)
		count =
			(double) (BiometricPageGetWords(page)->low - meta.first_number) * PENDING_MAX_ENTRIES +
			BiometricPageGetWords(page)->count;
	UnlockReleaseBuffer(buffer);
	return count;
}

int64
pending_read(Relation index, EntryRef **refs)
{
	int64 room = PENDING_MAX_ENTRIES;

	*refs = palloc(sizeof(EntryRef) * room);
	for (;;)
	{
		BiometricMetaPageData meta;
		BlockNumber           blocks = 0;
		BlockNumber           block;
		uint64                number;
		int64                 n = 0;

		CHECK_FOR_INTERRUPTS();
		biometric_read_meta(index, &meta);
		block = meta.first_pending;
		for (number = meta.first_number; block != 0; number++)
		{
			Buffer   buffer;
			Page     page;
			WordPage words;
			bool     expected;

			if (block >= blocks && block >= (blocks = RelationGetNumberOfBlocks(index)))
				biometric_page_corrupted(index, block, "Another page says that it is there.");
			buffer = ReadBuffer(index, block);
			LockBuffer(buffer, BUFFER_LOCK_SHARE);
			page = BufferGetPage(buffer);
			words = BiometricPageGetWords(page);
			expected = biometric_page_kind(index, block, page) == BIOMETRIC_PENDING_PAGE &&
					   words->low == number;
			if (expected)
			{
				if (n + words->count > room)
				{
					room = Max(2 * room, n + words->count);
					*refs = repalloc_huge(*refs, sizeof(EntryRef) * room);
				}
				memcpy(*refs + n, words->items, sizeof(EntryRef) * words->count);
				n += words->count;
				block = words->right;
			}
			UnlockReleaseBuffer(buffer);
			if (!expected)
				break;
			CHECK_FOR_INTERRUPTS();
		}
		if (block == 0)
			return n;

		/* freed meanwhile: begin again, unless nobody has freed it */
		{
			BiometricMetaPageData now;

			biometric_read_meta(index, &now);
			if (now.first_number == meta.first_number)
				biometric_page_corrupted(index, block, "The list of pending entries is broken.");
		}
	}
}
