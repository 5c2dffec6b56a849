/*
 * merge.c
 *		Bringing the words of pending entries into the leaves.
 *
 * index.h tells the steps and what an interruption between them leaves behind.
 * The caller holds the merger's lock, so nobody else writes leaves or directory
 * pages: what was read without a content lock stays true.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "index/preselection/preselection.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* With postings from the merge, a leaf is taken apart into two of this many at most */
#define LEAF_FILL      (LEAF_MAX_POSTINGS * 19 / 20)
#define DIRECTORY_FILL (DIRECTORY_MAX_ENTRIES * 9 / 10)

static void
rest(void)
{
#if PG_VERSION_NUM >= 180000
	vacuum_delay_point(false);
#else
	vacuum_delay_point();
#endif
}

static int
compare_uint64(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

/* ---- pages --------------------------------------------------------------- */

/*
 * Gives a leaf or directory page the first n items of items, and a new right
 * sibling, which begins at split, the other nright, if there are any.  Returns
 * the sibling's block.
 */
static BlockNumber
replace_page(Relation index, BiometricPageKind kind, BlockNumber block, const void *items, int n,
			 uint64 split, int nright)
{
	BlockNumber       blocks = 0;
	Buffer            buffer = word_page_read(index, &blocks, block, kind, BUFFER_LOCK_EXCLUSIVE);
	Buffer            meta_buffer = InvalidBuffer;
	Buffer            right_buffer = InvalidBuffer;
	BlockNumber       right = 0;
	GenericXLogState *wal;
	Page              page;

	if (nright > 0)
		meta_buffer = meta_page_lock(index);
	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	if (nright > 0)
	{
		BiometricMetaPage meta =
			BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
		WordPage words = BiometricPageGetWords(page);
		Page     right_page;

		right_buffer = word_page_allocate(index, meta, &blocks);
		right = BufferGetBlockNumber(right_buffer);
		right_page = GenericXLogRegisterBuffer(wal, right_buffer, GENERIC_XLOG_FULL_IMAGE);
		word_page_init(right_page, kind, split, words->high, words->right);
		word_page_set(right_page, kind, (const char *) items + word_page_item_size(kind) * n,
					  nright);
		words->high = split;
		words->right = right;
		if (kind == BIOMETRIC_LEAF_PAGE)
			meta->leaves++;
	}
	word_page_set(page, kind, items, n);
	GenericXLogFinish(wal);
	if (nright > 0)
	{
		UnlockReleaseBuffer(right_buffer);
		UnlockReleaseBuffer(meta_buffer);
	}
	UnlockReleaseBuffer(buffer);
	return right;
}

/* Appends postings that fit to a leaf, in no order */
static void
append_postings(Relation index, BlockNumber block, const Posting *postings, int n)
{
	BlockNumber blocks = 0;
	Buffer      buffer =
		word_page_read(index, &blocks, block, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_EXCLUSIVE);
	GenericXLogState *wal = GenericXLogStart(index);
	Page              page = GenericXLogRegisterBuffer(wal, buffer, 0);
	WordPage          words = BiometricPageGetWords(page);

	memcpy(words->items + words->count, postings, sizeof(Posting) * n);
	words->count += n;
	((PageHeader) page)->pd_lower += sizeof(Posting) * n;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

/* The first leaf and the first directory page */
static void
create_chains(Relation index)
{
	BlockNumber       blocks = 0;
	Buffer            meta_buffer = meta_page_lock(index);
	GenericXLogState *wal = GenericXLogStart(index);
	BiometricMetaPage meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
	Buffer            leaf = word_page_allocate(index, meta, &blocks);
	Buffer            directory = word_page_allocate(index, meta, &blocks);
	DirectoryEntry    entry = {0, BufferGetBlockNumber(leaf), 0};
	Page              page;

	word_page_init(GenericXLogRegisterBuffer(wal, leaf, GENERIC_XLOG_FULL_IMAGE),
				   BIOMETRIC_LEAF_PAGE, 0, PG_UINT64_MAX, 0);
	page = GenericXLogRegisterBuffer(wal, directory, GENERIC_XLOG_FULL_IMAGE);
	word_page_init(page, BIOMETRIC_DIRECTORY_PAGE, 0, PG_UINT64_MAX, 0);
	word_page_set(page, BIOMETRIC_DIRECTORY_PAGE, &entry, 1);
	meta->first_leaf = BufferGetBlockNumber(leaf);
	meta->first_directory = BufferGetBlockNumber(directory);
	meta->leaves = 1;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(directory);
	UnlockReleaseBuffer(leaf);
	UnlockReleaseBuffer(meta_buffer);
}

static void
add_to_counts(Relation index, int64 postings, int64 entries)
{
	Buffer            buffer = meta_page_lock(index);
	GenericXLogState *wal = GenericXLogStart(index);
	BiometricMetaPage meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, buffer, 0));

	meta->postings += Max(postings, -(int64) meta->postings);
	meta->entries += Max(entries, -(int64) meta->entries);
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

void
preselection_removed(Relation index, int64 postings, int64 entries)
{
	add_to_counts(index, -postings, -entries);
}

/* ---- directory ----------------------------------------------------------- */

/* Adds leaves, ascending; those that the directory has already may be among them */
static void
directory_add(Relation index, BlockNumber first, const DirectoryEntry *added, int64 nadded)
{
	DirectoryEntry *entries = palloc(sizeof(DirectoryEntry) * 2 * DIRECTORY_MAX_ENTRIES);
	BlockNumber     blocks = 0;
	BlockNumber     block = first;

	while (nadded > 0)
	{
		DirectoryEntry old[DIRECTORY_MAX_ENTRIES];
		Buffer         buffer;
		WordPage       words;
		uint64         high;
		BlockNumber    right;
		int            nold;
		int            n = 0;
		int            o = 0;
		int            nleft;

		rest();
		buffer = word_page_read(index, &blocks, block, BIOMETRIC_DIRECTORY_PAGE, BUFFER_LOCK_SHARE);
		words = BiometricPageGetWords(BufferGetPage(buffer));
		nold = words->count;
		high = words->high;
		right = words->right;
		memcpy(old, words->items, sizeof(DirectoryEntry) * nold);
		UnlockReleaseBuffer(buffer);

		if (added[0].low >= high)
		{
			block = right;
			continue;
		}

		/* so many that both halves of a split have room for the rest */
		while (nadded > 0 && added[0].low < high && n + nold - o < 2 * DIRECTORY_FILL)
		{
			while (o < nold && old[o].low < added[0].low)
				entries[n++] = old[o++];
			if (o >= nold || old[o].low != added[0].low)
				entries[n++] = added[0];
			added++;
			nadded--;
		}
		while (o < nold)
			entries[n++] = old[o++];

		if (n == nold)
			continue; /* it has them all */
		nleft = n <= DIRECTORY_MAX_ENTRIES ? n : n / 2;
		right = replace_page(index, BIOMETRIC_DIRECTORY_PAGE, block, entries, nleft,
							 nleft < n ? entries[nleft].low : 0, n - nleft);
		if (right != 0 && nadded > 0 && added[0].low >= entries[nleft].low)
			block = right;
	}
	pfree(entries);
}

/* ---- leaves -------------------------------------------------------------- */

typedef struct Leaf
{
	BlockNumber block;
	uint64      high;
	BlockNumber right;
	int         count;
	int         sorted;
	Posting     postings[2 * LEAF_MAX_POSTINGS];
} Leaf;

static void
read_leaf(Relation index, BlockNumber *blocks, BlockNumber block, uint64 low, Leaf *leaf)
{
	Buffer   buffer = word_page_read(index, blocks, block, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
	WordPage words = BiometricPageGetWords(BufferGetPage(buffer));

	if (words->low != low)
		biometric_page_corrupted(index, block,
								 "The leaf begins elsewhere than its neighbour says.");
	leaf->block = block;
	leaf->high = words->high;
	leaf->right = words->right;
	leaf->count = words->count;
	leaf->sorted = words->sorted;
	memcpy(leaf->postings, words->items, sizeof(Posting) * words->count);
	UnlockReleaseBuffer(buffer);
}

static bool
leaf_has(const Leaf *leaf, Posting posting)
{
	if (leaf->sorted > 0 &&
		bsearch(&posting, leaf->postings, leaf->sorted, sizeof(Posting), compare_uint64) != NULL)
		return true;
	for (int i = leaf->sorted; i < leaf->count; i++)
	{
		if (leaf->postings[i] == posting)
			return true;
	}
	return false;
}

void
preselection_merge(Relation index, PostingSort *sort, bool building)
{
	BiometricMetaPageData meta;
	Posting               posting;
	DirectoryEntry       *directory;
	DirectoryEntry       *found;
	int64                 ndirectory;
	int64                 nfound = 0;
	int64                 room = 1024;
	BlockNumber           blocks = 0;
	int64                 added = 0;
	Leaf                 *leaf;
	bool                  more;

	if (building)
	{
		preselection_build(index, sort);
		return;
	}
	if (!posting_sort_next(sort, &posting))
		return;

	biometric_read_meta(index, &meta);
	if (meta.first_leaf == 0)
	{
		create_chains(index);
		biometric_read_meta(index, &meta);
	}
	directory = directory_read(index, meta.first_directory, &ndirectory);
	found = palloc(sizeof(DirectoryEntry) * room);
	leaf = palloc(sizeof(Leaf));

	more = true;
	while (more)
	{
		DirectoryEntry *entry = &directory[directory_find(directory, ndirectory, posting)];
		BlockNumber     block = entry->leaf;
		uint64          low = entry->low;
		bool            known = true;

		if (nfound > 0 && found[nfound - 1].low > low)
		{
			block = found[nfound - 1].leaf;
			low = found[nfound - 1].low;
		}
		for (;;)
		{
			int  n;
			int  nold;
			int  split;
			bool ends;

			rest();
			read_leaf(index, &blocks, block, low, leaf);
			if (!known)
			{
				if (nfound == room)
					found = repalloc_huge(found, sizeof(DirectoryEntry) * (room *= 2));
				found[nfound].low = low;
				found[nfound].leaf = block;
				found[nfound++].unused = 0;
			}
			if (posting >= leaf->high)
			{
				/* the directory lacks a leaf */
				low = leaf->high;
				block = leaf->right;
				known = false;
				continue;
			}

			nold = n = leaf->count;
			while (more && posting < leaf->high && n < 2 * LEAF_FILL)
			{
				if (!leaf_has(leaf, posting) && (n == nold || leaf->postings[n - 1] != posting))
					leaf->postings[n++] = posting;
				more = posting_sort_next(sort, &posting);
			}
			added += n - nold;
			if (n == nold)
				break;
			if (n <= LEAF_MAX_POSTINGS)
			{
				append_postings(index, block, leaf->postings + nold, n - nold);
				break;
			}

			/*
			 * What is still to come for this leaf goes to the sibling, which has
			 * room for all old postings if need be.
			 */
			qsort(leaf->postings, n, sizeof(Posting), compare_uint64);
			ends = !more || posting >= leaf->high;
			split = n / 2;
			while (!ends && leaf->postings[split] > posting)
				split--;
			low = leaf->postings[split];
			if (!ends && low < posting && split < n / 2)
				low = leaf->postings[++split];
			if (!ends && low > posting)
				low = posting;
			block = replace_page(index, BIOMETRIC_LEAF_PAGE, block, leaf->postings, split, low,
								 n - split);
			known = false;
			if (ends)
			{
				/* there is nothing more for the sibling, but it is to be found */
				if (nfound == room)
					found = repalloc_huge(found, sizeof(DirectoryEntry) * (room *= 2));
				found[nfound].low = low;
				found[nfound].leaf = block;
				found[nfound++].unused = 0;
				break;
			}
		}
	}

	directory_add(index, meta.first_directory, found, nfound);
	add_to_counts(index, added, 0);
	pfree(leaf);
	pfree(found);
	pfree(directory);
}

/* ---- pending entries ----------------------------------------------------- */

/* Puts the words of the PENDING entries among those of a page into the sort */
static void
sort_page(Relation index, const BiometricModality *modality, PostingSort *sort,
		  const EntryRef *refs, int n)
{
	BlockNumber    block = EntryRefBlock(refs[0]);
	Buffer         buffer = ReadBuffer(index, block);
	PGAlignedBlock page;
	int            entries;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	gallery_check_page(index, block, page.data);
	entries = gallery_page_entries(page.data);
	for (int i = 0; i < n; i++)
	{
		GalleryEntry entry;
		Size         size;

		if (EntryRefOffset(refs[i]) > entries)
			continue;
		entry = gallery_page_entry(index, block, page.data, EntryRefOffset(refs[i]), &size);
		if (entry == NULL || !(entry->flags & GALLERY_ENTRY_PENDING))
			continue;
		if (!modality->features_valid(entry->features, size))
			biometric_page_corrupted(index, block, "The features of an entry are damaged.");
		posting_sort_add(sort, refs[i], entry->features, size);
	}
}

/* Their words are in the leaves.  Returns how many were PENDING. */
static int
clear_page(Relation index, const EntryRef *refs, int n)
{
	BlockNumber       block = EntryRefBlock(refs[0]);
	Buffer            buffer = ReadBuffer(index, block);
	GenericXLogState *wal;
	Page              page;
	int               cleared = 0;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	gallery_check_page(index, block, BufferGetPage(buffer));
	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	for (int i = 0; i < n && EntryRefOffset(refs[i]) <= gallery_page_entries(page); i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(index, block, page, EntryRefOffset(refs[i]), &size);

		if (entry != NULL && (entry->flags & GALLERY_ENTRY_PENDING))
		{
			entry->flags &= ~GALLERY_ENTRY_PENDING;
			cleared++;
		}
	}
	if (cleared > 0)
		GenericXLogFinish(wal);
	else
		GenericXLogAbort(wal);
	UnlockReleaseBuffer(buffer);
	return cleared;
}

/* How many of the refs are on the page of the first */
static int
refs_of_page(const EntryRef *refs, int64 n)
{
	int same = 1;

	while (same < n && EntryRefBlock(refs[same]) == EntryRefBlock(refs[0]))
		same++;
	return same;
}

void
preselection_merge_pending(Relation index, const BiometricModality *modality, int memory)
{
	BlockNumber end = pending_cut(index);
	int         max_pages = Max(1, (int) ((int64) memory * 1024 / 2 / BLCKSZ));
	BlockNumber first = 0;
	EntryRef   *refs;

	if (end == 0)
		return;
	refs = MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(EntryRef) * PENDING_MAX_ENTRIES * (Size) max_pages);
	while (first != end)
	{
		BiometricMetaPageData meta;
		BlockNumber           blocks = RelationGetNumberOfBlocks(index);
		PostingSort          *sort;
		int64                 n = 0;
		int64                 entries = 0;
		int                   pages;

		biometric_read_meta(index, &meta);
		first = meta.first_pending;
		for (pages = 0; pages < max_pages && first != end; pages++)
		{
			Buffer buffer =
				word_page_read(index, &blocks, first, BIOMETRIC_PENDING_PAGE, BUFFER_LOCK_SHARE);
			WordPage words = BiometricPageGetWords(BufferGetPage(buffer));

			memcpy(refs + n, words->items, sizeof(EntryRef) * words->count);
			for (int64 i = n; i < n + words->count; i++)
			{
				if (EntryRefBlock(refs[i]) == 0 || EntryRefBlock(refs[i]) >= blocks)
					biometric_page_corrupted(index, first, "A reference leads out of the index.");
			}
			n += words->count;
			first = words->right;
			UnlockReleaseBuffer(buffer);
		}

		qsort(refs, n, sizeof(EntryRef), compare_entry_refs);
		n = qunique(refs, n, sizeof(EntryRef), compare_entry_refs);
		sort = posting_sort_begin(modality, Max(memory / 2, 64), NULL);
		for (int64 i = 0, same; i < n; i += same)
		{
			rest();
			same = refs_of_page(refs + i, n - i);
			sort_page(index, modality, sort, refs + i, same);
		}
		posting_sort_perform(sort);
		preselection_merge(index, sort, false);
		posting_sort_end(sort);
		for (int64 i = 0, same; i < n; i += same)
		{
			rest();
			same = refs_of_page(refs + i, n - i);
			entries += clear_page(index, refs + i, same);
		}
		add_to_counts(index, 0, entries);
		while (pages-- > 0)
			pending_free_first(index);
	}
	pfree(refs);
}
