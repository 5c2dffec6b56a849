--
-- Several processes search an index, or build it: the same answers as of one
--
CREATE TABLE eyes (id int, person int, code iris);
INSERT INTO eyes
SELECT n, n / 3, CASE WHEN n % 40 <> 0 THEN synthetic_iris(n / 3, n % 3) END FROM generate_series(1, 6000) n;
CREATE INDEX eyes_code ON eyes USING biometric (code);
ANALYZE eyes;
CREATE TABLE probes (n int, code iris);
INSERT INTO probes SELECT n, synthetic_iris(n * 50, 7) FROM generate_series(1, 20) n;
ANALYZE probes;

-- Make it worth while for so few rows
SET min_parallel_index_scan_size = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan;

PREPARE nearest(iris, int) AS SELECT id, (code <-> $1)::numeric(4, 3) FROM eyes ORDER BY code <-> $1 LIMIT $2;
EXPLAIN (COSTS OFF) EXECUTE nearest(synthetic_iris(500, 3), 3);
EXECUTE nearest(synthetic_iris(500, 3), 3);
PREPARE matches(iris, float8) AS SELECT id FROM eyes WHERE code % probe($1, $2);
EXPLAIN (COSTS OFF) EXECUTE matches(synthetic_iris(500, 3), 40);
PREPARE sought(iris, float8) AS
	SELECT id FROM eyes WHERE code % probe($1, $2) AND person % 2 = 0 ORDER BY code <-> $1;
EXPLAIN (COSTS OFF) EXECUTE sought(synthetic_iris(500, 3), 40);
EXECUTE sought(synthetic_iris(500, 3), 40);
RESET plan_cache_mode;

