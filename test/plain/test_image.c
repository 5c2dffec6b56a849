/*
 * test_image.c
 *		Decoders of pictures: what encoders wrote comes back, and hostile bytes
 *		do no harm.
 *
 * A minimal WSQ encoder is here, since no library has one; published WSQ files
 * are compared with an independent decoder's result where they are.
 */
#ifndef HAVE_IMAGE_LIBRARIES
#include <stdio.h>

int
main(void)
{
	printf("1..0 # SKIP the development files of libpng, libjpeg and OpenJPEG are not installed\n");
	return 0;
}
#else

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <openjpeg.h>
#include <png.h>

#include "image/decoder.h"
#include "image/image.h"
#include "match/portable_math.h"
#include "tap.h"

static uint64_t state = 20261127;

static void *
allocate_zeroed(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		abort();
	return memory;
}

/* a file in memory */
typedef struct Bytes
{
	uint8_t *data;
	size_t   size;
	size_t   capacity;
} Bytes;

static void
append(Bytes *bytes, const void *data, size_t size)
{
	if (size > bytes->capacity - bytes->size)
	{
		bytes->capacity = 2 * bytes->capacity + size;
		bytes->data = realloc(bytes->data, bytes->capacity);
		if (bytes->data == NULL)
			abort();
	}
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void
append_number(Bytes *bytes, uint32_t value, int size)
{
	for (int i = size - 1; i >= 0; i--)
	{
		uint8_t byte = (uint8_t) (value >> (8 * i));

		append(bytes, &byte, 1);
	}
}

static void
drop(Bytes *bytes)
{
	free(bytes->data);
	memset(bytes, 0, sizeof(*bytes));
}

/* a smooth picture with all grey levels */
static uint8_t *
make_picture(int width, int height)
{
	uint8_t *pixels = allocate_zeroed((size_t) width * height);

	for (int y = 0; y < height; y++)
	{
		for (int x = 0; x < width; x++)
			pixels[y * width + x] = (uint8_t) (128 + 60 * portable_sin(x * 0.7) +
											   60 * portable_sin(y * 0.31 + x * 0.05));
	}
	return pixels;
}

/* the largest difference; 256 if sizes differ or the picture cannot be read */
static int
difference(const Bytes *file, int which, const uint8_t *expected, int width, int height,
		   ImageInfo *info)
{
	Image      image;
	ImageError error;
	int        worst = 0;

	if (!image_decode(file->data, file->size, which, &image_default_limits, &image, &error))
	{
		printf("# %s\n", error.reason);
		return 256;
	}
	*info = image.info;
	if ((int) image.info.width != width || (int) image.info.height != height)
		worst = 256;
	for (int i = 0; worst < 256 && i < width * height; i++)
	{
		int d = abs(image.pixels[i] - expected[i]);

		if (d > worst)
			worst = d;
	}
	image_free(&image);
	return worst;
}

/* ---- encoders --------------------------------------------------------------- */

static void
png_write(png_structp png, png_bytep data, png_size_t size)
{
	append(png_get_io_ptr(png), data, size);
}

static void
png_flush_nothing(png_structp png)
{
	(void) png;
}

/* rows of samples of any of PNG's forms */
static Bytes
encode_png(const uint8_t *samples, int width, int height, int type, int depth, size_t row_bytes,
		   bool interlaced, int dpi)
{
	Bytes       file = {0};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop   info = png_create_info_struct(png);

	png_set_write_fn(png, &file, png_write, png_flush_nothing);
	png_set_IHDR(png, info, (png_uint_32) width, (png_uint_32) height, depth, type,
				 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
				 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE)
	{
		png_color palette[256];

		for (int i = 0; i < 256; i++)
			palette[i] =
				(png_color){(png_byte) (255 - i), (png_byte) (255 - i), (png_byte) (255 - i)};
		png_set_PLTE(png, info, palette, 256);
	}
	if (dpi > 0)
		png_set_pHYs(png, info, (png_uint_32) (dpi / 0.0254 + 0.5),
					 (png_uint_32) (dpi / 0.0254 + 0.5), PNG_RESOLUTION_METER);
	png_write_info(png, info);
	for (int pass = png_set_interlace_handling(png); pass > 0; pass--)
	{
		for (int y = 0; y < height; y++)
			png_write_row(png, (png_bytep) samples + y * row_bytes);
	}
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return file;
}

/* channels 1, 3 or 4 (CMYK with Adobe's marker, hence inverted) */
static Bytes
encode_jpeg(const uint8_t *samples, int width, int height, int channels, bool progressive, int dpi)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr       manager;
	Bytes                       file = {0};
	unsigned char              *data = NULL;
	unsigned long               size = 0;

	jpeg.err = jpeg_std_error(&manager);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &data, &size);
	jpeg.image_width = (JDIMENSION) width;
	jpeg.image_height = (JDIMENSION) height;
	jpeg.input_components = channels;
	jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 98, TRUE);
	if (progressive)
		jpeg_simple_progression(&jpeg);
	if (dpi > 0)
	{
		jpeg.density_unit = 1;
		jpeg.X_density = jpeg.Y_density = (UINT16) dpi;
	}
	jpeg_start_compress(&jpeg, TRUE);
	for (int y = 0; y < height; y++)
	{
		JSAMPROW row = (JSAMPROW) samples + (size_t) y * width * channels;

		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	append(&file, data, size);
	free(data);
	return file;
}

