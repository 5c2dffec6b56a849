/*
 * person_score.c
 *		What a person's comparisons say together.
 *
 * The score is the sum over fingers or eyes of the best comparison of each.
 *
 * If one side of a comparison names a finger, the comparison is of this finger.
 * A probe or a row that does not name its finger counts for one finger only.
 * If neither side names it, the comparison may be of a finger that counts
 * already, so it adds only what it exceeds the best of them by.  The best of m
 * comparisons reaches a score by chance up to m times as often as one: the
 * false match rate, unlike the score, takes account of that.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "match/fusion.h"
#include "search/persons.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/numeric.h"

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

/* All comparisons of a person, and which of them count */
typedef struct Comparisons
{
	Comparison *list; /* the best first, once they are sorted */
	Size        count;

	/* how many there are of each */
	int64  of_probe[MAX_PROBES];
	int64  of_label[BIOMETRIC_MAX_LABEL + 1]; /* of all the probes of a label */
	int64  of_source[BIOMETRIC_MAX_LABEL + 1];
	int64 *of_row;

	Comparison *best_of[BIOMETRIC_MAX_LABEL + 1]; /* those that count, by source */
	Comparison *best;                             /* of a known source */
	Comparison *unknown;                          /* of an unknown source */
} Comparisons;

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
list_comparisons(const PersonSearch *search, const Person *person, Comparisons *made)
{
	int order = 0;

	memset(made, 0, sizeof(Comparisons));
	made->of_row = palloc0(person->row_count * sizeof(int64));
	made->list = palloc_extended(
		(Size) person->row_count * search->probe_count * sizeof(Comparison), MCXT_ALLOC_HUGE);
	for (PersonRow *row = person->rows; row != NULL; row = row->next, order++)
		for (int p = 0; p < search->probe_count; p++)
		{
			int         label = search->probes[p].label;
			Comparison *comparison = &made->list[made->count];

			if (!gallery_labels_meet(&search->probes[p], row->label))
				continue;
			comparison->score = row->scores[p];
			comparison->probe = p;
			comparison->order = order;
			comparison->row = row;
			comparison->source = label != 0 ? label : row->label;
			made->of_probe[p]++;
			made->of_label[label]++;
			made->of_source[comparison->source]++;
			made->of_row[order]++;
			made->count++;
		}
	qsort(made->list, made->count, sizeof(Comparison), compare_comparisons);
}

/* the best comparison of each source; a probe or a row of an unknown label counts once */
static void
choose_comparisons(const PersonSearch *search, Person *person, Comparisons *made)
{
	bool  probe_used[MAX_PROBES] = {false};
	bool *row_used = palloc0(person->row_count * sizeof(bool));

	for (Size i = 0; i < made->count; i++)
	{
		Comparison *comparison = &made->list[i];
		int         label = search->probes[comparison->probe].label;

		if (made->best_of[comparison->source] != NULL)
			continue;
		if (label == 0 && probe_used[comparison->probe])
			continue;
		if (comparison->row->label == 0 && row_used[comparison->order])
			continue;
		made->best_of[comparison->source] = comparison;
		probe_used[comparison->probe] = true;
		row_used[comparison->order] = true;
		comparison->comparisons =
			Max(made->of_source[comparison->source],
				label == 0 ? made->of_probe[comparison->probe] : made->of_label[label]);
		if (comparison->row->label == 0)
			comparison->comparisons = Max(comparison->comparisons, made->of_row[comparison->order]);
		if (comparison->source == 0)
			made->unknown = comparison;
		else
		{
			person->sources++;
			if (made->best == NULL)
				made->best = comparison;
		}
	}
	pfree(row_used);

	/* of an unknown finger and the best known one, the better counts */
	if (made->unknown != NULL && made->best != NULL)
	{
		int64 both = made->unknown->comparisons + made->best->comparisons;

		if (made->unknown->score > made->best->score)
		{
			made->unknown->comparisons = both;
			made->best_of[made->best->source] = NULL;
		}
		else
		{
			made->best->comparisons = both;
			made->best_of[0] = NULL;
		}
	}
	else if (made->unknown != NULL)
		person->sources = 1;
}

static void
push_key(JsonbParseState **state, const char *key)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) key;
	value.val.string.len = (int) strlen(key);
	(void) pushJsonbValue(state, WJB_KEY, &value);
}

static void
push_text(JsonbParseState **state, const char *key, const char *text)
{
	JsonbValue value;

	push_key(state, key);
	value.type = jbvString;
	value.val.string.val = (char *) text;
	value.val.string.len = (int) strlen(text);
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_number(JsonbParseState **state, const char *key, Numeric number)
{
	JsonbValue value;

	push_key(state, key);
	value.type = jbvNumeric;
	value.val.numeric = number;
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

/* the shortest digits that identify the double, as for float8 */
static Numeric
exact_numeric(double number)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(float8out_internal(number)),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

static void
push_comparison(const PersonSearch *search, JsonbParseState **state, const Comparison *comparison,
				bool counts)
{
	JsonbValue value;

	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, "source", gallery_label_name(search->gallery, comparison->source));
	push_number(state, "probe", int64_to_numeric(search->probes[comparison->probe].number));
	push_number(state, "score",
				exact_numeric(gallery_calibrated(search->gallery, comparison->score)));
	push_number(state, "comparisons", int64_to_numeric(comparison->comparisons));
	push_key(state, "counts");
	value.type = jbvBool;
	value.val.boolean = counts;
	(void) pushJsonbValue(state, WJB_VALUE, &value);
	push_key(state, "key");
	value.type = jbvBinary;
	value.val.binary.data = &DatumGetJsonbP(comparison->row->key)->root;
	value.val.binary.len = (int) VARSIZE_ANY_EXHDR(DatumGetPointer(comparison->row->key));
	(void) pushJsonbValue(state, WJB_VALUE, &value);
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

void
person_score(const PersonSearch *search, Person *person)
{
	double           limit = gallery_score_limit(search->gallery);
	double           exponent = 0;
	JsonbParseState *state = NULL;
	Comparisons      made;

	list_comparisons(search, person, &made);
	choose_comparisons(search, person, &made);

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (Size i = 0; i < made.count; i++)
	{
		const Comparison *comparison = &made.list[i];
		bool              counts = made.best_of[comparison->source] == comparison;

		if (counts)
		{
			double score = gallery_calibrated(search->gallery, comparison->score);

			person->sum += comparison->score;
			person->score += score;
			exponent += Max(score - 10 * log10((double) comparison->comparisons), 0);
			person->beyond_limit |= score > limit;
		}
		if (counts || comparison == made.best || comparison == made.unknown)
			push_comparison(search, &state, comparison, counts);
	}
	person->evidence = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
	person->log_fmr = person->sources > 0 ? fusion_log_fmr(exponent, person->sources) : 0;
	pfree(made.list);
	pfree(made.of_row);
}
