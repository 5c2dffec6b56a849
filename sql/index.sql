--
-- The access method: what can be indexed, and that an index stays right.
--
CREATE EXTENSION IF NOT EXISTS biometric;

SELECT amname, amtype FROM pg_am WHERE amname = 'biometric';

-- its operator classes are complete
SELECT opcname, opcintype::regtype, opcdefault, amvalidate(oid) AS valid
FROM pg_opclass
WHERE opcmethod = (SELECT oid FROM pg_am WHERE amname = 'biometric')
ORDER BY opcname;

SELECT name, pg_indexam_has_property(oid, name) AS value
FROM pg_am, unnest(ARRAY['can_order', 'can_unique', 'can_multi_col', 'can_exclude', 'can_include']) AS name
WHERE amname = 'biometric';

-- ----------------------------------------------------------------------------
-- A watchlist
-- ----------------------------------------------------------------------------

CREATE TABLE watchlist (id int, list text, print fingerprint);

INSERT INTO watchlist
SELECT i, CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END, synthetic_fingerprint(i)
FROM generate_series(1, 150) AS i;

CREATE INDEX watchlist_print ON watchlist USING biometric (print);
ANALYZE watchlist;

-- Plans are shown for any probe
SET plan_cache_mode = force_generic_plan;

-- Who is this?  Another impression of finger 17.
PREPARE search(fingerprint) AS
SELECT id FROM watchlist ORDER BY print <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE search(synthetic_fingerprint(17, 1));
EXECUTE search(synthetic_fingerprint(17, 1));

-- Is the person on the list at all?
PREPARE watch(fingerprint) AS
SELECT id FROM watchlist WHERE print % probe($1, 20) ORDER BY print <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE watch(synthetic_fingerprint(17, 1));
EXECUTE watch(synthetic_fingerprint(17));

-- A row that comes later is found, ..
INSERT INTO watchlist VALUES (1001, 'odd', synthetic_fingerprint(1001)), (1002, 'odd', NULL);
SELECT id FROM watchlist ORDER BY print <-> synthetic_fingerprint(1001) LIMIT 1;

-- .. with the template that it has now, ..
UPDATE watchlist SET print = synthetic_fingerprint(2001) WHERE id = 1001;
SELECT id FROM watchlist ORDER BY print <-> synthetic_fingerprint(2001) LIMIT 1;

-- .. until it is deleted
DELETE FROM watchlist WHERE id = 1001;
SELECT count(*) FROM (SELECT id FROM watchlist ORDER BY print <-> synthetic_fingerprint(2001)) AS s WHERE id = 1001;

-- ----------------------------------------------------------------------------
-- Vacuum takes entries away, and their space is used again
-- ----------------------------------------------------------------------------

CREATE TABLE churn (id int, print fingerprint) WITH (autovacuum_enabled = off);
CREATE INDEX churn_print ON churn USING biometric (print);
INSERT INTO churn SELECT i, synthetic_fingerprint(i % 20) FROM generate_series(1, 200) AS i;
SELECT gallery_pages AS pages_before FROM biometric_index_stats('churn_print') \gset

DELETE FROM churn WHERE id % 2 = 0;
VACUUM churn;
SELECT entries, null_entries FROM biometric_index_stats('churn_print');

-- as many rows again go into the space of those that are gone
INSERT INTO churn SELECT i, synthetic_fingerprint(i % 20) FROM generate_series(2, 200, 2) AS i;
SELECT gallery_pages < 1.2 * :pages_before AS reused FROM biometric_index_stats('churn_print');
SELECT biometric_index_check('churn_print', true);

-- an index that becomes empty is as good as a new one
DELETE FROM churn;
VACUUM churn;
SELECT entries, empty_pages = gallery_pages AS all_empty FROM biometric_index_stats('churn_print');
SELECT count(*) FROM (SELECT id FROM churn ORDER BY print <-> synthetic_fingerprint(1)) AS s;
INSERT INTO churn VALUES (1, synthetic_fingerprint(1));
SELECT id FROM churn ORDER BY print <-> synthetic_fingerprint(1) LIMIT 1;

-- vacuum needs no new page, not even of the free space map
INSERT INTO churn SELECT i, synthetic_fingerprint(i % 20) FROM generate_series(1, 200) AS i;
REINDEX INDEX churn_print;
SELECT pg_relation_size('churn_print', 'fsm') AS map \gset
DELETE FROM churn;
VACUUM churn;
SELECT pg_relation_size('churn_print', 'fsm') = :map AS map_is_as_large;

TRUNCATE churn;
SELECT pages, entries FROM biometric_index_stats('churn_print');

-- ----------------------------------------------------------------------------
-- Every kind of index
-- ----------------------------------------------------------------------------

-- rebuilt, and built while others write
REINDEX INDEX watchlist_print;
REINDEX INDEX CONCURRENTLY watchlist_print;
CREATE INDEX CONCURRENTLY watchlist_print2 ON watchlist USING biometric (print);
SELECT biometric_index_check('watchlist_print', true), biometric_index_check('watchlist_print2', true);
DROP INDEX watchlist_print2;

