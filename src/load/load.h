/*
 * load.h
 *		biometric-load: what its parts share.
 *
 * The main thread starts workers.  Each worker has a connection of its own and
 * repeats: take the next item from the sources (source.c, under a lock), decode
 * it to rows (decode.c), and send full batches with COPY (target.c).  What
 * cannot be loaded is a reject (report.c), and the work goes on.
 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM "biometric-load"

/* exit codes; they are documented */
#define EXIT_ALL_LOADED  0
#define EXIT_REJECTS     1
#define EXIT_USAGE       2
#define EXIT_DATABASE    3
#define EXIT_SOURCE      4 /* a source named on the command line cannot be read */
#define EXIT_INTERRUPTED 130

#define MAX_COLUMNS 64

/* Where the value of a column comes from */
typedef enum ColumnSource
{
	COLUMN_TEMPLATE,
	COLUMN_PATTERN, /* a part of the file's name */
	COLUMN_CSV,     /* a field of the CSV file */
	COLUMN_CONSTANT,
	COLUMN_NAME, /* the name of the file */
	COLUMN_VIEW, /* the number of the view in the record */
	COLUMN_BYTES /* the record or picture as it came */
} ColumnSource;

typedef struct Column
{
	char        *name;
	ColumnSource source;
	char        *value; /* of COLUMN_CONSTANT */
	int          field; /* of COLUMN_PATTERN and COLUMN_CSV: which */
	unsigned     type;  /* OID, once the table is known */
} Column;

typedef struct Options
{
	const char *connection; /* a database, a connection string or a URI; NULL: the environment */
	const char *table;
	const char *template_column;
	bool        iris; /* of type iris; otherwise fingerprint */

	char  *pattern; /* NULL: none */
	char  *csv_path;
	char  *csv_data;
	Column columns[MAX_COLUMNS];
	int    n_columns;

	bool   strict;
	double dpi;             /* of pictures that do not state it; 0 = refuse those */
	int    finger_position; /* of records and pictures that do not state it; -1 = leave it */
	size_t max_size;        /* bytes of a file */

	int         jobs;
	int         batch; /* rows */
	bool        dry_run;
	bool        again;
	bool        create_table;
	bool        create_index;
	const char *journal;
	const char *reject_file;
	const char *reject_table;
	const char *export_query; /* rows to files instead */
	bool        quiet;
} Options;

extern Options options;

/* set by a signal: workers finish what they have in hand and stop */
extern volatile int interrupted;

/* ---- sources: source.c ------------------------------------------------------ */

#define MAX_FIELDS 64

/* One file, member of an archive, or line of a CSV file */
typedef struct Item
{
	char    *name;     /* what it is known by: in the journal, in rejects */
	char    *path;     /* to open; NULL if data holds the bytes */
	char    *relative; /* what the pattern is matched with */
	uint8_t *data;
	size_t   size;
	char    *fields[MAX_FIELDS]; /* of the pattern or the CSV line, as options.columns count them */
	char    *problem;            /* known already: it cannot be read */
} Item;

/* Looks at the arguments and counts; false if one cannot be read */
extern bool sources_open(char **arguments, int n);

/* how many items there are, 0 if that is not known before they are read */
extern long sources_total(void);

/* The next item; false at the end.  Safe to call from several threads. */
extern bool sources_next(Item *item);

/* Makes data of path.  False, with a problem, if that fails. */
extern bool item_read(Item *item);

extern void item_free(Item *item);

/* ---- names: pattern.c -------------------------------------------------------- */

/*
 * A pattern is text with {column} in it; * stands for any characters but '/'.
 * It has to match the end of a path, from its start or from behind a '/'.
 * Fills fields by number; those of a failed match are NULL.
 */
extern int  pattern_names(const char *pattern, char **names, int most);
extern bool pattern_match(const char *pattern, const char *path, char **fields);

/* ---- decoding: decode.c ------------------------------------------------------ */

/* A template as the binary form of its type, or why there is none */
typedef void (*DecodedView)(void *context, int view, const uint8_t *bytes, size_t size,
							size_t offset, const char *problem);

extern void decode_item(const Item *item, const char *position, const char *dpi,
						DecodedView callback, void *context);

/* ---- the database: target.c ---------------------------------------------------- */

typedef struct Target Target;

/* a connection, NULL and a message if there is none */
extern struct pg_conn *target_connect(void);

/* once, before workers start: tables, column types, what was loaded before */
extern bool target_prepare(void);
extern bool target_was_loaded(const char *name);
extern bool target_finish(void);

extern Target *target_open(void);
extern void    target_add(Target *target, const Item *item, int view, const uint8_t *bytes,
						  size_t size);
extern void    target_item_done(Target *target, const char *name);
extern void    target_item_drop(Target *target, const char *name);
extern void    target_reject(Target *target, const char *name, int view, size_t offset,
							 const char *reason);

/* sends what is left; false if the connection is lost */
extern bool target_close(Target *target);
extern bool target_lost(const Target *target);

/* ---- the way out: export.c --------------------------------------------------------- */

/*
 * Writes a file for each row of a query, whose columns are a name and the bytes.
 * False if the query or the connection fails.
 */
extern bool export_rows(const char *query, const char *folder);

/* ---- what is said: report.c ------------------------------------------------------ */

extern void report_start(long total);
extern void report_item(void);
extern void report_rows(long rows);
extern void report_reject(const char *name, int view, size_t offset, const char *reason);
extern void report_skipped(void);
extern void report_end(void);
extern long report_rejects(void);

extern void  complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern void *allocate(size_t size);
extern char *copy_string(const char *string);

#endif /* LOAD_LOAD_H */
