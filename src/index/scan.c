/*
 * scan.c
 *		Search of a gallery.
 *
 * An exact scan answers any mixture of quals (template % query) and order-bys
 * (template <-> query), as a sequential scan would, to the bit and to the last
 * row:
 *
 * - Without an order-by, pages are read one by one and the rows that pass the
 *   quals are returned at once.
 * - With an order-by, a pass over all pages selects the nearest rows that pass
 *   the quals (selection.h).  When they are used up and there were more, another
 *   pass selects those that follow.  Rows whose template is NULL come last.
 *
 * In a parallel scan each participant does so with the pages that it takes
 * (reader.h), and those who merge their rows see to the order of all.
 *
 * A fast scan (biometric.search_mode) first compares only the entries that
 * preselection.h names for one of the probes: that of the first order-by, or
 * else of the first qual.  Then a scan with quals ends, and has perhaps missed
 * rows.  One without goes on as an exact scan of all other entries, so that
 * every row is returned in the end.  The order is then that of two exact scans,
 * one after the other.  A constraint must not miss a row: only scans with an
 * MVCC snapshot are fast.
 *
 * A query is decoded once per rescan.  Quals and order-bys with the same
 * template share one probe, so "WHERE t % q ORDER BY t <-> q" compares once.
 *
 * A qual is a lowest score; the score falls as the distance grows.  So each
 * qual is turned once into the largest distance that passes it, and an entry
 * costs a comparison of two numbers after the comparison of two templates.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "access/relscan.h"
#include "compat.h"
#include "settings.h"
#include "catalog/pg_type.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "index/reader.h"
#include "index/selection.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "pgstat.h"
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

	/* a fast scan: the entries that are compared first, and what pages they are on */
	bool         fast; /* these are still to be returned */
	EntryRef    *candidates;
	int          ncandidates;
	int          next_candidate; /* the pass has got this far */
	BlockNumber *candidate_blocks;
	int          ncandidate_blocks;

	/* the current page: rows to be returned, first those with a template */
	int             nrows;
	int             nmatches;
	int             next_row;
	ItemPointerData tids[GALLERY_PAGE_MAX_ENTRIES];
	const void     *features[GALLERY_PAGE_MAX_ENTRIES];
	Size            sizes[GALLERY_PAGE_MAX_ENTRIES];
	PGAlignedBlock  page;

	/* of the current row, one for each order-by of the scan */
	Oid                  *orderby_types;
	IndexOrderByDistance *orderby_distances;
} BiometricScan;

