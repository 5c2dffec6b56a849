/*
 * fingerprint_synthetic.c
 *		Synthetic fingerprints in SQL: test templates without anyone's
 *		biometrics.
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"

#include "extract/synthetic_image.h"
#include "match/fingerprint/fingerprint.h"
#include "miscadmin.h"
#include "type/fingerprint.h"

static void
check_arguments(int32 impression, int32 position)
{
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
}

/* synthetic_fingerprint(finger bigint, impression int, finger_position int) */
PG_FUNCTION_INFO_V1(biometric_synthetic_fingerprint);
Datum
biometric_synthetic_fingerprint(PG_FUNCTION_ARGS)
{
	int64 finger = PG_GETARG_INT64(0);
	int32 impression = PG_GETARG_INT32(1);
	int32 position = PG_GETARG_INT32(2);
	FingerprintTemplate template;

	check_arguments(impression, position);
	fingerprint_synthesize(&template, finger, impression, position);
	PG_RETURN_DATUM(fingerprint_pack(&template));
}

/* Raises the cancellation of the query, and then does not return */
static bool
check_for_interrupts(void *argument)
{
	CHECK_FOR_INTERRUPTS();
	return false;
}

/* synthetic_fingerprint_image(finger bigint, impression int, finger_position int) */
PG_FUNCTION_INFO_V1(biometric_synthetic_fingerprint_image);
Datum
biometric_synthetic_fingerprint_image(PG_FUNCTION_ARGS)
{
	int32  impression = PG_GETARG_INT32(1);
	int32  position = PG_GETARG_INT32(2);
	bytea *result = palloc(VARHDRSZ + SYNTHETIC_WIDTH * SYNTHETIC_HEIGHT);
	void  *memory;

	check_arguments(impression, position);
	memory = palloc(synthetic_image_memory_size());
	synthetic_image(PG_GETARG_INT64(0), impression, position, memory, check_for_interrupts, NULL,
					(uint8_t *) VARDATA(result));
	pfree(memory);
	SET_VARSIZE(result, VARHDRSZ + SYNTHETIC_WIDTH * SYNTHETIC_HEIGHT);
	PG_RETURN_BYTEA_P(result);
}
