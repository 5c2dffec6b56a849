#!/bin/bash
# exchange.sh
#	What "make demo-exchange" shows: two countries, each with a server of its
#	own, and everything that doc/exchange.md does, with its outputs as they are
#	now.  Runs inside stage.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${PG_CONFIG:?run this by "make demo-exchange"}"

say() { printf '\n== %s\n' "$*"; }

listeners=()
trap 'for pid in "${listeners[@]}"; do kill "$pid" 2> /dev/null || true; done' EXIT

# An officer's terminal: connects as soon as there is an officer, and again after each failure.
listen()
{
	"$HOME/listener" --name "$1-officer" "host=$HOME/$1 dbname=exchange user=olga" > "$HOME/$1-officer.out" 2>&1 &
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
fsync = off
log_parameter_max_length = 0
X
	# partners give a password
	{ perl -Itest/t/lib -MTwoCountries -e 'print partner_line()'; cat "$HOME/$1/data/pg_hba.conf"; } > "$HOME/$1/hba"
	cat "$HOME/$1/hba" > "$HOME/$1/data/pg_hba.conf"
	pg_ctl -D "$HOME/$1/data" -l "$HOME/$1/data/log" -w -s start
	createdb -h "$HOME/$1" exchange
}

cc -std=gnu99 -O2 -Wall -Wextra -I"$("$PG_CONFIG" --includedir)" -o "$HOME/listener" test/demo/listener.c -L"$("$PG_CONFIG" --libdir)" -lpq

since=$SECONDS
say "two countries, two servers"
for name in north south; do
	create "$name"
	listen "$name"
done
export SOUTH_DATA=$HOME/south/data
perl -Itest/t/lib test/demo/exchange.pl north="$HOME/north" south="$HOME/south"

say "what the officers' terminals showed"
# the last alert is read, or some seconds are over
for _ in $(seq 50); do
	[ "$(psql -X -A -t -h "$HOME/south" -d exchange -c "SELECT count(*) FROM watchlist.alerts WHERE acknowledged_at IS NULL")" != 0 ] || break
	sleep 0.1
done
grep -h -v 'trying again\|does not exist' "$HOME/north-officer.out" "$HOME/south-officer.out" || true
printf '\n   (%s s)\n' "$((SECONDS - since))"
