/*
 * activity.h
 *		What searches of indexes did: counters of one scan, and of each index.
 *
 * A scan counts its work in a SearchActivity of its own, without a lock.  The
 * counters of the index take it over when a search ends.  They are in shared
 * memory where the library is preloaded, and from PostgreSQL 17 on always; else
 * each process has its own.
 */
#ifndef BIOMETRIC_ACTIVITY_H
#define BIOMETRIC_ACTIVITY_H

#include "access/genam.h"
#include "port/atomics.h"
#include "portability/instr_time.h"
#include "utils/relcache.h"

typedef struct SearchWork
{
	int64 visited;    /* entries with a template, or their sketches, that were looked at */
	int64 passed;     /* of them, those that a cheaper stage did not rule out */
	int64 compared;   /* comparisons of features, one for each probe */
	int64 candidates; /* of them, those that a fast search chose to compare */
	int64 rows;       /* returned */
} SearchWork;

/* What participants of a parallel scan share; in its shared memory */
typedef struct ParallelActivity
{
	uint64         ticket;  /* names this scan; 0 if there is nothing to name it for */
	pg_atomic_flag counted; /* a participant counts the search as one */
} ParallelActivity;

/* Of one scan.  Zero to begin with. */
typedef struct SearchActivity
{
	bool       running;  /* between begin and end */
	bool       counts;   /* this process counts the search as one */
	instr_time resumed;  /* when the access method was called */
	instr_time time;     /* in the access method */
	SearchWork work;     /* of this search */
	int64      searches; /* that ended before it */
	SearchWork ended;    /* and their work */
	uint64     ticket;   /* of a parallel scan */
} SearchActivity;

typedef enum SearchKind
{
	SEARCH_EXACT,
	SEARCH_FAST,
	SEARCH_PARALLEL
} SearchKind;

#define SEARCH_KINDS 3

/* In _PG_init */
extern void activity_init(void);

/* The leader, before workers start, and again before a rescan */
extern void activity_parallel_init(ParallelActivity *parallel);
extern void activity_parallel_restart(ParallelActivity *parallel);

/* A search begins; parallel is NULL if no other process takes part */
extern void activity_begin(SearchActivity *activity, Relation index, SearchKind kind,
						   ParallelActivity *parallel);

/* A search ends.  Does nothing if none has begun. */
extern void activity_end(SearchActivity *activity, Relation index);

/* Around each call of the access method */
static inline void
activity_resume(SearchActivity *activity)
{
	INSTR_TIME_SET_CURRENT(activity->resumed);
}

static inline void
activity_pause(SearchActivity *activity)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_ACCUM_DIFF(activity->time, now, activity->resumed);
}

/* scan.c: that of a scan of a biometric index */
extern SearchActivity *biometric_scan_activity(IndexScanDesc scan);

#endif /* BIOMETRIC_ACTIVITY_H */
