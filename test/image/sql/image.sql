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
