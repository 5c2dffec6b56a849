/*
 * fusion.h
 *		What scores of several fingers and eyes of one person say together.
 */
#ifndef ANALYSIS_FUSION_H
#define ANALYSIS_FUSION_H

/* more independent sources than a person has */
#define FUSION_MAX_SOURCES 100

/*
 * Natural logarithm of the false match rate of a sum of scores of so many
 * independent sources: 0 for a sum of 0 or less.
 */
extern double fusion_log_fmr(double sum, int sources);

/* the sum, in decibans, whose false match rate is fmr; the inverse */
extern double fusion_sum(double fmr, int sources);

/* 1 - (1 - FMR)^size, from the logarithm of FMR */
extern double gallery_fpir(double log_fmr, int64 size);

/* the score from which a gallery's FPIR is at most fpir */
extern double gallery_threshold(double fpir, int64 size, int sources);

extern void gallery_check_size(int64 size);

#endif /* ANALYSIS_FUSION_H */
