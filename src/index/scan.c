/*
 * scan.c
 *		Search of a gallery.
 *
 * An exact scan evaluates any combination of quals (template % query) and
 * order-bys (template <-> query), and returns exactly what a sequential scan
 * returns:
 *
 * - Without an order-by, pages are read one by one and the rows that pass the
 *   quals are returned at once.
 * - With an order-by, a pass over all pages selects the nearest rows that pass
 *   the quals (selection.h).  When they are used up and there were more, another
 *   pass selects those that follow.  Rows whose template is NULL come last.
 *
 * In a parallel scan each participant does so with the pages that it takes
 * (reader.h), and Gather Merge puts the rows of all in order.
 *
 * A fast scan (biometric.search_mode) first compares only the entries that
 * candidates.h names for one of the probes: that of the first order-by, or else
 * of the first qual.  Then a scan with quals ends, and may have missed rows.  A
 * scan without quals goes on as an exact scan of all other entries, so that it
 * returns every row.  Its order is that of two exact scans, one after the
 * other.  A constraint must not miss a row, so only scans with an MVCC snapshot
 * are fast.  A small gallery is always searched exactly.
 *
 * If the executor reports that a row is gone for every snapshot, its entry gets
 * the flag KILLED, and later scans skip it.
 *
 * A query is decoded once per rescan.  Quals and order-bys with the same
 * template share one probe, so "WHERE t % q ORDER BY t <-> q" compares once.
 *
 * A qual is a lowest score; the score falls as the distance grows.  So each
 * qual is turned once into the largest distance that passes it, and an entry
 * costs a comparison of two numbers after the comparison of two templates.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "access/relscan.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_type_d.h"
#include "compat.h"
#include "index/candidates.h"
#include "index/index.h"
#include "index/reader.h"
#include "index/selection.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
#include "settings.h"
#include "type/probe.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* One template that entries are compared with */
typedef struct ScanProbe
{
	void   *features;
	Size    size;
	void   *unpacked;  /* the modality's own form */
	double  limit;     /* farther entries do not pass the quals */
	double *distances; /* of the page's entries */
} ScanProbe;

/* An entry whose row is gone for every snapshot */
typedef struct KilledEntry
{
	EntryPlace      place;
	ItemPointerData tid;
} KilledEntry;

/* entries that are collected before their pages are written */
#define MAX_KILLED 1024

typedef enum ScanPhase
{
	SCAN_START,   /* nothing has been read since rescan */
	SCAN_PAGES,   /* returning rows page by page */
	SCAN_ORDERED, /* returning rows by distance */
	SCAN_DONE
} ScanPhase;

typedef struct BiometricScan
{
	const BiometricModality *modality;
	MemoryContext            context; /* all that a rescan forgets */
	ScanPhase                phase;

	/* what is asked for */
	int        nprobes;
	ScanProbe *probes;
	bool       has_quals;
	bool       impossible;     /* no row can pass the quals */
	int        norderbys;      /* order-bys whose argument is not NULL */
	int       *orderby_probe;  /* each one's probe */
	int       *orderby_number; /* and which of the scan's it is */
	double    *row_distances;  /* room for the distances of a row to these */
	bool       want_matches;   /* this pass: rows with a template */
	bool       want_nulls;     /* this pass: rows without */

	PageReader *reader;
	Selection  *selection;
	bool        begin_selection; /* nothing has been selected yet */
	bool        nulls_pending;   /* rows without a template are to be returned last */
	bool        nulls_seen;

	/* a fast scan: the entries that are compared first; NULL if it is none */
	Candidates *candidates;
	bool        fast;        /* whether the candidates are still to be returned */
	double      match_limit; /* farther matches do not ask for more candidates */

	/* the current page: rows to be returned, first those with a template */
	BlockNumber     block;
	int             nrows;
	int             nmatches;
	int             next_row;
	ItemPointerData tids[GALLERY_PAGE_MAX_ENTRIES];
	OffsetNumber    offsets[GALLERY_PAGE_MAX_ENTRIES];
	Candidate      *candidate[GALLERY_PAGE_MAX_ENTRIES]; /* of a fast scan */
	const void     *features[GALLERY_PAGE_MAX_ENTRIES];
	Size            sizes[GALLERY_PAGE_MAX_ENTRIES];
	PGAlignedBlock  page;

	BlockNumber heap_blocks; /* that the table had when we last looked */

	/* where the current row was found, and those that are gone */
	EntryPlace   place;
	uint64       vacuums; /* that had ended before the scan began */
	KilledEntry *killed;  /* room for MAX_KILLED; NULL if there are none */
	int          nkilled;

	/* of the current row, one for each order-by of the scan */
	Oid                  *orderby_types;
	IndexOrderByDistance *orderby_distances;
} BiometricScan;

