/*
 * biometric.h
 *		Settings of the module, and what differs between PostgreSQL versions.
 */
#ifndef BIOMETRIC_H
#define BIOMETRIC_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "biometric requires PostgreSQL 15 or later"
#endif

/* 16 moved the macros of variable-length datums out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 brought input functions that report errors without throwing them */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#else
#define ereturn(context, dummy, ...) \
	do                               \
	{                                \
		(void) (context);            \
		ereport(ERROR, __VA_ARGS__); \
	} while (0)
#endif

typedef enum BiometricSearchMode
{
	BIOMETRIC_SEARCH_EXACT,
	BIOMETRIC_SEARCH_FAST
} BiometricSearchMode;

/* biometric.match_threshold: decibans from which "a % b" is true */
extern double biometric_match_threshold;

/* biometric.search_mode: a BiometricSearchMode */
extern int biometric_search_mode;

/* biometric.penetration_rate: share of the gallery that a fast search compares, in (0, 1] */
extern double biometric_penetration_rate;

#endif /* BIOMETRIC_H */
