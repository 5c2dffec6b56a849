/*
 * source.c
 *		Where records come from: files, folders, archives, CSV files, standard
 *		input.  Items are handed out one by one, to whoever asks.
 */
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include "load/load.h"

typedef enum SourceKind
{
	SOURCE_FILE,
	SOURCE_FOLDER,
	SOURCE_ARCHIVE,
	SOURCE_CSV
} SourceKind;

typedef struct Source
{
	char      *argument;
	char      *real; /* absolute, without links */
	SourceKind kind;
} Source;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Source         *sources;
static int             n_sources;
static int             current;
static long            total;

/* the source being read */
static FTS *folder;
#ifdef HAVE_LIBARCHIVE
static struct archive *archive;
#endif
static FILE *csv;
static long  csv_line;
static char *csv_names[MAX_FIELDS];
static int   csv_columns;

static char *
join(const char *a, const char *between, const char *b)
{
	size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
	char  *result = allocate(size);

	snprintf(result, size, "%s%s%s", a, between, b);
	return result;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t end_length = strlen(end);

	return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

/* by content: tar and zip, compressed or not */
static bool
is_archive(const char *path)
{
	unsigned char head[265];
	FILE         *file = fopen(path, "rb");
	size_t        n = file == NULL ? 0 : fread(head, 1, sizeof(head), file);

	if (file != NULL)
		fclose(file);
	if (n >= 4 && memcmp(head, "PK\3\4", 4) == 0)
		return true;
	if (n >= 262 && memcmp(head + 257, "ustar", 5) == 0)
		return true;
	/* gzip, xz, bzip2, zstd */
	return n >= 6 && (memcmp(head, "\x1f\x8b", 2) == 0 ||
					  memcmp(head,
							 "\xfd"
							 "7zXZ",
							 5) == 0 ||
					  memcmp(head, "BZh", 3) == 0 || memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *
open_folder(char *path)
{
	char *paths[] = {path, NULL};

	return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
}

/* the next regular file of a folder that is not hidden */
static FTSENT *
next_file(FTS *fts)
{
	FTSENT *entry;

	while ((entry = fts_read(fts)) != NULL)
	{
		bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';

		if (hidden && entry->fts_info == FTS_D)
			fts_set(fts, entry, FTS_SKIP);
		else if (!hidden && (entry->fts_info == FTS_F || entry->fts_info == FTS_DNR ||
							 entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS))
			return entry;
	}
	return NULL;
}

bool
sources_open(char **arguments, int n)
{
	bool counted = true;

	sources = allocate(sizeof(Source) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		Source     *source = &sources[n_sources++];
		struct stat status;

		source->argument = arguments[i];
		if (strcmp(arguments[i], "-") == 0)
		{
			source->real = copy_string("-");
			source->kind = SOURCE_ARCHIVE;
			counted = false;
#ifndef HAVE_LIBARCHIVE
			complain("standard input: this program was built without libarchive");
			return false;
#endif
			continue;
		}
		source->real = realpath(arguments[i], NULL);
		if (source->real == NULL || stat(source->real, &status) != 0)
		{
			complain("%s: %s", arguments[i], strerror(errno));
			return false;
		}
		if (S_ISDIR(status.st_mode))
		{
			FTS *fts = open_folder(source->real);

			source->kind = SOURCE_FOLDER;
			while (fts != NULL && next_file(fts) != NULL)
				total++;
			if (fts != NULL)
				fts_close(fts);
		}
		else if (ends_with(arguments[i], ".csv"))
		{
			source->kind = SOURCE_CSV;
			counted = false;
			if (options.csv_path == NULL && options.csv_data == NULL)
			{
				complain(
					"%s: --csv-path or --csv-data names the column of a CSV file that has the records",
					arguments[i]);
				return false;
			}
		}
		else if (is_archive(source->real))
		{
			source->kind = SOURCE_ARCHIVE;
			counted = false;
#ifndef HAVE_LIBARCHIVE
			complain("%s: an archive, and this program was built without libarchive", arguments[i]);
			return false;
#endif
		}
		else
		{
			source->kind = SOURCE_FILE;
			total++;
		}
	}
	if (!counted)
		total = 0;
	return true;
}

long
sources_total(void)
{
	return total;
}

/* ---- items ------------------------------------------------------------------ */

void
item_free(Item *item)
{
	free(item->name);
	free(item->path);
	free(item->relative);
	free(item->data);
	free(item->problem);
	for (int i = 0; i < MAX_FIELDS; i++)
		free(item->fields[i]);
	memset(item, 0, sizeof(*item));
}

static void
set_problem(Item *item, const char *problem)
{
	free(item->problem);
	item->problem = copy_string(problem);
}

bool
item_read(Item *item)
{
	FILE       *file;
	struct stat status;
	size_t      n;

	if (item->problem != NULL)
		return false;
	if (item->path == NULL)
		return true;
	file = fopen(item->path, "rb");
	if (file == NULL || fstat(fileno(file), &status) != 0)
		set_problem(item, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		set_problem(item, "not a regular file");
	else if ((size_t) status.st_size > options.max_size)
		set_problem(item, "larger than --max-size");
	else
	{
		/* one byte more: a file that grows is noticed */
		item->data = allocate((size_t) status.st_size + 1);
		n = fread(item->data, 1, (size_t) status.st_size + 1, file);
		if (ferror(file))
			set_problem(item, strerror(errno));
		else if (n > (size_t) status.st_size)
			set_problem(item, "the file grew while it was read");
		item->size = n;
	}
	if (file != NULL)
		fclose(file);
	return item->problem == NULL;
}

#ifdef HAVE_LIBARCHIVE
/* members are read whole, while the lock is held: an archive is a stream */
static bool
next_member(const Source *source, Item *item)
{
	struct archive_entry *entry;
	const char           *name;
	int                   status;
	size_t                capacity = 0;

	if (archive == NULL)
	{
		archive = archive_read_new();
		archive_read_support_filter_all(archive);
		archive_read_support_format_tar(archive);
		archive_read_support_format_zip(archive);
		/* standard input may also be a record alone; an empty one is no error */
		if (strcmp(source->real, "-") == 0)
		{
			archive_read_support_format_raw(archive);
			archive_read_support_format_empty(archive);
			status = archive_read_open_fd(archive, STDIN_FILENO, 65536);
		}
		else
			status = archive_read_open_filename(archive, source->real, 65536);
		if (status != ARCHIVE_OK)
		{
			item->name = copy_string(source->argument);
			set_problem(item, archive_error_string(archive));
			archive_read_free(archive);
			archive = NULL;
			current++;
			return true;
		}
	}
	for (;;)
	{
		status = archive_read_next_header(archive, &entry);
		if (status == ARCHIVE_EOF)
		{
			archive_read_free(archive);
			archive = NULL;
			return false;
		}
		if (status == ARCHIVE_FATAL)
		{
			item->name = copy_string(source->argument);
			set_problem(item, archive_error_string(archive));
			archive_read_free(archive);
			archive = NULL;
			current++;
			return true;
		}
		if (archive_entry_filetype(entry) == AE_IFREG)
			break;
	}
	name = archive_entry_pathname(entry);
	if (archive_format(archive) == ARCHIVE_FORMAT_RAW)
		name = "standard input";
	item->relative = copy_string(name == NULL ? "?" : name);
	item->name = join(source->real, ":", item->relative);
	for (;;)
	{
		la_ssize_t n;

		if (capacity - item->size < 65536)
		{
			uint8_t *larger;

			capacity = 2 * capacity + 65536;
			larger = realloc(item->data, capacity);
			if (larger == NULL)
			{
				set_problem(item, "out of memory");
				return true;
			}
			item->data = larger;
		}
		n = archive_read_data(archive, item->data + item->size, capacity - item->size);
		if (n < 0)
		{
			set_problem(item, archive_error_string(archive));
			return true;
		}
		if (n == 0)
			return true;
		item->size += (size_t) n;
		if (item->size > options.max_size)
		{
			set_problem(item, "larger than --max-size");
			return true;
		}
	}
}
#endif

/* ---- CSV ---------------------------------------------------------------------- */

/*
 * The fields of the next line, RFC 4180: fields in quotes may hold commas, line
 * ends and doubled quotes.  Returns how many, 0 at the end, -1 for too many.
 */
static int
read_csv(char **fields)
{
	int    n = 0;
	int    c = fgetc(csv);
	char  *field = NULL;
	size_t length = 0;
	size_t capacity = 0;
	bool   quoted = false;

	if (c == EOF)
		return 0;
	for (;; c = fgetc(csv))
	{
		bool end = !quoted && (c == ',' || c == '\n' || c == EOF);

		if (c == EOF)
			end = true;
		if (c == '\n')
			csv_line++;
		if (!end && c == '"')
		{
			if (quoted)
			{
				int next = fgetc(csv);

				if (next != '"')
				{
					quoted = false;
					ungetc(next, csv);
					continue;
				}
			}
			else if (length == 0)
			{
				quoted = true;
				continue;
			}
		}
		if (!end && (quoted || c != '\r'))
		{
			if (length + 2 > capacity)
			{
				capacity = 2 * capacity + 64;
				field = realloc(field, capacity);
				if (field == NULL)
				{
					complain("out of memory");
					exit(EXIT_SOURCE);
				}
			}
			field[length++] = (char) c;
		}
		if (!end)
			continue;
		if (n < MAX_FIELDS)
		{
			fields[n] = field == NULL ? copy_string("") : field;
			fields[n][length] = '\0';
			n++;
		}
		else
		{
			free(field);
			n = MAX_FIELDS + 1;
		}
		field = NULL;
		length = capacity = 0;
		if (c != ',')
			return n > MAX_FIELDS ? -1 : n;
		quoted = false;
	}
}

static int
csv_column(const char *name)
{
	for (int i = 0; i < csv_columns; i++)
	{
		if (strcmp(csv_names[i], name) == 0)
			return i;
	}
	return -1;
}

static bool
open_csv(const Source *source)
{
	const char *needed = options.csv_path != NULL ? options.csv_path : options.csv_data;

	csv = fopen(source->real, "rb");
	csv_line = 1;
	csv_columns = csv == NULL ? 0 : read_csv(csv_names);
	if (csv_columns <= 0 || csv_column(needed) < 0)
	{
		complain("%s: the first line has no column \"%s\"", source->argument, needed);
		exit(EXIT_SOURCE);
	}
	for (int i = 0; i < options.n_columns; i++)
	{
		if (options.columns[i].source == COLUMN_CSV && csv_column(options.columns[i].name) < 0)
		{
			complain("%s: the first line has no column \"%s\"", source->argument,
					 options.columns[i].name);
			exit(EXIT_SOURCE);
		}
	}
	return true;
}

static bool
next_line(const Source *source, Item *item)
{
	char *fields[MAX_FIELDS] = {0};
	char  where[32];
	int   n;
	int   record;
	long  line;

	if (csv == NULL)
		open_csv(source);
	do
	{
		line = csv_line;
		n = read_csv(fields);
		/* an empty line */
		if (n == 1 && fields[0][0] == '\0')
		{
			free(fields[0]);
			fields[0] = NULL;
			n = -2;
		}
	} while (n == -2);
	if (n == 0)
	{
		fclose(csv);
		csv = NULL;
		for (int i = 0; i < csv_columns; i++)
			free(csv_names[i]);
		return false;
	}
	snprintf(where, sizeof(where), "%ld", line);
	item->name = join(source->real, ":", where);
	record = csv_column(options.csv_path != NULL ? options.csv_path : options.csv_data);
	if (n != csv_columns || record < 0 || fields[record] == NULL)
		set_problem(item, "the line has another number of fields than the first");
	else if (options.csv_path != NULL)
	{
		const char *slash = strrchr(source->real, '/');
		char       *folder_name = copy_string(source->real);

		/* relative to where the CSV file is */
		folder_name[slash - source->real] = '\0';
		item->path = fields[record][0] == '/' ? copy_string(fields[record])
											  : join(folder_name, "/", fields[record]);
		free(folder_name);
	}
	else
	{
		/* text: base64 or hexadecimal, which the decoder recognises */
		item->size = strlen(fields[record]);
		item->data = (uint8_t *) copy_string(fields[record]);
	}
	for (int i = 0; n == csv_columns && i < options.n_columns; i++)
	{
		const Column *column = &options.columns[i];

		if (column->source == COLUMN_CSV)
			item->fields[column->field] = copy_string(fields[csv_column(column->name)]);
	}
	for (int i = 0; i < n && i < MAX_FIELDS; i++)
		free(fields[i]);
	return true;
}

/* ---- one after the other -------------------------------------------------------- */

static bool
next_of(const Source *source, Item *item)
{
	FTSENT *entry;

	switch (source->kind)
	{
		case SOURCE_FILE:
			item->name = copy_string(source->real);
			item->path = copy_string(source->real);
			item->relative = copy_string(source->real);
			/* there is one */
			current++;
			return true;
		case SOURCE_FOLDER:
			if (folder == NULL)
				folder = open_folder(source->real);
			entry = folder == NULL ? NULL : next_file(folder);
			if (entry == NULL)
			{
				if (folder != NULL)
					fts_close(folder);
				folder = NULL;
				return false;
			}
			item->name = copy_string(entry->fts_path);
			item->path = copy_string(entry->fts_path);
			item->relative = copy_string(entry->fts_path);
			if (entry->fts_info != FTS_F)
				set_problem(item, strerror(entry->fts_errno));
			return true;
		case SOURCE_ARCHIVE:
#ifdef HAVE_LIBARCHIVE
			return next_member(source, item);
#else
			return false;
#endif
		case SOURCE_CSV:
			return next_line(source, item);
	}
	return false;
}

bool
sources_next(Item *item)
{
	bool found = false;

	memset(item, 0, sizeof(*item));
	pthread_mutex_lock(&lock);
	while (!found && current < n_sources)
	{
		found = next_of(&sources[current], item);
		if (!found)
			current++;
	}
	pthread_mutex_unlock(&lock);
	if (found && options.pattern != NULL && item->relative != NULL && item->problem == NULL &&
		!pattern_match(options.pattern, item->relative, item->fields))
		set_problem(item, "its name does not match the pattern");
	return found;
}
