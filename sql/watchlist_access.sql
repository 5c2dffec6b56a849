--
-- Who sees what: row-level security with the index, duties, hostile queries
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('wanted', 'regress_south', true, 'agreement 7', 'P-1');
SELECT watchlist.release_list('wanted', 'regress_east', false, 'agreement 8', 'P-1');
RESET SESSION AUTHORIZATION;
ANALYZE watchlist.shared_templates;

-- an analyst sees the gallery of the lists of his agency, a partner what was sent to it, in any form of query
SET SESSION AUTHORIZATION regress_olga;
SELECT partner, list, count(*), count(DISTINCT reference) FROM watchlist.shared_templates GROUP BY partner, list;
SELECT list, reference FROM watchlist.shared_templates ORDER BY print <-> synthetic_fingerprint(14, 3, 2) LIMIT 3;
SELECT list, reference FROM watchlist.shared_templates WHERE print % probe(synthetic_fingerprint(14, 3, 2), 30);
SELECT list, reference FROM watchlist.shared_templates WHERE print % probe(synthetic_fingerprint(5, 3, 2), 30);
SELECT count(*) FROM watchlist.shared_templates WHERE reference = 'W-14';
SELECT person FROM identify('watchlist.shared_templates', 'subject', 'print', ARRAY[synthetic_fingerprint(14, 3, 2)], 3);
SET SESSION AUTHORIZATION regress_south;
SELECT partner, list, count(*), count(DISTINCT reference) FROM watchlist.shared_templates GROUP BY partner, list;
SELECT partner, list, reference FROM watchlist.shared_templates ORDER BY print <-> synthetic_fingerprint(14, 3, 2) LIMIT 1;
SELECT person, searched FROM identify('watchlist.shared_templates', 'subject', 'print', ARRAY[synthetic_fingerprint(14, 3, 2)], 1);
SET SESSION AUTHORIZATION regress_east;
SELECT count(*) FROM watchlist.shared_templates;
SELECT count(*) FROM watchlist.shared_templates WHERE print % probe(synthetic_fingerprint(5, 3, 2), 0);
SELECT person FROM identify('watchlist.shared_templates', 'subject', 'print', ARRAY[synthetic_fingerprint(5, 3, 2)], 3);
SET SESSION AUTHORIZATION regress_nobody;
SELECT count(*) FROM watchlist.shared_templates;

-- the index is kept under row-level security, for order and for operators
RESET SESSION AUTHORIZATION;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
SET max_parallel_workers_per_gather = 0;
SET plan_cache_mode = force_generic_plan;
-- how it reads the gallery; what surrounds that differs between releases
CREATE FUNCTION pg_temp.scan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) EXECUTE ' || query LOOP
		IF line ~ 'Scan|Order By|Index Cond|Sort' THEN
			RETURN NEXT ltrim(line, ' ->');
		END IF;
	END LOOP;
END
$$;
PREPARE nearest(fingerprint) AS SELECT reference FROM watchlist.shared_templates ORDER BY print <-> $1 LIMIT 3;
PREPARE alike(iris_probe) AS SELECT reference FROM watchlist.shared_templates WHERE eye % $1;
SET SESSION AUTHORIZATION regress_olga;
SELECT * FROM pg_temp.scan($$nearest(synthetic_fingerprint(14, 3, 2))$$);
SELECT * FROM pg_temp.scan($$alike(probe(synthetic_iris(5), 30))$$);
SET SESSION AUTHORIZATION regress_south;
SELECT * FROM pg_temp.scan($$nearest(synthetic_fingerprint(14, 3, 2))$$);
SELECT * FROM pg_temp.scan($$alike(probe(synthetic_iris(5), 30))$$);

