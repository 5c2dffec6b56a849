--
-- Adjudication: candidates frozen, two examiners blind to each other, dissent kept
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set setup :abs_srcdir /test/regress/watchlist_setup.sql
\set cleanup :abs_srcdir /test/regress/watchlist_cleanup.sql
\set ECHO none
\i :setup
\set ECHO all
SET SESSION AUTHORIZATION regress_olga;
SELECT encounter, search, verdict, person FROM watchlist.check_traveller(fingers(5), eyes(5), 'entry', 'B-1');
SELECT watchlist.open_review(1, 1, 'entry', 'B-1');
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.open_review(1, 1, NULL, 'B-1');
SELECT watchlist.open_review(1, 11, 'entry', 'B-1');
SELECT watchlist.open_review(2, 1, 'entry', 'B-1');
SELECT watchlist.open_review(1, 1, 'entry', 'B-1');
SELECT review, person, band, first_examiner, first_decision, second_examiner, second_decision, outcome FROM watchlist.review_outcome(1);
SELECT watchlist.take_review(1);

-- the first
SET SESSION AUTHORIZATION regress_eva;
SELECT review, purpose, case_reference FROM watchlist.reviews_to_take();
SELECT * FROM watchlist.view_probe(1);
SELECT watchlist.take_review(1);
SELECT watchlist.take_review(1);
SELECT review FROM watchlist.reviews_to_take();
SELECT item, kind, position, print IS NOT NULL AS finger, eye IS NOT NULL AS eye FROM watchlist.view_probe(1);
-- marks are locked before the candidate is seen; nothing says before whom they are about
SELECT person FROM watchlist.view_candidate(1);
SELECT count(*) FROM watchlist.review_outcome(1);
SELECT watchlist.decide(1, 'identification', 'eager');
SELECT watchlist.lock_marks(1, NULL);
SELECT watchlist.lock_marks(1, to_jsonb(repeat('x', 100000)));
SELECT watchlist.lock_marks(1, '{"item": 1, "minutiae": [3, 7, 12]}');
SELECT watchlist.lock_marks(1, '{"item": 1, "minutiae": [3, 7, 12, 15]}');
SELECT watchlist.decide(1, 'identification', 'eager still');
SELECT person, lists, score > 80 AS high, fpir, searched, band, jsonb_array_length(evidence) AS modalities, item, print IS NOT NULL AS finger
FROM watchlist.view_candidate(1);
SELECT watchlist.decide(1, 'certain', 'sure');
SELECT watchlist.decide(1, 'identification', ' ');
SELECT watchlist.decide(1, 'identification', '14 minutiae agree');
SELECT watchlist.decide(1, 'exclusion', 'changed my mind');
SELECT watchlist.lock_marks(1, '{}');
SELECT * FROM watchlist.view_probe(1);

-- the second: nothing tells of the first
SET SESSION AUTHORIZATION regress_emil;
SELECT review, person, band, first_examiner, first_decision, second_examiner, second_decision, outcome FROM watchlist.review_outcome(1);
SELECT review FROM watchlist.reviews_to_take();
SELECT watchlist.take_review(1);
SELECT * FROM watchlist.reviews LIMIT 1;
SELECT * FROM watchlist.review_events LIMIT 1;
SELECT * FROM watchlist.review_outcomes LIMIT 1;
SELECT * FROM watchlist.log LIMIT 1;
SELECT * FROM watchlist.searches LIMIT 1;
SELECT * FROM watchlist.candidates LIMIT 1;
SELECT * FROM watchlist.encounter_items LIMIT 1;
SELECT * FROM watchlist.persons LIMIT 1;
SELECT watchlist.lock_marks(1, '[]');
SELECT person FROM watchlist.view_candidate(1) LIMIT 1;
SELECT review, outcome, first_examiner, first_decision, second_examiner FROM watchlist.review_outcome(1);
SELECT watchlist.resolve_review(1, 'identification', 'x');
SELECT watchlist.decide(1, 'inconclusive', 'blurred core');
SELECT first_examiner, first_decision, second_examiner, second_decision, outcome, conclusion FROM watchlist.review_outcome(1);

-- a third
SET SESSION AUTHORIZATION regress_erik;
SELECT watchlist.take_review(1);
SELECT review FROM watchlist.reviews_to_take();
SELECT count(*) FROM watchlist.review_outcome(1);

