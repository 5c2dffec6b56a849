/*
 * kernels_sql.c
 *		biometric_kernels(): what this build and this processor have for
 *		counting bits.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "match/iris/kernels.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(biometric_kernels);
Datum
biometric_kernels(PG_FUNCTION_ARGS)
{
	ReturnSetInfo       *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int                  n;
	const Kernel *const *kernels = kernel_list(&n);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		Datum values[3];
		bool  nulls[3] = {false, false, false};

		values[0] = CStringGetTextDatum(kernels[i]->name);
		values[1] = BoolGetDatum(kernels[i]->supported());
		values[2] = BoolGetDatum(kernels[i] == kernel_chosen());
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