IndexScanDesc
biometric_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc         scan = RelationGetIndexScan(index, nkeys, norderbys);
	BiometricScan        *state = palloc0(sizeof(BiometricScan));
	BiometricMetaPageData meta;

	state->modality = biometric_open(index, false, &meta);
	state->context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric scan", ALLOCSET_DEFAULT_SIZES);
	if (norderbys > 0)
	{
		scan->xs_orderbyvals = palloc0(sizeof(Datum) * norderbys);
		scan->xs_orderbynulls = palloc(sizeof(bool) * norderbys);
		memset(scan->xs_orderbynulls, true, sizeof(bool) * norderbys);
		state->orderby_types = palloc(sizeof(Oid) * norderbys);
		for (int i = 0; i < norderbys; i++)
			state->orderby_types[i] = FLOAT8OID;
		state->orderby_distances = palloc0(sizeof(IndexOrderByDistance) * norderbys);
	}
	scan->opaque = state;
	return scan;
}

/* ---- parallel scans ------------------------------------------------------ */

#if PG_VERSION_NUM >= 180000
Size
biometric_estimateparallelscan(Relation index, int nkeys, int norderbys)
#elif PG_VERSION_NUM >= 170000
Size
biometric_estimateparallelscan(int nkeys, int norderbys)
#else
Size
biometric_estimateparallelscan(void)
#endif
{
	return sizeof(ParallelPages);
}

void
biometric_initparallelscan(void *target)
{
	parallel_pages_init(target);
}

/* NULL if this scan is not a parallel one */
static ParallelPages *
parallel_pages(IndexScanDesc scan)
{
	if (scan->parallel_scan == NULL)
		return NULL;
#if PG_VERSION_NUM >= 180000
	return OffsetToPointer(scan->parallel_scan, scan->parallel_scan->ps_offset_am);
#else
	return OffsetToPointer(scan->parallel_scan, scan->parallel_scan->ps_offset);
#endif
}

/* The leader calls it while no worker scans */
void
biometric_parallelrescan(IndexScanDesc scan)
{
	parallel_pages_restart(parallel_pages(scan));
}

/* ---- reading pages ------------------------------------------------------- */

static void
end_pages(BiometricScan *state)
{
	if (state->reader != NULL)
		page_reader_end(state->reader);
	state->nrows = state->nmatches = state->next_row = 0;
}

/* Begins a pass: over the candidates of a fast scan, or else over all entries */
static void
begin_pages(BiometricScan *state, bool want_matches, bool want_nulls)
{
	Candidates *candidates = state->candidates;

	end_pages(state);
	state->want_matches = want_matches;
	state->want_nulls = want_nulls;
	if (state->fast)
	{
		if (candidates->complete)
			candidates_again(candidates);
		else
			candidates_advance(candidates);
		page_reader_begin_list(state->reader, candidates->blocks, candidates->nblocks);
	}
	else
	{
		if (candidates != NULL)
			candidates_end(candidates);
		page_reader_begin(state->reader);
	}
}

/* The probe whose candidates a fast scan compares */
static ScanProbe *
preselecting_probe(BiometricScan *state)
{
	return &state->probes[state->norderbys > 0 ? state->orderby_probe[0] : 0];
}

/*
 * Compares all entries of the current page and keeps those that pass the
 * quals.
 */
