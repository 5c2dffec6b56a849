/*
 * iris_modality.c
 *		The modality iris: what the index and the searches know of eyes.
 */
#include "postgres.h"

#include "match/iris/iris.h"
#include "type/iris.h"
#include "type/modality.h"

static int
label(Datum datum)
{
	return iris_unpack(datum).eye;
}

static const char *
label_name(int label)
{
	return iris_eye_name(label);
}

static Size
extract(Datum datum, void *buffer)
{
	IrisTemplate iris = iris_unpack(datum);

	return iris_extract(&iris, buffer);
}

static void *
begin_probe(const void *features, Size size)
{
	IrisProbe *probe = palloc(iris_probe_size(features));

	iris_probe_init(probe, features);
	return probe;
}

static void
distances(void *probe, int n, const void *const *features, const Size *sizes, double limit,
		  double *result)
{
	iris_distances(probe, n, features, limit, result);
}

static Size
sketch(const void *features, Size size, void *result)
{
	return iris_sketch(features, result);
}

static void
sketches_within(void *probe, int n, const void *const *sketches, const Size *sizes, double limit,
				bool *within)
{
	iris_sketches_within(probe, n, sketches, limit, within);
}

static const BiometricModality modality = {
	.magic = BIOMETRIC_MODALITY_MAGIC,
	.name = "iris",
	.features_version = IRIS_FEATURES_VERSION,
	.max_features_size = IRIS_FEATURES_MAX_SIZE,
	.group_pages = 5,
	.compare_cost = 25,
	.max_label = IRIS_EYE_LEFT,
	.label_function = "eye",
	.label = label,
	.label_value = label_name,
	.label_name = label_name,
	.extract = extract,
	.features_valid = iris_features_valid,
	.begin_probe = begin_probe,
	.distances = distances,
	.max_sketch_size = IRIS_SKETCH_MAX_SIZE,
	.sketch = sketch,
	.sketch_valid = iris_sketch_valid,
	.sketches_within = sketches_within,
	.score = iris_score,
	.score_limit = iris_score_limit,
	.key_bits = IRIS_KEY_BITS,
	.tag_bits = IRIS_TAG_BITS,
	.signature_bits = IRIS_SIGNATURE_BITS,
	.max_words = IRIS_MAX_WORDS,
	.max_probe_words = IRIS_MAX_PROBE_WORDS,
	.words = iris_words,
	.probe_words = iris_probe_words,
};

/* support function 1 of iris_ops */
PG_FUNCTION_INFO_V1(biometric_iris_modality);
Datum
biometric_iris_modality(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&modality);
}
