/*
 * decoder.h
 *		What the decoders of this folder share.
 *
 * Each format has a header reader and a decoder.  A decoder is called with an
 * info that its header reader has filled and image.c has checked against the
 * limits, and with pixels of info->width * info->height bytes to fill.
 */
#ifndef IMAGE_DECODER_H
#define IMAGE_DECODER_H

#include "image/image.h"

/* Sets the reason; the macros below are what decoders use */
extern void image_describe(ImageError *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Describe a fault, an exceeded limit, and so on, and are false */
#define image_fail(error, ...)      (image_describe(error, __VA_ARGS__), false)
#define image_too_large(error, ...) ((error)->too_large = true, image_fail(error, __VA_ARGS__))
#define image_interrupted(error)    ((error)->interrupted = true, image_fail(error, "interrupted"))
#define image_no_memory(error)      ((error)->no_memory = true, image_fail(error, "out of memory"))

/* Whether the caller wants the work to end */
static inline bool
image_stop(const ImageLimits *limits)
{
	return limits->interrupted != NULL && limits->interrupted(limits->argument);
}

/* Whether the dimensions of info are within the limits */
extern bool image_check_size(const ImageInfo *info, const ImageLimits *limits, ImageError *error);

/* Luma of 8-bit colours, ITU-R BT.601, rounded */
static inline uint8_t
image_luma(int red, int green, int blue)
{
	return (uint8_t) ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

/* value on white, by alpha of 0..255 */
static inline uint8_t
image_on_white(int value, int alpha)
{
	return (uint8_t) ((value * alpha + 255 * (255 - alpha) + 127) / 255);
}

/*
 * Pixels a metre as pixels an inch.  Files hold whole pixels a metre: what is as
 * near to a whole number of pixels an inch as their rounding is that number.
 */
static inline double
image_dpi_of_metre(double per_metre)
{
	double dpi = per_metre * 0.0254;
	double whole = (double) (int64_t) (dpi + 0.5);

	return dpi - whole < 0.0128 && whole - dpi < 0.0128 ? whole : dpi;
}

static inline uint32_t
image_be16(const uint8_t *p)
{
	return (uint32_t) p[0] << 8 | p[1];
}

static inline uint32_t
image_be32(const uint8_t *p)
{
	return image_be16(p) << 16 | image_be16(p + 2);
}

extern bool image_png_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error);
extern bool image_png_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
							 const ImageInfo *info, uint8_t *pixels, ImageError *error);

extern bool image_jpeg_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error);
extern bool image_jpeg_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
							  const ImageInfo *info, uint8_t *pixels, ImageError *error);

extern bool image_jpeg2000_info(const uint8_t *bytes, size_t size, ImageInfo *info,
								ImageError *error);
extern bool image_jpeg2000_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
								  const ImageInfo *info, uint8_t *pixels, ImageError *error);

extern bool image_wsq_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error);
extern bool image_wsq_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
							 const ImageInfo *info, uint8_t *pixels, ImageError *error);

/* A picture inside a finger record: its bytes, and the format they are in. */
typedef struct FingerPicture
{
	const uint8_t *bytes;
	size_t         size;
	bool           raw;    /* uncompressed samples, info has their size and depth */
	ImageFormat    inside; /* otherwise */
} FingerPicture;

extern bool finger_record_info(const uint8_t *bytes, size_t size, int which, ImageInfo *info,
							   FingerPicture *picture, ImageError *error);
extern bool finger_record_decode_raw(const FingerPicture *picture, const ImageInfo *info,
									 uint8_t *pixels, ImageError *error);

#endif /* IMAGE_DECODER_H */
