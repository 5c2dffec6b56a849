-- ---------------------------------------------------------------------------
-- galleries over several servers
-- ---------------------------------------------------------------------------

-- The partitions of a gallery, where they are, and whether they answer now.
-- Volatile: it asks.
CREATE FUNCTION gallery_nodes(gallery regclass,
		OUT server name, OUT partition regclass, OUT reachable boolean, OUT problem text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'biometric_gallery_nodes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10 COST 10000;


COMMENT ON FUNCTION gallery_nodes(regclass) IS 'the partitions of a gallery, their servers, and whether they answer now';
