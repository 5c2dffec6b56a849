--
-- A search with the index returns exactly what a sequential scan returns:
-- the same rows, in the same order (ties aside), however many are asked for.
--
CREATE EXTENSION IF NOT EXISTS biometric;

-- 60 fingers, two impressions each, in groups; some rows have no template
CREATE TABLE gallery (id int, grp int, print fingerprint);
INSERT INTO gallery
SELECT i, i % 7, CASE WHEN i % 20 <> 0 THEN synthetic_fingerprint(i / 2, i % 2) END
FROM generate_series(1, 120) AS i;
CREATE INDEX gallery_print ON gallery USING biometric (print);
ANALYZE gallery;

CREATE TABLE probes (id int, print fingerprint);
INSERT INTO probes SELECT i, synthetic_fingerprint(i, 2) FROM generate_series(1, 5) AS i;
INSERT INTO probes VALUES (9, NULL), (10, synthetic_fingerprint(100000));
ANALYZE probes;

SELECT synthetic_fingerprint(5, 2) AS probe, synthetic_fingerprint(6, 3) AS other \gset

-- Runs a query that returns (id, d) with the index and without.
CREATE FUNCTION same(query text, ids boolean DEFAULT true) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	line text;
	uses_index boolean := false;
	with_index text;
	without_index text;
	answer text := 'SELECT count(*) || coalesce(string_agg(coalesce(d::text, ''null''), '' '' ORDER BY n), '''')';
BEGIN
	IF ids THEN
		answer := answer || ' || coalesce(string_agg(id::text, '' '' ORDER BY id), '''')';
	END IF;
	answer := answer || ' FROM (SELECT *, row_number() OVER () AS n FROM (' || query || ') AS q) AS r';

	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		uses_index := uses_index OR line LIKE '%gallery_print%';
	END LOOP;
	EXECUTE answer INTO with_index;
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true),
			set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
	EXECUTE answer INTO without_index;
	PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true);

	RETURN CASE WHEN NOT uses_index THEN 'index not used'
				WHEN with_index = without_index THEN 'same'
				ELSE 'DIFFERENT: ' || with_index || ' AND ' || without_index END;
END
$$;

-- ----------------------------------------------------------------------------
-- Plans
-- ----------------------------------------------------------------------------

-- A plan, without the templates in it
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(line, '''[^'']{50,}''', '''...''', 'g');
	END LOOP;
END
$$;

-- nearest rows
SELECT plan(format('SELECT id FROM gallery ORDER BY print <-> %L LIMIT 10', :'probe'));

-- rows that match, by the setting or by a threshold of their own
SELECT plan(format('SELECT id FROM gallery WHERE print %% %L', :'probe'));
SELECT plan(format('SELECT id FROM gallery WHERE print %% probe(%L::fingerprint, 30)', :'probe'));

-- both at once: the scan itself stops at the threshold
SELECT plan(format('SELECT id FROM gallery WHERE print %% %L ORDER BY print <-> %1$L LIMIT 10', :'probe'));

