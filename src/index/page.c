/*
 * page.c
 *		Making, checking and taking apart the pages of an index.
 *
 * Nothing read from a page is trusted: an index may be damaged, belong to
 * another access method or come from another release.  All such findings are
 * reported with ERRCODE_INDEX_CORRUPTED and a hint.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "index/index.h"
#include "storage/lmgr.h"
#include "storage/off.h"
#include "utils/rel.h"

/* The operator class says which modality is indexed */
const BiometricModality *
biometric_modality(Relation index)
{
	FmgrInfo                *support = index_getprocinfo(index, 1, BIOMETRIC_MODALITY_PROC);
	const BiometricModality *modality =
		biometric_modality_from(FunctionCall1(support, PointerGetDatum(NULL)));

	if (modality == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("support function of index \"%s\" does not describe a biometric modality",
						RelationGetRelationName(index)),
				 errhint("Its operator class was made for another version of the extension.")));
	return modality;
}

void
biometric_page_corrupted(Relation index, BlockNumber block, const char *detail)
{
	ereport(ERROR, (errcode(ERRCODE_INDEX_CORRUPTED),
					errmsg("index \"%s\" contains a corrupted page at block %u",
						   RelationGetRelationName(index), block),
					errdetail_internal("%s", detail), errhint("Please REINDEX it.")));
	pg_unreachable();
}

/* Where the special space of every page is */
#define PAGE_SPECIAL (BLCKSZ - MAXALIGN(sizeof(BiometricPageOpaqueData)))

/*
 * Its pointers are checked too: PostgreSQL itself panics on bad ones when it adds
 * an item or writes a WAL record.  Only gallery and sketch pages have data behind
 * pd_upper.
 */
static bool
page_is_ours(Page page, BiometricPageKind kind)
{
	PageHeader header = (PageHeader) page;

	return header->pd_special == PAGE_SPECIAL && PageGetPageSize(page) == BLCKSZ &&
		   header->pd_lower >= SizeOfPageHeaderData && header->pd_lower <= header->pd_upper &&
		   header->pd_upper <= PAGE_SPECIAL && header->pd_upper == MAXALIGN(header->pd_upper) &&
		   (kind == BIOMETRIC_GALLERY_PAGE || kind == BIOMETRIC_SKETCH_PAGE ||
			header->pd_upper == PAGE_SPECIAL) &&
		   BiometricPageGetOpaque(page)->page_id == BIOMETRIC_PAGE_ID &&
		   BiometricPageGetOpaque(page)->kind == kind;
}

uint32
biometric_meta_hash(const BiometricMetaPageData *meta)
{
	uint32 fixed[] = {meta->flags, meta->words_start, meta->words_end, meta->group_pages};

	return hash_bytes((const unsigned char *) fixed, sizeof(fixed));
}

/* Copies a metapage that is locked, or raises an error */
static void
check_meta(Relation index, Page page, BiometricMetaPageData *meta)
{
	int  lower = ((PageHeader) page)->pd_lower;
	bool ours = !PageIsNew(page) && page_is_ours(page, BIOMETRIC_META_PAGE) &&
				lower >= (char *) &BiometricPageGetMeta(page)->flags - (char *) page;

	if (ours)
		memcpy(meta, BiometricPageGetMeta(page), sizeof(BiometricMetaPageData));
	if (!ours || meta->magic != BIOMETRIC_MAGIC ||
		memchr(meta->modality, '\0', sizeof(meta->modality)) == NULL)
		biometric_page_corrupted(index, BIOMETRIC_META_BLOCK,
								 "It is not the metapage of a biometric index.");
	if (meta->format_version != BIOMETRIC_FORMAT_VERSION)
		ereport(
			ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg(
				 "index \"%s\" has format version %u, but this release of the extension reads version %u",
				 RelationGetRelationName(index), meta->format_version, BIOMETRIC_FORMAT_VERSION),
			 errhint("Please REINDEX it.")));
	if (lower != (char *) (BiometricPageGetMeta(page) + 1) - (char *) page)
		biometric_page_corrupted(index, BIOMETRIC_META_BLOCK, "The metapage has another length.");
	if (meta->fixed_hash != biometric_meta_hash(meta) || meta->group_pages < 1 ||
		meta->group_pages > BIOMETRIC_MAX_GROUP_PAGES || meta->words_start > meta->words_end ||
		(meta->words_end > 0 &&
		 (meta->words_end - BIOMETRIC_FIRST_BLOCK) % (meta->group_pages + 1) != 0) ||
		(meta->first_leaf == 0) != (meta->first_directory == 0))
		biometric_page_corrupted(index, BIOMETRIC_META_BLOCK, "The metapage contradicts itself.");
}

