/*
 * fuzz_extract.c
 *		libFuzzer entry: bytes as a picture without a file format.
 *
 * The first four say width, height (from 32 to 287) and resolution (two bytes,
 * pixels per inch); the others are pixels, over and over.  What is extracted is
 * also written as a record, read back, and compared with itself.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -ffp-contract=off -Isrc \
 *		test/fuzz/fuzz_extract.c src/extract/[a-z]*.c src/match/[a-z]*.c \
 *		src/match/fingerprint/[a-z]*.c src/match/fingerprint/constants/[a-z]*.c -o fuzz_extract
 */
#include <stdlib.h>
#include <string.h>

#include "extract/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t      features[FINGERPRINT_FEATURES_MAX_SIZE];
	FingerprintTemplate finger;
	ExtractImage        image;
	uint8_t            *pixels;
	void               *memory;
	int                 width, height;
	ExtractStatus       status;

	if (size < 5)
		return 0;
	image.width = 32 + data[0];
	image.height = 32 + data[1];
	image.dpi = data[2] * 256 + data[3];
	pixels = malloc((size_t) image.width * image.height);
	for (int i = 0; i < image.width * image.height; i++)
		pixels[i] = data[4 + i % (size - 4)];
	image.pixels = pixels;
	status = extract_check(image.width, image.height, image.dpi, &width, &height);

	/* larger ones only take longer */
	if (status != EXTRACT_OK || width * height > 200000)
	{
		free(pixels);
		return 0;
	}
	memory = malloc(extract_memory_size(image.width, image.height, image.dpi));
	memset(memory, data[4], extract_memory_size(image.width, image.height, image.dpi));
	if (extract_minutiae(&image, memory, NULL, NULL, NULL, &finger) != EXTRACT_OK)
		abort();
	if (finger.width != width || finger.height != height || finger.quality > 100)
		abort();
	for (int i = 0; i < finger.count; i++)
		if (finger.minutiae[i].x >= width || finger.minutiae[i].y >= height ||
			finger.minutiae[i].quality > 100)
			abort();
	if (!fingerprint_features_valid(features, fingerprint_extract(&finger, features)))
		abort();
	free(memory);
	free(pixels);
	return 0;
}
