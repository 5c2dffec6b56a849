-- ---------------------------------------------------------------------------
-- retention: removing what is past its time, with proof
-- ---------------------------------------------------------------------------

CREATE TABLE purges (
	purge bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	purged_by name NOT NULL,
	as_of date NOT NULL,
	purpose text NOT NULL,
	case_reference text NOT NULL
);

-- What was removed, as keyed hashes.  They show that it is gone, but it cannot
-- be restored from them.
CREATE TABLE purged (
	purge bigint NOT NULL REFERENCES purges,
	kind text NOT NULL CHECK (kind IN ('person', 'encounter', 'list entry')),
	hash bytea NOT NULL,		-- keyed_hash of what the row was called
	templates integer NOT NULL,
	pieces integer[] NOT NULL,	-- template_pieces of each template, one after the other, each behind how many there are
	reason text NOT NULL,
	PRIMARY KEY (purge, kind, hash)
);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON purges FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON purges FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON purged FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON purged FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION person_stays(person bigint, as_of date) RETURNS text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce('legal hold: ' || p.legal_hold,
		(SELECT 'is on list ' || min(e.list) FROM watchlist.list_entries e
		 WHERE e.person = p.person AND (e.expires IS NULL OR e.expires >= as_of) HAVING count(*) > 0))
	FROM watchlist.persons p WHERE p.person = person_stays.person;
END;

CREATE FUNCTION encounter_stays(encounter bigint) RETURNS text
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(
		(SELECT 'review ' || min(o.review) || ' is not finished'
		 FROM watchlist.searches s JOIN watchlist.review_outcomes o USING (search)
		 WHERE s.encounter = encounter_stays.encounter AND (o.outcome = 'open' OR o.outcome = 'dissent' AND o.resolution IS NULL) HAVING count(*) > 0),
		(SELECT 'alert ' || min(a.alert) || ' is not acknowledged'
		 FROM watchlist.alerts a WHERE a.encounter = encounter_stays.encounter AND a.acknowledged_at IS NULL HAVING count(*) > 0),
		(SELECT 'partner ' || min(r.partner) || ' has not answered'
		 FROM watchlist.remote_searches r WHERE r.encounter = encounter_stays.encounter AND r.state <> 'answered' HAVING count(*) > 0),
		(SELECT 'it is still to be searched for new entries' FROM watchlist.encounters e WHERE e.encounter = encounter_stays.encounter AND NOT e.searched));
END;

-- What is past its time, and why some of it must stay.
CREATE FUNCTION due_for_purge(as_of date) RETURNS TABLE (kind text, name text, person bigint, encounter bigint, list text, reason text, kept_because text)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT 'list entry', e.list || ' ' || p.reference, e.person, NULL::bigint, e.list, 'expired on ' || to_char(e.expires, 'YYYY-MM-DD'), NULL::text
	FROM watchlist.list_entries e JOIN watchlist.persons p USING (person) WHERE e.expires < as_of
	UNION ALL
	SELECT 'person', p.reference, p.person, NULL, NULL, 'to be kept until ' || to_char(p.retain_until, 'YYYY-MM-DD'), watchlist.person_stays(p.person, as_of)
	FROM watchlist.persons p WHERE p.retain_until < as_of
	UNION ALL
	SELECT 'encounter', c.encounter::text, NULL, c.encounter, NULL, 'to be kept until ' || to_char(c.retain_until, 'YYYY-MM-DD'),
		   watchlist.encounter_stays(c.encounter)
	FROM watchlist.encounters c WHERE c.retain_until < as_of;
END;

-- The templates of a person or encounter in pieces, for the proof.
CREATE FUNCTION kept_pieces(person bigint, encounter bigint, OUT templates integer, OUT pieces integer[])
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key CONSTANT bytea := (SELECT k.key FROM watchlist.log_key k);
	one integer[];
