/*
 * report.c
 *		What is said while it works: a bar on a terminal, lines elsewhere, and
 *		the file of rejects.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load/load.h"

#define SHOWN_REJECTS 20 /* further ones are only counted on the terminal */
#define LINE_SECONDS  10 /* between lines where there is no terminal */
#define BAR_WIDTH     30

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE           *reject_file;
static struct timespec start;
static double          last_said;
static long            total;
static long            items;
static long            skipped;
static long            rows;
static long            rejects;
static bool            terminal;
static bool            bar_shown;

void *
allocate(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
	{
		fprintf(stderr, PROGRAM ": out of memory\n");
		exit(EXIT_DATABASE);
	}
	return memory;
}

char *
copy_string(const char *string)
{
	size_t size = strlen(string) + 1;

	return memcpy(allocate(size), string, size);
}

static double
elapsed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) (now.tv_sec - start.tv_sec) + (double) (now.tv_nsec - start.tv_nsec) / 1e9;
}

static void
clear_bar(void)
{
	if (bar_shown)
		fprintf(stderr, "\r\033[K");
	bar_shown = false;
}

void
complain(const char *format, ...)
{
	va_list arguments;

	pthread_mutex_lock(&lock);
	clear_bar();
	fprintf(stderr, PROGRAM ": ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	pthread_mutex_unlock(&lock);
}

void
report_start(long how_many)
{
	clock_gettime(CLOCK_MONOTONIC, &start);
	total = how_many;
	terminal = !options.quiet && isatty(STDERR_FILENO);
}

/* with the lock held */
static void
say_progress(void)
{
	double seconds = elapsed();
	double rate = seconds > 0 ? (double) (items + skipped) / seconds : 0;
	long   done = items + skipped;

	if (options.quiet || seconds - last_said < (terminal ? 0.2 : LINE_SECONDS))
		return;
	last_said = seconds;
	if (terminal)
	{
		clear_bar();
		if (total > 0)
		{
			int filled = (int) (BAR_WIDTH * done / total);

			fputc('[', stderr);
			for (int i = 0; i < BAR_WIDTH; i++)
				fputc(i < filled ? '#' : ' ', stderr);
			fprintf(stderr, "] %3ld %% ", 100 * done / total);
		}
		bar_shown = true;
	}
	fprintf(stderr, "%ld files, %ld rows, %ld rejected, %.0f files/s", done, rows, rejects, rate);
	if (total > done && rate > 0)
		fprintf(stderr, ", %.0f s left", (double) (total - done) / rate);
	if (!terminal)
		fputc('\n', stderr);
	fflush(stderr);
}

void
report_item(void)
{
	pthread_mutex_lock(&lock);
	items++;
	say_progress();
	pthread_mutex_unlock(&lock);
}

void
report_rows(long n)
{
	pthread_mutex_lock(&lock);
	rows += n;
	pthread_mutex_unlock(&lock);
}

void
report_skipped(void)
{
	pthread_mutex_lock(&lock);
	skipped++;
	say_progress();
	pthread_mutex_unlock(&lock);
}

/* a field of a CSV file */
static void
write_quoted(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++)
	{
		if (*text == '"')
			fputc('"', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

void
report_reject(const char *name, int view, size_t offset, const char *reason)
{
	pthread_mutex_lock(&lock);
	rejects++;
	if (options.reject_file != NULL && reject_file == NULL)
	{
		reject_file = fopen(options.reject_file, "w");
		if (reject_file == NULL)
		{
			fprintf(stderr, PROGRAM ": %s: %s\n", options.reject_file, strerror(errno));
			options.reject_file = NULL;
		}
		else
			fprintf(reject_file, "source,view,byte,reason\n");
	}
	if (reject_file != NULL)
	{
		write_quoted(reject_file, name);
		fprintf(reject_file, ",%d,%zu,", view, offset);
		write_quoted(reject_file, reason);
		fputc('\n', reject_file);
		fflush(reject_file);
	}
	if (rejects <= SHOWN_REJECTS)
	{
		clear_bar();
		fprintf(stderr, "rejected: %s", name);
		if (view > 0)
			fprintf(stderr, ", view %d", view);
		fprintf(stderr, ": %s\n", reason);
		if (rejects == SHOWN_REJECTS)
			fprintf(stderr, "(further rejects are only counted%s%s)\n",
					reject_file != NULL ? "; all are in " : ", --reject-file keeps them",
					reject_file != NULL ? options.reject_file : "");
	}
	pthread_mutex_unlock(&lock);
}

long
report_rejects(void)
{
	return rejects;
}

void
report_end(void)
{
	double seconds = elapsed();

	clear_bar();
	if (reject_file != NULL)
		fclose(reject_file);
	if (options.quiet)
		return;
	fprintf(stderr, "%ld files, %ld rows %s, %ld rejected in %.1f s", items, rows,
			options.export_query != NULL ? "written"
			: options.dry_run            ? "would be loaded"
										 : "loaded",
			rejects, seconds);
	if (seconds > 0.05)
		fprintf(stderr, " (%.0f rows/s)", (double) rows / seconds);
	fputc('\n', stderr);
	if (skipped > 0)
		fprintf(stderr, "%ld files were loaded before and were skipped; --again loads them again\n",
				skipped);
}
