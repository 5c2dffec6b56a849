-- ---------------------------------------------------------------------------
-- agencies: the country, its agencies and people, names and days
--
-- Conventions of all rooms:
--
-- Functions that a duty may call are SECURITY DEFINER and run as the owner of
-- the extension, an ordinary role. rights.sql pins every setting that could
-- change their result.  Only these functions call the others.
--
-- Types and functions of biometric and pgcrypto are named only in the bodies of
-- SQL functions, which are parsed here: so those extensions may be in any
-- schema, and may be moved.  Such bodies don't use IS DISTINCT FROM on those
-- types, because pg_dump cannot write it with a schema.
-- ---------------------------------------------------------------------------

DO $$
BEGIN
	IF NOT pg_catalog.current_setting('standard_conforming_strings')::boolean THEN
		RAISE EXCEPTION 'this extension is installed with standard_conforming_strings = on'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SET standard_conforming_strings = on, and try again.';
	END IF;
	IF NOT (pg_catalog.has_parameter_privilege('log_min_error_statement', 'SET') AND pg_catalog.has_parameter_privilege('log_error_verbosity', 'SET')) THEN
		RAISE EXCEPTION 'role "%" may not set log_min_error_statement and log_error_verbosity', current_user
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Without it the line that announces a search in the server''s log would show the statement, which may hold templates.',
				  HINT = format('A superuser prepares the installation: GRANT SET ON PARAMETER log_min_error_statement, log_error_verbosity TO %I.', current_user);
	END IF;
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'watchlist_courier') THEN
		IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) THEN
			RAISE EXCEPTION 'there is no role "watchlist_courier"'
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  HINT = format('A superuser prepares the installation: CREATE ROLE watchlist_courier; GRANT watchlist_courier TO %I.', current_user);
		END IF;
		CREATE ROLE watchlist_courier;
	END IF;
	IF NOT pg_catalog.pg_has_role('watchlist_courier', 'MEMBER') THEN
		RAISE EXCEPTION 'role "%" is not a member of role "watchlist_courier"', current_user
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('A superuser prepares the installation: GRANT watchlist_courier TO %I.', current_user);
	END IF;
END
$$;
-- The library defines its settings when it is loaded; functions below set them.
SELECT biometric_version();

-- This country, one row: its name, under which partners know it, and what it
-- has decided.  Inserting the row makes the log: see log.sql.
CREATE TABLE this_country (
	country text PRIMARY KEY CHECK (country ~ '^[[:alnum:]][[:alnum:] ._-]{0,62}$'),
	time_zone text NOT NULL DEFAULT 'UTC',		-- in which days end
	search_mode text NOT NULL DEFAULT 'exact' CHECK (search_mode IN ('exact', 'fast')),
	finger_calibration text,	-- stored ones, of scores; NULL: the built-in one
	eye_calibration text,
	max_received integer NOT NULL DEFAULT 1000000 CHECK (max_received >= 0),	-- entries from a partner, at most
	cluster bigint NOT NULL DEFAULT (pg_control_system()).system_identifier	-- whose transactions numbers are of
);
CREATE UNIQUE INDEX this_country_one ON this_country ((true));

CREATE FUNCTION country() RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	name text;
BEGIN
	SELECT c.country INTO name FROM watchlist.this_country c;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'it is not known which country this is'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Insert its name into watchlist.this_country.';
	END IF;
	RETURN name;
END
$$;

-- The day in the country, in any time zone of the caller and at the moment of
-- the call.
CREATE FUNCTION today() RETURNS date
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT (clock_timestamp() AT TIME ZONE coalesce((SELECT c.time_zone FROM watchlist.this_country c), 'UTC'))::date;
END;

-- Blank: only characters that are invisible.
CREATE FUNCTION is_blank(value text) RETURNS boolean
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT coalesce(value, '') ~ '^[[:space:][:cntrl:]\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufeff\uffa0]*$';
END;

-- Every step that the log keeps has a purpose and a case.
CREATE FUNCTION require_reason(purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF octet_length(purpose) > 2000 OR octet_length(case_reference) > 2000 THEN
		RAISE EXCEPTION 'a purpose or case of more than 2000 bytes is too long'
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Keep the text in the case, and name the case.';
	END IF;
	IF watchlist.is_blank(purpose) OR watchlist.is_blank(case_reference) THEN
		RAISE EXCEPTION 'a purpose and a case are needed'
			USING ERRCODE = 'not_null_violation', DETAIL = 'They are kept in the log.';
	END IF;
END
$$;

-- An array without NULLs and repetitions, in order: equal sets are equal arrays.
CREATE FUNCTION as_set(names text[]) RETURNS text[]
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT ARRAY(SELECT DISTINCT n COLLATE "C" FROM unnest(names) n WHERE n IS NOT NULL ORDER BY 1);
END;

-- Caveats are shown to people: short, and not many.
CREATE FUNCTION require_caveats(caveats text[]) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF cardinality(caveats) > 20 OR EXISTS (SELECT FROM unnest(caveats) c WHERE octet_length(c) > 1000) THEN
		RAISE EXCEPTION 'more than 20 caveats, or one of more than 1000 bytes' USING ERRCODE = 'program_limit_exceeded';
	END IF;
	RETURN CASE WHEN caveats IS NOT NULL THEN ARRAY(SELECT c FROM unnest(caveats) c WHERE NOT watchlist.is_blank(c)) END;
END
$$;

-- A bell for listeners.  Anybody who logs in can fill the queue, and it is better
-- that a bell does not ring than that a check fails.
CREATE FUNCTION ring(channel text) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	IF pg_notification_queue_usage() < 0.5 THEN
		PERFORM pg_notify(channel, '');
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- who acts, and for which agency
-- ---------------------------------------------------------------------------

-- An agency is a role; its members act for it.
CREATE TABLE agencies (
	agency text PRIMARY KEY CHECK (agency ~ '^[[:alnum:]][[:alnum:] ._-]{0,62}$'),
	member regrole NOT NULL UNIQUE,
	former_names text[] NOT NULL DEFAULT '{}'	-- which are in names that it gave, and are not given to another
);

-- Logins that an application shares among persons: the role that it has set is
-- the one that acts.
CREATE TABLE shared_logins (login regrole PRIMARY KEY);

CREATE FUNCTION caller() RETURNS name
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.shared_logins s JOIN pg_roles r ON r.oid = s.login WHERE r.rolname = session_user) THEN
		RETURN session_user;
	END IF;
	IF current_setting('role') = 'none' THEN
		RAISE EXCEPTION 'login "%" is shared: it is not known who acts', session_user
			USING ERRCODE = 'insufficient_privilege', HINT = 'Use SET ROLE to become the person.';
	END IF;
	RETURN current_setting('role');
