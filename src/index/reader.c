/*
 * reader.c
 *		Reading the pages of an index for a search.
 *
 * A participant of a parallel scan takes chunks of consecutive groups.  The
 * chunks get smaller towards the end, so that fast and slow participants end at
 * about the same time.  It remembers what it took: a scan that needs another
 * pass reads the same pages again, without asking the others.
 *
 * While the caller works on a page the next one is on its way: from disk by
 * read_stream or prefetching, from memory by prefetch instructions.
 */
#include "postgres.h"

#include "executor/instrument.h"
#include "index/index.h"
#include "index/reader.h"
#include "miscadmin.h"
#if PG_VERSION_NUM >= 170000
#include "storage/read_stream.h"
#endif
#include "utils/rel.h"
#include "utils/spccache.h"

/*
 * A chunk is this part of what is left, but no larger than the maximum.  With
 * few participants the last ones to end wait for about a group.
 */
#define CHUNK_PART 16
#define CHUNK_MAX  16

/* bytes that a processor fetches from memory at a time; a smaller one costs little */
#define CACHE_LINE_BYTES 64

/*
 * Blocks that are known in advance, to be read from disk before they are needed.  They
 * do not follow each other, so the operating system does not read ahead; the default of
 * effective_io_concurrency before PostgreSQL 18, 1, is too small for that.
 */
#define QUEUE_MAX 32
#define QUEUE_MIN 16

/* Groups, by number from 0 */
typedef struct Chunk
{
	uint32 start;
	uint32 end;
} Chunk;

struct PageReader
{
	Relation                     index;
	ParallelPages               *shared;
	const BiometricMetaPageData *meta;

	/* the chunks of this participant, in the order in which it took them */
	Chunk *chunks;
	int    nchunks;
	int    max_chunks;
	bool   all_taken; /* there are no more */

	/* where the pass is: in a list, or in a chunk */
	const BlockNumber *list;
	int                nlist;
	int                next_listed;
	int                next_chunk;
	uint32             next;
	uint32             end;

	bool                 active;
	bool                 whole;    /* the caller reads whole pages */
	Buffer               ahead;    /* the page that is returned next; invalid at the end */
	BufferAccessStrategy strategy; /* of this pass; NULL for an ordinary one */
	BufferAccessStrategy bulk;     /* for passes over more than shared buffers hold */
#if PG_VERSION_NUM >= 170000
	ReadStream *stream;
#else
	BlockNumber queue[QUEUE_MAX]; /* a ring */
	int         queue_first;
	int         queue_used;
	int         queue_size;
	bool        cold; /* the last page, perhaps of the pass before, was not in shared buffers */
#endif
};

void
parallel_pages_init(ParallelPages *shared)
{
	SpinLockInit(&shared->mutex);
	parallel_pages_restart(shared);
}

void
parallel_pages_restart(ParallelPages *shared)
{
	SpinLockAcquire(&shared->mutex);
	shared->next = 0;
	shared->end = PARALLEL_PAGES_UNKNOWN;
	SpinLockRelease(&shared->mutex);
}

PageReader *
page_reader_create(Relation index, ParallelPages *shared, const BiometricMetaPageData *meta)
{
	PageReader *reader = palloc0(sizeof(PageReader));

	reader->index = index;
	reader->shared = shared;
	reader->meta = meta;
	return reader;
}

/* ---- which blocks -------------------------------------------------------- */

/* How many groups there are; the last one may have only its sketch page */
static uint32
count_groups(PageReader *reader)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(reader->index);

	if (blocks <= BIOMETRIC_FIRST_BLOCK)
		return 0;
	return (blocks - BIOMETRIC_FIRST_BLOCK - 1) / (reader->meta->group_pages + 1) + 1;
}

/*
 * Takes the next chunk out of those that are left.  Without other participants
 * there is only one.
 *
 * Pages that are added while the scan runs need not be read: their rows were
 * inserted after its snapshot.  A scan with a dirty snapshot need not see them
 * either.
 */
static bool
take_chunk(PageReader *reader)
{
	ParallelPages *shared = reader->shared;
	Chunk          chunk = {0, 0};

	if (shared == NULL)
	{
		chunk.end = count_groups(reader);
		reader->all_taken = true;
	}
	else
	{
		uint32 groups = reader->nchunks == 0 ? count_groups(reader) : PARALLEL_PAGES_UNKNOWN;

		SpinLockAcquire(&shared->mutex);
		if (shared->end == PARALLEL_PAGES_UNKNOWN)
			shared->end = groups;
		chunk.start = shared->next;
		if (chunk.start < shared->end)
			shared->next +=
				Min(Max((shared->end - chunk.start) / CHUNK_PART, 1), (uint32) CHUNK_MAX);
		chunk.end = shared->next;
		SpinLockRelease(&shared->mutex);
	}
	if (chunk.start >= chunk.end)
	{
		reader->all_taken = true;
		return false;
	}

	if (reader->nchunks == reader->max_chunks)
	{
		reader->max_chunks = Max(reader->max_chunks * 2, 16);
		if (reader->chunks == NULL)
			reader->chunks = palloc(sizeof(Chunk) * reader->max_chunks);
		else
			reader->chunks = repalloc(reader->chunks, sizeof(Chunk) * reader->max_chunks);
	}
	reader->chunks[reader->nchunks++] = chunk;
	return true;
}

