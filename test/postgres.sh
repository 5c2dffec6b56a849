# postgres.sh: sourced by the scripts beside it, in the root of the tree; which
# PostgreSQL and which Python they use.

# Where set-up keeps what it got without installing it.
cache=$PWD/.cache

# Prints the directory with the headers of the server: PostgreSQL's own, or the
# one that set-up unpacked.
server_headers()
{
	local dir

	for dir in "$("$1" --includedir-server)" "$cache/postgresql-server-dev-$(major_version "$1")/include"; do
		if [ -r "$dir/postgres.h" ]; then
			echo "$dir"
			return
		fi
	done
	return 1
}

major_version() { "$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# Whether a pg_config belongs to a PostgreSQL that can be built for and run.
# Debian divides it: the client's package has pg_config and PGXS, the server's the
# programs, and a third one the headers.
complete_postgres()
{
	local bindir

	bindir=$("$1" --bindir 2> /dev/null) && [ -x "$bindir/initdb" ] && [ -x "$bindir/postgres" ] && [ -x "$bindir/pg_ctl" ] &&
		[ -x "$bindir/psql" ] && [ -e "$("$1" --pgxs)" ] && server_headers "$bindir/pg_config" > /dev/null
}

# Whether programs can be linked with libpq.
have_libpq()
{
	local libdir

	libdir=$("$1" --libdir 2> /dev/null) && [ -e "$("$1" --includedir)/libpq-fe.h" ] && compgen -G "$libdir/libpq.*" > /dev/null
}

# Prints the pg_config to use: the one of the environment, else the one in
# PATH, else Debian's newest.
find_pg_config()
{
	local candidate

	if [ -n "${PG_CONFIG:-}" ]; then
		complete_postgres "$PG_CONFIG" && echo "$("$PG_CONFIG" --bindir)/pg_config"
		return
	fi
	for candidate in pg_config $(ls -d /usr/lib/postgresql/*/bin/pg_config 2> /dev/null | sort -t/ -k5,5nr); do
		if complete_postgres "$candidate"; then
			echo "$("$candidate" --bindir)/pg_config"
			return
		fi
	done
	return 1
}

# Prints a Python that has one of psycopg's two versions.
find_psycopg()
{
	local python module

	for python in python3 /usr/bin/python3; do
		for module in psycopg psycopg2; do
			if "$python" -c "import $module" 2> /dev/null; then
				echo "$python"
				return
			fi
		done
	done
	return 1
}
