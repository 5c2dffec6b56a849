/*
 * jpeg2000.c
 *		JPEG 2000, by OpenJPEG: code streams and JP2 files, grey and colour.
 *
 * OpenJPEG cannot be interrupted while it decodes; what it is given is small.
 */
#include <openjpeg.h>
#include <stdlib.h>
#include <string.h>

#include "image/decoder.h"

/* each tile takes memory before anything of it is read */
#define JPEG2000_MAX_TILES      4096
#define JPEG2000_MAX_COMPONENTS 4

/* ---- what the header says, without the library ----------------------------- */

/* bounds of boxes in a JP2 file */
typedef struct Box
{
	const uint8_t *body;
	size_t         length;
	char           type[5];
} Box;

/* the box at *at; false at the end or if it does not fit */
static bool
next_box(const uint8_t *bytes, size_t size, size_t *at, Box *box)
{
	uint64_t length;
	size_t   head = 8;

	if (size - *at < 8)
		return false;
	length = image_be32(bytes + *at);
	memcpy(box->type, bytes + *at + 4, 4);
	box->type[4] = '\0';
	if (length == 1)
	{
		if (size - *at < 16)
			return false;
		length = (uint64_t) image_be32(bytes + *at + 8) << 32 | image_be32(bytes + *at + 12);
		head = 16;
	}
	else if (length == 0)
		length = size - *at;
	if (length < head || length > size - *at)
		return false;
	box->body = bytes + *at + head;
	box->length = (size_t) length - head;
	*at += (size_t) length;
	return true;
}

/* pixels a metre: numerator, denominator, and a power of ten */
static double
resolution(const uint8_t *entry, int exponent)
{
	double value =
		image_be16(entry + 2) == 0 ? 0 : (double) image_be16(entry) / image_be16(entry + 2);

	/* no picture was ever taken beyond these */
	if (exponent < -9 || exponent > 9)
		return 0;
	for (; exponent > 0; exponent--)
		value *= 10;
	for (; exponent < 0; exponent++)
		value /= 10;
	return value < 1e6 ? image_dpi_of_metre(value) : 0;
}

/* the resolution in the header box, that of the capture rather than of the display */
static void
read_resolution(const Box *header, ImageInfo *info)
{
	size_t at = 0;
	Box    box;

	while (next_box(header->body, header->length, &at, &box))
	{
		size_t within = 0;
		Box    inner;

		if (strcmp(box.type, "res ") != 0)
			continue;
		while (next_box(box.body, box.length, &within, &inner))
		{
			bool capture = strcmp(inner.type, "resc") == 0;

			if (inner.length < 10 || (!capture && strcmp(inner.type, "resd") != 0))
				continue;
			if (capture || info->dpi_x == 0)
			{
				info->dpi_y = resolution(inner.body, (int8_t) inner.body[8]);
				info->dpi_x = resolution(inner.body + 4, (int8_t) inner.body[9]);
			}
		}
	}
}

/* the size segment that every code stream starts with */
static bool
read_size(const uint8_t *stream, size_t size, ImageInfo *info, ImageError *error)
{
	uint32_t x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0;
	uint64_t tiles;

	if (size < 4 + 2 + 36 + 3 || memcmp(stream, "\xff\x4f\xff\x51", 4) != 0)
		return image_fail(error, "JPEG 2000: the code stream has no size");
	x1 = image_be32(stream + 8);
	y1 = image_be32(stream + 12);
	x0 = image_be32(stream + 16);
	y0 = image_be32(stream + 20);
	tile_x = image_be32(stream + 24);
	tile_y = image_be32(stream + 28);
	tile_x0 = image_be32(stream + 32);
	tile_y0 = image_be32(stream + 36);
	if (x1 <= x0 || y1 <= y0 || tile_x == 0 || tile_y == 0 || tile_x0 > x0 || tile_y0 > y0)
		return image_fail(error, "JPEG 2000: a size that makes no sense");
	info->width = x1 - x0;
	info->height = y1 - y0;
	info->channels = (int) image_be16(stream + 40);
	info->bits = (stream[42] & 0x7f) + 1;
	if (info->channels < 1 || info->channels > JPEG2000_MAX_COMPONENTS)
		return image_fail(error, "JPEG 2000: %d components, 1 to %d are read", info->channels,
						  JPEG2000_MAX_COMPONENTS);
	tiles = ((uint64_t) x1 - tile_x0 + tile_x - 1) / tile_x *
			(((uint64_t) y1 - tile_y0 + tile_y - 1) / tile_y);
	if (tiles > JPEG2000_MAX_TILES)
		return image_too_large(error, "JPEG 2000: %llu tiles, more than %d",
							   (unsigned long long) tiles, JPEG2000_MAX_TILES);
	return true;
}

bool
image_jpeg2000_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error)
{
	size_t at = 0;
	Box    box;

	info->format_name = "JPEG 2000";
	info->compression = "wavelet";
	if (bytes[0] == 0xff)
		return read_size(bytes, size, info, error);
	while (next_box(bytes, size, &at, &box))
	{
		if (strcmp(box.type, "jp2h") == 0)
			read_resolution(&box, info);
		else if (strcmp(box.type, "jp2c") == 0)
			return read_size(box.body, box.length, info, error);
	}
	return image_fail(error, "JPEG 2000: the file has no code stream");
}

