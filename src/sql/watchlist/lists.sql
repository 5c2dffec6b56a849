-- ---------------------------------------------------------------------------
-- lists: who is on them, who sees them, and to which partners they are released
--
-- A change that concerns all persons of a list updates the list's row; adding a
-- person locks the row FOR SHARE.  So one of the two waits, and then sees the
-- other's change.
-- ---------------------------------------------------------------------------

CREATE TABLE lists (
	list text PRIMARY KEY,		-- agency/name
	agency text NOT NULL REFERENCES agencies ON UPDATE CASCADE,	-- that keeps it
	title text,
	legal_basis text NOT NULL,
	caveats text[] NOT NULL DEFAULT '{}',
	open boolean NOT NULL DEFAULT false,	-- to all agencies
	closed_at timestamptz,					-- not searched and not sent any more
	version bigint NOT NULL DEFAULT 0
);

-- other agencies to which it is open
CREATE TABLE list_readers (
	list text NOT NULL REFERENCES lists ON DELETE CASCADE,
	agency text NOT NULL REFERENCES agencies ON UPDATE CASCADE,
	PRIMARY KEY (list, agency)
);

CREATE TABLE list_entries (
	list text NOT NULL REFERENCES lists,
	person bigint NOT NULL REFERENCES persons,
	reason text NOT NULL,
	caveats text[] NOT NULL DEFAULT '{}',
	withheld_from text[] NOT NULL DEFAULT '{}',	-- partners that never get it
	added_by name NOT NULL,
	added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires date CHECK (isfinite(expires)),
	PRIMARY KEY (list, person)
);
CREATE INDEX list_entries_person ON list_entries (person);
CREATE INDEX list_entries_expires ON list_entries (expires) WHERE expires IS NOT NULL;

-- Another agency may put the person on its own lists, and release these to some
-- partners, only as long as it has this consent.
CREATE TABLE consents (
	person bigint NOT NULL REFERENCES persons ON DELETE CASCADE,
	agency text NOT NULL REFERENCES agencies ON UPDATE CASCADE,
	partners text[] NOT NULL DEFAULT '{}',
	caveats text[] NOT NULL DEFAULT '{}',
	expires date CHECK (isfinite(expires)),
	given_by name NOT NULL,
	given_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	purpose text NOT NULL,
	case_reference text NOT NULL,
	PRIMARY KEY (person, agency)
);

CREATE TABLE partners (
	partner text PRIMARY KEY CHECK (partner ~ '^[[:alnum:]][[:alnum:] ._-]{0,39}$'),
	login regrole UNIQUE,		-- as which it asks us
	paused boolean NOT NULL DEFAULT false,
	added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- which of our lists goes to which partner: sent, or only to be asked
CREATE TABLE release_rules (
	list text NOT NULL REFERENCES lists ON DELETE CASCADE,
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	sent boolean NOT NULL,
	caveats text[] NOT NULL DEFAULT '{}',
	until date CHECK (isfinite(until)),
	reason text NOT NULL,
	decided_by name NOT NULL,
	decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (list, partner)
);

CREATE FUNCTION list_is_visible(list text, agencies text[]) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT EXISTS (
		SELECT FROM watchlist.lists l
		WHERE l.list = list_is_visible.list
		  AND (l.open OR l.agency = ANY (agencies)
			   OR EXISTS (SELECT FROM watchlist.list_readers r WHERE r.list = l.list AND r.agency = ANY (agencies))));
END;

-- Every entry that is in force, with what follows for it from the list, the
-- person and the consent of the agency that keeps the person.
CREATE VIEW entries AS
	SELECT e.list, l.agency, e.person, p.reference, p.agency AS keeper, e.reason,
		   l.caveats || e.caveats || coalesce(c.caveats, '{}') || coalesce(k.caveats, '{}') AS caveats, p.caveat,
		   CASE WHEN e.withheld_from = '{}' AND k.withheld_from IS NULL THEN '{}' ELSE as_set(e.withheld_from || k.withheld_from) END AS withheld_from,
		   CASE WHEN p.agency <> l.agency THEN c.partners END AS only_to,
		   least(e.expires, c.expires, k.expires) AS expires
	FROM list_entries e JOIN lists l ON l.list = e.list JOIN persons p ON p.person = e.person
		 LEFT JOIN consents c ON c.person = e.person AND c.agency = l.agency
		 LEFT JOIN LATERAL (
			-- the keeper's own entries of that person bind those of others
			SELECT array_agg(DISTINCT w) FILTER (WHERE w IS NOT NULL) AS withheld_from, array_agg(DISTINCT v) FILTER (WHERE v IS NOT NULL) AS caveats, CASE WHEN bool_and(o.expires IS NOT NULL) THEN max(o.expires) END AS expires
			FROM list_entries o JOIN lists ol ON ol.list = o.list LEFT JOIN LATERAL unnest(o.withheld_from) w ON true LEFT JOIN LATERAL unnest(o.caveats) v ON true
			WHERE o.person = e.person AND ol.agency = p.agency AND p.agency <> l.agency) k ON true
	WHERE l.closed_at IS NULL AND (p.agency = l.agency OR c.person IS NOT NULL)
	  AND coalesce(least(e.expires, c.expires, k.expires) >= (SELECT today()), true);

CREATE FUNCTION find_agency(agency text) RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM watchlist.agencies a WHERE a.agency = find_agency.agency) THEN
		RAISE EXCEPTION 'there is no agency "%"', left(find_agency.agency, 100) USING ERRCODE = 'no_data_found', HINT = 'add_agency() makes one.';
	END IF;
