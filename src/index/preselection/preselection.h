/*
 * preselection.h
 *		Approximate search: which entries of the gallery are worth comparing.
 *
 * The words of all entries (type/modality.h), as postings, and the list of
 * pending entries before a merge. index.h says what lies on their pages.
 */
#ifndef BIOMETRIC_PRESELECTION_H
#define BIOMETRIC_PRESELECTION_H

#include "index/index.h"
#include "utils/tuplesort.h"

/*
 * Where an entry is: block << 5 | offset - 1.  Only entries in the first 2^24 - 1
 * blocks and at the first 32 offsets of a page have one.
 */
typedef uint32 EntryRef;

#define ENTRY_REF_BITS        29
#define ENTRY_REF_OFFSET_BITS 5
#define EntryRefMake(block, offset) \
	((EntryRef) (((block) << ENTRY_REF_OFFSET_BITS) | ((offset) -1)))
#define EntryRefBlock(ref)  ((BlockNumber) ((ref) >> ENTRY_REF_OFFSET_BITS))
#define EntryRefOffset(ref) ((OffsetNumber) (((ref) & ((1 << ENTRY_REF_OFFSET_BITS) - 1)) + 1))

/* Only such entries can be candidates */
#define EntryRefExists(block, offset)                                               \
	((block) < ((BlockNumber) 1 << (ENTRY_REF_BITS - ENTRY_REF_OFFSET_BITS)) - 1 && \
	 (offset) <= (1 << ENTRY_REF_OFFSET_BITS))

/* for qsort and bsearch; a PreselectedEntry begins with its reference */
extern int compare_entry_refs(const void *left, const void *right);

/*
 * A posting: code << 29 | reference, where the code has the word's key in its
 * highest bits, then its tag and its signature.  Less than PG_UINT64_MAX.
 */
typedef uint64 Posting;

#define PostingRef(posting)  ((EntryRef) ((posting) & (((uint64) 1 << ENTRY_REF_BITS) - 1)))
#define PostingCode(posting) ((posting) >> ENTRY_REF_BITS)

/* On disk */
#define POSTING_BYTES 8

/* On disk: what the directory has for a leaf */
#define DIRECTORY_ENTRY_BYTES 16

/* Whether the index has postings: its reloption when it was built, and a modality with words */
extern bool preselection_enabled(Relation index);

/*
 * The postings of many entries, sorted by key, on disk if they do not fit the
 * memory given (kB).  With a coordinate it takes part in a parallel sort.
 */
typedef struct PostingSort PostingSort;

extern PostingSort *posting_sort_begin(const BiometricModality *modality, int memory,
									   SortCoordinate coordinate);
extern void posting_sort_add(PostingSort *sort, EntryRef ref, const void *features, Size size);
extern void posting_sort_perform(PostingSort *sort);
extern void posting_sort_end(PostingSort *sort);

extern bool posting_sort_next(PostingSort *sort, Posting *posting);

/* The postings of one entry; room for modality->max_words */
extern int entry_postings(const BiometricModality *modality, EntryRef ref, const void *features,
						  Size size, BiometricWord *words, Posting *postings);

/*
 * Of leaves and directory pages, what CREATE INDEX fills, so that the first merge
 * does not split every leaf.  When the index has grown by the rest, most leaves are
 * split at about the same time, and are half full then until it has doubled.  A
 * smaller fill makes every new index larger; a larger one makes it double earlier.
 */
#define PRESELECTION_BUILD_FILL 0.9

/* build.c: leaves and directory of a new index.  Nothing is logged: the caller logs the file. */
extern void preselection_build(Relation index, PostingSort *sort);

/*
 * merge.c: does a bounded piece of the merging that is due, unless another
 * process is merging.  For an insertion, which has put its entry on the last
 * pending page as the inserted-th one; *seen is the metapage as it was about
 * then.
 */
extern void preselection_merge_some(Relation index, const BiometricModality *modality,
									const BiometricMetaPageData *seen, int limit, int inserted);

/* Vacuum reports what it removed, for the counts in the metapage */
extern void preselection_removed(Relation index, int64 postings, int64 entries);

/*
 * list.c: pending and young pages.  The insertion of an entry locks the last
 * pending page, which has room then, and adds the entry in its own WAL record.
 * The caller has two other blocks, "held", locked exclusively.
 */
extern Buffer pending_lock_last(Relation index, const BiometricMetaPageData *seen, int limit,
								const BlockNumber *held);
extern void   pending_add(Page page, EntryRef ref);

