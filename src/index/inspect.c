/*
 * inspect.c
 *		What a DBA wants to know of an index: how full it is, and whether it is
 *		sound.
 *
 * Both functions are for the owner of the index and for members of
 * pg_stat_scan_tables.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "index/index.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplesort.h"

/*
 * Opens an index for inspection, or says why not.
 */
static Relation
open_for_inspection(Oid oid, LOCKMODE lock)
{
	Relation index;
	bool     owner;

#if PG_VERSION_NUM >= 160000
	owner = object_ownercheck(RelationRelationId, oid, GetUserId());
#else
	owner = pg_class_ownercheck(oid, GetUserId());
#endif
	if (!owner && !has_privs_of_role(GetUserId(), ROLE_PG_STAT_SCAN_TABLES))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(oid)),
					   get_rel_name(oid));

	index = relation_open(oid, lock);
	if (index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is a partitioned index", RelationGetRelationName(index)),
						errhint("Inspect the indexes of its partitions.")));
	if (index->rd_rel->relkind != RELKIND_INDEX ||
		index->rd_indam->amvalidate != biometric_validate)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a biometric index", RelationGetRelationName(index))));
	if (RELATION_IS_OTHER_TEMP(index))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot access temporary tables of other sessions")));
	if (!index->rd_index->indisvalid)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index \"%s\" is not valid", RelationGetRelationName(index)),
						errhint("Drop it, or REINDEX it.")));
	return index;
}

/* Copies a gallery page, checked, to page */
static void
copy_page(Relation index, BlockNumber block, BufferAccessStrategy strategy, Page page)
{
	Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	gallery_check_page(index, block, page);
}

/*
 * biometric_index_stats(index regclass): the metapage, and what the pages hold.
 */
