/*
 * handler.c
 *		What the access method can do, for the planner and the executor.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "index/index.h"

static relopt_kind options_kind;

/* Called once, when the module is loaded */
void
biometric_init_options(void)
{
	options_kind = add_reloption_kind();
	add_bool_reloption(options_kind, "preselection",
					   "Keeps words of the templates, for fast searches.", true,
					   AccessExclusiveLock);
	add_int_reloption(options_kind, "pending_limit", "New entries before a merge of their words.",
					  BIOMETRIC_DEFAULT_PENDING_LIMIT, 16, 1000000, ShareUpdateExclusiveLock);
}

static bytea *
biometric_options(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{"preselection", RELOPT_TYPE_BOOL, offsetof(BiometricOptions, preselection)},
		{"pending_limit", RELOPT_TYPE_INT, offsetof(BiometricOptions, pending_limit)}};

	return (bytea *) build_reloptions(reloptions, validate, options_kind, sizeof(BiometricOptions),
									  table, lengthof(table));
}

PG_FUNCTION_INFO_V1(biometric_handler);
Datum
biometric_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	routine->amstrategies = BIOMETRIC_STRATEGIES;
	routine->amsupport = BIOMETRIC_PROCS;
	routine->amcanorderbyop = true;

	/*
	 * Rows with a NULL template are in the index, so a scan without a qual
	 * returns all rows: what "ORDER BY template <-> $1" needs.
	 */
	routine->amoptionalkey = true;
	routine->amcanparallel = true;
#if PG_VERSION_NUM >= 170000
	routine->amcanbuildparallel = true;
#endif

	/* vacuum is one pass over all pages, in either of its two steps */
	routine->amparallelvacuumoptions =
		VACUUM_OPTION_PARALLEL_BULKDEL | VACUUM_OPTION_PARALLEL_CLEANUP;

	routine->ambuild = biometric_build;
	routine->ambuildempty = biometric_buildempty;
	routine->aminsert = biometric_insert;
	routine->ambulkdelete = biometric_bulkdelete;
	routine->amvacuumcleanup = biometric_vacuumcleanup;
	routine->amcostestimate = biometric_costestimate;
	routine->amoptions = biometric_options;
	routine->ambuildphasename = biometric_buildphasename;
	routine->amvalidate = biometric_validate;
	routine->ambeginscan = biometric_beginscan;
	routine->amrescan = biometric_rescan;
	routine->amgettuple = biometric_gettuple;
	routine->amgetbitmap = biometric_getbitmap;
	routine->amendscan = biometric_endscan;
	routine->amestimateparallelscan = biometric_estimateparallelscan;
	routine->aminitparallelscan = biometric_initparallelscan;
	routine->amparallelrescan = biometric_parallelrescan;

	PG_RETURN_POINTER(routine);
}
