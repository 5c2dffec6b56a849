-- ---------------------------------------------------------------------------
-- evidence
-- ---------------------------------------------------------------------------

-- The minutiae that the comparison pairs, the heaviest first, then those without
-- a partner; n as in minutiae().
CREATE FUNCTION match_pairs(a fingerprint, b fingerprint,
		OUT a_minutia integer, OUT b_minutia integer, OUT weight float8, OUT distance float8, OUT in_overlap boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_match_pairs' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 60 COST 1000;

CREATE FUNCTION match_bits(a iris, b iris, OUT rotation integer, OUT common integer, OUT differing integer)
	AS 'MODULE_PATHNAME', 'biometric_iris_match_bits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

-- Not strict: what is not given is left out.  NULL without a template.
CREATE FUNCTION svg(fingerprint, caption text DEFAULT NULL, picture bytea DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_svg' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION svg(iris, caption text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_iris_svg' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
CREATE FUNCTION match_svg(a fingerprint, b fingerprint, caption text DEFAULT NULL,
		a_picture bytea DEFAULT NULL, b_picture bytea DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_match_svg' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
CREATE FUNCTION match_svg(a iris, b iris, caption text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_iris_match_svg' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;


COMMENT ON FUNCTION match_pairs(fingerprint, fingerprint) IS 'the minutiae that the comparison pairs, those that count most first, then those without a partner';
COMMENT ON FUNCTION match_bits(iris, iris) IS 'the rotation that decided, and the bits compared in it';
COMMENT ON FUNCTION svg(fingerprint, text, bytea) IS 'a picture of the minutiae (SVG)';
COMMENT ON FUNCTION svg(iris, text) IS 'a picture of the code (SVG)';
COMMENT ON FUNCTION match_svg(fingerprint, fingerprint, text, bytea, bytea) IS 'a picture of both fingers and the minutiae that the comparison pairs (SVG)';
COMMENT ON FUNCTION match_svg(iris, iris, text) IS 'a picture of both codes and the bits that differ (SVG)';
