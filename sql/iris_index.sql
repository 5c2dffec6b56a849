--
-- The access method on irises: the same answers as without it
--
CREATE TABLE eyes (id int, person int, code iris);
INSERT INTO eyes SELECT n, n / 2, synthetic_iris(n / 2, n % 2) FROM generate_series(1, 2000) n;
INSERT INTO eyes VALUES (2001, NULL, NULL),
	(2002, NULL, '8x2:left:AAE=:/wA='),			-- another geometry
	(2003, NULL, iris(code(synthetic_iris(7)), decode(repeat('00', 256), 'hex'), 128));	-- all masked
-- masks that are not by pairs have another form in the index
INSERT INTO eyes SELECT 3000 + n, n, iris(code(i), set_byte(mask(i), n, 1), 128)
FROM generate_series(1, 100) n, LATERAL (SELECT synthetic_iris(n, 2)) s(i);
CREATE INDEX eyes_code ON eyes USING biometric (code);
ANALYZE eyes;

-- Who is this?
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
PREPARE nearest(iris, int) AS SELECT id, person, (code <-> $1)::numeric(4, 3) FROM eyes ORDER BY code <-> $1 LIMIT $2;
EXPLAIN (COSTS OFF) EXECUTE nearest(synthetic_iris(70, 3), 3);
EXECUTE nearest(synthetic_iris(70, 3), 3);
PREPARE matches(iris, float8) AS SELECT id FROM eyes WHERE code % probe($1, $2) ORDER BY id;
EXPLAIN (COSTS OFF) EXECUTE matches(synthetic_iris(70, 3), 40);
EXECUTE matches(synthetic_iris(70, 3), 40);
RESET plan_cache_mode;

-- Index and sequential scan agree, to the bit and to the last row
CREATE FUNCTION agree(q iris, min_score float8) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	ordered float8[]; ordered_seq float8[];
	matching int[]; matching_seq int[];
	rows bigint; rows_seq bigint;
BEGIN
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_bitmapscan = on;
	SELECT array_agg(d), count(*) INTO ordered, rows FROM (SELECT code <-> q AS d FROM eyes ORDER BY code <-> q) s;
	SELECT array_agg(id ORDER BY id) INTO matching FROM eyes WHERE code % probe(q, min_score);
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	SELECT array_agg(d), count(*) INTO ordered_seq, rows_seq FROM (SELECT code <-> q AS d FROM eyes ORDER BY code <-> q) s;
	SELECT array_agg(id ORDER BY id) INTO matching_seq FROM eyes WHERE code % probe(q, min_score);
	RETURN ordered = ordered_seq AND rows = rows_seq AND matching IS NOT DISTINCT FROM matching_seq;
END $$;
SELECT bool_and(agree(synthetic_iris(n, 5), n)) FROM generate_series(1, 40) n;
SELECT agree('8x2:left:AAE=:/wA=', 40), agree((SELECT code FROM eyes WHERE id = 2003), 40), agree((SELECT code FROM eyes WHERE id = 3007), 0);

-- Search and threshold together, in a join, in a bitmap
SELECT id FROM eyes WHERE code % probe(synthetic_iris(33, 4), 30) ORDER BY code <-> synthetic_iris(33, 4) LIMIT 10;
SELECT e.n, array_agg(id ORDER BY id) FROM (SELECT n, synthetic_iris(n, 6) AS q FROM generate_series(500, 503) n OFFSET 0) e
JOIN eyes ON code % probe(q, 40) GROUP BY 1 ORDER BY 1;
SET enable_indexscan = off;
SELECT count(*) FROM eyes WHERE code % synthetic_iris(800, 3);
RESET enable_indexscan;

-- Insert, delete, vacuum
INSERT INTO eyes SELECT 4000 + n, 4000 + n, synthetic_iris(4000 + n) FROM generate_series(1, 50) n;
DELETE FROM eyes WHERE id BETWEEN 100 AND 1500;
VACUUM eyes;
INSERT INTO eyes SELECT 5000 + n, 5000 + n, synthetic_iris(5000 + n) FROM generate_series(1, 500) n;
SELECT bool_and(agree(synthetic_iris(n, 5), 40)) FROM unnest('{10, 60, 900, 4010, 5499}'::int[]) n;
EXECUTE nearest(synthetic_iris(4010, 1), 1);

-- Another column type, or another geometry in one column
CREATE INDEX ON eyes USING biometric (person);
CREATE INDEX ON eyes USING biometric (code fingerprint_ops);
CREATE TABLE large (code iris(256, 64));
CREATE INDEX ON large USING biometric (code);
INSERT INTO large SELECT iris(string_agg(code(synthetic_iris(n * 8 + k)), '' ORDER BY k), string_agg(mask(synthetic_iris(n * 8 + k)), '' ORDER BY k), 256)
FROM generate_series(1, 30) n, generate_series(0, 7) k GROUP BY n;
SELECT count(*) FROM (SELECT code FROM large ORDER BY code <-> (SELECT code FROM large LIMIT 1)) s;
SELECT code <-> (SELECT code FROM large LIMIT 1) FROM large ORDER BY 1 LIMIT 1;

SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'iris_ops';
DROP TABLE eyes, large;
DROP FUNCTION agree;
