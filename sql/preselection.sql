--
-- Pre-selection: the words of an index, as it grows, shrinks and is checked.
--
CREATE EXTENSION IF NOT EXISTS biometric;

-- storage parameters
CREATE TABLE print_list (id int, print fingerprint) WITH (autovacuum_enabled = off);
CREATE INDEX print_list_bad ON print_list USING biometric (print) WITH (pending_limit = 1);
CREATE INDEX print_list_bad ON print_list USING biometric (print) WITH (lists = 100);
CREATE INDEX print_list_idx ON print_list USING biometric (print) WITH (pending_limit = 100);

-- what must be true of an index at any time
CREATE FUNCTION state(index regclass) RETURNS TABLE (entries bigint, null_entries bigint,
	dead_entries bigint, pending text, words boolean, adds_up boolean)
LANGUAGE sql AS $$
	SELECT entries, null_entries, dead_entries,
		   CASE WHEN pending_entries = 0 THEN 'none' WHEN pending_entries < 100 THEN 'few' ELSE 'many' END,
		   postings > 10 * (entries - null_entries - pending_entries),
		   pages = 1 + gallery_pages + leaf_pages + directory_pages + pending_pages + free_pages + sketch_pages
	FROM biometric_index_stats(index)
$$;

-- how many of these fingers a fast search finds, by another impression
CREATE FUNCTION found(first int, last int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint := 0;
	nearest int;
BEGIN
	FOR i IN first .. last LOOP
		SELECT id INTO nearest FROM print_list ORDER BY print <-> synthetic_fingerprint(i, 1) LIMIT 1;
		n := n + (nearest = i)::int;
	END LOOP;
	RETURN n;
END
$$;

SELECT * FROM state('print_list_idx');

-- ----------------------------------------------------------------------------
-- An index that grows from empty
-- ----------------------------------------------------------------------------

INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(1, 50) AS i;
INSERT INTO print_list VALUES (0, NULL);
SELECT * FROM state('print_list_idx');
SELECT leaf_pages FROM biometric_index_stats('print_list_idx');

INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(51, 1050) AS i;
SELECT * FROM state('print_list_idx');
SELECT leaf_pages > 1 AS leaves, directory_pages FROM biometric_index_stats('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);

SET enable_seqscan = off;
SET biometric.search_mode = fast;
SET biometric.penetration_rate = 0.05;
SELECT found(1, 40) >= 34 AS enough;
SELECT found(1001, 1040) >= 34 AS enough;

-- all rows are returned, those without a template last
SELECT count(*), (SELECT count(DISTINCT i) FROM unnest(array_agg(id)) AS i), (array_agg(id))[count(*)] AS last
FROM (SELECT id FROM print_list ORDER BY print <-> synthetic_fingerprint(7, 1)) AS s;

-- little memory
SET work_mem = '64kB';
SET maintenance_work_mem = '1MB';
SELECT found(1, 10) >= 8 AS enough;
INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(1051, 1300) AS i;
SELECT * FROM state('print_list_idx');
VACUUM print_list;
SELECT * FROM state('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);

-- ----------------------------------------------------------------------------
-- Deleted rows
-- ----------------------------------------------------------------------------

SELECT postings AS postings_before FROM biometric_index_stats('print_list_idx') \gset
INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(2001, 2020) AS i;
DELETE FROM print_list WHERE id % 2 = 0;
VACUUM print_list;
SELECT * FROM state('print_list_idx');
SELECT postings BETWEEN 0.4 * :postings_before AND 0.6 * :postings_before AS half
FROM biometric_index_stats('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);

-- their places are taken by others, whom nobody takes for them
SELECT gallery_pages AS pages_before FROM biometric_index_stats('print_list_idx') \gset
INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(3001, 3600) AS i;
SELECT gallery_pages < 1.1 * :pages_before AS reused FROM biometric_index_stats('print_list_idx');
SELECT found(3001, 3020) >= 17 AS enough;
SELECT biometric_index_check('print_list_idx', true);

DELETE FROM print_list;
VACUUM print_list;
SELECT * FROM state('print_list_idx');
SELECT postings, empty_pages = gallery_pages AS empty FROM biometric_index_stats('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);

-- ----------------------------------------------------------------------------
-- Many equal templates: one word fills several leaves
-- ----------------------------------------------------------------------------

INSERT INTO print_list SELECT i, synthetic_fingerprint(5) FROM generate_series(1, 3000) AS i;
INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(3001, 3100) AS i;
SELECT * FROM state('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);
SELECT count(*) FROM print_list WHERE print % probe(synthetic_fingerprint(3007), 40);

-- the same from CREATE INDEX
REINDEX INDEX print_list_idx;
SELECT * FROM state('print_list_idx');
SELECT biometric_index_check('print_list_idx', true);
SELECT found(3001, 3020) >= 17 AS enough;
INSERT INTO print_list SELECT i, synthetic_fingerprint(5) FROM generate_series(4001, 5000) AS i;
SELECT biometric_index_check('print_list_idx', true);

-- ----------------------------------------------------------------------------
-- Without words
-- ----------------------------------------------------------------------------

CREATE INDEX print_list_plain ON print_list USING biometric (print) WITH (preselection = off);
INSERT INTO print_list SELECT i, synthetic_fingerprint(i) FROM generate_series(6001, 6010) AS i;
SELECT preselection, pending_entries, postings, leaf_pages, pending_pages
FROM biometric_index_stats('print_list_plain');
SELECT biometric_index_check('print_list_plain', true);
ALTER INDEX print_list_plain SET (preselection = on);
REINDEX INDEX print_list_plain;
SELECT preselection, postings > 0 AS words FROM biometric_index_stats('print_list_plain');

-- ----------------------------------------------------------------------------
-- Eyes; temporary and unlogged tables
-- ----------------------------------------------------------------------------

CREATE TEMPORARY TABLE eye_list (id int, eye iris);
CREATE UNLOGGED TABLE unlogged_eyes (id int, eye iris);
CREATE INDEX eye_list_idx ON eye_list USING biometric (eye) WITH (pending_limit = 50);
CREATE INDEX unlogged_eyes_idx ON unlogged_eyes USING biometric (eye) WITH (pending_limit = 50);
INSERT INTO eye_list SELECT i, synthetic_iris(i) FROM generate_series(1, 400) AS i;
INSERT INTO unlogged_eyes TABLE eye_list;
SELECT * FROM state('eye_list_idx');
SELECT biometric_index_check('eye_list_idx', true), biometric_index_check('unlogged_eyes_idx', true);
SELECT id FROM unlogged_eyes ORDER BY eye <-> synthetic_iris(300, 1) LIMIT 1;

-- ----------------------------------------------------------------------------
-- Merges are done in pieces
-- ----------------------------------------------------------------------------

-- Some hundred eyes wait at any time.  No insertion merges more than a part of them, so that one that
-- is cancelled takes nothing with it.
CREATE TABLE pieces (id int, eye iris) WITH (autovacuum_enabled = off);
INSERT INTO pieces SELECT i, synthetic_iris(i) FROM generate_series(1, 1000) AS i;
CREATE INDEX pieces_idx ON pieces USING biometric (eye) WITH (pending_limit = 1000000);
INSERT INTO pieces SELECT i, synthetic_iris(i % 1000) FROM generate_series(1001, 1130) AS i;
CREATE FUNCTION insert_one(i int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	waiting int := (SELECT pending_pages FROM biometric_index_stats('pieces_idx'));
BEGIN
	INSERT INTO pieces VALUES (i, synthetic_iris(i % 1000));
	RETURN waiting - (SELECT pending_pages FROM biometric_index_stats('pieces_idx'));
END
$$;
SELECT max(insert_one(i)) <= 32 AS bounded, count(*) FILTER (WHERE insert_one(i + 1000) > 0) > 1 AS several
FROM generate_series(2001, 2400) AS i;
SELECT biometric_index_check('pieces_idx', true);
-- nothing depends on memory, or makes files
SET work_mem = '64kB';
SET temp_file_limit = 0;
INSERT INTO pieces SELECT i, synthetic_iris(i % 1000) FROM generate_series(4001, 4300) AS i;
RESET temp_file_limit;
RESET work_mem;

-- Vacuum makes room without a new page: on a full disk, too
DELETE FROM pieces WHERE id % 2 = 0;
SELECT pages AS pages_before FROM biometric_index_stats('pieces_idx') \gset
VACUUM pieces;
SELECT pages = :pages_before AS no_new_page FROM biometric_index_stats('pieces_idx');
SELECT biometric_index_check('pieces_idx', true);

-- Rows without a template, one by one
CREATE TABLE absent (id int, eye iris);
CREATE INDEX absent_idx ON absent USING biometric (eye);
INSERT INTO absent SELECT i, NULL FROM generate_series(1, 3000) AS i;
SELECT pages < 10 AS small, null_entries FROM biometric_index_stats('absent_idx');

DROP TABLE print_list, eye_list, unlogged_eyes, pieces, absent;
DROP FUNCTION state, found, insert_one;
