/*
 * identify.c
 *		Candidate lists: who in a gallery is this?
 *
 * identify(gallery, template_column, probe, ..) returns the k nearest rows.
 * identify(gallery, person_column, template_column, probes, ..) searches with
 * each of several probes of one person, completes the scores of everybody
 * found by any of them and adds those of different fingers or eyes.
 */
#include "postgres.h"

#include <math.h>

#include "search/fusion.h"
#include "search/gallery_search.h"
#include "compat.h"
#include "settings.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define MAX_CANDIDATES 10000
#define MAX_PROBES     100
#define MIN_DEPTH      20
#define FAST_DEPTH     10  /* mates that a fast search finds at all come first */
#define AUTO_DEPTH     500 /* completing more persons takes longer than finding them */
#define MAX_DEPTH      100000
#define FETCH_ROWS     256
#define MAX_LABEL      BIOMETRIC_MAX_LABEL

/* The two bounds between the three verdicts */
typedef struct Bands
{
	double possible;
	double probable;
} Bands;

/* ----------
 * Arguments that both have
 * ----------
 */

static int
candidates_argument(FunctionCallInfo fcinfo, int argument)
{
	int k;

	if (PG_ARGISNULL(argument))
		gallery_null_argument("k");
	k = PG_GETARG_INT32(argument);
	if (k < 1 || k > MAX_CANDIDATES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("k must be between 1 and %d", MAX_CANDIDATES)));
	return k;
}

static Bands
bands_argument(FunctionCallInfo fcinfo, int argument)
{
	Bands bands;

	if (PG_ARGISNULL(argument))
		gallery_null_argument("possible_fpir");
	if (PG_ARGISNULL(argument + 1))
		gallery_null_argument("probable_fpir");
	bands.possible = PG_GETARG_FLOAT8(argument);
	bands.probable = PG_GETARG_FLOAT8(argument + 1);
	if (!(bands.probable > 0 && bands.probable <= bands.possible && bands.possible < 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("bounds of the verdict are out of range"),
						errdetail("It must hold that 0 < probable_fpir <= possible_fpir < 1.")));
	return bands;
}

static int64
size_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument))
		return 0;
	gallery_check_size(PG_GETARG_INT64(argument));
	return PG_GETARG_INT64(argument);
}

static const char *
verdict_of(double fpir, const Bands *bands)
{
	if (fpir <= bands->probable)
		return "probable";
	return fpir <= bands->possible ? "possible" : "none";
}

/* the type of the probes: the argument's, or its elements' */
static Oid
probe_type_of(FunctionCallInfo fcinfo, int argument)
{
	Oid *types;
	int  arguments;
	Oid  element;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &arguments);
	element = get_element_type(types[argument]);
	return OidIsValid(element) ? element : types[argument];
}

/* ----------
 * One probe, candidates are rows
 * ----------
 */

typedef struct CandidateRow
{
	Datum  key; /* jsonb */
	double score;
} CandidateRow;

/* best first; ties by key, so that their order is no plan's */
static int
compare_candidate_rows(const void *left, const void *right)
{
	const CandidateRow *a = left;
	const CandidateRow *b = right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return compareJsonbContainers(&DatumGetJsonbP(a->key)->root, &DatumGetJsonbP(b->key)->root);
}

