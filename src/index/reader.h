/*
 * reader.h
 *		Reading the pages of an index for a search: all of them in block order,
 *		a share of them in a parallel scan, or those of a list.
 */
#ifndef BIOMETRIC_READER_H
#define BIOMETRIC_READER_H

#include "storage/block.h"
#include "storage/buf.h"
#include "storage/spin.h"
#include "utils/relcache.h"

/* Which blocks of a parallel scan are still to be handed out; in shared memory */
typedef struct ParallelPages
{
	slock_t     mutex;
	BlockNumber next;
	BlockNumber end; /* InvalidBlockNumber until the first participant has looked */
} ParallelPages;

extern void parallel_pages_init(ParallelPages *shared);
extern void parallel_pages_restart(ParallelPages *shared);

typedef struct PageReader PageReader;

/*
 * shared is NULL for a scan by one process.  Otherwise the first pass reads the
 * blocks that no other participant does, and later passes read these again.
 * Passes over all pages leave out the blocks from skip_start to skip_end.
 * Allocated in CurrentMemoryContext.
 */
extern PageReader *page_reader_create(Relation index, ParallelPages *shared, BlockNumber skip_start,
									  BlockNumber skip_end);

/* Begins a pass over all pages, or over those of a list, ascending; ends the pass before */
extern void page_reader_begin(PageReader *reader);
extern void page_reader_begin_list(PageReader *reader, const BlockNumber *blocks, int nblocks);

/* The next page, pinned, which is the caller's to release; InvalidBuffer at the end */
extern Buffer page_reader_next(PageReader *reader);

/* Releases all that a pass holds. Does nothing between passes. */
extern void page_reader_end(PageReader *reader);

#endif /* BIOMETRIC_READER_H */
