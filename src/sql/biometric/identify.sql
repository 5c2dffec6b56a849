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