/* identify(gallery, template_column, probe, ..) */
PG_FUNCTION_INFO_V1(biometric_identify);
Datum
biometric_identify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid            probe_type = probe_type_of(fcinfo, 2);
	Gallery        gallery;
	Bands          bands;
	Probe          probe;
	void          *features;
	CandidateRow  *rows;
	int            k, count;
	int64          size;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		gallery_null_argument("gallery");
	if (PG_ARGISNULL(1))
		gallery_null_argument("template_column");
	k = candidates_argument(fcinfo, 3);
	bands = bands_argument(fcinfo, 5);
	size = size_argument(fcinfo, 7);

	SPI_connect();
	gallery_open(&gallery, PG_GETARG_OID(0), NULL, NameStr(*PG_GETARG_NAME(1)),
				 PG_ARGISNULL(4) ? NULL : PG_GETARG_JSONB_P(4),
				 PG_ARGISNULL(8) ? NULL : PG_GETARG_ARRAYTYPE_P(8),
				 PG_ARGISNULL(9) ? NULL : PG_GETARG_ARRAYTYPE_P(9), probe_type);

	/* nobody is asked for */
	if (PG_ARGISNULL(2))
		goto done;

	gallery_begin_probe(&gallery, &probe, PG_GETARG_DATUM(2));
	if (size == 0)
		size = gallery_count(&gallery, gallery_comparable(&gallery, &probe));
	features = palloc(gallery.modality->max_features_size);
	gallery_search(&gallery, psprintf("%s, %s", gallery.key, gallery.column), probe_type,
				   probe.datum, k);
	count = (int) SPI_processed;
	rows = palloc(Max(count, 1) * sizeof(CandidateRow));
	for (int i = 0; i < count; i++)
	{
		rows[i].key = gallery_result(i, 1);
		rows[i].score = gallery_compare_template(&gallery, &probe, gallery_result(i, 2), features);
	}
	qsort(rows, count, sizeof(CandidateRow), compare_candidate_rows);
	for (int i = 0; i < count; i++)
	{
		double fpir = gallery_fpir(fusion_log_fmr(rows[i].score, 1), Max(size, 1));
		bool   nulls[6] = {false};
		Datum  values[6];

		values[0] = Int32GetDatum(i + 1);
		values[1] = rows[i].key;
		values[2] = Float8GetDatum(rows[i].score);
		values[3] = Float8GetDatum(fpir);
		values[4] = CStringGetTextDatum(verdict_of(fpir, &bands));
		values[5] = Int64GetDatum(size);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}

done:
	gallery_close(&gallery);
	SPI_finish();
	return (Datum) 0;
}

/* ----------
 * Several probes, candidates are persons
 * ----------
 */

/* A row of a person's */
typedef struct PersonRow
{
	struct PersonRow *next;
	int               label;
	Datum             key;    /* jsonb */
	float8           *scores; /* of the probes */
} PersonRow;

/* A probe and a row that were compared; a finger or an eye can be in several */
typedef struct Comparison
{
	double     score;
	int        probe;
	int        order; /* of the row */
	PersonRow *row;
	int        source;      /* label of either side, 0 where neither is known */
	int64      comparisons; /* of which this is the best */
} Comparison;

typedef struct Person
{
	Datum      value; /* of the person column */
	PersonRow *rows;  /* in the order they came */
	PersonRow *last_row;
	int        row_count;
	double     score;
	double     log_fmr;
	int        sources;
	char      *name;
	char      *evidence; /* JSON */
} Person;

/* The persons found, and a hash table of their numbers */
typedef struct Persons
{
	TypeCacheEntry *type;
	Oid             collation;
	int             count;
	int             capacity;
	Person         *list;
	uint32          slots; /* a power of 2, 0 before the first */
	int            *table; /* number + 1, 0 is free */
} Persons;

static int *
person_slot(Persons *persons, Datum value)
{
	uint32 hash = DatumGetUInt32(
		FunctionCall1Coll(&persons->type->hash_proc_finfo, persons->collation, value));
	uint32 slot = hash & (persons->slots - 1);

	while (persons->table[slot] != 0 &&
		   !DatumGetBool(FunctionCall2Coll(&persons->type->eq_opr_finfo, persons->collation, value,
										   persons->list[persons->table[slot] - 1].value)))
		slot = (slot + 1) & (persons->slots - 1);
	return &persons->table[slot];
}

/* the person of a value, NULL if not known */
static Person *
find_person(Persons *persons, Datum value)
{
	int number = persons->slots ? *person_slot(persons, value) : 0;

	return number == 0 ? NULL : &persons->list[number - 1];
}

static void
add_person(Persons *persons, Datum value)
{
	int *slot;

	if (find_person(persons, value) != NULL)
		return;
	if (persons->list == NULL || persons->count == persons->capacity)
	{
		persons->capacity = persons->capacity ? 2 * persons->capacity : 64;
		persons->list = persons->list
							? repalloc_huge(persons->list, persons->capacity * sizeof(Person))
							: palloc(persons->capacity * sizeof(Person));

		/* half full at most */
		persons->slots = 2 * persons->capacity;
		if (persons->table != NULL)
			pfree(persons->table);
		persons->table = palloc0(persons->slots * sizeof(int));
		for (int i = 0; i < persons->count; i++)
			*person_slot(persons, persons->list[i].value) = i + 1;
	}
	slot = person_slot(persons, value);
	memset(&persons->list[persons->count], 0, sizeof(Person));
	persons->list[persons->count].value =
		datumCopy(value, persons->type->typbyval, persons->type->typlen);
	*slot = ++persons->count;
}

