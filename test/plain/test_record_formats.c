/*
 * test_record_formats.c
 *		Reading and writing of records of all formats but the one that
 *		test_records.c looks at byte by byte.
 *
 * Seeds of each format are made here from made-up fingers; with a folder as
 * argument they are written there, as the corpus of the fuzz targets.  They and
 * the corpus are mutated and go through the checks of the fuzz targets, a fixed
 * number of times.
 */
#include <dirent.h>
#include <stdio.h>

#include "../fuzz/record_checks.h"
#include "match/portable_math.h"
#include "record/cbeff.h"
#include "record/tagged.h"
#include "tap.h"

/* ---- seeds ---------------------------------------------------------------- */

#define MAX_SEED  16384
#define MAX_SEEDS 32

typedef struct Seed
{
	char    name[32];
	size_t  size;
	uint8_t data[MAX_SEED];
} Seed;

static Seed seeds[MAX_SEEDS];
static int  seed_count;

static void
add_seed(const char *name, const void *data, size_t size)
{
	Seed *seed = &seeds[seed_count++];

	snprintf(seed->name, sizeof(seed->name), "%s", name);
	memcpy(seed->data, data, size);
	seed->size = size;
}

/* a record of text: its length, which counts its own digits, and its fields */
static size_t
write_text_record(char *record, int type, const char *fields)
{
	int length = 0;

	for (int digits = 1; digits < 6 && length == 0; digits++)
	{
		int n = snprintf(record, 32, "%d.001:", type) + digits + (int) strlen(fields);
		int written = snprintf(record, MAX_SEED, "%d.001:%d%s", type, n, fields);

		length = written == n ? n : 0;
	}
	return (size_t) length;
}

/* a transaction of a header, a Type-9 record in each form and a picture of Type-13 */
static size_t
make_an2k(const FingerprintTemplate *finger, uint8_t *file)
{
	size_t size = write_text_record((char *) file, 1,
									"\x1D"
									"1.002:0500\x1D"
									"1.003:1\x1F"
									"5\x1E"
									"9\x1F"
									"01\x1E"
									"9\x1F"
									"02\x1E"
									"9\x1F"
									"03\x1E"
									"9\x1F"
									"04\x1E"
									"13\x1F"
									"01\x1D"
									"1.004:LFFS\x1D"
									"1.011:19.69\x1C");

	for (int form = TYPE9_STANDARD; form < TYPE9_FORMS; form++)
		size += type9_write(finger, form, form, (char *) file + size);
	size += write_text_record((char *) file + size, 13,
							  "\x1D"
							  "13.002:01\x1D"
							  "13.003:4\x1D"
							  "13.006:400\x1D"
							  "13.007:500\x1D"
							  "13.008:2\x1D"
							  "13.009:197\x1D"
							  "13.010:197\x1D"
							  "13.011:NONE\x1D"
							  "13.013:2\x1D"
							  "13.999:ab\x1D\x1C"
							  "cd\x1C");
	return size;
}

static size_t
make_piv(const FingerprintTemplate *finger, uint8_t *record)
{
	size_t size = minutiae_record_write(finger, INCITS378_2004, 0x10001, record + 88);

	memset(record, 0, 88);
	record[0] = 3;
	put32(record + 2, (uint32_t) size);
	put16(record + 8, 0x1B);
	put16(record + 10, 0x0201);
	record[38] = 8;
	return size + 88;
}

static void
make_seeds(void)
{
	FingerprintTemplate finger;
	uint8_t             data[MAX_SEED];
	char                text[XYT_MAX_SIZE];
	size_t              size;

	fingerprint_synthesize(&finger, 42, 0, 2);
	finger.count = 12;
	for (int format = 0; format < MINUTIAE_FORMATS; format++)
	{
		char name[32];

		snprintf(name, sizeof(name), "minutiae_%d", format);
		add_seed(name, data, minutiae_record_write(&finger, format, 0x10001, data));
	}
	size = minutiae_record_write(&finger, INCITS378_2009, 0x10001, data);
	add_seed("base64", text, (size_t) (base64_write(data, size, text) - text));
	add_seed("an2k", data, make_an2k(&finger, data));
	add_seed("piv", data, make_piv(&finger, data));
	for (int format = CARD_NORMAL; format <= CARD_COMPACT; format++)
	{
		card_write(&finger, format, data, &size);
		add_seed(format == CARD_NORMAL ? "card_normal" : "card_compact", data, size);
	}
	add_seed("card_object", "\x7F\x2E\x0C\x81\x0A\x40\x64\x00\x64\x40\x80\x96\x01\x2C\x80", 15);
	add_seed("xyt_nist", text, xyt_write(&finger, XYT_NIST, text));
	add_seed("xyt_m1", text, xyt_write(&finger, XYT_M1, text));
	add_seed("hex", "464d52002030 3230", 17);
	add_seed("iris_text", "8x2:left:AAE=:/wA=", 18);
	add_seed("iris_binary", "\1\2\0\x08\0\2\0\1\xFF\0", 10);
	/* 4 rows, 16 columns, 2 wavelets: 32 bytes of code, 32 of mask */
	memset(text, 'A', 88);
	memset(text + 44, '/', 43);
	text[43] = text[87] = '=';
	text[86] = '8';
	add_seed("open_iris", text, 88);
}

