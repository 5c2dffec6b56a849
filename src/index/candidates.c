/*
 * candidates.c
 *		Which entries a fast search compares, and in which order.
 */
#include "postgres.h"

#include <math.h>

#include "index/candidates.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * How many templates of a block are compared in one stage, the most similar to
 * the probe first
 */
#define COMPARED_AT_A_TIME 128

/* The group of entries that do not count: pending ones, and those compared again */
#define NO_GROUP PG_UINT32_MAX

/* About one in so many blocks of strangers has a match */
#define BLOCKS_OF_STRANGERS 10

Candidates *
candidates_begin(Relation index, Snapshot snapshot, const BiometricModality *modality,
				 const void *features, Size size, double rate)
{
	Candidates *candidates = palloc0(sizeof(Candidates));

	candidates->index = index;
	candidates->preselection = preselection_begin(index, snapshot, modality, features, size, rate);
	candidates->resembles = modality->resemblances != NULL;
	candidates->block_size = preselection_block_size(candidates->preselection);
	candidates->missing = candidates->block_size;
	candidates->block_room = candidates->room = PRESELECTION_MIN_CANDIDATES;
	candidates->block = palloc(sizeof(Candidate) * candidates->block_room);
	candidates->refs = palloc(sizeof(EntryRef) * candidates->room);
	candidates->live = palloc(sizeof(bool));
	candidates->visited = palloc(sizeof(Candidate));
	candidates->blocks = palloc(sizeof(BlockNumber));
	return candidates;
}

double
candidates_match_score(const Candidates *candidates)
{
	return 10 * log10((double) candidates->block_size * BLOCKS_OF_STRANGERS);
}

/* Makes room for n entries to visit */
static void
begin_visit(Candidates *candidates, int64 room)
{
	pfree(candidates->visited);
	candidates->visited =
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Candidate) * Max(room, 1));
	candidates->nvisited = 0;
}

/* The blocks of what is to be visited */
static void
list_blocks(Candidates *candidates)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(candidates->index);

	qsort(candidates->visited, candidates->nvisited, sizeof(Candidate), compare_entry_refs);
	pfree(candidates->blocks);
	candidates->blocks = MemoryContextAllocHuge(CurrentMemoryContext,
												sizeof(BlockNumber) * Max(candidates->nvisited, 1));
	candidates->nblocks = 0;
	candidates->next = 0;
	for (int64 i = 0; i < candidates->nvisited; i++)
	{
		BlockNumber block = EntryRefBlock(candidates->visited[i].ref);

		if (block == BIOMETRIC_META_BLOCK || block >= blocks)
			biometric_page_corrupted(candidates->index, block,
									 "A posting or a pending reference leads to it.");
		if (i == 0 || block != candidates->blocks[candidates->nblocks - 1])
			candidates->blocks[candidates->nblocks++] = block;
	}
}

