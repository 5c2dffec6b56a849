-- ---------------------------------------------------------------------------
-- review: two examiners, who do not see each other's work
--
-- An examiner takes a review, sees the traveller's captures, and marks what
-- they rely on.  They see the candidate only after their marks are locked,
-- because a view of the candidate would influence the marks.  Until both have
-- decided, nothing that an examiner may call or read depends on whether or how
-- the other has decided.  All steps are kept as events.
-- ---------------------------------------------------------------------------

CREATE TABLE reviews (
	review bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	search bigint NOT NULL,
	rank integer NOT NULL,
	opened_by name NOT NULL,
	opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	purpose text NOT NULL,
	case_reference text NOT NULL,
	version bigint NOT NULL DEFAULT 0,	-- counts who took and who ended it
	FOREIGN KEY (search, rank) REFERENCES candidates ON DELETE CASCADE
);
CREATE INDEX reviews_candidate ON reviews (search, rank);

CREATE TABLE review_events (
	review bigint NOT NULL REFERENCES reviews ON DELETE CASCADE,
	round integer NOT NULL CHECK (round BETWEEN 0 AND 3),	-- 1, 2: the examiners; 3: who resolves a dissent; 0: who withdraws the review
	event text NOT NULL CHECK (event IN ('taken', 'marks locked', 'candidate seen', 'decided', 'withdrawn')),
	examiner name NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	search bigint NOT NULL,
	rank integer NOT NULL,
	marks jsonb,
	decision text CHECK (decision IN ('identification', 'exclusion', 'inconclusive')),
	statement text,
	PRIMARY KEY (review, round, event),
	CHECK ((event = 'marks locked') = (marks IS NOT NULL)),
	CHECK ((event = 'decided') = (decision IS NOT NULL))
);
-- an examiner sees a candidate only once, even with two reviews taken at the
-- same time
CREATE UNIQUE INDEX review_events_examiner ON review_events (search, rank, examiner) WHERE event = 'taken';
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON review_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON review_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION open_review(search bigint, rank integer, purpose text, case_reference text) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	number bigint;
BEGIN
	PERFORM watchlist.require_reason(purpose, case_reference);
	IF NOT watchlist.search_is_mine(search)
	   OR NOT EXISTS (SELECT FROM watchlist.candidates c WHERE c.search = open_review.search AND c.rank = open_review.rank AND c.person IS NOT NULL) THEN
		RAISE EXCEPTION 'search % of your agency has no candidate of rank %', search, rank
			USING ERRCODE = 'no_data_found', HINT = 'view_search() lists the candidates.';
	END IF;
	INSERT INTO watchlist.reviews (search, rank, opened_by, purpose, case_reference)
		VALUES (open_review.search, open_review.rank, watchlist.caller(), open_review.purpose, open_review.case_reference) RETURNING review INTO number;
	PERFORM watchlist.note('review', purpose, case_reference, search => search, detail => format('review %s opened for rank %s', number, rank));
	RETURN number;
END
$$;

-- A review of a search of the caller's, taken to end it: waits for examiners who are
-- at it, and then sees their events, or fails to serialize.
CREATE FUNCTION take_row(review bigint) RETURNS reviews
	LANGUAGE plpgsql
AS $$
DECLARE
	taken watchlist.reviews;
BEGIN
	PERFORM FROM watchlist.reviews r WHERE r.review = take_row.review FOR UPDATE;
	UPDATE watchlist.reviews r SET version = r.version + 1 WHERE r.review = take_row.review RETURNING r.* INTO taken;
	IF NOT FOUND OR NOT watchlist.search_is_mine(taken.search) THEN
		RAISE EXCEPTION 'there is no review % of your agency', review USING ERRCODE = 'no_data_found';
	END IF;
	RETURN taken;
END
$$;

