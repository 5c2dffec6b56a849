/*
 * scores.h
 *		What a score means for a gallery.
 */
#ifndef BIOMETRIC_SCORES_H
#define BIOMETRIC_SCORES_H

/*
 * The least false positive identification rate that is shown to people.  Lower
 * rates are products of rates that were measured on thousands of comparisons.
 * They ignore wrong labels, twins and damaged records.
 */
#define FPIR_FLOOR 1e-6

/* 1 - (1 - FMR)^size, from the logarithm of FMR: not bounded by FPIR_FLOOR */
extern double fpir_of(double log_fmr, int64 size);

/* the sum of the scores of that number of sources from which a gallery's FPIR is at most fpir */
extern double threshold_of(double fpir, int64 size, int sources);

/* the score that at least one of them has then */
extern double best_threshold_of(double fpir, int64 size, int sources);

/* an error unless it is at least 1 */
extern void check_gallery_size(int64 size);

#endif /* BIOMETRIC_SCORES_H */
