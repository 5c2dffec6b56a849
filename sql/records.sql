-- Interchange records: ISO/IEC 19794-2:2005 and ANSI/INCITS 378-2004.

-- The same finger by both standards, as an agency sends it: two minutiae,
-- 500 dpi.  \x and hexadecimal digits are read by the type itself.
SELECT fingerprint '\x464d5200203230000000002a000000c8012c00c500c50100020050024064003240508032009621640000' AS iso;
SELECT fingerprint '\x464d520020323000002c00330001000000c8012c00c500c5010002005002406400322d508032009617640000' AS incits;

-- The same from bytea, the form in which drivers bind binary values, ...
CREATE TEMP TABLE record (name text, record bytea);
INSERT INTO record VALUES
	('iso', '\x464d5200203230000000002a000000c8012c00c500c50100020050024064003240508032009621640000'),
	('incits', '\x464d520020323000002c00330001000000c8012c00c500c5010002005002406400322d508032009617640000');
SELECT name, record::fingerprint FROM record;

-- ... and out again.  A fingerprint is kept as its ISO record; INCITS has
-- steps of two degrees and a product identifier of whoever writes it.
SELECT name, to_iso19794_2(record::fingerprint) = record AS same_iso,
	   to_incits378(record::fingerprint, 3342337) = record AS same_incits,
	   record::fingerprint::bytea = to_iso19794_2(record::fingerprint) AS cast_is_iso
FROM record;
SELECT to_incits378(record::fingerprint, -1) FROM record LIMIT 1;

-- Several views in one record: a cast takes none of them silently.
CREATE TEMP TABLE slap AS
	SELECT '\x464d52002032300000000042000000c8012c00c500c50300'::bytea
		|| '\x02005001'::bytea || '\x406400324050'::bytea || '\x0000'::bytea
		|| '\x03004601'::bytea || '\x006400324050'::bytea || '\x0006010100060102'::bytea	-- a vendor's data
		|| '\x07003201'::bytea || '\x40c700324050'::bytea || '\x0000'::bytea AS record;
SELECT record::fingerprint FROM slap;
SELECT n, print FROM slap, fingerprints(record, strict => true) WITH ORDINALITY f(print, n);

-- One damaged view among three: as rows, the others are not lost with it.
SELECT view, print, problem FROM slap, fingerprint_views(set_byte(record, 40, 192));
SELECT count(*) FROM slap, fingerprints(set_byte(record, 40, 192));
SELECT fingerprint(set_byte(record, 40, 192), 1) FROM slap;
-- What is wrong with the whole record stands in a row of its own; it never is an error.
SELECT view, minutia_count(print), problem FROM slap, fingerprint_views(substring(record FOR 50));
SELECT view, minutia_count(print), problem FROM slap, fingerprint_views(record || '\x00', strict => true);
SELECT * FROM fingerprint_views('');

-- fingerprint(record, view) picks one, counting from 1.
SELECT fingerprint(record, 2) FROM slap;
SELECT fingerprint(record, 4) FROM slap;
SELECT fingerprint(record, 0) FROM slap;

-- Faults of existing products that are let pass, unless strict is asked for:
-- a record length that differs from the bytes ...
SELECT fingerprint(set_byte(record, 11, 41), 1) IS NOT NULL AS lenient FROM record WHERE name = 'iso';
SELECT fingerprint(set_byte(record, 11, 41), 1, strict => true) FROM record WHERE name = 'iso';
-- ... zeroes behind it, as in a buffer of fixed size ...
SELECT (record || '\x000000000000000000'::bytea)::fingerprint = record::fingerprint AS lenient FROM record;
SELECT fingerprint(record || '\x000000'::bytea, 1, strict => true) FROM record WHERE name = 'incits';
-- ... and extended data that ends a byte past the end, as in a published
-- reference record.
SELECT fingerprint(set_byte(record, 41, 2) || '\x00', 1) IS NOT NULL AS lenient
FROM (SELECT set_byte(record, 11, 43) AS record FROM record WHERE name = 'iso') r;
SELECT fingerprint(set_byte(record, 41, 2) || '\x00', 1, strict => true)
FROM (SELECT set_byte(record, 11, 43) AS record FROM record WHERE name = 'iso') r;

