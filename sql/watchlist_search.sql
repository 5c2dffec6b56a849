--
-- The check of a traveller: what is usable, what is found, what is kept
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
SET SESSION AUTHORIZATION regress_olga;
\x on
SELECT encounter, verdict, person, lists, score > 80 AS high, fpir, search, searched, jsonb_array_length(candidates) AS candidates, caveats, unusable, partners_pending
FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-1', place => 'gate 3');
\x off
-- half a traveller, unknown positions, duplicates, records that do not parse
SELECT verdict, person, jsonb_array_length(unusable) AS unusable FROM watchlist.check_traveller(fingers(6) || '\x00'::bytea, '{}', 'entry', 'B-2');
SELECT verdict, person, jsonb_array_length(unusable) AS unusable FROM watchlist.check_traveller(NULL, eyes(7) || '{x}', 'entry', 'B-3');
SELECT verdict, person, unusable FROM watchlist.check_traveller(
	-- byte 24 is the finger's position
	ARRAY[set_byte((fingers(8))[1], 24, 0), set_byte((fingers(8))[2], 24, 0), set_byte((fingers(8))[2], 24, 0)], NULL, 'entry', 'B-4');
SELECT verdict, person, unusable FROM watchlist.check_traveller('{}', NULL, 'entry', 'B-5');
SELECT verdict, person, jsonb_array_length(unusable) AS unusable FROM watchlist.check_traveller(ARRAY[NULL, '\x464d52002032300000000018000001f401f400c500c501000000']::bytea[], '{NULL}', 'entry', 'B-6');
SELECT verdict, person, candidates, unusable FROM watchlist.check_traveller(fingers(777), eyes(777), 'entry', 'B-7');
-- arrays of any shape
SELECT verdict, person FROM watchlist.check_traveller(('[3:4]=' || fingers(5)::text)::bytea[], NULL, 'entry', 'B-8');
SELECT verdict, person FROM watchlist.check_traveller(ARRAY[fingers(5)], ARRAY[eyes(5)], 'entry', 'B-9');
-- ten fingers and two eyes of one person are a search, not thirty of ten
CREATE FUNCTION pg_temp.many_views(n int) RETURNS bytea LANGUAGE sql AS $$
	WITH v AS (SELECT string_agg(substr(synthetic_fingerprint(2000 + i, 0, 2)::bytea, 25), '' ORDER BY i) AS views FROM generate_series(1, n) i),
	r AS (SELECT substr(synthetic_fingerprint(2001)::bytea, 1, 24) || views AS r FROM v)
	SELECT set_byte(set_byte(set_byte(set_byte(r, 9, length(r) >> 16), 10, length(r) >> 8 & 255), 11, length(r) & 255), 22, n) FROM r
$$;
SELECT c.verdict, count(u.problem), min(u.problem) FROM watchlist.check_traveller(ARRAY[pg_temp.many_views(120)], NULL, 'entry', 'B-17') c, jsonb_to_recordset(c.unusable) u (problem text) GROUP BY 1;

-- purpose and case are mandatory
SELECT * FROM watchlist.check_traveller(fingers(5), eyes(5), NULL, 'B-10');
SELECT * FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', E' \t');
-- a list that one may not see is not searched, and looks like nothing
SELECT verdict, person, searched, caveats FROM watchlist.check_traveller(fingers(14), eyes(14), 'entry', 'B-11');
SELECT * FROM watchlist.view_person('north/police/W-14', 'entry', 'B-11');
SELECT * FROM watchlist.view_person('north/police/nonesuch', 'entry', 'B-11');
SELECT * FROM watchlist.view_person('north/police/W-5', 'entry', 'B-1');
SET SESSION AUTHORIZATION regress_paul;
SELECT verdict, person, searched, caveats FROM watchlist.check_traveller(fingers(14), eyes(14), 'inquiry', 'P-11');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.open_list_to('north/police/secret', 'border', 'joint inquiry', 'P-12');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, person, searched, caveats FROM watchlist.check_traveller(fingers(14), eyes(14), 'entry', 'B-12');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.close_list_to('north/police/secret', 'border', 'inquiry ended', 'P-12');
RESET SESSION AUTHORIZATION;
-- one person in two agencies says for which they act
GRANT regress_police TO regress_olga;
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-13');
SET watchlist.agency = 'customs';
SELECT verdict FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-13');
SET watchlist.agency = 'police';
SELECT verdict, searched FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-13');
RESET watchlist.agency;
RESET SESSION AUTHORIZATION;
REVOKE regress_police FROM regress_olga;
-- a login that an application shares: who acts is the role it has set
SELECT watchlist.share_login('regress_nobody', true, 'kiosk', 'N-1');
GRANT regress_olga TO regress_nobody;
SET SESSION AUTHORIZATION regress_nobody;
SELECT verdict FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-14');
SET ROLE regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-14');
RESET ROLE;
RESET SESSION AUTHORIZATION;
REVOKE regress_olga FROM regress_nobody;
SELECT login, caller, agency FROM watchlist.log WHERE case_reference = 'B-14';

