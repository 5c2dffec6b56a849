/*
 * modality.c
 *		From a type to its modality, by the catalogs; from a lowest score to the
 *		limit of its distances.
 */
#include "postgres.h"

#include <float.h>

#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_opfamily.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "type/modality.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define ACCESS_METHOD "biometric"

const BiometricModality *
biometric_modality_from(Datum support_result)
{
	const BiometricModality *modality = (const BiometricModality *) DatumGetPointer(support_result);

	if (modality == NULL || modality->magic != BIOMETRIC_MODALITY_MAGIC ||
		modality->max_label > BIOMETRIC_MAX_LABEL || modality->group_pages < 1 ||
		modality->group_pages > BIOMETRIC_MAX_GROUP_PAGES)
		return NULL;
	return modality;
}

/* The operator family of a type, which is the base type of domains */
static Oid
family_of_type(Oid type)
{
	Oid opclass = GetDefaultOpClass(type, get_index_am_oid(ACCESS_METHOD, false));

	if (!OidIsValid(opclass))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("type %s has no default operator class for access method \"%s\"",
							   format_type_be(type), ACCESS_METHOD)));
	return get_opclass_family(opclass);
}

static Oid
support_function(Oid type)
{
	Oid function = get_opfamily_proc(family_of_type(type), type, type, BIOMETRIC_MODALITY_PROC);

	if (!OidIsValid(function))
		elog(ERROR, "type %u has no support function %d", type, BIOMETRIC_MODALITY_PROC);
	return function;
}

const BiometricModality *
biometric_modality_of_type(Oid type)
{
	const BiometricModality *modality =
		biometric_modality_from(OidFunctionCall1(support_function(type), PointerGetDatum(NULL)));

	if (modality == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("support function of type %s does not describe a biometric modality",
							   format_type_be(type)),
						errhint("It was made for another version of the extension biometric.")));
	return modality;
}

static Oid
operator_of_strategy(Oid family, Oid type, Oid right, int16 strategy)
{
	Oid operator_oid = get_opfamily_member(family, type, right, strategy);

	if (!OidIsValid(operator_oid))
		elog(ERROR, "type %u has no operator for strategy %d", type, strategy);
	return operator_oid;
}

Oid
biometric_distance_operator(Oid type)
{
	return operator_of_strategy(family_of_type(type), type, type, BIOMETRIC_DISTANCE_STRATEGY);
}

Oid
biometric_probe_operator(Oid type, Oid *probe_type)
{
	Oid family = family_of_type(type);

	*probe_type = biometric_probe_type(family, type);
	return operator_of_strategy(family, type, *probe_type, BIOMETRIC_PROBE_STRATEGY);
}

Oid
biometric_schema_of_type(Oid type)
{
	return get_func_namespace(support_function(type));
}

/*
 * The input type of strategy 3 that is on the other side of the given one: the
 * right-hand side if type is a template's, the left-hand side if it is a probe's.
 */
static Oid
other_side_of_strategy(Oid family, Oid type, bool type_is_left)
{
	CatCList *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
	Oid       other = InvalidOid;

	for (int i = 0; i < operators->n_members && !OidIsValid(other); i++)
	{
		Form_pg_amop entry = (Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple);

		if (entry->amopstrategy != BIOMETRIC_PROBE_STRATEGY)
			continue;
		if (type_is_left && entry->amoplefttype == type)
			other = entry->amoprighttype;
		else if (!type_is_left && entry->amoprighttype == type)
			other = entry->amoplefttype;
	}
	ReleaseCatCacheList(operators);
	return other;
}

Oid
biometric_probe_type(Oid family, Oid type)
{
	return other_side_of_strategy(family, type, true);
}

/* The operator families of the access method */
static List *
families(void)
{
	Oid       access_method = get_index_am_oid(ACCESS_METHOD, true);
	List     *result = NIL;
	CatCList *members;

	if (!OidIsValid(access_method))
		return NIL;
	members = SearchSysCacheList1(OPFAMILYAMNAMENSP, ObjectIdGetDatum(access_method));
	for (int i = 0; i < members->n_members; i++)
		result =
			lappend_oid(result, ((Form_pg_opfamily) GETSTRUCT(&members->members[i]->tuple))->oid);
	ReleaseCatCacheList(members);
	return result;
}

Oid
biometric_template_type(Oid probe_type)
{
	ListCell *cell;

	foreach (cell, families())
	{
		Oid type = other_side_of_strategy(lfirst_oid(cell), probe_type, false);

		if (OidIsValid(type))
			return type;
	}
	return InvalidOid;
}

List *
biometric_types(void)
{
	Oid       access_method = get_index_am_oid(ACCESS_METHOD, true);
	List     *types = NIL;
	ListCell *cell;

	foreach (cell, families())
	{
		CatCList *operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(lfirst_oid(cell)));

		for (int i = 0; i < operators->n_members; i++)
		{
			Form_pg_amop entry = (Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple);

			if (entry->amopstrategy == BIOMETRIC_DISTANCE_STRATEGY &&
				OidIsValid(GetDefaultOpClass(entry->amoplefttype, access_method)))
				types = list_append_unique_oid(types, entry->amoplefttype);
		}
		ReleaseCatCacheList(operators);
	}
	return types;
}

/* Doubles in ascending order as integers in ascending order, and back */
static int64
double_rank(double x)
{
	int64 bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits < 0 ? PG_INT64_MIN - bits : bits;
}

static double
rank_double(int64 rank)
{
	int64  bits = rank < 0 ? PG_INT64_MIN - rank : rank;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * By bisection over all doubles, which takes 64 steps: a score at or above the
 * minimum and a distance at or below the limit are the same to the bit.
 */
bool
biometric_largest_distance(const BiometricModality *modality, double min_score, double *distance)
{
	int64 low = double_rank(-DBL_MAX);
	int64 high = double_rank(DBL_MAX);

	if (modality->score(DBL_MAX) >= min_score)
	{
		*distance = get_float8_infinity();
		return true;
	}
	if (!(modality->score(-DBL_MAX) >= min_score))
		return false;

	/* low passes, high does not */
	while (low + 1 < high)
	{
		int64 middle = (low & high) + ((low ^ high) >> 1); /* their mean, without overflow */

		if (modality->score(rank_double(middle)) >= min_score)
			low = middle;
		else
			high = middle;
	}
	*distance = rank_double(low);
	return true;
}
