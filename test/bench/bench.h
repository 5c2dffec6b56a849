/*
 * bench.h
 *		What the benchmarks share: sets of templates, real or synthetic, and
 *		their scores.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/fingerprint/fingerprint.h"

typedef struct BenchRecord
{
	FingerprintTemplate finger;
	int                 identity;   /* F of F_I.fmr */
	int                 impression; /* I of F_I.fmr */
	size_t              size;       /* of the features */
	unsigned char      *features;
} BenchRecord;

typedef struct BenchSet
{
	char         name[64];
	int          count;
	BenchRecord *records; /* by identity, then impression */
} BenchSet;

/* files F_I.fmr of a directory; false (with no message) when there are none */
extern bool bench_load(BenchSet *set, const char *directory);

/* fingers first .. first + fingers - 1, impressions 0 .. impressions - 1 */
extern void bench_synthesize(BenchSet *set, int64_t first, int fingers, int impressions);

extern void bench_extract(BenchSet *set);
extern void bench_free(BenchSet *set);

/* a growing list of numbers */
typedef struct BenchValues
{
	size_t  count;
	size_t  capacity;
	double *values;
} BenchValues;

extern void bench_add(BenchValues *values, double value);
extern void bench_sort(BenchValues *values);

/* of sorted values, 0 <= q <= 1 */
extern double bench_quantile(const BenchValues *values, double q);
extern double bench_mean(const BenchValues *values);

/*
 * Where the evaluation data are: BIOMETRIC_DATA, or ../shared/data from the
 * root of the repository; NULL when absent.
 */
extern const char *bench_data(void);

/* processor time of this program, so that a shared machine does as well */
extern double bench_seconds(void);
extern void  *bench_allocate(size_t size);

#endif /* BENCH_H */
