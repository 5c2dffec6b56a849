-- ---------------------------------------------------------------------------
-- fingerprints from pictures
-- ---------------------------------------------------------------------------

-- pixels are 8-bit grey, row by row from the top; dpi is pixels per inch
CREATE FUNCTION fingerprint_from_pixels(pixels bytea, width integer, height integer, dpi float8,
		finger_position integer DEFAULT 0, impression_type integer DEFAULT 0) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_from_pixels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;

COMMENT ON FUNCTION fingerprint_from_pixels(bytea, integer, integer, float8, integer, integer) IS 'the minutiae of a picture of a finger, given its grey levels';

-- the picture as the filters leave it, at 500 dpi: to see what the extractor saw
CREATE FUNCTION enhanced_pixels(pixels bytea, width integer, height integer, dpi float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_enhanced_pixels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION enhanced_pixels(bytea, integer, integer, float8) IS 'the picture of a finger as the extractor sees it, grey levels at 500 dpi';
