--
-- Persons, enrolments, lists and release rules, and the gallery that follows from them
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
SET SESSION AUTHORIZATION regress_pete;
-- records as they come: what cannot be used is kept with its reason, the rest is enrolled
CREATE FUNCTION pg_temp.two_views(a bytea, b bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT set_byte(set_byte(set_byte(r, 10, length(r) >> 8), 11, length(r) & 255), 22, 2) FROM (SELECT a || substr(b, 25)) t (r)
$$;
SELECT watchlist.add_person('Half Known', NULL, 'request 7', 'P-1', reference => 'H-1');
SELECT * FROM watchlist.enrol('H-1',
	ARRAY[synthetic_fingerprint(901, 0, 2)::bytea, '\x', '\x464d5200', NULL, synthetic_fingerprint(901, 0, 2)::bytea,
		  synthetic_fingerprint(902)::bytea, decode(repeat('00', 1000001), 'hex')],
	ARRAY['nonsense', NULL, synthetic_iris(901)::text, '(columns 128)'], 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('H-1', ARRAY[synthetic_fingerprint(901, 0, 2)]::bytea[], NULL, 'request 7', 'P-1');
-- a record of two views is two enrolments; few minutiae are too few
SELECT * FROM watchlist.enrol('H-1', ARRAY[
	pg_temp.two_views(synthetic_fingerprint(905, 0, 4)::bytea, synthetic_fingerprint(906, 0, 5)::bytea),
	(fingerprint '(finger 3, quality 80, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60')::bytea], NULL, 'request 7', 'P-1');
RESET SESSION AUTHORIZATION;
INSERT INTO watchlist.quality_gate VALUES ('enrolment', 'finger', 60, 4), ('enrolment', 'eye', 0, 100000);
SET SESSION AUTHORIZATION regress_pete;
SELECT * FROM watchlist.enrol('H-1', ARRAY[
	(fingerprint '(finger 3, quality 59, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea,
	(fingerprint '(finger 3, quality 60, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea,
	(fingerprint '(finger 4, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea],
	ARRAY[synthetic_iris(902)]::text[], 'request 7', 'P-1');
SELECT watchlist.withdraw_enrolment('H-1', 1, 'wrong person', 'P-1');
SELECT watchlist.withdraw_enrolment('H-1', 1, 'wrong person', 'P-1');
SELECT * FROM watchlist.enrol('H-1', array_fill('\x00'::bytea, ARRAY[41]), NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('nobody', NULL, NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('H-1', NULL, NULL, ' ', 'P-1');
SELECT watchlist.add_person('No Reason', NULL, NULL, 'P-1');

-- lists
SELECT watchlist.create_list('unlawful', 'No basis', ' ', 'set-up', 'P-1');
SELECT watchlist.add_to_list('nonesuch', 'H-1', 'warrant', 'P-1');
SELECT watchlist.add_to_list('secret', 'H-1', 'warrant', 'P-1', expires => current_date - 1);
SELECT watchlist.add_to_list('secret', 'H-1', 'warrant', 'P-1', caveats => '{armed}', expires => current_date);
SELECT watchlist.add_to_list('secret', 'H-1', 'warrant', 'P-1');
RESET SESSION AUTHORIZATION;
SELECT owner, partner, list, sent, item, print IS NOT NULL AS finger, caveat, expires = current_date AS expires FROM watchlist.shared_templates WHERE reference = 'H-1' ORDER BY item;

-- release rules: what goes to whom follows, withheld entries and ended rules left out
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('wanted', 'regress_south', true, 'agreement 7', 'P-2', caveats => '{source: north}');
SELECT watchlist.release_list('wanted', 'regress_east', false, 'agreement 8', 'P-2', until => current_date);
SELECT watchlist.add_person('Withheld', NULL, 'request 8', 'P-2', reference => 'H-2');
SELECT state FROM watchlist.enrol('H-2', fingers(903), NULL, 'request 8', 'P-2');
SELECT watchlist.add_to_list('wanted', 'H-2', 'warrant', 'P-2', withheld_from => '{regress_south}');
RESET SESSION AUTHORIZATION;
SELECT partner, list, sent, count(*) AS templates, count(DISTINCT reference) AS persons, min(caveat) AS caveat, count(expires) AS expire
FROM watchlist.shared_templates GROUP BY partner, list, sent ORDER BY 1, 2, 3;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('wanted', 'regress_south', false, 'agreement 7 suspended', 'P-3');
SELECT watchlist.end_release('wanted', 'regress_east', 'agreement 8 ended', 'P-3');
SELECT watchlist.remove_from_list('wanted', 'W-3', 'warrant withdrawn', 'P-3');
SELECT watchlist.remove_from_list('wanted', 'W-3', 'warrant withdrawn', 'P-3');
SELECT watchlist.withdraw_enrolment('W-4', 1, 'poor', 'P-3');
RESET SESSION AUTHORIZATION;
UPDATE watchlist.persons SET reference = 'W-5b' WHERE reference = 'W-5';
DELETE FROM watchlist.persons WHERE reference = 'W-6';
SELECT partner, list, sent, count(*) AS templates, count(DISTINCT reference) AS persons, min(caveat) AS caveat, count(expires) AS expire
FROM watchlist.shared_templates GROUP BY partner, list, sent ORDER BY 1, 2, 3;
SELECT string_agg(DISTINCT reference, ',') FROM watchlist.shared_templates WHERE list = 'wanted';
-- an entry past its time is not due, and goes when the job runs
UPDATE watchlist.list_entries SET expires = current_date - 1 WHERE person = (SELECT person FROM watchlist.persons WHERE reference = 'W-7');
SELECT count(*) FROM watchlist.shared_templates WHERE reference = 'W-7';
SELECT watchlist.refresh_gallery();
SELECT count(*) FROM (SELECT owner, partner, sent, list, reference, item FROM watchlist.due_templates
	EXCEPT SELECT owner, partner, sent, list, reference, item FROM watchlist.shared_templates) missing;
SELECT entry > 0 AS logged, partner, lists, reference, detail FROM watchlist.log WHERE partner = 'regress_south' AND reference IN ('W-1', 'W-3') ORDER BY entry;

-- another agency's
SET SESSION AUTHORIZATION regress_olga;
SELECT watchlist.add_to_list('wanted', 'W-1', 'x', 'x');
RESET SESSION AUTHORIZATION;
SELECT watchlist.grant_duty('curator', 'regress_olga');
SET SESSION AUTHORIZATION regress_olga;
SELECT watchlist.add_to_list('secret', 'W-1', 'x', 'x');
SELECT state FROM watchlist.enrol('W-1', fingers(1, 5), NULL, 'x', 'x');
-- whom he may not see is not there: he cannot see him by putting him on a list of his own
SELECT watchlist.create_list('mine', 'Mine', 'none', 'x', 'x');
SELECT watchlist.add_to_list('mine', 'W-14', 'x', 'x');
SELECT watchlist.add_to_list('mine', 'W-1', 'x', 'x');
SELECT name FROM watchlist.view_person('W-14', 'x', 'x');
SELECT watchlist.remove_from_list('wanted', 'W-1', 'x', 'x');
RESET SESSION AUTHORIZATION;

-- encounters are linked to persons, and unlinked, with history
SET SESSION AUTHORIZATION regress_olga;
SELECT encounter, verdict FROM watchlist.check_traveller(fingers(2), eyes(2), 'entry', 'B-1');
SELECT watchlist.link_encounter(1, 'W-2', 'examined', 'B-1');
SELECT watchlist.link_encounter(1, 'W-4', 'examined', 'B-1');
SELECT watchlist.unlink_encounter(1, 'another person', 'B-1');
SELECT watchlist.unlink_encounter(1, 'another person', 'B-1');
SELECT watchlist.link_encounter(1, 'W-8', 'examined again', 'B-1');
SELECT watchlist.link_encounter(99, 'W-8', 'examined again', 'B-1');
SELECT watchlist.add_person('From Encounter', NULL, 'wanted since today', 'B-2', reference => 'B-1');
SELECT * FROM watchlist.enrol_encounter('B-1', 1, 'wanted since today', 'B-2');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.link_encounter(1, 'W-2', 'mine', 'P-4');
RESET SESSION AUTHORIZATION;
SELECT encounter, reference, reason, unlinked_by, unlink_reason FROM watchlist.encounter_links JOIN watchlist.persons USING (person) ORDER BY link;
\set ECHO none
\i :cleanup
