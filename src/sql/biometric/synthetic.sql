-- ---------------------------------------------------------------------------
-- synthetic templates
-- ---------------------------------------------------------------------------

-- impression 0 is a good one; the same finger at another position is another finger
CREATE FUNCTION synthetic_fingerprint(finger bigint, impression integer DEFAULT 0,
		finger_position integer DEFAULT 0) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_synthetic_fingerprint' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

-- the picture of such a finger: 388 x 374 pixels of 500 dpi, 8-bit grey, row by row from the top
CREATE FUNCTION synthetic_fingerprint_image(finger bigint, impression integer DEFAULT 0,
		finger_position integer DEFAULT 0) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_synthetic_fingerprint_image' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000000;

CREATE FUNCTION synthetic_iris(eye bigint, capture integer DEFAULT 0) RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_synthetic_iris' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;


COMMENT ON FUNCTION synthetic_fingerprint(bigint, integer, integer) IS 'a made-up finger for tests: the same arguments always give the same template';
COMMENT ON FUNCTION synthetic_iris(bigint, integer) IS 'a made-up eye for tests: the same arguments always give the same template';
COMMENT ON FUNCTION synthetic_fingerprint_image(bigint, integer, integer) IS 'the picture of a made-up finger, 388 x 374 grey levels';
