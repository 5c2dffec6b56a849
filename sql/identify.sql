-- Candidate lists.  Whatever a comparison scores, an identical template is a
-- match beyond doubt here, and made-up fingers of different numbers are not.

CREATE TABLE people (id int PRIMARY KEY, person int, agency text, note text, print fingerprint);
INSERT INTO people
	SELECT p * 10 + f, p, CASE WHEN p % 2 = 0 THEN 'A' ELSE 'B' END, 'n' || p, synthetic_fingerprint(p, 0, f)
	FROM generate_series(1, 200) p, generate_series(1, 2) f;
INSERT INTO people VALUES (9001, 900, 'A', NULL, NULL);
CREATE INDEX people_print ON people USING biometric (print);
CREATE INDEX people_person ON people (person);
ANALYZE people;

-- what is asked of the index below does not depend on costs
SET enable_seqscan = off;
SET max_parallel_workers_per_gather = 0;
SET jit = off;

-- ---------------------------------------------------------------------------
-- one probe
-- ---------------------------------------------------------------------------

SELECT rank, key, verdict, searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1);

-- k rows, 10 by default, best first, as the operators have it
SELECT count(*), bool_and(score <= before) AS falling, bool_and(rank = n) AS numbered
FROM (SELECT *, lag(score, 1, 'infinity'::float8) OVER (ORDER BY rank) AS before,
			 row_number() OVER () AS n
	  FROM identify('people', 'print', synthetic_fingerprint(7, 3, 1))) c;
SELECT count(*) AS candidates,
	   bool_and(c.score = match_score(p.print, synthetic_fingerprint(7, 3, 1))) AS scores,
	   bool_and(abs(c.fpir - greatest(fpir(c.score, c.searched), fpir_floor())) <= 1e-12) AS rates
FROM identify('people', 'print', synthetic_fingerprint(7, 3, 1)) c
	 JOIN people p ON p.id = (c.key->>'id')::int;
SELECT array_agg(c.score) = (SELECT array_agg(match_score(print, synthetic_fingerprint(7, 3, 1)))
	FROM (SELECT print FROM people WHERE print IS NOT NULL ORDER BY print <-> synthetic_fingerprint(7, 3, 1) LIMIT 20) s) AS exact
FROM identify('people', 'print', synthetic_fingerprint(7, 3, 1), 20) c;

-- all of them, but no row without a template
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 10000);

-- through the index
SELECT pg_stat_force_next_flush();
SELECT idx_scan AS used FROM pg_stat_user_indexes WHERE indexrelname = 'people_print' \gset before_
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), gallery_size => 400);
SELECT pg_stat_force_next_flush();
SELECT idx_scan - :before_used AS index_scans FROM pg_stat_user_indexes WHERE indexrelname = 'people_print';

-- verdicts by the bounds, which are the caller's
SELECT verdict, count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 3) GROUP BY verdict ORDER BY verdict;
-- Rates below what was measured are not claimed: they are bounds, and marked
SELECT fpir_floor(), count(*), bool_and(score > 0) FROM score_limits();
SELECT bool_and(fpir >= fpir_floor()) AS floor, bool_and(fpir_bound = (score > l.score_limit OR fpir = fpir_floor())) AS marked,
	   bool_or(fpir_bound) AND NOT bool_and(fpir_bound) AS both_kinds
FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 50),
	 LATERAL (SELECT l.score AS score_limit FROM score_limits() l WHERE modality = 'fingerprint') l;
SELECT fpir, fpir_bound FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, gallery_size => 1);
SELECT fpir, fpir_bound FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), probable_fpir => 1e-7);
SELECT bool_and(verdict = CASE WHEN fpir <= 0.2 THEN 'probable' WHEN fpir <= 0.9999999 THEN 'possible' ELSE 'none' END) AS as_asked
FROM identify('people', 'print', synthetic_fingerprint(7, 5, 1), 50, possible_fpir => 0.9999999, probable_fpir => 0.2);

-- a gallery of another size, for somebody who knows it
SELECT searched, abs(fpir - fpir(score, 1000000)) < 1e-12 AS rate
FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, gallery_size => 1000000);

