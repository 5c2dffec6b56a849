/* biometric--1.0--1.1.sql */

\echo Use "ALTER EXTENSION biometric UPDATE TO '1.1'" to load this file. \quit

-- ---------------------------------------------------------------------------
-- planning an index
-- ---------------------------------------------------------------------------

-- Volatile: the time is measured.  Workers are those besides the leader.
CREATE FUNCTION biometric_index_estimate(rows bigint, template anyelement, workers integer DEFAULT 0,
		OUT index_bytes bigint, OUT gallery_bytes bigint, OUT preselection_bytes bigint,
		OUT shared_buffers_bytes bigint, OUT build_seconds float8)
	RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- inspection of an index
-- ---------------------------------------------------------------------------

-- The pages of all kinds and the metapage add up to pages; empty_pages are
-- gallery pages.
DROP FUNCTION biometric_index_stats(regclass);
CREATE FUNCTION biometric_index_stats(index regclass,
		OUT format_version integer, OUT features_version integer, OUT modality text,
		OUT pages bigint, OUT empty_pages bigint,
		OUT entries bigint, OUT null_entries bigint,
		OUT entry_bytes bigint, OUT free_bytes bigint,
		OUT preselection boolean, OUT pending_entries bigint, OUT dead_entries bigint,
		OUT postings bigint, OUT gallery_pages bigint, OUT leaf_pages bigint,
		OUT directory_pages bigint, OUT pending_pages bigint, OUT free_pages bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;

-- ---------------------------------------------------------------------------
-- several fingers and eyes of one person
-- ---------------------------------------------------------------------------

CREATE FUNCTION fuse_add(float8, float8) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_add(internal, float8, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'fuse_add_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_add(internal, float8, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'fuse_add_integer' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

CREATE FUNCTION fuse_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fuse_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION fuse_final(internal) RETURNS float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;

-- the sum, of scores that are of different fingers and eyes
CREATE AGGREGATE fuse(score float8) (
	SFUNC = fuse_add, STYPE = float8, COMBINEFUNC = fuse_add, PARALLEL = SAFE
);

-- the same where several scores may be of one finger or eye: the best counts
CREATE AGGREGATE fuse(score float8, source text) (
	SFUNC = fuse_add, STYPE = internal, SSPACE = 512, FINALFUNC = fuse_final,
	COMBINEFUNC = fuse_combine, SERIALFUNC = fuse_serialize, DESERIALFUNC = fuse_deserialize,
	PARALLEL = SAFE
);

CREATE AGGREGATE fuse(score float8, source integer) (
	SFUNC = fuse_add, STYPE = internal, SSPACE = 512, FINALFUNC = fuse_final,
	COMBINEFUNC = fuse_combine, SERIALFUNC = fuse_serialize, DESERIALFUNC = fuse_deserialize,
	PARALLEL = SAFE
);

-- a sum of scores of so many fingers and eyes, in decibans of its own false match rate
CREATE FUNCTION fused_score(sum float8, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

-- what a sum of scores of so many fingers and eyes means for a gallery
CREATE FUNCTION fpir(score float8, gallery_size bigint, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_fpir' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION score_threshold(fpir float8, gallery_size bigint, sources integer) RETURNS float8
	AS 'MODULE_PATHNAME', 'biometric_fused_score_threshold' LANGUAGE C
	IMMUTABLE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- candidate lists
-- ---------------------------------------------------------------------------

-- Not strict: optional arguments may be NULL.  They read with the rights of
-- the caller and in the snapshot of the query.

CREATE FUNCTION identify(gallery regclass, template_column name, probe fingerprint,
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, key_columns name[] DEFAULT NULL,
		without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT key jsonb, OUT score float8, OUT fpir float8, OUT verdict text,
		OUT searched bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'identify_fingerprint' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

CREATE FUNCTION identify(gallery regclass, template_column name, probe iris,
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, key_columns name[] DEFAULT NULL,
		without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT key jsonb, OUT score float8, OUT fpir float8, OUT verdict text,
		OUT searched bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'identify_iris' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

-- several probes of one person against persons of several templates
CREATE FUNCTION identify(gallery regclass, person_column name, template_column name,
		probes fingerprint[],
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, search_depth integer DEFAULT NULL,
		key_columns name[] DEFAULT NULL, without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT person text, OUT score float8, OUT sources integer,
		OUT fused_score float8, OUT fpir float8, OUT verdict text, OUT evidence jsonb,
		OUT searched bigint, OUT depth integer,
		OUT unseen_score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'identify_person_fingerprint' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

CREATE FUNCTION identify(gallery regclass, person_column name, template_column name,
		probes iris[],
		k integer DEFAULT 10, filter jsonb DEFAULT NULL,
		possible_fpir float8 DEFAULT 0.05, probable_fpir float8 DEFAULT 0.001,
		gallery_size bigint DEFAULT NULL, search_depth integer DEFAULT NULL,
		key_columns name[] DEFAULT NULL, without_servers name[] DEFAULT NULL,
		OUT rank integer, OUT person text, OUT score float8, OUT sources integer,
		OUT fused_score float8, OUT fpir float8, OUT verdict text, OUT evidence jsonb,
		OUT searched bigint, OUT depth integer,
		OUT unseen_score float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'identify_person_iris' LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 10 COST 100000;

-- The partitions of a gallery, where they are, and whether they answer now.
-- Volatile: it asks.
CREATE FUNCTION gallery_nodes(gallery regclass,
		OUT server name, OUT partition regclass, OUT reachable boolean, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10 COST 10000;

-- The library that runs, and what decides its scores: for whoever keeps scores.
CREATE FUNCTION biometric_version() RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;

-- ---------------------------------------------------------------------------
-- evidence
-- ---------------------------------------------------------------------------

-- The minutiae that the comparison pairs, the heaviest first, then those without
-- a partner; n as in minutiae().
CREATE FUNCTION match_pairs(a fingerprint, b fingerprint,
		OUT a_minutia integer, OUT b_minutia integer, OUT weight float8, OUT distance float8, OUT in_overlap boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'fingerprint_match_pairs' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 60 COST 1000;

CREATE FUNCTION match_bits(a iris, b iris, OUT rotation integer, OUT common integer, OUT differing integer)
	AS 'MODULE_PATHNAME', 'iris_match_bits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

CREATE FUNCTION svg(fingerprint) RETURNS text
	AS 'MODULE_PATHNAME', 'fingerprint_svg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION svg(iris) RETURNS text
	AS 'MODULE_PATHNAME', 'iris_svg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
CREATE FUNCTION match_svg(a fingerprint, b fingerprint) RETURNS text
	AS 'MODULE_PATHNAME', 'fingerprint_match_svg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
CREATE FUNCTION match_svg(a iris, b iris) RETURNS text
	AS 'MODULE_PATHNAME', 'iris_match_svg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
