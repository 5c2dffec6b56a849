-- The type fingerprint: one finger's minutiae.

-- Its text form shows everything; a header, then type (e ridge ending,
-- b bifurcation, o other), x, y, angle in 1/256 turns and quality.
CREATE TEMP TABLE print (name text PRIMARY KEY, print fingerprint);
INSERT INTO print VALUES
	('empty', '(size 300x400, resolution 197x197)'),
	('one', '(finger 2, quality 80, size 300x400, resolution 197x197) e0,0,0,0'),
	('two', '(finger 7, view 1, impression 3, quality 100, device 181, size 16384x16384, resolution 224x65535) e16383,16383,255,100 b5,6,64,1'),
	('untidy', E'  (resolution 99x99 ,size 10x20)\n\to9,19,128,50   ');
SELECT name, print FROM print ORDER BY name;

-- and is read back as it was.
SELECT name, print::text::fingerprint = print AS lossless FROM print ORDER BY name;

-- What a template says.
SELECT name, finger_position(print), view_number(print) AS view, impression_type(print) AS impression,
	   quality(print), minutia_count(print), capture_device(print) AS device,
	   image_width(print) AS width, image_height(print) AS height,
	   horizontal_resolution(print) AS x_res, vertical_resolution(print) AS y_res
FROM print ORDER BY name;
SELECT m.* FROM print, minutiae(print) m WHERE name = 'two';
SELECT count(*) FROM print, minutiae(print) m WHERE name = 'empty';

-- The largest template has 255 minutiae.
SELECT minutia_count(('(size 256x256, resolution 197x197)' || repeat(' e1,2,3,4', 255))::fingerprint);
SELECT ('(size 256x256, resolution 197x197)' || repeat(' e1,2,3,4', 256))::fingerprint;

-- Text that is no fingerprint.  The message says where, never what.
SELECT ''::fingerprint;
SELECT 'fingerprint'::fingerprint;
SELECT '()'::fingerprint;
SELECT '(size 300x400)'::fingerprint;
SELECT '(size 300, resolution 197x197)'::fingerprint;
SELECT '(size 0x400, resolution 197x197)'::fingerprint;
SELECT '(size 300x400, resolution 0x0)'::fingerprint;
SELECT '(size 16385x400, resolution 197x197)'::fingerprint;
SELECT '(size 300x400, size 300x400, resolution 197x197)'::fingerprint;
SELECT '(finger 11, size 300x400, resolution 197x197)'::fingerprint;
SELECT '(finger -1, size 300x400, resolution 197x197)'::fingerprint;
SELECT '(quality 99999999999999999999, size 300x400, resolution 197x197)'::fingerprint;
SELECT '(size 300x400, resolution 197x197'::fingerprint;
SELECT '(size 300x400, resolution 197x197)e1,2,3,4'::fingerprint;
SELECT '(size 300x400, resolution 197x197) x1,2,3,4'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e300,2,3,4'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e1,400,3,4'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e1,2,256,4'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e1,2,3,101'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e1,2,3'::fingerprint;
SELECT '(size 300x400, resolution 197x197) e1,2,3,4,5'::fingerprint;

-- The row and the session survive.
DO $$
BEGIN
	INSERT INTO print VALUES ('bad', 'no fingerprint');
EXCEPTION WHEN invalid_text_representation THEN
	RAISE NOTICE 'refused with SQLSTATE %', SQLSTATE;
END
$$;
SELECT count(*) FROM print;

-- From PostgreSQL 16 on a value can be tried without an error.
DO $$
DECLARE
	value text;
	valid boolean;
BEGIN
	IF current_setting('server_version_num')::integer < 160000 THEN
		RETURN;
	END IF;
	FOREACH value IN ARRAY ARRAY['no fingerprint', '\x464d52', '\x4', '\xyz', '(size 300x400, resolution 197x197) e300,2,3,4'] LOOP
		EXECUTE 'SELECT pg_input_is_valid($1, $2)' INTO valid USING value, 'fingerprint';
		ASSERT NOT valid, value;
	END LOOP;
	EXECUTE 'SELECT pg_input_is_valid($1, $2)' INTO valid USING '(size 300x400, resolution 197x197)', 'fingerprint';
	ASSERT valid;
END
$$;

-- Equal are templates that agree in everything: DISTINCT, GROUP BY, joins of
-- every kind, unique constraints and sorting work.
INSERT INTO print SELECT name || ' again', print FROM print;
SELECT count(*), count(DISTINCT print) FROM print;
SELECT max(name) FROM print GROUP BY print HAVING count(*) <> 2;
SELECT count(*) FROM print a JOIN print b USING (print);
SET enable_hashjoin = off;
SELECT count(*) FROM print a JOIN print b USING (print);
RESET enable_hashjoin;
SELECT bool_and(a.print <= b.print AND NOT a.print > b.print AND a.print >= a.print AND NOT a.print < a.print
				AND a.print <> b.print) AS ordered
FROM (SELECT print, row_number() OVER (ORDER BY print) AS n FROM (SELECT DISTINCT print FROM print) p) a
JOIN (SELECT print, row_number() OVER (ORDER BY print) AS n FROM (SELECT DISTINCT print FROM print) p) b ON b.n = a.n + 1;
CREATE TEMP TABLE once (print fingerprint UNIQUE);
INSERT INTO once SELECT print FROM print WHERE name = 'one';
INSERT INTO once SELECT print FROM print WHERE name = 'one' ON CONFLICT DO NOTHING;
SELECT count(*) FROM once;
CREATE TEMP TABLE hashed (print fingerprint) PARTITION BY HASH (print);
CREATE TEMP TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT print FROM print;
SELECT count(*) FROM hashed;

-- the quality of a capture, as a gate to enrolment and in an index
SELECT quality_score('(finger 2, quality 80, size 300x400, resolution 197x197)'::fingerprint) AS none,
	quality_score(synthetic_fingerprint(1)) BETWEEN 40 AND 100 AS whole, quality_score(NULL::fingerprint) IS NULL AS "null";
CREATE TABLE gate (print fingerprint CHECK (quality_score(print) >= 30));
CREATE INDEX ON gate (quality_score(print));
\set VERBOSITY terse
INSERT INTO gate VALUES ('(finger 2, quality 80, size 300x400, resolution 197x197) e100,100,0,50 e200,200,0,50');
\set VERBOSITY default
INSERT INTO gate SELECT synthetic_fingerprint(n) FROM generate_series(1, 20) n;
SET enable_seqscan = off;
SELECT count(*) FROM gate WHERE quality_score(print) >= 30;
RESET enable_seqscan;
DROP TABLE gate;
