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
SELECT number, kind, position, state, problem IS NOT NULL AS problem FROM watchlist.enrol('north/police/H-1',
	ARRAY[synthetic_fingerprint(901, 0, 2)::bytea, '\x', '\x464d5200', NULL, synthetic_fingerprint(901, 0, 2)::bytea,
		  synthetic_fingerprint(902)::bytea, decode(repeat('00', 1000001), 'hex')],
	ARRAY['nonsense', NULL, synthetic_iris(901)::text, '(columns 128)'], 'request 7', 'P-1');
SELECT number, state, problem FROM watchlist.enrol('north/police/H-1', ARRAY[synthetic_fingerprint(901, 0, 2)]::bytea[], NULL, 'request 7', 'P-1');
-- a record of two views is two enrolments; few minutiae are too few
SELECT * FROM watchlist.enrol('north/police/H-1', ARRAY[
	pg_temp.two_views(synthetic_fingerprint(905, 0, 4)::bytea, synthetic_fingerprint(906, 0, 5)::bytea),
	(fingerprint '(finger 3, quality 80, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60')::bytea], NULL, 'request 7', 'P-1');
RESET SESSION AUTHORIZATION;
SELECT watchlist.set_quality_gate('enrolment', 'finger', 60, 4, 'decree 3', 'N-1'), watchlist.set_quality_gate('enrolment', 'eye', 0, 100000, 'decree 3', 'N-1');
SET SESSION AUTHORIZATION regress_pete;
SELECT * FROM watchlist.enrol('north/police/H-1', ARRAY[
	(fingerprint '(finger 3, quality 59, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea,
	(fingerprint '(finger 3, quality 60, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea,
	(fingerprint '(finger 4, size 500x500, resolution 197x197) e10,10,0,60 e20,20,0,60 e30,40,0,60 e90,10,0,60')::bytea],
	ARRAY[synthetic_iris(902)]::text[], 'request 7', 'P-1');
-- a failed capture of an eye, code and mask exchanged, a damaged view beside a good one
SELECT kind, state, problem FROM watchlist.enrol('north/police/H-1', NULL, ARRAY[
	iris(decode(repeat('00', 256), 'hex'), decode(repeat('ff', 256), 'hex'), 128)::text,
	iris(decode(repeat('ff', 256), 'hex'), code(synthetic_iris(903)), 128)::text], 'request 7', 'P-1');
SELECT kind, position, state, problem IS NOT NULL AS problem FROM watchlist.enrol('north/police/H-1', ARRAY[
	set_byte(pg_temp.two_views(synthetic_fingerprint(907, 0, 4)::bytea, synthetic_fingerprint(908, 0, 5)::bytea), 24, 99)], NULL, 'request 7', 'P-1');
SELECT watchlist.withdraw_enrolment('north/police/H-1', 1, 'wrong person', 'P-1');
SELECT watchlist.withdraw_enrolment('north/police/H-1', 1, 'wrong person', 'P-1');
SELECT number, kind, state, problem IS NOT NULL AS problem, enrolled_by FROM watchlist.list_enrolments('north/police/H-1', 'control', 'P-1') WHERE number IN (1, 2, 6);
SELECT * FROM watchlist.enrol('north/police/H-1', array_fill('\x00'::bytea, ARRAY[41]), NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('north/police/nobody', NULL, NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('H-1', NULL, NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('south/police/H-1', NULL, NULL, 'request 7', 'P-1');
SELECT * FROM watchlist.enrol('north/police/H-1', NULL, NULL, ' ', 'P-1');
SELECT watchlist.add_person('No Reason', NULL, NULL, 'P-1');
SELECT watchlist.add_person('Slash', NULL, 'x', 'P-1', reference => 'a/b');
SELECT watchlist.add_person('Twice', NULL, 'x', 'P-1', reference => 'H-1');

-- a correction keeps the old values
SELECT watchlist.correct_person('north/police/H-1', 'passport seen', 'P-1', name => 'Better Known', born => '1970-02-03', caveat => 'informant');
SELECT * FROM watchlist.view_person('north/police/H-1', 'control', 'P-1');
SELECT watchlist.correct_person('north/police/H-1', 'informant no more', 'P-1', caveat => '');
SELECT what, detail FROM watchlist.report_on_person('north/police/H-1', 'request of the person', 'P-1') WHERE what IN ('person', 'before a correction');

-- lists
SELECT watchlist.create_list('unlawful', 'No basis', ' ', 'set-up', 'P-1');
SELECT watchlist.create_list('wanted', 'Again', 'act 12', 'set-up', 'P-1');
SELECT watchlist.add_to_list('north/police/nonesuch', 'north/police/H-1', 'warrant', 'P-1');
SELECT watchlist.add_to_list('north/police/secret', 'north/police/H-1', 'warrant', 'P-1', expires => current_date - 2);
SELECT watchlist.add_to_list('north/police/secret', 'north/police/H-1', 'warrant', 'P-1', caveats => '{armed}', expires => current_date + 1);
SELECT watchlist.add_to_list('north/police/secret', 'north/police/H-1', 'warrant', 'P-1');
RESET SESSION AUTHORIZATION;
SELECT t.owner, t.list, g.subject, g.item, g.print IS NOT NULL AS finger FROM watchlist.gallery g JOIN watchlist.parts t USING (part) WHERE g.subject ~ 'H-1' ORDER BY g.item;
SELECT list, reference, caveats, expires = current_date + 1 AS expires FROM watchlist.entries WHERE reference = 'police/H-1';

-- release rules: what goes to whom follows, withheld entries and ended rules left out
CREATE FUNCTION released() RETURNS TABLE (partner text, list text, persons bigint, templates bigint, caveats text[], expire bigint) LANGUAGE sql AS $$
	SELECT partner, list, count(DISTINCT reference), count(*), min(caveats), count(expires) FROM watchlist.released GROUP BY partner, list ORDER BY 1, 2
$$;
CREATE FUNCTION may_ask(partner text) RETURNS TABLE (list text, persons bigint) LANGUAGE sql AS $$
	SELECT t.list, count(DISTINCT g.subject) FROM watchlist.gallery g JOIN watchlist.parts t USING (part)
	WHERE g.part = ANY (watchlist.parts_for_partner(partner)) GROUP BY t.list ORDER BY 1
$$;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('north/police/wanted', 'nobody', true, 'agreement 7', 'P-2');
SELECT watchlist.release_list('north/police/wanted', 'south', true, 'agreement 7', 'P-2', caveats => '{source: north}');
SELECT watchlist.release_list('north/police/wanted', 'east', false, 'agreement 8', 'P-2', until => current_date + 1);
SELECT watchlist.add_person('Withheld', NULL, 'request 8', 'P-2', reference => 'H-2');
SELECT state FROM watchlist.enrol('north/police/H-2', fingers(903), NULL, 'request 8', 'P-2');
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/H-2', 'warrant', 'P-2', withheld_from => '{South}');
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/H-2', 'warrant', 'P-2', withheld_from => '{south,south}');
RESET SESSION AUTHORIZATION;
SELECT * FROM released();
SELECT * FROM may_ask('south');
SELECT * FROM may_ask('east');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.change_entry('north/police/wanted', 'north/police/H-2', 'agreement 7 amended', 'P-2', withheld_from => '{}', caveats => '{armed}', expires => current_date + 30);
SELECT watchlist.change_entry('north/police/wanted', 'north/police/H-1', 'not on it', 'P-2');
RESET SESSION AUTHORIZATION;
SELECT * FROM released();
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('north/police/wanted', 'south', false, 'agreement 7 suspended', 'P-3');
SELECT watchlist.end_release('north/police/wanted', 'east', 'agreement 8 ended', 'P-3');
SELECT watchlist.end_release('north/police/wanted', 'east', 'agreement 8 ended', 'P-3');
SELECT watchlist.remove_from_list('north/police/wanted', 'north/police/W-3', 'warrant withdrawn', 'P-3');
SELECT watchlist.remove_from_list('north/police/wanted', 'north/police/W-3', 'warrant withdrawn', 'P-3');
SELECT watchlist.withdraw_enrolment('north/police/W-4', 1, 'poor', 'P-3');
RESET SESSION AUTHORIZATION;
SELECT * FROM released();
SELECT * FROM may_ask('south');
SELECT * FROM may_ask('east');
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%';

-- an entry past its time is not found, and leaves the gallery when the job runs; it can be renewed
UPDATE watchlist.list_entries SET expires = current_date - 2 WHERE person = (SELECT person FROM watchlist.persons WHERE reference = 'police/W-7');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(7), eyes(7), 'entry', 'B-1');
RESET SESSION AUTHORIZATION;
SELECT watchlist.refresh_gallery(), count(*) FROM watchlist.gallery WHERE subject = 'north/police/W-7';
SELECT count(*) FROM watchlist.gallery WHERE subject = 'north/police/W-7';
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.change_entry('north/police/wanted', 'north/police/W-7', 'renewed', 'P-3', expires => 'infinity');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict FROM watchlist.check_traveller(fingers(7), eyes(7), 'entry', 'B-1');

-- a list is closed, opened again, handed over, deleted
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.close_list('north/police/wanted', true, 'act 12 suspended', 'P-4');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, caveats FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-2');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.close_list('north/police/wanted', false, 'act 12 in force', 'P-4');
SELECT watchlist.change_list('north/police/wanted', 'reform', 'P-4', caveats => '{call first}', title => 'Wanted');
SELECT watchlist.hand_over_list('north/police/wanted', 'customs', 'reform', 'P-4');
SELECT watchlist.hand_over_list('north/police/wanted', 'border', 'reform', 'P-4');
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/W-3', 'mine no more', 'P-4');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, lists, caveats FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-2');
SET SESSION AUTHORIZATION regress_carl;
SELECT watchlist.remove_from_list('north/police/wanted', 'north/police/W-9', 'warrant withdrawn', 'B-3');
SELECT watchlist.delete_list('north/police/wanted', 'never used', 'B-3');
SET SESSION AUTHORIZATION regress_olga;
SELECT verdict, caveats FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-2');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%';

-- encounters are linked to persons, and unlinked, with history; what was enrolled from them goes, too
SELECT watchlist.grant_duty('curator', 'regress_olga');
SET SESSION AUTHORIZATION regress_olga;
SELECT watchlist.add_person('From Encounter', NULL, 'wanted since today', 'B-4', reference => 'B-1');
SELECT watchlist.link_encounter(1, 'north/border/B-1', 'examined', 'B-4');
SELECT watchlist.link_encounter(1, 'north/border/B-1', 'examined', 'B-4');
SELECT number, kind, state FROM watchlist.enrol_encounter('north/border/B-1', 1, 'wanted since today', 'B-4');
SELECT watchlist.unlink_encounter(1, 'another person', 'B-4');
SELECT watchlist.unlink_encounter(1, 'another person', 'B-4');
SELECT number, state, problem FROM watchlist.list_enrolments('north/border/B-1', 'control', 'B-4');
SELECT watchlist.link_encounter(99, 'north/border/B-1', 'examined again', 'B-4');
RESET SESSION AUTHORIZATION;
SELECT encounter, reference, reason, unlinked_by, unlink_reason FROM watchlist.encounter_links JOIN watchlist.persons USING (person) ORDER BY link;

-- two records of one person become one, and one that was two becomes two
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Same', NULL, 'request', 'P-5', reference => 'D-1'), watchlist.add_person('Same', NULL, 'request', 'P-5', reference => 'D-2');
SELECT state FROM watchlist.enrol('north/police/D-1', fingers(950, 0), NULL, 'request', 'P-5');
SELECT state FROM watchlist.enrol('north/police/D-2', fingers(950, 1), NULL, 'request', 'P-5');
SELECT watchlist.add_to_list('north/police/secret', 'north/police/D-1', 'request', 'P-5');
SELECT other_person, fpir <= 0.001 AS likely FROM watchlist.find_duplicates('north/police/D-1', 'new', 'P-5');
SELECT watchlist.merge_persons('north/police/D-1', 'north/police/D-2', 'the same', 'P-5');
SELECT watchlist.enrol('north/police/D-1', NULL, NULL, 'request', 'P-5');
SELECT number, state FROM watchlist.list_enrolments('north/police/D-2', 'control', 'P-5');
SELECT watchlist.add_person('Third', NULL, 'request', 'P-5', reference => 'D-1');
SELECT watchlist.split_person('north/police/D-2', '{3,9}', 'not the same', 'P-5');
SELECT watchlist.split_person('north/police/D-2', '{3,4}', 'not the same', 'P-5', reference => 'D-3');
SELECT watchlist.hand_over_person('north/police/D-2', 'border', 'their case', 'P-5');
SELECT watchlist.enrol('north/police/D-2', NULL, NULL, 'request', 'P-5');
RESET SESSION AUTHORIZATION;
SELECT g.subject, t.list, g.item, t.only_to FROM watchlist.gallery g JOIN watchlist.parts t USING (part) WHERE g.subject ~ 'D-' ORDER BY 1, 3;
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%';
SELECT action, count(*) FROM watchlist.log GROUP BY action ORDER BY action;
DROP FUNCTION released, may_ask;
\set ECHO none
\i :cleanup