/* Copies the contents of the metapage, whose format is one that we know */
void
biometric_read_meta(Relation index, BiometricMetaPageData *meta)
{
	Buffer buffer = ReadBuffer(index, BIOMETRIC_META_BLOCK);

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	check_meta(index, BufferGetPage(buffer), meta);
	UnlockReleaseBuffer(buffer);
}

Buffer
biometric_lock_meta(Relation index)
{
	Buffer                buffer = ReadBuffer(index, BIOMETRIC_META_BLOCK);
	BiometricMetaPageData meta;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	check_meta(index, BufferGetPage(buffer), &meta);
	return buffer;
}

const BiometricModality *
biometric_open(Relation index, bool any_features, BiometricMetaPageData *meta)
{
	const BiometricModality *modality = biometric_modality(index);

	biometric_read_meta(index, meta);
	if (strcmp(meta->modality, modality->name) != 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg(
				 "index \"%s\" holds features of modality \"%s\", but its operator class is for \"%s\"",
				 RelationGetRelationName(index), meta->modality, modality->name),
			 errhint("Please REINDEX it.")));
	if (!any_features && meta->features_version != modality->features_version)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg(
				 "index \"%s\" holds %s features of version %u, but the matcher compares version %u",
				 RelationGetRelationName(index), modality->name, meta->features_version,
				 modality->features_version),
			 errdetail("The templates in the table are not affected."),
			 errhint("REINDEX it after an update of the extension that changes the matcher.")));
	return modality;
}

void
biometric_init_page(Page page, BiometricPageKind kind)
{
	BiometricPageOpaque opaque;

	PageInit(page, BLCKSZ, sizeof(BiometricPageOpaqueData));
	opaque = BiometricPageGetOpaque(page);
	opaque->kind = kind;
	opaque->page_id = BIOMETRIC_PAGE_ID;
}

void
biometric_init_meta_page(Relation index, Page page)
{
	const BiometricModality *modality = biometric_modality(index);
	BiometricOptions        *options = (BiometricOptions *) index->rd_options;
	BiometricMetaPage        meta;

	biometric_init_page(page, BIOMETRIC_META_PAGE);
	meta = BiometricPageGetMeta(page);
	meta->magic = BIOMETRIC_MAGIC;
	meta->format_version = BIOMETRIC_FORMAT_VERSION;
	meta->features_version = modality->features_version;
	strlcpy(meta->modality, modality->name, sizeof(meta->modality));
	if (modality->key_bits > 0 && (options == NULL || options->preselection))
		meta->flags |= BIOMETRIC_META_PRESELECTION;
	meta->group_pages = modality->group_pages;
	meta->fixed_hash = biometric_meta_hash(meta);

	/* what lies between pd_lower and pd_upper is not logged */
	((PageHeader) page)->pd_lower = (char *) (meta + 1) - (char *) page;
}

