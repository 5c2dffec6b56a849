/*
 * fingerprint_accessors.c
 *		What a fingerprint says, as SQL values.
 */
#include "postgres.h"

#include "compat.h"

#include "funcapi.h"
#include "match/fingerprint/quality.h"
#include "type/fingerprint.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#define FINGERPRINT_ACCESSOR(function, field, RETURN)    \
	PG_FUNCTION_INFO_V1(function);                       \
	Datum function(PG_FUNCTION_ARGS)                     \
	{                                                    \
		FingerprintTemplate finger;                      \
                                                         \
		fingerprint_unpack(PG_GETARG_DATUM(0), &finger); \
		RETURN(finger.field);                            \
	}

FINGERPRINT_ACCESSOR(biometric_fingerprint_position, position, PG_RETURN_INT16)
FINGERPRINT_ACCESSOR(biometric_fingerprint_view, view, PG_RETURN_INT16)
FINGERPRINT_ACCESSOR(biometric_fingerprint_impression, impression, PG_RETURN_INT16)
FINGERPRINT_ACCESSOR(biometric_fingerprint_quality, quality, PG_RETURN_INT16)
FINGERPRINT_ACCESSOR(biometric_fingerprint_minutia_count, count, PG_RETURN_INT16)
FINGERPRINT_ACCESSOR(biometric_fingerprint_device, device, PG_RETURN_INT32)
FINGERPRINT_ACCESSOR(biometric_fingerprint_width, width, PG_RETURN_INT32)
FINGERPRINT_ACCESSOR(biometric_fingerprint_height, height, PG_RETURN_INT32)
FINGERPRINT_ACCESSOR(biometric_fingerprint_x_resolution, x_resolution, PG_RETURN_INT32)
FINGERPRINT_ACCESSOR(biometric_fingerprint_y_resolution, y_resolution, PG_RETURN_INT32)

PG_FUNCTION_INFO_V1(biometric_fingerprint_quality_score);
Datum
biometric_fingerprint_quality_score(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	PG_RETURN_INT16(fingerprint_quality(&finger));
}

/* minutiae(fingerprint): a row for each, in the record's order, n from 1 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_minutiae);
Datum
biometric_fingerprint_minutiae(PG_FUNCTION_ARGS)
{
	static const char *const types[] = {"other", "ending", "bifurcation"};
	ReturnSetInfo           *result = (ReturnSetInfo *) fcinfo->resultinfo;
	FingerprintTemplate      finger;

	InitMaterializedSRF(fcinfo, 0);
	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	for (int i = 0; i < finger.count; i++)
	{
		Minutia *minutia = &finger.minutiae[i];
		bool     nulls[6] = {false};
		Datum    values[6];

		values[0] = Int32GetDatum(i + 1);
		values[1] = Int32GetDatum(minutia->x);
		values[2] = Int32GetDatum(minutia->y);
		values[3] = Float8GetDatum(minutia->angle * 360.0 / 256);
		values[4] = CStringGetTextDatum(types[minutia->type]);
		values[5] = Int16GetDatum(minutia->quality);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
