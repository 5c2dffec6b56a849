/*
 * cbeff.c
 *		PIV's binary CBEFF patron format.
 *
 * A header of 88 bytes: version 3, security options, length of the biometric
 * data block (4 bytes) and of the signature (2), owner and type of the block's
 * format (2 each), dates, biometric type (3 bytes), and more that does not
 * matter here.  Block and signature follow.  On a card all of that is in the
 * tag BC, and this in the tag 53.
 */
#include "record/cbeff.h"

#include "record/tagged.h"

#define HEADER_SIZE      88
#define VERSION          3
#define BLOCK_LENGTH     2
#define SIGNATURE_LENGTH 6
#define FORMAT_OWNER     8
#define FORMAT_TYPE      10
#define BIOMETRIC_TYPE   36
#define TAG_CARD_OBJECT  0x53
#define TAG_CARD_CBEFF   0xBC

bool
cbeff_read(const uint8_t *data, size_t size, CbeffBlock *block, RecordError *error)
{
	Tagged   object = {.data = data, .size = size};
	size_t   start = 0;
	uint32_t length;

	if (size > 0 && data[0] == TAG_CARD_OBJECT)
	{
		if (!tagged_find(data, size, TAG_CARD_OBJECT, &object) ||
			!tagged_find(object.data, object.size, TAG_CARD_CBEFF, &object))
			return record_fail(error, 0, "card data object", "is cut off or has no CBEFF record");
		start = (size_t) (object.data - data);
	}
	data = object.data;
	size = object.size;
	if (size < HEADER_SIZE)
		return record_fail(error, start + size, "CBEFF header", "is cut off");
	if (data[0] != VERSION)
		return record_fail(error, start, "CBEFF patron header version", "is not 3");
	length = get32(data + BLOCK_LENGTH);
	if (length > size - HEADER_SIZE)
		return record_fail(error, start + BLOCK_LENGTH, "length of the biometric data block",
						   "exceeds the record");
	if (get16(data + SIGNATURE_LENGTH) > size - HEADER_SIZE - length)
		return record_fail(error, start + SIGNATURE_LENGTH, "length of the signature block",
						   "exceeds the record");
	block->format_owner = get16(data + FORMAT_OWNER);
	block->format_type = get16(data + FORMAT_TYPE);
	block->type = (uint32_t) data[BIOMETRIC_TYPE] << 16 | get16(data + BIOMETRIC_TYPE + 1);
	block->data = data + HEADER_SIZE;
	block->size = length;
	return true;
}
