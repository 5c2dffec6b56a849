/*
 * extract.c
 *		What the extractor makes of pictures: error rates, time, resolutions,
 *		compression, quality.
 *
 *		extract [--write DIRECTORY] [--quick] [SET...]
 *
 * A set is a folder of data/images of the evaluation data, with pictures
 * F_I.png; without one the program takes FVC2002.  --write keeps the records as
 * DIRECTORY/SET/F_I.fmr, for "accuracy" and for training.  --quick leaves out
 * resolutions, compression and quality.
 *
 * Rates are of all pairs of impressions within a set, as in accuracy.c.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>

#include "extract/extract.h"
#include "image/image.h"
#include "record/minutiae_record.h"

#define MAX_SETS 16
#define FEW      8 /* a template with fewer minutiae is a failure, where mindtct found MANY */
#define MANY     20

typedef struct Picture
{
	int      identity;
	int      impression;
	int      width;
	int      height;
	double   dpi;
	uint8_t *pixels;
} Picture;

typedef struct PictureSet
{
	char     name[64];
	int      count;
	Picture *pictures;
} PictureSet;

typedef struct Pair
{
	double distance;
	int    quality; /* the lesser of the two pictures' */
	bool   mated;
} Pair;

static int
compare_pictures(const void *left, const void *right)
{
	const Picture *a = left, *b = right;

	return a->identity != b->identity ? a->identity - b->identity : a->impression - b->impression;
}

static bool
read_picture(const char *path, Picture *picture)
{
	FILE          *file = fopen(path, "rb");
	static uint8_t bytes[16 << 20];
	size_t         size;
	Image          image;
	ImageError     error;

	if (file == NULL)
		return false;
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (!image_decode(bytes, size, 0, &image_default_limits, &image, &error))
	{
		fprintf(stderr, "%s: %s\n", path, error.reason);
		return false;
	}
	picture->width = (int) image.info.width;
	picture->height = (int) image.info.height;
	picture->dpi = image.info.dpi_x > 0 ? image.info.dpi_x : 500;
	picture->pixels = image.pixels;
	return true;
}

static bool
read_pictures(PictureSet *set, const char *name)
{
	char           directory[2048];
	DIR           *dir;
	struct dirent *entry;

	memset(set, 0, sizeof(*set));
	snprintf(set->name, sizeof(set->name), "%s", name);
	snprintf(directory, sizeof(directory), "%s/images/%s", bench_data(), name);
	dir = opendir(directory);
	if (dir == NULL)
		return false;
	set->pictures = bench_allocate(2000 * sizeof(Picture));
	while ((entry = readdir(dir)) != NULL && set->count < 2000)
	{
		char     path[4096];
		Picture *p = &set->pictures[set->count];

		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (sscanf(entry->d_name, "%d_%d.png", &p->identity, &p->impression) == 2 &&
			read_picture(path, p))
			set->count++;
	}
	closedir(dir);
	qsort(set->pictures, set->count, sizeof(Picture), compare_pictures);
	return set->count > 0;
}

/* another resolution: means over the area of a target pixel, or linear between pixels */
static uint8_t *
resample(const Picture *p, double dpi, int *width, int *height)
{
	double   ratio = p->dpi / dpi, reach = ratio > 1 ? ratio : 1;
	uint8_t *result;

	*width = (int) (p->width / ratio + 0.5);
	*height = (int) (p->height / ratio + 0.5);
	result = bench_allocate((size_t) *width * *height);
	for (int y = 0; y < *height; y++)
		for (int x = 0; x < *width; x++)
		{
			double u = (x + 0.5) * ratio - 0.5, v = (y + 0.5) * ratio - 0.5, sum = 0, weights = 0;

			for (int j = (int) ceil(v - reach); j <= v + reach; j++)
				for (int i = (int) ceil(u - reach); i <= u + reach; i++)
				{
					double weight = (reach - fabs(i - u)) * (reach - fabs(j - v));

					if (i < 0 || j < 0 || i >= p->width || j >= p->height)
						continue;
					sum += weight * p->pixels[(size_t) j * p->width + i];
					weights += weight;
				}
			result[(size_t) y * *width + x] = weights > 0 ? (uint8_t) (sum / weights + 0.5) : 255;
		}
	return result;
}

