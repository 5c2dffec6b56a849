/*
 * iris_picture.c
 *		Iris codes, and the bits in which two differ, as pictures.
 *
 * Columns go from left to right, the bits of each from top to bottom.  Bits are
 * those that a comparison sees: what the mask excludes, and what carries no
 * information, is left white.
 */
#include "postgres.h"

#include "evidence/evidence.h"
#include "evidence/svg.h"
#include "type/iris.h"
#include "utils/builtins.h"

#define BIT_SIZE 4

/* An eye on a picture */
typedef struct EyePanel
{
	IrisTemplate   iris;
	IrisBits       bits;
	IrisAssessment assessment;
} EyePanel;

static EyePanel *
make_panel(Datum datum)
{
	EyePanel *panel = palloc(sizeof(EyePanel));
	void     *features = palloc(IRIS_FEATURES_MAX_SIZE);

	panel->iris = iris_unpack(datum);
	(void) iris_extract(&panel->iris, features);
	iris_unpack_features(features, &panel->bits);
	iris_assess(&panel->iris, &panel->assessment);
	pfree(features);
	return panel;
}

typedef int (*BitClass)(const IrisBits *a, const IrisBits *b, int rotation, int column, int bit);

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

/* bits as stripes of a row; what class_of says becomes a colour; returns where they end */
static int
draw_bits(Svg *svg, const IrisBits *a, const IrisBits *b, int rotation, int top, BitClass class_of,
		  const char *const colours[3])
{
	appendStringInfo(&svg->body,
					 "<g transform=\"translate(%d %d)\"><rect width=\"%d\" height=\"%d\" "
					 "fill=\"#fff\" stroke=\"#bbb\"/>",
					 SVG_MARGIN, top, a->columns * BIT_SIZE, a->bits * BIT_SIZE);
	for (int class = 1; class < 3; class ++)
	{
		appendStringInfo(&svg->body, "<path fill=\"%s\" d=\"", colours[class]);
		for (int bit = 0; bit < a->bits; bit++)
			for (int column = 0; column < a->columns;)
			{
				int end = column;

				while (end < a->columns && class_of(a, b, rotation, end, bit) == class)
					end++;
				if (end > column)
					appendStringInfo(&svg->body, "M%d %dh%dv%dh-%dz", column * BIT_SIZE,
									 bit * BIT_SIZE, (end - column) * BIT_SIZE, BIT_SIZE,
									 (end - column) * BIT_SIZE);
				column = Max(end, column + 1);
			}
		appendStringInfoString(&svg->body, "\"/>");
	}
	appendStringInfoString(&svg->body, "</g>");
	return top + a->bits * BIT_SIZE;
}

static const char *const code_colours[3] = {NULL, "#c4c4c4", SVG_INK};
static const char *const match_colours[3] = {NULL, SVG_LIGHT_BLUE, SVG_ORANGE};

#define BITS                                                                                       \
	"Columns go around the eye from left to right, the bits of each from top to bottom. Ones are " \
	"dark, zeros grey; what is not usable is white."

static char *
describe_eye(const EyePanel *panel)
{
	return psprintf("%s eye, %u of %u bits usable", iris_eye_name(panel->iris.eye),
					panel->assessment.usable_bits, panel->assessment.bits);
}

/* svg(iris, caption) */
PG_FUNCTION_INFO_V1(biometric_iris_svg);
Datum
biometric_iris_svg(PG_FUNCTION_ARGS)
{
	EyePanel *eye;
	Svg       svg;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	eye = make_panel(PG_GETARG_DATUM(0));
	svg_begin(&svg, eye->bits.columns * BIT_SIZE + 2 * SVG_MARGIN);
	svg_heading(&svg, 14, describe_eye(eye));
	if (!PG_ARGISNULL(1))
		svg_caption(&svg, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_TEXT_P(svg_end(
		&svg,
		draw_bits(&svg, &eye->bits, NULL, 0, svg.top + SVG_MARGIN / 2, class_of_code, code_colours),
		BITS));
}

static void
head_comparison(Svg *svg, const EyePanel *a, const IrisComparison *comparison)
{
	StringInfoData shifts;
	bool           shifted = false;

	svg_heading(svg, 16, psprintf("Score %.1f", iris_score(comparison->distance)));
	svg_heading(svg, 12,
				psprintf("%u bits compared, %u differ, orange. The first is turned by %d of %d "
						 "columns.",
						 comparison->common, comparison->differing, comparison->rotation,
						 a->bits.columns));
	initStringInfo(&shifts);
	for (int s = 0; s < IRIS_SECTORS; s++)
	{
		appendStringInfo(&shifts, comparison->shifts[s] == 0 ? " %d" : " %+d",
						 comparison->shifts[s]);
		shifted |= comparison->shifts[s] != 0;
	}
	if (shifted)
		svg_heading(
			svg, 12,
			psprintf("For the score, sectors were turned further, from the left by%s columns.",
					 shifts.data));
}

/* match_svg(a iris, b iris, caption): both codes, and below in which bits they differ, a turned to fit b */
PG_FUNCTION_INFO_V1(biometric_iris_match_svg);
Datum
biometric_iris_match_svg(PG_FUNCTION_ARGS)
{
	EyePanel      *eyes[2];
	IrisComparison comparison;
	Svg            svg;
	int            bottom;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	for (int side = 0; side < 2; side++)
		eyes[side] = make_panel(PG_GETARG_DATUM(side));
	evidence_compare(&eyes[0]->iris, &eyes[1]->iris, &comparison);

	svg_begin(&svg, Max(eyes[0]->bits.columns, eyes[1]->bits.columns) * BIT_SIZE + 2 * SVG_MARGIN);
	head_comparison(&svg, eyes[0], &comparison);
	if (!PG_ARGISNULL(2))
		svg_caption(&svg, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	bottom = svg.top;
	for (int side = 0; side < 2; side++)
	{
		bottom = svg_paragraph(&svg, bottom + SVG_MARGIN / 2, describe_eye(eyes[side]));
		bottom = draw_bits(&svg, &eyes[side]->bits, NULL, 0, bottom, class_of_code, code_colours);
	}
	if (eyes[0]->bits.columns == eyes[1]->bits.columns && eyes[0]->bits.bits == eyes[1]->bits.bits)
	{
		bottom =
			svg_paragraph(&svg, bottom + SVG_MARGIN / 2, "Compared: blue agrees, orange differs");
		bottom = draw_bits(&svg, &eyes[0]->bits, &eyes[1]->bits, comparison.rotation, bottom,
						   class_of_match, match_colours);
	}
	PG_RETURN_TEXT_P(svg_end(&svg, bottom,
							 BITS " Below, both codes compared, the first turned: bits that agree "
								  "are blue, those that differ orange."));
}