-- found at COMMIT, gone at ROLLBACK
BEGIN;
SET LOCAL SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('New', NULL, 'warrant', 'P-13', reference => 'N-1');
SELECT state FROM watchlist.enrol('north/police/N-1', fingers(800, 0), eyes(800, 0), 'warrant', 'P-13');
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/N-1', 'warrant', 'P-13');
SET LOCAL SESSION AUTHORIZATION regress_paul;
SELECT verdict, person, searched FROM watchlist.check_traveller(fingers(800), eyes(800), 'test', 'P-13');
ROLLBACK;
SET SESSION AUTHORIZATION regress_paul;
SELECT verdict, person, searched FROM watchlist.check_traveller(fingers(800), eyes(800), 'test', 'P-13');
RESET SESSION AUTHORIZATION;

-- the same answer by index and sequential scan, and in fast mode if the country wants it
SET enable_indexscan = off;
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, person, searched FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-15');
RESET SESSION AUTHORIZATION;
RESET enable_indexscan;
SELECT watchlist.change_setting('search_mode', 'fast', 'queues', 'N-1');
SELECT watchlist.change_setting('search_mode', 'slow', 'queues', 'N-1');
SELECT watchlist.change_setting('time_zone', 'Nowhere', 'x', 'N-1');
SELECT watchlist.change_setting('country', 'south', 'x', 'N-1');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, person FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-18');
RESET SESSION AUTHORIZATION;
SHOW biometric.search_mode;
SELECT watchlist.change_setting('search_mode', 'exact', 'queues', 'N-1');
SELECT detail FROM watchlist.log WHERE action = 'setting' ORDER BY entry;
SELECT count(DISTINCT (c.person, c.score, c.fpir, c.band, c.evidence)) AS different
FROM watchlist.candidates c JOIN watchlist.searches s USING (search) WHERE s.case_reference IN ('B-1', 'B-15', 'B-18') AND c.rank = 1;

-- a search with a threshold returns what is left of a search without one
WITH probe AS MATERIALIZED (
	SELECT n, w, (SELECT ROW(array_agg(c.print) FILTER (WHERE c.print IS NOT NULL), array_agg(c.eye) FILTER (WHERE c.eye IS NOT NULL))::watchlist.templates
				  FROM watchlist.read_captures('search', CASE WHEN w <> 'eyes' THEN fingers(n) END, CASE WHEN w <> 'fingers' THEN eyes(n) END) c) AS t
	FROM generate_series(1, 16) n, unnest('{fingers, eyes, both}'::text[]) w),
parts AS MATERIALIZED (SELECT array_agg(part) AS parts FROM watchlist.parts)
SELECT w, count(*) AS searches, count(*) FILTER (WHERE found <> '{}') > 8 AS found, count(*) FILTER (WHERE found <> whole) AS differ
FROM (SELECT w, ARRAY(SELECT f::text FROM unnest(watchlist.search_parts(parts, t, 1000, watchlist.refer_fpir(), watchlist.calibrations())) f ORDER BY 1) AS found,
			 ARRAY(SELECT f::text FROM unnest(watchlist.search_parts(parts, t, 1000, NULL, watchlist.calibrations())) f WHERE f.fpir <= 0.05 ORDER BY 1) AS whole
	  FROM probe, parts) x
