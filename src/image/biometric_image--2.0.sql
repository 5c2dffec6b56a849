\echo Use "CREATE EXTENSION biometric_image CASCADE" to load this file. \quit

-- What a file is, by its header.  Any bytes have an answer: problem says what is
-- wrong.  Of a finger image record, which counts the pictures.
CREATE FUNCTION image_info(image bytea, which integer DEFAULT 1,
		OUT format text, OUT compression text, OUT width integer, OUT height integer,
		OUT dpi float8, OUT vertical_dpi float8, OUT bits integer, OUT channels integer,
		OUT pictures integer, OUT finger_position integer, OUT impression_type integer,
		OUT problem text)
	AS 'MODULE_PATHNAME', 'biometric_image_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION image_info(bytea, integer) IS
	'what a picture file is, by its header; problem is NULL if it can be decoded';

-- Pixels are 8-bit grey, 0 is black, row by row from the top.
CREATE FUNCTION image_pixels(image bytea, which integer DEFAULT 1,
		OUT pixels bytea, OUT width integer, OUT height integer, OUT dpi float8,
		OUT vertical_dpi float8, OUT finger_position integer, OUT impression_type integer)
	AS 'MODULE_PATHNAME', 'biometric_image_pixels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION image_pixels(bytea, integer) IS
	'a picture file decoded: 8-bit grey pixels, row by row from the top';

CREATE FUNCTION pixels_png(pixels bytea, width integer, height integer, dpi float8 DEFAULT 0) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_image_pixels_png' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION pixels_png(bytea, integer, integer, float8) IS '8-bit grey pixels as a PNG file';

CREATE FUNCTION image_png(image bytea, which integer DEFAULT 1) RETURNS bytea
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20000
BEGIN ATOMIC
	SELECT pixels_png(p.pixels, p.width, p.height, coalesce(p.dpi, 0)) FROM image_pixels(image, which) p;
END;
COMMENT ON FUNCTION image_png(bytea, integer) IS 'any picture file that is read, as a grey PNG file';
