/*
 * kernels.c
 *		biometric_kernels(): the kernels of this build, which of them this
 *		processor supports, and which are used.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "match/cpu.h"
#include "match/fingerprint/likelihood.h"
#include "match/iris/kernels.h"
#include "utils/builtins.h"

/* Loops that the compiler makes faster: CPU_VERSIONS */
static const CpuKernel plain = {"plain", 0};
#ifdef CPU_X86_64
static const CpuKernel with_popcnt = {"popcnt", CPU_POPCNT};
static const CpuKernel with_avx2 = {"avx2", CPU_AVX2};
#endif

static const CpuKernel *const geometry_kernels[] = {
	&plain,
#ifdef CPU_X86_64
	&with_avx2,
#endif
};

static const CpuKernel *const vote_kernels[] = {
	&plain,
#ifdef CPU_X86_64
	&with_popcnt,
#endif
};

static const CpuLoop geometry_loop = {"fingerprint geometry", lengthof(geometry_kernels),
									  geometry_kernels};
static const CpuLoop vote_loop = {"votes", lengthof(vote_kernels), vote_kernels};

static const CpuLoop *const loops[] = {&iris_code_loop, &fingerprint_likelihood_loop,
									   &geometry_loop, &vote_loop};

PG_FUNCTION_INFO_V1(biometric_kernels);
Datum
biometric_kernels(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int l = 0; l < lengthof(loops); l++)
		for (int i = 0; i < loops[l]->n; i++)
		{
			const CpuKernel *kernel = loops[l]->kernels[i];
			bool             nulls[3] = {false};
			Datum            values[3];

			values[0] = CStringGetTextDatum(psprintf("%s: %s", loops[l]->name, kernel->name));
			values[1] = BoolGetDatum(cpu_has(kernel->needs));
			values[2] = BoolGetDatum(kernel == cpu_choose(loops[l]));
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		}
	return (Datum) 0;
}