-- the dissent is resolved by neither of them, once, and kept
GRANT EXECUTE ON FUNCTION watchlist.resolve_review TO regress_eva;
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON FUNCTION watchlist.resolve_review TO regress_eva;
SET SESSION AUTHORIZATION regress_eva;
SELECT watchlist.resolve_review(1, 'identification', 'I was right');
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.resolve_review(1, 'exclusion', '');
SELECT watchlist.resolve_review(1, 'exclusion', 'delta differs');
SELECT watchlist.resolve_review(1, 'identification', 'delta differs');
SET SESSION AUTHORIZATION regress_ana;
SELECT first_decision, second_decision, outcome, resolved_by, resolution, conclusion FROM watchlist.review_outcomes;

-- who has examined a candidate is not asked again about the same
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.open_review(1, 1, 'appeal', 'B-1');
SET SESSION AUTHORIZATION regress_emil;
SELECT review FROM watchlist.reviews_to_take();
SELECT watchlist.take_review(2);
SET SESSION AUTHORIZATION regress_erik;
SELECT review FROM watchlist.reviews_to_take();

-- two who agree; a review that is withdrawn
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.open_review(1, 2, 'control', 'B-1');
SET SESSION AUTHORIZATION regress_emil;
SELECT watchlist.take_review(3);
SELECT watchlist.lock_marks(3, '[]');
SELECT count(*) FROM watchlist.view_candidate(3);
SET SESSION AUTHORIZATION regress_erik;
SELECT watchlist.take_review(3);
SELECT watchlist.lock_marks(3, '[]');
SELECT count(*) FROM watchlist.view_candidate(3);
SELECT watchlist.decide(3, 'exclusion', 'patterns differ');
SET SESSION AUTHORIZATION regress_emil;
SELECT watchlist.decide(3, 'exclusion', 'ridge counts differ');
SET SESSION AUTHORIZATION regress_sven;
SELECT outcome, conclusion FROM watchlist.review_outcome(3);
SELECT watchlist.resolve_review(3, 'identification', 'no dissent to resolve');
SELECT watchlist.open_review(1, 3, 'control', 'B-1');
SET SESSION AUTHORIZATION regress_erik;
SELECT watchlist.take_review(4);
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.withdraw_review(4, 'opened by mistake');
SELECT watchlist.withdraw_review(4, 'again');
-- a finished one stays as it is
SELECT watchlist.withdraw_review(1, 'inconvenient');
SET SESSION AUTHORIZATION regress_erik;
SELECT watchlist.lock_marks(4, '[]');
SELECT outcome FROM watchlist.review_outcome(4);

-- one's own search is not one's own to examine; another agency's neither
RESET SESSION AUTHORIZATION;
SELECT watchlist.grant_duty('examiner', 'regress_olga'), watchlist.grant_duty('examiner', 'regress_pete');
SET SESSION AUTHORIZATION regress_sven;
SELECT watchlist.open_review(1, 4, 'control', 'B-1');
SET SESSION AUTHORIZATION regress_olga;
SELECT watchlist.take_review(5);
SELECT review FROM watchlist.reviews_to_take();
SET SESSION AUTHORIZATION regress_pete;
SELECT watchlist.take_review(5);
SELECT review FROM watchlist.reviews_to_take();
SELECT count(*) FROM watchlist.review_outcome(1);
RESET SESSION AUTHORIZATION;

-- nothing is overwritten
UPDATE watchlist.review_events SET decision = 'identification' WHERE decision = 'exclusion';
DELETE FROM watchlist.review_events;
SELECT review, round, event, examiner, marks, decision, statement FROM watchlist.review_events ORDER BY review, at;
-- a supervisor sees probe, candidate and marks when it is complete
SET SESSION AUTHORIZATION regress_sven;
SELECT what, examiner, item, marks, print IS NOT NULL AS finger FROM watchlist.view_review(1, 'appeal', 'B-1');
SELECT count(*) FROM watchlist.view_review(2, 'appeal', 'B-1');
RESET SESSION AUTHORIZATION;
SELECT caller, action, case_reference, search, detail FROM watchlist.log WHERE action IN ('review', 'view') ORDER BY entry;
\set ECHO none
\i :cleanup