-- many searches in one join
SELECT plan('SELECT p.id, g.id FROM probes AS p JOIN gallery AS g ON g.print % p.print');
SELECT plan('SELECT p.id, g.id FROM probes AS p JOIN gallery AS g ON g.print % probe(p.print, 30)');
SELECT plan('SELECT p.id, n.id FROM probes AS p
			 CROSS JOIN LATERAL (SELECT id FROM gallery AS g ORDER BY g.print <-> p.print LIMIT 3) AS n');

-- prepared, with a plan for any parameter
SET plan_cache_mode = force_generic_plan;
PREPARE search(fingerprint) AS SELECT id FROM gallery ORDER BY print <-> $1 LIMIT 10;
SELECT plan('EXECUTE search(NULL)');
RESET plan_cache_mode;

-- the farthest first: an index cannot help
SELECT plan(format('SELECT id FROM gallery ORDER BY print <-> %L DESC LIMIT 10', :'probe'));

-- ----------------------------------------------------------------------------
-- Order
-- ----------------------------------------------------------------------------

-- all rows, those without a template last
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery ORDER BY print <-> %1$L', :'probe'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery ORDER BY print <-> %1$L LIMIT 5', :'probe'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery ORDER BY print <-> %1$L LIMIT 10 OFFSET 105', :'probe'), false);

SELECT count(*) AS rows, count(print) AS templates
FROM (SELECT print FROM gallery ORDER BY print <-> :'probe' LIMIT 1000) AS s;

-- whatever is filtered
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE grp = 3 ORDER BY print <-> %1$L LIMIT 20', :'probe'), false);
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE id > 105 ORDER BY print <-> %1$L LIMIT 20', :'probe'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE print IS NOT NULL ORDER BY print <-> %1$L', :'probe'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE print IS NULL ORDER BY print <-> %1$L', :'probe'));

-- ties broken by another template
SELECT same(format('SELECT id, (print <-> %L) * 2 AS d FROM gallery ORDER BY print <-> %1$L, print <-> %2$L', :'probe', :'other'));
SELECT same(format('SELECT id, (print <-> %L) * 2 AS d FROM gallery ORDER BY print <-> %1$L, print <-> (SELECT print FROM probes WHERE id = 9)', :'probe'));

-- a probe that is NULL orders nothing, and loses nothing
SELECT same('SELECT id, print <-> (SELECT print FROM probes WHERE id = 9) AS d FROM gallery ORDER BY print <-> (SELECT print FROM probes WHERE id = 9)');
SELECT count(*) FROM (SELECT id FROM gallery ORDER BY print <-> NULL LIMIT 1000) AS s;

-- ----------------------------------------------------------------------------
-- Thresholds
-- ----------------------------------------------------------------------------

SET biometric.match_threshold = 25;
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% %L', :'probe'));
SET biometric.match_threshold = 0;
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% %L', :'probe'));
SET biometric.match_threshold = 1000;
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% %L', :'probe'));
RESET biometric.match_threshold;

-- at any score, also those that templates of the gallery have exactly
SELECT same(format('SELECT id, %s AS d FROM gallery WHERE print %% probe(%L::fingerprint, %1$s)', score, :'probe')), count(*)
FROM (SELECT DISTINCT match_score(print, :'probe') AS score FROM gallery WHERE id % 12 = 1
	  UNION VALUES (5.0), (10.0), (20.5), ('-1'), ('40')) AS s
WHERE score IS NOT NULL
GROUP BY 1;
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% probe(%L::fingerprint, ''infinity'')', :'probe'));
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% probe(%L::fingerprint, ''-infinity'')', :'probe'));

-- together with an order, and with each other
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE print %% probe(%1$L::fingerprint, 5) ORDER BY print <-> %1$L', :'probe'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE print %% probe(%2$L::fingerprint, 5) ORDER BY print <-> %1$L', :'probe', :'other'));
SELECT same(format('SELECT id, print <-> %L AS d FROM gallery WHERE print %% probe(%2$L::fingerprint, 3) AND print %% probe(%1$L::fingerprint, 3) ORDER BY print <-> %1$L', :'probe', :'other'));
SELECT same(format('SELECT id, 0 AS d FROM gallery WHERE print %% probe(%2$L::fingerprint, 3) OR print %% probe(%1$L::fingerprint, 3)', :'probe', :'other'));

-- no template matches NULL
SELECT count(*) FROM gallery WHERE print % NULL::fingerprint;
SELECT count(*) FROM gallery WHERE print % (SELECT print FROM probes WHERE id = 9);

-- as a bitmap
SET enable_indexscan = off;
SELECT plan(format('SELECT id FROM gallery WHERE print %% %L AND grp < 9', :'probe'));
SELECT array_agg(id ORDER BY id) AS bitmap FROM gallery WHERE print % probe(:'probe'::fingerprint, 5) \gset
RESET enable_indexscan;
SELECT :'bitmap' = array_agg(id ORDER BY id)::text AS same FROM gallery WHERE match_score(print, :'probe') >= 5;

-- ----------------------------------------------------------------------------
-- Searches repeated in one statement
-- ----------------------------------------------------------------------------

