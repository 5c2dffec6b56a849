--
-- Calibrations by name: scores that are shown and rates that are claimed, and the
-- same candidates in the same order
--
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE people (id int PRIMARY KEY, person int, print fingerprint, eye iris);
INSERT INTO people SELECT p * 10 + f, p, synthetic_fingerprint(p, 0, f), CASE f WHEN 1 THEN synthetic_iris(p) END
FROM generate_series(1, 100) p, generate_series(1, 2) f;
CREATE INDEX people_print ON people USING biometric (print);
CREATE INDEX ON people (person);
ANALYZE people;
SET enable_seqscan = off;

-- An extractor whose scores promise too much: 30 is worth 20, 60 is 45, and at 70 the
-- comparisons end.
SELECT store_calibration('border', 'fingerprint', '{"scores": [0, 30, 60, 70], "decibans": [0, 20, 45, 50]}');
SELECT store_calibration('border', 'fingerprint', '{"scores": [0, 30, 60, 70], "decibans": [0.5, 15, 40, 48]}', 'more comparisons');
SELECT store_calibration('eyes', 'iris', (SELECT make_calibration(det_curve(-10 * log(n / 1000.0), false), 1000) FROM generate_series(1, 1000) n));
SELECT name, version, template_type, remark, stored_by = session_user AS mine FROM stored_calibrations ORDER BY name, version;
SELECT calibration_name('border', 'fingerprint'), calibration_name('border:1', 'fingerprint');
SELECT calibrated_score_by_name(30, 'border'), calibrated_score_by_name(30, 'border:1'), calibrated_score_by_name(30, 'border') = calibrated_score(30, fit) AS same FROM stored_calibrations WHERE version = 2;
SELECT fpir(60, 1000, 'border') = fpir(40, 1000) AS rate, fpir(60, 1000, 'border:1') = fpir(45, 1000) AS of_version;

-- rows: the score is the calibrated one; candidates and their order stay
WITH c AS MATERIALIZED (SELECT n, i.* FROM generate_series(1, 10) n, identify('people', 'print', synthetic_fingerprint(n, 3, 1), 50, calibration => 'border') i),
w AS MATERIALIZED (SELECT n, i.* FROM generate_series(1, 10) n, identify('people', 'print', synthetic_fingerprint(n, 3, 1), 50) i)
SELECT count(*), bool_and(c.key = w.key) AS order_stays, bool_and(c.score = calibrated_score_by_name(w.score, 'border')) AS scores,
	bool_and(c.fpir = greatest(fpir(w.score, w.searched, 'border'), fpir_floor())) AS rates,
	bool_and(c.verdict = CASE WHEN c.fpir <= 0.001 THEN 'probable' WHEN c.fpir <= 0.05 THEN 'possible' ELSE 'none' END) AS verdicts,
	bool_or(c.verdict <> w.verdict) AS changed, min(c.used_calibration) AS used, count(w.used_calibration) AS built_in
FROM c JOIN w USING (n, rank);
SELECT min(used_calibration) AS used FROM identify('people', 'print', synthetic_fingerprint(1, 3, 1), calibration => 'border:1');
-- beyond what was counted a rate is a bound
SELECT round(score::numeric, 3) AS score, fpir_bound FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, calibration => 'border');

-- persons: the same with sums
WITH c AS MATERIALIZED (SELECT n, i.* FROM generate_series(1, 3) n,
	identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(n, 3, 1), synthetic_fingerprint(n, 3, 2)], 100, search_depth => 100, calibration => 'border') i),
w AS MATERIALIZED (SELECT n, i.* FROM generate_series(1, 3) n,
	identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(n, 3, 1), synthetic_fingerprint(n, 3, 2)], 100, search_depth => 100) i)
SELECT bool_and(c.fused_score = fused_score(c.score, 2) OR abs(c.fused_score - fused_score(c.score, 2)) < 1e-9) AS fused,
	bool_and(abs(c.score - (SELECT sum(calibrated_score_by_name((e ->> 'score')::float8, 'border')) FROM jsonb_array_elements(w.evidence) e WHERE (e ->> 'counts')::boolean)) < 1e-9) AS sums,
	bool_and(abs(c.score - (SELECT sum((e ->> 'score')::float8) FROM jsonb_array_elements(c.evidence) e WHERE (e ->> 'counts')::boolean)) < 1e-9) AS evidence,
	bool_and(abs(c.fpir - greatest(fpir(c.fused_score, c.searched), fpir_floor())) < 1e-12) AS rates, min(c.used_calibration) AS used
FROM c JOIN w USING (n, person);
SELECT calibrated_score_by_name(15, 'border') * 2 = min(unseen_score) AS unseen
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], min_score => 15, calibration => 'border');

-- with a threshold: of the calibrated verdict
SELECT what, count(*) AS searches, sum(n) > 5 AS found, count(*) FILTER (WHERE NOT same) AS differ
FROM (
	SELECT 'rows' AS what, n, a = ARRAY(SELECT i::text FROM identify('people', 'print', synthetic_fingerprint(p, c, 1), 200, calibration => 'border') i WHERE verdict <> 'none' ORDER BY rank) AS same
	FROM generate_series(1, 10) p, generate_series(2, 3) c, LATERAL (SELECT count(*) AS n, array_remove(array_agg(i::text ORDER BY rank), NULL) AS a
		FROM (SELECT 1) one LEFT JOIN identify('people', 'print', synthetic_fingerprint(p, c, 1), 200, min_verdict => 'possible', calibration => 'border') i ON true) t
	UNION ALL
	SELECT 'persons', n, a = ARRAY(SELECT ROW(rank, person, score, fpir, evidence)::text FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(p, c, 1), synthetic_fingerprint(p, c, 2)], 100,
		search_depth => 200, calibration => 'border') i WHERE verdict <> 'none' ORDER BY rank)
	FROM generate_series(1, 10) p, generate_series(2, 3) c, LATERAL (SELECT count(*) AS n, coalesce(array_agg(ROW(rank, person, score, fpir, evidence)::text ORDER BY rank) FILTER (WHERE rank IS NOT NULL), '{}') AS a
		FROM (SELECT 1) one LEFT JOIN identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(p, c, 1), synthetic_fingerprint(p, c, 2)], 100, min_verdict => 'possible', calibration => 'border') i ON true) t) x
