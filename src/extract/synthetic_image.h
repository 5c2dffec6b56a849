/*
 * synthetic_image.h
 *		The picture of a made-up finger.
 */
#ifndef SYNTHETIC_IMAGE_H
#define SYNTHETIC_IMAGE_H

#include "match/fingerprint/synthesis.h"

/* Bytes of working memory */
extern size_t synthetic_image_memory_size(void);

/*
 * Draws an impression of a finger: SYNTHETIC_WIDTH * SYNTHETIC_HEIGHT pixels of
 * 500 dpi, 8-bit grey, row by row from the top.  It shows the minutiae of the
 * finger that fingerprint_synthesize() has, and others where the pattern needs
 * them.  memory and interrupted are as for extract_minutiae(); false:
 * interrupted.
 */
extern bool synthetic_image(int64_t finger, int32_t impression, int position, void *memory,
							bool (*interrupted)(void *argument), void *argument, uint8_t *pixels);

#endif /* SYNTHETIC_IMAGE_H */