-- a finger that is known is not compared with others that are
SELECT max(searched) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1));
SELECT max(searched) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 3));
SELECT max(searched) FROM identify('people', 'print', synthetic_fingerprint(7));

-- nobody asked for, nobody there
SELECT count(*) FROM identify('people', 'print', NULL::fingerprint);
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), filter => '{"agency": "nobody"}');

-- ---------------------------------------------------------------------------
-- the filter
-- ---------------------------------------------------------------------------

SELECT key, verdict, searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"agency": "B"}');
SELECT verdict, searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"agency": "A"}');
SELECT key, searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"person": [7, 8, "9"], "agency": ["A", "B", "C"]}');
SELECT searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"person": 7, "id": 72}');
SELECT searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{}');
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"person": []}');
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"note": null}');
UPDATE people SET note = NULL WHERE person = 7;
SELECT key, searched FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"note": null}');

-- values are values
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"agency": "B'' OR true --"}');
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), 1, '{"agency": ["{A,B}", "A,B", "\\"]}');

-- what it cannot be
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"nobody": 1}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"agency = agency OR agency": "A"}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"ctid": "(0,1)"}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"person": "seven"}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"person": {"a": 1}}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"person": [1, null]}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"person": [[1], 2]}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '{"person": [{"a": 1}]}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '[1]');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, '"agency"');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 1, 'null');

-- ---------------------------------------------------------------------------
-- what is wrong is said
-- ---------------------------------------------------------------------------

SELECT * FROM identify('people', 'face', synthetic_fingerprint(7));
SELECT * FROM identify('people', 'print" <-> $1; DROP TABLE people; --', synthetic_fingerprint(7));
SELECT * FROM identify('people', 'note', synthetic_fingerprint(7));
SELECT * FROM identify('people', 'print', synthetic_iris(7));
SELECT * FROM identify('people', 'ctid', synthetic_fingerprint(7));
SELECT * FROM identify('nowhere', 'print', synthetic_fingerprint(7));
SELECT * FROM identify(1::regclass, 'print', synthetic_fingerprint(7));
SELECT * FROM identify('people_print', 'print', synthetic_fingerprint(7));
CREATE SEQUENCE no_gallery;
SELECT * FROM identify('no_gallery', 'last_value', synthetic_fingerprint(7));
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 0);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), 10001);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), NULL);
SELECT * FROM identify(NULL, 'print', synthetic_fingerprint(7));
SELECT * FROM identify('people', NULL, synthetic_fingerprint(7));
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), possible_fpir => 0.001, probable_fpir => 0.01);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), possible_fpir => 1);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), probable_fpir => 0);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), possible_fpir => 'NaN');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), probable_fpir => NULL);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), gallery_size => 0);
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), key_columns => '{nobody}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), key_columns => '{}');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), key_columns => '{id,NULL}');

-- ---------------------------------------------------------------------------
-- several probes of one person
-- ---------------------------------------------------------------------------

SELECT rank, person, sources, verdict, searched, depth
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1);

-- the score is what fuse() says, for everybody, and the rate that of a sum
SELECT count(*), bool_and(abs(c.score - f.score) < 1e-6) AS scores,
	   bool_and(abs(c.fpir - greatest(fpir(c.score, 200, 2), fpir_floor())) <= 1e-9) AS rates,
	   bool_and(abs(c.fused_score - fused_score(c.score, 2)) <= 1e-6) AS fused,
	   bool_and(abs(c.fpir - greatest(fpir(c.fused_score, searched), fpir_floor())) <= 1e-9) AS same_rates, bool_and(c.sources = 2) AS both
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)]) c
	 JOIN (SELECT person, fuse(greatest(match_score(print, synthetic_fingerprint(7, 3, 1)),
										match_score(print, synthetic_fingerprint(7, 3, 2))), finger_position(print)) AS score
		   FROM people GROUP BY person) f ON f.person = c.person::int;

