/*
 *		caps.c: the largest log-odds that cheap evidence allows.
 *
 *		Of a first fit by hand; test/train/constants will generate it.
 */
#include "match/fingerprint/caps.h"

/* clang-format off */

const FingerprintCapKnot fingerprint_caps[FINGERPRINT_CAPS][FINGERPRINT_CAP_KNOTS] = {
	{{24, 1.73}, {39, 4.259}, {53, 7.076}, {97, 9.893}, {127, 12.71}, {170, 15.53}},
	{{6, 1.73}, {9, 4.259}, {24, 7.076}, {56, 9.893}, {90, 12.71}, {142, 15.53}},
	{{0.2, 1.73}, {0.6, 4.259}, {1.4, 7.076}, {4.6, 9.893}, {6.7, 12.71}, {7.7, 15.53}},
	{{0.3, 1.73}, {2.5, 4.259}, {4.6, 7.076}, {8.1, 9.893}, {9.4, 12.71}, {15, 15.53}}};
