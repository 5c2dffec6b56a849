-- Formats besides the record that a fingerprint is kept as: out, in again, and
-- what a loader asks of records that it does not know.
CREATE TEMP TABLE print AS SELECT n, synthetic_fingerprint(n, 0, n) AS print FROM generate_series(1, 3) n;
-- directions that two degrees can say
CREATE TEMP TABLE two_degrees AS SELECT n, to_incits378(print)::fingerprint AS print FROM print;

-- Every edition: what it can hold comes back.
SELECT bool_and(to_iso19794_2(print, 2005)::fingerprint = print) AS iso_2005,
	   bool_and(to_iso19794_2(print, 2011)::fingerprint = print) AS iso_2011,
	   bool_and(to_incits378(print, 3342337, 2004)::fingerprint = print) AS incits_2004,
	   bool_and(to_incits378(print, 3342337, 2007)::fingerprint = print) AS incits_2007,
	   bool_and(to_incits378(print, 3342337, 2009)::fingerprint = print) AS incits_2009,
	   bool_and(to_incits378(print, 3342337, 2010)::fingerprint = print) AS incits_2010
FROM two_degrees;
SELECT to_iso19794_2(print, 2010) FROM print LIMIT 1;
SELECT to_incits378(print, edition => 2011) FROM print LIMIT 1;
SELECT edition, format, views, sound_views, problems
FROM print, (VALUES (2005), (2011)) e (edition), describe_record(to_iso19794_2(print, edition)) WHERE n = 1;
SELECT edition, format
FROM print, (VALUES (2004), (2007), (2009), (2010)) e (edition), describe_record(to_incits378(print, 3342337, edition)) WHERE n = 1;

-- The same capture as ISO/IEC 19794-2:2005 and :2011, made elsewhere; minutiae of 5 bytes have no quality.
SELECT (SELECT array_agg(m) FROM minutiae('\x464d5200303330000000004300010000000034ffffffffffffffffff000000000000020000c500c500012c019061034028003c10468078005a403c40c800fac8370000'::bytea::fingerprint) m)
	 = (SELECT array_agg(m) FROM minutiae('\x464d520020323000000000300000012c019000c500c50100020050034028003c10468078005a403c40c800fac8370000'::bytea::fingerprint) m) AS same;
SELECT fingerprint('\x464d52003033300000000036000100'::bytea
	|| '\x00000027ffffffffffffffffff000000000000020000c500c500012c019051014028003c100000'::bytea, 1, strict => true);
-- Two representations with quality blocks; the second is damaged.
SELECT view, print, problem FROM fingerprint_views('\x464d52003033300000000064000200'::bytea
	|| '\x0000002d07e801010000000000000000000001'::bytea || '\x55aabb0001'::bytea || '\x020000c500c500012c0190610140280032105a0000'::bytea
	|| '\x00000028ffffffffffffffffff000000000000030100c500c500012c01906101c028003c105a0000'::bytea);

-- A small record may have very many views: its memory does not grow with them.
SELECT count(*), count(problem)
FROM fingerprint_views('\x464d5200303330'::bytea || '\x00'::bytea || decode(lpad(to_hex(15 + 60000 * 34), 8, '0') || lpad(to_hex(60000), 4, '0') || '00', 'hex')
	|| decode(repeat('00000022ffffffffffffffffff000000000000020000c500c500012c0190610000' || '00', 60000), 'hex'));

-- On-card formats have nothing to recognise them by: the caller names one.
SELECT fingerprint_from_card('\x40640064408096012c80', 'normal', 2);
SELECT fingerprint_from_card('\x6464508096a0', 'compact');
SELECT fingerprint_from_card('\x7f2e0c810a40640064408096012c80', 'normal') = fingerprint_from_card('\x40640064408096012c80', 'Normal') AS in_a_data_object;
SELECT bool_and(fingerprint_from_card(to_card(p, 'normal'), 'normal') = p) AS same
FROM (SELECT fingerprint_from_card(to_card(print, 'normal'), 'normal') AS p FROM print) x;
SELECT bool_and(fingerprint_from_card(to_card(p, 'compact'), 'compact') = p) AS same
FROM (SELECT fingerprint_from_card(to_card(print, 'compact'), 'compact') AS p FROM print) x;
SELECT match_score(print, fingerprint_from_card(to_card(print, 'normal'), 'normal')) > 60 AS matches_normal,
	   match_score(print, fingerprint_from_card(to_card(print, 'compact'), 'compact')) > 60 AS matches_compact