IndexScanDesc
biometric_beginscan(Relation index, int nkeys, int norderbys)
{
	IndexScanDesc  scan = RelationGetIndexScan(index, nkeys, norderbys);
	BiometricScan *state = palloc0(sizeof(BiometricScan));

	state->modality = biometric_open(index, false);
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

/* The leader calls it while nobody else scans */
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
	end_pages(state);
	state->want_matches = want_matches;
	state->want_nulls = want_nulls;
	state->next_candidate = 0;
	if (state->fast)
		page_reader_begin_list(state->reader, state->candidate_blocks, state->ncandidate_blocks);
	else
		page_reader_begin(state->reader);
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
								   probe->distances);
		for (int i = 0; i < state->nmatches; i++)
		{
			if (!(probe->distances[i] <= probe->limit))
				continue;
			if (kept < i)
			{
				state->tids[kept] = state->tids[i];
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
add_entry(IndexScanDesc scan, BlockNumber block, GalleryEntry entry, Size size)
{
	BiometricScan *state = scan->opaque;

	if (state->nprobes > 0 && !state->modality->features_valid(entry->features, size))
		biometric_page_corrupted(scan->indexRelation, block,
								 "The features of an entry are damaged.");
	state->tids[state->nmatches] = entry->tid;
	state->features[state->nmatches] = entry->features;
	state->sizes[state->nmatches] = size;
	state->nmatches++;
}

/*
 * Whether a fast scan has dealt with an entry before it came to look at all of
 * them.  Asked in ascending order.
 */
static bool
was_candidate(BiometricScan *state, BlockNumber block, OffsetNumber i)
{
	EntryRef ref;

	if (state->ncandidates == 0 || !EntryRefExists(block, i))
		return false;
	ref = EntryRefMake(block, i);
	while (state->next_candidate < state->ncandidates &&
		   state->candidates[state->next_candidate] < ref)
		state->next_candidate++;
	return state->next_candidate < state->ncandidates &&
		   state->candidates[state->next_candidate] == ref;
}

/* Takes the candidates from a page, which is locked.  They are copied. */
static void
read_candidates(IndexScanDesc scan, BlockNumber block, Page page)
{
	BiometricScan *state = scan->opaque;
	int            entries = gallery_page_entries(page);
	Size           used = 0;

	for (; state->next_candidate < state->ncandidates; state->next_candidate++)
	{
		EntryRef     ref = state->candidates[state->next_candidate];
		GalleryEntry entry, copy;
		Size         size;

		if (EntryRefBlock(ref) != block)
			break;

		/* it may be gone, or another's by now */
		if (EntryRefOffset(ref) > entries)
			continue;
		entry = gallery_page_entry(scan->indexRelation, block, page, EntryRefOffset(ref), &size);
		if (entry == NULL || (entry->flags & (GALLERY_ENTRY_NULL | GALLERY_ENTRY_DEAD)) != 0)
			continue;

		copy = (GalleryEntry) (state->page.data + used);
		memcpy(copy, entry, GALLERY_ENTRY_HEADER + size);
		used += MAXALIGN(GALLERY_ENTRY_HEADER + size);
		add_entry(scan, block, copy, size);
	}
}

/* Finds the entries on the current page, a copy */
static void
read_entries(IndexScanDesc scan, BlockNumber block)
{
	BiometricScan  *state = scan->opaque;
	Page            page = state->page.data;
	int             entries = gallery_page_entries(page);
	ItemPointerData nulls[GALLERY_PAGE_MAX_ENTRIES];
	int             nnulls = 0;

	for (OffsetNumber i = FirstOffsetNumber; i <= entries; i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(scan->indexRelation, block, page, i, &size);

		if (entry == NULL || (entry->flags & GALLERY_ENTRY_DEAD) != 0)
			continue;
		if (entry->flags & GALLERY_ENTRY_NULL)
		{
			state->nulls_seen = true;
			if (state->want_nulls)
				nulls[nnulls++] = entry->tid;
		}
		else if (state->want_matches && !was_candidate(state, block, i))
			add_entry(scan, block, entry, size);
	}
	compare_entries(state);
	memcpy(state->tids + state->nmatches, nulls, sizeof(ItemPointerData) * nnulls);
	state->nrows = state->nmatches + nnulls;
}

/* Reads the next page and finds what is to be returned of it; false at the end */
static bool
next_page(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	Relation       index = scan->indexRelation;
	BlockNumber    block;
	Buffer         buffer;
	Page           page;
	bool           gallery;

	do
	{
		CHECK_FOR_INTERRUPTS();
		buffer = page_reader_next(state->reader);
		if (!BufferIsValid(buffer))
			return false;
		block = BufferGetBlockNumber(buffer);
		page = BufferGetPage(buffer);
		state->nrows = state->nmatches = state->next_row = 0;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		gallery = biometric_page_kind(index, block, page) == BIOMETRIC_GALLERY_PAGE;
		if (gallery && state->fast)
			read_candidates(scan, block, page);
		else if (gallery)
			memcpy(state->page.data, page, BLCKSZ);
		UnlockReleaseBuffer(buffer);
	} while (!gallery);

	if (state->fast)
	{
		compare_entries(state);
		state->nrows = state->nmatches;
	}
	else
		read_entries(scan, block);
	return true;
}

/* ---- what is asked for --------------------------------------------------- */

/* Doubles in ascending order as integers in ascending order, and back */
static int64
double_rank(double x)
{
	int64 bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits < 0 ? PG_INT64_MIN - bits : bits;
}

static double
rank_double(int64 rank)
{
	int64  bits = rank < 0 ? PG_INT64_MIN - rank : rank;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * The largest distance whose score is at least min_score.  Returns false if
 * there is none.  By bisection over all doubles, which takes 64 steps, so that
 * the index agrees to the bit with the operator, which compares scores.
 */
static bool
largest_distance(const BiometricModality *modality, double min_score, double *distance)
{
	int64 low = double_rank(-DBL_MAX);
	int64 high = double_rank(DBL_MAX);

	if (modality->score(DBL_MAX) >= min_score)
	{
		*distance = get_float8_infinity();
		return true;
	}
	if (!(modality->score(-DBL_MAX) >= min_score))
		return false;

	/* low passes, high does not */
	while (low + 1 < high)
	{
		int64 middle = (low & high) + ((low ^ high) >> 1); /* their mean, without overflow */

		if (modality->score(rank_double(middle)) >= min_score)
			low = middle;
		else
			high = middle;
	}
	*distance = rank_double(low);
	return true;
}

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

	if (!largest_distance(state->modality, min_score, &limit))
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
	ScanProbe     *probe = &state->probes[state->norderbys > 0 ? state->orderby_probe[0] : 0];

	state->ncandidates =
		preselection_find(scan->indexRelation, state->modality, probe->features, probe->size,
						  biometric_penetration_rate, &state->candidates);
	state->candidate_blocks = MemoryContextAllocHuge(
		CurrentMemoryContext, sizeof(BlockNumber) * Max(state->ncandidates, 1));
	state->ncandidate_blocks = 0;
	for (int i = 0; i < state->ncandidates; i++)
	{
		BlockNumber block = EntryRefBlock(state->candidates[i]);

		if (i == 0 || block != EntryRefBlock(state->candidates[i - 1]))
			state->candidate_blocks[state->ncandidate_blocks++] = block;
	}
}

/* Decodes the query and begins to read.  In the scan's context. */
static void
start_scan(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	int            clauses = scan->numberOfKeys + scan->numberOfOrderBys;

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

	state->reader = page_reader_create(scan->indexRelation, parallel_pages(scan));
	state->fast = biometric_search_mode == BIOMETRIC_SEARCH_FAST && state->nprobes > 0 &&
				  biometric_penetration_rate < 1 && scan->parallel_scan == NULL &&
				  IsMVCCSnapshot(scan->xs_snapshot) && preselection_enabled(scan->indexRelation);
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

void
biometric_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys, int norderbys)
{
	BiometricScan *state = scan->opaque;

	if (keys != NULL && scan->numberOfKeys > 0)
		memmove(scan->keyData, keys, scan->numberOfKeys * sizeof(ScanKeyData));
	if (orderbys != NULL && scan->numberOfOrderBys > 0)
		memmove(scan->orderByData, orderbys, scan->numberOfOrderBys * sizeof(ScanKeyData));

	end_pages(state);
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
	state->ncandidates = 0;
	state->candidate_blocks = NULL;
}

void
biometric_endscan(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	end_pages(state);
	MemoryContextDelete(state->context);
	pfree(state);
}

/* ---- results ------------------------------------------------------------- */

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
			for (int o = 0; o < state->norderbys; o++)
				state->row_distances[o] = state->probes[state->orderby_probe[o]].distances[i];
			selection_offer(state->selection, state->row_distances, &state->tids[i]);
		}
	}
	end_pages(state);
	selection_end_pass(state->selection);
}

/* Sets the current row, whose distances are NULL if none are given */
static void
return_row(IndexScanDesc scan, ItemPointer tid, const double *distances)
{
	BiometricScan *state = scan->opaque;

	scan->xs_heaptid = *tid;

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
	return_row(scan, &state->tids[state->next_row++], NULL);
	return true;
}

static bool
next_by_distance(IndexScanDesc scan)
{
	BiometricScan  *state = scan->opaque;
	ItemPointerData tid;

	for (;;)
	{
		if (!state->begin_selection)
		{
			if (selection_next(state->selection, state->row_distances, &tid))
			{
				return_row(scan, &tid, state->row_distances);
				return true;
			}
			if (!selection_has_more(state->selection))
			{
				/* a fast scan without quals goes on with all that it left out */
				if (!state->fast || state->has_quals)
					return false;
				state->fast = false;
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
			tbm_add_tuples(bitmap, state->tids, state->nrows, !IsMVCCSnapshot(scan->xs_snapshot));
			rows += state->nrows;
		}
		end_pages(state);
		state->phase = SCAN_DONE;
	}
	MemoryContextSwitchTo(old_context);
	return rows;
}
