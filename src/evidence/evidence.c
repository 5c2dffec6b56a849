/*
 * evidence.c
 *		What a score is made of, for examiners: the minutiae that were paired and
 *		those that were not, the bits of two irises that differ.
 */
#include "postgres.h"

#include "evidence/evidence.h"
#include "funcapi.h"
#include "type/fingerprint.h"
#include "type/iris.h"

void
evidence_pair(const FingerprintTemplate *a, const FingerprintTemplate *b,
			  FingerprintEvidence *result)
{
	const FingerprintTemplate *fingers[2] = {a, b};
	char                      *features[2];
	Size                       sizes[2];
	FingerprintProbe          *probe = palloc(fingerprint_probe_size());
	FingerprintPairing        *pairing = &result->pairing;
	int                        rank = 0;

	for (int side = 0; side < 2; side++)
	{
		features[side] = palloc(FINGERPRINT_FEATURES_MAX_SIZE);
		sizes[side] = fingerprint_extract(fingers[side], features[side]);
		fingerprint_order(fingers[side], result->order[side]);
	}
	fingerprint_probe_init(probe, features[0], sizes[0]);
	result->score = fingerprint_score(fingerprint_distance(probe, features[1], sizes[1]));
	fingerprint_pair(probe, features[1], sizes[1], pairing);

	/* the heaviest first; equals in the order of the features */
	for (int i = 0; i < pairing->minutiae[0]; i++)
	{
		int k = rank;

		if (pairing->partner[0][i] < 0)
			continue;
		for (; k > 0 && pairing->weight[0][i] > pairing->weight[0][result->ranked[k - 1]]; k--)
			result->ranked[k] = result->ranked[k - 1];
		result->ranked[k] = (uint8) i;
		rank++;
	}
	pfree(probe);
	pfree(features[0]);
	pfree(features[1]);
}

static void
put_pair(ReturnSetInfo *result, const FingerprintEvidence *evidence, int i, int j)
{
	int   side = i >= 0 ? 0 : 1;
	int   minutia = i >= 0 ? i : j;
	bool  nulls[5] = {i < 0, j < 0, i < 0 || j < 0, i < 0 || j < 0, false};
	Datum values[5] = {0};

	if (i >= 0)
		values[0] = Int32GetDatum(evidence->order[0][i] + 1);
	if (j >= 0)
		values[1] = Int32GetDatum(evidence->order[1][j] + 1);
	if (i >= 0 && j >= 0)
	{
		values[2] = Float8GetDatum(evidence->pairing.weight[0][i]);
		values[3] = Float8GetDatum(evidence->pairing.distance[0][i]);
	}
	values[4] = BoolGetDatum(evidence->pairing.overlaps[side][minutia]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * match_pairs(a fingerprint, b fingerprint): pairs, the heaviest first, then the
 * minutiae of a that have no partner, then those of b, each in its record's
 * order.
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_match_pairs);
Datum
biometric_fingerprint_match_pairs(PG_FUNCTION_ARGS)
{
	ReturnSetInfo       *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FingerprintTemplate *fingers = palloc(2 * sizeof(FingerprintTemplate));
	FingerprintEvidence *evidence = palloc(sizeof(FingerprintEvidence));

	InitMaterializedSRF(fcinfo, 0);
	fingerprint_unpack(PG_GETARG_DATUM(0), &fingers[0]);
	fingerprint_unpack(PG_GETARG_DATUM(1), &fingers[1]);
	evidence_pair(&fingers[0], &fingers[1], evidence);
	for (int k = 0; k < evidence->pairing.pairs; k++)
		put_pair(result, evidence, evidence->ranked[k],
				 evidence->pairing.partner[0][evidence->ranked[k]]);
	for (int side = 0; side < 2; side++)
	{
		uint8 place[FINGERPRINT_MAX_MINUTIAE]; /* in the features */

		for (int i = 0; i < fingers[side].count; i++)
			place[evidence->order[side][i]] = (uint8) i;
		for (int n = 0; n < fingers[side].count; n++)
			if (evidence->pairing.partner[side][place[n]] < 0)
				put_pair(result, evidence, side == 0 ? place[n] : -1, side == 1 ? place[n] : -1);
	}
	return (Datum) 0;
}

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