Buffer
biometric_extend(Relation index, ForkNumber fork)
{
#if PG_VERSION_NUM >= 160000
	return ExtendBufferedRel(BMR_REL(index), fork, NULL, EB_LOCK_FIRST);
#else
	Buffer buffer;

	/*
	 * The page is locked before any other process can see it.  Otherwise an
	 * insertion that looks at the last page of the file could lock it and wait
	 * for the metapage, which the process that extends the file may hold.
	 */
	LockRelationForExtension(index, ExclusiveLock);
	buffer = ReadBufferExtended(index, fork, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	UnlockRelationForExtension(index, ExclusiveLock);
	return buffer;
#endif
}

Buffer
biometric_new_page(Relation index, const BiometricMetaPageData *meta)
{
	Buffer buffer = biometric_extend(index, MAIN_FORKNUM);

	while (sketch_is_at(meta, BufferGetBlockNumber(buffer)))
	{
		UnlockReleaseBuffer(buffer);
		buffer = biometric_extend(index, MAIN_FORKNUM);
	}
	return buffer;
}

BiometricPageKind
biometric_page_kind(Relation index, BlockNumber block, Page page)
{
	BiometricPageKind kind;

	if (PageIsNew(page))
		return 0;
	kind = ((PageHeader) page)->pd_special == PAGE_SPECIAL ? BiometricPageGetOpaque(page)->kind
														   : BIOMETRIC_GALLERY_PAGE;
	switch (kind)
	{
		case BIOMETRIC_LEAF_PAGE:
		case BIOMETRIC_DIRECTORY_PAGE:
		case BIOMETRIC_PENDING_PAGE:
		case BIOMETRIC_FREE_PAGE:
		case BIOMETRIC_YOUNG_PAGE:
			word_page_check(index, block, page, kind);
			break;
		case BIOMETRIC_SKETCH_PAGE:
			sketch_check_page(index, block, page);
			break;
		default:
			gallery_check_page(index, block, page);
			break;
	}
	return kind;
}

Buffer
biometric_read_linked(Relation index, BlockNumber *blocks, BlockNumber block)
{
	if (block >= *blocks)
		*blocks = RelationGetNumberOfBlocks(index);
	if (block == BIOMETRIC_META_BLOCK || block >= *blocks)
		biometric_page_corrupted(index, block, "Another page says that it is there.");
	return ReadBuffer(index, block);
}

void
word_page_check(Relation index, BlockNumber block, Page page, BiometricPageKind kind)
{
	WordPage words = BiometricPageGetWords(page);
	Size     item = word_page_item_size(kind);

	if (PageIsNew(page) || !page_is_ours(page, kind))
		biometric_page_corrupted(index, block,
								 "It is not the page of a biometric index that it should be.");
	if (words->count > WORD_PAGE_SPACE / item ||
		(kind == BIOMETRIC_PENDING_PAGE && words->count > PENDING_MAX_ENTRIES) ||
		((PageHeader) page)->pd_lower !=
			(char *) words->items + words->count * item - (char *) page)
		biometric_page_corrupted(index, block, "It has another number of items than it says.");
	if (words->right == block)
		biometric_page_corrupted(index, block, "It says that it follows itself.");
	if ((kind == BIOMETRIC_LEAF_PAGE || kind == BIOMETRIC_DIRECTORY_PAGE) &&
		(words->low >= words->high || words->sorted > words->count ||
		 (words->right == 0) != (words->high == PG_UINT64_MAX)))
		biometric_page_corrupted(index, block, "Its bounds are invalid.");
}

Size
word_page_item_size(BiometricPageKind kind)
{
	switch (kind)
	{
		case BIOMETRIC_LEAF_PAGE:
		case BIOMETRIC_YOUNG_PAGE:
			return sizeof(uint64);
		case BIOMETRIC_DIRECTORY_PAGE:
			return sizeof(DirectoryEntry);
		default:
			return sizeof(uint32);
	}
}

bool
item_page_check(Relation index, BlockNumber block, Page page, BiometricPageKind kind,
				int max_entries)
{
	PageHeader header = (PageHeader) page;
	Size       used = 0;

	if (!page_is_ours(page, kind) ||
		(header->pd_lower - SizeOfPageHeaderData) % sizeof(ItemIdData) != 0)
		return false;
	if (PageGetMaxOffsetNumber(page) > max_entries)
		biometric_page_corrupted(index, block, "It has more entries than there is room for.");

	/* code that copies the entries relies on their total size being at most a page */
	for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++)
	{
		ItemId item = PageGetItemId(page, i);

		if (!ItemIdIsUsed(item) && ItemIdHasStorage(item))
			biometric_page_corrupted(index, block, "An offset without an entry has a length.");
		used += MAXALIGN(ItemIdGetLength(item));
	}
	if (used > (Size) (PAGE_SPECIAL - header->pd_upper))
		biometric_page_corrupted(index, block, "Its entries are longer than its data.");
	return true;
}

