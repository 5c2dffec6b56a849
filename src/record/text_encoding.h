/*
 * text_encoding.h
 *		Bytes written as text: hexadecimal digits and base64, as web services
 *		and scanners' kits hand them out.  Plain C.
 */
#ifndef RECORD_TEXT_ENCODING_H
#define RECORD_TEXT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TextEncoding
{
	TEXT_NOT_ENCODED,
	TEXT_HEX,   /* RFC 4648, section 8; capital or small letters */
	TEXT_BASE64 /* sections 4 and 5: the common alphabet or the one for URLs */
} TextEncoding;

/*
 * How a text is encoded, if it is nothing but digits of an encoding and white
 * space.  Hexadecimal digits are looked for first: nearly every record written
 * in them is a valid text in base64, too, and no record the other way round.
 */
extern TextEncoding text_encoding(const char *text, size_t length);

/*
 * Decodes; white space between digits and a missing padding are let pass.
 * bytes has room for text_decoded_size(length).  Returns false at a character
 * that does not belong there, whose offset is then *size; else *size is the
 * number of bytes.
 */
extern bool text_decode(TextEncoding encoding, const char *text, size_t length, uint8_t *bytes,
						size_t *size);

static inline size_t
text_decoded_size(size_t length)
{
	return length / 4 * 3 + 3;
}

/* writes base64 with padding, without line breaks or a final zero; returns its end */
extern char *base64_write(const uint8_t *bytes, size_t size, char *text);

static inline size_t
base64_size(size_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

#endif /* RECORD_TEXT_ENCODING_H */
