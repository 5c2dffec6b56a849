/*
 * probe.h
 *		A probe: a template and the lowest score that is a match, as one datum, so
 *		that the threshold is part of the expression.
 *
 * On disk: varlena header, float8 (not aligned), then the template's bytes
 * without their own header.  The text form is the number, a space and the
 * template's text.
 */
#ifndef BIOMETRIC_PROBE_H
#define BIOMETRIC_PROBE_H

extern Datum  probe_make(Datum datum, double min_score);
extern Datum  probe_take_apart(Datum probe, double *min_score);
extern double probe_min_score(Datum probe);

#endif /* BIOMETRIC_PROBE_H */
