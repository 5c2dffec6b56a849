-- minutiae from pixels: what is refused, and pictures without a finger
SELECT fingerprint_from_pixels('\x00', 1, 1, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', -1, -1, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 2147483647, 2147483647, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 65536, 65536, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x', 100, 100, 500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 'Infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 0);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, -500);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 1e-300);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 2000);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 2048, 2048, 250);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 500, 11);
\echo :LAST_ERROR_SQLSTATE
SELECT fingerprint_from_pixels('\x00', 100, 100, 500, 1, 16);
\echo :LAST_ERROR_SQLSTATE

SELECT fingerprint_from_pixels(NULL, 100, 100, 500) IS NULL AS strict;
SELECT fingerprint_from_pixels(decode(repeat('ff', 120 * 100), 'hex'), 120, 100, 500, 7, 2) AS white;
SELECT fingerprint_from_pixels(decode(repeat('00', 120 * 100), 'hex'), 120, 100, 500) AS black;
SELECT fingerprint_from_pixels(decode(repeat('00ff', 60 * 100), 'hex'), 120, 100, 500) AS stripes;

-- noise has no good minutiae
SELECT quality(noise) < 30 AS poor, image_width(noise) AS width, image_height(noise) AS height
FROM (SELECT fingerprint_from_pixels(string_agg(decode(md5(i::text), 'hex'), '' ORDER BY i), 200, 200, 500) AS noise
	  FROM generate_series(1, 2500) AS i) AS made;

-- the size at 500 dpi
SELECT dpi, image_width(f) AS width, image_height(f) AS height, horizontal_resolution(f) AS per_centimetre
FROM (VALUES (250.0), (500.0), (1000.0)) AS resolutions (dpi),
	LATERAL fingerprint_from_pixels(decode(repeat('80', 160 * 200), 'hex'), 160, 200, dpi) AS f;

-- pictures of made-up fingers: the same are found, others are not
SELECT length(synthetic_fingerprint_image(1)) = 388 * 374 AS sized,
	   synthetic_fingerprint_image(1) = synthetic_fingerprint_image(1, 0, 0) AS repeatable;
CREATE TABLE pictured AS
SELECT f, i, fingerprint_from_pixels(synthetic_fingerprint_image(f, i), 388, 374, 500, 2) AS print
FROM generate_series(1, 4) AS f, generate_series(0, 1) AS i;
SELECT min(quality(print)) > 50 AS good, min(minutia_count(print)) > 20 AS many FROM pictured;
SELECT a.f = b.f AS mated, min(match_score(a.print, b.print)) > 40 AS all_match,
	   max(match_score(a.print, b.print)) > 30 AS any_matches
FROM pictured AS a JOIN pictured AS b ON a.i = 0 AND b.i = 1 GROUP BY 1 ORDER BY 1;
SELECT synthetic_fingerprint_image(1, -1);
SELECT synthetic_fingerprint_image(1, 0, 11);

-- from a picture to a person in one statement
SELECT f FROM pictured WHERE i = 0
ORDER BY print <-> fingerprint_from_pixels(synthetic_fingerprint_image(3, 2), 388, 374, 500, 2) LIMIT 1;
DROP TABLE pictured;

-- what the extractor saw
SELECT length(enhanced_pixels(decode(repeat('ff', 120 * 100), 'hex'), 120, 100, 250)) = 240 * 200 AS scaled,
	   enhanced_pixels(decode(repeat('ff', 120 * 100), 'hex'), 120, 100, 500) = decode(repeat('ff', 120 * 100), 'hex') AS nothing;
SELECT enhanced_pixels('\x00', 120, 100, 500);
