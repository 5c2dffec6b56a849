/*
 * candidates.h
 *		Which entries a fast search compares, block by block.
 *
 * The first block has all pending entries and the templates with most votes; each
 * further one has the templates with most votes among the others.  A block counts
 * templates, not entries: copies of one are one, and entries of rows that are
 * known to be gone are none.  As long as a block has a match, another follows.
 */
#ifndef BIOMETRIC_CANDIDATES_H
#define BIOMETRIC_CANDIDATES_H

#include "index/preselection/preselection.h"

typedef struct Candidates
{
	Relation      index;
	Preselection *preselection;
	int64         block_size;
	bool          started;
	bool          complete; /* there are no more blocks */

	/* the present block */
	int64 missing; /* templates that it still lacks */
	bool  matched;
	int64 ngroups;
	bool *live; /* by group: whether it has an entry of a row that may be there */

	/* the entries that are to be compared now, ascending, and their blocks */
	PreselectedEntry *entries;
	int64             nentries;
	int64             next;
	BlockNumber      *blocks;
	int               nblocks;

	/* all entries so far; ascending when complete */
	EntryRef *refs;
	int64     nrefs;
	int64     room;
} Candidates;

/*
 * The probe's features, and the share of the gallery that a block is.  Allocated
 * in CurrentMemoryContext, where all other calls are made too.
 */
extern Candidates *candidates_begin(Relation index, Snapshot snapshot,
									const BiometricModality *modality, const void *features,
									Size size, double rate);

/* Finds the entries to be compared next.  False if there are no more. */
extern bool candidates_advance(Candidates *candidates);

/* Those that have been compared once more.  Not before candidates_advance has returned false. */
extern void candidates_again(Candidates *candidates);

/* An entry of the present block is not known to be gone */
extern void candidates_live(Candidates *candidates, const PreselectedEntry *entry);

/* An entry of the present block matches: see candidates_match_score */
extern void candidates_matched(Candidates *candidates);

/* A search for less looks for a score of this, which a block of strangers seldom has */
extern double candidates_match_score(const Candidates *candidates);

/* Whether an entry was among the candidates.  Asked in ascending order, all of them being known. */
extern bool candidates_have(Candidates *candidates, BlockNumber block, OffsetNumber offset);

#endif /* BIOMETRIC_CANDIDATES_H */
