-- watchlist_setup.sql
--	What the suites watchlist_* share: a country, two agencies, people with
--	duties, two partners, and two lists of made-up persons.  Included with ECHO off.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE regress_border;
CREATE ROLE regress_police;
CREATE ROLE regress_olga LOGIN IN ROLE regress_border;		-- checks travellers
CREATE ROLE regress_carl LOGIN IN ROLE regress_border;		-- keeps lists of the border
CREATE ROLE regress_sven LOGIN IN ROLE regress_border;		-- supervises
CREATE ROLE regress_eva LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_emil LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_erik LOGIN IN ROLE regress_border;		-- examines
CREATE ROLE regress_pete LOGIN IN ROLE regress_police;		-- keeps lists of the police
CREATE ROLE regress_paul LOGIN IN ROLE regress_police;		-- checks travellers
CREATE ROLE regress_ana LOGIN;								-- audits
CREATE ROLE regress_otto LOGIN;								-- runs the jobs
CREATE ROLE regress_south LOGIN;							-- a partner
CREATE ROLE regress_east LOGIN;								-- another
CREATE ROLE regress_nobody LOGIN;
\o /dev/null
SELECT watchlist.add_agency('border', 'regress_border'), watchlist.add_agency('police', 'regress_police');
SELECT watchlist.grant_duty(d, r::regrole)
FROM (VALUES ('officer', 'regress_olga'), ('analyst', 'regress_olga'), ('curator', 'regress_carl'), ('releaser', 'regress_carl'),
			 ('supervisor', 'regress_sven'), ('examiner', 'regress_eva'), ('examiner', 'regress_emil'), ('examiner', 'regress_erik'),
			 ('curator', 'regress_pete'), ('releaser', 'regress_pete'), ('officer', 'regress_paul'), ('analyst', 'regress_paul'),
			 ('auditor', 'regress_ana'), ('operator', 'regress_otto')) v (d, r);
SELECT watchlist.add_partner('south', 'regress_south', 'agreement 7', 'N-0'), watchlist.add_partner('east', 'regress_east', 'agreement 8', 'N-0');
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.create_list('wanted', 'Wanted persons', 'act 12', 'set-up', 'P-0', caveats => '{do not detain: call}', open => true);
SELECT watchlist.create_list('secret', 'Under observation', 'act 13', 'set-up', 'P-0');
SELECT watchlist.add_person('Made Up ' || n, '1980-01-01', 'set-up', 'P-0', reference => 'W-' || n) FROM generate_series(1, 16) n;
SELECT count(*) FROM generate_series(1, 16) n,
	watchlist.enrol('north/police/W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[], ARRAY[synthetic_iris(n)]::text[], 'set-up', 'P-0');
SELECT watchlist.add_to_list(CASE WHEN n <= 12 THEN 'north/police/wanted' ELSE 'north/police/secret' END, 'north/police/W-' || n, 'warrant', 'P-0') FROM generate_series(1, 16) n;
RESET SESSION AUTHORIZATION;

-- a traveller as captured: two fingers, an eye
CREATE FUNCTION fingers(person int, capture int DEFAULT 3) RETURNS bytea[]
	LANGUAGE sql AS 'SELECT ARRAY[synthetic_fingerprint(person, capture, 2), synthetic_fingerprint(person, capture, 7)]::bytea[]';
CREATE FUNCTION eyes(person int, capture int DEFAULT 3) RETURNS text[]
	LANGUAGE sql AS 'SELECT ARRAY[synthetic_iris(person, capture)]::text[]';
SELECT * FROM watchlist.search_past_encounters(1000);
\o
RESET client_min_messages;
