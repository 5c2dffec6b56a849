/*
 * parts.c
 *		Parts of the statements that search a gallery: columns, the filter, and
 *		what names a row.
 *
 * The only text of the caller that becomes part of a statement is names, which
 * are looked up and quoted; every value is a typed parameter.  Names of
 * functions and operators are qualified, so no search_path changes their
 * meaning.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "search/gallery.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* ----------
 * Columns
 * ----------
 */

/* an ordinary column by its name, with the type under its domains */
void
gallery_column(const Gallery *gallery, const char *name, Oid *type, Oid *collation)
{
	AttrNumber        attribute = get_attnum(RelationGetRelid(gallery->relation), name);
	Form_pg_attribute form;

	if (attribute <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", name,
							   RelationGetRelationName(gallery->relation))));
	form = TupleDescAttr(RelationGetDescr(gallery->relation), attribute - 1);
	*type = getBaseType(form->atttypid);
	*collation = form->attcollation;
}

char *
gallery_quote_column(const char *name)
{
	return psprintf("g.%s", quote_identifier(name));
}

char *
gallery_quote_operator(Oid operator_oid)
{
	HeapTuple        tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator_oid));
	Form_pg_operator form;
	char            *result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator_oid);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	result = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
					  NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return result;
}

/* equality of values of a type, as GROUP BY and unique constraints have it */
TypeCacheEntry *
gallery_equality(const char *column, Oid type, int flags)
{
	TypeCacheEntry *cache = lookup_type_cache(type, TYPECACHE_EQ_OPR | flags);

	if (!OidIsValid(cache->eq_opr) || !OidIsValid(get_array_type(type)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("cannot compare values of column \"%s\" for equality", column),
				 errdetail("Type %s has no equality or no array type.", format_type_be(type))));
	return cache;
}

/* the number of a parameter for a value that is added to the gallery's own */
static int
add_parameter(Gallery *gallery, Oid type, Datum value)
{
	/* a statement adds two */
	if (gallery->parameters == GALLERY_MAX_PARAMETERS - 3)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("filter has more than %d columns", GALLERY_MAX_PARAMETERS - 3),
						errhint("Filter by fewer columns, or search a view that filters.")));
	gallery->types[gallery->parameters] = type;
	gallery->values[gallery->parameters] = value;
	return ++gallery->parameters;
}

/* ----------
 * The filter
 * ----------
 */

/* a JSON scalar as a value of a type, by the type's input function */
static Datum
filter_value(const char *column, const JsonbValue *json, Oid type)
{
	char *text;
	Oid   input, io_parameter;

	switch (json->type)
	{
		case jbvString:
			text = pnstrdup(json->val.string.val, json->val.string.len);
			break;
		case jbvNumeric:
			text = DatumGetCString(
				DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
			break;
		case jbvBool:
			text = pstrdup(json->val.boolean ? "true" : "false");
			break;
		default:
			ereport(
				ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for column \"%s\" in filter", column),
				 errdetail(
					 "A value is a string, a number, true, false or null; an array of the first four stands for any of them.")));
	}
	getTypeInputInfo(type, &input, &io_parameter);
	return OidInputFunctionCall(input, text, io_parameter, -1);
}

/*
 * {"column": value, ..} as conditions that all hold: equality, IS NULL for
 * null, equality to any element of an array.
 */
