/*
 * picture.c
 *		Templates and matches as pictures (SVG 1.1), for people to look at.
 *
 * Fingers are drawn in pixels of 500 dpi, whatever their record's resolution:
 * a circle is a ridge ending, a square a bifurcation, a diamond another
 * minutia, the line its direction.  Nothing but numbers of the template becomes
 * part of a picture.
 */
#include "postgres.h"

#include <math.h>

#include "evidence/evidence.h"
#include "lib/stringinfo.h"
#include "type/fingerprint.h"
#include "type/iris.h"
#include "utils/builtins.h"

#define STANDARD_RESOLUTION 197 /* 500 dpi in pixels per centimetre */

#define HEADING 24 /* pixels above a picture that has a line of text */
#define MARGIN  12

#define PLAIN      "#333"
#define PAIRED     "#0a7d32"
#define UNPAIRED   "#c8281e" /* though the other finger could show it */
#define UNCOMPARED "#aaa"

static void
begin_picture(StringInfo svg, double width, double height)
{
	initStringInfo(svg);
	appendStringInfo(svg,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
					 "font-family=\"sans-serif\" font-size=\"11\">"
					 "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>",
					 width, height);
}

static Datum
end_picture(StringInfo svg)
{
	appendStringInfoString(svg, "</svg>");
	return PointerGetDatum(cstring_to_text_with_len(svg->data, svg->len));
}

static double
finger_width(const FingerprintTemplate *finger)
{
	return (double) finger->width * STANDARD_RESOLUTION / finger->x_resolution;
}

static double
finger_height(const FingerprintTemplate *finger)
{
	return (double) finger->height * STANDARD_RESOLUTION / finger->y_resolution;
}

/* a minutia at its place, with a number beside it unless that is 0 */
static void
draw_minutia(StringInfo svg, const FingerprintTemplate *finger, int n, const char *colour,
			 int number)
{
	const Minutia *minutia = &finger->minutiae[n];
	double         x = (double) minutia->x * STANDARD_RESOLUTION / finger->x_resolution;
	double         y = (double) minutia->y * STANDARD_RESOLUTION / finger->y_resolution;
	double         angle = minutia->angle * M_PI / 128;

	switch (minutia->type)
	{
		case MINUTIA_RIDGE_ENDING:
			appendStringInfo(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" stroke=\"%s\"/>", x, y,
							 colour);
			break;
		case MINUTIA_BIFURCATION:
			appendStringInfo(svg,
							 "<rect x=\"%.1f\" y=\"%.1f\" width=\"7\" height=\"7\" stroke=\"%s\"/>",
							 x - 3.5, y - 3.5, colour);
			break;
		default:
			appendStringInfo(svg, "<path d=\"M%.1f %.1fl5 -5l5 5l-5 5z\" stroke=\"%s\"/>", x - 5, y,
							 colour);
	}
	appendStringInfo(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\"/>", x, y,
					 x + 13 * cos(angle), y - 13 * sin(angle), colour);
	if (number > 0)
		appendStringInfo(svg, "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" stroke=\"none\">%d</text>",
						 x + 6, y + 12, colour, number);
}

static void
begin_finger(StringInfo svg, const FingerprintTemplate *finger, double left, double top)
{
	appendStringInfo(svg,
					 "<g transform=\"translate(%.1f %.1f)\" fill=\"none\" stroke-width=\"1.3\">"
					 "<rect width=\"%.1f\" height=\"%.1f\" stroke=\"#ddd\"/>",
					 left, top, finger_width(finger), finger_height(finger));
}

/* svg(fingerprint): its minutiae, numbered as minutiae() does */
PG_FUNCTION_INFO_V1(biometric_fingerprint_svg);
Datum
biometric_fingerprint_svg(PG_FUNCTION_ARGS)
{
	FingerprintTemplate finger;
	StringInfoData      svg;

	fingerprint_unpack(PG_GETARG_DATUM(0), &finger);
	begin_picture(&svg, finger_width(&finger) + 2 * MARGIN, finger_height(&finger) + 2 * MARGIN);
	begin_finger(&svg, &finger, MARGIN, MARGIN);
	for (int n = 0; n < finger.count; n++)
		draw_minutia(&svg, &finger, n, PLAIN, n + 1);
	appendStringInfoString(&svg, "</g>");
	return end_picture(&svg);
}

