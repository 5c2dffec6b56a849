/*
 * test_records.c
 *		Reading and writing of finger minutiae records.
 *
 * Records are made here byte by byte.  Every truncation and very many mutations
 * of them are read from buffers of exactly their size, so that the address
 * sanitizer sees any read outside.  Published sample records are read too where
 * they are at hand.
 */
#include "match/portable_math.h"
#include "record/minutiae_record.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
make_finger(FingerprintTemplate *finger, int count)
{
	uint64_t state = 7;

	memset(finger, 0, sizeof(*finger));
	finger->width = 388;
	finger->height = 374;
	finger->x_resolution = 224;
	finger->y_resolution = 197;
	finger->device = 0xB5;
	finger->position = 7;
	finger->view = 0;
	finger->quality = 90;
	finger->count = (uint8_t) count;
	for (int i = 0; i < count; i++)
	{
		finger->minutiae[i].x = (uint16_t) (portable_random(&state) % 388);
		finger->minutiae[i].y = (uint16_t) (portable_random(&state) % 374);
		finger->minutiae[i].angle = angle_from_incits378((uint8_t) (portable_random(&state) % 180));
		finger->minutiae[i].type = (uint8_t) (portable_random(&state) % 3);
		finger->minutiae[i].quality = (uint8_t) (portable_random(&state) % 101);
	}
}

/* reads from a buffer of exactly size bytes */
static int
read_exact(const uint8_t *data, size_t size, bool strict, int wanted, FingerprintTemplate *result,
		   RecordError *error)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);
	int      views;

	memcpy(copy, data, size);
	views = minutiae_record_read(copy, size, strict, wanted, result, error);
	free(copy);
	return views;
}

static bool
same(const FingerprintTemplate *a, const FingerprintTemplate *b)
{
	return a->width == b->width && a->height == b->height && a->x_resolution == b->x_resolution &&
		   a->y_resolution == b->y_resolution && a->device == b->device &&
		   a->position == b->position && a->view == b->view && a->impression == b->impression &&
		   a->quality == b->quality && a->count == b->count &&
		   memcmp(a->minutiae, b->minutiae, a->count * sizeof(Minutia)) == 0;
}

static void
test_round_trips(void)
{
	static const int counts[] = {0, 1, 2, 40, 255};

	for (int format = 0; format < MINUTIAE_FORMATS; format++)
	{
		bool sound = true;
		char name[200];

		for (int i = 0; i < 5; i++)
		{
			FingerprintTemplate finger, back;
			uint8_t             record[MINUTIAE_RECORD_MAX_SIZE];
			MinutiaeFormat      found;
			RecordError         error;
			size_t              size;

			make_finger(&finger, counts[i]);
			size = minutiae_record_write(&finger, format, 0x00330001, record);
			sound &= size <= sizeof(record) &&
					 read_exact(record, size, true, 0, &back, &error) == 1 && same(&finger, &back);
			minutiae_record_visit(record, size, true, NULL, NULL, &found, &error);
			sound &= (int) found == format;
		}
		snprintf(name, sizeof(name),
				 "%s: records of 0, 1, 2, 40 and 255 minutiae come back as written",
				 minutiae_format_name(format));
		ok(sound, name);
	}
}

static void
test_angles(void)
{
	bool lossless = true, near = true;

	for (int a = 0; a < 180; a++)
		lossless &= angle_to_incits378(angle_from_incits378((uint8_t) a)) == a;
	for (int a = 0; a < 256; a++)
	{
		double difference = angle_to_incits378((uint8_t) a) * 2.0 - a * 360.0 / 256;

		if (difference < -180)
			difference += 360;
		near &= difference >= -1 && difference <= 1;
	}
	ok(lossless, "directions of 2 degrees survive the way to 1/256 turns and back");
	ok(near, "directions of 1/256 turns change by at most a degree in 2 degree steps");
}

/* error of a record of two minutiae with one byte changed */
static const char *
problem_with(size_t offset, uint8_t value, bool strict)
{
	FingerprintTemplate finger;
	uint8_t             record[MINUTIAE_RECORD_MAX_SIZE];
	RecordError         error = {0, "", ""};
	size_t              size;

	make_finger(&finger, 2);
	size = minutiae_record_write(&finger, ISO19794_2_2005, 0, record);
	record[offset] = value;
	return read_exact(record, size, strict, 0, NULL, &error) < 0 ? error.field : "accepted";
}

