/*
 * portable_math.h
 *		Elementary functions that give the same bits on every platform.
 *
 * Scores and synthetic templates must not depend on the C library: an index
 * that was built on one machine may be searched on another, and foreign servers
 * compute distances that this server sorts by.  IEEE 754 fixes + - * / and
 * sqrt, but not sin or exp.  The functions here use only the former, and the
 * build forbids fused multiply-add (-ffp-contract=off).
 *
 * Errors are below 1e-12 relative (absolute for sin, cos and atan2), which is
 * far more than any caller needs.
 */
#ifndef PORTABLE_MATH_H
#define PORTABLE_MATH_H

#include <stdint.h>

#define PORTABLE_PI 3.14159265358979323846

/* radians, |x| <= 1e6 */
extern double portable_sin(double x);
extern double portable_cos(double x);

/* radians in (-pi, pi]; atan2(0, 0) is 0 */
extern double portable_atan2(double y, double x);

/* exp saturates at 0 and DBL_MAX; log wants x > 0 and returns -DBL_MAX for x <= 0 */
extern double portable_exp(double x);
extern double portable_log(double x);
extern double portable_log10(double x);

/* correctly rounded by IEEE 754 */
extern double portable_sqrt(double x);

/*
 * Deterministic random numbers, the splitmix64 generator (Steele, Lea and
 * Flood 2014).  The state is one word; seed it with portable_mix of the keys.
 */
extern uint64_t portable_random(uint64_t *state);
extern double   portable_uniform(uint64_t *state); /* [0, 1) */
extern double   portable_normal(uint64_t *state);  /* mean 0, sd 1 */
extern uint64_t portable_mix(uint64_t a, uint64_t b);

#endif /* PORTABLE_MATH_H */
