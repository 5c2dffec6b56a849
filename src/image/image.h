/*
 * image.h
 *		Pictures of fingers: from the bytes of a file to grey pixels.
 *
 * Plain C without PostgreSQL, so that a client program can decode pictures
 * where they are.  The format is recognised by content, never by a name.
 *
 * Every byte may come from an attacker.  Dimensions are read and checked before
 * memory is allocated for pixels.  No function prints, exits or raises; what is
 * wrong is described in an ImageError, which never holds content of a picture.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ImageFormat
{
	IMAGE_UNKNOWN,
	IMAGE_PNG,
	IMAGE_JPEG,
	IMAGE_JPEG2000,
	IMAGE_WSQ,
	IMAGE_FINGER_RECORD /* ISO/IEC 19794-4:2005 or ANSI/INCITS 381-2004 */
} ImageFormat;

/* What a caller allows, and how it stops the work. */
typedef struct ImageLimits
{
	size_t   max_bytes;  /* of the input */
	uint64_t max_pixels; /* width times height, of one picture */
	uint32_t max_side;   /* pixels */

	/* called at least every few milliseconds where the decoder allows; true ends the work */
	bool (*interrupted)(void *argument);
	void *argument;
} ImageLimits;

/* 16 MiB of input, 16 million pixels, 16 384 pixels a side, no interrupts */
extern const ImageLimits image_default_limits;

/* What a header says. */
typedef struct ImageInfo
{
	ImageFormat format;
	const char *format_name; /* "PNG"; of finger records the standard's number */
	const char *compression; /* within the format: "deflate", "none", "WSQ"; never NULL */
	uint32_t    width;       /* pixels */
	uint32_t    height;
	int         bits;     /* of a sample */
	int         channels; /* samples of a pixel, alpha included */
	double      dpi_x;    /* pixels an inch, 0 if the file does not say */
	double      dpi_y;
	int         pictures;        /* of a finger record; 1 otherwise */
	int         finger_position; /* 0..10 of a finger record, else -1 */
	int         impression_type; /* code of the record, else -1 */
} ImageInfo;

/* 8-bit grey: 0 is black.  Row-major from the upper left, without padding. */
typedef struct Image
{
	ImageInfo info;
	uint8_t  *pixels; /* info.width * info.height, of malloc */
} Image;

typedef struct ImageError
{
	bool interrupted; /* the caller's function ended the work */
	bool too_large;   /* a limit was exceeded, the picture may be sound */
	bool no_memory;
	char reason[200]; /* format and what is wrong with it, a clause in English */
} ImageError;

/* The format that the first bytes announce; IMAGE_UNKNOWN for none of ours. */
extern ImageFormat image_format(const uint8_t *bytes, size_t size);

/*
 * What the header of a picture says; "which" counts the pictures of a finger
 * record from 0.  Reads no pixels and allocates no memory for them.
 */
extern bool image_info(const uint8_t *bytes, size_t size, int which, const ImageLimits *limits,
					   ImageInfo *info, ImageError *error);

/*
 * Decodes a picture.  Colours become luma (ITU-R BT.601), samples of other
 * depths are scaled to 0..255, transparent parts are drawn on white.  After
 * success image_free() frees the pixels; after failure there is nothing to free.
 */
extern bool image_decode(const uint8_t *bytes, size_t size, int which, const ImageLimits *limits,
						 Image *image, ImageError *error);

extern void image_free(Image *image);

/*
 * The pixels as an 8-bit grey PNG, of malloc; dpi 0 = not stated.  False when
 * out of memory.
 */
extern bool image_write_png(const uint8_t *pixels, uint32_t width, uint32_t height, double dpi,
							uint8_t **png, size_t *size);

#endif /* IMAGE_IMAGE_H */
