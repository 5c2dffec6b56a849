#!/bin/bash
# traveller.sh PYTHON [OPTION...]: what "traveller" runs inside stage.sh
set -euo pipefail
cd "$(dirname "$0")"
python=$1
shift
# a hundred thousand persons stay in memory
echo "shared_buffers = 1GB" >> "$HOME/data/postgresql.conf"
pg_ctl -D "$HOME/data" -l "$HOME/server.log" -w -s restart
createdb traveller
export PGDATABASE=traveller
cc -std=gnu99 -O2 -I"$("$PG_CONFIG" --includedir)" -o "$HOME/listener" ../demo/listener.c -L"$("$PG_CONFIG" --libdir)" -lpq
exec "$python" traveller.py --listener "$HOME/listener" "$@"
