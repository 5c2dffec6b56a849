--
-- Who sees what: duties, partners, hostile queries and settings
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('north/police/wanted', 'south', true, 'agreement 7', 'P-1');
SELECT watchlist.release_list('north/police/wanted', 'east', false, 'agreement 8', 'P-1');
RESET SESSION AUTHORIZATION;
SELECT watchlist.number_changes();

-- a partner reads its feed, and nothing of another's
SET SESSION AUTHORIZATION regress_south;
SELECT list, count(*), count(DISTINCT reference) FROM watchlist.partner_feed GROUP BY list;
SET SESSION AUTHORIZATION regress_east;
SELECT count(*) FROM watchlist.partner_feed;
SET SESSION AUTHORIZATION regress_nobody;
SELECT count(*) FROM watchlist.partner_feed;
-- a function of one's own is not shown forbidden rows, in a condition or in an error
SET SESSION AUTHORIZATION regress_east;
CREATE FUNCTION pg_temp.shout(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'saw %', t; RETURN true; END $$;
SELECT count(*) FROM watchlist.partner_feed WHERE pg_temp.shout(reference);
SELECT count(*) FROM watchlist.partner_feed WHERE 1 / (CASE WHEN reference ~ 'W-1' THEN 0 ELSE 1 END) > 0;
-- statistics show nobody what they may not read
SELECT count(*) FROM pg_stats WHERE schemaname = 'watchlist';

-- hit or no hit, for what was released; the rest is "clear"; nothing to search with is no answer
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000001', 'entry', 'E-1', fingers(5)::fingerprint[]) RETURNING prints, band, person;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000002', 'entry', 'E-2', fingers(14)::fingerprint[]) RETURNING band, person;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000003', 'entry', 'E-3', fingers(777)::fingerprint[]) RETURNING band, person;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000004', 'entry', 'E-4', NULL) RETURNING band, person;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints, irises) VALUES ('00000000-0000-0000-0000-000000000005', 'entry', 'E-5', '{}', '{NULL}') RETURNING band, person;
INSERT INTO watchlist.partner_search (request, purpose, prints) VALUES ('00000000-0000-0000-0000-000000000006', 'entry', fingers(5)::fingerprint[]);
INSERT INTO watchlist.partner_search (purpose, case_reference, prints) VALUES ('entry', 'E-7', fingers(5)::fingerprint[]);
-- a partner finds its own searches again, and no function of its own sees another's
SELECT request, band, person FROM watchlist.partner_search ORDER BY request;
SET SESSION AUTHORIZATION regress_south;
SELECT * FROM watchlist.partner_search WHERE pg_temp.shout(request::text);
INSERT INTO watchlist.partner_search (request, purpose, case_reference) VALUES ('00000000-0000-0000-0000-000000000001', 'x', 'x') RETURNING band;
SET SESSION AUTHORIZATION regress_east;
-- core data by decision, and asking in vain is answered the same for all
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/W-5', 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/nonesuch', 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES (NULL, 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (person, purpose) VALUES ('north/police/W-5', 'entry') RETURNING name, released;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.decide_release('east', 'north/police/W-5', true, 'agreement 8', 'P-2');
SELECT watchlist.decide_release('regress_east', 'north/police/W-6', true, 'agreement 8', 'P-2');
SET SESSION AUTHORIZATION regress_carl;
SELECT watchlist.decide_release('east', 'north/police/W-6', true, 'not mine', 'B-2');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/W-5', 'entry', 'E-1') RETURNING name, born, released;
SET SESSION AUTHORIZATION regress_south;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/W-5', 'entry', 'S-1') RETURNING name, born, released;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.decide_release('east', 'north/police/W-5', false, 'appeal', 'P-2');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/W-5', 'entry', 'E-1') RETURNING name, born, released;
SET SESSION AUTHORIZATION regress_ana;
SELECT partner, persons, what, case_reference FROM watchlist.disclosures WHERE what NOT IN ('sent') ORDER BY disclosure;

-- a partner's search is seen by those who see what it found
RESET SESSION AUTHORIZATION;
SELECT search FROM watchlist.log WHERE case_reference = 'E-1' AND action = 'partner search' \gset of_
SET SESSION AUTHORIZATION regress_olga;
SELECT rank, person, band FROM watchlist.view_search(:of_search, 'alert', 'B-4') LIMIT 1;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('north/police/secret', 'east', false, 'agreement 8', 'P-3');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000008', 'entry', 'E-8', fingers(14)::fingerprint[]) RETURNING band, person;
RESET SESSION AUTHORIZATION;
SELECT search FROM watchlist.log WHERE case_reference = 'E-8' \gset of_
SET SESSION AUTHORIZATION regress_olga;
SELECT count(*) FROM watchlist.view_search(:of_search, 'curious', 'B-4');
RESET SESSION AUTHORIZATION;

-- a paused partner gets and answers nothing
SELECT watchlist.pause_partner('east', true, 'key lost', 'N-2');
SET SESSION AUTHORIZATION regress_east;
SELECT count(*) FROM watchlist.partner_search;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000009', 'entry', 'E-9', fingers(5)::fingerprint[]) RETURNING band, person;
RESET SESSION AUTHORIZATION;
SELECT watchlist.pause_partner('east', false, 'new key', 'N-2');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000009', 'entry', 'E-9', fingers(5)::fingerprint[]) RETURNING band, person;
RESET SESSION AUTHORIZATION;

