/*
 * gallery_search.c
 *		Statements that search a gallery whose name the caller gives.
 *
 * They run through SPI with the rights and in the snapshot of the caller, so
 * privileges and row-level security hold.  No text of the caller becomes part
 * of a statement but names, quoted and looked up before; every value is a typed
 * parameter.  Names of functions, operators and tables are qualified: no
 * search_path changes what they mean.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "search/gallery_search.h"
#include "compat.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

void
gallery_null_argument(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

/* ----------
 * The gallery and its columns
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
				 errmsg("values of column \"%s\" cannot be told apart", column),
				 errdetail("Type %s has no equality or no array type.", format_type_be(type))));
	return cache;
}

/* the number of a parameter for a value that is added to the gallery's own */
static int
add_parameter(Gallery *gallery, Oid type, Datum value)
{
	/* a statement adds two */
	if (gallery->parameters == GALLERY_MAX_PARAMETERS - 2)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("filter has more than %d columns", GALLERY_MAX_PARAMETERS - 2)));
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
static void
add_filter(Gallery *gallery, Jsonb *filter)
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
 * The columns that the caller names, or the primary key, or the table and the
 * place in it; what has no place, all columns but templates and bytes.
 */
static char *
key_expression(const Gallery *gallery, ArrayType *names, Oid probe_type)
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

/* ----------
 * Where rows are
 * ----------
 */

/*
 * The partitions of a partitioned table some of which are on other servers, as
 * OIDs in the order of the catalog; NIL for any other relation.
 */
List *
gallery_leaves(Relation relation)
{
	List     *leaves = NIL;
	bool      elsewhere = false;
	ListCell *cell;

	if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return NIL;
	foreach (cell, find_all_inheritors(RelationGetRelid(relation), AccessShareLock, NULL))
	{
		char relkind = get_rel_relkind(lfirst_oid(cell));

		if (relkind == RELKIND_PARTITIONED_TABLE)
			continue;
		leaves = lappend_oid(leaves, lfirst_oid(cell));
		elsewhere |= relkind == RELKIND_FOREIGN_TABLE;
	}
	return elsewhere ? leaves : NIL;
}

/*
 * Whoever may read a partitioned table need not be allowed to read its
 * partitions by their names, and the table's policies are not theirs.
 */
