/*
 * error_intervals.c
 *		Error rates with 95 % intervals that take account of persons.
 *
 * Comparisons are not independent: those of one person share fingers, and those
 * of one capture share more.  So persons are resampled, not comparisons.  Each of
 * REPLICATES replicates gives each person a weight, drawn from the Poisson
 * distribution of mean 1 by a hash of the person's name.  A mated comparison
 * counts with its person's weight, a non-mated one with the product of both.
 * (A. B. Owen, D. Eckles: Bootstrapping data arrays of arbitrary order, Annals of
 * Applied Statistics 6, 2012: such weights err on the safe side.)  The interval
 * is that of the replicates' 2.5 % and 97.5 % quantiles.
 *
 * If no error was seen, resampling sees none either.  The upper limit is then
 * that of error-free independent trials: as many trials as there are persons,
 * or disjoint pairs of persons.
 *
 * The weights are the same in every run and with any number of workers.
 */
#include "postgres.h"

#include "compat.h"

#include <math.h>

#include "compat.h"
#include "common/hashfn.h"
#include "evidence/error_rates.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/hyperloglog.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define REPLICATES    200
#define LOW_QUANTILE  4 /* of sorted replicates, from 0 */
#define HIGH_QUANTILE 195

/*
 * Replicates count in bins: scores with so many bits of mantissa.  Point
 * estimates are exact.
 */
#define BIN_BITS 8
#define MAX_BINS 8192

#define PERSON_REGISTERS 12 /* bits of hyperloglog: an error of 2 % */

typedef struct Bin
{
	double score; /* the lowest of the bin; bins are in order */
	uint32 weight[2][REPLICATES];
} Bin;

/* Persons' weights are kept, each in the place that follows from its hash, until another takes it */
#define KEPT_PERSONS 8192

typedef struct PersonWeights
{
	uint32 person;
	bool   drawn;
	uint8  weights[REPLICATES];
} PersonWeights;

typedef struct IntervalState
{
	RatesState       rates;
	double           threshold;
	double           target; /* FMR */
	Bin            **bins;
	int              n_bins;
	int              capacity;
	int              bits;
	uint64           at_threshold[2][REPLICATES]; /* not below it */
	hyperLogLogState persons;
	PersonWeights   *kept;
} IntervalState;

/* the Poisson distribution of mean 1 in 32 bits: P(X <= k) */
static const uint32 poisson[] = {1580030168u, 3160060337u, 3950075421u, 4213413782u,
								 4279248373u, 4292415291u, 4294609777u, 4294923275u};

/* a person's weights in all replicates */
static const uint8 *
draw_weights(IntervalState *state, uint32 person)
{
	PersonWeights *kept = &state->kept[murmurhash32(person) % KEPT_PERSONS];

	if (kept->drawn && kept->person == person)
		return kept->weights;
	for (uint32 r = 0; r < REPLICATES; r++)
	{
		uint32 h = murmurhash32(person ^ murmurhash32(r + 1));
		uint8  weight = 0;

		for (int k = 0; k < lengthof(poisson); k++)
			weight += h > poisson[k];
		kept->weights[r] = weight;
	}
	kept->person = person;
	kept->drawn = true;
	return kept->weights;
}

static double
bin_score(double score, int bits)
{
	uint64 word;

	if (isinf(score))
		return score;
	memcpy(&word, &score, sizeof(word));
	/* towards lower values, also of negative ones */
	if (score < 0)
		word += (UINT64CONST(1) << (52 - bits)) - 1;
	word &= ~((UINT64CONST(1) << (52 - bits)) - 1);
	memcpy(&score, &word, sizeof(word));
	return score;
}