PG_FUNCTION_INFO_V1(biometric_index_stats);
Datum
biometric_index_stats(PG_FUNCTION_ARGS)
{
	Relation              index = open_for_inspection(PG_GETARG_OID(0), AccessShareLock);
	BufferAccessStrategy  strategy = GetAccessStrategy(BAS_BULKREAD);
	BiometricMetaPageData meta;
	PGAlignedBlock        page;
	BlockNumber           blocks;
	int64                 empty_pages = 0;
	int64                 entries = 0;
	int64                 null_entries = 0;
	int64                 entry_bytes = 0;
	int64                 free_bytes = 0;
	TupleDesc             descriptor;
	Datum                 values[9];
	bool                  nulls[9] = {0};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	biometric_read_meta(index, &meta);
	blocks = RelationGetNumberOfBlocks(index);
	for (BlockNumber block = BIOMETRIC_FIRST_BLOCK; block < blocks; block++)
	{
		int page_entries;

		CHECK_FOR_INTERRUPTS();
		copy_page(index, block, strategy, page.data);
		page_entries = gallery_page_entries(page.data);
		for (OffsetNumber i = FirstOffsetNumber; i <= page_entries; i++)
		{
			Size         size;
			GalleryEntry entry = gallery_page_entry(index, block, page.data, i, &size);

			if (entry->flags & GALLERY_ENTRY_NULL)
				null_entries++;
			entry_bytes += GALLERY_ENTRY_HEADER + size;
		}
		entries += page_entries;
		if (page_entries == 0)
			empty_pages++;
		free_bytes += PageIsNew(page.data) ? GALLERY_PAGE_SPACE : PageGetExactFreeSpace(page.data);
	}
	relation_close(index, AccessShareLock);

	values[0] = Int32GetDatum((int32) meta.format_version);
	values[1] = Int32GetDatum((int32) meta.features_version);
	values[2] = CStringGetTextDatum(meta.modality);
	values[3] = Int64GetDatum((int64) blocks);
	values[4] = Int64GetDatum(empty_pages);
	values[5] = Int64GetDatum(entries);
	values[6] = Int64GetDatum(null_entries);
	values[7] = Int64GetDatum(entry_bytes);
	values[8] = Int64GetDatum(free_bytes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* ---- biometric_index_check ----------------------------------------------- */

/*
 * An entry in 64 bits: its TID, so that sorting brings equal ones together, and
 * a hash of its flags and features, to tell whether they are what the row's
 * template gives.
 */
static int64
entry_key(GalleryEntry entry, Size features_size)
{
	uint64 key = (uint64) ItemPointerGetBlockNumber(&entry->tid) << 32 |
				 (uint64) ItemPointerGetOffsetNumber(&entry->tid) << 16;
	uint32 hash = hash_bytes((unsigned char *) entry->features, (int) features_size);

	return (int64) (key | ((hash ^ entry->flags) & 0xFFFF));
}

#define KEY_TID(key)    ((uint64) (key) >> 16)
#define KEY_BLOCK(key)  ((BlockNumber) ((uint64) (key) >> 32))
#define KEY_OFFSET(key) ((OffsetNumber) ((uint64) (key) >> 16 & 0xFFFF))

typedef struct CheckState
{
	const BiometricModality *modality;
	MemoryContext            row_context;
	Tuplesortstate          *rows; /* keys of what should be in the index */
} CheckState;

static Tuplesortstate *
begin_key_sort(void)
{
	return tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false,
								 maintenance_work_mem / 2, NULL, TUPLESORT_NONE);
}

static bool
next_key(Tuplesortstate *sort, int64 *key)
{
	Datum value;
	bool  isnull;

#if PG_VERSION_NUM >= 160000
	if (!tuplesort_getdatum(sort, true, false, &value, &isnull, NULL))
		return false;
#else
	if (!tuplesort_getdatum(sort, true, &value, &isnull, NULL))
		return false;
#endif
	*key = DatumGetInt64(value);
	return true;
}

/*
 * Checks each page and entry, and puts the entries' keys into the sort.  The
 * table does not become shorter unless may_shrink.
 */
static void
check_pages(Relation heap, Relation index, const BiometricModality *modality,
			Tuplesortstate *entries, bool may_shrink)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
	BlockNumber          blocks = RelationGetNumberOfBlocks(index);
	BlockNumber          heap_blocks = RelationGetNumberOfBlocks(heap);
	PGAlignedBlock       page;

	for (BlockNumber block = BIOMETRIC_FIRST_BLOCK; block < blocks; block++)
	{
		int page_entries;

		CHECK_FOR_INTERRUPTS();
		copy_page(index, block, strategy, page.data);
		page_entries = gallery_page_entries(page.data);
		for (OffsetNumber i = FirstOffsetNumber; i <= page_entries; i++)
		{
			Size         size;
			GalleryEntry entry = gallery_page_entry(index, block, page.data, i, &size);
			BlockNumber  heap_block = ItemPointerGetBlockNumber(&entry->tid);

			/* it may have grown since we looked */
			if (heap_block >= heap_blocks)
				heap_blocks = RelationGetNumberOfBlocks(heap);
			if (heap_block >= heap_blocks && !may_shrink)
				biometric_page_corrupted(index, block,
										 "An entry points beyond the end of the table.");
			if (!(entry->flags & GALLERY_ENTRY_NULL) &&
				!modality->features_valid(entry->features, size))
				biometric_page_corrupted(index, block, "The features of an entry are damaged.");
			for (OffsetNumber j = FirstOffsetNumber; j < i; j++)
			{
				ItemId a = PageGetItemId(page.data, i);
				ItemId b = PageGetItemId(page.data, j);

				if (ItemIdGetOffset(a) < ItemIdGetOffset(b) + ItemIdGetLength(b) &&
					ItemIdGetOffset(b) < ItemIdGetOffset(a) + ItemIdGetLength(a))
					biometric_page_corrupted(index, block, "Two entries overlap.");
			}
			tuplesort_putdatum(entries, Int64GetDatum(entry_key(entry, size)), false);
		}
	}
}

static void
check_callback(Relation index, ItemPointer tid, Datum *values, bool *isnull, bool tuple_is_alive,
			   void *callback_state)
{
	CheckState   *state = callback_state;
	MemoryContext old_context = MemoryContextSwitchTo(state->row_context);
	Size          size;
	GalleryEntry  entry =
		gallery_form_entry(index, state->modality, values[0], isnull[0], tid, &size);
	int64 key = entry_key(entry, size - GALLERY_ENTRY_HEADER);

	MemoryContextSwitchTo(old_context);
	MemoryContextReset(state->row_context);
	tuplesort_putdatum(state->rows, Int64GetDatum(key), false);
}

/* Collects what the index must hold: an entry for each row that the snapshot sees */
static void
collect_rows(Relation heap, Relation index, CheckState *state, Snapshot snapshot)
{
	IndexInfo    *index_info = BuildIndexInfo(index);
	TableScanDesc scan = table_beginscan_strat(heap, snapshot, 0, NULL, true, true);

	/* only rows of the snapshot, without waiting for anyone */
	index_info->ii_Concurrent = true;
	index_info->ii_Unique = false;
	index_info->ii_ExclusionOps = NULL;
	index_info->ii_ExclusionProcs = NULL;
	index_info->ii_ExclusionStrats = NULL;
	table_index_build_scan(heap, index, index_info, true, false, check_callback, state, scan);
}

/*
 * Compares the sorted keys of the index with those of the rows; there may be
 * entries without a visible row, but no row without an entry.
 */
