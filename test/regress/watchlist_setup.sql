-- watchlist_setup.sql
--	What the suites watchlist_* share: a country, two agencies, people with
--	duties, and two lists of made-up persons.  Included with ECHO off.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE regress_border;
CREATE ROLE regress_police;
CREATE ROLE regress_olga LOGIN IN ROLE regress_border;		-- checks travellers
CREATE ROLE regress_sven LOGIN IN ROLE regress_border;		-- supervises
CREATE ROLE regress_eva LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_emil LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_erik LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_pete LOGIN IN ROLE regress_police;		-- keeps the lists
CREATE ROLE regress_ana LOGIN;								-- audits
CREATE ROLE regress_otto LOGIN;								-- runs the jobs
CREATE ROLE regress_south LOGIN;							-- a partner
CREATE ROLE regress_east LOGIN;								-- another
CREATE ROLE regress_nobody LOGIN;
\o /dev/null
SELECT watchlist.add_agency('border', 'regress_border'), watchlist.add_agency('police', 'regress_police');
SELECT watchlist.grant_duty(d, r::regrole)
FROM (VALUES ('officer', 'regress_olga'), ('analyst', 'regress_olga'), ('supervisor', 'regress_sven'), ('examiner', 'regress_eva'),
			 ('examiner', 'regress_emil'), ('examiner', 'regress_erik'), ('curator', 'regress_pete'), ('releaser', 'regress_pete'),
			 ('officer', 'regress_pete'), ('auditor', 'regress_ana'), ('operator', 'regress_otto'), ('partner', 'regress_south'),
			 ('partner', 'regress_east')) v (d, r);
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.create_list('wanted', 'Wanted persons', 'act 12', 'set-up', 'P-0', caveats => '{do not detain: call}', open => true);
SELECT watchlist.create_list('secret', 'Under observation', 'act 13', 'set-up', 'P-0');
SELECT watchlist.add_person('Made Up ' || n, '1980-01-01', 'set-up', 'P-0', reference => 'W-' || n) FROM generate_series(1, 16) n;
SELECT count(*) FROM generate_series(1, 16) n,
	watchlist.enrol('W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[], ARRAY[synthetic_iris(n)]::text[], 'set-up', 'P-0');
SELECT watchlist.add_to_list(CASE WHEN n <= 12 THEN 'wanted' ELSE 'secret' END, 'W-' || n, 'warrant', 'P-0') FROM generate_series(1, 16) n;
RESET SESSION AUTHORIZATION;

-- a traveller as captured: two fingers, an eye
CREATE FUNCTION fingers(person int, capture int DEFAULT 3) RETURNS bytea[]
	LANGUAGE sql AS 'SELECT ARRAY[synthetic_fingerprint(person, capture, 2), synthetic_fingerprint(person, capture, 7)]::bytea[]';
CREATE FUNCTION eyes(person int, capture int DEFAULT 3) RETURNS text[]
	LANGUAGE sql AS 'SELECT ARRAY[synthetic_iris(person, capture)]::text[]';
-- Both jobs wait for transactions that were running; so do these.
CREATE PROCEDURE search_past() LANGUAGE plpgsql AS $$
BEGIN
	WHILE EXISTS (SELECT FROM watchlist.arrivals) LOOP
		PERFORM watchlist.search_past_encounters(1000);
		COMMIT;
	END LOOP;
END
$$;
CREATE PROCEDURE seal() LANGUAGE plpgsql AS $$
BEGIN
	WHILE watchlist.seal_log() IS NULL LOOP
		COMMIT;
	END LOOP;
END
$$;
CALL search_past();
\o
RESET client_min_messages;
