/* weigher.c: stands in until there is a weigher.  Nothing is mated. */
#include "match/fingerprint/internal.h"

const FingerprintRule fingerprint_linear = {0, {0}};
const double          fingerprint_handicap = 0;

/* trees that answer 0 at once */
#define EMPTY               \
	{                       \
		{{0, 0, {-1, -1}}}, \
		{                   \
			0               \
		}                   \
	}
#define TEN EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY

const FingerprintTree fingerprint_trees[FINGERPRINT_TREES] = {TEN, TEN, TEN, TEN, TEN, TEN,
															  TEN, TEN, TEN, TEN, TEN, TEN};
