/*
 * evidence.c
 *		What comparisons find, for training: every pair within folders of records,
 *		and between folders of the same fingers.
 *
 *		evidence OUTPUT FOLDER[+FOLDER]...
 *
 * A folder holds records named F_I.fmr: impression I of finger F.  FOLDER+FOLDER
 * are two sensors, or two extractors, that saw the same fingers: pairs of one
 * impression, which may be the same picture, are left out.  A folder that ends
 * in ":" is read without the quality of its minutiae.
 *
 * The output is rows of float32 in the machine's byte order: number of the
 * argument from 0, finger and impression of both, 1 for mated, the number of
 * pairs, and the quantities of the whole comparison and of the stages before it
 * (weigh.c).
 */
#include "../bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/internal.h"

#define HEAD 7

static FILE *output;

static void
read_folder(BenchSet *set, const char *folder)
{
	char   path[4096];
	size_t length = strlen(folder);
	bool   strip = length > 0 && folder[length - 1] == ':';

	snprintf(path, sizeof(path), "%.*s", (int) (strip ? length - 1 : length), folder);
	if (!bench_load(set, path))
	{
		fprintf(stderr, "no records F_I.fmr in %s\n", path);
		exit(2);
	}
	for (int i = 0; strip && i < set->count; i++)
		for (int k = 0; k < set->records[i].finger.count; k++)
			set->records[i].finger.minutiae[k].quality = 0;
	bench_extract(set);
}

static void
write_pair(FingerprintProbe *probe, int argument, const BenchRecord *a, const BenchRecord *b)
{
	double evidence[FINGERPRINT_EVIDENCE];
	double quantities[FINGERPRINT_QUANTITIES];
	double early[FINGERPRINT_ALIGNMENT_QUANTITIES];
	float  row[HEAD + FINGERPRINT_QUANTITIES + FINGERPRINT_ALIGNMENT_QUANTITIES];

	if (a->finger.count == 0 || b->finger.count == 0)
		return;
	fingerprint_evidence(probe, b->features, b->size, evidence);
	fingerprint_quantities(evidence, quantities);
	fingerprint_stage_quantities(FINGERPRINT_STAGE_ALIGNMENT, evidence, early);
	row[0] = (float) argument;
	row[1] = (float) a->identity;
	row[2] = (float) a->impression;
	row[3] = (float) b->identity;
	row[4] = (float) b->impression;
	row[5] = a->identity == b->identity;
	row[6] = (float) evidence[EVIDENCE_PAIRS];
	for (int k = 0; k < FINGERPRINT_QUANTITIES; k++)
		row[HEAD + k] = (float) quantities[k];
	for (int k = 0; k < FINGERPRINT_ALIGNMENT_QUANTITIES; k++)
		row[HEAD + FINGERPRINT_QUANTITIES + k] = (float) early[k];
	if (fwrite(row, sizeof(row), 1, output) != 1)
	{
		perror("evidence");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());

	if (argc < 3 || (output = fopen(argv[1], "wb")) == NULL)
	{
		fprintf(stderr, "usage: evidence OUTPUT FOLDER[+FOLDER]...\n");
		return 2;
	}
	for (int k = 2; k < argc; k++)
	{
		char    *second = strchr(argv[k], '+');
		BenchSet sets[2];

		if (second != NULL)
		{
			*second = '\0';
			read_folder(&sets[1], second + 1);
		}
		read_folder(&sets[0], argv[k]);
		for (int i = 0; i < sets[0].count; i++)
		{
			const BenchSet *others = &sets[second != NULL];

			fingerprint_probe_init(probe, sets[0].records[i].features, sets[0].records[i].size);
			for (int j = second != NULL ? 0 : i + 1; j < others->count; j++)
				if (second == NULL ||
					sets[0].records[i].impression != others->records[j].impression)
					write_pair(probe, k - 2, &sets[0].records[i], &others->records[j]);
		}
		bench_free(&sets[0]);
		if (second != NULL)
			bench_free(&sets[1]);
	}
	free(probe);
	if (fclose(output) != 0)
	{
		perror(argv[1]);
		return 2;
	}
	return 0;
}
