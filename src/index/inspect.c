/*
 * inspect.c
 *		For the DBA: how full an index is, and whether it is damaged.
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
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplesort.h"

/*
 * Opens an index for inspection, or says why not.
 */
static Relation
open_for_inspection(Oid oid, LOCKMODE lock)
{
	Relation index;
	bool     owner;

	/* in the words of amcheck */
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(oid)))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("could not open relation with OID %u", oid)));
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

/* Copies a page, checked, to page */
static BiometricPageKind
copy_page(Relation index, BlockNumber block, BufferAccessStrategy strategy, Page page)
{
	Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return biometric_page_kind(index, block, page);
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
	int64                 pages[BIOMETRIC_SKETCH_PAGE + 1] = {0};
	int64                 sketch_bytes = 0;
	int64                 empty_pages = 0;
	int64                 entries = 0;
	int64                 null_entries = 0;
	int64                 pending_entries = 0;
	int64                 dead_entries = 0;
	int64                 entry_bytes = 0;
	int64                 free_bytes = 0;
	int64                 postings = 0;
	TupleDesc             descriptor;
	Datum                 values[20];
	bool                  nulls[20] = {0};

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (descriptor->natts > (int) lengthof(values))
		elog(ERROR, "function has too many result columns");

	biometric_read_meta(index, &meta);
	blocks = RelationGetNumberOfBlocks(index);
	for (BlockNumber block = BIOMETRIC_FIRST_BLOCK; block < blocks; block++)
	{
		BiometricPageKind kind;
		int               page_entries = 0;

		CHECK_FOR_INTERRUPTS();
		kind = copy_page(index, block, strategy, page.data);
		if (kind == 0)
			kind = sketch_is_at(&meta, block) ? BIOMETRIC_SKETCH_PAGE : BIOMETRIC_GALLERY_PAGE;
		pages[kind]++;
		if (kind == BIOMETRIC_LEAF_PAGE || kind == BIOMETRIC_YOUNG_PAGE)
			postings += BiometricPageGetWords(page.data)->count;
		if (kind == BIOMETRIC_SKETCH_PAGE)
		{
			for (OffsetNumber i = FirstOffsetNumber; i <= sketch_page_entries(page.data); i++)
			{
				Size size;

				(void) sketch_page_entry(index, &meta, block, page.data, i, &size);
				sketch_bytes += SKETCH_ENTRY_HEADER + size;
			}
		}
		if (kind != BIOMETRIC_GALLERY_PAGE)
			continue;
		for (OffsetNumber i = FirstOffsetNumber; i <= gallery_page_entries(page.data); i++)
		{
			Size         size;
			GalleryEntry entry = gallery_page_entry(index, block, page.data, i, &size);

			if (entry == NULL)
				continue;
			page_entries++;
			null_entries += (entry->flags & GALLERY_ENTRY_NULL) != 0;
			pending_entries += (entry->flags & GALLERY_ENTRY_PENDING) != 0;
			dead_entries += (entry->flags & (GALLERY_ENTRY_DEAD | GALLERY_ENTRY_KILLED)) != 0;
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
	values[9] = BoolGetDatum((meta.flags & BIOMETRIC_META_PRESELECTION) != 0);
	values[10] = Int64GetDatum(pending_entries);
	values[11] = Int64GetDatum(dead_entries);
	values[12] = Int64GetDatum(postings);
	values[13] = Int64GetDatum(pages[BIOMETRIC_GALLERY_PAGE]);
	values[14] = Int64GetDatum(pages[BIOMETRIC_LEAF_PAGE]);
	values[15] = Int64GetDatum(pages[BIOMETRIC_DIRECTORY_PAGE]);
	values[16] = Int64GetDatum(pages[BIOMETRIC_PENDING_PAGE] + pages[BIOMETRIC_YOUNG_PAGE]);
	values[17] = Int64GetDatum(pages[BIOMETRIC_FREE_PAGE]);
	values[18] = Int64GetDatum(pages[BIOMETRIC_SKETCH_PAGE]);
	values[19] = Int64GetDatum(sketch_bytes);
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

	return (int64) (key | ((hash ^ (entry->flags & GALLERY_ENTRY_NULL)) & 0xFFFF));
}

#define KEY_TID(key)    ((uint64) (key) >> 16)
#define KEY_BLOCK(key)  ((BlockNumber) ((uint64) (key) >> 32))
#define KEY_OFFSET(key) ((OffsetNumber) ((uint64) (key) >> 16 & 0xFFFF))

typedef struct CheckState
{
	const BiometricModality *modality;
	MemoryContext            row_context;
	Tuplesortstate          *rows; /* keys of what should be in the index */
	bool                     preselection;
	PostingSort             *postings; /* that should be in the leaves; NULL if not asked for */
	EntryRef                *pending;  /* entries with the flag */
	int64                    npending;
	int64                    room;
	BiometricMetaPageData    meta;   /* as it was before */
	SketchEntry              sketch; /* room for one */
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

/* Copies a page that may be a gallery page and its sketch page, as they are at one moment */
static BiometricPageKind
copy_with_sketches(Relation index, const BiometricMetaPageData *meta, BlockNumber block,
				   BufferAccessStrategy strategy, Page page, Page sketch_page)
{
	BlockNumber sketch_block = sketch_block_of(meta, block);
	Buffer      sketch_buffer =
		ReadBufferExtended(index, MAIN_FORKNUM, sketch_block, RBM_NORMAL, strategy);
	Buffer buffer = ReadBufferExtended(index, MAIN_FORKNUM, block, RBM_NORMAL, strategy);

	LockBuffer(sketch_buffer, BUFFER_LOCK_SHARE);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(sketch_page, BufferGetPage(sketch_buffer), BLCKSZ);
	memcpy(page, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	UnlockReleaseBuffer(sketch_buffer);
	sketch_check_page(index, sketch_block, sketch_page);
	return biometric_page_kind(index, block, page);
}

/* The sketches on a page lead to pages where entries may be */
static void
check_sketch_page(Relation index, const CheckState *state, BlockNumber block, Page page)
{
	BlockNumber blocks = RelationGetNumberOfBlocks(index);

	for (OffsetNumber i = FirstOffsetNumber; i <= sketch_page_entries(page); i++)
	{
		Size        size;
		SketchEntry sketch = sketch_page_entry(index, &state->meta, block, page, i, &size);
		BlockNumber entry_block = block + 1 + sketch->page;

		if (entry_block >= blocks || !gallery_may_be_at(&state->meta, entry_block))
			biometric_page_corrupted(index, block, "A sketch leads to a page without entries.");
	}
}

/*
 * Each entry with a template on a page has its sketch, and the other way round.  The page
 * has no entries if it is not a gallery page.
 */
static void
check_sketches(Relation index, const CheckState *state, BlockNumber block, Page page, int entries,
			   Page sketch_page)
{
	const BiometricModality *modality = state->modality;
	BlockNumber              sketch_block = sketch_block_of(&state->meta, block);
	bool                     seen[GALLERY_TEMPLATE_OFFSETS + 1] = {false};

	for (OffsetNumber i = FirstOffsetNumber; i <= sketch_page_entries(sketch_page); i++)
	{
		Size         size, features_size;
		Size         right_size = 0;
		GalleryEntry entry = NULL;
		SketchEntry  sketch =
			sketch_page_entry(index, &state->meta, sketch_block, sketch_page, i, &size);

		if (sketch->page != block - sketch_block - 1)
			continue;
		if (sketch->offset <= entries)
			entry = gallery_page_entry(index, block, page, sketch->offset, &features_size);
		if (entry == NULL || (entry->flags & GALLERY_ENTRY_NULL) != 0)
			biometric_page_corrupted(index, sketch_block, "A sketch leads to no entry.");
		if (seen[sketch->offset])
			biometric_page_corrupted(index, sketch_block, "An entry has two sketches.");
		seen[sketch->offset] = true;
		if (modality->sketch != NULL)
			right_size = modality->sketch(entry->features, features_size, state->sketch->sketch);
		if (size != right_size || memcmp(sketch->sketch, state->sketch->sketch, size) != 0)
			biometric_page_corrupted(index, sketch_block, "A sketch is not that of its entry.");
	}
	for (OffsetNumber i = FirstOffsetNumber; i <= Min(entries, GALLERY_TEMPLATE_OFFSETS); i++)
	{
		Size         size;
		GalleryEntry entry = gallery_page_entry(index, block, page, i, &size);

		if (entry != NULL && !(entry->flags & GALLERY_ENTRY_NULL) && !seen[i])
			biometric_page_corrupted(index, block, "An entry has no sketch.");
	}
}

/*
 * Checks each page and entry, and puts the entries' keys into the sort.  On a
 * standby the table may become shorter, and rows that the primary knows to be gone
 * may be visible.
 */
static void
check_pages(Relation heap, Relation index, CheckState *state, Tuplesortstate *entries,
			bool on_standby)
{
	const BiometricModality *modality = state->modality;
	BufferAccessStrategy     strategy = GetAccessStrategy(BAS_BULKREAD);
	BlockNumber              blocks = RelationGetNumberOfBlocks(index);
	BlockNumber              heap_blocks = RelationGetNumberOfBlocks(heap);
	PGAlignedBlock           page;
	PGAlignedBlock           sketch_page;

	for (BlockNumber block = BIOMETRIC_FIRST_BLOCK; block < blocks; block++)
	{
		bool              may_be_gallery = gallery_may_be_at(&state->meta, block);
		BiometricPageKind kind;
		int               page_entries;

		CHECK_FOR_INTERRUPTS();
		kind = may_be_gallery ? copy_with_sketches(index, &state->meta, block, strategy, page.data,
												   sketch_page.data)
							  : copy_page(index, block, strategy, page.data);
		if (sketch_is_at(&state->meta, block) ? kind != BIOMETRIC_SKETCH_PAGE && kind != 0
											  : kind == BIOMETRIC_SKETCH_PAGE)
			biometric_page_corrupted(index, block,
									 "A sketch page is not where exact searches expect it.");
		if (kind == BIOMETRIC_SKETCH_PAGE)
			check_sketch_page(index, state, block, page.data);
		if (!may_be_gallery && !sketch_is_at(&state->meta, block) &&
			(kind == BIOMETRIC_GALLERY_PAGE || kind == 0))
			biometric_page_corrupted(index, block,
									 "It is a gallery page where exact searches expect none.");
		if (kind != BIOMETRIC_GALLERY_PAGE)
		{
			if (may_be_gallery)
				check_sketches(index, state, block, page.data, 0, sketch_page.data);
			continue;
		}
		page_entries = gallery_page_entries(page.data);
		for (OffsetNumber i = FirstOffsetNumber; i <= page_entries; i++)
		{
			Size         size;
			GalleryEntry entry = gallery_page_entry(index, block, page.data, i, &size);
			BlockNumber  heap_block;

			if (entry == NULL)
				continue;
			if (((entry->flags & GALLERY_ENTRY_NULL) &&
				 (entry->flags & (GALLERY_ENTRY_PENDING | GALLERY_ENTRY_DEAD))) ||
				(!state->preselection && (entry->flags & GALLERY_ENTRY_PENDING)) ||
				(!(entry->flags & GALLERY_ENTRY_NULL) && i > GALLERY_TEMPLATE_OFFSETS))
				biometric_page_corrupted(index, block, "An entry has flags that it cannot have.");

			/* the table may have grown since its size was read */
			heap_block = ItemPointerGetBlockNumber(&entry->tid);
			if (heap_block >= heap_blocks)
				heap_blocks = RelationGetNumberOfBlocks(heap);
			if (heap_block >= heap_blocks && !on_standby)
				biometric_page_corrupted(index, block,
										 "An entry points beyond the end of the table.");
			if (!(entry->flags & GALLERY_ENTRY_NULL) &&
				!modality->features_valid(entry->features, size))
				biometric_page_corrupted(index, block, "The features of an entry are damaged.");
			for (OffsetNumber j = FirstOffsetNumber; j < i; j++)
			{
				ItemId a = PageGetItemId(page.data, i);
				ItemId b = PageGetItemId(page.data, j);

				if (ItemIdIsUsed(b) &&
					ItemIdGetOffset(a) < ItemIdGetOffset(b) + ItemIdGetLength(b) &&
					ItemIdGetOffset(b) < ItemIdGetOffset(a) + ItemIdGetLength(a))
					biometric_page_corrupted(index, block, "Two entries overlap.");
			}

			/* the TID of a dead entry may be another row's */
			if (entry->flags & GALLERY_ENTRY_DEAD)
				continue;

			/* searches pass over it; so they do not find the row, if our snapshot sees it */
			if (on_standby || !(entry->flags & GALLERY_ENTRY_KILLED))
				tuplesort_putdatum(entries, Int64GetDatum(entry_key(entry, size)), false);

			if (!state->preselection || (entry->flags & GALLERY_ENTRY_NULL) ||
				!EntryRefExists(block, i))
				continue;
			if (entry->flags & GALLERY_ENTRY_PENDING)
			{
				if (state->npending == state->room)
				{
					state->room = Max(2 * state->room, 1024);
					state->pending =
						state->pending == NULL
							? palloc(sizeof(EntryRef) * state->room)
							: repalloc_huge(state->pending, sizeof(EntryRef) * state->room);
				}
				state->pending[state->npending++] = EntryRefMake(block, i);
			}
			else if (state->postings != NULL)
				posting_sort_add(state->postings, EntryRefMake(block, i), entry->features, size);
		}
		check_sketches(index, state, block, page.data, page_entries, sketch_page.data);
	}
}

/* ---- pre-selection ------------------------------------------------------- */

/* How often a check is repeated if the index changes meanwhile */
#define ATTEMPTS 10

/* All postings of young pages */
typedef struct YoungPostings
{
	Relation index;
	Posting *postings;
	int64    n;
	int64    room;
} YoungPostings;

static void
collect_young(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	YoungPostings *young = argument;
	WordPage       words;

	if (!BufferIsValid(buffer))
	{
		young->n = 0;
		return;
	}
	words = BiometricPageGetWords(BufferGetPage(buffer));
	for (int i = 1; i < words->count; i++)
	{
		if (words->items[i] <= words->items[i - 1])
			biometric_page_corrupted(young->index, BufferGetBlockNumber(buffer),
									 "Its postings are not in order.");
	}
	if (young->n + words->count > young->room)
	{
		young->room = Max(2 * young->room, young->n + words->count);
		young->postings = repalloc_huge(young->postings, sizeof(Posting) * young->room);
	}
	memcpy(young->postings + young->n, words->items, sizeof(Posting) * words->count);
	young->n += words->count;
}

/* Ascending */
static void
read_young(Relation index, YoungPostings *young)
{
	young->index = index;
	young->room = LEAF_MAX_POSTINGS;
	young->postings = palloc(sizeof(Posting) * young->room);
	list_read(index, BIOMETRIC_YOUNG_PAGE, NULL, BUFFER_LOCK_SHARE, collect_young, young);
	qsort(young->postings, young->n, sizeof(Posting), compare_uint64);
}

static bool
young_have(const YoungPostings *young, Posting posting)
{
	return young->n > 0 &&
		   bsearch(&posting, young->postings, young->n, sizeof(Posting), compare_uint64) != NULL;
}

/* Whether an entry that is there now must have a posting */
static bool
entry_has_posting(Relation index, const BiometricModality *modality, Posting posting)
{
	EntryRef       ref = PostingRef(posting);
	PGAlignedBlock page;
	GalleryEntry   entry;
	Size           size;
	BiometricWord *words;
	Posting       *postings;
	bool           found = false;
	int            n;

	if (copy_page(index, EntryRefBlock(ref), NULL, page.data) != BIOMETRIC_GALLERY_PAGE ||
		EntryRefOffset(ref) > gallery_page_entries(page.data))
		return false;
	entry = gallery_page_entry(index, EntryRefBlock(ref), page.data, EntryRefOffset(ref), &size);
	if (entry == NULL ||
		(entry->flags & (GALLERY_ENTRY_NULL | GALLERY_ENTRY_PENDING | GALLERY_ENTRY_DEAD)) != 0)
		return false;
	if (!modality->features_valid(entry->features, size))
		biometric_page_corrupted(index, EntryRefBlock(ref),
								 "The features of an entry are damaged.");
	words = palloc(sizeof(BiometricWord) * modality->max_words);
	postings = palloc(sizeof(Posting) * modality->max_words);
	n = entry_postings(modality, ref, entry->features, size, words, postings);
	for (int i = 0; i < n && !found; i++)
		found = postings[i] == posting;
	pfree(postings);
	pfree(words);
	return found;
}

/* Whether a posting is in a young page or a leaf */
static bool
posting_is_there(Relation index, Posting posting)
{
	BlockNumber           blocks = 0;
	BiometricMetaPageData meta;
	YoungPostings         young = {0};
	DirectoryEntry       *directory;
	Buffer                buffer;
	WordPage              words;
	int64                 n;
	bool                  found;

	/* in this order: a merge takes it from one to the other */
	read_young(index, &young);
	found = young_have(&young, posting);
	pfree(young.postings);
	biometric_read_meta(index, &meta);
	if (found || meta.first_leaf == 0)
		return found;

	directory = directory_read(index, meta.first_directory, NULL, &n);
	buffer = word_page_read(index, &blocks, directory[directory_find(directory, n, posting)].leaf,
							BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
	pfree(directory);
	words = BiometricPageGetWords(BufferGetPage(buffer));
	while (words->high <= posting && words->right != 0)
	{
		buffer = word_page_right(index, &blocks, buffer, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
		words = BiometricPageGetWords(BufferGetPage(buffer));
	}
	for (int i = 0; i < words->count && !found; i++)
		found = words->items[i] == posting;
	UnlockReleaseBuffer(buffer);
	return found;
}

/*
 * Raises an error if an entry lacks a posting.  On a standby, replayed vacuums
 * may remove both meanwhile.  So the check is repeated: the posting must exist
 * only if the entry exists before and after.
 */
static void
check_posting(Relation index, const BiometricModality *modality, Posting posting)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!entry_has_posting(index, modality, posting) || posting_is_there(index, posting))
			return;
	}
	biometric_page_corrupted(index, EntryRefBlock(PostingRef(posting)),
							 "There is no posting for a word of an entry.");
}

/*
 * Walks the chain of leaves, and compares them and the young pages with the
 * postings that must be there, if any are given.  There may be others, of entries
 * that came later or are gone.
 */
static void
check_leaves(Relation index, const BiometricModality *modality, PostingSort *wanted)
{
	BiometricMetaPageData meta;
	BlockNumber           blocks = 0;
	BlockNumber           block;
	uint64                low = 0;
	Posting               want = 0;
	bool                  more = wanted != NULL && posting_sort_next(wanted, &want);
	YoungPostings         young = {0};
	Posting               postings[LEAF_MAX_POSTINGS];

	/* in this order: a merge takes postings from young pages to leaves */
	read_young(index, &young);
	biometric_read_meta(index, &meta);
	for (block = meta.first_leaf; block != 0;)
	{
		Buffer      buffer;
		WordPage    words;
		uint64      high;
		BlockNumber right;
		int         n, sorted;
		int         i = 0;

		CHECK_FOR_INTERRUPTS();
		buffer = word_page_read(index, &blocks, block, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
		words = BiometricPageGetWords(BufferGetPage(buffer));
		n = words->count;
		sorted = words->sorted;
		high = words->high;
		right = words->right;
		if (words->low != low)
			biometric_page_corrupted(index, block,
									 "It does not begin where its left sibling ends.");
		memcpy(postings, words->items, sizeof(Posting) * n);
		UnlockReleaseBuffer(buffer);

		for (int j = 1; j < sorted; j++)
		{
			if (postings[j] <= postings[j - 1])
				biometric_page_corrupted(index, block, "Its postings are not in order.");
		}
		qsort(postings, n, sizeof(Posting), compare_uint64);
		for (int j = 0; j < n; j++)
		{
			if (postings[j] < low || postings[j] >= high)
				biometric_page_corrupted(index, block, "A posting lies outside of its bounds.");
			if (j > 0 && postings[j] == postings[j - 1])
				biometric_page_corrupted(index, block, "It has a posting twice.");
		}
		for (; more && want < high; more = posting_sort_next(wanted, &want))
		{
			while (i < n && postings[i] < want)
				i++;
			if ((i == n || postings[i] != want) && !young_have(&young, want))
				check_posting(index, modality, want);
		}
		low = high;
		block = right;
	}
	for (; more; more = posting_sort_next(wanted, &want))
	{
		if (!young_have(&young, want))
			check_posting(index, modality, want);
	}
	pfree(young.postings);
}

/* Each entry of the directory leads to the leaf that it says */
static void
check_directory(Relation index, BlockNumber first)
{
	BlockNumber     blocks = 0;
	int64           n;
	DirectoryEntry *entries = directory_read(index, first, NULL, &n);

	for (int64 i = 0; i < n; i++)
	{
		Buffer buffer;
		bool   right;

		CHECK_FOR_INTERRUPTS();
		buffer =
			word_page_read(index, &blocks, entries[i].leaf, BIOMETRIC_LEAF_PAGE, BUFFER_LOCK_SHARE);
		right = BiometricPageGetWords(BufferGetPage(buffer))->low == entries[i].low;
		UnlockReleaseBuffer(buffer);
		if (!right)
			biometric_page_corrupted(index, entries[i].leaf,
									 "The leaf begins elsewhere than the directory says.");
	}
	pfree(entries);
}

/* Where a list ends that was read, and what the metapage said when it began to be read */
typedef struct ListEnd
{
	BiometricPageKind kind;
	NumberedList      said;
	BlockNumber       last;
	uint64            next_number;
} ListEnd;

static void
see_list_page(const BiometricMetaPageData *meta, Buffer buffer, void *argument)
{
	ListEnd *end = argument;

	if (!BufferIsValid(buffer))
	{
		end->said = *meta_list((BiometricMetaPage) meta, end->kind);
		end->last = 0;
		end->next_number = end->said.first_number;
		return;
	}
	end->last = BufferGetBlockNumber(buffer);
	end->next_number++;
}

/*
 * A list ends where the metapage says, and so does what is being merged of the young pages.
 * Nothing can be said of a list that changes while it is read: its numbers only grow.
 */
static void
check_list(Relation index, BiometricPageKind kind)
{
	for (int attempt = 1; attempt <= ATTEMPTS; attempt++)
	{
		ListEnd               end = {kind};
		BiometricMetaPageData meta;

		list_read(index, kind, NULL, BUFFER_LOCK_SHARE, see_list_page, &end);
		biometric_read_meta(index, &meta);
		if (memcmp(meta_list(&meta, kind), &end.said, sizeof(NumberedList)) != 0)
			continue;
		if (end.last != end.said.last || end.next_number != end.said.next_number)
			biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
									 "One of its lists ends elsewhere than it says.");
		if (meta.merging_end != 0 ? meta.merging_end <= meta.young.first_number ||
										meta.merging_end > meta.young.next_number
								  : meta.merged != 0)
			biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
									 "It says that pages are being merged that are not there.");
		return;
	}
}

/* The free pages are a chain that ends.  Insertions and merges may take and give some meanwhile. */
static void
check_free(Relation index)
{
	for (int attempt = 1;; attempt++)
	{
		BiometricMetaPageData meta;
		PGAlignedBlock        page;
		BlockNumber           blocks;
		BlockNumber           block;
		BlockNumber           n = 0;

		biometric_read_meta(index, &meta);
		blocks = RelationGetNumberOfBlocks(index);
		for (block = meta.first_free; block != 0 && block < blocks && n < blocks; n++)
		{
			CHECK_FOR_INTERRUPTS();
			if (copy_page(index, block, NULL, page.data) != BIOMETRIC_FREE_PAGE)
				break;
			block = BiometricPageGetWords(page.data)->right;
		}
		if (block == 0)
			return;
		if (attempt == ATTEMPTS)
			biometric_page_corrupted(index, block, "The chain of free pages leads to it.");
	}
}

/* Whether an entry has the flag PENDING now */
static bool
entry_is_pending(Relation index, EntryRef ref)
{
	PGAlignedBlock page;
	GalleryEntry   entry;
	Size           size;

	if (copy_page(index, EntryRefBlock(ref), NULL, page.data) != BIOMETRIC_GALLERY_PAGE ||
		EntryRefOffset(ref) > gallery_page_entries(page.data))
		return false;
	entry = gallery_page_entry(index, EntryRefBlock(ref), page.data, EntryRefOffset(ref), &size);
	return entry != NULL && (entry->flags & GALLERY_ENTRY_PENDING) != 0;
}

/* Entries with the flag PENDING are in the list, if they have not been merged since */
static void
check_pending(Relation index, CheckState *state)
{
	int64 missing = state->npending;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++)
	{
		EntryRef   *listed;
		int64       n = pending_read(index, NULL, &listed);
		BlockNumber blocks = RelationGetNumberOfBlocks(index);
		int64       others = missing;

		if (n > 0 && (EntryRefBlock(listed[0]) == 0 || EntryRefBlock(listed[n - 1]) >= blocks))
			biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
									 "A pending reference leads out of the index.");
		missing = 0;
		for (int64 i = 0; i < others; i++)
		{
			EntryRef ref = state->pending[i];

			CHECK_FOR_INTERRUPTS();
			if ((n == 0 ||
				 bsearch(&ref, listed, n, sizeof(EntryRef), compare_entry_refs) == NULL) &&
				entry_is_pending(index, ref))
				state->pending[missing++] = ref;
		}
		pfree(listed);
		if (missing == 0)
			return;
	}
	biometric_page_corrupted(index, EntryRefBlock(state->pending[0]),
							 "A pending entry is not in the list of pending entries.");
}

