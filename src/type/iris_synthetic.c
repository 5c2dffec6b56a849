/*
 * iris_synthetic.c
 *		synthetic_iris(eye, capture): made-up eyes for tests and for sizing a
 *		system.
 */
#include "postgres.h"

#include "type/iris.h"

PG_FUNCTION_INFO_V1(biometric_synthetic_iris);
Datum
biometric_synthetic_iris(PG_FUNCTION_ARGS)
{
	IrisRecord record;

	record.iris.columns = IRIS_SYNTHETIC_COLUMNS;
	record.iris.bits = IRIS_SYNTHETIC_BITS;
	record.iris.eye = IRIS_EYE_UNKNOWN;
	record.iris.code = record.code;
	record.iris.mask = record.mask;
	iris_synthesize(record.code, record.mask, PG_GETARG_INT64(0), PG_GETARG_INT32(1));
	return iris_pack(&record.iris);
}
