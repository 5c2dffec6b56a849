--
-- What oversight found wrong elsewhere, tried here: identities, coverage,
-- retention, the log, and who may know what
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
-- "The same fingers with other names, and nobody could tell": one query
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Other Name', '1975-05-05', 'request', 'P-1', reference => 'X-1');
SELECT state FROM watchlist.enrol('north/police/X-1', fingers(3, 1), NULL, 'request', 'P-1');
SELECT watchlist.add_person('Made Up 4', '1980-01-01', 'request', 'P-1', reference => 'X-2');
SELECT state FROM watchlist.enrol('north/police/X-2', fingers(4, 1), eyes(4, 1), 'request', 'P-1');
SELECT watchlist.add_person('Made Up 7', '1980-10-01', 'request', 'P-1', reference => 'X-3');
SELECT state FROM watchlist.enrol('north/police/X-3', NULL, eyes(7, 1), 'request', 'P-1');
SET SESSION AUTHORIZATION regress_ana;
SELECT person, name, other_person, other_name, fpir <= 0.001 AS likely, differs FROM watchlist.identity_conflicts('audit', 'A-1');
-- in parts: the same pairs
SELECT a.person, a.other_person FROM watchlist.identity_conflicts('audit', 'A-1', last_person => 6) a
UNION ALL SELECT a.person, a.other_person FROM watchlist.identity_conflicts('audit', 'A-1', first_person => 7) a;

-- "Old prints that no search could find": they are a row of a report
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Paper File', NULL, 'digitising', 'P-2', reference => 'X-4');
SELECT state, problem IS NOT NULL AS problem FROM watchlist.enrol('north/police/X-4', ARRAY['\x00'::bytea], NULL, 'digitising', 'P-2');
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/X-4', 'warrant', 'P-2');
RESET SESSION AUTHORIZATION;
DELETE FROM watchlist.gallery WHERE subject = 'north/police/W-9' AND item = 1;
UPDATE watchlist.list_entries SET expires = current_date - 2 WHERE person = (SELECT person FROM watchlist.persons WHERE reference = 'police/W-10');
UPDATE watchlist.part_sizes SET persons = persons + 1 WHERE part = 1;
BEGIN;
DROP INDEX watchlist.gallery_eye;
SELECT problem, object FROM watchlist.coverage() WHERE problem LIKE '%index%';
ROLLBACK;
SET SESSION AUTHORIZATION regress_ana;
SELECT problem, object, CASE WHEN problem IN ('entry has expired', 'capture refused') THEN '' ELSE detail END AS detail FROM watchlist.coverage() ORDER BY problem, object;
SELECT * FROM watchlist.coverage_summary();
RESET SESSION AUTHORIZATION;
UPDATE watchlist.part_sizes SET persons = persons - 1 WHERE part = 1;
SELECT watchlist.refresh_gallery();
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%';

-- "Nobody could say who searched whom, and why": no search without purpose and case, and none without an entry
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(5), eyes(5), '', 'B-1');
SELECT verdict, person FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-1');
SELECT verdict, person FROM watchlist.check_traveller(fingers(6), eyes(6), 'transit', 'B-2');
SELECT verdict, person FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'B-3');
SELECT * FROM watchlist.view_person('north/police/W-5', 'entry', 'B-1');
-- nor by taking it back: the number is missing, and the server's log has a line
BEGIN;
SELECT verdict, person FROM watchlist.check_traveller(fingers(7), eyes(7), 'curiosity', 'B-4');
ROLLBACK;
SET SESSION AUTHORIZATION regress_ana;
SELECT agency, partner, purpose, searches, hits, referred, callers, different_probes FROM watchlist.searches_by_month ORDER BY purpose;
SELECT caller, action, entries FROM watchlist.log_by_month WHERE caller = 'regress_olga' ORDER BY action;
SELECT problem, count(*) FROM watchlist.verify_log() GROUP BY problem;

