/*
 * module.c
 *		Start of the module, and its version.
 */
#include "postgres.h"

#include "compat.h"
#include "settings.h"

#include "fmgr.h"
#include "index/activity.h"
#include "index/index.h"
#include "match/fingerprint/fingerprint.h"
#include "match/iris/iris.h"
#include "utils/builtins.h"

#define LIBRARY_VERSION "2.0"

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "biometric", .version = LIBRARY_VERSION);
#else
PG_MODULE_MAGIC;
#endif

void _PG_init(void);

void
_PG_init(void)
{
	biometric_init_options();
	biometric_init_settings();
	biometric_install_planner_hook();
	activity_init();
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
