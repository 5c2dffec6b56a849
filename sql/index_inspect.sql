--
-- What a DBA can ask about an index.
--
CREATE EXTENSION IF NOT EXISTS biometric;

CREATE TABLE inspected (id int, print fingerprint);
INSERT INTO inspected
SELECT i, CASE WHEN i % 10 <> 0 THEN synthetic_fingerprint(i) END FROM generate_series(1, 100) AS i;
CREATE INDEX inspected_print ON inspected USING biometric (print);

-- what it holds
SELECT format_version, modality, entries, null_entries, empty_pages,
	   pages > 1 AS has_pages,
	   entry_bytes > 0 AS has_bytes,
	   entry_bytes + free_bytes < pages * current_setting('block_size')::int AS fits
FROM biometric_index_stats('inspected_print');

-- whether it is sound; silence is good news
SELECT biometric_index_check('inspected_print');
SELECT biometric_index_check('inspected_print', heapallindexed => true);

-- rows that are updated in place, deleted or not committed do not disturb it
UPDATE inspected SET id = id + 1000 WHERE id <= 20;
DELETE FROM inspected WHERE id BETWEEN 30 AND 40;
SELECT biometric_index_check('inspected_print', heapallindexed => true);
BEGIN;
INSERT INTO inspected SELECT i, synthetic_fingerprint(i) FROM generate_series(200, 210) AS i;
SELECT biometric_index_check('inspected_print', heapallindexed => true);
ROLLBACK;
SELECT biometric_index_check('inspected_print', heapallindexed => true);
VACUUM inspected;
SELECT biometric_index_check('inspected_print', heapallindexed => true);

-- an index on an expression that is not as immutable as it says is found out
CREATE FUNCTION fickle(int) RETURNS fingerprint LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN public.synthetic_fingerprint($1); END';
CREATE TABLE fickle_list (id int);
INSERT INTO fickle_list VALUES (1), (2), (3);
CREATE INDEX fickle_print ON fickle_list USING biometric (fickle(id));
SELECT biometric_index_check('fickle_print', heapallindexed => true);
CREATE OR REPLACE FUNCTION fickle(int) RETURNS fingerprint LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN public.synthetic_fingerprint($1 + 1); END';
SELECT biometric_index_check('fickle_print', heapallindexed => true);
SELECT biometric_index_check('fickle_print');
REINDEX INDEX fickle_print;
SELECT biometric_index_check('fickle_print', heapallindexed => true);

-- other objects are refused
CREATE INDEX inspected_id ON inspected (id);
SELECT biometric_index_stats('inspected_id');
SELECT biometric_index_check('inspected_id');
SELECT biometric_index_stats('inspected');
SELECT biometric_index_check('inspected');
CREATE TABLE inspected_parts (site int, print fingerprint) PARTITION BY LIST (site);
CREATE INDEX inspected_parts_print ON inspected_parts USING biometric (print);
SELECT biometric_index_check('inspected_parts_print');
SELECT biometric_index_stats(NULL) IS NULL AS strict;

-- they are for the owner and for those who may scan all tables
CREATE ROLE regress_biometric_stranger;
CREATE ROLE regress_biometric_monitor IN ROLE pg_stat_scan_tables;
SET ROLE regress_biometric_stranger;
SELECT biometric_index_stats('inspected_print');
SELECT biometric_index_check('inspected_print');
SET ROLE regress_biometric_monitor;
SELECT entries FROM biometric_index_stats('inspected_print');
SELECT biometric_index_check('inspected_print', heapallindexed => true);
RESET ROLE;

-- what is not there at all
SELECT biometric_index_check(4200000000::oid::regclass);
SELECT * FROM biometric_index_stats(4200000000::oid::regclass);

DROP TABLE inspected, fickle_list, inspected_parts;
DROP FUNCTION fickle(int);
DROP ROLE regress_biometric_stranger, regress_biometric_monitor;
