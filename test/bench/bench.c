/*
 * bench.c
 *		Sets of templates for the benchmarks.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "record/minutiae_record.h"

void *
bench_allocate(size_t size)
{
	void *result = calloc(1, size > 0 ? size : 1);

	if (result == NULL)
	{
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return result;
}

double
bench_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

const char *
bench_data(void)
{
	const char *place = getenv("BIOMETRIC_DATA");
	struct stat info;

	if (place == NULL || place[0] == '\0')
		place = "../shared/data";
	return stat(place, &info) == 0 && S_ISDIR(info.st_mode) ? place : NULL;
}

/* the first view of a record, standard or nearly so */
static bool
read_record(const char *path, FingerprintTemplate *result)
{
	FILE          *file = fopen(path, "rb");
	static uint8_t bytes[1 << 20];
	RecordError    error;
	size_t         size;

	if (file == NULL)
	{
		perror(path);
		return false;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (minutiae_record_read(bytes, size, false, 0, result, &error) < 1)
	{
		fprintf(stderr, "%s: not read: %s at byte %zu %s\n", path, error.field, error.offset,
				error.problem);
		return false;
	}
	return true;
}

static int
compare_records(const void *left, const void *right)
{
	const BenchRecord *a = left;
	const BenchRecord *b = right;

	if (a->identity != b->identity)
		return a->identity < b->identity ? -1 : 1;
	return a->impression < b->impression ? -1 : a->impression > b->impression;
}

bool
bench_load(BenchSet *set, const char *directory)
{
	DIR           *dir = opendir(directory);
	struct dirent *entry;
	int            capacity = 0;
	const char    *base;
	size_t         length = strlen(directory);

	memset(set, 0, sizeof(*set));
	if (dir == NULL)
		return false;
	while (length > 1 && directory[length - 1] == '/')
		length--;
	for (base = directory + length; base > directory && base[-1] != '/'; base--)
		;
	snprintf(set->name, sizeof(set->name), "%.*s", (int) (directory + length - base), base);

	while ((entry = readdir(dir)) != NULL)
	{
		int  identity, impression, end = 0;
		char path[4096];

		if (sscanf(entry->d_name, "%d_%d.fmr%n", &identity, &impression, &end) != 2 || end == 0 ||
			entry->d_name[end] != '\0')
			continue;
		if (set->count == capacity)
		{
			capacity = capacity ? 2 * capacity : 128;
			set->records = realloc(set->records, capacity * sizeof(BenchRecord));
			if (set->records == NULL)
				exit(2);
		}
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		memset(&set->records[set->count], 0, sizeof(BenchRecord));
		set->records[set->count].identity = identity;
		set->records[set->count].impression = impression;
		if (read_record(path, &set->records[set->count].finger))
			set->count++;
	}
	closedir(dir);
	if (set->count == 0)
		return false;
	qsort(set->records, set->count, sizeof(BenchRecord), compare_records);
	return true;
}

void
bench_synthesize(BenchSet *set, int64_t first, int fingers, int impressions)
{
	memset(set, 0, sizeof(*set));
	snprintf(set->name, sizeof(set->name), "synthetic");
	set->count = fingers * impressions;
	set->records = bench_allocate(set->count * sizeof(BenchRecord));
	for (int i = 0; i < set->count; i++)
	{
		BenchRecord *record = &set->records[i];

		record->identity = i / impressions;
		record->impression = i % impressions;
		fingerprint_synthesize(&record->finger, first + record->identity, record->impression, 0);
	}
}

void
bench_extract(BenchSet *set)
{
	static unsigned char buffer[FINGERPRINT_FEATURES_MAX_SIZE];

	for (int i = 0; i < set->count; i++)
	{
		BenchRecord *record = &set->records[i];

		record->size = fingerprint_extract(&record->finger, buffer);
		record->features = bench_allocate(record->size);
		memcpy(record->features, buffer, record->size);
	}
}

void
bench_free(BenchSet *set)
{
	for (int i = 0; i < set->count; i++)
		free(set->records[i].features);
	free(set->records);
	memset(set, 0, sizeof(*set));
}

void
bench_add(BenchValues *values, double value)
{
	if (values->count == values->capacity)
	{
		values->capacity = values->capacity ? 2 * values->capacity : 1024;
		values->values = realloc(values->values, values->capacity * sizeof(double));
		if (values->values == NULL)
			exit(2);
	}
	values->values[values->count++] = value;
}

static int
compare_doubles(const void *left, const void *right)
{
	double a = *(const double *) left;
	double b = *(const double *) right;

	return a < b ? -1 : a > b;
}

void
bench_sort(BenchValues *values)
{
	if (values->count > 0)
		qsort(values->values, values->count, sizeof(double), compare_doubles);
}

double
bench_quantile(const BenchValues *values, double q)
{
	if (values->count == 0)
		return NAN;
	return values->values[(size_t) (q * (values->count - 1) + 0.5)];
}

double
bench_mean(const BenchValues *values)
{
	double sum = 0;

	for (size_t i = 0; i < values->count; i++)
		sum += values->values[i];
	return values->count ? sum / values->count : NAN;
}
