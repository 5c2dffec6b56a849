/*
 * sieve.h
 *		Which entries an exact search compares.
 *
 * A pass reads all sketch pages, or a share of them in a parallel scan, and lets through
 * the entries whose sketches do not say that they are beyond the limit.  It does so in
 * batches of a few groups: while the caller compares what a batch let through, the limit
 * may fall.  A pass for rows without a template, which have no sketch, lists all pages
 * that may have such entries.
 */
#ifndef BIOMETRIC_SIEVE_H
#define BIOMETRIC_SIEVE_H

#include "index/index.h"
#include "index/reader.h"
#include "index/selection.h"
#include "utils/snapshot.h"

typedef struct Sieve
{
	Relation                     index;
	Snapshot                     snapshot;
	const BiometricModality     *modality;
	const BiometricMetaPageData *meta;
	PageReader                  *reader; /* of sketch pages */
	bool                         want_matches;
	bool                         want_nulls;

	/* what the batch let through, in ascending order, and the pages to be visited */
	EntryPlace  *places;
	int          nplaces;
	int          room;
	int          next;    /* the caller's */
	int          visited; /* sketches that the batch was chosen from */
	BlockNumber *blocks;
	int          nblocks;
	int          blocks_room;
	bool         dense;           /* these are most pages of the groups */
	BlockNumber  blocks_of_index; /* a size of the index that was seen */

	/* the current sketch page */
	PGAlignedBlock page;
	SketchEntry    entries[SKETCH_PAGE_MAX_ENTRIES];
	const void    *sketches[SKETCH_PAGE_MAX_ENTRIES];
	Size           sizes[SKETCH_PAGE_MAX_ENTRIES];
	bool           within[SKETCH_PAGE_MAX_ENTRIES];
} Sieve;

/* What entries are compared with: they must be within the limits of all probes */
typedef struct SieveProbe
{
	void  *unpacked;
	double limit;
} SieveProbe;

/* meta and shared (see reader.h) stay the caller's.  Allocated in CurrentMemoryContext. */
extern Sieve *sieve_create(Relation index, Snapshot snapshot, const BiometricModality *modality,
						   ParallelPages *shared, const BiometricMetaPageData *meta);

/* Begins a pass for entries with a template, without one, or both */
extern void sieve_begin(Sieve *sieve, bool want_matches, bool want_nulls);

/*
 * The next batch.  False at the end; a batch may be empty.  In the memory context of
 * sieve_create.
 */
extern bool sieve_next(Sieve *sieve, const SieveProbe *probes, int nprobes);

/* Whether the next place is on that page */
static inline bool
sieve_leads_to(const Sieve *sieve, BlockNumber block)
{
	return sieve->next < sieve->nplaces && sieve->places[sieve->next].block == block;
}

/* Releases all that a pass holds.  Does nothing between passes. */
extern void sieve_end(Sieve *sieve);

#endif /* BIOMETRIC_SIEVE_H */
