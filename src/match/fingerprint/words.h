/*
 * words.h
 *		The two kinds of words of a finger: minutiae (words.c) and triples of them
 *		(triples.c).
 */
#ifndef FINGERPRINT_WORDS_H
#define FINGERPRINT_WORDS_H

#include "match/fingerprint/internal.h"
#include "match/words.h"

/* keys of minutiae are below, those of triples from here on */
#define FINGERPRINT_TRIPLE_KEYS (1 << 18)

/*
 * What triangles are like, in eighths of a natural logarithm: how much more often
 * than one in 512 their sides fall in a cell, and their directions;
 * constants/triples.c
 */
extern const int8_t fingerprint_triple_frequency[2][512];

/* Whether word n is none of those before it, but for weight and slope */
static inline bool
fingerprint_word_is_new(const Word *words, int n)
{
	for (int k = 0; k < n; k++)
	{
		if (words[k].key == words[n].key && words[k].signature == words[n].signature &&
			words[k].tag == words[n].tag)
			return false;
	}
	return true;
}

/* The words of a finger's triangles, all different: at most FINGERPRINT_MAX_TRIPLES */
extern int fingerprint_triples(const void *features, Word *words);

/*
 * A word of a probe, without its key's FINGERPRINT_TRIPLE_KEYS and without weight
 * and slope; and its cost, in eighths of a natural logarithm, up to a constant
 */
typedef void (*FingerprintWordVisitor)(void *argument, const Word *word, int cost);

/* The words of a probe's triangles: the same ones in the same order each time */
extern void fingerprint_visit_triples(const void *features, FingerprintWordVisitor visit,
									  void *argument);

#endif /* FINGERPRINT_WORDS_H */
