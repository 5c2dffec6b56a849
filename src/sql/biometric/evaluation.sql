-- ---------------------------------------------------------------------------
-- error rates of comparisons (ISO/IEC 19795-1)
-- ---------------------------------------------------------------------------

CREATE FUNCTION error_rates_add(internal, float8, boolean) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_rates_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION error_rates_add(internal, float8, boolean, float8) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_rates_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION search_rates_add(internal, float8, boolean, float8) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_search_rates_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION error_rates_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_rates_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION error_rates_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_error_rates_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION error_rates_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_rates_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION fmr_at_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fmr_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION fnmr_at_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fnmr_at' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION fnmr_at_fmr_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fnmr_at_fmr' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION zero_fmr_fnmr_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_zero_fmr_fnmr' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION eer_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_eer' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE TYPE det_point AS (threshold float8, fmr float8, fnmr float8);
COMMENT ON TYPE det_point IS 'a point of a detection error trade-off: threshold, false match rate, false non-match rate';

CREATE FUNCTION det_curve_final(internal) RETURNS det_point[]
	AS 'MODULE_PATHNAME', 'biometric_det_curve' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE eer(score float8, mated boolean) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = eer_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE eer(float8, boolean) IS 'equal error rate of comparisons';

CREATE AGGREGATE zero_fmr_fnmr(score float8, mated boolean) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = zero_fmr_fnmr_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE zero_fmr_fnmr(float8, boolean) IS 'false non-match rate at the lowest threshold without a false match';

CREATE AGGREGATE det_curve(score float8, mated boolean) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = det_curve_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE det_curve(float8, boolean) IS 'detection error trade-off: thresholds with both error rates, by rising threshold';

CREATE AGGREGATE fmr_at(score float8, mated boolean, threshold float8) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = fmr_at_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE fmr_at(float8, boolean, float8) IS 'false match rate: share of non-mated comparisons that score at least the threshold';

CREATE AGGREGATE fnmr_at(score float8, mated boolean, threshold float8) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = fnmr_at_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE fnmr_at(float8, boolean, float8) IS 'false non-match rate: share of mated comparisons that score less than the threshold';

CREATE AGGREGATE fnmr_at_fmr(score float8, mated boolean, fmr float8) (
	SFUNC = error_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = fnmr_at_fmr_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE fnmr_at_fmr(float8, boolean, float8) IS 'false non-match rate at the lowest threshold with at most this false match rate';

-- Of searches: score is that of the mate if the person is enrolled, else that of
-- the first candidate; NULL if there was none.
CREATE AGGREGATE fnir_at_fpir(score float8, enrolled boolean, fpir float8) (
	SFUNC = search_rates_add, STYPE = internal, SSPACE = 4000000, FINALFUNC = fnmr_at_fmr_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_rates_combine, SERIALFUNC = error_rates_serialize, DESERIALFUNC = error_rates_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE fnir_at_fpir(float8, boolean, float8) IS
	'false negative identification rate of searches at the lowest threshold with at most this false positive identification rate';

CREATE FUNCTION rate_interval(errors bigint, trials bigint) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'biometric_rate_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rate_interval(bigint, bigint) IS '95 % interval of an error rate in independent trials (Wilson)';

-- error rates with intervals, by resampling persons
CREATE FUNCTION error_intervals_add(internal, float8, boolean, text, text, float8, float8) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_intervals_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION error_intervals_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_intervals_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION error_intervals_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_error_intervals_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION error_intervals_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_error_intervals_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE error_intervals AS (mated bigint, non_mated bigint, persons bigint, threshold float8,
	fmr float8, fmr_low float8, fmr_high float8,
	fnmr float8, fnmr_low float8, fnmr_high float8,
	eer float8, eer_low float8, eer_high float8,
	fnmr_at_fmr float8, fnmr_at_fmr_low float8, fnmr_at_fmr_high float8);
COMMENT ON TYPE error_intervals IS 'error rates with 95 % intervals';

CREATE FUNCTION error_intervals_final(internal) RETURNS error_intervals
	AS 'MODULE_PATHNAME', 'biometric_error_intervals' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE error_rates(score float8, mated boolean, person_a text, person_b text, threshold float8, fmr float8) (
	SFUNC = error_intervals_add, STYPE = internal, SSPACE = 8000000, FINALFUNC = error_intervals_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = error_intervals_combine, SERIALFUNC = error_intervals_serialize, DESERIALFUNC = error_intervals_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE error_rates(float8, boolean, text, text, float8, float8) IS
	'error rates at a threshold and at a false match rate, with 95 % intervals by resampling persons';

-- ranks of mates in candidate lists
CREATE FUNCTION ranks_add(internal, integer, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_ranks_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION ranks_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_ranks_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION ranks_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'biometric_ranks_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION ranks_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'biometric_ranks_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION cmc_final(internal) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'biometric_cmc' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE AGGREGATE cmc(rank integer, max_rank integer) (
	SFUNC = ranks_add, STYPE = internal, SSPACE = 8100, FINALFUNC = cmc_final, FINALFUNC_MODIFY = SHAREABLE,
	COMBINEFUNC = ranks_combine, SERIALFUNC = ranks_serialize, DESERIALFUNC = ranks_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cmc(integer, integer) IS
	'cumulative match characteristic: element r is the share of searches whose mate has rank r or better; NULL = not found';

COMMENT ON FUNCTION error_rates_add(internal, float8, boolean) IS 'transition of aggregates of error rates';
COMMENT ON FUNCTION error_rates_add(internal, float8, boolean, float8) IS 'transition of aggregates of error rates';
COMMENT ON FUNCTION search_rates_add(internal, float8, boolean, float8) IS 'transition of aggregates of error rates';
COMMENT ON FUNCTION error_rates_combine(internal, internal) IS 'combination of aggregates of error rates';
COMMENT ON FUNCTION error_rates_serialize(internal) IS 'serialisation of aggregates of error rates';
COMMENT ON FUNCTION error_rates_deserialize(bytea, internal) IS 'deserialisation of aggregates of error rates';
COMMENT ON FUNCTION fmr_at_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION fnmr_at_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION fnmr_at_fmr_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION zero_fmr_fnmr_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION eer_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION det_curve_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION error_intervals_add(internal, float8, boolean, text, text, float8, float8) IS 'transition of aggregates of error rates';
COMMENT ON FUNCTION error_intervals_combine(internal, internal) IS 'combination of aggregates of error rates';
COMMENT ON FUNCTION error_intervals_serialize(internal) IS 'serialisation of aggregates of error rates';
COMMENT ON FUNCTION error_intervals_deserialize(bytea, internal) IS 'deserialisation of aggregates of error rates';
COMMENT ON FUNCTION error_intervals_final(internal) IS 'result of aggregates of error rates';
COMMENT ON FUNCTION ranks_add(internal, integer, integer) IS 'transition of aggregates of error rates';
COMMENT ON FUNCTION ranks_combine(internal, internal) IS 'combination of aggregates of error rates';
COMMENT ON FUNCTION ranks_serialize(internal) IS 'serialisation of aggregates of error rates';
COMMENT ON FUNCTION ranks_deserialize(bytea, internal) IS 'deserialisation of aggregates of error rates';
COMMENT ON FUNCTION cmc_final(internal) IS 'result of aggregates of error rates';
