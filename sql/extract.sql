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
