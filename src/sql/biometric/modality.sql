-- ---------------------------------------------------------------------------
-- @type@: equality, matching, index, candidate lists
-- ---------------------------------------------------------------------------

-- This file is written once and stamped for each type: @type@ is the type's
-- name, @cost@ what it costs to take features from two templates.  The type,
-- its input and output functions and @type@_modality() exist already.

-- Equal are templates that agree in every byte.  The bytes are ordered and
-- hashed as those of a bytea.
CREATE FUNCTION @type@_eq(@type@, @type@) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_ne(@type@, @type@) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_lt(@type@, @type@) RETURNS boolean
	AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_le(@type@, @type@) RETURNS boolean
	AS 'byteale' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_gt(@type@, @type@) RETURNS boolean
	AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_ge(@type@, @type@) RETURNS boolean
	AS 'byteage' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_cmp(@type@, @type@) RETURNS integer
	AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_hash(@type@) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION @type@_hash_extended(@type@, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR = (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);

CREATE OPERATOR <> (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);

CREATE OPERATOR < (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

CREATE OPERATOR <= (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

CREATE OPERATOR > (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

CREATE OPERATOR >= (
	LEFTARG = @type@, RIGHTARG = @type@, FUNCTION = @type@_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS @type@_btree_ops DEFAULT FOR TYPE @type@ USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 @type@_cmp(@type@, @type@),
	FUNCTION 4 (@type@, @type@) btequalimage(oid);

CREATE OPERATOR CLASS @type@_hash_ops DEFAULT FOR TYPE @type@ USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 @type@_hash(@type@),
	FUNCTION 2 @type@_hash_extended(@type@, bigint);

-- a template and the lowest score that is a match
CREATE TYPE @type@_probe;

CREATE FUNCTION @type@_probe_in(cstring) RETURNS @type@_probe
	AS 'MODULE_PATHNAME', 'biometric_probe_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @type@_probe_out(@type@_probe) RETURNS cstring
	AS 'MODULE_PATHNAME', 'biometric_probe_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @type@_probe_recv(internal) RETURNS @type@_probe
	AS 'MODULE_PATHNAME', 'biometric_probe_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION @type@_probe_send(@type@_probe) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_probe_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE @type@_probe (
	INPUT = @type@_probe_in,
	OUTPUT = @type@_probe_out,
	RECEIVE = @type@_probe_recv,
	SEND = @type@_probe_send,
	STORAGE = external
);

CREATE FUNCTION probe(@type@, min_score float8) RETURNS @type@_probe
	AS 'MODULE_PATHNAME', 'biometric_probe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

-- These functions cannot fail on any data and reveal nothing but their result:
-- leakproof, so that row-level security keeps the index.

CREATE FUNCTION @type@_distance(@type@, @type@) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_distance' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@ SUPPORT biometric_match_support;

CREATE FUNCTION match_score(@type@, @type@) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_match_score' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@ SUPPORT biometric_match_support;

CREATE FUNCTION matches(a @type@, b @type@, min_score float8) RETURNS boolean
	AS 'MODULE_PATHNAME', 'biometric_matches' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@ SUPPORT biometric_matches_support;

-- STABLE: reads biometric.match_threshold
CREATE FUNCTION @type@_match(@type@, @type@) RETURNS boolean
	AS 'MODULE_PATHNAME', 'biometric_match' LANGUAGE C
	STABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@ SUPPORT biometric_match_support;

CREATE FUNCTION @type@_match(@type@, @type@_probe) RETURNS boolean
	AS 'MODULE_PATHNAME', 'biometric_match_probe' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@;

CREATE FUNCTION @type@_match(@type@_probe, @type@) RETURNS boolean
	AS 'MODULE_PATHNAME', 'biometric_probe_match' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST @cost@;

CREATE OPERATOR <-> (
	LEFTARG = @type@, RIGHTARG = @type@,
	FUNCTION = @type@_distance, COMMUTATOR = <->
);

CREATE OPERATOR % (
	LEFTARG = @type@, RIGHTARG = @type@,
	FUNCTION = @type@_match, COMMUTATOR = %,
	RESTRICT = biometric_match_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = @type@, RIGHTARG = @type@_probe,
	FUNCTION = @type@_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = @type@_probe, RIGHTARG = @type@,
	FUNCTION = @type@_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR CLASS @type@_ops DEFAULT FOR TYPE @type@ USING biometric AS
	OPERATOR 1 <-> (@type@, @type@) FOR ORDER BY float_ops,
	OPERATOR 2 % (@type@, @type@),
	OPERATOR 3 % (@type@, @type@_probe),
	FUNCTION 1 @type@_modality(internal);

-- Candidate lists.  Not strict: optional arguments may be NULL.  They read with
-- the rights of the caller and in the snapshot of the query.

CREATE FUNCTION identify(gallery regclass, template_column name, probe @type@,
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, key_columns name[] DEFAULT NULL,
		without_servers name[] DEFAULT NULL,
		min_verdict text DEFAULT 'none', min_score float8 DEFAULT NULL,
		calibration text DEFAULT NULL,
		OUT rank integer, OUT key jsonb, OUT score float8, OUT fpir float8, OUT verdict text,
		OUT searched bigint, OUT fpir_bound boolean, OUT used_calibration text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_identify' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

-- several probes of one person against persons of several templates
CREATE FUNCTION identify(gallery regclass, person_column name, template_column name,
		probes @type@[],
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, search_depth integer DEFAULT NULL,
		key_columns name[] DEFAULT NULL, without_servers name[] DEFAULT NULL,
		min_verdict text DEFAULT 'none', min_score float8 DEFAULT NULL,
		calibration text DEFAULT NULL,
		OUT rank integer, OUT person text, OUT score float8, OUT sources integer,
		OUT fused_score float8, OUT fpir float8, OUT verdict text, OUT evidence jsonb,
		OUT searched bigint, OUT depth integer,
		OUT unseen_score float8, OUT fpir_bound boolean, OUT used_calibration text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_identify_persons' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

COMMENT ON FUNCTION @type@_eq(@type@, @type@) IS 'implementation of = operator';
COMMENT ON FUNCTION @type@_ne(@type@, @type@) IS 'implementation of <> operator';
COMMENT ON FUNCTION @type@_lt(@type@, @type@) IS 'implementation of < operator';
COMMENT ON FUNCTION @type@_le(@type@, @type@) IS 'implementation of <= operator';
COMMENT ON FUNCTION @type@_gt(@type@, @type@) IS 'implementation of > operator';
COMMENT ON FUNCTION @type@_ge(@type@, @type@) IS 'implementation of >= operator';
COMMENT ON FUNCTION @type@_cmp(@type@, @type@) IS 'less-equal-greater, by bytes';
COMMENT ON FUNCTION @type@_hash(@type@) IS 'hash';
COMMENT ON FUNCTION @type@_hash_extended(@type@, bigint) IS 'hash with a seed';
COMMENT ON OPERATOR = (@type@, @type@) IS 'the same template, byte by byte; not: the same person';
COMMENT ON OPERATOR <> (@type@, @type@) IS 'not the same template';
COMMENT ON OPERATOR < (@type@, @type@) IS 'less than, by bytes: an order without meaning';
COMMENT ON OPERATOR <= (@type@, @type@) IS 'less than or equal, by bytes: an order without meaning';
COMMENT ON OPERATOR > (@type@, @type@) IS 'greater than, by bytes: an order without meaning';
COMMENT ON OPERATOR >= (@type@, @type@) IS 'greater than or equal, by bytes: an order without meaning';
COMMENT ON OPERATOR CLASS @type@_btree_ops USING btree IS 'templates by bytes: unique constraints, DISTINCT, merge joins';
COMMENT ON OPERATOR FAMILY @type@_btree_ops USING btree IS 'templates by bytes: unique constraints, DISTINCT, merge joins';
COMMENT ON OPERATOR CLASS @type@_hash_ops USING hash IS 'equal templates: GROUP BY, hash joins';
COMMENT ON OPERATOR FAMILY @type@_hash_ops USING hash IS 'equal templates: GROUP BY, hash joins';
COMMENT ON TYPE @type@_probe IS 'a @type@ with the lowest score that is a match: right-hand side of %';
COMMENT ON FUNCTION @type@_probe_in(cstring) IS 'I/O';
COMMENT ON FUNCTION @type@_probe_out(@type@_probe) IS 'I/O';
COMMENT ON FUNCTION @type@_probe_recv(internal) IS 'I/O';
COMMENT ON FUNCTION @type@_probe_send(@type@_probe) IS 'I/O';
COMMENT ON FUNCTION probe(@type@, float8) IS 'a template with the lowest score that is a match, for template % probe(..)';
COMMENT ON FUNCTION @type@_distance(@type@, @type@) IS 'implementation of <-> operator';
COMMENT ON FUNCTION match_score(@type@, @type@) IS 'score of two templates: decibans of the false match rate, -10 log10(FMR)';
COMMENT ON FUNCTION matches(@type@, @type@, float8) IS 'whether two templates score at least min_score; an index can answer it';
COMMENT ON FUNCTION @type@_match(@type@, @type@) IS 'implementation of % operator';
COMMENT ON FUNCTION @type@_match(@type@, @type@_probe) IS 'implementation of % operator';
COMMENT ON FUNCTION @type@_match(@type@_probe, @type@) IS 'implementation of % operator';
COMMENT ON OPERATOR <-> (@type@, @type@) IS 'distance of two templates: ORDER BY it for the nearest first';
COMMENT ON OPERATOR % (@type@, @type@) IS 'match: the score is at least biometric.match_threshold';
COMMENT ON OPERATOR % (@type@, @type@_probe) IS 'match: the score is at least the minimum in the probe';
COMMENT ON OPERATOR % (@type@_probe, @type@) IS 'match: the score is at least the minimum in the probe';
COMMENT ON OPERATOR CLASS @type@_ops USING biometric IS 'search of a @type@ gallery: ORDER BY column <-> q, column % q, column % probe(q, s)';
COMMENT ON OPERATOR FAMILY @type@_ops USING biometric IS 'search of a @type@ gallery: ORDER BY column <-> q, column % q, column % probe(q, s)';
COMMENT ON FUNCTION @type@_modality(internal) IS 'support function 1: what the index and the searches know of the type';
COMMENT ON FUNCTION identify(regclass, name, @type@, integer, jsonb, float8, float8, bigint, name[], name[], text, float8, text)
	IS 'candidate list: the k rows of a gallery that are nearest to a probe';
COMMENT ON FUNCTION identify(regclass, name, name, @type@[], integer, jsonb, float8, float8, bigint, integer, name[], name[], text, float8, text)
	IS 'candidate list: the k likeliest persons of a gallery for several probes of one person';

