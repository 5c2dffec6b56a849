/*
 * fuzz_image.c
 *		libFuzzer entry: bytes as a picture file.
 *
 * -DFORMAT=IMAGE_WSQ and so on makes a target for one decoder: whatever is not
 * of that format is passed over.
 */
#include <stdlib.h>

#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ImageLimits limits = image_default_limits;
	ImageInfo   info;
	Image       image;
	ImageError  error;
	bool        sound;

#ifdef FORMAT
	if (image_format(data, size) != FORMAT)
		return 0;
#endif
	limits.max_pixels = 250000;
	sound = image_info(data, size, 0, &limits, &info, &error);
	if (!sound && error.reason[0] == '\0')
		abort();
	if (!image_decode(data, size, 0, &limits, &image, &error))
	{
		if (error.reason[0] == '\0')
			abort();
		return 0;
	}
	/* what can be decoded has a sound header */
	if (!sound || info.width != image.info.width || info.height != image.info.height)
		abort();
	image_free(&image);
	return 0;
}
