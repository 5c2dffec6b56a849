/*
 * matching.c
 *		The functions behind the operators <-> and %, match_score() and matches(),
 *		for templates of any modality.
 *
 * They find the modality by the type of their arguments.  None of them can
 * raise an error that depends on the data: a template is checked at input.
 * They are therefore leakproof, and row-level security keeps the index.
 *
 * A query compares one template with many rows.  The features of both arguments
 * of the last call are kept in fn_extra, so the argument that stays the same,
 * whichever side it is on, is decoded once and not once per row.
 */
#include "postgres.h"

#include "compat.h"
#include "settings.h"
#include "fmgr.h"
#include "type/modality.h"
#include "type/probe.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct MatchingArgument
{
	MemoryContext context; /* holds everything of this argument */
	char         *bytes;   /* the datum whose features these are */
	Size          length;
	Size          capacity;
	void         *features;
	Size          features_size;
} MatchingArgument;

typedef struct MatchingCache
{
	const BiometricModality *modality;

	MatchingArgument argument[2];
	MemoryContext    probe_context;
	void            *probe; /* begun with argument[probe_argument] */
	int              probe_argument;

	/* what the lowest score of the last call asks for */
	bool   limited; /* whether there was one */
	double min_score;
	bool   possible; /* whether any distance has such a score */
	double limit;    /* the largest that has */
} MatchingCache;

/* Type n of the arguments with which the called function was declared */
static Oid
argument_type(FunctionCallInfo fcinfo, int n)
{
	Oid *types;
	int  count;
	Oid  type;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
	if (n >= count)
		elog(ERROR, "function %u has too few arguments", fcinfo->flinfo->fn_oid);
	type = types[n];
	pfree(types);
	return type;
}

/* What is kept between calls; argument n is a template */
static MatchingCache *
matching_cache(FunctionCallInfo fcinfo, int n)
{
	MatchingCache *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
	{
		MemoryContext            parent = fcinfo->flinfo->fn_mcxt;
		const BiometricModality *modality = biometric_modality_of_type(argument_type(fcinfo, n));

		cache = MemoryContextAllocZero(parent, sizeof(MatchingCache));
		cache->modality = modality;
		for (int i = 0; i < 2; i++)
			cache->argument[i].features = MemoryContextAlloc(parent, modality->max_features_size);
		cache->probe_context =
			AllocSetContextCreate(parent, "biometric probe", ALLOCSET_DEFAULT_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	return cache;
}

/*
 * Make sure that an argument's features are those of the datum.  Returns
 * whether they were already.
 */
static bool
matching_remember(MatchingArgument *argument, Datum datum, const BiometricModality *modality,
				  MemoryContext parent)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(datum);
	Size            length = VARSIZE_ANY_EXHDR(detoasted);
	bool            known;

	known = argument->bytes != NULL && argument->length == length &&
			memcmp(argument->bytes, VARDATA_ANY(detoasted), length) == 0;
	if (!known)
	{
		/* not valid again before the new features are complete */
		argument->length = (Size) -1;
		if (argument->bytes == NULL || argument->capacity < length)
		{
			if (argument->bytes != NULL)
				pfree(argument->bytes);
			argument->bytes = NULL;
			argument->bytes = MemoryContextAlloc(parent, Max(length, 1024));
			argument->capacity = Max(length, 1024);
		}
		argument->features_size = modality->extract(PointerGetDatum(detoasted), argument->features);
		memcpy(argument->bytes, VARDATA_ANY(detoasted), length);
		argument->length = length;
	}
	if ((Pointer) detoasted != DatumGetPointer(datum))
		pfree(detoasted);
	return known;
}

/* The distance of two templates; for one beyond the limit any number beyond it */
static double
distance_of(FunctionCallInfo fcinfo, MatchingCache *cache, Datum a, Datum b, double limit)
{
	const BiometricModality *modality = cache->modality;
	MemoryContext            parent = fcinfo->flinfo->fn_mcxt;
	bool                     known[2];
	MatchingArgument        *other;
	const void              *features;
	double                   distance;

	known[0] = matching_remember(&cache->argument[0], a, modality, parent);
	known[1] = matching_remember(&cache->argument[1], b, modality, parent);

	/* the argument that does not change is the probe */
	if (cache->probe == NULL || !known[cache->probe_argument])
	{
		MemoryContext old_context;

		cache->probe = NULL;
		cache->probe_argument = known[1] ? 1 : 0;
		MemoryContextReset(cache->probe_context);
		old_context = MemoryContextSwitchTo(cache->probe_context);
		cache->probe = modality->begin_probe(cache->argument[cache->probe_argument].features,
											 cache->argument[cache->probe_argument].features_size);
		MemoryContextSwitchTo(old_context);
	}

	other = &cache->argument[1 - cache->probe_argument];
	features = other->features;
	modality->distances(cache->probe, 1, &features, &other->features_size, limit, &distance);
	return distance;
}

/* Whether the score of two templates is at least min_score: only as much is compared as tells it */
static bool
reaches(FunctionCallInfo fcinfo, MatchingCache *cache, Datum a, Datum b, double min_score)
{
	if (!cache->limited || cache->min_score != min_score)
	{
		cache->possible = biometric_largest_distance(cache->modality, min_score, &cache->limit);
		cache->min_score = min_score;
		cache->limited = true;
	}
	return cache->possible && distance_of(fcinfo, cache, a, b, cache->limit) <= cache->limit;
}

/* a <-> b: the modality says in which range */
PG_FUNCTION_INFO_V1(biometric_distance);
Datum
biometric_distance(PG_FUNCTION_ARGS)
{
	MatchingCache *cache = matching_cache(fcinfo, 0);

	PG_RETURN_FLOAT8(
		distance_of(fcinfo, cache, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), get_float8_infinity()));
}

/* match_score(a, b): decibans of the false match rate, at least 0 */
PG_FUNCTION_INFO_V1(biometric_match_score);
Datum
biometric_match_score(PG_FUNCTION_ARGS)
{
	MatchingCache *cache = matching_cache(fcinfo, 0);

	PG_RETURN_FLOAT8(cache->modality->score(
		distance_of(fcinfo, cache, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), get_float8_infinity())));
}

/* a % b */
PG_FUNCTION_INFO_V1(biometric_match);
Datum
biometric_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(reaches(fcinfo, matching_cache(fcinfo, 0), PG_GETARG_DATUM(0),
						   PG_GETARG_DATUM(1), biometric_match_threshold));
}

/* matches(a, b, min_score) */
PG_FUNCTION_INFO_V1(biometric_matches);
Datum
biometric_matches(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(reaches(fcinfo, matching_cache(fcinfo, 0), PG_GETARG_DATUM(0),
						   PG_GETARG_DATUM(1), PG_GETARG_FLOAT8(2)));
}

/* % of a template and a probe, which is argument n */
static bool
match_probe(FunctionCallInfo fcinfo, int n)
{
	MatchingCache *cache = matching_cache(fcinfo, 1 - n);
	double         min_score;
	Datum          datum = probe_take_apart(PG_GETARG_DATUM(n), &min_score);
	bool           result;

	result = reaches(fcinfo, cache, PG_GETARG_DATUM(1 - n), datum, min_score);
	pfree(DatumGetPointer(datum));
	return result;
}

/* a % probe */
PG_FUNCTION_INFO_V1(biometric_match_probe);
Datum
biometric_match_probe(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(match_probe(fcinfo, 1));
}

/* probe % a */
PG_FUNCTION_INFO_V1(biometric_probe_match);
Datum
biometric_probe_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(match_probe(fcinfo, 0));
}
