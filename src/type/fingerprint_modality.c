/*
 * fingerprint_modality.c
 *		The modality fingerprint: what the index and the searches know of fingers.
 */
#include "postgres.h"

#include "match/fingerprint/fingerprint.h"
#include "type/fingerprint.h"
#include "type/modality.h"

static int
label(Datum datum)
{
	FingerprintTemplate finger;

	fingerprint_unpack(datum, &finger);
	return finger.position;
}

static const char *
label_value(int label)
{
	return psprintf("%d", label);
}

static const char *
label_name(int label)
{
	return label == 0 ? "unknown" : psprintf("finger %d", label);
}

static Size
extract(Datum datum, void *buffer)
{
	FingerprintTemplate finger;

	fingerprint_unpack(datum, &finger);
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
distances(void *probe, int n, const void *const *features, const Size *sizes, double limit,
		  double *result)
{
	for (int i = 0; i < n; i++)
		result[i] = fingerprint_distance_within(probe, features[i], sizes[i], limit);
}

static Size
sketch(const void *features, Size size, void *result)
{
	return fingerprint_sketch(features, result);
}

static void
sketches_within(void *probe, int n, const void *const *sketches, const Size *sizes, double limit,
				bool *within)
{
	fingerprint_sketches_within(probe, n, sketches, limit, within);
}

static void
resemblances(void *probe, int n, const void *const *features, const Size *sizes, int *result)
{
	for (int i = 0; i < n; i++)
		result[i] = fingerprint_resemblance(probe, features[i], sizes[i]);
}

static const BiometricModality modality = {
	.magic = BIOMETRIC_MODALITY_MAGIC,
	.name = "fingerprint",
	.features_version = FINGERPRINT_FEATURES_VERSION,
	.max_features_size = FINGERPRINT_FEATURES_MAX_SIZE,
	.group_pages = 9,
	.compare_cost = 370,
	.max_label = FINGERPRINT_MAX_POSITION,
	.label_function = "finger_position",
	.label = label,
	.label_value = label_value,
	.label_name = label_name,
	.extract = extract,
	.features_valid = fingerprint_features_valid,
	.begin_probe = begin_probe,
	.distances = distances,
	.max_sketch_size = FINGERPRINT_SKETCH_MAX_SIZE,
	.sketch = sketch,
	.sketch_valid = fingerprint_sketch_valid,
	.sketches_within = sketches_within,
	.resemblances = resemblances,
	.score = fingerprint_score,
	.score_limit = fingerprint_score_limit,
	.key_bits = FINGERPRINT_KEY_BITS,
	.tag_bits = FINGERPRINT_TAG_BITS,
	.signature_bits = FINGERPRINT_SIGNATURE_BITS,
	.max_words = FINGERPRINT_MAX_WORDS,
	.max_probe_words = FINGERPRINT_MAX_PROBE_WORDS,
	.words = fingerprint_words,
	.probe_words = fingerprint_probe_words,
};

/* support function 1 of fingerprint_ops */
PG_FUNCTION_INFO_V1(biometric_fingerprint_modality);
Datum
biometric_fingerprint_modality(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&modality);
}