/* OpenJPEG writes to places that it seeks */
typedef struct Target
{
	uint8_t bytes[1 << 20];
	size_t  at;
	size_t  size;
} Target;

static OPJ_SIZE_T
target_write(void *data, OPJ_SIZE_T size, void *argument)
{
	Target *target = argument;

	if (size > sizeof(target->bytes) - target->at)
		return (OPJ_SIZE_T) -1;
	memcpy(target->bytes + target->at, data, size);
	target->at += size;
	if (target->at > target->size)
		target->size = target->at;
	return size;
}

static OPJ_BOOL
target_seek(OPJ_OFF_T to, void *argument)
{
	((Target *) argument)->at = (size_t) to;
	return OPJ_TRUE;
}

static OPJ_OFF_T
target_skip(OPJ_OFF_T n, void *argument)
{
	((Target *) argument)->at += (size_t) n;
	return n;
}

/* lossless; channels 1 or 3; tile 0 = one tile */
static Bytes
encode_jpeg2000(const uint8_t *samples, int width, int height, int channels, int tile, bool jp2)
{
	static Target        target;
	Bytes                file = {0};
	opj_cparameters_t    parameters;
	opj_image_cmptparm_t parts[3] = {{0}};
	opj_image_t         *image;
	opj_codec_t         *codec = opj_create_compress(jp2 ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
	opj_stream_t        *stream = opj_stream_default_create(OPJ_FALSE);

	memset(&target, 0, sizeof(target));
	opj_set_default_encoder_parameters(&parameters);
	parameters.numresolution = tile == 1 ? 1 : 3;
	parameters.tcp_mct = channels == 3;
	if (tile > 0)
	{
		parameters.tile_size_on = OPJ_TRUE;
		parameters.cp_tdx = parameters.cp_tdy = tile;
	}
	for (int i = 0; i < channels; i++)
	{
		parts[i].dx = parts[i].dy = 1;
		parts[i].w = (OPJ_UINT32) width;
		parts[i].h = (OPJ_UINT32) height;
		parts[i].prec = 8;
	}
	image = opj_image_create((OPJ_UINT32) channels, parts,
							 channels == 1 ? OPJ_CLRSPC_GRAY : OPJ_CLRSPC_SRGB);
	image->x1 = (OPJ_UINT32) width;
	image->y1 = (OPJ_UINT32) height;
	for (int i = 0; i < width * height; i++)
	{
		for (int c = 0; c < channels; c++)
			image->comps[c].data[i] = samples[i * channels + c];
	}
	opj_setup_encoder(codec, &parameters, image);
	opj_stream_set_write_function(stream, target_write);
	opj_stream_set_seek_function(stream, target_seek);
	opj_stream_set_skip_function(stream, target_skip);
	opj_stream_set_user_data(stream, &target, NULL);
	if (opj_start_compress(codec, image, stream) && opj_encode(codec, stream) &&
		opj_end_compress(codec, stream))
		append(&file, target.bytes, target.size);
	opj_stream_destroy(stream);
	opj_destroy_codec(codec);
	opj_image_destroy(image);
	return file;
}

/* ---- WSQ ---------------------------------------------------------------------- */

/* analysis filters of the standard's example, from the middle outwards */
static const double low_pass[5] = {0.852698679009, 0.377402855613, -0.110624404418, -0.023849465020,
								   0.037828455507};
static const double high_pass[4] = {0.788485616406, -0.418092273222, -0.040689417609,
									0.064538882629};

static double
reflected(const double *line, int stride, int length, int i)
{
	if (length == 1)
		return line[0];
	while (i < 0 || i >= length)
		i = i < 0 ? -i : 2 * length - 2 - i;
	return line[i * stride];
}

static void
split_line(double *line, int stride, int length, bool reversed)
{
	double *result = allocate_zeroed(sizeof(double) * length);
	int     low_length = length - length / 2;
	int     low_start = reversed ? length / 2 : 0;
	int     high_start = reversed ? 0 : low_length;

	if (length > 1)
	{
		for (int i = 0; i < length; i++)
		{
			bool          low = i % 2 == 0;
			const double *filter = low ? low_pass : high_pass;
			double        sum = filter[0] * line[i * stride];

			for (int d = 1; d < (low ? 5 : 4); d++)
				sum += filter[d] * (reflected(line, stride, length, i - d) +
									reflected(line, stride, length, i + d));
			result[(low ? low_start : high_start) + i / 2] = sum;
		}
		for (int i = 0; i < length; i++)
			line[i * stride] = result[i];
	}
	free(result);
}

typedef struct Band
{
	int x, y, width, height;
} Band;

static void
split_band(double *values, int stride, const Band *band, bool reversed_x, bool reversed_y,
		   Band quarter[4])
{
	int left = reversed_x ? band->width / 2 : band->width - band->width / 2;
	int upper = reversed_y ? band->height / 2 : band->height - band->height / 2;

	for (int y = 0; y < band->height; y++)
		split_line(values + (band->y + y) * stride + band->x, 1, band->width, reversed_x);
	for (int x = 0; x < band->width; x++)
		split_line(values + band->y * stride + band->x + x, stride, band->height, reversed_y);
	quarter[0] = (Band){band->x, band->y, left, upper};
	quarter[1] = (Band){band->x + left, band->y, band->width - left, upper};
	quarter[2] = (Band){band->x, band->y + upper, left, band->height - upper};
	quarter[3] = (Band){band->x + left, band->y + upper, band->width - left, band->height - upper};
}

static void
split_sixteen(double *values, int stride, const Band *band, bool reversed_x, bool reversed_y,
			  Band *bands)
{
	Band quarter[4];

	split_band(values, stride, band, reversed_x, reversed_y, quarter);
	for (int i = 0; i < 4; i++)
		split_band(values, stride, &quarter[i], i & 1, i & 2, bands + 4 * i);
}

/* every code has 8 bits, so a symbol is its own code; 255 of them */
static void
put_symbol(Bytes *block, int symbol)
{
	uint8_t byte = (uint8_t) symbol;

	append(block, &byte, 1);
	if (byte == 0xFF)
		append(block, "", 1);
}

static void
put_coefficient(Bytes *block, int value)
{
	if (value >= -73 && value <= 74 && value != 0)
		put_symbol(block, value + 180);
	else if (value == 0)
		put_symbol(block, 1);
	else
	{
		int size = abs(value);

		put_symbol(block, value > 0 ? 103 : 104);
		put_symbol(block, size >> 8);
		put_symbol(block, size & 255);
	}
}

static void
segment_start(Bytes *file, int marker, int length)
{
	append_number(file, (uint32_t) marker, 2);
	append_number(file, (uint32_t) length, 2);
}

static Bytes
encode_wsq(const uint8_t *pixels, int width, int height, int dpi)
{
	Bytes   file = {0};
	double *values = allocate_zeroed(sizeof(double) * width * height);
	Band    whole = {0, 0, width, height};
	Band    quarter[4];
	Band    sixteenth[4];
	Band    lowest[16];
	Band    bands[60];
	char    comment[64];
	double  step = 4;
	double  zero_bin = 4.8;
	double  centre = 0.44;

	for (int i = 0; i < width * height; i++)
		values[i] = pixels[i] - 128.0;
	split_band(values, width, &whole, false, false, quarter);
	split_band(values, width, &quarter[1], true, false, bands + 52);
	split_band(values, width, &quarter[2], false, true, bands + 56);
	split_band(values, width, &quarter[0], false, false, sixteenth);
	bands[51] = sixteenth[3];
	split_sixteen(values, width, &sixteenth[1], true, false, bands + 19);
	split_sixteen(values, width, &sixteenth[2], false, true, bands + 35);
	split_sixteen(values, width, &sixteenth[0], false, false, lowest);
	memcpy(bands + 4, lowest + 1, 15 * sizeof(Band));
	split_band(values, width, &lowest[0], false, false, bands);

	append_number(&file, 0xFFA0, 2);
	snprintf(comment, sizeof(comment), "NIST_COM 2\nPPI %d\n", dpi);
	segment_start(&file, 0xFFA8, (int) strlen(comment) + 2);
	append(&file, comment, strlen(comment));

	segment_start(&file, 0xFFA4, 58);
	append_number(&file, 9, 1);
	append_number(&file, 7, 1);
	for (int i = 0; i < 9; i++)
	{
		double tap = i < 5 ? low_pass[i] : high_pass[i - 5];

		append_number(&file, tap < 0, 1);
		append_number(&file, 9, 1);
		append_number(&file, (uint32_t) ((tap < 0 ? -tap : tap) * 1e9 + 0.5), 4);
	}

	segment_start(&file, 0xFFA5, 389);
	append_number(&file, 2, 1);
	append_number(&file, (uint32_t) (centre * 100 + 0.5), 2);
	for (int i = 0; i < 64; i++)
	{
		append_number(&file, 2, 1);
		append_number(&file, i < 60 ? (uint32_t) (step * 100 + 0.5) : 0, 2);
		append_number(&file, 2, 1);
		append_number(&file, i < 60 ? (uint32_t) (zero_bin * 100 + 0.5) : 0, 2);
	}

	segment_start(&file, 0xFFA2, 17);
	append_number(&file, 0x00FF, 2);
	append_number(&file, (uint32_t) height, 2);
	append_number(&file, (uint32_t) width, 2);
	append_number(&file, 0, 1);
	append_number(&file, 128, 2);
	append_number(&file, 0, 1);
	append_number(&file, 1, 2);
	append_number(&file, 0, 1);
	append_number(&file, 0, 2);

	segment_start(&file, 0xFFA6, 2 + 17 + 255);
	append_number(&file, 0, 1);
	for (int bits = 1; bits <= 16; bits++)
		append_number(&file, bits == 8 ? 255 : 0, 1);
	for (uint32_t symbol = 0; symbol < 255; symbol++)
		append_number(&file, symbol, 1);

	for (int band = 0; band < 60; band++)
	{
		if (band == 0 || band == 19 || band == 52)
		{
			segment_start(&file, 0xFFA3, 3);
			append_number(&file, 0, 1);
		}
		for (int y = 0; y < bands[band].height; y++)
		{
			for (int x = 0; x < bands[band].width; x++)
			{
				double value = values[(bands[band].y + y) * width + bands[band].x + x];
				int    q = 0;

				if (value > zero_bin / 2)
					q = (int) ((value - zero_bin / 2) / step) + 1;
				else if (value < -zero_bin / 2)
					q = (int) ((value + zero_bin / 2) / step) - 1;
				put_coefficient(&file, q);
			}
		}
	}
	append_number(&file, 0xFFA1, 2);
	free(values);
	return file;
}

/* ---- tests ---------------------------------------------------------------------- */

static void
test_png(void)
{
	int       width = 131;
	int       height = 77;
	uint8_t  *grey = make_picture(width, height);
	uint8_t  *samples = allocate_zeroed((size_t) width * height * 8);
	uint8_t  *expected = allocate_zeroed((size_t) width * height);
	ImageInfo info;
	Bytes     file;

	file = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, false, 500);
	ok(difference(&file, 0, grey, width, height, &info) == 0 && info.dpi_x == 500 &&
		   info.dpi_y == 500 && info.bits == 8 && info.channels == 1,
	   "PNG: 8-bit grey, 500 dpi");
	drop(&file);
	file = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, true, 0);
	ok(difference(&file, 0, grey, width, height, &info) == 0 && info.dpi_x == 0, "PNG: interlaced");
	drop(&file);
	file = encode_png(grey, width, height, PNG_COLOR_TYPE_PALETTE, 8, width, false, 0);
	for (int i = 0; i < width * height; i++)
		expected[i] = 255 - grey[i];
	ok(difference(&file, 0, expected, width, height, &info) == 0, "PNG: palette");
	drop(&file);

	for (int i = 0; i < width * height; i++)
	{
		samples[2 * i] = grey[i];
		samples[2 * i + 1] = grey[i];
	}
	file = encode_png(samples, width, height, PNG_COLOR_TYPE_GRAY, 16, 2 * width, false, 0);
	ok(difference(&file, 0, grey, width, height, &info) == 0 && info.bits == 16, "PNG: 16 bits");
	drop(&file);
	for (int i = 0; i < width * height; i++)
		expected[i] = image_on_white(grey[i], grey[i]);
	file = encode_png(samples, width, height, PNG_COLOR_TYPE_GRAY_ALPHA, 8, 2 * width, false, 0);
	ok(difference(&file, 0, expected, width, height, &info) == 0,
	   "PNG: transparent parts on white");
	drop(&file);
	for (int i = 0; i < width * height; i++)
	{
		samples[3 * i] = grey[i];
		samples[3 * i + 1] = (uint8_t) (255 - grey[i]);
		samples[3 * i + 2] = 100;
		expected[i] = image_luma(grey[i], 255 - grey[i], 100);
	}
	file = encode_png(samples, width, height, PNG_COLOR_TYPE_RGB, 8, 3 * width, true, 0);
	ok(difference(&file, 0, expected, width, height, &info) == 0 && info.channels == 3,
	   "PNG: colour");
	drop(&file);
	for (int y = 0; y < height; y++)
	{
		for (int x = 0; x < width; x++)
			expected[y * width + x] =
				grey[y * ((width + 7) / 8) + x / 8] >> (7 - x % 8) & 1 ? 255 : 0;
	}
	file = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 1, (width + 7) / 8, false, 0);
	ok(difference(&file, 0, expected, width, height, &info) == 0 && info.bits == 1, "PNG: one bit");
	drop(&file);

	{
		uint8_t *png;
		size_t   size;
		bool     written = image_write_png(grey, width, height, 500, &png, &size);

		file = (Bytes){png, size, size};
		ok(written && difference(&file, 0, grey, width, height, &info) == 0 && info.dpi_x == 500,
		   "PNG: what we write, we read");
		drop(&file);
	}
	free(grey);
	free(samples);
	free(expected);
}

