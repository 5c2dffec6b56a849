--
-- Type iris: text and binary forms, construction, accessors, order
--

-- The text form: columns x bits, eye, code and mask in base64
SELECT '8x2:left:AAE=:/wA='::iris;
SELECT ' 9x1:unknown:AAE=:/wE= '::iris;

-- It is lossless, masked bits included
SELECT count(*) FROM generate_series(1, 200) n, LATERAL (SELECT synthetic_iris(n)) s(i)
WHERE i::text::iris <> i;

-- What is wrong with it is said, never what is in it
SELECT ''::iris;
SELECT '8x2'::iris;
SELECT '0x2:left:AAE=:/wA='::iris;
SELECT '8x0:left:AAE=:/wA='::iris;
SELECT '1025x16:left:AAE=:/wA='::iris;
SELECT '1024x256:left:AAE=:/wA='::iris;
SELECT '99999999999x2:left:AAE=:/wA='::iris;
SELECT '8x2:middle:AAE=:/wA='::iris;
SELECT '8x2:left:AAE='::iris;
SELECT '8x2:left:AA*=:/wA='::iris;
SELECT '8x2:left:AAEA:/wA='::iris;
SELECT '8x2:left:AAF=:/wA='::iris;
SELECT '9x1:left:AAI=:/wE='::iris;
SELECT '9x1:left:AAE=:/wM='::iris;

-- The binary form: version, eye, columns, bits, code, mask
SELECT iris_send('8x2:left:AAE=:/wA=');

-- Raw code and mask; bits per column follow from the length
SELECT iris('\x0001', '\xff00', 8, 'left');
SELECT iris('\x0001', '\xff00', 9), bits_per_column(iris('\x0001', '\xff01', 9));
SELECT iris('\x0001', '\xff01', 9);
SELECT iris('\x0001', '\xff', 8);
SELECT iris('\x0001', '\xff0000', 8);
SELECT iris('\x000102', '\xffffff', 10);
SELECT iris('', '', 8);
SELECT iris('\x0001', '\xff00', 0);
SELECT iris('\x0001', '\xff00', -8);
SELECT iris('\x0001', '\xff00', 2147483647);
SELECT iris('\x0001', '\xff00', 8, 'third');
SELECT iris(decode(repeat('00', 4000), 'hex'), decode(repeat('00', 4000), 'hex'), 1000);

-- Accessors
SELECT code(i), mask(i), eye(i), columns(i), bits_per_column(i), usable_bits(i)
FROM (VALUES ('8x2:left:AAE=:/wA='::iris)) v(i);
SELECT columns(i), bits_per_column(i), eye(i), octet_length(code(i)), usable_bits(i)
FROM (VALUES (synthetic_iris(1))) v(i);

-- A mask that has one bit for both phase bits of a response
SELECT iris_from_paired_mask('\x0001', '\x0f', 8, 'right'), paired_mask(iris('\x0001', '\xff00', 8));
SELECT paired_mask(synthetic_iris(3)) = paired_mask(iris_from_paired_mask(code(synthetic_iris(3)), paired_mask(synthetic_iris(3)), 128));
SELECT paired_mask('8x2:left:AAE=:/gA=');
SELECT iris_from_paired_mask('\x0001', '\xff00', 8);

-- The arrays of open-iris: rows x columns x wavelets x 2, most significant bit
-- first.  Element (1, 3, 0, 1) of 2 x 8 x 1 x 2 is bit 23; here bit 3 of column 3
SELECT code(iris_from_open_iris('AAABAA==', '/////w==', 'left', 2, 8, 1));
SELECT open_iris_code(i, 1), open_iris_mask(i, 1)
FROM iris_from_open_iris('AAABAA==', '/////w==', 'left', 2, 8, 1) i;
SELECT iris_from_open_iris(c, m) = i, columns(i), bits_per_column(i)
FROM (SELECT i, open_iris_code(i) AS c, open_iris_mask(i) AS m
      FROM (SELECT iris(string_agg(code(synthetic_iris(n)), '' ORDER BY n), string_agg(mask(synthetic_iris(n)), '' ORDER BY n), 256)
            FROM generate_series(1, 8) n) s(i)) t;
SELECT iris_from_open_iris('AAABAA==', '/////w==');
SELECT open_iris_code(synthetic_iris(1), 3);