BEGIN
	templates := 0;
	pieces := '{}';
	FOR one IN
		SELECT watchlist.template_pieces(e.print, e.eye, key) FROM watchlist.enrolments e WHERE e.person = kept_pieces.person AND e.state = 'enrolled'
		UNION ALL
		SELECT watchlist.template_pieces(i.print, i.eye, key) FROM watchlist.encounter_items i
		WHERE i.encounter = kept_pieces.encounter AND i.problem IS NULL
	LOOP
		templates := templates + 1;
		pieces := pieces || cardinality(one) || one;
	END LOOP;
END
$$;

-- The caller has locked the person and decided to remove it.
CREATE FUNCTION remove_person(person bigint) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	own CONSTANT text := (SELECT p.reference FROM watchlist.persons p WHERE p.person = remove_person.person);
	full_name CONSTANT text := watchlist.country() || '/' || own;
BEGIN
	PERFORM set_config('watchlist.purging', 'on', true);
	PERFORM watchlist.drop_entries(person, ARRAY(SELECT e.list FROM watchlist.list_entries e WHERE e.person = remove_person.person));
	-- candidates stay, but without the person's name
	UPDATE watchlist.candidates c SET person = NULL, lists = '{}', caveats = '{}', evidence = '[]' WHERE c.person = full_name;
	UPDATE watchlist.encounters e SET person = NULL WHERE e.person = full_name;
	UPDATE watchlist.partner_requests r SET band = 'clear', person = NULL WHERE r.person = full_name;
	DELETE FROM watchlist.alerts a WHERE a.person = full_name;
	INSERT INTO watchlist.spent_references (hash)
		SELECT watchlist.keyed_hash(convert_to(p.reference, 'UTF8')) FROM watchlist.persons p
		WHERE p.person = remove_person.person OR p.merged_into = remove_person.person
		ON CONFLICT DO NOTHING;
	DELETE FROM watchlist.persons p WHERE p.person = remove_person.person;
	PERFORM set_config('watchlist.purging', '', true);
END
$$;

CREATE FUNCTION remove_encounter(encounter bigint) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('watchlist.purging', 'on', true);
	DELETE FROM watchlist.encounters e WHERE e.encounter = remove_encounter.encounter;
	PERFORM set_config('watchlist.purging', '', true);
END
$$;

-- Remove what is past its time. dry_run only reports what would be removed.
-- name is returned to the caller and stored nowhere.  What another transaction
-- has locked is left to the next run; what has changed since it was chosen is
-- checked again.
CREATE FUNCTION purge_expired(purpose text, case_reference text, as_of date DEFAULT NULL, dry_run boolean DEFAULT false)
	RETURNS TABLE (purge bigint, kind text, name text, hash bytea, templates integer, removed boolean, reason text)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	number bigint;
	due record;
	again record;
	entry_hash bytea;
	kept record;
	done integer := 0;
	busy boolean;
