-- ---------------------------------------------------------------------------
-- what searches of indexes did
-- ---------------------------------------------------------------------------

-- Counters tell of rows that the reader may not see: both functions and the view
-- are for members of pg_monitor.

CREATE FUNCTION biometric_activity(OUT index oid, OUT scope text,
		OUT exact_searches bigint, OUT fast_searches bigint, OUT parallel_searches bigint, OUT ended bigint,
		OUT entries_visited bigint, OUT entries_passed bigint, OUT candidates bigint, OUT comparisons bigint, OUT rows_returned bigint,
		OUT total_time float8, OUT max_time float8,
		OUT within_10ms bigint, OUT within_100ms bigint, OUT within_1s bigint, OUT within_10s bigint,
		OUT last_search timestamptz, OUT stats_since timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 10;

CREATE FUNCTION biometric_index_activity_reset() RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

-- every index of this database, also one that was never searched
CREATE VIEW biometric_index_activity AS
	WITH activity AS MATERIALIZED (SELECT * FROM biometric_activity()), biometric_index AS (
		SELECT i.indrelid AS relid, i.indexrelid, n.nspname AS schemaname, t.relname, c.relname AS indexrelname
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
		JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
		WHERE m.amname = 'biometric' AND c.relkind = 'i'
	)
	SELECT b.relid, b.indexrelid, b.schemaname, b.relname, b.indexrelname,
		coalesce(a.scope, (SELECT max(scope) FROM activity)) AS scope,
		coalesce(a.exact_searches, 0) AS exact_searches, coalesce(a.fast_searches, 0) AS fast_searches,
		coalesce(a.parallel_searches, 0) AS parallel_searches, coalesce(a.ended, 0) AS ended,
		coalesce(a.entries_visited, 0) AS entries_visited, coalesce(a.entries_passed, 0) AS entries_passed,
		coalesce(a.candidates, 0) AS candidates, coalesce(a.comparisons, 0) AS comparisons, coalesce(a.rows_returned, 0) AS rows_returned,
		coalesce(a.total_time, 0) AS total_time, coalesce(a.max_time, 0) AS max_time,
		coalesce(a.within_10ms, 0) AS within_10ms, coalesce(a.within_100ms, 0) AS within_100ms,
		coalesce(a.within_1s, 0) AS within_1s, coalesce(a.within_10s, 0) AS within_10s,
		a.last_search, a.stats_since
	FROM biometric_index b FULL JOIN activity a ON a.index = b.indexrelid
	WHERE b.indexrelid IS NOT NULL OR a.index IS NULL;

REVOKE ALL ON FUNCTION biometric_activity(), biometric_index_activity_reset() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION biometric_activity(), biometric_index_activity_reset() TO pg_monitor;
GRANT SELECT ON biometric_index_activity TO pg_monitor;

COMMENT ON FUNCTION biometric_activity() IS 'counters of searches by index; a row without index is of those that gave way (server) or of this process (backend)';
COMMENT ON FUNCTION biometric_index_activity_reset() IS 'begins to count anew the searches of this database and of this process';
COMMENT ON VIEW biometric_index_activity IS 'what searches of each index did; a row without index is of indexes that gave way (server) or of this process (backend)';