-- a function of one's own is not shown forbidden rows, in a condition or in an error
CREATE FUNCTION pg_temp.shout(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'saw %', t; RETURN true; END $$;
SELECT count(*) FROM watchlist.shared_templates WHERE pg_temp.shout(reference) AND list = 'secret';
SELECT count(*) FROM watchlist.shared_templates WHERE pg_temp.shout(reference) AND reference IN ('W-1', 'W-14') AND item = 1;
SELECT count(*) FROM watchlist.shared_templates WHERE 1 / (CASE WHEN reference = 'W-14' THEN 0 ELSE 1 END) > 0;
SELECT reference FROM watchlist.shared_templates WHERE print % synthetic_fingerprint(14, 3, 2) AND pg_temp.shout(reference);
RESET SESSION AUTHORIZATION;
RESET plan_cache_mode;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET enable_sort;
RESET max_parallel_workers_per_gather;

-- statistics show nobody what he may not read
SET SESSION AUTHORIZATION regress_east;
SELECT count(*) FROM pg_stats WHERE schemaname = 'watchlist';
SELECT count(*) FROM watchlist.partner_search;

-- hit or no hit, for what was released; the rest is "clear"
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000001', 'entry', 'E-1', fingers(5)::fingerprint[]) RETURNING prints, band, reference;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000002', 'entry', 'E-2', fingers(14)::fingerprint[]) RETURNING band, reference;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000003', 'entry', 'E-3', fingers(777)::fingerprint[]) RETURNING band, reference;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000004', 'entry', 'E-4', NULL) RETURNING band, reference;
INSERT INTO watchlist.partner_search (request, purpose, prints) VALUES ('00000000-0000-0000-0000-000000000005', 'entry', fingers(5)::fingerprint[]);
-- a partner finds its own searches again, and no function of its own sees another's
SELECT request, band, reference FROM watchlist.partner_search ORDER BY request;
SET SESSION AUTHORIZATION regress_south;
SELECT * FROM watchlist.partner_search WHERE pg_temp.shout(request::text);
SET SESSION AUTHORIZATION regress_east;
-- core data by decision, and asking in vain is answered the same for all
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('W-5', 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('nonesuch', 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES (NULL, 'entry', 'E-1') RETURNING name, released;
INSERT INTO watchlist.partner_core_data (reference, purpose) VALUES ('W-5', 'entry') RETURNING name, released;
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.decide_release('regress_east', 'W-5', true, 'agreement 8', 'P-2');
SELECT watchlist.decide_release('regress_east', 'W-6', true, 'agreement 8', 'P-2', until => current_date - 1);
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('W-5', 'entry', 'E-1') RETURNING name, born, released;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('W-6', 'entry', 'E-1') RETURNING name, born, released;
SET SESSION AUTHORIZATION regress_south;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('W-5', 'entry', 'S-1') RETURNING name, born, released;
SELECT count(*) FROM watchlist.partner_search;
SET SESSION AUTHORIZATION regress_ana;
SELECT partner, list, reference, what, case_reference FROM watchlist.disclosures WHERE what NOT IN ('sent') ORDER BY disclosure;

-- a partner's search is seen by those who see what it found
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.release_list('secret', 'regress_east', false, 'agreement 8', 'P-3');
SET SESSION AUTHORIZATION regress_east;
INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('00000000-0000-0000-0000-000000000006', 'entry', 'E-6', fingers(14)::fingerprint[]) RETURNING band, reference;
RESET SESSION AUTHORIZATION;
SELECT search FROM watchlist.log WHERE case_reference = 'E-6' \gset of_
SET SESSION AUTHORIZATION regress_olga;
SELECT count(*) FROM watchlist.view_search(:of_search, 'curious', 'B-0');
SET SESSION AUTHORIZATION regress_pete;
SELECT rank, list, reference, band FROM watchlist.view_search(:of_search, 'alert', 'P-4') LIMIT 1;
RESET SESSION AUTHORIZATION;

-- functions do what they do whatever the caller's search_path says
SET SESSION AUTHORIZATION regress_olga;
CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TEMP TABLE encounters (encounter int);
CREATE TEMP TABLE log (entry int);
SET search_path = pg_temp, watchlist, pg_catalog, public;
SELECT verdict, reference FROM watchlist.check_traveller(public.fingers(5), public.eyes(5), 'entry', 'B-1');
SET search_path = pg_temp;
SELECT verdict, reference FROM watchlist.check_traveller(ARRAY[public.synthetic_fingerprint(5, 3, 2)]::bytea[], NULL, 'entry', $$B'; DROP TABLE watchlist.log; --$$);
RESET search_path;
-- nor do settings by which a restore is known make a search go unlogged, or a person unsearchable
SET check_function_bodies = off;
SET watchlist.purging = on;
SELECT verdict, reference FROM watchlist.check_traveller(fingers(6), eyes(6), 'unseen', 'B-9');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.add_person('Hidden', NULL, 'x', 'P-9', reference => 'H-1');
SELECT state FROM watchlist.enrol('H-1', fingers(950, 0), NULL, 'x', 'P-9');
SELECT watchlist.add_to_list('wanted', 'H-1', 'x', 'P-9');
SELECT watchlist.release_list('wanted', 'regress_south', false, 'x', 'P-9');
SELECT watchlist.release_list('wanted', 'regress_south', true, 'x', 'P-9');
RESET check_function_bodies;
RESET watchlist.purging;
RESET SESSION AUTHORIZATION;
SELECT action, verdict, reference FROM watchlist.log WHERE case_reference = 'B-9';
SELECT partner, sent, count(*) FROM watchlist.shared_templates WHERE reference = 'H-1' GROUP BY partner, sent ORDER BY partner;
SELECT count(*) FROM watchlist.arrivals WHERE reference = 'H-1';
SELECT count(*) FROM watchlist.verify_log() WHERE problem NOT LIKE '%not there%';
SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%';
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.connect_partner('x', 'y');
RESET SESSION AUTHORIZATION;
-- names are identifiers, whatever they are
SET client_min_messages = error;
SELECT watchlist.publish_to('north', $$o'connor "x"; DROP TABLE watchlist.log; --$$);
RESET client_min_messages;
DROP PUBLICATION "watchlist_to_o'connor ""x""; DROP TABLE watchlist.log; --";

-- nothing is granted to PUBLIC, nor to a duty what is another's
SELECT count(*) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE pronamespace = 'watchlist'::regnamespace AND a.grantee = 0;
SELECT count(*) FROM pg_class c, aclexplode(coalesce(relacl, acldefault('r', relowner))) a WHERE relnamespace = 'watchlist'::regnamespace AND a.grantee = 0;
SELECT string_agg(c.relname || ': ' || r, ', ' ORDER BY c.relname, r) FROM pg_class c, unnest(ARRAY['regress_olga', 'regress_sven', 'regress_eva', 'regress_pete', 'regress_otto', 'regress_south', 'regress_nobody']) r
WHERE c.relnamespace = 'watchlist'::regnamespace AND c.relkind IN ('r', 'v') AND (has_table_privilege(r, c.oid, 'SELECT') OR has_table_privilege(r, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'));
-- every function that anybody may call says where it looks for names, or was bound when it was made
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'watchlist'::regnamespace AND p.prosqlbody IS NULL AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false);
-- what is a duty's can be taken back
SELECT watchlist.revoke_duty('partner', 'regress_south');
SELECT watchlist.grant_duty('king', 'regress_south');
SET SESSION AUTHORIZATION regress_south;
SELECT count(*) FROM watchlist.shared_templates;
INSERT INTO watchlist.partner_core_data (reference, purpose, case_reference) VALUES ('W-5', 'entry', 'S-1') RETURNING name, born, released;
\set ECHO none
\i :cleanup
