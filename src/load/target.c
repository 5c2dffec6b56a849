/*
 * target.c
 *		The database side: tables, batches by binary COPY, the journal.
 *
 * A batch is one transaction: its rows, its rejects, and the names of its items
 * in the journal.  What the journal has was loaded, once; so a run that was cut
 * short is simply started again.
 *
 * If the server refuses a batch, the batch is sent again in halves, down to the
 * rows that are refused alone.  Those are rejects, with the server's reason.
 * All rows of an item are in one batch.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "load/load.h"

#define TYPE_BOOL    16
#define TYPE_BYTEA   17
#define TYPE_NAME    19
#define TYPE_INT8    20
#define TYPE_INT2    21
#define TYPE_INT4    23
#define TYPE_TEXT    25
#define TYPE_FLOAT8  701
#define TYPE_BPCHAR  1042
#define TYPE_VARCHAR 1043

#define MAX_BATCH_BYTES (4 << 20)

static char  *target_columns; /* "a, b, c", quoted */
static char  *target_table;   /* as the server names it, quoted where needed */
static char **loaded;         /* sorted */
static long   n_loaded;

typedef struct Buffer
{
	char  *data;
	size_t size;
	size_t capacity;
} Buffer;

typedef struct Row
{
	size_t start; /* in rows */
	size_t size;
	int    item;
	int    view;
} Row;

typedef struct Reject
{
	int    item;
	int    view;
	size_t offset;
	char  *reason;
} Reject;

struct Target
{
	PGconn *connection;
	bool    lost;
	Buffer  rows;
	Row    *row;
	int     n_rows;
	int     row_capacity;
	char  **items; /* names, done or in hand */
	int     n_items;
	int     item_capacity;
	Reject *rejects;
	int     n_rejects;
	int     reject_capacity;
};

/* ---- small things ------------------------------------------------------------------ */

static void *
grow(void *memory, int n, int *capacity, size_t size)
{
	if (n < *capacity)
		return memory;
	*capacity = 2 * *capacity + 64;
	memory = realloc(memory, *capacity * size);
	if (memory == NULL)
	{
		complain("out of memory");
		exit(EXIT_DATABASE);
	}
	return memory;
}

static void
append(Buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return;
	if (size > buffer->capacity - buffer->size)
	{
		buffer->capacity = 2 * buffer->capacity + size;
		buffer->data = realloc(buffer->data, buffer->capacity);
		if (buffer->data == NULL)
		{
			complain("out of memory");
			exit(EXIT_DATABASE);
		}
	}
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
}

static void
append_integer(Buffer *buffer, int64_t value, int size)
{
	char bytes[8];

	for (int i = 0; i < size; i++)
		bytes[i] = (char) (value >> (8 * (size - 1 - i)));
	append(buffer, bytes, size);
}

static void
append_field(Buffer *buffer, const void *data, size_t size)
{
	append_integer(buffer, (int64_t) size, 4);
	append(buffer, data, size);
}

static char *
format(const char *pattern, const char *a, const char *b)
{
	size_t size = strlen(pattern) + strlen(a) + strlen(b) + 1;
	char  *result = allocate(size);

	snprintf(result, size, pattern, a, b);
	return result;
}

/* the first line of the server's message, which holds no row */
static char *
server_reason(PGconn *connection, const PGresult *result)
{
	const char *message =
		result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	char *reason = copy_string(message != NULL ? message : PQerrorMessage(connection));

	reason[strcspn(reason, "\n")] = '\0';
	return reason;
}

static bool
run(PGconn *connection, const char *command)
{
	PGresult *result = PQexec(connection, command);
	bool      done =
		PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!done)
		complain("%s", PQresultErrorMessage(result));
	PQclear(result);
	return done;
}

static char *
quoted(PGconn *connection, const char *name)
{
	char *identifier = PQescapeIdentifier(connection, name, strlen(name));
	char *result = copy_string(identifier == NULL ? "" : identifier);

	PQfreemem(identifier);
	return result;
}

