/*
 * index.h
 *		The access method "biometric": what lies on its pages, the rules that
 *		keep them right under concurrency and crashes, and what its files share.
 *
 * An index is one metapage and pages of seven other kinds.
 *
 * - Gallery pages hold entries: a heap TID and the features of the template in
 *   that row.  Entries are in no order.
 * - Sketch pages hold the sketches (type/modality.h) of the entries on the gallery
 *   pages that follow, one for each entry with a template.  An exact search reads all
 *   sketch pages, and of the gallery pages those with entries that the sketches do not
 *   rule out.  For rows without a template it reads all gallery pages.
 * - Leaves hold postings: code << 29 | reference of the entry that has this word
 *   (preselection.h).  They are a chain that ascends: a leaf has the postings
 *   p with low <= p < high, and its right sibling's low is its high.
 * - Directory pages, a chain too, hold (low, block) of leaves, ascending.  They
 *   are only a hint: a search that lands too far to the left follows
 *   right-links.
 * - Pending pages, a list, hold references of entries that may have no
 *   postings yet.
 * - Young pages, a list too, hold postings that are not in the leaves yet, in
 *   order on each page.
 * - Free pages, a chain, were pending or young pages; they become any of the
 *   four above.
 *
 * On disk, always:
 *
 * - Block 0 is the metapage: what the index is, and where the chains begin.
 * - The blocks after it form groups of group_pages + 1.  The first block of a group is
 *   its sketch page, and never becomes anything else.  The others are of any other kind.
 * - CREATE INDEX writes leaves and directory to the blocks from words_start to
 *   words_end.  There are no sketch pages and no gallery pages among them.  words_end
 *   is where a group begins.
 * - A block that is new (all zeroes) counts as an empty sketch page or as an empty gallery
 *   page, whichever its place says.  Whoever extends the file leaves sketch pages new.
 *   A crash between extending the file and writing a page leaves new gallery pages
 *   behind, which the next vacuum offers for reuse.
 * - A row has one entry, also when its template is NULL.  An entry never moves,
 *   and a gallery page stays one.
 * - An entry with a template has one sketch, on the sketch page of its group, from when
 *   it is inserted until it is removed: the same WAL record writes both.  So a search that
 *   visits each sketch page once sees each such entry that stays for the whole time exactly
 *   once; and each one without a template if it visits each gallery page once.  The sketch
 *   says where the entry is.  It may move on its page.
 * - An entry with a template lies at one of the first 32 offsets of its page.  If the
 *   index has pre-selection and the block number is less than 2^24 - 1, the entry has
 *   all its postings, in leaves or young pages, or the flag PENDING and a reference
 *   in the pending list, or the flag DEAD.  On later pages it has none of these, and
 *   a fast search returns it only after all entries that it found by postings.
 * - References in the list to entries that are gone or not PENDING, and
 *   duplicates, are ignored.  Postings of entries that are gone, or that lead
 *   to an entry that took the place of another, are harmless: they only cost
 *   time.  A posting may be in two young pages, or in a young page and in a
 *   leaf.
 * - The flag KILLED is a hint: no snapshot sees the row any more.  The primary's
 *   snapshots are meant; a search that began on a standby does not heed it.
 * - Pages of the two lists are numbered without gaps.
 * - A leaf's low never changes and its high only falls; no page leaves the
 *   chains of leaves and of directory pages.
 * - All numbers have fixed widths, the same in every PostgreSQL release.
 *
 * Every step is one generic WAL record of at most four pages:
 *
 * - An insertion writes the sketch page, the gallery page and the last pending page.  A
 *   new last pending page, its link and the metapage are a record before that; without
 *   the insertion it is just empty.
 * - The merger takes the first pending page: it appends the postings of its entries to
 *   the list of young pages, then clears the flags PENDING, then frees the page.
 * - When there are many young pages it begins to merge them (metapage: merging_end).  It
 *   appends their postings to leaves or splits leaves, in ascending order, and adds new
 *   leaves to the directory.  From time to time it writes down how far it has come
 *   (merged): postings of these pages that are less mean nothing any more.  At the end
 *   it frees the pages from the first on.
 * - A merger can be interrupted at any step.  The next one goes on there, and
 *   drops the postings that the leaves have already.  A leaf that is not in the
 *   directory is reached by right-links, and the next merge that visits it adds
 *   it.
 * - A split writes the leaf, its new right sibling, and the metapage.
 * - Vacuum removes dead entries that are PENDING or have no template, gives the other dead
 *   ones the flag DEAD, removes the postings of these from young pages, then from leaves, and
 *   then them.  What it removes from a gallery page and its sketches are one record.  At last it counts itself in the metapage.  If it ends between, DEAD
 *   entries stay behind; searches skip them, and the next vacuum begins with them
 *   again.  It needs no new page: the free space map has its pages from CREATE INDEX on.
 *
 * Locks.  The merger holds the heavyweight lock LockPage(index, BIOMETRIC_META_BLOCK,
 * ExclusiveLock), so there is one at a time.  No other process adds to leaves,
 * directory or young pages, or frees pages.  Insertions do the merging, each a
 * bounded piece, and only if they get that lock without waiting.  Vacuum does not
 * take it, because it only removes.  A posting that a merger moves to a leaf after
 * vacuum has passed that leaf may belong to an entry that is gone, which is harmless.
 *
 * Content locks are taken in the order sketch page, gallery page, leaf or directory page,
 * pending page, young page, metapage, free or new page.  An insertion that extends the
 * file unlocks the new page before it locks the sketch page.  A page that is found
 * through a link is compared with the pages that are locked already: otherwise a damaged
 * link could make a process wait for its own lock.  Searches hold one lock at a time.
 * They copy a sketch page, and then the entries that it leads to, under share locks, and
 * compare without them; they keep no pin on these pages, only one on the page to be read
 * next, and no process waits for that pin.  Vacuum may therefore remove an entry before
 * the search comes to its page, and another entry may take its place; or its heap TID may be
 * given to another row while a scan still has it in memory.  A scan with an MVCC snapshot is
 * not misled: it sees neither the row that was removed nor the one that came later.  For other snapshots the scan
 * asks the executor to check the row again.  The TIDs of entries that vacuum removed
 * are given to other rows only after it has counted itself.  So a scan sets the flag
 * KILLED only if no vacuum has been counted since the scan began.
 *
 * A fast search reads the pending list first, then the young pages, then the leaves,
 * so it finds an entry that is merged meanwhile.  A link of a list may lead to a
 * page that was freed meanwhile: it is not in the list, or has not the next number.
 * Then the reader begins again.  All this holds on a standby too, where the records
 * come in the same order.
 *
 * The index knows templates only through the BiometricModality that the
 * operator class provides (type/modality.h).
 */
