--
-- What the planner is told: searches by arrays, estimates, sizes
--
CREATE TABLE fingers (id int, print fingerprint);
INSERT INTO fingers SELECT n, synthetic_fingerprint(n % 100) FROM generate_series(1, 1000) n;
CREATE INDEX fingers_print ON fingers USING biometric (print);
ANALYZE fingers;

CREATE FUNCTION cost(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Total Cost')::float8;
END $$;
CREATE FUNCTION plan_of(query text, options text DEFAULT 'COSTS') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON, ' || options || ') ' || query INTO plan;
	RETURN plan;
END $$;

-- One bitmap of the matches of several fingers
SELECT ARRAY[synthetic_fingerprint(7, 1), synthetic_fingerprint(8, 1), NULL] AS some,
	(SELECT array_agg(synthetic_fingerprint(n)) FROM generate_series(1, 5) n) AS five,
	(SELECT array_agg(synthetic_fingerprint(n)) FROM generate_series(1, 50) n) AS fifty \gset
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE any_of(fingerprint[]) AS SELECT count(*), min(id), max(id) FROM fingers WHERE print % ANY ($1);
EXPLAIN (COSTS OFF) EXECUTE any_of(:'some');
EXECUTE any_of(:'some');
EXECUTE any_of('{}');
EXECUTE any_of(NULL);
SET enable_seqscan = on;
SET enable_bitmapscan = off;
SET enable_indexscan = off;
SELECT count(*), min(id), max(id) FROM fingers WHERE print % ANY (:'some');
RESET enable_indexscan;
RESET enable_bitmapscan;
SET enable_seqscan = off;
-- a search for each costs a search for each
SELECT cost(format('SELECT FROM fingers WHERE print %% ANY (%L)', :'fifty'))
	/ cost(format('SELECT FROM fingers WHERE print %% ANY (%L)', :'five')) BETWEEN 8 AND 13 AS ten_times;
SELECT cost(format('SELECT FROM fingers WHERE print %% ANY (%L)', :'five'))
	/ cost(format('SELECT FROM fingers WHERE print %% %L', synthetic_fingerprint(1))) BETWEEN 4 AND 6 AS five_times;

-- An array is never searched by several processes
SET max_parallel_workers_per_gather = 2;
SET min_parallel_index_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
EXPLAIN (COSTS OFF) EXECUTE any_of(:'some');
RESET max_parallel_workers_per_gather;

