--
-- Evaluation, calibration, duplicates, health: a table of made-up captures
--
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE capture (person integer, sensor text, print fingerprint, eye iris);
INSERT INTO capture SELECT p, CASE WHEN c < 2 THEN 'A' ELSE 'B <&>' END, synthetic_fingerprint(p, c, 2), synthetic_iris(p, c)
FROM generate_series(1, 30) p, generate_series(0, 2) c;
-- a wrong label: a capture of person 1 under the name of person 2; a person with one capture; failures
INSERT INTO capture VALUES (2, 'A', synthetic_fingerprint(1, 5, 2), NULL), (31, 'A', synthetic_fingerprint(31, 0, 2), NULL),
	(32, 'A', NULL, NULL), (NULL, 'A', synthetic_fingerprint(40, 0, 2), NULL);

SELECT mated, count(*), count(DISTINCT (capture_a, capture_b)), bool_and((person_a = person_b) = mated) AS persons
FROM evaluation_pairs('capture', 'print', 'person') GROUP BY mated ORDER BY mated;
SELECT mated, count(*) FROM evaluation_pairs('capture', 'print', 'person', max_non_mated => 100) GROUP BY mated ORDER BY mated;
SELECT most, count(*) FROM unnest('{0, 1, 10}'::bigint[]) most, evaluation_pairs('capture', 'print', 'person', max_non_mated => most) WHERE NOT mated GROUP BY most ORDER BY most;
SELECT mated, count(*) FROM evaluation_pairs('capture', 'print', 'person', max_captures => 2) GROUP BY mated ORDER BY mated;
SELECT mated, count(*) FROM evaluation_pairs('capture', 'eye', 'person', 'sensor', max_non_mated => 500) GROUP BY mated ORDER BY mated;
-- positions that differ are not mated: two fingers of one person
SELECT mated, count(*) FROM evaluation_pairs('capture', 'print', 'person') GROUP BY mated ORDER BY mated;
CREATE TABLE two_fingers AS SELECT p AS person, synthetic_fingerprint(p, c, f) AS print FROM generate_series(1, 5) p, generate_series(0, 1) c, unnest('{2,7}'::int[]) f;
SELECT mated, count(*) FROM evaluation_pairs('two_fingers', 'print', 'person') GROUP BY mated ORDER BY mated;

CREATE TABLE report AS SELECT evaluate('capture', 'print', 'person', 'sensor', pictures => 2) AS e;
SELECT e #>> '{captures,rows}' AS rows, e #>> '{captures,persons}' AS persons, e #>> '{captures,without_template}' AS without_template,
	e #>> '{captures,without_person}' AS without_person, e #>> '{captures,persons_with_one_capture}' AS one_capture FROM report;
