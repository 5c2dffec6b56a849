-- Two fingerprints in, a distance or a score out.

-- finger 1 and another impression of it are close; finger 2 is somebody else
CREATE TEMP TABLE print AS
	SELECT f AS finger, i AS impression, synthetic_fingerprint(f, i) AS print
	FROM generate_series(1, 10) f, generate_series(0, 1) i;

SELECT a.print <-> b.print < a.print <-> c.print AS mate_is_nearer,
	   match_score(a.print, b.print) > match_score(a.print, c.print) AS mate_scores_higher
FROM print a, print b, print c
WHERE (a.finger, a.impression) = (1, 0)
  AND (b.finger, b.impression) = (1, 1)
  AND (c.finger, c.impression) = (2, 0);

-- A distance lies between 0 and 1; a score is at least 0.  Both are symmetric
-- to the bit, and the larger the distance, the lower the score.
SELECT count(*) AS pairs,
	   bool_and(d BETWEEN 0 AND 1) AS distance_in_range,
	   bool_and(s >= 0) AS score_in_range,
	   bool_and(d = reverse_d) AS distance_symmetric,
	   bool_and(s = reverse_s) AS score_symmetric
FROM (SELECT a.print <-> b.print AS d, b.print <-> a.print AS reverse_d,
			 match_score(a.print, b.print) AS s, match_score(b.print, a.print) AS reverse_s
	  FROM print a, print b) pairs;

SELECT count(*) FILTER (WHERE s > previous_s) AS scores_out_of_order
FROM (SELECT s, lag(s) OVER (ORDER BY d, s DESC) AS previous_s
	  FROM (SELECT a.print <-> b.print AS d, match_score(a.print, b.print) AS s
			FROM print a, print b) pairs) ordered;

-- A template with itself is as alike as can be.
SELECT bool_and(print <-> print <= 0.5) AS alike, bool_and(match_score(print, print) >= 40) AS match FROM print;

-- The same distances on every platform and processor, to the bit: this sum is
-- also what the plain C test of the matcher expects.
SELECT sum(trunc((a.print <-> b.print) * 1099511627776)::bigint) AS sum_of_distances
FROM (SELECT synthetic_fingerprint(f, i) AS print FROM generate_series(1, 20) f, generate_series(0, 1) i) a,
	 (SELECT synthetic_fingerprint(f, i) AS print FROM generate_series(1, 20) f, generate_series(0, 1) i) b;

-- Finger positions that are both known and differ cannot be mated: right
-- index (2) against left index (7).  Unknown (0) matches every position.
SELECT synthetic_fingerprint(1, 0, 2) <-> synthetic_fingerprint(1, 0, 7) AS different,
	   match_score(synthetic_fingerprint(1, 0, 2), synthetic_fingerprint(1, 0, 7)) AS score;

-- "%" is true from biometric.match_threshold on, 40 unless set.
SHOW biometric.match_threshold;
SELECT bool_and((a.print % b.print) = (match_score(a.print, b.print) >= 40)) AS agrees
FROM print a, print b;
BEGIN;
SET LOCAL biometric.match_threshold = 15;
SELECT bool_and((a.print % b.print) = (match_score(a.print, b.print) >= 15)) AS agrees
FROM print a, print b;
SET LOCAL biometric.match_threshold = 0;
SELECT bool_and(a.print % b.print) AS everybody FROM print a, print b;
ROLLBACK;
SET biometric.match_threshold = -1;
SET biometric.match_threshold = 'NaN';

-- probe() carries the threshold in the expression.
SELECT t AS min_score,
	   bool_and((a.print % probe(b.print, t)) = (match_score(a.print, b.print) >= t)) AS agrees,
	   bool_and((probe(b.print, t) % a.print) = (a.print % probe(b.print, t))) AS commutes
FROM print a, print b, unnest(ARRAY[0, 10, 25.5, 1000]) t
GROUP BY t ORDER BY t;

-- A probe travels as text and in binary form.
SELECT probe(print, 40.25)::text = '40.25 ' || print::text AS readable,
	   probe(print, 40.25)::text::fingerprint_probe::text = probe(print, 40.25)::text AS lossless
FROM print LIMIT 1;
SELECT left(probe(print, 'infinity')::text, 9) AS nobody, left(probe(print, '-infinity')::text, 10) AS everybody
FROM print LIMIT 1;
SELECT print % probe(print, 'NaN') AS nobody FROM print LIMIT 1;
SELECT 'forty'::fingerprint_probe;
SELECT 'forty winks'::fingerprint_probe;
-- a template where the score should be is not quoted
SELECT '\x464d52002032300000000018 (finger 1)'::fingerprint_probe;
SELECT 'NaN x'::fingerprint_probe;
SELECT '1e999 x'::fingerprint_probe;
SELECT '40 winks'::fingerprint_probe;
SELECT ''::fingerprint_probe;

-- NULL is unknown.
SELECT print <-> NULL::fingerprint AS distance, print % NULL::fingerprint AS match,
	   match_score(NULL, print) AS score, probe(NULL::fingerprint, 40) AS probe
FROM print LIMIT 1;

-- What row-level security and foreign servers rely on.
SELECT p.oid::regprocedure AS function, provolatile AS volatile, proleakproof AS leakproof, proparallel AS parallel
FROM pg_proc p JOIN pg_operator o ON o.oprcode = p.oid
WHERE o.oprname IN ('<->', '%') AND 'fingerprint'::regtype IN (o.oprleft, o.oprright)
ORDER BY 1;
