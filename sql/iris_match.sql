--
-- Matching of irises
--
SET extra_float_digits = 0;

-- Mated and non-mated
SELECT synthetic_iris(1) <-> synthetic_iris(1) AS itself,
       (synthetic_iris(1) <-> synthetic_iris(1, 2))::numeric(4, 3) AS mated,
       (synthetic_iris(1) <-> synthetic_iris(2))::numeric(4, 3) AS not_mated;
SELECT match_score(synthetic_iris(1), synthetic_iris(1, 2)) > 50 AS mated,
       match_score(synthetic_iris(1), synthetic_iris(2)) < 20 AS not_mated,
       synthetic_iris(1) % synthetic_iris(1, 2) AS match,
       synthetic_iris(1) % synthetic_iris(2) AS no_match;

-- Symmetric to the bit, and the score falls as the distance grows
SET extra_float_digits = 1;
SELECT count(*) FROM generate_series(1, 60) a, generate_series(1, 60) b
WHERE (synthetic_iris(a) <-> synthetic_iris(b)) <> (synthetic_iris(b) <-> synthetic_iris(a))
   OR match_score(synthetic_iris(a), synthetic_iris(b)) <> match_score(synthetic_iris(b), synthetic_iris(a));
SELECT bool_and(s >= 0 AND s <= lag) AS falls
FROM (SELECT s, lag(s, 1, 'infinity') OVER (ORDER BY d, s DESC) AS lag
      FROM (SELECT synthetic_iris(1) <-> synthetic_iris(n / 4, n % 4) AS d,
                   match_score(synthetic_iris(1), synthetic_iris(n / 4, n % 4)) AS s
            FROM generate_series(1, 400) n) p) q;

-- Turning one code by 21.1 degrees at most, 8 columns of 128, does not matter; by one more hardly,
-- as sectors may be turned further.
-- A code turned: the bytes of its last columns go to the front.
CREATE FUNCTION turned(i iris, by int) RETURNS iris LANGUAGE sql IMMUTABLE AS
$$ SELECT iris(substr(code(i), 257 - 2 * by) || substr(code(i), 1, 256 - 2 * by),
               substr(mask(i), 257 - 2 * by) || substr(mask(i), 1, 256 - 2 * by), 128, eye(i)) $$;
SELECT by, (synthetic_iris(1) <-> turned(synthetic_iris(1), by))::numeric(4, 3)
FROM generate_series(0, 10) by;
-- Turning both codes alike changes nothing, but which bits are in which sector
SELECT max(abs((turned(synthetic_iris(n), by) <-> turned(synthetic_iris(n, 1), by)) - (synthetic_iris(n) <-> synthetic_iris(n, 1)))) < 0.03 AS mated,
       count(*) FILTER (WHERE (turned(synthetic_iris(n), by) <-> turned(synthetic_iris(n + 1), by)) <> (synthetic_iris(n) <-> synthetic_iris(n + 1))) AS others
FROM generate_series(1, 20) n, generate_series(1, 127, 9) by;

-- Non-mated by definition: other geometry, other eye, too few common bits
SELECT '8x2:left:AAE=://8='::iris <-> synthetic_iris(1) AS geometry,
       '8x2:left:AAE=://8='::iris <-> '8x2:right:AAE=://8=' AS other_eye,
       synthetic_iris(1) <-> iris(code(synthetic_iris(1)), mask(synthetic_iris(1)), 128, 'right') AS unknown_eye,
       '8x2:left:AAE=:AAA='::iris <-> '8x2:left:AAE=:AAA=' AS no_bits,
       match_score('8x2:left:AAE=:AAA='::iris, '8x2:left:AAE=:AAA=') AS score;
-- Declared geometries that differ are a mistake in the query
CREATE TABLE small (i iris(8, 2));
CREATE TABLE large (i iris(128, 16));
CREATE TABLE any_size (i iris);
SELECT * FROM small s, large l WHERE s.i % l.i;
SELECT s.i <-> l.i FROM small s, large l;
SELECT s.i <-> l.i FROM small s, any_size l;
SELECT s.i <-> l.i FROM small s, small l;
DROP TABLE small, large, any_size;

-- The threshold: a setting, or part of the expression
SET biometric.match_threshold = 1000;
SELECT synthetic_iris(1) % synthetic_iris(1, 2) AS setting,
       synthetic_iris(1) % probe(synthetic_iris(1, 2), 40) AS probe,
       probe(synthetic_iris(1, 2), 40) % synthetic_iris(1) AS commuted,
       synthetic_iris(1) % probe(synthetic_iris(1, 2), 'infinity') AS never,
       synthetic_iris(1) % probe(synthetic_iris(2), '-infinity') AS always;
RESET biometric.match_threshold;
SELECT synthetic_iris(1) % probe(synthetic_iris(1), 'NaN');
SELECT '55.5 8x2:left:AAE=:/wA='::iris_probe;
SELECT probe('8x2:left:AAE=:/wA='::iris, 55.5)::text::iris_probe;
SELECT '8x2:left:AAE=:/wA='::iris_probe;

-- NULL in, NULL out
SELECT NULL::iris <-> synthetic_iris(1), NULL::iris % synthetic_iris(1), match_score(synthetic_iris(1), NULL);

-- Nothing that matching does depends on the data but its result
SELECT proname, provolatile, proleakproof, proisstrict, proparallel, count(*)
FROM pg_proc WHERE proname IN ('iris_distance', 'iris_match') OR proname = 'match_score' AND 'iris'::regtype = ANY (proargtypes::oid[])
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;

-- Synthetic eyes are the same everywhere
SELECT md5(string_agg(synthetic_iris(n / 2, n % 2)::text, ',' ORDER BY n)) FROM generate_series(0, 99) n;
SELECT synthetic_iris(9223372036854775807, -2147483648) IS NOT NULL;

-- Kernels: plain C first, and of each loop one is chosen that the processor supports
SELECT split_part(kernel, ': ', 1) AS loop, bool_or(kernel LIKE '%: plain' AND supported) AS plain,
       count(*) FILTER (WHERE chosen) AS chosen, bool_and(supported OR NOT chosen) AS sound
FROM biometric_kernels() GROUP BY 1 ORDER BY 1;

DROP FUNCTION turned;
