/*
 * candidates.h
 *		Which entries a fast search compares, and in which order.
 *
 * Blocks of candidates are taken from those with votes (preselection.h), the
 * best first.  A block counts templates, not entries: copies of a template
 * count as one, and entries of rows that are known to be gone do not count.  A
 * block is compared in stages, beginning with the templates that resemble the
 * probe most.  A modality without resemblances compares the whole block at
 * once.  If a stage found a match, the next stage follows: first in the same
 * block, then in the next one.  All pending entries are compared in the first
 * stage.
 *
 * A search that wants more rows than those can have the others of the blocks
 * compared too: candidates_rest.
 */
#ifndef BIOMETRIC_CANDIDATES_H
#define BIOMETRIC_CANDIDATES_H

#include "index/preselection/preselection.h"

/* An entry that may be compared */
typedef struct Candidate
{
	EntryRef ref;
	int      resemblance;
	uint32   group; /* of copies, within what preselection_next gave at once */
} Candidate;

typedef struct Candidates
{
	Relation      index;
	Preselection *preselection;
	bool          resembles; /* whether the modality has resemblances */
	int64         block_size;

	/* the block, those that resemble most first when all are known */
	Candidate *block;
	int64      nblock;
	int64      block_room;
	int64      compared; /* how many of them have been compared */
	int64      missing;  /* templates that it still lacks */

	/* what is to be visited now, ascending, for resemblances or to be compared */
	bool         comparing;
	bool         matched; /* whether an entry that was compared matches */
	bool         has_pending;
	bool         complete; /* there is nothing more, but for the rest */
	Candidate   *visited;
	int64        nvisited;
	int64        next;
	int64        ngroups; /* of templates that count */
	bool        *live;    /* by group: whether it has an entry of a row that may be there */
	BlockNumber *blocks;
	int          nblocks;

	/* all that were compared; those from stage on in the present stage */
	EntryRef *refs;
	int64     nrefs;
	int64     room;
	int64     stage;
} Candidates;

/*
 * The probe's features, and the share of the gallery that a block is.  Allocated
 * in CurrentMemoryContext, where all other calls are made too.
 */
extern Candidates *candidates_begin(Relation index, Snapshot snapshot,
									const BiometricModality *modality, const void *features,
									Size size, double rate);

/* Finds the entries to be visited next.  False if there are no more. */
extern bool candidates_advance(Candidates *candidates);

/* Those of the present stage that have been compared once more, after candidates_advance returned false */
extern void candidates_again(Candidates *candidates);

/*
 * A new stage, whose entries candidates_again lists: the others of the last block.
 * False if there are none.
 */
extern bool candidates_rest(Candidates *candidates);

/* An entry that is visited is not known to be gone */
extern void candidates_live(Candidates *candidates, Candidate *candidate);

/* An entry that is compared matches: see candidates_match_score */
extern void candidates_matched(Candidates *candidates);

/*
 * The least score that counts as a match for a search with a lower threshold: a
 * block of strangers seldom has it
 */
extern double candidates_match_score(const Candidates *candidates);

/* Before candidates_have is asked, in ascending order */
extern void candidates_end(Candidates *candidates);

/* Whether an entry was compared */
extern bool candidates_have(Candidates *candidates, BlockNumber block, OffsetNumber offset);

#endif /* BIOMETRIC_CANDIDATES_H */
