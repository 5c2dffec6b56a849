/*
 * estimate.c
 *		biometric_index_estimate: what an index will take, before it is built.
 *
 * Sizes follow from what the features and words of a sample template take on
 * the pages.  The time is measured: the sample's features are extracted for a
 * moment, on the machine where the index would be built.  Sorting and writing
 * are added at rates that are typical; they are the smaller part.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "access/htup_details.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "index/index.h"
#include "index/preselection/preselection.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "postmaster/bgworker_internals.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Extraction is timed for this long, seconds */
#define TIMED_SECONDS 0.02

/* Sorting and writing a posting, seconds; reading the table and logging the index, bytes a second */
#define POSTING_SECONDS  0.3e-6
#define TABLE_BYTE_RATE  1e9
#define LOGGED_BYTE_RATE 300e6

/* An index that takes more of shared buffers is not kept in them: reader.c */
#define CACHED_SHARE 0.75

/* Seconds to extract the features, and words if there are any, of a template */
static double
time_extraction(const BiometricModality *modality, Datum template, void *features,
				BiometricWord *words)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "biometric estimate", ALLOCSET_DEFAULT_SIZES);
	instr_time start, now;
	int        times = 0;

	INSTR_TIME_SET_CURRENT(start);
	do
	{
		MemoryContext old_context = MemoryContextSwitchTo(context);
		Size          size = modality->extract(template, features);

		if (words != NULL)
			modality->words(features, size, words);
		MemoryContextSwitchTo(old_context);
		MemoryContextReset(context);
		CHECK_FOR_INTERRUPTS();
		times++;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, start);
	} while (INSTR_TIME_GET_DOUBLE(now) < TIMED_SECONDS);
	MemoryContextDelete(context);
	return INSTR_TIME_GET_DOUBLE(now) / times;
}

/*
 * Pages for so many entries.  Entries of different sizes leave about half an
 * entry free on each page.  Entries of irises have one size and leave less; the
 * difference does not matter.
 */
static double
gallery_pages(double rows, Size features_size)
{
	Size   entry_size = MAXALIGN(GALLERY_ENTRY_HEADER + features_size) + sizeof(ItemIdData);
	double entries = (double) GALLERY_PAGE_SPACE / entry_size;

	if (entries > 1 << ENTRY_REF_OFFSET_BITS)
		entries = 1 << ENTRY_REF_OFFSET_BITS;
	else
		entries = Max(entries - 0.5, 1);
	return ceil(rows / entries);
}

/* As many as there are groups, which end when the pages or the sketches are enough */
static double
sketch_pages(double rows, double gallery, const BiometricModality *modality, const void *features,
			 Size features_size)
{
	Size sketch_size = 0;

	if (modality->sketch != NULL)
		sketch_size = modality->sketch(features, features_size, palloc(modality->max_sketch_size));
	sketch_size = MAXALIGN(SKETCH_ENTRY_HEADER + sketch_size) + sizeof(ItemIdData);
	return ceil(Max(gallery / modality->group_pages, rows * sketch_size / GALLERY_PAGE_SPACE));
}

PG_FUNCTION_INFO_V1(biometric_index_estimate);
Datum
biometric_index_estimate(PG_FUNCTION_ARGS)
{
	int64 rows = PG_GETARG_INT64(0);
	Oid   type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	Datum template = PG_GETARG_DATUM(1);
	int                      workers = PG_GETARG_INT32(2);
	const BiometricModality *modality = biometric_modality_of_type(getBaseType(type));
	void                    *features = palloc(modality->max_features_size);
	BiometricWord           *words = NULL;
	int                      nwords = 0;
	Size                     size;
	double                   gallery, leaves = 0;
	double                   extraction, seconds;
	TupleDesc                descriptor;
	Datum                    values[5];
	bool                     nulls[5] = {false};

	if (rows < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("number of rows must not be negative")));
	if (workers < 0 || workers > MAX_PARALLEL_WORKER_LIMIT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of workers must be between 0 and %d", MAX_PARALLEL_WORKER_LIMIT)));
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	size = modality->extract(template, features);
	if (modality->key_bits > 0)
	{
		words = palloc(sizeof(BiometricWord) * modality->max_words);
		nwords = modality->words(features, size, words);
	}
	extraction = time_extraction(modality, template, features, words);

	gallery = gallery_pages(rows, size);
	gallery += sketch_pages(rows, gallery, modality, features, size);
	if (nwords > 0 && rows > 0)
	{
		leaves = ceil((double) rows * nwords * POSTING_BYTES / (BLCKSZ * PRESELECTION_BUILD_FILL));
		leaves += ceil(leaves * DIRECTORY_ENTRY_BYTES / (BLCKSZ * PRESELECTION_BUILD_FILL));
	}

	/* the processes share the table and the sorting, one of them writes */
	seconds =
		rows *
		(extraction + toast_raw_datum_size(template) / TABLE_BYTE_RATE + nwords * POSTING_SECONDS) /
		(workers + 1);
	seconds += (gallery + leaves) * BLCKSZ / LOGGED_BYTE_RATE;

	values[0] = Int64GetDatum((int64) ((1 + gallery + leaves) * BLCKSZ));
	values[1] = Int64GetDatum((int64) (gallery * BLCKSZ));
	values[2] = Int64GetDatum((int64) (leaves * BLCKSZ));
	values[3] = Int64GetDatum((int64) (ceil((1 + gallery + leaves) / CACHED_SHARE) * BLCKSZ));
	values[4] = Float8GetDatum(seconds);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}