GROUP BY w ORDER BY w;

-- what is kept: captures with their problems, the search, its candidates, frozen
SELECT item, kind, record, position, print IS NOT NULL AS finger, eye IS NOT NULL AS eye, problem IS NOT NULL AS problem FROM watchlist.encounter_items WHERE encounter = 2 ORDER BY item;
SELECT officer, agency, place, verdict, person FROM watchlist.encounters WHERE encounter = 1;
SELECT caller, agency, purpose, case_reference, search_mode, matcher ~ '^2\.' AS matcher, lists, searched, verdict FROM watchlist.searches WHERE search = 1;
SELECT rank, person, lists, band, jsonb_array_length(evidence) AS modalities FROM watchlist.candidates WHERE search = 1 AND rank = 1;
SELECT count(*) FROM watchlist.candidates WHERE search = 1;
UPDATE watchlist.candidates SET score = 0 WHERE search = 1;
DELETE FROM watchlist.searches;
TRUNCATE watchlist.candidates;
SET SESSION AUTHORIZATION regress_olga;
SELECT rank, person, lists, band, searched, caveats FROM watchlist.view_search(1, 'control', 'B-16') WHERE band <> 'clear';
SET SESSION AUTHORIZATION regress_paul;
SELECT * FROM watchlist.view_search(1, 'curious', 'P-14');
RESET SESSION AUTHORIZATION;

-- the same probe is known again by its hash, and nothing else is known of it
SELECT a.probe_hash = b.probe_hash AS same, a.probe_hash = c.probe_hash AS other
FROM watchlist.log a, watchlist.log b, watchlist.log c WHERE a.case_reference = 'B-1' AND a.action = 'search' AND b.case_reference = 'B-15' AND c.case_reference = 'B-7';
SELECT caller, agency, action, purpose, lists, persons, verdict, best_score IS NOT NULL AS score, fpir, length(probe_hash)
FROM watchlist.log WHERE case_reference = 'B-1' ORDER BY entry;

-- alerts: of lists that one sees, acknowledged once, by somebody
SET SESSION AUTHORIZATION regress_olga;
SELECT alert, kind, list, person, band FROM watchlist.undelivered_alerts(3);
SELECT watchlist.acknowledge_alert(1), watchlist.acknowledge_alert(1), watchlist.acknowledge_alert(2), watchlist.acknowledge_alert(99);
SELECT alert, person, acknowledged_by FROM watchlist.alert_history('control', 'B-19') ORDER BY alert LIMIT 1;
SET SESSION AUTHORIZATION regress_paul;
SELECT alert, kind, list, person, band FROM watchlist.undelivered_alerts(1);
RESET SESSION AUTHORIZATION;
-- each agency has its own; of a list that only one sees, only that one
SELECT e.case_reference, a.person, a.list, a.agency, acknowledged_by FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter)
WHERE e.case_reference IN ('B-1', 'P-11', 'B-12') ORDER BY alert;

-- a new entry against past encounters, and a new capture of an old entry
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Late', NULL, 'warrant', 'P-15', reference => 'L-1');
SELECT state FROM watchlist.enrol('north/police/L-1', fingers(777, 0), NULL, 'warrant', 'P-15');
SELECT watchlist.add_to_list('north/police/secret', 'north/police/L-1', 'warrant', 'P-15');
RESET SESSION AUTHORIZATION;
SELECT * FROM watchlist.search_past_encounters(1000);
SELECT kind, a.list, a.person, band, a.agency, e.case_reference FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter) WHERE a.person ~ 'L-1' ORDER BY 5, 6;
SELECT caller = session_user AS owner, action, purpose, case_reference, persons, verdict, detail FROM watchlist.log WHERE action = 'past search' AND persons = '{north/police/L-1}';
SELECT * FROM watchlist.search_past_encounters(1000);
-- one of whom there are more captures than a search takes
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Often Seen', NULL, 'warrant', 'P-16', reference => 'L-2');
SELECT count(*) FROM generate_series(0, 1) i, watchlist.enrol('north/police/L-2', ARRAY[pg_temp.many_views(70 + i)], NULL, 'warrant', 'P-16') WHERE state = 'enrolled';
SELECT count(*) FROM watchlist.enrol('north/police/L-2', ARRAY(SELECT synthetic_fingerprint(5000 + i)::bytea FROM generate_series(1, 40) i), NULL, 'warrant', 'P-16') WHERE state = 'enrolled';
SELECT watchlist.add_to_list('north/police/secret', 'north/police/L-2', 'warrant', 'P-16');
RESET SESSION AUTHORIZATION;
SELECT * FROM watchlist.search_past_encounters(1000);