static void
compare_entries(BiometricScan *state)
{
	for (int p = 0; p < state->nprobes && state->nmatches > 0; p++)
	{
		ScanProbe *probe = &state->probes[p];
		int        kept = 0;

		state->modality->distances(probe->unpacked, state->nmatches, state->features, state->sizes,
								   probe->limit, probe->distances);
		for (int i = 0; i < state->nmatches; i++)
		{
			if (!(probe->distances[i] <= probe->limit))
				continue;
			if (kept < i)
			{
				state->tids[kept] = state->tids[i];
				state->offsets[kept] = state->offsets[i];
				state->features[kept] = state->features[i];
				state->sizes[kept] = state->sizes[i];
				for (int q = 0; q <= p; q++)
					state->probes[q].distances[kept] = state->probes[q].distances[i];
			}
			kept++;
		}
		state->nmatches = kept;
	}
}

/* Adds an entry to those that are to be compared, or just returned.  It stays where it is. */
static void
add_entry(IndexScanDesc scan, OffsetNumber offset, GalleryEntry entry, Size size)
{
	BiometricScan *state = scan->opaque;

	if (state->nprobes > 0 && !state->modality->features_valid(entry->features, size))
		biometric_page_corrupted(scan->indexRelation, state->block,
								 "The features of an entry are damaged.");
	state->tids[state->nmatches] = entry->tid;
	state->offsets[state->nmatches] = offset;
	state->features[state->nmatches] = entry->features;
	state->sizes[state->nmatches] = size;
	state->nmatches++;
}

/* Whether the row of an entry is gone */
static bool
is_gone(IndexScanDesc scan, GalleryEntry entry)
{
	return (entry->flags & GALLERY_ENTRY_DEAD) != 0 ||
		   (scan->ignore_killed_tuples && (entry->flags & GALLERY_ENTRY_KILLED) != 0);
}

/* Takes the candidates from a page, which is locked.  They are copied. */
static void
read_candidates(IndexScanDesc scan, Page page)
{
	BiometricScan *state = scan->opaque;
	Candidates    *candidates = state->candidates;
	int            entries = gallery_page_entries(page);
	Size           used = 0;

	for (; candidates->next < candidates->nvisited; candidates->next++)
	{
		Candidate   *candidate = &candidates->visited[candidates->next];
		OffsetNumber offset = EntryRefOffset(candidate->ref);
		GalleryEntry entry, copy;
		Size         size;

		if (EntryRefBlock(candidate->ref) != state->block)
			break;

		/* the entry may be gone, or another entry may have its place */
		if (offset > entries)
			continue;
		entry = gallery_page_entry(scan->indexRelation, state->block, page, offset, &size);
		if (entry == NULL || (entry->flags & GALLERY_ENTRY_NULL) != 0 || is_gone(scan, entry))
			continue;

		/* all entries of a page together have room on a page: gallery_check_page */
		copy = (GalleryEntry) (state->page.data + used);
		memcpy(copy, entry, GALLERY_ENTRY_HEADER + size);
		used += MAXALIGN(GALLERY_ENTRY_HEADER + size);
		state->candidate[state->nmatches] = candidate;
		add_entry(scan, offset, copy, size);
		candidates_live(candidates, candidate);
	}
}

/* Compares them, or finds how much they resemble the probe */
static void
compare_candidates(BiometricScan *state)
{
	const ScanProbe *probe = preselecting_probe(state);

	if (!state->candidates->comparing)
	{
		int resemblances[GALLERY_PAGE_MAX_ENTRIES];

		state->modality->resemblances(probe->unpacked, state->nmatches, state->features,
									  state->sizes, resemblances);
		for (int i = 0; i < state->nmatches; i++)
			state->candidate[i]->resemblance = resemblances[i];
		state->nmatches = 0;
	}
	compare_entries(state);
	state->nrows = state->nmatches;
	for (int i = 0; i < state->nmatches; i++)
	{
		if (probe->distances[i] <= state->match_limit)
		{
			candidates_matched(state->candidates);
			break;
		}
	}
}