/*
 * Calls visit for each page of a list, from the first to the last, as it is at
 * one moment or later ones, and with an invalid buffer whenever it begins with the
 * first one.  The page has a lock of that kind; *meta is as it was before the first page was
 * read.
 */
typedef void (*ListVisitor)(const BiometricMetaPageData *meta, Buffer buffer, void *argument);
extern void list_read(Relation index, BiometricPageKind kind, Snapshot snapshot, int lock,
					  ListVisitor visit, void *argument);

/* Which list of the metapage has pages of that kind */
extern NumberedList *meta_list(BiometricMetaPage meta, BiometricPageKind kind);

/* Appends a page with n items to a list; nothing is locked */
extern void list_append(Relation index, BiometricPageKind kind, const void *items, int n);

/*
 * Frees the first page of a list that has another page. entries: how many got
 * their postings by that.
 */
extern void list_free_first(Relation index, BiometricPageKind kind, int64 entries);

/* All references of the list of pending entries, ascending, without doubles */
extern int64 pending_read(Relation index, Snapshot snapshot, EntryRef **refs);

/* ---- page.c: pages with WordPageData ------------------------- */

/* Reads, locks and checks a page.  *blocks is a size of the index that was seen. */
extern Buffer word_page_read(Relation index, BlockNumber *blocks, BlockNumber block,
							 BiometricPageKind kind, int lock);
/* The right sibling of a leaf or directory page, whose lock is released */
extern Buffer word_page_right(Relation index, BlockNumber *blocks, Buffer buffer,
							  BiometricPageKind kind, int lock);
extern void   word_page_init(Page page, BiometricPageKind kind, uint64 low, uint64 high,
							 BlockNumber right);
extern void   word_page_set(Page page, BiometricPageKind kind, const void *items, int n);
/*
 * A page to be written whole; meta is the metapage in the same WAL record.  The
 * caller has nheld other blocks locked.
 */
extern Buffer word_page_allocate(Relation index, BiometricMetaPage meta, BlockNumber *blocks,
								 const BlockNumber *held, int nheld);

/* How many of n ascending postings are less than value */
extern int postings_before(const Posting *postings, int n, uint64 value);
extern int compare_uint64(const void *a, const void *b);

/* The whole directory, ascending by low; in CurrentMemoryContext */
extern DirectoryEntry *directory_read(Relation index, BlockNumber first, Snapshot snapshot,
									  int64 *n);
/*
 * The directory as this process knows it; it may lack some leaves.  Leaves are
 * neither moved nor freed, so an entry stays right: whoever comes to a leaf that was
 * split goes on to its right siblings.  Kept with the relation's cache, until
 * invalidation messages are accepted, which no function of this folder does.
 */
extern const DirectoryEntry *directory_known(Relation index, const BiometricMetaPageData *meta,
											 Snapshot snapshot, int64 *n);

/* The last entry whose low is at most value; there is one */
extern int64 directory_find(const DirectoryEntry *entries, int64 n, uint64 value);

/* ---- find.c: what a fast search compares ------------------------------------ */

/* A gallery with no more entries than this is searched exactly */
#define PRESELECTION_MIN_CANDIDATES 1000

typedef struct Preselection Preselection;

/* An entry to compare.  Entries of one group are probably copies of one template. */
typedef struct PreselectedEntry
{
	EntryRef ref;
	uint32   group; /* counted from 0 in each call */
} PreselectedEntry;

/* How many of an index's postings a search visits that takes blocks of this rate, about */
extern double preselection_visits(double postings, double rate);

/*
 * Finds the entries that have votes for a probe's features, for blocks of candidates that
 * are this share of the gallery, in (0, 1].  Allocated in CurrentMemoryContext.
 */
extern Preselection *preselection_begin(Relation index, Snapshot snapshot,
										const BiometricModality *modality, const void *features,
										Size size, double rate);

/* How many templates a block of candidates has */
extern int64 preselection_block_size(Preselection *preselection);

/* All entries still pending: groups of one */
extern int64 preselection_pending(Preselection *preselection, PreselectedEntry **entries);

/*
 * The entries with most votes among those not yet returned: n groups, or all
 * that are left.  Ascending by ref, without those pending; allocated in
 * CurrentMemoryContext.  Returns how many entries.
 */
extern int64 preselection_next(Preselection *preselection, int64 groups, PreselectedEntry **entries,
							   int64 *ngroups);

#endif /* BIOMETRIC_PRESELECTION_H */
