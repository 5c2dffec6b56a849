/*
 * calibration.h
 *		Scores as counted on an installation's own comparisons.
 *
 * A calibration maps scores to decibans of the false match rate that was
 * counted.  The map never falls, so it changes neither the index nor which of
 * two comparisons is the better one.  make_calibration() in
 * src/sql/biometric/report.sql makes it.
 */
#ifndef BIOMETRIC_CALIBRATION_H
#define BIOMETRIC_CALIBRATION_H

#include "utils/jsonb.h"

typedef struct Calibration
{
	const char *name;     /* "name:version"; NULL if it has none */
	int         count;    /* of knots, at least 2 */
	double     *scores;   /* rising */
	double     *decibans; /* at these scores, not falling */
} Calibration;

/* from its JSON: NULL if it has fewer than two knots, an error if they are out of order */
extern Calibration *calibration_from(Jsonb *json);

/* the newest of that name, or of "name:version", for a type of templates; inside SPI */
extern Calibration *calibration_named(const char *schema, const char *name, Oid template_type);

/* a score in decibans of the counted rate */
extern double calibration_apply(const Calibration *calibration, double score);

/* all scores that are worth so many decibans are at least this; infinity if none is */
extern double calibration_least_score(const Calibration *calibration, double decibans);

/* a rate of more decibans was not counted */
extern double calibration_limit(const Calibration *calibration);

#endif /* BIOMETRIC_CALIBRATION_H */