-- with a search of everything, the candidates are the best there are
SELECT depth, unseen_score, array_agg(round(score::numeric, 6) ORDER BY rank) = (
	SELECT array_agg(s) FROM (
		SELECT round(fuse(greatest(match_score(print, synthetic_fingerprint(7, 3, 1)),
								   match_score(print, synthetic_fingerprint(7, 3, 2))), finger_position(print))::numeric, 6) AS s
		FROM people WHERE print IS NOT NULL GROUP BY person ORDER BY s DESC LIMIT 10) t) AS best
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], search_depth => 1000)
GROUP BY depth, unseen_score;

-- a person whom one finger's search finds gets the score of the other too
SELECT person, sources, verdict, jsonb_array_length(evidence) AS compared
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(8, 0, 2)], 2, search_depth => 1)
ORDER BY person;

-- what the search did not see is bounded
SELECT person, unseen_score > 0 AS bounded, unseen_score < score AS safe
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1, search_depth => 2);
SELECT bool_and(f.score <= u.unseen_score + 1e-6) AS holds
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], 10000, search_depth => 5) c
	 RIGHT JOIN (SELECT person, fuse(greatest(match_score(print, synthetic_fingerprint(7, 3, 1)),
											  match_score(print, synthetic_fingerprint(7, 3, 2))), finger_position(print)) AS score
				 FROM people WHERE print IS NOT NULL GROUP BY person) f ON f.person = c.person::int,
	 (SELECT max(unseen_score) AS unseen_score
	  FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], 1, search_depth => 5)) u
WHERE c.person IS NULL;

-- the depth follows from what must not be missed
SELECT min(depth) AS usual FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)]);
SELECT min(depth) AS of_many FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], 30);
SELECT min(depth) > 20 AS deeper, min(unseen_score) < score_threshold(0.999999, 200, 2) AS enough
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], possible_fpir => 0.999999);

-- through the index, once for each probe
SELECT pg_stat_force_next_flush();
SELECT idx_scan AS used FROM pg_stat_user_indexes WHERE indexrelname = 'people_print' \gset before_
SELECT count(*) FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 2);
SELECT pg_stat_force_next_flush();
SELECT idx_scan - :before_used AS index_scans FROM pg_stat_user_indexes WHERE indexrelname = 'people_print';

-- ---------------------------------------------------------------------------
-- a threshold: only candidates of a verdict, or of rows that score so much
-- ---------------------------------------------------------------------------

-- The search leaves out what cannot be asked for, and returns what is left of a
-- search of everybody, whatever the plan.
CREATE FUNCTION differing(min_verdict text) RETURNS TABLE (what text, probes bigint, candidates numeric, differ bigint) LANGUAGE sql AS $$
	WITH probe AS (
		SELECT p, c, ARRAY[synthetic_fingerprint(p, c, 1), synthetic_fingerprint(p, c, 2)] AS prints
		FROM generate_series(1, 5) p, generate_series(2, 4) c),
	answer AS (
		SELECT 'rows' AS what, count(a) AS n,
			coalesce(array_agg(a ORDER BY rank) FILTER (WHERE a IS NOT NULL), '{}') = ARRAY(SELECT b::text FROM identify('people', 'print', prints[1], 400) b
				WHERE verdict = 'probable' OR verdict = min_verdict ORDER BY rank) AS same
		FROM probe LEFT JOIN LATERAL (SELECT i::text AS a, rank FROM identify('people', 'print', prints[1], 400, min_verdict => min_verdict) i) t ON true GROUP BY p, c, prints
		UNION ALL
		SELECT 'persons', count(a),
			coalesce(array_agg(a ORDER BY rank) FILTER (WHERE a IS NOT NULL), '{}') = ARRAY(SELECT ROW(rank, person, score, sources, fused_score, fpir, verdict, evidence, searched, fpir_bound)::text
				FROM identify('people', 'person', 'print', prints, 200, search_depth => 400) WHERE verdict = 'probable' OR verdict = min_verdict ORDER BY rank)
		FROM probe LEFT JOIN LATERAL (SELECT ROW(rank, person, score, sources, fused_score, fpir, verdict, evidence, searched, fpir_bound)::text AS a, rank
			FROM identify('people', 'person', 'print', prints, 200, min_verdict => min_verdict)) t ON true GROUP BY p, c, prints)
	SELECT what, count(*), sum(n), count(*) FILTER (WHERE NOT same) FROM answer GROUP BY what ORDER BY what
