/*
 * fingerprint_picture.c
 *		Fingers, and what a comparison paired, as pictures.
 *
 * Fingers are drawn in pixels of 500 dpi, for any resolution of the record, and
 * enlarged.  A circle is a ridge ending, a square a bifurcation, a diamond
 * another minutia, the line its direction.  Numbers are those of minutiae().
 * Paired minutiae are filled, others hollow, so the picture can be read without
 * its colours.
 */
#include "postgres.h"

#include <math.h>

#include "evidence/evidence.h"
#include "evidence/svg.h"
#include "type/fingerprint.h"
#include "utils/builtins.h"

#define STANDARD_RESOLUTION 197 /* 500 dpi in pixels per centimetre */
#define ENLARGED            1.5 /* pixels of the picture for one of the finger */
#define MIN_SIDE            160 /* pixels of the finger that are shown at least */

/* pixels of the finger */
#define AROUND       24 /* shown beyond the outermost minutiae */
#define SYMBOL       4  /* half its size */
#define DIRECTION    13 /* length of the line */
#define LETTER       4.6
#define LETTER_SIZE  8
#define LABEL_HEIGHT 7

typedef enum Look
{
	LOOK_PLAIN,
	LOOK_PAIRED,
	LOOK_UNPAIRED,  /* unpaired, although the other finger could show it */
	LOOK_UNCOMPARED /* beyond what the other finger shows */
} Look;

static const struct
{
	const char *stroke;
	const char *fill;
	double      width;
} looks[] = {
	[LOOK_PLAIN] = {SVG_INK, "none", 1.2},
	[LOOK_PAIRED] = {SVG_BLUE, SVG_BLUE, 1.4},
	[LOOK_UNPAIRED] = {SVG_ORANGE, "none", 1.6},
	[LOOK_UNCOMPARED] = {SVG_GREY, "none", 1},
};

/* A rectangle by its middle and half its size */
typedef struct Box
{
	double x, y, half_width, half_height;
} Box;

/* A finger on a picture */
typedef struct Panel
{
	const FingerprintTemplate *finger;
	const bytea               *picture; /* or NULL */
	double                     width;   /* of the whole finger, pixels of 500 dpi */
	double                     height;
	double                     left, top, right, bottom; /* what is shown */
	Look                       look[FINGERPRINT_MAX_MINUTIAE];
	int                        partner[FINGERPRINT_MAX_MINUTIAE]; /* its number, or 0 */
	double                     weight[FINGERPRINT_MAX_MINUTIAE];
	double                     x[FINGERPRINT_MAX_MINUTIAE];
	double                     y[FINGERPRINT_MAX_MINUTIAE];
	double                     dx[FINGERPRINT_MAX_MINUTIAE]; /* unit vector of the direction */
	double                     dy[FINGERPRINT_MAX_MINUTIAE];
	Box                        label[FINGERPRINT_MAX_MINUTIAE];
} Panel;

static void
widen(double *low, double *high, double limit)
{
	double missing = Max(0, MIN_SIDE - (*high - *low)) / 2;

	*low = Min(*low, Max(0, *low - missing));
	*high = Max(*high, Min(limit, *high + missing));
}

/* where everything is, cropped to the minutiae */
static void
init_panel(Panel *panel, const FingerprintTemplate *finger, const bytea *picture)
{
	double scale_x = (double) STANDARD_RESOLUTION / finger->x_resolution;
	double scale_y = (double) STANDARD_RESOLUTION / finger->y_resolution;

	memset(panel, 0, sizeof(*panel));
	panel->finger = finger;
	panel->picture = picture;
	panel->width = finger->width * scale_x;
	panel->height = finger->height * scale_y;
	panel->right = panel->width;
	panel->bottom = panel->height;
	for (int n = 0; n < finger->count; n++)
	{
		double angle = finger->minutiae[n].angle * M_PI / 128;
		double x = panel->x[n] = finger->minutiae[n].x * scale_x;
		double y = panel->y[n] = finger->minutiae[n].y * scale_y;

		panel->dx[n] = cos(angle);
		panel->dy[n] = -sin(angle);
		panel->left = n == 0 ? x : Min(panel->left, x);
		panel->right = n == 0 ? x : Max(panel->right, x);
		panel->top = n == 0 ? y : Min(panel->top, y);
		panel->bottom = n == 0 ? y : Max(panel->bottom, y);
	}
	if (finger->count > 0)
	{
		/* a symbol at the edge of the image is shown whole */
		panel->left = Max(-2 * SYMBOL, panel->left - AROUND);
		panel->top = Max(-2 * SYMBOL, panel->top - AROUND);
		panel->right = Min(panel->width + 2 * SYMBOL, panel->right + AROUND);
		panel->bottom = Min(panel->height + 2 * SYMBOL, panel->bottom + AROUND);
		widen(&panel->left, &panel->right, panel->width);
		widen(&panel->top, &panel->bottom, panel->height);
	}
}

