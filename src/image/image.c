/*
 * image.c
 *		Recognises formats, checks limits, and calls the decoder.
 */
#include "image/image.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/decoder.h"

const ImageLimits image_default_limits = {
	.max_bytes = 16 << 20,
	.max_pixels = 16000000,
	.max_side = 16384,
};

void
image_describe(ImageError *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->reason, sizeof(error->reason), format, arguments);
	va_end(arguments);
}

bool
image_check_size(const ImageInfo *info, const ImageLimits *limits, ImageError *error)
{
	if (info->width == 0 || info->height == 0)
		return image_fail(error, "%s: a picture of %u x %u pixels", info->format_name, info->width,
						  info->height);
	if (info->width > limits->max_side || info->height > limits->max_side)
		return image_too_large(error, "%s: %u x %u pixels, more than %u a side", info->format_name,
							   info->width, info->height, limits->max_side);
	if ((uint64_t) info->width * info->height > limits->max_pixels)
		return image_too_large(error, "%s: %u x %u pixels, more than %llu in all",
							   info->format_name, info->width, info->height,
							   (unsigned long long) limits->max_pixels);
	return true;
}

static bool
starts_with(const uint8_t *bytes, size_t size, const char *start, size_t length)
{
	return size >= length && memcmp(bytes, start, length) == 0;
}

ImageFormat
image_format(const uint8_t *bytes, size_t size)
{
	if (starts_with(bytes, size, "\x89PNG\r\n\x1a\n", 8))
		return IMAGE_PNG;
	if (starts_with(bytes, size, "\xff\xd8\xff", 3))
		return IMAGE_JPEG;
	if (starts_with(bytes, size, "\0\0\0\x0cjP  \r\n\x87\n", 12) ||
		starts_with(bytes, size, "\xff\x4f\xff\x51", 4))
		return IMAGE_JPEG2000;
	if (starts_with(bytes, size, "\xff\xa0\xff", 3))
		return IMAGE_WSQ;
	if (starts_with(bytes, size, "FIR\0", 4))
		return IMAGE_FINGER_RECORD;
	return IMAGE_UNKNOWN;
}

static bool
info_of(ImageFormat format, const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error)
{
	switch (format)
	{
		case IMAGE_PNG:
			return image_png_info(bytes, size, info, error);
		case IMAGE_JPEG:
			return image_jpeg_info(bytes, size, info, error);
		case IMAGE_JPEG2000:
			return image_jpeg2000_info(bytes, size, info, error);
		case IMAGE_WSQ:
			return image_wsq_info(bytes, size, info, error);
		case IMAGE_FINGER_RECORD:
		case IMAGE_UNKNOWN:
			break;
	}
	return image_fail(error, "not a picture in a format that is read (PNG, JPEG, JPEG 2000, WSQ, "
							 "ISO/IEC 19794-4:2005, INCITS 381-2004)");
}

/*
 * Reads the header, through that of a finger record if there is one.  *picture
 * is then what the decoder gets.
 */
static bool
find_picture(const uint8_t *bytes, size_t size, int which, const ImageLimits *limits,
			 ImageInfo *info, FingerPicture *picture, ImageError *error)
{
	ImageFormat format = image_format(bytes, size);

	memset(error, 0, sizeof(*error));
	memset(info, 0, sizeof(*info));
	info->compression = "";
	info->format_name = "picture";
	info->pictures = 1;
	info->finger_position = info->impression_type = -1;
	if (size > limits->max_bytes)
		return image_too_large(error, "%zu bytes, more than %zu", size, limits->max_bytes);

	if (format == IMAGE_FINGER_RECORD)
	{
		ImageInfo inner;

		if (!finger_record_info(bytes, size, which, info, picture, error))
			return false;
		if (picture->raw)
			return image_check_size(info, limits, error);

		/* the picture inside knows its own size; the record says the rest */
		inner = *info;
		if (!info_of(picture->inside, picture->bytes, picture->size, &inner, error))
			return false;
		info->width = inner.width;
		info->height = inner.height;
		info->bits = inner.bits;
		info->channels = inner.channels;
		return image_check_size(info, limits, error);
	}

	if (which != 0)
		return image_fail(error, "there is no picture %d: the file holds one", which + 1);
	picture->bytes = bytes;
	picture->size = size;
	picture->raw = false;
	picture->inside = format;
	info->format = format;
	return info_of(format, bytes, size, info, error) && image_check_size(info, limits, error);
}

bool
image_info(const uint8_t *bytes, size_t size, int which, const ImageLimits *limits, ImageInfo *info,
		   ImageError *error)
{
	FingerPicture picture;

	return find_picture(bytes, size, which, limits, info, &picture, error);
}

bool
image_decode(const uint8_t *bytes, size_t size, int which, const ImageLimits *limits, Image *image,
			 ImageError *error)
{
	ImageInfo    *info = &image->info;
	FingerPicture picture;
	bool          done = false;

	image->pixels = NULL;
	if (!find_picture(bytes, size, which, limits, info, &picture, error))
		return false;
	image->pixels = malloc((size_t) info->width * info->height);
	if (image->pixels == NULL)
		return image_no_memory(error);
	/* what a decoder leaves out is white */
	memset(image->pixels, 255, (size_t) info->width * info->height);

	if (picture.raw)
		done = finger_record_decode_raw(&picture, info, image->pixels, error);
	else
	{
		switch (picture.inside)
		{
			case IMAGE_PNG:
				done = image_png_decode(picture.bytes, picture.size, limits, info, image->pixels,
										error);
				break;
			case IMAGE_JPEG:
				done = image_jpeg_decode(picture.bytes, picture.size, limits, info, image->pixels,
										 error);
				break;
			case IMAGE_JPEG2000:
				done = image_jpeg2000_decode(picture.bytes, picture.size, limits, info,
											 image->pixels, error);
				break;
			case IMAGE_WSQ:
				done = image_wsq_decode(picture.bytes, picture.size, limits, info, image->pixels,
										error);
				break;
			case IMAGE_FINGER_RECORD:
			case IMAGE_UNKNOWN:
				break;
		}
	}
	if (!done)
		image_free(image);
	return done;
}

void
image_free(Image *image)
{
	free(image->pixels);
	image->pixels = NULL;
}