/*
 * match_svg(a fingerprint, b fingerprint): side by side.  A pair has the same
 * number on both, 1 counts most; what is not paired is shown as much as what is.
 */
PG_FUNCTION_INFO_V1(biometric_fingerprint_match_svg);
Datum
biometric_fingerprint_match_svg(PG_FUNCTION_ARGS)
{
	FingerprintTemplate *fingers = palloc(2 * sizeof(FingerprintTemplate));
	FingerprintEvidence *evidence = palloc(sizeof(FingerprintEvidence));
	FingerprintPairing  *pairing = &evidence->pairing;
	int                  number[2][FINGERPRINT_MAX_MINUTIAE] = {{0}};
	int                  unpaired[2] = {0};
	double               widths[2];
	StringInfoData       svg;

	for (int side = 0; side < 2; side++)
	{
		fingerprint_unpack(PG_GETARG_DATUM(side), &fingers[side]);
		widths[side] = finger_width(&fingers[side]);
	}
	evidence_pair(&fingers[0], &fingers[1], evidence);
	for (int k = 0; k < pairing->pairs; k++)
	{
		int i = evidence->ranked[k];

		number[0][i] = k + 1;
		number[1][pairing->partner[0][i]] = k + 1;
	}
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < pairing->minutiae[side]; i++)
			unpaired[side] += pairing->overlaps[side][i] && number[side][i] == 0;

	begin_picture(&svg, Max(widths[0] + widths[1] + 3 * MARGIN, 560),
				  Max(finger_height(&fingers[0]), finger_height(&fingers[1])) + HEADING +
					  2 * MARGIN);
	appendStringInfo(&svg,
					 "<text x=\"%d\" y=\"%d\" font-size=\"13\">score %.1f: <tspan fill=\"%s\">%d "
					 "pairs</tspan>, <tspan fill=\"%s\">%d and %d without a partner where the "
					 "other could show one</tspan></text>",
					 MARGIN, HEADING - 4, evidence->score, PAIRED, pairing->pairs, UNPAIRED,
					 unpaired[0], unpaired[1]);
	for (int side = 0; side < 2; side++)
	{
		begin_finger(&svg, &fingers[side], side == 0 ? MARGIN : widths[0] + 2 * MARGIN,
					 HEADING + MARGIN);
		for (int i = 0; i < pairing->minutiae[side]; i++)
			draw_minutia(&svg, &fingers[side], evidence->order[side][i],
						 number[side][i] > 0          ? PAIRED
						 : pairing->overlaps[side][i] ? UNPAIRED
													  : UNCOMPARED,
						 number[side][i]);
		appendStringInfoString(&svg, "</g>");
	}
	return end_picture(&svg);
}

/* ----------
 * Irises: columns from left to right, the bits of each from top to bottom
 * ----------
 */

#define BIT_SIZE 4

typedef int (*BitClass)(const IrisBits *a, const IrisBits *b, int rotation, int column, int bit);

/* the bits that a comparison sees */
static IrisBits *
bits_of(const IrisTemplate *iris)
{
	void     *features = palloc(IRIS_FEATURES_MAX_SIZE);
	IrisBits *bits = palloc(sizeof(IrisBits));

	(void) iris_extract(iris, features);
	iris_unpack_features(features, bits);
	pfree(features);
	return bits;
}

static bool
bit_of(const uint8_t *bytes, const IrisBits *iris, int column, int bit)
{
	return bytes[column * IRIS_COLUMN_BYTES(iris->bits) + (bit >> 3)] >> (bit & 7) & 1;
}

/* 0: not usable, else 1 for a bit of 0, 2 for a bit of 1 */
static int
class_of_code(const IrisBits *a, const IrisBits *b, int rotation, int column, int bit)
{
	return bit_of(a->mask, a, column, bit) ? 1 + bit_of(a->code, a, column, bit) : 0;
}