-- The log is never changed ...
RESET SESSION AUTHORIZATION;
UPDATE watchlist.log SET purpose = 'other' WHERE case_reference = 'B-1';
DELETE FROM watchlist.log;
TRUNCATE watchlist.log;
SET SESSION AUTHORIZATION regress_ana;
DELETE FROM watchlist.log;
INSERT INTO watchlist.log (action, purpose, case_reference) VALUES ('search', 'made up', 'x');
RESET SESSION AUTHORIZATION;
-- ... and shows it if it is, even by its owner
SELECT watchlist.seal_log();
SELECT watchlist.seal_log();
SELECT * FROM watchlist.verify_log() WHERE problem <> 'the number was never committed';
SELECT seal, hash FROM watchlist.log_head() \gset known_
CREATE TEMP TABLE tampering (n int, deed text, before text, after text);
INSERT INTO tampering VALUES
	(1, 'an entry is changed', $$UPDATE watchlist.log SET persons = '{W-6}' WHERE case_reference = 'B-1' AND action = 'search'$$),
	(2, 'an entry is removed', $$DELETE FROM watchlist.log WHERE case_reference = 'B-2' AND action = 'search'$$),
	(3, 'an entry is changed, and its hash made anew', $$UPDATE watchlist.log l SET purpose = 'tourism', mac = watchlist.keyed_hash(convert_to((to_jsonb(jsonb_populate_record(l, '{"purpose": "tourism"}')) - 'mac')::text, 'UTF8')) WHERE case_reference = 'B-1' AND action = 'search'$$),
	(4, 'an entry is put where a number is missing', $$INSERT INTO watchlist.log (entry, at, login, caller, action, purpose, case_reference, mac) SELECT min(v.entry), now(), 'x', 'x', 'search', 'x', 'x', 'x' FROM watchlist.verify_log() v$$),
	(5, 'a seal is changed', $$UPDATE watchlist.seals SET entries = '{[1,3)}'$$),
	(6, 'the last seal is removed', $$DELETE FROM watchlist.seals$$),
	(7, 'the last entries are removed', $$DELETE FROM watchlist.log WHERE entry >= (SELECT max(entry) FROM watchlist.log)$$);
CREATE FUNCTION pg_temp.tamper(deed text, known_seal bigint, known_hash bytea) RETURNS text[] LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO, MDY' AS $$
DECLARE
	found text[];
BEGIN
	-- the owner can switch triggers off
	SET LOCAL session_replication_role = replica;
	EXECUTE deed;
	found := ARRAY(SELECT DISTINCT v.problem FROM watchlist.verify_log(known_seal, known_hash) v WHERE v.problem <> 'the number was never committed' ORDER BY 1);
	RAISE EXCEPTION USING ERRCODE = 'RB001', MESSAGE = found::text;
EXCEPTION WHEN SQLSTATE 'RB001' THEN
	RETURN found;
END
$$;
SELECT deed, pg_temp.tamper(before, :known_seal, :'known_hash') FROM tampering ORDER BY n;
SELECT * FROM watchlist.verify_log(:known_seal, :'known_hash') WHERE problem <> 'the number was never committed';
-- the next seal goes on where the last ended; a key is needed to make any of it
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(777), NULL, 'entry', 'S-1');
RESET SESSION AUTHORIZATION;
SELECT watchlist.seal_log() > 1;
SELECT b.seal, b.previous = a.hash AS chained FROM watchlist.seals a JOIN watchlist.seals b ON b.seal = a.seal + 1 ORDER BY 1;
SET SESSION AUTHORIZATION regress_ana;
SELECT * FROM watchlist.log_key;
RESET SESSION AUTHORIZATION;

