-- ---------------------------------------------------------------------------
-- partners: what is sent, what is received, and what is asked
--
-- A partner is a role that logs in.  It reads view partner_feed and writes, through
-- INSERT .. RETURNING on three views, acknowledgements, searches and requests
-- for core data; it has no other right.  We do the same at the partner's, as the role
-- watchlist_courier, which owns the functions that talk to partners and nothing else.
-- ---------------------------------------------------------------------------

-- Whether at most ten seals were made since the snapshot was taken.  A snapshot that
-- one session exports can be used by another long after, in a new transaction.
CREATE FUNCTION snapshot_is_recent() RETURNS boolean
	LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
BEGIN
	RETURN (SELECT n.last_value FROM watchlist.seal_numbers n) - coalesce((SELECT max(s.seal) FROM watchlist.seals s), 0) <= 10;
END
$$;

-- The partner that is connected; NULL: none, or it is paused.  A transaction of a
-- partner ends within ten minutes: in an old snapshot it would see what was withdrawn since.
CREATE FUNCTION current_partner() RETURNS text
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT p.partner FROM watchlist.partners p JOIN pg_catalog.pg_roles r ON r.oid = p.login
	WHERE r.rolname = session_user AND NOT p.paused AND clock_timestamp() < transaction_timestamp() + interval '10 minutes'
	  -- a pause takes this right; rights are looked up as they are now, whatever the snapshot
	  AND has_table_privilege(r.oid, 'watchlist.partner_feed', 'SELECT') AND watchlist.snapshot_is_recent();
END;

CREATE FUNCTION require_partner() RETURNS text
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	partner text := watchlist.current_partner();
BEGIN
	IF partner IS NULL THEN
		RAISE EXCEPTION 'login "%" is not that of a partner, the partner is paused, or this transaction is older than ten minutes', session_user
			USING ERRCODE = 'insufficient_privilege', HINT = 'Begin a new transaction, or ask those who run this server.';
	END IF;
	RETURN partner;
END
$$;

-- ---------------------------------------------------------------------------
-- what is sent: a feed for each partner
--
-- Each change of an entry adds a row to feed_changes.  Rows get their numbers later,
-- after they are committed, because transactions do not commit in the order in which
-- they take numbers.  The feed holds references only; the view joins what the rules
-- allow at the moment of reading, so a purge leaves nothing in it.  A number without
-- templates is a withdrawal.
-- ---------------------------------------------------------------------------

CREATE TABLE feeds (
	partner text PRIMARY KEY REFERENCES partners ON DELETE CASCADE,
	last_number bigint NOT NULL DEFAULT 0,
	last_hash bytea NOT NULL DEFAULT '',
	acknowledged_number bigint NOT NULL DEFAULT 0,
	acknowledged_hash bytea NOT NULL DEFAULT '',
	acknowledged_at timestamptz,
	anew_at timestamptz,						-- when it last started again
	started_anew bigint NOT NULL DEFAULT 0		-- how often
);

CREATE TABLE feed_changes (
	change bigint GENERATED ALWAYS AS IDENTITY,
	partner text NOT NULL,
	list text NOT NULL,
	reference text NOT NULL
);
CREATE INDEX feed_changes_partner ON feed_changes (partner);

-- What a partner has not acknowledged yet.  hash: of the hash before, of what the
-- number stands for, and of a random number for each run.  A server that was
-- restored, or promoted too early, gives other hashes to the same numbers.
CREATE TABLE feed (
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	number bigint NOT NULL,
	hash bytea NOT NULL,
	list text NOT NULL,
	reference text NOT NULL,
	PRIMARY KEY (partner, number)
);

-- which entries the feed has sent and not withdrawn
CREATE TABLE feed_sent (
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	list text NOT NULL,
	reference text NOT NULL,
	PRIMARY KEY (partner, reference, list)
);

-- What the rules allow a partner to have now.
CREATE VIEW released AS
	SELECT r.partner, e.list, e.reference, e.person, n.number AS item, n.print::text AS print, n.eye::text AS eye,
		   r.caveats || e.caveats AS caveats, least(e.expires, r.until) AS expires
	FROM entries e JOIN release_rules r ON r.list = e.list JOIN enrolments n ON n.person = e.person
	WHERE r.sent AND n.state = 'enrolled' AND coalesce(r.until >= (SELECT today()), true)
	  AND r.partner <> ALL (e.withheld_from) AND (e.only_to IS NULL OR r.partner = ANY (e.only_to));

CREATE FUNCTION queue_change(list text, reference text) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO watchlist.feed_changes (partner, list, reference)
		SELECT r.partner, queue_change.list, queue_change.reference FROM watchlist.release_rules r WHERE r.list = queue_change.list AND r.sent;
END;

-- All entries of a list, for partners to which it is sent or was sent.
CREATE FUNCTION queue_list(list text) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO watchlist.feed_changes (partner, list, reference)
		SELECT r.partner, e.list, p.reference
		FROM watchlist.release_rules r JOIN watchlist.list_entries e ON e.list = r.list JOIN watchlist.persons p ON p.person = e.person
		WHERE r.list = queue_list.list
		UNION
		SELECT s.partner, s.list, s.reference FROM watchlist.feed_sent s WHERE s.list = queue_list.list;
END;

CREATE FUNCTION withdraw_from_feeds(person bigint) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO watchlist.feed_changes (partner, list, reference)
		SELECT r.partner, e.list, p.reference
		FROM watchlist.persons p JOIN watchlist.list_entries e ON e.person = p.person JOIN watchlist.release_rules r ON r.list = e.list AND r.sent
		WHERE p.person = withdraw_from_feeds.person
		UNION
		SELECT s.partner, s.list, s.reference FROM watchlist.feed_sent s JOIN watchlist.persons p ON p.reference = s.reference
		WHERE p.person = withdraw_from_feeds.person;
END;

