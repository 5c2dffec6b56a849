#!/bin/bash
# setup.sh [test|bench]
#	Install the Debian packages that the demonstration needs, or the tests, or
#	the search benchmark.
#	Does nothing, and needs no right to do anything, when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/postgres.sh
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

want=()			# packages
need() { want+=("$@"); }
have() { command -v "$1" > /dev/null 2>&1; }

have gcc || need gcc libc6-dev
have perl || need perl
if pg_config=$(find_pg_config); then
	version=$("$pg_config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
elif [ -n "${PG_CONFIG:-}" ]; then
	echo "PG_CONFIG=$PG_CONFIG does not lead to a complete PostgreSQL: it takes the server, its programs" >&2
	echo "and the files for building extensions" >&2
	exit 1
else
	version=
	need postgresql postgresql-server-dev
fi
if [ "${1:-}" = test ]; then
	perl -MIPC::Run -MTest::More -e 1 2> /dev/null || need libipc-run-perl
	[ -e "$("${pg_config:-false}" --includedir 2> /dev/null)/libpq-fe.h" ] || need libpq-dev
	find_psycopg > /dev/null || need psycopg
	echo '#include <png.h>' | gcc -E - > /dev/null 2>&1 || need libpng-dev
	{ echo '#include <stdio.h>'; echo '#include <jpeglib.h>'; } | gcc -E - > /dev/null 2>&1 || need libjpeg62-turbo-dev
	ls /usr/include/openjpeg-2.*/openjpeg.h > /dev/null 2>&1 || need libopenjp2-7-dev
	have clang-format || need clang-format
	have clang-tidy || need clang-tidy

	# wished for, where anything is installed at all
	[ ${#want[@]} -eq 0 ] || need postgresql-with-pgaudit postgresql-with-cron
fi
if [ "${1:-}" = bench ]; then
	[ -x /usr/bin/python3 ] || need python3
	have gnuplot || need gnuplot-nox
fi
[ ${#want[@]} -gt 0 ] || exit 0

if ! have apt-get; then
	echo "This machine lacks: ${want[*]}" >&2
	echo "Only Debian's packages can be installed from here; please install these another way." >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as_root=()
elif have sudo && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
	as_root=(sudo)
else
	echo "This machine lacks: ${want[*]}" >&2
	echo "Installing them takes root: run \"make setup\" as root once, then this again as yourself." >&2
	exit 1
fi
as_root() { "${as_root[@]}" env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

echo "Installing packages for: ${want[*]}"
log=$(mktemp -t biometric-setup.XXXXXX)
no_cluster=/etc/postgresql-common/createcluster.d/biometric-setup.conf
finish()
{
	local rc=$?

	[ -z "${written:-}" ] || as_root rm -f "$no_cluster"
	[ $rc = 0 ] || { tail -n 30 "$log"; echo "Installing packages failed; the whole log: $log"; } >&2
	[ $rc != 0 ] || rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

as_root apt-get update >> "$log" 2>&1

# Names with a version in them are settled now that the lists are there.
packages=()
for name in "${want[@]}"; do
	case $name in
		postgresql)
			# the server that is there already, else what Debian means by "postgresql"
			version=$(ls -d /usr/lib/postgresql/*/bin/postgres 2> /dev/null | cut -d/ -f5 | sort -n | tail -n 1 || true)
			[ -n "$version" ] || version=$(apt-cache depends postgresql |
				sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
			[ -n "$version" ] || { echo "apt knows no package \"postgresql\"" >> "$log"; exit 1; }
			packages+=("postgresql-$version") ;;
		postgresql-server-dev) packages+=("postgresql-server-dev-$version") ;;
		postgresql-with-*)
			# not every release has them for every version
			[ -z "$(apt-cache search --names-only "^postgresql-$version-${name##*-}\$")" ] || packages+=("postgresql-$version-${name##*-}") ;;
		psycopg)
			if [ -n "$(apt-cache search --names-only '^python3-psycopg$')" ]; then
				packages+=(python3-psycopg)
			else
				packages+=(python3-psycopg2)
			fi ;;
		*) packages+=("$name") ;;
	esac
done

# The first PostgreSQL of a machine would start a cluster of its own, which
# nobody here asked for.
if [ ! -e /usr/bin/pg_createcluster ] && [ ! -e "$no_cluster" ]; then
	written=1
	as_root mkdir -p "${no_cluster%/*}"
	echo "create_main_cluster = false" | as_root tee "$no_cluster" > /dev/null
fi
as_root apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "${packages[@]}" >> "$log" 2>&1
echo "Installed: ${packages[*]}"