$$;
SELECT what, probes, candidates > 3 AS candidates, differ FROM differing('possible');
SELECT what, probes, candidates > 3 AS candidates, differ FROM differing('probable');
SET enable_indexscan = off;
SET enable_seqscan = on;
SELECT what, differ FROM differing('possible');
RESET enable_indexscan;
SET enable_seqscan = off;
SELECT count(*) > 0 AS candidates, bool_and(score >= 15) AS scores,
	count(*) = (SELECT count(*) FROM people WHERE match_score(print, synthetic_fingerprint(7, 3, 1)) >= 15) AS complete
FROM identify('people', 'print', synthetic_fingerprint(7, 3, 1), 400, min_score => 15);
-- who has no row of that score is not found, and no more than that is promised
SELECT count(*) > 0 AS found, bool_and(unseen_score = 30) AS unseen,
	count(*) = (SELECT count(DISTINCT person) FROM people WHERE greatest(match_score(print, synthetic_fingerprint(7, 3, 1)), match_score(print, synthetic_fingerprint(7, 3, 2))) >= 15) AS complete
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 3, 1), synthetic_fingerprint(7, 3, 2)], 400, min_score => 15);
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(999, 3, 1), min_verdict => 'possible');
SELECT count(*) FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(999, 3, 1)], min_verdict => 'possible');
SELECT count(*) FROM identify('people', 'print', synthetic_fingerprint(7, 0, 1), min_score => 'infinity');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), min_verdict => 'likely');
SELECT * FROM identify('people', 'print', synthetic_fingerprint(7), min_verdict => NULL);
SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7)], min_score => 'NaN');
-- the best finger of a sum has at least so much
SELECT round(best_score_threshold(0.001, 100000, 1)::numeric, 3) AS one,
	best_score_threshold(0.001, 100000, 4) <= score_threshold(0.001, 100000, 4) / 4 AS of_four;
SELECT best_score_threshold(0.001, 100000, 0);

-- evidence: the rows and what each said
SELECT e->'key' AS key, e->>'source' AS source, e->'probe' AS probe, e->'comparisons' AS comparisons, e->'counts' AS counts
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 2), NULL, synthetic_fingerprint(7, 0, 1)], 1), jsonb_array_elements(evidence) e
ORDER BY e->'probe';

-- several impressions of a finger count once, whichever side has them, and the
-- rate allows for the choice among them
SELECT person, sources, abs(score - match_score(synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 1))) < 1e-6 AS the_best,
	   evidence->0->'comparisons' AS comparisons, fpir > fpir(score, searched, sources) AS dearer
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 2, 1), synthetic_fingerprint(7, 3, 1)], 1);
INSERT INTO people SELECT 3000 + i, 7, 'B', 'again', synthetic_fingerprint(7, i, 1) FROM generate_series(1, 4) i;
SELECT person, sources, abs(score - match_score(synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 1))) < 1e-6 AS the_best,
	   evidence->0->'comparisons' AS comparisons
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1)], 1);
DELETE FROM people WHERE id > 3000 AND id < 9000;

-- fingers and eyes: whom either found, completed through the filter, and added
CREATE TABLE their_eyes (person int, code iris);
INSERT INTO their_eyes SELECT p, synthetic_iris(p) FROM generate_series(1, 200) p;
WITH f AS (SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 5)),
	 e AS (SELECT * FROM identify('their_eyes', 'person', 'code', ARRAY[synthetic_iris(7)], 5,
								  (SELECT jsonb_build_object('person', jsonb_agg(f.person)) FROM f), gallery_size => 200))
SELECT person, fpir(f.fused_score + e.fused_score, 200, 2) < least(f.fpir, e.fpir) AS better
FROM f JOIN e USING (person) ORDER BY f.fused_score + e.fused_score DESC LIMIT 1;
DROP TABLE their_eyes;