/* the place of a bin, or where it would be */
static int
find_bin(const IntervalState *state, double score)
{
	int low = 0;
	int high = state->n_bins;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (state->bins[middle]->score < score)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* halves the resolution until a bin is free */
static void
coarsen(IntervalState *state)
{
	while (state->n_bins >= MAX_BINS)
	{
		int n = 0;

		state->bits--;
		for (int i = 0; i < state->n_bins; i++)
		{
			Bin *bin = state->bins[i];

			bin->score = bin_score(bin->score, state->bits);
			if (n > 0 && state->bins[n - 1]->score == bin->score)
			{
				for (int c = 0; c < 2; c++)
				{
					for (int r = 0; r < REPLICATES; r++)
						state->bins[n - 1]->weight[c][r] += bin->weight[c][r];
				}
				pfree(bin);
			}
			else
				state->bins[n++] = bin;
		}
		state->n_bins = n;
	}
}

static Bin *
get_bin(IntervalState *state, double score, MemoryContext context)
{
	int place;

	score = bin_score(score + 0.0, state->bits);
	place = find_bin(state, score);
	if (place < state->n_bins && state->bins[place]->score == score)
		return state->bins[place];
	if (state->n_bins >= MAX_BINS)
	{
		coarsen(state);
		return get_bin(state, score, context);
	}
	if (state->n_bins == state->capacity)
	{
		state->capacity = state->capacity == 0 ? 64 : 2 * state->capacity;
		state->bins = state->bins == NULL
						  ? MemoryContextAlloc(context, state->capacity * sizeof(Bin *))
						  : repalloc(state->bins, state->capacity * sizeof(Bin *));
	}
	memmove(state->bins + place + 1, state->bins + place, (state->n_bins - place) * sizeof(Bin *));
	state->bins[place] = MemoryContextAllocZero(context, sizeof(Bin));
	state->bins[place]->score = score;
	state->n_bins++;
	return state->bins[place];
}

static IntervalState *
new_state(MemoryContext context)
{
	MemoryContext  old = MemoryContextSwitchTo(context);
	IntervalState *state = palloc0(sizeof(IntervalState));

	score_set_init(NON_MATED(&state->rates));
	score_set_init(MATED(&state->rates));
	state->bits = BIN_BITS;
	initHyperLogLog(&state->persons, PERSON_REGISTERS);
	MemoryContextSwitchTo(old);
	return state;
}

static uint32
hash_person(text *name)
{
	return DatumGetUInt32(
		hash_any((const unsigned char *) VARDATA_ANY(name), (int) VARSIZE_ANY_EXHDR(name)));
}

/*
 * error_intervals_add(internal, score float8, mated boolean, person_a text,
 *					   person_b text, threshold float8, fmr float8)
 */
PG_FUNCTION_INFO_V1(biometric_error_intervals_add);
Datum
biometric_error_intervals_add(PG_FUNCTION_ARGS)
{
	MemoryContext  context = error_rates_context(fcinfo);
	IntervalState *state;
	double         score;
	bool           mated;
	uint32         person[2];
	uint8          weights[REPLICATES];
	uint32        *sums;

	if (PG_ARGISNULL(5) || PG_ARGISNULL(6))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("threshold and false match rate must not be NULL")));
	if (!(PG_GETARG_FLOAT8(6) >= 0 && PG_GETARG_FLOAT8(6) <= 1) || isnan(PG_GETARG_FLOAT8(5)))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("an error rate must be from 0 to 1, and a threshold a number")));
	if (PG_ARGISNULL(0))
	{
		state = new_state(context);
		state->threshold = PG_GETARG_FLOAT8(5);
		state->target = PG_GETARG_FLOAT8(6);
	}
	else
		state = (IntervalState *) PG_GETARG_POINTER(0);
	if (state->threshold != PG_GETARG_FLOAT8(5) || state->target != PG_GETARG_FLOAT8(6))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("threshold and false match rate must be the same in all rows"),
						errhint("Give them as constants.")));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || isnan(PG_GETARG_FLOAT8(1)))
		PG_RETURN_POINTER(state);
	if (PG_ARGISNULL(3) || PG_ARGISNULL(4))
		ereport(
			ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("persons must not be NULL"),
			 errhint(
				 "Intervals are made by resampling persons. Leave such rows out with FILTER (WHERE ...).")));

	score = PG_GETARG_FLOAT8(1);
	mated = PG_GETARG_BOOL(2);
	score_set_add(&state->rates.scores[mated], score, 1, context);
	for (int i = 0; i < 2; i++)
	{
		person[i] = hash_person(PG_GETARG_TEXT_PP(3 + i));
		addHyperLogLog(&state->persons, person[i]);
	}
	if (state->kept == NULL)
		state->kept = MemoryContextAllocZero(context, KEPT_PERSONS * sizeof(PersonWeights));
	memcpy(weights, draw_weights(state, person[0]), sizeof(weights));
	/* of one person, the weight counts once */
	if (person[0] != person[1])
	{
		const uint8 *other = draw_weights(state, person[1]);

		for (int r = 0; r < REPLICATES; r++)
			weights[r] *= other[r];
	}
	sums = get_bin(state, score, context)->weight[mated];
	for (int r = 0; r < REPLICATES; r++)
		sums[r] += weights[r];
	if (score >= state->threshold)
	{
		for (int r = 0; r < REPLICATES; r++)
			state->at_threshold[mated][r] += weights[r];
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(biometric_error_intervals_combine);
Datum
biometric_error_intervals_combine(PG_FUNCTION_ARGS)
{
	MemoryContext  context = error_rates_context(fcinfo);
	IntervalState *state = PG_ARGISNULL(0) ? NULL : (IntervalState *) PG_GETARG_POINTER(0);
	IntervalState *other = PG_ARGISNULL(1) ? NULL : (IntervalState *) PG_GETARG_POINTER(1);

	if (state == NULL && other == NULL)
		PG_RETURN_NULL();
	if (state == NULL)
	{
		state = new_state(context);
		state->threshold = other->threshold;
		state->target = other->target;
	}
	if (other == NULL)
		PG_RETURN_POINTER(state);
	if (state->threshold != other->threshold || state->target != other->target)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("threshold and false match rate must be the same in all rows"),
						errhint("Give them as constants.")));
	for (int c = 0; c < 2; c++)
	{
		score_set_merge(&state->rates.scores[c], &other->rates.scores[c], context);
		for (int r = 0; r < REPLICATES; r++)
			state->at_threshold[c][r] += other->at_threshold[c][r];
	}
	for (int i = 0; i < other->n_bins; i++)
	{
		Bin *bin = get_bin(state, other->bins[i]->score, context);

		for (int c = 0; c < 2; c++)
		{
			for (int r = 0; r < REPLICATES; r++)
				bin->weight[c][r] += other->bins[i]->weight[c][r];
		}
	}
	for (Size i = 0; i < state->persons.nRegisters; i++)
		state->persons.hashesArr[i] = Max(state->persons.hashesArr[i], other->persons.hashesArr[i]);
	PG_RETURN_POINTER(state);
}

