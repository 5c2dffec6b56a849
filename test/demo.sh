#!/bin/bash
# demo.sh
#	What "make demo" shows, on the server that stage.sh made.  The statements are
#	in demo/*.sql; run them by hand with psql as well.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/demo"

say() { printf '\n== %s\n' "$*"; }
# --echo-queries shows each statement before its result
sql() { psql -X -q -v ON_ERROR_STOP=1 -d demo -P pager=off -P footer=off "$@"; }

# enrol N FILE: on all cores, since making fingers is work.
enrol()
{
	local first=1 last=$1 share pids=() pid

	share=$(((last + $(nproc) - 1) / $(nproc)))
	while [ $first -le "$last" ]; do
		sql -v first=$first -v last=$((first + share - 1 < last ? first + share - 1 : last)) -f "$2" &
		pids+=($!)
		first=$((first + share))
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

# Build an index in one session and watch it from another.
watch_build()
{
	local build line last=

	sql --echo-queries -f "$1" &
	build=$!
	while kill -0 "$build" 2> /dev/null; do
		line=$(sql -A -t -f progress.sql 2> /dev/null || true)
		if [ -n "$line" ] && [ "$line" != "$last" ]; then
			echo "   $line"
			last=$line
		fi
		sleep 0.5
	done
	wait "$build"
}

seconds() { printf '   (%s s)\n' "$((SECONDS - since))"; }

people=${DEMO_PEOPLE:-20000}		# fewer for the tests of set-up
createdb demo
say "a watchlist"
sql --echo-queries -f 1-tables.sql
say "$people made-up right index fingers"
since=$SECONDS
enrol "$people" 2-enrol.sql
seconds
say "200 records as agencies send them: ISO/IEC 19794-2 and INCITS 378"
sql -f records.sql
cut -c 1-78 records.txt | sed -n '1,2s/$/.../p'
sql --echo-queries -f 3-records.sql
say "the index, its progress seen from a second session"
since=$SECONDS
watch_build 4-index.sql
seconds
say "who is this?"
sql --echo-queries -f 5-search.sql
say "and by iris"
since=$SECONDS
sql --echo-queries -f 6-irises.sql
seconds
say "from a picture to a person"
sql --echo-queries -f 7-picture.sql
