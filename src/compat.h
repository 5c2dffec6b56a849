/*
 * compat.h
 *		What differs between the versions of PostgreSQL.
 */
#ifndef BIOMETRIC_COMPAT_H
#define BIOMETRIC_COMPAT_H

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

/* 17 dropped old_snapshot_threshold; before, each scan asks of each page that it reads */
#if PG_VERSION_NUM >= 170000
#define TestForOldSnapshot(snapshot, relation, page) ((void) (snapshot))
#endif

#endif /* BIOMETRIC_COMPAT_H */