static void
test_jpeg(void)
{
	int       width = 131;
	int       height = 77;
	uint8_t  *grey = make_picture(width, height);
	uint8_t  *samples = allocate_zeroed((size_t) width * height * 4);
	ImageInfo info;
	Bytes     file;

	file = encode_jpeg(grey, width, height, 1, false, 500);
	ok(difference(&file, 0, grey, width, height, &info) <= 4 && info.dpi_x == 500, "JPEG: grey");
	drop(&file);
	file = encode_jpeg(grey, width, height, 1, true, 0);
	ok(difference(&file, 0, grey, width, height, &info) <= 4 &&
		   strcmp(info.compression, "progressive DCT") == 0,
	   "JPEG: progressive");
	drop(&file);
	for (int i = 0; i < width * height; i++)
		memset(samples + 3 * i, grey[i], 3);
	file = encode_jpeg(samples, width, height, 3, false, 0);
	ok(difference(&file, 0, grey, width, height, &info) <= 5 && info.channels == 3, "JPEG: colour");
	drop(&file);
	for (int i = 0; i < width * height; i++)
	{
		memset(samples + 4 * i, grey[i], 3);
		samples[4 * i + 3] = 255;
	}
	file = encode_jpeg(samples, width, height, 4, false, 0);
	ok(difference(&file, 0, grey, width, height, &info) <= 5 && info.channels == 4, "JPEG: CMYK");
	drop(&file);
	free(grey);
	free(samples);
}

