/*
 * sieve.c
 *		Which entries an exact search compares.
 *
 * A sketch page is copied under a share lock, and its sketches are compared without it.
 */
#include "postgres.h"

#include "compat.h"
#include "index/sieve.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * A batch ends after so many sketch pages, so that the first rows come soon and the limit
 * of a search for the nearest falls early; or when so many entries are to be compared, so
 * that the participants of a parallel scan end at about the same time.
 */
#define BATCH_PAGES   32
#define BATCH_ENTRIES 256

Sieve *
sieve_create(Relation index, Snapshot snapshot, const BiometricModality *modality,
			 ParallelPages *shared, const BiometricMetaPageData *meta)
{
	Sieve *sieve = palloc0(sizeof(Sieve));

	sieve->index = index;
	sieve->snapshot = snapshot;
	sieve->modality = modality;
	sieve->meta = meta;
	sieve->reader = page_reader_create(index, shared, meta);
	sieve->room = SKETCH_PAGE_MAX_ENTRIES;
	sieve->places = palloc(sizeof(EntryPlace) * sieve->room);
	sieve->blocks_room = BATCH_PAGES;
	sieve->blocks = palloc(sizeof(BlockNumber) * sieve->blocks_room);
	return sieve;
}

void
sieve_begin(Sieve *sieve, bool want_matches, bool want_nulls)
{
	sieve->want_matches = want_matches;
	sieve->want_nulls = want_nulls;
	sieve->nplaces = sieve->next = sieve->nblocks = 0;
	page_reader_begin(sieve->reader);
}

void
sieve_end(Sieve *sieve)
{
	page_reader_end(sieve->reader);
}

static int
compare_places(const void *left, const void *right)
{
	const EntryPlace *a = left;
	const EntryPlace *b = right;

	if (a->block != b->block)
		return a->block < b->block ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Lets an entry through */
static void
add_place(Sieve *sieve, BlockNumber sketch_block, SketchEntry sketch)
{
	if (sieve->nplaces == sieve->room)
		sieve->places =
			repalloc_huge(sieve->places, sizeof(EntryPlace) * (Size) (sieve->room *= 2));
	sieve->places[sieve->nplaces].block = sketch_block + 1 + sketch->page;
	sieve->places[sieve->nplaces++].offset = sketch->offset;
}

/* Finds the sketches on the current page, after checking them.  Returns how many. */
static int
read_sketches(Sieve *sieve, BlockNumber block)
{
	const BiometricModality *modality = sieve->modality;
	Page                     page = sieve->page.data;
	int                      entries = sketch_page_entries(page);

	for (OffsetNumber i = FirstOffsetNumber; i <= entries; i++)
	{
		Size        size;
		SketchEntry sketch = sketch_page_entry(sieve->index, sieve->meta, block, page, i, &size);

		if (modality->sketch_valid != NULL ? !modality->sketch_valid(sketch->sketch, size)
										   : size != 0)
			biometric_page_corrupted(sieve->index, block, "A sketch is damaged.");
		sieve->entries[i - 1] = sketch;
		sieve->sketches[i - 1] = sketch->sketch;
		sieve->sizes[i - 1] = size;
	}
	return entries;
}

/* Sketches that are not within the limits of the probes are forgotten.  Returns how many are left. */
static int
compare_sketches(Sieve *sieve, const SieveProbe *probes, int nprobes, int n)
{
	for (int p = 0; p < nprobes && n > 0; p++)
	{
		int kept = 0;

		if (sieve->modality->sketches_within == NULL || isinf(probes[p].limit))
			continue;
		sieve->modality->sketches_within(probes[p].unpacked, n, sieve->sketches, sieve->sizes,
										 probes[p].limit, sieve->within);
		for (int i = 0; i < n; i++)
		{
			sieve->entries[kept] = sieve->entries[i];
			sieve->sketches[kept] = sieve->sketches[i];
			sieve->sizes[kept] = sieve->sizes[i];
			kept += sieve->within[i];
		}
		n = kept;
	}
	return n;
}

static void
add_block(Sieve *sieve, BlockNumber block)
{
	if (sieve->nblocks == sieve->blocks_room)
		sieve->blocks =
			repalloc_huge(sieve->blocks, sizeof(BlockNumber) * (Size) (sieve->blocks_room *= 2));
	sieve->blocks[sieve->nblocks++] = block;
}

/*
 * Puts the places from first on in order, and lists their pages, or all of the group.
 * On a sound page no place is there twice.
 */
static void
list_pages(Sieve *sieve, BlockNumber sketch_block, int first)
{
	EntryPlace *places = sieve->places + first;
	int         n = sieve->nplaces - first;
	bool        sorted = true;

	for (int i = 1; i < n && sorted; i++)
		sorted = compare_places(&places[i - 1], &places[i]) < 0;
	if (!sorted)
		qsort(places, n, sizeof(EntryPlace), compare_places);
	for (int i = 0; i < n; i++)
	{
		if (i > 0 && compare_places(&places[i - 1], &places[i]) == 0)
			biometric_page_corrupted(sieve->index, sketch_block, "An entry has two sketches.");
		if (!gallery_may_be_at(sieve->meta, places[i].block))
			biometric_page_corrupted(sieve->index, sketch_block,
									 "A sketch leads to a page without entries.");
		if (!sieve->want_nulls && (i == 0 || places[i].block != places[i - 1].block))
			add_block(sieve, places[i].block);
	}
	if (sieve->want_nulls)
	{
		BlockNumber blocks = RelationGetNumberOfBlocks(sieve->index);

		for (BlockNumber block = sketch_block + 1;
			 block < blocks && gallery_may_be_at(sieve->meta, block); block++)
			add_block(sieve, block);
	}
}

bool
sieve_next(Sieve *sieve, const SieveProbe *probes, int nprobes)
{
	int pages = 0;

	sieve->nplaces = sieve->next = sieve->nblocks = sieve->visited = 0;
	while (pages < BATCH_PAGES && sieve->nplaces < BATCH_ENTRIES)
	{
		int         first = sieve->nplaces;
		Buffer      buffer;
		BlockNumber block;
		int         n;

		CHECK_FOR_INTERRUPTS();
		buffer = page_reader_next(sieve->reader);
		if (!BufferIsValid(buffer))
			break;
		block = BufferGetBlockNumber(buffer);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		TestForOldSnapshot(sieve->snapshot, sieve->index, BufferGetPage(buffer));
		memcpy(sieve->page.data, BufferGetPage(buffer), BLCKSZ);
		UnlockReleaseBuffer(buffer);
		pages++;

		if (sieve->want_matches)
		{
			sketch_check_page(sieve->index, block, sieve->page.data);
			n = read_sketches(sieve, block);
			sieve->visited += n;
			n = compare_sketches(sieve, probes, nprobes, n);
			for (int i = 0; i < n; i++)
				add_place(sieve, block, sieve->entries[i]);
		}
		list_pages(sieve, block, first);
	}
	if (sieve->nplaces > 0 && sieve->places[sieve->nplaces - 1].block >= sieve->blocks_of_index)
	{
		sieve->blocks_of_index = RelationGetNumberOfBlocks(sieve->index);
		if (sieve->places[sieve->nplaces - 1].block >= sieve->blocks_of_index)
			biometric_page_corrupted(sieve->index, sieve->places[sieve->nplaces - 1].block,
									 "A sketch says that it is there.");
	}
	sieve->dense = sieve->nblocks > pages * sieve->meta->group_pages / 2;
	return pages > 0;
}