-- A column may insist on a geometry
CREATE TABLE eyes (id int, code iris(128, 16));
\d eyes
INSERT INTO eyes VALUES (1, synthetic_iris(1)), (2, NULL);
INSERT INTO eyes VALUES (3, '8x2:left:AAE=:/wA=');
COPY eyes FROM stdin;
4	8x2:left:AAE=:/wA=
\.
SELECT '8x2:left:AAE=:/wA='::iris(8, 2);
SELECT '8x2:left:AAE=:/wA='::iris(2, 8);
SELECT synthetic_iris(1)::iris(256, 64);
CREATE TABLE bad (code iris(128));
CREATE TABLE bad (code iris(7, 16));
CREATE TABLE bad (code iris(1024, 256));

-- All-masked templates exist in practice and are stored
SELECT usable_bits('8x2:left:AAE=:AAA='::iris);

-- What is wrong with a template.  Failed captures: nothing seen; half of the eye hidden by an eyelid
-- that is not masked; stripes; one ring for all; code and mask exchanged
SELECT template_problems(synthetic_iris(1));
CREATE TABLE failed (what text, code iris);
INSERT INTO failed
SELECT 'blank', iris(decode(repeat('00', 256), 'hex'), decode(repeat('ff', 256), 'hex'), 128)
UNION ALL SELECT 'blank, masked', iris(decode(repeat('00', 256), 'hex'), decode(repeat('ff', 150) || repeat('00', 106), 'hex'), 128)
UNION ALL SELECT 'white', iris(decode(repeat('ff', 256), 'hex'), decode(repeat('ff', 256), 'hex'), 128)
UNION ALL SELECT 'half', iris(substr(code(synthetic_iris(2)), 1, 128) || decode(repeat('5500', 64), 'hex'), decode(repeat('ff', 256), 'hex'), 128)
UNION ALL SELECT 'stripes', iris(decode(repeat('0000ffff', 64), 'hex'), decode(repeat('ff', 256), 'hex'), 128)
UNION ALL SELECT 'text', iris(convert_to(substr(repeat('Iris code of 2048 bits. ', 11), 1, 256), 'UTF8'), decode(repeat('ff', 256), 'hex'), 128)
UNION ALL SELECT 'exchanged', iris(mask(synthetic_iris(2)), code(synthetic_iris(2)), 128)
UNION ALL SELECT 'no mask', iris(code(synthetic_iris(2)), decode(repeat('00', 256), 'hex'), 128);
SELECT what, usable_bits(code), problem FROM failed LEFT JOIN LATERAL unnest(template_problems(code)) problem ON true ORDER BY what, problem;
-- They are nobody's: not even the same one twice
SELECT count(*), max(match_score(a.code, b.code)) < 40 AS no_match FROM failed a, failed b WHERE a.what <> 'half' OR b.what <> 'half';
DROP TABLE failed;

-- Equality, DISTINCT, GROUP BY, unique constraints, order, hash joins
SELECT synthetic_iris(1) = synthetic_iris(1), synthetic_iris(1) = synthetic_iris(1, 1),
       '8x2:left:AAE=:/wA='::iris <> '8x2:right:AAE=:/wA='::iris;
SELECT count(DISTINCT synthetic_iris(n % 7)) FROM generate_series(1, 50) n;
SELECT count(*) FROM (SELECT synthetic_iris(n % 7) i FROM generate_series(1, 50) n GROUP BY i) s;
CREATE TABLE once (code iris UNIQUE);
INSERT INTO once SELECT '8x2:left:AAE=:/wA=';
INSERT INTO once SELECT '8x2:left:AAE=:/wA=';
SELECT i FROM (VALUES ('8x2:right:AAE=:/wA='::iris), ('8x2:left:AAE=:/wA='), ('8x1:left:AA==:/w=='), ('8x2:right:AAA=:/wA=')) v(i) ORDER BY i;
SELECT count(*) FROM (SELECT synthetic_iris(n) i FROM generate_series(1, 20) n) a
JOIN (SELECT synthetic_iris(n) i FROM generate_series(11, 30) n) b USING (i);


DROP TABLE eyes, once;

-- the quality of a capture
SELECT quality_score('8x2:left:AAE=:AAA='::iris) AS covered, quality_score(synthetic_iris(1)) BETWEEN 50 AND 100 AS whole,
	quality_score(NULL::iris) IS NULL AS "null";
