/*
 * cbeff.h
 *		The binary CBEFF patron format of PIV (NIST SP 800-76), and the data
 *		object of a card around it.  Plain C.
 *
 * XML patron formats are read by PostgreSQL's own XML functions: see
 * cbeff_blocks in SQL.
 */
#ifndef RECORD_CBEFF_H
#define RECORD_CBEFF_H

#include "record/record.h"

typedef struct CbeffBlock
{
	unsigned       format_owner; /* 27: INCITS M1 */
	unsigned       format_type;  /* 0x0201: minutiae, 0x0401: finger image, 0x0501: face */
	uint32_t       type;         /* 8: finger, 2: face, 16: iris */
	const uint8_t *data;         /* the biometric data block, inside the record */
	size_t         size;
} CbeffBlock;

/*
 * Finds the biometric data block of a record.  What follows it (a signature,
 * the end of a card's data object) is not looked at, but must be there.
 */
extern bool cbeff_read(const uint8_t *data, size_t size, CbeffBlock *block, RecordError *error);

#endif /* RECORD_CBEFF_H */
