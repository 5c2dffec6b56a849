#!/bin/bash
# valgrind.sh
#	A short script of everything on the server that stage.sh made, run under
#	valgrind.  Fails if valgrind reports errors in code of this extension.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
: "${PG_CONFIG:?run this by "make valgrind"}"
data=$HOME/data

pg_ctl -D "$data" -m fast -w -s stop
# the process of each connection is followed; errors of PostgreSQL itself, which
# was not built for valgrind, are ignored
valgrind --quiet --trace-children=yes --error-limit=no --num-callers=20 --fullpath-after="$PWD/" --log-file="$HOME/valgrind.%p" \
	postgres -D "$data" > "$HOME/valgrind.out" 2>&1 &
server=$!
trap 'kill -INT $server 2> /dev/null; wait $server || true' EXIT
for _ in $(seq 120); do
	pg_isready -q && break
	sleep 1
done
createdb valgrind
psql -X -q -v ON_ERROR_STOP=1 -d valgrind -f test/valgrind.sql
kill -INT $server
wait $server || true
trap - EXIT

# faults with a frame of this extension: "(src/...)", or its library where that has no line numbers
faults=$(awk 'BEGIN { RS = "\n==[0-9]+== \n" } /\(src\/|\/biometric[a-z_]*\.so\)/ { n++; print > "/dev/stderr" } END { print n + 0 }' "$HOME"/valgrind.[0-9]*)
echo "valgrind: $faults faults in this extension"
[ "$faults" = 0 ]