static void
test_faults(void)
{
	static const struct
	{
		size_t      offset;
		uint8_t     value;
		const char *lenient;
		const char *strict;
	} faults[] = {
		{0, 'G', "format identifier", "format identifier"},
		{5, '3', "version number", "version number"},
		{11, 43, "accepted", "record length"},
		{14, 0x50, "image width", "image width"},
		{17, 1, "minutia y", "minutia y"},
		{19, 0, "horizontal resolution", "horizontal resolution"},
		{21, 0, "vertical resolution", "vertical resolution"},
		{22, 0, "number of finger views", "number of finger views"},
		{22, 2, "finger view", "finger view"},
		{23, 1, "accepted", "reserved byte of the header"},
		{24, 11, "finger position", "finger position"},
		{25, 0x10, "accepted", "view number"},
		{25, 0x05, "accepted", "impression type"},
		{26, 101, "accepted", "finger quality"},
		{27, 3, "number of minutiae", "number of minutiae"},
		{27, 1, "extended data block length", "extended data block length"},
		{28, 0xC0, "minutia type", "minutia type"},
		{28, 0x7F, "minutia x", "minutia x"},
		{30, 0x3F, "minutia y", "minutia y"},
		{30, 0xC0, "accepted", "reserved bits of a minutia"},
		{33, 200, "accepted", "minutia quality"},
		{41, 9, "extended data block length", "extended data block length"},
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
	{
		const char *lenient = problem_with(faults[i].offset, faults[i].value, false);
		const char *strict = problem_with(faults[i].offset, faults[i].value, true);
		char        name[200];

		snprintf(name, sizeof(name), "byte %zu = %d: %s, strict %s", faults[i].offset,
				 faults[i].value, lenient, strict);
		ok(strcmp(lenient, faults[i].lenient) == 0 && strcmp(strict, faults[i].strict) == 0, name);
	}
}

/* two views with extended data of "extended" bytes after the last; returns the size */
static size_t
two_views(uint8_t *record, int extended, int declared)
{
	FingerprintTemplate finger;
	size_t              size;

	make_finger(&finger, 3);
	size = minutiae_record_write(&finger, ISO19794_2_2005, 0, record);
	record[22] = 2;
	memcpy(record + size, record + 24, size - 24);
	record[size] = 2;
	size += size - 24;
	record[size - 1] = (uint8_t) declared;
	for (int i = 0; i < extended; i++)
		record[size++] = 0;
	if (extended >= 8)
	{
		/* one vendor item of 8 bytes */
		memcpy(record + size - extended,
			   "\x01\x01\x00\x08"
			   "data",
			   8);
	}
	record[10] = (uint8_t) (size >> 8);
	record[11] = (uint8_t) size;
	return size;
}

static void
test_views_and_extended_data(void)
{
	uint8_t             record[400];
	FingerprintTemplate first, second;
	RecordError         error;
	size_t              size = two_views(record, 8, 8);

	ok(read_exact(record, size, true, 0, &first, &error) == 2 && first.position == 7 &&
		   read_exact(record, size, true, 1, &second, &error) == 2 && second.position == 2,
	   "each view of a record is found, extended data is stepped over");
	ok(read_exact(record, size, true, 2, NULL, &error) == 2,
	   "a view beyond the last is not stored");

	size = two_views(record, 8, 9);
	ok(read_exact(record, size, false, 0, NULL, &error) == 2 &&
		   read_exact(record, size, true, 0, NULL, &error) < 0,
	   "extended data ending a byte past the end is let pass unless strict");
	size = two_views(record, 8, 6);
	ok(read_exact(record, size, false, 0, NULL, &error) == 2 &&
		   read_exact(record, size, true, 0, NULL, &error) < 0,
	   "extended data ending two bytes before the end is let pass unless strict");
	size = two_views(record, 8, 13);
	ok(read_exact(record, size, false, 0, NULL, &error) < 0,
	   "extended data ending far past the end is an error");
	size = two_views(record, 6, 6);
	ok(read_exact(record, size, false, 0, NULL, &error) == 2 &&
		   read_exact(record, size, true, 0, NULL, &error) < 0,
	   "items that do not fit together matter to strict only");

	size = two_views(record, 8, 8);
	record[size] = 0;
	ok(read_exact(record, size + 1, false, 0, NULL, &error) == 2 &&
		   read_exact(record, size + 1, true, 0, NULL, &error) < 0 &&
		   strcmp(error.field, "record length") == 0,
	   "a zero after the record is let pass unless strict");
	record[size] = 1;
	ok(read_exact(record, size + 1, false, 0, NULL, &error) < 0,
	   "another byte after the record is an error");
	record[11] = 0;
	ok(read_exact(record, size, false, 1, &second, &error) == 2 && second.position == 2 &&
		   read_exact(record, size, true, 1, NULL, &error) < 0,
	   "a wrong record length is let pass unless strict");
}

static void
test_truncations(void)
{
	uint8_t     record[400];
	size_t      size = two_views(record, 8, 8);
	RecordError error;
	int         accepted = 0;

	for (size_t length = 0; length < size; length++)
		accepted += read_exact(record, length, false, 0, NULL, &error) >= 0;
	ok(accepted == 0, "every truncation is an error");
}

/* whatever is read from a mutated record is a valid template, and is written and read again */
static void
test_mutations(void)
{
	uint64_t state = 42;
	bool     sound = true;
	int      accepted = 0;

	for (int round = 0; round < 200000; round++)
	{
		uint8_t             record[400];
		uint8_t             again[MINUTIAE_RECORD_MAX_SIZE];
		size_t              size = two_views(record, 8, 8);
		int                 changes = 1 + (int) (portable_random(&state) % 4);
		FingerprintTemplate finger, back;
		RecordError         error;
		int                 views;

		if (round % 2)
		{
			FingerprintTemplate one;

			make_finger(&one, 20);
			size = minutiae_record_write(&one, portable_random(&state) % MINUTIAE_FORMATS, 1 << 16,
										 record);
		}
		while (changes-- > 0)
			record[portable_random(&state) % size] = (uint8_t) portable_random(&state);
		if (portable_random(&state) % 8 == 0)
			size = portable_random(&state) % (size + 1);
		views = read_exact(record, size, portable_random(&state) & 1, 0, &finger, &error);
		if (views < 0)
		{
			sound &= error.field != NULL && error.problem != NULL && error.offset <= size;
			continue;
		}
		accepted++;
		for (int i = 0; i < finger.count; i++)
			sound &= finger.minutiae[i].x < finger.width && finger.minutiae[i].y < finger.height &&
					 finger.minutiae[i].type <= 2 && finger.minutiae[i].quality <= 100;
		sound &= finger.position <= 10 && finger.quality <= 100 && finger.x_resolution > 0 &&
				 finger.y_resolution > 0;
		size = minutiae_record_write(&finger, ISO19794_2_2005, 0, again);
		sound &=
			minutiae_record_read(again, size, false, 0, &back, &error) == 1 && same(&finger, &back);
	}
	ok(sound && accepted > 1000, "mutated records are refused or give valid templates");
}

/* a sample record, seen from the root of the repository or from the folder of this test */
static FILE *
open_sample(const char *name)
{
	const char *folders[] = {getenv("BIOMETRIC_DATA"), "../shared/data", "../../../shared/data"};
	FILE       *file = NULL;

	for (int i = 0; i < 3 && file == NULL; i++)
	{
		char path[1024];

		if (folders[i] == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/records/%s", folders[i], name);
		file = fopen(path, "rb");
	}
	return file;
}

/* published sample records; name, views, minutiae in all views, verdicts */
static void
test_samples(void)
{
	static const struct
	{
		const char *name;
		int         views;
		int         minutiae;
		bool        strict;
	} samples[] = {
		{"nist-biomdi/ansi378-2004_AppendixB2.fmr", 2, 49, true},
		{"nist-biomdi/iso19794-2-2005_AppendixC2.fmr", 2, 49, false},
		{"nist-libbiomeval/fmr.ansi2004", 3, 77, false},
		{"nist-libbiomeval/fmr.iso2005", 2, 49, false},
		{"fingerprintio/iso19794p2v2005-sample.dat", 2, 49, true},
		{"fingerprintio/ansi378v2004-sample.dat", -1, 0, false},
		{"fingerprintio/iso19794p2v2011-sample.dat", 2, 49, true},
		{"fingerprintio/ansi378v2009-sample.dat", 2, 49, false},
		{"fingerprintio/ansi378v2009am1-sample.dat", 2, 49, true},
		{"nist-libbiomeval/fmr.ansi2007", 2, 49, true},
		{"nist-libbiomeval/iris01.iso2011", -1, 0, false},
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		static uint8_t      data[1 << 20];
		FILE               *file = open_sample(samples[i].name);
		size_t              size;
		FingerprintTemplate finger;
		RecordError         error = {0, "", ""};
		int                 views, minutiae = 0;

		if (file == NULL)
		{
			printf("ok %d # SKIP no sample %s\n", ++tests, samples[i].name);
			continue;
		}
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		views = read_exact(data, size, false, 0, &finger, &error);
		for (int v = 0; v < views; v++)
		{
			read_exact(data, size, false, v, &finger, &error);
			minutiae += finger.count;
		}
		if (views != samples[i].views)
			printf("# %d views; %s at %zu %s\n", views, error.field, error.offset, error.problem);
		ok(views == samples[i].views && minutiae == samples[i].minutiae &&
			   (read_exact(data, size, true, 0, NULL, &error) >= 0) == samples[i].strict,
		   samples[i].name);
	}
}

int
main(void)
{
	test_round_trips();
	test_angles();
	test_faults();
	test_views_and_extended_data();
	test_truncations();
	test_mutations();
	test_samples();
	printf("1..%d\n", tests);
	return failures > 0;
}