END
$$;

-- Names of partners, checked and in order.
CREATE FUNCTION known_partners(names text[]) RETURNS text[]
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	checked text[] := watchlist.as_set(names);
	unknown text;
BEGIN
	SELECT n INTO unknown FROM unnest(checked) n WHERE NOT EXISTS (SELECT FROM watchlist.partners p WHERE p.partner = n) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'there is no partner "%"', left(unknown, 100)
			USING ERRCODE = 'no_data_found', HINT = 'Names are written exactly as for add_partner().';
	END IF;
	RETURN checked;
END
$$;

-- A list of the caller's agency. change: the caller changes something that
-- concerns all persons on it.
CREATE FUNCTION own_list(list text, change boolean DEFAULT false) RETURNS lists
	LANGUAGE plpgsql
AS $$
DECLARE
	own text := watchlist.own_name(list, 'list');
	kept watchlist.lists;
BEGIN
	-- the caller waits only for a list that they may see; after the lock, that
	-- is checked again
	IF NOT watchlist.list_is_visible(own, ARRAY(SELECT watchlist.caller_agencies())) THEN
		NULL;
	ELSIF change THEN
		-- it sees every entry that was committed before the lock was taken
		PERFORM watchlist.require_read_committed();
		UPDATE watchlist.lists l SET version = l.version + 1 WHERE l.list = own RETURNING l.* INTO kept;
	ELSE
		SELECT * INTO kept FROM watchlist.lists l WHERE l.list = own FOR SHARE;
	END IF;
	IF kept.list IS NULL OR NOT watchlist.list_is_visible(own, ARRAY(SELECT watchlist.caller_agencies())) THEN
		RAISE EXCEPTION 'there is no list "%"', left(own_list.list, 200) USING ERRCODE = 'no_data_found', HINT = 'create_list() makes one.';
	END IF;
	PERFORM watchlist.require_agency(kept.agency);
	RETURN kept;
END
$$;

CREATE FUNCTION persons_of(list text) RETURNS bigint[]
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(array_agg(e.person), '{}') FROM watchlist.list_entries e WHERE e.list = persons_of.list;
END;

-- A new list of the caller's agency; returns the full name.
CREATE FUNCTION create_list(list text, title text, legal_basis text, purpose text, case_reference text,
		caveats text[] DEFAULT '{}', open boolean DEFAULT false) RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	own CONSTANT text := watchlist.new_name(list, 'list');
	full_name CONSTANT text := watchlist.country() || '/' || own;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF watchlist.is_blank(legal_basis) THEN
		RAISE EXCEPTION 'a list needs a legal basis' USING ERRCODE = 'not_null_violation', HINT = 'Name the act or agreement that allows it.';
	END IF;
	INSERT INTO watchlist.lists (list, agency, title, legal_basis, caveats, open)
		VALUES (own, watchlist.acting_agency(), create_list.title, create_list.legal_basis, coalesce(watchlist.require_caveats(create_list.caveats), '{}'), create_list.open)
		ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'list "%" is there already', full_name USING ERRCODE = 'unique_violation', HINT = 'change_list() changes it.';
	END IF;
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[full_name], detail => 'created');
	RETURN full_name;