GROUP BY what ORDER BY what;
-- a verdict that no score of the calibration reaches
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), gallery_size => 100000000, min_verdict => 'possible', calibration => 'border');

-- what is wrong
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), calibration => 'boarder');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), calibration => 'border:3');
SELECT calibration_name('border:1:2', 'fingerprint');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), calibration => 'eyes');
SELECT * FROM identify('people', 'person', 'eye', ARRAY[synthetic_iris(7)], calibration => 'border');
SELECT fpir(60, 1000, 'nobody'), 1;
SELECT calibration_name('border', 'iris');
SELECT store_calibration('border', 'iris', '{"scores": [0, 30], "decibans": [0, 20]}');
SELECT store_calibration('few', 'fingerprint', make_calibration(NULL, 0));
SELECT store_calibration('few', 'text', '{"scores": [0, 30], "decibans": [0, 20]}');
SELECT store_calibration('a:b', 'fingerprint', '{"scores": [0, 30], "decibans": [0, 20]}');
SELECT store_calibration('wrong', 'fingerprint', '{"scores": [0, 30, 20], "decibans": [0, 20, 30]}');
SELECT calibrated_score(1, '{"scores": [0, 30], "decibans": [20, 0]}'::jsonb);
SELECT calibrated_score(1, '{"scores": [0, "x"], "decibans": [0, 20]}'::jsonb);
SELECT calibrated_score(1, '{"scores": [0, [1]], "decibans": [0, 20]}'::jsonb);
SELECT calibrated_score(1, '{"scores": [0, 1], "decibans": [0, 20, 30]}'::jsonb);
SELECT calibrated_score(1, '[]'::jsonb), calibrated_score(1, '1'::jsonb), calibrated_score(1, '{"scores": {}, "decibans": null}'::jsonb);

-- everybody reads them, few store them
CREATE ROLE regress_calibration;
SET ROLE regress_calibration;
SELECT calibrated_score_by_name(30, 'border');
SELECT store_calibration('mine', 'fingerprint', '{"scores": [0, 30], "decibans": [0, 20]}');
RESET ROLE;
GRANT INSERT ON stored_calibrations TO regress_calibration;
SET ROLE regress_calibration;
SELECT store_calibration('mine', 'fingerprint', '{"scores": [0, 30], "decibans": [0, 20]}');
RESET ROLE;
REVOKE INSERT ON stored_calibrations FROM regress_calibration;
DROP ROLE regress_calibration;

-- the extension is where it was put
BEGIN;
CREATE SCHEMA "else where";
ALTER EXTENSION biometric SET SCHEMA "else where";
SELECT used_calibration FROM "else where".identify('people', 'print', "else where".synthetic_fingerprint(7, 0, 1), 1, calibration => 'border');
SELECT "else where".store_calibration('border', '"else where".fingerprint', '{"scores": [0, 30], "decibans": [0, 20]}'), "else where".fpir(30, 10, 'border') > 0 AS rate;
ROLLBACK;

-- A modest extractor's scores are worth more: 30 is worth 60.  min_score leaves out nobody who
-- has it by the calibration.
SELECT store_calibration('modest', 'fingerprint', '{"scores": [0, 30, 60], "decibans": [0, 60, 80]}');
SELECT what, count(*) > 10 AS found, count(*) FILTER (WHERE wanted) = count(*) FILTER (WHERE listed) AS all_listed, bool_or(listed AND NOT wanted) AS more
FROM (
	SELECT 'rows' AS what, w.score >= 20 AS wanted, l.key IS NOT NULL AS listed
	FROM generate_series(1, 10) n, LATERAL (SELECT * FROM identify('people', 'print', synthetic_fingerprint(n, 3, 1), 200, calibration => 'modest')) w
	LEFT JOIN LATERAL (SELECT * FROM identify('people', 'print', synthetic_fingerprint(n, 3, 1), 200, calibration => 'modest', min_score => 20)) l USING (key)
	UNION ALL
	SELECT 'persons', (SELECT max((e ->> 'score')::float8) FROM jsonb_array_elements(w.evidence) e) >= 20, l.person IS NOT NULL
	FROM generate_series(1, 10) n, LATERAL (SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(n, 3, 1)], 100, calibration => 'modest', search_depth => 100)) w
	LEFT JOIN LATERAL (SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(n, 3, 1)], 100, calibration => 'modest', search_depth => 100, min_score => 20)) l USING (person)
) x GROUP BY what ORDER BY what DESC;
-- and nobody is left out because a calibration ends below it
SELECT key, round(score) AS score FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), calibration => 'border', min_score => 70);

-- a calibration that does not rise any more says the same of all higher scores
SELECT calibrated_score('Infinity', fit) AS highest, calibrated_score(100, fit) AS high, calibrated_score('-Infinity', fit) AS lowest
FROM (VALUES ('{"scores": [0, 10], "decibans": [5, 5]}'::jsonb)) f (fit);

DELETE FROM stored_calibrations;
DROP TABLE people;