static void
test_jpeg2000(void)
{
	int       width = 131;
	int       height = 77;
	uint8_t  *grey = make_picture(width, height);
	uint8_t  *samples = allocate_zeroed((size_t) width * height * 3);
	ImageInfo info;
	Bytes     file;

	file = encode_jpeg2000(grey, width, height, 1, 0, true);
	ok(difference(&file, 0, grey, width, height, &info) == 0, "JPEG 2000: file, lossless");
	drop(&file);
	file = encode_jpeg2000(grey, width, height, 1, 32, false);
	ok(difference(&file, 0, grey, width, height, &info) == 0, "JPEG 2000: code stream, tiles");
	drop(&file);
	for (int i = 0; i < width * height; i++)
		memset(samples + 3 * i, grey[i], 3);
	file = encode_jpeg2000(samples, width, height, 3, 0, true);
	ok(difference(&file, 0, grey, width, height, &info) == 0 && info.channels == 3,
	   "JPEG 2000: colour");
	drop(&file);
	file = encode_jpeg2000(grey, width, height, 1, 1, false);
	ok(file.size > 0 && difference(&file, 0, grey, width, height, &info) == 256,
	   "JPEG 2000: ten thousand tiles are refused");
	drop(&file);
	free(grey);
	free(samples);
}

