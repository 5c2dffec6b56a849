/*
 * toy.c
 *		A modality as small as one can be, to show what a new one takes: this
 *		file, its type, and the SQL of src/sql/biometric/modality.sql stamped for
 *		it.  The suite sql/modality.sql uses it.
 *
 * A toy template is the print of a cat's paw in 8 bytes: which paw, 0 (unknown)
 * to 4, then 56 bits.  The distance is the share of the bits that differ.
 */
#include "postgres.h"

#include "compat.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "port/pg_bitutils.h"
#include "type/modality.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

#define TOY_SIZE 8
#define TOY_BITS (8 * (TOY_SIZE - 1))
#define MAX_PAW  4

/* The paw and the first bytes of the bits */
#define TOY_SKETCH_SIZE 3

/* ---- the type ------------------------------------------------------------ */

static Datum
make_toy(const char *bytes, int length)
{
	if (length != TOY_SIZE || (uint8) bytes[0] > MAX_PAW)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), errmsg("invalid toy template")));
	return PointerGetDatum(cstring_to_text_with_len(bytes, TOY_SIZE));
}

PG_FUNCTION_INFO_V1(toy_in);
Datum
toy_in(PG_FUNCTION_ARGS)
{
	bytea *bytes = DatumGetByteaPP(DirectFunctionCall1(byteain, PG_GETARG_DATUM(0)));

	return make_toy(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

PG_FUNCTION_INFO_V1(toy_recv);
Datum
toy_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int        length = message->len - message->cursor;

	return make_toy(pq_getmsgbytes(message, length), length);
}

/* paw(toy) */
PG_FUNCTION_INFO_V1(toy_paw);
Datum
toy_paw(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32((uint8) VARDATA_ANY(PG_GETARG_BYTEA_PP(0))[0]);
}

/* ---- the modality -------------------------------------------------------- */

static int
label(Datum datum)
{
	return (uint8) VARDATA_ANY(DatumGetByteaPP(datum))[0];
}

static const char *
label_value(int label)
{
	return psprintf("%d", label);
}

static const char *
label_name(int label)
{
	static const char *const names[] = {"unknown", "left front", "right front", "left hind",
										"right hind"};

	return names[label];
}

static Size
extract(Datum datum, void *buffer)
{
	memcpy(buffer, VARDATA_ANY(DatumGetByteaPP(datum)), TOY_SIZE);
	return TOY_SIZE;
}

static bool
features_valid(const void *features, Size size)
{
	return size == TOY_SIZE && *(const uint8 *) features <= MAX_PAW;
}

static Size
sketch(const void *features, Size size, void *result)
{
	memcpy(result, features, TOY_SKETCH_SIZE);
	return TOY_SKETCH_SIZE;
}

static bool
sketch_valid(const void *sketch, Size size)
{
	return size == TOY_SKETCH_SIZE && *(const uint8 *) sketch <= MAX_PAW;
}

static void *
begin_probe(const void *features, Size size)
{
	return memcpy(palloc(size), features, size);
}

static double
distance(const uint8 *a, const uint8 *b, int bytes)
{
	int differing = 0;

	if (a[0] != b[0] && a[0] != 0 && b[0] != 0)
		return 1;
	for (int k = 1; k < bytes; k++)
		differing += pg_number_of_ones[a[k] ^ b[k]];
	return (double) differing / TOY_BITS;
}

static void
distances(void *probe, int n, const void *const *features, const Size *sizes, double limit,
		  double *result)
{
	for (int i = 0; i < n; i++)
		result[i] = distance(probe, features[i], TOY_SIZE);
}

/* The bits of a sketch that differ are some of all that differ */
static void
sketches_within(void *probe, int n, const void *const *sketches, const Size *sizes, double limit,
				bool *within)
{
	for (int i = 0; i < n; i++)
		within[i] = distance(probe, sketches[i], TOY_SKETCH_SIZE) <= limit;
}

/* 80 decibans for the same bits, 0 from half of them on */
static double
score(double distance)
{
	return Min(Max(160 * (0.5 - distance), 0), 80);
}

static double
score_limit(void)
{
	return 70;
}

/* each byte is a word */
static int
words(const void *features, Size size, BiometricWord *words)
{
	const uint8 *bytes = features;

	memset(words, 0, (TOY_SIZE - 1) * sizeof(BiometricWord));
	for (int k = 1; k < TOY_SIZE; k++)
	{
		words[k - 1].key = (uint32) (k << 8 | bytes[k]);
		words[k - 1].weight = 1;
	}
	return TOY_SIZE - 1;
}

static const BiometricModality modality = {
	.magic = BIOMETRIC_MODALITY_MAGIC,
	.name = "toy",
	.features_version = 1,
	.max_features_size = TOY_SIZE,
	.group_pages = 20,
	.max_sketch_size = TOY_SKETCH_SIZE,
	.sketch = sketch,
	.sketch_valid = sketch_valid,
	.sketches_within = sketches_within,
	.compare_cost = 1,
	.max_label = MAX_PAW,
	.label_function = "paw",
	.label = label,
	.label_value = label_value,
	.label_name = label_name,
	.extract = extract,
	.features_valid = features_valid,
	.begin_probe = begin_probe,
	.distances = distances,
	.score = score,
	.score_limit = score_limit,
	.key_bits = 11,
	.max_words = TOY_SIZE - 1,
	.max_probe_words = TOY_SIZE - 1,
	.words = words,
	.probe_words = words,
};

PG_FUNCTION_INFO_V1(toy_modality);
Datum
toy_modality(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(&modality);
}
