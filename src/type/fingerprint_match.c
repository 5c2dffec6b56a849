/*
 * fingerprint_match.c
 *		Matching of fingerprints in SQL, and the modality that the access method
 *		sees.
 *
 * None of these functions can raise an error that depends on the data: a
 * fingerprint is checked when it enters.  They are therefore leakproof, and
 * row-level security keeps the index.
 */
#include "postgres.h"

#include "match/fingerprint/fingerprint.h"
#include "type/fingerprint.h"
#include "type/matching.h"

static Size
extract(Datum template, void *buffer)
{
	FingerprintTemplate finger;

	fingerprint_unpack(template, &finger);
	return fingerprint_extract(&finger, buffer);
}

static void *
begin_probe(const void *features, Size size)
{
	FingerprintProbe *probe = palloc(fingerprint_probe_size());

	fingerprint_probe_init(probe, features, size);
	return probe;
}

static void
distances(void *probe, int n, const void *const *features, const Size *sizes, double *result)
{
	for (int i = 0; i < n; i++)
		result[i] = fingerprint_distance(probe, features[i], sizes[i]);
}

static const BiometricModality modality = {
	.magic = BIOMETRIC_MODALITY_MAGIC,
	.name = "fingerprint",
	.features_version = FINGERPRINT_FEATURES_VERSION,
	.max_features_size = FINGERPRINT_FEATURES_MAX_SIZE,
	.compare_cost = 120,
	.extract = extract,
	.features_valid = fingerprint_features_valid,
	.begin_probe = begin_probe,
	.distances = distances,
	.score = fingerprint_score,
	.probe_template = probe_take_apart,
	.key_bits = FINGERPRINT_KEY_BITS,
	.tag_bits = FINGERPRINT_TAG_BITS,
	.signature_bits = FINGERPRINT_SIGNATURE_BITS,
	.signature_slope = FINGERPRINT_SIGNATURE_SLOPE,
	.max_words = FINGERPRINT_MAX_WORDS,
	.max_probe_words = FINGERPRINT_MAX_PROBE_WORDS,
	.words = fingerprint_words,
	.probe_words = fingerprint_probe_words,
};

/* support function 1 of fingerprint_ops */
PG_FUNCTION_INFO_V1(fingerprint_modality);
Datum
fingerprint_modality(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&modality);
}

/* a <-> b: in [0, 1], see fingerprint_distance in match/fingerprint/fingerprint.h */
PG_FUNCTION_INFO_V1(fingerprint_distance_sql);
Datum
fingerprint_distance_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(matching_distance(fcinfo, &modality));
}

/* match_score(a, b): decibans of the false match rate */
PG_FUNCTION_INFO_V1(fingerprint_match_score);
Datum
fingerprint_match_score(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(fingerprint_score(matching_distance(fcinfo, &modality)));
}

/* a % b */
PG_FUNCTION_INFO_V1(fingerprint_match);
Datum
fingerprint_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match(fcinfo, &modality));
}

/* a % probe */
PG_FUNCTION_INFO_V1(fingerprint_match_probe);
Datum
fingerprint_match_probe(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match_probe(fcinfo, &modality, 1));
}

/* probe % a */
PG_FUNCTION_INFO_V1(fingerprint_probe_match);
Datum
fingerprint_probe_match(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(matching_match_probe(fcinfo, &modality, 0));
}

/* probe(fingerprint, min_score) */
PG_FUNCTION_INFO_V1(fingerprint_probe);
Datum
fingerprint_probe(PG_FUNCTION_ARGS)
{
	return probe_make(PG_GETARG_DATUM(0), PG_GETARG_FLOAT8(1));
}

PG_FUNCTION_INFO_V1(fingerprint_probe_in);
Datum
fingerprint_probe_in(PG_FUNCTION_ARGS)
{
	return probe_in(fcinfo, fingerprint_in);
}

PG_FUNCTION_INFO_V1(fingerprint_probe_out);
Datum
fingerprint_probe_out(PG_FUNCTION_ARGS)
{
	return probe_out(fcinfo, fingerprint_out);
}

PG_FUNCTION_INFO_V1(fingerprint_probe_recv);
Datum
fingerprint_probe_recv(PG_FUNCTION_ARGS)
{
	return probe_recv(fcinfo, fingerprint_recv);
}

PG_FUNCTION_INFO_V1(fingerprint_probe_send);
Datum
fingerprint_probe_send(PG_FUNCTION_ARGS)
{
	return probe_send(fcinfo, fingerprint_send);
}
