/*
 * triples.c
 *		How often the triangles of fingers are of each kind: half of the count
 *		from made-up fingers, half from real ones.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "match/fingerprint/words.h"

#define CELLS   512
#define FINGERS 20000 /* made-up ones */

/* a cell that was not seen is as frequent as this, about one in all triangles that were counted */
#define UNSEEN 2e-6

typedef struct Counts
{
	double cells[2][CELLS]; /* of sides, of directions */
	double all;
} Counts;

static void
count(Counts *counts, BenchSet *set)
{
	static Word words[FINGERPRINT_MAX_TRIPLES];

	bench_extract(set);
	for (int i = 0; i < set->count; i++)
	{
		int n = fingerprint_triples(set->records[i].features, words);

		for (int k = 0; k < n; k++)
		{
			uint32_t cell = words[k].key - FINGERPRINT_TRIPLE_KEYS;

			counts->cells[0][cell / CELLS]++;
			counts->cells[1][cell % CELLS]++;
			counts->all++;
		}
	}
	bench_free(set);
}

int
main(void)
{
	static const char *const real[] = {"fvc2002_db1_b", "fvc2002_db3_b", "fvc2002_db1_b_secugen",
									   "fvc2002_db3_b_secugen", "neuro_uareu"};
	static Counts            counts[2];
	const char              *data = bench_data();
	BenchSet                 set;

	bench_synthesize(&set, 0, FINGERS, 1);
	count(&counts[0], &set);
	for (size_t s = 0; s < sizeof(real) / sizeof(real[0]); s++)
	{
		char path[4096];

		snprintf(path, sizeof(path), "%s/fingerprint/%s", data == NULL ? "" : data, real[s]);
		if (!bench_load(&set, path))
		{
			fprintf(stderr, "no records in %s\n", path);
			return 1;
		}
		count(&counts[1], &set);
	}
	printf("/*\n * triples.c\n *\t\tHow often triangles of minutiae are of each kind.  Made by "
		   "test/train/triples.\n */\n#include \"match/fingerprint/words.h\"\n\nconst int8_t "
		   "fingerprint_triple_frequency[2][%d] = {\n",
		   CELLS);
	for (int part = 0; part < 2; part++)
	{
		printf("\t{");
		for (int cell = 0; cell < CELLS; cell++)
		{
			double share = (counts[0].cells[part][cell] / counts[0].all +
							counts[1].cells[part][cell] / counts[1].all) /
						   2;

			printf("%s%d",
				   cell == 0        ? ""
				   : cell % 16 == 0 ? ",\n\t "
									: ", ",
				   (int) floor(8 * log((share + UNSEEN) * CELLS) + 0.5));
		}
		printf("}%s\n", part == 0 ? "," : "");
	}
	printf("};\n");
	return 0;
}
