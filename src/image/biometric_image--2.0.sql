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

-- The resolution to extract with: what is given, else what the file states.
CREATE FUNCTION picture_resolution(given float8, horizontal float8, vertical float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_image_resolution' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION picture_resolution(float8, float8, float8) IS
	'internal: the resolution that fingerprint_from_image uses';

-- A template of a picture.  Finger position and impression type are those given,
-- else those of a finger image record, else 0.  Positions of palms and of several
-- fingers, and impressions that a template cannot state, become 0.
CREATE FUNCTION fingerprint_from_image(image bytea, dpi float8 DEFAULT NULL,
		finger_position integer DEFAULT NULL, impression_type integer DEFAULT NULL,
		which integer DEFAULT 1) RETURNS fingerprint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200000
BEGIN ATOMIC
	SELECT fingerprint_from_pixels(p.pixels, p.width, p.height,
		picture_resolution($2, p.dpi, p.vertical_dpi),
		coalesce($3, CASE WHEN p.finger_position <= 10 THEN p.finger_position END, 0),
		coalesce($4, CASE WHEN p.impression_type IN (0, 1, 2, 3, 8) THEN p.impression_type END, 0))
	FROM image_pixels(image, which) p
	WHERE p.pixels IS NOT NULL;
END;
COMMENT ON FUNCTION fingerprint_from_image(bytea, float8, integer, integer, integer) IS
	'the template of a picture file: PNG, JPEG, JPEG 2000, WSQ, finger image record';

-- all pictures of a finger image record; one of any other file
CREATE FUNCTION fingerprints_from_image(image bytea, dpi float8 DEFAULT NULL) RETURNS SETOF fingerprint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10 COST 200000
BEGIN ATOMIC
	SELECT fingerprint_from_image(image, dpi, which => which)
	FROM generate_series(1, coalesce((image_info(image)).pictures, 1)) which
	ORDER BY which;
END;
COMMENT ON FUNCTION fingerprints_from_image(bytea, float8) IS
	'the templates of all pictures of a finger image record';
