#!/bin/bash
# traveller.sh PYTHON [OPTION...]: what "traveller" runs inside stage.sh
set -euo pipefail
cd "$(dirname "$0")"
python=$1
shift
createdb traveller
export PGDATABASE=traveller
cc -std=gnu99 -O2 -I"$("$PG_CONFIG" --includedir)" -o "$HOME/listener" ../demo/listener.c -L"$("$PG_CONFIG" --libdir)" -lpq
exec "$python" traveller.py --listener "$HOME/listener" "$@"