-- Number what is committed, for a partner or all: how many.  A job; the partner's
-- acknowledgement does it, too.  A partner's feed that another transaction is
-- working on is skipped.
CREATE FUNCTION number_changes(partner text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	country CONSTANT text := watchlist.country();
	one watchlist.feeds;
	told record;
	given bigint := 0;
	made bigint;
BEGIN
	FOR one IN
		SELECT * FROM watchlist.feeds f WHERE number_changes.partner IS NULL OR f.partner = number_changes.partner FOR UPDATE SKIP LOCKED
	LOOP
		one.last_hash := sha256(one.last_hash || uuid_send(gen_random_uuid()));
		WITH taken AS (DELETE FROM watchlist.feed_changes c WHERE c.partner = one.partner RETURNING c.list, c.reference),
		changed AS MATERIALIZED (SELECT DISTINCT t.list, t.reference FROM taken t),
		judged AS MATERIALIZED (
			SELECT c.list, c.reference,
				   EXISTS (SELECT FROM watchlist.released r WHERE r.partner = one.partner AND r.list = c.list AND r.reference = c.reference) AS due,
				   EXISTS (SELECT FROM watchlist.feed_sent s WHERE s.partner = one.partner AND s.list = c.list AND s.reference = c.reference) AS sent
			FROM changed c),
		now_sent AS (
			INSERT INTO watchlist.feed_sent (partner, list, reference)
				SELECT one.partner, j.list, j.reference FROM judged j WHERE j.due AND NOT j.sent),
		not_sent AS (
			DELETE FROM watchlist.feed_sent s USING judged j
				WHERE s.partner = one.partner AND s.list = j.list AND s.reference = j.reference AND NOT j.due)
		INSERT INTO watchlist.feed (partner, number, hash, list, reference)
			SELECT one.partner, one.last_number + row_number() OVER w,
				   sha256(one.last_hash || convert_to(j.list || '/' || j.reference, 'UTF8')), j.list, j.reference
			FROM judged j WHERE j.due OR j.sent WINDOW w AS (ORDER BY j.list, j.reference);
		GET DIAGNOSTICS made = ROW_COUNT;
		-- before the partner sees any of it
		FOR told IN
			SELECT f.list, s.reference IS NOT NULL AS sent, array_agg(country || '/' || f.reference ORDER BY f.number) AS persons
			FROM (SELECT f.*, (f.number - one.last_number - 1) / 100 AS chunk FROM watchlist.feed f WHERE f.partner = one.partner AND f.number > one.last_number) f
				 LEFT JOIN watchlist.feed_sent s ON s.partner = f.partner AND s.list = f.list AND s.reference = f.reference
			GROUP BY f.list, sent, f.chunk
		LOOP
			PERFORM watchlist.note('disclosure', 'release rule', country || '/' || told.list, partner => one.partner, lists => ARRAY[country || '/' || told.list],
								   persons => told.persons, detail => CASE WHEN told.sent THEN 'sent' ELSE 'withdrawn' END);
		END LOOP;
		IF made > 0 THEN
			UPDATE watchlist.feeds f
				SET last_number = f.last_number + made,
					last_hash = (SELECT k.hash FROM watchlist.feed k WHERE k.partner = f.partner AND k.number = f.last_number + made)
				WHERE f.partner = one.partner;
			given := given + made;
		END IF;
	END LOOP;
	RETURN given;
END
$$;

-- What the partner that is connected may read.  Several rows of a number are the
-- templates of one entry; a row without a template withdraws the entry.
CREATE VIEW partner_feed WITH (security_barrier) AS
	SELECT f.number, f.hash, f.list, f.reference, r.item, r.print, r.eye, r.caveats, r.expires
	FROM feed f
		 -- only what the log says was sent: an entry that is allowed again waits for its next number
		 LEFT JOIN feed_sent s ON s.partner = f.partner AND s.list = f.list AND s.reference = f.reference
		 LEFT JOIN released r ON r.partner = s.partner AND r.list = s.list AND r.reference = s.reference
	WHERE f.partner = (SELECT current_partner());

-- INSERT the number and hash up to which you have everything.  RETURNING gives
-- the number from which to go on, and the last number.  Column anew: one of the
-- two servers was restored, so what you have may be wrong, and the whole feed
-- is sent again from that number.
CREATE VIEW partner_acknowledgement AS
	SELECT NULL::bigint AS number, NULL::bytea AS hash, NULL::boolean AS anew, NULL::bigint AS last_number WHERE false;

CREATE FUNCTION acknowledge_feed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	me CONSTANT text := watchlist.require_partner();
	mine watchlist.feeds;
BEGIN
	UPDATE watchlist.feeds f SET acknowledged_at = clock_timestamp() WHERE f.partner = me RETURNING f.* INTO mine;
	NEW.anew := ((NEW.number, NEW.hash) = (mine.acknowledged_number, mine.acknowledged_hash)
				 OR EXISTS (SELECT FROM watchlist.feed f WHERE f.partner = me AND f.number = NEW.number AND f.hash = NEW.hash)) IS NOT TRUE;
	IF NEW.anew THEN
		-- it is work, and entries in the log
		IF mine.anew_at > clock_timestamp() - interval '1 minute' THEN
			RAISE EXCEPTION 'the feed was given anew less than a minute ago'
				USING ERRCODE = 'configuration_limit_exceeded', HINT = 'Try again later.';
		END IF;
		DELETE FROM watchlist.feed f WHERE f.partner = me;
		DELETE FROM watchlist.feed_changes c WHERE c.partner = me;
		DELETE FROM watchlist.feed_sent s WHERE s.partner = me;
		INSERT INTO watchlist.feed_changes (partner, list, reference)
			SELECT DISTINCT r.partner, r.list, r.reference FROM watchlist.released r WHERE r.partner = me;
		NEW.number := mine.last_number;
		NEW.hash := sha256(mine.last_hash || uuid_send(gen_random_uuid()));
		UPDATE watchlist.feeds f SET started_anew = f.started_anew + 1, anew_at = clock_timestamp(), last_hash = NEW.hash WHERE f.partner = me;
		PERFORM watchlist.note('release', 'feed', me, partner => me, detail => 'the feed starts anew');
	ELSE
		DELETE FROM watchlist.feed f WHERE f.partner = me AND f.number <= NEW.number;
	END IF;
	UPDATE watchlist.feeds f SET acknowledged_number = NEW.number, acknowledged_hash = NEW.hash WHERE f.partner = me;
	PERFORM watchlist.number_changes(me);
	SELECT f.last_number INTO NEW.last_number FROM watchlist.feeds f WHERE f.partner = me;
	RETURN NEW;
END
$$;
CREATE TRIGGER acknowledge_feed INSTEAD OF INSERT ON partner_acknowledgement FOR EACH ROW EXECUTE FUNCTION acknowledge_feed();

-- How far each partner is.
CREATE FUNCTION feed_lag() RETURNS TABLE (partner text, paused boolean, not_numbered bigint, not_acknowledged bigint, acknowledged_at timestamptz, started_anew bigint)
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT f.partner, p.paused, (SELECT count(*) FROM watchlist.feed_changes c WHERE c.partner = f.partner),
		   (SELECT count(*) FROM watchlist.feed k WHERE k.partner = f.partner), f.acknowledged_at, f.started_anew
	FROM watchlist.feeds f JOIN watchlist.partners p ON p.partner = f.partner ORDER BY f.partner;
END;

-- ---------------------------------------------------------------------------
-- what is received
-- ---------------------------------------------------------------------------

CREATE TABLE received_feeds (
	partner text PRIMARY KEY REFERENCES partners ON DELETE CASCADE,
	number bigint NOT NULL DEFAULT 0,		-- up to here we have everything
	hash bytea NOT NULL DEFAULT '',
	generation bigint NOT NULL DEFAULT 0,	-- counts how often the feed started anew
	settles_at bigint,						-- from this number on, older generations are gone
	pulled_at timestamptz,					-- last without a problem
	problem text							-- of the last attempt
);

-- Entries that a partner sent and that were refused.
CREATE TABLE received_problems (
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	number bigint NOT NULL,
	list text,
	reference text,
	problem text NOT NULL,
	PRIMARY KEY (partner, number)
);

CREATE TYPE feed_row AS (number bigint, hash bytea, list text, reference text, item integer, print text, eye text, caveats text[], expires date);

CREATE FUNCTION read_rows(rows feed_row[]) RETURNS TABLE (number bigint, item integer, print fingerprint, eye iris)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT r.number, r.item, r.print::fingerprint, r.eye::iris FROM unnest(rows) r WHERE r.item IS NOT NULL;
END;

CREATE FUNCTION same_template(print fingerprint, eye iris, print_text text, eye_text text) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE WHEN print IS NOT NULL THEN print::text = print_text ELSE eye::text = eye_text END IS TRUE;
END;

-- The part for a list of a partner.
CREATE FUNCTION received_part(partner text, list text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	number bigint;
BEGIN
	SELECT t.part INTO number FROM watchlist.parts t WHERE t.owner = received_part.partner AND t.list = received_part.list;
	IF NOT FOUND THEN
		IF partner = watchlist.country() THEN
			RAISE EXCEPTION 'a partner cannot send lists of ours' USING ERRCODE = 'insufficient_privilege';
		END IF;
		IF (SELECT count(*) FROM watchlist.parts t WHERE t.owner = received_part.partner) >= 1000 THEN
			RAISE EXCEPTION 'partner "%" sends more than 1000 lists', partner USING ERRCODE = 'program_limit_exceeded';
		END IF;
		INSERT INTO watchlist.parts (owner, list) VALUES (received_part.partner, received_part.list) RETURNING part INTO number;
	END IF;
	RETURN number;
END
$$;

CREATE FUNCTION received_size(partner text) RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT watchlist.gallery_size(ARRAY(SELECT t.part FROM watchlist.parts t WHERE t.owner = received_size.partner));
END;

-- Store some numbers of a partner's feed.  The rows are what the partner's server
-- says they are; each is looked at before it is stored.
CREATE FUNCTION store_received(partner text, generation bigint, rows feed_row[]) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	keys watchlist.entry_key[];
	alive watchlist.entry_key[];
	came watchlist.entry_key[];
	gone watchlist.entry_key[];
BEGIN
	-- only the last number of an entry counts
	rows := ARRAY(SELECT x.r FROM (SELECT r, r.number = max(r.number) OVER (PARTITION BY r.list, r.reference) AS last FROM unnest(rows) r) x WHERE x.last);
	SELECT array_agg(DISTINCT ROW(p.part, partner || '/' || r.reference)::watchlist.entry_key),
		   array_agg(DISTINCT ROW(p.part, partner || '/' || r.reference)::watchlist.entry_key) FILTER (WHERE r.item IS NOT NULL)
		INTO keys, alive
		FROM unnest(rows) r JOIN (SELECT l.list, watchlist.received_part(partner, l.list) AS part FROM (SELECT DISTINCT o.list FROM unnest(rows) o) l) p USING (list);
	PERFORM watchlist.drop_received(ARRAY(
		SELECT k::watchlist.entry_key FROM unnest(keys) k
		WHERE NOT EXISTS (SELECT FROM unnest(alive) a WHERE a.subject = k.subject AND a.part = k.part)));
	INSERT INTO watchlist.received_entries AS e (part, subject, caveats, expires, generation)
		SELECT DISTINCT ON (k.subject, k.part) k.part, k.subject, coalesce(r.caveats, '{}'), r.expires, store_received.generation
		FROM unnest(rows) r JOIN watchlist.parts t ON t.owner = store_received.partner AND t.list = r.list
			 JOIN unnest(alive) k ON k.part = t.part AND k.subject = partner || '/' || r.reference
		WHERE r.item IS NOT NULL
		ON CONFLICT ON CONSTRAINT received_entries_pkey DO UPDATE
			SET caveats = EXCLUDED.caveats, expires = EXCLUDED.expires, generation = EXCLUDED.generation;
	WITH sent AS MATERIALIZED (
		SELECT t.part, partner || '/' || r.reference AS subject, r.number, r.item, r.print, r.eye
		FROM unnest(rows) r JOIN watchlist.parts t ON t.owner = store_received.partner AND t.list = r.list WHERE r.item IS NOT NULL),
	old AS (
		DELETE FROM watchlist.received d USING unnest(alive) k
			WHERE d.subject = k.subject AND d.part = k.part
			  AND NOT EXISTS (SELECT FROM sent s WHERE s.subject = d.subject AND s.part = d.part AND s.item = d.item
								AND watchlist.same_template(d.print, d.eye, s.print, s.eye))
			RETURNING d.part, d.subject)
	SELECT array_agg(DISTINCT ROW(o.part, o.subject)::watchlist.entry_key) INTO gone FROM old o;
	WITH new AS (
		INSERT INTO watchlist.received (part, subject, item, print, eye)
			SELECT DISTINCT ON (t.part, r.reference, r.item) t.part, partner || '/' || r.reference, r.item, x.print, x.eye
			FROM watchlist.read_rows(rows) x JOIN unnest(rows) r ON r.number = x.number AND r.item = x.item
				 JOIN watchlist.parts t ON t.owner = store_received.partner AND t.list = r.list
			WHERE NOT EXISTS (SELECT FROM watchlist.received d WHERE d.subject = partner || '/' || r.reference AND d.part = t.part AND d.item = r.item)
			RETURNING part, subject)
	SELECT array_agg(DISTINCT ROW(n.part, n.subject)::watchlist.entry_key) INTO came FROM new n;
	PERFORM watchlist.follow_arrivals(came, gone);
END
$$;

-- What is wrong with an entry that a partner sent, NULL: nothing.
CREATE FUNCTION problem_of(rows feed_row[]) RETURNS text
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT CASE
		WHEN bool_or(watchlist.is_blank(r.list) OR watchlist.is_blank(r.reference) OR r.list ~ '[[:cntrl:]]' OR r.reference ~ '[[:cntrl:]]'
					 OR octet_length(r.list) > 300 OR octet_length(r.reference) > 300) THEN 'not a name of a list or person'
		WHEN count(*) > 100 THEN 'more than 100 templates'
		WHEN bool_or(r.item IS NOT NULL AND num_nonnulls(r.print, r.eye) <> 1) THEN 'a row without a template, or with two'
		WHEN bool_or(r.item IS NOT NULL AND greatest(octet_length(r.print), octet_length(r.eye)) > 100000) THEN 'a template of more than 100000 bytes'
		WHEN bool_or(cardinality(r.caveats) > 40) OR bool_or(octet_length(r.caveats::text) > 40000) THEN 'too many caveats'
		WHEN bool_or(NOT isfinite(r.expires)) THEN 'the last day is none'
		END
	FROM unnest(rows) r;
END;

-- Rows of a batch of numbers: all at once; one entry after the other if something is wrong with one.
CREATE FUNCTION store_batch(partner text, generation bigint, rows feed_row[]) RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	one record;
	wrong text;
BEGIN
	IF NOT EXISTS (SELECT FROM (SELECT watchlist.problem_of(array_agg(r)) AS problem FROM unnest(rows) r GROUP BY r.number) p WHERE p.problem IS NOT NULL) THEN
		BEGIN
			PERFORM watchlist.store_received(partner, generation, rows);
			RETURN;
		EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
			NULL;
		END;
	END IF;
	FOR one IN SELECT r.number, array_agg(r) AS rows FROM unnest(rows) r GROUP BY r.number ORDER BY r.number LOOP
		wrong := watchlist.problem_of(one.rows);
		IF wrong IS NULL THEN
			BEGIN
				PERFORM watchlist.store_received(partner, generation, one.rows);
			EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
				wrong := 'a template cannot be read';
			END;
		END IF;
		IF wrong IS NOT NULL THEN
			INSERT INTO watchlist.received_problems (partner, number, list, reference, problem)
				SELECT store_batch.partner, one.number, left(one.rows[1].list, 300), left(one.rows[1].reference, 300), wrong
				WHERE (SELECT count(*) < 1000 FROM watchlist.received_problems p WHERE p.partner = store_batch.partner)
				ON CONFLICT DO NOTHING;
		END IF;
	END LOOP;
END
$$;

-- Fetch what a partner has sent: a job for each partner, one transaction.
-- Stops after about that many numbers; call it again while "more" is true.  If
-- something fails, "problem" says what, and nothing of that batch is stored.
CREATE FUNCTION pull(partner text, max integer DEFAULT 5000, OUT entries bigint, OUT more boolean, OUT problem text)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	batch CONSTANT integer := 1000;
	most_bytes CONSTANT bigint := 256000000;
	bytes bigint;
	size bigint;
	mine watchlist.received_feeds;
	answer record;
	rows watchlist.feed_row[];
	upto bigint;
	last bigint;
	last_hash bytea;
BEGIN
	PERFORM watchlist.require_read_committed();
	entries := 0;
	more := false;
	SELECT * INTO mine FROM watchlist.received_feeds f WHERE f.partner = pull.partner FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		problem := 'we are not connected to such a partner, or another pull is under way';
		RETURN;
	END IF;
	BEGIN
		EXECUTE format('INSERT INTO watchlist.%I (number, hash) VALUES ($1, $2) RETURNING number, hash, anew, last_number', 'acknowledge_at_' || partner)
			INTO STRICT answer USING mine.number, mine.hash;
		IF answer.number IS NULL OR answer.last_number IS NULL OR answer.last_number < answer.number OR octet_length(answer.hash) > 100
		   OR NOT coalesce(answer.anew, true) AND (answer.number, answer.hash) <> (mine.number, mine.hash) THEN
			RAISE EXCEPTION 'the partner''s answer makes no sense' USING ERRCODE = 'fdw_error';
		END IF;
		IF answer.anew IS NOT FALSE THEN
			mine.number := answer.number;
			mine.hash := answer.hash;
			mine.generation := mine.generation + 1;
			mine.settles_at := answer.last_number;
			DELETE FROM watchlist.received_problems p WHERE p.partner = pull.partner;
			PERFORM watchlist.note('release', 'feed', partner, partner => partner, detail => 'the partner''s feed starts anew');
		END IF;
		last := answer.last_number;
		WHILE mine.number < last AND entries < max LOOP
			upto := least(mine.number + batch, last);
			-- the limit of memory, for anything that the partner's server sends
			EXECUTE format('SELECT array_agg(ROW(f.number, f.hash, f.list, f.reference, f.item, f.print, f.eye, f.caveats, f.expires)::watchlist.feed_row)
								   FILTER (WHERE f.bytes <= $4), max(f.bytes)
							FROM (SELECT r.*, sum(pg_column_size(r)) OVER (ROWS UNBOUNDED PRECEDING) AS bytes
								  FROM (SELECT * FROM watchlist.%I a WHERE a.number > $1 AND a.number <= $2 LIMIT $3) r) f', 'feed_of_' || partner)
				INTO rows, bytes USING mine.number, upto, 100 * batch + 1, most_bytes;
			SELECT r.hash INTO last_hash FROM unnest(rows) r WHERE r.number = upto LIMIT 1;
			IF last_hash IS NULL OR octet_length(last_hash) > 100 OR EXISTS (SELECT FROM unnest(rows) r WHERE r.number <= mine.number OR r.number > upto OR r.number IS NULL)
			   OR cardinality(rows) > 100 * batch OR bytes > most_bytes THEN
				RAISE EXCEPTION 'the partner''s feed has a gap, or too much in it' USING ERRCODE = 'fdw_error';
			END IF;
			size := watchlist.received_size(partner);
			PERFORM watchlist.store_batch(partner, mine.generation, rows);
			-- withdrawals are always taken
			IF watchlist.received_size(partner) > greatest(size, watchlist.most_received()) THEN
				RAISE EXCEPTION 'the partner has sent as many entries as it may'
					USING ERRCODE = 'program_limit_exceeded', HINT = 'Setting max_received is the limit.';
			END IF;
			entries := entries + upto - mine.number;
			mine.number := upto;
			mine.hash := last_hash;
		END LOOP;
		IF mine.number >= mine.settles_at THEN
			-- what the new feed did not name
			PERFORM watchlist.drop_received(ARRAY(
				SELECT ROW(e.part, e.subject)::watchlist.entry_key FROM watchlist.received_entries e JOIN watchlist.parts t ON t.part = e.part
				WHERE t.owner = pull.partner AND e.generation < mine.generation));
			mine.settles_at := NULL;
		END IF;
		more := mine.number < last;
		UPDATE watchlist.received_feeds f
			SET number = mine.number, hash = mine.hash, generation = mine.generation, settles_at = mine.settles_at,
				pulled_at = clock_timestamp(), problem = NULL
			WHERE f.partner = pull.partner;
		IF entries > 0 THEN
			PERFORM watchlist.note('received', 'feed', partner, partner => partner, detail => format('%s entries, up to number %s', entries, mine.number));
		END IF;
	EXCEPTION WHEN OTHERS OR query_canceled THEN
		problem := left(SQLERRM, 1000);
		entries := 0;
		UPDATE watchlist.received_feeds f SET problem = pull.problem WHERE f.partner = pull.partner;
	END;
END
$$;

CREATE FUNCTION most_received() RETURNS integer
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT c.max_received FROM watchlist.this_country c;
END;

-- ---------------------------------------------------------------------------
-- what partners ask us
--
-- The number of a search makes it safe to ask again: a partner that has been
-- answered gets the same answer, and no second entry.
-- ---------------------------------------------------------------------------

CREATE TABLE partner_requests (
	request uuid PRIMARY KEY,
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	purpose text NOT NULL,
	case_reference text NOT NULL,
	received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	search bigint REFERENCES searches ON DELETE SET NULL,
	band text NOT NULL,
	person text
);
CREATE INDEX partner_requests_person ON partner_requests (person) WHERE person IS NOT NULL;

-- Searches of the partner's own come back as columns band and person.
CREATE VIEW partner_search WITH (security_barrier) AS
	SELECT request, purpose, case_reference, NULL::fingerprint[] AS prints, NULL::iris[] AS irises, band, person
	FROM partner_requests WHERE partner = (SELECT current_partner());

-- At most ten fingers and four eyes, as in a check of ours.
CREATE FUNCTION probe_of_partner(prints fingerprint[], irises iris[]) RETURNS templates
	LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
	SELECT ROW((array_remove(ARRAY(SELECT unnest(prints)), NULL))[1:10], (array_remove(ARRAY(SELECT unnest(irises)), NULL))[1:4])::watchlist.templates;
END;

CREATE FUNCTION answer_partner() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	me CONSTANT text := watchlist.require_partner();
	known watchlist.partner_requests;
	probe watchlist.templates;
	done watchlist.searches;
	best watchlist.candidates;
BEGIN
	PERFORM watchlist.require_reason(NEW.purpose, NEW.case_reference);
	IF NEW.request IS NULL THEN
		RAISE EXCEPTION 'a search needs a number' USING ERRCODE = 'not_null_violation', HINT = 'gen_random_uuid() makes one.';
	END IF;
	-- two that ask the same at the same time are answered one after the other
	PERFORM pg_advisory_xact_lock(hashtextextended(NEW.request::text, 0));
	SELECT * INTO known FROM watchlist.partner_requests r WHERE r.request = NEW.request;
	IF FOUND AND known.partner <> me THEN
		RAISE EXCEPTION 'search % was asked by somebody else', NEW.request USING ERRCODE = 'unique_violation';
	END IF;
	IF FOUND THEN
		NEW.band := known.band;
		NEW.person := known.person;
	ELSE
		probe := watchlist.probe_of_partner(NEW.prints, NEW.irises);
		done := watchlist.search_and_freeze(watchlist.parts_for_partner(me), probe, NULL, NULL, NEW.purpose, NEW.case_reference,
			CASE WHEN watchlist.is_usable(probe) THEN watchlist.keyed_hash(watchlist.template_bytes(probe.prints, probe.irises)) END);
		NEW.band := done.verdict;
		SELECT * INTO best FROM watchlist.candidates c WHERE c.search = done.search AND c.rank = 1 AND c.band <> 'clear';
		NEW.person := best.person;
		PERFORM watchlist.note('partner search', NEW.purpose, NEW.case_reference, partner => me, lists => coalesce(best.lists, done.lists),
			persons => CASE WHEN best.person IS NOT NULL THEN ARRAY[best.person] END, search => done.search, best_score => done.best_score,
			fpir => done.fpir, verdict => done.verdict, probe_hash => done.probe_hash, detail => 'search: ' || done.verdict);
		PERFORM watchlist.raise_alert('partner asked', l, best.person, best.band, best.score, NULL, me) FROM unnest(best.lists) l ORDER BY l;
		INSERT INTO watchlist.partner_requests (request, partner, purpose, case_reference, search, band, person)
			VALUES (NEW.request, me, NEW.purpose, NEW.case_reference, done.search, NEW.band, NEW.person);
	END IF;
	NEW.prints := NULL;
	NEW.irises := NULL;
	RETURN NEW;
END
$$;
CREATE TRIGGER answer_partner INSTEAD OF INSERT ON partner_search FOR EACH ROW EXECUTE FUNCTION answer_partner();

-- A partner asks for the person behind a name.  A request that is refused
-- raises no error, because an error would undo the log entry; column released
-- has the result.
CREATE VIEW partner_core_data AS
	SELECT NULL::text AS person, NULL::text AS purpose, NULL::text AS case_reference, NULL::text AS name, NULL::date AS born, NULL::boolean AS released
	WHERE false;

CREATE FUNCTION disclose_core_data() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	me CONSTANT text := watchlist.require_partner();
	who watchlist.persons;
	found watchlist.persons;
BEGIN
	PERFORM watchlist.require_reason(NEW.purpose, NEW.case_reference);
	IF watchlist.is_blank(NEW.person) OR octet_length(NEW.person) > 500 THEN
		RAISE EXCEPTION 'the name of a person is needed' USING ERRCODE = 'not_null_violation';
	END IF;
	NEW.name := NULL;
	NEW.born := NULL;
	SELECT p.* INTO found FROM watchlist.persons p
		WHERE watchlist.owner_of(NEW.person) = watchlist.country() AND p.reference = watchlist.rest_of(NEW.person);
	-- Fails to serialize where the person was changed, or a decision taken, since the
	-- snapshot.  Only whoever has been released is locked, for others must not be told by
	-- a wait or an error; and not for longer than this, for a partner may stay idle.
	IF EXISTS (SELECT FROM watchlist.release_decisions d WHERE d.partner = me AND d.person = found.person AND d.released) THEN
		BEGIN
			SELECT p.* INTO who FROM watchlist.persons p WHERE p.person = found.person FOR SHARE;
			RAISE EXCEPTION 'this ends the lock' USING ERRCODE = 'WL001';
		EXCEPTION WHEN SQLSTATE 'WL001' THEN
			NULL;
		END;
	END IF;
	-- the same whether there is such a person or not
	NEW.released := coalesce((SELECT d.released AND (d.until IS NULL OR d.until >= watchlist.today())
							  FROM watchlist.release_decisions d WHERE d.partner = me AND d.person = who.person
							  ORDER BY d.decision DESC LIMIT 1), false);
	PERFORM watchlist.note(CASE WHEN NEW.released THEN 'disclosure' ELSE 'refusal' END, NEW.purpose, NEW.case_reference, partner => me,
						   persons => ARRAY[NEW.person], detail => 'core data');
	IF NEW.released THEN
		NEW.name := who.name;
		NEW.born := who.born;
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER disclose_core_data INSTEAD OF INSERT ON partner_core_data FOR EACH ROW EXECUTE FUNCTION disclose_core_data();

-- ---------------------------------------------------------------------------
-- what we ask partners
--
-- What is to be asked is written in the transaction of the check, so no check is
-- forgotten and no partner can delay or fail one.
-- ---------------------------------------------------------------------------

CREATE TABLE remote_searches (
	request uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	partner text NOT NULL REFERENCES partners ON DELETE CASCADE,
	encounter bigint NOT NULL REFERENCES encounters ON DELETE CASCADE,
	officer name NOT NULL,
	purpose text NOT NULL,
	case_reference text NOT NULL,
	state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'answered', 'refused')),
	asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	answered_at timestamptz,
	attempts integer NOT NULL DEFAULT 0,
	problem text,		-- of the last attempt
	band text CHECK (band IN ('clear', 'refer', 'hit')),
	person text,
	CHECK ((state = 'answered') = (band IS NOT NULL)),
	UNIQUE (encounter, partner)
);
CREATE INDEX remote_searches_open ON remote_searches (partner, asked_at) WHERE state <> 'answered';

CREATE FUNCTION ask_partners(encounter bigint, purpose text, case_reference text) RETURNS integer
	LANGUAGE plpgsql
AS $$
DECLARE
	asked integer;
BEGIN
	INSERT INTO watchlist.remote_searches (partner, encounter, officer, purpose, case_reference)
		SELECT p.partner, ask_partners.encounter, watchlist.caller(), ask_partners.purpose, ask_partners.case_reference
		FROM watchlist.received_feeds f JOIN watchlist.partners p ON p.partner = f.partner WHERE NOT p.paused;
	GET DIAGNOSTICS asked = ROW_COUNT;
	IF asked > 0 THEN
		PERFORM watchlist.ring('watchlist_remote');
	END IF;
	RETURN asked;
END
$$;

CREATE FUNCTION next_search(partner text, since timestamptz, OUT request uuid, OUT purpose text, OUT case_reference text, OUT asked_at timestamptz,
		OUT prints fingerprint[], OUT irises iris[])
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	probe watchlist.templates;
	one watchlist.remote_searches;
BEGIN
	SELECT s.* INTO one FROM watchlist.remote_searches s JOIN watchlist.partners p ON p.partner = s.partner
		WHERE s.partner = next_search.partner AND s.state = 'pending' AND NOT p.paused AND s.asked_at > since
		ORDER BY s.asked_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	request := one.request;
	purpose := one.purpose;
	case_reference := one.case_reference;
	asked_at := one.asked_at;
	probe := watchlist.encounter_templates(one.encounter);
	prints := probe.prints;
	irises := probe.irises;
	-- the partner sees our traveller even if its answer does not arrive
	PERFORM watchlist.note('disclosure', one.purpose, one.case_reference, partner => one.partner, encounter => one.encounter,
		probe_hash => watchlist.probe_hash(one.encounter), detail => 'traveller asked about');
END
$$;

CREATE FUNCTION store_answer(request uuid, band text, person text, failure text, refused boolean) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	one watchlist.remote_searches;
BEGIN
	SELECT * INTO one FROM watchlist.remote_searches s WHERE s.request = store_answer.request;
	IF failure IS NULL AND (coalesce(band, '') NOT IN ('clear', 'refer', 'hit')
							OR person IS NOT NULL AND (watchlist.owner_of(person) <> one.partner OR octet_length(person) > 400 OR person ~ '[[:cntrl:]]')) THEN
		failure := 'the partner''s answer makes no sense';
		refused := true;
	END IF;
	IF failure IS NOT NULL THEN
		UPDATE watchlist.remote_searches s SET state = CASE WHEN refused THEN 'refused' ELSE 'pending' END, attempts = s.attempts + 1, problem = left(failure, 1000)
			WHERE s.request = store_answer.request;
		RETURN;
	END IF;
	UPDATE watchlist.remote_searches s
		SET state = 'answered', answered_at = clock_timestamp(), attempts = s.attempts + 1, problem = NULL, band = store_answer.band, person = store_answer.person
		WHERE s.request = store_answer.request;
	IF band <> 'clear' THEN
		-- to the agency that asked
		INSERT INTO watchlist.alerts (kind, agency, partner, person, band, encounter)
			SELECT 'remote ' || store_answer.band, e.agency, one.partner, store_answer.person, store_answer.band, e.encounter
			FROM watchlist.encounters e WHERE e.encounter = one.encounter;
		PERFORM watchlist.ring('watchlist_alert');
	END IF;
END
$$;

-- Ask a partner what waits: a job for each partner.  A partner that cannot
-- answer now is left alone until the next run, with the reason in remote_searches; a
-- search that it refuses is asked again after reopen_searches().  If this server fails
-- between the partner's commit and ours, the search is asked again and answered the same.
CREATE FUNCTION complete_remote_searches(partner text, max integer DEFAULT 100, OUT answered integer, OUT pending bigint, OUT problem text)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	search record;
	answer record;
	since timestamptz := '-infinity';
BEGIN
	PERFORM watchlist.require_read_committed();
	answered := 0;
	FOR n IN 1 .. max LOOP
		SELECT * INTO search FROM watchlist.next_search(partner, since);
		EXIT WHEN search.request IS NULL;
		since := search.asked_at;
		BEGIN
			EXECUTE format('INSERT INTO watchlist.%I (request, purpose, case_reference, prints, irises) VALUES ($1, $2, $3, $4, $5)
							RETURNING band, person', 'search_at_' || partner)
				INTO STRICT answer USING search.request, search.purpose, search.case_reference, search.prints, search.irises;
			PERFORM watchlist.store_answer(search.request, answer.band, answer.person, NULL, NULL);
			answered := answered + 1;
		EXCEPTION
			-- the partner refuses, and would refuse again
			WHEN syntax_error_or_access_rule_violation OR data_exception OR integrity_constraint_violation OR raise_exception THEN
				problem := left(SQLERRM, 1000);
				PERFORM watchlist.store_answer(search.request, NULL, NULL, problem, true);
			WHEN OTHERS OR query_canceled THEN
				problem := left(SQLERRM, 1000);
				PERFORM watchlist.store_answer(search.request, NULL, NULL, problem, false);
				EXIT;
		END;
	END LOOP;
	pending := watchlist.pending_searches(partner);
END
$$;

CREATE FUNCTION pending_searches(partner text) RETURNS bigint
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT count(*) FROM watchlist.remote_searches s WHERE s.partner = pending_searches.partner AND s.state = 'pending';
END;

CREATE FUNCTION reopen_searches(partner text, purpose text, case_reference text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	reopened bigint;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	UPDATE watchlist.remote_searches s SET state = 'pending' WHERE s.partner = reopen_searches.partner AND s.state = 'refused';
	GET DIAGNOSTICS reopened = ROW_COUNT;
	PERFORM watchlist.note('search', purpose, case_reference, partner => partner, detail => format('%s refused searches are asked again', reopened));
	RETURN reopened;
END
$$;

-- What partners answered about an encounter of one's agency.
CREATE FUNCTION view_answers(encounter bigint, purpose text, case_reference text)
	RETURNS TABLE (partner text, state text, band text, person text, attempts integer, problem text, asked_at timestamptz, answered_at timestamptz)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
BEGIN
	PERFORM watchlist.require_reason(view_answers.purpose, view_answers.case_reference);
	PERFORM watchlist.own_encounter(view_answers.encounter);
	PERFORM watchlist.note('view', view_answers.purpose, view_answers.case_reference, encounter => view_answers.encounter, detail => 'answers of partners');
	RETURN QUERY
		SELECT s.partner, s.state, s.band, s.person, s.attempts, s.problem, s.asked_at, s.answered_at
		FROM watchlist.remote_searches s WHERE s.encounter = view_answers.encounter ORDER BY s.partner;
END
$$;

-- Ask a partner who is behind a name that it gave us.
CREATE FUNCTION request_core_data(person text, purpose text, case_reference text, OUT released boolean, OUT name text, OUT born date)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	asked CONSTANT text := watchlist.owner_of(person);
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF NOT EXISTS (SELECT FROM watchlist.received_feeds f WHERE f.partner = asked) THEN
		RAISE EXCEPTION 'we are not connected to a partner "%"', left(asked, 100) USING ERRCODE = 'no_data_found', HINT = 'view_person() shows persons of ours.';
	END IF;
	PERFORM watchlist.note('view', purpose, case_reference, partner => asked, persons => ARRAY[person], detail => 'core data asked for');
	EXECUTE format('INSERT INTO watchlist.%I (person, purpose, case_reference) VALUES ($1, $2, $3) RETURNING released, name, born', 'core_data_at_' || asked)
		INTO STRICT released, name, born USING person, purpose, case_reference;
END
$$;

-- ---------------------------------------------------------------------------
-- who is a partner
-- ---------------------------------------------------------------------------

-- A partner and its login here.
CREATE FUNCTION add_partner(partner text, login regrole, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF partner = watchlist.country() THEN
		RAISE EXCEPTION 'this country cannot be its own partner' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Name the other country.';
	END IF;
	IF coalesce(partner, '') !~ '^[[:alnum:]][[:alnum:] ._-]{0,39}$' THEN
		RAISE EXCEPTION '"%" cannot be the name of a partner', left(partner, 100)
			USING ERRCODE = 'invalid_name', HINT = 'It begins with a letter or digit and has at most 40 letters, digits, blanks, dots, hyphens and underscores.';
	END IF;
	-- nor may it become one that does
	IF EXISTS (SELECT FROM pg_roles r
			   WHERE pg_has_role(login, r.oid, 'MEMBER')
				 AND (r.rolsuper OR r.rolreplication OR r.rolbypassrls OR r.rolcreaterole OR r.rolname ~ '^pg_'
					  OR EXISTS (SELECT FROM watchlist.agencies a WHERE a.member = r.oid)
					  OR EXISTS (SELECT FROM watchlist.duties d WHERE d.role = r.oid))) THEN
		RAISE EXCEPTION 'role % may do more than a partner', login
			USING ERRCODE = 'invalid_grant_operation', HINT = 'Use a role that only logs in, without REPLICATION, which can read the whole database.';
	END IF;
	INSERT INTO watchlist.partners (partner, login) VALUES (add_partner.partner, add_partner.login);
	INSERT INTO watchlist.feeds (partner) VALUES (add_partner.partner);
	PERFORM watchlist.give_duty('partner', login);
	PERFORM watchlist.note('duty', purpose, case_reference, partner => partner, detail => 'partner added, login ' || login);
END
$$;

-- From now on travellers are asked about at this partner's, and its feed is
-- pulled, through a server of postgres_fdw and the user mapping of watchlist_courier.
CREATE FUNCTION connect_partner(partner text, server name, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	one record;
	bound record;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	-- a dead line, or a partner that never answers, ends by itself
	FOR bound IN
		SELECT o.name, o.value
		FROM (VALUES ('connect_timeout', '10'), ('tcp_user_timeout', '30000'), ('options', '-c statement_timeout=60s'), ('fetch_size', '1000')) o (name, value)
		WHERE NOT EXISTS (SELECT FROM pg_foreign_server s, unnest(s.srvoptions) v WHERE s.srvname = server AND v LIKE o.name || '=%')
	LOOP
		EXECUTE format('ALTER SERVER %I OPTIONS (ADD %I %L)', server, bound.name, bound.value);
	END LOOP;
	FOR one IN
		SELECT t.prefix || connect_partner.partner AS name, t.relation, t.rights,
			   (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
				FROM pg_attribute a WHERE a.attrelid = ('watchlist.' || t.relation)::regclass AND a.attnum > 0) AS columns
		FROM (VALUES ('search_at_', 'partner_search', 'SELECT, INSERT'), ('core_data_at_', 'partner_core_data', 'SELECT, INSERT'),
					 ('feed_of_', 'partner_feed', 'SELECT'), ('acknowledge_at_', 'partner_acknowledgement', 'SELECT, INSERT')) t (prefix, relation, rights)
	LOOP
		EXECUTE format('CREATE FOREIGN TABLE watchlist.%I (%s) SERVER %I OPTIONS (schema_name ''watchlist'', table_name %L)', one.name, one.columns, server, one.relation);
		EXECUTE format('GRANT %s ON watchlist.%I TO watchlist_courier', one.rights, one.name);
	END LOOP;
	INSERT INTO watchlist.received_feeds (partner) VALUES (connect_partner.partner);
	PERFORM watchlist.note('duty', purpose, case_reference, partner => partner, detail => 'connected through server ' || server);
END
$$;

-- A partner that is paused gets and answers nothing; everything waits.
CREATE FUNCTION pause_partner(partner text, paused boolean, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	login regrole;
BEGIN
	IF paused IS NULL THEN
		RAISE EXCEPTION 'a partner is paused or not' USING ERRCODE = 'null_value_not_allowed',
			HINT = 'Give true or false.';
	END IF;
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	UPDATE watchlist.partners p SET paused = pause_partner.paused WHERE p.partner = pause_partner.partner RETURNING p.login INTO login;
	-- a snapshot that is older sees no pause, but rights are always as they are now
	IF EXISTS (SELECT FROM pg_roles r WHERE r.oid = login) THEN
		IF paused THEN
			EXECUTE format('REVOKE SELECT ON watchlist.partner_feed FROM %s', login);
		ELSE
			PERFORM watchlist.give_duty('partner', login);
		END IF;
	END IF;
	PERFORM watchlist.note('duty', purpose, case_reference, partner => partner, detail => CASE WHEN paused THEN 'paused' ELSE 'resumed' END);
END
$$;

-- With everything that it sent, was sent and asked.  Its login loses its rights.
CREATE FUNCTION remove_partner(partner text, purpose text, case_reference text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	prefix text;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	PERFORM watchlist.known_partners(ARRAY[coalesce(partner, '')]);
	PERFORM watchlist.take_duty('partner', p.login) FROM watchlist.partners p WHERE p.partner = remove_partner.partner AND p.login IS NOT NULL;
	IF EXISTS (SELECT FROM watchlist.received_feeds f WHERE f.partner = remove_partner.partner) THEN
		FOREACH prefix IN ARRAY ARRAY['search_at_', 'core_data_at_', 'feed_of_', 'acknowledge_at_'] LOOP
			EXECUTE format('DROP FOREIGN TABLE watchlist.%I', prefix || partner);
		END LOOP;
	END IF;
	PERFORM watchlist.drop_received(ARRAY(
		SELECT ROW(e.part, e.subject)::watchlist.entry_key FROM watchlist.received_entries e JOIN watchlist.parts t ON t.part = e.part
		WHERE t.owner = remove_partner.partner));
	DELETE FROM watchlist.feed_changes c WHERE c.partner = remove_partner.partner;
	DELETE FROM watchlist.partners p WHERE p.partner = remove_partner.partner;
	PERFORM watchlist.note('duty', purpose, case_reference, partner => partner, detail => 'partner removed');
END
$$;
