/*
 * scan.c
 *		Search of a gallery.
 *
 * An exact scan evaluates any combination of quals (template % query) and
 * order-bys (template <-> query), and returns exactly what a sequential scan
 * returns.  A pass reads the sketches of all entries, and compares those that they let
 * through (sieve.h):
 *
 * - Without an order-by, the rows that pass the quals are returned as they are found.
 * - With an order-by, a pass selects the nearest rows that pass the quals
 *   (selection.h).  When they are used up and there were more, another pass selects those
 *   that follow.  Rows whose template is NULL come last.
 *
 * In a parallel scan each participant does so with the groups of pages that it takes
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
#include "index/activity.h"
#include "index/candidates.h"
#include "index/index.h"
#include "index/reader.h"
#include "index/selection.h"
#include "index/sieve.h"
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
	double *distances; /* of the entries that are compared */
} ScanProbe;

/*
 * Entries of several pages are compared together, as soon as they are about as many as a
 * page can have, and then have room on two pages.
 */
#define MAX_ENTRIES (2 * GALLERY_PAGE_MAX_ENTRIES)

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

	BiometricMetaPageData meta;   /* as it was when the scan began */
	PageReader           *reader; /* of gallery pages */
	Sieve                *sieve;
	SieveProbe           *sieve_probes; /* as it sees the probes */
	Selection            *selection;
	bool                  begin_selection; /* nothing has been selected yet */
	bool                  nulls_pending;   /* rows without a template are to be returned last */

	/* a fast scan: the entries that are compared first; NULL if it is none */
	Candidates *candidates;
	bool        fast;        /* whether the candidates are still to be returned */
	double      match_limit; /* farther matches do not ask for more candidates */

	/* copies of entries that are compared, and then those to be returned */
	int             nrows;
	int             next_row;
	ItemPointerData tids[MAX_ENTRIES];
	EntryPlace      places[MAX_ENTRIES];
	Candidate      *candidate[MAX_ENTRIES]; /* of a fast scan */
	const void     *features[MAX_ENTRIES];
	Size            sizes[MAX_ENTRIES];
	Size            used; /* of the copies */
	PGAlignedBlock  copies[2];

	BlockNumber heap_blocks; /* that the table had when we last looked */

	/* where the current row was found, and those that are gone */
	EntryPlace   place;
	KilledEntry *killed; /* room for MAX_KILLED; NULL if there are none */
	int          nkilled;

	/* of the current row, one for each order-by of the scan */
	Oid                  *orderby_types;
	IndexOrderByDistance *orderby_distances;

	SearchActivity activity;
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
	ParallelPages *pages = target;

	parallel_pages_init(pages);
	activity_parallel_init(&pages->activity);
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
	ParallelPages *pages = parallel_pages(scan);

	parallel_pages_restart(pages);
	activity_parallel_restart(&pages->activity);
}

/* ---- reading pages ------------------------------------------------------- */

static void
end_pages(BiometricScan *state)
{
	if (state->reader != NULL)
	{
		page_reader_end(state->reader);
		sieve_end(state->sieve);
	}
	state->nrows = state->next_row = 0;
}

/* Begins a pass: over the candidates of a fast scan, or else over all entries */
static void
begin_pages(BiometricScan *state, bool want_matches, bool want_nulls)
{
	Candidates *candidates = state->candidates;

	end_pages(state);
	if (state->fast)
	{
		if (candidates->complete)
			candidates_again(candidates);
		else
			candidates_advance(candidates);
		page_reader_begin_list(state->reader, candidates->blocks, candidates->nblocks, false);
	}
	else
	{
		if (candidates != NULL)
			candidates_end(candidates);
		sieve_begin(state->sieve, want_matches, want_nulls);
	}
}

/* The probe whose candidates a fast scan compares */
static ScanProbe *
preselecting_probe(BiometricScan *state)
{
	return &state->probes[state->norderbys > 0 ? state->orderby_probe[0] : 0];
}