-- half a traveller
SELECT count(*) FROM identify('people', 'person', 'print', NULL::fingerprint[]);
SELECT count(*) FROM identify('people', 'person', 'print', '{}'::fingerprint[]);
SELECT count(*) FROM identify('people', 'person', 'print', '{NULL,NULL}'::fingerprint[]);
SELECT person, sources FROM identify('people', 'person', 'print', ARRAY[NULL, synthetic_fingerprint(7, 0, 2)], 1);
SELECT count(*) FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 2)], filter => '{"agency": "nobody"}');

-- only among these
SELECT person, searched FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 2)], 5, '{"person": [7, 12]}') ORDER BY rank;

-- persons named by other types
CREATE TABLE named (person text COLLATE "C", code varchar(10), finger numeric, u uuid, print fingerprint);
INSERT INTO named SELECT 'p ' || p, 'c' || p, p + 0.50, ('00000000-0000-0000-0000-' || lpad(p::text, 12, '0'))::uuid, synthetic_fingerprint(p, 0, f)
	FROM generate_series(1, 20) p, generate_series(1, 2) f;
SELECT person FROM identify('named', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1);
SELECT person FROM identify('named', 'code', 'print', ARRAY[synthetic_fingerprint(7, 0, 1)], 1, '{"code": ["c7", "c8"]}');
SELECT person, sources FROM identify('named', 'finger', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1);
SELECT person FROM identify('named', 'u', 'print', ARRAY[synthetic_fingerprint(7, 0, 1)], 1, '{"u": "00000000-0000-0000-0000-000000000007"}');
UPDATE named SET finger = 7.5 WHERE ctid IN (SELECT ctid FROM named WHERE finger = 7.50 LIMIT 1);
SELECT person::float8, sources FROM identify('named', 'finger', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(7, 0, 2)], 1);

-- rows without a person cannot be given to anybody
UPDATE named SET person = NULL WHERE person = 'p 7';
SELECT verdict, searched FROM identify('named', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1)], 1);

-- what is wrong
SELECT * FROM identify('people', 'nobody', 'print', ARRAY[synthetic_fingerprint(7)]);
SELECT * FROM identify('people', 'person', 'note', ARRAY[synthetic_fingerprint(7)]);
SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_iris(7)]);
SELECT * FROM identify('people', NULL, 'print', ARRAY[synthetic_fingerprint(7)]);
SELECT * FROM identify('people', 'person', NULL, ARRAY[synthetic_fingerprint(7)]);
SELECT * FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(7)], search_depth => 0);
SELECT * FROM identify('people', 'person', 'print', array_fill(synthetic_fingerprint(7), ARRAY[101]));
CREATE TABLE places (spot point, print fingerprint);
SELECT * FROM identify('places', 'spot', 'print', ARRAY[synthetic_fingerprint(7)]);
SELECT * FROM identify('places', 'print', synthetic_fingerprint(7), filter => '{"spot": "(1,2)"}');
SELECT count(*) FROM identify('places', 'print', 'print', ARRAY[synthetic_fingerprint(7)]);

-- ---------------------------------------------------------------------------
-- fingers that nobody named
-- ---------------------------------------------------------------------------

-- Neither side: all may be one finger, and the best counts.
CREATE TABLE unnamed (person int, print fingerprint);
INSERT INTO unnamed SELECT 1, synthetic_fingerprint(f) FROM generate_series(1, 3) f;
SELECT sources, evidence->0->>'source' AS source, evidence->0->'comparisons' AS comparisons, jsonb_array_length(evidence) AS n
FROM identify('unnamed', 'person', 'print', ARRAY[synthetic_fingerprint(1), synthetic_fingerprint(2)]);

-- One side: each finger on the other side counts for one.  (A finger of
-- another position is another made-up finger, so these do not match.)
SELECT sources, jsonb_array_length(evidence) AS n, evidence->0->'comparisons' AS comparisons
FROM identify('unnamed', 'person', 'print', ARRAY[synthetic_fingerprint(1, 0, 1), synthetic_fingerprint(1, 1, 1), synthetic_fingerprint(1, 0, 2)]);
SELECT sources, jsonb_array_length(evidence) AS n, searched
FROM identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(1), synthetic_fingerprint(2), synthetic_fingerprint(3)], 1);

