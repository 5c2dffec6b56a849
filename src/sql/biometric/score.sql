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