bool
gallery_leaves_readable(Relation relation, List *leaves)
{
	ListCell *cell;

	if (check_enable_rls(RelationGetRelid(relation), InvalidOid, true) != RLS_NONE ||
		pg_class_aclcheck(RelationGetRelid(relation), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return false;
	foreach (cell, leaves)
	{
		if (check_enable_rls(lfirst_oid(cell), InvalidOid, true) != RLS_NONE ||
			pg_class_aclcheck(lfirst_oid(cell), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static char *
qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

/*
 * A table is one source.  Partitions on other servers are sources each, for the
 * planner does not ask every server for its nearest rows when it searches their
 * parent.  without_servers names servers that the caller leaves out.
 */
static void
add_sources(Gallery *gallery, ArrayType *without_servers)
{
	List     *leaves = gallery_leaves(gallery->relation);
	List     *without = NIL;
	ListCell *cell;

	/* children by inheritance may be foreign tables, and a view may read any */
	switch (gallery->relation->rd_rel->relkind)
	{
		case RELKIND_RELATION:
			gallery->is_local = !gallery->relation->rd_rel->relhassubclass;
			break;
		case RELKIND_PARTITIONED_TABLE:
			gallery->is_local = leaves == NIL;
			break;
		default:
			gallery->is_local = gallery->relation->rd_rel->relkind == RELKIND_MATVIEW;
	}

	if (without_servers != NULL)
	{
		Datum *values;
		bool  *nulls;
		int    count;

		deconstruct_array(without_servers, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values,
						  &nulls, &count);
		for (int i = 0; i < count; i++)
		{
			if (nulls[i])
				gallery_null_argument("a server");
			without = list_append_unique_oid(
				without, get_foreign_server_oid(NameStr(*DatumGetName(values[i])), false));
		}
	}

	if (leaves == NIL || !gallery_leaves_readable(gallery->relation, leaves))
	{
		if (without != NIL)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("no server of \"%s\" can be left out",
							RelationGetRelationName(gallery->relation)),
					 errdetail("It must be a partitioned table with foreign tables as partitions, "
							   "without row-level security, and the user must be allowed to select "
							   "from the partitions.")));
		gallery->sources = list_make1(qualified_name(RelationGetRelid(gallery->relation)));
		return;
	}

	foreach (cell, leaves)
	{
		Oid leaf = lfirst_oid(cell);

		if (get_rel_relkind(leaf) == RELKIND_FOREIGN_TABLE &&
			list_member_oid(without, GetForeignTable(leaf)->serverid))
			continue;
		gallery->sources = lappend(gallery->sources, qualified_name(leaf));
	}
	if (gallery->sources == NIL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("every server of \"%s\" is left out",
							   RelationGetRelationName(gallery->relation))));
}

/* ----------
 * Statements
 * ----------
 */

/*
 * Open the gallery and make the parts of statements.  person is NULL for a
 * search of rows.
 */
void
gallery_open(Gallery *gallery, Oid relation, const char *person, const char *template_column,
			 Jsonb *filter, ArrayType *key_columns, ArrayType *without_servers, Oid template_type)
{
	Oid type, collation;

	memset(gallery, 0, sizeof(*gallery));

	/* nobody locks what he may not read; the statements check each column */
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)) &&
		pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) != ACLCHECK_OK &&
		pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ANY) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(relation)),
					   get_rel_name(relation));
	gallery->relation = try_relation_open(relation, AccessShareLock);
	if (gallery->relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", relation)));
	switch (gallery->relation->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_MATVIEW:
		case RELKIND_VIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
							errmsg("\"%s\" is not a table or view",
								   RelationGetRelationName(gallery->relation))));
	}

	gallery->modality = biometric_modality_of_type(template_type);
	gallery->distance = gallery_quote_operator(biometric_distance_operator(template_type));
	gallery->schema = quote_identifier(get_namespace_name(biometric_schema_of_type(template_type)));

	gallery_column(gallery, template_column, &type, &collation);
	if (type != template_type)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of relation \"%s\" is of type %s, not %s",
							   template_column, RelationGetRelationName(gallery->relation),
							   format_type_be(type), format_type_be(template_type))));
	gallery->column = gallery_quote_column(template_column);

	add_sources(gallery, without_servers);
	initStringInfo(&gallery->where);
	appendStringInfo(&gallery->where, " WHERE %s IS NOT NULL", gallery->column);
	if (person != NULL)
	{
		gallery_column(gallery, person, &type, &collation);
		appendStringInfo(&gallery->where, " AND %s IS NOT NULL", gallery_quote_column(person));
	}
	if (filter != NULL)
		add_filter(gallery, filter);
	gallery->key = key_expression(gallery, key_columns, template_type);

	/* comparing is what costs: nothing that could be compiled */
	gallery->settings = NewGUCNestLevel();
	(void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
	/* partitions that the filter excludes, which are tables of their own in our statements */
	(void) set_config_option("constraint_exclusion", "on", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
gallery_close(Gallery *gallery)
{
	AtEOXact_GUC(false, gallery->settings);
	relation_close(gallery->relation, NoLock);
}

/*
 * A statement is planned for its parameters' values, as if they were written in
 * it: partitions are pruned and partial indexes found.
 */
SPIPlanPtr
gallery_prepare(Gallery *gallery, const char *statement, int parameters)
{
	SPIPlanPtr plan = SPI_prepare_cursor(statement, parameters, gallery->types,
										 CURSOR_OPT_CUSTOM_PLAN | CURSOR_OPT_PARALLEL_OK);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	return plan;
}

static void
execute(Gallery *gallery, const char *statement, int parameters)
{
	SPIPlanPtr plan = gallery_prepare(gallery, statement, parameters);
	int        result = SPI_execute_plan(plan, gallery->values, NULL, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	SPI_freeplan(plan);
}

Datum
gallery_result(int row, int column)
{
	bool  is_null;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &is_null);

	if (is_null)
		elog(ERROR, "unexpected null in column %d", column);
	return value;
}

/*
 * SELECT what of the gallery's rows.  tail goes to each partition: its GROUP
 * BY, ORDER BY and LIMIT are its own.
 */
char *
gallery_select(const Gallery *gallery, const char *what, const char *tail)
{
	StringInfoData statement;
	ListCell      *cell;

	initStringInfo(&statement);
	foreach (cell, gallery->sources)
		appendStringInfo(&statement,
						 list_length(gallery->sources) == 1 ? "%sSELECT %s FROM %s g%s%s"
															: "%s(SELECT %s FROM %s g%s%s)",
						 statement.len > 0 ? " UNION ALL " : "", what, (char *) lfirst(cell),
						 gallery->where.data, tail);
	return statement.data;
}

/*
 * What, nearest to the probe first, at most limit rows.
 *
 * PostgreSQL computes the distance of every row returned, whether it is asked
 * for or not, because the rows are ordered by it.  Whoever knows it need not
 * compare the row again.  Only what this server compared is sure to be what
 * match_score says, so distances of others are not returned.
 *
 * Partitions are asked each for its nearest, so that ORDER BY and LIMIT are
 * done where they are.  What merges the answers is a sort by an expression in
 * whose order they do not come: a merge would start one partition after the
 * other, an append without order searches on all servers at the same time.
 */
void
gallery_search(Gallery *gallery, const char *what, Oid probe_type, Datum probe, int64 limit)
{
	int   n = gallery->parameters;
	char *distance, *tail, *statement;

	gallery->types[n] = probe_type;
	gallery->values[n] = probe;
	gallery->types[n + 1] = INT8OID;
	gallery->values[n + 1] = Int64GetDatum(limit);
	distance = psprintf("%s %s $%d", gallery->column, gallery->distance, n + 1);
	tail = psprintf(" ORDER BY %s LIMIT $%d", distance, n + 2);
	if (list_length(gallery->sources) == 1)
		statement = gallery_select(
			gallery, gallery->is_local ? psprintf("%s, %s", what, distance) : what, tail);
	else
		statement = psprintf(
			"SELECT u.a, u.b FROM (%s) u (a, b, d) ORDER BY u.d OPERATOR(pg_catalog.+) 0.0::pg_catalog.float8 LIMIT $%d",
			gallery_select(gallery, psprintf("%s, %s", what, distance), tail), n + 2);
	execute(gallery, statement, n + 2);
	pfree(statement);
}

static int64
count(Gallery *gallery, const char *statement)
{
	int64 result;

	execute(gallery, statement, gallery->parameters);
	result = DatumGetInt64(gallery_result(0, 1));
	SPI_freetuptable(SPI_tuptable);
	return result;
}

/* the number of rows with more conditions */
int64
gallery_count(Gallery *gallery, const char *tail)
{
	const char *format = list_length(gallery->sources) == 1
							 ? "%s"
							 : "SELECT pg_catalog.sum(u.n)::pg_catalog.int8 FROM (%s) u (n)";

	return count(gallery, psprintf(format, gallery_select(gallery, "pg_catalog.count(*)", tail)));
}

/* the number of different values */
int64
gallery_count_distinct(Gallery *gallery, const char *what)
{
	const char *format =
		list_length(gallery->sources) == 1
			? "SELECT pg_catalog.count(*) FROM (%s) u"
			: "SELECT pg_catalog.count(*) FROM (SELECT u.v FROM (%s) u (v) GROUP BY u.v) d";

	return count(gallery, psprintf(format, gallery_select(gallery, what, " GROUP BY 1")));
}

/* ----------
 * Comparison
 * ----------
 */

int
gallery_label(const Gallery *gallery, Datum datum)
{
	return gallery->modality->max_label > 0 ? gallery->modality->label(datum) : 0;
}

const char *
gallery_label_name(const Gallery *gallery, int label)
{
	return gallery->modality->max_label > 0 ? gallery->modality->label_name(label) : "unknown";
}

void
gallery_begin_probe(const Gallery *gallery, Probe *probe, Datum datum)
{
	void *features = palloc(gallery->modality->max_features_size);
	Size  size = gallery->modality->extract(datum, features);

	/* the probe may point into the features */
	probe->datum = datum;
	probe->label = gallery_label(gallery, datum);
	probe->probe = gallery->modality->begin_probe(features, size);
}

/*
 * The condition that a row is compared at all: a finger or an eye that is known
 * to be another one is not.
 */
const char *
gallery_comparable(const Gallery *gallery, const Probe *probe)
{
	const BiometricModality *modality = gallery->modality;

	if (probe->label == 0)
		return "";
	/* as an array's text, which takes the type that the function returns */
	return psprintf(" AND %s.%s(%s) OPERATOR(pg_catalog.=) ANY (%s)", gallery->schema,
					quote_identifier(modality->label_function), gallery->column,
					quote_literal_cstr(psprintf("{%s,%s}", modality->label_value(0),
												modality->label_value(probe->label))));
}

/* whether a template of this label is compared with the probe at all, as gallery_comparable has it */
bool
gallery_labels_meet(const Probe *probe, int label)
{
	return probe->label == 0 || label == 0 || probe->label == label;
}

/* the score of a probe and features */
double
gallery_compare(const Gallery *gallery, Probe *probe, const void *features, Size size)
{
	double distance;

	gallery->modality->distances(probe->probe, 1, &features, &size, &distance);
	return gallery->modality->score(distance);
}

double
gallery_compare_template(const Gallery *gallery, Probe *probe, Datum datum, void *features)
{
	return gallery_compare(gallery, probe, features, gallery->modality->extract(datum, features));
}