BEGIN
	PERFORM watchlist.require_reason(purge_expired.purpose, purge_expired.case_reference);
	PERFORM watchlist.require_read_committed();
	as_of := coalesce(as_of, watchlist.today());
	IF as_of > watchlist.today() AND NOT dry_run THEN
		RAISE EXCEPTION 'what is not past its time yet is not purged'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Use dry_run to see what will be.';
	END IF;
	IF NOT dry_run THEN
		INSERT INTO watchlist.purges AS p (purged_by, as_of, purpose, case_reference)
			VALUES (watchlist.caller(), purge_expired.as_of, purge_expired.purpose, purge_expired.case_reference) RETURNING p.purge INTO number;
	END IF;
	-- entries first: they keep persons
	FOR due IN SELECT * FROM watchlist.due_for_purge(as_of) d
			   ORDER BY array_position(ARRAY['list entry', 'person', 'encounter'], d.kind), d.name LOOP
		again := due;
		busy := false;
		IF NOT dry_run THEN
			IF due.kind = 'encounter' THEN
				PERFORM FROM watchlist.encounters e WHERE e.encounter = due.encounter FOR UPDATE SKIP LOCKED;
			ELSE
				PERFORM FROM watchlist.persons p WHERE p.person = due.person FOR UPDATE SKIP LOCKED;
			END IF;
			busy := NOT FOUND;
			-- it may have changed since it was chosen
			SELECT * INTO again FROM watchlist.due_for_purge(as_of) d
				WHERE d.kind = due.kind AND d.name = due.name AND NOT busy;
			CONTINUE WHEN NOT FOUND AND NOT busy;
			IF busy THEN
				again := due;
				again.kept_because := 'somebody is changing it';
			END IF;
		END IF;
		SELECT k.templates, k.pieces INTO kept FROM watchlist.kept_pieces(CASE WHEN due.kind = 'person' THEN due.person END, due.encounter) k;
		entry_hash := watchlist.keyed_hash(convert_to(due.kind || ' ' || due.name, 'UTF8'));
		IF again.kept_because IS NULL AND NOT dry_run THEN
			INSERT INTO watchlist.purged (purge, kind, hash, templates, pieces, reason)
				VALUES (number, due.kind, entry_hash, kept.templates, kept.pieces, again.reason);
			IF due.kind = 'list entry' THEN
				PERFORM watchlist.drop_entries(due.person, ARRAY[due.list]);
			ELSIF due.kind = 'person' THEN
				PERFORM watchlist.remove_person(due.person);
			ELSE
				PERFORM watchlist.remove_encounter(due.encounter);
			END IF;
			done := done + 1;
		END IF;
		RETURN QUERY SELECT number, due.kind, due.name, entry_hash, kept.templates, again.kept_because IS NULL AND NOT dry_run,
							again.reason || coalesce('; ' || again.kept_because, '');
	END LOOP;
	IF NOT dry_run THEN
		PERFORM watchlist.note('purge', purge_expired.purpose, purge_expired.case_reference, detail => format('purge %s as of %s: %s removed', number, as_of, done));
	END IF;
END
$$;