-- A single template without a position cannot be two fingers.
DELETE FROM unnamed;
INSERT INTO unnamed VALUES (1, synthetic_fingerprint(1));
SELECT sources, jsonb_array_length(evidence) AS n, evidence->0->'comparisons' AS comparisons
FROM identify('unnamed', 'person', 'print', ARRAY[synthetic_fingerprint(1, 0, 1), synthetic_fingerprint(1, 0, 2)]);

-- An unknown finger beside a known one: the better of the two counts.
INSERT INTO unnamed VALUES (1, synthetic_fingerprint(1, 0, 2));
SELECT c.sources, abs(c.score - greatest(a, b)) < 1e-6 AS the_better, jsonb_array_length(evidence) AS n
FROM identify('unnamed', 'person', 'print', ARRAY[synthetic_fingerprint(1), synthetic_fingerprint(1, 0, 2)]) c,
	 (SELECT match_score(synthetic_fingerprint(1), synthetic_fingerprint(1)) AS a,
			 match_score(synthetic_fingerprint(1, 0, 2), synthetic_fingerprint(1, 0, 2)) AS b) m;

-- ---------------------------------------------------------------------------
-- irises
-- ---------------------------------------------------------------------------

CREATE TABLE eyes (id int PRIMARY KEY, person int, code iris);
INSERT INTO eyes
	SELECT p * 2 + e, p, iris(code(i), mask(i), columns(i), CASE e WHEN 0 THEN 'left' ELSE 'right' END)
	FROM generate_series(1, 300) p, generate_series(0, 1) e, synthetic_iris(p * 2 + e) i;
CREATE INDEX ON eyes USING biometric (code);
ANALYZE eyes;
SELECT key, verdict, searched FROM identify('eyes', 'code', (SELECT code FROM eyes WHERE id = 84), 1);
SELECT person, sources, verdict, searched, e->>'source' AS source
FROM identify('eyes', 'person', 'code', (SELECT array_agg(code ORDER BY id) FROM eyes WHERE person = 42), 1), jsonb_array_elements(evidence) e
ORDER BY source;

-- captures that do not say which eye
SELECT person, sources, jsonb_array_length(evidence) AS n
FROM identify('eyes', 'person', 'code', ARRAY[synthetic_iris(84), synthetic_iris(85)], 1);

-- ---------------------------------------------------------------------------
-- galleries of all kinds
-- ---------------------------------------------------------------------------

-- without a primary key: the place of the row
SELECT key FROM identify('named', 'print', synthetic_fingerprint(3, 0, 1), 1);
SELECT key FROM identify('named', 'print', synthetic_fingerprint(3, 0, 1), 1, key_columns => '{code,person}');

-- a key of several columns
CREATE TABLE pairs (b int, a text, c int, print fingerprint, PRIMARY KEY (a, b));
INSERT INTO pairs SELECT p, 'a"''\', p, synthetic_fingerprint(p) FROM generate_series(1, 5) p;
SELECT key FROM identify('pairs', 'print', synthetic_fingerprint(3), 1);

-- a view: its columns but templates and bytes
CREATE VIEW list AS SELECT id, note, print, 'x'::bytea AS record, ARRAY[print] AS prints FROM people WHERE agency = 'B';
SELECT key, searched FROM identify('list', 'print', synthetic_fingerprint(9, 0, 1), 1);
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM people WHERE agency = 'B';
SELECT person, searched FROM identify('barrier', 'person', 'print', ARRAY[synthetic_fingerprint(9, 0, 1)], 1);
CREATE VIEW only_print AS SELECT print FROM people;
SELECT key FROM identify('only_print', 'print', synthetic_fingerprint(9, 0, 1), 1);
CREATE MATERIALIZED VIEW kept AS SELECT * FROM people;
SELECT verdict, key->>'table' AS "table" FROM identify('kept', 'print', synthetic_fingerprint(9, 0, 1), 1);

