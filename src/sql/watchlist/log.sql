-- ---------------------------------------------------------------------------
-- log: what was done, who did it and why, and seals that show tampering
--
-- The log's tables are made by create_log(), when the country gets its name, and
-- are no part of the extension: DROP EXTENSION leaves them, and pg_dump
-- treats them as tables of yours.  Therefore SQL functions whose body is parsed
-- at installation cannot name them.
--
-- What discloses something is announced in the server's log first, by a line
-- with the number of the entry.  No ROLLBACK takes that line back.  The entry itself is
-- undone by a ROLLBACK, but not its number: verify_log() lists it as missing.
-- ---------------------------------------------------------------------------

-- HMAC-SHA-256 (RFC 2104)
CREATE FUNCTION authenticate(data bytea, key bytea) RETURNS bytea
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT hmac(data, key, 'sha256');
END;

CREATE FUNCTION random_key() RETURNS bytea
	LANGUAGE sql
BEGIN ATOMIC
	SELECT gen_random_bytes(32);
END;

-- A reader of the log cannot find the person from the hash of a template
-- without the key.
CREATE FUNCTION keyed_hash(data bytea) RETURNS bytea
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN watchlist.authenticate(data, (SELECT k.key FROM watchlist.log_key k));
END
$$;

-- Rows that are never changed.  Only the purge removes rows, but never rows of
-- the log.
CREATE FUNCTION refuse_change() RETURNS trigger
	LANGUAGE plpgsql
AS $$
BEGIN
	IF TG_OP <> 'TRUNCATE' AND TG_TABLE_NAME NOT IN ('log', 'seals') AND current_setting('watchlist.purging', true) = 'on'
	   AND EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND pg_get_userbyid(c.relowner) = current_user) THEN
		RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
	END IF;
	RAISE EXCEPTION 'rows of table "%" are never changed', TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege', HINT = 'Add a row that corrects it.';
END
$$;

