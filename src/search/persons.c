/*
 * persons.c
 *		Finding persons by several probes, and completing their scores.
 *
 * Each probe finds the persons of its nearest rows.  Then all rows of these
 * persons are compared with every probe, so that a person's score does not
 * depend on which probe found them.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "compat.h"
#include "miscadmin.h"
#include "search/persons.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define FETCH_ROWS 256

/* ---- persons by value ---------------------------------------------------- */

typedef struct PersonEntry
{
	Datum  value;
	int    number; /* in the list */
	uint32 hash;
	char   status;
} PersonEntry;

static inline uint32
hash_person(const PersonSearch *search, Datum value)
{
	return DatumGetUInt32(
		FunctionCall1Coll(&search->person_type->hash_proc_finfo, search->collation, value));
}

static inline bool
same_person(const PersonSearch *search, Datum a, Datum b)
{
	return DatumGetBool(
		FunctionCall2Coll(&search->person_type->eq_opr_finfo, search->collation, a, b));
}

#define SH_PREFIX            person_table
#define SH_ELEMENT_TYPE      PersonEntry
#define SH_KEY_TYPE          Datum
#define SH_KEY               value
#define SH_HASH_KEY(tb, key) hash_person((tb)->private_data, key)
#define SH_EQUAL(tb, a, b)   same_person((tb)->private_data, a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE               static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static void
add_person(PersonSearch *search, Datum value)
{
	bool         found;
	PersonEntry *entry = person_table_insert(search->numbers, value, &found);

	if (found)
		return;
	entry->value = datumCopy(value, search->person_type->typbyval, search->person_type->typlen);
	entry->number = search->count;
	if (search->count == search->capacity)
	{
		search->capacity *= 2;
		search->list = repalloc_huge(search->list, search->capacity * sizeof(Person));
	}
	memset(&search->list[search->count], 0, sizeof(Person));
	search->list[search->count++].value = entry->value;
}

/* the person of a value, NULL if not found by any probe */
static Person *
find_person(PersonSearch *search, Datum value)
{
	PersonEntry *entry = person_table_lookup(search->numbers, value);

	return entry == NULL ? NULL : &search->list[entry->number];
}

/* ---- scores by template -------------------------------------------------- */

/*
 * A template that was compared with probes, and its scores.  The same template
 * is often met again: in another row of its person, for example on another
 * list, or when the person is completed after a search that compared it.
 */
typedef struct KnownTemplate
{
	struct varlena *bytes;
	int             label;
	float8         *scores; /* of the probes, NaN where not known */
	uint32          hash;
	char            status;
} KnownTemplate;

static inline uint32
hash_template(const struct varlena *bytes)
{
	return DatumGetUInt32(
		hash_any((const unsigned char *) VARDATA_ANY(bytes), (int) VARSIZE_ANY_EXHDR(bytes)));
}

static inline bool
same_template(const struct varlena *a, const struct varlena *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

#define SH_PREFIX            known_table
#define SH_ELEMENT_TYPE      KnownTemplate
#define SH_KEY_TYPE          struct varlena *
#define SH_KEY               bytes
#define SH_HASH_KEY(tb, key) hash_template(key)
#define SH_EQUAL(tb, a, b)   same_template(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_SCOPE               static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * The place for a template's scores, valid until the next call; NULL if the
 * template is new and the table is full.
 */
static KnownTemplate *
known_template(PersonSearch *search, Datum datum)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(datum);
	KnownTemplate  *known = known_table_lookup(search->known, bytes);
	Size            length = VARSIZE_ANY(bytes);
	Size needed = sizeof(KnownTemplate) + length + (Size) search->probe_count * sizeof(float8);

	if (known == NULL && needed <= search->room)
	{
		MemoryContext old_context = MemoryContextSwitchTo(search->known->ctx);
		bool          found;

		search->room -= needed;
		known = known_table_insert(search->known, bytes, &found);
		known->bytes = palloc(length);
		memcpy(known->bytes, bytes, length);
		known->label = gallery_label(search->gallery, PointerGetDatum(known->bytes));
		known->scores = palloc(search->probe_count * sizeof(float8));
		for (int p = 0; p < search->probe_count; p++)
			known->scores[p] = get_float8_nan();
		MemoryContextSwitchTo(old_context);
	}

	/* a deep search returns many */
	if ((Pointer) bytes != DatumGetPointer(datum))
		pfree(bytes);
	return known;
}

