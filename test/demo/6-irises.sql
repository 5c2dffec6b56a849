\echo '-- The other biometric: 20 000 made-up eyes, the same index, the same questions.'
CREATE TABLE eyes (person bigint, eye iris);
INSERT INTO eyes SELECT n, synthetic_iris(n) FROM generate_series(1, 20000) n;
CREATE INDEX eyes_eye ON eyes USING biometric (eye);
ANALYZE eyes;
SELECT person, round((eye <-> synthetic_iris(4711, 1))::numeric, 3) AS distance,
       round(match_score(eye, synthetic_iris(4711, 1))::numeric, 1) AS score
FROM eyes ORDER BY eye <-> synthetic_iris(4711, 1) LIMIT 3;
