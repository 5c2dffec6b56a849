-- ---------------------------------------------------------------------------
-- fingerprint: type, records in and out, accessors
-- ---------------------------------------------------------------------------

CREATE TYPE fingerprint;

CREATE FUNCTION fingerprint_in(cstring) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_out(fingerprint) RETURNS cstring
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_recv(internal) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_send(fingerprint) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

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
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint(record bytea, view integer, strict boolean DEFAULT false) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_from_view' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprints(record bytea, strict boolean DEFAULT false) RETURNS SETOF fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprints_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;

-- one row for each view: a template, or what is wrong with the view; view is NULL for what is wrong
-- with the whole record
CREATE FUNCTION fingerprint_views(record bytea, strict boolean DEFAULT false,
		OUT view integer, OUT print fingerprint, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_views' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;

-- records out
CREATE FUNCTION to_iso19794_2(fingerprint, edition integer DEFAULT 2005) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_to_iso19794_2' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION to_incits378(fingerprint, cbeff_product bigint DEFAULT 0, edition integer DEFAULT 2004) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_to_incits378' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- on assignment: an application inserts bytes without saying what they are
CREATE CAST (bytea AS fingerprint) WITH FUNCTION fingerprint(bytea) AS ASSIGNMENT;

-- a fingerprint is stored as its ISO/IEC 19794-2:2005 record
CREATE CAST (fingerprint AS bytea) WITHOUT FUNCTION;

CREATE FUNCTION finger_position(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_position' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION view_number(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_view' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION impression_type(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_impression' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION quality(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- of the minutiae themselves; quality() is what the record says
CREATE FUNCTION quality_score(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_quality_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION minutia_count(fingerprint) RETURNS smallint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_minutia_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION capture_device(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_device' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- pixels, and pixels per centimetre
CREATE FUNCTION image_width(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_width' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION image_height(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_height' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION horizontal_resolution(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_x_resolution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION vertical_resolution(fingerprint) RETURNS integer
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_y_resolution' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- x and y in pixels from the upper left, angle in degrees counter-clockwise from east
CREATE FUNCTION minutiae(fingerprint,
		OUT n integer, OUT x integer, OUT y integer, OUT angle float8, OUT type text, OUT quality smallint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_minutiae' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 40;

-- support function of fingerprint_ops
CREATE FUNCTION fingerprint_modality(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_modality' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON TYPE fingerprint IS 'one finger''s minutiae: one view of a record, at the precision of ISO/IEC 19794-2:2005';
COMMENT ON FUNCTION fingerprint_in(cstring) IS 'I/O';
COMMENT ON FUNCTION fingerprint_out(fingerprint) IS 'I/O';
COMMENT ON FUNCTION fingerprint_recv(internal) IS 'I/O';
COMMENT ON FUNCTION fingerprint_send(fingerprint) IS 'I/O';
COMMENT ON FUNCTION fingerprint(bytea) IS 'the only view of a record';
COMMENT ON FUNCTION fingerprint(bytea, integer, boolean) IS 'one view of a record, counted from 1';
COMMENT ON FUNCTION fingerprints(bytea, boolean) IS 'all views of a record, in its order';
COMMENT ON FUNCTION fingerprint_views(bytea, boolean) IS 'all views of a record: number, template or NULL, and what is wrong with the view';
COMMENT ON FUNCTION to_iso19794_2(fingerprint, integer) IS 'ISO/IEC 19794-2:2005 record';
COMMENT ON FUNCTION to_incits378(fingerprint, bigint, integer) IS 'ANSI/INCITS 378-2004 record';
COMMENT ON CAST (bytea AS fingerprint) IS 'the only view of a record';
COMMENT ON CAST (fingerprint AS bytea) IS 'ISO/IEC 19794-2:2005 record';
COMMENT ON FUNCTION finger_position(fingerprint) IS 'finger: 0 unknown, 1 right thumb .. 5 right little, 6 left thumb .. 10 left little';
COMMENT ON FUNCTION view_number(fingerprint) IS 'number of the view, as the record says';
COMMENT ON FUNCTION impression_type(fingerprint) IS 'impression type, as the record says';
COMMENT ON FUNCTION quality(fingerprint) IS 'quality of the view, 0 to 100, as the record says';
COMMENT ON FUNCTION quality_score(fingerprint) IS 'how useful a capture is for matching, 0 to 100, from its minutiae: at 40 mates have an even chance to score 40, 10 more multiply the odds by 10';
COMMENT ON FUNCTION minutia_count(fingerprint) IS 'number of minutiae, 0 to 255';
COMMENT ON FUNCTION capture_device(fingerprint) IS 'capture device and its compliance bits, as the record says';
COMMENT ON FUNCTION image_width(fingerprint) IS 'width of the image, pixels';
COMMENT ON FUNCTION image_height(fingerprint) IS 'height of the image, pixels';
COMMENT ON FUNCTION horizontal_resolution(fingerprint) IS 'horizontal resolution, pixels per centimetre';
COMMENT ON FUNCTION vertical_resolution(fingerprint) IS 'vertical resolution, pixels per centimetre';
COMMENT ON FUNCTION minutiae(fingerprint) IS 'the minutiae: x and y in pixels from the upper left, angle in degrees counter-clockwise from the right';
