/*
 * module.c
 *		Start of the module: settings, planner hook, version.
 */
#include "postgres.h"

#include "compat.h"
#include "settings.h"

#include "fmgr.h"
#include "index/index.h"
#include "match/fingerprint/fingerprint.h"
#include "match/iris/iris.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#define LIBRARY_VERSION "2.0"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "biometric", .version = LIBRARY_VERSION);
#else
PG_MODULE_MAGIC;
#endif

double biometric_match_threshold = 40;
int    biometric_search_mode = BIOMETRIC_SEARCH_EXACT;
double biometric_penetration_rate = 0.002;

static const struct config_enum_entry search_modes[] = {
	{"exact", BIOMETRIC_SEARCH_EXACT, false},
	{"fast", BIOMETRIC_SEARCH_FAST, false},
	{NULL, 0, false},
};

void _PG_init(void);

void
_PG_init(void)
{
	biometric_init_options();
	DefineCustomRealVariable(
		"biometric.match_threshold",
		"Lowest score of a match, in decibans of the false match rate.",
		"The operator % is true for two templates that score at least this. 40 means one false "
		"match in 10000 non-mated comparisons. The form template % probe(template, min_score) has "
		"a threshold of its own and does not read this setting.",
		&biometric_match_threshold, 40, 0, 1000, PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	DefineCustomEnumVariable(
		"biometric.search_mode", "How index scans search a gallery.",
		"\"exact\" compares the query with every entry: the result is that of a sequential scan. "
		"\"fast\" compares it first, or only, with the entries that have most in common with it, "
		"and may miss matches.",
		&biometric_search_mode, BIOMETRIC_SEARCH_EXACT, search_modes, PGC_USERSET, GUC_EXPLAIN,
		NULL, NULL, NULL);
	DefineCustomRealVariable(
		"biometric.penetration_rate", "Largest share of the gallery that a fast search compares.",
		"A fast search compares at least a thousand entries. Entries that are too new to be "
		"pre-selected are compared as well. 1 makes the search exact.",
		&biometric_penetration_rate, 0.002, 0.000001, 1, PGC_USERSET, GUC_EXPLAIN, NULL, NULL,
		NULL);

	MarkGUCPrefixReserved("biometric");
	biometric_install_planner_hook();
}

/*
 * biometric_version() returns text: the library that is running, and what
 * decides its scores.  An index of other versions refuses to be searched, so
 * these are the index's, too.
 */
PG_FUNCTION_INFO_V1(biometric_version);
Datum
biometric_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(
		psprintf("%s, index format %d, fingerprint features %d, iris features %d", LIBRARY_VERSION,
				 BIOMETRIC_FORMAT_VERSION, FINGERPRINT_FEATURES_VERSION, IRIS_FEATURES_VERSION)));
}
