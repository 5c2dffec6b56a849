--
-- Error rates: small cases computed by hand, and what data may hold
--
-- mated 1 2 3 4 5, non-mated 0 0.5 1.5 2 2.5
CREATE TABLE comparison (score float8, mated boolean, a text, b text);
INSERT INTO comparison VALUES (1, true), (2, true), (3, true), (4, true), (5, true),
	(0, false), (0.5, false), (1.5, false), (2, false), (2.5, false);
SELECT t AS threshold, fmr_at(score, mated, t), fnmr_at(score, mated, t)
FROM comparison, unnest('{-1, 0, 0.25, 2, 2.25, 5, 6}'::float8[]) t GROUP BY t ORDER BY t;
SELECT f AS fmr, fnmr_at_fmr(score, mated, f) FROM comparison, unnest('{0, 0.1, 0.2, 0.4, 0.6, 1}'::float8[]) f GROUP BY f ORDER BY f;
SELECT zero_fmr_fnmr(score, mated), eer(score, mated) FROM comparison;
SELECT d.* FROM (SELECT det_curve(score, mated) AS curve FROM comparison) c, unnest(curve) d;

-- separated: no errors; alike: all errors
SELECT eer(s, s > 5), zero_fmr_fnmr(s, s > 5) FROM generate_series(1, 10) s;
SELECT eer(s, s <= 5), zero_fmr_fnmr(s, s <= 5) FROM generate_series(1, 10) s;
SELECT eer(1, m), zero_fmr_fnmr(1, m), fmr_at(1, m, 1), fnmr_at(1, m, 1) FROM unnest('{t,f}'::boolean[]) m;
-- NULL and NaN are left out; infinities are scores
SELECT eer(s, m), fmr_at(s, m, 0), fnmr_at(s, m, 0)
FROM (VALUES (NULL::float8, true), ('NaN', true), (1, NULL), (1, true), (-1, false)) v (s, m);
SELECT eer(s, m), fnmr_at(s, m, 0), fmr_at(s, m, 'Infinity'), fnmr_at_fmr(s, m, 0)
FROM (VALUES ('-Infinity'::float8, true), ('Infinity', true), ('Infinity', false), ('-Infinity', false)) v (s, m);
-- one class, no class
SELECT eer(s, true), fmr_at(s, true, 0), fnmr_at(s, true, 2), det_curve(s, true) FROM generate_series(1, 2) s;
SELECT eer(s, true), fmr_at(s, true, 0), det_curve(s, true), cmc(1, 3) FROM generate_series(1, 0) s;
-- what is no argument
SELECT fmr_at(s, true, s) FROM generate_series(1, 2) s;
SELECT fmr_at(s, true, NULL) FROM generate_series(1, 2) s;
SELECT fnmr_at_fmr(s, s > 1, 1.5) FROM generate_series(1, 2) s;
SELECT fmr_at(s, true, 'NaN') FROM generate_series(1, 2) s;

-- searches: a mate that was not found is missed, an empty list is no false alarm
SELECT f, fnir_at_fpir(s, e, f) FROM (VALUES (50::float8, true), (20, true), (NULL, true), (30, false), (NULL, false)) v (s, e),
	unnest('{0, 0.5, 1}'::float8[]) f GROUP BY f ORDER BY f;
SELECT cmc(r, 4) FROM unnest('{1, 1, 2, 4, 9, NULL}'::int[]) r;
SELECT cmc(0, 4);
SELECT cmc(1, 0);

SELECT rate_interval(0, 100), rate_interval(50, 100), rate_interval(100, 100);
SELECT rate_interval(2, 1);

-- many different scores: the same whatever the order, and with workers; rounded
-- scores change a rate by what their rounding allows
CREATE TABLE many AS SELECT ((n * 7919::bigint) % 1000003) / 1000.0::float8 + CASE WHEN n % 10 = 0 THEN 300 ELSE 0 END AS score, n % 10 = 0 AS mated,
	(n % 500)::text AS a, (n % 490)::text AS b FROM generate_series(1, 400000) n;
SELECT abs(fmr_at(score, mated, 700) - count(*) FILTER (WHERE NOT mated AND score >= 700)::float8 / count(*) FILTER (WHERE NOT mated)) < 1e-3 AS fmr,
	abs(fnmr_at(score, mated, 700) - count(*) FILTER (WHERE mated AND score < 700)::float8 / count(*) FILTER (WHERE mated)) < 1e-3 AS fnmr
FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT eer(score, mated) FROM many;
CREATE TABLE parallel_result AS SELECT eer(score, mated), fnmr_at_fmr(score, mated, 0.01), fmr_at(score, mated, 500), det_curve(score, mated),
	cmc((score / 100)::int + 1, 5), error_rates(round(score), mated, a, b, 700, 0.01) FROM many;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial_result AS SELECT eer(score, mated), fnmr_at_fmr(score, mated, 0.01), fmr_at(score, mated, 500), det_curve(score, mated),
	cmc((score / 100)::int + 1, 5), error_rates(round(score), mated, a, b, 700, 0.01) FROM many;
SELECT p.cmc = s.cmc AS cmc, p.error_rates = s.error_rates AS error_rates, abs(p.eer - s.eer) < 1e-3 AS eer, abs(p.fnmr_at_fmr - s.fnmr_at_fmr) < 1e-3 AS fnmr_at_fmr,
	abs(cardinality(p.det_curve) - cardinality(s.det_curve)) < 20 AS curve, cardinality(s.det_curve) < 2000 AS thinned
FROM parallel_result p, serial_result s;
RESET max_parallel_workers_per_gather;

-- intervals: of 40 persons, ten captures each, half of whose captures fail in a block
CREATE TABLE person_scores AS
SELECT CASE WHEN a.p = b.p THEN CASE WHEN a.p <= 8 THEN 10 ELSE 60 END ELSE (a.p * 31 + b.p * 17 + a.c + b.c) % 30 END::float8 AS score,
	a.p = b.p AS mated, a.p::text AS a, b.p::text AS b
FROM (SELECT p, c FROM generate_series(1, 40) p, generate_series(1, 5) c) a
JOIN (SELECT p, c FROM generate_series(1, 40) p, generate_series(1, 5) c) b ON (a.p, a.c) < (b.p, b.c);
SELECT (r).mated, (r).non_mated, (r).persons, round((r).fnmr::numeric, 3) AS fnmr, round((r).fnmr_low::numeric, 2) AS low, round((r).fnmr_high::numeric, 2) AS high,
	(r).fmr, round((r).fmr_high::numeric, 2) AS fmr_high,
	(r).fnmr_high - (r).fnmr_low > (rate_interval(80, 400))[2] - (rate_interval(80, 400))[1] AS wider_than_independent
FROM (SELECT error_rates(score, mated, a, b, 40, 0.01) AS r FROM person_scores) s;
SELECT error_rates(score, mated, NULL, b, 40, 0.01) FROM person_scores;
SELECT error_rates(1, true, 'x', 'x', 40, 2);
SELECT (error_rates(1, true, 'x', 'x', 40, 0.1)).*;
DROP TABLE comparison, many, parallel_result, serial_result, person_scores;
