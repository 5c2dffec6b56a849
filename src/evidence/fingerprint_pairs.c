/*
 * fingerprint_pairs.c
 *		What a score of two fingers is made of, for examiners: the minutiae that
 *		were paired and those that were not.
 */
#include "postgres.h"

#include "evidence/evidence.h"
#include "funcapi.h"
#include "type/fingerprint.h"

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
