--
-- Pictures: what they are, their pixels, and as PNG
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set corpus :abs_srcdir '/../fuzz/corpus/image/'
\set VERBOSITY terse
CREATE TABLE picture (name text, image bytea);
INSERT INTO picture SELECT n, pg_read_binary_file(:'corpus' || n)
FROM unnest('{grey.png,interlaced.png,grey.jpg,progressive.jpg,grey.jp2,grey.wsq,raw.fir}'::text[]) n;
SELECT name, i.* FROM picture, image_info(image) i ORDER BY name COLLATE "C";

-- the same picture in all of them, but for what a format loses; one is in inverted colours
WITH pixels AS (SELECT name, p.* FROM picture, image_pixels(image) p),
	grey AS (SELECT pixels FROM pixels WHERE name = 'grey.png')
SELECT name, width, height, length(p.pixels),
	(SELECT max(abs(get_byte(p.pixels, i) - get_byte(g.pixels, i))) <= 6 FROM generate_series(0, length(p.pixels) - 1) i) AS alike
FROM pixels p, grey g ORDER BY name COLLATE "C";

-- any picture as PNG, and what is written is read
SELECT name, (image_pixels(image_png(image))).pixels = (image_pixels(image)).pixels AS same, substr(image_png(image), 1, 8)
FROM picture ORDER BY name COLLATE "C";
SELECT format, width, height, dpi, problem FROM image_info(pixels_png('\x00ff80', 3, 1, 500));
SELECT pixels FROM image_pixels(pixels_png('\x00ff80', 3, 1));

-- several pictures in a record
SELECT n, i.finger_position, i.pictures, i.problem FROM picture, generate_series(1, 3) n, image_info(image, n) i WHERE name = 'raw.fir' ORDER BY n;

-- what is not a picture
SELECT i.format, i.problem FROM image_info('') i;
SELECT i.format, i.problem FROM image_info('GIF89a') i;
SELECT i.format, i.problem FROM picture, image_info(substr(image, 1, 20)) i ORDER BY name COLLATE "C";
\set VERBOSITY default
SELECT image_pixels('GIF89a');
SELECT image_pixels(substr(image, 1, 700)) FROM picture WHERE name = 'grey.wsq';
SELECT image_info(image, 0) FROM picture WHERE name = 'raw.fir';
SELECT image_pixels(image, 3) FROM picture WHERE name = 'raw.fir';
SELECT pixels_png('\x00', 2, 1);
SELECT pixels_png('', 0, 1);
SELECT pixels_png('\x00', 1, 1, 'NaN');

-- templates; these pictures are too small for a finger
SELECT fingerprint_from_image(image) FROM picture WHERE name = 'grey.png';
-- resolution: stated, or given
SELECT minutia_count(fingerprint_from_image(pixels_png(p, 388, 374), 500)) = minutia_count(fingerprint_from_pixels(p, 388, 374, 500)) AS given,
	(fingerprint_from_image(pixels_png(p, 388, 374, 1000), 500) = fingerprint_from_pixels(p, 388, 374, 500)) AS given_wins
FROM synthetic_fingerprint_image(5, 0, 2) p;
SELECT fingerprint_from_image(pixels_png('\x00ff80', 3, 1));
SELECT picture_resolution(600, NULL, NULL), picture_resolution(NULL, 500, 501);
SELECT picture_resolution(NULL, 500, 250);
SELECT fingerprint_from_image(NULL) IS NULL AS null_in_null_out;

-- limits
SET biometric_image.max_pixels = 1000;
SELECT width, height, problem FROM picture, image_info(image) WHERE name = 'grey.jpg';
SELECT image_pixels(image) FROM picture WHERE name = 'grey.jpg';
RESET biometric_image.max_pixels;
SET biometric_image.max_size = '1kB';
SELECT image_pixels(image) FROM picture WHERE name = 'grey.wsq';
RESET biometric_image.max_size;
CREATE ROLE regress_image;
SET ROLE regress_image;
SET biometric_image.max_pixels = 100000000;
RESET ROLE;
DROP ROLE regress_image;
DROP TABLE picture;

-- pictures in an ANSI/NIST file: a header of Type-1, a raw picture, one as PNG, one of several
-- fingers, and minutiae; as doc/images.md loads them
CREATE FUNCTION type14(idc int, finger int, compression text, picture bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT convert_to('14.001:' || lpad((length(body) + 16)::text, 8, '0') || E'\x1d', 'UTF8') || body
	FROM (SELECT convert_to(format(E'14.002:%s\x1d14.003:1\x1d14.006:388\x1d14.007:374\x1d14.008:1\x1d14.009:500\x1d14.011:%s\x1d'
		'14.012:8\x1d14.013:%s\x1d14.999:', idc, compression, finger), 'UTF8') || picture || '\x1c' AS body) b
$$;
CREATE TABLE transaction AS
SELECT convert_to(format(E'1.001:64\x1d1.002:0500\x1d1.003:1\x1f4\x1e14\x1f01\x1e14\x1f02\x1e14\x1f03\x1e9\x1f04\x1d1.004:TPIS\x1c'), 'UTF8')
	|| type14(1, 2, 'NONE', synthetic_fingerprint_image(5, 0, 2))
	|| type14(2, 3, 'PNG', pixels_png(synthetic_fingerprint_image(5, 0, 3), 388, 374))
	|| type14(3, 13, 'NONE', synthetic_fingerprint_image(5, 0, 4)) || to_type9(synthetic_fingerprint(5, 0, 7), 'M1', 4) AS file;
SELECT n, type, idc, finger_position, content, picture IS NOT NULL AS picture, image_width, image_height, image_dpi, problem
FROM transaction, an2k_records(file);
CREATE TABLE enrolled (idc int, print fingerprint);
INSERT INTO enrolled
SELECT idc, coalesce(print, fingerprint_from_image(
	CASE content WHEN 'a raw picture' THEN pixels_png(picture, image_width, image_height) ELSE picture END,
	image_dpi, finger_position, impression_type))
FROM transaction, an2k_records(file)
WHERE print IS NOT NULL OR type IN (4, 13, 14) AND finger_position BETWEEN 0 AND 10;
SELECT idc, finger_position(print), impression_type(print), minutia_count(print) > 20 AS some FROM enrolled ORDER BY idc;
SELECT match_score(print, fingerprint_from_pixels(synthetic_fingerprint_image(5, 1, 3), 388, 374, 500)) > 40 AS found FROM enrolled WHERE idc = 2;
SELECT print = fingerprint_from_pixels(synthetic_fingerprint_image(5, 0, 2), 388, 374, 500, 2, 1) AS same FROM enrolled WHERE idc = 1;
DROP TABLE enrolled, transaction;
DROP FUNCTION type14;

-- an argument with the name of a column of FROM would be passed over in silence: all are used
SELECT p.oid::regprocedure, a.name
FROM pg_proc p, LATERAL (SELECT name, row_number() OVER (ORDER BY ord) AS n FROM unnest(p.proargnames) WITH ORDINALITY u (name, ord)
	WHERE p.proargmodes IS NULL OR p.proargmodes[ord] IN ('i', 'b', 'v')) a
WHERE p.oid >= 16384 AND p.prosqlbody IS NOT NULL AND p.prosqlbody::text !~ format(':paramid %s ', a.n);
