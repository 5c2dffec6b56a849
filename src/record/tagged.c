/*
 * tagged.c
 *		Objects in tags and lengths (BER-TLV).
 */
#include "record/tagged.h"

#define MORE_TAG_BYTES 0x1F /* in the first byte of a tag */
#define CONTINUED      0x80
#define LONG_LENGTH    0x80

bool
tagged_next(const uint8_t *data, size_t size, size_t *offset, Tagged *object)
{
	size_t   at = *offset;
	size_t   length = 0;
	uint32_t tag;

	if (at >= size)
		return false;
	tag = data[at++];
	if ((tag & MORE_TAG_BYTES) == MORE_TAG_BYTES)
	{
		do
		{
			if (at >= size || tag > 0xFFFF)
				return false;
			tag = tag << 8 | data[at];
		} while ((data[at++] & CONTINUED) != 0);
	}
	if (at >= size)
		return false;
	if (data[at] < LONG_LENGTH)
		length = data[at++];
	else
	{
		int bytes = data[at++] & ~LONG_LENGTH;

		if (bytes < 1 || bytes > 4 || size - at < (size_t) bytes)
			return false;
		while (bytes-- > 0)
			length = length << 8 | data[at++];
	}
	if (length > size - at)
		return false;
	object->tag = tag;
	object->data = data + at;
	object->size = length;
	*offset = at + length;
	return true;
}

bool
tagged_find(const uint8_t *data, size_t size, uint32_t tag, Tagged *object)
{
	size_t offset = 0;

	while (tagged_next(data, size, &offset, object))
	{
		if (object->tag == tag)
			return true;
	}
	return false;
}
