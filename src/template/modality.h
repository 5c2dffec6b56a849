/*
 * modality.h
 *		What the access method knows of a biometric modality.
 *
 * Support function 1 of an operator class of the access method "biometric"
 * takes no argument and returns a pointer to one constant BiometricModality
 * (SQL type internal).  Through it the index turns templates into the
 * match-ready features it stores and compares them, without knowing what they
 * are.  A new modality is one such struct and an operator class.
 *
 * After validation at input no data can make these functions fail, except for
 * out of memory.
 */
#ifndef BIOMETRIC_MODALITY_H
#define BIOMETRIC_MODALITY_H

#include "postgres.h"

/* Strategy numbers of the operator classes */
#define BIOMETRIC_DISTANCE_STRATEGY 1 /* template <-> template, FOR ORDER BY */
#define BIOMETRIC_MATCH_STRATEGY    2 /* template % template: score >= biometric.match_threshold */
#define BIOMETRIC_PROBE_STRATEGY    3 /* template % probe: score >= the probe's own minimum */
#define BIOMETRIC_STRATEGIES        3

/* Support function numbers */
#define BIOMETRIC_MODALITY_PROC 1
#define BIOMETRIC_PROCS         1

#define BIOMETRIC_MODALITY_MAGIC 0xB10E0001

typedef struct BiometricModality
{
	uint32      magic; /* BIOMETRIC_MODALITY_MAGIC */
	const char *name;  /* "fingerprint" */

	/* an index that holds features of another version wants REINDEX */
	uint32 features_version;

	/* no features are larger, bytes */
	Size max_features_size;

	/* planner: cost of one comparison of ready features, in cpu_operator_cost */
	double compare_cost;

	/*
	 * Write the features of a template (a datum of the indexed type, possibly
	 * toasted) into buffer, of max_features_size bytes; returns their size.
	 * Temporary memory goes to CurrentMemoryContext.
	 */
	Size (*extract)(Datum template, void *buffer);

	/* whether size bytes read from a page can be compared safely */
	bool (*features_valid)(const void *features, Size size);

	/*
	 * Unpack features for comparison with many; allocated in
	 * CurrentMemoryContext as one chunk or several, freed with the context.
	 */
	void *(*begin_probe)(const void *features, Size size);

	/*
	 * Distances of the probe to n features, which need not be aligned.  Equal
	 * to the bit to what the operator <-> returns for the same templates.
	 * Never NaN.  Bounded work for n <= a page's worth: the caller checks for interrupts.
	 */
	void (*distances)(void *probe, int n, const void *const *features, const Size *sizes,
					  double *distances);

	/*
	 * Decibans of the false match rate of any distance, also one that no pair of
	 * templates has, except NaN.  Monotonically not increasing: the index turns a
	 * lowest score into a largest distance by bisection.
	 */
	double (*score)(double distance);

	/* the right-hand side of strategy 3 taken apart */
	Datum (*probe_template)(Datum probe, double *min_score);
} BiometricModality;

#endif /* BIOMETRIC_MODALITY_H */