#ifndef BIOMETRIC_INDEX_H
#define BIOMETRIC_INDEX_H

#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "type/modality.h"
#include "utils/relcache.h"

/* ---- pages --------------------------------------------------------------- */

#define BIOMETRIC_META_BLOCK  0
#define BIOMETRIC_FIRST_BLOCK 1 /* first group */

typedef enum BiometricPageKind
{
	BIOMETRIC_META_PAGE = 1,
	BIOMETRIC_GALLERY_PAGE = 2,
	BIOMETRIC_LEAF_PAGE = 3,
	BIOMETRIC_DIRECTORY_PAGE = 4,
	BIOMETRIC_PENDING_PAGE = 5,
	BIOMETRIC_FREE_PAGE = 6,
	BIOMETRIC_YOUNG_PAGE = 7,
	BIOMETRIC_SKETCH_PAGE = 8
} BiometricPageKind;

/*
 * Special space of every page.  The identifier comes last, where the other
 * access methods have theirs, so that tools can tell whose page it is.
 */
typedef struct BiometricPageOpaqueData
{
	uint32 reserved; /* 0 */
	uint16 kind;     /* BiometricPageKind */
	uint16 page_id;  /* BIOMETRIC_PAGE_ID */
} BiometricPageOpaqueData;

typedef BiometricPageOpaqueData *BiometricPageOpaque;

#define BIOMETRIC_PAGE_ID            0xFFB1
#define BiometricPageGetOpaque(page) ((BiometricPageOpaque) PageGetSpecialPointer(page))

/* Pages of a list in the metapage: WordPageData.low is their number */
typedef struct NumberedList
{
	BlockNumber first;
	BlockNumber last;
	uint64      first_number; /* the number of the first page */
	uint64      next_number;  /* and of the next one to come */
} NumberedList;

