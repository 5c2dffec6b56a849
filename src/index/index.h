/*
 * index.h
 *		The access method "biometric": what lies on its pages, the rules that
 *		keep them right under concurrency and crashes, and what its files share.
 *
 * An index is one metapage followed by gallery pages.  A gallery page holds
 * entries: a heap TID and the features of the template in that row.  Entries
 * are in no order; an exact search reads all of them in block order.
 *
 * On disk, always:
 *
 * - Block 0 is the metapage, written once when the index is built.
 * - Every other block is a gallery page, or new (all zeroes), which counts as
 *   an empty gallery page: an insertion that crashes between extending the file
 *   and writing the page leaves one behind.  The next vacuum offers it for
 *   reuse.
 * - A row has one entry, also when its template is NULL.
 * - An entry never moves to another page, and a page is never removed nor given
 *   another meaning.  So a search that visits each page once sees each entry
 *   that stays for the whole time exactly once.
 * - Entries are added and removed in one generic WAL record of one page each.
 * - All numbers have fixed widths, the same in every PostgreSQL release.
 *
 * Locks: nobody holds the content locks of two pages of an index at a time, nor
 * one while extending the file, so there is no order to keep.  Readers copy a
 * page under a share lock and compare without it; they keep no pin of it, only one of the page to
 * be read next, which nobody waits for.  Vacuum may
 * therefore remove an entry, and its heap TID may be given to another row,
 * while a scan still has it in memory.  A scan with an MVCC snapshot is not
 * misled: it sees neither the row that was removed nor the one that came later.
 * For other snapshots the scan asks the executor to check the row again.
 *
 * The index knows templates only through the BiometricModality that the
 * operator class provides (template/modality.h).
 */
#ifndef BIOMETRIC_INDEX_H
#define BIOMETRIC_INDEX_H

#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "template/modality.h"
#include "utils/relcache.h"

/* ---- pages --------------------------------------------------------------- */

#define BIOMETRIC_META_BLOCK  0
#define BIOMETRIC_FIRST_BLOCK 1 /* first gallery page */

typedef enum BiometricPageKind
{
	BIOMETRIC_META_PAGE = 1,
	BIOMETRIC_GALLERY_PAGE = 2
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

/* Contents of block 0, from PageGetContents */
typedef struct BiometricMetaPageData
{
	uint32 magic;            /* BIOMETRIC_MAGIC */
	uint32 format_version;   /* of the pages: BIOMETRIC_FORMAT_VERSION */
	uint32 features_version; /* of the modality, when the index was built */
	char   modality[52];     /* its name, padded with zeroes */
} BiometricMetaPageData;

typedef BiometricMetaPageData *BiometricMetaPage;

#define BIOMETRIC_MAGIC            0x42494F4D
#define BIOMETRIC_FORMAT_VERSION   1
#define BiometricPageGetMeta(page) ((BiometricMetaPage) PageGetContents(page))

/* An item of a gallery page; the features fill the rest of the item */
typedef struct GalleryEntryData
{
	ItemPointerData tid;   /* the row */
	uint16          flags; /* GALLERY_ENTRY_xxx */
	char            features[FLEXIBLE_ARRAY_MEMBER];
} GalleryEntryData;

typedef GalleryEntryData *GalleryEntry;

#define GALLERY_ENTRY_NULL  0x0001 /* the template is NULL: no features */
#define GALLERY_ENTRY_FLAGS 0x0001 /* all flags there are */

#define GALLERY_ENTRY_HEADER offsetof(GalleryEntryData, features)

/* Space for entries on an empty page, and the largest entry that fits */
#define GALLERY_PAGE_SPACE \
	(BLCKSZ - MAXALIGN(SizeOfPageHeaderData) - MAXALIGN(sizeof(BiometricPageOpaqueData)))
#define GALLERY_ENTRY_MAX_SIZE MAXALIGN_DOWN(GALLERY_PAGE_SPACE - sizeof(ItemIdData))

/* No page has more entries than this */
#define GALLERY_PAGE_MAX_ENTRIES \
	((int) (GALLERY_PAGE_SPACE / (sizeof(ItemIdData) + MAXALIGN(GALLERY_ENTRY_HEADER))))

/* ---- page.c: pages and entries ------------------------------------------- */

extern const BiometricModality *biometric_modality(Relation index);

/*
 * Checks the metapage.  Returns the modality after making sure that the
 * features in the index are of its present version; without that if
 * any_features, for work that does not look at features.
 */
extern const BiometricModality *biometric_open(Relation index, bool any_features);
extern void                     biometric_read_meta(Relation index, BiometricMetaPageData *meta);

extern void biometric_init_page(Page page, BiometricPageKind kind);
extern void biometric_init_meta_page(Page page, const BiometricModality *modality);

/* Extends a fork by one page, all zeroes; returned pinned and locked exclusively */
extern Buffer biometric_extend(Relation index, ForkNumber fork);

/*
 * Raises an error unless the block is a gallery page or new.  The caller has
 * it locked, or has a copy.
 */
extern void gallery_check_page(Relation index, BlockNumber block, Page page);

/* Number of entries on a gallery page that gallery_check_page accepted */
extern int gallery_page_entries(Page page);

/* Entry i of a page, after making sure that it lies inside; i counts from 1 */
extern GalleryEntry gallery_page_entry(Relation index, BlockNumber block, Page page, OffsetNumber i,
									   Size *features_size);

/* Makes the entry of a row, in CurrentMemoryContext */
extern GalleryEntry gallery_form_entry(Relation index, const BiometricModality *modality,
									   Datum template, bool isnull, ItemPointer tid, Size *size);

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

/* validate.c */
extern bool biometric_validate(Oid opclass);

#endif /* BIOMETRIC_INDEX_H */
