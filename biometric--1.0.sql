/* biometric--1.0.sql */

\echo Use "CREATE EXTENSION biometric" to load this file. \quit

-- ---------------------------------------------------------------------------
-- fingerprint: type, records in and out, accessors
-- ---------------------------------------------------------------------------

CREATE TYPE fingerprint;

CREATE FUNCTION fingerprint_in(cstring) RETURNS fingerprint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_out(fingerprint) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_recv(internal) RETURNS fingerprint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_send(fingerprint) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- storage external: minutiae do not compress
CREATE TYPE fingerprint (
	INPUT = fingerprint_in,
	OUTPUT = fingerprint_out,
	RECEIVE = fingerprint_recv,
	SEND = fingerprint_send,
	STORAGE = external
);

-- records in: one view of a record, or all of them
CREATE FUNCTION fingerprint(bytea) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'fingerprint_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint(record bytea, view integer, strict boolean DEFAULT false) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'fingerprint_from_view' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprints(record bytea, strict boolean DEFAULT false) RETURNS SETOF fingerprint
	AS 'MODULE_PATHNAME', 'fingerprints_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;

-- records out
CREATE FUNCTION to_iso19794_2(fingerprint) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fingerprint_to_iso19794_2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION to_incits378(fingerprint, cbeff_product bigint DEFAULT 0) RETURNS bytea
	AS 'MODULE_PATHNAME', 'fingerprint_to_incits378' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE CAST (bytea AS fingerprint) WITH FUNCTION fingerprint(bytea);

-- a fingerprint is stored as its ISO/IEC 19794-2:2005 record
CREATE CAST (fingerprint AS bytea) WITHOUT FUNCTION;

