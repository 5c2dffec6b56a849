/*
 * candidates.c
 *		Which entries a fast search compares, block by block.
 */
#include "postgres.h"

#include <math.h>

#include "index/candidates.h"
#include "lib/qunique.h"
#include "utils/memutils.h"

/* The group of pending entries, all of which are compared and none counts */
#define NO_GROUP PG_UINT32_MAX

/* In how many blocks of strangers there is one that matches, about */
#define BLOCKS_OF_STRANGERS 10

Candidates *
candidates_begin(Relation index, Snapshot snapshot, const BiometricModality *modality,
				 const void *features, Size size, double rate)
{
	Candidates *candidates = palloc0(sizeof(Candidates));

	candidates->index = index;
	candidates->preselection = preselection_begin(index, snapshot, modality, features, size);
	candidates->block_size = preselection_block_size(candidates->preselection, rate);
	candidates->missing = candidates->block_size;
	candidates->blocks = palloc(sizeof(BlockNumber));
	candidates->entries = palloc(sizeof(PreselectedEntry));
	candidates->live = palloc(sizeof(bool));
	candidates->room = candidates->block_size;
	candidates->refs =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(EntryRef) * candidates->room);
	return candidates;
}

double
candidates_match_score(const Candidates *candidates)
{
	return 10 * log10((double) candidates->block_size * BLOCKS_OF_STRANGERS);
}

/* The blocks of the entries that are to be compared */
static void
list_blocks(Candidates *candidates)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(candidates->index);

	pfree(candidates->blocks);
	candidates->blocks = MemoryContextAllocHuge(CurrentMemoryContext,
												sizeof(BlockNumber) * Max(candidates->nentries, 1));
	candidates->nblocks = 0;
	candidates->next = 0;
	for (int64 i = 0; i < candidates->nentries; i++)
	{
		BlockNumber block = EntryRefBlock(candidates->entries[i].ref);

		if (block == BIOMETRIC_META_BLOCK || block >= blocks)
			biometric_page_corrupted(candidates->index, block,
									 "A posting or a pending reference leads to it.");
		if (i == 0 || block != candidates->blocks[candidates->nblocks - 1])
			candidates->blocks[candidates->nblocks++] = block;
	}
}

bool
candidates_advance(Candidates *candidates)
{
	bool              first = !candidates->started;
	PreselectedEntry *pending = NULL;
	int64             npending = 0;

	if (candidates->complete)
		return false;
	candidates->started = true;

	/* what of the block has turned out to be there */
	for (int64 i = 0; i < candidates->ngroups; i++)
		candidates->missing -= candidates->live[i];
	if (candidates->missing <= 0)
	{
		candidates->complete = !candidates->matched;
		candidates->missing = candidates->block_size;
		candidates->matched = false;
	}

	candidates->nentries = candidates->ngroups = 0;
	if (!candidates->complete)
	{
		pfree(candidates->entries);
		pfree(candidates->live);
		candidates->nentries = preselection_next(candidates->preselection, candidates->missing,
												 &candidates->entries, &candidates->ngroups);
		candidates->live = palloc0(sizeof(bool) * Max(candidates->ngroups, 1));
	}
	if (first)
		npending = preselection_pending(candidates->preselection, &pending);
	if (npending > 0)
	{
		candidates->entries = repalloc_huge(
			candidates->entries, sizeof(PreselectedEntry) * (candidates->nentries + npending));
		for (int64 i = 0; i < npending; i++)
		{
			pending[i].group = NO_GROUP;
			candidates->entries[candidates->nentries++] = pending[i];
		}
		qsort(candidates->entries, candidates->nentries, sizeof(PreselectedEntry),
			  compare_entry_refs);
	}
	if (pending != NULL)
		pfree(pending);

	if (candidates->nentries == 0 && candidates->ngroups == 0)
	{
		candidates->complete = true;
		qsort(candidates->refs, candidates->nrefs, sizeof(EntryRef), compare_entry_refs);
		candidates->next = 0;
		return false;
	}
	if (candidates->nrefs + candidates->nentries > candidates->room)
	{
		candidates->room = Max(2 * candidates->room, candidates->nrefs + candidates->nentries);
		candidates->refs = repalloc_huge(candidates->refs, sizeof(EntryRef) * candidates->room);
	}
	for (int64 i = 0; i < candidates->nentries; i++)
		candidates->refs[candidates->nrefs++] = candidates->entries[i].ref;
	list_blocks(candidates);
	return true;
}

void
candidates_again(Candidates *candidates)
{
	Assert(candidates->complete);
	pfree(candidates->entries);
	candidates->entries = MemoryContextAllocHuge(
		CurrentMemoryContext, sizeof(PreselectedEntry) * Max(candidates->nrefs, 1));
	candidates->nentries = candidates->nrefs;
	for (int64 i = 0; i < candidates->nrefs; i++)
	{
		candidates->entries[i].ref = candidates->refs[i];
		candidates->entries[i].group = NO_GROUP;
	}
	list_blocks(candidates);
}

void
candidates_live(Candidates *candidates, const PreselectedEntry *entry)
{
	if (entry->group != NO_GROUP)
		candidates->live[entry->group] = true;
}

void
candidates_matched(Candidates *candidates)
{
	candidates->matched = true;
}

bool
candidates_have(Candidates *candidates, BlockNumber block, OffsetNumber offset)
{
	EntryRef ref;

	if (!EntryRefExists(block, offset))
		return false;
	ref = EntryRefMake(block, offset);
	while (candidates->next < candidates->nrefs && candidates->refs[candidates->next] < ref)
		candidates->next++;
	return candidates->next < candidates->nrefs && candidates->refs[candidates->next] == ref;
}
