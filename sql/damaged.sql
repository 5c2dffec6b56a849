--
-- Values that are no templates, as a damaged table may hold them: no function
-- crashes or reads outside of them, and nothing matches.
--
SET client_min_messages = warning;
CREATE SCHEMA damage;
SET search_path = damage, public;
-- bytes as they are, by an internal function that returns its argument
CREATE FUNCTION as_fingerprint(bytea) RETURNS fingerprint LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE FUNCTION as_iris(bytea) RETURNS iris LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE FUNCTION as_fingerprint_probe(bytea) RETURNS fingerprint_probe LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';
CREATE FUNCTION as_iris_probe(bytea) RETURNS iris_probe LANGUAGE internal IMMUTABLE STRICT AS 'byteasend';

-- whole values cut short at every kind of place, longer ones, and other bytes
CREATE TABLE bytes (kind text, b bytea);
INSERT INTO bytes SELECT 'finger', substr(fingerprint_send(synthetic_fingerprint(1)), 1, n) FROM generate_series(0, 60) n;
INSERT INTO bytes SELECT 'finger', fingerprint_send(synthetic_fingerprint(1)) || '\x00';
INSERT INTO bytes SELECT 'finger', set_byte(fingerprint_send(synthetic_fingerprint(1)), n, v) FROM generate_series(0, 60) n, (VALUES (0), (127), (255)) v(v);
-- the datum of an iris is columns, bits, eye, code, mask
INSERT INTO bytes SELECT 'iris', substr(i, 1, n) FROM generate_series(0, 30) n,
	(SELECT '\x8000100000'::bytea || code(synthetic_iris(1)) || mask(synthetic_iris(1)) AS i) i;
INSERT INTO bytes SELECT 'iris', set_byte(i, n, v) FROM generate_series(0, 6) n, (VALUES (0), (1), (127), (255)) v(v),
	(SELECT '\x8000100000'::bytea || code(synthetic_iris(1)) || mask(synthetic_iris(1)) AS i) i;
INSERT INTO bytes SELECT 'iris', i || '\x00' FROM (SELECT '\x8000100000'::bytea || code(synthetic_iris(1)) || mask(synthetic_iris(1)) AS i) i;
INSERT INTO bytes SELECT 'noise', decode(repeat(md5(n::text), n % 40), 'hex') FROM generate_series(1, 400) n;

SELECT count(*) > 500 AS many,
	count(match_score(as_fingerprint(b), synthetic_fingerprint(1))) = count(*) AS scores,
	count(minutia_count(as_fingerprint(b))) = count(*) AS counts,
	count(as_fingerprint(b)::text) = count(*) AS texts,
	count(to_incits378(as_fingerprint(b))) = count(*) AS records,
	count(synthetic_fingerprint(1) % as_fingerprint_probe(b)) = count(*) AS probes
FROM bytes;
SELECT count(match_score(as_iris(b), synthetic_iris(1))) = count(*) AS scores,
	count(usable_bits(as_iris(b))) = count(*) AS counts,
	count(as_iris(b)::text) = count(*) AS texts,
	count(code(as_iris(b))) = count(*) AS codes,
	count(synthetic_iris(1) % as_iris_probe(b)) = count(*) AS probes
FROM bytes;
SELECT count(match_score(as_iris(b), synthetic_iris(1))) FILTER (WHERE match_score(as_iris(b), synthetic_iris(1)) > 40) AS undamaged
FROM bytes WHERE kind <> 'iris';

-- They can be indexed, and are found by nothing
CREATE TABLE gallery (id serial, print fingerprint, eye iris);
INSERT INTO gallery (print, eye) SELECT as_fingerprint(b), as_iris(b) FROM bytes WHERE kind = 'noise';
CREATE INDEX ON gallery USING biometric (print);
CREATE INDEX ON gallery USING biometric (eye);
SET enable_seqscan = off;
SELECT count(*) FROM gallery WHERE print % synthetic_fingerprint(1);
SELECT count(*) FROM gallery WHERE eye % synthetic_iris(1);
SELECT count(*) FROM (SELECT FROM gallery ORDER BY print <-> synthetic_fingerprint(1)) g;
SELECT count(*) FROM (SELECT FROM gallery ORDER BY eye <-> synthetic_iris(1)) g;
SELECT count(*) FROM identify('gallery', 'print', synthetic_fingerprint(1), 5);
DROP SCHEMA damage CASCADE;
