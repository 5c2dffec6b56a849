/*
 * reader.h
 *		Reading the pages of an index for a search: all sketch pages in block
 *		order, a share of them in a parallel scan, or the pages of a list.
 */
#ifndef BIOMETRIC_READER_H
#define BIOMETRIC_READER_H

#include "index/activity.h"
#include "index/index.h"
#include "storage/block.h"
#include "storage/buf.h"
#include "storage/spin.h"
#include "utils/relcache.h"

/* Which groups of a parallel scan are still to be handed out, by number; in shared memory */
typedef struct ParallelPages
{
	slock_t          mutex;
	uint32           next;
	uint32           end; /* PARALLEL_PAGES_UNKNOWN until the first participant has looked */
	ParallelActivity activity;
} ParallelPages;

#define PARALLEL_PAGES_UNKNOWN PG_UINT32_MAX

extern void parallel_pages_init(ParallelPages *shared);
extern void parallel_pages_restart(ParallelPages *shared);

typedef struct PageReader PageReader;

/*
 * shared is NULL for a scan by one process.  Otherwise the first pass reads the
 * sketch pages that no other participant does, and later passes read these again.
 * meta stays the caller's.  Allocated in CurrentMemoryContext.
 */
extern PageReader *page_reader_create(Relation index, ParallelPages *shared,
									  const BiometricMetaPageData *meta);

/*
 * Begins a pass over all sketch pages, or over the pages of a list, ascending; ends
 * the pass before.  Of dense lists, the pages are read whole, and most of the index is
 * in one.
 */
extern void page_reader_begin(PageReader *reader);
extern void page_reader_begin_list(PageReader *reader, const BlockNumber *blocks, int nblocks,
								   bool dense);

/* The next page, pinned, which is the caller's to release; InvalidBuffer at the end */
extern Buffer page_reader_next(PageReader *reader);

/* Releases all that a pass holds. Does nothing between passes. */
extern void page_reader_end(PageReader *reader);

#endif /* BIOMETRIC_READER_H */