-- functions do what they do whatever the caller's settings say
SET SESSION AUTHORIZATION regress_olga;
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TEMP TABLE encounters (encounter int);
CREATE TEMP TABLE log (entry int);
SET search_path = pg_temp, watchlist, pg_catalog, public;
SELECT verdict, person FROM watchlist.check_traveller(public.fingers(5), public.eyes(5), 'entry', 'B-1');
SET search_path = pg_temp;
SELECT verdict, person FROM watchlist.check_traveller(ARRAY[public.synthetic_fingerprint(5, 3, 2)]::bytea[], NULL, 'entry', $$B'; DROP TABLE watchlist.log; --$$);
RESET search_path;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET biometric.search_mode = fast;
SET biometric.match_threshold = 300;
SET extra_float_digits = -15;
SET bytea_output = escape;
SET "DateStyle" = 'SQL, DMY';
SET "IntervalStyle" = 'iso_8601';
SET check_function_bodies = off;
SET watchlist.purging = on;
SELECT verdict, person FROM watchlist.check_traveller(fingers(6), eyes(6), 'under settings', 'B-9');
SELECT verdict FROM watchlist.check_traveller(fingers(6), eyes(6), E'back\\slash', 'B-9');
RESET ALL;
SELECT verdict, person FROM watchlist.check_traveller(fingers(6), eyes(6), 'without', 'B-9');
RESET SESSION AUTHORIZATION;
SELECT count(*) AS entries, count(DISTINCT (best_score, fpir, probe_hash)) AS different FROM watchlist.log WHERE case_reference = 'B-9';
SELECT search_mode, count(DISTINCT (best_score, fpir)) FROM watchlist.searches WHERE case_reference = 'B-9' GROUP BY search_mode;
SELECT * FROM watchlist.verify_log() WHERE problem !~ 'never committed';
-- each function that somebody may call says so, and no other runs with the owner's rights unpinned
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'watchlist'::regnamespace AND p.prosecdef
	AND NOT (p.proconfig @> ARRAY['TimeZone=UTC', 'search_path=pg_catalog, pg_temp', 'standard_conforming_strings=on', 'extra_float_digits=1', 'biometric.search_mode=exact']);
SELECT DISTINCT d.object FROM watchlist.duty_rights d JOIN pg_proc p ON p.proname = d.object AND p.pronamespace = 'watchlist'::regnamespace
WHERE NOT p.prosecdef AND d.object <> 'as_set';

-- nothing is granted to PUBLIC; every right of a duty exists, and is explained
SELECT count(*) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE pronamespace = 'watchlist'::regnamespace AND a.grantee = 0;
SELECT count(*) FROM pg_class c, aclexplode(coalesce(relacl, acldefault('r', relowner))) a WHERE relnamespace = 'watchlist'::regnamespace AND a.grantee = 0;
SELECT object FROM watchlist.duty_rights EXCEPT SELECT object FROM watchlist.object_uses;
SELECT object FROM watchlist.object_uses EXCEPT SELECT object FROM watchlist.duty_rights;
SELECT object FROM watchlist.object_uses WHERE to_regclass('watchlist.' || object) IS NULL AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.proname = object AND p.pronamespace = 'watchlist'::regnamespace);
SELECT proname FROM pg_proc WHERE pronamespace = 'watchlist'::regnamespace GROUP BY proname HAVING count(*) > 1;
SELECT obj_description('watchlist.check_traveller'::regproc);
-- who reads which table
SELECT r, string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c, unnest(ARRAY['regress_olga', 'regress_carl', 'regress_sven', 'regress_eva', 'regress_pete', 'regress_otto', 'regress_south', 'regress_nobody', 'watchlist_courier']) r
WHERE c.relnamespace = 'watchlist'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') GROUP BY r ORDER BY r;
-- what the courier may call
SELECT string_agg(p.proname, ', ' ORDER BY p.proname) FROM pg_proc p WHERE p.pronamespace = 'watchlist'::regnamespace AND has_function_privilege('watchlist_courier', p.oid, 'EXECUTE');

-- a duty can be taken back, without what another duty needs
SELECT watchlist.grant_duty('king', 'regress_nobody');
SELECT watchlist.grant_duty('partner', 'regress_nobody');
SELECT watchlist.grant_duty('officer', 'regress_nobody'), watchlist.grant_duty('curator', 'regress_nobody');
SELECT watchlist.revoke_duty('officer', 'regress_nobody');
SELECT has_function_privilege('regress_nobody', 'watchlist.view_person(text, text, text)', 'EXECUTE') AS needed, has_function_privilege('regress_nobody', 'watchlist.acknowledge_alert(bigint)', 'EXECUTE') AS not_needed;
-- a partner goes with all that it has
SELECT watchlist.remove_partner('east', 'agreement 8 ended', 'N-3');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/police/W-5', 'entry', 'S-1') RETURNING name, born, released;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM watchlist.release_rules WHERE partner = 'east';
-- who may replicate, or is us, is no partner
CREATE ROLE regress_replicator LOGIN REPLICATION;
SELECT watchlist.add_partner('west', 'regress_replicator', 'agreement 9', 'N-4');
SELECT watchlist.add_partner('north', 'regress_east', 'agreement 9', 'N-4');
SELECT watchlist.add_partner('a/b', 'regress_east', 'agreement 9', 'N-4');
DROP ROLE regress_replicator;
\set ECHO none
\i :cleanup