-- An operator of any type may have been given our estimators
CREATE FUNCTION has_minutiae(fingerprint, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT minutia_count($1) >= $2';
CREATE OPERATOR @# (LEFTARG = fingerprint, RIGHTARG = int, FUNCTION = has_minutiae, RESTRICT = biometric_probe_sel, JOIN = biometric_match_joinsel);
CREATE FUNCTION is_like(fingerprint, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1::text LIKE $2';
CREATE OPERATOR @~ (LEFTARG = fingerprint, RIGHTARG = text, FUNCTION = is_like, RESTRICT = biometric_probe_sel);
CREATE FUNCTION same_text(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR @= (LEFTARG = text, RIGHTARG = text, FUNCTION = same_text, RESTRICT = biometric_match_sel, JOIN = biometric_match_joinsel);
SELECT count(*) FROM fingers WHERE print @# 10;
SELECT count(*) FROM fingers WHERE print @# NULL;
SELECT count(*) FROM fingers WHERE print @~ '%x%';
SELECT count(*) FROM fingers WHERE 'a' @= 'a' AND print::text @= '';
SELECT count(*) FROM fingers a JOIN fingers b ON a.id::text @= b.id::text WHERE a.id < 10 AND b.id < 10;

-- How large an index would be, and how large it is
SELECT index_bytes > 1000000 * 800::bigint AND index_bytes < 1000000 * 2000::bigint AS size_is_likely,
	index_bytes = gallery_bytes + preselection_bytes + current_setting('block_size')::int AS adds_up,
	shared_buffers_bytes > index_bytes AS buffers, build_seconds BETWEEN 10 AND 10000 AS time_is_likely
FROM biometric_index_estimate(1000000, synthetic_fingerprint(1));
SELECT abs(index_bytes - (SELECT pg_relation_size('fingers_print'))) < 0.15 * index_bytes AS size_is_right
FROM (SELECT avg(index_bytes) AS index_bytes FROM generate_series(0, 99) n, LATERAL biometric_index_estimate(1000, synthetic_fingerprint(n))) s;
SELECT one.build_seconds > three.build_seconds AS workers_help
FROM biometric_index_estimate(1000000, synthetic_iris(1)) one, biometric_index_estimate(1000000, synthetic_iris(1), workers => 2) three;
SELECT index_bytes FROM biometric_index_estimate(0, synthetic_iris(1));
SELECT index_bytes FROM biometric_index_estimate(1000, NULL::iris);
SELECT index_bytes FROM biometric_index_estimate(-1, synthetic_iris(1));
SELECT index_bytes FROM biometric_index_estimate(1, synthetic_iris(1), -1);
SELECT index_bytes FROM biometric_index_estimate(1, 1);

-- A boolean function whose support function gives the index condition
SET enable_seqscan = off;
SET max_parallel_workers_per_gather = 0;
SET plan_cache_mode = force_generic_plan;
PREPARE left_side(fingerprint) AS SELECT id FROM fingers WHERE matches(print, $1, 45);
PREPARE right_side(fingerprint, float8) AS SELECT id FROM fingers WHERE matches($1, print, $2) AND id > 3;
EXPLAIN (COSTS OFF) EXECUTE left_side(NULL);
EXPLAIN (COSTS OFF) EXECUTE right_side(NULL, NULL);
-- not where the other side is a column of the same table, or the threshold is
PREPARE both_sides AS SELECT id FROM fingers WHERE matches(print, print, 45);
PREPARE own_threshold(fingerprint) AS SELECT id FROM fingers WHERE matches(print, $1, id);
RESET enable_seqscan;
EXPLAIN (COSTS OFF) EXECUTE both_sides;
EXPLAIN (COSTS OFF) EXECUTE own_threshold(NULL);
RESET max_parallel_workers_per_gather;
RESET plan_cache_mode;
DEALLOCATE ALL;
SELECT count(*) = 0 AS equal FROM (
	SELECT a.id, b.id FROM fingers a, fingers b WHERE a.id <= 3 AND match_score(a.print, b.print) >= 12.5
	EXCEPT SELECT a.id, b.id FROM fingers a JOIN fingers b ON matches(b.print, a.print, 12.5) WHERE a.id <= 3) d;
SELECT matches(print, print, NULL), matches(print, print, 'NaN'), matches(print, print, '-infinity'), matches(print, NULL, 0) FROM fingers WHERE id = 7;
-- It is selective as its score says: not a third of the rows, as any other function
SELECT rows < 20 AS few FROM (SELECT (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8 AS rows
	FROM plan_of($$SELECT FROM fingers WHERE matches(print, (SELECT print FROM fingers LIMIT 1), 60)$$) plan) p;

-- From PostgreSQL 17 on, the index gives the first of several sort keys
SET enable_seqscan = off;
SELECT (plan::text LIKE '%Incremental Sort%') = (current_setting('server_version_num')::int >= 170000) AS as_expected
FROM plan_of('SELECT id FROM fingers ORDER BY print <-> (SELECT print FROM fingers WHERE id = 7), id LIMIT 5') plan;
RESET enable_seqscan;

-- Settings that are not the default are shown where a plan is looked at
SET biometric.search_mode = fast;
SET biometric.match_threshold = 50;
SET biometric.penetration_rate = 0.01;
SELECT key, value FROM plan_of('SELECT 1', 'SETTINGS') plan, LATERAL jsonb_each_text(plan -> 0 -> 'Settings')
WHERE key LIKE 'biometric.%' ORDER BY 1;
RESET biometric.search_mode;
RESET biometric.match_threshold;
RESET biometric.penetration_rate;
SELECT name, short_desc <> '' AND extra_desc <> '' AS described FROM pg_settings WHERE name LIKE 'biometric.%' ORDER BY 1;

DROP TABLE fingers;
DROP OPERATOR @# (fingerprint, int), @~ (fingerprint, text), @= (text, text);
DROP FUNCTION plan_of, cost, has_minutiae, is_like, same_text;
