/*
 * iris_code.h
 *		The forms in which iris codes enter and leave.  Plain C.
 *
 * There is no standard for the iris code itself (ISO/IEC 19794-6 and ANSI/NIST
 * Type-17 records carry images), so these are our own text and binary form,
 * documented in doc/iris.md, and the layouts of other software.
 */
#ifndef TEMPLATE_IRIS_CODEC_H
#define TEMPLATE_IRIS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/iris/iris.h"

/* A template with its bytes */
typedef struct IrisRecord
{
	IrisTemplate iris; /* code and mask point below */
	uint8_t      code[IRIS_MAX_CODE_BYTES];
	uint8_t      mask[IRIS_MAX_CODE_BYTES];
} IrisRecord;

/*
 * Why something was refused: a sentence without the template's contents.
 * Functions that take one return false after filling it in.
 */
typedef struct IrisError
{
	char reason[160];
} IrisError;

extern const char *iris_eye_name(int eye);
extern bool        iris_eye_from_name(const char *name, size_t length, uint8_t *eye);

/* our text form: 128x16:left:BASE64 OF THE CODE:BASE64 OF THE MASK */
extern bool   iris_read_text(const char *text, IrisRecord *record, IrisError *error);
extern size_t iris_text_size(const IrisTemplate *iris); /* with the final zero */
extern void   iris_write_text(const IrisTemplate *iris, char *text);

/* our binary form: version, eye, columns, bits (big-endian), code, mask */
#define IRIS_BINARY_VERSION 1
#define IRIS_BINARY_HEADER  6

extern bool   iris_read_binary(const uint8_t *bytes, size_t length, IrisRecord *record,
							   IrisError *error);
extern size_t iris_binary_size(const IrisTemplate *iris);
extern void   iris_write_binary(const IrisTemplate *iris, uint8_t *bytes);

/*
 * Raw code and mask; the bits per column follow from the length.  With
 * paired_mask the mask has one bit for the two phase bits 2i and 2i + 1.
 */
extern bool iris_from_bytes(const uint8_t *code, size_t code_length, const uint8_t *mask,
							size_t mask_length, bool paired_mask, int64_t columns, uint8_t eye,
							IrisRecord *record, IrisError *error);

/*
 * Pictures of bits as OSIRIS and others write them: a byte for each bit, not 0
 * is 1, row by row, columns pixels in a row.  A mask with fewer rows, as one
 * for all filters, is repeated downwards.  Only every row_step-th row and
 * column_step-th column is taken.
 */
extern bool iris_from_pixels(const uint8_t *code, size_t code_length, const uint8_t *mask,
							 size_t mask_length, int64_t columns, int64_t column_step,
							 int64_t row_step, uint8_t eye, IrisRecord *record, IrisError *error);

/* the reverse of a paired mask; false where the bits of a pair differ */
extern size_t iris_paired_mask_size(const IrisTemplate *iris);
extern bool   iris_paired_mask(const IrisTemplate *iris, uint8_t *mask, IrisError *error);

/*
 * The array layout of open-iris: shape rows x columns x wavelets x 2 phases in
 * C order, packed most significant bit first, base64.
 */
extern bool   iris_read_open_iris(const char *code, size_t code_length, const char *mask,
								  size_t mask_length, int64_t rows, int64_t columns, int64_t wavelets,
								  uint8_t eye, IrisRecord *record, IrisError *error);
extern size_t iris_open_iris_size(const IrisTemplate *iris);
/* bits is the code or the mask; text is not terminated */
extern bool iris_write_open_iris(const IrisTemplate *iris, const uint8_t *bits, int64_t wavelets,
								 char *text, IrisError *error);

#endif /* TEMPLATE_IRIS_CODEC_H */