-- Remove a person at once, on request or by order, unless under legal hold.
CREATE FUNCTION erase_person(person text, purpose text, case_reference text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
	kept record;
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	who := watchlist.own_person(person);
	IF who.legal_hold IS NOT NULL THEN
		RAISE EXCEPTION 'the person is under legal hold: %', who.legal_hold
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'set_legal_hold() ends it.';
	END IF;
	SELECT k.templates, k.pieces INTO kept FROM watchlist.kept_pieces(who.person, NULL) k;
	INSERT INTO watchlist.purges AS p (purged_by, as_of, purpose, case_reference)
		VALUES (watchlist.caller(), watchlist.today(), erase_person.purpose, erase_person.case_reference) RETURNING p.purge INTO number;
	INSERT INTO watchlist.purged (purge, kind, hash, templates, pieces, reason)
		VALUES (number, 'person', watchlist.keyed_hash(convert_to('person ' || who.reference, 'UTF8')), kept.templates, kept.pieces, 'erased');
	PERFORM watchlist.remove_person(who.person);
	PERFORM watchlist.note('purge', purpose, case_reference, detail => format('purge %s: a person is erased', number));
	RETURN number;
END
$$;

CREATE FUNCTION set_retention(person text, retain_until date, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF NOT isfinite(retain_until) THEN
		RAISE EXCEPTION 'the date of retention must be a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL is no date.';
	END IF;
	who := watchlist.own_person(person);
	UPDATE watchlist.persons p SET retain_until = set_retention.retain_until WHERE p.person = who.person;
	PERFORM watchlist.note('purge', purpose, case_reference, persons => ARRAY[person], detail => format('to be kept until %s, was %s', retain_until, who.retain_until));
END
$$;

CREATE FUNCTION set_encounter_retention(encounter bigint, retain_until date, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF NOT isfinite(retain_until) THEN
		RAISE EXCEPTION 'the date of retention must be a day' USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL is no date.';
	END IF;
	PERFORM watchlist.own_encounter(encounter);
	UPDATE watchlist.encounters e SET retain_until = set_encounter_retention.retain_until WHERE e.encounter = set_encounter_retention.encounter;
	PERFORM watchlist.note('purge', purpose, case_reference, encounter => encounter, detail => format('to be kept until %s', retain_until));
END
$$;

-- reason: why the person must not be purged; NULL ends it.
CREATE FUNCTION set_legal_hold(person text, reason text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	who := watchlist.own_person(person);
	UPDATE watchlist.persons p SET legal_hold = set_legal_hold.reason WHERE p.person = who.person;
	PERFORM watchlist.note('purge', purpose, case_reference, persons => ARRAY[person], detail => coalesce('legal hold: ' || reason, 'legal hold ended'));
END
$$;

-- How long persons or encounters are kept by default; NULL: no limit.
CREATE FUNCTION set_default_retention(kind text, keep interval, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	DELETE FROM watchlist.retention r WHERE r.kind = set_default_retention.kind;
	IF keep IS NOT NULL THEN
		INSERT INTO watchlist.retention (kind, keep) VALUES (set_default_retention.kind, set_default_retention.keep);
	END IF;
	PERFORM watchlist.note('setting', purpose, case_reference, detail => format('%s is kept for %s', kind, coalesce(keep::text, 'ever')));
END
$$;

-- Everything that is kept about a person, as far as the agency may see it, for a request of the
-- person's own.
CREATE FUNCTION report_on_person(person text, purpose text, case_reference text) RETURNS TABLE (what text, at timestamptz, detail text)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	who watchlist.persons;
	full_name CONSTANT text := report_on_person.person;
BEGIN
	PERFORM watchlist.require_reason(report_on_person.purpose, report_on_person.case_reference);
	who := watchlist.own_person(full_name);
	PERFORM watchlist.note('view', report_on_person.purpose, report_on_person.case_reference, persons => ARRAY[full_name], detail => 'report on a person');
	RETURN QUERY
		SELECT 'person', NULL::timestamptz, concat_ws(', ', who.name, to_char(who.born, 'YYYY-MM-DD'), who.caveat, 'kept until ' || to_char(who.retain_until, 'YYYY-MM-DD'))
		UNION ALL SELECT 'before a correction', c.at, concat_ws(', ', c.old_name, to_char(c.old_born, 'YYYY-MM-DD'), c.old_caveat)
			FROM watchlist.person_corrections c WHERE c.person = who.person
		UNION ALL SELECT 'enrolment', e.at, format('number %s: %s %s, %s', e.number, e.kind, e.position, e.state) FROM watchlist.enrolments e WHERE e.person = who.person
		UNION ALL SELECT 'entry of a list', e.added_at, format('%s: %s', e.list, e.reason) FROM watchlist.list_entries e
			WHERE e.person = who.person AND watchlist.list_is_visible(e.list, ARRAY(SELECT watchlist.caller_agencies()))
		UNION ALL SELECT 'encounter', c.at, format('encounter %s, linked: %s', c.encounter, l.reason)
			FROM watchlist.encounter_links l JOIN watchlist.encounters c USING (encounter) WHERE l.person = who.person AND l.unlinked_at IS NULL
		UNION ALL SELECT 'decision on release', d.decided_at, format('%s: %s', d.partner, CASE WHEN d.released THEN 'released' ELSE 'not released' END)
			FROM watchlist.release_decisions d WHERE d.person = who.person
		UNION ALL SELECT 'log', l.at, concat_ws(', ', l.action, l.partner, l.detail) FROM watchlist.log l
			WHERE l.persons @> ARRAY[full_name] AND (l.partner IS NOT NULL OR l.agency IN (SELECT watchlist.caller_agencies()))
		ORDER BY 2 NULLS FIRST, 1;
END
$$;

-- Whether anything that a purge removed is still stored.  Returns a row for
-- each such thing, or one row that says "nothing".  A template counts as found
-- if it shares half of its pieces with one that was purged, so a changed byte
-- does not hide it.  Reads every stored template.
CREATE FUNCTION verify_purge(purge bigint) RETURNS TABLE (finding text, kind text, hash bytea)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	key CONSTANT bytea := (SELECT k.key FROM watchlist.log_key k);
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
			SELECT watchlist.authenticate(convert_to('person ' || p.reference, 'UTF8'), key) FROM watchlist.persons p
			UNION ALL
			SELECT watchlist.authenticate(convert_to('encounter ' || e.encounter, 'UTF8'), key) FROM watchlist.encounters e
			UNION ALL
			SELECT watchlist.authenticate(convert_to('list entry ' || e.list || ' ' || p.reference, 'UTF8'), key)
			FROM watchlist.list_entries e JOIN watchlist.persons p USING (person));
	GET DIAGNOSTICS findings = ROW_COUNT;
	RETURN QUERY
		WITH RECURSIVE unpacked AS (
			SELECT d.kind, d.hash, d.pieces, 1 AS start, 0 AS template FROM watchlist.purged d WHERE d.purge = verify_purge.purge AND d.pieces <> '{}'
			UNION ALL
			SELECT u.kind, u.hash, u.pieces, u.start + u.pieces[u.start] + 1, u.template + 1 FROM unpacked u
			WHERE u.start + u.pieces[u.start] + 1 <= cardinality(u.pieces)),
		gone AS MATERIALIZED (
			SELECT u.kind, u.hash, u.template, u.pieces[u.start] AS size, p AS piece
			FROM unpacked u, unnest(u.pieces[u.start + 1 : u.start + u.pieces[u.start]]) p),
		kept AS (
			SELECT k.place, watchlist.template_pieces(k.print, k.eye, key) AS pieces
			FROM (SELECT e.print, e.eye, 'as an enrolment' AS place FROM watchlist.enrolments e WHERE e.state = 'enrolled'
				  UNION ALL
				  SELECT i.print, i.eye, 'in encounter ' || i.encounter FROM watchlist.encounter_items i WHERE i.problem IS NULL
				  UNION ALL
				  SELECT g.print, g.eye, 'in the gallery' FROM watchlist.gallery g
				  UNION ALL
				  SELECT r.print, r.eye, 'as received from ' || watchlist.owner_of(r.subject) FROM watchlist.received r) k),
		numbered AS MATERIALIZED (SELECT row_number() OVER () AS n, k.place, k.pieces FROM kept k)
		SELECT DISTINCT 'a template of it is kept ' || f.place, f.kind, f.hash
		FROM (SELECT n.n, n.place, g.kind, g.hash, g.template, max(g.size) AS size, count(DISTINCT p) AS shared
			  FROM numbered n, unnest(n.pieces) p JOIN gone g ON g.piece = p
			  GROUP BY n.n, n.place, g.kind, g.hash, g.template) f
		WHERE 2 * f.shared >= f.size;
	GET DIAGNOSTICS more = ROW_COUNT;
	IF findings + more = 0 THEN
		RETURN QUERY SELECT 'nothing', NULL::text, NULL::bytea;
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- reports
-- ---------------------------------------------------------------------------

-- Persons with the same fingers or eyes and another biography: fraud, a typing
-- error, or two records of one person that were never joined.  Each pair once.
-- Every person is searched for among all, from first to last in the order of
-- persons, so that a large table can be done in parts.  Among n persons, n
-- times max_fpir pairs are to be expected by chance.
CREATE FUNCTION identity_conflicts(purpose text, case_reference text, max_fpir float8 DEFAULT 0.001, first_person bigint DEFAULT NULL,
		last_person bigint DEFAULT NULL)
	RETURNS TABLE (person text, name text, born date, other_person text, other_name text, other_born date, score numeric, fpir float8, differs text)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	country CONSTANT text := watchlist.country();
	one record;
BEGIN
	PERFORM watchlist.require_reason(identity_conflicts.purpose, identity_conflicts.case_reference);
	-- log before the first name is shown
	PERFORM watchlist.note('view', identity_conflicts.purpose, identity_conflicts.case_reference,
		detail => format('identity conflicts, persons %s to %s', coalesce(first_person::text, 'first'), coalesce(last_person::text, 'last')));
	FOR one IN
		SELECT p.person, p.reference, p.name, p.born FROM watchlist.persons p
		WHERE p.person BETWEEN coalesce(first_person, 0) AND coalesce(last_person, 9223372036854775807)
		  AND EXISTS (SELECT FROM watchlist.enrolments e WHERE e.person = p.person AND e.state = 'enrolled')
		ORDER BY p.person
	LOOP
		RETURN QUERY
			SELECT country || '/' || one.reference, one.name, one.born, country || '/' || o.reference, o.name, o.born, round(l.score::numeric, 1), l.fpir,
				   concat_ws(' and ', CASE WHEN o.name IS DISTINCT FROM one.name THEN 'name' END, CASE WHEN o.born IS DISTINCT FROM one.born THEN 'birth date' END)
			FROM watchlist.likeliest_persons(one.person, max_fpir) l JOIN watchlist.persons o ON o.person = l.person
			WHERE l.fpir <= max_fpir AND (o.name, o.born) IS DISTINCT FROM (one.name, one.born)
			  -- of the first of the two, unless only the second finds the first
			  AND (o.person > one.person
				   OR NOT EXISTS (SELECT FROM watchlist.likeliest_persons(o.person, max_fpir) b WHERE b.person = one.person AND b.fpir <= max_fpir))
			ORDER BY l.fpir, o.reference;
	END LOOP;
END
$$;

-- Persons and templates that no search can find, and why.
CREATE FUNCTION coverage() RETURNS TABLE (problem text, object text, detail text)
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT 'capture refused', p.reference || ' number ' || e.number, e.problem
	FROM watchlist.enrolments e JOIN watchlist.persons p USING (person) WHERE e.state = 'refused'
	UNION ALL
	SELECT 'person without a usable template', p.reference, NULL
	FROM watchlist.persons p WHERE p.merged_into IS NULL
		AND NOT EXISTS (SELECT FROM watchlist.enrolments e WHERE e.person = p.person AND e.state = 'enrolled')
	UNION ALL
	SELECT 'person on no list', p.reference, NULL
	FROM watchlist.persons p WHERE p.merged_into IS NULL AND NOT EXISTS (SELECT FROM watchlist.list_entries e WHERE e.person = p.person)
	UNION ALL
	SELECT 'entry has expired', e.list || ' ' || p.reference, to_char(e.expires, 'YYYY-MM-DD')
	FROM watchlist.list_entries e JOIN watchlist.persons p USING (person) WHERE e.expires < watchlist.today()
	UNION ALL
	SELECT 'consent has expired', p.reference || ' for ' || c.agency, to_char(c.expires, 'YYYY-MM-DD')
	FROM watchlist.consents c JOIN watchlist.persons p USING (person) WHERE c.expires < watchlist.today()
	UNION ALL
	SELECT 'list is closed', l.list, to_char(l.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') FROM watchlist.lists l WHERE l.closed_at IS NOT NULL
	UNION ALL
	SELECT 'release has ended', r.list || ' for ' || r.partner, to_char(r.until, 'YYYY-MM-DD') FROM watchlist.release_rules r WHERE r.until < watchlist.today()
	UNION ALL
	SELECT 'template is missing in the gallery', d.list || ' ' || d.subject, 'number ' || d.item
	FROM watchlist.due_templates d
	WHERE d.part IS NULL OR NOT EXISTS (SELECT FROM watchlist.gallery g WHERE g.subject = d.subject AND g.part = d.part AND g.item = d.item)
	UNION ALL
	SELECT 'template is in the gallery without an entry', t.list || ' ' || g.subject, 'number ' || g.item
	FROM watchlist.gallery g JOIN watchlist.parts t USING (part)
	WHERE NOT EXISTS (SELECT FROM watchlist.due_templates d WHERE d.subject = g.subject AND d.part = g.part AND d.item = g.item)
	UNION ALL
	SELECT 'number of persons is wrong', t.owner || '/' || t.list, n.counted || ' instead of ' || n.there
	FROM watchlist.parts t,
		 LATERAL (SELECT watchlist.gallery_size(ARRAY[t.part]) AS counted, (SELECT count(*) FROM watchlist.arrivals a WHERE a.part = t.part) AS there) n
	WHERE n.counted <> n.there
	UNION ALL
	SELECT 'entry is released and not in the feed', r.list || ' ' || r.reference || ' for ' || r.partner, NULL
	FROM (SELECT DISTINCT k.partner, k.list, k.reference FROM watchlist.released k) r
	WHERE NOT EXISTS (SELECT FROM watchlist.feed_sent s WHERE s.partner = r.partner AND s.list = r.list AND s.reference = r.reference)
	  AND EXISTS (SELECT FROM watchlist.feeds f WHERE f.partner = r.partner AND f.acknowledged_at IS NOT NULL)
	UNION ALL
	SELECT 'partner has not fetched its feed for a day', l.partner, (l.not_numbered + l.not_acknowledged) || ' changes wait'
	FROM watchlist.feed_lag() l
	WHERE l.not_numbered + l.not_acknowledged > 0 AND coalesce(l.acknowledged_at < clock_timestamp() - interval '1 day', true)
	UNION ALL
	SELECT 'feed of a partner has stopped', f.partner, coalesce(f.problem, 'not fetched for a day')
	FROM watchlist.received_feeds f WHERE f.problem IS NOT NULL OR coalesce(f.pulled_at < clock_timestamp() - interval '1 day', true)
	UNION ALL
	SELECT 'feed of a partner is given anew', f.partner, 'up to number ' || f.settles_at FROM watchlist.received_feeds f WHERE f.settles_at IS NOT NULL
	UNION ALL
	SELECT 'entry of a partner refused', concat_ws('/', p.partner, p.list) || ' ' || p.reference, p.problem FROM watchlist.received_problems p
	UNION ALL
	SELECT 'entry of a partner has expired', e.subject, to_char(e.expires, 'YYYY-MM-DD') FROM watchlist.received_entries e WHERE e.expires < watchlist.today()
	UNION ALL
	SELECT 'capture not usable', 'encounter ' || i.encounter || ' ' || i.kind || ' ' || coalesce(i.record, i.item), i.problem
	FROM watchlist.encounter_items i WHERE i.problem IS NOT NULL
	UNION ALL
	SELECT 'new entry not searched for among past encounters', t.owner || '/' || t.list || ' ' || a.subject, NULL
	FROM watchlist.arrivals a JOIN watchlist.parts t USING (part) WHERE NOT a.searched
	UNION ALL
	SELECT 'encounter not searched for what it did not see', 'encounter ' || e.encounter, NULL FROM watchlist.encounters e WHERE NOT e.searched
	UNION ALL
	SELECT 'partner not asked yet', r.partner || ' about encounter ' || r.encounter, coalesce(r.problem, r.state)
	FROM watchlist.remote_searches r WHERE r.state <> 'answered'
	UNION ALL
	SELECT 'no index that is valid', c.relname || '.' || a.attname, NULL
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
	WHERE c.oid IN ('watchlist.gallery'::regclass, 'watchlist.received'::regclass, 'watchlist.encounter_items'::regclass, 'watchlist.enrolments'::regclass)
	  AND a.attname IN ('print', 'eye') AND NOT a.attisdropped
	  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam
					  WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND m.amname = 'biometric' AND i.indisvalid AND i.indisready AND i.indpred IS NULL);
END;

CREATE FUNCTION coverage_summary() RETURNS TABLE (problem text, objects bigint)
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT c.problem, count(*) FROM watchlist.coverage() c GROUP BY c.problem ORDER BY c.problem;
END;
