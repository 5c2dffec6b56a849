--
-- A third modality, made of test/modality/toy.c, its type and the stamped SQL:
-- it is indexed, searched, identified, fused and checked like the others.
--
SET extra_float_digits = 0;
CREATE SCHEMA toys;
SET search_path = toys, public;
\getenv directory PG_ABS_BUILDDIR
\set library :directory '/test/modality/toy'

-- The type
SET client_min_messages = warning;
\set ECHO none
CREATE TYPE toy;
CREATE FUNCTION toy_in(cstring) RETURNS toy AS :'library' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION toy_out(toy) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION toy_recv(internal) RETURNS toy AS :'library' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION toy_send(toy) RETURNS bytea AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
CREATE TYPE toy (INPUT = toy_in, OUTPUT = toy_out, RECEIVE = toy_recv, SEND = toy_send);
CREATE FUNCTION paw(toy) RETURNS integer AS :'library', 'toy_paw' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION toy_modality(internal) RETURNS internal AS :'library' LANGUAGE C IMMUTABLE PARALLEL SAFE;
-- What every type has
\set stamped :directory '/test/modality/toy.sql'
\i :stamped
\set ECHO all
RESET client_min_messages;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'toy_ops';

-- A gallery: each cat's four paws, a second print of one of them in which a few bits differ
CREATE FUNCTION print(cat int, paw int, flipped text DEFAULT '00') RETURNS toy LANGUAGE sql IMMUTABLE AS $$
	SELECT ('\x0' || paw || lpad(to_hex(('x' || substr(md5(cat || ' ' || paw), 1, 2))::bit(8)::int # ('x' || flipped)::bit(8)::int), 2, '0')
		|| substr(md5(cat || ' ' || paw), 3, 12))::toy $$;
CREATE TABLE cat (id int PRIMARY KEY, cat int, print toy);
INSERT INTO cat SELECT 4 * c + p - 1, c, print(c, p) FROM generate_series(1, 1000) c, generate_series(1, 4) p;
INSERT INTO cat VALUES (100000, 7, print(7, 2, '81')), (100001, NULL, NULL), (100002, 1001, print(1001, 0));
CREATE INDEX cat_print_idx ON cat USING biometric (print);
ANALYZE cat;
SELECT biometric_index_check('cat_print_idx', true);
SELECT modality, entries, null_entries, preselection FROM biometric_index_stats('cat_print_idx');

-- Searches, in both modes
SET enable_seqscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM cat ORDER BY print <-> print(7, 2) LIMIT 3;
EXPLAIN (COSTS OFF) SELECT id FROM cat WHERE matches(print, print(7, 2), 60);
EXPLAIN (COSTS OFF) SELECT id FROM cat WHERE matches(print(7, 2), print, 60);
SELECT id, print <-> print(7, 2, '01') AS distance, match_score(print, print(7, 2, '01')) AS score
FROM cat ORDER BY print <-> print(7, 2, '01') LIMIT 2;
SELECT id FROM cat WHERE print % print(7, 2, '01') ORDER BY id;
SELECT id FROM cat WHERE print % probe(print(7, 2, '01'), 77) ORDER BY id;
SELECT id FROM cat WHERE matches(print, print(7, 2, '01'), 77) ORDER BY id;
SET biometric.search_mode = fast;
SELECT id, print <-> print(7, 2, '01') AS distance FROM cat ORDER BY print <-> print(7, 2, '01') LIMIT 2;
SELECT id FROM cat WHERE print % print(7, 2, '01') ORDER BY id;
RESET biometric.search_mode;
-- The index gives what a sequential scan gives
CREATE VIEW searches AS
	SELECT n, ARRAY(SELECT print <-> print(n, 1, '11') FROM cat ORDER BY print <-> print(n, 1, '11') LIMIT 50) AS nearest,
		ARRAY(SELECT id FROM cat WHERE matches(print, print(n, 1, '11'), 30) ORDER BY id) AS matches
	FROM generate_series(1, 6) n;
CREATE TEMP TABLE by_index AS SELECT * FROM searches;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
RESET enable_seqscan;
RESET enable_sort;
SELECT count(*), sum(cardinality(matches)) > 6 AS several, count(*) = 6 AS equal FROM by_index JOIN searches USING (n, nearest, matches);
RESET enable_indexscan;
RESET enable_bitmapscan;

-- Sketches leave out most entries at a high threshold, and none that passes at any
CREATE FUNCTION pages_read(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || query INTO plan;
	RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::int + (plan->0->'Plan'->>'Shared Read Blocks')::int;
END
$$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT min_score, pages_read(format('SELECT FROM cat WHERE print %% probe(print(7, 2), %s)', min_score)) < 0.7 * gallery_pages AS few
FROM (VALUES (-1), (77)) AS v (min_score), biometric_index_stats('cat_print_idx');
CREATE VIEW passing AS
	SELECT n, min_score, ARRAY(SELECT id FROM cat WHERE print % probe(print(n, n % 5, '11'), min_score) ORDER BY id) AS ids
	FROM generate_series(1, 4) AS n, unnest(ARRAY[0, 20, 40, 55, 65, 70, 74, 75, 77, 80]) AS min_score;
CREATE TEMP TABLE passing_by_index AS SELECT * FROM passing;
RESET enable_seqscan;
SET enable_indexscan = off;
SELECT sum(cardinality(ids)) > 4000 AS many, count(*) = 40 AS equal FROM passing_by_index JOIN passing USING (n, min_score, ids);
RESET enable_indexscan;
RESET enable_bitmapscan;

-- Candidate lists: other paws are not compared, and the evidence has their names
SELECT rank, key, score, verdict, searched FROM identify('cat', 'print', print(7, 2, '01'), 2);
SELECT rank, person, score, sources, verdict, evidence, searched
FROM identify('cat', 'cat', 'print', ARRAY[print(7, 2, '01'), print(7, 4)], 1);
SET biometric.search_mode = fast;
SELECT rank, person, score, sources, verdict FROM identify('cat', 'cat', 'print', ARRAY[print(7, 2, '01'), print(7, 4)], 1);
RESET biometric.search_mode;
SELECT fuse(match_score(a.print, b.print), paw(a.print)) FROM cat a, cat b WHERE a.cat = 7 AND b.cat = 7;

-- Equality, text and binary forms, estimates, constraints
SELECT count(DISTINCT print), count(*) FROM cat;
SELECT print(7, 2), probe(print(7, 2), 60), probe(print(7, 2), 60)::text::toy_probe, toy_probe_send(probe(print(7, 2), 60));
SELECT '\x0500000000000000'::toy;
SELECT index_bytes > gallery_bytes AS estimated FROM biometric_index_estimate(1000000, print(1, 1));
SET biometric.match_threshold = 78;
ALTER TABLE cat ADD EXCLUDE USING biometric (print WITH %);
\set VERBOSITY terse
INSERT INTO cat VALUES (100003, 7, print(7, 2));
\set VERBOSITY default
RESET biometric.match_threshold;
SELECT count(*) FROM cat a JOIN cat b ON a.print % b.print AND a.id < b.id WHERE a.cat <= 50;

DELETE FROM cat WHERE id % 2 = 0;
VACUUM cat;
SELECT biometric_index_check('cat_print_idx', true);
SET client_min_messages = warning;
DROP SCHEMA toys CASCADE;
