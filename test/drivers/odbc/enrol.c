/*
 * enrol.c
 *		An application in C: enrol and search through ODBC.  Prints TAP.
 *
 * enrol CONNECTION_STRING
 *
 * A record is bound as SQL_C_BINARY with the type SQL_VARBINARY.  Into a column
 * of type fingerprint it goes as it is; elsewhere ?::bytea::fingerprint makes a
 * template of it.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sql.h>
#include <sqlext.h>

#define MAX_RECORD 4096

static SQLHENV environment;
static SQLHDBC connection;
static int     tests;

static void
ok(bool good, const char *name)
{
	printf("%s %d - ODBC: %s\n", good ? "ok" : "not ok", ++tests, name);
}

static void
must(SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle)
{
	SQLCHAR    state[6], message[400];
	SQLINTEGER code;

	if (SQL_SUCCEEDED(rc) || rc == SQL_NO_DATA)
		return;
	if (SQL_SUCCEEDED(SQLGetDiagRec(type, handle, 1, state, &code, message, sizeof(message), NULL)))
		fprintf(stderr, "%s %s\n", state, message);
	exit(99);
}

/* A statement with records as its parameters; *state is the SQLSTATE of an error */
static SQLHSTMT
execute(const char *query, const unsigned char *records[], SQLLEN sizes[], int n, SQLCHAR *state)
{
	SQLHSTMT   statement;
	SQLRETURN  rc;
	SQLINTEGER code;
	SQLCHAR    message[400];

	must(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement), SQL_HANDLE_DBC, connection);
	for (int i = 0; i < n; i++)
		must(SQLBindParameter(statement, (SQLUSMALLINT) (i + 1), SQL_PARAM_INPUT, SQL_C_BINARY,
							  SQL_VARBINARY, MAX_RECORD, 0, (SQLPOINTER) records[i], sizes[i],
							  &sizes[i]),
			 SQL_HANDLE_STMT, statement);
	rc = SQLExecDirect(statement, (SQLCHAR *) query, SQL_NTS);
	if (state != NULL && !SQL_SUCCEEDED(rc))
		SQLGetDiagRec(SQL_HANDLE_STMT, statement, 1, state, &code, message, sizeof(message), NULL);
	else
		must(rc, SQL_HANDLE_STMT, statement);
	return statement;
}

static void
command(const char *query)
{
	SQLFreeHandle(SQL_HANDLE_STMT, execute(query, NULL, NULL, 0, NULL));
}

/* the bytes of the first row's first column */
static SQLLEN
get_record(const char *query, unsigned char *record)
{
	SQLHSTMT statement = execute(query, NULL, NULL, 0, NULL);
	SQLLEN   size = 0;

	must(SQLFetch(statement), SQL_HANDLE_STMT, statement);
	must(SQLGetData(statement, 1, SQL_C_BINARY, record, MAX_RECORD, &size), SQL_HANDLE_STMT,
		 statement);
	SQLFreeHandle(SQL_HANDLE_STMT, statement);
	return size;
}

/* the first row's first column as a number */
static long
get_number(const char *query, const unsigned char *records[], SQLLEN sizes[], int n)
{
	SQLHSTMT   statement = execute(query, records, sizes, n, NULL);
	SQLINTEGER number = -1;

	must(SQLFetch(statement), SQL_HANDLE_STMT, statement);
	must(SQLGetData(statement, 1, SQL_C_SLONG, &number, sizeof(number), NULL), SQL_HANDLE_STMT,
		 statement);
	SQLFreeHandle(SQL_HANDLE_STMT, statement);
	return number;
}

int
main(int argc, char **argv)
{
	static unsigned char probe[MAX_RECORD], more[MAX_RECORD], record[MAX_RECORD], back[MAX_RECORD];
	const unsigned char *records[2] = {probe, more};
	SQLLEN               sizes[2], size;
	SQLCHAR              state[6] = "";
	char                 query[200];

	if (argc != 2)
		return 99;
	SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
	SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER) SQL_OV_ODBC3, 0);
	SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
	must(SQLDriverConnect(connection, NULL, (SQLCHAR *) argv[1], SQL_NTS, NULL, 0, NULL,
						  SQL_DRIVER_NOPROMPT),
		 SQL_HANDLE_DBC, connection);

	command("CREATE SCHEMA driver_odbc");
	command("SET search_path = driver_odbc, public");
	command("CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)");
	command("CREATE INDEX ON visitor USING biometric (print)");
	for (int finger = 1; finger <= 20; finger++)
	{
		const unsigned char *enrolled[1] = {record};

		snprintf(query, sizeof(query), "SELECT %s(synthetic_fingerprint(%d, 0, 2))",
				 finger % 2 ? "to_iso19794_2" : "to_incits378", finger);
		size = get_record(query, record);
		snprintf(query, sizeof(query), "INSERT INTO visitor VALUES (%d, ?)", finger);
		SQLFreeHandle(SQL_HANDLE_STMT, execute(query, enrolled, &size, 1, NULL));
	}
	ok(get_number("SELECT count(*)::int FROM visitor", NULL, NULL, 0) == 20, "records enrolled");

	sizes[0] = get_record("SELECT to_incits378(synthetic_fingerprint(9, 1, 2))", probe);
	sizes[1] = get_record("SELECT to_iso19794_2(synthetic_fingerprint(9, 2, 2))", more);
	ok(get_number("SELECT id FROM visitor ORDER BY print <-> ?::bytea::fingerprint LIMIT 1",
				  records, sizes, 1) == 9,
	   "search finds the finger");
	ok(get_number("SELECT person FROM identify('visitor', 'id', 'print', "
				  "ARRAY[?::bytea::fingerprint, ?::bytea::fingerprint], 3)",
				  records, sizes, 2) == 9,
	   "identify with several records");

	size = get_record("SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))", record);
	ok(get_record("SELECT print::bytea FROM visitor WHERE id = 3", back) == size &&
		   memcmp(record, back, (size_t) size) == 0,
	   "read back as bytes");
	records[0] = record;
	sizes[0] = 40;
	SQLFreeHandle(SQL_HANDLE_STMT,
				  execute("INSERT INTO visitor VALUES (999, ?)", records, sizes, 1, state));
	ok(strncmp((char *) state, "22", 2) == 0,
	   "a truncated record is refused with SQLSTATE class 22");
	SQLDisconnect(connection);
	printf("1..%d\n", tests);
	return 0;
}