CREATE FUNCTION add_event(of_review reviews, round integer, event text, marks jsonb DEFAULT NULL, decision text DEFAULT NULL, statement text DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO watchlist.review_events (review, round, event, examiner, search, rank, marks, decision, statement)
		VALUES (of_review.review, add_event.round, add_event.event, watchlist.caller(), of_review.search, of_review.rank, add_event.marks, add_event.decision,
				add_event.statement);
	PERFORM watchlist.note('review', of_review.purpose, of_review.case_reference, search => of_review.search,
		detail => format('review %s: %s%s', of_review.review, event, CASE WHEN round = 3 THEN ', dissent resolved' ELSE '' END));
END
$$;

-- A review that is not finished.
CREATE FUNCTION withdraw_review(review bigint, reason text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	withdrawn watchlist.reviews;
BEGIN
	PERFORM watchlist.require_reason(reason, 'review');
	withdrawn := watchlist.take_row(review);
	IF (SELECT o.outcome FROM watchlist.review_outcomes o WHERE o.review = withdraw_review.review) <> 'open' THEN
		RAISE EXCEPTION 'review % is finished or withdrawn', review
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'What was decided stays; open another review.';
	END IF;
	PERFORM watchlist.add_event(withdrawn, 0, 'withdrawn', statement => reason);
END
$$;

-- May the caller take a review, as far as they may know?  Not of a search or
-- review of their own, not of a candidate that they have examined before, and not one
-- that two others have.
CREATE FUNCTION review_is_open(review reviews) RETURNS boolean
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT watchlist.search_is_mine(review.search) AND review.opened_by <> watchlist.caller()
		AND NOT EXISTS (SELECT FROM watchlist.searches s WHERE s.search = review.search AND s.caller = watchlist.caller())
		AND NOT EXISTS (SELECT FROM watchlist.candidates c WHERE c.search = review.search AND c.rank = review.rank AND c.person IS NULL)
		AND NOT EXISTS (SELECT FROM watchlist.review_events e WHERE e.review = review.review AND e.event = 'withdrawn')
		AND NOT EXISTS (SELECT FROM watchlist.review_events e
						WHERE e.search = review.search AND e.rank = review.rank AND e.event = 'taken' AND e.examiner = watchlist.caller())
		AND (SELECT count(*) < 2 FROM watchlist.review_events e WHERE e.review = review.review AND e.event = 'taken');
END;

CREATE FUNCTION reviews_to_take() RETURNS TABLE (review bigint, opened_at timestamptz, purpose text, case_reference text)
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT r.review, r.opened_at, r.purpose, r.case_reference FROM watchlist.reviews r WHERE watchlist.review_is_open(r) ORDER BY r.review;
END;

CREATE FUNCTION take_review(review bigint) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	taken watchlist.reviews;
BEGIN
	UPDATE watchlist.reviews r SET version = r.version + 1 WHERE r.review = take_review.review RETURNING r.* INTO taken;
	IF NOT FOUND OR NOT watchlist.review_is_open(taken) THEN
		RAISE EXCEPTION 'review % is not open to you', review
			USING ERRCODE = 'insufficient_privilege', HINT = 'reviews_to_take() lists those that are.';
	END IF;
	PERFORM watchlist.add_event(taken, (SELECT 1 + count(*)::integer FROM watchlist.review_events e WHERE e.review = take_review.review AND e.event = 'taken'), 'taken');
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'review % is not open to you', review
		USING ERRCODE = 'insufficient_privilege', HINT = 'reviews_to_take() lists those that are.';
END
$$;

CREATE TYPE my_review AS (of_review reviews, round integer, marks jsonb, seen boolean);

-- The caller's round of a review that they have not decided and that is not withdrawn.
CREATE FUNCTION my_round(review bigint) RETURNS my_review
	LANGUAGE plpgsql
AS $$
DECLARE
	taken watchlist.reviews;
	mine watchlist.my_review;
BEGIN
	-- waits for one who withdraws or resolves it, not for the other examiner
	SELECT * INTO taken FROM watchlist.reviews r WHERE r.review = my_round.review FOR KEY SHARE;
	mine.of_review := taken;
	SELECT e.round INTO mine.round FROM watchlist.review_events e
		WHERE e.review = my_round.review AND e.event = 'taken' AND e.examiner = watchlist.caller()
		  AND NOT EXISTS (SELECT FROM watchlist.review_events d
						  WHERE d.review = e.review AND (d.event = 'withdrawn' OR d.event = 'decided' AND d.round = e.round));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'review % is not open to you', review
			USING ERRCODE = 'insufficient_privilege', HINT = 'Take it first. What is decided or withdrawn stays as it is.';
	END IF;
	SELECT e.marks INTO mine.marks FROM watchlist.review_events e
		WHERE e.review = my_round.review AND e.round = mine.round AND e.event = 'marks locked';
	mine.seen := EXISTS (SELECT FROM watchlist.review_events e
						 WHERE e.review = my_round.review AND e.round = mine.round AND e.event = 'candidate seen');
	RETURN mine;
END
$$;

CREATE FUNCTION captures_of(search bigint) RETURNS TABLE (item integer, kind text, "position" text, print fingerprint, eye iris)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT i.item, i.kind, i.position, i.print, i.eye
	FROM watchlist.searches s JOIN watchlist.encounter_items i ON i.encounter = s.encounter
	WHERE s.search = captures_of.search AND i.problem IS NULL ORDER BY i.item;
END;

-- The candidate's templates on the lists that were searched.  No row: withdrawn since.
CREATE FUNCTION templates_of(search bigint, rank integer) RETURNS TABLE (item integer, print fingerprint, eye iris)
	LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT DISTINCT ON (g.item) g.item, g.print, g.eye
	FROM watchlist.candidates c, watchlist.parts t,
		 LATERAL (SELECT * FROM watchlist.gallery a WHERE a.subject = c.person AND a.part = t.part
				  UNION ALL SELECT * FROM watchlist.received b WHERE b.subject = c.person AND b.part = t.part) g
	WHERE c.search = templates_of.search AND c.rank = templates_of.rank AND t.owner || '/' || t.list = ANY (c.lists)
	  AND EXISTS (SELECT FROM watchlist.entries_of(c.person, ARRAY[t.part]))
	ORDER BY g.item;
END;

-- First what the traveller gave.
CREATE FUNCTION view_probe(review bigint) RETURNS TABLE (item integer, kind text, "position" text, print fingerprint, eye iris)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	mine watchlist.my_review := watchlist.my_round(review);
BEGIN
	PERFORM watchlist.note('view', (mine.of_review).purpose, (mine.of_review).case_reference, search => (mine.of_review).search,
		detail => format('review %s: captures', view_probe.review));
	RETURN QUERY SELECT * FROM watchlist.captures_of((mine.of_review).search);
END
$$;

-- Then what they rely on: any JSON that their tool reads, kept as it is.
CREATE FUNCTION lock_marks(review bigint, marks jsonb) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	mine watchlist.my_review := watchlist.my_round(review);
BEGIN
	IF marks IS NULL OR octet_length(marks::text) > 100000 THEN
		RAISE EXCEPTION 'marks must be JSON of at most 100000 bytes' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF mine.marks IS NOT NULL THEN
		RAISE EXCEPTION 'your marks are locked already' USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM watchlist.add_event(mine.of_review, mine.round, 'marks locked', marks => marks);
END
$$;

-- Then the candidate, with what the score says and how often chance says it.
-- No row: the owner has withdrawn the candidate since.
CREATE FUNCTION view_candidate(review bigint)
	RETURNS TABLE (person text, lists text[], score numeric, fpir float8, fpir_bound boolean, searched bigint, band text, evidence jsonb, item integer,
		print fingerprint, eye iris)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	mine watchlist.my_review := watchlist.my_round(review);
BEGIN
	IF mine.marks IS NULL THEN
		RAISE EXCEPTION 'your marks are not locked yet'
			USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'The candidate is shown when they are.',
				  HINT = 'Use lock_marks().';
	END IF;
	IF NOT mine.seen THEN
		PERFORM watchlist.add_event(mine.of_review, mine.round, 'candidate seen');
	END IF;
	PERFORM watchlist.note('view', (mine.of_review).purpose, (mine.of_review).case_reference, search => (mine.of_review).search,
		persons => ARRAY(SELECT c.person FROM watchlist.candidates c WHERE c.search = (mine.of_review).search AND c.rank = (mine.of_review).rank AND c.person IS NOT NULL),
		detail => format('review %s: candidate', view_candidate.review));
	RETURN QUERY
		SELECT c.person, c.lists, round(c.score::numeric, 1), c.fpir, c.fpir_bound, s.searched, c.band, c.evidence, t.item, t.print, t.eye
		FROM watchlist.candidates c JOIN watchlist.searches s ON s.search = c.search, watchlist.templates_of(c.search, c.rank) t
		WHERE c.search = (mine.of_review).search AND c.rank = (mine.of_review).rank;
END
$$;

CREATE FUNCTION require_decision(decision text, statement text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF coalesce(decision, '') NOT IN ('identification', 'exclusion', 'inconclusive') OR watchlist.is_blank(statement) OR octet_length(statement) > 100000 THEN
		RAISE EXCEPTION 'a decision is an identification, an exclusion or inconclusive, with a statement' USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

CREATE FUNCTION decide(review bigint, decision text, statement text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	mine watchlist.my_review := watchlist.my_round(review);
BEGIN
	PERFORM watchlist.require_decision(decision, statement);
	IF NOT mine.seen THEN
		RAISE EXCEPTION 'you have not seen the candidate'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'view_candidate() shows it when your marks are locked.';
	END IF;
	PERFORM watchlist.add_event(mine.of_review, mine.round, 'decided', decision => decision, statement => statement);
END
$$;

-- Complete reviews with both decisions; of others, only that they exist.
CREATE VIEW review_outcomes AS
	SELECT r.review, r.search, r.rank, c.person, c.lists, c.band, c.fpir, r.opened_by, r.opened_at,
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

-- The outcome for supervisors of the agency, and, when it is complete, for
-- those who took part.  Others may have to examine the same candidate one day,
-- and before an examiner has locked their marks, they must not know the
-- candidate.
CREATE FUNCTION review_outcome(review bigint) RETURNS SETOF review_outcomes
	LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
	SELECT o.* FROM watchlist.review_outcomes o
	WHERE o.review = review_outcome.review AND watchlist.search_is_mine(o.search)
	  AND (has_function_privilege(watchlist.caller(), 'watchlist.resolve_review(bigint, text, text)', 'EXECUTE')
		   OR o.outcome IN ('agreed', 'dissent') AND watchlist.caller() IN (SELECT e.examiner FROM watchlist.review_events e WHERE e.review = o.review));
END;

-- What the examiners had before them, for a supervisor, when the review is complete.
CREATE FUNCTION view_review(review bigint, purpose text, case_reference text)
	RETURNS TABLE (what text, examiner name, item integer, marks jsonb, print fingerprint, eye iris)
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
#variable_conflict use_column
DECLARE
	shown watchlist.review_outcomes;
BEGIN
	PERFORM watchlist.require_reason(view_review.purpose, view_review.case_reference);
	SELECT * INTO shown FROM watchlist.review_outcomes o WHERE o.review = view_review.review AND watchlist.search_is_mine(o.search);
	IF shown.review IS NULL OR shown.outcome = 'open' THEN
		RAISE EXCEPTION 'review % of your agency is not there, or not complete', view_review.review USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM watchlist.note('view', view_review.purpose, view_review.case_reference, search => shown.search, persons => array_remove(ARRAY[shown.person], NULL),
		detail => format('review %s', view_review.review));
	RETURN QUERY
		SELECT 'probe', NULL::name, p.item, NULL::jsonb, p.print, p.eye FROM watchlist.captures_of(shown.search) p
		UNION ALL SELECT 'candidate', NULL, t.item, NULL, t.print, t.eye FROM watchlist.templates_of(shown.search, shown.rank) t
		UNION ALL SELECT 'marks', e.examiner, NULL, e.marks, NULL, NULL FROM watchlist.review_events e WHERE e.review = shown.review AND e.marks IS NOT NULL;
END
$$;

-- A third person settles a dissent; both opinions stay.
CREATE FUNCTION resolve_review(review bigint, decision text, statement text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
	taken watchlist.reviews := watchlist.take_row(review);
	dissent watchlist.review_outcomes;
BEGIN
	SELECT * INTO dissent FROM watchlist.review_outcomes o WHERE o.review = resolve_review.review;
	IF dissent.outcome IS DISTINCT FROM 'dissent' OR dissent.resolution IS NOT NULL OR watchlist.caller() IN (dissent.first_examiner, dissent.second_examiner) THEN
		RAISE EXCEPTION 'review % has no dissent that you could resolve', review USING ERRCODE = 'object_not_in_prerequisite_state';
	END IF;
	PERFORM watchlist.require_decision(decision, statement);
	PERFORM watchlist.add_event(taken, 3, 'decided', decision => decision, statement => statement);
END
$$;
