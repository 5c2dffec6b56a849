/*
 * foreign.h
 *		Made-up fingers that no constant was chosen on: another generator than
 *		the product's.
 */
#ifndef BENCH_FOREIGN_H
#define BENCH_FOREIGN_H

#include "match/fingerprint/fingerprint.h"

/* impression 0, 1, ... of a finger */
extern void foreign_synthesize(FingerprintTemplate *result, int64_t finger, int impression);

#endif /* BENCH_FOREIGN_H */
