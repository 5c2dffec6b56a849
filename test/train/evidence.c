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
 * in ":" is read without the quality of its minutiae.  Of one that ends in "@W"
 * a window is read, W pixels wide, as a small or a flat capture shows; of its
 * non-mated pairs one in CUT_STEP is compared.
 *
 * The output is rows of float32 in the machine's byte order: number of the
 * argument from 0, finger and impression of both, 1 for mated, the number of
 * pairs, the quantities of the whole comparison and of the stages before it
 * (weigh.c), and the evidence of words and of descriptors (caps.h).
 */
#include "../bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/caps.h"
#include "match/fingerprint/internal.h"

#define HEAD     7
#define CUT_STEP 8

static FILE *output;

/*
 * Leaves the minutiae in a window of width times 5/4 of it, around their middle or
 * up to a fifth of the width beside it
 */
static void
cut(BenchRecord *record, int width)
{
	FingerprintTemplate *finger = &record->finger;
	uint32_t             place = (uint32_t) (record->identity * 8 + record->impression);
	int                  x = 0, y = 0, kept = 0;

	for (int k = 0; k < finger->count; k++)
	{
		x += finger->minutiae[k].x;
		y += finger->minutiae[k].y;
	}
	place = (place * UINT32_C(2654435761)) >> 16;
	if (finger->count > 0)
	{
		x = x / finger->count + ((int) (place % 41) - 20) * width / 100;
		y = y / finger->count + ((int) (place / 41 % 41) - 20) * width / 100;
	}
	for (int k = 0; k < finger->count; k++)
		if (2 * abs(finger->minutiae[k].x - x) <= width &&
			8 * abs(finger->minutiae[k].y - y) <= 5 * width)
			finger->minutiae[kept++] = finger->minutiae[k];
	finger->count = (uint8_t) kept;
}

/* Returns the width of the window; 0 if the folder is read whole */
static int
read_folder(BenchSet *set, const char *folder)
{
	char   path[4096];
	size_t length = strcspn(folder, "@");
	int    width = folder[length] == '@' ? atoi(folder + length + 1) : 0;
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
	for (int i = 0; width > 0 && i < set->count; i++)
		cut(&set->records[i], width);
	bench_extract(set);
	return width;
}

static void
write_pair(FingerprintProbe *probe, FingerprintCapProbe *caps, int argument, const BenchRecord *a,
		   const BenchRecord *b)
{
	double evidence[FINGERPRINT_EVIDENCE];
	double quantities[FINGERPRINT_QUANTITIES];
	double early[FINGERPRINT_ALIGNMENT_QUANTITIES];
	float  row[HEAD + FINGERPRINT_QUANTITIES + FINGERPRINT_ALIGNMENT_QUANTITIES + 2];
	float *cheap = row + HEAD + FINGERPRINT_QUANTITIES + FINGERPRINT_ALIGNMENT_QUANTITIES;

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
	cheap[0] = (float) fingerprint_word_evidence(caps, b->features);
	cheap[1] = (float) fingerprint_descriptor_evidence(probe, b->features);
	if (fwrite(row, sizeof(row), 1, output) != 1)
	{
		perror("evidence");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	FingerprintProbe          *probe = bench_allocate(fingerprint_probe_size());
	static FingerprintCapProbe caps;

	if (argc < 3 || (output = fopen(argv[1], "wb")) == NULL)
	{
		fprintf(stderr, "usage: evidence OUTPUT FOLDER[+FOLDER]...\n");
		return 2;
	}
	for (int k = 2; k < argc; k++)
	{
		char    *second = strchr(argv[k], '+');
		BenchSet sets[2];
		int      width = 0;

		if (second != NULL)
		{
			*second = '\0';
			width = read_folder(&sets[1], second + 1);
		}
		(void) read_folder(&sets[0], argv[k]);
		for (int i = 0; i < sets[0].count; i++)
		{
			const BenchSet *others = &sets[second != NULL];

			const BenchRecord *a = &sets[0].records[i];

			fingerprint_probe_init(probe, a->features, a->size);
			fingerprint_cap_probe_init(&caps, a->features);
			for (int j = second != NULL ? 0 : i + 1; j < others->count; j++)
			{
				const BenchRecord *b = &others->records[j];

				if ((second != NULL && a->impression == b->impression) ||
					(width > 0 && a->identity != b->identity && (i + j) % CUT_STEP != 0))
					continue;
				write_pair(probe, &caps, k - 2, a, b);
			}
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
