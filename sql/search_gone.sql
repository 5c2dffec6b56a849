--
-- Fast searches find who is there behind entries of rows that are gone, and
-- behind copies that a filter takes away.
--
-- A row of 1200 has 1300 more entries at the end of each part; a fast search
-- compares 1000 templates at first.
--

CREATE TABLE crowd (id int, tenant int, seen int DEFAULT 0, print fingerprint, eye iris) WITH (autovacuum_enabled = off);
INSERT INTO crowd SELECT i, 1, 0, synthetic_fingerprint(i), synthetic_iris(i) FROM generate_series(1, 1200) AS i;
CREATE INDEX crowd_print ON crowd USING biometric (print) WITH (pending_limit = 64);
CREATE INDEX crowd_eye ON crowd USING biometric (eye) WITH (pending_limit = 64);
-- an update makes new entries in all indexes
CREATE INDEX crowd_seen ON crowd (seen);
ANALYZE crowd;

-- What fast searches say of person 5, by other captures: found with a threshold, and first
CREATE FUNCTION finds(filter text DEFAULT 'true', OUT matches bigint, OUT nearest int, OUT eye_matches bigint, OUT nearest_eye int)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET biometric.search_mode = fast AS $$
BEGIN
	EXECUTE format('SELECT count(*) FROM crowd WHERE print %% probe(%L::fingerprint, 40) AND (%s)', synthetic_fingerprint(5, 2), filter) INTO matches;
	EXECUTE format('SELECT id FROM crowd WHERE (%s) ORDER BY print <-> %L LIMIT 1', filter, synthetic_fingerprint(5, 2)) INTO nearest;
	EXECUTE format('SELECT count(*) FROM crowd WHERE eye %% probe(%L::iris, 40) AND (%s)', synthetic_iris(5, 2), filter) INTO eye_matches;
	EXECUTE format('SELECT id FROM crowd WHERE (%s) ORDER BY eye <-> %L LIMIT 1', filter, synthetic_iris(5, 2)) INTO nearest_eye;
END
$$;
CREATE FUNCTION gone(many int) RETURNS TABLE (index text, gone text) LANGUAGE sql AS $$
	SELECT i::text, CASE WHEN dead_entries = 0 THEN 'none' WHEN dead_entries < many THEN 'few' ELSE 'many' END
	FROM unnest(ARRAY['crowd_print', 'crowd_eye']::regclass[]) AS i, biometric_index_stats(i)
$$;

SELECT * FROM finds();

-- each search notes itself in the row that it found.  In one transaction: no other sees the
-- versions between.
DO $$ BEGIN FOR i IN 1 .. 1300 LOOP UPDATE crowd SET seen = i WHERE id = 5; END LOOP; END $$;
SELECT * FROM finds();

-- what the executor found to be gone is passed over from now on
SELECT * FROM gone(1300);
SELECT * FROM finds();
SELECT biometric_index_check('crowd_print', true), biometric_index_check('crowd_eye', true);
VACUUM crowd;
SELECT * FROM finds();
SELECT * FROM gone(1300);

-- deleted and loaded again, each time with another capture
DO $$
BEGIN
	FOR i IN 1 .. 130 LOOP
		DELETE FROM crowd WHERE id = 5;
		INSERT INTO crowd SELECT 5, 1, i, synthetic_fingerprint(5, 10 + i), synthetic_iris(5, 10 + i);
	END LOOP;
END
$$;
SELECT * FROM finds();
SELECT * FROM gone(100);
SELECT * FROM finds();

-- rolled back
DO $$
BEGIN
	FOR i IN 1 .. 130 LOOP
		BEGIN
			INSERT INTO crowd SELECT 5, 1, i, synthetic_fingerprint(5, 10 + i), synthetic_iris(5, 10 + i) FROM generate_series(1, 10);
			RAISE EXCEPTION 'never mind';
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END LOOP;
END
$$;
SELECT * FROM finds();
SELECT * FROM gone(100);
SELECT * FROM finds();
VACUUM crowd;
SELECT * FROM gone(100);

-- copies that belong to others: they count as one, and all of them are returned
INSERT INTO crowd SELECT 5, 2 + i, 0, synthetic_fingerprint(5, 3), synthetic_iris(5, 3) FROM generate_series(1, 1300) AS i;
SELECT * FROM finds('tenant = 1');
SELECT * FROM finds('tenant = 1302');
SELECT * FROM finds('id = 5');
DELETE FROM crowd WHERE tenant > 2;
VACUUM crowd;

-- other captures that belong to others: as long as a block has matches, another follows
INSERT INTO crowd SELECT 5, 3, 0, synthetic_fingerprint(5, 10 + i), synthetic_iris(5, 10 + i) FROM generate_series(1, 1300) AS i;
SELECT matches, nearest, eye_matches, nearest_eye FROM finds('tenant = 1');
SELECT biometric_index_check('crowd_print', true), biometric_index_check('crowd_eye', true);

-- a template that is not there any more is not compared: who has it now is
BEGIN;
DELETE FROM crowd WHERE tenant = 3;
SELECT * FROM finds();
ROLLBACK;
SELECT matches > 500 AS again, eye_matches > 1200 AS eyes FROM finds('tenant = 3');

-- rows without a template, too
INSERT INTO crowd SELECT 9000 + i, 1, 0, NULL, NULL FROM generate_series(1, 50) AS i;
DELETE FROM crowd WHERE id > 9000;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*) FROM (SELECT id FROM crowd ORDER BY print <-> synthetic_fingerprint(5, 2)) AS s;
SELECT dead_entries FROM biometric_index_stats('crowd_print');
SELECT count(*) FROM (SELECT id FROM crowd ORDER BY print <-> synthetic_fingerprint(5, 2)) AS s;

-- a small gallery is searched exactly
CREATE TABLE few AS SELECT i, synthetic_fingerprint(i) AS print FROM generate_series(1, 300) AS i;
CREATE INDEX few_print ON few USING biometric (print);
SET biometric.search_mode = fast;
SET biometric.penetration_rate = 0.001;
SELECT count(*) FILTER (WHERE d < last) AS falls
FROM (SELECT d, lag(d) OVER (ORDER BY n) AS last
	  FROM (SELECT row_number() OVER () AS n, d FROM (SELECT print <-> synthetic_fingerprint(7, 1) AS d FROM few ORDER BY 1) AS a) AS b) AS c;

DROP TABLE crowd, few;
DROP FUNCTION finds, gone;
