/*
 * merge.c
 *		Moving the postings of pending entries to young pages, and from young
 *		pages to the leaves.
 *
 * index.h lists the steps, and what an interruption between them leaves behind.
 * Insertions do all of this work, each a bounded piece, so that no insertion
 * takes long, and one that is cancelled loses almost nothing.
 *
 * The caller holds the merger's lock, so no other process adds to these pages.
 * Vacuum may remove postings and pending entries meanwhile.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "common/hashfn.h"
#include "index/preselection/preselection.h"
#include "lib/qunique.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/*
 * When a merge splits a leaf or directory page, each of the two gets at most so
 * many items.
 */
#define LEAF_FILL      (LEAF_MAX_POSTINGS * 19 / 20)
#define DIRECTORY_FILL (DIRECTORY_MAX_ENTRIES * 9 / 10)

/* The most that one insertion does: leaves changed, postings moved, pages freed */
#define STEP_LEAVES   256
#define STEP_POSTINGS 16384
#define STEP_PAGES    32

/*
 * With any pending_limit, a merge begins when young pages have this part of the
 * entries
 */
#define YOUNG_PART 8

/* one insertion in so many does a step; more do if that is not enough */
#define STEP_INTERVAL 16

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
		meta_buffer = biometric_lock_meta(index);
	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	if (nright > 0)
	{
		BiometricMetaPage meta =
			BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
		WordPage words = BiometricPageGetWords(page);
		Page     right_page;

		right_buffer = word_page_allocate(index, meta, &blocks, &block, 1);
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

	/* vacuum may have made more room meanwhile, never less */
	Assert(words->count + n <= LEAF_MAX_POSTINGS);
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
	Buffer            meta_buffer = biometric_lock_meta(index);
	GenericXLogState *wal = GenericXLogStart(index);
	BiometricMetaPage meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, meta_buffer, 0));
	Buffer            leaf = word_page_allocate(index, meta, &blocks, NULL, 0);
	BlockNumber       leaf_block = BufferGetBlockNumber(leaf);
	Buffer            directory = word_page_allocate(index, meta, &blocks, &leaf_block, 1);
	DirectoryEntry    entry = {0, leaf_block, 0};
	Page              page;

	word_page_init(GenericXLogRegisterBuffer(wal, leaf, GENERIC_XLOG_FULL_IMAGE),
				   BIOMETRIC_LEAF_PAGE, 0, PG_UINT64_MAX, 0);
	page = GenericXLogRegisterBuffer(wal, directory, GENERIC_XLOG_FULL_IMAGE);
	word_page_init(page, BIOMETRIC_DIRECTORY_PAGE, 0, PG_UINT64_MAX, 0);
	word_page_set(page, BIOMETRIC_DIRECTORY_PAGE, &entry, 1);
	meta->first_leaf = leaf_block;
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
	Buffer            buffer = biometric_lock_meta(index);
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

		CHECK_FOR_INTERRUPTS();
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