SELECT same('SELECT g.id * 100 + p.id AS id, 0 AS d FROM probes AS p JOIN gallery AS g ON g.print % probe(p.print, 10)');
SELECT same('SELECT n.id * 100 + p.id AS id, n.d FROM probes AS p CROSS JOIN LATERAL
			 (SELECT id, g.print <-> p.print AS d FROM gallery AS g ORDER BY g.print <-> p.print LIMIT 400) AS n');
SELECT same('SELECT g.id, 0 AS d FROM gallery AS g WHERE EXISTS (SELECT FROM probes AS p WHERE g.print % probe(p.print, 10)) AND g.print % probe((SELECT print FROM probes WHERE id = 4), 5)');

-- the nearest of each of many
SELECT p.id, n.id AS nearest
FROM (VALUES (4), (9), (77)) AS p(id)
CROSS JOIN LATERAL (SELECT g.id FROM gallery AS g
					ORDER BY g.print <-> synthetic_fingerprint(p.id / 2, p.id % 2) LIMIT 1) AS n
ORDER BY p.id;

-- ----------------------------------------------------------------------------
-- More rows than memory holds: passes follow each other
-- ----------------------------------------------------------------------------

CREATE TABLE crowd (id int, print fingerprint);
INSERT INTO crowd SELECT id, print FROM gallery;
INSERT INTO crowd
SELECT 1000 + i, format('(size 300x400, resolution 197x197) e%s,%s,%s,0 b%s,%s,%s,0',
						i * 7 % 300, i * 13 % 400, i % 256, i * 11 % 300, i * 17 % 400, i * 5 % 256)::fingerprint
FROM generate_series(1, 5000) AS i;
CREATE INDEX crowd_gallery_print ON crowd USING biometric (print);
ANALYZE crowd;
SET work_mem = '64kB';
SELECT same(format('SELECT id, print <-> %L AS d FROM crowd ORDER BY print <-> %1$L', :'probe'));
SELECT count(*), count(DISTINCT id), count(print)
FROM (SELECT id, print FROM crowd ORDER BY print <-> :'probe' LIMIT 10000) AS s;
SELECT same(format('SELECT id, print <-> %L AS d FROM crowd WHERE id %% 320 = 15 ORDER BY print <-> %1$L', :'probe'));
RESET work_mem;

-- ----------------------------------------------------------------------------
-- Cursors, and changes while a search goes on
-- ----------------------------------------------------------------------------

BEGIN;
DECLARE candidates CURSOR FOR SELECT id / 2 AS finger FROM gallery ORDER BY print <-> :'probe';
FETCH 1 FROM candidates;
-- nothing of this belongs to the snapshot of the cursor
INSERT INTO gallery SELECT 5000 + i, 0, synthetic_fingerprint(5, i + 3) FROM generate_series(1, 50) AS i;
UPDATE gallery SET print = NULL WHERE id < 100;
MOVE FORWARD ALL FROM candidates;
\echo :ROW_COUNT more
CLOSE candidates;
ROLLBACK;

-- ----------------------------------------------------------------------------
-- Row-level security keeps the index, and hides what it must
-- ----------------------------------------------------------------------------

CREATE ROLE regress_biometric_analyst;
GRANT SELECT ON gallery TO regress_biometric_analyst;
ALTER TABLE gallery ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_group ON gallery USING (grp <> 3);
SET ROLE regress_biometric_analyst;
SELECT plan(format('SELECT id FROM gallery ORDER BY print <-> %L LIMIT 10', :'probe'));
SELECT plan(format('SELECT id FROM gallery WHERE print %% %L', :'probe'));
SELECT count(*), bool_or(grp = 3) AS leaked
FROM (SELECT grp FROM gallery ORDER BY print <-> :'probe' LIMIT 1000) AS s;
RESET ROLE;
SELECT count(*) FROM gallery WHERE grp <> 3;

DROP TABLE gallery, crowd, probes;
DROP FUNCTION same(text, boolean), plan(text);
DROP ROLE regress_biometric_analyst;
