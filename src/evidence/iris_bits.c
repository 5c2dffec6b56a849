/*
 * iris_bits.c
 *		What a score of two eyes is made of, for examiners: the rotation that
 *		decided, and the bits that differ in it.
 */
#include "postgres.h"

#include "evidence/evidence.h"
#include "funcapi.h"
#include "type/iris.h"

void
evidence_compare(const IrisTemplate *a, const IrisTemplate *b, IrisComparison *result)
{
	void      *features[2] = {palloc(IRIS_FEATURES_MAX_SIZE), palloc(IRIS_FEATURES_MAX_SIZE)};
	IrisProbe *probe;

	(void) iris_extract(a, features[0]);
	(void) iris_extract(b, features[1]);
	probe = palloc(iris_probe_size(features[0]));
	iris_probe_init(probe, features[0]);
	iris_compare(probe, features[1], result);
	pfree(probe);
	pfree(features[0]);
	pfree(features[1]);
}

/* match_bits(a iris, b iris): the rotation that decided, and the bits compared in it */
PG_FUNCTION_INFO_V1(biometric_iris_match_bits);
Datum
biometric_iris_match_bits(PG_FUNCTION_ARGS)
{
	IrisTemplate   a = iris_unpack(PG_GETARG_DATUM(0));
	IrisTemplate   b = iris_unpack(PG_GETARG_DATUM(1));
	IrisComparison comparison;
	TupleDesc      descriptor;
	bool           nulls[3] = {false};
	Datum          values[3];

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	evidence_compare(&a, &b, &comparison);
	values[0] = Int32GetDatum(comparison.rotation);
	values[1] = Int32GetDatum((int32) comparison.common);
	values[2] = Int32GetDatum((int32) comparison.differing);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls)));
}