/*
 * The distance from a probe beyond which no entry is returned by this pass: because of a
 * qual, or because enough others are nearer.  Candidates of a fast scan are compared
 * without the latter, for a match asks for more of them.
 */
static double
probe_limit(BiometricScan *state, int p)
{
	double limit = state->probes[p].limit;

	if (state->norderbys > 0 && state->orderby_probe[0] == p && !state->fast)
		limit = Min(limit, selection_limit(state->selection));
	return limit;
}

/* Compares the copied entries and keeps those within the limits */
static void
compare_entries(BiometricScan *state)
{
	for (int p = 0; p < state->nprobes && state->nrows > 0; p++)
	{
		ScanProbe *probe = &state->probes[p];
		double     limit = probe_limit(state, p);
		int        kept = 0;

		state->activity.work.compared += state->nrows;
		state->modality->distances(probe->unpacked, state->nrows, state->features, state->sizes,
								   limit, probe->distances);
		for (int i = 0; i < state->nrows; i++)
		{
			if (!(probe->distances[i] <= limit))
				continue;
			if (kept < i)
			{
				state->tids[kept] = state->tids[i];
				state->places[kept] = state->places[i];
				state->features[kept] = state->features[i];
				state->sizes[kept] = state->sizes[i];
				for (int q = 0; q <= p; q++)
					state->probes[q].distances[kept] = state->probes[q].distances[i];
			}
			kept++;
		}
		state->nrows = kept;
	}
}

/*
 * Copies an entry of a page, which is locked, if it is there, its row is not gone, and it
 * has a template or not, as the caller expects.  All entries of a page together have room on a page:
 * gallery_check_page.
 */
static bool
copy_entry(IndexScanDesc scan, BlockNumber block, Page page, OffsetNumber offset, bool is_null)
{
	BiometricScan *state = scan->opaque;
	Relation       index = scan->indexRelation;
	GalleryEntry   entry, copy;
	Size           size;

	if (offset > gallery_page_entries(page))
		return false;
	entry = gallery_page_entry(index, block, page, offset, &size);
	if (entry == NULL || ((entry->flags & GALLERY_ENTRY_NULL) != 0) != is_null ||
		(entry->flags & GALLERY_ENTRY_DEAD) != 0 ||
		(scan->ignore_killed_tuples && (entry->flags & GALLERY_ENTRY_KILLED) != 0))
		return false;
	if (!is_null && state->nprobes > 0 && !state->modality->features_valid(entry->features, size))
		biometric_page_corrupted(index, block, "The features of an entry are damaged.");

	copy = (GalleryEntry) (state->copies[0].data + state->used);
	memcpy(copy, entry, GALLERY_ENTRY_HEADER + size);
	state->used += MAXALIGN(GALLERY_ENTRY_HEADER + size);
	state->tids[state->nrows] = copy->tid;
	state->places[state->nrows].block = block;
	state->places[state->nrows].offset = offset;
	state->features[state->nrows] = copy->features;
	state->sizes[state->nrows++] = size;
	return true;
}

/*
 * Copies the candidates from a page, which is locked.  A candidate may be gone, or another
 * entry may have its place.
 */
static void
read_candidates(IndexScanDesc scan, BlockNumber block, Page page)
{
	BiometricScan *state = scan->opaque;
	Candidates    *candidates = state->candidates;

	for (; candidates->next < candidates->nvisited; candidates->next++)
	{
		Candidate *candidate = &candidates->visited[candidates->next];

		if (EntryRefBlock(candidate->ref) != block)
			break;
		if (copy_entry(scan, block, page, EntryRefOffset(candidate->ref), false))
		{
			state->candidate[state->nrows - 1] = candidate;
			candidates_live(candidates, candidate);
			state->activity.work.visited++;
		}
	}
}

