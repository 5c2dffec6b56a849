--
-- biometric.search_mode: fast searches compare a part of the gallery first
--
CREATE TABLE fingers (id int, grp int, print fingerprint);
INSERT INTO fingers
SELECT n, n % 10, CASE WHEN n % 100 <> 0 THEN synthetic_fingerprint(n) END FROM generate_series(1, 3000) n;
CREATE INDEX fingers_print ON fingers USING biometric (print);
ANALYZE fingers;
CREATE TABLE probes (n int, print fingerprint);
INSERT INTO probes SELECT n, synthetic_fingerprint(n * 53, 1) FROM generate_series(1, 50) n;
ANALYZE probes;

SHOW biometric.search_mode;
SHOW biometric.penetration_rate;
SET biometric.search_mode = quick;
SET biometric.penetration_rate = 0;
SET biometric.penetration_rate = 1.5;

SET enable_seqscan = off;
SET enable_sort = off;

-- The answers of one mode as a table
CREATE FUNCTION answers(mode text, rate float8, query text) RETURNS TABLE (n bigint, id int, d float8)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('biometric.search_mode', mode, true),
			set_config('biometric.penetration_rate', rate::text, true);
	RETURN QUERY EXECUTE 'SELECT row_number() OVER (), q.* FROM (' || query || ') q (id, d)';
	PERFORM set_config('biometric.search_mode', 'exact', true);
END $$;

SELECT synthetic_fingerprint(742, 1) AS q, synthetic_fingerprint(743, 2) AS r \gset
\set nearest 'format(''SELECT id, print <-> %L FROM fingers ORDER BY print <-> %L'', :''q'', :''q'')'
\set matching 'format(''SELECT id, print <-> %1$L FROM fingers WHERE print %% probe(%1$L::fingerprint, 5) ORDER BY print <-> %1$L'', :''q'')'

-- Every row, and each once, when all are asked for: also if memory holds few
SELECT count(*), count(DISTINCT id), count(d), max(n) FILTER (WHERE d IS NOT NULL), sum(d::numeric) = (SELECT sum((print <-> :'q')::numeric) FROM fingers)
FROM answers('fast', 0.01, :nearest);
SET work_mem = '64kB';
SELECT count(*), count(DISTINCT id), count(d), max(n) FILTER (WHERE d IS NOT NULL), sum(d::numeric) = (SELECT sum((print <-> :'q')::numeric) FROM fingers)
FROM answers('fast', 0.5, :nearest);
SELECT count(*), count(DISTINCT id), count(d) FROM answers('fast', 1, :nearest);
RESET work_mem;

-- in order as far as they were compared first, then the other candidates in order, then all others
SELECT count(*) <= 2 AS falls_at_most_twice
FROM (SELECT d < lag(d) OVER (ORDER BY n) AS falls FROM answers('fast', 0.01, :nearest)) s WHERE falls;
SELECT id FROM answers('fast', 0.01, :nearest) LIMIT 1;

-- with a threshold: some of the matches, or all
SELECT (SELECT count(*) FROM answers('exact', 1, :matching)) > (SELECT count(*) FROM answers('fast', 0.01, :matching)) AS fewer;
SELECT count(*) FROM
(SELECT id, d FROM answers('fast', 0.05, :matching) EXCEPT ALL SELECT id, d FROM answers('exact', 1, :matching)) s;
SELECT count(*) FROM
(SELECT id, d FROM answers('exact', 1, :matching) EXCEPT ALL SELECT id, d FROM answers('fast', 1, :matching)) s;

-- The plan is the same; nobody helps in a fast search
SET plan_cache_mode = force_generic_plan;
PREPARE nearest(fingerprint, int) AS SELECT id FROM fingers ORDER BY print <-> $1 LIMIT $2;
PREPARE matches(fingerprint, float8) AS SELECT id FROM fingers WHERE print % probe($1, $2);
SET max_parallel_workers_per_gather = 2;
SET min_parallel_index_scan_size = 0;
SET parallel_setup_cost = 0;
SET biometric.search_mode = fast;
EXPLAIN (COSTS OFF) EXECUTE nearest(:'q', 3);
EXECUTE nearest(:'q', 1);
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) EXECUTE matches(:'q', 40);
EXECUTE matches(:'q', 40);
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SELECT id FROM fingers WHERE print % :'q';
RESET enable_indexscan;

