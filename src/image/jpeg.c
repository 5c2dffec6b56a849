/*
 * jpeg.c
 *		JPEG, by libjpeg: baseline and progressive, grey, colour and CMYK.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "image/decoder.h"

/*
 * A progressive file may have any number of scans, each of which takes the
 * time of a whole picture.  Encoders make about ten.
 */
#define JPEG_MAX_SCANS 100

/* of the library, beyond the coefficients of a progressive picture */
#define JPEG_SPARE_MEMORY (8 << 20)

typedef struct JpegState
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr         manager;
	struct jpeg_progress_mgr      progress;
	jmp_buf                       escape;
	const ImageLimits            *limits;
	ImageError                   *error;
} JpegState;

static JpegState *
state_of(j_common_ptr jpeg)
{
	return (JpegState *) jpeg->client_data;
}

static void
fail(j_common_ptr jpeg)
{
	JpegState *state = state_of(jpeg);
	char       message[JMSG_LENGTH_MAX];

	/* libjpeg's messages name markers and numbers of the header */
	jpeg->err->format_message(jpeg, message);
	(void) image_fail(state->error, "JPEG: %s", message);
	longjmp(state->escape, 1);
}

/*
 * A warning is damage that libjpeg reads over, such as a file that is cut off.
 * What it makes up instead is no finger.
 */
static void
warn(j_common_ptr jpeg, int level)
{
	if (level < 0)
		fail(jpeg);
}

static void
say_nothing(j_common_ptr jpeg)
{
	(void) jpeg;
}

/* called between rows of blocks of each scan */
static void
watch(j_common_ptr jpeg)
{
	JpegState *state = state_of(jpeg);

	if (state->jpeg.input_scan_number > JPEG_MAX_SCANS)
	{
		(void) image_too_large(state->error, "JPEG: more than %d scans", JPEG_MAX_SCANS);
		longjmp(state->escape, 1);
	}
	if (state->limits != NULL && image_stop(state->limits))
	{
		(void) image_interrupted(state->error);
		longjmp(state->escape, 1);
	}
}

static void
begin(JpegState *state, const uint8_t *bytes, size_t size)
{
	jpeg_create_decompress(&state->jpeg);
	state->progress.progress_monitor = watch;
	state->jpeg.progress = &state->progress;
	jpeg_mem_src(&state->jpeg, bytes, size);
	jpeg_read_header(&state->jpeg, TRUE);
}

static void
prepare(JpegState *state, const ImageLimits *limits, ImageError *error)
{
	memset(state, 0, sizeof(*state));
	state->limits = limits;
	state->error = error;
	state->jpeg.err = jpeg_std_error(&state->manager);
	state->manager.error_exit = fail;
	state->manager.emit_message = warn;
	state->manager.output_message = say_nothing;
	state->jpeg.client_data = state;
}

bool
image_jpeg_info(const uint8_t *bytes, size_t size, ImageInfo *info, ImageError *error)
{
	JpegState state;
	double    unit;

	info->format_name = "JPEG";
	prepare(&state, NULL, error);
	if (setjmp(state.escape))
	{
		jpeg_destroy_decompress(&state.jpeg);
		return false;
	}
	begin(&state, bytes, size);
	info->width = state.jpeg.image_width;
	info->height = state.jpeg.image_height;
	info->bits = state.jpeg.data_precision;
	info->channels = state.jpeg.num_components;
	info->compression = state.jpeg.progressive_mode ? "progressive DCT" : "DCT";
	/* 1 = pixels an inch, 2 = pixels a centimetre */
	unit = state.jpeg.density_unit == 1 ? 1 : state.jpeg.density_unit == 2 ? 2.54 : 0;
	info->dpi_x = state.jpeg.X_density * unit;
	info->dpi_y = state.jpeg.Y_density * unit;
	jpeg_destroy_decompress(&state.jpeg);
	return true;
}

bool
image_jpeg_decode(const uint8_t *bytes, size_t size, const ImageLimits *limits,
				  const ImageInfo *info, uint8_t *pixels, ImageError *error)
{
	JpegState state;
	JSAMPLE *volatile row = NULL;
	bool cmyk;
	bool inverted;

	prepare(&state, limits, error);
	if (setjmp(state.escape))
	{
		jpeg_destroy_decompress(&state.jpeg);
		free(row);
		return false;
	}
	begin(&state, bytes, size);
	cmyk = state.jpeg.jpeg_color_space == JCS_CMYK || state.jpeg.jpeg_color_space == JCS_YCCK;
	/* files with Adobe's marker hold the inverted colours */
	inverted = state.jpeg.saw_Adobe_marker;
	state.jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_GRAYSCALE;
	/* RGB as it is needs a conversion that old releases lack */
	if (state.jpeg.jpeg_color_space == JCS_RGB)
		state.jpeg.out_color_space = JCS_RGB;
	/* the same pixels on every processor, as far as the library has it */
	state.jpeg.dct_method = JDCT_ISLOW;
	/* coefficients of a progressive picture: two bytes a sample */
	state.jpeg.mem->max_memory_to_use =
		(long) info->width * info->height * state.jpeg.num_components * 3 + JPEG_SPARE_MEMORY;
	jpeg_start_decompress(&state.jpeg);
	row = malloc((size_t) state.jpeg.output_width * state.jpeg.output_components);
	if (row == NULL)
	{
		jpeg_destroy_decompress(&state.jpeg);
		return image_no_memory(error);
	}
	while (state.jpeg.output_scanline < state.jpeg.output_height)
	{
		uint8_t *to = pixels + (size_t) state.jpeg.output_scanline * info->width;
		JSAMPROW line = row;

		if (image_stop(limits))
		{
			(void) image_interrupted(error);
			longjmp(state.escape, 1);
		}
		jpeg_read_scanlines(&state.jpeg, &line, 1);
		for (uint32_t x = 0; x < info->width; x++)
		{
			const JSAMPLE *sample = line + (size_t) x * state.jpeg.output_components;

			if (cmyk)
			{
				int black = inverted ? sample[3] : 255 - sample[3];
				int ink[3];

				for (int i = 0; i < 3; i++)
					ink[i] = (inverted ? sample[i] : 255 - sample[i]) * black / 255;
				to[x] = image_luma(ink[0], ink[1], ink[2]);
			}
			else if (state.jpeg.output_components == 3)
				to[x] = image_luma(sample[0], sample[1], sample[2]);
			else
				to[x] = sample[0];
		}
	}
	jpeg_finish_decompress(&state.jpeg);
	jpeg_destroy_decompress(&state.jpeg);
	free(row);
	return true;
}