void
gallery_add_filter(Gallery *gallery, Jsonb *filter)
{
	JsonbIterator *iterator = JsonbIteratorInit(&filter->root);
	JsonbValue     json;

	if (!JB_ROOT_IS_OBJECT(filter))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("filter must be a JSON object of columns and values")));

	(void) JsonbIteratorNext(&iterator, &json, false);
	while (JsonbIteratorNext(&iterator, &json, false) == WJB_KEY)
	{
		char              *column = pnstrdup(json.val.string.val, json.val.string.len);
		TypeCacheEntry    *cache;
		JsonbIteratorToken token;
		Oid                type, collation;
		char              *equals;

		gallery_column(gallery, column, &type, &collation);
		cache = gallery_equality(column, type, 0);
		equals = gallery_quote_operator(cache->eq_opr);
		appendStringInfo(&gallery->where, " AND %s ", gallery_quote_column(column));

		token = JsonbIteratorNext(&iterator, &json, false);
		if (token == WJB_BEGIN_ARRAY)
		{
			ArrayBuildState *array = initArrayResult(type, CurrentMemoryContext, false);

			while ((token = JsonbIteratorNext(&iterator, &json, false)) == WJB_ELEM)
				array = accumArrayResult(array, filter_value(column, &json, type), false, type,
										 CurrentMemoryContext);
			if (token != WJB_END_ARRAY)
				(void) filter_value(column, &json, type); /* says what is wrong */
			appendStringInfo(&gallery->where, "%s ANY ($%d)", equals,
							 add_parameter(gallery, get_array_type(type),
										   makeArrayResult(array, CurrentMemoryContext)));
		}
		else if (json.type == jbvNull)
			appendStringInfoString(&gallery->where, "IS NULL");
		else
			appendStringInfo(&gallery->where, "%s $%d", equals,
							 add_parameter(gallery, type, filter_value(column, &json, type)));
	}
}

/* ----------
 * What names a row
 * ----------
 */

/* add 'column', g.column to the arguments of jsonb_build_object */
static void
add_key_column(StringInfo key, int *columns, const char *column)
{
	/* functions take 100 arguments at most */
	if (*columns > 0)
		appendStringInfoString(key, *columns % 40 == 0
										? ") OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
										: ", ");
	appendStringInfo(key, "%s, %s", quote_literal_cstr(column), gallery_quote_column(column));
	++*columns;
}

static bool
holds_template(Oid type, Oid probe_type)
{
	Oid element = get_element_type(type);

	type = getBaseType(OidIsValid(element) ? element : type);
	return type == probe_type || type == BYTEAOID;
}

/*
 * The columns that the caller names, or else the primary key, or else table and
 * ctid.  A relation without ctid: all columns except templates and bytea.
 */
const char *
gallery_key(const Gallery *gallery, ArrayType *names, Oid probe_type)
{
	TupleDesc      descriptor = RelationGetDescr(gallery->relation);
	StringInfoData key;
	int            columns = 0;
	Bitmapset     *primary;
	Oid            constraint;
	int            i = -1;

	initStringInfo(&key);
	appendStringInfoString(&key, "pg_catalog.jsonb_build_object(");
	if (names != NULL)
	{
		Datum *values;
		bool  *nulls;
		int    count;

		deconstruct_array(names, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values, &nulls,
						  &count);
		for (int n = 0; n < count; n++)
		{
			Oid type, collation;

			if (nulls[n])
				gallery_null_argument("a key column");
			gallery_column(gallery, NameStr(*DatumGetName(values[n])), &type, &collation);
			add_key_column(&key, &columns, NameStr(*DatumGetName(values[n])));
		}
		if (columns == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("no key columns given")));
		appendStringInfoChar(&key, ')');
		return key.data;
	}

	primary = get_primary_key_attnos(RelationGetRelid(gallery->relation), true, &constraint);
	while ((i = bms_next_member(primary, i)) >= 0)
		add_key_column(
			&key, &columns,
			NameStr(
				TupleDescAttr(descriptor, i + FirstLowInvalidHeapAttributeNumber - 1)->attname));
	if (columns == 0)
	{
		switch (gallery->relation->rd_rel->relkind)
		{
			case RELKIND_RELATION:
			case RELKIND_MATVIEW:
			case RELKIND_PARTITIONED_TABLE:
				appendStringInfoString(
					&key,
					"'table', g.tableoid::pg_catalog.regclass::pg_catalog.text, 'ctid', g.ctid::pg_catalog.text");
				break;
			default:
				for (int n = 0; n < descriptor->natts; n++)
				{
					Form_pg_attribute column = TupleDescAttr(descriptor, n);

					if (!column->attisdropped && !holds_template(column->atttypid, probe_type))
						add_key_column(&key, &columns, NameStr(column->attname));
				}
		}
	}
	appendStringInfoChar(&key, ')');
	return key.data;
}