/* Compares them, or finds how much they resemble the probe */
static void
compare_candidates(BiometricScan *state)
{
	const ScanProbe *probe = preselecting_probe(state);

	if (!state->candidates->comparing)
	{
		int resemblances[MAX_ENTRIES];

		state->modality->resemblances(probe->unpacked, state->nrows, state->features, state->sizes,
									  resemblances);
		for (int i = 0; i < state->nrows; i++)
			state->candidate[i]->resemblance = resemblances[i];
		state->nrows = 0;
	}
	state->activity.work.candidates += state->nrows;
	state->activity.work.passed += state->nrows;
	compare_entries(state);
	for (int i = 0; i < state->nrows; i++)
	{
		if (probe->distances[i] <= state->match_limit)
		{
			candidates_matched(state->candidates);
			break;
		}
	}
}

/*
 * Copies the entries that the sieve let through from a page, which is locked.  They may be
 * gone, or others may have their places, as with candidates.  Copies those without a template
 * too, if they are wanted.
 */
static void
read_entries(IndexScanDesc scan, BlockNumber block, Page page)
{
	BiometricScan *state = scan->opaque;
	Sieve         *sieve = state->sieve;

	for (; sieve_leads_to(sieve, block); sieve->next++)
	{
		OffsetNumber offset = sieve->places[sieve->next].offset;

		if (state->candidates == NULL || !candidates_have(state->candidates, block, offset))
			copy_entry(scan, block, page, offset, false);
	}
	for (OffsetNumber i = FirstOffsetNumber; sieve->want_nulls && i <= gallery_page_entries(page);
		 i++)
		copy_entry(scan, block, page, i, true);
}

/* The next batch of an exact scan, or of a fast one; false at the end of the pass */
static bool
next_batch(BiometricScan *state)
{
	if (state->fast)
	{
		if (!candidates_advance(state->candidates))
			return false;
		page_reader_begin_list(state->reader, state->candidates->blocks, state->candidates->nblocks,
							   false);
		return true;
	}
	for (int p = 0; p < state->nprobes; p++)
		state->sieve_probes[p] = (SieveProbe){state->probes[p].unpacked, probe_limit(state, p)};
	if (!sieve_next(state->sieve, state->sieve_probes, state->nprobes))
		return false;
	state->activity.work.visited += state->sieve->visited;
	state->activity.work.passed += state->sieve->nplaces;
	page_reader_begin_list(state->reader, state->sieve->blocks, state->sieve->nblocks,
						   state->sieve->dense);
	return true;
}

/*
 * Reads the next pages and finds what is to be returned of them; false at the end.  With
 * a fast scan it is one page.
 */
