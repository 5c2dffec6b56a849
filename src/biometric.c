/*
 * biometric.c
 *		Start of the module: settings, choice of kernels.
 */
#include "biometric.h"

#include "fmgr.h"
#include "utils/guc.h"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "biometric", .version = "1.0");
#else
PG_MODULE_MAGIC;
#endif

double biometric_match_threshold = 40;

void _PG_init(void);

void
_PG_init(void)
{
	DefineCustomRealVariable("biometric.match_threshold",
							 "Lowest score of a match, in decibans of the false match rate.",
							 "The operator % is true for two templates that score at least this. "
							 "40 means one false match in 10000 non-mated comparisons.",
							 &biometric_match_threshold, 40, 0, 1000, PGC_USERSET, 0, NULL, NULL,
							 NULL);

	MarkGUCPrefixReserved("biometric");
}