static BlockNumber
next_block(PageReader *reader)
{
	BlockNumber block;

	if (reader->list != NULL)
		return reader->next_listed < reader->nlist ? reader->list[reader->next_listed++]
												   : InvalidBlockNumber;
	do
	{
		while (reader->next == reader->end)
		{
			if (reader->next_chunk == reader->nchunks && (reader->all_taken || !take_chunk(reader)))
				return InvalidBlockNumber;
			reader->next = reader->chunks[reader->next_chunk].start;
			reader->end = reader->chunks[reader->next_chunk].end;
			reader->next_chunk++;
		}
		block = BIOMETRIC_FIRST_BLOCK + reader->next++ * (reader->meta->group_pages + 1);
	} while (!sketch_is_at(reader->meta, block));
	return block;
}

/* ---- reading ------------------------------------------------------------- */

#if PG_VERSION_NUM >= 170000

static BlockNumber
next_block_of_stream(ReadStream *stream, void *callback_private_data, void *per_buffer_data)
{
	return next_block(callback_private_data);
}

static Buffer
read_next(PageReader *reader)
{
	return read_stream_next_buffer(reader->stream, NULL);
}

#else

/* blocks read so far by this process that were not in shared buffers */
static int64
blocks_missed(void)
{
	return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
}

/*
 * Some blocks are known before they are read, about as many as the tablespace's
 * effective_io_concurrency.  They are prefetched only after a page was not
 * found in shared buffers: prefetching cached pages would be wasted work, and a participant
 * of a parallel scan should not take groups long before it comes to them.
 */
static Buffer
read_next(PageReader *reader)
{
	int64 missed = blocks_missed();
	int size = reader->cold ? reader->queue_size : 1;
	Buffer buffer;

	while (reader->queue_used < size)
	{
		BlockNumber block = next_block(reader);

		if (block == InvalidBlockNumber)
			break;
		if (reader->cold && reader->queue_used > 0)
			PrefetchBuffer(reader->index, MAIN_FORKNUM, block);
		reader->queue[(reader->queue_first + reader->queue_used++) % QUEUE_MAX] = block;
	}
	if (reader->queue_used == 0)
		return InvalidBuffer;

	buffer = ReadBufferExtended(reader->index, MAIN_FORKNUM, reader->queue[reader->queue_first],
								RBM_NORMAL, reader->strategy);
	reader->queue_first = (reader->queue_first + 1) % QUEUE_MAX;
	reader->queue_used--;
	reader->cold = blocks_missed() > missed;
	return buffer;
}

#endif

/* Pins the next page and asks the processor for its contents */
static void
read_ahead(PageReader *reader)
{
	const char *page;

	reader->ahead = read_next(reader);
	if (!BufferIsValid(reader->ahead))
		return;
	page = BufferGetPage(reader->ahead);
	for (int offset = 0; offset < (reader->whole ? BLCKSZ : CACHE_LINE_BYTES);
		 offset += CACHE_LINE_BYTES)
		__builtin_prefetch(page + offset);
}

/*
 * A pass over some pages of the index, about so many.  Each search reads the same pages,
 * so they should stay in shared buffers.  Pages that are too many for that must not
 * evict everything else.
 */
static void
begin(PageReader *reader, const BlockNumber *list, int nlist, bool whole, double pages)
{
	page_reader_end(reader);
	reader->list = list;
	reader->nlist = nlist;
	reader->whole = whole;
	reader->next_listed = 0;
	reader->next_chunk = 0;
	reader->next = reader->end = 0;
	reader->active = true;
	reader->strategy = NULL;
	if (pages > (double) NBuffers / 4 * 3 && !RelationUsesLocalBuffers(reader->index))
	{
		if (reader->bulk == NULL)
			reader->bulk = GetAccessStrategy(BAS_BULKREAD);
		reader->strategy = reader->bulk;
	}

#if PG_VERSION_NUM >= 170000
	reader->stream = read_stream_begin_relation(READ_STREAM_DEFAULT
#if PG_VERSION_NUM >= 180000
													| READ_STREAM_USE_BATCHING
#endif
												,
												reader->strategy, reader->index, MAIN_FORKNUM,
												next_block_of_stream, reader, 0);
#else
	reader->queue_first = reader->queue_used = 0;
	reader->queue_size = get_tablespace_io_concurrency(reader->index->rd_rel->reltablespace);
	if (reader->queue_size > 0)
		reader->queue_size = Min(Max(reader->queue_size, QUEUE_MIN), QUEUE_MAX - 1);
	reader->queue_size++;
#endif
	read_ahead(reader);
}

void
page_reader_begin(PageReader *reader)
{
	begin(reader, NULL, 0, true, count_groups(reader));
}

void
page_reader_begin_list(PageReader *reader, const BlockNumber *blocks, int nblocks, bool dense)
{
	begin(reader, blocks, nblocks, dense,
		  dense ? (double) RelationGetNumberOfBlocks(reader->index) : 0);
}

Buffer
page_reader_next(PageReader *reader)
{
	Buffer buffer = reader->ahead;

	if (BufferIsValid(buffer))
		read_ahead(reader);
	return buffer;
}

void
page_reader_end(PageReader *reader)
{
	if (!reader->active)
		return;
	reader->active = false;
	if (BufferIsValid(reader->ahead))
		ReleaseBuffer(reader->ahead);
	reader->ahead = InvalidBuffer;
#if PG_VERSION_NUM >= 170000
	read_stream_end(reader->stream);
	reader->stream = NULL;
#endif
}