static bool
write_seeds(const char *folder)
{
	for (int i = 0; i < seed_count; i++)
	{
		char  path[512];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, seeds[i].name);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(seeds[i].data, 1, seeds[i].size, file) != seeds[i].size ||
			fclose(file) != 0)
			return false;
	}
	return true;
}

/* ---- what the readers must stand ------------------------------------------ */

typedef int (*Check)(const uint8_t *data, size_t size);

static const Check checks[] = {
	check_fingerprint_record, check_an2k, check_card, check_xyt, check_text, check_iris};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static void
test_corpus(void)
{
	const char    *path = "../fuzz/corpus/records";
	DIR           *folder = opendir(path);
	struct dirent *entry;
	int            files = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
	{
		static uint8_t data[1 << 20];
		char           name[512];
		FILE          *file;
		size_t         size;

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = entry->d_name[0] != '.' ? fopen(name, "rb") : NULL;
		if (file == NULL)
			continue;
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		for (size_t i = 0; i < CHECKS; i++)
			checks[i](data, size);
		files++;
	}
	if (folder != NULL)
		closedir(folder);
	printf("# %d files\n", files);
	ok(files > 0, "the corpus of the fuzzers does no harm");
}

static void
test_mutations(void)
{
	uint64_t state = 7;
	int      accepted[CHECKS] = {0};
	bool     all = true;

	for (int round = 0; round < 2500; round++)
	{
		const Seed    *seed = &seeds[portable_random(&state) % (uint64_t) seed_count];
		static uint8_t data[MAX_SEED];
		size_t         size = seed->size;

		memcpy(data, seed->data, size);
		for (int changes = (int) (portable_random(&state) % 4); changes > 0; changes--)
		{
			uint8_t *byte = &data[portable_random(&state) % size];

			/* a digit becomes another, so that text stays text */
			if (*byte >= '0' && *byte <= '9' && portable_random(&state) % 4 != 0)
				*byte = (uint8_t) ('0' + portable_random(&state) % 10);
			else
				*byte = (uint8_t) portable_random(&state);
		}
		if (portable_random(&state) % 8 == 0)
			size = portable_random(&state) % (size + 1);
		for (size_t i = 0; i < CHECKS; i++)
			accepted[i] += checks[i](data, size) > 0;
	}
	for (size_t i = 0; i < CHECKS; i++)
		all &= accepted[i] > 100;
	ok(all, "mutated records of all formats are refused or give valid templates");
}

static void
test_truncations(void)
{
	for (int s = 0; s < seed_count; s++)
	{
		for (size_t size = 0; size < seeds[s].size; size += 1 + seeds[s].size / 100)
		{
			for (size_t i = 0; i < CHECKS; i++)
				checks[i](seeds[s].data, size);
		}
	}
	ok(true, "truncated records of all formats do no harm");
}

/* ---- values --------------------------------------------------------------- */

static void
test_text_encoding(void)
{
	static const struct
	{
		const char  *text;
		TextEncoding encoding;
		const char  *bytes; /* NULL: not decoded */
	} cases[] = {
		{"464d52", TEXT_HEX, "FMR"},
		{" 46 4D\n52 ", TEXT_HEX, "FMR"},
		{"464d5", TEXT_NOT_ENCODED, NULL},
		{"Rk1S", TEXT_BASE64, "FMR"},
		{"Rk\r\n1S\n", TEXT_BASE64, "FMR"},
		{"Rk1SAA==", TEXT_BASE64, "FMR"},
		{"Rk1SAA", TEXT_BASE64, "FMR"},
		{"Rk1SAB", TEXT_BASE64, NULL},
		{"Rk1SAA=", TEXT_NOT_ENCODED, NULL},
		{"Pz8_Pj4-", TEXT_BASE64, "\?\?\?>>>"},
		{"Pz8/Pj4+", TEXT_BASE64, "\?\?\?>>>"},
		{"Rk1S!", TEXT_NOT_ENCODED, NULL},
		{"", TEXT_NOT_ENCODED, NULL},
	};
	bool right = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char  *text = cases[i].text;
		TextEncoding encoding = text_encoding(text, strlen(text));
		uint8_t      bytes[64];
		size_t       size;
		bool         decoded =
			encoding != TEXT_NOT_ENCODED && text_decode(encoding, text, strlen(text), bytes, &size);

		if (encoding != cases[i].encoding || decoded != (cases[i].bytes != NULL) ||
			(decoded && memcmp(bytes, cases[i].bytes, strlen(cases[i].bytes)) != 0))
		{
			printf("# \"%s\": encoding %d, decoded %d\n", text, encoding, decoded);
			right = false;
		}
	}
	ok(right, "hexadecimal digits and base64 are told apart and decoded");
}

