-- ---------------------------------------------------------------------------
-- what a score means for a gallery
-- ---------------------------------------------------------------------------

-- share of searches of people who are not enrolled that return somebody
CREATE FUNCTION fpir(score float8, gallery_size bigint) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fpir' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the score from which that share is at most fpir
CREATE FUNCTION score_threshold(fpir float8, gallery_size bigint) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_score_threshold' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;


COMMENT ON FUNCTION fpir(float8, bigint) IS 'false positive identification rate: share of searches of people not enrolled that return a candidate of at least this score';
COMMENT ON FUNCTION score_threshold(float8, bigint) IS 'the score from which the false positive identification rate is at most fpir';

-- the least rate that identify() shows
CREATE FUNCTION fpir_floor() RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fpir_floor' LANGUAGE C IMMUTABLE PARALLEL SAFE;

-- the highest score of each modality whose false match rate was counted
CREATE FUNCTION score_limits(OUT modality text, OUT score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_score_limits' LANGUAGE C STABLE PARALLEL SAFE ROWS 2;

COMMENT ON FUNCTION fpir_floor() IS 'the least false positive identification rate that is shown: no measurement backs lower ones';
COMMENT ON FUNCTION score_limits() IS 'the highest score of each modality whose false match rate was counted; beyond it rates are bounds';
