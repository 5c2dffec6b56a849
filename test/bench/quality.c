/*
 * quality.c
 *		The mated pairs of folders of fingerprints and of CASIA-IrisV1, with their
 *		scores and what the quality of each capture is made of, for quality.py.
 *
 *		quality FOLDER...
 *
 * A folder that ends in ":" is read without the quality of its minutiae.  A line of the
 * output is a pair: set, finger, both impressions, score, and for each capture
 * its quality score, number of minutiae and quantities.  Of an eye these are the quality
 * score, bits that the mask allows, and usable bits.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match/fingerprint/quality.h"
#include "match/iris/iris.h"

/* CASIA-IrisV1: captures are numbered by session and order, with gaps */
#define EYES          108
#define FIRST_CAPTURE 11
#define LAST_CAPTURE  24

#define CODE_BYTES (IRIS_SYNTHETIC_COLUMNS * IRIS_SYNTHETIC_BITS / 8)

static void
print_finger(const FingerprintTemplate *finger)
{
	QualityQuantities quantities;

	fingerprint_quality_quantities(finger, &quantities);
	printf(" %d %d %.9g %.9g %.9g", fingerprint_quality(finger), finger->count, quantities.clear,
		   quantities.mean, quantities.area);
}

static void
print_fingers(const char *folder)
{
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	size_t            length = strlen(folder);
	bool              strip = length > 0 && folder[length - 1] == ':';
	char              path[4096];
	BenchSet          set;

	snprintf(path, sizeof(path), "%.*s", (int) (strip ? length - 1 : length), folder);
	if (!bench_load(&set, path))
	{
		fprintf(stderr, "no records F_I.fmr in %s\n", path);
		exit(2);
	}
	for (int i = 0; strip && i < set.count; i++)
		for (int k = 0; k < set.records[i].finger.count; k++)
			set.records[i].finger.minutiae[k].quality = 0;
	bench_extract(&set);
	for (int i = 0; i < set.count; i++)
	{
		const BenchRecord *a = &set.records[i];

		fingerprint_probe_init(probe, a->features, a->size);
		for (int j = i + 1; j < set.count && set.records[j].identity == a->identity; j++)
		{
			const BenchRecord *b = &set.records[j];

			printf("%s%s %d %d %d %.9g", set.name, strip ? ":" : "", a->identity, a->impression,
				   b->impression,
				   fingerprint_score(fingerprint_distance(probe, b->features, b->size)));
			print_finger(&a->finger);
			print_finger(&b->finger);
			printf("\n");
		}
	}
	bench_free(&set);
	free(probe);
}

/* An eye's capture of CASIA-IrisV1, in bytes: code, then mask */
static bool
read_eye(int eye, int capture, IrisTemplate *iris, uint8_t *bytes)
{
	char  path[4096];
	FILE *file;
	bool  read;

	snprintf(path, sizeof(path), "%s/iris/casia1/%03d_%02d.bin", bench_data(), eye, capture);
	file = fopen(path, "rb");
	if (file == NULL)
		return false;
	read = fread(bytes, 1, (size_t) 2 * CODE_BYTES, file) == (size_t) 2 * CODE_BYTES;
	fclose(file);
	iris->columns = IRIS_SYNTHETIC_COLUMNS;
	iris->bits = IRIS_SYNTHETIC_BITS;
	iris->eye = IRIS_EYE_UNKNOWN;
	iris->code = bytes;
	iris->mask = bytes + CODE_BYTES;
	return read;
}

static void
print_eye(const IrisTemplate *iris)
{
	IrisAssessment assessment;

	iris_assess(iris, &assessment);
	printf(" %d %u %u", iris_quality(iris), assessment.mask_bits, assessment.usable_bits);
}

static void
print_eyes(void)
{
	static uint8_t features[IRIS_FEATURES_MAX_SIZE];
	uint8_t        bytes[2][2 * CODE_BYTES];
	IrisTemplate   iris[2];

	for (int eye = 1; eye <= EYES; eye++)
	{
		for (int a = FIRST_CAPTURE; a <= LAST_CAPTURE; a++)
		{
			IrisProbe *probe;

			if (!read_eye(eye, a, &iris[0], bytes[0]))
				continue;
			iris_extract(&iris[0], features);
			probe = bench_allocate(iris_probe_size(features));
			iris_probe_init(probe, features);
			for (int b = a + 1; b <= LAST_CAPTURE; b++)
			{
				if (!read_eye(eye, b, &iris[1], bytes[1]))
					continue;
				iris_extract(&iris[1], features);
				printf("casia1 %d %d %d %.9g", eye, a, b,
					   iris_score(iris_distance(probe, features)));
				print_eye(&iris[0]);
				print_eye(&iris[1]);
				printf("\n");
			}
			free(probe);
		}
	}
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		print_fingers(argv[i]);
	print_eyes();
	return 0;
}