CREATE FUNCTION create_log() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	protected text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = NEW.time_zone) THEN
		RAISE EXCEPTION 'there is no time zone "%"', NEW.time_zone
			USING ERRCODE = 'invalid_parameter_value', HINT = 'pg_timezone_names lists them.';
	END IF;
	-- a dump that is being restored brings the log itself
	IF TG_OP = 'UPDATE' OR NOT current_setting('check_function_bodies')::boolean THEN
		RETURN NEW;
	END IF;
	IF to_regclass('watchlist.log') IS NULL THEN
		CREATE TABLE watchlist.log_key (
			id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
			key bytea NOT NULL
		);
		INSERT INTO watchlist.log_key (key) VALUES (watchlist.random_key());
		CREATE SEQUENCE watchlist.log_numbers;
		CREATE TABLE watchlist.log (
			entry bigint PRIMARY KEY,
			at timestamptz NOT NULL,
			login name NOT NULL,
			caller name NOT NULL,
			agency text,
			action text NOT NULL,
			purpose text NOT NULL,
			case_reference text NOT NULL,
			partner text,
			lists text[],
			persons text[],
			search bigint,
			encounter bigint,
			best_score numeric,
			fpir float8,
			verdict text,
			probe_hash bytea,	-- keyed_hash of the hashes of the templates searched with
			detail text,
			mac bytea NOT NULL	-- keyed_hash of everything else
		);
		CREATE INDEX log_at ON watchlist.log USING brin (at);
		CREATE INDEX log_persons ON watchlist.log USING gin (persons);
		-- entries that no seal holds yet
		CREATE TABLE watchlist.unsealed (entry bigint PRIMARY KEY);
		CREATE TABLE watchlist.seals (
			seal bigint PRIMARY KEY,	-- 1, 2, 3 ...
			at timestamptz NOT NULL,
			entries int8multirange NOT NULL,
			digest bytea NOT NULL,		-- keyed_hash of the entries' hashes, in order
			previous bytea NOT NULL,	-- hash of the seal before
			hash bytea NOT NULL			-- keyed_hash of everything else
		);
		-- what partners learnt, and what they asked in vain
		CREATE VIEW watchlist.disclosures AS
			SELECT l.entry AS disclosure, l.at, l.partner, l.lists, l.persons,
				   CASE WHEN l.action = 'refusal' THEN 'refused: ' || l.detail ELSE l.detail END AS what, l.purpose, l.case_reference
			FROM watchlist.log l WHERE l.partner IS NOT NULL AND l.action IN ('partner search', 'disclosure', 'refusal');
		-- months are those of UTC
		CREATE VIEW watchlist.searches_by_month AS
			SELECT date_trunc('month', l.at AT TIME ZONE 'UTC')::date AS month, l.agency, l.partner, l.purpose, count(*) AS searches,
				   count(*) FILTER (WHERE l.verdict = 'hit') AS hits, count(*) FILTER (WHERE l.verdict = 'refer') AS referred,
				   count(DISTINCT l.caller) AS callers, count(DISTINCT l.probe_hash) AS different_probes
			FROM watchlist.log l WHERE l.action IN ('search', 'partner search') GROUP BY 1, 2, 3, 4;
		CREATE VIEW watchlist.disclosures_by_month AS
			SELECT date_trunc('month', d.at AT TIME ZONE 'UTC')::date AS month, d.partner, d.what, count(*) AS disclosures,
				   count(DISTINCT d.persons) AS persons, count(DISTINCT d.case_reference) AS cases
			FROM watchlist.disclosures d GROUP BY 1, 2, 3;
		CREATE VIEW watchlist.log_by_month AS
			SELECT date_trunc('month', l.at AT TIME ZONE 'UTC')::date AS month, l.agency, l.caller, l.action, count(*) AS entries
			FROM watchlist.log l GROUP BY 1, 2, 3, 4;
	END IF;
	-- the last seal as it is now, which SELECT .. FROM seals does not say in an old snapshot
	IF to_regclass('watchlist.seal_numbers') IS NULL THEN
		CREATE SEQUENCE watchlist.seal_numbers MINVALUE 0;
		PERFORM setval('watchlist.seal_numbers', coalesce((SELECT max(s.seal) FROM watchlist.seals s), 0));
	END IF;
	-- also of a log that an earlier installation left
	FOREACH protected IN ARRAY ARRAY['log', 'seals'] LOOP
		IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass('watchlist.' || protected) AND t.tgname = 'refuse_change') THEN
			EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON watchlist.%I FOR EACH ROW EXECUTE FUNCTION watchlist.refuse_change()', protected);
			EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON watchlist.%I FOR EACH STATEMENT EXECUTE FUNCTION watchlist.refuse_change()', protected);
		END IF;
	END LOOP;
	RETURN NEW;
END
$$;
CREATE TRIGGER create_log BEFORE INSERT OR UPDATE OF time_zone ON this_country FOR EACH ROW EXECUTE FUNCTION create_log();