FROM print WHERE n = 1;
SELECT fingerprint_from_card('\x4064', 'normal');
SELECT fingerprint_from_card('\xc0640064408096012c80', 'normal');
SELECT fingerprint_from_card('\x6464508096a0', 'small');
SELECT to_card('(size 16000x16000, resolution 197x197) e1,1,0,0 e9000,9000,0,0', 'compact');

-- NIST's xyt, in both conventions.
SELECT to_xyt('(finger 2, size 200x300, resolution 197x197) e100,50,64,80 b50,150,32,100', 'nist') AS nist,
	   to_xyt('(finger 2, size 200x300, resolution 197x197) e100,50,64,80 b50,150,32,100', 'm1') AS m1;
SELECT fingerprint_from_xyt(E'100 250 270 80\n50 150 226 100\n', 'nist', 200, 300, finger_position => 2)
	 = fingerprint_from_xyt(E'100 50 45 80\r\n\n50 150 23 100', 'm1', 200, 300, finger_position => 2) AS same;
SELECT c.convention, bool_and((SELECT array_agg((n, x, y, angle, quality)) FROM minutiae(p.print))
	 = (SELECT array_agg((n, x, y, angle, quality)) FROM minutiae(fingerprint_from_xyt(to_xyt(p.print, c.convention), c.convention, image_width(p.print), image_height(p.print))))) AS same
FROM two_degrees p, (VALUES ('nist'), ('m1')) c (convention) GROUP BY 1 ORDER BY 1;
SELECT fingerprint_from_xyt('100 250 270 80', 'm1', 200, 300);
SELECT fingerprint_from_xyt('100 350 270 80', 'nist', 200, 300);
SELECT fingerprint_from_xyt('100 250', 'nist', 200, 300);
SELECT fingerprint_from_xyt('100 250 10 10 10', 'nist', 200, 300);
SELECT fingerprint_from_xyt('', 'nist', 0, 300);
SELECT fingerprint_from_xyt('', 'other', 200, 300);

-- ANSI/NIST files: a header, and a Type-9 record in each form.
CREATE TEMP TABLE file AS
SELECT '1.001:61'::bytea || '\x1d'::bytea || '1.002:0400'::bytea || '\x1d'::bytea || '1.003:1'::bytea || '\x1f'::bytea || '4'::bytea
	|| string_agg('\x1e'::bytea || '9'::bytea || '\x1f'::bytea || ('0' || k)::bytea, ''::bytea ORDER BY k)
	|| '\x1d'::bytea || '1.004:LFFS'::bytea || '\x1c'::bytea
	|| string_agg(to_type9(print, form, k), ''::bytea ORDER BY k) AS file
FROM two_degrees, (VALUES (1, 'standard'), (2, 'IAFIS'), (3, 'm1'), (4, 'EFS')) f (k, form) WHERE n = 2;
SELECT n, type, idc, finger_position, impression_type, content, minutia_count(print), problem FROM file, an2k_records(file);
-- all are the finger that was written; M1 to the bit
SELECT r.content, match_score(r.print, p.print) > 60 AS matches, r.print = p.print AS identical
FROM file, two_degrees p, an2k_records(file) r WHERE p.n = 2 AND r.type = 9;
-- what counts in hundredths of a millimetre comes back exactly once it does
SELECT content, (SELECT array_agg((m.x, m.y, m.type, m.angle)) FROM minutiae(r.print) m)
	 = (SELECT array_agg((m.x, m.y, m.type, m.angle)) FROM an2k_records(substring(file FOR 61) || to_type9(r.print, form, idc)) a, minutiae(a.print) m) AS same
FROM file, an2k_records(file) r JOIN (VALUES (2, 'standard'), (3, 'IAFIS'), (5, 'EFS')) f (n, form) USING (n);
SELECT count(*) FROM file, fingerprint_views(file) WHERE problem IS NULL;
SELECT (SELECT count(*) FROM fingerprints(file)) FROM file;
SELECT file::fingerprint FROM file;
SELECT fingerprint(file, 3) = print AS the_third FROM file, two_degrees WHERE n = 2;
-- what is wrong with the file stands in a last row; what was before it is shown
SELECT n, type, content, problem FROM file, an2k_records(substring(file FOR length(file) - 1));
SELECT n, type, content, problem FROM file, an2k_records(overlay(file PLACING '8' FROM 30 FOR 1));
SELECT n, type, content, problem FROM an2k_records('hello');
SELECT to_type9(print, 'ISO') FROM print LIMIT 1;