void
persons_begin(PersonSearch *search)
{
	search->count = 0;
	search->capacity = 64;
	search->list = palloc(search->capacity * sizeof(Person));
	search->numbers = person_table_create(CurrentMemoryContext, search->capacity, search);
	search->known = known_table_create(CurrentMemoryContext, 256, NULL);
	search->room = (Size) work_mem * 1024;
	search->features = palloc(search->gallery->modality->max_features_size);
}

/* ---- finding ------------------------------------------------------------- */

/* Remembers what a probe's search compared; returns the score of its last row */
static double
note_scores(PersonSearch *search, int p)
{
	int    rows = (int) SPI_processed;
	double score = 0;

	for (int i = search->gallery->is_local ? 0 : Max(rows - 1, 0); i < rows; i++)
	{
		KnownTemplate *known;

		score = gallery_result_score(search->gallery, &search->probes[p], i, search->features);
		known = known_template(search, gallery_result(i, 2));
		if (known != NULL)
			known->scores[p] = score;
	}
	return score;
}

bool
persons_find(PersonSearch *search, int depth)
{
	char *what = psprintf("%s, %s", search->person, search->gallery->column);
	bool  complete = false;

	for (int p = 0; p < search->probe_count; p++)
	{
		Probe *probe = &search->probes[p];

		gallery_search(search->gallery, what, search->template_type, probe->datum,
					   search->min_score, depth);
		for (uint64 i = 0; i < SPI_processed; i++)
			add_person(search, gallery_result(i, 1));
		probe->last = note_scores(search, p);
		if (SPI_processed < (uint64) depth)
		{
			complete |= search->min_score <= 0;
			probe->last = search->min_score;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	return complete;
}

/* ---- completing ---------------------------------------------------------- */

/*
 * The scores of a row with the probes that it can be of the same finger or eye
 * as; the others do not count.  Features are taken only if a score is not known
 * yet.
 */
static void
compare_row(PersonSearch *search, PersonRow *row, Datum datum)
{
	KnownTemplate *known = known_template(search, datum);
	Size           size = 0;

	row->label = known != NULL ? known->label : gallery_label(search->gallery, datum);
	for (int p = 0; p < search->probe_count; p++)
	{
		if (!gallery_labels_meet(&search->probes[p], row->label))
			continue;
		if (known != NULL && !isnan(known->scores[p]))
		{
			row->scores[p] = known->scores[p];
			continue;
		}
		if (size == 0)
			size = search->gallery->modality->extract(datum, search->features);
		row->scores[p] =
			gallery_compare(search->gallery, &search->probes[p], search->features, size);
		if (known != NULL)
			known->scores[p] = row->scores[p];
	}
}

/* a cursor on all rows of the persons found, in an order that no plan changes */
static Portal
open_rows(PersonSearch *search, SPIPlanPtr *plan)
{
	Gallery         *gallery = search->gallery;
	int              n = gallery->parameters;
	Oid              type = search->person_type->type_id;
	ArrayBuildState *values = initArrayResult(type, CurrentMemoryContext, false);
	char            *statement;

	for (int i = 0; i < search->count; i++)
		values = accumArrayResult(values, search->list[i].value, false, type, CurrentMemoryContext);
	gallery->types[n] = get_array_type(type);
	gallery->values[n] = makeArrayResult(values, CurrentMemoryContext);
	statement =
		psprintf("%s ORDER BY 2",
				 gallery_select(
					 gallery, psprintf("%s, %s, %s", search->person, gallery->column, gallery->key),
					 psprintf(" AND %s %s ANY ($%d)", search->person,
							  gallery_quote_operator(search->person_type->eq_opr), n + 1)));
	*plan = gallery_prepare(gallery, statement, n + 1);
	return SPI_cursor_open(NULL, *plan, gallery->values, NULL, true);
}

void
persons_complete(PersonSearch *search)
{
	SPIPlanPtr    plan;
	Portal        portal = open_rows(search, &plan);
	MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "identify", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Person       *person = find_person(search, gallery_result(i, 1));
			MemoryContext old_context;
			PersonRow    *row;

			CHECK_FOR_INTERRUPTS();
			if (person == NULL)
				continue;
			row = palloc0(sizeof(PersonRow));
			row->key = PointerGetDatum(PG_DETOAST_DATUM_COPY(gallery_result(i, 3)));
			row->scores = palloc0(search->probe_count * sizeof(float8));

			/* decoding leaves memory behind */
			old_context = MemoryContextSwitchTo(scratch);
			compare_row(search, row, gallery_result(i, 2));
			MemoryContextSwitchTo(old_context);
			if (person->rows == NULL)
				person->rows = row;
			else
				person->last_row->next = row;
			person->last_row = row;
			person->row_count++;
		}
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(scratch);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
}
