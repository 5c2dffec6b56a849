/*
 * error_rates.h
 *		What the aggregates of error rates share.  Behind postgres.h.
 */
#ifndef BIOMETRIC_ERROR_RATES_H
#define BIOMETRIC_ERROR_RATES_H

#include "evidence/score_set.h"
#include "fmgr.h"

typedef struct RatesState
{
	ScoreSet scores[2]; /* non-mated, mated */
	bool     has_parameter;
	double   parameter; /* threshold or rate of aggregates that have one */
} RatesState;

#define NON_MATED(state) (&(state)->scores[0])
#define MATED(state)     (&(state)->scores[1])

/* of an aggregate; an error if the function is called otherwise */
extern MemoryContext error_rates_context(FunctionCallInfo fcinfo);

/* of a state with both classes, whose sets are finished */
extern double equal_error_rate(const RatesState *state);
extern double fnmr_at_fmr(const RatesState *state, double rate);

#endif /* BIOMETRIC_ERROR_RATES_H */