-- CBEFF: PIV's header of 88 bytes is recognised, also in a card's data object ...
CREATE TEMP TABLE piv AS
SELECT '\x030d'::bytea || decode(lpad(to_hex(length(record)), 8, '0'), 'hex') || '\x0000001b0201'::bytea
	|| decode(repeat('00', 24), 'hex') || '\x000008'::bytea || decode(repeat('00', 49), 'hex') || record AS record, print
FROM (SELECT to_incits378(print, 3342337) AS record, print FROM two_degrees WHERE n = 1) x;
SELECT record::fingerprint = print AS same,
	   ('\x5382'::bytea || decode(lpad(to_hex(length(record) + 4), 4, '0'), 'hex') || '\xbc82'::bytea
		|| decode(lpad(to_hex(length(record)), 4, '0'), 'hex') || record || '\xfe00'::bytea)::fingerprint = print AS in_a_data_object
FROM piv;
SELECT kind, format, views, problems FROM piv, describe_record(record);
SELECT problem FROM piv, fingerprint_views(set_byte(record, 5, 0));
SELECT problem FROM piv, fingerprint_views(substring(record FOR 80));
-- ... and of XML PostgreSQL reads the blocks.
SELECT b.n, b.format_owner, b.format_type, b.type, b.subtype, b.quality, b.problem, b.payload::fingerprint = print AS same
FROM two_degrees, cbeff_blocks(format('<?xml version="1.0"?><BIR xmlns="http://standards.iso.org/iso-iec/19785/-3/ed-2/"><BIR><BDBInfo><Format><Organization>257</Organization><Type>2</Type></Format>'
	'<Type>Finger</Type><Subtype>Right Thumb</Subtype><Quality><Score>80</Score></Quality></BDBInfo><BDB>%s</BDB></BIR><BIR><BDBInfo><Type>Iris</Type></BDBInfo><BDB>not base64!</BDB></BIR></BIR>',
	encode(to_iso19794_2(print), 'base64'))::xml) b
WHERE two_degrees.n = 1;

-- open-iris writes JSON; its base64 may be wrapped or in the alphabet for URLs.
CREATE TEMP TABLE eye AS
SELECT code, json, jsonb_build_object('error', NULL, 'iris_template', json, 'metadata', '{"eye_side": "left"}'::jsonb) AS with_metadata
FROM (SELECT code, jsonb_build_object('iris_codes', open_iris_code(code), 'mask_codes', open_iris_mask(code), 'iris_code_version', 'v2.1') AS json
	  FROM (SELECT iris(code(synthetic_iris(1)), mask(synthetic_iris(1)), 64) AS code) x) y;
SELECT iris_from_open_iris_json(json, 'unknown', 8, 64) = code AS same, eye(iris_from_open_iris_json(with_metadata, 'unknown', 8, 64)),
	   iris_from_open_iris(regexp_replace(json ->> 'iris_codes', '(.{40})', E'\\1\n', 'g'), translate(json ->> 'mask_codes', '+/=', '-_'), 'unknown', 8, 64) = code AS wrapped_and_for_urls
FROM eye;
SELECT iris_from_open_iris_json(json) FROM eye;
SELECT iris_from_open_iris_json('{}') FROM eye;

-- Pictures of bits: row by row, one mask for two filters, then thinned out.
SELECT encode(code(i), 'hex') AS code, encode(mask(i), 'hex') AS mask, columns(i), bits_per_column(i), eye(i)
FROM iris_from_pixels('\xff000000000000000000ff0000000000000000ff00000000ff00000000000000', '\x01010101010101010101010101010100', 8, 'right') i;
SELECT columns(i), bits_per_column(i), length(code(i))
FROM iris_from_pixels(decode(repeat('ff', 512 * 384), 'hex'), decode(repeat('ff', 512 * 64), 'hex'), 512, 'left', 2, 8) i;
SELECT iris_from_pixels(decode(repeat('ff', 512 * 384), 'hex'), decode(repeat('ff', 512 * 64), 'hex'), 512);
SELECT iris_from_pixels('\xff00', '\xff', 2);
SELECT iris_from_pixels('\xff00ff', '\xff00', 2);