/* to a JPEG file of a quality and back */
static uint8_t *
through_jpeg(const Picture *p, int quality, size_t *bytes)
{
	struct jpeg_compress_struct out;
	struct jpeg_error_mgr       errors;
	unsigned char              *file = NULL;
	unsigned long               size = 0;
	Image                       image;
	ImageError                  error;

	out.err = jpeg_std_error(&errors);
	jpeg_create_compress(&out);
	jpeg_mem_dest(&out, &file, &size);
	out.image_width = p->width;
	out.image_height = p->height;
	out.input_components = 1;
	out.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&out);
	jpeg_set_quality(&out, quality, TRUE);
	jpeg_start_compress(&out, TRUE);
	while (out.next_scanline < out.image_height)
	{
		JSAMPROW row = p->pixels + (size_t) out.next_scanline * p->width;

		jpeg_write_scanlines(&out, &row, 1);
	}
	jpeg_finish_compress(&out);
	jpeg_destroy_compress(&out);
	*bytes += size;
	if (!image_decode(file, size, 0, &image_default_limits, &image, &error))
	{
		fprintf(stderr, "%s\n", error.reason);
		exit(2);
	}
	free(file);
	return image.pixels;
}

/* Templates of a set's pictures, at another resolution unless dpi is 0, after JPEG unless 0 */
static void
extract_set(const PictureSet *pictures, double dpi, int jpeg, BenchSet *set, BenchValues *times,
			size_t *bytes)
{
	memset(set, 0, sizeof(*set));
	snprintf(set->name, sizeof(set->name), "%s", pictures->name);
	set->records = bench_allocate(pictures->count * sizeof(BenchRecord));
	for (int i = 0; i < pictures->count; i++)
	{
		const Picture *p = &pictures->pictures[i];
		BenchRecord   *record = &set->records[set->count++];
		ExtractImage   image = {p->pixels, p->width, p->height, p->dpi};
		uint8_t       *changed = NULL;
		void          *memory;
		double         start;

		if (dpi > 0)
		{
			changed = resample(p, dpi, &image.width, &image.height);
			image.dpi = dpi;
		}
		else if (jpeg > 0)
			changed = through_jpeg(p, jpeg, bytes);
		if (changed)
			image.pixels = changed;
		record->identity = p->identity;
		record->impression = p->impression;
		memory = bench_allocate(extract_memory_size(image.width, image.height, image.dpi));
		start = bench_seconds();
		if (extract_minutiae(&image, memory, NULL, NULL, NULL, &record->finger) != EXTRACT_OK)
			fprintf(stderr, "%s/%d_%d: refused\n", pictures->name, p->identity, p->impression);
		if (times)
			bench_add(times, bench_seconds() - start);
		free(memory);
		free(changed);
	}
	bench_extract(set);
}

static int
compare_pairs(const void *left, const void *right)
{
	const Pair *a = left, *b = right;

	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	return a->mated - b->mated;
}

/* all pairs of two sets of the same captures, or within one set; by distance */
static Pair *
compare_sets(const BenchSet *a, const BenchSet *b, int *count)
{
	FingerprintProbe *probe = bench_allocate(fingerprint_probe_size());
	Pair             *pairs = bench_allocate((size_t) a->count * b->count * sizeof(Pair));

	*count = 0;
	for (int i = 0; i < a->count; i++)
	{
		fingerprint_probe_init(probe, a->records[i].features, a->records[i].size);
		for (int j = a == b ? i + 1 : 0; j < b->count; j++)
		{
			Pair *pair = &pairs[*count];
			int   qa = a->records[i].finger.quality, qb = b->records[j].finger.quality;

			/* not a capture with itself */
			pair->mated = a->records[i].identity == b->records[j].identity;
			if (pair->mated && a->records[i].impression == b->records[j].impression)
				continue;
			pair->distance =
				fingerprint_distance(probe, b->records[j].features, b->records[j].size);
			pair->quality = qa < qb ? qa : qb;
			++*count;
		}
	}
	free(probe);
	qsort(pairs, *count, sizeof(Pair), compare_pairs);
	return pairs;
}

