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
# removed at the end, also after an error.  No directory in it is a link, so
# nothing outside of it is ever written.
#
# A PostgreSQL that insists on its own directories cannot be copied.  The
# extension is installed into such a one only if the environment has
# INTO_POSTGRES=yes.
#
# PostgreSQL refuses to run as root.  If root calls, the server runs as the user
# who called sudo, else by the user "postgres" of Debian's packages.
#
# The command runs in the copy of the sources, with PG_CONFIG, PATH, PGHOST,
# PGUSER and PGDATABASE set, and with the private directory as HOME, which has
# the compiler's output in build.log.
set -euo pipefail
unset CDPATH
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

# The note that says where the kept server is, for --stop: beside the sources if
# we may write there, else in the caller's home.
note=$source/.demo-server
if [ ! -w "$source" ] && [ ! -e "$note" ]; then
	note=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/biometric/demo-server
fi

remove()
{
	local work=$1 pidfile

	# our server, and those of tests that were cut short
	find "$work" -maxdepth 6 -name postmaster.pid 2> /dev/null | while read -r pidfile; do
		(cd "$work" && as_account "$(cat "$work/bindir")/pg_ctl" -D "${pidfile%/*}" -m immediate -s stop) > /dev/null 2>&1 || true
	done
	rm -rf "$work"
}

# What became of the server that is noted: none, making, running, dead (its
# directory is still there), gone; or the script ends, for it cannot be told.  Sets kept.
look_at_kept()
{
	kept= state=none
	[ -e "$note" ] || return 0
	if [ ! -r "$note" ] || ! kept=$(cat "$note") || [ -z "$kept" ]; then
		echo "A server was kept by $(stat -c %U "$note"), but you cannot read where ($note): do this as that user, or as root." >&2
		exit 1
	fi
	if [ ! -e "$kept" ]; then
		state=gone
	elif [ ! -x "$kept" ] || [ ! -w "$kept" ]; then
		echo "The server that was kept in $kept belongs to $(stat -c %U "$kept"): do this as that user, or as root." >&2
		exit 1
	elif [ -s "$kept/maker" ] && [ -d "/proc/$(cat "$kept/maker")" ]; then
		state=making
	elif (cd "$kept" && as_account "$(cat "$kept/bindir")/pg_isready" -q -h "$kept") > /dev/null 2>&1; then
		state=running
	else
		state=dead
	fi
}

if [ -n "$stop" ]; then
	look_at_kept
	case $state in
		none) echo "No server was kept running." ;;
		making) echo "A server is being made in $kept by process $(cat "$kept/maker"): end that first." >&2; exit 1 ;;
		gone) echo "The server that was kept in $kept is gone already." ;;
		dead) remove "$kept"; echo "The server that was kept in $kept had stopped; what was left of it is removed." ;;
		running) remove "$kept"; echo "Stopped and removed." ;;
	esac
	rm -f "$note"
	exit 0
fi
if [ -n "$keep" ]; then
	look_at_kept
	case $state in
		running)
			echo "A server is running already:"
			cat "$kept/how"
			exit 0
			;;
		making)
			echo "A server is being made in $kept by process $(cat "$kept/maker")." >&2
			exit 1
			;;
		dead)
			echo "The server that was kept in $kept had stopped; what was left of it is removed."
			remove "$kept"
			;;
	esac
	# before there is anything that the note is needed for
	if ! mkdir -p "${note%/*}" 2> /dev/null || ! (umask 022 && : > "$note") 2> /dev/null; then
		echo "A kept server needs a note of where it is, and neither $source nor ${note%/*} can be written: set HOME to a directory that can." >&2
		exit 1
	fi
fi

pg_config=$(find_pg_config) || { echo "no complete PostgreSQL found; try \"make setup\"" >&2; exit 1; }
headers=$(server_headers "$pg_config")

