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