/* Finds the entries on the current page, a copy */
static void
read_entries(IndexScanDesc scan)
{
	BiometricScan  *state = scan->opaque;
	Page            page = state->page.data;
	int             entries = gallery_page_entries(page);
	ItemPointerData nulls[GALLERY_PAGE_MAX_ENTRIES];
	OffsetNumber    null_offsets[GALLERY_PAGE_MAX_ENTRIES];
	int             nnulls = 0;

	for (OffsetNumber i = FirstOffsetNumber; i <= entries; i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(scan->indexRelation, state->block, page, i, &size);

		if (entry == NULL || is_gone(scan, entry))
			continue;
		if (entry->flags & GALLERY_ENTRY_NULL)
		{
			state->nulls_seen = true;
			if (state->want_nulls)
			{
				nulls[nnulls] = entry->tid;
				null_offsets[nnulls++] = i;
			}
		}
		else if (state->want_matches && (state->candidates == NULL ||
										 !candidates_have(state->candidates, state->block, i)))
			add_entry(scan, i, entry, size);
	}
	compare_entries(state);
	memcpy(state->tids + state->nmatches, nulls, sizeof(ItemPointerData) * nnulls);
	memcpy(state->offsets + state->nmatches, null_offsets, sizeof(OffsetNumber) * nnulls);
	state->nrows = state->nmatches + nnulls;
}

/* The next page, pinned; InvalidBuffer at the end of a pass */
static Buffer
next_buffer(BiometricScan *state)
{
	Buffer buffer = page_reader_next(state->reader);

	while (!BufferIsValid(buffer) && state->fast && candidates_advance(state->candidates))
	{
		page_reader_begin_list(state->reader, state->candidates->blocks,
							   state->candidates->nblocks);
		buffer = page_reader_next(state->reader);
	}
	return buffer;
}

/* Reads the next page and finds what is to be returned of it; false at the end */
static bool
next_page(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	Relation       index = scan->indexRelation;
	Buffer         buffer;
	Page           page;
	bool           gallery;

	do
	{
		CHECK_FOR_INTERRUPTS();
		buffer = next_buffer(state);
		if (!BufferIsValid(buffer))
			return false;
		state->block = BufferGetBlockNumber(buffer);
		page = BufferGetPage(buffer);
		state->nrows = state->nmatches = state->next_row = 0;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		gallery = biometric_page_kind(index, state->block, page) == BIOMETRIC_GALLERY_PAGE;
		TestForOldSnapshot(scan->xs_snapshot, index, page);
		if (!gallery && state->fast && !PageIsNew(page))
			biometric_page_corrupted(index, state->block,
									 "A posting or a pending reference leads to it.");
		if (gallery && state->fast)
			read_candidates(scan, page);
		else if (gallery)
			memcpy(state->page.data, page, BLCKSZ);
		UnlockReleaseBuffer(buffer);
	} while (!gallery);

	if (state->fast)
		compare_candidates(state);
	else
		read_entries(scan);
	return true;
}

/* ---- what is asked for --------------------------------------------------- */

/* The probe of a template, shared if there is one already; returns its number */
static int
add_probe(BiometricScan *state, Datum template)
{
	const BiometricModality *modality = state->modality;
	void                    *features = palloc(Max(modality->max_features_size, 1));
	Size                     size = modality->extract(template, features);
	ScanProbe               *probe;

	for (int i = 0; i < state->nprobes; i++)
	{
		if (state->probes[i].size == size && memcmp(state->probes[i].features, features, size) == 0)
		{
			pfree(features);
			return i;
		}
	}

	probe = &state->probes[state->nprobes];
	probe->features = features;
	probe->size = size;
	probe->unpacked = modality->begin_probe(features, size);
	probe->limit = get_float8_infinity();
	probe->distances = palloc(sizeof(double) * GALLERY_PAGE_MAX_ENTRIES);
	return state->nprobes++;
}

static void
add_qual(BiometricScan *state, ScanKey key)
{
	Datum template = key->sk_argument;
	double min_score = biometric_match_threshold;
	double limit;

	state->has_quals = true;

	/* operators are strict */
	if (key->sk_flags & SK_ISNULL)
	{
		state->impossible = true;
		return;
	}

	if (key->sk_strategy == BIOMETRIC_PROBE_STRATEGY)
		template = probe_take_apart(template, &min_score);
	else if (key->sk_strategy != BIOMETRIC_MATCH_STRATEGY)
		elog(ERROR, "unrecognized strategy number: %d", key->sk_strategy);

	if (!biometric_largest_distance(state->modality, min_score, &limit))
		state->impossible = true;
	else
	{
		ScanProbe *probe = &state->probes[add_probe(state, template)];

		probe->limit = Min(probe->limit, limit);
	}
}

