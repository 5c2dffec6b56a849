-- ---------------------------------------------------------------------------
-- the library and its kernels
-- ---------------------------------------------------------------------------

-- The library that runs, and the versions that its scores depend on: to be
-- stored with scores.
CREATE FUNCTION biometric_version() RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- the kernels of this build, as "loop: kernel": which this processor supports, and which is used
CREATE FUNCTION biometric_kernels(OUT kernel text, OUT supported boolean, OUT chosen boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- inspection of an index
-- ---------------------------------------------------------------------------

-- Both are for the owner of the index and members of pg_stat_scan_tables.

-- The pages of all kinds and the metapage add up to pages; empty_pages are
-- gallery pages.
CREATE FUNCTION biometric_index_stats(index regclass,
		OUT format_version integer, OUT features_version integer, OUT modality text,
		OUT pages bigint, OUT empty_pages bigint,
		OUT entries bigint, OUT null_entries bigint,
		OUT entry_bytes bigint, OUT free_bytes bigint,
		OUT preselection boolean, OUT pending_entries bigint, OUT dead_entries bigint,
		OUT postings bigint, OUT gallery_pages bigint, OUT leaf_pages bigint,
		OUT directory_pages bigint, OUT pending_pages bigint, OUT free_pages bigint,
		OUT sketch_pages bigint, OUT sketch_bytes bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

-- raises an error if the index is damaged; with heapallindexed also if a row
-- of the table is not in it, or not with the features of its template
CREATE FUNCTION biometric_index_check(index regclass, heapallindexed boolean DEFAULT false)
	RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

-- ---------------------------------------------------------------------------
-- planning an index
-- ---------------------------------------------------------------------------

-- Volatile: the time is measured.  Workers are those besides the leader.
CREATE FUNCTION biometric_index_estimate(rows bigint, template anyelement, workers integer DEFAULT 0,
		OUT index_bytes bigint, OUT gallery_bytes bigint, OUT preselection_bytes bigint,
		OUT shared_buffers_bytes bigint, OUT build_seconds float8)
	RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;


COMMENT ON FUNCTION biometric_version() IS 'the library that runs, with the versions of index format and features: what decides scores';
COMMENT ON FUNCTION biometric_kernels() IS 'the kernels of this build, as "loop: kernel": which the processor supports, and which is used';
COMMENT ON FUNCTION biometric_index_stats(regclass) IS 'what an index holds: versions, pages, entries, postings';
COMMENT ON FUNCTION biometric_index_check(regclass, boolean) IS 'raises an error if an index is damaged, or lacks rows of its table';
COMMENT ON FUNCTION biometric_index_estimate(bigint, anyelement, integer) IS 'what an index of so many templates like this one would take';
