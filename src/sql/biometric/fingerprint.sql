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

-- one row for each view: a template, or what is wrong with the view; view is NULL for what is wrong
-- with the whole record
CREATE FUNCTION fingerprint_views(record bytea, strict boolean DEFAULT false,
		OUT view integer, OUT print fingerprint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;

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

