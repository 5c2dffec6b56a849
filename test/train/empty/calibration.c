/* calibration.c: stands in until scores have been counted.  Every score is 0. */
#include "match/fingerprint/internal.h"

const int             fingerprint_knots = 1;
const FingerprintKnot fingerprint_calibration[] = {{0, 0}};
const double          fingerprint_last_counted = 0;