/* a table name with or without schema, quoted */
static char *
quoted_table(PGconn *connection, const char *table)
{
	const char *dot = strchr(table, '.');
	char       *schema;
	char       *name;
	char       *result;

	if (dot == NULL)
		return quoted(connection, table);
	schema = copy_string(table);
	schema[dot - table] = '\0';
	name = quoted(connection, dot + 1);
	result = quoted(connection, schema);
	free(schema);
	schema = result;
	result = format("%s.%s", schema, name);
	free(schema);
	free(name);
	return result;
}

static void
ignore_notice(void *argument, const char *message)
{
	(void) argument;
	(void) message;
}

PGconn *
target_connect(void)
{
	const char *keywords[] = {"dbname", "fallback_application_name", NULL};
	const char *values[] = {options.connection, PROGRAM, NULL};
	PGconn     *connection = PQconnectdbParams(keywords, values, 1);

	if (PQstatus(connection) != CONNECTION_OK)
	{
		complain("%s", PQerrorMessage(connection));
		PQfinish(connection);
		return NULL;
	}
	PQsetNoticeProcessor(connection, ignore_notice, NULL);
	PQsetClientEncoding(connection, "UTF8");
	return connection;
}

/* ---- once: tables --------------------------------------------------------------------- */

/* columns that are made for what the options name */
static const char *
new_column_type(const Column *column)
{
	switch (column->source)
	{
		case COLUMN_TEMPLATE:
			return options.iris ? "iris" : "fingerprint";
		case COLUMN_VIEW:
			return "integer";
		case COLUMN_BYTES:
			return "bytea";
		default:
			return "text";
	}
}

static bool
create_table(PGconn *connection)
{
	Buffer command = {0};
	char  *table = quoted_table(connection, options.table);
	char  *head = format("CREATE TABLE IF NOT EXISTS %s (%s", table, "");
	bool   done;

	append(&command, head, strlen(head));
	for (int i = 0; i < options.n_columns; i++)
	{
		char *name = quoted(connection, options.columns[i].name);
		char *part =
			format(i == 0 ? "%s %s" : ", %s %s", name, new_column_type(&options.columns[i]));

		append(&command, part, strlen(part));
		free(name);
		free(part);
	}
	append(&command, ")", 2);
	done = run(connection, command.data);
	free(command.data);
	free(head);
	free(table);
	return done;
}

