/*
 * text_encoding.c
 *		Hexadecimal digits and base64.
 */
#include "record/text_encoding.h"

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool
is_space(char character)
{
	return character == ' ' || (character >= '\t' && character <= '\r');
}

/* the value of a digit, -1 if it is none */
static int
digit_value(TextEncoding encoding, char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0' + (encoding == TEXT_BASE64 ? 52 : 0);
	if (encoding == TEXT_HEX)
	{
		if (digit >= 'a' && digit <= 'f')
			return digit - 'a' + 10;
		return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
	}
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit == '+' || digit == '-')
		return 62;
	return digit == '/' || digit == '_' ? 63 : -1;
}

/* whether all of a text is digits and white space, in base64 with padding at the end */
static bool
is_encoded(TextEncoding encoding, const char *text, size_t length)
{
	size_t digits = 0;
	size_t padding = 0;

	for (size_t i = 0; i < length; i++)
	{
		if (is_space(text[i]))
			continue;
		if (text[i] == '=' && encoding == TEXT_BASE64)
			padding++;
		else if (padding > 0 || digit_value(encoding, text[i]) < 0)
			return false;
		else
			digits++;
	}
	if (encoding == TEXT_HEX)
		return digits > 0 && digits % 2 == 0;
	return digits > 0 && digits % 4 != 1 && (padding == 0 || (digits + padding) % 4 == 0) &&
		   padding <= 2;
}

TextEncoding
text_encoding(const char *text, size_t length)
{
	if (is_encoded(TEXT_HEX, text, length))
		return TEXT_HEX;
	return is_encoded(TEXT_BASE64, text, length) ? TEXT_BASE64 : TEXT_NOT_ENCODED;
}

bool
text_decode(TextEncoding encoding, const char *text, size_t length, uint8_t *bytes, size_t *size)
{
	int      digit_bits = encoding == TEXT_HEX ? 4 : 6;
	uint32_t pending = 0;
	int      bits = 0;
	size_t   padding = 0;
	size_t   digits = 0;
	size_t   n = 0;

	for (size_t i = 0; i < length; i++)
	{
		int value = digit_value(encoding, text[i]);

		if (is_space(text[i]))
			continue;
		if (text[i] == '=' && encoding == TEXT_BASE64 && padding < (4 - digits % 4) % 4)
		{
			padding++;
			continue;
		}
		if (value < 0 || padding > 0)
		{
			*size = i;
			return false;
		}
		digits++;
		pending = pending << digit_bits | (uint32_t) value;
		bits += digit_bits;
		if (bits >= 8)
		{
			bits -= 8;
			bytes[n++] = (uint8_t) (pending >> bits);
			pending &= (1U << bits) - 1;
		}
	}
	/* what is left is less than a byte, and must say nothing */
	if (bits >= digit_bits || pending != 0)
	{
		*size = length;
		return false;
	}
	*size = n;
	return true;
}

char *
base64_write(const uint8_t *bytes, size_t size, char *text)
{
	for (size_t i = 0; i < size; i += 3)
	{
		size_t   n = size - i;
		uint32_t group = (uint32_t) bytes[i] << 16;

		if (n > 1)
			group |= (uint32_t) bytes[i + 1] << 8;
		if (n > 2)
			group |= bytes[i + 2];
		*text++ = base64_digits[group >> 18];
		*text++ = base64_digits[(group >> 12) & 63];
		*text++ = n > 1 ? base64_digits[(group >> 6) & 63] : '=';
		*text++ = n > 2 ? base64_digits[group & 63] : '=';
	}
	return text;
}
