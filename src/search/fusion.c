/*
 * fusion.c
 *		Scores of several fingers and eyes of one person, added.
 *
 * Scores are decibans, so those of independent fingers and eyes add.  Several
 * impressions of one finger are not independent: the best of them counts.  A
 * score of an unknown finger may be of any of the known ones.  So it counts
 * only by what it exceeds the best of them: that is the least of all possible
 * sums.
 *
 * What a sum is worth: match/fusion.c.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "match/fusion.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* A score to fuse: nothing below 0 */
static double
valid_score(double score)
{
	if (isnan(score))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("score must not be NaN")));
	return Max(score, 0);
}

/* transition of fuse(score): NULL scores are comparisons that were not made */
PG_FUNCTION_INFO_V1(biometric_fuse_add);
Datum
biometric_fuse_add(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	PG_RETURN_FLOAT8((PG_ARGISNULL(0) ? 0 : PG_GETARG_FLOAT8(0)) +
					 valid_score(PG_GETARG_FLOAT8(1)));
}

/*
 * State of fuse(score, source): scores with their sources in the order they
 * came.  When the array is full, they are sorted and only the best of each
 * source is kept.
 */
typedef struct FuseEntry
{
	text  *source; /* NULL: not known */
	double score;
} FuseEntry;

typedef struct FuseState
{
	MemoryContext context;
	Size          count;
	Size          capacity;
	FuseEntry    *entries;
} FuseState;

/* by source, those not known first, the best of a source first */
static int
compare_entries(const void *left, const void *right)
{
	const FuseEntry *a = left;
	const FuseEntry *b = right;
	int              order;

	if (a->source == NULL || b->source == NULL)
		order = (a->source != NULL) - (b->source != NULL);
	else
	{
		order = memcmp(VARDATA(a->source), VARDATA(b->source),
					   Min(VARSIZE(a->source), VARSIZE(b->source)) - VARHDRSZ);
		if (order == 0)
			order = (VARSIZE(a->source) > VARSIZE(b->source)) -
					(VARSIZE(a->source) < VARSIZE(b->source));
	}
	if (order == 0)
		order = (a->score < b->score) - (a->score > b->score);
	return order;
}

static bool
same_source(const FuseEntry *a, const FuseEntry *b)
{
	if (a->source == NULL || b->source == NULL)
		return a->source == b->source;
	return VARSIZE(a->source) == VARSIZE(b->source) &&
		   memcmp(VARDATA(a->source), VARDATA(b->source), VARSIZE(a->source) - VARHDRSZ) == 0;
}

static void
compact(FuseState *state)
{
	Size kept = 0;

	if (state->count == 0)
		return;
	qsort(state->entries, state->count, sizeof(FuseEntry), compare_entries);
	for (Size i = 1; i < state->count; i++)
	{
		if (!same_source(&state->entries[kept], &state->entries[i]))
			state->entries[++kept] = state->entries[i];
		else if (state->entries[i].source != NULL)
			pfree(state->entries[i].source);
	}
	state->count = kept + 1;
}

static void
add_entry(FuseState *state, const char *source, Size length, double score)
{
	FuseEntry    *entry;
	MemoryContext old_context = MemoryContextSwitchTo(state->context);

	CHECK_FOR_INTERRUPTS();
	if (state->count == state->capacity)
	{
		compact(state);
		if (state->capacity == 0)
		{
			state->capacity = 16;
			state->entries = palloc(state->capacity * sizeof(FuseEntry));
		}
		else if (state->count > state->capacity / 2)
		{
			state->capacity *= 2;
			state->entries = repalloc_huge(state->entries, state->capacity * sizeof(FuseEntry));
		}
	}
	entry = &state->entries[state->count++];
	entry->source = source ? cstring_to_text_with_len(source, length) : NULL;
	entry->score = score;
	MemoryContextSwitchTo(old_context);
}

static FuseState *
new_state(MemoryContext context)
{
	FuseState *state = MemoryContextAllocZero(context, sizeof(FuseState));

	state->context = context;
	return state;
}

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "fuse called outside of an aggregate");
	return context;
}