/* Contents of block 0, from PageGetContents */
typedef struct BiometricMetaPageData
{
	uint32 magic;            /* BIOMETRIC_MAGIC */
	uint32 format_version;   /* of the pages: BIOMETRIC_FORMAT_VERSION */
	uint32 features_version; /* of the modality, when the index was built */
	char   modality[52];     /* its name, padded with zeroes */

	/*
	 * Fixed when the index is built.  Exact searches find the sketch pages by
	 * them, so a hash protects them.
	 */
	uint32      flags; /* BIOMETRIC_META_xxx */
	BlockNumber words_start;
	BlockNumber words_end;
	uint32      group_pages; /* of a group, without its sketch page */
	uint32      fixed_hash;  /* biometric_meta_hash */

	/* a block is 0 if there is none */
	BlockNumber  first_leaf;
	BlockNumber  first_directory;
	BlockNumber  first_free;
	NumberedList pending;
	NumberedList young;

	/* young pages with smaller numbers are being merged; 0: none */
	uint64 merging_end;
	uint64 merged; /* and postings of these that are less are in the leaves */

	/* as merges and vacuums counted them */
	uint64 leaves;
	uint64 postings;      /* in leaves */
	uint64 entries;       /* that have postings */
	uint64 young_entries; /* of them, those that got postings since the last merge began */

	uint64 vacuums; /* that ended so far */
} BiometricMetaPageData;

typedef BiometricMetaPageData *BiometricMetaPage;

#define BIOMETRIC_MAGIC             0x42494F4D
#define BIOMETRIC_FORMAT_VERSION    4
#define BIOMETRIC_META_PRESELECTION 0x0001 /* entries have postings */
#define BiometricPageGetMeta(page)  ((BiometricMetaPage) PageGetContents(page))

/*
 * Contents of leaves, directory, pending, young and free pages, from
 * PageGetContents; the items fill the rest of the page.
 */
typedef struct WordPageData
{
	uint64      low;    /* leaf, directory: lower bound; pending, young: the page's number */
	uint64      high;   /* leaf, directory: upper bound, exclusive */
	BlockNumber right;  /* the next page of the chain; 0 if there is none */
	uint16      count;  /* of items */
	uint16      sorted; /* leaf: that many ascend, the rest are in no order */
	uint64      items[FLEXIBLE_ARRAY_MEMBER];
} WordPageData;

typedef WordPageData *WordPage;

/* An item of a directory page.  Those of leaves and young pages are uint64, of pending pages uint32. */
typedef struct DirectoryEntry
{
	uint64      low; /* of the leaf */
	BlockNumber leaf;
	uint32      unused; /* 0 */
} DirectoryEntry;

#define BiometricPageGetWords(page) ((WordPage) PageGetContents(page))
#define WORD_PAGE_SPACE                                                        \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - offsetof(WordPageData, items) - \
	 MAXALIGN(sizeof(BiometricPageOpaqueData)))
#define LEAF_MAX_POSTINGS     ((int) (WORD_PAGE_SPACE / sizeof(uint64)))
#define DIRECTORY_MAX_ENTRIES ((int) (WORD_PAGE_SPACE / sizeof(DirectoryEntry)))

/* On a pending page. An insertion merges one page, so it merges only a few entries. */
#define PENDING_MAX_ENTRIES 64

/* An item of a gallery page; the features fill the rest of the item */
typedef struct GalleryEntryData
{
	ItemPointerData tid;   /* the row */
	uint16          flags; /* GALLERY_ENTRY_xxx */
	char            features[FLEXIBLE_ARRAY_MEMBER];
} GalleryEntryData;

typedef GalleryEntryData *GalleryEntry;

#define GALLERY_ENTRY_NULL    0x0001 /* the template is NULL: no features */
#define GALLERY_ENTRY_PENDING 0x0002 /* its words have no postings yet */
#define GALLERY_ENTRY_DEAD    0x0004 /* the row is gone; searches skip it */
#define GALLERY_ENTRY_KILLED  0x0008 /* no snapshot of the primary sees the row */
#define GALLERY_ENTRY_FLAGS   0x000F /* all flags there are */

#define GALLERY_ENTRY_HEADER offsetof(GalleryEntryData, features)

/* Space for entries on an empty page, and the largest entry that fits */
#define GALLERY_PAGE_SPACE \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(BiometricPageOpaqueData)))
#define GALLERY_ENTRY_MAX_SIZE MAXALIGN_DOWN(GALLERY_PAGE_SPACE - sizeof(ItemIdData))

/* No page has more entries than this */
#define GALLERY_PAGE_MAX_ENTRIES \
	((int) (GALLERY_PAGE_SPACE / (sizeof(ItemIdData) + MAXALIGN(GALLERY_ENTRY_HEADER))))

/* Templates lie at offsets up to this one */
#define GALLERY_TEMPLATE_OFFSETS 32