-- "Records that nobody disposes of": what is past its time goes, with proof; what must stay says why
SELECT count(*) FROM watchlist.search_past_encounters(1000);
SELECT count(watchlist.acknowledge_alert(alert)) > 0 FROM watchlist.alerts WHERE encounter IN (SELECT encounter FROM watchlist.encounters WHERE case_reference = 'B-1');
UPDATE watchlist.persons SET retain_until = current_date - 2 WHERE reference IN ('police/W-1', 'police/X-1', 'police/W-10', 'police/X-2');
UPDATE watchlist.encounters SET retain_until = current_date - 2 WHERE case_reference IN ('B-1', 'B-2', 'B-3');
SELECT watchlist.grant_duty('officer', 'regress_sven');
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.open_review((SELECT search FROM watchlist.check_traveller(fingers(5, 4), eyes(5, 4), 'entry', 'B-5')), 1, 'entry', 'B-5');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.set_legal_hold('north/police/X-2', 'court 4', 'order', 'P-3');
SELECT watchlist.set_retention('north/police/X-3', '-infinity', 'agreement', 'P-3');
SELECT watchlist.set_retention('north/police/X-3', '2020-01-01', 'agreement', 'P-3');
RESET SESSION AUTHORIZATION;
UPDATE watchlist.encounters SET retain_until = current_date - 2 WHERE case_reference = 'B-5';
SET SESSION AUTHORIZATION regress_otto;
SELECT * FROM watchlist.purge_expired('retention', NULL);
SELECT * FROM watchlist.purge_expired('retention', 'R-1', current_date + 3);
CREATE FUNCTION pg_temp.why(reason text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(regexp_replace(reason, '\d{4}-\d\d-\d\d', 'a day'), '\d+', 'N') $$;
SELECT kind, CASE kind WHEN 'encounter' THEN '' ELSE name END AS name, templates, removed, pg_temp.why(reason) AS reason FROM watchlist.purge_expired('retention', 'R-1', dry_run => true);
SELECT kind, CASE kind WHEN 'encounter' THEN '' ELSE name END AS name, templates, removed FROM watchlist.purge_expired('retention', 'R-1');
SELECT kind, removed FROM watchlist.purge_expired('retention', 'R-2');
SET SESSION AUTHORIZATION regress_ana;
SELECT kind, count(*), sum(templates) AS templates FROM watchlist.purged GROUP BY kind ORDER BY kind;
SELECT finding, kind FROM watchlist.verify_purge(1);
SELECT * FROM watchlist.verify_purge(99);
RESET SESSION AUTHORIZATION;
SELECT case_reference FROM watchlist.encounters ORDER BY 1;
SELECT count(*) FROM watchlist.candidates c WHERE NOT EXISTS (SELECT FROM watchlist.searches s WHERE s.search = c.search);
-- that they were searched for, and why, stays in the log
SELECT case_reference, action, verdict FROM watchlist.log WHERE case_reference IN ('B-1', 'B-2') AND action = 'search' ORDER BY entry;
-- one who comes back is found by the template, also by one that was changed a little
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Again', NULL, 'request', 'P-3', reference => 'X-5');
SELECT state FROM watchlist.enrol('north/police/X-5', ARRAY[set_byte((fingers(3, 1))[1], 35, (get_byte((fingers(3, 1))[1], 35) + 3) % 256)], NULL, 'request', 'P-3');
SET SESSION AUTHORIZATION regress_ana;
SELECT finding, kind, count(*) FROM watchlist.verify_purge(1) GROUP BY 1, 2 ORDER BY 1;
RESET SESSION AUTHORIZATION;
UPDATE watchlist.purged SET reason = 'x';
-- erased on request, at once
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.erase_person('north/police/X-2', 'request', 'P-3');
SELECT watchlist.set_legal_hold('north/police/X-2', NULL, 'order lifted', 'P-3');
SELECT watchlist.erase_person('north/police/X-2', 'request', 'P-3') AS purge \gset
SELECT watchlist.view_person('north/police/X-2', 'control', 'P-3');
SET SESSION AUTHORIZATION regress_ana;
SELECT * FROM watchlist.verify_purge(:purge);
RESET SESSION AUTHORIZATION;
-- nothing of them is left in the indexes, and in none is anything wrong
SELECT biometric_index_check(i::regclass, true) FROM unnest(ARRAY['watchlist.gallery_print', 'watchlist.gallery_eye', 'watchlist.encounter_items_print', 'watchlist.encounter_items_eye', 'watchlist.enrolments_print', 'watchlist.enrolments_eye']) i;

-- "One search found somebody confusingly similar in an enormous file": the share of strangers who would get as much from all that was searched is given with every candidate, never less than a millionth
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, fpir >= 1e-6 AS honest, searched FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-6');
SELECT verdict, fpir > 0.05 AS honest FROM watchlist.check_traveller(fingers(778), eyes(778), 'entry', 'B-7');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM watchlist.candidates WHERE fpir < 1e-6 OR band <> watchlist.band(fpir);

-- "An upgrade that could not be taken back": a new index stands beside the old one, answers the same, and either can go
CREATE INDEX gallery_print_new ON watchlist.gallery USING biometric (print) WITH (preselection = off);
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION pg_temp.nearest(OUT answer text, OUT path text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	query text := 'SELECT subject, item FROM watchlist.gallery ORDER BY print <-> synthetic_fingerprint(5, 3, 2) LIMIT 20';
BEGIN
	EXECUTE 'SELECT md5(string_agg(subject || item, '','')) FROM (' || query || ') q' INTO answer;
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		path := coalesce(path, substring(line FROM 'using (\w+)'));
	END LOOP;
END
$$;
BEGIN;
DROP INDEX watchlist.gallery_print_new;
SELECT answer AS by_old, path FROM pg_temp.nearest() \gset old_
ROLLBACK;
BEGIN;
DROP INDEX watchlist.gallery_print;
SELECT answer AS by_new, path FROM pg_temp.nearest() \gset new_
ROLLBACK;
SELECT :'old_by_old' = :'new_by_new' AS same, :'old_path' AS old, :'new_path' AS new;
RESET enable_seqscan;
RESET enable_sort;
DROP INDEX watchlist.gallery_print_new;
-- each search says which matcher and index it was made by
SELECT DISTINCT matcher = biometric_version() AS this_one FROM watchlist.searches;

-- the extension goes, the log stays, and goes on when the extension comes back
DROP EXTENSION biometric_watchlist;
DROP EXTENSION biometric_watchlist CASCADE;
SELECT count(*) > 100 AS entries, count(*) FILTER (WHERE action = 'search') > 5 AS searches FROM watchlist.log;
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist;
RESET client_min_messages;
INSERT INTO watchlist.this_country VALUES ('north');
SELECT watchlist.add_agency('border', 'regress_border');
DELETE FROM watchlist.log;
SELECT count(*) FROM watchlist.verify_log() WHERE problem !~ 'never committed';
SELECT watchlist.seal_log() > 2 AS sealed;
SELECT count(*) FROM watchlist.verify_log(:known_seal, :'known_hash') WHERE problem !~ 'never committed';
\set ECHO none
\i :cleanup