/* least FNMR of a threshold whose FMR is at most fmr; its distance, if wanted */
static double
fnmr(const Pair *pairs, int count, double fmr, double *threshold)
{
	int mated = 0, hits = 0, false_matches = 0;

	for (int i = 0; i < count; i++)
		mated += pairs[i].mated;
	for (int i = 0; i < count; i++)
		if (pairs[i].mated)
			hits++;
		else if (++false_matches > fmr * (count - mated))
		{
			if (threshold)
				*threshold = pairs[i].distance;
			break;
		}
	return mated ? 1 - (double) hits / mated : NAN;
}

static void
write_records(const BenchSet *set, const char *directory)
{
	for (int i = 0; i < set->count; i++)
	{
		uint8_t record[MINUTIAE_RECORD_MAX_SIZE];
		char    path[4096];
		FILE   *file;
		size_t  size = minutiae_record_write(&set->records[i].finger, ISO19794_2_2005, 0, record);

		snprintf(path, sizeof(path), "%s/%s", directory, set->name);
		mkdir(directory, 0777);
		mkdir(path, 0777);
		snprintf(path, sizeof(path), "%s/%s/%d_%d.fmr", directory, set->name,
				 set->records[i].identity, set->records[i].impression);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(record, 1, size, file) != size || fclose(file) != 0)
		{
			perror(path);
			exit(2);
		}
	}
}

/* FNMR at FMR 1e-2 and 1e-3, means over the sets */
static void
mean_rates(const PictureSet *pictures, int sets, double dpi, int jpeg, const char *title)
{
	double rate[2] = {0, 0}, minutiae = 0, quality = 0, pixels = 0;
	size_t bytes = 0;
	int    n = 0;

	for (int s = 0; s < sets; s++)
	{
		BenchSet set;
		int      count;
		Pair    *pairs;

		extract_set(&pictures[s], dpi, jpeg, &set, NULL, &bytes);
		pairs = compare_sets(&set, &set, &count);
		rate[0] += fnmr(pairs, count, 1e-2, NULL) / sets;
		rate[1] += fnmr(pairs, count, 1e-3, NULL) / sets;
		for (int i = 0; i < set.count; i++, n++)
		{
			minutiae += set.records[i].finger.count;
			quality += set.records[i].finger.quality;
			pixels += pictures[s].pictures[i].width * pictures[s].pictures[i].height;
		}
		free(pairs);
		bench_free(&set);
	}
	printf("| %s | %.2f | %.2f | %.1f | %.0f |", title, 100 * rate[0], 100 * rate[1], minutiae / n,
		   quality / n);
	if (jpeg)
		printf(" %.2f bits a pixel", 8 * bytes / pixels);
	printf("\n");
	fflush(stdout);
}