void *
item_page_entry(Page page, OffsetNumber i, Size header, Size *length)
{
	ItemId item = PageGetItemId(page, i);
	Size   offset = ItemIdGetOffset(item);

	*length = ItemIdGetLength(item);
	if (!ItemIdIsNormal(item) || *length < header || offset != MAXALIGN(offset) ||
		offset < ((PageHeader) page)->pd_upper || offset + *length > PAGE_SPECIAL)
		return NULL;
	return PageGetItem(page, item);
}

void
gallery_check_page(Relation index, BlockNumber block, Page page)
{
	if (!PageIsNew(page) &&
		!item_page_check(index, block, page, BIOMETRIC_GALLERY_PAGE, GALLERY_PAGE_MAX_ENTRIES))
		biometric_page_corrupted(index, block, "It is not a gallery page of a biometric index.");
}

int
gallery_page_entries(Page page)
{
	return PageIsNew(page) ? 0 : PageGetMaxOffsetNumber(page);
}

GalleryEntry
gallery_page_entry(Relation index, BlockNumber block, Page page, OffsetNumber i,
				   Size *features_size)
{
	GalleryEntry entry;
	Size         length;

	if (!ItemIdIsUsed(PageGetItemId(page, i)))
		return NULL;
	entry = item_page_entry(page, i, GALLERY_ENTRY_HEADER, &length);
	if (entry == NULL)
		biometric_page_corrupted(index, block, "An entry lies outside of the page's data.");

	*features_size = length - GALLERY_ENTRY_HEADER;
	if ((entry->flags & ~GALLERY_ENTRY_FLAGS) != 0 ||
		((entry->flags & GALLERY_ENTRY_NULL) != 0 && *features_size != 0) ||
		!ItemPointerIsValid(&entry->tid))
		biometric_page_corrupted(index, block, "An entry has an invalid header.");
	return entry;
}

GalleryEntry
gallery_form_entry(Relation index, const BiometricModality *modality, Datum template, bool isnull,
				   ItemPointer tid, Size *size)
{
	GalleryEntry entry;

	/* the features' maximum is small enough not to need a pass for the size */
	entry = palloc0(GALLERY_ENTRY_HEADER + (isnull ? 0 : modality->max_features_size));
	entry->tid = *tid;
	*size = GALLERY_ENTRY_HEADER;
	if (isnull)
		entry->flags = GALLERY_ENTRY_NULL;
	else
		*size += modality->extract(template, entry->features);

	if (*size > GALLERY_ENTRY_MAX_SIZE)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("features of %zu bytes do not fit a page of index \"%s\"",
							   *size - GALLERY_ENTRY_HEADER, RelationGetRelationName(index)),
						errdetail("At most %zu bytes fit.",
								  (Size) GALLERY_ENTRY_MAX_SIZE - GALLERY_ENTRY_HEADER)));
	return entry;
}

/* The first offset that is not used */
static OffsetNumber
unused_offset(Page page)
{
	OffsetNumber entries = PageGetMaxOffsetNumber(page);

	for (OffsetNumber i = FirstOffsetNumber; i <= entries; i++)
	{
		if (!ItemIdIsUsed(PageGetItemId(page, i)))
			return i;
	}
	return entries + 1;
}

OffsetNumber
gallery_page_add(Relation index, Page page, GalleryEntry entry, Size size)
{
	OffsetNumber offset = unused_offset(page);

	if (PageGetFreeSpace(page) < MAXALIGN(size) || offset > GALLERY_PAGE_MAX_ENTRIES ||
		(!(entry->flags & GALLERY_ENTRY_NULL) && offset > GALLERY_TEMPLATE_OFFSETS))
		return InvalidOffsetNumber;
	return PageAddItem(page, (Item) entry, size, offset, true, false);
}

Size
gallery_page_room(Page page, bool is_null)
{
	if (PageIsNew(page))
		return GALLERY_ENTRY_MAX_SIZE;
	return unused_offset(page) > (is_null ? GALLERY_PAGE_MAX_ENTRIES : GALLERY_TEMPLATE_OFFSETS)
			   ? 0
			   : PageGetFreeSpace(page);
}

void
gallery_page_remove(Page page, OffsetNumber i)
{
	PageIndexTupleDeleteNoCompact(page, i);
}
