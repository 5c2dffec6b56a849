/*
 * fingerprint.h
 *		The SQL type fingerprint.
 *
 * A datum is a varlena whose bytes are an ISO/IEC 19794-2:2005 record with
 * exactly one finger view and no extended data, as minutiae_record_write makes it.
 * That is also its binary form on the wire.  Every datum was checked when it
 * entered, so that nothing after that can fail on its contents.
 */
#ifndef BIOMETRIC_FINGERPRINT_H
#define BIOMETRIC_FINGERPRINT_H

#include "fmgr.h"
#include "match/fingerprint/fingerprint.h"
#include "nodes/nodes.h"

/* A datum that is no fingerprint, which only a damaged table holds, has no minutiae */
extern void  fingerprint_unpack(Datum datum, FingerprintTemplate *result);
extern Datum fingerprint_pack(const FingerprintTemplate *finger);

/*
 * The view of a record as a fingerprint; error_context as in ereturn.  View
 * counts from 1; 0 stands for the only view, and a record with several is an
 * error.  code is the SQLSTATE of a bad record.
 */
extern Datum fingerprint_from_record(const uint8 *record, Size size, int view, bool strict,
									 int code, Node *error_context);

#endif /* BIOMETRIC_FINGERPRINT_H */
