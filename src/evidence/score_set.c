/*
 * score_set.c
 *		A set of scores with counts, in bounded memory.
 */
#include "postgres.h"

#include <math.h>

#include "evidence/score_set.h"
#include "utils/memutils.h"

/* by score */
#define ST_SORT          sort_scores
#define ST_ELEMENT_TYPE  ScoreCount
#define ST_COMPARE(a, b) ((a)->score < (b)->score ? -1 : (a)->score > (b)->score)
#define ST_SCOPE         static
#define ST_DEFINE
#include "lib/sort_template.h"

void
score_set_init(ScoreSet *set)
{
	memset(set, 0, sizeof(*set));
	set->bits = 52;
}

/* a score with fewer bits of mantissa, the nearest one */
static double
round_score(double score, int bits)
{
	uint64 word;

	if (bits >= 52 || isinf(score))
		return score;
	memcpy(&word, &score, sizeof(word));
	word += UINT64CONST(1) << (51 - bits);
	word &= ~((UINT64CONST(1) << (52 - bits)) - 1);
	memcpy(&score, &word, sizeof(word));
	return score;
}

/* makes one entry of each score; entries are in order */
static void
join_equal(ScoreSet *set)
{
	int n = 0;

	for (int i = 0; i < set->n; i++)
	{
		if (n > 0 && set->entries[n - 1].score == set->entries[i].score)
			set->entries[n - 1].count += set->entries[i].count;
		else
			set->entries[n++] = set->entries[i];
	}
	set->n = n;
}

void
score_set_finish(ScoreSet *set)
{
	if (set->sorted == set->n)
		return;
	sort_scores(set->entries, set->n);
	join_equal(set);
	while (set->n > SCORE_SET_LIMIT)
	{
		/* rounding keeps the order */
		set->bits--;
		for (int i = 0; i < set->n; i++)
			set->entries[i].score = round_score(set->entries[i].score, set->bits);
		join_equal(set);
	}
	set->sorted = set->n;
}

void
score_set_add(ScoreSet *set, double score, int64 count, MemoryContext context)
{
	if (set->n == set->capacity)
	{
		if (set->capacity < 2 * SCORE_SET_LIMIT)
		{
			MemoryContext old = MemoryContextSwitchTo(context);
			int           capacity = set->capacity == 0 ? 1024 : 2 * set->capacity;

			set->entries = set->entries == NULL
							   ? palloc(capacity * sizeof(ScoreCount))
							   : repalloc(set->entries, capacity * sizeof(ScoreCount));
			set->capacity = capacity;
			MemoryContextSwitchTo(old);
		}
		else
			score_set_finish(set);
	}
	/* 0 and -0 are one score */
	set->entries[set->n].score = round_score(score + 0.0, set->bits);
	set->entries[set->n].count = count;
	set->n++;
	set->total += count;
}

void
score_set_merge(ScoreSet *set, ScoreSet *other, MemoryContext context)
{
	/* what one of them has rounded, the other rounds too */
	if (other->bits < set->bits)
	{
		set->bits = other->bits;
		for (int i = 0; i < set->n; i++)
			set->entries[i].score = round_score(set->entries[i].score, set->bits);
		set->sorted = 0;
	}
	for (int i = 0; i < other->n; i++)
		score_set_add(set, other->entries[i].score, other->entries[i].count, context);
}

int64
score_set_below(const ScoreSet *set, double score, bool inclusive)
{
	int64 below = 0;

	for (int i = 0; i < set->n; i++)
	{
		if (set->entries[i].score < score || (inclusive && set->entries[i].score == score))
			below += set->entries[i].count;
		else
			break;
	}
	return below;
}
