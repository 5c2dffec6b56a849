#!/bin/bash
# stage.sh [--keep] COMMAND...
#	Build the extension and run a command against a private, throw-away server.
# stage.sh --stop
#	Stop and remove the server that --keep left running.
#
# Everything happens in one new directory that only its owner can enter: a
# copy of these sources, a copy of the PostgreSQL that pg_config names with the
# extension installed into it (so the system's own stays as it is), the
# server's data and its socket.  There is no TCP port.  The directory is
# removed at the end, whatever the end is.
#
# PostgreSQL refuses to run as root; root's work is therefore done by the user
# who called sudo, else by the user "postgres" of Debian's packages.
#
# The command runs in the copy of the sources, with PG_CONFIG, PATH, PGHOST,
# PGUSER and PGDATABASE set, and with the private directory as HOME, which has
# the compiler's words in build.log.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD
. test/postgres.sh
export LC_ALL=C.UTF-8
callers_path=$PATH
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES GNUMAKEFLAGS
# settings of the caller that would lead astray
unset PGSERVICE PGSERVICEFILE PGPASSFILE PGPASSWORD PGHOSTADDR PGPORT PGOPTIONS PGSSLMODE PGDATA PGCLUSTER PGSYSCONFDIR PSQLRC

keep=
stop=
case ${1:-} in
	--keep) keep=1; shift ;;
	--stop) stop=1; shift ;;
esac

account=$(id -un)
as_account=()
if [ "$(id -u)" = 0 ]; then
	account=${SUDO_USER:-postgres}
	[ "$account" != root ] || account=postgres
	id "$account" > /dev/null 2>&1 || { echo "there is no user \"$account\" to run a server as" >&2; exit 1; }
	as_account=(setpriv --reuid "$(id -u "$account")" --regid "$(id -g "$account")" --init-groups --)
fi
as_account() { "${as_account[@]}" "$@"; }

# Where the last kept server is, for --stop; beside the sources if we may
# write there.
note=$source/.demo-server

remove()
{
	local work=$1 pidfile

	# our server, and those of tests that were cut short
	find "$work" -maxdepth 6 -name postmaster.pid 2> /dev/null | while read -r pidfile; do
		(cd "$work" && as_account "$(cat "$work/bindir")/pg_ctl" -D "${pidfile%/*}" -m immediate -s stop) || true
	done
	rm -rf "$work"
}

if [ -n "$stop" ]; then
	if [ ! -s "$note" ] || [ ! -d "$(cat "$note")" ]; then
		rm -f "$note"
		echo "No server was kept running."
		exit 0
	fi
	remove "$(cat "$note")"
	rm -f "$note"
	echo "Stopped and removed."
	exit 0
fi
if [ -n "$keep" ] && [ -s "$note" ] && [ -d "$(cat "$note")" ]; then
	echo "A server is running already:"
	cat "$(cat "$note")/how"
	exit 0
fi

