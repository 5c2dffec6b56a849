/*
 * main.c
 *		biometric-load: records and pictures of fingers, and iris codes, into a
 *		table.  Options, threads, and the exit status.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/load.h"

#define MAX_JOBS 64

Options options = {
	.table = "fingerprints",
	.template_column = "print",
	.finger_position = -1,
	.max_size = 64 << 20,
	.jobs = 2,
	.batch = 5000,
	.journal = "biometric_load_journal",
};

volatile int interrupted;

/* parts of a pattern that are no columns */
static int position_field = -1;
static int dpi_field = -1;

static void
usage(void)
{
	printf(
		"%s", PROGRAM
		" loads fingerprint records, pictures of fingers and iris codes into a table.\n"
		"\n"
		"  " PROGRAM " [OPTION]... SOURCE...\n"
		"\n"
		"A source is a file, a folder, a tar or zip archive, a CSV file, or - for standard input.\n"
		"\n"
		"Where to:\n"
		"  -d, --dbname=DATABASE     database, connection string or URI\n"
		"  -t, --table=TABLE         table, perhaps with its schema (fingerprints)\n"
		"  -c, --column=COLUMN       column of type fingerprint or iris (print)\n"
		"      --create-table        create the table, if there is none\n"
		"      --create-index        create an index for searches when all is loaded\n"
		"      --iris                create the column with type iris\n"
		"Other columns:\n"
		"  -p, --pattern=PATTERN     values from the names of files, as in {person}_{capture}.fmr;\n"
		"                            {@position} and {@dpi} give finger position and resolution\n"
		"      --set=COLUMN=VALUE    a constant\n"
		"      --name-column=COLUMN  the file's name\n"
		"      --view-column=COLUMN  the number of the view in the record\n"
		"      --bytes-column=COLUMN the file itself\n"
		"      --csv-path=COLUMN     column of a CSV file that names files\n"
		"      --csv-data=COLUMN     column of a CSV file that holds records in base64 or hexadecimal\n"
		"      --csv-columns=LIST    columns of a CSV file that are loaded into columns of the same name\n"
		"How:\n"
		"  -j, --jobs=N              connections (2)\n"
		"      --batch=ROWS          rows of a transaction (5000)\n"
		"      --strict              refuse records with faults that are usually let pass\n"
		"      --dpi=N               resolution of pictures that do not state it\n"
		"      --position=N          finger position of records and pictures that do not state it\n"
		"      --max-size=MB         largest file (64)\n"
		"  -n, --dry-run             decode and report, load nothing\n"
		"      --again               load files that the journal has, too\n"
		"      --journal=TABLE       table of what was loaded (biometric_load_journal)\n"
		"      --reject-file=FILE    CSV file of what was refused: source, view, byte, reason\n"
		"      --reject-table=TABLE  table of the same\n"
		"  -q, --quiet               say nothing but errors\n"
		"\n"
		"Exit status: 0 all was loaded, 1 something was rejected, 2 wrong options, 3 the database failed,\n"
		"4 a source cannot be read, 130 interrupted.\n");
}

static void
wrong_option(const char *message, const char *argument)
{
	complain(message, argument);
	exit(EXIT_USAGE);
}

static Column *
add_column(const char *name, ColumnSource source)
{
	Column *column;

	if (options.n_columns == MAX_COLUMNS)
		wrong_option("more columns than can be loaded%s", "");
	for (int i = 0; i < options.n_columns; i++)
	{
		if (strcmp(options.columns[i].name, name) == 0)
			wrong_option("column \"%s\" is named twice", name);
	}
	column = &options.columns[options.n_columns++];
	column->name = copy_string(name);
	column->source = source;
	return column;
}

static long
number(const char *name, const char *text, long least, long most)
{
	char *end;
	long  value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < least || value > most)
	{
		complain("--%s takes a number from %ld to %ld", name, least, most);
		exit(EXIT_USAGE);
	}
	return value;
}

static void
add_pattern(const char *pattern)
{
	char *names[MAX_FIELDS];
	int   n = pattern_names(pattern, names, MAX_FIELDS);

	if (options.pattern != NULL || n < 0)
		wrong_option("one pattern can be given, with at most 64 parts%s", "");
	options.pattern = copy_string(pattern);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], "@position") == 0)
			position_field = i;
		else if (strcmp(names[i], "@dpi") == 0)
			dpi_field = i;
		else if (names[i][0] == '@')
			wrong_option("\"{%s}\" is unknown: there are {@position} and {@dpi}", names[i]);
		else
			add_column(names[i], COLUMN_PATTERN)->field = i;
	}
}

