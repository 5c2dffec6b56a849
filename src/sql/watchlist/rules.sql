-- Functions that name anything of biometric or pgcrypto are SQL functions whose
-- body is parsed here: where those extensions are, or move, does not matter.
-- Triggers that would change rows while a dump is restored look at
-- check_function_bodies, which sessions that restore one switch off.  Anyone may
-- switch it off: functions that rely on such triggers switch it on.
-- Policies are created here: pg_dump does not dump those of an extension's table.

-- ---------------------------------------------------------------------------
-- who acts, and for whom
-- ---------------------------------------------------------------------------

-- An agency is a role; its members act for it.
CREATE TABLE agencies (
	agency text PRIMARY KEY CHECK (agency ~ '\S'),
	member name NOT NULL UNIQUE
);

-- Logins that an application shares among persons: who acts is the role it has set.
CREATE TABLE shared_logins (login name PRIMARY KEY);

CREATE FUNCTION caller() RETURNS name
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.shared_logins s WHERE s.login = session_user) THEN
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
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.agency
	FROM watchlist.agencies a JOIN pg_catalog.pg_roles r ON r.rolname = a.member
	WHERE pg_has_role(watchlist.caller(), r.oid, 'MEMBER');
END;

-- The one agency that the caller acts for, NULL where no agencies are defined.
CREATE FUNCTION acting_agency() RETURNS text
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine text[] := ARRAY(SELECT watchlist.caller_agencies());
	chosen text := nullif(current_setting('watchlist.agency', true), '');
BEGIN
	IF chosen IS NOT NULL THEN
		IF chosen = ANY (mine) THEN
			RETURN chosen;
		END IF;
		RAISE EXCEPTION 'you do not act for agency "%"', chosen USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF cardinality(mine) = 1 THEN
		RETURN mine[1];
	END IF;
	IF NOT EXISTS (SELECT FROM watchlist.agencies) THEN
		RETURN NULL;
	END IF;
	RAISE EXCEPTION '%', CASE WHEN mine = '{}' THEN 'you act for no agency' ELSE 'you act for several agencies' END
		USING ERRCODE = 'insufficient_privilege', HINT = 'Become a member of the role of one, or set watchlist.agency.';
END
$$;

-- What belongs to an agency is changed by that agency.
CREATE FUNCTION require_agency(agency text) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF agency IS DISTINCT FROM watchlist.acting_agency() AND agency IS NOT NULL THEN
		RAISE EXCEPTION 'this belongs to another agency'
			USING ERRCODE = 'insufficient_privilege', HINT = 'That agency can change it; if you act for it, too, set watchlist.agency.';
	END IF;
END
$$;

CREATE FUNCTION require_reason(purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(purpose, '') !~ '\S' OR coalesce(case_reference, '') !~ '\S' THEN
		RAISE EXCEPTION 'a purpose and a case are needed'
			USING ERRCODE = 'not_null_violation', DETAIL = 'They are kept in the log.';
	END IF;
END
$$;

CREATE FUNCTION country() RETURNS text
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
BEGIN
	SELECT c.country INTO name FROM watchlist.this_country c;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'it is not known which country this is'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'Insert its name into watchlist.this_country.';
	END IF;
	RETURN name;
END
$$;

-- What a duty may do.  grant_duty() grants it to a role; nothing is granted otherwise.
CREATE TABLE duty_rights (
	duty text NOT NULL CHECK (duty IN ('officer', 'curator', 'releaser', 'examiner', 'supervisor', 'auditor', 'operator', 'analyst', 'partner')),
	"right" text NOT NULL,
	object text NOT NULL,
	PRIMARY KEY (duty, object)
);

-- ---------------------------------------------------------------------------
-- the log
-- ---------------------------------------------------------------------------

-- The key of keyed hashes, made when it is first needed.  Who may read the log
-- cannot guess from a hash whose template it is of: that takes the key.
CREATE TABLE secrets (
	id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
	key bytea NOT NULL
);

CREATE FUNCTION make_key() RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO watchlist.secrets (key) VALUES (gen_random_bytes(32)) ON CONFLICT DO NOTHING;
END;

-- HMAC-SHA-256 (RFC 2104)
CREATE FUNCTION authenticate(data bytea, key bytea) RETURNS bytea
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT hmac(data, key, 'sha256');
END;

CREATE FUNCTION keyed_hash(data bytea) RETURNS bytea
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.secrets) THEN
		PERFORM watchlist.make_key();
	END IF;
	RETURN watchlist.authenticate(data, (SELECT s.key FROM watchlist.secrets s));
END
$$;

-- Numbers are given when a transaction has its own number already: see seal_log.
CREATE SEQUENCE log_numbers;
CREATE TABLE log (
	entry bigint PRIMARY KEY,
	at timestamptz NOT NULL,
	login name NOT NULL,
	caller name NOT NULL,
	agency text,
	action text NOT NULL CHECK (action IN ('search', 'past search', 'partner search', 'view', 'disclosure', 'refusal',
		'enrolment', 'list', 'release', 'review', 'link', 'purge', 'duty')),
	purpose text NOT NULL CHECK (purpose ~ '\S'),
	case_reference text NOT NULL CHECK (case_reference ~ '\S'),
	partner text,
	lists text[],
	reference text,
	search bigint,
	encounter bigint,
	best_score numeric,
	fpir float8,
	verdict text,
	probe_hash bytea,	-- keyed_hash of the hashes of the templates searched with
	detail text,
	mac bytea NOT NULL	-- keyed_hash of log_line()
);
CREATE INDEX log_at ON log USING brin (at);
CREATE INDEX log_reference ON log (reference) WHERE reference IS NOT NULL;

-- An entry as text, the same under all settings
CREATE FUNCTION log_line(entry log) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT jsonb_build_array(entry.entry, extract(epoch FROM entry.at), entry.login, entry.caller, entry.agency, entry.action,
		entry.purpose, entry.case_reference, entry.partner, entry.lists, entry.reference, entry.search, entry.encounter,
		entry.best_score, entry.fpir, entry.verdict, encode(entry.probe_hash, 'hex'), entry.detail)::text;
END;

CREATE FUNCTION complete_entry() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine text[] := ARRAY(SELECT watchlist.caller_agencies());
BEGIN
	-- it comes with a dump; only the owner can say so
	IF NEW.mac IS NOT NULL AND NOT current_setting('check_function_bodies')::boolean THEN
		RETURN NEW;
	END IF;
	PERFORM pg_current_xact_id();
	NEW.entry := nextval('watchlist.log_numbers');
	NEW.at := clock_timestamp();
	NEW.login := session_user;
	NEW.caller := watchlist.caller();
	NEW.agency := CASE WHEN cardinality(mine) = 1 THEN mine[1]
					   WHEN current_setting('watchlist.agency', true) = ANY (mine) THEN current_setting('watchlist.agency', true) END;
	NEW.mac := watchlist.keyed_hash(convert_to(watchlist.log_line(NEW), 'UTF8'));
	RETURN NEW;
END
$$;
CREATE TRIGGER complete_entry BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION complete_entry();

-- Rows that are never changed.  Only the purge takes rows away, never of the log.
CREATE FUNCTION refuse_change() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' AND TG_TABLE_NAME <> 'log' AND current_setting('watchlist.purging', true) = 'on'
	   AND EXISTS (SELECT FROM pg_class c WHERE c.oid = TG_RELID AND pg_get_userbyid(c.relowner) = current_user) THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'rows of table "%" are never changed', TG_TABLE_NAME
		USING ERRCODE = 'insufficient_privilege', HINT = 'Add a row that corrects it.';
END
$$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON log FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO log (action, purpose, case_reference, partner, lists, reference, detail)
	SELECT CASE WHEN d.what LIKE 'search%' THEN 'partner search' ELSE 'disclosure' END, d.purpose, d.case_reference, d.partner,
		   CASE WHEN d.list IS NOT NULL THEN ARRAY[d.list] END, d.reference, d.what
	FROM disclosures d ORDER BY d.disclosure;
DROP TABLE disclosures;

-- what partners learnt, and what they asked in vain
CREATE VIEW disclosures AS
	SELECT l.entry AS disclosure, l.at, l.partner, l.lists[1] AS list, l.reference, 
		   CASE WHEN l.action = 'refusal' THEN 'refused: ' || l.detail ELSE l.detail END AS what, l.purpose, l.case_reference
	FROM log l WHERE l.partner IS NOT NULL AND l.action IN ('partner search', 'disclosure', 'refusal');

-- ---------------------------------------------------------------------------
-- agencies and duties
-- ---------------------------------------------------------------------------

CREATE FUNCTION add_agency(agency text, member regrole) RETURNS void
	LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO watchlist.agencies (agency, member) SELECT add_agency.agency, r.rolname FROM pg_catalog.pg_roles r WHERE r.oid = member;
	INSERT INTO watchlist.log (action, purpose, case_reference, detail) VALUES ('duty', 'administration', 'agency', 'agency ' || add_agency.agency);
END;

CREATE FUNCTION grant_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantee name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = role);
	rights record;
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.duty_rights d WHERE d.duty = grant_duty.duty) THEN
		RAISE EXCEPTION 'there is no duty "%"', grant_duty.duty
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = format('Duties are: %s.', (SELECT string_agg(DISTINCT d.duty, ', ') FROM watchlist.duty_rights d));
	END IF;
	EXECUTE format('GRANT USAGE ON SCHEMA watchlist TO %I', grantee);
	FOR rights IN SELECT * FROM watchlist.duty_rights d WHERE d.duty = grant_duty.duty LOOP
		EXECUTE format('GRANT %s ON %s TO %I', rights."right", rights.object, grantee);
	END LOOP;
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		VALUES ('duty', 'administration', 'duty', grantee, 'granted ' || grant_duty.duty);
END
$$;

CREATE FUNCTION revoke_duty(duty text, role regrole) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grantee name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = role);
	rights record;
BEGIN
	FOR rights IN SELECT * FROM watchlist.duty_rights d WHERE d.duty = revoke_duty.duty LOOP
		EXECUTE format('REVOKE %s ON %s FROM %I', rights."right", rights.object, grantee);
	END LOOP;
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		VALUES ('duty', 'administration', 'duty', grantee, 'revoked ' || revoke_duty.duty);
END
$$;

-- ---------------------------------------------------------------------------
-- captures: records as they come
-- ---------------------------------------------------------------------------

-- What is too poor to be enrolled, or to be searched with; without a row: 12
-- minutiae, 911 usable bits.  Quality 0 is "not reported" and passes.
CREATE TABLE quality_gate (
	stage text NOT NULL CHECK (stage IN ('enrolment', 'search')),
	kind text NOT NULL CHECK (kind IN ('finger', 'eye')),
	least_quality integer NOT NULL DEFAULT 0,
	least_size integer NOT NULL,	-- minutiae, usable bits
	PRIMARY KEY (stage, kind)
);

CREATE FUNCTION too_poor(stage text, kind text, quality integer, size integer) RETURNS text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE WHEN size < g.least_size THEN format(CASE kind WHEN 'finger' THEN '%s minutiae, of at least %s' ELSE '%s usable bits, of at least %s' END, size, g.least_size)
				WHEN quality BETWEEN 1 AND g.least_quality - 1 THEN format('quality %s, of at least %s', quality, g.least_quality) END
	FROM (SELECT coalesce(max(q.least_size), CASE too_poor.kind WHEN 'finger' THEN 12 ELSE 911 END) AS least_size, coalesce(max(q.least_quality), 0) AS least_quality
		  FROM watchlist.quality_gate q WHERE q.stage = too_poor.stage AND q.kind = too_poor.kind) g;
END;

-- How long encounters are kept; without a row, until somebody sets retain_until.
CREATE TABLE retention (
	kind text PRIMARY KEY CHECK (kind IN ('encounter', 'person')),
	keep interval NOT NULL
);

CREATE TYPE capture AS (
	kind text,
	record integer,		-- of those of its kind, from 1
	"position" text,
	print fingerprint,
	eye iris,
	quality smallint,
	size integer,		-- minutiae, usable bits
	problem text,		-- why it cannot be used; then no template
	record_hash bytea
);

CREATE FUNCTION fingers_of_record(record bytea) RETURNS SETOF capture
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT 'finger', NULL::integer, coalesce(nullif(finger_position(f), 0)::text, 'unknown'), f, NULL::iris, quality(f),
		   minutia_count(f)::integer, NULL::text, f::bytea
	FROM fingerprints(record) f;
END;

CREATE FUNCTION eye_of_record(record text) RETURNS capture
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT ROW('eye', NULL::integer, eye(e), NULL::fingerprint, e, NULL::smallint, usable_bits(e), NULL::text, convert_to(e::text, 'UTF8'))::capture
	FROM (SELECT record::iris AS e) i;
END;

-- Every view of every record, usable for a stage or not.  Nothing that a record
-- holds raises an error: what is wrong with it is said in problem.
CREATE FUNCTION read_captures(stage text, fingers bytea[], eyes text[]) RETURNS SETOF capture
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	most_records CONSTANT integer := 40;	-- identify() takes 100 probes
	most_bytes CONSTANT integer := 1000000;
	seen bytea[] := '{}';
	captures watchlist.capture[];
	c watchlist.capture;
	message text;
	detail text;
BEGIN
	IF coalesce(cardinality(fingers), 0) > most_records OR coalesce(cardinality(eyes), 0) > most_records THEN
		RAISE EXCEPTION 'more than % records', most_records
			USING ERRCODE = 'program_limit_exceeded', HINT = 'Send the best of them, or enrol them in several calls.';
	END IF;
	-- arrays may begin anywhere and have any dimensions
	fingers := ARRAY(SELECT unnest(fingers));
	eyes := ARRAY(SELECT unnest(eyes));
	FOR n IN 1 .. cardinality(fingers) + cardinality(eyes) LOOP
		captures := NULL;
		c := NULL;
		BEGIN
			IF n <= cardinality(fingers) THEN
				c.kind := 'finger';
				c.record := n;
				IF fingers[n] IS NULL THEN
					c.problem := 'nothing was captured';
				ELSIF octet_length(fingers[n]) > most_bytes THEN
					c.problem := 'the record is too long';
				ELSE
					c.record_hash := fingers[n];
					captures := ARRAY(SELECT watchlist.fingers_of_record(fingers[n]));
				END IF;
			ELSE
				c.kind := 'eye';
				c.record := n - cardinality(fingers);
				IF eyes[c.record] IS NULL THEN
					c.problem := 'nothing was captured';
				ELSIF octet_length(eyes[c.record]) > most_bytes THEN
					c.problem := 'the record is too long';
				ELSE
					c.record_hash := convert_to(eyes[c.record], 'UTF8');
					captures := ARRAY[watchlist.eye_of_record(eyes[c.record])];
				END IF;
			END IF;
		EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
			-- these messages never hold what a template does
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			c.problem := message || CASE WHEN detail <> '' THEN ': ' || detail ELSE '' END;
			captures := NULL;
		END;
		IF captures IS NULL THEN
			IF c.record_hash IS NOT NULL THEN
				c.record_hash := watchlist.keyed_hash(c.record_hash);
			END IF;
			RETURN NEXT c;
			CONTINUE;
		END IF;
		FOR i IN 1 .. cardinality(captures) LOOP
			c.position := captures[i].position;
			c.quality := captures[i].quality;
			c.size := captures[i].size;
			c.record_hash := watchlist.keyed_hash(captures[i].record_hash);
			c.problem := CASE WHEN c.record_hash = ANY (seen) THEN 'the same capture came before'
							  WHEN cardinality(seen) >= 2 * most_records THEN 'too many captures'
							  ELSE watchlist.too_poor(stage, c.kind, c.quality, c.size) END;
			c.print := CASE WHEN c.problem IS NULL THEN captures[i].print END;
			c.eye := CASE WHEN c.problem IS NULL THEN captures[i].eye END;
			seen := seen || c.record_hash;
			RETURN NEXT c;
		END LOOP;
	END LOOP;