/* An item of a sketch page; the sketch fills the rest of the item */
typedef struct SketchEntryData
{
	uint8 page;   /* of the group, from 0: where the entry is */
	uint8 offset; /* of the entry on that page */
	char  sketch[FLEXIBLE_ARRAY_MEMBER];
} SketchEntryData;

typedef SketchEntryData *SketchEntry;

#define SKETCH_ENTRY_HEADER offsetof(SketchEntryData, sketch)

/* No sketch page has more sketches than this */
#define SKETCH_PAGE_MAX_ENTRIES \
	((int) (GALLERY_PAGE_SPACE / (sizeof(ItemIdData) + MAXALIGN(SKETCH_ENTRY_HEADER))))

/* ---- storage parameters (handler.c) --------------------------------------- */

typedef struct BiometricOptions
{
	int32 vl_len_;       /* varlena header */
	bool  preselection;  /* of effect when the index is built */
	int   pending_limit; /* entries with postings in young pages before a merge */
} BiometricOptions;

#define BIOMETRIC_DEFAULT_PENDING_LIMIT 16384

extern void biometric_init_options(void);

/* ---- page.c: pages and entries ------------------------------------------- */

extern const BiometricModality *biometric_modality(Relation index);

/*
 * Checks the metapage and copies it.  Returns the modality after making sure that
 * the features in the index are of its present version; without that if
 * any_features, for work that does not look at features.
 */
extern const BiometricModality *biometric_open(Relation index, bool any_features,
											   BiometricMetaPageData *meta);
extern void                     biometric_read_meta(Relation index, BiometricMetaPageData *meta);
extern uint32                   biometric_meta_hash(const BiometricMetaPageData *meta);
/* The metapage, pinned and locked exclusively */
extern Buffer biometric_lock_meta(Relation index);

extern void biometric_init_page(Page page, BiometricPageKind kind);
/* With pre-selection if the storage parameters want it and the modality has words */
extern void biometric_init_meta_page(Relation index, Page page);

/*
 * Pins a block that another page names, after making sure that it is there and
 * not the metapage.  *blocks is a size of the index that was seen; 0 if none was.
 */
extern Buffer biometric_read_linked(Relation index, BlockNumber *blocks, BlockNumber block);

/* Extends a fork by one page, all zeroes; returned pinned and locked exclusively */
extern Buffer biometric_extend(Relation index, ForkNumber fork);
/* The same for any page but a sketch page */
extern Buffer biometric_new_page(Relation index, const BiometricMetaPageData *meta);

/*
 * What kind of page a block is; 0 if it is new.  Raises an error if it is none
 * of ours.  The caller has it locked, or has a copy.
 */
extern BiometricPageKind biometric_page_kind(Relation index, BlockNumber block, Page page);

/*
 * Pages of items, gallery and sketch pages.  The first returns false if the page is
 * not of the kind, and raises an error if its line pointers are wrong.  The second
 * returns an item and its length; NULL if it is shorter than its header or lies outside.
 */
extern bool  item_page_check(Relation index, BlockNumber block, Page page, BiometricPageKind kind,
							 int max_entries);
extern void *item_page_entry(Page page, OffsetNumber i, Size header, Size *length);

/*
 * Raises an error unless the block is a gallery page or new.  The caller has
 * it locked, or has a copy.
 */
extern void gallery_check_page(Relation index, BlockNumber block, Page page);

/*
 * Raises an error unless the page is of that kind, one of the four with
 * WordPageData, and its items lie inside.
 */
extern void word_page_check(Relation index, BlockNumber block, Page page, BiometricPageKind kind);
extern Size word_page_item_size(BiometricPageKind kind);

/* Highest offset on a gallery page that gallery_check_page accepted; not all below it are used */
extern int gallery_page_entries(Page page);

/*
 * Entry i of a page, after making sure that it lies inside; i counts from 1.
 * NULL if the offset is not used.
 */
extern GalleryEntry gallery_page_entry(Relation index, BlockNumber block, Page page, OffsetNumber i,
									   Size *features_size);

/*
 * Puts an entry on a gallery page, if there is room.  Returns where, or
 * InvalidOffsetNumber.
 */
extern OffsetNumber gallery_page_add(Relation index, Page page, GalleryEntry entry, Size size);

/* Room on a page for another entry, with a template or without */
extern Size gallery_page_room(Page page, bool is_null);

/* Removes an entry; the others keep their offsets */
extern void gallery_page_remove(Page page, OffsetNumber i);

/* Makes the entry of a row, in CurrentMemoryContext */
extern GalleryEntry gallery_form_entry(Relation index, const BiometricModality *modality,
									   Datum template, bool isnull, ItemPointer tid, Size *size);