-- more columns than a function has arguments
SELECT format('CREATE VIEW wide AS SELECT print, %s FROM people', string_agg(format('id AS c%s', n), ', ')) FROM generate_series(1, 90) n \gexec
SELECT key->'c1' AS c1, key->'c90' AS c90, (SELECT count(*) FROM jsonb_object_keys(key)) AS n
FROM identify('wide', 'print', synthetic_fingerprint(9, 0, 1), 1);

-- partitions, a dropped column, a domain
CREATE DOMAIN print_of_mine AS fingerprint;
CREATE TABLE parted (gone int, agency text, id int, print print_of_mine, PRIMARY KEY (agency, id)) PARTITION BY LIST (agency);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('A');
CREATE TABLE parted_b PARTITION OF parted FOR VALUES IN ('B');
ALTER TABLE parted DROP COLUMN gone;
INSERT INTO parted SELECT agency, id, print FROM people WHERE print IS NOT NULL;
CREATE INDEX ON parted USING biometric (print);
ANALYZE parted;
SELECT key, verdict, searched FROM identify('parted', 'print', synthetic_fingerprint(9, 0, 1), 1);
SELECT key, verdict, searched FROM identify('parted', 'print', synthetic_fingerprint(9, 0, 1), 1, '{"agency": "B"}');
SELECT * FROM identify('parted', 'gone', synthetic_fingerprint(9));

-- temporary
CREATE TEMP TABLE temporary (LIKE people);
INSERT INTO temporary SELECT * FROM people LIMIT 50;
SELECT count(*) FROM identify('temporary', 'print', synthetic_fingerprint(9, 0, 1));

-- names that want quoting
CREATE SCHEMA "Sch""ema; --";
CREATE TABLE "Sch""ema; --"."ta ble'; DROP" ("per""son' $1" int PRIMARY KEY, "pri""nt) FROM x --" fingerprint, "se\lect" text);
INSERT INTO "Sch""ema; --"."ta ble'; DROP" SELECT p, synthetic_fingerprint(p, 0, 1), '$1' FROM generate_series(1, 30) p;
CREATE INDEX ON "Sch""ema; --"."ta ble'; DROP" USING biometric ("pri""nt) FROM x --");
SELECT key, searched FROM identify('"Sch""ema; --"."ta ble''; DROP"', 'pri"nt) FROM x --', synthetic_fingerprint(9, 0, 1), 1, '{"se\\lect": "$1"}');
SELECT person, searched FROM identify('"Sch""ema; --"."ta ble''; DROP"', 'per"son'' $1', 'pri"nt) FROM x --', ARRAY[synthetic_fingerprint(9, 0, 1)], 1, '{"per\"son'' $1": [9, 10]}');

-- the objects of an untrusted search_path change nothing
CREATE SCHEMA trap;
CREATE FUNCTION trap.caught(fingerprint, fingerprint) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION trap.caught(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION trap.caught(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION trap.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE FUNCTION trap.jsonb_build_object(text, int) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught'; END $$;
CREATE OPERATOR trap.<-> (LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = trap.caught);
CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.caught);
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.caught);
CREATE TABLE trap.people (id int PRIMARY KEY);
SELECT current_setting('search_path') AS path \gset
SELECT synthetic_fingerprint(7, 0, 1) AS probe, 'people'::regclass::oid AS people \gset
SELECT n.nspname AS ours FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'biometric' \gset
SET search_path = trap, pg_catalog;
SELECT key, searched FROM :"ours".identify(:people::regclass, 'print', :'probe'::public.fingerprint, 1, '{"agency": "B", "person": [7]}');
SELECT person, sources FROM :"ours".identify(:people::regclass, 'person', 'print', ARRAY[:'probe'::public.fingerprint], 1, '{"agency": "B"}');
SET search_path = '';
SELECT key, searched FROM :"ours".identify('public.people', 'print', :'probe'::public.fingerprint, 1);
SET search_path = :path;