static Datum
fuse_transition(FunctionCallInfo fcinfo, const char *source, Size length)
{
	MemoryContext context = aggregate_context(fcinfo);
	FuseState    *state = PG_ARGISNULL(0) ? NULL : (FuseState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		double score = valid_score(PG_GETARG_FLOAT8(1));

		if (state == NULL)
			state = new_state(context);
		add_entry(state, source, length, score);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* fuse(score, source text): NULL, '' and 'unknown', as eye() says, are not known */
PG_FUNCTION_INFO_V1(biometric_fuse_add_text);
Datum
biometric_fuse_add_text(PG_FUNCTION_ARGS)
{
	text *source = PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2);
	Size  length = source ? VARSIZE_ANY_EXHDR(source) : 0;

	if (length == 0 || (length == 7 && memcmp(VARDATA_ANY(source), "unknown", 7) == 0))
		return fuse_transition(fcinfo, NULL, 0);
	return fuse_transition(fcinfo, VARDATA_ANY(source), length);
}

/* fuse(score, source integer): NULL and 0, as finger_position() says, are not known */
PG_FUNCTION_INFO_V1(biometric_fuse_add_integer);
Datum
biometric_fuse_add_integer(PG_FUNCTION_ARGS)
{
	int32 source = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT32(2);
	char  digits[12];

	if (source == 0)
		return fuse_transition(fcinfo, NULL, 0);
	pg_ltoa(source, digits);
	return fuse_transition(fcinfo, digits, strlen(digits));
}

PG_FUNCTION_INFO_V1(biometric_fuse_combine);
Datum
biometric_fuse_combine(PG_FUNCTION_ARGS)
{
	MemoryContext    context = aggregate_context(fcinfo);
	FuseState       *state = PG_ARGISNULL(0) ? NULL : (FuseState *) PG_GETARG_POINTER(0);
	const FuseState *other = PG_ARGISNULL(1) ? NULL : (FuseState *) PG_GETARG_POINTER(1);

	if (other != NULL)
	{
		if (state == NULL)
			state = new_state(context);
		for (Size i = 0; i < other->count; i++)
		{
			const text *source = other->entries[i].source;

			add_entry(state, source ? VARDATA(source) : NULL,
					  source ? VARSIZE(source) - VARHDRSZ : 0, other->entries[i].score);
		}
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_fuse_serialize);
Datum
biometric_fuse_serialize(PG_FUNCTION_ARGS)
{
	FuseState     *state = (FuseState *) PG_GETARG_POINTER(0);
	StringInfoData message;

	compact(state);
	pq_begintypsend(&message);
	pq_sendint64(&message, state->count);
	for (Size i = 0; i < state->count; i++)
	{
		const text *source = state->entries[i].source;

		pq_sendfloat8(&message, state->entries[i].score);
		pq_sendint32(&message, source ? (int32) (VARSIZE(source) - VARHDRSZ) : -1);
		if (source)
			pq_sendbytes(&message, VARDATA(source), VARSIZE(source) - VARHDRSZ);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

PG_FUNCTION_INFO_V1(biometric_fuse_deserialize);
Datum
biometric_fuse_deserialize(PG_FUNCTION_ARGS)
{
	bytea         *bytes = PG_GETARG_BYTEA_PP(0);
	FuseState     *state;
	StringInfoData message;
	int64          count;

	/* called by the executor alone, in a context that the state may stay in */
	aggregate_context(fcinfo);
	state = new_state(CurrentMemoryContext);
	initStringInfo(&message);
	appendBinaryStringInfo(&message, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	count = pq_getmsgint64(&message);
	for (int64 i = 0; i < count; i++)
	{
		double score = pq_getmsgfloat8(&message);
		int    length = (int) pq_getmsgint(&message, 4);

		add_entry(state, length < 0 ? NULL : pq_getmsgbytes(&message, length), Max(length, 0),
				  score);
	}
	pq_getmsgend(&message);
	pfree(message.data);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_fuse_final);
Datum
biometric_fuse_final(PG_FUNCTION_ARGS)
{
	FuseState *state;
	double     sum = 0, best = 0, unknown = 0;

	aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (FuseState *) PG_GETARG_POINTER(0);

	/* in the order of the sources, so that no plan changes the last bit */
	compact(state);
	for (Size i = 0; i < state->count; i++)
	{
		if (state->entries[i].source == NULL)
			unknown = state->entries[i].score;
		else
		{
			sum += state->entries[i].score;
			best = Max(best, state->entries[i].score);
		}
	}
	if (unknown > best)
		sum = isinf(unknown) ? unknown : sum + (unknown - best);
	PG_RETURN_FLOAT8(sum);
}