/*
 * Templates that were compared with probes, and their scores.  The same one is
 * met again in another row of its person, for example in another list, and
 * after the searches, which compared it, when its person is completed.
 */
typedef struct KnownTemplate
{
	struct KnownTemplate *next; /* in its slot */
	uint32                hash;
	struct varlena *template;
	int     label;
	float8 *scores; /* of the probes, NaN where not known */
} KnownTemplate;

#define KNOWN_SLOTS 1024

typedef struct KnownTemplates
{
	MemoryContext  context;
	Size           room; /* bytes for those to come */
	int            probe_count;
	KnownTemplate *slots[KNOWN_SLOTS];
} KnownTemplates;

static KnownTemplates *
create_known_templates(int probe_count)
{
	KnownTemplates *known = palloc0(sizeof(KnownTemplates));

	known->context = CurrentMemoryContext;
	known->room = (Size) work_mem * 1024;
	known->probe_count = probe_count;
	return known;
}

/*
 * The place for a template's scores; NULL if it is new and there is no room
 * for more of them.
 */
static KnownTemplate *
known_template(KnownTemplates *known, const Gallery *gallery, Datum datum)
{
	struct varlena *template = PG_DETOAST_DATUM_PACKED(datum);
	Size   length = VARSIZE_ANY_EXHDR(template);
	uint32 hash = DatumGetUInt32(hash_any((unsigned char *) VARDATA_ANY(template), (int) length));
	KnownTemplate **slot = &known->slots[hash % KNOWN_SLOTS];
	KnownTemplate  *found = *slot;
	Size            needed =
		sizeof(KnownTemplate) + VARHDRSZ + length + (Size) known->probe_count * sizeof(float8);

	while (found != NULL &&
		   (found->hash != hash || VARSIZE_ANY_EXHDR(found->template) != length ||
			memcmp(VARDATA_ANY(found->template), VARDATA_ANY(template), length) != 0))
		found = found->next;

	if (found == NULL && needed <= known->room)
	{
		MemoryContext old_context = MemoryContextSwitchTo(known->context);

		known->room -= needed;
		found = palloc(sizeof(KnownTemplate));
		found->hash = hash;
		found->template = palloc(VARHDRSZ + length);
		SET_VARSIZE(found->template, VARHDRSZ + length);
		memcpy(VARDATA(found->template), VARDATA_ANY(template), length);
		found->label = gallery_label(gallery, PointerGetDatum(found->template));
		found->scores = palloc(known->probe_count * sizeof(float8));
		for (int p = 0; p < known->probe_count; p++)
			found->scores[p] = get_float8_nan();
		found->next = *slot;
		*slot = found;
		MemoryContextSwitchTo(old_context);
	}

	/* a deep search returns many */
	if ((Pointer) template != DatumGetPointer(datum))
		pfree(template);
	return found;
}

/* Remembers what a search compared; returns the score of its last row */
static double
note_scores(Gallery *gallery, Probe *probes, int p, KnownTemplates *known, void *features)
{
	double score = 0;

	if (SPI_processed == 0)
		return 0;
	if (!gallery->is_local)
		return gallery_compare_template(gallery, &probes[p], gallery_result(SPI_processed - 1, 2),
										features);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		KnownTemplate *template = known_template(known, gallery, gallery_result(i, 2));

		score = gallery->modality->score(DatumGetFloat8(gallery_result(i, 3)));
		if (template != NULL)
			template->scores[p] = score;
	}
	return score;
}

/*
 * Search with every probe and note whom it finds.  Returns whether one of the
 * searches came to the end of the gallery, so that nobody is left out.
 */
static bool
find_persons(Gallery *gallery, const char *person, Oid probe_type, Probe *probes, int probe_count,
			 int depth, Persons *persons, KnownTemplates *known, void *features)
{
	char *what = psprintf("%s, %s", person, gallery->column);
	bool  complete = false;

	for (int p = 0; p < probe_count; p++)
	{
		gallery_search(gallery, what, probe_type, probes[p].datum, depth);
		for (uint64 i = 0; i < SPI_processed; i++)
			add_person(persons, gallery_result(i, 1));
		probes[p].last = note_scores(gallery, probes, p, known, features);
		if (SPI_processed < (uint64) depth)
		{
			complete = true;
			probes[p].last = 0;
		}
		SPI_freetuptable(SPI_tuptable);
	}
	return complete;
}

