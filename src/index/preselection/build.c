/*
 * build.c
 *		Leaves and directory of a new index, from all its postings in order.
 *
 * The pages are written one after the other, each when the block of its right
 * sibling is known.  Nothing is logged.
 */
#include "postgres.h"

#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* A chain of pages that grows to the right */
typedef struct Chain
{
	Relation          index;
	BiometricPageKind kind;
	int               fill;
	BlockNumber       first;
	Buffer            buffer; /* of the last page, pinned */
	uint64            low;    /* of the last page */
	int               n;      /* items that it will have */
	PGAlignedBlock    items;
	int64             pages;
} Chain;

static void
chain_begin(Chain *chain, Relation index, BiometricPageKind kind, int max_items)
{
	chain->index = index;
	chain->kind = kind;
	chain->fill = (int) (max_items * PRESELECTION_BUILD_FILL);
	chain->buffer = biometric_extend(index, MAIN_FORKNUM);
	LockBuffer(chain->buffer, BUFFER_LOCK_UNLOCK);
	chain->first = BufferGetBlockNumber(chain->buffer);
	chain->low = 0;
	chain->n = 0;
	chain->pages = 1;
}

static void
chain_write(Chain *chain, uint64 high, BlockNumber right)
{
	Page page = BufferGetPage(chain->buffer);

	LockBuffer(chain->buffer, BUFFER_LOCK_EXCLUSIVE);
	word_page_init(page, chain->kind, chain->low, high, right);
	word_page_set(page, chain->kind, chain->items.data, chain->n);
	MarkBufferDirty(chain->buffer);
	UnlockReleaseBuffer(chain->buffer);
}

/* Returns whether the item is the first one of a page */
static bool
chain_add(Chain *chain, uint64 value, const void *item)
{
	Size size = word_page_item_size(chain->kind);
	bool begins = chain->n == chain->fill;

	if (begins)
	{
		Buffer next = biometric_extend(chain->index, MAIN_FORKNUM);

		LockBuffer(next, BUFFER_LOCK_UNLOCK);
		chain_write(chain, value, BufferGetBlockNumber(next));
		chain->buffer = next;
		chain->low = value;
		chain->n = 0;
		chain->pages++;
		CHECK_FOR_INTERRUPTS();
	}
	memcpy(chain->items.data + size * chain->n++, item, size);
	return begins;
}

/* Free pages up to where a group begins, where gallery pages may come */
static void
fill_group(Relation index, BiometricMetaPage meta)
{
	while ((RelationGetNumberOfBlocks(index) - BIOMETRIC_FIRST_BLOCK) % (meta->group_pages + 1) !=
		   0)
	{
		Buffer buffer = biometric_extend(index, MAIN_FORKNUM);

		word_page_init(BufferGetPage(buffer), BIOMETRIC_FREE_PAGE, 0, 0, meta->first_free);
		meta->first_free = BufferGetBlockNumber(buffer);
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
	}
}

void
preselection_build(Relation index, PostingSort *sort)
{
	Chain            *leaves = palloc(sizeof(Chain));
	Chain            *directory = palloc(sizeof(Chain));
	int64             room = 1024;
	int64             n = 0;
	DirectoryEntry   *entries = palloc(sizeof(DirectoryEntry) * room);
	Posting           posting;
	uint64            postings = 0;
	uint64            nentries = 0;
	uint32           *seen; /* by block, a bit for each offset that has postings */
	BlockNumber       blocks = RelationGetNumberOfBlocks(index);
	Buffer            buffer;
	BiometricMetaPage meta;

	if (!posting_sort_next(sort, &posting))
		return;

	seen = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(uint32) * (Size) blocks,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	chain_begin(leaves, index, BIOMETRIC_LEAF_PAGE, LEAF_MAX_POSTINGS);
	do
	{
		if (chain_add(leaves, posting, &posting) || n == 0)
		{
			if (n == room)
				entries = repalloc_huge(entries, sizeof(DirectoryEntry) * (room *= 2));
			entries[n].low = leaves->low;
			entries[n].leaf = BufferGetBlockNumber(leaves->buffer);
			entries[n++].unused = 0;
		}
		postings++;
		if (!(seen[EntryRefBlock(PostingRef(posting))] >>
				  (EntryRefOffset(PostingRef(posting)) - 1) &
			  1))
		{
			seen[EntryRefBlock(PostingRef(posting))] |=
				(uint32) 1 << (EntryRefOffset(PostingRef(posting)) - 1);
			nentries++;
		}
	} while (posting_sort_next(sort, &posting));
	chain_write(leaves, PG_UINT64_MAX, 0);

	chain_begin(directory, index, BIOMETRIC_DIRECTORY_PAGE, DIRECTORY_MAX_ENTRIES);
	for (int64 i = 0; i < n; i++)
		chain_add(directory, entries[i].low, &entries[i]);
	chain_write(directory, PG_UINT64_MAX, 0);

	buffer = biometric_lock_meta(index);
	meta = BiometricPageGetMeta(BufferGetPage(buffer));
	meta->first_leaf = leaves->first;
	meta->first_directory = directory->first;
	fill_group(index, meta);
	meta->words_start = blocks;
	meta->words_end = RelationGetNumberOfBlocks(index);
	meta->fixed_hash = biometric_meta_hash(meta);
	meta->leaves = leaves->pages;
	meta->postings = postings;
	meta->entries = nentries;
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
	pfree(seen);
	pfree(entries);
	pfree(leaves);
	pfree(directory);
}
