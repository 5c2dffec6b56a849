-- Made-up fingerprints: the same arguments give the same template everywhere.

-- Impressions of one finger are mated; another number, or another finger
-- position, is another finger.  The template carries the position.
SELECT synthetic_fingerprint(1) = synthetic_fingerprint(1, 0, 0) AS same,
	   synthetic_fingerprint(1, 0) <> synthetic_fingerprint(1, 1) AS impressions_differ,
	   synthetic_fingerprint(1) <> synthetic_fingerprint(2) AS fingers_differ,
	   finger_position(synthetic_fingerprint(1, 0, 7)) AS position;

-- The same on every machine.
SELECT md5(string_agg(encode(fingerprint_send(synthetic_fingerprint(f, i, i % 11)), 'hex'), ',' ORDER BY f, i)) AS checksum
FROM generate_series(1, 50) f, generate_series(0, 3) i;

SELECT md5(fingerprint_send(synthetic_fingerprint(finger, 2147483647, 10))) AS extremes
FROM (VALUES (0), (-1), (9223372036854775807), (-9223372036854775808)) extreme(finger);

-- Minutiae as captures have them: mostly endings, all inside the image.
SELECT count(*) AS templates,
	   round(avg(minutia_count(print))) AS minutiae,
	   min(minutia_count(print)) >= 5 AS never_empty,
	   bool_and(quality(print) BETWEEN 1 AND 100) AS quality_known
FROM (SELECT synthetic_fingerprint(f, f % 8) AS print FROM generate_series(1, 1000) f) prints;

-- Mates score higher than others nearly always.
SELECT count(*) FILTER (WHERE match_score(a, b) > match_score(a, c)) >= 90 AS mates_score_higher
FROM (SELECT synthetic_fingerprint(f, 0) AS a, synthetic_fingerprint(f, 1) AS b, synthetic_fingerprint(f + 1, 1) AS c
	  FROM generate_series(1, 100) f) triples;

-- A record like any other.
SELECT synthetic_fingerprint(1)::bytea::fingerprint = synthetic_fingerprint(1) AS through_bytes,
	   synthetic_fingerprint(1)::text::fingerprint = synthetic_fingerprint(1) AS through_text;

-- NULL in, NULL out; senseless arguments are refused.
SELECT synthetic_fingerprint(NULL) IS NULL AS finger, synthetic_fingerprint(1, NULL) IS NULL AS impression;
SELECT synthetic_fingerprint(1, -1);
SELECT synthetic_fingerprint(1, 0, 11);
SELECT synthetic_fingerprint(1, 0, -1);
