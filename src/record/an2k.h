/*
 * an2k.h
 *		ANSI/NIST-ITL files in their traditional form, and the minutiae of their
 *		Type-9 records.  Plain C.
 *
 * A file is a row of logical records: Type-1 says which follow; Types 3 to 8
 * are binary with a header of fixed size; all others are fields of text,
 * "14.006:800", each ended by GS (1D) and the last by FS (1C), with repeated
 * subfields (RS, 1E) and items (US, 1F) in them.  A field 999 is a picture.
 */
#ifndef RECORD_AN2K_H
#define RECORD_AN2K_H

#include "record/record.h"

typedef struct An2kRecord
{
	int            number; /* in the file, from 1 */
	int            type;
	int            idc; /* which records belong together; -1: the record does not say */
	const uint8_t *data;
	size_t         size;

	/* of records with a picture, 0 or NULL where there is none */
	const uint8_t *picture;
	size_t         picture_size;
	const char    *compression; /* as the record says: "NONE", "WSQ20", "JPEGB".. */
	size_t         compression_length;
	int            width; /* pixels */
	int            height;
	double         resolution; /* pixels per centimetre */
	int            position;   /* finger, as the record says; -1: it does not */
	int            impression; /* the same */
} An2kRecord;

/* returns whether to go on */
typedef bool (*An2kVisitor)(const An2kRecord *record, void *context);

/*
 * A finger position and an impression type, as ANSI/NIST numbers them, in a
 * template.  The first returns NULL, or why a template cannot have this
 * position: several fingers, palms, soles.
 */
extern const char *an2k_finger(long code, uint8_t *position);
extern uint8_t     an2k_impression(long code);

/* A file with more records than this is refused */
#define AN2K_MAX_RECORDS 1000

/* number of records, or -1 with *error set after those before the fault were shown */
extern int an2k_visit(const uint8_t *data, size_t size, An2kVisitor visitor, void *context,
					  RecordError *error);

/*
 * How large the pictures of a file are, by IDC, in hundredths of a millimetre;
 * 0 where there is none.  Read once, for all Type-9 records of the file.
 */
typedef struct An2kPictures
{
	int width[256];
	int height[256];
} An2kPictures;

extern void an2k_pictures(const uint8_t *data, size_t size, An2kPictures *pictures);

/* The forms in which a Type-9 record has minutiae */
typedef enum Type9Form
{
	TYPE9_NONE,
	TYPE9_STANDARD, /* fields 9.005 to 9.012 */
	TYPE9_IAFIS,    /* 9.013 to 9.023, native to IAFIS */
	TYPE9_M1,       /* 9.126 to 9.140, as ANSI/INCITS 378 has them */
	TYPE9_EFS,      /* 9.300 onwards, extended feature set */
	TYPE9_FORMS
} Type9Form;

extern const char *type9_form_name(Type9Form form);

/*
 * Reads the minutiae of a Type-9 record.  Of several forms the most detailed is
 * taken: M1, EFS, IAFIS, standard; which one it was is told in *form also if it
 * is refused.  All but M1 count in hundredths of a millimetre; the template has
 * that as its resolution, 1000 pixels per centimetre, so that no position is
 * rounded.  The standard form has its origin below; how high the picture is
 * says the record with the same IDC, or else the highest minutia.  Offsets of
 * errors count from the start of file.
 */
extern bool type9_read(const uint8_t *file, const An2kRecord *record, const An2kPictures *pictures,
					   FingerprintTemplate *result, Type9Form *form, RecordError *error);

/*
 * Writes a Type-9 record with a form's fields; returns its size, or 0 if the
 * form cannot hold the template: a coordinate of more than four digits.
 */
#define TYPE9_MAX_SIZE 8192

extern size_t type9_write(const FingerprintTemplate *finger, Type9Form form, int idc,
						  char record[TYPE9_MAX_SIZE]);

#endif /* RECORD_AN2K_H */
