/*
 * settings.h
 *		Settings of the module.
 */
#ifndef BIOMETRIC_SETTINGS_H
#define BIOMETRIC_SETTINGS_H

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

/* called once, when the module is loaded */
extern void biometric_init_settings(void);

#endif /* BIOMETRIC_SETTINGS_H */
