/*
 * test_likelihood.c
 *		The likelihoods of minutiae pairs: whatever vectors the processor has must
 *		find what the plain loop finds, and read nothing beyond the descriptors.
 */
#include "match/fingerprint/likelihood.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

static uint8_t
random_byte(void)
{
	state = state * 1664525u + 1013904223u;
	return (uint8_t) (state >> 24);
}

/* descriptors at the very end of a block, so that the sanitizer sees a byte read too many */
static uint8_t *
descriptors(int count, int extreme)
{
	size_t   size = (size_t) count * FINGERPRINT_DIMENSIONS / 2;
	uint8_t *bytes = malloc(size > 0 ? size : 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = extreme ? (uint8_t) (random_byte() % 2 ? 0xff : 0x00) : random_byte();
	return bytes;
}

/* whether pairs list each row's columns, and each column's rows, upwards */
static int
in_order(const uint16_t *pairs, int n)
{
	int last_of_row[256], last_of_column[256];
	int order = 1;

	for (int i = 0; i < 256; i++)
		last_of_row[i] = last_of_column[i] = -1;
	for (int k = 0; k < n; k++)
	{
		int row = pairs[k] >> 8;
		int column = pairs[k] & 255;

		order &= column > last_of_row[row] && row > last_of_column[column];
		last_of_row[row] = column;
		last_of_column[column] = row;
	}
	return order;
}

/* whether two lists, neither of which has a pair twice, have the same ones */
static int
same_pairs(const uint16_t *a, const uint16_t *b, int n)
{
	static uint8_t listed[65536];
	int            same = 1;

	memset(listed, 0, sizeof(listed));
	for (int k = 0; k < n; k++)
		listed[a[k]] = 1;
	for (int k = 0; k < n; k++)
		same &= listed[b[k]];
	return same;
}

int
main(void)
{
	static LikelihoodTables tables[FINGERPRINT_MAX_MINUTIAE];
	static int8_t           fast[FINGERPRINT_MAX_MINUTIAE][LIKELIHOOD_STRIDE];
	static int8_t           plain[FINGERPRINT_MAX_MINUTIAE][LIKELIHOOD_STRIDE];
	int8_t                  best_fast[FINGERPRINT_MAX_MINUTIAE];
	int8_t                  best_alone[FINGERPRINT_MAX_MINUTIAE];
	int8_t                  most_fast[LIKELIHOOD_STRIDE];
	int8_t                  most_plain[LIKELIHOOD_STRIDE];
	int8_t                  most_alone[LIKELIHOOD_STRIDE];
	int8_t                  best_plain[FINGERPRINT_MAX_MINUTIAE];
	uint8_t                 all_rows[FINGERPRINT_MAX_MINUTIAE];
	static uint16_t         pairs[FINGERPRINT_MAX_MINUTIAE * FINGERPRINT_MAX_MINUTIAE];
	static CoarseMinutiae   coarse_a, coarse_b;
	static uint16_t         pairs_plain[FINGERPRINT_MAX_MINUTIAE * FINGERPRINT_MAX_MINUTIAE];
	static const int sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 49, 63, 64, 65, 96, 97, 254, 255};
	int              same = 1;
	int              padded = 1;
	int              counted = 1;
	int              symmetric = 1;
	int              near = 1;

	for (int i = 0; i < FINGERPRINT_MAX_MINUTIAE; i++)
		all_rows[i] = (uint8_t) i;
	for (int extreme = 0; extreme < 2; extreme++)
	{
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		{
			int      rows = sizes[s];
			int      columns = sizes[random_byte() % (sizeof(sizes) / sizeof(sizes[0]))];
			uint8_t *a = descriptors(rows, extreme);
			uint8_t *b = descriptors(columns, extreme);
			int      threshold = (int) (random_byte() % 200) - 100;
			int      count = 0;

			fingerprint_likelihood_tables(a, rows, tables);
			fingerprint_likelihoods(tables, rows, b, columns, fast, best_fast, most_fast);
			fingerprint_likelihoods_plain(tables, rows, b, columns, plain, best_plain, most_plain);
			same &= memcmp(most_fast, most_plain, columns) == 0;

			/* the largest alone */
			memset(best_alone, 0, sizeof(best_alone));
			memset(most_alone, 0, sizeof(most_alone));
			fingerprint_likelihoods(tables, rows, b, columns, NULL, best_alone, most_alone);
			same &= memcmp(most_alone, most_plain, columns) == 0 &&
					memcmp(best_alone, best_plain, rows) == 0;
			for (int i = 0; i < rows; i++)
			{
				same &= memcmp(fast[i], plain[i], columns) == 0 && best_fast[i] == best_plain[i];
				for (int j = columns; j % LIKELIHOOD_VECTOR != 0; j++)
					padded &= fast[i][j] == -128;
				for (int j = 0; j < columns; j++)
					count += plain[i][j] >= threshold;
			}
			counted &= fingerprint_likelihood_threshold(fast, all_rows, rows, columns, count,
														threshold, 127) == threshold;
			if (count > 0)
			{
				int listed =
					fingerprint_list_likely(fast, all_rows, rows, columns, threshold, pairs);

				counted &= fingerprint_likelihood_threshold(fast, all_rows, rows, columns,
															count - 1, threshold, 127) > threshold;
				counted &= listed == count;
				for (int k = 0; k < listed; k++)
					counted &= plain[pairs[k] >> 8][pairs[k] & 255] >= threshold &&
							   (k == 0 || pairs[k] > pairs[k - 1]);
			}

			/* the other way round */
			fingerprint_likelihood_tables(b, columns, tables);
			fingerprint_likelihoods(tables, columns, a, rows, fast, best_fast, most_fast);
			for (int i = 0; i < rows; i++)
				for (int j = 0; j < columns; j++)
					symmetric &= fast[j][i] == plain[i][j];
			free(a);
			free(b);

			for (int i = 0; i < rows; i++)
				coarse_a.x[i] = random_byte(), coarse_a.y[i] = random_byte(),
				coarse_a.angle[i] = random_byte();
			for (int j = 0; j < columns; j++)
				coarse_b.x[j] = random_byte(), coarse_b.y[j] = random_byte(),
				coarse_b.angle[j] = random_byte();
			for (int reach = 4; reach <= 128; reach *= 2)
			{
				int listed = fingerprint_list_near(&coarse_a, rows, &coarse_b, columns, reach,
												   reach / 2, pairs);
				int plainly = fingerprint_list_near_plain(&coarse_a, rows, &coarse_b, columns,
														  reach, reach / 2, pairs_plain);

				near &= listed == plainly && in_order(pairs, listed) &&
						same_pairs(pairs, pairs_plain, listed);
			}
		}
	}
	ok(same, "vectors find what the plain loop finds");
	ok(padded, "columns that are not there are impossible");
	ok(counted, "likely pairs are counted and listed");
	ok(symmetric, "which finger is the probe does not matter");
	ok(near, "near minutiae are those that the plain loop finds");
	printf("1..5\n");
	return failures != 0;
}
