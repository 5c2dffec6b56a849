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

/* biometric.match_threshold: decibans from which "a % b" is true */
extern double biometric_match_threshold;

#endif							/* BIOMETRIC_H */
