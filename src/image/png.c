/*
 * png.c
 *		PNG, by libpng: every bit depth, palette, alpha, interlaced.
 */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "image/decoder.h"

/* where libpng reads from, and what it says */
typedef struct PngSource
{
	const uint8_t *bytes;
	size_t         left;
	ImageError    *error;
} PngSource;

static void
read_bytes(png_structp png, png_bytep to, png_size_t n)
{
	PngSource *source = png_get_io_ptr(png);

	if (n > source->left)
		png_error(png, "the file is cut off");
	memcpy(to, source->bytes, n);
	source->bytes += n;
	source->left -= n;
}

static void
fail(png_structp png, png_const_charp message)
{
	PngSource *source = png_get_error_ptr(png);

	/* libpng's messages name chunks and limits, not content */
	(void) image_fail(source->error, "PNG: %s", message);
	png_longjmp(png, 1);
}

static void
ignore_warning(png_structp png, png_const_charp message)
{
	(void) png;
	(void) message;
}

static png_structp
begin(PngSource *source)
{
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, source, fail, ignore_warning);

	if (png == NULL)
		return NULL;
	png_set_read_fn(png, source, read_bytes);
	/* text and profiles are of no use here; what is kept at all stays small */
	png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	png_set_chunk_cache_max(png, 16);
	png_set_chunk_malloc_max(png, 1 << 20);
	png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
	return png;
}

bool
image_png_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error)
{
	PngSource   source = {bytes, size, error};
	png_structp png = begin(&source);
	png_infop   header;

	info->format_name = "PNG";
	info->compression = "deflate";
	header = png == NULL ? NULL : png_create_info_struct(png);
	if (header == NULL)
	{
		png_destroy_read_struct(&png, NULL, NULL);
		return image_no_memory(error);
	}
	if (setjmp(png_jmpbuf(png)))
	{
		png_destroy_read_struct(&png, &header, NULL);
		return false;
	}
	png_read_info(png, header);
	info->width = png_get_image_width(png, header);
	info->height = png_get_image_height(png, header);
	info->bits = png_get_bit_depth(png, header);
	info->channels = png_get_channels(png, header);
	info->dpi_x = image_dpi_of_metre(png_get_x_pixels_per_meter(png, header));
	info->dpi_y = image_dpi_of_metre(png_get_y_pixels_per_meter(png, header));
	png_destroy_read_struct(&png, &header, NULL);
	return true;
}

/* a row of 8-bit samples to grey on white */
static void
to_grey(const uint8_t *row, int channels, uint32_t width, uint8_t *pixels)
{
	for (uint32_t x = 0; x < width; x++, row += channels)
	{
		int grey = channels >= 3 ? image_luma(row[0], row[1], row[2]) : row[0];

		pixels[x] = channels % 2 == 0 ? image_on_white(grey, row[channels - 1]) : (uint8_t) grey;
	}
}

bool
image_png_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
				 const ImageInfo *info, uint8_t *pixels, ImageError *error)
{
	PngSource   source = {bytes, size, error};
	png_structp png = begin(&source);
	png_infop   header;
	uint8_t *volatile rows = NULL;
	int    channels;
	int    passes;
	size_t row_bytes;
	bool   whole;

	header = png == NULL ? NULL : png_create_info_struct(png);
	if (header == NULL)
	{
		png_destroy_read_struct(&png, NULL, NULL);
		return image_no_memory(error);
	}
	if (setjmp(png_jmpbuf(png)))
	{
		png_destroy_read_struct(&png, &header, NULL);
		free(rows);
		return false;
	}
	png_read_info(png, header);

	/* 8 bits a sample, alpha as a channel, no palette */
	png_set_expand(png);
	png_set_scale_16(png);
	passes = png_set_interlace_handling(png);
	png_read_update_info(png, header);
	channels = png_get_channels(png, header);
	row_bytes = png_get_rowbytes(png, header);

	/* an interlaced picture is complete only at the end */
	whole = passes > 1;
	rows = calloc(whole ? info->height : 1, row_bytes);
	if (rows == NULL)
	{
		png_destroy_read_struct(&png, &header, NULL);
		return image_no_memory(error);
	}
	for (int pass = 0; pass < passes; pass++)
	{
		for (uint32_t y = 0; y < info->height; y++)
		{
			uint8_t *row = whole ? rows + y * row_bytes : rows;

			if (image_stop(limits))
			{
				png_destroy_read_struct(&png, &header, NULL);
				free(rows);
				return image_interrupted(error);
			}
			png_read_row(png, row, NULL);
			if (pass == passes - 1)
				to_grey(row, channels, info->width, pixels + (size_t) y * info->width);
		}
	}
	png_destroy_read_struct(&png, &header, NULL);
	free(rows);
	return true;
}

/* ---- writing ------------------------------------------------------------- */

typedef struct PngTarget
{
	uint8_t *bytes;
	size_t   size;
	size_t   capacity;
} PngTarget;

static void
write_bytes(png_structp png, png_bytep from, png_size_t n)
{
	PngTarget *target = png_get_io_ptr(png);

	if (n > target->capacity - target->size)
	{
		size_t   capacity = 2 * target->capacity + n;
		uint8_t *bytes = realloc(target->bytes, capacity);

		if (bytes == NULL)
			png_error(png, "out of memory");
		target->bytes = bytes;
		target->capacity = capacity;
	}
	memcpy(target->bytes + target->size, from, n);
	target->size += n;
}

static void
flush_nothing(png_structp png)
{
	(void) png;
}

bool
image_write_png(const uint8_t *pixels, uint32_t width, uint32_t height, double dpi, uint8_t **bytes,
				size_t *size)
{
	PngTarget   target = {0};
	ImageError  error = {0};
	PngSource   words = {.error = &error};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &words, fail, ignore_warning);
	png_infop   header = png == NULL ? NULL : png_create_info_struct(png);

	if (header == NULL)
	{
		png_destroy_write_struct(&png, NULL);
		return false;
	}
	if (setjmp(png_jmpbuf(png)))
	{
		png_destroy_write_struct(&png, &header);
		free(target.bytes);
		return false;
	}
	png_set_write_fn(png, &target, write_bytes, flush_nothing);
	png_set_IHDR(png, header, width, height, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
				 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (dpi > 0)
	{
		png_uint_32 per_metre = (png_uint_32) (dpi / 0.0254 + 0.5);

		png_set_pHYs(png, header, per_metre, per_metre, PNG_RESOLUTION_METER);
	}
	png_write_info(png, header);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, (png_const_bytep) pixels + (size_t) y * width);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &header);
	*bytes = target.bytes;
	*size = target.size;
	return true;
}