static void
add_csv_columns(char *list)
{
	int field = 0;

	for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ","))
		add_column(name, COLUMN_CSV)->field = field++;
}

enum
{
	OPTION_CREATE_TABLE = 256,
	OPTION_CREATE_INDEX,
	OPTION_IRIS,
	OPTION_SET,
	OPTION_NAME_COLUMN,
	OPTION_VIEW_COLUMN,
	OPTION_BYTES_COLUMN,
	OPTION_CSV_PATH,
	OPTION_CSV_DATA,
	OPTION_CSV_COLUMNS,
	OPTION_BATCH,
	OPTION_STRICT,
	OPTION_DPI,
	OPTION_POSITION,
	OPTION_MAX_SIZE,
	OPTION_AGAIN,
	OPTION_JOURNAL,
	OPTION_REJECT_FILE,
	OPTION_REJECT_TABLE,
	OPTION_EXPORT
};

static const struct option long_options[] = {
	{"dbname", required_argument, NULL, 'd'},
	{"table", required_argument, NULL, 't'},
	{"column", required_argument, NULL, 'c'},
	{"create-table", no_argument, NULL, OPTION_CREATE_TABLE},
	{"create-index", no_argument, NULL, OPTION_CREATE_INDEX},
	{"iris", no_argument, NULL, OPTION_IRIS},
	{"pattern", required_argument, NULL, 'p'},
	{"set", required_argument, NULL, OPTION_SET},
	{"name-column", required_argument, NULL, OPTION_NAME_COLUMN},
	{"view-column", required_argument, NULL, OPTION_VIEW_COLUMN},
	{"bytes-column", required_argument, NULL, OPTION_BYTES_COLUMN},
	{"csv-path", required_argument, NULL, OPTION_CSV_PATH},
	{"csv-data", required_argument, NULL, OPTION_CSV_DATA},
	{"csv-columns", required_argument, NULL, OPTION_CSV_COLUMNS},
	{"jobs", required_argument, NULL, 'j'},
	{"batch", required_argument, NULL, OPTION_BATCH},
	{"strict", no_argument, NULL, OPTION_STRICT},
	{"dpi", required_argument, NULL, OPTION_DPI},
	{"position", required_argument, NULL, OPTION_POSITION},
	{"max-size", required_argument, NULL, OPTION_MAX_SIZE},
	{"dry-run", no_argument, NULL, 'n'},
	{"again", no_argument, NULL, OPTION_AGAIN},
	{"journal", required_argument, NULL, OPTION_JOURNAL},
	{"reject-file", required_argument, NULL, OPTION_REJECT_FILE},
	{"reject-table", required_argument, NULL, OPTION_REJECT_TABLE},
	{"export", required_argument, NULL, OPTION_EXPORT},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void
read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "d:t:c:p:j:nqh", long_options, NULL)) != -1)
	{
		char *equals;

		switch (c)
		{
			case 'd':
				options.connection = optarg;
				break;
			case 't':
				options.table = optarg;
				break;
			case 'c':
				options.template_column = optarg;
				break;
			case OPTION_CREATE_TABLE:
				options.create_table = true;
				break;
			case OPTION_CREATE_INDEX:
				options.create_index = true;
				break;
			case OPTION_IRIS:
				options.iris = true;
				break;
			case 'p':
				add_pattern(optarg);
				break;
			case OPTION_SET:
				equals = strchr(optarg, '=');
				if (equals == NULL)
					wrong_option("--set takes COLUMN=VALUE, not \"%s\"", optarg);
				*equals = '\0';
				add_column(optarg, COLUMN_CONSTANT)->value = equals + 1;
				break;
			case OPTION_NAME_COLUMN:
				add_column(optarg, COLUMN_NAME);
				break;
			case OPTION_VIEW_COLUMN:
				add_column(optarg, COLUMN_VIEW);
				break;
			case OPTION_BYTES_COLUMN:
				add_column(optarg, COLUMN_BYTES);
				break;
			case OPTION_CSV_PATH:
				options.csv_path = optarg;
				break;
			case OPTION_CSV_DATA:
				options.csv_data = optarg;
				break;
			case OPTION_CSV_COLUMNS:
				add_csv_columns(optarg);
				break;
			case 'j':
				options.jobs = (int) number("jobs", optarg, 1, MAX_JOBS);
				break;
			case OPTION_BATCH:
				options.batch = (int) number("batch", optarg, 1, 1000000);
				break;
			case OPTION_STRICT:
				options.strict = true;
				break;
			case OPTION_DPI:
				options.dpi = (double) number("dpi", optarg, 1, 10000);
				break;
			case OPTION_POSITION:
				options.finger_position = (int) number("position", optarg, 0, 10);
				break;
			case OPTION_MAX_SIZE:
				options.max_size = (size_t) number("max-size", optarg, 1, 1024) << 20;
				break;
			case 'n':
				options.dry_run = true;
				break;
			case OPTION_AGAIN:
				options.again = true;
				break;
			case OPTION_JOURNAL:
				options.journal = optarg;
				break;
			case OPTION_REJECT_FILE:
				options.reject_file = optarg;
				break;
			case OPTION_REJECT_TABLE:
				options.reject_table = optarg;
				break;
			case OPTION_EXPORT:
				options.export_query = optarg;
				break;
			case 'q':
				options.quiet = true;
				break;
			case 'h':
				usage();
				exit(EXIT_ALL_LOADED);
			case 'V':
				printf(PROGRAM " 2.0\n");
				exit(EXIT_ALL_LOADED);
			default:
				fprintf(stderr, "Try \"" PROGRAM " --help\".\n");
				exit(EXIT_USAGE);
		}
	}
	if (optind == argc)
		wrong_option("no source is named; try \"" PROGRAM " --help\"%s", "");
	if (options.csv_path != NULL && options.csv_data != NULL)
		wrong_option("--csv-path and --csv-data exclude each other%s", "");
	add_column(options.template_column, COLUMN_TEMPLATE);
}