static void
test_wsq(void)
{
	static const int sizes[][2] = {{64, 64}, {131, 77}, {100, 255}, {33, 32},
								   {7, 5},   {1, 1},    {40, 1}};
	int              worst = 0;
	bool             dpi = true;

	for (int i = 0; i < 7; i++)
	{
		int       width = sizes[i][0];
		int       height = sizes[i][1];
		uint8_t  *pixels = make_picture(width, height);
		Bytes     file = encode_wsq(pixels, width, height, 500);
		ImageInfo info;
		int       d = difference(&file, 0, pixels, width, height, &info);

		worst = d > worst ? d : worst;
		dpi = dpi && d < 256 && info.dpi_x == 500;
		free(pixels);
		drop(&file);
	}
	/* the highest frequencies are not sent, and the rest is quantised */
	printf("# largest error %d grey levels\n", worst);
	ok(worst <= 12, "WSQ: pictures of odd and even size come back");
	ok(dpi, "WSQ: the resolution of NIST's comment");
}

/* published files, and what another decoder makes of them */
static void
test_published_wsq(void)
{
	const char    *data = getenv("BIOMETRIC_DATA");
	char           name[512];
	DIR           *folder;
	struct dirent *entry;
	int            files = 0;
	int            worst = 0;

	snprintf(name, sizeof(name), "%s/images/wsq", data == NULL ? "" : data);
	folder = data == NULL ? NULL : opendir(name);
	if (folder == NULL)
	{
		printf("ok %d # SKIP the evaluation data are not there\n", ++tests);
		return;
	}
	while ((entry = readdir(folder)) != NULL)
	{
		size_t     length = strlen(entry->d_name);
		Bytes      parts[2] = {{0}};
		Image      image;
		ImageInfo  info;
		ImageError error;

		if (length < 4 || strcmp(entry->d_name + length - 4, ".wsq") != 0)
			continue;
		for (int i = 0; i < 2; i++)
		{
			FILE   *file;
			uint8_t buffer[65536];
			size_t  n;

			snprintf(name, sizeof(name), "%s/images/wsq/%.*s.%s", data, (int) length - 4,
					 entry->d_name, i == 0 ? "wsq" : "png");
			file = fopen(name, "rb");
			while (file != NULL && (n = fread(buffer, 1, sizeof(buffer), file)) > 0)
				append(&parts[i], buffer, n);
			if (file != NULL)
				fclose(file);
		}
		if (image_decode(parts[1].data, parts[1].size, 0, &image_default_limits, &image, &error))
		{
			int d = difference(&parts[0], 0, image.pixels, (int) image.info.width,
							   (int) image.info.height, &info);

			worst = d > worst ? d : worst;
			files++;
			image_free(&image);
		}
		drop(&parts[0]);
		drop(&parts[1]);
	}
	closedir(folder);
	printf("# %d files, largest difference %d\n", files, worst);
	ok(files >= 10 && worst <= 1, "WSQ: published files equal another decoder's to one grey level");
}