static double
panel_width(const Panel *panel)
{
	return (panel->right - panel->left) * ENLARGED;
}

static double
panel_height(const Panel *panel)
{
	return (panel->bottom - panel->top) * ENLARGED;
}

/* ---- labels ---------------------------------------------------------------- */

static double
overlap(const Box *a, const Box *b)
{
	double width = a->half_width + b->half_width - fabs(a->x - b->x);
	double height = a->half_height + b->half_height - fabs(a->y - b->y);

	return width > 0 && height > 0 ? width * height : 0;
}

/* how much of a label's place is covered by symbols, lines, earlier labels or the edge */
static double
obstruction(const Panel *panel, const Box *place, int label)
{
	double sum = 0;

	for (int n = 0; n < panel->finger->count; n++)
	{
		Box symbol = {panel->x[n], panel->y[n], SYMBOL + 1, SYMBOL + 1};

		sum += overlap(place, &symbol);
		for (int along = SYMBOL + 2; along <= DIRECTION; along += 3)
		{
			Box line = {panel->x[n] + along * panel->dx[n], panel->y[n] + along * panel->dy[n], 1.5,
						1.5};

			sum += overlap(place, &line);
		}
		if (n < label)
			sum += 3 * overlap(place, &panel->label[n]);
	}
	if (place->x - place->half_width < panel->left || place->x + place->half_width > panel->right ||
		place->y - place->half_height < panel->top || place->y + place->half_height > panel->bottom)
		sum += 1000;
	return sum;
}

/* each label goes where least is covered; of equal places, the nearest */
static void
place_labels(Panel *panel)
{
	static const double distances[] = {9, 13, 18, 24};

	for (int n = 0; n < panel->finger->count; n++)
	{
		double best = INFINITY;
		int    digits = n + 1 < 10 ? 1 : n + 1 < 100 ? 2 : 3;

		for (int d = 0; d < (int) lengthof(distances) && best > 0; d++)
			for (int turn = 0; turn < 16 && best > 0; turn++)
			{
				/* away from the direction's line first, then to both sides in turn */
				double angle = M_PI + (turn % 2 == 0 ? turn : -turn - 1) * M_PI / 16;
				double x = cos(angle) * panel->dx[n] - sin(angle) * panel->dy[n];
				double y = sin(angle) * panel->dx[n] + cos(angle) * panel->dy[n];
				Box    place = {panel->x[n] + distances[d] * x, panel->y[n] + distances[d] * y,
								digits * LETTER / 2 + 1, LABEL_HEIGHT / 2.0};
				double in_the_way = obstruction(panel, &place, n);

				if (in_the_way < best)
				{
					best = in_the_way;
					panel->label[n] = place;
				}
			}
	}
}

/* ---- drawing --------------------------------------------------------------- */