CREATE FUNCTION finger_position(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'fingerprint_position' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION view_number(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'fingerprint_view' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION impression_type(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'fingerprint_impression' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION quality(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'fingerprint_quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION minutia_count(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'fingerprint_minutia_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION capture_device(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'fingerprint_device' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- pixels, and pixels per centimetre
CREATE FUNCTION image_width(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'fingerprint_width' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION image_height(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'fingerprint_height' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION horizontal_resolution(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'fingerprint_x_resolution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION vertical_resolution(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'fingerprint_y_resolution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- x and y in pixels from the upper left, angle in degrees counter-clockwise from east
CREATE FUNCTION minutiae(fingerprint,
		OUT n integer, OUT x integer, OUT y integer, OUT angle float8, OUT type text, OUT quality smallint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fingerprint_minutiae' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 40;

-- Equal are templates that agree in every byte.  The bytes are ordered and
-- hashed as those of a bytea.
CREATE FUNCTION fingerprint_eq(fingerprint, fingerprint) RETURNS boolean
	AS 'byteaeq' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_ne(fingerprint, fingerprint) RETURNS boolean
	AS 'byteane' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_lt(fingerprint, fingerprint) RETURNS boolean
	AS 'bytealt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_le(fingerprint, fingerprint) RETURNS boolean
	AS 'byteale' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_gt(fingerprint, fingerprint) RETURNS boolean
	AS 'byteagt' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_ge(fingerprint, fingerprint) RETURNS boolean
	AS 'byteage' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_cmp(fingerprint, fingerprint) RETURNS integer
	AS 'byteacmp' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_hash(fingerprint) RETURNS integer
	AS 'hashvarlena' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE FUNCTION fingerprint_hash_extended(fingerprint, bigint) RETURNS bigint
	AS 'hashvarlenaextended' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

CREATE OPERATOR = (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);

CREATE OPERATOR <> (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);

CREATE OPERATOR < (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);

CREATE OPERATOR <= (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);

CREATE OPERATOR > (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);

CREATE OPERATOR >= (
	LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);

CREATE OPERATOR CLASS fingerprint_btree_ops DEFAULT FOR TYPE fingerprint USING btree AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 fingerprint_cmp(fingerprint, fingerprint),
	FUNCTION 4 (fingerprint, fingerprint) btequalimage(oid);

CREATE OPERATOR CLASS fingerprint_hash_ops DEFAULT FOR TYPE fingerprint USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 fingerprint_hash(fingerprint),
	FUNCTION 2 fingerprint_hash_extended(fingerprint, bigint);

-- ---------------------------------------------------------------------------
-- fingerprint: matching
-- ---------------------------------------------------------------------------

-- a template and the lowest score that is a match
CREATE TYPE fingerprint_probe;

CREATE FUNCTION fingerprint_probe_in(cstring) RETURNS fingerprint_probe
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_probe_out(fingerprint_probe) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_probe_recv(internal) RETURNS fingerprint_probe
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_probe_send(fingerprint_probe) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE fingerprint_probe (
	INPUT = fingerprint_probe_in,
	OUTPUT = fingerprint_probe_out,
	RECEIVE = fingerprint_probe_recv,
	SEND = fingerprint_probe_send,
	STORAGE = extended
);

CREATE FUNCTION probe(fingerprint, min_score float8) RETURNS fingerprint_probe
	AS 'MODULE_PATHNAME', 'fingerprint_probe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF;

-- The functions behind the operators cannot fail on any data and reveal
-- nothing but their result: leakproof, so that row-level security keeps the
-- index.  Their cost is that of taking features from a row's template.

CREATE FUNCTION fingerprint_distance(fingerprint, fingerprint) RETURNS float8
	AS 'MODULE_PATHNAME', 'fingerprint_distance_sql' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5000;

CREATE FUNCTION match_score(fingerprint, fingerprint) RETURNS float8
	AS 'MODULE_PATHNAME', 'fingerprint_match_score' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5000;

-- STABLE: reads biometric.match_threshold
CREATE FUNCTION fingerprint_match(fingerprint, fingerprint) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE LEAKPROOF COST 5000;

CREATE FUNCTION fingerprint_match(fingerprint, fingerprint_probe) RETURNS boolean
	AS 'MODULE_PATHNAME', 'fingerprint_match_probe' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5000;

CREATE FUNCTION fingerprint_match(fingerprint_probe, fingerprint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'fingerprint_probe_match' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 5000;

CREATE FUNCTION biometric_match_sel(internal, oid, internal, integer) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE FUNCTION biometric_probe_sel(internal, oid, internal, integer) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE FUNCTION biometric_match_joinsel(internal, oid, internal, smallint, internal) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE OPERATOR <-> (
	LEFTARG = fingerprint, RIGHTARG = fingerprint,
	FUNCTION = fingerprint_distance, COMMUTATOR = <->
);

CREATE OPERATOR % (
	LEFTARG = fingerprint, RIGHTARG = fingerprint,
	FUNCTION = fingerprint_match, COMMUTATOR = %,
	RESTRICT = biometric_match_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = fingerprint, RIGHTARG = fingerprint_probe,
	FUNCTION = fingerprint_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

CREATE OPERATOR % (
	LEFTARG = fingerprint_probe, RIGHTARG = fingerprint,
	FUNCTION = fingerprint_match, COMMUTATOR = %,
	RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel
);

-- support function of fingerprint_ops
CREATE FUNCTION fingerprint_modality(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

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

-- the bit-counting kernels of this build: which this processor supports, and which is used
CREATE FUNCTION biometric_kernels(OUT kernel text, OUT supported boolean, OUT chosen boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- synthetic templates
-- ---------------------------------------------------------------------------

-- impression 0 is a good one; the same finger at another position is another finger
CREATE FUNCTION synthetic_fingerprint(finger bigint, impression integer DEFAULT 0,
		finger_position integer DEFAULT 0) RETURNS fingerprint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;

CREATE FUNCTION synthetic_iris(eye bigint, capture integer DEFAULT 0) RETURNS iris
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- access method and operator classes
-- ---------------------------------------------------------------------------

CREATE FUNCTION biometric_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE ACCESS METHOD biometric TYPE INDEX HANDLER biometric_handler;

COMMENT ON ACCESS METHOD biometric IS 'exact search of biometric galleries';

CREATE OPERATOR CLASS fingerprint_ops DEFAULT FOR TYPE fingerprint USING biometric AS
	OPERATOR 1 <-> (fingerprint, fingerprint) FOR ORDER BY float_ops,
	OPERATOR 2 % (fingerprint, fingerprint),
	OPERATOR 3 % (fingerprint, fingerprint_probe),
	FUNCTION 1 fingerprint_modality(internal);

CREATE OPERATOR CLASS iris_ops DEFAULT FOR TYPE iris USING biometric AS
	OPERATOR 1 <-> (iris, iris) FOR ORDER BY float_ops,
	OPERATOR 2 % (iris, iris),
	OPERATOR 3 % (iris, iris_probe),
	FUNCTION 1 iris_modality(internal);

-- ---------------------------------------------------------------------------
-- inspection of an index
-- ---------------------------------------------------------------------------

-- Both are for the owner of the index and members of pg_stat_scan_tables.

-- what the index holds; pages include the metapage, empty_pages hold no entry
CREATE FUNCTION biometric_index_stats(index regclass,
	OUT format_version integer, OUT features_version integer, OUT modality text,
	OUT pages bigint, OUT empty_pages bigint,
	OUT entries bigint, OUT null_entries bigint,
	OUT entry_bytes bigint, OUT free_bytes bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

-- raises an error if the index is damaged; with heapallindexed also if a row
-- of the table is not in it, or not with the features of its template
CREATE FUNCTION biometric_index_check(index regclass, heapallindexed boolean DEFAULT false)
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

-- ---------------------------------------------------------------------------
-- what a score means for a gallery
-- ---------------------------------------------------------------------------

-- share of searches of people who are not enrolled that return somebody
CREATE FUNCTION fpir(score float8, gallery_size bigint) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fpir' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the score from which that share is at most fpir
CREATE FUNCTION score_threshold(fpir float8, gallery_size bigint) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_score_threshold' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
