/*
 * settings.c
 *		The settings, which anyone may set for a session or a transaction.
 */
#include "postgres.h"

#include "settings.h"
#include "utils/guc.h"

double biometric_match_threshold = 40;
int    biometric_search_mode = BIOMETRIC_SEARCH_EXACT;
double biometric_penetration_rate = 0.002;

static const struct config_enum_entry search_modes[] = {
	{"exact", BIOMETRIC_SEARCH_EXACT, false},
	{"fast", BIOMETRIC_SEARCH_FAST, false},
	{NULL, 0, false},
};

void
biometric_init_settings(void)
{
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
}
