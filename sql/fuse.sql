-- Scores of several fingers and eyes of one person.

-- Those of different fingers add.
SELECT fuse(s) FROM (VALUES (40::float8), (30), (2.5)) v (s);

-- A comparison that was not made says nothing; without any there is no score.
SELECT fuse(s) FROM (VALUES (40::float8), (NULL)) v (s);
SELECT fuse(s) AS none, fuse(s) FILTER (WHERE s > 0) AS empty FROM (VALUES (NULL::float8)) v (s);

-- A false match rate is at most 1: nothing lies below a score of 0.
SELECT fuse(s) FROM (VALUES (40::float8), (-20)) v (s);
SELECT fuse(s) FROM (VALUES (40::float8), ('NaN')) v (s);
SELECT fuse(s, 1) FROM (VALUES (40::float8), ('NaN')) v (s);
SELECT fuse(s), fuse(s, 1) AS one, fuse(s, NULL) AS unknown FROM (VALUES (40::float8), ('infinity')) v (s);

-- Several impressions of one finger count once, by the best, in any order.
SELECT fuse(s, f) FROM (VALUES (40::float8, 2), (55, 2), (41, 2), (30, 7)) v (s, f);
SELECT fuse(s, f ORDER BY s) AS up, fuse(s, f ORDER BY s DESC) AS down
FROM (VALUES (40::float8, 'right'), (55, 'right'), (41, 'right'), (30, 'left')) v (s, f);

-- Whose finger is not known may be any of the known ones: the least of what
-- the answers leave.  60 may be an impression of the 50: 60 + 30.
SELECT fuse(s, f) FROM (VALUES (50::float8, 2), (30, 7), (60, 0)) v (s, f);
SELECT fuse(s, f) FROM (VALUES (50::float8, 2), (30, 7), (60, NULL)) v (s, f);

-- 45 may be one of the 50, or of none: nothing is added.
SELECT fuse(s, f) FROM (VALUES (50::float8, 2), (30, 7), (45, 0)) v (s, f);

-- Two that are not known may be of one finger.
SELECT fuse(s, f) FROM (VALUES (50::float8, 0), (45, 0)) v (s, f);

-- What finger_position() and eye() say of unknown ones is unknown.
SELECT fuse(s, f) FROM (VALUES (50::float8, 'unknown'), (45, ''), (44, NULL)) v (s, f);
SELECT fuse(s, finger_position(synthetic_fingerprint(1))) FROM (VALUES (50::float8), (45)) v (s);
SELECT fuse(s, eye(synthetic_iris(1))) FROM (VALUES (50::float8), (45)) v (s);

-- Fingers and eyes together: names that differ.
SELECT fuse(s, f) FROM (VALUES (40::float8, 'finger 1'), (40, 'left eye'), (38, 'left eye')) v (s, f);

-- Labels are bytes, no matter how a collation sorts them.
SELECT fuse(s, f) FROM (VALUES (1::float8, 'a'), (1, 'A'), (1, 'a '), (1, 'ab'), (1, 'a')) v (s, f);

-- More sources than fit at first, each many times.
SELECT fuse(n, n % 100 + 1) FROM generate_series(0, 9999) n;
SELECT fuse(n % 7, n::text) FROM generate_series(1, 7000) n;

-- As a window, and over groups.
SELECT s, fuse(s, f) OVER (ORDER BY s) FROM (VALUES (10::float8, 2), (20, 2), (30, 3), (40, 0)) v (s, f);
SELECT g, fuse(s, f) FROM (VALUES (1, 10::float8, 2), (1, 20, 2), (2, 30, 3), (2, 5, 4)) v (g, s, f) GROUP BY g ORDER BY g;

-- In parallel as alone.
CREATE TABLE fuse_scores AS
	SELECT n % 50 AS person, (n * 7919 % 1000)::float8 / 10 AS score, n % 13 AS finger
	FROM generate_series(1, 20000) n;
ALTER TABLE fuse_scores SET (parallel_workers = 2);
ANALYZE fuse_scores;
CREATE TABLE fuse_alone AS
	SELECT person, fuse(score) AS a, fuse(score, finger) AS b, fuse(score, finger::text) AS c
	FROM fuse_scores GROUP BY person;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT person, fuse(score, finger) FROM fuse_scores GROUP BY person;
SELECT count(*) AS persons,
	   bool_and(abs(a - fa) < 1e-6) AS sum, bool_and(b = fb) AS by_number, bool_and(c = fc) AS by_name
FROM fuse_alone JOIN (
	SELECT person, fuse(score) AS fa, fuse(score, finger) AS fb, fuse(score, finger::text) AS fc
	FROM fuse_scores GROUP BY person) f USING (person);
COMMIT;
DROP TABLE fuse_scores, fuse_alone;

-- What a sum means for a gallery: a single score as ever ...
SELECT abs(fpir(60, 1000, 1) / fpir(60, 1000) - 1) < 1e-12 AS same,
	   score_threshold(0.01, 1000, 1) = score_threshold(0.01, 1000) AS same_threshold;

-- ... and less the more scores it is the sum of: two that reach 80 by chance
-- are 19.4 times as frequent as one, and twice that for what the captures share.
SELECT n, round((fpir(80, 1, n) * 1e8)::numeric, 3) AS times
FROM generate_series(1, 4) n;
SELECT n, round(score_threshold(0.001, 100000, n)::numeric, 2) AS decibans
FROM unnest(ARRAY[1, 2, 4, 10, 12]) n;

-- The same as decibans of the sum's own false match rate.
SELECT n, round(fused_score(80, n)::numeric, 2) AS decibans FROM generate_series(1, 4) n;
SELECT abs(fpir(fused_score(80, 3), 1000) / fpir(80, 1000, 3) - 1) < 1e-9 AS same;
SELECT fused_score(0, 2), fused_score(-5, 2), fused_score('infinity', 2);
SELECT fused_score('NaN', 2);
SELECT fused_score(40, 0);

-- Each is the other's inverse, however large.
SELECT n, g, round(fpir(score_threshold(0.01, g, n), g, n)::numeric, 9) AS fpir
FROM unnest(ARRAY[1, 2, 12, 100]) n, unnest(ARRAY[1, 100000, 9223372036854775807]) g;
SELECT fpir(0, 1, 2), fpir(-5, 10, 2), fpir(100000, 10, 100), fpir('infinity', 10, 2);

-- Never rising with the score, where one way of computing follows the other.
SELECT bool_and(f <= before * (1 + 1e-12)) AS falling
FROM (SELECT fpir(s, 1, 100) AS f, lag(fpir(s, 1, 100), 1, 1::float8) OVER (ORDER BY s) AS before
	  FROM (SELECT n * 0.7::float8 FROM generate_series(0, 1500) n) v (s)) v;

-- Questions without an answer.
SELECT fpir(40, 10, 0);
SELECT fpir(40, 10, 101);
SELECT fpir('NaN', 10, 2);
SELECT fpir(40, 0, 2);
SELECT score_threshold(1, 10, 2);
SELECT score_threshold(0.1, 10, -1);
SELECT fpir(NULL, 10, 2), score_threshold(0.1, 10, NULL);
