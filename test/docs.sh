#!/bin/bash
# docs.sh
#	Whether the documentation keeps up: doc/sql.md names every SQL object that
#	people use, and links lead somewhere.  Prints TAP.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
not_ok() { n=$((n + 1)); echo "not ok $n - $1"; }

# Functions with pseudo-types are for the server, operators have theirs
# documented by their symbols.
objects=$(psql -X -A -t -q -v ON_ERROR_STOP=1 <<'X'
SELECT DISTINCT proname FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'biometric'
WHERE NOT EXISTS (
	SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) t
	WHERE t IN ('internal'::regtype, 'cstring'::regtype, 'cstring[]'::regtype, 'index_am_handler'::regtype))
  AND proname !~ '_(eq|ne|lt|le|gt|ge|cmp|hash|hash_extended|send)$'
UNION
SELECT name FROM pg_settings WHERE name LIKE 'biometric.%'
UNION
SELECT opcname FROM pg_opclass JOIN pg_am a ON a.oid = opcmethod WHERE amname = 'biometric'
ORDER BY 1;
X
)
for object in $objects; do
	if grep -qE "\`([^\`]*[^\`a-z_])?$object([^\`a-z_0-9][^\`]*)?\`" doc/sql.md; then
		ok "doc/sql.md has $object"
	else
		not_ok "doc/sql.md has $object"
	fi
done

for page in README.md CHANGELOG.md doc/*.md; do
	missing=
	for link in $(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' | sort -u); do
		[ -e "$(dirname "$page")/$link" ] || missing="$missing $link"
	done
	if [ -z "$missing" ]; then
		ok "links of $page"
	else
		not_ok "links of $page: no$missing"
	fi
done
echo "1..$n"
