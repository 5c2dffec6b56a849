/*
 * words.h
 *		Words of a template: coarse descriptions of its parts, by which an
 *		index finds the few entries that are worth comparing.  Plain C.
 *
 * key is what a part looks like, and an index can look it up. signature has
 * more detail; a few of its bits may differ between mates. tag is how the part
 * is turned. type/modality.h says how they are used.
 */
#ifndef MATCH_WORDS_H
#define MATCH_WORDS_H

#include <stddef.h>
#include <stdint.h>

typedef struct Word
{
	uint32_t key;
	uint16_t signature;
	uint8_t  tag;    /* of a probe word < 16 */
	uint8_t  weight; /* of a probe word, 1..WORD_MAX_WEIGHT; 0 otherwise */
	uint8_t  slope;  /* of a probe word, eighths of a vote for each bit of the signature */
} Word;

#define WORD_MAX_WEIGHT 15

/*
 * Fingerprints: a word is a minutia, or a triangle of three.  The key of a minutia
 * is the cell of its descriptor, the signature more of its descriptor; those of a
 * triangle say how long its sides are, and where its minutiae point.  The tag is
 * a direction in 1/16 turns.
 */
#define FINGERPRINT_KEY_BITS           19
#define FINGERPRINT_TAG_BITS           4
#define FINGERPRINT_SIGNATURE_BITS     12
#define FINGERPRINT_MAX_MINUTIAE_WORDS 128
#define FINGERPRINT_MAX_TRIPLES        280
#define FINGERPRINT_MAX_WORDS          (FINGERPRINT_MAX_MINUTIAE_WORDS + FINGERPRINT_MAX_TRIPLES)
#define FINGERPRINT_MAX_PROBE_WORDS    16000

extern int fingerprint_words(const void *features, size_t size, Word *words);
extern int fingerprint_probe_words(const void *features, size_t size, Word *words);

/*
 * Irises: a word is a part of the code around some columns.  The key is the
 * number of the part and some of its bits, the signature others.  A probe has
 * each part in up to 17 rotations, which its tags tell: rotation k has tag -k,
 * modulo 16.
 */
#define IRIS_TABLE_BITS      7
#define IRIS_TABLES          (1 << IRIS_TABLE_BITS)
#define IRIS_TABLE_KEY_BITS  11
#define IRIS_KEY_BITS        (IRIS_TABLE_BITS + IRIS_TABLE_KEY_BITS)
#define IRIS_TAG_BITS        0
#define IRIS_SIGNATURE_BITS  13
#define IRIS_WORD_ROTATIONS  17
#define IRIS_MAX_WORDS       IRIS_TABLES
#define IRIS_MAX_PROBE_WORDS 8000

extern int iris_words(const void *features, size_t size, Word *words);
extern int iris_probe_words(const void *features, size_t size, Word *words);

#endif /* MATCH_WORDS_H */