static void
add_orderby(BiometricScan *state, ScanKey orderby, int number)
{
	if (orderby->sk_strategy != BIOMETRIC_DISTANCE_STRATEGY)
		elog(ERROR, "unrecognized strategy number: %d", orderby->sk_strategy);

	/* the distance to NULL is NULL for all rows, which orders nothing */
	if (orderby->sk_flags & SK_ISNULL)
		return;
	state->orderby_number[state->norderbys] = number;
	state->orderby_probe[state->norderbys] = add_probe(state, orderby->sk_argument);
	state->norderbys++;
}

/* Finds the candidates of a fast scan */
static void
find_candidates(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	ScanProbe     *probe = preselecting_probe(state);

	state->candidates = candidates_begin(scan->indexRelation, scan->xs_snapshot, state->modality,
										 probe->features, probe->size, biometric_penetration_rate);

	/* -Infinity, which no distance is, if no score is that high */
	if (!biometric_largest_distance(state->modality, candidates_match_score(state->candidates),
									&state->match_limit))
		state->match_limit = -get_float8_infinity();
}

/* Decodes the query and begins to read.  In the scan's context. */
static void
start_scan(IndexScanDesc scan)
{
	BiometricScan        *state = scan->opaque;
	int                   clauses = scan->numberOfKeys + scan->numberOfOrderBys;
	BiometricMetaPageData meta;

	pgstat_count_index_scan(scan->indexRelation);
#if PG_VERSION_NUM >= 180000
	if (scan->instrument)
		scan->instrument->nsearches++;
#endif

	state->probes = palloc0(sizeof(ScanProbe) * Max(clauses, 1));
	state->orderby_probe = palloc(sizeof(int) * Max(clauses, 1));
	state->orderby_number = palloc(sizeof(int) * Max(clauses, 1));
	state->row_distances = palloc(sizeof(double) * Max(clauses, 1));
	for (int i = 0; i < scan->numberOfKeys && !state->impossible; i++)
		add_qual(state, &scan->keyData[i]);
	for (int i = 0; i < scan->numberOfOrderBys && !state->impossible; i++)
		add_orderby(state, &scan->orderByData[i], i);

	if (state->impossible)
	{
		state->phase = SCAN_DONE;
		return;
	}

	biometric_read_meta(scan->indexRelation, &meta);
	state->vacuums = meta.vacuums;
	state->reader = page_reader_create(scan->indexRelation, parallel_pages(scan), meta.words_start,
									   meta.words_end);
	state->fast = biometric_search_mode == BIOMETRIC_SEARCH_FAST && state->nprobes > 0 &&
				  biometric_penetration_rate < 1 && scan->parallel_scan == NULL &&
				  IsMVCCSnapshot(scan->xs_snapshot) &&
				  (meta.flags & BIOMETRIC_META_PRESELECTION) != 0 &&
				  meta.entries > PRESELECTION_MIN_CANDIDATES;
	if (state->fast)
		find_candidates(scan);

	if (state->norderbys == 0)
	{
		state->phase = SCAN_PAGES;
		begin_pages(state, true, !state->has_quals);
	}
	else
	{
		state->phase = SCAN_ORDERED;
		state->selection = selection_create(state->norderbys, (Size) work_mem * 1024);
		state->begin_selection = true;
		state->nulls_pending = !state->has_quals;
	}
}

/* ---- rows that are gone ---------------------------------------------------- */

