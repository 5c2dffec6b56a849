/*
 * build.h
 *		What the leader and the workers of CREATE INDEX have in common.
 */
#ifndef BIOMETRIC_BUILD_H
#define BIOMETRIC_BUILD_H

#include "access/tableam.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "nodes/execnodes.h"
#include "port/atomics.h"

/* One process's part in filling the gallery pages */
typedef struct BuildState
{
	Relation                 index;
	const BiometricModality *modality;
	BiometricMetaPageData    meta;
	PostingSort             *postings;    /* of the entries; NULL if the index has none */
	MemoryContext            row_context; /* reset after each row */
	int64                    entries;     /* written by this process */
	pg_atomic_uint64        *all_entries; /* and by all; NULL if there is only one */
	bool                     reports;     /* this process shows the progress */
	BlockNumber              block; /* the page being filled; InvalidBlockNumber if there is none */
	PGAlignedBlock           page;  /* and what it will have */
} BuildState;

/*
 * build.c: writes the entries of the rows that scan yields; all rows if it is
 * NULL.  Returns how many live rows there were.
 */
extern double build_extract(BuildState *state, Relation heap, IndexInfo *index_info,
							TableScanDesc scan);

/* parallel.c */
typedef struct ParallelBuild ParallelBuild;

/* Launches workers. NULL, with a warning, if none can be started. */
extern ParallelBuild *parallel_build_begin(Relation heap, Relation index, IndexInfo *index_info,
										   int workers);

/* The leader's own part; returns when all have done theirs */
extern void parallel_build_extract(ParallelBuild *build, Relation heap, Relation index,
								   IndexInfo *index_info, double *heap_tuples,
								   double *index_tuples);

/* For posting_sort_begin, to merge what all have sorted */
extern SortCoordinate parallel_build_coordinate(ParallelBuild *build);

extern void parallel_build_end(ParallelBuild *build);

#endif /* BIOMETRIC_BUILD_H */