-- Runs a query that returns (id, d) by several processes and by one
CREATE FUNCTION same(query text, ids boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	is_parallel boolean := false;
	by_many text;
	by_one text;
	answer text := 'SELECT count(*) || coalesce(string_agg(coalesce(d::text, ''null''), '' '' ORDER BY n), '''')';
BEGIN
	IF ids THEN
		answer := answer || ' || coalesce(string_agg(id::text, '' '' ORDER BY id), '''')';
	END IF;
	answer := answer || ' FROM (SELECT *, row_number() OVER () AS n FROM (' || query || ') AS q) AS r';

	FOR line IN EXECUTE 'EXPLAIN ' || answer LOOP
		is_parallel := is_parallel OR line LIKE '%Parallel Index Scan using eyes_code%';
	END LOOP;
	EXECUTE answer INTO by_many;
	PERFORM set_config('max_parallel_workers_per_gather', '0', true);
	EXECUTE answer INTO by_one;
	PERFORM set_config('max_parallel_workers_per_gather', '2', true);
	RETURN CASE WHEN NOT is_parallel THEN 'no parallel scan'
				WHEN by_many = by_one THEN 'same'
				ELSE 'DIFFERENT: ' || by_many || ' AND ' || by_one END;
END $$;

SELECT synthetic_iris(700, 3) AS q, synthetic_iris(701, 4) AS r \gset

-- all rows, those without a template last; also if memory holds few of them
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes ORDER BY code <-> %L', :'q', :'q'));
SET work_mem = '64kB';
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes ORDER BY code <-> %L', :'q', :'q'));
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes ORDER BY code <-> %L, code <-> %L', :'q', :'q', :'r'));
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes ORDER BY code <-> %L OFFSET 4000 LIMIT 1500', :'q', :'q'), false);
RESET work_mem;
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes ORDER BY code <-> %L LIMIT 7', :'q', :'q'), false);
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes WHERE person %% 7 = 0 ORDER BY code <-> %L', :'q', :'q'));
SELECT same(format('SELECT id, code <-> %L AS d FROM eyes WHERE code %% probe(%L::iris, 3) ORDER BY code <-> %L', :'r', :'q', :'r'));
SELECT same(format('SELECT id, NULL::text AS d FROM eyes WHERE code %% probe(%L::iris, 5)', :'q'));
SELECT same(format('SELECT id, NULL::text AS d FROM eyes WHERE code %% probe(%L::iris, 5) AND code %% probe(%L::iris, 5)', :'q', :'r'));
SELECT same(format('SELECT id, NULL::text AS d FROM eyes WHERE code %% probe(%L::iris, ''NaN'')', :'q'));
SELECT same('SELECT id, NULL::text AS d FROM eyes WHERE code % probe((SELECT code FROM probes WHERE n = 3), 5)');

-- A search again and again: by those who wait for workers, and by the workers
SET enable_material = off;
SELECT n, array_agg(id ORDER BY d, id)
FROM generate_series(1, 3) n
LEFT JOIN (SELECT id, (code <-> :'q')::numeric(4, 3) AS d FROM eyes ORDER BY code <-> :'q' LIMIT 3) s ON true
GROUP BY n ORDER BY n;
RESET enable_material;
SET enable_seqscan = on;
SELECT count(*), sum(e.id) FROM probes p JOIN eyes e ON e.code % probe(p.code, 40);
SET max_parallel_workers_per_gather = 0;
SELECT count(*), sum(e.id) FROM probes p JOIN eyes e ON e.code % probe(p.code, 40);
SET max_parallel_workers_per_gather = 2;
SET enable_seqscan = off;

-- Any plan in a worker
SELECT set_config(CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'force_parallel_mode'
				  ELSE 'debug_parallel_query' END, 'on', false);
SET max_parallel_workers_per_gather = 1;
EXECUTE nearest(synthetic_iris(500, 3), 3);
EXECUTE sought(synthetic_iris(500, 3), 40);
SET enable_indexscan = off;
SET enable_bitmapscan = on;
SELECT count(*) FROM eyes WHERE code % synthetic_iris(700, 3);
SELECT set_config(CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'force_parallel_mode'
				  ELSE 'debug_parallel_query' END, 'off', false);
RESET enable_indexscan;

-- A cursor that may be left at any time
SET enable_bitmapscan = off;
SET max_parallel_workers_per_gather = 2;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM eyes ORDER BY code <-> synthetic_iris(500, 3);
FETCH 3 FROM c;
COMMIT;

-- Partitions
CREATE TABLE regions (id int, code iris, region int) PARTITION BY LIST (region);
CREATE TABLE region_0 PARTITION OF regions FOR VALUES IN (0);
CREATE TABLE region_1 PARTITION OF regions FOR VALUES IN (1);
INSERT INTO regions SELECT id, code, id % 2 FROM eyes;
CREATE INDEX ON regions USING biometric (code);
ANALYZE regions;
SET plan_cache_mode = force_generic_plan;
PREPARE anywhere(iris) AS SELECT id FROM regions WHERE code % $1;
EXPLAIN (COSTS OFF) EXECUTE anywhere(synthetic_iris(500, 3));
SELECT count(*), sum(id) FROM regions WHERE code % synthetic_iris(500, 3);
SELECT id FROM regions ORDER BY code <-> synthetic_iris(500, 3) LIMIT 3;
RESET plan_cache_mode;

-- Where it is not worth while, one process searches
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
DISCARD PLANS;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE matches(synthetic_iris(500, 3), 40);

--
-- Building
--
SET max_parallel_maintenance_workers = 2;
SET maintenance_work_mem = '128MB';
REINDEX INDEX eyes_code;
SELECT biometric_index_check('eyes_code', true);
SELECT entries, null_entries FROM biometric_index_stats('eyes_code');
SELECT reltuples FROM pg_class WHERE relname = 'eyes_code';
EXECUTE nearest(synthetic_iris(500, 3), 3);

CREATE INDEX CONCURRENTLY eyes_even ON eyes USING biometric (code) WHERE id % 2 = 0;
SELECT biometric_index_check('eyes_even', true);
SELECT entries, null_entries FROM biometric_index_stats('eyes_even');
REINDEX INDEX CONCURRENTLY eyes_even;
SELECT biometric_index_check('eyes_even', true);
CREATE TABLE records (id int, code bytea, mask bytea);
INSERT INTO records SELECT id, code(code), mask(code) FROM eyes WHERE code IS NOT NULL;
CREATE INDEX records_code ON records USING biometric (iris(code, mask, 128));
SELECT biometric_index_check('records_code', true);
SELECT entries, null_entries FROM biometric_index_stats('records_code');

-- little memory, no workers
SET maintenance_work_mem = '1MB';
REINDEX INDEX eyes_code;
SELECT biometric_index_check('eyes_code', true);
SET maintenance_work_mem = '128MB';
SET max_parallel_workers = 0;
REINDEX INDEX eyes_code;
SELECT biometric_index_check('eyes_code', true);
RESET max_parallel_workers;

-- an error in any process leaves nothing
CREATE FUNCTION fails(id int, code iris) RETURNS iris LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	IF id = 5990 THEN
		RAISE 'this one is not to be indexed';
	END IF;
	RETURN code;
END $$;
\set VERBOSITY terse
CREATE INDEX eyes_fail ON eyes USING biometric (fails(id, code));
SELECT count(*) FROM pg_class WHERE relname = 'eyes_fail';

-- workers do not know the columns of an outer query; they know what was computed before they began
SELECT n, (SELECT id FROM eyes e ORDER BY e.code <-> p.code LIMIT 1) = (SELECT id FROM eyes e ORDER BY (e.code <-> p.code) + 0 LIMIT 1) AS same FROM probes p WHERE n < 3;
SELECT count(*) FROM (SELECT id FROM eyes ORDER BY code <-> (SELECT code FROM probes WHERE n = 1)) s;

DROP TABLE eyes, probes, records, regions;
DROP FUNCTION same, fails;
