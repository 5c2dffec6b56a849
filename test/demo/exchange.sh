#!/bin/bash
# exchange.sh
#	What "make demo-exchange" shows: two countries, each with a server of its
#	own.  Runs inside stage.sh.  The statements are in exchange/*.sql; each is
#	shown before its result.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/exchange"
: "${PG_CONFIG:?run this by "make demo-exchange"}"

say() { printf '\n== %s\n' "$*"; }
country() { local name=$1; shift; psql -X -q -v ON_ERROR_STOP=1 -h "$HOME/$name" -d exchange -P pager=off -P footer=off -v home="$HOME" "$@"; }
# show COUNTRY FILE [OPTION...]: the statements and what they say
show() { local name=$1 file=$2; shift 2; country "$name" --echo-queries -f "$file" "$@"; }
# ask COUNTRY QUERY: one value
ask() { country "$1" -A -t -c "$2"; }

start()
{
	pg_ctl -D "$HOME/$1/data" -l "$HOME/$1/server.log" -w -s start
}

# a condition, not a pause: until the query is true
wait_for()
{
	local name=$1 query=$2 tries=0

	until [ "$(ask "$name" "$query" 2> /dev/null)" = t ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { echo "waited in vain for: $query" >&2; exit 1; }
		sleep 0.1
	done
}

listeners=()
trap 'for pid in "${listeners[@]}"; do kill "$pid" 2> /dev/null || true; done' EXIT

# An officer's terminal, whose lines appear in ours as they come.
listen()
{
	"$HOME/listener" --name "$1" "host=$HOME/$2 dbname=exchange" > "$HOME/$1.out" 2>&1 &
	listeners+=($!)
}

create()
{
	mkdir -m 700 "$HOME/$1"
	initdb -D "$HOME/$1/data" -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$HOME/$1/initdb.log" 2>&1
	cat >> "$HOME/$1/data/postgresql.conf" <<X
listen_addresses = ''
unix_socket_directories = '$HOME/$1'
unix_socket_permissions = 0700
cluster_name = '$1'
wal_level = logical
fsync = off
log_parameter_max_length = 0
wal_retrieve_retry_interval = 500ms
X
	start "$1"
	createdb -h "$HOME/$1" exchange
}

cc -std=gnu99 -O2 -Wall -Wextra -I"$("$PG_CONFIG" --includedir)" -o "$HOME/listener" ../listener.c -L"$("$PG_CONFIG" --libdir)" -lpq

since=$SECONDS
say "two countries, two servers"
for name in north south; do
	create "$name"
done
show north 1-country.sql -v here=north -v there=south
echo "(and the same in the south)"
country south -f 1-country.sql -v here=south -v there=north
show north 2-partner.sql -v here=north -v there=south -v socket="$HOME/south"
country south -f 2-partner.sql -v here=south -v there=north -v socket="$HOME/north" > /dev/null
listen north-officer north
listen south-officer south

say "north: a list, of which a part may go south"
show north 3-north-list.sql
say "south: subscribes, and has what was released"
show south 4-subscribe.sql -v connection="host=$HOME/north dbname=exchange user=south"
wait_for south "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
show south 5-received.sql

say "south: a list that stays in the country"
country south -f 6-south-list.sql > /dev/null

say "south: a traveller who is on north's list"
show south 7-traveller.sql -v person=42 -v case=S-1
say "north: a traveller who is on south's list.  The local verdict is there at once, the partner's follows"
show north 7-traveller.sql -v person=205 -v case=N-1
show north 8-remote.sql

say "north: who is S-205?  South has not released it"
country north -f 9-core-data.sql
show north 10-ask-core-data.sql
say "south: decides"
show south 11-release.sql
say "north: asks again"
show north 10-ask-core-data.sql
say "south: what was disclosed to whom"
show south 12-log.sql

say "south: a traveller whom nobody knows"
show south 7-traveller.sql -v person=500 -v case=S-3
say "north: lists that person, and south learns whom it let through"
show north 15-late-entry.sql
wait_for south "SELECT count(*) = 3 FROM watchlist.shared_templates WHERE reference = 'W-500'"
wait_for south "SELECT waiting = 0 FROM watchlist.search_past_encounters()"
show south 16-past.sql

say "south's server is killed"
pg_ctl -D "$HOME/south/data" -m immediate -s stop
show north 7-traveller.sql -v person=206 -v case=N-2
show north 8-remote.sql
say "north: meanwhile the list changes"
show north 13-while-away.sql
say "south is back: nothing lost, nothing twice"
start south
wait_for north "SELECT pending = 0 FROM watchlist.complete_remote_searches()"
show north 8-remote.sql
wait_for south "SELECT count(*) = 339 FROM watchlist.shared_templates WHERE owner = 'north'"
show south 5-received.sql
show south 7-traveller.sql -v person=405 -v case=S-2
for name in south north; do
	wait_for "$name" "SELECT pending = 0 FROM watchlist.complete_remote_searches()"
	wait_for "$name" "SELECT count(*) = 0 FROM watchlist.alerts WHERE delivered IS NULL"
	echo "-- $name"
	show "$name" 14-counts.sql
done

say "what the officers' terminals showed"
cat "$HOME/north-officer.out" "$HOME/south-officer.out"
printf '\n   (%s s)\n' "$((SECONDS - since))"