/* Most similar first, copies together */
static int
compare_resemblance(const void *a, const void *b)
{
	const Candidate *x = a;
	const Candidate *y = b;

	if (x->resemblance != y->resemblance)
		return x->resemblance > y->resemblance ? -1 : 1;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

/* Lists the templates that the block lacks.  False if there are no more. */
static bool
visit_more(Candidates *candidates)
{
	PreselectedEntry *entries;
	int64             n = preselection_next(candidates->preselection, candidates->missing, &entries,
											&candidates->ngroups);

	pfree(candidates->live);
	candidates->live = palloc0(sizeof(bool) * Max(candidates->ngroups, 1));
	begin_visit(candidates, n);
	for (int64 i = 0; i < n; i++)
		candidates->visited[candidates->nvisited++] =
			(Candidate){entries[i].ref, 0, entries[i].group};
	pfree(entries);
	return candidates->ngroups > 0;
}

/* Of the templates that were listed, those that are there count */
static void
count_live(Candidates *candidates)
{
	for (int64 i = 0; i < candidates->ngroups; i++)
		candidates->missing -= candidates->live[i];
	candidates->ngroups = 0;
}

/* Adds the visited entries to the block, unless they are gone */
static void
add_to_block(Candidates *candidates)
{
	if (candidates->nblock + candidates->nvisited > candidates->block_room)
	{
		candidates->block_room =
			Max(2 * candidates->block_room, candidates->nblock + candidates->nvisited);
		candidates->block =
			repalloc_huge(candidates->block, sizeof(Candidate) * candidates->block_room);
	}
	for (int64 i = 0; i < candidates->nvisited; i++)
	{
		if (candidates->live[candidates->visited[i].group])
			candidates->block[candidates->nblock++] = candidates->visited[i];
	}
}

/* Lists those of the block from first to end */
static void
visit_of_block(Candidates *candidates, int64 first, int64 end)
{
	begin_visit(candidates, end - first);
	candidates->nvisited = end - first;
	memcpy(candidates->visited, candidates->block + first, sizeof(Candidate) * (end - first));
}

/* Lists those of the block that are to be compared next.  False if there are no more. */
static bool
visit_best(Candidates *candidates)
{
	int64 first = candidates->compared;
	int   templates = 0;

	for (; candidates->compared < candidates->nblock; candidates->compared++)
	{
		const Candidate *candidate = &candidates->block[candidates->compared];

		if (candidates->compared > first && candidate->resemblance == candidate[-1].resemblance &&
			candidate->group == candidate[-1].group)
			continue;
		if (templates++ == COMPARED_AT_A_TIME)
			break;
	}
	visit_of_block(candidates, first, candidates->compared);
	return candidates->nvisited > 0;
}

/* All of a block is compared at once */
static bool
advance_plain(Candidates *candidates)
{
	count_live(candidates);
	if (candidates->missing <= 0)
	{
		if (!candidates->matched)
			return false;
		candidates->matched = false;
		candidates->missing = candidates->block_size;
	}
	candidates->comparing = true;
	return visit_more(candidates);
}

/* The resemblances of all of a block are found first, then the best are compared */
static bool
advance_by_resemblance(Candidates *candidates)
{
	if (candidates->comparing)
	{
		if (!candidates->matched)
			return false;
		candidates->matched = false;
		if (visit_best(candidates))
			return true;
		candidates->nblock = candidates->compared = 0;
		candidates->missing = candidates->block_size;
		candidates->comparing = false;
	}
	else
	{
		add_to_block(candidates);
		count_live(candidates);
	}
	if (candidates->missing > 0 && visit_more(candidates))
		return true;
	qsort(candidates->block, candidates->nblock, sizeof(Candidate), compare_resemblance);
	candidates->comparing = true;
	return visit_best(candidates);
}

/* Lists the pending entries too */
static void
visit_pending(Candidates *candidates)
{
	PreselectedEntry *pending;
	int64             n = preselection_pending(candidates->preselection, &pending);

	candidates->visited =
		repalloc_huge(candidates->visited, sizeof(Candidate) * (candidates->nvisited + n + 1));
	for (int64 i = 0; i < n; i++)
		candidates->visited[candidates->nvisited++] = (Candidate){pending[i].ref, 0, NO_GROUP};
	pfree(pending);
}

/* What is listed is compared: it belongs to the answer */
static void
note_compared(Candidates *candidates)
{
	if (candidates->nrefs + candidates->nvisited > candidates->room)
	{
		candidates->room = Max(2 * candidates->room, candidates->nrefs + candidates->nvisited);
		candidates->refs = repalloc_huge(candidates->refs, sizeof(EntryRef) * candidates->room);
	}
	for (int64 i = 0; i < candidates->nvisited; i++)
		candidates->refs[candidates->nrefs++] = candidates->visited[i].ref;
}

bool
candidates_advance(Candidates *candidates)
{
	bool more;

	CHECK_FOR_INTERRUPTS();
	if (candidates->complete)
		return false;
	more = candidates->resembles ? advance_by_resemblance(candidates) : advance_plain(candidates);
	if (candidates->comparing && !candidates->has_pending)
	{
		if (!more)
			begin_visit(candidates, 0);
		visit_pending(candidates);
		candidates->has_pending = true;
		more = candidates->nvisited > 0;
	}
	if (!more)
	{
		candidates->complete = true;
		return false;
	}
	if (candidates->comparing)
		note_compared(candidates);
	list_blocks(candidates);
	return true;
}

void
candidates_again(Candidates *candidates)
{
	Assert(candidates->complete);
	begin_visit(candidates, candidates->nrefs - candidates->stage);
	for (int64 i = candidates->stage; i < candidates->nrefs; i++)
		candidates->visited[candidates->nvisited++] = (Candidate){candidates->refs[i], 0, NO_GROUP};
	list_blocks(candidates);
}

bool
candidates_rest(Candidates *candidates)
{
	Assert(candidates->complete);
	if (candidates->compared == candidates->nblock)
		return false;
	candidates->stage = candidates->nrefs;
	visit_of_block(candidates, candidates->compared, candidates->nblock);
	candidates->compared = candidates->nblock;
	note_compared(candidates);
	return true;
}

void
candidates_live(Candidates *candidates, Candidate *candidate)
{
	/* what is compared once more, or pending, does not count */
	if (candidate->group < candidates->ngroups)
		candidates->live[candidate->group] = true;
}

void
candidates_matched(Candidates *candidates)
{
	candidates->matched = true;
}

void
candidates_end(Candidates *candidates)
{
	qsort(candidates->refs, candidates->nrefs, sizeof(EntryRef), compare_entry_refs);
	candidates->next = 0;
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
