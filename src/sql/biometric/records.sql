-- ---------------------------------------------------------------------------
-- records: what they are, what is in them, and why they do not match
-- ---------------------------------------------------------------------------

-- what some bytes are; bad bytes raise no error here
CREATE FUNCTION describe_record(record bytea,
		OUT kind text, OUT format text, OUT views integer, OUT sound_views integer, OUT minutiae bigint, OUT problems text[])
	AS 'MODULE_PATHNAME', 'biometric_describe_record' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- NULL if all is fine: for staging tables
CREATE FUNCTION record_problem(record bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_record_problem_of_bytes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION record_problem(record text) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_record_problem_of_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the bytes of a text in hexadecimal digits or base64; NULL if it is neither
CREATE FUNCTION record_bytes(text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_record_bytes' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the records of an ANSI/NIST-ITL file
CREATE FUNCTION an2k_records(file bytea,
		OUT n integer, OUT type integer, OUT idc integer, OUT finger_position integer, OUT impression_type integer,
		OUT content text, OUT print fingerprint, OUT picture bytea,
		OUT image_width integer, OUT image_height integer, OUT image_dpi float8, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_an2k_records' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;

-- the blocks of a CBEFF record in XML, as ISO/IEC 19785-3 and MOSIP have it: PostgreSQL reads the XML
CREATE FUNCTION cbeff_blocks(record xml,
		OUT n bigint, OUT format_owner text, OUT format_type text, OUT type text, OUT subtype text, OUT quality text,
		OUT payload bytea, OUT problem text)
	RETURNS SETOF record
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 10
BEGIN ATOMIC
	SELECT b.n, b.format_owner, b.format_type, b.type, b.subtype, b.quality, record_bytes(b.block),
		   CASE WHEN b.block IS NULL THEN 'There is no biometric data block.'
				WHEN record_bytes(b.block) IS NULL THEN 'The biometric data block is not base64.' END
	FROM XMLTABLE('//*[local-name() = "BIR"][not(*[local-name() = "BIR"])]' PASSING record COLUMNS
			n FOR ORDINALITY,
			format_owner text PATH '(*[local-name() = "BDBInfo"]/*[local-name() = "Format"]/*[local-name() = "Organization"]|*[local-name() = "BDBInfo"]/*[local-name() = "FormatOwner"])[1]',
			format_type text PATH '(*[local-name() = "BDBInfo"]/*[local-name() = "Format"]/*[local-name() = "Type"]|*[local-name() = "BDBInfo"]/*[local-name() = "FormatType"])[1]',
			type text PATH '*[local-name() = "BDBInfo"]/*[local-name() = "Type"][1]',
			subtype text PATH '*[local-name() = "BDBInfo"]/*[local-name() = "Subtype"][1]',
			quality text PATH '(*[local-name() = "BDBInfo"]/*[local-name() = "Quality"]/*[local-name() = "Score"]|*[local-name() = "BDBInfo"]/*[local-name() = "Quality"][not(*)])[1]',
			block text PATH '*[local-name() = "BDB"][1]') b;
END;

-- what open-iris writes for an eye, alone or with the metadata of its pipeline
CREATE FUNCTION iris_from_open_iris_json(template jsonb, eye text DEFAULT 'unknown',
		rows integer DEFAULT 16, columns integer DEFAULT 256, wavelets integer DEFAULT 2) RETURNS iris
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN iris_from_open_iris(coalesce(template ->> 'iris_codes', template -> 'iris_template' ->> 'iris_codes', ''),
	coalesce(template ->> 'mask_codes', template -> 'iris_template' ->> 'mask_codes', ''),
	CASE WHEN eye <> 'unknown' THEN eye ELSE coalesce(template -> 'metadata' ->> 'eye_side', eye) END,
	rows, columns, wavelets);

-- bits as grey pixels, row by row, as OSIRIS writes its codes; steps thin out what is too large
CREATE FUNCTION iris_from_pixels(code bytea, mask bytea, columns integer, eye text DEFAULT 'unknown',
		column_step integer DEFAULT 1, row_step integer DEFAULT 1) RETURNS iris
	AS 'MODULE_PATHNAME', 'biometric_iris_from_pixels' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- formats that do not say what they are
CREATE FUNCTION fingerprint_from_card(data bytea, format text, finger_position integer DEFAULT 0) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_from_card' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION to_card(fingerprint, format text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_to_card' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fingerprint_from_xyt(xyt text, convention text, width integer, height integer,
		resolution integer DEFAULT 197, finger_position integer DEFAULT 0) RETURNS fingerprint
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_from_xyt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION to_xyt(fingerprint, convention text) RETURNS text
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_to_xyt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- a logical record of an ANSI/NIST-ITL file
CREATE FUNCTION to_type9(fingerprint, form text DEFAULT 'M1', idc integer DEFAULT 1) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_to_type9' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- what to look at before a template is enrolled; an empty array if nothing
CREATE FUNCTION template_problems(fingerprint) RETURNS text[]
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_template_problems' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- why is the score 0?
CREATE FUNCTION match_diagnosis(a fingerprint, b fingerprint, OUT assumption text, OUT score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_fingerprint_match_diagnosis' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500000 ROWS 5;

COMMENT ON FUNCTION describe_record(bytea) IS 'what some bytes are: kind, format, views, problems; raises no error';
COMMENT ON FUNCTION record_problem(bytea) IS 'why a record cannot be read as fingerprints, NULL if it can';
COMMENT ON FUNCTION record_problem(text) IS 'why a text cannot be cast to fingerprint, NULL if it can';
COMMENT ON FUNCTION record_bytes(text) IS 'the bytes of hexadecimal digits or base64, NULL if the text is neither';
COMMENT ON FUNCTION an2k_records(bytea) IS 'a row for each record of an ANSI/NIST-ITL file';
COMMENT ON FUNCTION cbeff_blocks(xml) IS 'a row for each biometric data block of a CBEFF record in XML';
COMMENT ON FUNCTION iris_from_open_iris_json(jsonb, text, integer, integer, integer) IS 'an iris code from what open-iris writes, as JSON';
COMMENT ON FUNCTION iris_from_pixels(bytea, bytea, integer, text, integer, integer) IS 'an iris code from pictures of its bits';
COMMENT ON FUNCTION fingerprint_from_card(bytea, text, integer) IS 'a fingerprint from the minutiae of a card, normal or compact';
COMMENT ON FUNCTION to_card(fingerprint, text) IS 'minutiae as a card compares them, normal or compact';
COMMENT ON FUNCTION fingerprint_from_xyt(text, text, integer, integer, integer, integer) IS 'a fingerprint from minutiae in NIST''s xyt form, convention nist or m1';
COMMENT ON FUNCTION to_xyt(fingerprint, text) IS 'minutiae in NIST''s xyt form, convention nist or m1';
COMMENT ON FUNCTION to_type9(fingerprint, text, integer) IS 'a Type-9 record of an ANSI/NIST-ITL file in standard, IAFIS, M1 or EFS form';
COMMENT ON FUNCTION template_problems(fingerprint) IS 'what to look at before this template is enrolled';
COMMENT ON FUNCTION match_diagnosis(fingerprint, fingerprint) IS 'under which wrong conventions two fingerprints would match';
