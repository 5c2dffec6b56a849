/*
 * caps.c
 *		A stand-in with no caps, to build with while there are none.
 */
#include "match/fingerprint/caps.h"

const FingerprintCapKnot fingerprint_caps[FINGERPRINT_CAPS][FINGERPRINT_CAP_KNOTS] = {{{0, 0}}};
