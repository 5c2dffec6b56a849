/*
 * libpq_enrol.c
 *		An application in C: enrol and search through libpq with binary
 *		parameters and binary results.  Prints TAP.
 *
 * A parameter of type fingerprint takes, in binary, any record the extension
 * reads, just as an agency or a capture device delivers it; in text, the same
 * bytes as \x and hex.  A result in binary is an ISO/IEC 19794-2:2005 record.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#define TEXT   0
#define BINARY 1

static PGconn *conn;
static Oid     fingerprint_oid;
static int     tests;

static void
ok(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
	if (!good && PQerrorMessage(conn)[0])
		printf("# %s", PQerrorMessage(conn));
	fflush(stdout);
}

static void
die(const char *what)
{
	printf("Bail out! %s: %s\n", what, PQerrorMessage(conn));
	exit(1);
}

static PGresult *
run(const char *command)
{
	PGresult      *res = PQexec(conn, command);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		die(command);
	return res;
}

/* One binary value, as the server sends float8 and int8: big-endian */
static uint64_t
get_uint64(const PGresult *res, int row, int column)
{
	const unsigned char *p = (const unsigned char *) PQgetvalue(res, row, column);
	uint64_t             v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static double
get_float8(const PGresult *res, int row, int column)
{
	uint64_t bits = get_uint64(res, row, column);
	double   v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static void
put_uint64(char *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (char) (v & 0xff);
}

/* INSERT INTO person (id, print) VALUES ($1, $2), the print in format */
static PGresult *
enrol(int64_t id, const char *record, int size, int format)
{
	const Oid   types[2] = {20 /* int8 */, fingerprint_oid};
	char        id_bytes[8];
	const char *values[2] = {id_bytes, record};
	const int   lengths[2] = {sizeof(id_bytes), size};
	const int   formats[2] = {BINARY, format};

	put_uint64(id_bytes, (uint64_t) id);
	return PQexecParams(conn, "INSERT INTO person (id, print) VALUES ($1, $2)", 2, types, values,
						lengths, formats, BINARY);
}

/* The two nearest, binary in and out */
static PGresult *
search(const char *record, int size)
{
	const Oid   types[1] = {fingerprint_oid};
	const char *values[1] = {record};
	const int   lengths[1] = {size};
	const int   formats[1] = {BINARY};

	return PQexecParams(conn,
						"SELECT id, match_score(print, $1), print <-> $1 FROM person "
						"ORDER BY print <-> $1 LIMIT 2",
						1, types, values, lengths, formats, BINARY);
}

/* A record made by the server of a synthetic finger, standing for a file */
static PGresult *
record(const char *expression)
{
	PGresult *res = PQexecParams(conn, expression, 0, NULL, NULL, NULL, NULL, BINARY);

	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		die(expression);
	return res;
}

int
main(void)
{
	/*
	 * An ISO/IEC 19794-2:2005 record written by hand: 356 x 400 pixels of
	 * 197 pixels/cm, one view of the right index finger, three minutiae.
	 */
	static const unsigned char by_hand[] = {
		'F',  'M',  'R',  0,    ' ', '2', '0',  0,   0,    0,   0,  48, /* length of the record */
		0,    0,                                                        /* device */
		0x01, 0x64, 0x01, 0x90,                                         /* width, height */
		0x00, 0xC5, 0x00, 0xC5,                                         /* resolution */
		1,    0,                                                        /* views, reserved */
		2,    0x00, 80,   3, /* position, view and impression, quality, minutiae */
		0x40, 100,  0x00, 120,  32,  90,  0x80, 140, 0x00, 200, 96, 70,
		0x40, 200,  0x01, 10,   200, 60,  0,    0 /* no extended data */
	};
	PGresult *res, *rec;
	char     *hex;
	size_t    hex_size;

	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		die("connection");

	PQclear(run("SET client_min_messages = warning"));
	PQclear(run("CREATE SCHEMA driver_libpq"));
	PQclear(run("SET search_path = driver_libpq, public"));
	PQclear(run("CREATE TABLE person (id bigint PRIMARY KEY, print fingerprint)"));
	PQclear(run("CREATE INDEX person_print ON person USING biometric (print)"));
	PQclear(run("SET enable_seqscan = off"));

	/* The type has no fixed OID: ask for it once a connection. */
	res = run("SELECT 'fingerprint'::regtype::oid");
	fingerprint_oid = (Oid) strtoul(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);
	ok(fingerprint_oid != 0, "the type's OID");

	for (int i = 1; i <= 20; i++)
	{
		char command[120];

		snprintf(command, sizeof(command), "SELECT %s(synthetic_fingerprint(%d, 0, 2))",
				 i % 2 ? "to_iso19794_2" : "to_incits378", i);
		rec = record(command);
		res = enrol(i, PQgetvalue(rec, 0, 0), PQgetlength(rec, 0, 0), BINARY);
		if (PQresultStatus(res) != PGRES_COMMAND_OK)
			die("enrolment");
		PQclear(res);
		PQclear(rec);
	}
	ok(true, "ISO/IEC 19794-2 and INCITS 378 records enrolled as binary parameters");

	res = enrol(100, (const char *) by_hand, sizeof(by_hand), BINARY);
	ok(PQresultStatus(res) == PGRES_COMMAND_OK, "a record written by hand");
	PQclear(res);

	/* another capture of finger 9 */
	rec = record("SELECT to_iso19794_2(synthetic_fingerprint(9, 1, 2))");
	res = search(PQgetvalue(rec, 0, 0), PQgetlength(rec, 0, 0));
	ok(PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 2, "search with a binary probe");
	ok(get_uint64(res, 0, 0) == 9, "finds the finger");
	ok(get_float8(res, 0, 1) > get_float8(res, 1, 1), "whose score is higher than the next one's");
	ok(get_float8(res, 0, 2) < get_float8(res, 1, 2), "and whose distance is smaller");
	PQclear(res);
	PQclear(rec);

	/* a binary result is a record */
	res = record("SELECT print FROM person WHERE id = 100");
	ok(PQgetlength(res, 0, 0) == sizeof(by_hand) &&
		   memcmp(PQgetvalue(res, 0, 0), by_hand, sizeof(by_hand)) == 0,
	   "the record comes back byte by byte");
	PQclear(res);

	/* drivers without binary parameters send \x and hex */
	hex_size = 2 + 2 * sizeof(by_hand) + 1;
	hex = malloc(hex_size);
	if (hex == NULL)
		die("memory");
	strcpy(hex, "\\x");
	for (size_t i = 0; i < sizeof(by_hand); i++)
		snprintf(hex + 2 + 2 * i, 3, "%02x", by_hand[i]);
	res = enrol(101, hex, 0, TEXT);
	ok(PQresultStatus(res) == PGRES_COMMAND_OK, "the same record as a text parameter");
	PQclear(res);
	free(hex);
	res = run("SELECT count(DISTINCT print) FROM person WHERE id IN (100, 101)");
	ok(strcmp(PQgetvalue(res, 0, 0), "1") == 0, "is the same fingerprint");
	PQclear(res);

	/* a damaged record is refused, and neither session nor data suffer */
	res = enrol(102, (const char *) by_hand, sizeof(by_hand) - 5, BINARY);
	ok(PQresultStatus(res) == PGRES_FATAL_ERROR &&
		   strncmp(PQresultErrorField(res, PG_DIAG_SQLSTATE), "22", 2) == 0,
	   "a truncated record: SQLSTATE class 22");
	PQclear(res);
	res = run("SELECT count(*) FROM person");
	ok(strcmp(PQgetvalue(res, 0, 0), "22") == 0, "everything else is still there");
	PQclear(res);

	/* a prepared statement, often enough for a generic plan */
	{
		const char *values[1];
		int         lengths[1];
		const int   formats[1] = {BINARY};
		int         found = 0;

		res = PQprepare(conn, "who", "SELECT id FROM person ORDER BY print <-> $1 LIMIT 1", 1,
						&fingerprint_oid);
		ok(PQresultStatus(res) == PGRES_COMMAND_OK, "prepared search");
		PQclear(res);
		for (int i = 1; i <= 10; i++)
		{
			char command[120];

			snprintf(command, sizeof(command),
					 "SELECT to_incits378(synthetic_fingerprint(%d, 0, 2))", i);
			rec = record(command);
			values[0] = PQgetvalue(rec, 0, 0);
			lengths[0] = PQgetlength(rec, 0, 0);
			res = PQexecPrepared(conn, "who", 1, values, lengths, formats, BINARY);
			if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 &&
				get_uint64(res, 0, 0) == (uint64_t) i)
				found++;
			PQclear(res);
			PQclear(rec);
		}
		ok(found == 10, "executed ten times, right ten times");
	}

	PQclear(run("SET search_path = public"));
	PQclear(run("DROP SCHEMA driver_libpq CASCADE"));
	PQfinish(conn);
	printf("1..%d\n", tests);
	return 0;
}