/* a finger image record; compression -1: raw with so many bits, packed if packed */
static Bytes
make_record(bool incits, int compression, const Bytes *inside, int width, int height, int bits)
{
	Bytes file = {0};

	append(&file,
		   "FIR\0"
		   "010\0",
		   8);
	append_number(&file, 0, 2);
	append_number(&file, (uint32_t) ((incits ? 36 : 32) + 2 * (14 + inside->size)), 4);
	if (incits)
		append_number(&file, 0x00010002, 4);
	append_number(&file, 0, 2);
	append_number(&file, 31, 2);
	append_number(&file, 2, 1);
	append_number(&file, 2, 1);
	for (int i = 0; i < 4; i++)
		append_number(&file, 197, 2);
	append_number(&file, (uint32_t) bits, 1);
	append_number(&file, (uint32_t) compression, 1);
	append_number(&file, 0, 2);
	for (uint32_t finger = 2; finger <= 3; finger++)
	{
		append_number(&file, (uint32_t) (14 + inside->size), 4);
		append_number(&file, finger, 1);
		append_number(&file, 1, 1);
		append_number(&file, 1, 1);
		append_number(&file, 0, 1);
		append_number(&file, 1, 1);
		append_number(&file, (uint32_t) width, 2);
		append_number(&file, (uint32_t) height, 2);
		append_number(&file, 0, 1);
		append(&file, inside->data, inside->size);
	}
	return file;
}

