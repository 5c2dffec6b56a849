#!/bin/bash
# feed.sh [OPTION...]: what "feed" runs inside stage.sh
set -euo pipefail
entries=20000 partners=4
while [ $# -gt 0 ]; do
	case $1 in
		--entries) entries=$2 ;;
		--partners) partners=$2 ;;
		*) echo "feed: unknown option $1" >&2; exit 1 ;;
	esac
	shift 2
done
echo "shared_buffers = 1GB" >> "$HOME/data/postgresql.conf"
pg_ctl -D "$HOME/data" -l "$HOME/server.log" -w -s restart

ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
# milliseconds of a statement
took() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c '\timing on' -c "$2" | sed -n 's/^Time: \([0-9]*\).*/\1/p'; }

for country in north south; do
	createdb "$country"
	ask "$country" "SET client_min_messages = warning; CREATE EXTENSION biometric_watchlist CASCADE; CREATE EXTENSION postgres_fdw;
		INSERT INTO watchlist.this_country VALUES ('$country')"
done
ask north "CREATE ROLE border; CREATE ROLE login_south LOGIN; CREATE ROLE login_north LOGIN"
for country in north south; do
	ask "$country" "SELECT watchlist.add_agency('border', 'border'), watchlist.create_list('list', 'x', 'act', 'x', 'x')" > /dev/null
done
ask north "SELECT watchlist.add_partner('south', 'login_south', 'x', 'x')" > /dev/null
ask south "SELECT watchlist.add_partner('north', 'login_north', 'x', 'x');
	CREATE SERVER north FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$HOME', dbname 'north', fetch_size '10000', options '-c statement_timeout=10min');
	CREATE USER MAPPING FOR watchlist_courier SERVER north OPTIONS (user 'login_south', password_required 'false');
	SELECT watchlist.connect_partner('north', 'north', 'x', 'x')" > /dev/null
ask north "INSERT INTO watchlist.persons (person, reference, agency) SELECT n, 'border/L-' || n, 'border' FROM generate_series(1, $entries) n;
	INSERT INTO watchlist.enrolments (person, number, kind, print, state, agency, enrolled_by)
		SELECT n, 1, 'finger', synthetic_fingerprint(n, 0, 2), 'enrolled', 'border', 'x' FROM generate_series(1, $entries) n;
	INSERT INTO watchlist.list_entries (list, person, reason, added_by) SELECT 'border/list', n, 'x', 'x' FROM generate_series(1, $entries) n"
echo "$entries entries in the gallery: $(took north "SELECT watchlist.refresh_gallery()") ms"
ask north "VACUUM ANALYZE"
echo "released: $(took north "SELECT watchlist.release_list('north/border/list', 'south', true, 'x', 'x')") ms, numbered: $(took north "SELECT watchlist.number_changes()") ms"

# the same rows by plain SQL into a table like the one that receives
ask south "CREATE TABLE plain (LIKE watchlist.received INCLUDING ALL)"
ask south "CREATE TABLE source AS SELECT 1 AS part, 'north/border/L-' || n AS subject, 1 AS item, synthetic_fingerprint(n, 0, 2) AS print, NULL::iris AS eye FROM generate_series(1, $entries) n"
plain=$(took south "INSERT INTO plain SELECT * FROM source")
pulled=$(took south "SELECT * FROM watchlist.pull('north', $entries)")
[ "$(ask south "SELECT count(*) FROM watchlist.received")" = "$entries" ] || { ask south "SELECT * FROM watchlist.received_feeds"; exit 1; }
echo "plain insertions: $plain ms; pulled: $pulled ms, $(awk "BEGIN { printf \"%.2f\", $pulled / $plain }") times as long"

check="SELECT verdict FROM watchlist.check_traveller(ARRAY[synthetic_fingerprint(777, 3, 2)]::bytea[], NULL, 'x', 'x')"
for n in $(seq 0 "$partners"); do
	if [ "$n" -gt 0 ]; then
		ask north "CREATE ROLE login_$n LOGIN; SELECT watchlist.add_partner('partner $n', 'login_$n', 'x', 'x')" > /dev/null
		before=$(ask north "SELECT pg_current_wal_insert_lsn()")
		size=$(ask north "SELECT pg_database_size('north')")
		ask north "SELECT watchlist.release_list('north/border/list', 'partner $n', true, 'x', 'x')" > /dev/null
		ask north "SELECT watchlist.number_changes()" > /dev/null
		echo "partner $n: WAL $(ask north "SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before'))"), disk $(ask north "SELECT pg_size_pretty(pg_database_size('north') - $size)")"
	fi
	psql -X -q -A -t -d north -c "$check" > /dev/null
	echo "  a check with $((n + 1)) partners: $(took north "$check") ms"
done
