/*
 * finger_record.c
 *		Finger image records: ISO/IEC 19794-4:2005 and ANSI/INCITS 381-2004.
 *
 * A header, then for each picture a header of 14 bytes and the data.  The two
 * standards differ in the length of the header: INCITS 381 has a CBEFF product
 * identifier of 4 bytes after the record length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/decoder.h"

#define ISO_HEADER    32
#define INCITS_HEADER 36
#define FINGER_HEADER 14
#define MAX_PALM_CODE 36

/* compression codes of both standards */
typedef enum RecordCompression
{
	RECORD_RAW,
	RECORD_PACKED,
	RECORD_WSQ,
	RECORD_JPEG,
	RECORD_JPEG2000,
	RECORD_PNG
} RecordCompression;

static const char *const compression_names[] = {"none", "none, bits packed", "WSQ",
												"JPEG", "JPEG 2000",         "PNG"};

static uint64_t
be48(const uint8_t *p)
{
	return (uint64_t) image_be16(p) << 32 | image_be32(p + 2);
}

/* whether all pictures of the record fit, if its header has this length */
static bool
header_fits(const uint8_t *bytes, size_t size, size_t header)
{
	size_t at = header;
	int    pictures;

	if (size < header + FINGER_HEADER)
		return false;
	pictures = bytes[header - ISO_HEADER + 18];
	for (int i = 0; i < pictures; i++)
	{
		uint32_t length;

		if (size - at < FINGER_HEADER)
			return false;
		length = image_be32(bytes + at);
		if (length < FINGER_HEADER || length > size - at)
			return false;
		at += length;
	}
	return pictures > 0;
}

/* the format that a compression code names */
static ImageFormat
format_of(int compression)
{
	switch (compression)
	{
		case RECORD_WSQ:
			return IMAGE_WSQ;
		case RECORD_JPEG:
			return IMAGE_JPEG;
		case RECORD_JPEG2000:
			return IMAGE_JPEG2000;
		case RECORD_PNG:
			return IMAGE_PNG;
		default:
			return IMAGE_UNKNOWN;
	}
}

bool
finger_record_info(const uint8_t *bytes, size_t size, int which, ImageInfo *info,
				   FingerPicture *picture, ImageError *error)
{
	size_t         header;
	const uint8_t *fields; /* those that follow the CBEFF product, or where it would be */
	const uint8_t *finger;
	size_t         at;
	int            compression;
	uint64_t       record_length;

	info->format = IMAGE_FINGER_RECORD;
	info->format_name = "finger image record";
	if (size < ISO_HEADER + FINGER_HEADER)
		return image_fail(error, "finger image record: %zu bytes are too few", size);
	if (memcmp(bytes + 4, "010\0", 4) != 0)
		return image_fail(error, "finger image record: version number, byte 4: only 010 is read "
								 "(ISO/IEC 19794-4:2005, INCITS 381-2004)");
	record_length = be48(bytes + 8);
	if (record_length > size)
		return image_fail(error,
						  "finger image record: record length, byte 8: %llu bytes, there are %zu",
						  (unsigned long long) record_length, size);
	if (header_fits(bytes, size, ISO_HEADER))
	{
		header = ISO_HEADER;
		info->format_name = "ISO/IEC 19794-4:2005";
	}
	else if (header_fits(bytes, size, INCITS_HEADER))
	{
		header = INCITS_HEADER;
		info->format_name = "INCITS 381-2004";
	}
	else
		return image_fail(error, "finger image record: finger data block length: "
								 "the pictures do not fit in the record");

	fields = bytes + header - ISO_HEADER;
	info->pictures = fields[18];
	if (which < 0 || which >= info->pictures)
		return image_fail(error, "%s: there is no picture %d: the record holds %d",
						  info->format_name, which + 1, info->pictures);
	compression = fields[29];
	if (compression > RECORD_PNG)
		return image_fail(error, "%s: image compression algorithm, byte %zu: code %d is not known",
						  info->format_name, header - ISO_HEADER + 29, compression);

	at = header;
	for (int i = 0; i < which; i++)
		at += image_be32(bytes + at);
	finger = bytes + at;
	info->finger_position = finger[4];
	if (info->finger_position > MAX_PALM_CODE)
		return image_fail(error, "%s: finger position, byte %zu: code %d is not known",
						  info->format_name, at + 4, info->finger_position);
	info->impression_type = finger[8];
	info->width = image_be16(finger + 9);
	info->height = image_be16(finger + 11);
	info->bits = fields[28];
	info->channels = 1;
	info->compression = compression_names[compression];
	/* scale units: 1 = inch, 2 = centimetre */
	info->dpi_x = image_be16(fields + 24) * (fields[19] == 2 ? 2.54 : 1);
	info->dpi_y = image_be16(fields + 26) * (fields[19] == 2 ? 2.54 : 1);

	picture->bytes = finger + FINGER_HEADER;
	picture->size = image_be32(finger) - FINGER_HEADER;
	picture->raw = compression == RECORD_RAW || compression == RECORD_PACKED;
	picture->inside = format_of(compression);
	if (!picture->raw)
	{
		/* what is there decides, not what the header calls it */
		ImageFormat found = image_format(picture->bytes, picture->size);

		if (found == IMAGE_UNKNOWN || found == IMAGE_FINGER_RECORD)
			return image_fail(error,
							  "%s: image data, byte %zu: not the %s picture that is announced",
							  info->format_name, at + FINGER_HEADER, info->compression);
		picture->inside = found;
		return true;
	}
	if (info->bits < 1 || info->bits > 16)
		return image_fail(error, "%s: pixel depth, byte %zu: %d bits, 1 to 16 are read",
						  info->format_name, header - ISO_HEADER + 28, info->bits);
	return true;
}

bool
finger_record_decode_raw(const FingerPicture *picture, const ImageInfo *info, uint8_t *pixels,
						 ImageError *error)
{
	size_t   n = (size_t) info->width * info->height;
	bool     packed = strcmp(info->compression, compression_names[RECORD_PACKED]) == 0;
	int      sample_bits = packed ? info->bits : info->bits > 8 ? 16 : 8;
	uint32_t most = (1U << info->bits) - 1;
	size_t   needed = packed ? (n * sample_bits + 7) / 8 : n * sample_bits / 8;
	uint32_t buffer = 0;
	int      have = 0;
	size_t   at = 0;

	if (picture->size < needed)
		return image_fail(error, "%s: image data: %zu bytes, %u x %u pixels take %zu",
						  info->format_name, picture->size, info->width, info->height, needed);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t value;

		while (have < sample_bits)
		{
			buffer = buffer << 8 | picture->bytes[at++];
			have += 8;
		}
		have -= sample_bits;
		value = buffer >> have & ((1U << sample_bits) - 1);
		if (value > most)
			value = most;
		pixels[i] = (uint8_t) ((value * 255 + most / 2) / most);
	}
	return true;
}