static void
test_finger_records(void)
{
	int       width = 64;
	int       height = 48;
	uint8_t  *grey = make_picture(width, height);
	Bytes     raw = {grey, (size_t) width * height, 0};
	Bytes     packed = {0};
	Bytes     file;
	Bytes     inside;
	ImageInfo info;
	uint8_t  *coarse = allocate_zeroed((size_t) width * height);

	file = make_record(false, 0, &raw, width, height, 8);
	ok(difference(&file, 0, grey, width, height, &info) == 0 && info.finger_position == 2 &&
		   info.impression_type == 1 && info.pictures == 2 && info.dpi_x == 197 * 2.54 &&
		   strcmp(info.format_name, "ISO/IEC 19794-4:2005") == 0,
	   "finger record: ISO, raw");
	ok(difference(&file, 1, grey, width, height, &info) == 0 && info.finger_position == 3,
	   "finger record: its second picture");
	ok(difference(&file, 2, grey, width, height, &info) == 256, "finger record: there is no third");
	drop(&file);
	for (int i = 0; i < width * height; i += 2)
	{
		append_number(&packed, (uint32_t) (grey[i] & 0xF0) | grey[i + 1] >> 4, 1);
		coarse[i] = (uint8_t) ((grey[i] >> 4) * 17);
		coarse[i + 1] = (uint8_t) ((grey[i + 1] >> 4) * 17);
	}
	file = make_record(true, 1, &packed, width, height, 4);
	ok(difference(&file, 0, coarse, width, height, &info) == 0 &&
		   strcmp(info.format_name, "INCITS 381-2004") == 0,
	   "finger record: INCITS, packed");
	drop(&file);
	drop(&packed);
	inside = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, false, 0);
	file = make_record(false, 5, &inside, width, height, 8);
	ok(difference(&file, 1, grey, width, height, &info) == 0 && info.finger_position == 3,
	   "finger record: PNG inside");
	drop(&file);
	drop(&inside);
	inside = encode_wsq(grey, width, height, 500);
	file = make_record(true, 2, &inside, width, height, 8);
	ok(difference(&file, 0, grey, width, height, &info) <= 12, "finger record: WSQ inside");
	drop(&file);
	drop(&inside);
	raw.size--;
	file = make_record(false, 0, &raw, width, height, 8);
	ok(difference(&file, 0, grey, width, height, &info) == 256, "finger record: too few pixels");
	drop(&file);
	free(grey);
	free(coarse);
}

/* every truncation of a small file, and many changes of bytes */
static void
attack(const Bytes *file, const char *what)
{
	ImageLimits limits = image_default_limits;
	uint8_t    *copy = allocate_zeroed(file->size);
	Image       image;
	ImageError  error;
	bool        described = true;
	int         step = file->size > 3000 ? 37 : 7;
	char        name[100];

	limits.max_pixels = 100000;
	for (size_t size = 0; size < file->size; size += step)
	{
		/* of its own size, so that reading beyond it is noticed */
		uint8_t *cut = allocate_zeroed(size);

		memcpy(cut, file->data, size);
		if (image_decode(cut, size, 0, &limits, &image, &error))
			image_free(&image);
		else
			described = described && error.reason[0] != '\0';
		free(cut);
	}
	for (int round = 0; round < 600; round++)
	{
		/* headers are attacked more often than what follows */
		size_t range = round % 2 == 0 && file->size > 200 ? 200 : file->size;

		memcpy(copy, file->data, file->size);
		for (int i = 0; i <= round % 4; i++)
			copy[portable_random(&state) % range] = (uint8_t) portable_random(&state);
		if (image_decode(copy, file->size, 0, &limits, &image, &error))
			image_free(&image);
		else
			described = described && error.reason[0] != '\0';
	}
	snprintf(name, sizeof(name), "%s: truncated and changed, it is read or refused with a reason",
			 what);
	ok(described, name);
	free(copy);
}

static void
test_attacks(void)
{
	int                      width = 61;
	int                      height = 37;
	uint8_t                 *grey = make_picture(width, height);
	Bytes                    raw = {grey, (size_t) width * height, 0};
	Bytes                    files[7];
	static const char *const names[] = {"PNG", "progressive JPEG", "JPEG",          "JPEG 2000",
										"WSQ", "finger record",    "interlaced PNG"};

	files[0] = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, false, 500);
	files[1] = encode_jpeg(grey, width, height, 1, true, 500);
	files[2] = encode_jpeg(grey, width, height, 1, false, 500);
	files[3] = encode_jpeg2000(grey, width, height, 1, 0, true);
	files[4] = encode_wsq(grey, width, height, 500);
	files[5] = make_record(false, 0, &raw, width, height, 8);
	files[6] = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, true, 500);
	for (int i = 0; i < 7; i++)
	{
		attack(&files[i], names[i]);
		drop(&files[i]);
	}
	free(grey);
}

static bool
always(void *argument)
{
	(void) argument;
	return true;
}