static int
compare_descending(const void *left, const void *right)
{
	double a = *(const double *) left;
	double b = *(const double *) right;

	return (a < b) - (a > b);
}

/*
 * The most that somebody whom no search returned can score: each finger no
 * more than the last row of its searches.  Also whether that, or what a part of
 * the fingers can reach, is below the bound of the verdict "possible".
 */
static double
unseen_score(const Probe *probes, int probe_count, double possible_fpir, int64 size,
			 bool *below_bound)
{
	double last[MAX_LABEL + 1] = {0};
	double bounds[MAX_LABEL + 1 + MAX_PROBES];
	int    sources = 0;
	double sum = 0;

	for (int p = 0; p < probe_count; p++)
	{
		if (probes[p].label == 0)
			bounds[sources++] = probes[p].last;
		else
			last[probes[p].label] = Max(last[probes[p].label], probes[p].last);
	}
	for (int label = 1; label <= MAX_LABEL; label++)
		if (last[label] > 0)
			bounds[sources++] = last[label];
	qsort(bounds, sources, sizeof(double), compare_descending);

	*below_bound = true;
	for (int i = 0; i < sources; i++)
	{
		sum += bounds[i];
		if (gallery_fpir(fusion_log_fmr(sum, i + 1), size) <= possible_fpir)
			*below_bound = false;
	}
	return sum;
}

/* whether searches return the nearest rows, and not only some of them */
static bool
search_is_exact(void)
{
	return biometric_search_mode == BIOMETRIC_SEARCH_EXACT;
}

/*
 * A depth with which unseen_score comes out below the bound, if scores keep
 * their promise and it is worth the time.
 */
static int
first_depth(const Probe *probes, int probe_count, int k, double possible_fpir, int64 size)
{
	bool   seen[MAX_LABEL + 1] = {false};
	int    least = Max(MIN_DEPTH, 2 * k);
	int    sources = 0;
	double depth;

	/* a fast search promises nothing of those it leaves out: enough for a list */
	if (!search_is_exact())
		return Max(FAST_DEPTH, k);

	for (int p = 0; p < probe_count; p++)
	{
		if (probes[p].label == 0 || !seen[probes[p].label])
			sources++;
		seen[probes[p].label] = true;
	}

	/* twice as many rows as reach this score by chance */
	depth = 2 * (double) size *
			pow(10, -gallery_threshold(possible_fpir, size, sources) / sources / 10);
	return (int) Max(least, Min(ceil(depth), AUTO_DEPTH));
}

/*
 * The scores of a row with the probes that it can be of the same finger or eye
 * as, the others' being of no account.  Features are taken only if a score is
 * not known yet.
 */
static void
compare_row(const Gallery *gallery, Probe *probes, int probe_count, PersonRow *row, Datum datum,
			KnownTemplates *known, void *features)
{
	KnownTemplate *template = known_template(known, gallery, datum);
	Size size = 0;

	row->label = template != NULL ? template->label : gallery_label(gallery, datum);
	for (int p = 0; p < probe_count; p++)
	{
		if (!gallery_labels_meet(&probes[p], row->label))
			continue;
		if (template != NULL && !isnan(template->scores[p]))
		{
			row->scores[p] = template->scores[p];
			continue;
		}
		if (size == 0)
			size = gallery->modality->extract(datum, features);
		row->scores[p] = gallery_compare(gallery, &probes[p], features, size);
		if (template != NULL)
			template->scores[p] = row->scores[p];
	}
}

