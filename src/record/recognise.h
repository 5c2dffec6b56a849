/*
 * recognise.h
 *		What some bytes are, told from their contents.  Plain C.
 *
 * Applications often send something else to a template column by mistake, or a
 * record inside another one.  Then the error names what the bytes are, and the
 * next step.
 */
#ifndef RECORD_RECOGNISE_H
#define RECORD_RECOGNISE_H

#include <stddef.h>
#include <stdint.h>

typedef enum RecordKind
{
	RECORD_UNKNOWN,
	RECORD_EMPTY,
	RECORD_ZEROES,
	RECORD_MINUTIAE,    /* "FMR\0": minutiae_record.h */
	RECORD_AN2K,        /* ANSI/NIST-ITL in its traditional form: an2k.h */
	RECORD_CBEFF,       /* PIV's binary patron format: cbeff.h */
	RECORD_CBEFF_XML,   /* an XML patron format: cbeff.h */
	RECORD_CARD_OBJECT, /* biometric information of a card, in tags and lengths */
	RECORD_FINGER_IMAGE,
	RECORD_IRIS_IMAGE,
	RECORD_FACE_IMAGE,
	RECORD_AN2K_XML,
	RECORD_OPEN_IRIS,
	RECORD_XYT,
	RECORD_WSQ,
	RECORD_JPEG_2000,
	RECORD_PNG,
	RECORD_JPEG,
	RECORD_TIFF,
	RECORD_BMP,
	RECORD_GZIP,
	RECORD_ZIP,
	RECORD_PDF,
	RECORD_XML,
	RECORD_HEX_TEXT,
	RECORD_BASE64_TEXT,
	RECORD_TEXT,
	RECORD_KINDS
} RecordKind;

extern RecordKind record_recognise(const uint8_t *data, size_t size);

/* "a PNG picture"; completes "the value is ..." */
extern const char *record_kind_name(RecordKind kind);

/* what to do with it instead of reading it as a fingerprint; NULL if unknown */
extern const char *record_kind_hint(RecordKind kind);

#endif /* RECORD_RECOGNISE_H */