# A socket's path is limited to 107 bytes, and such paths go into settings, where
# quotes, commas and spaces have a meaning: then not there.
work=$(mktemp -d "${TMPDIR:-/tmp}/biometric.XXXXXX" 2> /dev/null) && work=$(cd "$work" && pwd) || work=
case $work in
	"") ;;
	*[!A-Za-z0-9/._+-]*) rmdir "$work"; work= ;;
	*) [ ${#work} -le 80 ] || { rmdir "$work"; work=; } ;;
esac
[ -n "$work" ] || work=$(mktemp -d /tmp/biometric.XXXXXX)
echo $$ > "$work/maker"
[ -z "$keep" ] || echo "$work" > "$note"
child=
finish()
{
	local rc=$?

	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		kill -TERM -- "-$child" 2> /dev/null || true
		wait "$child" 2> /dev/null || true
	fi
	if [ $rc != 0 ] || [ -z "$keep" ]; then
		remove "$work"
		[ -z "$keep" ] || rm -f "$note"
	fi
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
# The copy of PostgreSQL.  A server finds its files relative to its program.
# Links are followed, so that there is none that leads out of the copy; bitcode is
# left out, for nothing here is inlined by the JIT.
#
bindir=$("$pg_config" --bindir)
sharedir=$("$pg_config" --sharedir)
pkglibdir=$("$pg_config" --pkglibdir)
includedir=$("$pg_config" --includedir)
libdir=$("$pg_config" --libdir)
private=$work/postgres

# copy FROM [TO]: the contents of a directory to the same place in the copy
copy()
{
	local to=$private${2:-$1}

	mkdir -p "$to"
	tar -C "$1" --dereference --hard-dereference --ignore-failed-read --exclude=./bitcode -cf - . 2> /dev/null |
		tar -C "$to" -xf - --no-same-owner
}
copy "$bindir"
copy "$sharedir"
copy "$pkglibdir"
copy "$headers" "$("$pg_config" --includedir-server)"
# of directories that others use, too, only what is PostgreSQL's
for file in "$includedir"/{libpq-*,postgres_ext.h,pg_config*.h} "$includedir"/{internal,libpq} "$libdir"/libp{q,gcommon,gport,gtypes}*; do
	[ ! -e "$file" ] || { mkdir -p "$private${file%/*}" && cp -RL "$file" "$private$file"; }
done
# an installed biometric must not be mistaken for the one built here
rm -rf "$private$pkglibdir"/biometric{,_image}.so "$private$sharedir"/extension/biometric{,_image,_watchlist}{.control,--*.sql}

mkdir "$work/tmp"
export TMPDIR=$work/tmp
tar -C "$source" --exclude=./.git --exclude=./.cache --exclude=./.demo-server --exclude=".${work#"$source"}" --exclude='./biometric*--*.sql' --exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude=./results \
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

if [ "$("$PG_CONFIG" --sharedir)" != "$private$sharedir" ]; then
	if [ "${INTO_POSTGRES:-}" != yes ]; then
		echo "The PostgreSQL of $pg_config cannot be copied, for it insists on its own directories." >&2
		echo "To install the extension into it, $pkglibdir, say INTO_POSTGRES=yes (\"make demo INTO_POSTGRES=yes\")." >&2
		exit 1
	fi
	export PG_CONFIG=$pg_config PATH=$bindir:$PATH
	echo "$bindir" > "$work/bindir"
fi

say "building for $("$PG_CONFIG" --version)"
warnings="-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers"
if ! step make -j"$(nproc)" -s PG_CONFIG="$PG_CONFIG" PG_CFLAGS="$warnings" > "$work/build.log" 2>&1; then
	cat "$work/build.log" >&2
	exit 1
fi
if [ "$PG_CONFIG" = "$pg_config" ]; then
	say "installing into $pkglibdir, as INTO_POSTGRES=yes says"
	make -s PG_CONFIG="$PG_CONFIG" install
else
	step make -s PG_CONFIG="$PG_CONFIG" PG_CFLAGS="$warnings" install >> "$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
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
	rm -f "$work/maker"
	cat "$work/how"
fi
