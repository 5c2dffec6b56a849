#!/bin/bash
# upgrade.sh [BINDIR...]
#	pg_upgrade from one PostgreSQL to the next, with both extensions and indexes
#	that are kept: the same files, used by searches, with the same answers.
#	Prints TAP.  Takes several PostgreSQLs with the extensions installed, oldest
#	first (default: all of Debian's that have them), and an ordinary user.
#	Skips with fewer than two.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
unset PGSERVICE PGHOSTADDR PGOPTIONS PGDATA PGCLUSTER

bindirs=("$@")
if [ ${#bindirs[@]} = 0 ]; then
	for dir in $(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -t/ -k5,5n); do
		[ ! -x "$dir/pg_upgrade" ] || [ ! -e "$("$dir/pg_config" --sharedir)/extension/biometric_watchlist.control" ] || bindirs+=("$dir")
	done
fi
if [ ${#bindirs[@]} -lt 2 ]; then
	echo "1..0 # SKIP fewer than two PostgreSQLs with the extensions installed"
	exit 0
fi

work=$(mktemp -d /tmp/biometric-upgrade.XXXXXX)
number=0 failed=0 bindir=${bindirs[0]}
trap '"$bindir/pg_ctl" -D "$work/data" -m immediate -s stop > /dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
is()
{
	local name=$1

	number=$((number + 1))
	shift
	if "$@"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		failed=$((failed + 1))
	fi
}
new_cluster()
{
	local checksums=

	# which PostgreSQL 18 has by default
	[[ "$("$1/initdb" --help)" != *--no-data-checksums* ]] || checksums=--no-data-checksums
	"$1/initdb" -D "$2" -A trust -U upgrade -E UTF8 --locale=C.UTF-8 --no-sync $checksums > "$work/initdb.log" 2>&1
	printf "listen_addresses = ''\nunix_socket_directories = '%s'\nfsync = off\nautovacuum = off\n" "$work" >> "$2/postgresql.conf"
}
start() { "$bindir/pg_ctl" -D "$work/data" -l "$work/log" -w -s start; }
sql() { "$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -U upgrade -d people "$@"; }
# upgrade DATA BINDIR: from bindir to BINDIR, into next
upgrade()
{
	rm -rf "$work/next"
	new_cluster "$2" "$work/next"
	(cd "$work" && "$2/pg_upgrade" -b "$bindir" -B "$2" -d "$work/$1" -D "$work/next" -U upgrade) > "$work/upgrade.log" 2>&1
}
# Whether not even a table of numbers can be upgraded: minor releases of different
# ages do not always fit together.
plain_fails()
{
	new_cluster "$bindir" "$work/plain"
	"$bindir/pg_ctl" -D "$work/plain" -l "$work/log" -w -s start
	"$bindir/psql" -X -q -h "$work" -U upgrade -d postgres -c 'CREATE TABLE numbers (number int)'
	"$bindir/pg_ctl" -D "$work/plain" -m fast -w -s stop
	! upgrade plain "$1"
}
# the bytes of the indexes
files()
{
	sql -c CHECKPOINT
	sql -c "SELECT c.oid::regclass, pg_relation_filepath(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'biometric' AND c.relkind = 'i' ORDER BY c.relname"
}
sums() { files | while IFS='|' read -r index file; do echo "$index $(md5sum < "$work/data/$file")"; done; }
answers()
{
	sql <<'Q'
SET enable_seqscan = off;
SELECT person, print <-> synthetic_fingerprint(17, 1, 2) FROM gallery ORDER BY print <-> synthetic_fingerprint(17, 1, 2) LIMIT 10;
SELECT person, eye <-> synthetic_iris(17, 1) FROM gallery ORDER BY eye <-> synthetic_iris(17, 1) LIMIT 10;
SELECT count(*) FROM gallery WHERE print % probe(synthetic_fingerprint(23, 2, 2), 30);
SET biometric.search_mode = fast;
SELECT person FROM gallery ORDER BY print <-> synthetic_fingerprint(17, 1, 2) LIMIT 3;
SET SESSION AUTHORIZATION upgrade_olga;
SELECT verdict, person, lists, score FROM watchlist.check_traveller(ARRAY[synthetic_fingerprint(5, 3, 2)]::bytea[], ARRAY[synthetic_iris(5, 3)]::text[], 'entry', 'U-1');
RESET SESSION AUTHORIZATION;
SELECT * FROM watchlist.verify_log();
Q
}
plan()
{
	[[ "$(sql -c 'SET enable_seqscan = off' -c 'EXPLAIN (COSTS OFF) SELECT person FROM gallery ORDER BY print <-> synthetic_fingerprint(17, 1, 2) LIMIT 10')" = *'Index Scan using gallery_print_idx'* ]]
}

new_cluster "$bindir" "$work/data"
start
"$bindir/createdb" -h "$work" -U upgrade people
sql <<'Q'
SET client_min_messages = warning;
CREATE EXTENSION biometric;
CREATE EXTENSION biometric_watchlist CASCADE;
CREATE TABLE gallery (person int, print fingerprint, eye iris);
INSERT INTO gallery SELECT n, synthetic_fingerprint(n, 0, 2), synthetic_iris(n) FROM generate_series(1, 1500) n;
CREATE INDEX gallery_print_idx ON gallery USING biometric (print);
CREATE INDEX gallery_eye_idx ON gallery USING biometric (eye);
INSERT INTO gallery SELECT n, synthetic_fingerprint(n, 0, 2), synthetic_iris(n) FROM generate_series(1501, 1600) n;
DELETE FROM gallery WHERE person % 7 = 0;
VACUUM ANALYZE gallery;
CREATE VIEW nearest AS SELECT person FROM gallery ORDER BY print <-> synthetic_fingerprint(17, 1, 2) LIMIT 3;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE upgrade_police;
CREATE ROLE upgrade_olga LOGIN IN ROLE upgrade_police;
\o /dev/null
SELECT watchlist.add_agency('police', 'upgrade_police'), watchlist.grant_duty('officer', 'upgrade_olga'), watchlist.grant_duty('curator', 'upgrade_olga');
SET SESSION AUTHORIZATION upgrade_olga;
SELECT watchlist.create_list('wanted', 'Wanted persons', 'act 12', 'set-up', 'U-0');
SELECT watchlist.add_person('Made Up ' || n, '1980-01-01', 'set-up', 'U-0', reference => 'W-' || n) FROM generate_series(1, 8) n;
SELECT watchlist.enrol('north/police/W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2)]::bytea[], ARRAY[synthetic_iris(n)]::text[], 'set-up', 'U-0') FROM generate_series(1, 8) n;
SELECT watchlist.add_to_list('north/police/wanted', 'north/police/W-' || n, 'warrant', 'U-0') FROM generate_series(1, 8) n;
Q
is "made with PostgreSQL $("$bindir/postgres" --version | sed 's/.* \([0-9][0-9.]*\).*/\1/')" test "$(sql -c 'SELECT count(*) FROM nearest')" = 3
before=$(answers) || exit
indexes=$(sums)
for next in "${bindirs[@]:1}"; do
	version=$("$next/postgres" --version | sed 's/.*) \([0-9][0-9]*\).*/\1/')
	"$bindir/pg_ctl" -D "$work/data" -m fast -w -s stop
	if ! upgrade data "$next"; then
		mv "$work/upgrade.log" "$work/failure.log"
		errors=$(find "$work/next/pg_upgrade_output.d" -name '*.log' -exec grep -h -A 3 'error:' {} + 2> /dev/null)
		if plain_fails "$next"; then
			is "pg_upgrade to $version # SKIP it fails without the extensions, too: $(head -n 1 <<< "$errors")" true
		else
			is "pg_upgrade to $version" false
			printf '%s\n%s\n' "$(tail -n 30 "$work/failure.log")" "$errors" | sed 's/^/# /'
		fi
		break
	fi
	is "pg_upgrade to $version" true
	rm -rf "$work/data"
	mv "$work/next" "$work/data"
	bindir=$next
	start
	is "$version: indexes are the same files" test "$(sums)" = "$indexes"
	is "$version: a search uses them" plan
	is "$version: and answers the same" test "$(answers)" = "$before"
	is "$version: indexes are sound" sql -c "SELECT biometric_index_check('gallery_print_idx', true), biometric_index_check('gallery_eye_idx', true)" -o /dev/null
	is "$version: rows come and go" sql -o /dev/null -c "INSERT INTO gallery SELECT -n, synthetic_fingerprint(-n, 0, 2), synthetic_iris(n + 5000) FROM generate_series(1, 20) n" -c "DELETE FROM gallery WHERE person < 0" -c "VACUUM gallery" -c "SELECT biometric_index_check('gallery_print_idx', true)"
	before=$(answers) || exit
	indexes=$(sums)
done
echo "1..$number"
[ $failed = 0 ]