END
$$;

-- What is NULL stays as it is.
CREATE FUNCTION change_list(list text, purpose text, case_reference text, title text DEFAULT NULL, legal_basis text DEFAULT NULL,
		caveats text[] DEFAULT NULL, open boolean DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	UPDATE watchlist.lists l
		SET title = coalesce(change_list.title, l.title), legal_basis = coalesce(change_list.legal_basis, l.legal_basis),
			caveats = coalesce(watchlist.require_caveats(change_list.caveats), l.caveats), open = coalesce(change_list.open, l.open)
		WHERE l.list = kept.list;
	IF caveats IS NOT NULL THEN
		PERFORM watchlist.queue_list(kept.list);
	END IF;
	IF open AND NOT kept.open THEN
		PERFORM watchlist.search_again(kept.list);
	END IF;
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list],
		detail => 'changed: ' || concat_ws(', ', CASE WHEN title IS NOT NULL THEN 'title' END, CASE WHEN legal_basis IS NOT NULL THEN 'legal basis' END,
										   CASE WHEN caveats IS NOT NULL THEN 'caveats' END, CASE open WHEN true THEN 'open to all' WHEN false THEN 'not open to all' END));
END
$$;

CREATE FUNCTION open_list_to(list text, agency text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	PERFORM watchlist.find_agency(agency);
	INSERT INTO watchlist.list_readers (list, agency) VALUES (kept.list, open_list_to.agency) ON CONFLICT DO NOTHING;
	IF FOUND THEN
		-- past encounters of that agency have not been searched for
		PERFORM watchlist.search_again(kept.list);
	END IF;
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list], detail => 'opened to ' || agency);
END
$$;

CREATE FUNCTION close_list_to(list text, agency text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	DELETE FROM watchlist.list_readers r WHERE r.list = kept.list AND r.agency = close_list_to.agency;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'list "%" is not opened to agency "%"', left(list, 200), left(agency, 100) USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list], detail => 'not open any more to ' || agency);
END
$$;

-- A closed list is neither searched nor sent; its entries stay, and it can be opened again.
CREATE FUNCTION close_list(list text, closed boolean, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	UPDATE watchlist.lists l SET closed_at = CASE WHEN closed THEN clock_timestamp() END WHERE l.list = kept.list;
	PERFORM watchlist.refresh(watchlist.persons_of(kept.list));
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list], detail => CASE WHEN closed THEN 'closed' ELSE 'opened again' END);
END
$$;

-- The list with its entries and rules; the persons stay.
CREATE FUNCTION delete_list(list text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
	reached bigint[];
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	reached := watchlist.persons_of(kept.list);
	PERFORM watchlist.queue_list(kept.list);
	PERFORM watchlist.bind_consents(reached, ARRAY[kept.list]);
	DELETE FROM watchlist.list_entries e WHERE e.list = kept.list;
	PERFORM watchlist.refresh(reached);
	DELETE FROM watchlist.lists l WHERE l.list = kept.list;
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list], detail => format('deleted with %s entries', cardinality(reached)));
END
$$;