static void
draw_minutia(StringInfo svg, const Panel *panel, int n)
{
	static const char *const types[] = {"minutia", "ridge ending", "bifurcation"};
	const Minutia           *minutia = &panel->finger->minutiae[n];
	Look                     look = panel->look[n];
	double                   x = panel->x[n];
	double                   y = panel->y[n];

	appendStringInfo(svg,
					 "<g class=\"minutia\" stroke=\"%s\" fill=\"%s\" stroke-width=\"%.1f\">"
					 "<title>%d: %s, direction %.1f degrees, ",
					 looks[look].stroke, looks[look].fill, looks[look].width, n + 1,
					 types[minutia->type <= MINUTIA_BIFURCATION ? minutia->type : 0],
					 minutia->angle * 360.0 / 256);
	if (minutia->quality > 0)
		appendStringInfo(svg, "quality %d", minutia->quality);
	else
		appendStringInfoString(svg, "no quality");
	if (look == LOOK_PAIRED)
		appendStringInfo(svg, "; paired with %d, weight %.2f", panel->partner[n], panel->weight[n]);
	else if (look == LOOK_UNPAIRED)
		appendStringInfoString(svg, "; no partner, though the other finger could show one");
	else if (look == LOOK_UNCOMPARED)
		appendStringInfoString(svg, "; beyond what the other finger shows");
	appendStringInfoString(svg, "</title>");

	switch (minutia->type)
	{
		case MINUTIA_RIDGE_ENDING:
			appendStringInfo(svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/>", x, y, SYMBOL);
			break;
		case MINUTIA_BIFURCATION:
			appendStringInfo(svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"7\" height=\"7\"/>", x - 3.5,
							 y - 3.5);
			break;
		default:
			appendStringInfo(svg, "<path d=\"M%.1f %.1fl5 -5l5 5l-5 5z\"/>", x - 5, y);
	}
	appendStringInfo(svg, "<path d=\"M%.1f %.1fL%.1f %.1f\"/></g>", x + SYMBOL * panel->dx[n],
					 y + SYMBOL * panel->dy[n], x + DIRECTION * panel->dx[n],
					 y + DIRECTION * panel->dy[n]);
}

/* a finger with its upper left corner at a place of the picture */
static void
draw_panel(Svg *svg, Panel *panel, double left, double top)
{
	StringInfo body = &svg->body;

	place_labels(panel);
	appendStringInfo(body,
					 "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
					 "viewBox=\"%.1f %.1f %.1f %.1f\">",
					 left, top, panel_width(panel), panel_height(panel), panel->left, panel->top,
					 panel->right - panel->left, panel->bottom - panel->top);
	if (panel->picture != NULL)
		svg_picture(body, panel->picture, panel->finger->width, panel->finger->height, panel->width,
					panel->height);
	for (int n = 0; n < panel->finger->count; n++)
		draw_minutia(body, panel, n);

	/* a white seam lets numbers be read on ridges */
	appendStringInfo(body,
					 "<g font-size=\"%d\" text-anchor=\"middle\" stroke=\"#fff\" "
					 "stroke-width=\"2\" stroke-linejoin=\"round\" paint-order=\"stroke\">",
					 LETTER_SIZE);
	for (int n = 0; n < panel->finger->count; n++)
		appendStringInfo(body, "<text x=\"%.1f\" y=\"%.1f\"%s>%d</text>", panel->label[n].x,
						 panel->label[n].y + 2.8,
						 panel->look[n] == LOOK_UNCOMPARED ? " fill=\"#777\"" : "", n + 1);
	appendStringInfo(body,
					 "</g></svg><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
					 "fill=\"none\" stroke=\"#bbb\"/>",
					 left, top, panel_width(panel), panel_height(panel));
}

static char *
describe_finger(const FingerprintTemplate *finger)
{
	StringInfoData text;

	initStringInfo(&text);
	if (finger->position > 0)
		appendStringInfo(&text, "finger %d, ", finger->position);
	else
		appendStringInfoString(&text, "unknown finger, ");
	if (finger->quality > 0)
		appendStringInfo(&text, "quality %d, ", finger->quality);
	else
		appendStringInfoString(&text, "no quality, ");
	appendStringInfo(&text, "%d minutiae", finger->count);
	return text.data;
}

/* what the caller says about the picture, if anything */
static void
add_caption(Svg *svg, FunctionCallInfo fcinfo, int argument)
{
	if (!PG_ARGISNULL(argument))
		svg_caption(svg, text_to_cstring(PG_GETARG_TEXT_PP(argument)));
}

static const bytea *
picture_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_BYTEA_PP(argument);
}

#define SYMBOLS                                                                         \
	"Circles are ridge endings, squares bifurcations, diamonds other minutiae; a line " \
	"shows the direction. Numbers are those of the minutiae in the template."

/* svg(fingerprint, caption, picture): its minutiae */
PG_FUNCTION_INFO_V1(biometric_fingerprint_svg);
Datum
biometric_fingerprint_svg(PG_FUNCTION_ARGS)
{
	FingerprintTemplate *finger = palloc(sizeof(FingerprintTemplate));
	Panel               *panel = palloc(sizeof(Panel));
	Svg                  svg;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	fingerprint_unpack(PG_GETARG_DATUM(0), finger);
	init_panel(panel, finger, picture_argument(fcinfo, 2));
	svg_begin(&svg, panel_width(panel) + 2 * SVG_MARGIN);
	svg_heading(&svg, 14, describe_finger(finger));
	add_caption(&svg, fcinfo, 1);
	draw_panel(&svg, panel, SVG_MARGIN, svg.top + SVG_MARGIN);
	PG_RETURN_TEXT_P(svg_end(&svg, (int) (svg.top + SVG_MARGIN + panel_height(panel)), SYMBOLS));
}

