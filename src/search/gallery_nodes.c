/*
 * gallery_nodes.c
 *		The servers over which a gallery is divided, and whether they answer.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "search/gallery_search.h"
#include "catalog/pg_class.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"

/*
 * Ask a partition for a row, in a subtransaction since its server may be away.
 * NULL when it answers, otherwise what is wrong.  A statement that was cancelled
 * is not the server's fault.
 */
static char *
ask(Oid leaf)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char *volatile problem = NULL;
	char *statement =
		psprintf("SELECT 1 FROM %s LIMIT 1",
				 quote_qualified_identifier(get_namespace_name(get_rel_namespace(leaf)),
											get_rel_name(leaf)));

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
