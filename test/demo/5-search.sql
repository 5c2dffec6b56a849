\echo '-- Travellers.  The first is on the list as number 12346, the second was sent to'
\echo '-- us by an agency, nobody knows the third.  All are other captures than those enrolled.'
CREATE TABLE traveller (name text PRIMARY KEY, print fingerprint NOT NULL);
INSERT INTO traveller VALUES
  ('listed',  synthetic_fingerprint(12346, 1, 2)),
  ('sent',    synthetic_fingerprint(30089, 1, 2)),
  ('unknown', synthetic_fingerprint(50000, 1, 2));
ANALYZE;

\echo '-- The candidate list: nearest first.  A score of 40 means one false match in'
\echo '-- 10 000 comparisons; fpir is the share of strangers who would get such a'
\echo '-- candidate from a list of this size.'
\timing on
SELECT w.person, w.source, round(match_score(w.print, t.print)::numeric, 1) AS score,
       round(fpir(match_score(w.print, t.print), 20200)::numeric, 6) AS fpir
FROM traveller t, LATERAL (
  SELECT * FROM watchlist ORDER BY print <-> t.print LIMIT 4) w
WHERE t.name = 'listed';
\timing off

EXPLAIN (COSTS OFF)
SELECT person FROM watchlist
ORDER BY print <-> (SELECT print FROM traveller WHERE name = 'listed') LIMIT 4;

\echo '-- Nobody knows this one: there is always a nearest finger, but its score says no.'
SELECT w.person, w.source, round(match_score(w.print, t.print)::numeric, 1) AS score,
       round(fpir(match_score(w.print, t.print), 20200)::numeric, 6) AS fpir
FROM traveller t, LATERAL (
  SELECT * FROM watchlist ORDER BY print <-> t.print LIMIT 2) w
WHERE t.name = 'unknown';

\echo '-- All travellers at once, with a threshold that raises a false alarm for one'
\echo '-- stranger in 100.'
SELECT round(score_threshold(0.01, 20200)::numeric, 1) AS threshold;

SELECT t.name, w.person, w.source, round(match_score(w.print, t.print)::numeric, 1) AS score
FROM traveller t
JOIN watchlist w ON w.print % probe(t.print, score_threshold(0.01, 20200))
ORDER BY t.name, score DESC;

EXPLAIN (COSTS OFF)
SELECT t.name, w.person
FROM traveller t
JOIN watchlist w ON w.print % probe(t.print, score_threshold(0.01, 20200));

\echo '-- For the DBA.'
SELECT entries, pages, pg_size_pretty(pg_relation_size('watchlist_print')) AS size
FROM biometric_index_stats('watchlist_print');
SELECT biometric_index_check('watchlist_print', true);