/* WSQ: the pictures of the evaluation data that exist both ways, as the decoder makes them */
static void
report_wsq(void)
{
	static const char *const names[][3] = {
		{"fvc2002_db1_b", "101_1", "fvc2002_db1_b_101_1"},
		{"fvc2002_db3_b", "104_2", "fvc2002_db3_b_104_2"},
		{"neuro_crossmatch", "1203_1", "neuro_crossmatch_1203_1"},
		{"sd4_part", "1001_1", "sd4_part_1001_1"}};

	printf("\n| picture | minutiae | score of the picture at 2.25 bits a pixel with the original | "
		   "at 0.75 |\n|---|---|---|---|\n");
	for (int i = 0; i < 4; i++)
	{
		char                path[4096];
		Picture             picture[3];
		FingerprintTemplate finger[3];
		uint8_t             features[3][FINGERPRINT_FEATURES_MAX_SIZE];
		size_t              size[3];
		FingerprintProbe   *probe = bench_allocate(fingerprint_probe_size());
		bool                read = true;

		for (int k = 0; k < 3; k++)
		{
			if (k == 0)
				snprintf(path, sizeof(path), "%s/images/%s/%s.png", bench_data(), names[i][0],
						 names[i][1]);
			else
				snprintf(path, sizeof(path), "%s/images/wsq/%s_%s.wsq", bench_data(), names[i][2],
						 k == 1 ? "225" : "075");
			read = read && read_picture(path, &picture[k]);
			if (read)
			{
				ExtractImage image = {picture[k].pixels, picture[k].width, picture[k].height,
									  picture[k].dpi};
				void        *memory =
					bench_allocate(extract_memory_size(image.width, image.height, image.dpi));

				extract_minutiae(&image, memory, NULL, NULL, NULL, &finger[k]);
				size[k] = fingerprint_extract(&finger[k], features[k]);
				free(memory);
				free(picture[k].pixels);
			}
		}
		if (read)
		{
			fingerprint_probe_init(probe, features[0], size[0]);
			printf("| %s %s | %d, %d, %d | %.1f | %.1f |\n", names[i][0], names[i][1],
				   finger[0].count, finger[1].count, finger[2].count,
				   fingerprint_score(fingerprint_distance(probe, features[1], size[1])),
				   fingerprint_score(fingerprint_distance(probe, features[2], size[2])));
		}
		free(probe);
	}
}

/* error against discard: FNMR at the threshold of FMR 1e-3 as pairs of low quality are left out */
static void
report_quality(const PictureSet *pictures, int sets)
{
	static const double shares[] = {0, 0.05, 0.1, 0.2, 0.3, 0.5};
	double              rate[6] = {0};

	for (int s = 0; s < sets; s++)
	{
		BenchSet    set;
		BenchValues qualities = {0};
		int         count;
		double      threshold = 0;
		Pair       *pairs;

		extract_set(&pictures[s], 0, 0, &set, NULL, NULL);
		pairs = compare_sets(&set, &set, &count);
		fnmr(pairs, count, 1e-3, &threshold);
		for (int i = 0; i < count; i++)
			if (pairs[i].mated)
				bench_add(&qualities, pairs[i].quality + 1e-6 * i);
		bench_sort(&qualities);
		for (int k = 0; k < 6; k++)
		{
			double least = bench_quantile(&qualities, shares[k]);
			int    kept = 0, missed = 0;

			for (int i = 0; i < count; i++)
				if (pairs[i].mated && pairs[i].quality + 1e-6 * i >= least)
				{
					kept++;
					missed += pairs[i].distance >= threshold;
				}
			rate[k] += (double) missed / kept / sets;
		}
		free(qualities.values);
		free(pairs);
		bench_free(&set);
	}
	printf("\n| mated pairs of least quality left out, %% |");
	for (int k = 0; k < 6; k++)
		printf(" %.0f |", 100 * shares[k]);
	printf("\n|---|---|---|---|---|---|---|\n| FNMR, %% |");
	for (int k = 0; k < 6; k++)
		printf(" %.2f |", 100 * rate[k]);
	printf("\n");
}