/* ---- decoding -------------------------------------------------------------- */

typedef struct MemoryStream
{
	const uint8_t *bytes;
	size_t         size;
	size_t         at;
} MemoryStream;

static OPJ_SIZE_T
stream_read(void *to, OPJ_SIZE_T n, void *data)
{
	MemoryStream *stream = data;
	size_t        left = stream->size - stream->at;

	if (left == 0)
		return (OPJ_SIZE_T) -1;
	if (n > left)
		n = left;
	memcpy(to, stream->bytes + stream->at, n);
	stream->at += n;
	return n;
}

static OPJ_OFF_T
stream_skip(OPJ_OFF_T n, void *data)
{
	MemoryStream *stream = data;

	if (n < 0 || (uint64_t) n > stream->size - stream->at)
		return -1;
	stream->at += (size_t) n;
	return n;
}

static OPJ_BOOL
stream_seek(OPJ_OFF_T to, void *data)
{
	MemoryStream *stream = data;

	if (to < 0 || (uint64_t) to > stream->size)
		return OPJ_FALSE;
	stream->at = (size_t) to;
	return OPJ_TRUE;
}

/* the first message is the cause; the later ones are that something failed */
static void
fail(const char *message, void *data)
{
	ImageError *error = data;

	if (error->reason[0] != '\0')
		return;
	(void) image_fail(error, "JPEG 2000: %s", message);
	error->reason[strcspn(error->reason, "\n")] = '\0';
}

static void
ignore(const char *message, void *data)
{
	(void) message;
	(void) data;
}

/* a sample of a component, scaled to 0 .. 255 */
static int
sample(const opj_image_comp_t *component, size_t place)
{
	int64_t most = ((int64_t) 1 << component->prec) - 1;
	int64_t value = component->data[place];

	if (component->sgnd)
		value += (int64_t) 1 << (component->prec - 1);
	value = value < 0 ? 0 : value > most ? most : value;
	return (int) ((value * 255 + most / 2) / most);
}

/* components of full size, as grey */
static bool
to_grey(const opj_image_t *image, const ImageInfo *info, uint8_t *pixels, ImageError *error)
{
	const opj_image_comp_t *part = image->comps;
	int                     n = (int) image->numcomps;
	bool                    ycc = image->color_space == OPJ_CLRSPC_SYCC;

	for (int i = 0; i < n; i++)
	{
		bool needed = n < 3 || !ycc || i == 0 || i == 3;

		if (part[i].data == NULL || part[i].prec < 1 || part[i].prec > 31)
			return image_fail(error, "JPEG 2000: component %d cannot be read", i);
		if (needed && (part[i].w != info->width || part[i].h != info->height))
			return image_fail(error, "JPEG 2000: component %d is of another size", i);
	}
	for (size_t place = 0; place < (size_t) info->width * info->height; place++)
	{
		int grey = sample(&part[0], place);

		if (n >= 3 && !ycc)
			grey = image_luma(grey, sample(&part[1], place), sample(&part[2], place));
		pixels[place] =
			n % 2 == 0 ? image_on_white(grey, sample(&part[n - 1], place)) : (uint8_t) grey;
	}
	return true;
}

bool
image_jpeg2000_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
					  const ImageInfo *info, uint8_t *pixels, ImageError *error)
{
	MemoryStream      source = {bytes, size, 0};
	opj_dparameters_t parameters;
	opj_codec_t      *codec;
	opj_stream_t     *stream;
	opj_image_t      *image = NULL;
	bool              done = false;

	codec = opj_create_decompress(bytes[0] == 0xff ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
	stream = opj_stream_default_create(OPJ_TRUE);
	if (codec == NULL || stream == NULL)
	{
		opj_destroy_codec(codec);
		opj_stream_destroy(stream);
		return image_no_memory(error);
	}
	opj_set_error_handler(codec, fail, error);
	opj_set_warning_handler(codec, ignore, NULL);
	opj_set_info_handler(codec, ignore, NULL);
	opj_stream_set_read_function(stream, stream_read);
	opj_stream_set_skip_function(stream, stream_skip);
	opj_stream_set_seek_function(stream, stream_seek);
	opj_stream_set_user_data(stream, &source, NULL);
	opj_stream_set_user_data_length(stream, size);
	opj_set_default_decoder_parameters(&parameters);

	if (opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
		image->x1 - image->x0 == info->width && image->y1 - image->y0 == info->height &&
		(int) image->numcomps == info->channels)
	{
		if (image_stop(limits))
			(void) image_interrupted(error);
		else if (opj_decode(codec, stream, image) && opj_end_decompress(codec, stream))
			done = to_grey(image, info, pixels, error);
	}
	if (!done && error->reason[0] == '\0')
		(void) image_fail(error, "JPEG 2000: the picture cannot be decoded");
	opj_image_destroy(image);
	opj_stream_destroy(stream);
	opj_destroy_codec(codec);
	return done;
}
