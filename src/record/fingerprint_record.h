/*
 * fingerprint_record.h
 *		Any bytes that hold fingerprints and say so themselves.
 */
#ifndef RECORD_FINGERPRINT_RECORD_H
#define RECORD_FINGERPRINT_RECORD_H

#include "record/minutiae_record.h"
#include "record/recognise.h"

/* What the bytes turned out to be */
typedef struct RecordSource
{
	RecordKind     kind;
	MinutiaeFormat format; /* of the record, or of the one inside; MINUTIAE_FORMATS if none */
} RecordSource;

/*
 * Shows each fingerprint of a minutiae record, of a CBEFF record with one
 * inside, or of the Type-9 records of an ANSI/NIST file.  Returns their number,
 * or -1 if the whole is wrong: *error says how.  If the bytes are of another
 * kind, which *source names, error->field is NULL.
 */
extern int fingerprint_record_visit(const uint8_t *data, size_t size, bool strict,
									RecordVisitor visitor, void *context, RecordSource *source,
									RecordError *error);

#endif /* RECORD_FINGERPRINT_RECORD_H */
