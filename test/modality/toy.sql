-- ---------------------------------------------------------------------------
-- toy: equality, matching, index, candidate lists
-- ---------------------------------------------------------------------------

-- This file is written once and stamped for each type: toy is the type's
-- name, 10 what it costs to take features from two templates.  The type,
-- its input and output functions and toy_modality() exist already.

-- Equal are templates that agree in every byte.  The bytes are ordered and
-- hashed as those of a bytea.
CREATE FUNCTION toy_eq(toy, toy) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_ne(toy, toy) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_lt(toy, toy) RETURNS boolean
	AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_le(toy, toy) RETURNS boolean
	AS 'byteale' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_gt(toy, toy) RETURNS boolean
	AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_ge(toy, toy) RETURNS boolean
	AS 'byteage' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_cmp(toy, toy) RETURNS integer
	AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_hash(toy) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION toy_hash_extended(toy, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR = (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);

CREATE OPERATOR <> (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);

CREATE OPERATOR < (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

CREATE OPERATOR <= (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

CREATE OPERATOR > (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

CREATE OPERATOR >= (
	LEFTARG = toy, RIGHTARG = toy, FUNCTION = toy_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS toy_btree_ops DEFAULT FOR TYPE toy USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 toy_cmp(toy, toy),
	FUNCTION 4 (toy, toy) btequalimage(oid);

CREATE OPERATOR CLASS toy_hash_ops DEFAULT FOR TYPE toy USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 toy_hash(toy),
	FUNCTION 2 toy_hash_extended(toy, bigint);

-- a template and the lowest score that is a match
CREATE TYPE toy_probe;

CREATE FUNCTION toy_probe_in(cstring) RETURNS toy_probe
	AS '$libdir/biometric', 'biometric_probe_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION toy_probe_out(toy_probe) RETURNS cstring
	AS '$libdir/biometric', 'biometric_probe_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION toy_probe_recv(internal) RETURNS toy_probe
	AS '$libdir/biometric', 'biometric_probe_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION toy_probe_send(toy_probe) RETURNS bytea
	AS '$libdir/biometric', 'biometric_probe_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE toy_probe (
	INPUT = toy_probe_in,
	OUTPUT = toy_probe_out,
	RECEIVE = toy_probe_recv,
	SEND = toy_probe_send,
	STORAGE = external
);

CREATE FUNCTION probe(toy, min_score float8) RETURNS toy_probe
	AS '$libdir/biometric', 'biometric_probe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

-- These functions cannot fail on any data and reveal nothing but their result:
-- leakproof, so that row-level security keeps the index.

CREATE FUNCTION toy_distance(toy, toy) RETURNS float8
	AS '$libdir/biometric', 'biometric_distance' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10 SUPPORT biometric_match_support;

CREATE FUNCTION match_score(toy, toy) RETURNS float8
	AS '$libdir/biometric', 'biometric_match_score' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10 SUPPORT biometric_match_support;

CREATE FUNCTION matches(a toy, b toy, min_score float8) RETURNS boolean
	AS '$libdir/biometric', 'biometric_matches' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10 SUPPORT biometric_matches_support;

-- STABLE: reads biometric.match_threshold
CREATE FUNCTION toy_match(toy, toy) RETURNS boolean
	AS '$libdir/biometric', 'biometric_match' LANGUAGE C
	STABLE STRICT PARALLEL SAFE LEAKPROOF COST 10 SUPPORT biometric_match_support;

CREATE FUNCTION toy_match(toy, toy_probe) RETURNS boolean
	AS '$libdir/biometric', 'biometric_match_probe' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10;

CREATE FUNCTION toy_match(toy_probe, toy) RETURNS boolean
	AS '$libdir/biometric', 'biometric_probe_match' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 10;

CREATE OPERATOR <-> (
	LEFTARG = toy, RIGHTARG = toy,
	FUNCTION = toy_distance, COMMUTATOR = <->
);

CREATE OPERATOR % (
	LEFTARG = toy, RIGHTARG = toy,
	FUNCTION = toy_match, COMMUTATOR = %,
	RESTRICT = biometric_match_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = toy, RIGHTARG = toy_probe,
	FUNCTION = toy_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = toy_probe, RIGHTARG = toy,
	FUNCTION = toy_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR CLASS toy_ops DEFAULT FOR TYPE toy USING biometric AS
	OPERATOR 1 <-> (toy, toy) FOR ORDER BY float_ops,
	OPERATOR 2 % (toy, toy),
	OPERATOR 3 % (toy, toy_probe),
	FUNCTION 1 toy_modality(internal);

-- Candidate lists.  Not strict: optional arguments may be NULL.  They read with
-- the rights of the caller and in the snapshot of the query.

CREATE FUNCTION identify(gallery regclass, template_column name, probe toy,
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, key_columns name[] DEFAULT NULL,
		without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT key jsonb, OUT score float8, OUT fpir float8, OUT verdict text,
		OUT searched bigint)
	RETURNS SETOF record
	AS '$libdir/biometric', 'biometric_identify' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

-- several probes of one person against persons of several templates
CREATE FUNCTION identify(gallery regclass, person_column name, template_column name,
		probes toy[],
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, search_depth integer DEFAULT NULL,
		key_columns name[] DEFAULT NULL, without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT person text, OUT score float8, OUT sources integer,
		OUT fused_score float8, OUT fpir float8, OUT verdict text, OUT evidence jsonb,
		OUT searched bigint, OUT depth integer,
		OUT unseen_score float8)
	RETURNS SETOF record
	AS '$libdir/biometric', 'biometric_identify_persons' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

COMMENT ON FUNCTION toy_eq(toy, toy) IS 'implementation of = operator';
COMMENT ON FUNCTION toy_ne(toy, toy) IS 'implementation of <> operator';
COMMENT ON FUNCTION toy_lt(toy, toy) IS 'implementation of < operator';
COMMENT ON FUNCTION toy_le(toy, toy) IS 'implementation of <= operator';
COMMENT ON FUNCTION toy_gt(toy, toy) IS 'implementation of > operator';
COMMENT ON FUNCTION toy_ge(toy, toy) IS 'implementation of >= operator';
COMMENT ON FUNCTION toy_cmp(toy, toy) IS 'less-equal-greater, by bytes';
COMMENT ON FUNCTION toy_hash(toy) IS 'hash';
COMMENT ON FUNCTION toy_hash_extended(toy, bigint) IS 'hash with a seed';
COMMENT ON OPERATOR = (toy, toy) IS 'the same template, byte by byte; not: the same person';
COMMENT ON OPERATOR <> (toy, toy) IS 'not the same template';
COMMENT ON OPERATOR < (toy, toy) IS 'less than, by bytes: an order without meaning';
COMMENT ON OPERATOR <= (toy, toy) IS 'less than or equal, by bytes: an order without meaning';
COMMENT ON OPERATOR > (toy, toy) IS 'greater than, by bytes: an order without meaning';
COMMENT ON OPERATOR >= (toy, toy) IS 'greater than or equal, by bytes: an order without meaning';
COMMENT ON OPERATOR CLASS toy_btree_ops USING btree IS 'templates by bytes: unique constraints, DISTINCT, merge joins';
COMMENT ON OPERATOR FAMILY toy_btree_ops USING btree IS 'templates by bytes: unique constraints, DISTINCT, merge joins';
COMMENT ON OPERATOR CLASS toy_hash_ops USING hash IS 'equal templates: GROUP BY, hash joins';
COMMENT ON OPERATOR FAMILY toy_hash_ops USING hash IS 'equal templates: GROUP BY, hash joins';
COMMENT ON TYPE toy_probe IS 'a toy with the lowest score that is a match: right-hand side of %';
COMMENT ON FUNCTION toy_probe_in(cstring) IS 'I/O';
COMMENT ON FUNCTION toy_probe_out(toy_probe) IS 'I/O';
COMMENT ON FUNCTION toy_probe_recv(internal) IS 'I/O';
COMMENT ON FUNCTION toy_probe_send(toy_probe) IS 'I/O';
COMMENT ON FUNCTION probe(toy, float8) IS 'a template with the lowest score that is a match, for template % probe(..)';
COMMENT ON FUNCTION toy_distance(toy, toy) IS 'implementation of <-> operator';
COMMENT ON FUNCTION match_score(toy, toy) IS 'score of two templates: decibans of the false match rate, -10 log10(FMR)';
COMMENT ON FUNCTION matches(toy, toy, float8) IS 'whether two templates score at least min_score; an index can answer it';
COMMENT ON FUNCTION toy_match(toy, toy) IS 'implementation of % operator';
COMMENT ON FUNCTION toy_match(toy, toy_probe) IS 'implementation of % operator';
COMMENT ON FUNCTION toy_match(toy_probe, toy) IS 'implementation of % operator';
COMMENT ON OPERATOR <-> (toy, toy) IS 'distance of two templates: ORDER BY it for the nearest first';
COMMENT ON OPERATOR % (toy, toy) IS 'match: the score is at least biometric.match_threshold';
COMMENT ON OPERATOR % (toy, toy_probe) IS 'match: the score is at least the minimum in the probe';
COMMENT ON OPERATOR % (toy_probe, toy) IS 'match: the score is at least the minimum in the probe';
COMMENT ON OPERATOR CLASS toy_ops USING biometric IS 'search of a toy gallery: ORDER BY column <-> q, column % q, column % probe(q, s)';
COMMENT ON OPERATOR FAMILY toy_ops USING biometric IS 'search of a toy gallery: ORDER BY column <-> q, column % q, column % probe(q, s)';
COMMENT ON FUNCTION toy_modality(internal) IS 'support function 1: what the index and the searches know of the type';
COMMENT ON FUNCTION identify(regclass, name, toy, integer, jsonb, float8, float8, bigint, name[], name[])
	IS 'candidate list: the k rows of a gallery that are nearest to a probe';
COMMENT ON FUNCTION identify(regclass, name, name, toy[], integer, jsonb, float8, float8, bigint, integer, name[], name[])
	IS 'candidate list: the k likeliest persons of a gallery for several probes of one person';

