/*
 * fusion.h
 *		What scores of several fingers and eyes of one person say together.  Plain C.
 */
#ifndef MATCH_FUSION_H
#define MATCH_FUSION_H

/* more independent sources than a person has */
#define FUSION_MAX_SOURCES 100

/*
 * How many times conditions that the captures of a person share may multiply the
 * false match rate of each score
 */
#define FUSION_DEPENDENCE 2.0

/*
 * Natural logarithm of the false match rate of a sum of scores of that number
 * of sources of one person: 0 for a sum of 0 or less.
 */
extern double fusion_log_fmr(double sum, int sources);

/* the sum, in decibans, whose false match rate is fmr; the inverse */
extern double fusion_sum(double fmr, int sources);

/*
 * A score that the best of a person's sources has at least, if the sum of all of
 * them, at most that number, has a false match rate of fmr or less.  A search of
 * each source for this score finds the person.
 */
extern double fusion_best(double fmr, int sources);

#endif /* MATCH_FUSION_H */