static bool
next_pages(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	Relation       index = scan->indexRelation;
	bool           any = false;

	state->nrows = state->next_row = 0;
	state->used = 0;
	do
	{
		Buffer      buffer = page_reader_next(state->reader);
		BlockNumber block;
		Page        page;

		CHECK_FOR_INTERRUPTS();
		if (!BufferIsValid(buffer))
		{
			if (any)
				break;
			if (!next_batch(state))
				return false;
			continue;
		}
		any = true;
		block = BufferGetBlockNumber(buffer);
		page = BufferGetPage(buffer);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		TestForOldSnapshot(scan->xs_snapshot, index, page);
		if (biometric_page_kind(index, block, page) == BIOMETRIC_GALLERY_PAGE || PageIsNew(page))
		{
			if (state->fast)
				read_candidates(scan, block, page);
			else
				read_entries(scan, block, page);
		}
		else if (state->fast || sieve_leads_to(state->sieve, block))
			biometric_page_corrupted(index, block,
									 "A sketch, a posting or a pending reference leads to it.");
		UnlockReleaseBuffer(buffer);
	} while (!any ||
			 (!state->fast && state->used < BLCKSZ && state->nrows < GALLERY_PAGE_MAX_ENTRIES));

	/* those without a template come alone, or nothing is compared */
	if (state->fast)
		compare_candidates(state);
	else if (state->sieve->want_matches)
		compare_entries(state);
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
	probe->distances = palloc(sizeof(double) * MAX_ENTRIES);
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

static void
begin_activity(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;
	ParallelPages *pages = parallel_pages(scan);
	SearchKind     kind = SEARCH_EXACT;

	if (state->fast)
		kind = SEARCH_FAST;
	else if (pages != NULL)
		kind = SEARCH_PARALLEL;
	activity_begin(&state->activity, scan->indexRelation, kind,
				   pages == NULL ? NULL : &pages->activity);
}

SearchActivity *
biometric_scan_activity(IndexScanDesc scan)
{
	return &((BiometricScan *) scan->opaque)->activity;
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

	biometric_read_meta(scan->indexRelation, &state->meta);
	state->reader = page_reader_create(scan->indexRelation, NULL, &state->meta);
	state->sieve = sieve_create(scan->indexRelation, scan->xs_snapshot, state->modality,
								parallel_pages(scan), &state->meta);
	state->sieve_probes = palloc(sizeof(SieveProbe) * Max(state->nprobes, 1));
	state->fast = biometric_search_mode == BIOMETRIC_SEARCH_FAST && state->nprobes > 0 &&
				  biometric_penetration_rate < 1 && scan->parallel_scan == NULL &&
				  IsMVCCSnapshot(scan->xs_snapshot) &&
				  (state->meta.flags & BIOMETRIC_META_PRESELECTION) != 0 &&
				  state->meta.entries > PRESELECTION_MIN_CANDIDATES;
	if (state->fast)
		find_candidates(scan);
	begin_activity(scan);

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
	if (meta.vacuums == state->meta.vacuums)
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
	activity_end(&state->activity, scan->indexRelation);
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
	state->sieve = NULL;
	state->selection = NULL;
	state->nulls_pending = false;
	state->fast = false;
	state->candidates = NULL;
}

void
biometric_endscan(IndexScanDesc scan)
{
	BiometricScan *state = scan->opaque;

	end_pages(state);
	mark_all_killed(scan);
	activity_end(&state->activity, scan->indexRelation);
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
	while (next_pages(scan))
	{
		for (int i = 0; i < state->nrows; i++)
		{
			for (int o = 0; o < state->norderbys; o++)
				state->row_distances[o] = state->probes[state->orderby_probe[o]].distances[i];
			selection_offer(state->selection, state->row_distances, &state->tids[i],
							state->places[i]);
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
		if (!next_pages(scan))
		{
			end_pages(state);
			state->phase = SCAN_DONE;
			return false;
		}
	}
	return_row(scan, &state->tids[state->next_row], state->places[state->next_row], NULL);
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
	activity_resume(&state->activity);

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
			if (state->nulls_pending)
			{
				state->phase = SCAN_PAGES;
				begin_pages(state, false, true);
			}
		}
	}
	if (!found && state->phase == SCAN_PAGES)
		found = next_in_page_order(scan);

	state->activity.work.rows += found;
	activity_pause(&state->activity);
	MemoryContextSwitchTo(old_context);
	return found;
}

int64
biometric_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap)
{
	BiometricScan *state = scan->opaque;
	MemoryContext  old_context = MemoryContextSwitchTo(state->context);
	int64          rows = 0;

	activity_resume(&state->activity);
	if (state->phase == SCAN_START)
		start_scan(scan);
	if (state->phase == SCAN_PAGES)
	{
		while (next_pages(scan))
		{
			for (int i = 0; i < state->nrows; i++)
				check_tid(scan, state->places[i].block, &state->tids[i]);
			tbm_add_tuples(bitmap, state->tids, state->nrows, !IsMVCCSnapshot(scan->xs_snapshot));
			rows += state->nrows;
		}
		end_pages(state);
		state->phase = SCAN_DONE;
	}
	state->activity.work.rows += rows;
	activity_pause(&state->activity);
	MemoryContextSwitchTo(old_context);
	return rows;
}
