/*
 * matching.h
 *		The matching functions of SQL, written once for every modality.
 */
#ifndef BIOMETRIC_MATCHING_H
#define BIOMETRIC_MATCHING_H

#include "postgres.h"

#include "fmgr.h"
#include "type/modality.h"

/* the distance of arguments 0 and 1, templates of the modality */
extern double matching_distance(FunctionCallInfo fcinfo, const BiometricModality *modality);

/* whether arguments 0 and 1 score at least biometric.match_threshold */
extern bool matching_match(FunctionCallInfo fcinfo, const BiometricModality *modality);

/* the same where argument "probe_argument" is a probe with its own minimum */
extern bool matching_match_probe(FunctionCallInfo fcinfo, const BiometricModality *modality,
								 int probe_argument);

/*
 * A probe: a template and the lowest score that is a match, as one datum, so
 * that the threshold is part of the expression.  On disk: varlena header,
 * float8 (not aligned), then the template's bytes without their own header.
 * The text form is the number, a space and the template's text.
 */
extern Datum  probe_make(Datum template, double min_score);
extern Datum  probe_take_apart(Datum probe, double *min_score);
extern double probe_min_score(Datum probe);

/* input and output functions of a probe type, given those of its template */
extern Datum probe_in(FunctionCallInfo fcinfo, PGFunction template_in);
extern Datum probe_out(FunctionCallInfo fcinfo, PGFunction template_out);
extern Datum probe_recv(FunctionCallInfo fcinfo, PGFunction template_recv);
extern Datum probe_send(FunctionCallInfo fcinfo, PGFunction template_send);

#endif /* BIOMETRIC_MATCHING_H */
