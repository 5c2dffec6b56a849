/*
 * tap.h
 *		What the plain C tests share: the lines that they print, and memory.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static int tests;
static int failures;

static inline void
ok(bool passed, const char *what)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tests, what);
	failures += !passed;
}

/* at least a byte; the program ends if there is none */
static inline void *
allocate(size_t size)
{
	void *result = malloc(size > 0 ? size : 1);

	if (result == NULL)
		abort();
	return result;
}

#endif /* TAP_H */
