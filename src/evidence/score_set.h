/*
 * score_set.h
 *		A set of scores with counts, in bounded memory.
 *
 * A set is exact as long as it holds at most SCORE_SET_LIMIT different scores.
 * Beyond that, scores are rounded to fewer bits, as many as are needed to stay
 * below the limit; SCORE_SET_LIMIT values always leave at least 12 bits to scores
 * that lie within a factor of 1 000 of each other, so an error of 0.02 %.
 *
 * This header is included behind postgres.h.
 */
#ifndef BIOMETRIC_SCORE_SET_H
#define BIOMETRIC_SCORE_SET_H

#define SCORE_SET_LIMIT 131072

typedef struct ScoreCount
{
	double score; /* not NaN; -infinity and infinity are allowed */
	int64  count;
} ScoreCount;

typedef struct ScoreSet
{
	ScoreCount *entries;
	int         n;        /* in use */
	int         sorted;   /* how many of the first entries are in order and all different */
	int         capacity; /* at most 2 * SCORE_SET_LIMIT */
	int         bits;     /* of the mantissa that are kept, 52 = all */
	int64       total;    /* sum of counts */
} ScoreSet;

/* Memory is taken from CurrentMemoryContext at the first score and from then on. */
extern void score_set_init(ScoreSet *set);
extern void score_set_add(ScoreSet *set, double score, int64 count, MemoryContext context);

/* puts all in order; to be called before entries are read */
extern void score_set_finish(ScoreSet *set);

/* adds all of another set */
extern void score_set_merge(ScoreSet *set, ScoreSet *other, MemoryContext context);

/* how many are below a score, or at it and below */
extern int64 score_set_below(const ScoreSet *set, double score, bool inclusive);

#endif /* BIOMETRIC_SCORE_SET_H */
