-- Every type, operator, function, aggregate, operator class and family, access
-- method, schema, table, view and sequence of the extensions has a comment, which
-- psql and drivers show.  Array and row types come with what they are of.
SELECT e.extname, pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
	LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND d.objid = t.oid
WHERE e.extname = 'biometric'
  AND d.classid IN ('pg_type'::regclass, 'pg_operator'::regclass, 'pg_proc'::regclass, 'pg_opclass'::regclass, 'pg_am'::regclass,
					'pg_namespace'::regclass)
  AND (t.oid IS NULL OR (t.typelem = 0 AND t.typtype <> 'c'))
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
ORDER BY 1, 2;
