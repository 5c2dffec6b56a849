/*
 * validate.c
 *		Whether an operator class is one that the access method can use.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "index/index.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#define STRATEGY_BIT(strategy) (1 << (strategy))

/* Says what is wrong, as amvalidate functions do: as INFO, going on to look for more */
#define COMPLAIN(...)                                                                     \
	do                                                                                    \
	{                                                                                     \
		ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg(__VA_ARGS__))); \
		valid = false;                                                                    \
	} while (0)

static bool
validate_function(Form_pg_amproc entry, const char *family)
{
	bool valid = true;

	if (entry->amprocnum != BIOMETRIC_MODALITY_PROC)
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains function %s with invalid support number %d",
			family, format_procedure(entry->amproc), entry->amprocnum);
	else if (!check_amproc_signature(entry->amproc, INTERNALOID, true, 1, 1, INTERNALOID))
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains function %s with wrong signature for support number %d",
			family, format_procedure(entry->amproc), entry->amprocnum);
	if (entry->amproclefttype != entry->amprocrighttype)
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains support function %s with different left and right input types",
			family, format_procedure(entry->amproc));
	return valid;
}

static bool
validate_operator(Form_pg_amop entry, const char *family)
{
	bool valid = true;
	Oid  result = BOOLOID;

	if (entry->amopstrategy < 1 || entry->amopstrategy > BIOMETRIC_STRATEGIES)
	{
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains operator %s with invalid strategy number %d",
			family, format_operator(entry->amopopr), entry->amopstrategy);
		return false;
	}

	/* the distance orders, as float8 does; the others are quals */
	if (entry->amopstrategy == BIOMETRIC_DISTANCE_STRATEGY)
	{
		result = FLOAT8OID;
		if (entry->amoppurpose != AMOP_ORDER ||
			!opfamily_can_sort_type(entry->amopsortfamily, result))
			COMPLAIN(
				"operator family \"%s\" of access method biometric contains operator %s, which must be FOR ORDER BY float_ops",
				family, format_operator(entry->amopopr));
	}
	else if (entry->amoppurpose != AMOP_SEARCH)
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains operator %s, which must be FOR SEARCH",
			family, format_operator(entry->amopopr));

	if (!check_amop_signature(entry->amopopr, result, entry->amoplefttype, entry->amoprighttype))
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains operator %s with wrong signature",
			family, format_operator(entry->amopopr));

	/* templates on both sides, or a template and a probe */
	if ((entry->amoplefttype == entry->amoprighttype) !=
		(entry->amopstrategy != BIOMETRIC_PROBE_STRATEGY))
		COMPLAIN(
			"operator family \"%s\" of access method biometric contains operator %s, whose input types do not suit strategy number %d",
			family, format_operator(entry->amopopr), entry->amopstrategy);
	return valid;
}

bool
biometric_validate(Oid opclass_oid)
{
	bool            valid = true;
	HeapTuple       class_tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass_oid));
	HeapTuple       family_tuple;
	Form_pg_opclass opclass;
	char           *class_name;
	char           *family_name;
	CatCList       *operators;
	CatCList       *functions;
	int             strategies = 0;
	bool            has_modality = false;

	if (!HeapTupleIsValid(class_tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass_oid);
	opclass = (Form_pg_opclass) GETSTRUCT(class_tuple);
	class_name = pstrdup(NameStr(opclass->opcname));

	family_tuple = SearchSysCache1(OPFAMILYOID, ObjectIdGetDatum(opclass->opcfamily));
	if (!HeapTupleIsValid(family_tuple))
		elog(ERROR, "cache lookup failed for operator family %u", opclass->opcfamily);
	family_name = pstrdup(NameStr(((Form_pg_opfamily) GETSTRUCT(family_tuple))->opfname));
	ReleaseSysCache(family_tuple);

	functions = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(opclass->opcfamily));
	for (int i = 0; i < functions->n_members; i++)
	{
		Form_pg_amproc entry = (Form_pg_amproc) GETSTRUCT(&functions->members[i]->tuple);

		valid &= validate_function(entry, family_name);
		if (entry->amproclefttype == opclass->opcintype &&
			entry->amprocnum == BIOMETRIC_MODALITY_PROC)
			has_modality = true;
	}

	operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(opclass->opcfamily));
	for (int i = 0; i < operators->n_members; i++)
	{
		Form_pg_amop entry = (Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple);

		valid &= validate_operator(entry, family_name);
		if (entry->amoplefttype == opclass->opcintype && entry->amopstrategy >= 1 &&
			entry->amopstrategy <= BIOMETRIC_STRATEGIES)
			strategies |= STRATEGY_BIT(entry->amopstrategy);
	}

	if (!has_modality)
		COMPLAIN("operator class \"%s\" of access method biometric is missing support function %d",
				 class_name, BIOMETRIC_MODALITY_PROC);
	for (int strategy = 1; strategy <= BIOMETRIC_STRATEGIES; strategy++)
	{
		if (!(strategies & STRATEGY_BIT(strategy)))
			COMPLAIN(
				"operator class \"%s\" of access method biometric is missing an operator for strategy number %d",
				class_name, strategy);
	}

	ReleaseCatCacheList(operators);
	ReleaseCatCacheList(functions);
	ReleaseSysCache(class_tuple);
	return valid;
}