-- A line of the server's log, which no ROLLBACK takes back.  The statement, which
-- may have templates in it, is left out.
CREATE FUNCTION tell_server_log(message text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET log_min_error_statement = panic SET log_error_verbosity = terse
AS $$
BEGIN
	IF current_setting('log_min_messages') IN ('fatal', 'panic') THEN
		RAISE EXCEPTION 'the server writes no line into its log before something is disclosed'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Set log_min_messages to log, error or less.';
	END IF;
	RAISE LOG 'watchlist: %', message;
END
$$;

-- One entry of the log; its number.
CREATE FUNCTION note(action text, purpose text, case_reference text, persons text[] DEFAULT NULL, lists text[] DEFAULT NULL,
		partner text DEFAULT NULL, search bigint DEFAULT NULL, encounter bigint DEFAULT NULL, best_score numeric DEFAULT NULL,
		fpir float8 DEFAULT NULL, verdict text DEFAULT NULL, probe_hash bytea DEFAULT NULL, detail text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	made watchlist.log;
	mine text[] := ARRAY(SELECT watchlist.caller_agencies());
	chosen text := current_setting('watchlist.agency', true);
BEGIN
	made.entry := nextval('watchlist.log_numbers');
	made.at := clock_timestamp();
	made.login := session_user;
	made.caller := watchlist.caller();
	made.agency := CASE WHEN chosen = ANY (mine) THEN chosen WHEN cardinality(mine) = 1 THEN mine[1] END;
	made.action := note.action;
	made.purpose := note.purpose;
	made.case_reference := note.case_reference;
	made.partner := note.partner;
	made.lists := note.lists;
	made.persons := note.persons;
	made.search := note.search;
	made.encounter := note.encounter;
	made.best_score := note.best_score;
	made.fpir := note.fpir;
	made.verdict := note.verdict;
	made.probe_hash := note.probe_hash;
	made.detail := note.detail;
	made.mac := watchlist.keyed_hash(convert_to((to_jsonb(made) - 'mac')::text, 'UTF8'));
	IF made.action IN ('search', 'partner search', 'view', 'disclosure', 'refusal') THEN
		PERFORM watchlist.tell_server_log(format('entry %s, %s: %s', made.entry, made.action,
			jsonb_strip_nulls(jsonb_build_object('caller', made.caller, 'login', made.login, 'agency', made.agency, 'partner', made.partner,
				'persons', made.persons, 'encounter', made.encounter, 'search', made.search, 'verdict', made.verdict,
				'purpose', made.purpose, 'case', made.case_reference, 'detail', made.detail))));
	END IF;
	INSERT INTO watchlist.log SELECT made.*;
	INSERT INTO watchlist.unsealed VALUES (made.entry);
	RETURN made.entry;
END
$$;

-- Seal what is committed and not sealed yet: a job, every minute or so.  It
-- does not wait for transactions: entries of those that end later are sealed
-- later.  Returns the seal that it made, if any.
CREATE FUNCTION seal_log(max integer DEFAULT 100000) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	last watchlist.seals;
	made watchlist.seals;
	taken bigint[];
BEGIN
	PERFORM watchlist.require_read_committed();
	-- one at a time; another call returns at once
	BEGIN
		LOCK TABLE watchlist.seals IN SHARE ROW EXCLUSIVE MODE NOWAIT;
	EXCEPTION WHEN lock_not_available THEN
		RETURN NULL;
	END;
	SELECT * INTO last FROM watchlist.seals s ORDER BY s.seal DESC LIMIT 1;
	WITH gone AS (
		DELETE FROM watchlist.unsealed u WHERE u.entry IN (SELECT o.entry FROM watchlist.unsealed o ORDER BY o.entry LIMIT max) RETURNING u.entry)
	SELECT array_agg(g.entry ORDER BY g.entry) INTO taken FROM gone g;
	IF taken IS NULL THEN
		RETURN NULL;
	END IF;
	made.seal := coalesce(last.seal, 0) + 1;
	made.at := clock_timestamp();
	SELECT range_agg(int8range(r.first, r.last, '[]')) INTO made.entries
	FROM (SELECT min(e) AS first, max(e) AS last
		  FROM (SELECT e, e - row_number() OVER (ORDER BY e) AS run FROM unnest(taken) e) n GROUP BY run) r;
	SELECT watchlist.keyed_hash(coalesce(string_agg(l.mac, '' ORDER BY l.entry), '')) INTO made.digest
	FROM watchlist.log l WHERE l.entry = ANY (taken);
	made.previous := coalesce(last.hash, '');
	made.hash := watchlist.keyed_hash(convert_to((to_jsonb(made) - 'hash')::text, 'UTF8'));
	INSERT INTO watchlist.seals SELECT made.*;
	PERFORM setval('watchlist.seal_numbers', made.seal);
	RETURN made.seal;
END
$$;

-- The last seal.  Somebody else should note it, and can compare it later by
-- verify_log.
CREATE FUNCTION log_head(OUT seal bigint, OUT hash bytea)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
BEGIN
	SELECT s.seal, s.hash INTO log_head.seal, log_head.hash FROM watchlist.seals s ORDER BY s.seal DESC LIMIT 1;
END
$$;

-- What is wrong with the log: no row, nothing.  "never committed" means that no
-- entry has the number: the transaction was rolled back (the server's log has a
-- line for each that disclosed something), is still running, or the server
-- failed, which loses up to 32 numbers.  It reads the log once.
CREATE FUNCTION verify_log(known_seal bigint DEFAULT NULL, known_hash bytea DEFAULT NULL)
	RETURNS TABLE (seal bigint, entry bigint, problem text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	key CONSTANT bytea := (SELECT k.key FROM watchlist.log_key k);
	given bigint;
	all_sealed int8multirange;
BEGIN
	-- with the digests below this is one pass over the log's hashes, and one over its rows
	RETURN QUERY
		SELECT NULL::bigint, l.entry, 'the entry was changed' FROM watchlist.log l
		WHERE l.mac <> watchlist.authenticate(convert_to((to_jsonb(l) - 'mac')::text, 'UTF8'), key) ORDER BY l.entry;
	RETURN QUERY
		SELECT s.seal, NULL::bigint, 'the seal was changed' FROM watchlist.seals s
		WHERE s.hash <> watchlist.authenticate(convert_to((to_jsonb(s) - 'hash')::text, 'UTF8'), key) ORDER BY s.seal;
	RETURN QUERY
		SELECT c.seal, NULL::bigint, 'the seal before it is missing or was changed'
		FROM (SELECT s.seal, s.previous, lag(s.seal) OVER w AS seal_before, lag(s.hash) OVER w AS hash_before
			  FROM watchlist.seals s WINDOW w AS (ORDER BY s.seal)) c
		WHERE c.seal <> coalesce(c.seal_before, 0) + 1 OR c.previous <> coalesce(c.hash_before, '') ORDER BY c.seal;
	RETURN QUERY
		WITH held AS MATERIALIZED (
			SELECT s.seal, s.digest, sum(upper(r.r) - lower(r.r)) AS size
			FROM watchlist.seals s, unnest(s.entries) r (r) GROUP BY s.seal, s.digest),
		there AS MATERIALIZED (
			SELECT s.seal, count(l.entry) AS size, string_agg(l.mac, '' ORDER BY l.entry) AS macs
			FROM watchlist.seals s, unnest(s.entries) r (r) LEFT JOIN watchlist.log l ON l.entry >= lower(r.r) AND l.entry < upper(r.r)
			GROUP BY s.seal)
		SELECT h.seal, n, 'the entry was removed'
		FROM held h JOIN there t USING (seal) JOIN watchlist.seals s USING (seal), unnest(s.entries) r (r), generate_series(lower(r.r), upper(r.r) - 1) n
		WHERE t.size <> h.size AND NOT EXISTS (SELECT FROM watchlist.log l WHERE l.entry = n)
		UNION ALL
		SELECT h.seal, NULL, 'entries are not those that were sealed'
		FROM held h JOIN there t USING (seal)
		WHERE t.size = h.size AND h.digest <> watchlist.authenticate(coalesce(t.macs, ''), key)
		ORDER BY 1, 2;
	SELECT CASE WHEN n.is_called THEN n.last_value ELSE 0 END INTO given FROM watchlist.log_numbers n;
	SELECT coalesce(range_agg(r.r), '{}') INTO all_sealed FROM watchlist.seals s, unnest(s.entries) r (r);
	RETURN QUERY
		-- gaps between ranges are few; numbers in them, too
		WITH gaps AS (SELECT unnest(int8multirange(int8range(1, given + 1)) - all_sealed) AS g)
		SELECT NULL::bigint, n,
			   CASE WHEN EXISTS (SELECT FROM watchlist.unsealed u WHERE u.entry = n) THEN 'the entry was removed' ELSE 'the number was never committed' END
		FROM gaps, generate_series(lower(g), upper(g) - 1) n WHERE NOT EXISTS (SELECT FROM watchlist.log l WHERE l.entry = n)
		UNION ALL
		SELECT NULL, l.entry, 'the entry was added later'
		FROM gaps JOIN watchlist.log l ON l.entry >= lower(g) AND l.entry < upper(g)
		WHERE NOT EXISTS (SELECT FROM watchlist.unsealed u WHERE u.entry = l.entry)
		UNION ALL
		SELECT NULL, l.entry, 'the entry has not been sealed for more than a day'
		FROM watchlist.unsealed u JOIN watchlist.log l USING (entry) WHERE l.at < clock_timestamp() - interval '1 day'
		UNION ALL
		SELECT NULL, l.entry, 'the number was never given' FROM watchlist.log l WHERE l.entry > given OR l.entry < 1
		ORDER BY 2;
	IF num_nulls(known_seal, known_hash) = 0
	   AND NOT EXISTS (SELECT FROM watchlist.seals k WHERE k.seal = known_seal AND k.hash = known_hash) THEN
		RETURN QUERY SELECT known_seal, NULL::bigint, 'the seal is not the one that is known';
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- settings and agencies, each change with its entry
-- ---------------------------------------------------------------------------

CREATE FUNCTION change_setting(name text, value text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	old text;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF coalesce(name, '') NOT IN ('time_zone', 'search_mode', 'finger_calibration', 'eye_calibration', 'max_received') THEN
		RAISE EXCEPTION 'there is no setting "%"', left(name, 100)
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Settings are: time_zone, search_mode, finger_calibration, eye_calibration, max_received.';
	END IF;
	PERFORM watchlist.country();
	EXECUTE format('SELECT %I::text FROM watchlist.this_country FOR UPDATE', name) INTO old;
	BEGIN
		EXECUTE format('UPDATE watchlist.this_country SET %I = %L', name, value);
	EXCEPTION WHEN check_violation OR not_null_violation OR invalid_text_representation OR numeric_value_out_of_range THEN
		RAISE EXCEPTION 'setting "%" cannot be "%"', name, left(value, 100) USING ERRCODE = 'invalid_parameter_value';
	END;
	-- an error if there is none of that name
	PERFORM watchlist.calibrations();
	PERFORM watchlist.note('setting', purpose, case_reference, detail => format('%s: %s, was %s', name, value, old));
END
$$;

-- Names that an agency gave begin with the name that it had.
CREATE FUNCTION require_new_agency(name text, of_agency text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF EXISTS (SELECT FROM watchlist.agencies a WHERE name = ANY (a.former_names) AND a.agency IS DISTINCT FROM of_agency) THEN
		RAISE EXCEPTION 'another agency was named "%"', left(name, 100)
			USING ERRCODE = 'unique_violation', HINT = 'Names of persons and lists begin with it. Choose another name.';
	END IF;
END
$$;

CREATE FUNCTION add_agency(agency text, member regrole) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_new_agency(agency);
	INSERT INTO watchlist.agencies (agency, member) VALUES (add_agency.agency, add_agency.member);
	PERFORM watchlist.note('duty', 'administration', 'agency', detail => 'agency ' || agency);
END
$$;

-- Names that the agency gave stay as they are.
CREATE FUNCTION rename_agency(agency text, new_name text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.require_new_agency(new_name, agency);
	UPDATE watchlist.agencies a SET agency = rename_agency.new_name, former_names = watchlist.as_set(a.former_names || a.agency)
		WHERE a.agency = rename_agency.agency;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no agency "%"', left(rename_agency.agency, 100) USING ERRCODE = 'no_data_found';
	END IF;
	-- its searches stay its own
	PERFORM set_config('watchlist.purging', 'on', true);
	UPDATE watchlist.searches s SET agency = rename_agency.new_name WHERE s.agency = rename_agency.agency;
	PERFORM set_config('watchlist.purging', '', true);
	PERFORM watchlist.note('duty', purpose, case_reference, detail => format('agency %s is now %s', agency, new_name));
END
$$;

CREATE FUNCTION share_login(login regrole, shared boolean, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	DELETE FROM watchlist.shared_logins s WHERE s.login = share_login.login;
	IF shared THEN
		INSERT INTO watchlist.shared_logins (login) VALUES (share_login.login);
	END IF;
	PERFORM watchlist.note('duty', purpose, case_reference, detail => format('login %s is %s', login, CASE WHEN shared THEN 'shared' ELSE 'one person''s' END));
END
$$;
