/*
 * matching.c
 *		Distance and match of two template datums of any modality.
 *
 * A query compares one probe with many rows.  The features of both arguments
 * of the last call are kept in fn_extra, so the argument that stays the same,
 * whichever side it is on, is decoded once and not once per row.
 */
#include "postgres.h"

#include "compat.h"
#include "settings.h"
#include "type/matching.h"
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
	MatchingArgument argument[2];
	MemoryContext    probe_context;
	void            *probe; /* begun with argument[probe_argument] */
	int              probe_argument;
} MatchingCache;

static MatchingCache *
matching_cache(FunctionCallInfo fcinfo, const BiometricModality *modality)
{
	MatchingCache *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
	{
		MemoryContext parent = fcinfo->flinfo->fn_mcxt;

		cache = MemoryContextAllocZero(parent, sizeof(MatchingCache));
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
matching_remember(MatchingArgument *argument, Datum template, const BiometricModality *modality,
				  MemoryContext parent)
{
	struct varlena *detoasted = PG_DETOAST_DATUM_PACKED(template);
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
	if ((Pointer) detoasted != DatumGetPointer(template))
		pfree(detoasted);
	return known;
}

static double
matching_distance_of(FunctionCallInfo fcinfo, const BiometricModality *modality, Datum a, Datum b)
{
	MatchingCache    *cache = matching_cache(fcinfo, modality);
	MemoryContext     parent = fcinfo->flinfo->fn_mcxt;
	bool              known[2];
	MatchingArgument *other;
	const void       *features;
	double            distance;

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
	modality->distances(cache->probe, 1, &features, &other->features_size, &distance);
	return distance;
}

double
matching_distance(FunctionCallInfo fcinfo, const BiometricModality *modality)
{
	return matching_distance_of(fcinfo, modality, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
}

bool
matching_match(FunctionCallInfo fcinfo, const BiometricModality *modality)
{
	return modality->score(matching_distance(fcinfo, modality)) >= biometric_match_threshold;
}

bool
matching_match_probe(FunctionCallInfo fcinfo, const BiometricModality *modality, int probe_argument)
{
	double min_score;
	Datum template = probe_take_apart(PG_GETARG_DATUM(probe_argument), &min_score);
	double distance;

	distance =
		matching_distance_of(fcinfo, modality, PG_GETARG_DATUM(1 - probe_argument), template);
	pfree(DatumGetPointer(template));
	return modality->score(distance) >= min_score;
}