/* all rows of the persons found, compared with every probe */
static void
complete_persons(Gallery *gallery, const char *person, Probe *probes, int probe_count,
				 Persons *persons, KnownTemplates *known, void *features)
{
	int              n = gallery->parameters;
	Oid              type = persons->type->type_id;
	ArrayBuildState *values = initArrayResult(type, CurrentMemoryContext, false);
	SPIPlanPtr       plan;
	Portal           portal;
	char            *statement;
	MemoryContext    scratch =
		AllocSetContextCreate(CurrentMemoryContext, "identify", ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < persons->count; i++)
		values =
			accumArrayResult(values, persons->list[i].value, false, type, CurrentMemoryContext);
	gallery->types[n] = get_array_type(type);
	gallery->values[n] = makeArrayResult(values, CurrentMemoryContext);

	/* in an order that no plan changes */
	statement = psprintf(
		"%s ORDER BY 2",
		gallery_select(gallery, psprintf("%s, %s, %s", person, gallery->column, gallery->key),
					   psprintf(" AND %s %s ANY ($%d)", person,
								gallery_quote_operator(persons->type->eq_opr), n + 1)));
	plan = gallery_prepare(gallery, statement, n + 1);
	portal = SPI_cursor_open(NULL, plan, gallery->values, NULL, true);
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			Person       *found = find_person(persons, gallery_result(i, 1));
			Datum         datum = gallery_result(i, 2);
			MemoryContext old_context;
			PersonRow    *row;

			CHECK_FOR_INTERRUPTS();
			if (found == NULL)
				continue;
			row = palloc0(sizeof(PersonRow));
			row->key = PointerGetDatum(PG_DETOAST_DATUM_COPY(gallery_result(i, 3)));
			row->scores = palloc0(probe_count * sizeof(float8));

			/* decoding leaves memory behind */
			old_context = MemoryContextSwitchTo(scratch);
			compare_row(gallery, probes, probe_count, row, datum, known, features);
			MemoryContextSwitchTo(old_context);
			if (found->rows == NULL)
				found->rows = row;
			else
				found->last_row->next = row;
			found->last_row = row;
			found->row_count++;
		}
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(scratch);
	}
	SPI_freetuptable(SPI_tuptable);
	SPI_cursor_close(portal);
	SPI_freeplan(plan);
}