pg_config=$(find_pg_config) || { echo "no complete PostgreSQL found; try \"make setup\"" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/biometric.XXXXXX")
if [ ${#work} -gt 80 ]; then
	# a socket's path is limited to 107 bytes
	rmdir "$work"
	work=$(mktemp -d /tmp/biometric.XXXXXX)
fi
child=
finish()
{
	local rc=$?

	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		kill -TERM -- "-$child" 2> /dev/null || true
		wait "$child" 2> /dev/null || true
	fi
	[ $rc = 0 ] && [ -n "$keep" ] || remove "$work"
	exit $rc
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

say() { printf '== %s\n' "$*"; }

# Run as the account, in a process group of its own, so that a signal reaches
# us while it works and we can end all of it.
step()
{
	local rc=0

	set -m
	"${as_account[@]}" "$@" < /dev/null &
	child=$!
	set +m
	wait "$child" || rc=$?
	child=
	return $rc
}

#
# The copy of PostgreSQL.  A server finds its files relative to its program,
# so programs are copied and everything else may be links.
#
bindir=$("$pg_config" --bindir)
sharedir=$("$pg_config" --sharedir)
pkglibdir=$("$pg_config" --pkglibdir)
private=$work/postgres
mkdir -p "$private$bindir" "$private$sharedir" "$private$pkglibdir"
cp -a "$bindir/." "$private$bindir"
cp -as "$sharedir/." "$private$sharedir"
cp -as "$pkglibdir/." "$private$pkglibdir" 2> /dev/null || cp -a "$pkglibdir/." "$private$pkglibdir"
for dir in "$("$pg_config" --includedir)" "$("$pg_config" --pkgincludedir)" "$("$pg_config" --includedir-server)" "$("$pg_config" --libdir)"; do
	[ -e "$private$dir" ] || { mkdir -p "$private${dir%/*}" && ln -s "$dir" "$private$dir"; }
done
# an installed biometric must not be mistaken for the one built here
rm -rf "$private$pkglibdir"/biometric{,_image}.so "$private$sharedir"/extension/biometric{,_image,_watchlist}{.control,--*.sql}

mkdir "$work/tmp"
export TMPDIR=$work/tmp
tar -C "$source" --exclude=./.git --exclude='./biometric*--*.sql' --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude=./results \
	--exclude=./tmp_check --exclude=./output_iso --exclude='./test/*/build' -cf - . | (mkdir "$work/tree" && tar -C "$work/tree" -xf -)
echo "$private$bindir" > "$work/bindir"
if [ -z "${BIOMETRIC_DATA:-}" ] && [ -d "$source/../shared/data" ]; then
	BIOMETRIC_DATA=$(cd "$source/../shared/data" && pwd)
	export BIOMETRIC_DATA
fi
if [ ${#as_account[@]} -gt 0 ]; then
	chown -R "$account": "$work"
fi
cd "$work/tree"

export HOME=$work PG_CONFIG=$private$bindir/pg_config PATH=$private$bindir:$PATH
if ! as_account "$PG_CONFIG" --version > /dev/null 2>&1; then
	echo "programs cannot be run in ${work%/*}: set TMPDIR to a directory where they can" >&2
	exit 1
fi

say "building for $("$PG_CONFIG" --version)"
warnings="-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers"
if ! step make -j"$(nproc)" -s PG_CONFIG="$PG_CONFIG" PG_CFLAGS="$warnings" > "$work/build.log" 2>&1; then
	cat "$work/build.log" >&2
	exit 1
fi
if [ "$("$PG_CONFIG" --sharedir)" = "$private$sharedir" ]; then
	step make -s PG_CONFIG="$PG_CONFIG" PG_CFLAGS="$warnings" install >> "$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
else
	# This PostgreSQL insists on its own directories.
	say "installing into $pkglibdir: this PostgreSQL cannot be copied"
	export PG_CONFIG=$pg_config PATH=$bindir:$PATH
	echo "$bindir" > "$work/bindir"
	make -s PG_CONFIG="$PG_CONFIG" install
fi

say "starting a private server"
export PGHOST=$work PGUSER=$account PGDATABASE=postgres
step initdb -D "$work/data" -A trust -E UTF8 --locale=C.UTF-8 --no-sync > "$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; exit 1; }
cat >> "$work/data/postgresql.conf" <<X
listen_addresses = ''
unix_socket_directories = '$work'
unix_socket_permissions = 0700
cluster_name = 'biometric'
fsync = off
shared_buffers = 256MB
max_wal_size = 4GB
X
step pg_ctl -D "$work/data" -l "$work/server.log" -w -s start || { cat "$work/server.log" >&2; exit 1; }

step "$@"

if [ -n "$keep" ]; then
	psql=psql
	[ "$(PATH=$callers_path command -v psql || true)" ] || psql=$private$bindir/psql
	cat > "$work/how" <<X

The server keeps running:

    $psql -h $work -U $account demo

"make demo-stop" stops and removes it.
X
	echo "$work" > "$note"
	cat "$work/how"
fi