-- partial
CREATE INDEX watchlist_odd ON watchlist USING biometric (print) WHERE list = 'odd';
PREPARE search_odd(fingerprint) AS
SELECT id FROM watchlist WHERE list = 'odd' ORDER BY print <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE search_odd(NULL);
EXECUTE search_odd(synthetic_fingerprint(17, 1));
SELECT biometric_index_check('watchlist_odd', true);
DROP INDEX watchlist_odd;

-- on an expression
CREATE TABLE records (id int, record bytea);
INSERT INTO records SELECT i, to_iso19794_2(synthetic_fingerprint(i)) FROM generate_series(1, 30) AS i;
CREATE INDEX records_print ON records USING biometric ((record::fingerprint));
PREPARE search_records(fingerprint) AS
SELECT id FROM records ORDER BY record::fingerprint <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE search_records(NULL);
EXECUTE search_records(synthetic_fingerprint(17, 1));
SELECT biometric_index_check('records_print', true);

-- of a temporary and of an unlogged table
CREATE TEMPORARY TABLE temporary_list (id int, print fingerprint);
CREATE UNLOGGED TABLE unlogged_list (id int, print fingerprint);
CREATE INDEX temporary_list_print ON temporary_list USING biometric (print);
CREATE INDEX unlogged_list_print ON unlogged_list USING biometric (print);
INSERT INTO temporary_list SELECT i, synthetic_fingerprint(i) FROM generate_series(1, 30) AS i;
INSERT INTO unlogged_list SELECT i, synthetic_fingerprint(i) FROM generate_series(1, 30) AS i;
SET enable_seqscan = off;
SELECT id FROM temporary_list ORDER BY print <-> synthetic_fingerprint(9) LIMIT 1;
SELECT id FROM unlogged_list ORDER BY print <-> synthetic_fingerprint(9) LIMIT 1;
RESET enable_seqscan;
ALTER TABLE unlogged_list SET LOGGED;
SELECT biometric_index_check('temporary_list_print', true), biometric_index_check('unlogged_list_print', true);

-- of a partitioned table: each partition has one, and the parent merges them
CREATE TABLE partitioned (id int, site int, print fingerprint) PARTITION BY LIST (site);
CREATE TABLE partitioned_1 PARTITION OF partitioned FOR VALUES IN (1);
CREATE TABLE partitioned_2 PARTITION OF partitioned FOR VALUES IN (2);
CREATE INDEX partitioned_print ON partitioned USING biometric (print);
INSERT INTO partitioned SELECT i, i % 2 + 1, synthetic_fingerprint(i) FROM generate_series(1, 60) AS i;
ANALYZE partitioned;
PREPARE search_all(fingerprint) AS
SELECT id FROM partitioned ORDER BY print <-> $1 LIMIT 1;
EXPLAIN (COSTS OFF) EXECUTE search_all(NULL);
EXECUTE search_all(synthetic_fingerprint(17, 1));

-- no person twice: an exclusion constraint with the match operator
SET biometric.match_threshold = 20;
CREATE TABLE enrolled (id int, print fingerprint, CONSTRAINT one_person EXCLUDE USING biometric (print WITH %));
INSERT INTO enrolled VALUES (1, synthetic_fingerprint(1)), (2, synthetic_fingerprint(2)), (3, NULL), (4, NULL);
\set VERBOSITY sqlstate
INSERT INTO enrolled VALUES (5, synthetic_fingerprint(1));
\set VERBOSITY default
INSERT INTO enrolled VALUES (5, synthetic_fingerprint(1)) ON CONFLICT DO NOTHING;
DELETE FROM enrolled WHERE id = 1;
INSERT INTO enrolled VALUES (5, synthetic_fingerprint(1));
UPDATE enrolled SET id = id + 10;
SELECT id, print IS NULL AS unknown FROM enrolled ORDER BY id;
RESET biometric.match_threshold;

-- ----------------------------------------------------------------------------
-- What cannot be
-- ----------------------------------------------------------------------------

CREATE INDEX ON watchlist USING biometric (id);
CREATE INDEX ON watchlist USING biometric (id fingerprint_ops);
CREATE INDEX ON watchlist USING btree (print fingerprint_ops);
CREATE UNIQUE INDEX ON watchlist USING biometric (print);
CREATE INDEX ON watchlist USING biometric (print, print);
CREATE INDEX ON watchlist USING biometric (print) INCLUDE (id);
CREATE INDEX ON watchlist USING biometric (print DESC);
CREATE INDEX ON watchlist USING biometric (print) WITH (fillfactor = 50);

-- an operator class that lacks everything is told so
CREATE OPERATOR CLASS lacking FOR TYPE int4 USING biometric AS STORAGE int4;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'lacking';
DROP OPERATOR FAMILY lacking USING biometric;

DROP TABLE watchlist, churn, records, temporary_list, unlogged_list, partitioned, enrolled;
