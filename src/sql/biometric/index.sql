-- ---------------------------------------------------------------------------
-- access method, and what the planner asks
-- ---------------------------------------------------------------------------

CREATE FUNCTION biometric_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME' LANGUAGE C;

CREATE ACCESS METHOD biometric TYPE INDEX HANDLER biometric_handler;

CREATE FUNCTION biometric_match_sel(internal, oid, internal, integer) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE FUNCTION biometric_probe_sel(internal, oid, internal, integer) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

CREATE FUNCTION biometric_match_joinsel(internal, oid, internal, smallint, internal) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- refuses, when planning, to compare columns declared with different geometries
CREATE FUNCTION biometric_match_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- the same, and gives the index condition of matches()
CREATE FUNCTION biometric_matches_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION biometric_handler(internal) IS 'handler of the access method biometric';
COMMENT ON ACCESS METHOD biometric IS '1:N search of biometric galleries, exact or fast';
COMMENT ON FUNCTION biometric_match_sel(internal, oid, internal, integer) IS 'restriction selectivity of template % template';
COMMENT ON FUNCTION biometric_probe_sel(internal, oid, internal, integer) IS 'restriction selectivity of template % probe';
COMMENT ON FUNCTION biometric_match_joinsel(internal, oid, internal, smallint, internal) IS 'join selectivity of %';
COMMENT ON FUNCTION biometric_match_support(internal) IS 'planner support of functions that compare two templates';
COMMENT ON FUNCTION biometric_matches_support(internal) IS 'planner support of matches(): gives the index condition';