END
$$;

CREATE FUNCTION caller_agencies() RETURNS SETOF text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT a.agency FROM watchlist.agencies a JOIN pg_catalog.pg_roles r ON r.oid = a.member
	WHERE pg_has_role((SELECT watchlist.caller()), r.oid, 'MEMBER');
END;

-- The one agency that the caller acts for.
CREATE FUNCTION acting_agency() RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	mine text[] := ARRAY(SELECT watchlist.caller_agencies());
	chosen text := nullif(current_setting('watchlist.agency', true), '');
BEGIN
	IF chosen IS NOT NULL THEN
		IF chosen = ANY (mine) THEN
			RETURN chosen;
		END IF;
		RAISE EXCEPTION 'you do not act for agency "%"', chosen
			USING ERRCODE = 'insufficient_privilege', HINT = 'Set watchlist.agency to an agency whose role you are a member of.';
	END IF;
	IF cardinality(mine) = 1 THEN
		RETURN mine[1];
	END IF;
	RAISE EXCEPTION '%', CASE WHEN mine = '{}' THEN 'you act for no agency' ELSE 'you act for several agencies' END
		USING ERRCODE = 'insufficient_privilege',
			  HINT = CASE WHEN EXISTS (SELECT FROM watchlist.agencies) THEN 'Become a member of the role of one, or set watchlist.agency.'
						  ELSE 'add_agency() makes the first.' END;
END
$$;

-- What an agency keeps is changed by that agency.
CREATE FUNCTION require_agency(agency text) RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF agency IS DISTINCT FROM watchlist.acting_agency() THEN
		RAISE EXCEPTION 'this belongs to another agency'
			USING ERRCODE = 'insufficient_privilege', HINT = 'That agency can change it; if you act for it, too, set watchlist.agency.';
	END IF;
END
$$;

-- Jobs must see what other transactions committed meanwhile.
CREATE FUNCTION require_read_committed() RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'jobs run in transactions that read what is committed'
			USING ERRCODE = 'active_sql_transaction', HINT = 'Use isolation level READ COMMITTED.';
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- names
--
-- A person and a list have one name everywhere: country/agency/name, for example
-- north/border/W-17.  The agency is the one that gave the name; it stays when
-- the person or list is handed over.  So two agencies never use the same name,
-- and an error about a name that is taken never reveals a person or list that
-- the caller may not see.  In tables the country is column owner, and the rest
-- is reference or list.
-- ---------------------------------------------------------------------------

CREATE FUNCTION owner_of(name text) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT split_part(name, '/', 1);
END;

CREATE FUNCTION rest_of(name text) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT substr(name, length(split_part(name, '/', 1)) + 2);
END;

-- The part of a name of ours behind the country.
CREATE FUNCTION own_name(name text, kind text) RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF coalesce(name, '') !~ '^[^/]+/[^/]+/.' THEN
		RAISE EXCEPTION '"%" is not the name of a %', left(name, 200), kind
			USING ERRCODE = 'invalid_name', HINT = format('A %s is named country/agency/name, as functions return it.', kind);
	END IF;
	IF watchlist.owner_of(name) <> watchlist.country() THEN
		RAISE EXCEPTION '% "%" is of another country', kind, left(name, 200)
			USING ERRCODE = 'no_data_found', HINT = format('Ask %s.', left(watchlist.owner_of(name), 100));
	END IF;
	RETURN watchlist.rest_of(name);
END
$$;

-- The name of something new of the caller's agency.
CREATE FUNCTION new_name(name text, kind text) RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF watchlist.is_blank(name) OR name ~ '[/[:cntrl:]]' OR octet_length(name) > 100 THEN
		RAISE EXCEPTION 'this cannot be the name of a %', kind
			USING ERRCODE = 'invalid_name', HINT = 'A new name has no slash and at most 100 bytes; country and agency are put before it.';
	END IF;
	RETURN watchlist.acting_agency() || '/' || name;
END
$$;