-- What a loader asks before it loads.
SELECT kind, format, views, sound_views, problems FROM (VALUES (1, '\x'::bytea), (2, '\x89504e470d0a1a0a'), (3, 'hello')) v (i, record), describe_record(record) ORDER BY i;
SELECT record_problem(to_iso19794_2(print)) IS NULL AS fine, record_problem(substring(to_iso19794_2(print) FOR 100)), record_problem('\x89504e470d0a1a0a'::bytea) FROM print WHERE n = 1;
SELECT record_problem(encode(to_iso19794_2(print), 'base64')) IS NULL AS fine, record_problem('hello'::text), record_problem(print::text) IS NULL AS own_form FROM print WHERE n = 1;
SELECT record_bytes('Rk1S'), record_bytes('\x464d52'), record_bytes('464d 52'), record_bytes('what is this?');

-- Errors that are not raised: PostgreSQL 16 and 17 have ways to ask for them.
CREATE TEMP TABLE staged (print fingerprint);
DO $$
DECLARE
	good boolean;
	bad boolean;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE $q$SELECT pg_input_is_valid('(size 200x300, resolution 197x197) e100,50,64,80', 'fingerprint'), pg_input_is_valid('\x464d52', 'fingerprint')$q$ INTO good, bad;
		ASSERT good AND NOT bad;
	END IF;
	IF current_setting('server_version_num')::int >= 170000 THEN
		PERFORM set_config('client_min_messages', 'warning', true);
		EXECUTE $q$COPY staged FROM PROGRAM 'printf "(size 200x300, resolution 197x197) e100,50,64,80\nbad\n"' (ON_ERROR ignore)$q$;
		ASSERT (SELECT count(*) = 1 FROM staged);
	END IF;
END
$$;

-- Is there something odd about a template?
SELECT n, template_problems(print) FROM print;
SELECT template_problems('(size 200x300, resolution 197x197) e100,50,64,80 e100,50,64,80'::fingerprint);
SELECT template_problems(replace(regexp_replace(print::text, '(\d+,\d+),\d+,', '\1,64,', 'g'), 'resolution 197x197', 'resolution 500x500')::fingerprint) FROM print WHERE n = 1;
SELECT template_problems(regexp_replace(print::text, 'size \d+x\d+', 'size 4000x4000')::fingerprint) FROM print WHERE n = 1;

-- Why is the score 0?
CREATE FUNCTION pg_temp.rewritten(print fingerprint, what text) RETURNS fingerprint LANGUAGE sql AS $$
	SELECT (format('(finger %s, size %sx%s, resolution %sx%s)', CASE what WHEN 'position' THEN 8 ELSE finger_position(print) END, image_width(print), image_height(print),
				CASE what WHEN 'dpi' THEN 500 ELSE horizontal_resolution(print) END, CASE what WHEN 'dpi' THEN 500 ELSE vertical_resolution(print) END)
			|| string_agg(format(' %s%s,%s,%s,%s', left(type, 1), CASE what WHEN 'mirrored' THEN image_width(print) - 1 - x ELSE x END,
				CASE what WHEN 'y up' THEN image_height(print) - 1 - y ELSE y END,
				CASE what WHEN 'clockwise' THEN (256 - angle / 360 * 256)::int % 256 WHEN 'half a turn' THEN (angle / 360 * 256 + 128)::int % 256
						  WHEN 'two degrees' THEN (angle / 2)::int % 180 WHEN 'mirrored' THEN (384 - angle / 360 * 256)::int % 256
						  ELSE (angle / 360 * 256)::int END, quality), '' ORDER BY n))::fingerprint
	FROM minutiae(print)
$$;
SELECT what, d.assumption, d.score >= 40 AS matches
FROM (VALUES (1, 'nothing'), (2, 'dpi'), (3, 'y up'), (4, 'clockwise'), (5, 'half a turn'), (6, 'two degrees'), (7, 'mirrored'), (8, 'position')) v (i, what),
	LATERAL (SELECT *, row_number() OVER () AS k FROM match_diagnosis(synthetic_fingerprint(7, 0, 2), pg_temp.rewritten(synthetic_fingerprint(7, 1, 2), what))) d
WHERE k <= 2 ORDER BY i, k;
SELECT assumption, score FROM match_diagnosis(synthetic_fingerprint(7), synthetic_fingerprint(8));
