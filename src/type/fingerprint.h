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
#include "record/fingerprint_record.h"

/* A datum that is no fingerprint, which only a damaged table holds, has no minutiae */
extern void  fingerprint_unpack(Datum datum, FingerprintTemplate *result);
extern Datum fingerprint_pack(const FingerprintTemplate *finger);

/* Why some bytes or a text are no fingerprint: the parts of an error */
typedef struct InputProblem
{
	int         code; /* SQLSTATE */
	const char *message;
	const char *detail; /* NULL: none */
	const char *hint;   /* NULL: none */
} InputProblem;

/* ereport or ereturn (..., problem_report(problem)) */
#define problem_report(problem)                                           \
	(errcode((problem)->code), errmsg_internal("%s", (problem)->message), \
	 (problem)->detail ? errdetail_internal("%s", (problem)->detail) : 0, \
	 (problem)->hint ? errhint("%s", (problem)->hint) : 0)

/* "The minutia x at byte 28 lies outside the image." */
extern char *record_error_sentence(const RecordError *error);

/* what is wrong with a whole record, or that it is of another kind */
extern void fingerprint_describe_problem(InputProblem *problem, int code,
										 const RecordSource *source, const RecordError *error);

/*
 * The view of a record as a fingerprint.  View counts from 1; 0 stands for the
 * only view, and several are a problem.  code is the SQLSTATE of a bad record.
 * False with *problem set if the record is not read.
 */
extern bool fingerprint_read_record(const uint8 *record, Size size, int view, bool strict, int code,
									FingerprintTemplate *result, InputProblem *problem);

/* the same of a text: its own form, or any record in hexadecimal digits or base64 */
extern bool fingerprint_read_text(const char *text, FingerprintTemplate *result,
								  InputProblem *problem);

/* the bytes of a text in hexadecimal digits or base64; NULL if it is neither */
extern uint8 *text_to_bytes(const char *text, Size length, Size *size);

/* a notice if no finger has the size that follows from a template's resolution */
extern void fingerprint_notice(const FingerprintTemplate *finger);

#endif /* BIOMETRIC_FINGERPRINT_H */