static void
test_tagged(void)
{
	/* 7F2E 05 { 81 03 "abc" }, and lengths of two bytes */
	static const uint8_t object[] = {0x7F, 0x2E, 0x82, 0x00, 0x05, 0x81, 0x03, 'a', 'b', 'c'};
	Tagged               outer, inner;

	ok(tagged_find(object, sizeof(object), 0x7F2E, &outer) && outer.size == 5 &&
		   tagged_find(outer.data, outer.size, 0x81, &inner) && inner.size == 3 &&
		   inner.data[0] == 'a' && !tagged_find(object, sizeof(object) - 1, 0x7F2E, &outer) &&
		   !tagged_find(object, sizeof(object), 0x81, &outer),
	   "objects in tags and lengths are found");
}

static bool
take_first(const RecordView *view, void *context)
{
	if (view->finger != NULL && view->number == 1)
		*(FingerprintTemplate *) context = *view->finger;
	return true;
}

static bool
take_third(const RecordView *view, void *context)
{
	if (view->finger != NULL && view->number == TYPE9_M1)
		*(FingerprintTemplate *) context = *view->finger;
	return true;
}

static void
test_containers(void)
{
	FingerprintTemplate finger, found;
	uint8_t             data[MAX_SEED];
	RecordSource        source;
	RecordError         error;
	CbeffBlock          block;
	size_t              size;

	fingerprint_synthesize(&finger, 42, 0, 2);
	for (int i = 0; i < finger.count; i++)
		finger.minutiae[i].angle =
			angle_from_incits378(angle_to_incits378(finger.minutiae[i].angle));
	size = make_piv(&finger, data);
	ok(cbeff_read(data, size, &block, &error) && block.format_owner == 0x1B &&
		   block.format_type == 0x0201 && block.type == 8 && block.size == size - 88,
	   "the block in a CBEFF record of PIV is found");
	ok(fingerprint_record_visit(data, size, true, take_first, &found, &source, &error) == 1 &&
		   source.kind == RECORD_CBEFF && source.format == INCITS378_2004 &&
		   same_minutiae(&finger, &found),
	   "and the fingerprint in it");
	data[88 + 26 + 4] |= 0xC0;
	ok(fingerprint_record_visit(data, size, true, NULL, NULL, &source, &error) == 1,
	   "the record is read in spite of a damaged view");
	size = make_an2k(&finger, data);
	ok(fingerprint_record_visit(data, size, true, take_third, &found, &source, &error) == 4 &&
		   source.kind == RECORD_AN2K && same_minutiae(&finger, &found),
	   "Type-9 in M1 form comes back from an ANSI/NIST file as written");
}

/* positions in hundredths of a millimetre come back exactly; directions in all forms */
static void
test_type9(void)
{
	bool exact = true;

	for (int form = TYPE9_STANDARD; form < TYPE9_FORMS; form++)
	{
		FingerprintTemplate finger, found;
		char                record[TYPE9_MAX_SIZE];
		An2kRecord          parsed = {.type = 9, .idc = 1, .data = (const uint8_t *) record};
		An2kPictures        pictures = {{0}, {0}};
		Type9Form           found_form;
		RecordError         error;

		memset(&finger, 0, sizeof(finger));
		finger.width = 4000;
		finger.height = 5000;
		finger.x_resolution = 1000;
		finger.y_resolution = 1000;
		finger.count = 128;
		for (int i = 0; i < finger.count; i++)
			finger.minutiae[i] = (Minutia){.x = (uint16_t) (i * 31),
										   .y = (uint16_t) (4999 - i * 39),
										   .angle = (uint8_t) (form == TYPE9_M1 ? 0 : i * 2),
										   .type = (uint8_t) (i % 3)};
		parsed.size = type9_write(&finger, form, 1, record);
		pictures.width[1] = 4000;
		pictures.height[1] = 5000;
		exact &=
			type9_read((const uint8_t *) record, &parsed, &pictures, &found, &found_form, &error) &&
			found_form == form && found.width == finger.width && found.height == finger.height &&
			found.count == finger.count;
		for (int i = 0; exact && i < finger.count; i++)
			exact &= memcmp(&finger.minutiae[i], &found.minutiae[i], sizeof(Minutia)) == 0;
		if (!exact)
		{
			printf("# %s\n", type9_form_name(form));
			break;
		}
	}
	ok(exact, "Type-9 in every form holds hundredths of a millimetre and 1/256 turns");
}

int
main(int argc, char **argv)
{
	make_seeds();
	if (argc > 1)
		return write_seeds(argv[1]) ? 0 : 1;
	test_text_encoding();
	test_tagged();
	test_containers();
	test_type9();
	test_truncations();
	test_mutations();
	test_corpus();
	printf("1..%d\n", tests);
	return failures > 0;
}
