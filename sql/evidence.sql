--
-- Evidence: what a score is made of, as rows and as pictures
--
CREATE TABLE seen AS SELECT p, c, synthetic_fingerprint(p, c, 2) AS print, synthetic_iris(p, c) AS eye FROM generate_series(1, 4) p, generate_series(0, 2) c;

-- every minutia of both is a row, once; a pair is where the other could show it
SELECT count(*) AS comparisons,
	   bool_and(m.a = minutia_count(x.print) AND m.b = minutia_count(y.print)) AS complete,
	   bool_and(m.twice_a = m.a AND m.twice_b = m.b) AS once,
	   bool_and(m.outside = 0) AS pairs_overlap
FROM seen x, seen y,
	 LATERAL (SELECT count(a_minutia) AS a, count(b_minutia) AS b, count(DISTINCT a_minutia) AS twice_a, count(DISTINCT b_minutia) AS twice_b,
			  count(*) FILTER (WHERE a_minutia IS NOT NULL AND b_minutia IS NOT NULL AND NOT in_overlap) AS outside FROM match_pairs(x.print, y.print)) m;

-- the same from both sides
SELECT count(*) FROM (
	SELECT x.p, x.c, y.p, y.c, a_minutia, b_minutia, weight, distance, in_overlap FROM seen x, seen y, match_pairs(x.print, y.print)
	EXCEPT
	SELECT x.p, x.c, y.p, y.c, b_minutia, a_minutia, weight, distance, in_overlap FROM seen x, seen y, match_pairs(y.print, x.print)) differing;

-- the heaviest first, then what has no partner
SELECT bool_and(weight <= before) FROM (
	SELECT weight, lag(weight) OVER (ORDER BY n) AS before FROM match_pairs((SELECT print FROM seen WHERE p = 1 AND c = 0), (SELECT print FROM seen WHERE p = 1 AND c = 1)) WITH ORDINALITY m (a, b, weight, distance, in_overlap, n)) o;
SELECT * FROM match_pairs((SELECT print FROM seen WHERE p = 1 AND c = 0), (SELECT print FROM seen WHERE p = 1 AND c = 1)) LIMIT 2;

-- mated fingers have more of it than others
SELECT x.p = y.p AS mated, avg(pairs)::int AS pairs, avg(lonely)::int AS unpaired FROM seen x, seen y,
	 LATERAL (SELECT count(*) FILTER (WHERE weight IS NOT NULL) AS pairs, count(*) FILTER (WHERE weight IS NULL AND in_overlap) AS lonely FROM match_pairs(x.print, y.print)) m
WHERE (x.p, x.c) < (y.p, y.c) GROUP BY 1 ORDER BY 1;

-- with itself: everything, at no distance
SELECT count(*) = minutia_count(print) AS all_paired, max(distance) < 0.01 AS together, bool_and(a_minutia = b_minutia) AS same FROM seen, match_pairs(print, print) WHERE p = 3 AND c = 0 GROUP BY print;

-- nothing to pair, other fingers, NULL
SELECT * FROM match_pairs('(finger 1, size 300x300, resolution 197x197)', '(finger 1, size 300x300, resolution 197x197)');
SELECT * FROM match_pairs('(finger 1, size 300x300, resolution 197x197) e10,20,30,40', '(finger 1, size 300x300, resolution 197x197)');
SELECT * FROM match_pairs('(finger 1, size 300x300, resolution 197x197) e10,20,30,40', '(finger 2, size 300x300, resolution 197x197) e10,20,30,40');
SELECT * FROM match_pairs(NULL, synthetic_fingerprint(1));

-- irises: the bits that were compared, in the rotation that decided
SELECT x.p = y.p AS mated, min(b.common) > 800 AS enough, round(avg(b.differing::numeric / b.common), 2) AS share FROM seen x, seen y, match_bits(x.eye, y.eye) b
WHERE (x.p, x.c) < (y.p, y.c) GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM seen x, seen y, match_bits(x.eye, y.eye) a, match_bits(y.eye, x.eye) b WHERE (a.common, a.differing) <> (b.common, b.differing);
SELECT * FROM match_bits(synthetic_iris(1), iris(code(synthetic_iris(1)), mask(synthetic_iris(1)), 64));
SELECT * FROM match_bits(NULL, synthetic_iris(1));