static void
compare_keys(Relation heap, Relation index, Tuplesortstate *entries, Tuplesortstate *rows,
			 bool unique)
{
	int64 entry = 0;
	int64 row = 0;
	int64 previous = 0;
	bool  any = false;
	bool  more_rows = rows != NULL && next_key(rows, &row);

	while (next_key(entries, &entry))
	{
		CHECK_FOR_INTERRUPTS();
		if (unique && any && KEY_TID(entry) == KEY_TID(previous))
			ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
							errmsg("index \"%s\" has two entries for row (%u,%u) of table \"%s\"",
								   RelationGetRelationName(index), KEY_BLOCK(entry),
								   KEY_OFFSET(entry), RelationGetRelationName(heap)),
							errhint("Please REINDEX it.")));
		previous = entry;
		any = true;

		/* keys ascend as signed numbers, which preserves groups of equal TIDs */
		if (more_rows && row < entry && KEY_TID(row) != KEY_TID(entry))
			break;
		if (more_rows && row == entry)
			more_rows = next_key(rows, &row);
		else if (more_rows && KEY_TID(row) == KEY_TID(entry) && unique)
			ereport(
				ERROR,
				(errcode(ERRCODE_INDEX_CORRUPTED),
				 errmsg(
					 "index \"%s\" has other features for row (%u,%u) than its template in table \"%s\" gives",
					 RelationGetRelationName(index), KEY_BLOCK(row), KEY_OFFSET(row),
					 RelationGetRelationName(heap)),
				 errhint("Please REINDEX it.")));
	}

	if (more_rows)
		ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
						errmsg("index \"%s\" lacks an entry for row (%u,%u) of table \"%s\"",
							   RelationGetRelationName(index), KEY_BLOCK(row), KEY_OFFSET(row),
							   RelationGetRelationName(heap)),
						errhint("Please REINDEX it.")));
}

/*
 * biometric_index_check(index regclass, heapallindexed boolean): raises an
 * error if something is wrong.
 *
 * Vacuum is kept away: while it runs, a row's TID may leave one page and come
 * back, for another row, on a page that was not yet visited, which is no damage
 * but looks like two entries of one row.  Readers and writers go on.  On a
 * standby, where vacuum cannot be kept away, that one thing is not checked.
 *
 * Rows are taken from a snapshot that is older than the walk over the index, so
 * all of them have their entry by then.
 */
PG_FUNCTION_INFO_V1(biometric_index_check);
Datum
biometric_index_check(PG_FUNCTION_ARGS)
{
	Oid             index_oid = PG_GETARG_OID(0);
	bool            heapallindexed = PG_GETARG_BOOL(1);
	LOCKMODE        lock = RecoveryInProgress() ? AccessShareLock : ShareUpdateExclusiveLock;
	Oid             heap_oid = IndexGetRelation(index_oid, true);
	Relation        heap = NULL;
	Relation        index;
	CheckState      state = {0};
	Tuplesortstate *entries;
	Snapshot        snapshot;
	Oid             save_user;
	int             save_context;
	int             save_nestlevel;

	/* the table first, as everybody locks them; but say first what is no index */
	relation_close(open_for_inspection(index_oid, AccessShareLock), AccessShareLock);
	if (OidIsValid(heap_oid))
		heap = table_open(heap_oid, lock);
	index = open_for_inspection(index_oid, lock);
	if (heap == NULL || heap_oid != IndexGetRelation(index_oid, false))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("could not open the table of index \"%s\"",
							   RelationGetRelationName(index))));

	/* index expressions and predicates run as the owner of the table */
	GetUserIdAndSecContext(&save_user, &save_context);
	SetUserIdAndSecContext(heap->rd_rel->relowner, save_context | SECURITY_RESTRICTED_OPERATION);
	save_nestlevel = NewGUCNestLevel();
#if PG_VERSION_NUM >= 170000
	RestrictSearchPath();
#endif

	state.modality = biometric_open(index, false);
	state.row_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric check", ALLOCSET_DEFAULT_SIZES);
	snapshot = RegisterSnapshot(GetLatestSnapshot());

	entries = begin_key_sort();
	check_pages(heap, index, state.modality, entries, lock == AccessShareLock);
	tuplesort_performsort(entries);
	if (heapallindexed)
	{
		state.rows = begin_key_sort();
		collect_rows(heap, index, &state, snapshot);
		tuplesort_performsort(state.rows);
	}
	compare_keys(heap, index, entries, state.rows, lock != AccessShareLock);

	tuplesort_end(entries);
	if (state.rows != NULL)
		tuplesort_end(state.rows);
	UnregisterSnapshot(snapshot);
	MemoryContextDelete(state.row_context);

	AtEOXact_GUC(false, save_nestlevel);
	SetUserIdAndSecContext(save_user, save_context);
	relation_close(index, lock);
	table_close(heap, lock);
	PG_RETURN_VOID();
}