int
main(int argc, char **argv)
{
	static PictureSet  pictures[MAX_SETS];
	static const char *fvc[] = {"fvc2002_db1_b", "fvc2002_db2_b", "fvc2002_db3_b", "fvc2002_db4_b"};
	static const double resolutions[] = {250, 300, 350, 400, 500, 700, 1000};
	const char         *directory = NULL;
	bool                quick = false;
	int                 sets = 0;

	if (bench_data() == NULL)
	{
		printf("skipped: there are no evaluation data in ../shared/data or BIOMETRIC_DATA\n");
		return 0;
	}
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--write") == 0 && i + 1 < argc)
			directory = argv[++i];
		else if (strcmp(argv[i], "--quick") == 0)
			quick = true;
		else if (argv[i][0] == '-' || sets == MAX_SETS)
		{
			fprintf(stderr, "usage: extract [--write DIRECTORY] [--quick] [SET...]\n");
			return 2;
		}
		else if (read_pictures(&pictures[sets], argv[i]))
			sets++;
		else
		{
			fprintf(stderr, "no pictures F_I.png in images/%s\n", argv[i]);
			return 2;
		}
	for (int i = 0; sets == i && i < 4; i++)
		if (read_pictures(&pictures[sets], fvc[i]))
			sets++;

	printf("# Minutiae from pictures\n\nPercent; ms of one processor core.\n\n");
	printf("| set | pictures | FNMR at FMR 1e-2 | at 1e-3 | records with mindtct's, 1e-2 | 1e-3 | "
		   "minutiae | quality | ms, median | most | failures |\n"
		   "|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (int s = 0; s < sets; s++)
	{
		BenchSet    set, other;
		BenchValues times = {0};
		char        path[4096];
		int         count, failures = 0;
		double      minutiae = 0, quality = 0;
		Pair       *pairs;
		bool        has_other;

		extract_set(&pictures[s], 0, 0, &set, &times, NULL);
		if (directory)
			write_records(&set, directory);
		snprintf(path, sizeof(path), "%s/fingerprint/%s", bench_data(), set.name);
		has_other = bench_load(&other, path);
		pairs = compare_sets(&set, &set, &count);
		for (int i = 0; i < set.count; i++)
		{
			minutiae += (double) set.records[i].finger.count / set.count;
			quality += (double) set.records[i].finger.quality / set.count;
			for (int j = 0; has_other && j < other.count; j++)
				if (other.records[j].identity == set.records[i].identity &&
					other.records[j].impression == set.records[i].impression)
					failures +=
						set.records[i].finger.count < FEW && other.records[j].finger.count >= MANY;
		}
		printf("| %s | %d | %.2f | %.2f |", set.name, set.count,
			   100 * fnmr(pairs, count, 1e-2, NULL), 100 * fnmr(pairs, count, 1e-3, NULL));
		free(pairs);
		if (has_other)
		{
			bench_extract(&other);
			pairs = compare_sets(&set, &other, &count);
			printf(" %.2f | %.2f |", 100 * fnmr(pairs, count, 1e-2, NULL),
				   100 * fnmr(pairs, count, 1e-3, NULL));
			free(pairs);
			bench_free(&other);
		}
		else
			printf(" – | – |");
		bench_sort(&times);
		printf(" %.1f | %.0f | %.0f | %.0f | %d |\n", minutiae, quality,
			   1000 * bench_quantile(&times, 0.5), 1000 * bench_quantile(&times, 1), failures);
		fflush(stdout);
		bench_free(&set);
		free(times.values);
	}
	if (quick)
		return 0;

	printf(
		"\nMeans of the sets.\n\n| pictures at | FNMR at FMR 1e-2 | at 1e-3 | minutiae | quality "
		"| |\n|---|---|---|---|---|---|\n");
	for (int i = 0; i < 7; i++)
	{
		char title[32];

		snprintf(title, sizeof(title), "%.0f dpi", resolutions[i]);
		mean_rates(pictures, sets, resolutions[i], 0, title);
	}
	mean_rates(pictures, sets, 0, 50, "JPEG, quality 50");
	mean_rates(pictures, sets, 0, 20, "JPEG, quality 20");
	report_wsq();
	report_quality(pictures, sets);
	return 0;
}