-- the extension is where it was put
BEGIN;
CREATE SCHEMA "else where";
ALTER EXTENSION biometric SET SCHEMA "else where";
SELECT key, searched FROM "else where".identify('people', 'print', "else where".synthetic_fingerprint(7, 0, 1), 1, '{"agency": "B"}');
SELECT person, sources FROM "else where".identify('people', 'person', 'print', ARRAY["else where".synthetic_fingerprint(7, 0, 1)], 1);
ROLLBACK;

-- ---------------------------------------------------------------------------
-- whose rows
-- ---------------------------------------------------------------------------

CREATE ROLE regress_identify_b;
CREATE TABLE secret (LIKE people INCLUDING ALL);
INSERT INTO secret SELECT * FROM people;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY b ON secret FOR SELECT TO regress_identify_b USING (agency = 'B');
ANALYZE secret;
SELECT verdict, searched FROM identify('secret', 'print', synthetic_fingerprint(8, 0, 1), 1);

SET ROLE regress_identify_b;
SELECT * FROM identify('secret', 'print', synthetic_fingerprint(8, 0, 1), 1);
-- nor asked nothing, lest it be locked
SELECT * FROM identify('secret', 'print', NULL::fingerprint);
SELECT * FROM identify('secret', 'person', 'print', '{}'::fingerprint[]);
RESET ROLE;
GRANT SELECT ON secret TO regress_identify_b;
SET ROLE regress_identify_b;
-- 8 is of agency A: neither found, nor counted, nor reached through a finger
SELECT verdict, searched, (key->>'id')::int / 10 % 2 AS odd FROM identify('secret', 'print', synthetic_fingerprint(8, 0, 1), 1);
SELECT person, verdict, searched FROM identify('secret', 'person', 'print', ARRAY[synthetic_fingerprint(7, 0, 1), synthetic_fingerprint(8, 0, 2)], 1);
SELECT count(*) FROM identify('secret', 'person', 'print', ARRAY[synthetic_fingerprint(8, 0, 1)], filter => '{"person": 8}');
RESET ROLE;
SELECT pg_stat_force_next_flush();
SELECT idx_scan > 0 AS through_the_index FROM pg_stat_user_indexes WHERE relname = 'secret' AND indexrelname LIKE '%print%';

-- a column that may not be read
REVOKE SELECT ON secret FROM regress_identify_b;
GRANT SELECT (id, print) ON secret TO regress_identify_b;
SET ROLE regress_identify_b;
SELECT searched FROM identify('secret', 'print', synthetic_fingerprint(7, 0, 1), 1, key_columns => '{id}');
SELECT searched FROM identify('secret', 'print', synthetic_fingerprint(7, 0, 1), 1, filter => '{"note": "n7"}');
RESET ROLE;

-- rows of this transaction are found, of one rolled back are not
BEGIN;
INSERT INTO people VALUES (5000, 500, 'A', 'new', synthetic_fingerprint(500, 0, 1));
SELECT key FROM identify('people', 'print', synthetic_fingerprint(500, 0, 1), 1);
ROLLBACK;
SELECT verdict FROM identify('people', 'print', synthetic_fingerprint(500, 0, 1), 1);

-- for each of several, and in a prepared statement
SELECT n, person FROM generate_series(5, 7) n, identify('people', 'person', 'print', ARRAY[synthetic_fingerprint(n, 0, 1)], 1) ORDER BY n;
PREPARE who (regclass, fingerprint, jsonb) AS SELECT key FROM identify($1, 'print', $2, 1, $3);
EXECUTE who('people', synthetic_fingerprint(7, 0, 1), '{"agency": "B"}');
EXECUTE who('list', synthetic_fingerprint(9, 0, 1), NULL);

DROP OWNED BY regress_identify_b;
DROP ROLE regress_identify_b;
SET client_min_messages = warning;
DROP SCHEMA trap, "Sch""ema; --" CASCADE;
DROP TABLE people, named, places, unnamed, eyes, pairs, parted, temporary, secret CASCADE;
DROP DOMAIN print_of_mine;
DROP SEQUENCE no_gallery;