/* Brings postings, ascending and without doubles, into the leaves */
static void
merge_postings(Relation index, const Posting *postings, int64 npostings)
{
	BiometricMetaPageData meta;
	const Posting        *posting = postings;
	const Posting        *end = postings + npostings;
	const DirectoryEntry *directory;
	DirectoryEntry       *found;
	int64                 ndirectory;
	int64                 nfound = 0;
	int64                 room = 1024;
	BlockNumber           blocks = 0;
	int64                 added = 0;
	Leaf                 *leaf;

	if (npostings == 0)
		return;
	biometric_read_meta(index, &meta);
	if (meta.first_leaf == 0)
	{
		create_chains(index);
		biometric_read_meta(index, &meta);
	}
	directory = directory_known(index, &meta, NULL, &ndirectory);
	found = palloc(sizeof(DirectoryEntry) * room);
	leaf = palloc(sizeof(Leaf));

	while (posting < end)
	{
		const DirectoryEntry *entry = &directory[directory_find(directory, ndirectory, *posting)];
		BlockNumber           block = entry->leaf;
		uint64                low = entry->low;
		bool                  known = true;

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

			CHECK_FOR_INTERRUPTS();
			read_leaf(index, &blocks, block, low, leaf);
			if (!known)
			{
				if (nfound == room)
					found = repalloc_huge(found, sizeof(DirectoryEntry) * (room *= 2));
				found[nfound].low = low;
				found[nfound].leaf = block;
				found[nfound++].unused = 0;
			}
			if (*posting >= leaf->high)
			{
				/* the directory lacks a leaf */
				low = leaf->high;
				block = leaf->right;
				known = false;
				continue;
			}

			nold = n = leaf->count;
			for (; posting < end && *posting < leaf->high && n < 2 * LEAF_FILL; posting++)
			{
				if (!leaf_has(leaf, *posting))
					leaf->postings[n++] = *posting;
			}
			ends = posting == end || *posting >= leaf->high;
			added += n - nold;
			if (n == nold)
				break;
			if (n <= LEAF_MAX_POSTINGS)
			{
				append_postings(index, block, leaf->postings + nold, n - nold);
				break;
			}

			/*
			 * The remaining postings for this leaf go to the sibling, which has
			 * room for all old postings if necessary.
			 */
			qsort(leaf->postings, n, sizeof(Posting), compare_uint64);
			split = n / 2;
			while (!ends && leaf->postings[split] > *posting)
				split--;
			low = leaf->postings[split];
			if (!ends && low < *posting && split < n / 2)
				low = leaf->postings[++split];
			if (!ends && low > *posting)
				low = *posting;
			block = replace_page(index, BIOMETRIC_LEAF_PAGE, block, leaf->postings, split, low,
								 n - split);
			known = false;
			if (ends)
			{
				/*
				 * no postings are left for the sibling, but it must be added to the
				 * directory
				 */
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
}

/* ---- young pages ---------------------------------------------------------- */

/* The postings of a step */
typedef struct Gathered
{
	Relation index;
	uint64   start; /* those in [start, end); end falls while pages are visited */
	uint64   end;
	int64    per_page; /* no page gives more, but at least some */
	Posting *postings;
	int64    n;
	int64    room;
} Gathered;

/*
 * The postings that a page has for the step.  Those beyond the limit are left
 * for the next step.
 */
static void
gather_page(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	Gathered *gathered = argument;
	WordPage  words;
	int       first;
	int       n;

	if (!BufferIsValid(buffer))
	{
		gathered->n = 0;
		return;
	}
	words = BiometricPageGetWords(BufferGetPage(buffer));
	if (words->low >= meta->merging_end)
		return;
	first = postings_before(words->items, words->count, gathered->start);
	n = postings_before(words->items, words->count, gathered->end) - first;
	if (n > gathered->per_page)
	{
		n = (int) gathered->per_page;
		gathered->end = words->items[first + n];
	}
	if (gathered->n + n > gathered->room)
	{
		gathered->room = Max(2 * gathered->room, gathered->n + n);
		gathered->postings = repalloc_huge(gathered->postings, sizeof(Posting) * gathered->room);
	}
	for (int i = 0; i < n; i++)
	{
		Posting posting = words->items[first + i];

		if (posting < gathered->start || (i > 0 && posting <= words->items[first + i - 1]))
			biometric_page_corrupted(gathered->index, BufferGetBlockNumber(buffer),
									 "Its postings are not in order.");
		gathered->postings[gathered->n++] = posting;
	}
}

static void
set_merged(Relation index, uint64 merged)
{
	Buffer            buffer = biometric_lock_meta(index);
	GenericXLogState *wal = GenericXLogStart(index);

	BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, buffer, 0))->merged = merged;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

/* All young pages that there are now are to be merged */
static void
begin_merge(Relation index)
{
	Buffer            buffer = biometric_lock_meta(index);
	GenericXLogState *wal = GenericXLogStart(index);
	BiometricMetaPage meta = BiometricPageGetMeta(GenericXLogRegisterBuffer(wal, buffer, 0));

	meta->merging_end = meta->young.next_number;
	meta->merged = 0;
	meta->young_entries = 0;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

/* Brings some postings of the young pages being merged into some leaves, or frees some of the pages */
static void
merge_step(Relation index, const BiometricMetaPageData *meta, int64 leaves)
{
	int64    pages = (int64) (meta->merging_end - meta->young.first_number);
	Gathered gathered = {index, meta->merged, PG_UINT64_MAX};

	if (meta->young.first == 0 || pages <= 0)
		biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
								 "It says that pages are being merged that are not there.");
	if (meta->merged == PG_UINT64_MAX)
	{
		for (int i = 0; i < STEP_PAGES && i < pages; i++)
			list_free_first(index, BIOMETRIC_YOUNG_PAGE, 0);
		return;
	}

	if (meta->first_leaf != 0)
	{
		int64                 n;
		const DirectoryEntry *directory = directory_known(index, meta, NULL, &n);
		int64                 last = directory_find(directory, n, meta->merged) + leaves;

		if (last < n)
			gathered.end = directory[last].low;
	}
	gathered.per_page = Max(STEP_POSTINGS / pages, 16);
	gathered.room = STEP_POSTINGS;
	gathered.postings = palloc(sizeof(Posting) * gathered.room);
	list_read(index, BIOMETRIC_YOUNG_PAGE, NULL, BUFFER_LOCK_SHARE, gather_page, &gathered);
	qsort(gathered.postings, gathered.n, sizeof(Posting), compare_uint64);
	gathered.n = (int64) qunique(gathered.postings, gathered.n, sizeof(Posting), compare_uint64);
	while (gathered.n > 0 && gathered.postings[gathered.n - 1] >= gathered.end)
		gathered.n--;
	merge_postings(index, gathered.postings, gathered.n);
	set_merged(index, gathered.end);
	pfree(gathered.postings);
}

/* ---- pending entries ----------------------------------------------------- */

/* An entry whose flag PENDING is to be cleared; the hash tells it from one that takes its place */
typedef struct SpilledEntry
{
	EntryRef        ref;
	ItemPointerData tid;
	uint64          hash;
} SpilledEntry;

typedef struct Spill
{
	const BiometricModality *modality;
	BiometricWord           *words;
	Posting                 *postings;
	int64                    npostings;
	SpilledEntry             entries[PENDING_MAX_ENTRIES];
	int                      nentries;
} Spill;

static uint64
features_hash(GalleryEntry entry, Size size)
{
	return hash_bytes_extended((const unsigned char *) entry->features, (int) size, 0);
}

/* Takes the postings of the PENDING entries among those of a page */
static void
spill_page(Relation index, Spill *spill, BlockNumber *blocks, const EntryRef *refs, int n)
{
	BlockNumber    block = EntryRefBlock(refs[0]);
	Buffer         buffer = biometric_read_linked(index, blocks, block);
	PGAlignedBlock page;
	int            entries;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	gallery_check_page(index, block, page.data);
	entries = gallery_page_entries(page.data);
	for (int i = 0; i < n; i++)
	{
		SpilledEntry *spilled = &spill->entries[spill->nentries];
		GalleryEntry  entry;
		Size          size;

		if (EntryRefOffset(refs[i]) > entries)
			continue;
		entry = gallery_page_entry(index, block, page.data, EntryRefOffset(refs[i]), &size);
		if (entry == NULL || !(entry->flags & GALLERY_ENTRY_PENDING))
			continue;
		if ((entry->flags & GALLERY_ENTRY_NULL) ||
			!spill->modality->features_valid(entry->features, size))
			biometric_page_corrupted(index, block, "The features of an entry are damaged.");
		spilled->ref = refs[i];
		spilled->tid = entry->tid;
		spilled->hash = features_hash(entry, size);
		spill->nentries++;
		spill->npostings += entry_postings(spill->modality, refs[i], entry->features, size,
										   spill->words, spill->postings + spill->npostings);
	}
}

/* The postings of these entries of a page are in young pages.  Returns how many were PENDING. */
static int
clear_page(Relation index, const SpilledEntry *spilled, int n)
{
	BlockNumber       blocks = 0;
	BlockNumber       block = EntryRefBlock(spilled[0].ref);
	Buffer            buffer = biometric_read_linked(index, &blocks, block);
	GenericXLogState *wal;
	Page              page;
	int               cleared = 0;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	gallery_check_page(index, block, BufferGetPage(buffer));
	wal = GenericXLogStart(index);
	page = GenericXLogRegisterBuffer(wal, buffer, 0);
	for (int i = 0; i < n && EntryRefOffset(spilled[i].ref) <= gallery_page_entries(page); i++)
	{
		Size         size;
		GalleryEntry entry =
			gallery_page_entry(index, block, page, EntryRefOffset(spilled[i].ref), &size);

		if (entry != NULL && (entry->flags & GALLERY_ENTRY_PENDING) &&
			ItemPointerEquals(&entry->tid, (ItemPointer) &spilled[i].tid) &&
			features_hash(entry, size) == spilled[i].hash)
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

/* Gives the entries of the first pending page their postings, and frees it */
static void
spill_first(Relation index, const BiometricModality *modality, const BiometricMetaPageData *meta)
{
	BlockNumber blocks = 0;
	BlockNumber block = meta->pending.first;
	Buffer      buffer =
		word_page_read(index, &blocks, block, BIOMETRIC_PENDING_PAGE, BUFFER_LOCK_SHARE);
	WordPage words = BiometricPageGetWords(BufferGetPage(buffer));
	bool     right = words->low == meta->pending.first_number && words->right != 0;
	EntryRef refs[PENDING_MAX_ENTRIES];
	int      n = words->count;
	Spill   *spill = palloc0(sizeof(Spill));
	int64    entries = 0;

	memcpy(refs, words->items, sizeof(EntryRef) * n);
	UnlockReleaseBuffer(buffer);
	if (!right)
		biometric_page_corrupted(index, block, "It is not the first page of its list.");
	qsort(refs, n, sizeof(EntryRef), compare_entry_refs);
	n = (int) qunique(refs, n, sizeof(EntryRef), compare_entry_refs);

	spill->modality = modality;
	spill->words = palloc(sizeof(BiometricWord) * modality->max_words);
	spill->postings = palloc(sizeof(Posting) * modality->max_words * Max(n, 1));
	for (int i = 0, same; i < n; i += same)
	{
		CHECK_FOR_INTERRUPTS();
		for (same = 1; i + same < n && EntryRefBlock(refs[i + same]) == EntryRefBlock(refs[i]);)
			same++;
		spill_page(index, spill, &blocks, refs + i, same);
	}

	qsort(spill->postings, spill->npostings, sizeof(Posting), compare_uint64);
	for (int64 i = 0; i < spill->npostings; i += LEAF_MAX_POSTINGS)
	{
		CHECK_FOR_INTERRUPTS();
		list_append(index, BIOMETRIC_YOUNG_PAGE, spill->postings + i,
					(int) Min(spill->npostings - i, LEAF_MAX_POSTINGS));
	}
	for (int i = 0, same; i < spill->nentries; i += same)
	{
		CHECK_FOR_INTERRUPTS();
		for (same = 1; i + same < spill->nentries && EntryRefBlock(spill->entries[i + same].ref) ==
														 EntryRefBlock(spill->entries[i].ref);)
			same++;
		entries += clear_page(index, spill->entries + i, same);
	}
	list_free_first(index, BIOMETRIC_PENDING_PAGE, entries);
	pfree(spill->postings);
	pfree(spill->words);
	pfree(spill);
}

void
preselection_merge_some(Relation index, const BiometricModality *modality,
						const BiometricMetaPageData *seen, int pending_limit, int inserted)
{
	BiometricMetaPageData meta;
	uint64                limit =
		Min((uint64) pending_limit, Max(seen->entries / YOUNG_PART, PENDING_MAX_ENTRIES));
	bool behind = seen->young_entries >= limit;
	bool full = seen->pending.first != seen->pending.last;

	if (!full && !behind && (seen->merging_end == 0 || inserted % STEP_INTERVAL != 0))
		return;
	if (!ConditionalLockPage(index, BIOMETRIC_META_BLOCK, ExclusiveLock))
		return;
	biometric_read_meta(index, &meta);
	if (meta.pending.first != meta.pending.last)
		spill_first(index, modality, &meta);
	else if (meta.merging_end != 0)
		merge_step(index, &meta,
				   Max(STEP_LEAVES, (int64) (meta.leaves * 2 * STEP_INTERVAL / limit)));
	else if (meta.young_entries >= limit)
		begin_merge(index);
	UnlockPage(index, BIOMETRIC_META_BLOCK, ExclusiveLock);
}
