/*
 * preselection.h
 *		Approximate search: which entries of the gallery are worth comparing.
 *
 * The words of all entries (template/modality.h), as postings, and the list of
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

/*
 * Brings sorted postings into the leaves.  While the index is being built
 * nothing is logged: the caller logs the finished file.
 */
extern void preselection_merge(Relation index, PostingSort *sort, bool building);

/*
 * The entries to compare with a probe's features: those still pending, and of
 * the others at most rate (in (0, 1]) of the gallery, those with most votes.
 * Ascending, without doubles, allocated in CurrentMemoryContext.
 */
extern int preselection_find(Relation index, const BiometricModality *modality,
							 const void *features, Size size, double rate, EntryRef **refs);

#endif /* BIOMETRIC_PRESELECTION_H */