/* ---- workers' states: within one server, so in its own byte order ------------------ */

PG_FUNCTION_INFO_V1(biometric_error_intervals_serialize);
Datum
biometric_error_intervals_serialize(PG_FUNCTION_ARGS)
{
	IntervalState *state = (IntervalState *) PG_GETARG_POINTER(0);
	StringInfoData buffer;

	error_rates_context(fcinfo);
	pq_begintypsend(&buffer);
	for (int c = 0; c < 2; c++)
		score_set_finish(&state->rates.scores[c]);
	pq_sendbytes(&buffer, (char *) state, sizeof(IntervalState));
	for (int c = 0; c < 2; c++)
		pq_sendbytes(&buffer, (char *) state->rates.scores[c].entries,
					 state->rates.scores[c].n * (int) sizeof(ScoreCount));
	for (int i = 0; i < state->n_bins; i++)
		pq_sendbytes(&buffer, (char *) state->bins[i], sizeof(Bin));
	pq_sendbytes(&buffer, (char *) state->persons.hashesArr, (int) state->persons.nRegisters);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

PG_FUNCTION_INFO_V1(biometric_error_intervals_deserialize);
Datum
biometric_error_intervals_deserialize(PG_FUNCTION_ARGS)
{
	bytea         *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buffer;
	IntervalState *sent = palloc(sizeof(IntervalState));
	IntervalState *state = new_state(CurrentMemoryContext);
	Bin           *bin = palloc(sizeof(Bin));

	error_rates_context(fcinfo);
	initStringInfo(&buffer);
	appendBinaryStringInfo(&buffer, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	pq_copymsgbytes(&buffer, (char *) sent, sizeof(IntervalState));
	state->threshold = sent->threshold;
	state->target = sent->target;
	memcpy(state->at_threshold, sent->at_threshold, sizeof(state->at_threshold));
	for (int c = 0; c < 2; c++)
	{
		state->rates.scores[c].bits = sent->rates.scores[c].bits;
		for (int i = 0; i < sent->rates.scores[c].n; i++)
		{
			ScoreCount entry;

			pq_copymsgbytes(&buffer, (char *) &entry, sizeof(entry));
			score_set_add(&state->rates.scores[c], entry.score, entry.count, CurrentMemoryContext);
		}
	}
	state->bits = sent->bits;
	for (int i = 0; i < sent->n_bins; i++)
	{
		pq_copymsgbytes(&buffer, (char *) bin, sizeof(Bin));
		memcpy(get_bin(state, bin->score, CurrentMemoryContext)->weight, bin->weight,
			   sizeof(bin->weight));
	}
	pq_copymsgbytes(&buffer, (char *) state->persons.hashesArr, (int) state->persons.nRegisters);
	pq_getmsgend(&buffer);
	pfree(sent);
	pfree(bin);
	PG_RETURN_POINTER(state);
}

/* ---- results ------------------------------------------------------------------------- */

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* EER and FNMR at the target of one replicate, from its bins */
static void
replicate_rates(const IntervalState *state, int r, const uint64 total[2], double *eer, double *fnmr)
{
	double allowed = state->target * (double) total[0] * (1 + 1e-12);
	uint64 above = total[0]; /* non-mated from this bin on */
	uint64 missed = 0;       /* mated below it */
	double last_fmr = 1;
	double last_fnmr = 0;
	bool   crossed = false;
	bool   reached = false;

	*eer = 0;
	*fnmr = 0;
	for (int i = 0; i <= state->n_bins; i++)
	{
		double fmr = (double) above / (double) total[0];
		double miss = (double) missed / (double) total[1];

		if (!reached && (double) above <= allowed)
		{
			*fnmr = miss;
			reached = true;
		}
		if (!crossed && miss >= fmr)
		{
			double before = last_fmr - last_fnmr;
			double after = miss - fmr;

			*eer = last_fnmr +
				   (before + after > 0 ? before / (before + after) : 0) * (miss - last_fnmr);
			crossed = true;
		}
		last_fmr = fmr;
		last_fnmr = miss;
		if (i < state->n_bins)
		{
			above -= state->bins[i]->weight[0][r];
			missed += state->bins[i]->weight[1][r];
		}
	}
}

/* sorted replicates to an interval; none is narrower than its estimate allows */
static void
interval(double *replicates, int n, double estimate, double independent, double *low, double *high)
{
	qsort(replicates, n, sizeof(double), compare_doubles);
	*low = Min(replicates[LOW_QUANTILE * n / REPLICATES], estimate);
	*high = Max(replicates[Min(HIGH_QUANTILE * n / REPLICATES, n - 1)], estimate);
	/* no error in so many trials: up to the rate at which that has 2.5 % chance */
	if (estimate == 0 && independent >= 1)
		*high = Max(*high, 1 - pow(0.025, 1 / independent));
}

PG_FUNCTION_INFO_V1(biometric_error_intervals);
Datum
biometric_error_intervals(PG_FUNCTION_ARGS)
{
	IntervalState *state;
	TupleDesc      descriptor;
	Datum          values[16];
	bool           nulls[16];
	double         replicates[4][REPLICATES]; /* FMR, FNMR, EER, FNMR at the target */
	double         estimate[4];
	double         persons;
	int            n = 0;
	bool           both;

	error_rates_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (IntervalState *) PG_GETARG_POINTER(0);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	descriptor = BlessTupleDesc(descriptor);
	for (int c = 0; c < 2; c++)
		score_set_finish(&state->rates.scores[c]);
	both = NON_MATED(&state->rates)->total > 0 && MATED(&state->rates)->total > 0;
	persons = estimateHyperLogLog(&state->persons);
	memset(nulls, true, sizeof(nulls));

	for (int r = 0; both && r < REPLICATES; r++)
	{
		uint64 total[2] = {0, 0};

		for (int i = 0; i < state->n_bins; i++)
		{
			total[0] += state->bins[i]->weight[0][r];
			total[1] += state->bins[i]->weight[1][r];
		}
		/* a replicate without comparisons of a class has no rate for it */
		if (total[0] == 0 || total[1] == 0)
			continue;
		replicates[0][n] = (double) state->at_threshold[0][r] / (double) total[0];
		replicates[1][n] = (double) (total[1] - state->at_threshold[1][r]) / (double) total[1];
		replicate_rates(state, r, total, &replicates[2][n], &replicates[3][n]);
		n++;
	}
	values[0] = Int64GetDatum(MATED(&state->rates)->total);
	values[1] = Int64GetDatum(NON_MATED(&state->rates)->total);
	values[2] = Int64GetDatum((int64) (persons + 0.5));
	values[3] = Float8GetDatum(state->threshold);
	nulls[0] = nulls[1] = nulls[2] = nulls[3] = false;
	if (both)
	{
		const ScoreSet *non_mated = NON_MATED(&state->rates);
		const ScoreSet *mated = MATED(&state->rates);

		estimate[0] =
			(double) (non_mated->total - score_set_below(non_mated, state->threshold, false)) /
			(double) non_mated->total;
		estimate[1] =
			(double) score_set_below(mated, state->threshold, false) / (double) mated->total;
		estimate[2] = equal_error_rate(&state->rates);
		estimate[3] = fnmr_at_fmr(&state->rates, state->target);
		for (int i = 0; i < 4; i++)
		{
			double independent = i == 0 ? floor(persons / 2) : persons;
			double low;
			double high;

			values[4 + 3 * i] = Float8GetDatum(estimate[i]);
			nulls[4 + 3 * i] = false;
			/* fewer than this many persons have no interval */
			if (n < REPLICATES / 2)
				continue;
			interval(replicates[i], n, estimate[i], independent, &low, &high);
			values[5 + 3 * i] = Float8GetDatum(low);
			values[6 + 3 * i] = Float8GetDatum(high);
			nulls[5 + 3 * i] = nulls[6 + 3 * i] = false;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}