/* how each minutia of a side is drawn */
static void
set_looks(Panel *panel, const FingerprintEvidence *evidence, int side)
{
	const FingerprintPairing *pairing = &evidence->pairing;

	for (int i = 0; i < pairing->minutiae[side]; i++)
	{
		int n = evidence->order[side][i];
		int partner = pairing->partner[side][i];

		panel->look[n] = partner >= 0                 ? LOOK_PAIRED
						 : pairing->overlaps[side][i] ? LOOK_UNPAIRED
													  : LOOK_UNCOMPARED;
		if (partner >= 0)
		{
			panel->partner[n] = evidence->order[1 - side][partner] + 1;
			panel->weight[n] = pairing->weight[side][i];
		}
	}
}

static int
count_look(const Panel *panel, Look look)
{
	int count = 0;

	for (int n = 0; n < panel->finger->count; n++)
		count += panel->look[n] == look;
	return count;
}

/* match_svg(a fingerprint, b fingerprint, caption, a_picture, b_picture): side by side */
PG_FUNCTION_INFO_V1(biometric_fingerprint_match_svg);
Datum
biometric_fingerprint_match_svg(PG_FUNCTION_ARGS)
{
	FingerprintTemplate *fingers = palloc(2 * sizeof(FingerprintTemplate));
	Panel               *panels = palloc(2 * sizeof(Panel));
	FingerprintEvidence *evidence = palloc(sizeof(FingerprintEvidence));
	StringInfoData       pairs;
	Svg                  svg;
	int                  bottom;
	double               left = SVG_MARGIN;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	for (int side = 0; side < 2; side++)
	{
		fingerprint_unpack(PG_GETARG_DATUM(side), &fingers[side]);
		init_panel(&panels[side], &fingers[side], picture_argument(fcinfo, 3 + side));
	}
	evidence_pair(&fingers[0], &fingers[1], evidence);
	for (int side = 0; side < 2; side++)
		set_looks(&panels[side], evidence, side);

	svg_begin(&svg, panel_width(&panels[0]) + panel_width(&panels[1]) + 3 * SVG_MARGIN);
	svg_heading(&svg, 16, psprintf("Score %.1f", evidence->score));
	svg_heading(&svg, 12,
				psprintf("Left: %s. Right: %s.", describe_finger(&fingers[0]),
						 describe_finger(&fingers[1])));
	svg_heading(&svg, 12,
				psprintf("%d pairs, filled in blue. %d and %d without a partner that the other "
						 "could show, hollow in orange.",
						 evidence->pairing.pairs, count_look(&panels[0], LOOK_UNPAIRED),
						 count_look(&panels[1], LOOK_UNPAIRED)));
	add_caption(&svg, fcinfo, 2);
	for (int side = 0; side < 2; side++)
	{
		draw_panel(&svg, &panels[side], left, svg.top + SVG_MARGIN);
		left += panel_width(&panels[side]) + SVG_MARGIN;
	}
	bottom = (int) (svg.top + SVG_MARGIN + Max(panel_height(&panels[0]), panel_height(&panels[1])) +
					SVG_MARGIN / 2);

	initStringInfo(&pairs);
	appendStringInfoString(&pairs, evidence->pairing.pairs > 0
									   ? "Pairs (left = right), those that count most first:"
									   : "No pairs.");
	for (int k = 0; k < evidence->pairing.pairs; k++)
	{
		int i = evidence->ranked[k];

		/* no line is broken within a pair: the space before the next is the only one */
		appendStringInfo(&pairs, " %d=%d%s", evidence->order[0][i] + 1,
						 evidence->order[1][evidence->pairing.partner[0][i]] + 1,
						 k + 1 < evidence->pairing.pairs ? "," : "");
	}
	bottom = svg_paragraph(&svg, bottom, pairs.data);
	PG_RETURN_TEXT_P(svg_end(
		&svg, bottom,
		SYMBOLS " Filled blue symbols are paired by the comparison, hollow orange ones have no "
				"partner although the other finger could show one, grey ones lie beyond what the "
				"other finger shows."));
}
