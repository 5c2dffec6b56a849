/*
 * page.c
 *		The pages of leaves, directory, pending list and free list: reading them
 *		with all checks, filling them, and getting new ones.  The order of references to entries.
 */
#include "postgres.h"

#include "compat.h"
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

int
compare_entry_refs(const void *left, const void *right)
{
	EntryRef a = *(const EntryRef *) left;
	EntryRef b = *(const EntryRef *) right;

	return a < b ? -1 : a > b;
}

int
compare_uint64(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

int
postings_before(const Posting *postings, int n, uint64 value)
{
	int low = 0;

	while (n > 0)
	{
		int half = n / 2;

		if (postings[low + half] < value)
		{
			low += half + 1;
			n -= half + 1;
		}
		else
			n = half;
	}
	return low;
}

Buffer
word_page_read(Relation index, BlockNumber *blocks, BlockNumber block, BiometricPageKind kind,
			   int lock)
{
	Buffer buffer = biometric_read_linked(index, blocks, block);

	LockBuffer(buffer, lock);
	word_page_check(index, block, BufferGetPage(buffer), kind);
	return buffer;
}

Buffer
word_page_right(Relation index, BlockNumber *blocks, Buffer buffer, BiometricPageKind kind,
				int lock)
{
	WordPage    words = BiometricPageGetWords(BufferGetPage(buffer));
	uint64      high = words->high;
	BlockNumber right = words->right;

	UnlockReleaseBuffer(buffer);
	CHECK_FOR_INTERRUPTS();
	buffer = word_page_read(index, blocks, right, kind, lock);

	/* so that a chain always ends */
	if (BiometricPageGetWords(BufferGetPage(buffer))->low != high)
		biometric_page_corrupted(index, right, "It does not begin where its left sibling ends.");
	return buffer;
}

void
word_page_init(Page page, BiometricPageKind kind, uint64 low, uint64 high, BlockNumber right)
{
	WordPage words;

	biometric_init_page(page, kind);
	words = BiometricPageGetWords(page);
	words->low = low;
	words->high = high;
	words->right = right;
	word_page_set(page, kind, NULL, 0);
}

void
word_page_set(Page page, BiometricPageKind kind, const void *items, int n)
{
	WordPage words = BiometricPageGetWords(page);
	Size     size = word_page_item_size(kind) * n;

	if (n > 0)
		memcpy(words->items, items, size);
	words->count = n;
	words->sorted = kind == BIOMETRIC_LEAF_PAGE ? n : 0;

	/* what lies between pd_lower and pd_upper is not logged */
	((PageHeader) page)->pd_lower = (char *) words->items + size - (char *) page;
}

Buffer
word_page_allocate(Relation index, BiometricMetaPage meta, BlockNumber *blocks,
				   const BlockNumber *held, int nheld)
{
	Buffer buffer;

	if (meta->first_free == 0)
		return biometric_new_page(index, meta);
	for (int i = 0; i < nheld; i++)
	{
		if (meta->first_free == held[i])
			biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
									 "It says that a page in use is free.");
	}
	buffer =
		word_page_read(index, blocks, meta->first_free, BIOMETRIC_FREE_PAGE, BUFFER_LOCK_EXCLUSIVE);
	meta->first_free = BiometricPageGetWords(BufferGetPage(buffer))->right;
	return buffer;
}

DirectoryEntry *
directory_read(Relation index, BlockNumber first, Snapshot snapshot, int64 *n)
{
	BlockNumber     blocks = 0;
	int64           room = DIRECTORY_MAX_ENTRIES;
	DirectoryEntry *entries = palloc(sizeof(DirectoryEntry) * room);
	Buffer          buffer =
		word_page_read(index, &blocks, first, BIOMETRIC_DIRECTORY_PAGE, BUFFER_LOCK_SHARE);

	*n = 0;
	for (;;)
	{
		WordPage words = BiometricPageGetWords(BufferGetPage(buffer));

		TestForOldSnapshot(snapshot, index, BufferGetPage(buffer));
		if (*n + words->count > room)
		{
			room = Max(2 * room, *n + words->count);
			entries = repalloc_huge(entries, sizeof(DirectoryEntry) * room);
		}
		memcpy(entries + *n, words->items, sizeof(DirectoryEntry) * words->count);
		for (int64 i = *n; i < *n + words->count; i++)
		{
			if (entries[i].low < words->low || entries[i].low >= words->high ||
				(i > 0 && entries[i].low <= entries[i - 1].low) || (i == 0 && entries[i].low != 0))
				biometric_page_corrupted(index, BufferGetBlockNumber(buffer),
										 "The entries of the directory are not in order.");
		}
		*n += words->count;
		if (words->right == 0)
			break;
		buffer =
			word_page_right(index, &blocks, buffer, BIOMETRIC_DIRECTORY_PAGE, BUFFER_LOCK_SHARE);
	}
	if (*n == 0)
		biometric_page_corrupted(index, first, "The directory is empty.");
	UnlockReleaseBuffer(buffer);
	return entries;
}

/* What this process keeps of an index, in rd_amcache */
typedef struct KnownDirectory
{
	BlockNumber    first;  /* directory page */
	uint64         leaves; /* of the metapage then */
	int64          n;
	DirectoryEntry entries[FLEXIBLE_ARRAY_MEMBER];
} KnownDirectory;

/* The directory is read anew when there is a new leaf for so many that are known */
#define LEAVES_A_NEW_ONE 64

const DirectoryEntry *
directory_known(Relation index, const BiometricMetaPageData *meta, Snapshot snapshot, int64 *n)
{
	KnownDirectory *known = index->rd_amcache;
	DirectoryEntry *entries;

	if (known == NULL || known->first != meta->first_directory || meta->leaves < known->leaves ||
		meta->leaves - known->leaves > (uint64) known->n / LEAVES_A_NEW_ONE)
	{
		if (known != NULL)
		{
			index->rd_amcache = NULL;
			pfree(known);
		}
		entries = directory_read(index, meta->first_directory, snapshot, n);
		known = MemoryContextAllocHuge(index->rd_indexcxt, offsetof(KnownDirectory, entries) +
															   sizeof(DirectoryEntry) * (Size) *n);
		known->first = meta->first_directory;
		known->leaves = meta->leaves;
		known->n = *n;
		memcpy(known->entries, entries, sizeof(DirectoryEntry) * (Size) *n);
		pfree(entries);
		index->rd_amcache = known;
	}
	*n = known->n;
	return known->entries;
}

int64
directory_find(const DirectoryEntry *entries, int64 n, uint64 value)
{
	int64 low = 0;

	while (n > 1)
	{
		int64 half = n / 2;

		if (entries[low + half].low <= value)
			low += half;
		n -= half;
	}
	return low;
}
