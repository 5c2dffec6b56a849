#!/bin/bash
# docs.sh
#	Whether the documentation keeps up: doc/sql.md names every SQL object that
#	people use, links and their anchors lead somewhere, doc/README.md lists every page,
#	and some page leads to every picture.  Prints TAP.
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

# anchors PAGE: what a link to a heading of it ends with
anchors()
{
	perl -CSD -ne '$code = !$code if /^```/; next if $code || !/^#+\s+(.*?)\s*$/; ($_ = lc $1) =~ s/\[([^]]*)\]\([^)]*\)/$1/g; s/[^\w\s-]//g; tr/ /-/; print "$_\n"' "$1"
}

linked=
for page in README.md CHANGELOG.md CONTRIBUTING.md doc/*.md doc/*/*.md; do
	missing=
	for link in $(perl -ne '$code = !$code if /^```/; next if $code; print "$1\n" while /\]\(([^)\s]+)\)/g' "$page" | grep -v '^[a-z]*:' | sort -u); do
		file=${link%%#*} anchor=
		[ "$file" = "$link" ] || anchor=${link#*#}
		file=${file:+$(realpath -m --relative-to=. "$(dirname "$page")/$file")}
		file=${file:-$page}
		[ "$file" = "$page" ] || linked="$linked $file"
		if [ ! -e "$file" ] || { [ -n "$anchor" ] && ! anchors "$file" | grep -qxF -- "$anchor"; }; then
			missing="$missing $link"
		fi
	done
	if [ -z "$missing" ]; then
		ok "links of $page"
	else
		not_ok "links of $page: no$missing"
	fi
done
for file in doc/*/*; do
	case " $linked " in
		*" $file "*) ok "a page leads to $file" ;;
		*) not_ok "a page leads to $file" ;;
	esac
done
for page in doc/*.md; do
	if [ "$page" = doc/README.md ] || grep -qF "](${page#doc/})" doc/README.md; then
		ok "doc/README.md lists $page"
	else
		not_ok "doc/README.md lists $page"
	fi
done
echo "1..$n"
