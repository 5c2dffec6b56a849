--
-- What pg_dump and pg_upgrade do with everything these extensions define: take
-- it as text, with an empty search_path, and create it from that text.  An
-- operator that is written without its schema is then not found, which is what
-- IS DISTINCT FROM, NULLIF, CASE x WHEN, IN and BETWEEN lead to for a type whose
-- operators are not in pg_catalog.
--
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
BEGIN;
-- makes the log, which outlives the extension and is no member of it
INSERT INTO watchlist.this_country VALUES ('north');
-- Every object of the extensions and of the schema "watchlist", what is to be executed
-- for it first, and what creates it.  They are written with an empty search_path, too.
CREATE TABLE definition (what text, kind text, preparation text, text text);
CREATE FUNCTION definitions() RETURNS SETOF definition LANGUAGE sql SET search_path = '' AS
$$
WITH extension AS (SELECT oid, extname FROM pg_catalog.pg_extension WHERE extname IN ('biometric', 'biometric_watchlist')),
member AS (
	SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN extension e ON d.refobjid = e.oid
	WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'),
relation AS (
	SELECT * FROM pg_catalog.pg_class
	WHERE oid IN (SELECT objid FROM member WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
		OR relnamespace = 'watchlist'::pg_catalog.regnamespace)
SELECT 'function ' || p.oid::pg_catalog.regprocedure, 'function', NULL, pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
WHERE p.prokind IN ('f', 'p', 'w')
UNION ALL
SELECT 'view ' || c.oid::pg_catalog.regclass, 'view', NULL,
	pg_catalog.format('CREATE OR REPLACE VIEW %s%s AS %s', c.oid::pg_catalog.regclass,
		' WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')', pg_catalog.pg_get_viewdef(c.oid))
FROM relation c WHERE c.relkind = 'v'
UNION ALL
SELECT 'materialized view ' || c.oid::pg_catalog.regclass, 'materialized view', NULL,
	pg_catalog.format('CREATE MATERIALIZED VIEW public.%I AS %s', 'deparse_' || c.oid, pg_catalog.pg_get_viewdef(c.oid))
FROM relation c WHERE c.relkind = 'm'
UNION ALL
SELECT pg_catalog.format('policy %I on %s', p.polname, p.polrelid::pg_catalog.regclass), 'policy',
	pg_catalog.format('DROP POLICY %I ON %s', p.polname, p.polrelid::pg_catalog.regclass),
	pg_catalog.format('CREATE POLICY %I ON %s AS %s FOR %s', p.polname, p.polrelid::pg_catalog.regclass,
		CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
		CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END)
		|| coalesce(' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '')
		|| coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
FROM pg_catalog.pg_policy p JOIN relation c ON c.oid = p.polrelid
UNION ALL
SELECT pg_catalog.format('trigger %I on %s', t.tgname, t.tgrelid::pg_catalog.regclass), 'trigger',
	pg_catalog.format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::pg_catalog.regclass), pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t JOIN relation c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL
SELECT pg_catalog.format('rule %I on %s', r.rulename, r.ev_class::pg_catalog.regclass), 'rule',
	pg_catalog.format('DROP RULE %I ON %s', r.rulename, r.ev_class::pg_catalog.regclass), pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_rewrite r JOIN relation c ON c.oid = r.ev_class WHERE c.relkind NOT IN ('v', 'm')
UNION ALL
SELECT pg_catalog.format('constraint %I on %s', k.conname, k.conrelid::pg_catalog.regclass), 'constraint', NULL,
	pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::pg_catalog.regclass, 'deparse_' || k.oid, pg_catalog.pg_get_constraintdef(k.oid))
FROM pg_catalog.pg_constraint k JOIN relation c ON c.oid = k.conrelid WHERE k.contype IN ('c', 'x')
UNION ALL
SELECT pg_catalog.format('constraint %I of %s', k.conname, k.contypid::pg_catalog.regtype), 'constraint', NULL,
	pg_catalog.format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', k.contypid::pg_catalog.regtype, 'deparse_' || k.oid, pg_catalog.pg_get_constraintdef(k.oid))
FROM pg_catalog.pg_constraint k JOIN member m ON m.objid = k.contypid AND m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
WHERE k.contype = 'c'
UNION ALL
SELECT 'index ' || i.indexrelid::pg_catalog.regclass, 'index', NULL,
	pg_catalog.regexp_replace(pg_catalog.pg_get_indexdef(i.indexrelid), ' INDEX \S+ ON ', ' INDEX ON ')
FROM pg_catalog.pg_index i JOIN relation c ON c.oid = i.indrelid WHERE c.relkind IN ('r', 'm', 'p')
UNION ALL
SELECT pg_catalog.format('default of %s.%I', d.adrelid::pg_catalog.regclass, a.attname), 'default',
	NULL,
	CASE WHEN a.attgenerated <> '' THEN
		pg_catalog.format('ALTER TABLE %s ADD COLUMN %I %s GENERATED ALWAYS AS (%s) STORED', d.adrelid::pg_catalog.regclass, 'deparse_' || d.oid,
			pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.pg_get_expr(d.adbin, d.adrelid))
	ELSE
		pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', d.adrelid::pg_catalog.regclass, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid))
	END
FROM pg_catalog.pg_attrdef d JOIN relation c ON c.oid = d.adrelid AND c.relkind <> 'v'
	JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
$$;
INSERT INTO definition SELECT * FROM definitions();
-- every kind that has members was met
SELECT kind, count(*) > 0 AS some FROM definition GROUP BY kind ORDER BY kind COLLATE "C";
CREATE FUNCTION create_anew(preparation text, text text) RETURNS text LANGUAGE plpgsql SET search_path = '' AS
$$
BEGIN
	IF preparation IS NOT NULL THEN
		EXECUTE preparation;
	END IF;
	EXECUTE text;
	RETURN NULL;
EXCEPTION WHEN others THEN
	RETURN sqlerrm;
END
$$;
-- nothing fails; bodies that are text are checked when they run, as in a dump
SET LOCAL check_function_bodies = off;
SELECT what, problem FROM definition, create_anew(preparation, text) AS problem
WHERE problem IS NOT NULL ORDER BY what COLLATE "C";
ROLLBACK;
DROP EXTENSION biometric_watchlist;
DROP EXTENSION pgcrypto;
