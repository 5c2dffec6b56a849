-- ---------------------------------------------------------------------------
-- iris: type, conversions, accessors
-- ---------------------------------------------------------------------------

CREATE TYPE iris;

CREATE FUNCTION iris_in(cstring, oid, integer) RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_out(iris) RETURNS cstring
	AS 'MODULE_PATHNAME', 'biometric_iris_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_recv(internal, oid, integer) RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_send(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_iris_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_iris_typmod_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION iris_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'biometric_iris_typmod_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

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
	AS 'MODULE_PATHNAME', 'biometric_iris_coerce' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE CAST (iris AS iris) WITH FUNCTION iris(iris, integer, boolean) AS IMPLICIT;

-- bits are column-major, least significant bit of a byte first; mask 1 = usable
CREATE FUNCTION iris(code bytea, mask bytea, columns integer, eye text DEFAULT 'unknown') RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_from_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- one bit of the mask for the two phase bits of each response
CREATE FUNCTION iris_from_paired_mask(code bytea, mask bytea, columns integer, eye text DEFAULT 'unknown') RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_from_paired_mask' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the serialised arrays of an open-iris template, rows x columns x wavelets x 2
CREATE FUNCTION iris_from_open_iris(code text, mask text, eye text DEFAULT 'unknown',
		rows integer DEFAULT 16, columns integer DEFAULT 256, wavelets integer DEFAULT 2) RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_from_open_iris' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION open_iris_code(iris, wavelets integer DEFAULT 2) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_iris_open_iris_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION open_iris_mask(iris, wavelets integer DEFAULT 2) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_iris_open_iris_mask' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION code(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_iris_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION mask(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_iris_mask' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION paired_mask(iris) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_iris_mask_of_pairs' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION eye(iris) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_iris_eye' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION columns(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_iris_columns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION bits_per_column(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_iris_bits_per_column' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION usable_bits(iris) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_iris_usable_bits_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION quality_score(iris) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_iris_quality_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

CREATE FUNCTION template_problems(iris) RETURNS text[]
	AS 'MODULE_PATHNAME', 'biometric_iris_template_problems' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- support function of iris_ops
CREATE FUNCTION iris_modality(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_iris_modality' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON TYPE iris IS 'one eye''s iris code and mask, of any geometry';
COMMENT ON FUNCTION iris_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION iris_out(iris) IS 'I/O';
COMMENT ON FUNCTION iris_recv(internal, oid, integer) IS 'I/O';
COMMENT ON FUNCTION iris_send(iris) IS 'I/O';
COMMENT ON FUNCTION iris_typmod_in(cstring[]) IS 'I/O typmod';
COMMENT ON FUNCTION iris_typmod_out(integer) IS 'I/O typmod';
COMMENT ON FUNCTION iris(iris, integer, boolean) IS 'adjust iris() to typmod geometry';
COMMENT ON CAST (iris AS iris) IS 'refuses a code whose geometry is not the column''s';
COMMENT ON FUNCTION iris(bytea, bytea, integer, text) IS 'an iris from code and mask: bits column-major, least significant first; mask 1 = usable';
COMMENT ON FUNCTION iris_from_paired_mask(bytea, bytea, integer, text) IS 'an iris from a code, and a mask with one bit for two of the code';
COMMENT ON FUNCTION iris_from_open_iris(text, text, text, integer, integer, integer) IS 'an iris from the serialised arrays of an open-iris template';
COMMENT ON FUNCTION open_iris_code(iris, integer) IS 'the code as a serialised array of an open-iris template';
COMMENT ON FUNCTION open_iris_mask(iris, integer) IS 'the mask as a serialised array of an open-iris template';
COMMENT ON FUNCTION code(iris) IS 'the code: bits column-major, least significant first';
COMMENT ON FUNCTION mask(iris) IS 'the mask, as the code; 1 = usable';
COMMENT ON FUNCTION paired_mask(iris) IS 'the mask with one bit for two; an error if two differ';
COMMENT ON FUNCTION eye(iris) IS 'the eye: left, right, unknown';
COMMENT ON FUNCTION columns(iris) IS 'number of angular columns';
COMMENT ON FUNCTION bits_per_column(iris) IS 'bits in each column';
COMMENT ON FUNCTION usable_bits(iris) IS 'number of bits that count in a comparison: allowed by the mask, and with information';
COMMENT ON FUNCTION quality_score(iris) IS 'usable bits in percent of the code, 0 to 100; 0 if there are too few to compare';
COMMENT ON FUNCTION template_problems(iris) IS 'what to look at before this template is enrolled';