/* 0: not usable in both, else 1 where they agree, 2 where they differ; a is turned */
static int
class_of_match(const IrisBits *a, const IrisBits *b, int rotation, int column, int bit)
{
	int turned = ((column + rotation) % a->columns + a->columns) % a->columns;

	if (!bit_of(a->mask, a, turned, bit) || !bit_of(b->mask, b, column, bit))
		return 0;
	return bit_of(a->code, a, turned, bit) == bit_of(b->code, b, column, bit) ? 1 : 2;
}

/* bits as stripes of a row; what class_of says becomes a colour */
static void
draw_bits(StringInfo svg, const IrisBits *a, const IrisBits *b, int rotation, int top,
		  BitClass class_of, const char *const colours[3])
{
	appendStringInfo(svg, "<g transform=\"translate(%d %d)\">", MARGIN, top);
	for (int class = 0; class < 3; class ++)
	{
		appendStringInfo(svg, "<path fill=\"%s\" d=\"", colours[class]);
		for (int bit = 0; bit < a->bits; bit++)
			for (int column = 0; column < a->columns;)
			{
				int end = column;

				while (end < a->columns && class_of(a, b, rotation, end, bit) == class)
					end++;
				if (end > column)
					appendStringInfo(svg, "M%d %dh%dv%dh-%dz", column * BIT_SIZE, bit * BIT_SIZE,
									 (end - column) * BIT_SIZE, BIT_SIZE,
									 (end - column) * BIT_SIZE);
				column = Max(end, column + 1);
			}
		appendStringInfoString(svg, "\"/>");
	}
	appendStringInfoString(svg, "</g>");
}

static const char *const code_colours[3] = {"#ccc", "#fff", "#222"};
static const char *const match_colours[3] = {"#ccc", "#9fd6ae", UNPAIRED};

/* svg(iris): ones black, zeroes white, what is not usable grey */
PG_FUNCTION_INFO_V1(biometric_iris_svg);
Datum
biometric_iris_svg(PG_FUNCTION_ARGS)
{
	IrisTemplate   iris = iris_unpack(PG_GETARG_DATUM(0));
	StringInfoData svg;

	begin_picture(&svg, iris.columns * BIT_SIZE + 2 * MARGIN, iris.bits * BIT_SIZE + 2 * MARGIN);
	draw_bits(&svg, bits_of(&iris), NULL, 0, MARGIN, class_of_code, code_colours);
	return end_picture(&svg);
}

/* match_svg(a iris, b iris): both codes, and below in which bits they differ, a turned to fit b */
PG_FUNCTION_INFO_V1(biometric_iris_match_svg);
Datum
biometric_iris_match_svg(PG_FUNCTION_ARGS)
{
	IrisTemplate   a = iris_unpack(PG_GETARG_DATUM(0));
	IrisTemplate   b = iris_unpack(PG_GETARG_DATUM(1));
	bool           comparable = a.columns == b.columns && a.bits == b.bits;
	int            height_a = a.bits * BIT_SIZE;
	int            height_b = b.bits * BIT_SIZE;
	IrisBits      *bits_a = bits_of(&a);
	IrisBits      *bits_b = bits_of(&b);
	IrisComparison comparison;
	StringInfoData svg;

	evidence_compare(&a, &b, &comparison);
	begin_picture(&svg, Max(Max(a.columns, b.columns) * BIT_SIZE + 2 * MARGIN, 560),
				  HEADING + height_a + height_b + (comparable ? height_a : 0) + 4 * MARGIN);
	appendStringInfo(&svg,
					 "<text x=\"%d\" y=\"%d\" font-size=\"13\">score %.1f: %u bits in common, "
					 "<tspan fill=\"%s\">%u differ</tspan>, turned by %d of %d columns</text>",
					 MARGIN, HEADING - 4, iris_score(comparison.distance), comparison.common,
					 UNPAIRED, comparison.differing, comparison.rotation, a.columns);
	draw_bits(&svg, bits_a, NULL, 0, HEADING + MARGIN, class_of_code, code_colours);
	draw_bits(&svg, bits_b, NULL, 0, HEADING + height_a + 2 * MARGIN, class_of_code, code_colours);
	if (comparable)
		draw_bits(&svg, bits_a, bits_b, comparison.rotation,
				  HEADING + height_a + height_b + 3 * MARGIN, class_of_match, match_colours);
	return end_picture(&svg);
}
