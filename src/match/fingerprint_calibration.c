/*
 * fingerprint_calibration.c
 *		Distance -> decibans of the false match rate.
 */
#include "match/fingerprint.h"

double
fingerprint_score(double distance)
{
	return distance >= 1 ? 0 : distance <= 0 ? 100 : 100 * (1 - distance);
}