/* best first; ties in the order of the probes and rows */
static int
compare_comparisons(const void *left, const void *right)
{
	const Comparison *a = left;
	const Comparison *b = right;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	if (a->probe != b->probe)
		return a->probe < b->probe ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static void
append_evidence(const Gallery *gallery, StringInfo json, const Comparison *comparison,
				const Probe *probes, bool counts)
{
	Jsonb *key = DatumGetJsonbP(comparison->row->key);

	appendStringInfo(
		json,
		"%s{\"source\": \"%s\", \"probe\": %d, \"score\": %s, \"comparisons\": " INT64_FORMAT
		", \"counts\": %s, \"key\": ",
		json->len > 1 ? ", " : "", gallery_label_name(gallery, comparison->source),
		probes[comparison->probe].number, float8out_internal(comparison->score),
		comparison->comparisons, counts ? "true" : "false");
	(void) JsonbToCString(json, &key->root, VARSIZE(key));
	appendStringInfoChar(json, '}');
}

/*
 * A person's score: the sum over fingers or eyes of the best comparison of
 * each.
 *
 * A comparison is of the finger that either side names.  A probe or a row
 * that does not name its finger is of one finger only, and so counts for one.
 * Where neither names it, it may be any of those that count already, and counts
 * by what it exceeds the best of them.  The best of m comparisons reaches a
 * score by chance up to m times as often as one: the false match rate, unlike
 * the score, allows for that.
 */
static void
fuse_person(const Gallery *gallery, Person *person, const Probe *probes, int probe_count)
{
	Comparison *comparisons = palloc_extended(
		(Size) person->row_count * probe_count * sizeof(Comparison), MCXT_ALLOC_HUGE);
	Size           made = 0;
	int64          of_probe[MAX_PROBES] = {0};
	int64          of_label[MAX_LABEL + 1] = {0}; /* of all the probes of a label */
	int64          of_source[MAX_LABEL + 1] = {0};
	int64         *of_row = palloc0(person->row_count * sizeof(int64));
	bool           probe_used[MAX_PROBES] = {false};
	bool          *row_used = palloc0(person->row_count * sizeof(bool));
	Comparison    *best_of[MAX_LABEL + 1] = {NULL};
	Comparison    *best = NULL;
	Comparison    *unknown = NULL;
	double         exponent = 0;
	int            order = 0;
	StringInfoData json;

	for (PersonRow *row = person->rows; row != NULL; row = row->next, order++)
		for (int p = 0; p < probe_count; p++)
		{
			int         label = probes[p].label;
			Comparison *comparison = &comparisons[made];

			if (!gallery_labels_meet(&probes[p], row->label))
				continue;
			comparison->score = row->scores[p];
			comparison->probe = p;
			comparison->order = order;
			comparison->row = row;
			comparison->source = label != 0 ? label : row->label;
			of_probe[p]++;
			of_label[label]++;
			of_source[comparison->source]++;
			of_row[order]++;
			made++;
		}
	qsort(comparisons, made, sizeof(Comparison), compare_comparisons);

	for (Size i = 0; i < made; i++)
	{
		Comparison *comparison = &comparisons[i];
		int         label = probes[comparison->probe].label;

		if (best_of[comparison->source] != NULL)
			continue;
		if (label == 0 && probe_used[comparison->probe])
			continue;
		if (comparison->row->label == 0 && row_used[comparison->order])
			continue;
		best_of[comparison->source] = comparison;
		probe_used[comparison->probe] = true;
		row_used[comparison->order] = true;
		comparison->comparisons = Max(of_source[comparison->source],
									  label == 0 ? of_probe[comparison->probe] : of_label[label]);
		if (comparison->row->label == 0)
			comparison->comparisons = Max(comparison->comparisons, of_row[comparison->order]);
		if (comparison->source == 0)
			unknown = comparison;
		else
		{
			person->sources++;
			if (best == NULL)
				best = comparison;
		}
	}

	/* of an unknown finger and the best known one, the better counts */
	if (unknown != NULL && best != NULL)
	{
		int64 both = unknown->comparisons + best->comparisons;

		if (unknown->score > best->score)
		{
			unknown->comparisons = both;
			best_of[best->source] = NULL;
		}
		else
		{
			best->comparisons = both;
			best_of[0] = NULL;
		}
	}
	else if (unknown != NULL)
		person->sources = 1;

	initStringInfo(&json);
	appendStringInfoChar(&json, '[');
	for (Size i = 0; i < made; i++)
	{
		const Comparison *comparison = &comparisons[i];
		bool              counts = best_of[comparison->source] == comparison;

		if (counts)
		{
			person->score += comparison->score;
			exponent += Max(comparison->score - 10 * log10((double) comparison->comparisons), 0);
		}
		if (counts || comparison == best || comparison == unknown)
			append_evidence(gallery, &json, comparison, probes, counts);
	}
	appendStringInfoChar(&json, ']');
	person->evidence = json.data;
	person->log_fmr = person->sources > 0 ? fusion_log_fmr(exponent, person->sources) : 0;
	pfree(comparisons);
	pfree(row_used);
	pfree(of_row);
}

/* the least likely by chance first */
static int
compare_persons(const void *left, const void *right)
{
	const Person *a = left;
	const Person *b = right;

	if (a->log_fmr != b->log_fmr)
		return a->log_fmr < b->log_fmr ? -1 : 1;
	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* the probes that are not null */
static int
begin_probes(const Gallery *gallery, ArrayType *array, Oid probe_type, Probe *probes)
{
	int16  length;
	bool   by_value;
	char   align;
	Datum *values;
	bool  *nulls;
	int    elements, probe_count = 0;

	get_typlenbyvalalign(probe_type, &length, &by_value, &align);
	deconstruct_array(array, probe_type, length, by_value, align, &values, &nulls, &elements);
	for (int i = 0; i < elements; i++)
	{
		if (nulls[i])
			continue;
		if (probe_count == MAX_PROBES)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("more than %d probes", MAX_PROBES)));
		probes[probe_count].number = i + 1;
		gallery_begin_probe(gallery, &probes[probe_count++], values[i]);
	}
	return probe_count;
}