/* ---- workers ------------------------------------------------------------------------ */

typedef struct Job
{
	Target *target;
	Item    item;
} Job;

static void
take_view(void *context, int view, const uint8_t *bytes, size_t size, size_t offset,
		  const char *problem)
{
	Job *job = context;

	if (problem != NULL)
		target_reject(job->target, job->item.name, view, offset, problem);
	else
		target_add(job->target, &job->item, view, bytes, size);
}

static void *
work(void *argument)
{
	Job job = {.target = argument};

	while (!interrupted && !target_lost(job.target) && sources_next(&job.item))
	{
		if (target_was_loaded(job.item.name))
			report_skipped();
		else
		{
			item_read(&job.item);
			decode_item(&job.item, position_field < 0 ? NULL : job.item.fields[position_field],
						dpi_field < 0 ? NULL : job.item.fields[dpi_field], take_view, &job);
			if (interrupted)
				target_item_drop(job.target, job.item.name);
			else
				target_item_done(job.target, job.item.name);
			report_item();
		}
		item_free(&job.item);
	}
	return NULL;
}

static void
stop(int signal_number)
{
	/* the second time, at once */
	if (interrupted)
		_exit(EXIT_INTERRUPTED);
	interrupted = signal_number;
}

/* the exit status of what is over */
static int
finish(bool sound)
{
	report_end();
	if (interrupted)
	{
		complain("interrupted; the same command goes on where it stopped");
		return EXIT_INTERRUPTED;
	}
	if (!sound)
		return EXIT_DATABASE;
	return report_rejects() > 0 ? EXIT_REJECTS : EXIT_ALL_LOADED;
}

/* rows to files of a folder */
static int export(const char *folder, int folders)
{
	bool sound;

	if (folders != 1)
		wrong_option("--export takes one folder%s", "");
	report_start(0);
	sound = export_rows(options.export_query, folder);
	return finish(sound);
}

int
main(int argc, char **argv)
{
	pthread_t        thread[MAX_JOBS];
	Target          *target[MAX_JOBS];
	int              started = 0;
	bool             sound = true;
	struct sigaction action = {.sa_handler = stop};

	read_options(argc, argv);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (options.export_query != NULL)
		return export(argv[optind], argc - optind);
	if (!sources_open(argv + optind, argc - optind))
		return EXIT_SOURCE;
	if (!options.dry_run && !target_prepare())
		return EXIT_DATABASE;

	report_start(sources_total());
	for (; started < options.jobs; started++)
	{
		target[started] = target_open();
		if (target[started] == NULL)
			break;
		if (pthread_create(&thread[started], NULL, work, target[started]) != 0)
		{
			target_close(target[started]);
			complain("a thread could not be started");
			break;
		}
	}
	if (started == 0)
		return EXIT_DATABASE;
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < started; i++)
		sound = target_close(target[i]) && sound;
	if (sound && !interrupted && !options.dry_run)
		sound = target_finish();
	return finish(sound);
}