-- Another agency keeps the list from now on.  Persons of the old keeper stay on
-- it by consent, for the partners to which the list is released.
CREATE FUNCTION hand_over_list(list text, agency text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
	reached bigint[];
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	kept := watchlist.own_list(list, true);
	PERFORM watchlist.find_agency(agency);
	reached := watchlist.persons_of(kept.list);
	PERFORM watchlist.bind_consents(reached, ARRAY[kept.list]);
	INSERT INTO watchlist.consents (person, agency, partners, given_by, purpose, case_reference)
		SELECT p.person, hand_over_list.agency,
			   coalesce((SELECT watchlist.as_set(array_agg(r.partner)) FROM watchlist.release_rules r WHERE r.list = kept.list), '{}'),
			   watchlist.caller(), hand_over_list.purpose, hand_over_list.case_reference
		FROM watchlist.persons p WHERE p.person = ANY (reached) AND p.agency = kept.agency AND p.agency <> hand_over_list.agency
		ON CONFLICT DO NOTHING;
	UPDATE watchlist.lists l SET agency = hand_over_list.agency WHERE l.list = kept.list;
	PERFORM watchlist.refresh(reached);
	PERFORM watchlist.note('list', purpose, case_reference, lists => ARRAY[list], detail => 'handed over to ' || agency);
END
$$;

CREATE FUNCTION require_future(day date) RETURNS void
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF NOT isfinite(day) OR day < watchlist.today() THEN
		RAISE EXCEPTION 'the last day is past' USING ERRCODE = 'invalid_parameter_value', HINT = 'It may be today or later.';
	END IF;
END
$$;

-- An agency can put another agency's person on its list if that agency has
-- consented.
CREATE FUNCTION add_to_list(list text, person text, reason text, case_reference text, caveats text[] DEFAULT '{}',
		withheld_from text[] DEFAULT '{}', expires date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	kept := watchlist.own_list(list);
	who := watchlist.find_person(person);
	IF who.agency <> kept.agency
	   AND NOT EXISTS (SELECT FROM watchlist.consents c WHERE c.person = who.person AND c.agency = kept.agency
					   AND (c.expires IS NULL OR c.expires >= watchlist.today())) THEN
		RAISE EXCEPTION 'person "%" is kept by another agency, which has not consented', left(person, 200)
			USING ERRCODE = 'insufficient_privilege', HINT = format('Ask agency "%s" for consent_to_listing().', who.agency);
	END IF;
	PERFORM watchlist.require_future(expires);
	INSERT INTO watchlist.list_entries (list, person, reason, caveats, withheld_from, added_by, expires)
		VALUES (kept.list, who.person, add_to_list.reason, coalesce(watchlist.require_caveats(add_to_list.caveats), '{}'),
				watchlist.known_partners(add_to_list.withheld_from), watchlist.caller(), add_to_list.expires)
		ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'person "%" is on list "%" already', left(person, 200), left(list, 200)
			USING ERRCODE = 'unique_violation', HINT = 'change_entry() changes the entry.';
	END IF;
	PERFORM watchlist.refresh(ARRAY[who.person]);
	PERFORM watchlist.note('list', reason, case_reference, lists => ARRAY[list], persons => ARRAY[person], detail => 'added');
END
$$;

-- Caveats, partners from whom the entry is withheld, the last day: also of an
-- entry that has expired.  What is NULL stays; the day infinity is none.
CREATE FUNCTION change_entry(list text, person text, reason text, case_reference text, caveats text[] DEFAULT NULL,
		withheld_from text[] DEFAULT NULL, expires date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	kept := watchlist.own_list(list);
	SELECT p.* INTO who FROM watchlist.persons p JOIN watchlist.list_entries e ON e.person = p.person
		WHERE e.list = kept.list AND p.reference = watchlist.own_name(change_entry.person, 'person');
	IF FOUND THEN
		UPDATE watchlist.persons p SET version = p.version + 1 WHERE p.person = who.person;
		IF expires <> 'infinity' THEN
			PERFORM watchlist.require_future(expires);
		END IF;
		UPDATE watchlist.list_entries e
			SET caveats = coalesce(watchlist.require_caveats(change_entry.caveats), e.caveats),
				withheld_from = CASE WHEN change_entry.withheld_from IS NULL THEN e.withheld_from ELSE watchlist.known_partners(change_entry.withheld_from) END,
				expires = nullif(coalesce(change_entry.expires, e.expires), 'infinity')
			WHERE e.list = kept.list AND e.person = who.person;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'person "%" is not on list "%"', left(person, 200), left(list, 200) USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM watchlist.refresh(ARRAY[who.person]);
	PERFORM watchlist.note('list', reason, case_reference, lists => ARRAY[list], persons => ARRAY[person],
		detail => 'changed: ' || concat_ws(', ', CASE WHEN caveats IS NOT NULL THEN 'caveats' END, CASE WHEN withheld_from IS NOT NULL THEN 'withheld from' END,
										   CASE WHEN expires IS NOT NULL THEN 'expires ' || expires END));
END
$$;

-- What the keeper's own entries of some persons withheld, warned of and ended stays with what
-- the keeper allowed others when the last of those entries goes: it expires and
-- is purged, is removed, or its list or person is handed over.
CREATE FUNCTION bind_consents(persons bigint[], lists text[]) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM watchlist.persons p WHERE p.person = ANY (persons) ORDER BY p.person FOR NO KEY UPDATE;
	UPDATE watchlist.consents c
	SET partners = ARRAY(SELECT n FROM unnest(c.partners) n WHERE n <> ALL (k.withheld_from)), caveats = watchlist.as_set(c.caveats || k.caveats),
		expires = least(c.expires, k.expires)
	FROM (SELECT e.person,
				 coalesce(array_agg(DISTINCT w) FILTER (WHERE w IS NOT NULL), '{}') AS withheld_from,
				 coalesce(array_agg(DISTINCT v) FILTER (WHERE v IS NOT NULL), '{}') AS caveats,
				 CASE WHEN bool_and(e.expires IS NOT NULL) THEN max(e.expires) END AS expires
		  FROM watchlist.list_entries e JOIN watchlist.lists l ON l.list = e.list JOIN watchlist.persons p ON p.person = e.person AND p.agency = l.agency
			   LEFT JOIN LATERAL unnest(e.withheld_from) w ON true LEFT JOIN LATERAL unnest(e.caveats) v ON true
		  WHERE e.person = ANY (persons)
		  GROUP BY e.person HAVING bool_and(e.list = ANY (lists))) k
	WHERE c.person = k.person;
END
$$;

CREATE FUNCTION drop_entries(person bigint, lists text[]) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM watchlist.bind_consents(ARRAY[drop_entries.person], lists);
	PERFORM watchlist.queue_change(l, (SELECT p.reference FROM watchlist.persons p WHERE p.person = drop_entries.person)) FROM unnest(lists) l;
	DELETE FROM watchlist.list_entries e WHERE e.person = drop_entries.person AND e.list = ANY (lists);
	PERFORM watchlist.refresh(ARRAY[drop_entries.person]);
END
$$;

-- The agency that keeps the list, or the agency that keeps the person.
CREATE FUNCTION remove_from_list(list text, person text, reason text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	own CONSTANT text := watchlist.own_name(list, 'list');
	mine CONSTANT text := watchlist.acting_agency();
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	SELECT p.* INTO who FROM watchlist.persons p
		WHERE p.reference = watchlist.own_name(remove_from_list.person, 'person')
		  AND EXISTS (SELECT FROM watchlist.list_entries e JOIN watchlist.lists l ON l.list = e.list
					  WHERE e.list = own AND e.person = p.person AND mine IN (l.agency, p.agency));
	UPDATE watchlist.persons p SET version = p.version + 1 WHERE p.person = who.person RETURNING p.* INTO who;
	-- the message is the same for an entry that the caller may not see and for
	-- one that does not exist
	IF NOT EXISTS (SELECT FROM watchlist.list_entries e JOIN watchlist.lists l ON l.list = e.list
				   WHERE e.list = own AND e.person = who.person AND mine IN (l.agency, who.agency)) THEN
		RAISE EXCEPTION 'person "%" is not on list "%", or both are kept by other agencies', left(person, 200), left(list, 200) USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM watchlist.drop_entries(who.person, ARRAY[own]);
	PERFORM watchlist.note('list', reason, case_reference, lists => ARRAY[list], persons => ARRAY[person], detail => 'removed');
END
$$;

-- ---------------------------------------------------------------------------
-- what the agency that keeps a person allows others
-- ---------------------------------------------------------------------------

-- partners: to which the other agency may release its list with this person.
-- Partners from whom the keeper's own entries are withheld do not get these
-- either.  Caveats of the keeper's entries are added.  When the last of the
-- keeper's entries expires, the other agency's entry expires too.
CREATE FUNCTION consent_to_listing(person text, agency text, purpose text, case_reference text, partners text[] DEFAULT '{}',
		caveats text[] DEFAULT '{}', expires date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	who := watchlist.own_person(person);
	PERFORM watchlist.find_agency(agency);
	PERFORM watchlist.require_future(expires);
	IF agency = who.agency THEN
		RAISE EXCEPTION 'an agency needs no consent of its own' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO watchlist.consents AS c (person, agency, partners, caveats, expires, given_by, purpose, case_reference)
		VALUES (who.person, consent_to_listing.agency, watchlist.known_partners(consent_to_listing.partners),
				coalesce(watchlist.require_caveats(consent_to_listing.caveats), '{}'), consent_to_listing.expires, watchlist.caller(),
				consent_to_listing.purpose, consent_to_listing.case_reference)
		ON CONFLICT ON CONSTRAINT consents_pkey DO UPDATE
			SET partners = EXCLUDED.partners, caveats = EXCLUDED.caveats, expires = EXCLUDED.expires, given_by = EXCLUDED.given_by,
				given_at = EXCLUDED.given_at, purpose = EXCLUDED.purpose, case_reference = EXCLUDED.case_reference;
	PERFORM watchlist.refresh(ARRAY[who.person]);
	PERFORM watchlist.note('release', purpose, case_reference, persons => ARRAY[person], detail => 'consent to lists of ' || agency);
END
$$;

CREATE FUNCTION end_consent(person text, agency text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	who := watchlist.own_person(person);
	DELETE FROM watchlist.consents c WHERE c.person = who.person AND c.agency = end_consent.agency;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no consent for agency "%"', left(agency, 100) USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM watchlist.drop_entries(who.person, ARRAY(SELECT e.list FROM watchlist.list_entries e JOIN watchlist.lists l ON l.list = e.list
													 WHERE e.person = who.person AND l.agency = end_consent.agency));
	PERFORM watchlist.note('release', purpose, case_reference, persons => ARRAY[person], detail => 'no consent any more to lists of ' || agency);
END
$$;

-- ---------------------------------------------------------------------------
-- release to partners
-- ---------------------------------------------------------------------------

-- From now on a list of ours goes to a partner: sent, or only to be asked.
CREATE FUNCTION release_list(list text, partner text, sent boolean, reason text, case_reference text,
		caveats text[] DEFAULT '{}', until date DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	kept := watchlist.own_list(list, true);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	PERFORM watchlist.require_future(until);
	INSERT INTO watchlist.release_rules AS r (list, partner, sent, caveats, until, reason, decided_by)
		VALUES (kept.list, release_list.partner, release_list.sent, coalesce(watchlist.require_caveats(release_list.caveats), '{}'), release_list.until,
				release_list.reason, watchlist.caller())
		ON CONFLICT ON CONSTRAINT release_rules_pkey DO UPDATE
			SET sent = EXCLUDED.sent, caveats = EXCLUDED.caveats, until = EXCLUDED.until, reason = EXCLUDED.reason,
				decided_by = EXCLUDED.decided_by, decided_at = EXCLUDED.decided_at;
	PERFORM watchlist.queue_list(kept.list);
	PERFORM watchlist.note('release', reason, case_reference, partner => partner, lists => ARRAY[list],
		detail => CASE WHEN sent THEN 'list is sent' ELSE 'list may be asked' END);
END
$$;

CREATE FUNCTION end_release(list text, partner text, reason text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	kept watchlist.lists;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	kept := watchlist.own_list(list, true);
	PERFORM watchlist.queue_list(kept.list);
	DELETE FROM watchlist.release_rules r WHERE r.list = kept.list AND r.partner = end_release.partner;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'list "%" is not released to "%"', left(list, 200), left(partner, 100) USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM watchlist.note('release', reason, case_reference, partner => partner, lists => ARRAY[list], detail => 'list is not released any more');
END
$$;

-- Whether a partner may get the name and birth date of a person of ours.
-- Decisions are kept until the person is removed; the latest counts.
CREATE TABLE release_decisions (
	decision bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	person bigint NOT NULL REFERENCES persons ON DELETE CASCADE,
	released boolean NOT NULL,
	decided_by name NOT NULL,
	decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	reason text NOT NULL,
	until date CHECK (isfinite(until))
);
CREATE INDEX release_decisions_person ON release_decisions (person, partner);

CREATE FUNCTION decide_release(partner text, person text, released boolean, reason text, case_reference text, until date DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	who watchlist.persons;
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(reason, case_reference);
	who := watchlist.own_person(person);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	PERFORM watchlist.require_future(until);
	INSERT INTO watchlist.release_decisions (partner, person, released, decided_by, reason, until)
		VALUES (decide_release.partner, who.person, decide_release.released, watchlist.caller(), decide_release.reason, decide_release.until)
		RETURNING decision INTO number;
	PERFORM watchlist.note('release', reason, case_reference, partner => partner, persons => ARRAY[person],
		detail => CASE WHEN released THEN 'core data released' ELSE 'core data not released' END);
	RETURN number;
END
$$;