static int
compare_killed(const void *a, const void *b)
{
	const EntryPlace *x = &((const KilledEntry *) a)->place;
	const EntryPlace *y = &((const KilledEntry *) b)->place;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/*
 * Gives the flag KILLED to those of a page.  Logged, although it is a hint: a
 * page of generic WAL has no bits that may differ on a standby.
 */
static void
mark_killed(IndexScanDesc scan, const KilledEntry *killed, int n)
{
	BiometricScan        *state = scan->opaque;
	Relation              index = scan->indexRelation;
	BlockNumber           blocks = 0;
	Buffer                buffer = biometric_read_linked(index, &blocks, killed[0].place.block);
	BiometricMetaPageData meta;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	gallery_check_page(index, killed[0].place.block, BufferGetPage(buffer));

	/* unless a vacuum has ended since, the TID cannot be another row's */
	biometric_read_meta(index, &meta);
	if (meta.vacuums == state->vacuums)
	{
		GenericXLogState *wal = GenericXLogStart(index);
		Page              page = GenericXLogRegisterBuffer(wal, buffer, 0);
		int               entries = gallery_page_entries(page);
		bool              changed = false;

		for (int i = 0; i < n && killed[i].place.offset <= entries; i++)
		{
			Size         size;
			GalleryEntry entry = gallery_page_entry(index, killed[i].place.block, page,
													killed[i].place.offset, &size);

			if (entry != NULL && !(entry->flags & GALLERY_ENTRY_KILLED) &&
				ItemPointerEquals(&entry->tid, (ItemPointer) &killed[i].tid))
			{
				entry->flags |= GALLERY_ENTRY_KILLED;
				changed = true;
			}
		}
		if (changed)
			GenericXLogFinish(wal);
		else
			GenericXLogAbort(wal);
	}
	UnlockReleaseBuffer(buffer);
}

static void
mark_all_killed(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	qsort(state->killed, state->nkilled, sizeof(KilledEntry), compare_killed);
	for (int i = 0, same; i < state->nkilled; i += same)
	{
		for (same = 1; i + same < state->nkilled &&
					   state->killed[i + same].place.block == state->killed[i].place.block;)
			same++;
		mark_killed(scan, state->killed + i, same);
	}
	state->nkilled = 0;
}

/* The row returned last is gone.  The scan may have pages pinned, but none locked. */
static void
add_killed(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	if (state->killed == NULL)
		state->killed =
			MemoryContextAlloc(GetMemoryChunkContext(state), sizeof(KilledEntry) * MAX_KILLED);
	if (state->nkilled == MAX_KILLED)
		mark_all_killed(scan);
	state->killed[state->nkilled].place = state->place;
	state->killed[state->nkilled++].tid = scan->xs_heaptid;
}

void
biometric_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	BiometricScan *state = scan->opaque;

	if (keys != NULL && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys != NULL && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys, scan->numberOfOrderBys * sizeof(ScanKeyData));

	end_pages(state);
	mark_all_killed(scan);
	MemoryContextReset(state->context);
	if (scan->numberOfOrderBys > 0)
		memset(scan->xs_orderbynulls, true, sizeof(bool) * scan->numberOfOrderBys);
	state->phase = SCAN_START;
	state->nprobes = 0;
	state->probes = NULL;
	state->has_quals = false;
	state->impossible = false;
	state->norderbys = 0;
	state->reader = NULL;
	state->selection = NULL;
	state->nulls_pending = false;
	state->nulls_seen = false;
	state->fast = false;
	state->candidates = NULL;
}

void
biometric_endscan(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	end_pages(state);
	mark_all_killed(scan);
	MemoryContextDelete(state->context);
	if (state->killed != NULL)
		pfree(state->killed);
	pfree(state);
}

/* ---- results ------------------------------------------------------------- */

/*
 * Raises an error if a TID leads out of the table: PostgreSQL's own would not
 * name the index.  Other table access methods than heap may use TIDs as they like.
 */
static void
check_tid(IndexScanDesc scan, BlockNumber block, ItemPointer tid)
{
	BiometricScan *state = scan->opaque;
	Relation       heap;

	if (ItemPointerGetBlockNumberNoCheck(tid) < state->heap_blocks)
		return;

	/* it may have grown */
	heap = RelationIdGetRelation(scan->indexRelation->rd_index->indrelid);
	state->heap_blocks =
		heap->rd_rel->relam == HEAP_TABLE_AM_OID ? RelationGetNumberOfBlocks(heap) : MaxBlockNumber;
	RelationClose(heap);
	if (ItemPointerGetBlockNumberNoCheck(tid) >= state->heap_blocks)
		biometric_page_corrupted(scan->indexRelation, block,
								 "An entry points beyond the end of the table.");
}

