/*
 * ranks.c
 *		The cumulative match characteristic of searches, as an aggregate over the
 *		ranks of mates in candidate lists (ISO/IEC 19795-1).
 *
 * A rank is counted from 1; NULL is a mate that was not found.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compat.h"
#include "evidence/error_rates.h"
#include "fmgr.h"
#include "utils/array.h"

#define MAX_RANK 1000

typedef struct RanksState
{
	int64 found[MAX_RANK + 1]; /* by rank; 0 = not found, or beyond the last rank */
	int64 searches;
	int32 max_rank;
} RanksState;

/* ranks_add(internal, rank integer, max_rank integer) */
PG_FUNCTION_INFO_V1(biometric_ranks_add);
Datum
biometric_ranks_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = error_rates_context(fcinfo);
	RanksState   *state;
	int32         max_rank;

	if (PG_ARGISNULL(2) || PG_GETARG_INT32(2) < 1 || PG_GETARG_INT32(2) > MAX_RANK)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the highest rank must be from 1 to %d", MAX_RANK)));
	max_rank = PG_GETARG_INT32(2);
	state = PG_ARGISNULL(0) ? MemoryContextAllocZero(context, sizeof(RanksState))
							: (RanksState *) PG_GETARG_POINTER(0);
	if (state->max_rank != 0 && state->max_rank != max_rank)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the last argument must be the same in all rows"),
						errhint("Give it as a constant.")));
	state->max_rank = max_rank;
	state->searches++;
	if (PG_ARGISNULL(1) || PG_GETARG_INT32(1) > max_rank)
		state->found[0]++;
	else if (PG_GETARG_INT32(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("ranks are counted from 1"),
				 errhint("NULL stands for a mate that was not found.")));
	else
		state->found[PG_GETARG_INT32(1)]++;
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_ranks_combine);
Datum
biometric_ranks_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = error_rates_context(fcinfo);
	RanksState   *state = PG_ARGISNULL(0) ? NULL : (RanksState *) PG_GETARG_POINTER(0);
	RanksState   *other = PG_ARGISNULL(1) ? NULL : (RanksState *) PG_GETARG_POINTER(1);

	if (state == NULL && other == NULL)
		PG_RETURN_NULL();
	if (state == NULL)
		state = MemoryContextAllocZero(context, sizeof(RanksState));
	if (other != NULL)
	{
		if (state->max_rank != 0 && state->max_rank != other->max_rank)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("the last argument must be the same in all rows"),
							errhint("Give it as a constant.")));
		state->max_rank = other->max_rank;
		state->searches += other->searches;
		for (int i = 0; i <= MAX_RANK; i++)
			state->found[i] += other->found[i];
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_ranks_serialize);
Datum
biometric_ranks_serialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = palloc(VARHDRSZ + sizeof(RanksState));

	error_rates_context(fcinfo);
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(RanksState));
	memcpy(VARDATA(bytes), PG_GETARG_POINTER(0), sizeof(RanksState));
	PG_RETURN_BYTEA_P(bytes);
}

PG_FUNCTION_INFO_V1(biometric_ranks_deserialize);
Datum
biometric_ranks_deserialize(PG_FUNCTION_ARGS)
{
	bytea      *bytes = PG_GETARG_BYTEA_PP(0);
	RanksState *state = palloc(sizeof(RanksState));

	error_rates_context(fcinfo);
	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(RanksState))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("state of an aggregate is damaged")));
	memcpy(state, VARDATA_ANY(bytes), sizeof(RanksState));
	PG_RETURN_POINTER(state);
}

/* cmc: element r is the share of searches that return the mate at rank r or better */
PG_FUNCTION_INFO_V1(biometric_cmc);
Datum
biometric_cmc(PG_FUNCTION_ARGS)
{
	RanksState *state;
	Datum       shares[MAX_RANK];
	int64       found = 0;

	error_rates_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (RanksState *) PG_GETARG_POINTER(0);
	for (int i = 0; i < state->max_rank; i++)
	{
		found += state->found[i + 1];
		shares[i] = Float8GetDatum((double) found / (double) state->searches);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(shares, state->max_rank, FLOAT8OID, sizeof(float8),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
