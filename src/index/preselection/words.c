/*
 * words.c
 *		Whether an index has pre-selection, and the postings of its entries in
 *		order.
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "index/preselection/preselection.h"
#include "utils/memutils.h"

bool
preselection_enabled(Relation index)
{
	BiometricMetaPageData meta;

	biometric_read_meta(index, &meta);
	return (meta.flags & BIOMETRIC_META_PRESELECTION) != 0;
}

int
entry_postings(const BiometricModality *modality, EntryRef ref, const void *features, Size size,
			   BiometricWord *words, Posting *postings)
{
	int n = modality->words(features, size, words);

	for (int i = 0; i < n; i++)
	{
		uint64 code = words[i].key;

		code = code << modality->tag_bits | words[i].tag;
		code = code << modality->signature_bits | words[i].signature;
		postings[i] = code << ENTRY_REF_BITS | ref;
	}
	return n;
}

/* ---- sorting ------------------------------------------------------------- */

/* Postings in ascending order as signed numbers in ascending order, and back */
#define POSTING_TO_INT64(posting) ((int64) ((posting) ^ PG_INT64_MIN))
#define INT64_TO_POSTING(number)  ((Posting) (number) ^ PG_INT64_MIN)

struct PostingSort
{
	const BiometricModality *modality;
	Tuplesortstate          *sort;
	BiometricWord           *words;
	Posting                 *postings;
};

PostingSort *
posting_sort_begin(const BiometricModality *modality, int memory, SortCoordinate coordinate)
{
	PostingSort *sort = palloc(sizeof(PostingSort));

	sort->modality = modality;
	sort->sort = tuplesort_begin_datum(INT8OID, Int8LessOperator, InvalidOid, false, memory,
									   coordinate, TUPLESORT_NONE);
	sort->words = palloc(sizeof(BiometricWord) * modality->max_words);
	sort->postings = palloc(sizeof(Posting) * modality->max_words);
	return sort;
}

void
posting_sort_add(PostingSort *sort, EntryRef ref, const void *features, Size size)
{
	int n = entry_postings(sort->modality, ref, features, size, sort->words, sort->postings);

	for (int i = 0; i < n; i++)
		tuplesort_putdatum(sort->sort, Int64GetDatum(POSTING_TO_INT64(sort->postings[i])), false);
}

void
posting_sort_perform(PostingSort *sort)
{
	tuplesort_performsort(sort->sort);
}

bool
posting_sort_next(PostingSort *sort, Posting *posting)
{
	Datum value;
	bool  isnull;

#if PG_VERSION_NUM >= 160000
	if (!tuplesort_getdatum(sort->sort, true, false, &value, &isnull, NULL))
		return false;
#else
	if (!tuplesort_getdatum(sort->sort, true, &value, &isnull, NULL))
		return false;
#endif
	*posting = INT64_TO_POSTING(DatumGetInt64(value));
	return true;
}

void
posting_sort_end(PostingSort *sort)
{
	tuplesort_end(sort->sort);
	pfree(sort->words);
	pfree(sort->postings);
	pfree(sort);
}