/* One pass for the nearest rows that were not yet returned */
static void
select_rows(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	begin_pages(state, true, false);
	selection_begin_pass(state->selection);
	while (next_page(scan))
	{
		for (int i = 0; i < state->nmatches; i++)
		{
			EntryPlace place = {state->block, state->offsets[i]};

			for (int o = 0; o < state->norderbys; o++)
				state->row_distances[o] = state->probes[state->orderby_probe[o]].distances[i];
			selection_offer(state->selection, state->row_distances, &state->tids[i], place);
		}
	}
	end_pages(state);
	selection_end_pass(state->selection);
}

/* Sets the current row, whose distances are NULL if none are given */
static void
return_row(IndexScanDesc scan, ItemPointer tid, EntryPlace place, const double *distances)
{
	BiometricScan *state = scan->opaque;

	check_tid(scan, place.block, tid);
	scan->xs_heaptid = *tid;
	state->place = place;

	/* see index.h: the TID may be another row's by now */
	scan->xs_recheck = !IsMVCCSnapshot(scan->xs_snapshot);

	if (scan->numberOfOrderBys > 0)
	{
		for (int i = 0; i < scan->numberOfOrderBys; i++)
			state->orderby_distances[i].isnull = true;
		for (int o = 0; distances != NULL && o < state->norderbys; o++)
		{
			state->orderby_distances[state->orderby_number[o]].isnull = false;
			state->orderby_distances[state->orderby_number[o]].value = distances[o];
		}
		index_store_float8_orderby_distances(scan, state->orderby_types, state->orderby_distances,
											 false);
	}
}

static bool
next_in_page_order(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	while (state->next_row >= state->nrows)
	{
		if (!next_page(scan))
		{
			end_pages(state);
			state->phase = SCAN_DONE;
			return false;
		}
	}
	return_row(scan, &state->tids[state->next_row],
			   (EntryPlace){state->block, state->offsets[state->next_row]}, NULL);
	state->next_row++;
	return true;
}

static bool
next_by_distance(IndexScanDesc scan)
{
	BiometricScan  *state = scan->opaque;
	ItemPointerData tid;
	EntryPlace      place;

	for (;;)
	{
		if (!state->begin_selection)
		{
			if (selection_next(state->selection, state->row_distances, &tid, &place))
			{
				return_row(scan, &tid, place, state->row_distances);
				return true;
			}
			if (!selection_has_more(state->selection))
			{
				/* a fast scan without quals goes on with all that it left out */
				if (!state->fast || state->has_quals)
					return false;
				state->fast = candidates_rest(state->candidates);
				selection_restart(state->selection);
			}
		}
		state->begin_selection = false;
		select_rows(scan);
	}
}

bool
biometric_gettuple(IndexScanDesc scan, ScanDirection direction)
{
	BiometricScan *state = scan->opaque;
	MemoryContext  old_context = MemoryContextSwitchTo(state->context);
	bool           found = false;

	if (!ScanDirectionIsForward(direction))
		elog(ERROR, "a biometric index supports only forward scans");

	if (scan->kill_prior_tuple && state->phase != SCAN_START)
		add_killed(scan);
	if (state->phase == SCAN_START)
		start_scan(scan);
	if (state->phase == SCAN_ORDERED)
	{
		found = next_by_distance(scan);
		if (!found)
		{
			/* rows without a template follow, in any order */
			state->phase = SCAN_DONE;
			if (state->nulls_pending && state->nulls_seen)
			{
				state->phase = SCAN_PAGES;
				begin_pages(state, false, true);
			}
		}
	}
	if (!found && state->phase == SCAN_PAGES)
		found = next_in_page_order(scan);

	MemoryContextSwitchTo(old_context);
	return found;
}

int64
biometric_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	BiometricScan *state = scan->opaque;
	MemoryContext  old_context = MemoryContextSwitchTo(state->context);
	int64          rows = 0;

	if (state->phase == SCAN_START)
		start_scan(scan);
	if (state->phase == SCAN_PAGES)
	{
		while (next_page(scan))
		{
			for (int i = 0; i < state->nrows; i++)
				check_tid(scan, state->block, &state->tids[i]);
			tbm_add_tuples(bitmap, state->tids, state->nrows, !IsMVCCSnapshot(scan->xs_snapshot));
			rows += state->nrows;
		}
		end_pages(state);
		state->phase = SCAN_DONE;
	}
	MemoryContextSwitchTo(old_context);
	return rows;
}