SELECT g ->> 'group' AS "group", (g ->> 'mated')::int AS mated, (g ->> 'non_mated')::int > 0 AS non_mated, (g ->> 'fnmr')::float8 <= (g ->> 'fnmr_high')::float8 AS interval
FROM report, jsonb_array_elements(e -> 'groups') g;
-- the wrong label is listed, and counted apart
SELECT s ->> 'person_a' AS a, s ->> 'person_b' AS b, (s ->> 'suspected')::boolean AS suspected, s ->> 'picture' LIKE '<svg %' AS picture
FROM report, jsonb_array_elements(e -> 'suspicious') s LIMIT 1;
SELECT (e #>> '{rates,suspected}')::int > 0 AS suspected, (e #>> '{rates,fmr}')::float8 < (e #>> '{rates,fmr_with_suspected}')::float8 AS lower_without FROM report;
SELECT w ->> 'person' AS person FROM report, jsonb_array_elements(e -> 'worst_mated') w LIMIT 1;
SELECT xmlparse(DOCUMENT regexp_replace(evaluation_html(e, 'A & B'), '^<!DOCTYPE html>|<meta charset="utf-8">', '', 'g')) IS NOT NULL AS well_formed,
	strpos(evaluation_html(e, '<script>'), '<script>') AS escaped, evaluation_html(e) LIKE '%B &lt;&amp;&gt;%' AS groups FROM report;
-- nothing there, and what is wrong
CREATE TABLE nothing (person text, print fingerprint);
SELECT evaluation_html(evaluate('nothing', 'print', 'person')) LIKE '<!DOCTYPE html>%' AS empty;
INSERT INTO nothing VALUES ('only', synthetic_fingerprint(1));
SELECT evaluation_html(evaluate('nothing', 'print', 'person')) LIKE '<!DOCTYPE html>%' AS one_row;
SELECT evaluate('nothing', 'person', 'person');
SELECT evaluate('nothing', 'nobody', 'person');
SELECT evaluation_html(NULL) IS NULL AS null_report;

-- pictures of curves
SELECT xmlparse(DOCUMENT det_svg(det_curve(n, n > 5), 'x < y & "z"')) IS NOT NULL AS det FROM generate_series(1, 10) n;
SELECT xmlparse(DOCUMENT det_svg(NULL)) IS NOT NULL AS det, xmlparse(DOCUMENT cmc_svg('{0.5, 0.75, 1}')) IS NOT NULL AS cmc,
	xmlparse(DOCUMENT score_histogram_svg('{1,2,3}', '{5,1,0}', 0, 10)) IS NOT NULL AS histogram;

-- calibration: made where the rates are known, it gives them; beyond, it is bounded
CREATE TABLE calibrated AS SELECT make_calibration(det_curve(-10 * log(n / 100000.0), false), 100000) AS c FROM generate_series(1, 100000) n;
SELECT c ->> 'comparisons' AS comparisons, round((c ->> 'measured_to')::numeric, 1) AS measured_to FROM calibrated;
SELECT s, round(calibrated_score(s, c)::numeric) AS calibrated FROM calibrated, unnest('{-5, 0, 5, 10, 20, 30, 38, 45, 60, 1000}'::float8[]) s ORDER BY s;
SELECT bool_and(calibrated_score(s, c) >= calibrated_score(s - 0.1, c)) AS monotone, calibrated_score(NULL, max(c::text)::jsonb) FROM calibrated, generate_series(0, 60, 0.1) s;
SELECT calibrated_score(40, '{}'), calibrated_score(40, make_calibration(NULL, 0));

-- it promises no lower rate than was counted where scores come in lumps
CREATE TABLE lumps AS SELECT (CASE WHEN n <= 500 THEN 0 WHEN n = 501 THEN 10 WHEN n <= 989 THEN 49 WHEN n <= 1000 THEN 50 ELSE n - 940 END)::float8 AS score
FROM generate_series(1, 1030) n;
SELECT s, round(calibrated_score(s, c)::numeric, 1) AS calibrated, round(-10 * log((SELECT count(*) FROM lumps WHERE score >= s) / 1030.0), 1) AS counted
FROM (SELECT make_calibration(det_curve(score, false), count(*)) AS c FROM lumps) m, unnest('{10, 20, 48, 49, 50, 62}'::float8[]) s ORDER BY s;
SELECT calibrated_score('NaN', c) FROM calibrated;

-- duplicates
CREATE INDEX capture_print_idx ON capture USING biometric (print);
SELECT person_a, person_b, sources FROM find_duplicates('capture', 'print', 'person');
SELECT count(*) FROM generate_series(1, 3) part, find_duplicates('capture', 'print', 'person', part => part, parts => 3);
SELECT * FROM find_duplicates('capture', 'print', 'person', part => 2);
SELECT * FROM find_duplicates('capture', 'print', 'person', part => NULL);
SELECT * FROM find_duplicates('capture', 'print', 'person', expected_false => 'NaN');
SELECT * FROM find_duplicates('capture', 'print', 'person', threshold => 'NaN');
-- the best of so many comparisons of a finger is worth so much less
CREATE TABLE best AS SELECT CASE WHEN c < 4 THEN 1 ELSE 2 END AS person, synthetic_fingerprint(1, c, 2) AS print FROM generate_series(0, 7) c;
CREATE INDEX best_print_idx ON best USING biometric (print);
SELECT d.sources, d.pairs, round((m.score - d.score)::numeric, 3) AS less, round((10 * log(16))::numeric, 3) AS should
FROM find_duplicates('best', 'print', 'person') d,
	(SELECT max(match_score(a.print, b.print)) AS score FROM best a JOIN best b ON a.person < b.person) m;
-- a capture that does not say its finger may be the same again
CREATE TABLE unnamed AS SELECT CASE WHEN c < 2 THEN 1 ELSE 2 END AS person, synthetic_fingerprint(1, c, CASE WHEN c % 2 = 0 THEN 3 ELSE 0 END) AS print
FROM generate_series(0, 3) c;
SELECT d.sources, d.pairs > 1 AS several, d.score <= m.score AS not_counted_twice
FROM find_duplicates('unnamed', 'print', 'person') d,
	(SELECT max(match_score(a.print, b.print)) AS score FROM unnamed a JOIN unnamed b ON a.person < b.person) m;
CREATE TABLE twice AS SELECT * FROM two_fingers UNION ALL SELECT person + 100, synthetic_fingerprint(person, 7, finger_position(print)) FROM two_fingers WHERE person <= 2;
CREATE INDEX ON twice USING biometric (print);
SELECT person_a, person_b, sources FROM find_duplicates('twice', 'print', 'person') ORDER BY person_a;
-- the same as of all pairs, at any threshold: also those of whom no finger reaches it
CREATE TABLE alike AS
	SELECT a AS person_a, b AS person_b, CASE WHEN count(*) > 1 THEN fused_score(sum(s), count(*)::integer) ELSE sum(s) END AS score, count(*)::integer AS sources, sum(n)::integer AS pairs, max(best) AS best
	FROM (SELECT a.person::text AS a, b.person::text AS b, greatest(0, max(match_score(a.print, b.print)) - 10 * log(count(*))::float8) AS s, count(*) AS n, max(match_score(a.print, b.print)) AS best
		FROM twice a JOIN twice b ON a.person < b.person AND finger_position(a.print) = finger_position(b.print)
		GROUP BY a.person, b.person, finger_position(a.print)) f
	GROUP BY a, b;
SELECT t AS threshold, (SELECT count(*) > 0 FROM alike WHERE alike.score >= t) AS pairs, (SELECT count(*) > 0 FROM alike WHERE alike.score >= t AND best < t) AS by_the_sum,
	(SELECT count(*) FROM (SELECT person_a, person_b, round(score::numeric, 6) AS score, sources, pairs FROM find_duplicates('twice', 'print', 'person', threshold => t)) d
	 FULL JOIN (SELECT person_a, person_b, round(score::numeric, 6) AS score, sources, pairs FROM alike WHERE alike.score >= t) b USING (person_a, person_b, score, sources, pairs)
	 WHERE d.* IS NULL OR b.* IS NULL) AS differ
FROM unnest('{1, 2, 5, 10, 20, 40, 60, 100, 1000, 10000}'::float8[]) t;
SELECT * FROM duplicate_clusters('{a,b,x,c}', '{b,c,y,d}', '{50,40,90,60}');
SELECT * FROM duplicate_clusters('{a,b,c,d,e}', '{e,d,d,e,a}', '{1,2,3,4,5}');
SELECT * FROM duplicate_clusters('{}', '{}', '{}');
SELECT * FROM duplicate_clusters('{a}', '{b}', '{}');

-- health: each check can fail
SELECT check_name, object, status FROM biometric_health() WHERE check_name NOT IN ('setting', 'preloaded') AND (object IS NULL OR object IN ('biometric', 'capture_print_idx')) ORDER BY 1;
SET biometric.search_mode = fast;
SET biometric.match_threshold = 20;
SELECT object, status, hint FROM biometric_health() WHERE check_name = 'setting' AND status <> 'ok' ORDER BY object;
RESET biometric.search_mode;
RESET biometric.match_threshold;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'capture_print_idx'::regclass;
SELECT status, detail, hint FROM biometric_health() WHERE object = 'capture_print_idx';
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'capture_print_idx'::regclass;
CREATE TABLE unindexed AS SELECT synthetic_fingerprint(1) AS print FROM generate_series(1, 10001);
ANALYZE unindexed;
SELECT object, status, hint FROM biometric_health() WHERE check_name = 'unindexed';
UPDATE pg_extension SET extversion = '0.1' WHERE extname = 'biometric';
SELECT status, hint FROM biometric_health() WHERE check_name = 'version';
UPDATE pg_extension SET extversion = '2.0' WHERE extname = 'biometric';
CREATE ROLE regress_fast;
ALTER ROLE regress_fast SET biometric.search_mode = fast;
SELECT object, status, detail FROM biometric_health() WHERE check_name = 'setting' AND object LIKE '% of %';
DROP ROLE regress_fast;
SET log_statement = 'mod';
SELECT status, hint FROM biometric_health() WHERE check_name = 'log';
SET log_parameter_max_length = 0;
SELECT status, hint FROM biometric_health() WHERE check_name = 'log';
RESET log_parameter_max_length;
RESET log_statement;
CREATE UNLOGGED TABLE dead AS SELECT n, synthetic_fingerprint(n) AS print FROM generate_series(1, 1500) n;
ALTER TABLE dead SET (autovacuum_enabled = off);
CREATE INDEX dead_print_idx ON dead USING biometric (print) WITH (preselection = off);
DELETE FROM dead WHERE n <= 1200;
SELECT pg_stat_force_next_flush();
SET biometric.search_mode = fast;
SELECT check_name, status, detail, hint FROM biometric_health() WHERE object = 'dead_print_idx' ORDER BY check_name;
RESET biometric.search_mode;
DROP TABLE dead;
CREATE TABLE lonely AS SELECT synthetic_fingerprint(n) AS print FROM generate_series(1, 5) n;
CREATE INDEX lonely_print_idx ON lonely USING biometric (print);
SELECT object, status, detail FROM biometric_health(20) WHERE check_name = 'recall' ORDER BY object;
SELECT object, status, hint FROM biometric_health(20, min_recall => 1.5) WHERE check_name = 'recall' AND status <> 'notice' ORDER BY object;
DROP TABLE lonely;
CREATE ROLE regress_health;
SET ROLE regress_health;
SELECT status, detail FROM biometric_health() WHERE object = 'capture_print_idx';
RESET ROLE;
DROP ROLE regress_health;
SELECT searched, with_mate, fast_found, recall > 0.9 AS recall FROM biometric_recall('capture_print_idx', 20);
CREATE INDEX capture_eye_idx ON capture USING biometric (eye);
SELECT searched, recall > 0.9 AS recall FROM biometric_recall('capture_eye_idx', 20);
SELECT biometric_recall('capture', 20);
SELECT biometric_recall('capture_print_idx', 20, 'NaN');
-- a partial index is asked for what is in it; one that is not used is not spoken of
CREATE TABLE part AS SELECT person, sensor, print FROM capture;
CREATE INDEX part_a ON part USING biometric (print) WHERE sensor = 'A';
SELECT searched FROM biometric_recall('part_a', 1000), (SELECT count(*) FROM part WHERE sensor = 'A' AND print IS NOT NULL) c (n) WHERE searched = n;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'part_a'::regclass;
SELECT biometric_recall('part_a', 20);
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'part_a'::regclass;

-- partitions: a row is a place in one of them.  Names are those of tables.
CREATE TABLE rates (person text, print fingerprint) PARTITION BY LIST (person);
CREATE TABLE rates_x PARTITION OF rates FOR VALUES IN ('1', '2', '3');
CREATE TABLE rates_y PARTITION OF rates DEFAULT;
INSERT INTO rates SELECT person, print FROM capture WHERE person IN (3, 4, 5, 6);
SELECT jsonb_array_length(e -> 'worst_mated') AS mated, jsonb_array_length(e -> 'suspicious') AS non_mated,
	(SELECT string_agg(DISTINCT substring(w ->> 'capture_a' FROM '^[^ ]*'), ', ') FROM jsonb_array_elements(e -> 'worst_mated') w) AS partitions
FROM evaluate('rates', 'print', 'person', pictures => 12) e;
CREATE TABLE pair AS SELECT person, print FROM capture;
CREATE INDEX ON pair USING biometric (print);
SELECT person_a, person_b FROM find_duplicates('pair', 'print', 'person');
CREATE VIEW seen AS SELECT * FROM pair;
SELECT evaluate('seen', 'print', 'person');
SELECT evaluate('pair', 'print', 'person', pictures => -1);
SELECT evaluate('pair', 'print', 'person', max_captures => NULL);
-- a report does not depend on how the caller likes to see numbers
SET extra_float_digits = -12;
SELECT (evaluate('pair', 'print', 'person') #>> '{rates,fnmr}')::float8 = fnmr_at(score, mated, 40) AS exact FROM evaluation_pairs('pair', 'print', 'person');
RESET extra_float_digits;
DROP VIEW seen;

DROP TABLE capture, two_fingers, report, nothing, calibrated, lumps, twice, alike, best, unnamed, part, rates, pair, unindexed;

-- what was stored before the library was loaded is not checked: it is said, and the other checks are made
\c -
SET client_min_messages = error;
CREATE ROLE regress_settings;
ALTER ROLE regress_settings SET biometric.match_threshold = 'high';
ALTER ROLE regress_settings SET biometric.penetration_rate = '.5e-1';
ALTER ROLE regress_settings SET biometric.search_mode = 'FAST';
SELECT object, status, detail, hint FROM biometric_health() WHERE check_name = 'setting' AND object LIKE '% of %' ORDER BY object;
DROP ROLE regress_settings;