/* ---- sketch.c: sketch pages ------------------------------------------------ */

/* Whether a block is a sketch page; the sketch page of a gallery page */
extern bool        sketch_is_at(const BiometricMetaPageData *meta, BlockNumber block);
extern BlockNumber sketch_block_of(const BiometricMetaPageData *meta, BlockNumber block);

/* Whether a block may be a gallery page */
extern bool gallery_may_be_at(const BiometricMetaPageData *meta, BlockNumber block);

/*
 * Raises an error unless the block is a sketch page or new.  The caller has it
 * locked, or has a copy.
 */
extern void sketch_check_page(Relation index, BlockNumber block, Page page);

extern int sketch_page_entries(Page page);

/* Sketch i of a page, from 1, after making sure that its header is right and that it lies inside */
extern SketchEntry sketch_page_entry(Relation index, const BiometricMetaPageData *meta,
									 BlockNumber block, Page page, OffsetNumber i,
									 Size *sketch_size);

/* The sketch of an entry with a template, without its place; in CurrentMemoryContext */
extern SketchEntry sketch_form_entry(const BiometricModality *modality, GalleryEntry entry,
									 Size entry_size, Size *size);

/* Room on a page for another sketch */
extern Size sketch_page_room(Page page);

/* Room on a gallery page for other entries with templates, when their sketches have that much */
extern Size sketch_limit_room(const BiometricMetaPageData *meta, Page sketch_page,
							  Size gallery_room);

/* Puts a sketch of the entry at that place on a page, which has room */
extern void sketch_page_add(Relation index, const BiometricMetaPageData *meta, Page page,
							SketchEntry sketch, Size size, BlockNumber block, OffsetNumber offset);

/* Removes the sketch of the entry at that place */
extern void sketch_page_remove(Relation index, const BiometricMetaPageData *meta,
							   BlockNumber sketch_block, Page page, BlockNumber block,
							   OffsetNumber offset);

#if PG_VERSION_NUM >= 180000
pg_noreturn extern void biometric_page_corrupted(Relation index, BlockNumber block,
												 const char *detail);
#else
extern void biometric_page_corrupted(Relation index, BlockNumber block, const char *detail)
	pg_attribute_noreturn();
#endif

/* ---- the access method's functions, a file each -------------------------- */

/* build.c */
extern IndexBuildResult *biometric_build(Relation heap, Relation index, IndexInfo *index_info);
extern void              biometric_buildempty(Relation index);
extern char             *biometric_buildphasename(int64 phase);

/* insert.c */
extern bool biometric_insert(Relation index, Datum *values, bool *isnull, ItemPointer tid,
							 Relation heap, IndexUniqueCheck check_unique, bool unchanged,
							 IndexInfo *index_info);

/* scan.c */
extern IndexScanDesc biometric_beginscan(Relation index, int nkeys, int norderbys);
extern void          biometric_rescan(IndexScanDesc scan, ScanKey keys, int nkeys, ScanKey orderbys,
									  int norderbys);
extern bool          biometric_gettuple(IndexScanDesc scan, ScanDirection direction);
extern int64         biometric_getbitmap(IndexScanDesc scan, TIDBitmap *bitmap);
extern void          biometric_endscan(IndexScanDesc scan);
#if PG_VERSION_NUM >= 180000
extern Size biometric_estimateparallelscan(Relation index, int nkeys, int norderbys);
#elif PG_VERSION_NUM >= 170000
extern Size biometric_estimateparallelscan(int nkeys, int norderbys);
#else
extern Size biometric_estimateparallelscan(void);
#endif
extern void biometric_initparallelscan(void *target);
extern void biometric_parallelrescan(IndexScanDesc scan);

/* vacuum.c */
extern IndexBulkDeleteResult *biometric_bulkdelete(IndexVacuumInfo        *info,
												   IndexBulkDeleteResult  *stats,
												   IndexBulkDeleteCallback callback,
												   void                   *callback_state);
extern IndexBulkDeleteResult *biometric_vacuumcleanup(IndexVacuumInfo       *info,
													  IndexBulkDeleteResult *stats);

/* cost.c */
extern void biometric_costestimate(PlannerInfo *root, IndexPath *path, double loop_count,
								   Cost *startup_cost, Cost *total_cost, Selectivity *selectivity,
								   double *correlation, double *pages);
extern void biometric_install_planner_hook(void);

/* validate.c */
extern bool biometric_validate(Oid opclass);

#endif /* BIOMETRIC_INDEX_H */