-- analysts search and read the lists of their agency by functions, each logged; no table is theirs
SET SESSION AUTHORIZATION regress_olga;
SELECT person, lists, band FROM watchlist.search_gallery(fingers(5), NULL, 'pattern of travel', 'B-20') WHERE band = 'hit';
SELECT count(*) FROM watchlist.search_gallery(fingers(14), NULL, 'pattern of travel', 'B-20') WHERE band = 'hit';
SELECT list, count(*), count(DISTINCT person) FROM watchlist.my_gallery('statistics', 'B-20') GROUP BY list;
SELECT a.person, b.person FROM watchlist.my_gallery('duplicates', 'B-20') a JOIN watchlist.my_gallery('duplicates', 'B-20') b ON a.print % b.print AND a.person < b.person;
RESET SESSION AUTHORIZATION;

-- in a large gallery only those whom somebody has to look at are looked for
BEGIN;
INSERT INTO watchlist.part_sizes SELECT part, 2000 FROM watchlist.parts;
SET LOCAL SESSION AUTHORIZATION regress_olga;
SELECT verdict, person, fpir, searched > 1000 AS large FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-21');
SELECT verdict, person, fpir, fpir_bound, candidates, searched > 1000 AS large FROM watchlist.check_traveller(fingers(778), eyes(778), 'entry', 'B-22');
RESET SESSION AUTHORIZATION;
SELECT s.case_reference, s.best_score IS NULL AS nobody, count(c), min(c.band) FROM watchlist.searches s LEFT JOIN watchlist.candidates c USING (search) WHERE s.case_reference IN ('B-21', 'B-22') GROUP BY s.search ORDER BY s.search;
ROLLBACK;

-- the country's own calibration: of its verdicts, by name and version in what is kept
SELECT store_calibration('here', 'fingerprint', '{"scores": [0, 200], "decibans": [0, 20]}');
SELECT store_calibration('here', 'fingerprint', '{"scores": [0, 200], "decibans": [0, 10]}');
SELECT watchlist.change_setting('finger_calibration', 'nowhere', 'counted', 'N-2');
SELECT watchlist.change_setting('eye_calibration', 'here', 'counted', 'N-2');
SELECT watchlist.change_setting('finger_calibration', 'here', 'counted', 'N-2');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, person, fpir > 0.05 AS worth_less FROM watchlist.check_traveller(fingers(5), NULL, 'entry', 'B-23');
SELECT verdict, person, candidates -> 0 -> 'calibrations' AS calibrations FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-24');
SELECT DISTINCT calibrations FROM watchlist.view_search((SELECT max(search) FROM watchlist.check_traveller(fingers(5), NULL, 'entry', 'B-25')), 'control', 'B-25');
RESET SESSION AUTHORIZATION;
SELECT s.case_reference, calibrations, bool_and(c.score <= 10.001) AS scores FROM watchlist.searches s JOIN watchlist.candidates c USING (search) WHERE s.case_reference = 'B-23' GROUP BY s.search;
SELECT detail ~ ', calibrations here:2$' AS logged FROM watchlist.log WHERE action = 'search' AND case_reference = 'B-23';
SELECT watchlist.change_setting('finger_calibration', NULL, 'counted', 'N-2');
SELECT detail FROM watchlist.log WHERE action = 'setting' AND case_reference = 'N-2' ORDER BY entry;
DELETE FROM stored_calibrations;

-- sizes are sums; the job adds them up, and they stay right
SELECT t.list, sum(persons) FROM watchlist.part_sizes JOIN watchlist.parts t USING (part) GROUP BY t.list ORDER BY t.list;
SELECT count(*) FROM watchlist.part_sizes;
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'number%';
\set ECHO none
\i :cleanup