-- pictures are XML, whatever is in them, and the same for the same
SELECT count(*), bool_and(svg(print)::xml IS DOCUMENT) AND bool_and(svg(eye)::xml IS DOCUMENT) AS drawn FROM seen;
SELECT bool_and(match_svg(x.print, y.print)::xml IS DOCUMENT) AND bool_and(match_svg(x.eye, y.eye)::xml IS DOCUMENT) AS drawn FROM seen x, seen y;
-- without the version of the matcher, which changes
SELECT regexp_replace(svg(fingerprint '(finger 1, quality 60, size 60x40, resolution 197x197) e10,20,0,40 b30,20,64,0 o50,20,128,0'), '>biometric [^<]*<', '><') AS svg;
SELECT svg(fingerprint '(finger 1, size 16384x1, resolution 1x65535)')::xml IS DOCUMENT AS extreme;
SELECT regexp_replace(svg(iris('\x0f', '\x3f', 8)), '>biometric [^<]*<', '><') AS svg;
SELECT regexp_replace(match_svg(iris('\x0f', '\x3f', 8), iris('\x0f0f', '\x3fff', 8)), '>biometric [^<]*<', '><') AS svg;
SELECT svg(iris('\x0f', '\x3f', 8)) LIKE '%>biometric ' || biometric_version() || '<%' AS version;
-- a caption is text, whatever is in it, and long ones are wrapped
SELECT s LIKE '%>Case &lt;7&gt; &amp; &quot;8&quot; </text>%' AS escaped,
	   xpath_exists('/svg:svg/svg:title', s::xml, '{{svg,http://www.w3.org/2000/svg}}') AND xpath_exists('/svg:svg/svg:desc', s::xml, '{{svg,http://www.w3.org/2000/svg}}') AS described
FROM seen, match_svg(print, print, E'Case <7> & "8"\x01') s WHERE p = 1 AND c = 0;
SELECT count(*) > 3 AS wrapped FROM seen, regexp_matches(match_svg(eye, eye, repeat('word ', 100) || repeat('x', 300)), '<text[^>]*>(word |x)', 'g') WHERE p = 1 AND c = 0;
SELECT match_svg(print, NULL, 'x') IS NULL AND match_svg(NULL::iris, eye) IS NULL AND svg(NULL::fingerprint) IS NULL AND svg(NULL::iris, 'x') IS NULL AS nothing FROM seen WHERE p = 1 AND c = 0;
-- as many minutiae, pairs and differing bits as the rows say
SELECT bool_and((SELECT count(*) FROM regexp_matches(s, '<g class="minutia"', 'g')) = minutia_count(x.print) + minutia_count(y.print)) AS all_minutiae,
	   bool_and(s ~ format('>%s pairs, ', (SELECT count(weight) FROM match_pairs(x.print, y.print)))) AS pairs,
	   bool_and((SELECT array_agg(a_minutia || '=' || b_minutia) FROM match_pairs(x.print, y.print) WHERE weight IS NOT NULL)
				IS NOT DISTINCT FROM (SELECT array_agg(m[1]) FROM regexp_matches(s, '[ >](\d+=\d+)', 'g') m)) AS listed
FROM seen x, seen y, match_svg(x.print, y.print) s;
SELECT bool_and(coalesce((SELECT sum(m[1]::int) FROM regexp_matches(regexp_replace(s, '^.*fill="#D55E00" d="([^"]*)".*$', '\1'), 'h(\d+)v', 'g') m), 0) / 4 = b.differing) AS same_bits
FROM seen x, seen y, match_svg(x.eye, y.eye) s, match_bits(x.eye, y.eye) b;
-- the picture that a template was made from, under its minutiae: a PNG of 3 x 2 pixels
CREATE TABLE png AS SELECT decode('iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAADklEQVR4nGNgYGD4DwQAAwAB//9u3T0AAAAASUVORK5CYII=', 'base64') AS bytes;
SELECT svg(f, 'seen', bytes) LIKE '%xlink:href="data:image/png;base64,' || translate(encode(bytes, 'base64'), E'\n', '') || '"/>%' AS shown
FROM png, CAST('(finger 1, size 300x200, resolution 197x197) e10,20,0,40' AS fingerprint) f;
SELECT match_svg(f, f, NULL, bytes, bytes)::xml IS DOCUMENT AS both FROM png, CAST('(finger 1, size 300x200, resolution 197x197) e10,20,0,40' AS fingerprint) f;
SELECT svg(fingerprint '(finger 1, size 300x300, resolution 197x197) e10,20,0,40', NULL, bytes) FROM png;
SELECT svg(fingerprint '(finger 1, size 300x200, resolution 197x197) e10,20,0,40', NULL, substr(bytes, 1, 32)) FROM png;
SELECT svg(fingerprint '(finger 1, size 300x200, resolution 197x197) e10,20,0,40', NULL, overlay(bytes PLACING '\x80000003' FROM 17)) FROM png;
SELECT svg(fingerprint '(finger 1, size 300x200, resolution 197x197) e10,20,0,40', NULL, 'GIF89a');
DROP TABLE png;
DROP TABLE seen;
