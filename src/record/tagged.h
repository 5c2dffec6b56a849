/*
 * tagged.h
 *		Objects in tags and lengths (BER-TLV), as cards have them.  Plain C.
 */
#ifndef RECORD_TAGGED_H
#define RECORD_TAGGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Tagged
{
	uint32_t       tag; /* one to three bytes, the first most significant */
	const uint8_t *data;
	size_t         size;
} Tagged;

/*
 * Reads the object at *offset and moves *offset behind it.  False at the end,
 * and where no whole object is.
 */
extern bool tagged_next(const uint8_t *data, size_t size, size_t *offset, Tagged *object);

/* the first object with a tag, among those that follow each other in data */
extern bool tagged_find(const uint8_t *data, size_t size, uint32_t tag, Tagged *object);

#endif /* RECORD_TAGGED_H */
