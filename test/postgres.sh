# postgres.sh: sourced by the scripts beside it; which PostgreSQL
# and which Python they use.

# Whether a pg_config belongs to a PostgreSQL that can be built for and run.
complete_postgres()
{
	local bindir

	bindir=$("$1" --bindir 2> /dev/null) && [ -x "$bindir/initdb" ] && [ -x "$bindir/postgres" ] &&
		[ -x "$bindir/psql" ] && [ -e "$("$1" --pgxs)" ]
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
