/*
 * nodes.c
 *		The servers over which a gallery is divided: what statements read, and
 *		whether they answer.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "search/gallery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/rls.h"

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
 * A user who may read a partitioned table may lack the right to read its
 * partitions by their names; and the table's policies do not hold for them.
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

char *
gallery_qualified_name(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

/*
 * A table is one source.  If partitions are on other servers, each partition is
 * a source: a search of their parent would not ask every server for its nearest
 * rows. without_servers names servers that the caller leaves out.
 */
void
gallery_set_sources(Gallery *gallery, ArrayType *without_servers)
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
					 errmsg("cannot leave out servers of \"%s\"",
							RelationGetRelationName(gallery->relation)),
					 errdetail("It must be a partitioned table with foreign tables as partitions, "
							   "without row-level security, and the user must be allowed to select "
							   "from the partitions.")));
		gallery->sources = list_make1(gallery_qualified_name(RelationGetRelid(gallery->relation)));
		return;
	}

	foreach (cell, leaves)
	{
		Oid leaf = lfirst_oid(cell);

		if (get_rel_relkind(leaf) == RELKIND_FOREIGN_TABLE &&
			list_member_oid(without, GetForeignTable(leaf)->serverid))
			continue;
		gallery->sources = lappend(gallery->sources, gallery_qualified_name(leaf));
	}
	if (gallery->sources == NIL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("every server of \"%s\" is left out",
							   RelationGetRelationName(gallery->relation))));
}

/*
 * Ask a partition for a row, in a subtransaction because its server may be
 * down.  NULL when it answers, otherwise what is wrong.  A cancelled statement
 * says nothing about the server.
 */
static char *
ask(Oid leaf)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *volatile problem = NULL;
	char *statement = psprintf("SELECT 1 FROM %s LIMIT 1", gallery_qualified_name(leaf));

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		(void) SPI_execute(statement, true, 1);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		problem = error->detail == NULL ? pstrdup(error->message)
										: psprintf("%s: %s", error->message, error->detail);
		FreeErrorData(error);
	}
	PG_END_TRY();
	return problem;
}

/* gallery_nodes(gallery) */
PG_FUNCTION_INFO_V1(biometric_gallery_nodes);
Datum
biometric_gallery_nodes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation       relation;
	List          *leaves;
	ListCell      *cell;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (relation == NULL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation with OID %u does not exist", PG_GETARG_OID(0))));
	leaves = gallery_leaves(relation);
	if (leaves == NIL)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" has no partitions on other servers",
							   RelationGetRelationName(relation))));

	foreach (cell, leaves)
	{
		Oid   leaf = lfirst_oid(cell);
		char *problem = ask(leaf);
		bool  nulls[4] = {false};
		Datum values[4];

		CHECK_FOR_INTERRUPTS();
		if (get_rel_relkind(leaf) == RELKIND_FOREIGN_TABLE)
		{
			NameData *server = palloc0(sizeof(NameData));

			namestrcpy(server, GetForeignServer(GetForeignTable(leaf)->serverid)->servername);
			values[0] = NameGetDatum(server);
		}
		else
			nulls[0] = true;
		values[1] = ObjectIdGetDatum(leaf);
		values[2] = BoolGetDatum(problem == NULL);
		nulls[3] = problem == NULL;
		if (problem != NULL)
			values[3] = CStringGetTextDatum(problem);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}

	relation_close(relation, NoLock);
	SPI_finish();
	return (Datum) 0;
}