/* identify(gallery, person_column, template_column, probes, ..) */
PG_FUNCTION_INFO_V1(biometric_identify_persons);
Datum
biometric_identify_persons(PG_FUNCTION_ARGS)
{
	ReturnSetInfo  *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid             probe_type = probe_type_of(fcinfo, 3);
	Gallery         gallery;
	Bands           bands;
	Probe          *probes;
	int             probe_count;
	Persons         persons = {0};
	KnownTemplates *known;
	void           *features;
	char           *column;
	const char     *person;
	Oid             person_type, output;
	bool            is_varlena, below_bound;
	int             k, depth = 0;
	int64           size;
	double          unseen = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		gallery_null_argument("gallery");
	if (PG_ARGISNULL(1))
		gallery_null_argument("person_column");
	if (PG_ARGISNULL(2))
		gallery_null_argument("template_column");
	k = candidates_argument(fcinfo, 4);
	bands = bands_argument(fcinfo, 6);
	size = size_argument(fcinfo, 8);
	if (!PG_ARGISNULL(9))
	{
		depth = PG_GETARG_INT32(9);
		if (depth < 1 || depth > MAX_DEPTH)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("search_depth must be between 1 and %d", MAX_DEPTH)));
	}

	SPI_connect();
	column = NameStr(*PG_GETARG_NAME(1));
	gallery_open(&gallery, PG_GETARG_OID(0), column, NameStr(*PG_GETARG_NAME(2)),
				 PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5),
				 PG_ARGISNULL(10) ? NULL : PG_GETARG_ARRAYTYPE_P(10),
				 PG_ARGISNULL(11) ? NULL : PG_GETARG_ARRAYTYPE_P(11), probe_type);
	gallery_column(&gallery, column, &person_type, &persons.collation);
	person = gallery_quote_column(column);
	persons.type =
		gallery_equality(column, person_type, TYPECACHE_EQ_OPR_FINFO | TYPECACHE_HASH_PROC_FINFO);
	if (!OidIsValid(persons.type->hash_proc))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
						errmsg("column \"%s\" cannot name persons", column),
						errdetail("Type %s has no hash function.", format_type_be(person_type))));
	getTypeOutputInfo(person_type, &output, &is_varlena);

	probes = palloc0(MAX_PROBES * sizeof(Probe));
	probe_count =
		PG_ARGISNULL(3) ? 0 : begin_probes(&gallery, PG_GETARG_ARRAYTYPE_P(3), probe_type, probes);

	/* nobody is asked for */
	if (probe_count == 0)
		goto done;

	if (size == 0)
		size = gallery_count_distinct(&gallery, person);

	/* an empty gallery */
	if (size == 0)
		goto done;

	features = palloc(gallery.modality->max_features_size);
	known = create_known_templates(probe_count);
	if (depth > 0)
	{
		if (!find_persons(&gallery, person, probe_type, probes, probe_count, depth, &persons, known,
						  features))
			unseen = unseen_score(probes, probe_count, bands.possible, size, &below_bound);
	}
	else
	{
		/* deeper, until nobody who is possibly the one can be left out, within reason */
		depth = first_depth(probes, probe_count, k, bands.possible, size);
		for (;;)
		{
			unseen = 0;
			if (find_persons(&gallery, person, probe_type, probes, probe_count, depth, &persons,
							 known, features))
				break;
			unseen = unseen_score(probes, probe_count, bands.possible, size, &below_bound);
			if (below_bound || depth >= AUTO_DEPTH || !search_is_exact())
				break;
			depth = Min(4 * depth, AUTO_DEPTH);
		}
	}
	if (persons.count == 0)
		goto done;

	complete_persons(&gallery, person, probes, probe_count, &persons, known, features);
	for (int i = 0; i < persons.count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		persons.list[i].name = OidOutputFunctionCall(output, persons.list[i].value);
		fuse_person(&gallery, &persons.list[i], probes, probe_count);
	}
	qsort(persons.list, persons.count, sizeof(Person), compare_persons);

	for (int i = 0; i < Min(k, persons.count); i++)
	{
		const Person *found = &persons.list[i];
		double        fpir = gallery_fpir(found->log_fmr, size);
		bool          nulls[11] = {false};
		Datum         values[11];

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(found->name);
		values[2] = Float8GetDatum(found->score);
		values[3] = Int32GetDatum(found->sources);
		values[4] = Float8GetDatum(-10 / M_LN10 * found->log_fmr + 0.0);
		values[5] = Float8GetDatum(fpir);
		values[6] = CStringGetTextDatum(verdict_of(fpir, &bands));
		values[7] = DirectFunctionCall1(jsonb_in, CStringGetDatum(found->evidence));
		values[8] = Int64GetDatum(size);
		values[9] = Int32GetDatum(depth);
		values[10] = Float8GetDatum(unseen);
		nulls[10] = !search_is_exact();
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}

done:
	gallery_close(&gallery);
	SPI_finish();
	return (Datum) 0;
}
