/*
 * gallery.c
 *		Statements that search a gallery whose name the caller gives.
 *
 * They run through SPI with the rights and in the snapshot of the caller, so
 * privileges and row-level security hold.  The only text of the caller that
 * becomes part of a statement is names, which are looked up and quoted; every
 * value is a typed parameter.  Names of functions, operators and tables are
 * qualified, so no search_path changes their meaning.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "search/gallery.h"
#include "type/probe.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

void
gallery_null_argument(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
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
			 Jsonb *filter, ArrayType *key_columns, ArrayType *without_servers, Oid template_type,
			 const char *calibration)
{
	Oid type, collation;

	memset(gallery, 0, sizeof(*gallery));

	/* users lock only what they may read; the statements check each column */
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
	gallery->match =
		gallery_quote_operator(biometric_probe_operator(template_type, &gallery->probe_type));
	gallery->schema = quote_identifier(get_namespace_name(biometric_schema_of_type(template_type)));

	if (calibration != NULL)
		gallery->calibration = calibration_named(gallery->schema, calibration, template_type);

	gallery_column(gallery, template_column, &type, &collation);
	if (type != template_type)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"%s\" of relation \"%s\" is of type %s, not %s",
							   template_column, RelationGetRelationName(gallery->relation),
							   format_type_be(type), format_type_be(template_type))));
	gallery->column = gallery_quote_column(template_column);

	gallery_set_sources(gallery, without_servers);
	initStringInfo(&gallery->where);
	appendStringInfo(&gallery->where, " WHERE %s IS NOT NULL", gallery->column);
	if (person != NULL)
	{
		gallery_column(gallery, person, &type, &collation);
		appendStringInfo(&gallery->where, " AND %s IS NOT NULL", gallery_quote_column(person));
	}
	if (filter != NULL)
		gallery_add_filter(gallery, filter);
	gallery->key = gallery_key(gallery, key_columns, template_type);

	/* the time goes into comparing, which JIT cannot compile */
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
 * What, nearest to the probe first, at most limit rows that score at least
 * min_score.  The index need not compare all others in full.
 *
 * PostgreSQL computes the distance of every row returned, whether the statement
 * returns it or not, because the rows are ordered by it.  So the caller need
 * not compare the row again.  Other servers may run another version of the
 * matcher, so only distances of this server are returned.
 *
 * Each partition is asked for its own nearest rows, so that ORDER BY and LIMIT
 * are done on its server.  The answers are sorted by an expression that, for
 * the planner, is not their order.  Otherwise it would merge them, which starts
 * one partition after the other; an append without order searches on all
 * servers at the same time.
 */
void
gallery_search(Gallery *gallery, const char *what, Oid template_type, Datum probe, double min_score,
			   int64 limit)
{
	int   n = gallery->parameters;
	int   parameters = n + 2;
	char *distance, *tail, *statement;
	char *match = "";

	gallery->types[n] = template_type;
	gallery->values[n] = probe;
	gallery->types[n + 1] = INT8OID;
	gallery->values[n + 1] = Int64GetDatum(limit);
	if (min_score > 0)
	{
		gallery->types[n + 2] = gallery->probe_type;
		gallery->values[n + 2] = probe_make(probe, min_score);
		parameters = n + 3;
		match = psprintf(" AND %s %s $%d", gallery->column, gallery->match, parameters);
	}
	distance = psprintf("%s %s $%d", gallery->column, gallery->distance, n + 1);
	tail = psprintf("%s ORDER BY %s LIMIT $%d", match, distance, n + 2);
	if (list_length(gallery->sources) == 1)
		statement = gallery_select(
			gallery, gallery->is_local ? psprintf("%s, %s", what, distance) : what, tail);
	else
		statement = psprintf(
			"SELECT u.a, u.b FROM (%s) u (a, b, d) ORDER BY u.d OPERATOR(pg_catalog.+) 0.0::pg_catalog.float8 LIMIT $%d",
			gallery_select(gallery, psprintf("%s, %s", what, distance), tail), n + 2);
	execute(gallery, statement, parameters);
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

double
gallery_calibrated(const Gallery *gallery, double score)
{
	return gallery->calibration == NULL ? score : calibration_apply(gallery->calibration, score);
}

double
gallery_least_score(const Gallery *gallery, double calibrated)
{
	return gallery->calibration == NULL ? calibrated
										: calibration_least_score(gallery->calibration, calibrated);
}

/*
 * The least match_score of rows that have min_score by the calibration or without it.
 * By the calibration alone, one that ends below min_score would leave out everybody;
 * without it, one whose scores are higher would leave out persons of a verdict.
 */
double
gallery_min_score(const Gallery *gallery, double min_score)
{
	return min_score > 0 ? Min(min_score, gallery_least_score(gallery, min_score)) : min_score;
}

double
gallery_score_limit(const Gallery *gallery)
{
	return gallery->calibration == NULL ? gallery->modality->score_limit()
										: calibration_limit(gallery->calibration);
}

/* the score of a probe and features */
double
gallery_compare(const Gallery *gallery, Probe *probe, const void *features, Size size)
{
	double distance;

	gallery->modality->distances(probe->probe, 1, &features, &size, get_float8_infinity(),
								 &distance);
	return gallery->modality->score(distance);
}

double
gallery_compare_template(const Gallery *gallery, Probe *probe, Datum datum, void *features)
{
	return gallery_compare(gallery, probe, features, gallery->modality->extract(datum, features));
}

double
gallery_result_score(const Gallery *gallery, Probe *probe, int row, void *features)
{
	if (gallery->is_local)
		return gallery->modality->score(DatumGetFloat8(gallery_result(row, 3)));
	return gallery_compare_template(gallery, probe, gallery_result(row, 2), features);
}