END
$$;

-- ---------------------------------------------------------------------------
-- persons and what is enrolled of them
-- ---------------------------------------------------------------------------

ALTER TABLE persons
	ADD agency text REFERENCES agencies,
	ADD retain_until date,
	ADD version bigint NOT NULL DEFAULT 0;	-- counts changes of what is searchable: see refresh_gallery

CREATE TABLE enrolments (
	person bigint NOT NULL REFERENCES persons ON DELETE CASCADE,
	number integer NOT NULL,
	kind text NOT NULL CHECK (kind IN ('finger', 'eye')),
	"position" text,
	print fingerprint,
	eye iris,
	quality smallint,
	size integer,
	state text NOT NULL CHECK (state IN ('enrolled', 'refused', 'withdrawn')),
	problem text,
	record_hash bytea,
	agency text REFERENCES agencies,
	enrolled_by name NOT NULL DEFAULT caller(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	encounter bigint,
	PRIMARY KEY (person, number),
	CHECK (num_nonnulls(print, eye) = CASE state WHEN 'enrolled' THEN 1 ELSE 0 END),
	CHECK (problem IS NOT NULL OR state = 'enrolled')
);
CREATE INDEX enrolments_print ON enrolments USING biometric (print);
CREATE INDEX enrolments_eye ON enrolments USING biometric (eye);

-- Of his agency, or on a list that he sees.
CREATE FUNCTION person_is_visible(person persons) RETURNS boolean
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN person.agency IS NULL OR person.agency IN (SELECT watchlist.caller_agencies()) OR EXISTS (
		SELECT FROM watchlist.list_entries e
		WHERE e.person = person_is_visible.person.person AND (e.expires IS NULL OR e.expires >= current_date)
		  AND watchlist.may_see(watchlist.country(), e.list));
END
$$;

-- Whom the caller may not see is not there for him.
CREATE FUNCTION find_person(reference text) RETURNS persons
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	SELECT * INTO who FROM watchlist.persons p WHERE p.reference = find_person.reference;
	IF NOT FOUND OR NOT watchlist.person_is_visible(who) THEN
		RAISE EXCEPTION 'there is no person "%"', find_person.reference
			USING ERRCODE = 'no_data_found', HINT = 'add_person() makes one.';
	END IF;
	RETURN who;
END
$$;

CREATE FUNCTION add_person(name text, born date, purpose text, case_reference text, caveat text DEFAULT NULL,
		reference text DEFAULT NULL, retain_until date DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	INSERT INTO watchlist.persons AS p (reference, name, born, caveat, agency, retain_until)
		VALUES (coalesce(add_person.reference, gen_random_uuid()::text), add_person.name, add_person.born, add_person.caveat,
				watchlist.acting_agency(),
				coalesce(add_person.retain_until, (SELECT (current_date + r.keep)::date FROM watchlist.retention r WHERE r.kind = 'person')))
		RETURNING p.reference INTO add_person.reference;
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		VALUES ('enrolment', add_person.purpose, add_person.case_reference, add_person.reference, 'person added');
	RETURN add_person.reference;
END
$$;

-- Store what can be searched; the rest is kept as a refusal with its reason.
CREATE FUNCTION store_enrolments(person bigint, captures capture[], encounter bigint)
	RETURNS TABLE (number integer, kind text, "position" text, state text, problem text)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET check_function_bodies = on
AS $$
#variable_conflict use_column
DECLARE
	last integer;
BEGIN
	-- one after the other
	PERFORM FROM watchlist.persons p WHERE p.person = store_enrolments.person FOR NO KEY UPDATE;
	SELECT coalesce(max(e.number), 0) INTO last FROM watchlist.enrolments e WHERE e.person = store_enrolments.person;
	RETURN QUERY
		WITH judged AS (
			SELECT c.*, coalesce(c.problem, watchlist.too_poor('enrolment', c.kind, c.quality, c.size), 'the same capture is enrolled as number ' || k.number) AS refused
			FROM unnest(captures) WITH ORDINALITY c
				 LEFT JOIN watchlist.enrolments k ON k.person = store_enrolments.person AND k.record_hash = c.record_hash AND k.state = 'enrolled'),
		stored AS (
			INSERT INTO watchlist.enrolments AS n (person, number, kind, position, print, eye, quality, size, state, problem, record_hash, agency, encounter)
			SELECT store_enrolments.person, last + j.ordinality::integer, j.kind, j.position,
				   CASE WHEN j.refused IS NULL THEN j.print END, CASE WHEN j.refused IS NULL THEN j.eye END, j.quality, j.size,
				   CASE WHEN j.refused IS NULL THEN 'enrolled' ELSE 'refused' END, j.refused, j.record_hash,
				   watchlist.acting_agency(), store_enrolments.encounter
			FROM judged j
			RETURNING n.number, n.kind, n.position, n.state, n.problem)
		SELECT * FROM stored s ORDER BY s.number;
END
$$;

CREATE FUNCTION enrol(reference text, fingers bytea[], eyes text[], purpose text, case_reference text)
	RETURNS TABLE (number integer, kind text, "position" text, state text, problem text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.require_agency(who.agency);
	RETURN QUERY
		SELECT * FROM watchlist.store_enrolments(who.person, ARRAY(SELECT watchlist.read_captures('enrolment', fingers, eyes)), NULL);
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		SELECT 'enrolment', enrol.purpose, enrol.case_reference, enrol.reference,
			   format('%s enrolled, %s refused', count(*) FILTER (WHERE e.state = 'enrolled'), count(*) FILTER (WHERE e.state = 'refused'))
		FROM watchlist.enrolments e WHERE e.person = who.person AND e.at >= statement_timestamp();
END
$$;

-- The captures of an encounter become enrolments of a person.
CREATE FUNCTION enrol_encounter(reference text, encounter bigint, purpose text, case_reference text)
	RETURNS TABLE (number integer, kind text, "position" text, state text, problem text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	who watchlist.persons := watchlist.find_person(enrol_encounter.reference);
BEGIN
	PERFORM watchlist.require_reason(enrol_encounter.purpose, enrol_encounter.case_reference);
	PERFORM watchlist.require_agency(who.agency);
	PERFORM watchlist.require_agency(watchlist.find_encounter_agency(enrol_encounter.encounter));
	RETURN QUERY
		SELECT * FROM watchlist.store_enrolments(who.person,
			ARRAY(SELECT ROW(i.kind, i.record, i.position, i.print, i.eye, i.quality, i.size, i.problem, i.record_hash)::watchlist.capture
				  FROM watchlist.encounter_items i WHERE i.encounter = enrol_encounter.encounter ORDER BY i.item),
			enrol_encounter.encounter);
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, encounter, detail)
		VALUES ('enrolment', enrol_encounter.purpose, enrol_encounter.case_reference, enrol_encounter.reference, enrol_encounter.encounter, 'from an encounter');
END
$$;

-- A template that is not to be searched any more; that there was one stays known.
CREATE FUNCTION withdraw_enrolment(reference text, number integer, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.require_agency(who.agency);
	UPDATE watchlist.enrolments e SET state = 'withdrawn', problem = withdraw_enrolment.purpose, print = NULL, eye = NULL
		WHERE e.person = who.person AND e.number = withdraw_enrolment.number AND e.state = 'enrolled';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'nothing is enrolled as number %', withdraw_enrolment.number
			USING ERRCODE = 'no_data_found', HINT = 'enrol() returns the numbers.';
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		VALUES ('enrolment', withdraw_enrolment.purpose, withdraw_enrolment.case_reference, withdraw_enrolment.reference, 'withdrawn: number ' || withdraw_enrolment.number);
END
$$;

-- Who is behind a reference of ours.
CREATE FUNCTION view_person(reference text, purpose text, case_reference text)
	RETURNS TABLE (name text, born date, caveat text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	SELECT * INTO who FROM watchlist.persons p WHERE p.reference = view_person.reference AND watchlist.person_is_visible(p);
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, detail)
		VALUES ('view', view_person.purpose, view_person.case_reference, view_person.reference,
				CASE WHEN who.person IS NULL THEN 'person: nothing to see' ELSE 'person' END);
	IF who.person IS NOT NULL THEN
		RETURN QUERY SELECT who.name, who.born, who.caveat;
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- lists
-- ---------------------------------------------------------------------------

-- Ours, and what we know of those that partners send.  A list without a row
-- here was sent to us, and everybody sees it.
CREATE TABLE lists (
	owner text NOT NULL CHECK (owner !~ '/'),
	list text NOT NULL CHECK (list ~ '\S'),
	agency text REFERENCES agencies,	-- that keeps it
	title text,
	legal_basis text,
	caveats text[] NOT NULL DEFAULT '{}',
	open boolean NOT NULL DEFAULT false,	-- to all agencies
	version bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (owner, list)
);

-- to whom it is open otherwise
CREATE TABLE list_readers (
	owner text NOT NULL,
	list text NOT NULL,
	agency text NOT NULL REFERENCES agencies,
	PRIMARY KEY (owner, list, agency),
	FOREIGN KEY (owner, list) REFERENCES lists ON DELETE CASCADE
);

-- who is on ours
CREATE TABLE list_entries (
	list text NOT NULL,
	person bigint NOT NULL REFERENCES persons ON DELETE CASCADE,
	reason text NOT NULL CHECK (reason ~ '\S'),
	caveats text[] NOT NULL DEFAULT '{}',
	withheld_from text[] NOT NULL DEFAULT '{}',	-- partners who do not get it, whatever the rules
	added_by name NOT NULL DEFAULT caller(),
	added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires date,
	PRIMARY KEY (list, person)
);
CREATE INDEX list_entries_person ON list_entries (person);

-- which of ours goes to whom: sent, or only to be asked
CREATE TABLE release_rules (
	list text NOT NULL,
	partner text NOT NULL CHECK (partner ~ '\S' AND partner !~ '/'),
	sent boolean NOT NULL,
	caveats text[] NOT NULL DEFAULT '{}',
	until date,
	reason text NOT NULL CHECK (reason ~ '\S'),
	decided_by name NOT NULL DEFAULT caller(),
	decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (list, partner)
);

CREATE FUNCTION list_is_visible(owner text, list text, agencies text[]) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(
		(SELECT l.open OR l.agency IS NULL OR l.agency = ANY (agencies)
				OR EXISTS (SELECT FROM watchlist.list_readers r WHERE r.owner = l.owner AND r.list = l.list AND r.agency = ANY (agencies))
		 FROM watchlist.lists l WHERE l.owner = list_is_visible.owner AND l.list = list_is_visible.list), true);
END;

CREATE FUNCTION may_see(owner text, list text) RETURNS boolean
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT watchlist.list_is_visible(owner, list, ARRAY(SELECT watchlist.caller_agencies()));
END;

-- ---------------------------------------------------------------------------
-- the gallery: shared_templates
--
-- What is searched, and what is sent: a row for each template, list and
-- country that may search it, ours included.  Rows of our lists follow from
-- enrolments, entries and rules; refresh_gallery() makes them do so.
-- ---------------------------------------------------------------------------

DROP FUNCTION search_for_partner, search_shared, shared_size, shared_owners, search_encounters, check_traveller, search_past_encounters;
DROP POLICY partner ON shared_templates;
DROP INDEX shared_templates_reference;
ALTER TABLE shared_templates
	ADD CHECK (owner !~ '/'),
	ADD subject text NOT NULL GENERATED ALWAYS AS (owner || '/' || reference) STORED,
	ADD catalogue text NOT NULL GENERATED ALWAYS AS (owner || '/' || list) STORED;
CREATE INDEX shared_templates_subject ON shared_templates (subject);

-- How many persons each list holds, those that still wait among arrivals left
-- out.  Never less than there are, lest a false match rate be understated;
-- recount_gallery() makes it exact.  Also the directory of what is there.
CREATE TABLE gallery_sizes (
	owner text NOT NULL,
	partner text NOT NULL,
	list text NOT NULL,
	persons bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (partner, owner, list)
);

-- what it should hold
CREATE FUNCTION count_gallery() RETURNS SETOF gallery_sizes
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT t.owner, t.partner, t.list,
		   count(DISTINCT t.reference) FILTER (WHERE NOT EXISTS (
			SELECT FROM watchlist.arrivals a WHERE (a.owner, a.partner, a.list, a.reference) = (t.owner, t.partner, t.list, t.reference)))
	FROM watchlist.shared_templates t GROUP BY t.owner, t.partner, t.list;
END;
INSERT INTO gallery_sizes SELECT * FROM count_gallery();

CREATE FUNCTION gallery_size(partner text, catalogues text[]) RETURNS bigint
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce((SELECT sum(s.persons) FROM watchlist.gallery_sizes s
					 WHERE s.partner = gallery_size.partner AND s.owner || '/' || s.list = ANY (catalogues)), 0)::bigint
		 + (SELECT count(*) FROM watchlist.arrivals a
			WHERE a.partner = gallery_size.partner AND a.owner || '/' || a.list = ANY (catalogues));
END;

CREATE FUNCTION recount_gallery() RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- those who count meanwhile come before or after
	LOCK TABLE watchlist.gallery_sizes IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM watchlist.gallery_sizes s
		WHERE NOT EXISTS (SELECT FROM watchlist.shared_templates t WHERE (t.owner, t.partner, t.list) = (s.owner, s.partner, s.list));
	UPDATE watchlist.gallery_sizes s SET persons = c.persons
		FROM watchlist.count_gallery() c WHERE (c.owner, c.partner, c.list) = (s.owner, s.partner, s.list) AND s.persons <> c.persons;
END
$$;

-- the lists that the caller searches
CREATE FUNCTION my_catalogues() RETURNS SETOF text
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT s.owner || '/' || s.list FROM watchlist.gallery_sizes s
	WHERE s.partner = watchlist.country() AND watchlist.may_see(s.owner, s.list);
END;

-- The lists that an analyst sees in the gallery: who may execute my_catalogues().
CREATE FUNCTION analyst_catalogues() RETURNS SETOF text
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT c FROM watchlist.my_catalogues() c WHERE has_function_privilege(watchlist.caller(), 'watchlist.my_catalogues()', 'EXECUTE');
END;

-- A partner sees what is sent to it, an analyst the lists of his agency.
CREATE POLICY partner ON shared_templates FOR SELECT USING (partner = session_user AND sent);
CREATE POLICY analyst ON shared_templates FOR SELECT
	USING (partner = (SELECT country()) AND catalogue = ANY (ARRAY(SELECT analyst_catalogues())));

-- What the gallery holds of our lists when it is right.
CREATE VIEW due_templates AS
	SELECT c.country AS owner, r.partner, e.list, p.reference, n.number AS item, r.sent, n.print, n.eye,
		   nullif(array_to_string(CASE WHEN r.partner = c.country THEN array_append(l.caveats || e.caveats, p.caveat)
									   ELSE r.caveats || l.caveats || e.caveats END, '; '), '') AS caveat,
		   least(e.expires, r.until) AS expires, p.person
	FROM this_country c
		 JOIN lists l ON l.owner = c.country
		 JOIN list_entries e ON e.list = l.list
		 JOIN persons p ON p.person = e.person
		 JOIN enrolments n ON n.person = p.person AND n.state = 'enrolled'
		 CROSS JOIN LATERAL (
			SELECT c.country AS partner, false AS sent, '{}'::text[] AS caveats, NULL::date AS until
			UNION ALL
			SELECT u.partner, u.sent, u.caveats, u.until FROM release_rules u
			WHERE u.list = e.list AND u.partner <> ALL (e.withheld_from) AND u.partner <> c.country) r
	WHERE least(e.expires, r.until) IS NULL OR least(e.expires, r.until) >= current_date;

CREATE FUNCTION replace_rows(persons bigint[]) RETURNS TABLE (partner text, list text, reference text, sent boolean, added boolean)
	LANGUAGE sql
BEGIN ATOMIC
	WITH due AS MATERIALIZED (SELECT * FROM watchlist.due_templates d WHERE d.person = ANY (persons)),
	gone AS (
		DELETE FROM watchlist.shared_templates s
		USING watchlist.this_country c, watchlist.persons p
		WHERE p.person = ANY (persons) AND s.subject = c.country || '/' || p.reference
		  AND NOT EXISTS (SELECT FROM due d
						  WHERE (d.owner, d.partner, d.sent, d.list, d.reference, d.item) = (s.owner, s.partner, s.sent, s.list, s.reference, s.item))
		RETURNING s.partner, s.list, s.reference, s.sent),
	came AS (
		INSERT INTO watchlist.shared_templates AS s (owner, partner, list, reference, item, sent, print, eye, caveat, expires)
		SELECT d.owner, d.partner, d.list, d.reference, d.item, d.sent, d.print, d.eye, d.caveat, d.expires FROM due d
		ON CONFLICT (owner, partner, sent, list, reference, item) DO UPDATE
			SET print = EXCLUDED.print, eye = EXCLUDED.eye, caveat = EXCLUDED.caveat, expires = EXCLUDED.expires
			WHERE (s.print::text, s.eye::text, s.caveat, s.expires)
				IS DISTINCT FROM (EXCLUDED.print::text, EXCLUDED.eye::text, EXCLUDED.caveat, EXCLUDED.expires)
		RETURNING s.partner, s.list, s.reference, s.sent)
	SELECT g.partner, g.list, g.reference, g.sent, false FROM gone g
	UNION
	SELECT k.partner, k.list, k.reference, k.sent, true FROM came k;
END;

-- Bring the gallery into line for some persons, or all: how many changed.  The
-- triggers call it; a job does so daily, since entries and rules expire.
--
-- Who changes anything of a person takes the person's row first, so that of two
-- who do it at the same time the second sees what the first did (or, in a
-- snapshot that is too old to, fails to serialize).
CREATE FUNCTION refresh_gallery(persons bigint[] DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET check_function_bodies = on
AS $$
DECLARE
	changed bigint;
BEGIN
	IF persons IS NULL THEN
		persons := ARRAY(SELECT p.person FROM watchlist.persons p);
	END IF;
	PERFORM FROM watchlist.persons p WHERE p.person = ANY (persons) ORDER BY p.person FOR NO KEY UPDATE;
	UPDATE watchlist.persons p SET version = version + 1 WHERE p.person = ANY (persons);
	WITH done AS MATERIALIZED (SELECT * FROM watchlist.replace_rows(persons)),
	told AS (
		INSERT INTO watchlist.log (action, purpose, case_reference, partner, lists, reference, detail)
		SELECT 'disclosure', 'release rule', d.list, d.partner, ARRAY[d.list], d.reference, CASE WHEN bool_or(d.added) THEN 'sent' ELSE 'withdrawn' END
		FROM done d WHERE d.sent GROUP BY d.partner, d.list, d.reference ORDER BY d.partner, d.list, d.reference)
	SELECT count(DISTINCT d.reference) INTO changed FROM done d;
	RETURN changed;
END
$$;

-- after changes of enrolments and entries: table "changed" has the rows
CREATE FUNCTION gallery_follows() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.refresh_gallery(ARRAY(SELECT DISTINCT c.person FROM changed c));
	RETURN NULL;
END
$$;
-- WHEN cannot be said of a statement's rows, but of the session
CREATE TRIGGER gallery_follows_insert AFTER INSERT ON enrolments REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT WHEN (current_setting('check_function_bodies')::boolean) EXECUTE FUNCTION gallery_follows();
CREATE TRIGGER gallery_follows_update AFTER UPDATE ON enrolments REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION gallery_follows();
CREATE TRIGGER gallery_follows_delete AFTER DELETE ON enrolments REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION gallery_follows();
CREATE TRIGGER gallery_follows_insert AFTER INSERT ON list_entries REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT WHEN (current_setting('check_function_bodies')::boolean) EXECUTE FUNCTION gallery_follows();
CREATE TRIGGER gallery_follows_update AFTER UPDATE ON list_entries REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION gallery_follows();
CREATE TRIGGER gallery_follows_delete AFTER DELETE ON list_entries REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION gallery_follows();

-- Rules reach all persons of a list.  The list's row is taken first:
-- add_to_list() takes it, too.
CREATE FUNCTION list_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE watchlist.lists l SET version = version + 1
		FROM watchlist.this_country c WHERE l.owner = c.country AND l.list IN (SELECT r.list FROM changed r);
	PERFORM watchlist.refresh_gallery(ARRAY(
		SELECT DISTINCT e.person FROM watchlist.list_entries e WHERE e.list IN (SELECT r.list FROM changed r)));
	RETURN NULL;
END
$$;
CREATE TRIGGER list_changed_insert AFTER INSERT ON release_rules REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT WHEN (current_setting('check_function_bodies')::boolean) EXECUTE FUNCTION list_changed();
CREATE TRIGGER list_changed_update AFTER UPDATE ON release_rules REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION list_changed();
CREATE TRIGGER list_changed_delete AFTER DELETE ON release_rules REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION list_changed();

CREATE FUNCTION person_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' OR NEW.reference <> OLD.reference THEN
		DELETE FROM watchlist.shared_templates s
			USING watchlist.this_country c WHERE s.subject = c.country || '/' || OLD.reference AND s.owner = c.country;
	END IF;
	IF TG_OP = 'UPDATE' THEN
		PERFORM watchlist.refresh_gallery(ARRAY[NEW.person]);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER person_changed AFTER DELETE OR UPDATE OF reference, caveat ON persons FOR EACH ROW EXECUTE FUNCTION person_changed();

-- Whoever changes what reaches all persons of the list waits for those who put
-- persons on it, and they for him.
CREATE FUNCTION own_list(list text, change boolean DEFAULT false) RETURNS lists
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	IF change THEN
		SELECT * INTO kept FROM watchlist.lists l WHERE l.owner = watchlist.country() AND l.list = own_list.list FOR NO KEY UPDATE;
	ELSE
		SELECT * INTO kept FROM watchlist.lists l WHERE l.owner = watchlist.country() AND l.list = own_list.list FOR SHARE;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no list "%"', own_list.list USING ERRCODE = 'no_data_found', HINT = 'create_list() makes one.';
	END IF;
	PERFORM watchlist.require_agency(kept.agency);
	RETURN kept;
END
$$;

CREATE FUNCTION create_list(list text, title text, legal_basis text, purpose text, case_reference text,
		caveats text[] DEFAULT '{}', open boolean DEFAULT false) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF coalesce(legal_basis, '') !~ '\S' THEN
		RAISE EXCEPTION 'a list needs a legal basis' USING ERRCODE = 'not_null_violation', HINT = 'Name the act or agreement that allows it.';
	END IF;
	INSERT INTO watchlist.lists (owner, list, agency, title, legal_basis, caveats, open)
		VALUES (watchlist.country(), create_list.list, watchlist.acting_agency(), create_list.title, create_list.legal_basis,
				coalesce(create_list.caveats, '{}'), create_list.open);
	INSERT INTO watchlist.log (action, purpose, case_reference, lists, detail)
		VALUES ('list', create_list.purpose, create_list.case_reference, ARRAY[create_list.list], 'created');
END
$$;

CREATE FUNCTION open_list_to(list text, agency text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.own_list(list);
	INSERT INTO watchlist.list_readers (owner, list, agency)
		VALUES (watchlist.country(), open_list_to.list, open_list_to.agency) ON CONFLICT DO NOTHING;
	INSERT INTO watchlist.log (action, purpose, case_reference, lists, detail)
		VALUES ('list', open_list_to.purpose, open_list_to.case_reference, ARRAY[open_list_to.list], 'opened to ' || open_list_to.agency);
END
$$;

CREATE FUNCTION add_to_list(list text, reference text, reason text, case_reference text, caveats text[] DEFAULT '{}',
		withheld_from text[] DEFAULT '{}', expires date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET check_function_bodies = on
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.own_list(list);
	IF expires < current_date THEN
		RAISE EXCEPTION 'the entry would have expired already'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'The last day may be today or later.';
	END IF;
	INSERT INTO watchlist.list_entries (list, person, reason, caveats, withheld_from, expires)
		VALUES (add_to_list.list, who.person, add_to_list.reason, coalesce(add_to_list.caveats, '{}'),
				coalesce(add_to_list.withheld_from, '{}'), add_to_list.expires)
		ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'person "%" is on list "%" already', add_to_list.reference, add_to_list.list USING ERRCODE = 'unique_violation';
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, lists, reference, detail)
		VALUES ('list', add_to_list.reason, add_to_list.case_reference, ARRAY[add_to_list.list], add_to_list.reference, 'added');
END
$$;

CREATE FUNCTION remove_from_list(list text, reference text, reason text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.own_list(list);
	DELETE FROM watchlist.list_entries e WHERE e.list = remove_from_list.list AND e.person = who.person;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'person "%" is not on list "%"', remove_from_list.reference, remove_from_list.list USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, lists, reference, detail)
		VALUES ('list', remove_from_list.reason, remove_from_list.case_reference, ARRAY[remove_from_list.list], remove_from_list.reference, 'removed');
END
$$;

-- From now on a list of ours goes to a partner: sent, or only to be asked.
CREATE FUNCTION release_list(list text, partner text, sent boolean, reason text, case_reference text,
		caveats text[] DEFAULT '{}', until date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET check_function_bodies = on
AS $$
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.own_list(list, true);
	INSERT INTO watchlist.log (action, purpose, case_reference, partner, lists, detail)
		VALUES ('release', release_list.reason, release_list.case_reference, release_list.partner, ARRAY[release_list.list],
				CASE WHEN release_list.sent THEN 'list is sent' ELSE 'list may be asked' END);
	INSERT INTO watchlist.release_rules AS r (list, partner, sent, caveats, until, reason)
		VALUES (release_list.list, release_list.partner, release_list.sent, coalesce(release_list.caveats, '{}'), release_list.until, release_list.reason)
		ON CONFLICT ON CONSTRAINT release_rules_pkey DO UPDATE
			SET sent = EXCLUDED.sent, caveats = EXCLUDED.caveats, until = EXCLUDED.until, reason = EXCLUDED.reason,
				decided_by = EXCLUDED.decided_by, decided_at = EXCLUDED.decided_at;
END
$$;

CREATE FUNCTION end_release(list text, partner text, reason text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.own_list(list, true);
	INSERT INTO watchlist.log (action, purpose, case_reference, partner, lists, detail)
		VALUES ('release', end_release.reason, end_release.case_reference, end_release.partner, ARRAY[end_release.list], 'list is not released any more');
	DELETE FROM watchlist.release_rules r WHERE r.list = end_release.list AND r.partner = end_release.partner;
END
$$;

-- ---------------------------------------------------------------------------
-- encounters
-- ---------------------------------------------------------------------------

ALTER TABLE encounters
	ALTER officer SET DEFAULT caller(),
	ADD agency text REFERENCES agencies,
	ADD place text,
	ADD retain_until date;

ALTER TABLE encounter_items
	ADD kind text CHECK (kind IN ('finger', 'eye')),
	ADD record integer,
	ADD "position" text,
	ADD quality smallint,
	ADD size integer,
	ADD problem text,
	ADD record_hash bytea,
	ADD CHECK (num_nonnulls(print, eye) = CASE WHEN problem IS NULL THEN 1 ELSE 0 END) NOT VALID;
UPDATE encounter_items SET kind = CASE WHEN print IS NULL THEN 'eye' ELSE 'finger' END;
ALTER TABLE encounter_items ALTER kind SET NOT NULL;

ALTER TABLE remote_searches
	DROP CONSTRAINT remote_searches_encounter_fkey,
	ADD FOREIGN KEY (encounter) REFERENCES encounters ON DELETE CASCADE;

ALTER TABLE enrolments ADD FOREIGN KEY (encounter) REFERENCES encounters ON DELETE SET NULL;
CREATE INDEX enrolments_encounter ON enrolments (encounter) WHERE encounter IS NOT NULL;

-- Which encounters were of which person.  A link that was wrong is ended, not erased.
CREATE TABLE encounter_links (
	link bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	encounter bigint NOT NULL REFERENCES encounters ON DELETE CASCADE,
	person bigint NOT NULL REFERENCES persons ON DELETE CASCADE,
	linked_by name NOT NULL DEFAULT caller(),
	linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	reason text NOT NULL CHECK (reason ~ '\S'),
	unlinked_by name,
	unlinked_at timestamptz,
	unlink_reason text CHECK (unlink_reason ~ '\S'),
	CHECK (num_nulls(unlinked_by, unlinked_at, unlink_reason) IN (0, 3))
);
CREATE UNIQUE INDEX encounter_links_active ON encounter_links (encounter) WHERE unlinked_at IS NULL;
CREATE INDEX encounter_links_encounter ON encounter_links (encounter);
CREATE INDEX encounter_links_person ON encounter_links (person);

CREATE FUNCTION find_encounter_agency(encounter bigint) RETURNS text
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	agency text;
BEGIN
	SELECT e.agency INTO agency FROM watchlist.encounters e WHERE e.encounter = find_encounter_agency.encounter;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no encounter %', encounter USING ERRCODE = 'no_data_found';
	END IF;
	RETURN agency;
END
$$;

CREATE FUNCTION link_encounter(encounter bigint, reference text, reason text, case_reference text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.require_agency(watchlist.find_encounter_agency(encounter));
	PERFORM FROM watchlist.encounters e WHERE e.encounter = link_encounter.encounter FOR UPDATE;
	IF EXISTS (SELECT FROM watchlist.encounter_links l WHERE l.encounter = link_encounter.encounter AND l.unlinked_at IS NULL) THEN
		RAISE EXCEPTION 'encounter % is linked already', link_encounter.encounter
			USING ERRCODE = 'unique_violation', HINT = 'Unlink it first, and say why.';
	END IF;
	INSERT INTO watchlist.encounter_links (encounter, person, reason)
		VALUES (link_encounter.encounter, who.person, link_encounter.reason) RETURNING link INTO number;
	INSERT INTO watchlist.log (action, purpose, case_reference, reference, encounter, detail)
		VALUES ('link', link_encounter.reason, link_encounter.case_reference, link_encounter.reference, link_encounter.encounter, 'linked');
	RETURN number;
END
$$;

CREATE FUNCTION unlink_encounter(encounter bigint, reason text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.require_agency(watchlist.find_encounter_agency(encounter));
	UPDATE watchlist.encounter_links l
		SET unlinked_by = watchlist.caller(), unlinked_at = clock_timestamp(), unlink_reason = unlink_encounter.reason
		WHERE l.encounter = unlink_encounter.encounter AND l.unlinked_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'encounter % is not linked', unlink_encounter.encounter USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, encounter, detail)
		VALUES ('link', unlink_encounter.reason, unlink_encounter.case_reference, unlink_encounter.encounter, 'unlinked');
END
$$;

-- ---------------------------------------------------------------------------
-- alerts
-- ---------------------------------------------------------------------------

-- Each agency that is concerned has an alert of its own, and acknowledges its own.
ALTER TABLE alerts
	ADD owner text,
	ADD agency text REFERENCES agencies;
DROP FUNCTION raise_alert;
CREATE FUNCTION raise_alert(kind text, owner text, list text, reference text, band text, score float8, encounter bigint) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	-- of a list, those who see it; of a partner's answer, the encounter's; of everything, whoever there is where no agencies are defined
	INSERT INTO watchlist.alerts (kind, owner, list, reference, band, score, encounter, agency)
		SELECT kind, raise_alert.owner, list, reference, band, score, encounter, a.agency
		FROM (SELECT g.agency FROM watchlist.agencies g UNION ALL SELECT NULL WHERE NOT EXISTS (SELECT FROM watchlist.agencies)) a
		WHERE CASE WHEN raise_alert.owner IS NOT NULL THEN watchlist.list_is_visible(raise_alert.owner, raise_alert.list, ARRAY[a.agency])
				   ELSE coalesce((SELECT e.agency FROM watchlist.encounters e WHERE e.encounter = raise_alert.encounter), a.agency) IS NOT DISTINCT FROM a.agency END
		ORDER BY a.agency;
	SELECT pg_notify('watchlist_alert', '');
END;

CREATE FUNCTION alert_concerns_caller(alert alerts) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT alert.agency IS NULL OR alert.agency IN (SELECT watchlist.caller_agencies());
END;

CREATE OR REPLACE FUNCTION undelivered_alerts(max integer) RETURNS TABLE (alert bigint, created timestamptz, kind text, list text,
		reference text, band text, score float8, encounter bigint)
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT a.alert, a.created, a.kind, a.list, a.reference, a.band, round(a.score::numeric, 1)::float8, a.encounter
	FROM watchlist.alerts a
	WHERE a.delivered IS NULL AND watchlist.alert_concerns_caller(a)
	ORDER BY a.alert LIMIT max;
END;

CREATE OR REPLACE FUNCTION acknowledge_alert(alert bigint) RETURNS boolean
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH done AS (
		UPDATE watchlist.alerts a SET delivered = clock_timestamp()
		WHERE a.alert = acknowledge_alert.alert AND a.delivered IS NULL AND watchlist.alert_concerns_caller(a) RETURNING true)
	SELECT EXISTS (SELECT FROM done);
END;

-- ---------------------------------------------------------------------------
-- searches and their candidates, frozen
-- ---------------------------------------------------------------------------

CREATE FUNCTION band(fpir float8) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT CASE WHEN fpir <= 0.001 THEN 'hit' WHEN fpir <= 0.05 THEN 'refer' ELSE 'clear' END;
END;

CREATE FUNCTION matcher_version() RETURNS text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT biometric_version();
END;

CREATE TABLE searches (
	search bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	encounter bigint REFERENCES encounters ON DELETE CASCADE,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	caller name NOT NULL DEFAULT caller(),
	agency text,
	purpose text NOT NULL,
	case_reference text NOT NULL,
	search_mode text NOT NULL DEFAULT current_setting('biometric.search_mode'),
	penetration_rate float8 NOT NULL DEFAULT current_setting('biometric.penetration_rate')::float8,
	matcher text NOT NULL DEFAULT matcher_version(),	-- library, index format, features
	catalogues text[] NOT NULL,	-- what was searched: owner/list
	searched bigint NOT NULL,	-- persons, at most
	best_score numeric,
	fpir float8,
	verdict text NOT NULL CHECK (verdict IN ('clear', 'refer', 'hit')),
	probe_hash bytea
);
CREATE INDEX searches_encounter ON searches (encounter);

CREATE TABLE candidates (
	search bigint NOT NULL REFERENCES searches ON DELETE CASCADE,
	rank integer NOT NULL,
	owner text NOT NULL,
	list text NOT NULL,
	reference text NOT NULL,
	score float8 NOT NULL,	-- decibans of its own false match rate: fused_score
	fpir float8 NOT NULL,	-- for all that this search compared
	band text NOT NULL CHECK (band IN ('clear', 'refer', 'hit')),
	evidence jsonb NOT NULL,
	caveats text[] NOT NULL,
	PRIMARY KEY (search, rank)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON searches FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON searches FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON candidates FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON candidates FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TYPE found_person AS (subject text, score float8, fpir float8, evidence jsonb);

-- The server's log keeps what a ROLLBACK would hide; the statement, which may
-- have templates in it, is left out.
CREATE FUNCTION tell_server_log(message text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET log_min_error_statement = panic
AS $$
BEGIN
	RAISE LOG 'watchlist: %', message;
END
$$;

-- The likeliest of some lists, fingers and eyes fused, best first.  size: how
-- many persons are searched, at most.
--
-- Who was found by one modality is completed by the other if one modality alone
-- makes more of him than chance gives everybody.  fpir counts what was searched
-- with, found or not, and is never given as less than one in a million: what is
-- below is arithmetic that no measurement backs.
CREATE FUNCTION search_gallery(partner text, catalogues text[], prints fingerprint[], irises iris[], size bigint) RETURNS SETOF found_person
	LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH f AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.evidence
		FROM identify('watchlist.shared_templates'::regclass, 'subject', 'print', prints, 10,
					  jsonb_build_object('partner', partner, 'catalogue', catalogues), gallery_size => greatest(size, 1)) i),
	e AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.evidence
		FROM identify('watchlist.shared_templates'::regclass, 'subject', 'eye', irises, 10,
					  jsonb_build_object('partner', partner, 'catalogue', catalogues), gallery_size => greatest(size, 1)) i),
	f_more AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.evidence
		FROM (SELECT jsonb_agg(e.person) AS persons FROM e
			  WHERE fpir(e.fused_score, greatest(size, 1), 1) < 0.5 AND e.person NOT IN (SELECT f.person FROM f)
			  HAVING count(*) > 0) m,
			 identify('watchlist.shared_templates'::regclass, 'subject', 'print', prints, 10,
					  jsonb_build_object('partner', partner, 'catalogue', catalogues, 'subject', m.persons), gallery_size => greatest(size, 1)) i),
	e_more AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.evidence
		FROM (SELECT jsonb_agg(f.person) AS persons FROM f
			  WHERE fpir(f.fused_score, greatest(size, 1), 1) < 0.5 AND f.person NOT IN (SELECT e.person FROM e)
			  HAVING count(*) > 0) m,
			 identify('watchlist.shared_templates'::regclass, 'subject', 'eye', irises, 10,
					  jsonb_build_object('partner', partner, 'catalogue', catalogues, 'subject', m.persons), gallery_size => greatest(size, 1)) i),
	fused AS (
		SELECT person, sum(fused_score) AS score, jsonb_agg(evidence ORDER BY modality) AS evidence
		FROM (SELECT 1 AS modality, * FROM f UNION ALL SELECT 1, * FROM f_more UNION ALL
			  SELECT 2, * FROM e UNION ALL SELECT 2, * FROM e_more) a
		GROUP BY person)
	SELECT c.person, c.score,
		   greatest(fpir(c.score, greatest(size, 1),
						 greatest((cardinality(prints) > 0 IS TRUE)::int + (cardinality(irises) > 0 IS TRUE)::int, 1)), 1e-6),
		   c.evidence
	FROM fused c
	WHERE EXISTS (SELECT FROM watchlist.shared_templates s
				  WHERE s.subject = c.person AND s.partner = search_gallery.partner AND s.catalogue = ANY (catalogues)
					AND (s.expires IS NULL OR s.expires >= current_date))
	ORDER BY c.score DESC, c.person;
END;

-- Search, and keep what was found: the ten likeliest, whether they are anything or not.
CREATE FUNCTION search_and_freeze(partner text, catalogues text[], prints fingerprint[], irises iris[], encounter bigint,
		agency text, purpose text, case_reference text, probe_hash bytea) RETURNS searches
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done watchlist.searches;
	likeliest watchlist.found_person[];
BEGIN
	done.searched := watchlist.gallery_size(partner, catalogues);
	likeliest := ARRAY(SELECT g FROM watchlist.search_gallery(partner, catalogues, prints, irises, done.searched) g LIMIT 10);
	INSERT INTO watchlist.searches AS s (encounter, agency, purpose, case_reference, catalogues, searched, best_score, fpir, verdict, probe_hash)
		VALUES (encounter, agency, purpose, case_reference, catalogues, done.searched, round(likeliest[1].score::numeric, 1), likeliest[1].fpir,
				-- of whom nothing usable was captured, nothing is known: an officer looks
				CASE WHEN num_nonnulls(prints, irises) = 0 THEN 'refer' ELSE watchlist.band(coalesce(likeliest[1].fpir, 1)) END, probe_hash)
		RETURNING s.* INTO done;
	INSERT INTO watchlist.candidates (search, rank, owner, list, reference, score, fpir, band, evidence, caveats)
		SELECT done.search, f.ordinality, t.owner, t.list, t.reference, f.score, f.fpir, watchlist.band(f.fpir), f.evidence, t.caveats
		FROM unnest(likeliest) WITH ORDINALITY f,
			 LATERAL (
				SELECT min(s.owner) AS owner, min(s.list) AS list, min(s.reference) AS reference,
					   coalesce(array_agg(DISTINCT s.caveat) FILTER (WHERE s.caveat IS NOT NULL), '{}') AS caveats
				FROM watchlist.shared_templates s
				WHERE s.subject = f.subject AND s.partner = search_and_freeze.partner AND s.catalogue = ANY (search_and_freeze.catalogues)
				  AND (s.expires IS NULL OR s.expires >= current_date)) t;
	RETURN done;
END
$$;

-- The hash under which a log remembers what was searched with, in any order
CREATE FUNCTION probe_hash(encounter bigint) RETURNS bytea
	LANGUAGE sql
BEGIN ATOMIC
	SELECT watchlist.keyed_hash(string_agg(i.record_hash, '' ORDER BY i.record_hash)) FROM watchlist.encounter_items i
	WHERE i.encounter = probe_hash.encounter AND i.problem IS NULL;
END;

-- ---------------------------------------------------------------------------
-- travellers
-- ---------------------------------------------------------------------------

-- Check a traveller against the lists that the caller may see.  fingers:
-- records, of one or several views; eyes: as type iris reads them.  The
-- encounter is stored first: see search_past_encounters.
CREATE FUNCTION check_traveller(fingers bytea[], eyes text[], purpose text, case_reference text, place text DEFAULT NULL,
		OUT encounter bigint, OUT verdict text, OUT list text, OUT reference text, OUT score float8, OUT fpir float8,
		OUT search bigint, OUT searched bigint, OUT candidates jsonb, OUT caveats text[], OUT unusable jsonb, OUT partners_pending integer)
	RETURNS record
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	agency CONSTANT text := watchlist.acting_agency();
	done watchlist.searches;
	best watchlist.candidates;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	INSERT INTO watchlist.encounters AS e (purpose, case_reference, agency, place, retain_until)
		VALUES (check_traveller.purpose, check_traveller.case_reference, agency, check_traveller.place,
				(SELECT (current_date + r.keep)::date FROM watchlist.retention r WHERE r.kind = 'encounter'))
		RETURNING e.encounter INTO encounter;
	PERFORM watchlist.tell_server_log(format('encounter %s is checked by %s, purpose %s, case %s', encounter, to_json(watchlist.caller()),
											 to_json(purpose), to_json(case_reference)));
	INSERT INTO watchlist.encounter_items (encounter, item, kind, record, position, print, eye, quality, size, problem, record_hash)
		SELECT check_traveller.encounter, c.ordinality, c.kind, c.record, c.position, c.print, c.eye, c.quality, c.size, c.problem, c.record_hash
		FROM watchlist.read_captures('search', fingers, eyes) WITH ORDINALITY c;
	SELECT s.* INTO done
	FROM watchlist.encounter_templates(encounter) t,
		 watchlist.search_and_freeze(watchlist.country(), ARRAY(SELECT watchlist.my_catalogues()), t.prints, t.irises, encounter, agency,
									 purpose, case_reference, watchlist.probe_hash(encounter)) s;
	search := done.search;
	searched := done.searched;
	verdict := done.verdict;
	fpir := done.fpir;
	score := done.best_score;
	SELECT * INTO best FROM watchlist.candidates c WHERE c.search = done.search AND c.rank = 1 AND c.band <> 'clear';
	list := best.list;
	reference := best.reference;
	SELECT coalesce(jsonb_agg(jsonb_build_object('rank', c.rank, 'owner', c.owner, 'list', c.list, 'reference', c.reference,
				'score', round(c.score::numeric, 1), 'fpir', c.fpir, 'band', c.band, 'caveats', c.caveats) ORDER BY c.rank), '[]')
		INTO candidates FROM watchlist.candidates c WHERE c.search = done.search AND c.band <> 'clear';
	caveats := ARRAY(SELECT DISTINCT unnest(c.caveats) FROM watchlist.candidates c WHERE c.search = done.search AND c.band <> 'clear' ORDER BY 1);
	IF searched = 0 THEN
		caveats := caveats || text 'no list was searched';
	END IF;
	SELECT coalesce(jsonb_agg(jsonb_build_object('kind', i.kind, 'record', i.record, 'position', i.position, 'problem', i.problem) ORDER BY i.item), '[]')
		INTO unusable FROM watchlist.encounter_items i WHERE i.encounter = check_traveller.encounter AND i.problem IS NOT NULL;
	UPDATE watchlist.encounters e
	SET verdict = check_traveller.verdict, list = check_traveller.list, reference = check_traveller.reference
	WHERE e.encounter = check_traveller.encounter;
	PERFORM watchlist.raise_alert('traveller', c.owner, c.list, c.reference, c.band, c.score, check_traveller.encounter)
		FROM watchlist.candidates c WHERE c.search = done.search AND c.band <> 'clear' ORDER BY c.rank;
	INSERT INTO watchlist.log (action, purpose, case_reference, lists, reference, search, encounter, best_score, fpir, verdict, probe_hash, detail)
		VALUES ('search', check_traveller.purpose, check_traveller.case_reference, done.catalogues, check_traveller.reference, done.search,
				check_traveller.encounter, done.best_score, done.fpir, done.verdict, done.probe_hash, done.matcher || ', ' || done.search_mode);
	partners_pending := watchlist.ask_partners(encounter, purpose, case_reference);
END
$$;

-- A search of the caller's agencies; of a search of no agency, as partners' are,
-- if he sees the lists of all its candidates.
CREATE FUNCTION search_is_mine(search bigint) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT EXISTS (
		SELECT FROM watchlist.searches s
		WHERE s.search = search_is_mine.search
		  AND CASE WHEN s.agency IS NULL
				   THEN NOT EXISTS (SELECT FROM watchlist.candidates c WHERE c.search = s.search AND NOT watchlist.may_see(c.owner, c.list))
				   ELSE s.agency IN (SELECT watchlist.caller_agencies()) END);
END;

-- The candidates of a search of one's agency, as they were found.
CREATE FUNCTION view_search(search bigint, purpose text, case_reference text)
	RETURNS TABLE (rank integer, owner text, list text, reference text, score numeric, fpir float8, searched bigint, band text,
		evidence jsonb, caveats text[], matcher text, search_mode text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	seen watchlist.searches;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	SELECT * INTO seen FROM watchlist.searches s
		WHERE s.search = view_search.search AND watchlist.search_is_mine(s.search);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('view', view_search.purpose, view_search.case_reference, view_search.search,
				CASE WHEN seen.search IS NULL THEN 'candidates: nothing to see' ELSE 'candidates' END);
	RETURN QUERY
		SELECT c.rank, c.owner, c.list, c.reference, round(c.score::numeric, 1), c.fpir, seen.searched, c.band, c.evidence, c.caveats,
			   seen.matcher, seen.search_mode
		FROM watchlist.candidates c WHERE c.search = seen.search ORDER BY c.rank;
END
$$;

-- ---------------------------------------------------------------------------
-- entries that come after the traveller
-- ---------------------------------------------------------------------------

-- Entries that are not counted yet, and those for us with which past encounters
-- are not searched yet.
DROP TRIGGER note_arrival ON shared_templates;
CREATE OR REPLACE FUNCTION note_arrival() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.gallery_sizes s WHERE (s.partner, s.owner, s.list) = (NEW.partner, NEW.owner, NEW.list)) THEN
		INSERT INTO watchlist.gallery_sizes (owner, partner, list) VALUES (NEW.owner, NEW.partner, NEW.list) ON CONFLICT DO NOTHING;
	END IF;
	INSERT INTO watchlist.arrivals (owner, partner, list, reference) VALUES (NEW.owner, NEW.partner, NEW.list, NEW.reference)
		ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;
CREATE TRIGGER note_arrival AFTER INSERT ON shared_templates FOR EACH ROW
	WHEN (current_setting('check_function_bodies')::boolean) EXECUTE FUNCTION note_arrival();
-- rows that replication brings are the point
ALTER TABLE shared_templates ENABLE ALWAYS TRIGGER note_arrival;
CREATE INDEX arrivals_partner ON arrivals (partner, owner, list);

CREATE FUNCTION search_encounters(owner text, partner text, list text, reference text)
	RETURNS TABLE (encounter bigint, score float8, fpir float8)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH t AS MATERIALIZED (
		-- identify() takes no more; the newest
		SELECT array_agg(s.print) FILTER (WHERE s.print IS NOT NULL AND s.n <= 100) AS prints,
			   array_agg(s.eye) FILTER (WHERE s.eye IS NOT NULL AND s.n <= 100) AS irises
		FROM (SELECT s.print, s.eye, row_number() OVER (PARTITION BY s.print IS NULL ORDER BY s.item DESC) AS n
			  FROM watchlist.shared_templates s
			  WHERE s.owner = search_encounters.owner AND s.partner = search_encounters.partner
				AND s.list = search_encounters.list AND s.reference = search_encounters.reference
				AND (s.expires IS NULL OR s.expires >= current_date)) s),
	f AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.searched
		FROM t, identify('watchlist.encounter_items'::regclass, 'encounter', 'print', t.prints, 20) i),
	e AS MATERIALIZED (
		SELECT i.person, i.fused_score, i.searched
		FROM t, identify('watchlist.encounter_items'::regclass, 'encounter', 'eye', t.irises, 20) i),
	c AS (
		SELECT person::bigint AS encounter, coalesce(f.fused_score, 0) + coalesce(e.fused_score, 0) AS score,
			   greatest(fpir(coalesce(f.fused_score, 0) + coalesce(e.fused_score, 0),
							 greatest((SELECT max(searched) FROM f), (SELECT max(searched) FROM e)),
							 (SELECT num_nonnulls(t.prints, t.irises) FROM t)), 1e-6) AS fpir
		FROM f FULL JOIN e USING (person))
	SELECT c.encounter, c.score, c.fpir FROM c WHERE c.fpir <= 0.05 ORDER BY c.score DESC, c.encounter;
END;

-- New entries against past encounters: run it beside complete_remote_searches.
--
-- A check that began before the entry was committed may not see it, and its
-- encounter may not be committed when we search.  So an entry is searched with
-- only when every transaction has ended that was running when we first saw it;
-- checks that began later see it themselves, since they store before they search.
CREATE FUNCTION search_past_encounters(max integer DEFAULT 100, OUT searched integer, OUT waiting bigint)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	arrival watchlist.arrivals;
	hit record;
	best record;
	done watchlist.arrivals[] := '{}';
BEGIN
	searched := 0;
	-- a transaction of the future is one of another cluster, from which this was restored
	UPDATE watchlist.arrivals SET barrier = pg_current_xact_id()
	WHERE barrier IS NULL OR barrier >= pg_snapshot_xmax(pg_current_snapshot());
	FOR arrival IN
		SELECT * FROM watchlist.arrivals a
		WHERE a.barrier <= pg_snapshot_xmin(pg_current_snapshot())
		LIMIT max FOR UPDATE SKIP LOCKED
	LOOP
		IF arrival.partner = watchlist.country() THEN
			best := NULL;
			FOR hit IN SELECT * FROM watchlist.search_encounters(arrival.owner, arrival.partner, arrival.list, arrival.reference) LOOP
				IF best IS NULL THEN
					best := hit;
				END IF;
				IF NOT EXISTS (SELECT FROM watchlist.alerts k
							   WHERE k.encounter = hit.encounter AND k.list = arrival.list AND k.reference = arrival.reference) THEN
					PERFORM watchlist.raise_alert('past encounter', arrival.owner, arrival.list, arrival.reference, watchlist.band(hit.fpir),
												  hit.score, hit.encounter);
				END IF;
			END LOOP;
			IF best IS NOT NULL THEN
				INSERT INTO watchlist.log (action, purpose, case_reference, lists, reference, encounter, best_score, fpir, verdict)
					VALUES ('past search', 'new entry of a list', arrival.owner || '/' || arrival.list, ARRAY[arrival.owner || '/' || arrival.list],
							arrival.reference, best.encounter, round(best.score::numeric, 1), best.fpir, watchlist.band(best.fpir));
			ELSE
				INSERT INTO watchlist.log (action, purpose, case_reference, lists, reference, verdict)
					VALUES ('past search', 'new entry of a list', arrival.owner || '/' || arrival.list, ARRAY[arrival.owner || '/' || arrival.list],
							arrival.reference, 'clear');
			END IF;
		END IF;
		DELETE FROM watchlist.arrivals a
			WHERE (a.owner, a.partner, a.list, a.reference) = (arrival.owner, arrival.partner, arrival.list, arrival.reference);
		done := done || arrival;
		searched := searched + 1;
	END LOOP;
	-- in one order, so that several may run
	INSERT INTO watchlist.gallery_sizes AS s (owner, partner, list, persons)
		SELECT d.owner, d.partner, d.list, count(*) FROM unnest(done) d GROUP BY d.owner, d.partner, d.list ORDER BY d.owner, d.partner, d.list
		ON CONFLICT ON CONSTRAINT gallery_sizes_pkey DO UPDATE SET persons = s.persons + EXCLUDED.persons;
	SELECT count(*) INTO waiting FROM watchlist.arrivals;
END
$$;

-- ---------------------------------------------------------------------------
-- partners
-- ---------------------------------------------------------------------------

-- no function of the caller's sees another partner's rows
ALTER VIEW partner_search SET (security_barrier);

-- The owner's side of a partner's search.  The partner is who is connected; it
-- searches what was released to it, and learns the best's band and reference.
CREATE FUNCTION search_for_partner(request uuid, purpose text, case_reference text, prints fingerprint[], irises iris[],
		OUT band text, OUT reference text)
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	done watchlist.searches;
	best watchlist.candidates;
BEGIN
	PERFORM watchlist.tell_server_log(format('search %s of partner %s, purpose %s, case %s', request, to_json(session_user), to_json(purpose),
											 to_json(case_reference)));
	done := watchlist.search_and_freeze(session_user,
		ARRAY(SELECT s.owner || '/' || s.list FROM watchlist.gallery_sizes s WHERE s.partner = session_user AND s.owner = watchlist.country()),
		prints, irises, NULL, NULL, purpose, case_reference, watchlist.keyed_hash(watchlist.template_bytes(prints, irises)));
	band := done.verdict;
	SELECT * INTO best FROM watchlist.candidates c WHERE c.search = done.search AND c.rank = 1 AND c.band <> 'clear';
	reference := best.reference;
	INSERT INTO watchlist.log (action, purpose, case_reference, partner, lists, reference, search, best_score, fpir, verdict, probe_hash, detail)
		VALUES ('partner search', search_for_partner.purpose, search_for_partner.case_reference, session_user,
				coalesce(ARRAY[best.list], done.catalogues), best.reference, done.search, done.best_score, done.fpir, done.verdict, done.probe_hash,
				'search: ' || band);
	IF best.search IS NOT NULL THEN
		PERFORM watchlist.raise_alert('partner asked', best.owner, best.list, best.reference, best.band, best.score, NULL);
	END IF;
END
$$;

CREATE FUNCTION template_bytes(prints fingerprint[], irises iris[]) RETURNS bytea
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(string_agg(t.bytes, '' ORDER BY t.bytes), '')
	FROM (SELECT p::bytea AS bytes FROM unnest(prints) p UNION ALL SELECT convert_to(e::text, 'UTF8') FROM unnest(irises) e) t;
END;

-- A decision is kept; the latest counts.
ALTER TABLE release_decisions RENAME TO release_decisions_0_1;
CREATE TABLE release_decisions (
	decision bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	partner text NOT NULL,
	reference text NOT NULL,
	released boolean NOT NULL DEFAULT true,
	decided_by name NOT NULL DEFAULT caller(),
	decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	reason text NOT NULL CHECK (reason ~ '\S'),
	until date
);
INSERT INTO release_decisions (partner, reference, decided_by, decided_at, reason, until)
	SELECT partner, reference, decided_by, decided_at, reason, until FROM release_decisions_0_1 ORDER BY decided_at;
DROP TABLE release_decisions_0_1;
CREATE INDEX release_decisions_reference ON release_decisions (partner, reference);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON release_decisions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON release_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION decide_release(partner text, reference text, released boolean, reason text, case_reference text, until date DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who watchlist.persons := watchlist.find_person(reference);
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	PERFORM watchlist.require_agency(who.agency);
	INSERT INTO watchlist.release_decisions (partner, reference, released, reason, until)
		VALUES (decide_release.partner, decide_release.reference, decide_release.released, decide_release.reason, decide_release.until)
		RETURNING decision INTO number;
	INSERT INTO watchlist.log (action, purpose, case_reference, partner, reference, detail)
		VALUES ('release', decide_release.reason, decide_release.case_reference, decide_release.partner, decide_release.reference,
				CASE WHEN decide_release.released THEN 'core data released' ELSE 'core data not released' END);
	RETURN number;
END
$$;

-- A partner asks for the person behind a reference.  Asking in vain is no
-- error, for an error would leave no trace of it: released says which.
CREATE OR REPLACE VIEW partner_core_data AS
	SELECT NULL::text AS reference, NULL::text AS purpose, NULL::text AS case_reference, NULL::text AS name, NULL::date AS born, NULL::text AS caveat,
		   NULL::boolean AS released
	WHERE false;
CREATE OR REPLACE FUNCTION disclose_core_data() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM watchlist.require_reason(NEW.purpose, NEW.case_reference);
	IF coalesce(NEW.reference, '') = '' THEN
		RAISE EXCEPTION 'a reference is needed' USING ERRCODE = 'not_null_violation';
	END IF;
	-- the same whether there is such a person or not
	NEW.name := NULL;
	NEW.born := NULL;
	NEW.caveat := NULL;
	NEW.released := coalesce((SELECT d.released AND (d.until IS NULL OR d.until >= current_date)
							  FROM watchlist.release_decisions d WHERE d.partner = session_user AND d.reference = NEW.reference
							  ORDER BY d.decision DESC LIMIT 1), false);
	IF NEW.released THEN
		SELECT c.name, c.born, c.caveat INTO NEW.name, NEW.born, NEW.caveat FROM watchlist.core_data(NEW.reference) c;
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, partner, reference, detail)
		VALUES (CASE WHEN NEW.released THEN 'disclosure' ELSE 'refusal' END, NEW.purpose, NEW.case_reference, session_user, NEW.reference, 'core data');
	RETURN NEW;
END
$$;

-- Ask what waits.  A partner that cannot answer now stays pending, with the
-- reason; one that refuses is not asked again.  Run it from a job as often as
-- you like, or after NOTIFY watchlist_remote; several may run at a time.  An
-- answer is stored with its alert; if this server fails between the partner's
-- commit and ours, the search is asked again and answered the same.
CREATE OR REPLACE FUNCTION complete_remote_searches(max integer DEFAULT 100, OUT answered integer, OUT pending bigint) RETURNS record
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	search record;
	answer record;
	away text[] := '{}';
	message text;
BEGIN
	answered := 0;
	FOR search IN
		SELECT s.request, s.partner, s.purpose, s.case_reference, s.encounter, p.asked_through
		FROM watchlist.remote_searches s JOIN watchlist.remote_partners p USING (partner)
		WHERE s.state = 'pending' AND p.enabled
		ORDER BY s.asked_at LIMIT max
		FOR UPDATE OF s SKIP LOCKED
	LOOP
		CONTINUE WHEN search.partner = ANY (away);
		BEGIN
			EXECUTE format('INSERT INTO %s (request, purpose, case_reference, prints, irises)
							SELECT $1, $2, $3, t.prints, t.irises FROM watchlist.encounter_templates($4) t
							RETURNING band, reference', search.asked_through)
				INTO answer
				USING search.request, search.purpose, search.case_reference, search.encounter;
			UPDATE watchlist.remote_searches s
			SET state = 'answered', answered_at = clock_timestamp(), attempts = attempts + 1, problem = NULL,
				band = answer.band, reference = answer.reference
			WHERE s.request = search.request;
			answered := answered + 1;
			-- the partner has seen our traveller
			INSERT INTO watchlist.log (action, purpose, case_reference, partner, reference, encounter, verdict, probe_hash, detail)
				VALUES ('disclosure', search.purpose, search.case_reference, search.partner, answer.reference, search.encounter, answer.band,
						watchlist.probe_hash(search.encounter), 'traveller asked about');
			IF answer.band <> 'clear' THEN
				PERFORM watchlist.raise_alert('remote ' || answer.band, NULL, search.partner, answer.reference, answer.band, NULL, search.encounter);
			END IF;
		EXCEPTION
			-- it says no, and will say so again
			WHEN syntax_error_or_access_rule_violation OR data_exception OR integrity_constraint_violation OR raise_exception THEN
				GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
				UPDATE watchlist.remote_searches s SET state = 'refused', attempts = attempts + 1, problem = message
				WHERE s.request = search.request;
			WHEN OTHERS OR query_canceled THEN
				GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
				away := away || search.partner;
				UPDATE watchlist.remote_searches s SET attempts = attempts + 1, problem = message WHERE s.request = search.request;
		END;
	END LOOP;
	SELECT count(*) INTO pending FROM watchlist.remote_searches s WHERE s.state = 'pending';
END
$$;

-- ---------------------------------------------------------------------------
-- adjudication: two examiners, neither of whom sees what the other does
--
-- An examiner takes a review, sees the traveller's captures, marks what he
-- relies on, and only when his marks are locked sees the candidate: marks that
-- are made with the candidate in view follow the candidate.  Until both have
-- decided, nothing that an examiner may call or read depends on what the other
-- did, nor on whether he did anything.  All of it is kept as events.
-- ---------------------------------------------------------------------------

CREATE TABLE reviews (
	review bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	search bigint NOT NULL,
	rank integer NOT NULL,
	opened_by name NOT NULL DEFAULT caller(),
	opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	purpose text NOT NULL,
	case_reference text NOT NULL,
	FOREIGN KEY (search, rank) REFERENCES candidates ON DELETE CASCADE
);
CREATE INDEX reviews_candidate ON reviews (search, rank);

CREATE TABLE review_events (
	review bigint NOT NULL REFERENCES reviews ON DELETE CASCADE,
	round integer NOT NULL CHECK (round BETWEEN 0 AND 3),	-- 1, 2: the examiners; 3: who resolves a dissent; 0: who withdraws the review
	event text NOT NULL CHECK (event IN ('taken', 'marks locked', 'candidate seen', 'decided', 'withdrawn')),
	examiner name NOT NULL DEFAULT caller(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	marks jsonb,
	decision text CHECK (decision IN ('identification', 'exclusion', 'inconclusive')),
	statement text,
	PRIMARY KEY (review, round, event),
	CHECK ((event = 'marks locked') = (marks IS NOT NULL)),
	CHECK ((event = 'decided') = (decision IS NOT NULL))
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON reviews FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON reviews FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON review_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON review_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION open_review(search bigint, rank integer, purpose text, case_reference text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF NOT watchlist.search_is_mine(search)
	   OR NOT EXISTS (SELECT FROM watchlist.candidates c WHERE c.search = open_review.search AND c.rank = open_review.rank) THEN
		RAISE EXCEPTION 'search % of your agency has no candidate of rank %', search, rank
			USING ERRCODE = 'no_data_found', HINT = 'view_search() lists the candidates.';
	END IF;
	INSERT INTO watchlist.reviews (search, rank, purpose, case_reference)
		VALUES (open_review.search, open_review.rank, open_review.purpose, open_review.case_reference) RETURNING review INTO number;
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('review', open_review.purpose, open_review.case_reference, open_review.search, format('review %s opened for rank %s', number, open_review.rank));
	RETURN number;
END
$$;

CREATE FUNCTION withdraw_review(review bigint, reason text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	withdrawn watchlist.reviews;
BEGIN
	PERFORM watchlist.require_reason(reason, 'review');
	SELECT * INTO withdrawn FROM watchlist.reviews r WHERE r.review = withdraw_review.review FOR UPDATE;
	IF NOT FOUND OR NOT watchlist.search_is_mine(withdrawn.search) THEN
		RAISE EXCEPTION 'there is no review % of your agency', review USING ERRCODE = 'no_data_found';
	END IF;
	INSERT INTO watchlist.review_events (review, round, event, statement) VALUES (withdraw_review.review, 0, 'withdrawn', reason);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('review', reason, withdrawn.case_reference, withdrawn.search, format('review %s withdrawn', withdrawn.review));
END
$$;

-- May the caller take a review, as far as he may know?  Not of a search or
-- review of his own, not of a candidate that he has examined before, and not one
-- that two others have.
CREATE FUNCTION review_is_open(review reviews) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT watchlist.search_is_mine(review.search) AND review.opened_by <> watchlist.caller()
		AND NOT EXISTS (SELECT FROM watchlist.searches s WHERE s.search = review.search AND s.caller = watchlist.caller())
		AND NOT EXISTS (SELECT FROM watchlist.review_events e WHERE e.review = review.review AND e.event = 'withdrawn')
		AND NOT EXISTS (SELECT FROM watchlist.reviews o JOIN watchlist.review_events e ON e.review = o.review
						WHERE o.search = review.search AND o.rank = review.rank AND e.event = 'taken' AND e.examiner = watchlist.caller())
		AND (SELECT count(*) < 2 FROM watchlist.review_events e WHERE e.review = review.review AND e.event = 'taken');
END;

CREATE FUNCTION reviews_to_take() RETURNS TABLE (review bigint, opened_at timestamptz, purpose text, case_reference text)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT r.review, r.opened_at, r.purpose, r.case_reference FROM watchlist.reviews r WHERE watchlist.review_is_open(r) ORDER BY r.review;
END;

CREATE FUNCTION take_review(review bigint) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	taken watchlist.reviews;
BEGIN
	-- of two at the same time the second sees the first's
	SELECT * INTO taken FROM watchlist.reviews r WHERE r.review = take_review.review FOR UPDATE;
	IF NOT FOUND OR NOT watchlist.review_is_open(taken) THEN
		RAISE EXCEPTION 'review % is not open to you', review
			USING ERRCODE = 'insufficient_privilege', HINT = 'reviews_to_take() lists those that are.';
	END IF;
	INSERT INTO watchlist.review_events (review, round, event)
		SELECT take_review.review, 1 + count(*), 'taken' FROM watchlist.review_events e WHERE e.review = take_review.review AND e.event = 'taken';
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('review', taken.purpose, taken.case_reference, taken.search, format('review %s taken', taken.review));
END
$$;

-- The caller's round of a review that is not decided by him and not withdrawn.
CREATE FUNCTION my_round(review bigint, OUT round integer, OUT marks jsonb, OUT seen boolean, OUT of_search bigint, OUT of_rank integer,
		OUT purpose text, OUT case_reference text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT e.round, r.search, r.rank, r.purpose, r.case_reference INTO round, of_search, of_rank, purpose, case_reference
		FROM watchlist.review_events e JOIN watchlist.reviews r ON r.review = e.review
		WHERE e.review = my_round.review AND e.event = 'taken' AND e.examiner = watchlist.caller()
		  AND NOT EXISTS (SELECT FROM watchlist.review_events d
						  WHERE d.review = e.review AND (d.event = 'withdrawn' OR d.event = 'decided' AND d.round = e.round));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'review % is not open to you', review
			USING ERRCODE = 'insufficient_privilege', HINT = 'Take it first. What is decided or withdrawn stays as it is.';
	END IF;
	SELECT e.marks INTO marks FROM watchlist.review_events e
		WHERE e.review = my_round.review AND e.round = my_round.round AND e.event = 'marks locked';
	seen := EXISTS (SELECT FROM watchlist.review_events e
					WHERE e.review = my_round.review AND e.round = my_round.round AND e.event = 'candidate seen');
END
$$;

-- First what the traveller gave.
CREATE FUNCTION view_probe(review bigint) RETURNS TABLE (item integer, kind text, "position" text, print fingerprint, eye iris)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine record;
BEGIN
	SELECT * INTO mine FROM watchlist.my_round(review);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('view', mine.purpose, mine.case_reference, mine.of_search, format('review %s: captures', review));
	RETURN QUERY
		SELECT i.item, i.kind, i.position, i.print, i.eye
		FROM watchlist.searches s JOIN watchlist.encounter_items i ON i.encounter = s.encounter
		WHERE s.search = mine.of_search AND i.problem IS NULL ORDER BY i.item;
END
$$;

-- Then what he relies on: any JSON that his tool reads, kept as it is.
CREATE FUNCTION lock_marks(review bigint, marks jsonb) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine record;
BEGIN
	SELECT * INTO mine FROM watchlist.my_round(review);
	IF marks IS NULL OR octet_length(marks::text) > 100000 THEN
		RAISE EXCEPTION 'marks must be JSON of at most 100000 bytes' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF mine.marks IS NOT NULL THEN
		RAISE EXCEPTION 'your marks are locked already' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	INSERT INTO watchlist.review_events (review, round, event, marks) VALUES (lock_marks.review, mine.round, 'marks locked', lock_marks.marks);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('review', mine.purpose, mine.case_reference, mine.of_search, format('review %s: marks locked', lock_marks.review));
END
$$;

-- Then the candidate, with what the score says and how often chance says it.
-- No row: the owner has withdrawn the candidate since.
CREATE FUNCTION view_candidate(review bigint)
	RETURNS TABLE (owner text, list text, reference text, score numeric, fpir float8, searched bigint, band text, evidence jsonb, item integer,
		print fingerprint, eye iris)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine record;
BEGIN
	SELECT * INTO mine FROM watchlist.my_round(review);
	IF mine.marks IS NULL THEN
		RAISE EXCEPTION 'your marks are not locked yet'
			USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'The candidate is shown when they are.',
				  HINT = 'Use lock_marks().';
	END IF;
	IF NOT mine.seen THEN
		INSERT INTO watchlist.review_events (review, round, event) VALUES (view_candidate.review, mine.round, 'candidate seen');
	END IF;
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('view', mine.purpose, mine.case_reference, mine.of_search, format('review %s: candidate', view_candidate.review));
	RETURN QUERY
		SELECT c.owner, c.list, c.reference, round(c.score::numeric, 1), c.fpir, s.searched, c.band, c.evidence, t.item, t.print, t.eye
		FROM watchlist.candidates c JOIN watchlist.searches s ON s.search = c.search
			 JOIN watchlist.shared_templates t
			 ON t.owner = c.owner AND t.list = c.list AND t.reference = c.reference AND t.partner = watchlist.country()
				AND (t.expires IS NULL OR t.expires >= current_date)
		WHERE c.search = mine.of_search AND c.rank = mine.of_rank ORDER BY t.item;
END
$$;

CREATE FUNCTION decide(review bigint, decision text, statement text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mine record;
BEGIN
	SELECT * INTO mine FROM watchlist.my_round(review);
	IF coalesce(decision, '') NOT IN ('identification', 'exclusion', 'inconclusive') OR coalesce(statement, '') !~ '\S' THEN
		RAISE EXCEPTION 'a decision is an identification, an exclusion or inconclusive, with a statement' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT mine.seen THEN
		RAISE EXCEPTION 'you have not seen the candidate'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'view_candidate() shows it when your marks are locked.';
	END IF;
	INSERT INTO watchlist.review_events (review, round, event, decision, statement)
		VALUES (decide.review, mine.round, 'decided', decide.decision, decide.statement);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		VALUES ('review', mine.purpose, mine.case_reference, mine.of_search, format('review %s: decided', decide.review));
END
$$;

-- Reviews that are complete, with both decisions; of others, that there are some.
CREATE VIEW review_outcomes AS
	SELECT r.review, r.search, r.rank, c.owner, c.list, c.reference, c.band, c.fpir, r.opened_by, r.opened_at,
		   a.examiner AS first_examiner, a.decision AS first_decision, a.statement AS first_statement,
		   b.examiner AS second_examiner, b.decision AS second_decision, b.statement AS second_statement,
		   CASE WHEN w.review IS NOT NULL THEN 'withdrawn' WHEN b.review IS NULL THEN 'open' WHEN a.decision = b.decision THEN 'agreed' ELSE 'dissent' END AS outcome,
		   d.examiner AS resolved_by, d.decision AS resolution, d.statement AS resolution_statement,
		   CASE WHEN a.decision = b.decision THEN a.decision ELSE d.decision END AS conclusion
	FROM reviews r JOIN candidates c ON c.search = r.search AND c.rank = r.rank
		 -- both or none
		 LEFT JOIN (review_events a JOIN review_events b ON b.review = a.review AND b.round = 2 AND b.event = 'decided')
		 ON a.review = r.review AND a.round = 1 AND a.event = 'decided'
		 LEFT JOIN review_events d ON d.review = r.review AND d.round = 3 AND d.event = 'decided'
		 LEFT JOIN review_events w ON w.review = r.review AND w.event = 'withdrawn';

-- The outcome for those who took part and for supervisors of the agency: others
-- may have to examine the same candidate one day.
CREATE FUNCTION review_outcome(review bigint) RETURNS SETOF review_outcomes
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT o.* FROM watchlist.review_outcomes o 
	WHERE o.review = review_outcome.review AND watchlist.search_is_mine(o.search)
	  AND (watchlist.caller() IN (SELECT e.examiner FROM watchlist.review_events e WHERE e.review = o.review)
		   OR has_function_privilege(watchlist.caller(), 'watchlist.resolve_review(bigint, text, text)', 'EXECUTE'));
END;

-- Somebody who was neither of the two settles a dissent; both opinions stay.
CREATE FUNCTION resolve_review(review bigint, decision text, statement text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	dissent watchlist.review_outcomes;
BEGIN
	PERFORM FROM watchlist.reviews r WHERE r.review = resolve_review.review FOR UPDATE;
	SELECT * INTO dissent FROM watchlist.review_outcomes o WHERE o.review = resolve_review.review AND watchlist.search_is_mine(o.search);
	IF dissent.outcome IS DISTINCT FROM 'dissent' OR dissent.resolution IS NOT NULL OR watchlist.caller() IN (dissent.first_examiner, dissent.second_examiner) THEN
		RAISE EXCEPTION 'review % has no dissent that you could resolve', review USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	IF coalesce(decision, '') NOT IN ('identification', 'exclusion', 'inconclusive') OR coalesce(statement, '') !~ '\S' THEN
		RAISE EXCEPTION 'a decision is an identification, an exclusion or inconclusive, with a statement' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO watchlist.review_events (review, round, event, decision, statement)
		VALUES (resolve_review.review, 3, 'decided', resolve_review.decision, resolve_review.statement);
	INSERT INTO watchlist.log (action, purpose, case_reference, search, detail)
		SELECT 'review', r.purpose, r.case_reference, r.search, format('review %s: dissent resolved', r.review)
		FROM watchlist.reviews r WHERE r.review = resolve_review.review;
END
$$;

INSERT INTO duty_rights VALUES
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.open_review'),
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.withdraw_review'),
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.review_outcome'),
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.resolve_review'),
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.view_search'),
	('supervisor', 'EXECUTE', 'FUNCTION watchlist.view_person'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.reviews_to_take'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.take_review'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.view_probe'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.lock_marks'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.view_candidate'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.decide'),
	('examiner', 'EXECUTE', 'FUNCTION watchlist.review_outcome'),
	('auditor', 'SELECT', 'watchlist.review_outcomes');

-- ---------------------------------------------------------------------------
-- seals: the log shows what was done to it
--
-- Every entry has a keyed hash of what it says, so a change shows.  A seal holds
-- a keyed hash of all entries of a range of numbers, the numbers that are
-- missing in it, and the hash of the seal before: so an entry that is removed,
-- added or put back later shows, and so does a seal.  Whoever owns the database
-- and has its key can make everything anew; the hash of a seal that somebody
-- else has noted (log_head) shows even that.
-- ---------------------------------------------------------------------------

CREATE TABLE seals (
	seal bigint PRIMARY KEY,	-- 1, 2, 3 ...
	at timestamptz NOT NULL,
	first_entry bigint NOT NULL,	-- the one after the last of the seal before
	last_entry bigint NOT NULL,
	missing bigint[] NOT NULL,	-- numbers of transactions that were rolled back
	digest bytea NOT NULL,		-- keyed_hash of the entries' hashes
	previous bytea NOT NULL,	-- hash of the seal before
	hash bytea NOT NULL			-- keyed_hash of seal_line()
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON seals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- the range that the next seal closes, when all who could have had a number in it are done
CREATE TABLE next_seal (
	id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
	last_entry bigint NOT NULL,
	barrier xid8 NOT NULL
);

CREATE FUNCTION seal_line(seal seals) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT jsonb_build_array(seal.seal, extract(epoch FROM seal.at), seal.first_entry, seal.last_entry, seal.missing,
							 encode(seal.digest, 'hex'), encode(seal.previous, 'hex'))::text;
END;

CREATE FUNCTION log_digest(first_entry bigint, last_entry bigint, OUT digest bytea, OUT missing bigint[])
	LANGUAGE sql
BEGIN ATOMIC
	SELECT watchlist.keyed_hash(coalesce(string_agg(l.mac, '' ORDER BY l.entry), '')),
		   ARRAY(SELECT n FROM generate_series(first_entry, last_entry) n
				 WHERE NOT EXISTS (SELECT FROM watchlist.log k WHERE k.entry = n) ORDER BY n)
	FROM watchlist.log l WHERE l.entry BETWEEN first_entry AND last_entry;
END;

-- A job, every minute or so.  It notes the last number that was given, and
-- seals up to there at its next run after all transactions have ended that may
-- have had one.  Returns the seal that it made, if any.
CREATE FUNCTION seal_log() RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last watchlist.seals;
	made watchlist.seals;
	closing watchlist.next_seal;
	given bigint;
BEGIN
	LOCK TABLE watchlist.next_seal IN EXCLUSIVE MODE;
	SELECT * INTO last FROM watchlist.seals s ORDER BY s.seal DESC LIMIT 1;
	-- a transaction of the future is one of another cluster, from which this was restored
	DELETE FROM watchlist.next_seal n WHERE n.barrier >= pg_snapshot_xmax(pg_current_snapshot());
	SELECT * INTO closing FROM watchlist.next_seal n;
	IF closing.barrier <= pg_snapshot_xmin(pg_current_snapshot()) THEN
		made.seal := coalesce(last.seal, 0) + 1;
		made.at := clock_timestamp();
		made.first_entry := coalesce(last.last_entry, 0) + 1;
		made.last_entry := closing.last_entry;
		SELECT d.digest, d.missing INTO made.digest, made.missing FROM watchlist.log_digest(made.first_entry, made.last_entry) d;
		made.previous := coalesce(last.hash, '');
		made.hash := watchlist.keyed_hash(convert_to(watchlist.seal_line(made), 'UTF8'));
		INSERT INTO watchlist.seals SELECT made.*;
		last := made;
		DELETE FROM watchlist.next_seal;
		closing := NULL;
	END IF;
	IF closing.last_entry IS NULL THEN
		SELECT CASE WHEN n.is_called THEN n.last_value ELSE 0 END INTO given FROM watchlist.log_numbers n;
		IF given > coalesce(last.last_entry, 0) THEN
			INSERT INTO watchlist.next_seal (last_entry, barrier) VALUES (given, pg_current_xact_id());
		END IF;
	END IF;
	RETURN made.seal;
END
$$;

-- The last seal: to be noted by somebody else, who can ask verify_log for it.
CREATE FUNCTION log_head(OUT seal bigint, OUT hash bytea)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT s.seal, s.hash FROM watchlist.seals s ORDER BY s.seal DESC LIMIT 1;
END;

-- What is wrong with the log: no row, nothing.  "never committed" is said of
-- numbers whose transaction was rolled back: somebody searched and took it
-- back (the server's log has such searches), or the server failed, which costs
-- up to 32 numbers.
CREATE FUNCTION verify_log(known_seal bigint DEFAULT NULL, known_hash bytea DEFAULT NULL)
	RETURNS TABLE (seal bigint, entry bigint, problem text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	s watchlist.seals;
	before watchlist.seals;
	now_there record;
	given bigint;
BEGIN
	RETURN QUERY
		SELECT NULL::bigint, l.entry, 'the entry was changed' FROM watchlist.log l
		WHERE l.mac <> watchlist.keyed_hash(convert_to(watchlist.log_line(l), 'UTF8')) ORDER BY l.entry;
	FOR s IN SELECT * FROM watchlist.seals k ORDER BY k.seal LOOP
		IF s.hash <> watchlist.keyed_hash(convert_to(watchlist.seal_line(s), 'UTF8')) THEN
			RETURN QUERY SELECT s.seal, NULL::bigint, 'the seal was changed';
		END IF;
		IF s.seal <> coalesce(before.seal, 0) + 1 OR s.previous <> coalesce(before.hash, '') OR s.first_entry <> coalesce(before.last_entry, 0) + 1 THEN
			RETURN QUERY SELECT s.seal, NULL::bigint, 'the seal before it is missing or was changed';
		END IF;
		SELECT * INTO now_there FROM watchlist.log_digest(s.first_entry, s.last_entry);
		RETURN QUERY
			SELECT s.seal, n, 'the entry was removed' FROM unnest(now_there.missing) n WHERE n <> ALL (s.missing)
			UNION ALL
			SELECT s.seal, n, CASE WHEN n = ANY (now_there.missing) THEN 'the number was never committed' ELSE 'the entry was added later' END
			FROM unnest(s.missing) n ORDER BY 2;
		IF now_there.digest <> s.digest AND now_there.missing = s.missing THEN
			RETURN QUERY SELECT s.seal, NULL::bigint, 'entries are not those that were sealed';
		END IF;
		before := s;
	END LOOP;
	SELECT CASE WHEN n.is_called THEN n.last_value ELSE 0 END INTO given FROM watchlist.log_numbers n;
	RETURN QUERY
		SELECT NULL::bigint, n, 'the number is not there, and not sealed yet'
		FROM generate_series(coalesce(before.last_entry, 0) + 1, given) n
		WHERE NOT EXISTS (SELECT FROM watchlist.log l WHERE l.entry = n)
		UNION ALL
		SELECT NULL::bigint, l.entry, 'the entry has not been sealed for more than a day'
		FROM watchlist.log l WHERE l.entry > coalesce(before.last_entry, 0) AND l.at < clock_timestamp() - interval '1 day'
		UNION ALL
		SELECT NULL::bigint, l.entry, 'the number was never given' FROM watchlist.log l WHERE l.entry > given OR l.entry < 1
		ORDER BY 2;
	IF num_nulls(known_seal, known_hash) = 0
	   AND NOT EXISTS (SELECT FROM watchlist.seals k WHERE k.seal = known_seal AND k.hash = known_hash) THEN
		RETURN QUERY SELECT known_seal, NULL::bigint, 'the seal is not the one that is known';
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- retention
-- ---------------------------------------------------------------------------

CREATE TABLE purges (
	purge bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	purged_by name NOT NULL DEFAULT caller(),
	as_of date NOT NULL,
	purpose text NOT NULL,
	case_reference text NOT NULL
);

-- What was removed, by keyed hashes: enough to show that it is gone, too little to be it.
CREATE TABLE purged (
	purge bigint NOT NULL REFERENCES purges,
	kind text NOT NULL CHECK (kind IN ('person', 'encounter', 'list entry')),
	hash bytea NOT NULL,	-- keyed_hash of what the row was called
	templates bytea[] NOT NULL,	-- keyed_hash of each template
	reason text NOT NULL,
	PRIMARY KEY (purge, kind, hash)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON purges FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON purges FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON purged FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON purged FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What retention has reached, and why what it has reached must stay.
CREATE FUNCTION due_for_purge(as_of date) RETURNS TABLE (kind text, name text, person bigint, encounter bigint, list text, reason text, kept_because text)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT 'list entry', e.list || '/' || p.reference, e.person, NULL::bigint, e.list, 'expired on ' || to_char(e.expires, 'YYYY-MM-DD'), NULL::text
	FROM watchlist.list_entries e JOIN watchlist.persons p USING (person) WHERE e.expires < as_of
	UNION ALL
	SELECT 'person', p.reference, p.person, NULL, NULL, 'to be kept until ' || to_char(p.retain_until, 'YYYY-MM-DD'),
		   (SELECT 'is on list ' || min(e.list) FROM watchlist.list_entries e
			WHERE e.person = p.person AND (e.expires IS NULL OR e.expires >= as_of) HAVING count(*) > 0)
	FROM watchlist.persons p WHERE p.retain_until < as_of
	UNION ALL
	SELECT 'encounter', c.encounter::text, NULL, c.encounter, NULL, 'to be kept until ' || to_char(c.retain_until, 'YYYY-MM-DD'),
		   (SELECT 'review ' || min(o.review) || ' is not finished'
			FROM watchlist.searches s JOIN watchlist.review_outcomes o USING (search)
			WHERE s.encounter = c.encounter AND (o.outcome = 'open' OR o.outcome = 'dissent' AND o.resolution IS NULL) HAVING count(*) > 0)
	FROM watchlist.encounters c WHERE c.retain_until < as_of;
END;

CREATE FUNCTION kept_templates(person bigint, encounter bigint) RETURNS bytea[]
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT ARRAY(SELECT e.record_hash FROM watchlist.enrolments e WHERE e.person = kept_templates.person AND e.state = 'enrolled'
				 UNION
				 SELECT i.record_hash FROM watchlist.encounter_items i
				 WHERE i.encounter = kept_templates.encounter AND i.problem IS NULL AND i.record_hash IS NOT NULL);
END;

-- Remove what is past its time.  dry_run only says what would be; name is said
-- to the caller, and nowhere kept.
CREATE FUNCTION purge_expired(purpose text, case_reference text, as_of date DEFAULT current_date, dry_run boolean DEFAULT false)
	RETURNS TABLE (purge bigint, kind text, name text, hash bytea, templates integer, removed boolean, reason text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	number bigint;
	due record;
	entry_hash bytea;
	hashes bytea[];
	all_hashes bytea := '';
	done integer := 0;
BEGIN
	PERFORM watchlist.require_reason(purge_expired.purpose, purge_expired.case_reference);
	IF as_of > current_date AND NOT dry_run THEN
		RAISE EXCEPTION 'what is not past its time yet is not purged'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Use dry_run to see what will be.';
	END IF;
	IF NOT dry_run THEN
		INSERT INTO watchlist.purges AS p (as_of, purpose, case_reference)
			VALUES (purge_expired.as_of, purge_expired.purpose, purge_expired.case_reference) RETURNING p.purge INTO number;
		PERFORM set_config('watchlist.purging', 'on', true);
	END IF;
	-- entries first: they keep persons
	FOR due IN SELECT * FROM watchlist.due_for_purge(as_of) d
			   ORDER BY array_position(ARRAY['list entry', 'person', 'encounter'], d.kind), d.name LOOP
		hashes := watchlist.kept_templates(CASE WHEN due.kind = 'person' THEN due.person END, due.encounter);
		entry_hash := watchlist.keyed_hash(convert_to(due.kind || ' ' || due.name, 'UTF8'));
		IF due.kept_because IS NULL AND NOT dry_run THEN
			INSERT INTO watchlist.purged (purge, kind, hash, templates, reason) VALUES (number, due.kind, entry_hash, hashes, due.reason);
			IF due.kind = 'list entry' THEN
				DELETE FROM watchlist.list_entries e WHERE e.list = due.list AND e.person = due.person;
			ELSIF due.kind = 'person' THEN
				DELETE FROM watchlist.persons p WHERE p.person = due.person;
			ELSE
				DELETE FROM watchlist.alerts a WHERE a.encounter = due.encounter;
				DELETE FROM watchlist.encounters e WHERE e.encounter = due.encounter;
			END IF;
			all_hashes := all_hashes || entry_hash;
			done := done + 1;
		END IF;
		RETURN QUERY SELECT number, due.kind, due.name, entry_hash, cardinality(hashes), due.kept_because IS NULL AND NOT dry_run,
							due.reason || coalesce('; ' || due.kept_because, '');
	END LOOP;
	IF NOT dry_run THEN
		PERFORM set_config('watchlist.purging', '', true);
		INSERT INTO watchlist.log (action, purpose, case_reference, detail)
			VALUES ('purge', purge_expired.purpose, purge_expired.case_reference,
					format('purge %s as of %s: %s removed, %s', number, as_of, done, encode(watchlist.keyed_hash(all_hashes), 'hex')));
	END IF;
END
$$;

CREATE FUNCTION template_hash(print fingerprint, eye iris) RETURNS bytea
	LANGUAGE sql
BEGIN ATOMIC
	SELECT watchlist.keyed_hash(watchlist.template_bytes(array_remove(ARRAY[print], NULL), array_remove(ARRAY[eye], NULL)));
END;

-- Is what a purge removed still to be found?  A row for each thing that is; one
-- that says "nothing" if there is none.  It reads every template that is kept.
CREATE FUNCTION verify_purge(purge bigint) RETURNS TABLE (finding text, kind text, hash bytea)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	findings bigint := 0;
	more bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.purges p WHERE p.purge = verify_purge.purge) THEN
		RAISE EXCEPTION 'there is no purge %', verify_purge.purge USING ERRCODE = 'no_data_found';
	END IF;
	RETURN QUERY
		SELECT 'the ' || d.kind || ' is there (again)', d.kind, d.hash FROM watchlist.purged d
		WHERE d.purge = verify_purge.purge
		  AND d.hash IN (
			SELECT watchlist.keyed_hash(convert_to('person ' || p.reference, 'UTF8')) FROM watchlist.persons p
			UNION ALL
			SELECT watchlist.keyed_hash(convert_to('encounter ' || e.encounter, 'UTF8')) FROM watchlist.encounters e
			UNION ALL
			SELECT watchlist.keyed_hash(convert_to('list entry ' || e.list || '/' || p.reference, 'UTF8'))
			FROM watchlist.list_entries e JOIN watchlist.persons p USING (person));
	GET DIAGNOSTICS findings = ROW_COUNT;
	RETURN QUERY
		SELECT 'a template of it is kept ' || k.place, d.kind, k.template
		FROM (SELECT watchlist.template_hash(e.print, e.eye) AS template, 'as an enrolment' AS place FROM watchlist.enrolments e WHERE e.state = 'enrolled'
			  UNION ALL
			  SELECT watchlist.template_hash(i.print, i.eye), 'in encounter ' || i.encounter FROM watchlist.encounter_items i WHERE i.problem IS NULL
			  UNION ALL
			  SELECT watchlist.template_hash(s.print, s.eye), 'in the gallery for ' || s.partner FROM watchlist.shared_templates s) k
			 JOIN (SELECT p.kind, unnest(p.templates) AS template FROM watchlist.purged p WHERE p.purge = verify_purge.purge) d ON d.template = k.template;
	GET DIAGNOSTICS more = ROW_COUNT;
	IF findings + more = 0 THEN
		RETURN QUERY SELECT 'nothing', NULL::text, NULL::bytea;
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- reports
-- ---------------------------------------------------------------------------

-- Months are those of UTC.
CREATE VIEW searches_by_month AS
	SELECT date_trunc('month', l.at AT TIME ZONE 'UTC')::date AS month, l.agency, l.partner, l.purpose, count(*) AS searches,
		   count(*) FILTER (WHERE l.verdict = 'hit') AS hits, count(*) FILTER (WHERE l.verdict = 'refer') AS referred,
		   count(DISTINCT l.caller) AS callers, count(DISTINCT l.probe_hash) AS different_probes
	FROM log l WHERE l.action IN ('search', 'partner search') GROUP BY 1, 2, 3, 4;

CREATE VIEW disclosures_by_month AS
	SELECT date_trunc('month', d.at AT TIME ZONE 'UTC')::date AS month, d.partner, d.what, count(*) AS disclosures,
		   count(DISTINCT d.reference) AS persons, count(DISTINCT d.case_reference) AS cases
	FROM disclosures d GROUP BY 1, 2, 3;

CREATE VIEW log_by_month AS
	SELECT date_trunc('month', l.at AT TIME ZONE 'UTC')::date AS month, l.agency, l.caller, l.action, count(*) AS entries
	FROM log l GROUP BY 1, 2, 3, 4;

CREATE FUNCTION likeliest_persons(person bigint) RETURNS TABLE (person bigint, score float8, fpir float8)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH t AS MATERIALIZED (
		-- identify() takes no more; the newest
		SELECT array_agg(e.print) FILTER (WHERE e.print IS NOT NULL AND e.n <= 100) AS prints,
			   array_agg(e.eye) FILTER (WHERE e.eye IS NOT NULL AND e.n <= 100) AS irises
		FROM (SELECT e.print, e.eye, row_number() OVER (PARTITION BY e.kind ORDER BY e.number DESC) AS n
			  FROM watchlist.enrolments e WHERE e.person = likeliest_persons.person AND e.state = 'enrolled') e),
	size AS (SELECT greatest(count(*), 1) AS persons FROM watchlist.persons),
	found AS (
		SELECT i.person, i.fused_score
		FROM t, size, identify('watchlist.enrolments'::regclass, 'person', 'print', t.prints, 20, '{"state": "enrolled"}', gallery_size => size.persons) i
		UNION ALL
		SELECT i.person, i.fused_score
		FROM t, size, identify('watchlist.enrolments'::regclass, 'person', 'eye', t.irises, 20, '{"state": "enrolled"}', gallery_size => size.persons) i)
	SELECT f.person::bigint, sum(f.fused_score),
		   greatest(fpir(sum(f.fused_score), (SELECT size.persons FROM size), (SELECT greatest(num_nonnulls(t.prints, t.irises), 1) FROM t)), 1e-6)
	FROM found f WHERE f.person::bigint <> likeliest_persons.person GROUP BY f.person;
END;

-- Persons with the same fingers or eyes and another biography: fraud, a typing
-- error, or two records of one person that were never joined.  Each pair once.
-- Everybody is searched for among all, first to last in the order of persons,
-- so that a large stock can be done in parts.  Among n persons, n times max_fpir
-- pairs are to be expected by chance.
CREATE FUNCTION identity_conflicts(purpose text, case_reference text, max_fpir float8 DEFAULT 0.001, first_person bigint DEFAULT NULL,
		last_person bigint DEFAULT NULL)
	RETURNS TABLE (reference text, name text, born date, other_reference text, other_name text, other_born date, score numeric, fpir float8, differs text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	person record;
	pairs bigint := 0;
	made bigint;
BEGIN
	PERFORM watchlist.require_reason(identity_conflicts.purpose, identity_conflicts.case_reference);
	FOR person IN
		SELECT p.person, p.reference, p.name, p.born FROM watchlist.persons p
		WHERE p.person BETWEEN coalesce(first_person, 0) AND coalesce(last_person, 9223372036854775807)
		  AND EXISTS (SELECT FROM watchlist.enrolments e WHERE e.person = p.person AND e.state = 'enrolled')
		ORDER BY p.person
	LOOP
		RETURN QUERY
			SELECT person.reference, person.name, person.born, o.reference, o.name, o.born, round(l.score::numeric, 1), l.fpir,
				   concat_ws(' and ', CASE WHEN o.name IS DISTINCT FROM person.name THEN 'name' END, CASE WHEN o.born IS DISTINCT FROM person.born THEN 'birth date' END)
			FROM watchlist.likeliest_persons(person.person) l JOIN watchlist.persons o ON o.person = l.person
			WHERE l.fpir <= max_fpir AND (o.name, o.born) IS DISTINCT FROM (person.name, person.born)
			  -- of the first of the two, unless only the second finds the first
			  AND (o.person > person.person
				   OR NOT EXISTS (SELECT FROM watchlist.likeliest_persons(o.person) b WHERE b.person = person.person AND b.fpir <= max_fpir))
			ORDER BY l.fpir, o.reference;
		GET DIAGNOSTICS made = ROW_COUNT;
		pairs := pairs + made;
	END LOOP;
	INSERT INTO watchlist.log (action, purpose, case_reference, detail)
		VALUES ('view', identity_conflicts.purpose, identity_conflicts.case_reference, format('identity conflicts: %s', pairs));
END
$$;

-- What no search can find, and why.
CREATE FUNCTION coverage() RETURNS TABLE (problem text, object text, detail text)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT 'capture refused', p.reference || ' number ' || e.number, e.problem
	FROM watchlist.enrolments e JOIN watchlist.persons p USING (person) WHERE e.state = 'refused'
	UNION ALL
	SELECT 'person without a usable template', p.reference, NULL
	FROM watchlist.persons p WHERE NOT EXISTS (SELECT FROM watchlist.enrolments e WHERE e.person = p.person AND e.state = 'enrolled')
	UNION ALL
	SELECT 'person on no list', p.reference, NULL
	FROM watchlist.persons p WHERE NOT EXISTS (SELECT FROM watchlist.list_entries e WHERE e.person = p.person)
	UNION ALL
	SELECT 'entry has expired', e.list || '/' || p.reference, to_char(e.expires, 'YYYY-MM-DD')
	FROM watchlist.list_entries e JOIN watchlist.persons p USING (person) WHERE e.expires < current_date
	UNION ALL
	SELECT 'release has ended', r.list || ' for ' || r.partner, to_char(r.until, 'YYYY-MM-DD') FROM watchlist.release_rules r WHERE r.until < current_date
	UNION ALL
	SELECT 'entry of a list that does not exist', e.list || '/' || p.reference, NULL
	FROM watchlist.list_entries e JOIN watchlist.persons p USING (person)
	WHERE NOT EXISTS (SELECT FROM watchlist.lists l JOIN watchlist.this_country c ON l.owner = c.country WHERE l.list = e.list)
	UNION ALL
	SELECT 'template is missing in the gallery', d.list || '/' || d.reference || ' for ' || d.partner, 'number ' || d.item
	FROM watchlist.due_templates d
	WHERE NOT EXISTS (SELECT FROM watchlist.shared_templates s
					  WHERE (s.owner, s.partner, s.sent, s.list, s.reference, s.item) = (d.owner, d.partner, d.sent, d.list, d.reference, d.item))
	UNION ALL
	SELECT 'template is in the gallery without an entry', s.list || '/' || s.reference || ' for ' || s.partner, 'number ' || s.item
	FROM watchlist.shared_templates s JOIN watchlist.this_country c ON s.owner = c.country
	WHERE NOT EXISTS (SELECT FROM watchlist.due_templates d
					  WHERE (s.owner, s.partner, s.sent, s.list, s.reference, s.item) = (d.owner, d.partner, d.sent, d.list, d.reference, d.item))
	UNION ALL
	SELECT 'capture not usable', 'encounter ' || i.encounter || ' ' || i.kind || ' ' || coalesce(i.record, i.item), i.problem
	FROM watchlist.encounter_items i WHERE i.problem IS NOT NULL
	UNION ALL
	SELECT 'new entry not searched for among past encounters', a.owner || '/' || a.list || '/' || a.reference, NULL
	FROM watchlist.arrivals a JOIN watchlist.this_country c ON a.partner = c.country
	UNION ALL
	SELECT 'partner not asked yet', r.partner || ' about encounter ' || r.encounter, coalesce(r.problem, 'pending since ' || r.asked_at)
	FROM watchlist.remote_searches r WHERE r.state <> 'answered'
	UNION ALL
	SELECT 'no index that is valid', c.relname || '.' || a.attname, NULL
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
	WHERE c.oid IN ('watchlist.shared_templates'::regclass, 'watchlist.encounter_items'::regclass, 'watchlist.enrolments'::regclass)
	  AND a.attname IN ('print', 'eye') AND NOT a.attisdropped
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
					  WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND m.amname = 'biometric' AND i.indisvalid AND i.indisready AND i.indpred IS NULL);
END;

CREATE FUNCTION coverage_summary() RETURNS TABLE (problem text, objects bigint)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT c.problem, count(*) FROM watchlist.coverage() c GROUP BY c.problem ORDER BY c.problem;
END;

INSERT INTO duty_rights VALUES
	('operator', 'EXECUTE', 'FUNCTION watchlist.seal_log'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.purge_expired'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.coverage_summary'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.verify_log'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.log_head'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.verify_purge'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.coverage'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.coverage_summary'),
	('auditor', 'EXECUTE', 'FUNCTION watchlist.identity_conflicts'),
	('auditor', 'SELECT', 'watchlist.seals'),
	('auditor', 'SELECT', 'watchlist.purges'),
	('auditor', 'SELECT', 'watchlist.purged'),
	('auditor', 'SELECT', 'watchlist.searches_by_month'),
	('auditor', 'SELECT', 'watchlist.disclosures_by_month'),
	('auditor', 'SELECT', 'watchlist.log_by_month');

-- ---------------------------------------------------------------------------
-- what the duties may do
-- ---------------------------------------------------------------------------

INSERT INTO duty_rights VALUES
	('officer', 'EXECUTE', 'FUNCTION watchlist.check_traveller'),
	('officer', 'EXECUTE', 'FUNCTION watchlist.view_search'),
	('officer', 'EXECUTE', 'FUNCTION watchlist.view_person'),
	('officer', 'EXECUTE', 'FUNCTION watchlist.undelivered_alerts'),
	('officer', 'EXECUTE', 'FUNCTION watchlist.acknowledge_alert'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.add_person'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.enrol'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.enrol_encounter'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.withdraw_enrolment'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.create_list'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.open_list_to'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.add_to_list'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.remove_from_list'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.link_encounter'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.unlink_encounter'),
	('curator', 'EXECUTE', 'FUNCTION watchlist.view_person'),
	('releaser', 'EXECUTE', 'FUNCTION watchlist.release_list'),
	('releaser', 'EXECUTE', 'FUNCTION watchlist.end_release'),
	('releaser', 'EXECUTE', 'FUNCTION watchlist.decide_release'),
	('releaser', 'EXECUTE', 'FUNCTION watchlist.view_person'),
	('auditor', 'SELECT', 'watchlist.log'),
	('auditor', 'SELECT', 'watchlist.disclosures'),
	('auditor', 'SELECT', 'watchlist.release_decisions'),
	('auditor', 'SELECT', 'watchlist.release_rules'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.complete_remote_searches'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.search_past_encounters'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.refresh_gallery'),
	('operator', 'EXECUTE', 'FUNCTION watchlist.recount_gallery'),
	('analyst', 'SELECT', 'watchlist.shared_templates'),
	('analyst', 'EXECUTE', 'FUNCTION watchlist.country'),
	('analyst', 'EXECUTE', 'FUNCTION watchlist.my_catalogues'),
	('analyst', 'EXECUTE', 'FUNCTION watchlist.analyst_catalogues'),
	('partner', 'SELECT, INSERT', 'watchlist.partner_search'),
	('partner', 'SELECT, INSERT', 'watchlist.partner_core_data'),
	('partner', 'SELECT', 'watchlist.shared_templates'),
	('partner', 'EXECUTE', 'FUNCTION watchlist.country'),
	('partner', 'EXECUTE', 'FUNCTION watchlist.analyst_catalogues');

-- what pg_dump takes along: all but the rights, which are the script's
DO $$
DECLARE
	relation regclass;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'watchlist'::pg_catalog.regnamespace AND c.relkind IN ('r', 'S') AND c.relname <> 'duty_rights'
		  AND EXISTS (SELECT FROM pg_catalog.pg_depend d
					  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(relation, '');
	END LOOP;
END
$$;

-- nothing is granted to PUBLIC
DO $$
DECLARE
	function regprocedure;
BEGIN
	FOR function IN
		SELECT d.objid::regprocedure FROM pg_catalog.pg_depend d
		WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e'
		  AND d.refclassid = 'pg_catalog.pg_extension'::regclass
		  AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'biometric_watchlist')
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
	END LOOP;
END
$$;