static void
check_preselection(Relation index, CheckState *state)
{
	BiometricMetaPageData meta;

	if (state->postings != NULL)
		posting_sort_perform(state->postings);
	check_pending(index, state);
	check_leaves(index, state->modality, state->postings);
	biometric_read_meta(index, &meta);
	if (meta.first_leaf != 0)
		check_directory(index, meta.first_directory);
	check_list(index, BIOMETRIC_PENDING_PAGE);
	check_list(index, BIOMETRIC_YOUNG_PAGE);
	check_free(index);
	if (state->postings != NULL)
		posting_sort_end(state->postings);
	if (state->pending != NULL)
		pfree(state->pending);
}

/* ---- rows ---------------------------------------------------------------- */

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
 * The lock excludes vacuum.  During a vacuum, a TID may be removed from one
 * page and used again, for another row, on a page that was not yet visited.
 * That is no damage, but looks like two entries of one row.  Readers and
 * writers are not blocked.  On a standby, replayed vacuums cannot be excluded,
 * so two entries of one row are not looked for there.
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

	/*
	 * the table is locked before the index, as PostgreSQL does; a relation that
	 * is not an index is refused first
	 */
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

	state.modality = biometric_open(index, false, &state.meta);
	state.sketch = palloc(SKETCH_ENTRY_HEADER + state.modality->max_sketch_size);
	state.row_context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric check", ALLOCSET_DEFAULT_SIZES);
	snapshot = RegisterSnapshot(GetLatestSnapshot());

	entries = begin_key_sort();
	state.preselection = (state.meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
	if (heapallindexed && state.preselection)
		state.postings = posting_sort_begin(state.modality, maintenance_work_mem / 2, NULL);
	check_pages(heap, index, &state, entries, lock == AccessShareLock);
	tuplesort_performsort(entries);
	check_preselection(index, &state);
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
