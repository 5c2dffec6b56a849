/*
 * fingerprint.h
 *		The type fingerprint: one ISO/IEC 19794-2:2005 record as a datum.
 */
#ifndef BIOMETRIC_FINGERPRINT_H
#define BIOMETRIC_FINGERPRINT_H

#include "postgres.h"

#include "fmgr.h"
#include "match/fingerprint.h"

extern void fingerprint_unpack(Datum datum, FingerprintTemplate *result);
extern Datum fingerprint_pack(const FingerprintTemplate *finger);

extern Datum fingerprint_in(PG_FUNCTION_ARGS);
extern Datum fingerprint_out(PG_FUNCTION_ARGS);
extern Datum fingerprint_recv(PG_FUNCTION_ARGS);
extern Datum fingerprint_send(PG_FUNCTION_ARGS);

#endif
