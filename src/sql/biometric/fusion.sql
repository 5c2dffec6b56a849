-- ---------------------------------------------------------------------------
-- several fingers and eyes of one person
-- ---------------------------------------------------------------------------

CREATE FUNCTION fuse_add(float8, float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fuse_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_add(internal, float8, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_fuse_add_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_add(internal, float8, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_fuse_add_integer' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_fuse_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fuse_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fuse_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_fuse_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fuse_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fuse_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;

-- the sum, of scores that are of different fingers and eyes
CREATE AGGREGATE fuse(score float8) (
	SFUNC = fuse_add, STYPE = float8, COMBINEFUNC = fuse_add, PARALLEL = SAFE
);

-- the same where several scores may be of one finger or eye: the best counts
CREATE AGGREGATE fuse(score float8, source text) (
	SFUNC = fuse_add, STYPE = internal, SSPACE = 512, FINALFUNC = fuse_final,
	COMBINEFUNC = fuse_combine, SERIALFUNC = fuse_serialize, DESERIALFUNC = fuse_deserialize,
	PARALLEL = SAFE
);

CREATE AGGREGATE fuse(score float8, source integer) (
	SFUNC = fuse_add, STYPE = internal, SSPACE = 512, FINALFUNC = fuse_final,
	COMBINEFUNC = fuse_combine, SERIALFUNC = fuse_serialize, DESERIALFUNC = fuse_deserialize,
	PARALLEL = SAFE
);

-- a sum of scores of so many fingers and eyes, in decibans of its own false match rate
CREATE FUNCTION fused_score(sum float8, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- what a sum of scores of so many fingers and eyes means for a gallery
CREATE FUNCTION fpir(score float8, gallery_size bigint, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_fpir' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION score_threshold(fpir float8, gallery_size bigint, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_score_threshold' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE;

-- the score that at least one of so many fingers and eyes has, if the sum is that threshold
CREATE FUNCTION best_score_threshold(fpir float8, gallery_size bigint, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_best_score_threshold' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION fuse_add(float8, float8) IS 'aggregate transition function of fuse';
COMMENT ON FUNCTION fuse_add(internal, float8, text) IS 'aggregate transition function of fuse';
COMMENT ON FUNCTION fuse_add(internal, float8, integer) IS 'aggregate transition function of fuse';
COMMENT ON FUNCTION fuse_combine(internal, internal) IS 'aggregate combine function of fuse';
COMMENT ON FUNCTION fuse_serialize(internal) IS 'aggregate serial function of fuse';
COMMENT ON FUNCTION fuse_deserialize(bytea, internal) IS 'aggregate deserial function of fuse';
COMMENT ON FUNCTION fuse_final(internal) IS 'aggregate final function of fuse';
COMMENT ON AGGREGATE fuse(float8) IS 'sum of the scores of different fingers and eyes of one person';
COMMENT ON AGGREGATE fuse(float8, text) IS 'sum of scores, of each finger or eye the best';
COMMENT ON AGGREGATE fuse(float8, integer) IS 'sum of scores, of each finger or eye the best';
COMMENT ON FUNCTION fused_score(float8, integer) IS 'a sum of so many scores, in decibans of its own false match rate';
COMMENT ON FUNCTION fpir(float8, bigint, integer) IS 'false positive identification rate of a sum of so many scores';
COMMENT ON FUNCTION score_threshold(float8, bigint, integer) IS 'the sum of so many scores from which the false positive identification rate is at most fpir';
COMMENT ON FUNCTION best_score_threshold(float8, bigint, integer) IS 'the least best score of so many, if their sum reaches the threshold: what a search of each has to find';
