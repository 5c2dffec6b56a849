/*
 * preselection.h
 *		Approximate search: which entries of the gallery are worth comparing.
 *
 * The words of all entries (type/modality.h), as postings, and the list of
 * entries whose words are not there yet.  index.h says what lies on their pages.
 */
#ifndef BIOMETRIC_PRESELECTION_H
#define BIOMETRIC_PRESELECTION_H

#include "index/index.h"
#include "utils/tuplesort.h"

/*
 * Where an entry is: block << 4 | offset - 1.  Only entries in the first 2^24
 * blocks and at the first 16 offsets of a page have one.
 */
typedef uint32 EntryRef;

#define ENTRY_REF_BITS        28
#define ENTRY_REF_OFFSET_BITS 4
#define EntryRefMake(block, offset) \
	((EntryRef) (((block) << ENTRY_REF_OFFSET_BITS) | ((offset) -1)))
#define EntryRefBlock(ref)  ((BlockNumber) ((ref) >> ENTRY_REF_OFFSET_BITS))
#define EntryRefOffset(ref) ((OffsetNumber) (((ref) & ((1 << ENTRY_REF_OFFSET_BITS) - 1)) + 1))

/* Only such entries can be candidates */
#define EntryRefExists(block, offset)                                           \
	((block) < ((BlockNumber) 1 << (ENTRY_REF_BITS - ENTRY_REF_OFFSET_BITS)) && \
	 (offset) <= (1 << ENTRY_REF_OFFSET_BITS))

/* for qsort and bsearch */
extern int compare_entry_refs(const void *left, const void *right);

/*
 * A posting: code << 28 | reference, where the code has the word's key in its
 * highest bits, then its tag and its signature.  Positive as a signed number too.
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
 * build.c, merge.c: brings sorted postings into the
 * leaves.  While the index is being built there are no leaves yet and nothing is
 * logged: the caller logs the finished file.  Otherwise the caller is the merger.
 */
extern void preselection_merge(Relation index, PostingSort *sort, bool building);
extern void preselection_build(Relation index, PostingSort *sort);

/*
 * One merger at a time: the lock, at once or not at all unless wait.  Merges all
 * that is pending when it is called; memory in kB.
 */
extern bool preselection_lock(Relation index, bool wait);
extern void preselection_unlock(Relation index);
extern void preselection_merge_pending(Relation index, const BiometricModality *modality,
									   int memory);

/* Vacuum tells what it took away, for the metapage's counts */
extern void preselection_removed(Relation index, int64 postings, int64 entries);

/*
 * pending.c: the list.  The insertion of an entry locks the last page, which
 * has room then, and adds the entry in its own WAL record.
 */
extern Buffer pending_lock_last(Relation index);
extern void   pending_add(Page page, EntryRef ref);
/* Begins a new last page; returns it.  0 if nothing is pending. */
extern BlockNumber pending_cut(Relation index);
/* Frees the first page */
extern void pending_free_first(Relation index);
/* About how many references the list has */
extern double pending_count(Relation index);
/* All references of the list, as it is at one moment or later ones */
extern int64 pending_read(Relation index, EntryRef **refs);

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
/* A page to be written whole; meta is the metapage in the same WAL record */
extern Buffer word_page_allocate(Relation index, BiometricMetaPage meta, BlockNumber *blocks);
extern Buffer meta_page_lock(Relation index);

/* The whole directory, ascending by low; in CurrentMemoryContext */
extern DirectoryEntry *directory_read(Relation index, BlockNumber first, int64 *n);
/* The last entry whose low is at most value; there is one */
extern int64 directory_find(const DirectoryEntry *entries, int64 n, uint64 value);

/*
 * The entries to compare with a probe's features: those still pending, and of
 * the others at most rate (in (0, 1]) of the gallery, or a thousand if that is
 * more: those with most votes.
 * Ascending, without doubles, allocated in CurrentMemoryContext.
 */
extern int preselection_find(Relation index, const BiometricModality *modality,
							 const void *features, Size size, double rate, EntryRef **refs);

#endif /* BIOMETRIC_PRESELECTION_H */
