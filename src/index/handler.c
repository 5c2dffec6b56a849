/*
 * handler.c
 *		What the access method can do, for the planner and the executor.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "index/index.h"

/* There are no storage parameters; asking for one is an error */
static bytea *
biometric_options(Datum reloptions, bool validate)
{
	static relopt_kind kind = 0;

	if (kind == 0)
		kind = add_reloption_kind();
	return (bytea *) build_reloptions(reloptions, validate, kind, 0, NULL, 0);
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

	PG_RETURN_POINTER(routine);
}