-- Everything else that is wrong is named, with the byte where it stands.
CREATE FUNCTION pg_temp.attempt(record bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	RETURN 'read: ' || record::fingerprint::text;
EXCEPTION WHEN data_exception OR invalid_binary_representation THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || message || ': ' || detail;
END
$$;
SELECT what, pg_temp.attempt(bad)
FROM record, LATERAL (VALUES
	('nothing', ''::bytea),
	('truncated header', substring(record FOR 20)),
	('truncated minutiae', substring(record FOR 33)),
	('truncated extended data', substring(record FOR 41)),
	('trailing byte', record || '\x01'),
	('magic', set_byte(record, 0, 0)),
	('version', set_byte(record, 5, 51)),
	('zero width', set_byte(record, 15, 0)),
	('zero resolution', set_byte(record, 19, 0)),
	('no views', set_byte(record, 22, 0)),
	('finger position', set_byte(record, 24, 11)),
	('minutia count', set_byte(record, 27, 3)),
	('minutia type', set_byte(record, 28, 192)),
	('x', set_byte(record, 28, 127)),
	('y', set_byte(record, 30, 63))) v (what, bad)
WHERE name = 'iso';
SELECT pg_temp.attempt(set_byte(record, 34, 180)) AS incits_angle FROM record WHERE name = 'incits';

-- With a wrong length, the record itself still says which standard it follows.
SELECT what, problem
FROM record, LATERAL (VALUES
	('too small', set_byte(record, 11, 41)),
	('none', set_byte(record, 11, 0)),
	('like INCITS', set_byte(record, 9, 44)),
	('far too large', set_byte(record, 8, 255))) v (what, bad),
	fingerprint_views(bad, strict => true)
WHERE name = 'iso';
SELECT what, problem
FROM record, LATERAL (VALUES
	('too small', set_byte(record, 9, 20)),
	('none', set_byte(record, 9, 0)),
	('like ISO', set_byte(record, 8, 1)),
	('minutia type', set_byte(set_byte(record, 30, 192), 9, 1))) v (what, bad),
	fingerprint_views(bad)
WHERE name = 'incits';
SELECT fingerprint '\x464d52';
SELECT fingerprint '\x464d5';
SELECT fingerprint '\xyz';

-- What web services and scanners' kits hand out: hexadecimal digits without \x,
-- base64, plain, wrapped or with the alphabet for URLs.  As bytes, an error says so.
SELECT name, encode(record, 'hex')::fingerprint = record::fingerprint AS hex,
	   (' ' || upper(encode(record, 'hex')) || E'\n')::fingerprint = record::fingerprint AS upper_hex,
	   encode(record, 'base64')::fingerprint = record::fingerprint AS base64,
	   regexp_replace(encode(record, 'base64'), '(.{10})', E'\\1\r\n', 'g')::fingerprint = record::fingerprint AS wrapped,
	   translate(encode(record, 'base64'), '+/=', '-_')::fingerprint = record::fingerprint AS for_urls
FROM record;
SELECT convert_to(encode(record, 'hex'), 'UTF8')::fingerprint FROM record WHERE name = 'iso';
SELECT convert_to(encode(record, 'base64'), 'UTF8')::fingerprint FROM record WHERE name = 'iso';
SELECT fingerprint 'Rk1SACAyMAAAAAAwAAABLAGQAMUAxQEAAgBQA0AoADwQRoB4AFpAPEDIAPrINw=A';
SELECT fingerprint '464d5200203230000000002a000000c8012c00c500c50100020050024064003240508032009621640';

-- What is this?  Bytes of another kind are called by their name.
SELECT problem FROM (VALUES
	('\x'::bytea), ('\x000000000000000000'), ('FIR'::bytea || '\x0030313000'), ('IIR'::bytea || '\x0030323000'),
	('FAC'::bytea || '\x0030313000'), ('1.001:28' || '\x1d'::bytea || '1.002:0400' || '\x1d'::bytea || '1.003:1' || '\x1c'::bytea), ('\xffa0ffa4003a0907'), ('\x0000000c6a5020200d0a870a'),
	('\xff4fff510029'), ('\x89504e470d0a1a0a0000'), ('\xffd8ffe000104a464946'), ('\x1f8b0808'), ('\x504b0304'),
	('<BIR xmlns="x"><BDB>AAAA</BDB></BIR>'), ('<itl:NISTBiometricInformationExchangePackage/>'), ('{"iris_codes": []}'),
	(E'100 200 90 80\n120 210 45 70\n'), ('hello'), ('\x7f2e04810200ff'), ('\x0102030405')) v (record),
	fingerprint_views(record);
SELECT '\x89504e470d0a1a0a0000'::bytea::fingerprint;

-- Resolutions.  500 written as pixels per centimetre for 500 dpi is read, and
-- said to be implausible; what no picture of a finger has is refused by strict.
SELECT set_byte(set_byte(set_byte(set_byte(to_iso19794_2(synthetic_fingerprint(1)), 18, 1), 19, 244), 20, 1), 21, 244)::fingerprint IS NOT NULL AS read;
SELECT encode(to_iso19794_2(replace(synthetic_fingerprint(1)::text, 'resolution 197x197', 'resolution 500x500')::fingerprint), 'hex')::fingerprint IS NOT NULL AS as_text;
SELECT problem FROM record, fingerprint_views(set_byte(record, 19, 98), strict => true) WHERE name = 'iso';
SELECT problem FROM record, fingerprint_views(set_byte(record, 20, 7), strict => true) WHERE name = 'iso';

-- COPY carries it as text and in binary form.
CREATE TEMP TABLE print AS SELECT name, record::fingerprint AS print FROM record;
COPY print TO STDOUT;
CREATE TEMP TABLE copied (LIKE print);
COPY copied FROM STDIN;
ours	(finger 2, size 200x300, resolution 197x197) e100,50,64,80
theirs	\\x464d5200203230000000002a000000c8012c00c500c50100020050024064003240508032009621640000
\.
SELECT * FROM copied;
COPY copied FROM STDIN;
broken	\\x464d5200
\.
SELECT count(*) FROM copied;

\copy print TO 'results/print.binary' (FORMAT binary)
CREATE TEMP TABLE copied_binary (LIKE print);
\copy copied_binary FROM 'results/print.binary' (FORMAT binary)
SELECT name, b.print = a.print AS same FROM print a JOIN copied_binary b USING (name);

-- The binary form is the ISO record; what comes in may be any record.
SELECT name, fingerprint_send(print) = to_iso19794_2(print) AS iso_on_the_wire FROM print;