/* finds the table and the types of the columns that are filled */
static bool
find_columns(PGconn *connection)
{
	static const char query[] =
		"SELECT a.attname, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END::bigint,"
		" t.typname, format('%I.%I', n.nspname, c.relname)"
		" FROM pg_catalog.pg_attribute a"
		" JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
		" JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
		" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped";
	char       *name = quoted_table(connection, options.table);
	const char *values[] = {name};
	PGresult   *result = PQexecParams(connection, query, 1, NULL, values, NULL, NULL, 0);
	Buffer      list = {0};
	bool        found = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0;

	free(name);
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		complain("table \"%s\" cannot be used: %s; --create-table makes one", options.table,
				 PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	else if (!found)
		complain("\"%s\" has no columns", options.table);
	else
		target_table = copy_string(PQgetvalue(result, 0, 3));
	for (int i = 0; found && i < options.n_columns; i++)
	{
		Column *column = &options.columns[i];
		int     row = 0;

		while (row < PQntuples(result) && strcmp(PQgetvalue(result, row, 0), column->name) != 0)
			row++;
		if (row == PQntuples(result))
		{
			complain("table \"%s\" has no column \"%s\"", options.table, column->name);
			found = false;
			break;
		}
		column->type = (unsigned) strtoul(PQgetvalue(result, row, 1), NULL, 10);
		if (column->source == COLUMN_TEMPLATE)
		{
			const char *type = PQgetvalue(result, row, 2);

			options.iris = strcmp(type, "iris") == 0;
			if (!options.iris && strcmp(type, "fingerprint") != 0)
			{
				complain("column \"%s\" is of type %s: it has to be fingerprint or iris",
						 column->name, type);
				found = false;
			}
		}
		else
		{
			switch (column->type)
			{
				case TYPE_BOOL:
				case TYPE_BYTEA:
				case TYPE_NAME:
				case TYPE_INT2:
				case TYPE_INT4:
				case TYPE_INT8:
				case TYPE_TEXT:
				case TYPE_FLOAT8:
				case TYPE_BPCHAR:
				case TYPE_VARCHAR:
					break;
				default:
					complain(
						"column \"%s\" is of type %s: load it into a text column and convert it there",
						column->name, PQgetvalue(result, row, 2));
					found = false;
			}
		}
		name = quoted(connection, column->name);
		if (i > 0)
			append(&list, ", ", 2);
		append(&list, name, strlen(name));
		free(name);
	}
	append(&list, "", 1);
	target_columns = list.data;
	PQclear(result);
	return found;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool
read_journal(PGconn *connection)
{
	char       *journal = quoted_table(connection, options.journal);
	char       *command;
	const char *values[] = {target_table};
	PGresult   *result;
	bool        done;

	command = format("CREATE TABLE IF NOT EXISTS %s (target text, source text, rows bigint, "
					 "loaded_at timestamptz DEFAULT now(), PRIMARY KEY (target, source))%s",
					 journal, "");
	done = run(connection, command);
	free(command);
	if (done && !options.again)
	{
		command = format("SELECT source FROM %s WHERE target = $1%s", journal, "");
		result = PQexecParams(connection, command, 1, NULL, values, NULL, NULL, 0);
		free(command);
		done = PQresultStatus(result) == PGRES_TUPLES_OK;
		if (!done)
			complain("%s", PQresultErrorMessage(result));
		else
		{
			n_loaded = PQntuples(result);
			loaded = allocate(sizeof(char *) * (n_loaded + 1));
			for (long i = 0; i < n_loaded; i++)
				loaded[i] = copy_string(PQgetvalue(result, (int) i, 0));
			qsort(loaded, n_loaded, sizeof(char *), compare_names);
		}
		PQclear(result);
	}
	free(journal);
	return done;
}

bool
target_was_loaded(const char *name)
{
	return n_loaded > 0 && bsearch(&name, loaded, n_loaded, sizeof(char *), compare_names) != NULL;
}

bool
target_prepare(void)
{
	PGconn *connection = target_connect();
	bool    done;

	if (connection == NULL)
		return false;
	done = (!options.create_table || create_table(connection)) && find_columns(connection) &&
		   read_journal(connection);
	if (done && options.reject_table != NULL)
	{
		char *table = quoted_table(connection, options.reject_table);
		char *command =
			format("CREATE TABLE IF NOT EXISTS %s (target text, source text, view integer, "
				   "byte bigint, reason text, rejected_at timestamptz DEFAULT now())%s",
				   table, "");

		done = run(connection, command);
		free(command);
		free(table);
	}
	PQfinish(connection);
	return done;
}

/* the index, and statistics for the planner */
bool
target_finish(void)
{
	PGconn *connection = target_connect();
	char   *column;
	char   *command;
	bool    done = true;

	if (connection == NULL)
		return false;
	if (options.create_index)
	{
		static const char query[] =
			"SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
			" JOIN pg_catalog.pg_am m ON m.oid = c.relam"
			" JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
			" WHERE m.amname = 'biometric' AND i.indrelid = $1::regclass AND a.attname = $2";
		const char *values[] = {target_table, options.template_column};
		PGresult   *result = PQexecParams(connection, query, 2, NULL, values, NULL, NULL, 0);
		bool        there = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0;

		PQclear(result);
		if (!there)
		{
			column = quoted(connection, options.template_column);
			command = format("CREATE INDEX ON %s USING biometric (%s)", target_table, column);
			done = run(connection, command);
			free(command);
			free(column);
		}
	}
	command = format("ANALYZE %s%s", target_table, "");
	done = run(connection, command) && done;
	free(command);
	PQfinish(connection);
	return done;
}

/* ---- batches ------------------------------------------------------------------------- */

Target *
target_open(void)
{
	Target *target = allocate(sizeof(Target));

	if (!options.dry_run)
	{
		target->connection = target_connect();
		if (target->connection == NULL)
		{
			free(target);
			return NULL;
		}
	}
	return target;
}

bool
target_lost(const Target *target)
{
	return target->lost;
}

/* a value as the binary form of its column's type; false if it is not one */
static bool
append_value(Buffer *buffer, const Column *column, const char *value)
{
	char     *end;
	long long integer;
	double    number;
	int       size = column->type == TYPE_INT2 ? 2 : column->type == TYPE_INT4 ? 4 : 8;
	int64_t   bits;

	switch (column->type)
	{
		case TYPE_INT2:
		case TYPE_INT4:
		case TYPE_INT8:
			integer = strtoll(value, &end, 10);
			if (end == value || *end != '\0' ||
				(size < 8 &&
				 (integer < -(1LL << (8 * size - 1)) || integer >= 1LL << (8 * size - 1))))
				return false;
			append_integer(buffer, size, 4);
			append_integer(buffer, integer, size);
			return true;
		case TYPE_FLOAT8:
			number = strtod(value, &end);
			if (end == value || *end != '\0')
				return false;
			memcpy(&bits, &number, 8);
			append_integer(buffer, 8, 4);
			append_integer(buffer, bits, 8);
			return true;
		case TYPE_BOOL:
			if (strchr("tTyY1", *value) == NULL && strchr("fFnN0", *value) == NULL)
				return false;
			append_integer(buffer, 1, 4);
			append_integer(buffer, *value != '\0' && strchr("tTyY1", *value) != NULL, 1);
			return true;
		default:
			append_field(buffer, value, strlen(value));
			return true;
	}
}

static int
item_number(Target *target, const char *name)
{
	assert(name != NULL);
	if (target->n_items > 0 && strcmp(target->items[target->n_items - 1], name) == 0)
		return target->n_items - 1;
	target->items = grow(target->items, target->n_items, &target->item_capacity, sizeof(char *));
	target->items[target->n_items] = copy_string(name);
	return target->n_items++;
}

static void
reject_row(Target *target, int item, int view, size_t offset, const char *reason)
{
	Reject *reject;

	report_reject(target->items[item], view, offset, reason);
	target->rejects =
		grow(target->rejects, target->n_rejects, &target->reject_capacity, sizeof(Reject));
	reject = &target->rejects[target->n_rejects++];
	reject->item = item;
	reject->view = view;
	reject->offset = offset;
	reject->reason = copy_string(reason);
}

void
target_reject(Target *target, const char *name, int view, size_t offset, const char *reason)
{
	reject_row(target, item_number(target, name), view, offset, reason);
}

void
target_add(Target *target, const Item *item, int view, const uint8_t *bytes, size_t size)
{
	size_t start = target->rows.size;
	Row   *row;

	append_integer(&target->rows, options.n_columns, 2);
	for (int i = 0; i < options.n_columns; i++)
	{
		const Column *column = &options.columns[i];
		const char   *value = NULL;
		char          number[16];

		switch (column->source)
		{
			case COLUMN_TEMPLATE:
				append_field(&target->rows, bytes, size);
				continue;
			case COLUMN_BYTES:
				append_field(&target->rows, item->data, item->size);
				continue;
			case COLUMN_PATTERN:
			case COLUMN_CSV:
				value = item->fields[column->field];
				break;
			case COLUMN_CONSTANT:
				value = column->value;
				break;
			case COLUMN_NAME:
				value = item->name;
				break;
			case COLUMN_VIEW:
				snprintf(number, sizeof(number), "%d", view);
				value = number;
				break;
		}
		/* an empty field of a CSV file is NULL, as COPY has it */
		if (value == NULL || (column->source == COLUMN_CSV && *value == '\0'))
			append_integer(&target->rows, -1, 4);
		else if (!append_value(&target->rows, column, value))
		{
			char reason[200];

			target->rows.size = start;
			snprintf(reason, sizeof(reason), "the value for column \"%.60s\" does not fit its type",
					 column->name);
			target_reject(target, item->name, view, 0, reason);
			return;
		}
	}
	target->row = grow(target->row, target->n_rows, &target->row_capacity, sizeof(Row));
	row = &target->row[target->n_rows++];
	row->start = start;
	row->size = target->rows.size - start;
	row->item = item_number(target, item->name);
	row->view = view;
}

/* binary COPY of some rows; on failure *reason is the server's, to be freed */
static bool
copy_rows(Target *target, int from, int n, char **reason)
{
	static const char header[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
	char             *columns = format("COPY %s (%s)", target_table, target_columns);
	char             *command = format("%s FROM STDIN (FORMAT binary)%s", columns, "");
	PGresult         *result = PQexec(target->connection, command);
	bool              done = PQresultStatus(result) == PGRES_COPY_IN;

	free(columns);
	free(command);
	if (done)
	{
		const Row *last = &target->row[from + n - 1];
		size_t     start = target->row[from].start;

		PQclear(result);
		done = PQputCopyData(target->connection, header, sizeof(header)) == 1 &&
			   PQputCopyData(target->connection, target->rows.data + start,
							 (int) (last->start + last->size - start)) == 1 &&
			   PQputCopyData(target->connection, "\377\377", 2) == 1 &&
			   PQputCopyEnd(target->connection, NULL) == 1;
		result = PQgetResult(target->connection);
		done = done && PQresultStatus(result) == PGRES_COMMAND_OK;
	}
	if (!done)
		*reason = server_reason(target->connection, result);
	PQclear(result);
	while ((result = PQgetResult(target->connection)) != NULL)
		PQclear(result);
	return done;
}

static bool
run_quietly(Target *target, const char *command)
{
	PGresult *result = PQexec(target->connection, command);
	bool      done = PQresultStatus(result) == PGRES_COMMAND_OK;

	PQclear(result);
	return done;
}

/*
 * Sends rows in halves until what is refused is a row alone.  Returns how many
 * were taken, -1 if the connection is lost.
 */
static int
send_rows(Target *target, int from, int n)
{
	char *reason = NULL;
	int   left;
	int   right;

	if (n == 0)
		return 0;
	if (!run_quietly(target, "SAVEPOINT rows"))
		return -1;
	if (copy_rows(target, from, n, &reason))
		return run_quietly(target, "RELEASE SAVEPOINT rows") ? n : -1;
	if (!run_quietly(target, "ROLLBACK TO SAVEPOINT rows"))
	{
		complain("%s", reason);
		free(reason);
		return -1;
	}
	if (n == 1)
	{
		reject_row(target, target->row[from].item, target->row[from].view, 0, reason);
		free(reason);
		return 0;
	}
	free(reason);
	left = send_rows(target, from, n / 2);
	right = left < 0 ? -1 : send_rows(target, from + n / 2, n - n / 2);
	return right < 0 ? -1 : left + right;
}

/* array literals of texts and numbers, for the journal and the rejects */
static void
append_element(Buffer *array, const char *text)
{
	append(array, array->size == 0 ? "{\"" : ",\"", 2);
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			append(array, "\\", 1);
		append(array, text, 1);
	}
	append(array, "\"", 1);
}

static void
end_array(Buffer *array)
{
	append(array, array->size == 0 ? "{}" : "}", array->size == 0 ? 3 : 2);
}

static void
append_number(Buffer *array, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	append_element(array, text);
}

/* runs a command whose parameters are the target table and arrays */
static bool
insert_arrays(Target *target, const char *command, Buffer *arrays, int n)
{
	const char *parameters[5];
	PGresult   *result;
	bool        done;

	parameters[0] = target_table;
	for (int i = 0; i < n; i++)
	{
		end_array(&arrays[i]);
		parameters[i + 1] = arrays[i].data;
	}
	result = PQexecParams(target->connection, command, n + 1, NULL, parameters, NULL, NULL, 0);
	done = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!done)
		complain("%s", PQresultErrorMessage(result));
	PQclear(result);
	for (int i = 0; i < n; i++)
		free(arrays[i].data);
	return done;
}

/* the names of the items of a batch */
static bool
write_journal(Target *target)
{
	Buffer arrays[2] = {{0}};
	int   *rows = allocate(sizeof(int) * (target->n_items + 1));
	char  *journal = quoted_table(target->connection, options.journal);
	char  *command = format(
		 "INSERT INTO %s (target, source, rows) SELECT $1, s, n"
		  " FROM unnest($2::text[], $3::bigint[]) AS i (s, n)"
		  " ON CONFLICT (target, source) DO UPDATE SET rows = EXCLUDED.rows, loaded_at = now()%s",
		 journal, "");
	bool done;

	for (int i = 0; i < target->n_rows; i++)
		rows[target->row[i].item]++;
	for (int i = 0; i < target->n_items; i++)
	{
		append_element(&arrays[0], target->items[i]);
		append_number(&arrays[1], rows[i]);
	}
	done = insert_arrays(target, command, arrays, 2);
	free(rows);
	free(journal);
	free(command);
	return done;
}

static bool
write_rejects(Target *target)
{
	Buffer arrays[4] = {{0}};
	char  *table = quoted_table(target->connection, options.reject_table);
	char  *command = format(
		 "INSERT INTO %s (target, source, view, byte, reason) SELECT $1, s, v, b, r"
		  " FROM unnest($2::text[], $3::integer[], $4::bigint[], $5::text[]) AS i (s, v, b, r)%s",
		 table, "");
	bool done;

	for (int i = 0; i < target->n_rejects; i++)
	{
		append_element(&arrays[0], target->items[target->rejects[i].item]);
		append_number(&arrays[1], target->rejects[i].view);
		append_number(&arrays[2], (long long) target->rejects[i].offset);
		append_element(&arrays[3], target->rejects[i].reason);
	}
	done = insert_arrays(target, command, arrays, 4);
	free(table);
	free(command);
	return done;
}

static void
empty_batch(Target *target)
{
	for (int i = 0; i < target->n_items; i++)
		free(target->items[i]);
	for (int i = 0; i < target->n_rejects; i++)
		free(target->rejects[i].reason);
	target->n_items = target->n_rejects = target->n_rows = 0;
	target->rows.size = 0;
}

static void
send_batch(Target *target)
{
	int sent = target->n_rows;

	if (target->n_items == 0)
		return;
	if (!options.dry_run)
	{
		bool done = run_quietly(target, "BEGIN");

		sent = done ? send_rows(target, 0, target->n_rows) : -1;
		done = sent >= 0 && write_journal(target) &&
			   (target->n_rejects == 0 || options.reject_table == NULL || write_rejects(target)) &&
			   run_quietly(target, "COMMIT");
		if (!done)
		{
			complain("a batch could not be stored: %s", PQerrorMessage(target->connection));
			target->lost = true;
			sent = 0;
		}
	}
	report_rows(sent);
	empty_batch(target);
}

void
target_item_done(Target *target, const char *name)
{
	/* an item without rows is in the journal too */
	item_number(target, name);
	if (target->n_rows >= options.batch || target->rows.size >= MAX_BATCH_BYTES ||
		target->n_items >= 10 * options.batch)
		send_batch(target);
}

/* forgets an item that was cut short: it is loaded another time */
void
target_item_drop(Target *target, const char *name)
{
	int item = item_number(target, name);

	while (target->n_rows > 0 && target->row[target->n_rows - 1].item == item)
		target->rows.size = target->row[--target->n_rows].start;
	while (target->n_rejects > 0 && target->rejects[target->n_rejects - 1].item == item)
		free(target->rejects[--target->n_rejects].reason);
	free(target->items[--target->n_items]);
}

bool
target_close(Target *target)
{
	bool sound;

	if (!target->lost)
		send_batch(target);
	sound = !target->lost;
	PQfinish(target->connection);
	empty_batch(target);
	free(target->rows.data);
	free(target->row);
	free(target->items);
	free(target->rejects);
	free(target);
	return sound;
}