static void
test_limits(void)
{
	int         width = 300;
	int         height = 200;
	uint8_t    *grey = make_picture(width, height);
	ImageLimits limits = image_default_limits;
	Image       image;
	ImageInfo   info;
	ImageError  error;
	Bytes       files[4];
	bool        large = true;
	bool        side = true;
	bool        bytes = true;
	bool        stopped = true;

	files[0] = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, false, 0);
	files[1] = encode_jpeg(grey, width, height, 1, true, 0);
	files[2] = encode_jpeg2000(grey, width, height, 1, 0, false);
	files[3] = encode_wsq(grey, width, height, 500);
	for (int i = 0; i < 4; i++)
	{
		limits = image_default_limits;
		limits.max_pixels = 59999;
		large = large && !image_info(files[i].data, files[i].size, 0, &limits, &info, &error) &&
				error.too_large;
		limits = image_default_limits;
		limits.max_side = 299;
		side = side && !image_decode(files[i].data, files[i].size, 0, &limits, &image, &error) &&
			   error.too_large;
		limits = image_default_limits;
		limits.max_bytes = files[i].size - 1;
		bytes = bytes && !image_decode(files[i].data, files[i].size, 0, &limits, &image, &error) &&
				error.too_large;
		limits = image_default_limits;
		limits.interrupted = always;
		stopped = stopped &&
				  !image_decode(files[i].data, files[i].size, 0, &limits, &image, &error) &&
				  error.interrupted;
		drop(&files[i]);
	}
	ok(large, "more pixels than allowed are refused by the header");
	ok(side, "longer sides than allowed are refused");
	ok(bytes, "longer files than allowed are refused");
	ok(stopped, "every decoder heeds an interrupt");
	ok(!image_decode((const uint8_t *) "GIF89a", 6, 0, &image_default_limits, &image, &error) &&
		   strstr(error.reason, "not a picture") != NULL,
	   "other formats are refused");
	ok(!image_decode(NULL, 0, 0, &image_default_limits, &image, &error), "nothing is no picture");
	free(grey);
}

/* files that fuzzing kept */
static void
test_corpus(void)
{
	const char    *path = "../fuzz/corpus/image";
	DIR           *folder = opendir(path);
	struct dirent *entry;
	int            files = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
	{
		char        name[512];
		Bytes       bytes = {0};
		uint8_t     buffer[65536];
		size_t      n;
		FILE       *file;
		Image       image;
		ImageError  error;
		ImageLimits limits = image_default_limits;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = fopen(name, "rb");
		while (file != NULL && (n = fread(buffer, 1, sizeof(buffer), file)) > 0)
			append(&bytes, buffer, n);
		if (file != NULL)
			fclose(file);
		limits.max_pixels = 1000000;
		if (image_decode(bytes.data, bytes.size, 0, &limits, &image, &error))
			image_free(&image);
		drop(&bytes);
		files++;
	}
	if (folder != NULL)
		closedir(folder);
	printf("# %d files\n", files);
	ok(files > 0, "the corpus of the fuzzers does no harm");
}

/* test_image FOLDER writes small sound files, the seeds of the corpus */
static void
write_seeds(const char *folder)
{
	int                      width = 40;
	int                      height = 32;
	uint8_t                 *grey = make_picture(width, height);
	Bytes                    raw = {grey, (size_t) width * height, 0};
	Bytes                    files[7];
	static const char *const names[] = {"grey.png", "interlaced.png", "grey.jpg", "progressive.jpg",
										"grey.jp2", "grey.wsq",       "raw.fir"};

	files[0] = encode_png(grey, width, height, PNG_COLOR_TYPE_GRAY, 8, width, false, 500);
	files[1] = encode_png(grey, width, height, PNG_COLOR_TYPE_PALETTE, 8, width, true, 500);
	files[2] = encode_jpeg(grey, width, height, 1, false, 500);
	files[3] = encode_jpeg(grey, width, height, 1, true, 500);
	files[4] = encode_jpeg2000(grey, width, height, 1, 0, true);
	files[5] = encode_wsq(grey, width, height, 500);
	files[6] = make_record(false, 0, &raw, width, height, 8);
	for (int i = 0; i < 7; i++)
	{
		char  name[512];
		FILE *file;

		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		file = fopen(name, "wb");
		if (file == NULL || fwrite(files[i].data, 1, files[i].size, file) != files[i].size)
			abort();
		fclose(file);
		drop(&files[i]);
	}
	free(grey);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		write_seeds(argv[1]);
		return 0;
	}
	test_png();
	test_jpeg();
	test_jpeg2000();
	test_wsq();
	test_published_wsq();
	test_finger_records();
	test_limits();
	test_attacks();
	test_corpus();
	printf("1..%d\n", tests);
	return failures > 0;
}
#endif
