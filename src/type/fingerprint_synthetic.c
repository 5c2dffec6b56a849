/*
 * fingerprint_synthetic.c
 *		Synthetic fingerprints in SQL: test templates without anyone's
 *		biometrics.
 */
#include "postgres.h"

#include "fmgr.h"

#include "match/fingerprint/fingerprint.h"
#include "type/fingerprint.h"

/* synthetic_fingerprint(finger bigint, impression int, finger_position int) */
PG_FUNCTION_INFO_V1(biometric_synthetic_fingerprint);
Datum
biometric_synthetic_fingerprint(PG_FUNCTION_ARGS)
{
	int64 finger = PG_GETARG_INT64(0);
	int32 impression = PG_GETARG_INT32(1);
	int32 position = PG_GETARG_INT32(2);
	FingerprintTemplate template;

	if (impression < 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("impression %d is negative", impression),
			 errhint(
				 "Impressions of a finger are numbered 0, 1, 2 and so on; impression 0 is a good one.")));
	if (position < 0 || position > FINGERPRINT_MAX_POSITION)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("finger position %d is out of range", position),
			 errhint(
				 "Finger positions are 0 (unknown), 1 to 5 (right thumb to little finger) and 6 to 10 (left thumb to little finger).")));

	fingerprint_synthesize(&template, finger, impression, position);
	PG_RETURN_DATUM(fingerprint_pack(&template));
}
