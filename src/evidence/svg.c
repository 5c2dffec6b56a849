/*
 * svg.c
 *		The frame of pictures (SVG 1.1) for people to look at.
 */
#include "postgres.h"

#include <math.h>

#include "compat.h"
#include "evidence/svg.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "record/text_encoding.h"
#include "utils/builtins.h"

/* of the text's usual size, 12 pixels; letters of a sans-serif font are narrower on average */
#define LETTER_WIDTH 6.4

/* pictures beyond this are no captures */
#define MAX_PICTURE_SIDE  16384
#define MAX_PICTURE_BYTES (32 * 1024 * 1024)

extern Datum biometric_version(PG_FUNCTION_ARGS);

void
svg_begin(Svg *svg, double width)
{
	initStringInfo(&svg->body);
	initStringInfo(&svg->heading);
	initStringInfo(&svg->title);
	svg->width = (int) Max(width, SVG_MIN_WIDTH);
	svg->top = SVG_MARGIN;
}

void
svg_escape(StringInfo to, const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '&')
			appendStringInfoString(to, "&amp;");
		else if (*text == '<')
			appendStringInfoString(to, "&lt;");
		else if (*text == '>')
			appendStringInfoString(to, "&gt;");
		else if (*text == '"')
			appendStringInfoString(to, "&quot;");
		else if ((unsigned char) *text >= ' ' && *text != '\177')
			appendStringInfoChar(to, *text);
		else
			appendStringInfoChar(to, ' ');
	}
}

static void
put_line(StringInfo to, int size, int y, const char *line)
{
	appendStringInfo(to, "<text x=\"%d\" y=\"%d\" font-size=\"%d\">", SVG_MARGIN, y, size);
	svg_escape(to, line);
	appendStringInfoString(to, "</text>");
}

void
svg_heading(Svg *svg, int size, const char *line)
{
	svg->top += SVG_LINE;
	put_line(&svg->heading, size, svg->top - 5, line);
	if (svg->title.len > 0)
		appendStringInfoString(&svg->title, "; ");
	appendStringInfoString(&svg->title, line);
}

/* lines of text from a place downwards; returns where the next goes */
static int
put_paragraph(StringInfo to, int top, int width, const char *text)
{
	int most = (int) ((width - 2 * SVG_MARGIN) / LETTER_WIDTH);

	while (*text != '\0')
	{
		int   length = 0; /* bytes that fit */
		int   letters = 0;
		int   space = 0; /* the last place to break */
		char *line;

		while (text[length] != '\0' && text[length] != '\n' && letters < most)
		{
			if (text[length] == ' ')
				space = length;
			length += pg_mblen(text + length);
			letters++;
		}
		if (text[length] != '\0' && text[length] != '\n' && space > 0)
			length = space;
		line = pnstrdup(text, length);
		top += SVG_LINE;
		put_line(to, 12, top - 5, line);
		pfree(line);
		text += length;
		while (*text == ' ' || *text == '\n')
			text++;
	}
	return top;
}

void
svg_caption(Svg *svg, const char *caption)
{
	svg->top = put_paragraph(&svg->heading, svg->top, svg->width, caption);
	appendStringInfo(&svg->title, "; %s", caption);
}

int
svg_paragraph(Svg *svg, int top, const char *text)
{
	return put_paragraph(&svg->body, top, svg->width, text);
}

text *
svg_end(Svg *svg, int height, const char *description)
{
	StringInfoData all;
	char *version = text_to_cstring(DatumGetTextPP(DirectFunctionCall1(biometric_version, 0)));

	initStringInfo(&all);
	height += SVG_LINE + SVG_MARGIN;
	appendStringInfo(&all,
					 "<svg xmlns=\"http://www.w3.org/2000/svg\" "
					 "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\" "
					 "viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"sans-serif\" "
					 "font-size=\"12\" fill=\"" SVG_INK "\"><title>",
					 svg->width, height, svg->width, height);
	svg_escape(&all, svg->title.data);
	appendStringInfoString(&all, "</title><desc>");
	svg_escape(&all, description);
	appendStringInfo(&all, "</desc><rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>", svg->width,
					 height);
	appendBinaryStringInfo(&all, svg->heading.data, svg->heading.len);
	appendBinaryStringInfo(&all, svg->body.data, svg->body.len);
	appendStringInfo(&all, "<text x=\"%d\" y=\"%d\" font-size=\"9\" fill=\"#666\">", SVG_MARGIN,
					 height - SVG_MARGIN);
	appendStringInfoString(&all, "biometric ");
	svg_escape(&all, version);
	appendStringInfoString(&all, "</text></svg>");
	return cstring_to_text_with_len(all.data, all.len);
}

/* ---- PNG ------------------------------------------------------------------- */

static uint32
big_endian(const uint8 *bytes)
{
	return (uint32) bytes[0] << 24 | (uint32) bytes[1] << 16 | (uint32) bytes[2] << 8 | bytes[3];
}

void
svg_picture(StringInfo to, const bytea *png, int columns, int rows, double width, double height)
{
	static const uint8 start[16] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n',
									0,    0,   0,   13,  'I',  'H',  'D',  'R'};
	const uint8       *bytes = (const uint8 *) VARDATA_ANY(png);
	Size               size = VARSIZE_ANY_EXHDR(png);
	uint32             png_columns, png_rows;

	/* signature, then length, name, content and sum of the header */
	if (size < 33 || memcmp(bytes, start, sizeof(start)) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("picture is not a PNG"),
						errhint("Convert the picture to PNG first.")));
	if (size > MAX_PICTURE_BYTES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("picture is larger than %d MB", MAX_PICTURE_BYTES >> 20)));
	png_columns = big_endian(bytes + 16);
	png_rows = big_endian(bytes + 20);
	if (png_columns < 1 || png_columns > MAX_PICTURE_SIDE || png_rows < 1 ||
		png_rows > MAX_PICTURE_SIDE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid PNG"),
						errdetail("Its header is damaged.")));

	/* the template may have been made at another resolution, but not of another part */
	if (fabs((double) png_columns * rows - (double) png_rows * columns) >
		0.01 * png_columns * rows + Max(columns, rows) / 2.0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("picture does not have the shape of the template's image"),
						errdetail("The picture has %u x %u pixels, the image %d x %d.", png_columns,
								  png_rows, columns, rows),
						errhint("Give the picture from which the template was made.")));
	appendStringInfo(to,
					 "<image width=\"%.1f\" height=\"%.1f\" preserveAspectRatio=\"none\" "
					 "opacity=\"0.7\" xlink:href=\"data:image/png;base64,",
					 width, height);
	enlargeStringInfo(to, (int) base64_size(size) + 1);
	to->len = (int) (base64_write(bytes, size, to->data + to->len) - to->data);
	to->data[to->len] = '\0';
	appendStringInfoString(to, "\"/>");
}
