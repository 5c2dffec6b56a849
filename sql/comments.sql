--
-- Every object of the extension has a comment, for \d and drivers' tooltips;
-- every C function has the prefix biometric_; matching is leakproof, and few
-- functions are unsafe in parallel workers.
--
CREATE TEMP TABLE member AS SELECT classid, objid FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'biometric');
SELECT count(*) > 150 AS objects, count(*) FILTER (WHERE classid = 'pg_proc'::regclass) > 100 AS functions FROM member;
SELECT pg_describe_object(classid, objid, 0) AS without_comment FROM member m
WHERE NOT EXISTS (SELECT FROM pg_description d WHERE d.classoid = m.classid AND d.objoid = m.objid AND d.objsubid = 0)
	-- array types and the families of operator classes come with others
	AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = m.objid AND m.classid = 'pg_type'::regclass AND t.typelem <> 0)
ORDER BY 1;
SELECT oid::regprocedure, prosrc FROM pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_proc'::regclass
WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND prosrc NOT LIKE 'biometric\_%' ORDER BY 1;
SELECT oid::regprocedure AS unsafe FROM pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_proc'::regclass
WHERE proparallel = 'u' ORDER BY proname;
-- Matching is leakproof, so that row-level security keeps the index
SELECT oid::regprocedure AS leaks FROM pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_proc'::regclass
WHERE NOT proleakproof AND oid IN (SELECT oprcode FROM pg_operator o JOIN member m ON m.objid = o.oid AND m.classid = 'pg_operator'::regclass)
ORDER BY 1;
SELECT proname, bool_and(proleakproof) AS leakproof FROM pg_proc p JOIN member m ON m.objid = p.oid AND m.classid = 'pg_proc'::regclass
WHERE proname IN ('match_score', 'matches', 'probe') GROUP BY 1 ORDER BY 1;
DROP TABLE member;
