-- ---------------------------------------------------------------------------
-- iris: type, conversions, accessors
-- ---------------------------------------------------------------------------

CREATE TYPE iris;

CREATE FUNCTION iris_in(cstring, oid, integer) RETURNS iris
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_out(iris) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_recv(internal, oid, integer) RETURNS iris
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_send(iris) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- codes do not compress: external
CREATE TYPE iris (
	INPUT = iris_in,
	OUTPUT = iris_out,
	RECEIVE = iris_recv,
	SEND = iris_send,
	TYPMOD_IN = iris_typmod_in,
	TYPMOD_OUT = iris_typmod_out,
	STORAGE = external
);

CREATE FUNCTION iris(iris, integer, boolean) RETURNS iris
	AS 'MODULE_PATHNAME', 'iris_coerce' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE CAST (iris AS iris) WITH FUNCTION iris(iris, integer, boolean) AS IMPLICIT;

-- bits are column-major, least significant bit of a byte first; mask 1 = usable
CREATE FUNCTION iris(code bytea, mask bytea, columns integer, eye text DEFAULT 'unknown') RETURNS iris
	AS 'MODULE_PATHNAME', 'iris_from_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- one bit of the mask for the two phase bits of each response
CREATE FUNCTION iris_from_paired_mask(code bytea, mask bytea, columns integer, eye text DEFAULT 'unknown') RETURNS iris
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the serialised arrays of an open-iris template, rows x columns x wavelets x 2
CREATE FUNCTION iris_from_open_iris(code text, mask text, eye text DEFAULT 'unknown',
		rows integer DEFAULT 16, columns integer DEFAULT 256, wavelets integer DEFAULT 2) RETURNS iris
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION open_iris_code(iris, wavelets integer DEFAULT 2) RETURNS text
	AS 'MODULE_PATHNAME', 'iris_open_iris_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION open_iris_mask(iris, wavelets integer DEFAULT 2) RETURNS text
	AS 'MODULE_PATHNAME', 'iris_open_iris_mask' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION code(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'iris_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION mask(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'iris_mask' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION paired_mask(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'iris_mask_of_pairs' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION eye(iris) RETURNS text
	AS 'MODULE_PATHNAME', 'iris_eye' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION columns(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'iris_columns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION bits_per_column(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'iris_bits_per_column' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION usable_bits(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'iris_usable_bits_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- equality and an order without meaning: DISTINCT, GROUP BY, unique constraints

CREATE FUNCTION iris_eq(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_ne(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_lt(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_le(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_gt(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_ge(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_cmp(iris, iris) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_hash(iris) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION iris_hash_extended(iris, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR = (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);

CREATE OPERATOR <> (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);

CREATE OPERATOR < (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

CREATE OPERATOR <= (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

CREATE OPERATOR > (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

CREATE OPERATOR >= (
	LEFTARG = iris, RIGHTARG = iris, FUNCTION = iris_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS iris_btree_ops DEFAULT FOR TYPE iris USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 iris_cmp(iris, iris);

CREATE OPERATOR CLASS iris_hash_ops DEFAULT FOR TYPE iris USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 iris_hash(iris),
	FUNCTION 2 iris_hash_extended(iris, bigint);

-- ---------------------------------------------------------------------------
-- iris: matching
-- ---------------------------------------------------------------------------

-- a template and the lowest score that is a match
CREATE TYPE iris_probe;

CREATE FUNCTION iris_probe_in(cstring) RETURNS iris_probe
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_probe_out(iris_probe) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_probe_recv(internal) RETURNS iris_probe
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_probe_send(iris_probe) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE iris_probe (
	INPUT = iris_probe_in,
	OUTPUT = iris_probe_out,
	RECEIVE = iris_probe_recv,
	SEND = iris_probe_send,
	STORAGE = external
);

CREATE FUNCTION probe(iris, min_score float8) RETURNS iris_probe
	AS 'MODULE_PATHNAME', 'iris_probe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

-- refuses, when planning, to compare columns declared with different geometries
CREATE FUNCTION iris_match_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- leakproof, and their cost that of taking features from a row's template, as
-- for fingerprints

CREATE FUNCTION iris_distance(iris, iris) RETURNS float8
	AS 'MODULE_PATHNAME', 'iris_distance_sql' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100 SUPPORT iris_match_support;

CREATE FUNCTION match_score(iris, iris) RETURNS float8
	AS 'MODULE_PATHNAME', 'iris_match_score' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100 SUPPORT iris_match_support;

-- STABLE: reads biometric.match_threshold
CREATE FUNCTION iris_match(iris, iris) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C
	STABLE STRICT PARALLEL SAFE LEAKPROOF COST 100 SUPPORT iris_match_support;

CREATE FUNCTION iris_match(iris, iris_probe) RETURNS boolean
	AS 'MODULE_PATHNAME', 'iris_match_probe' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100;

CREATE FUNCTION iris_match(iris_probe, iris) RETURNS boolean
	AS 'MODULE_PATHNAME', 'iris_probe_match' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 100;

CREATE OPERATOR <-> (
	LEFTARG = iris, RIGHTARG = iris,
	FUNCTION = iris_distance, COMMUTATOR = <->
);

CREATE OPERATOR % (
	LEFTARG = iris, RIGHTARG = iris,
	FUNCTION = iris_match, COMMUTATOR = %,
	RESTRICT = biometric_match_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = iris, RIGHTARG = iris_probe,
	FUNCTION = iris_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = iris_probe, RIGHTARG = iris,
	FUNCTION = iris_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

-- support function of iris_ops
CREATE FUNCTION iris_modality(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