-- filters, several order-bys, several quals, nobody
SELECT id FROM fingers WHERE grp = 2 ORDER BY print <-> :'q' LIMIT 1;
SELECT count(*) FROM (SELECT id FROM fingers WHERE grp = 2 ORDER BY print <-> :'q', print <-> :'r') s;
SELECT count(*) FROM (SELECT id FROM fingers WHERE print % probe(:'q'::fingerprint, 0) AND print % probe(:'r'::fingerprint, 0) ORDER BY print <-> :'q') s;
SELECT id FROM fingers WHERE print % probe(:'q'::fingerprint, 40) AND print % probe(:'r'::fingerprint, 40);
SELECT count(*) FROM fingers WHERE print % probe(:'q'::fingerprint, 'NaN');
SELECT count(*) FROM (SELECT id FROM fingers ORDER BY print <-> NULL) s;

-- again and again
SELECT count(*) FROM (SELECT p.n, f.id FROM probes p, LATERAL (SELECT id FROM fingers ORDER BY print <-> p.print LIMIT 1) f WHERE f.id = p.n * 53) s;
SELECT count(*) FROM probes p JOIN fingers f ON f.print % p.print WHERE f.id = p.n * 53;

-- Recall on this gallery: of the mates that an exact search ranks first, how many are first
CREATE FUNCTION first_ranked(rate float8) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	found bigint := 0;
	p record;
	nearest int;
BEGIN
	PERFORM set_config('biometric.penetration_rate', rate::text, true);
	FOR p IN SELECT * FROM probes LOOP
		SELECT id INTO nearest FROM fingers ORDER BY print <-> p.print LIMIT 1;
		found := found + (nearest = p.n * 53)::int;
	END LOOP;
	RETURN found;
END $$;
SET biometric.search_mode = exact;
SELECT first_ranked(1) AS exact \gset
SET biometric.search_mode = fast;
SELECT first_ranked(0.01) >= :exact * 0.96 AS at_one_percent, first_ranked(0.1) >= :exact * 0.98 AS at_ten_percent, first_ranked(1) = :exact AS at_all;

-- What came since, what went
INSERT INTO fingers SELECT n, n % 10, synthetic_fingerprint(n) FROM generate_series(5001, 5200) n;
SELECT id FROM fingers ORDER BY print <-> synthetic_fingerprint(5100, 1) LIMIT 1;
SELECT id FROM fingers WHERE print % synthetic_fingerprint(5100, 1);
DELETE FROM fingers WHERE id % 3 = 0;
SELECT count(*) FROM (SELECT id FROM fingers ORDER BY print <-> :'q') s;
VACUUM fingers;
SELECT count(*) FROM (SELECT id FROM fingers ORDER BY print <-> :'q') s;
INSERT INTO fingers SELECT n, n % 10, synthetic_fingerprint(n) FROM generate_series(6001, 6200) n;
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM fingers ORDER BY print <-> :'q') s;
SELECT id FROM fingers ORDER BY print <-> synthetic_fingerprint(6100, 1) LIMIT 1;

-- A constraint does not miss anybody, whatever the setting
CREATE TABLE people (id int, print fingerprint, EXCLUDE USING biometric (print WITH %));
SET biometric.penetration_rate = 0.000001;
INSERT INTO people SELECT n, synthetic_fingerprint(n) FROM generate_series(1, 200) n;
\set VERBOSITY terse
INSERT INTO people SELECT 1000, synthetic_fingerprint(150, 1);
SET biometric.search_mode = exact;

-- Irises
CREATE TABLE eyes (id int, code iris);
INSERT INTO eyes SELECT n, synthetic_iris(n) FROM generate_series(1, 5000) n;
CREATE INDEX eyes_code ON eyes USING biometric (code);
ANALYZE eyes;
SET biometric.search_mode = fast;
SET biometric.penetration_rate = 0.01;
SELECT id FROM eyes ORDER BY code <-> synthetic_iris(777, 2) LIMIT 1;
SELECT id FROM eyes WHERE code % synthetic_iris(778, 2);
SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM eyes ORDER BY code <-> synthetic_iris(777, 2)) s;

DROP TABLE fingers, probes, people, eyes;
DROP FUNCTION answers, first_ranked;
