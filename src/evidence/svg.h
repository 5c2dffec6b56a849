/*
 * svg.h
 *		The frame of a picture: size, title, headings, texts of the caller.
 */
#ifndef BIOMETRIC_SVG_H
#define BIOMETRIC_SVG_H

#include "lib/stringinfo.h"

/* pixels */
#define SVG_MARGIN    12
#define SVG_LINE      18 /* a line of text */
#define SVG_MIN_WIDTH 640

/* Blue and orange of Okabe and Ito, which colour-blind people tell apart */
#define SVG_BLUE       "#0072B2"
#define SVG_LIGHT_BLUE "#a9d3ee"
#define SVG_ORANGE     "#D55E00"
#define SVG_GREY       "#999"
#define SVG_INK        "#222"

/*
 * A picture under construction.  Headings are given first, what is drawn starts
 * at svg_body() pixels from the top, and svg_end() writes all of it.
 */
typedef struct Svg
{
	StringInfoData body;
	StringInfoData heading; /* its lines, as elements */
	StringInfoData title;   /* for programs that read pictures aloud, plain text */
	int            width;
	int            top; /* where the next line goes */
} Svg;

extern void svg_begin(Svg *svg, double width);

/* a line of text at the top; fill is a colour */
extern void svg_heading(Svg *svg, int size, const char *line);

/* text of any length, wrapped, at the top */
extern void svg_caption(Svg *svg, const char *caption);

/* text at a place of the body; wrapped at the width; returns where it ends */
extern int svg_paragraph(Svg *svg, int top, const char *text);

/* append text with what XML reserves replaced, and what it forbids left out */
extern void svg_escape(StringInfo to, const char *text);

/* the whole picture; description is plain text; height is that of all before the footer */
extern text *svg_end(Svg *svg, int height, const char *description);

/*
 * An element that shows a PNG file, if there is one, stretched over a
 * rectangle at 0, 0.  An error where the bytes are no PNG, or the picture has
 * another shape than columns x rows.
 */
extern void svg_picture(StringInfo to, const bytea *png, int columns, int rows, double width,
						double height);

#endif /* BIOMETRIC_SVG_H */
