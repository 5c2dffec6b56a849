#!/bin/bash
# setup.sh [test|exchange|bench|asserts|arm|fuzz|valgrind]
#	Install the Debian packages that the demonstration needs, or what is named.
#	Does nothing, and needs no rights, if everything is installed already.
#
#	The headers of the server are unpacked into .cache, not installed: their
#	package would bring LLVM and clang, twice the size of everything else.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
. test/postgres.sh
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

want=()			# packages
need() { want+=("$@"); }
have() { command -v "$1" > /dev/null 2>&1; }
# header NAME...: whether a C program can include them
header() { printf '#include <%s>\n' stdio.h "$@" | gcc -E - > /dev/null 2>&1; }

scratch=$(mktemp -d "${TMPDIR:-/tmp}/biometric-setup.XXXXXX" 2> /dev/null || mktemp -d /tmp/biometric-setup.XXXXXX)
scratch=$(cd "$scratch" && pwd)
log=$scratch/log
installing=
no_cluster=/etc/postgresql-common/createcluster.d/biometric-setup.conf
no_cluster_written=
finish()
{
	local rc=$?

	[ -z "$no_cluster_written" ] || as_root rm -f "$no_cluster"
	if [ $rc != 0 ] && [ -n "$installing" ]; then
		{ tail -n 30 "$log"; echo "Installing packages failed; the whole log: $log"; } >&2
	else
		rm -rf "$scratch"
	fi
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# get_headers VERSION: the headers of the server into the cache; takes no rights,
# only apt's lists.
get_headers()
{
	local package=postgresql-server-dev-$1

	rm -rf "$scratch/headers"
	mkdir "$scratch/headers"
	(cd "$scratch/headers" && apt-get download "$package" >> "$log" 2>&1 && dpkg-deb -x "$package"_*.deb .) || return
	mkdir -p "$cache/$package"
	rm -rf "$cache/$package/new"
	cp -R "$scratch/headers/usr/include/postgresql/$1/server" "$cache/$package/new"
	chmod -R a+rX "$cache"
	mv -T "$cache/$package/new" "$cache/$package/include"
	echo "Unpacked into .cache: the headers of $package"
}

# The newest server that Debian's packages have installed.
installed_server() { ls -d /usr/lib/postgresql/*/bin/postgres 2> /dev/null | cut -d/ -f5 | sort -n | tail -n 1 || true; }

have gcc || need gcc
header || need libc6-dev
version=
# the commonest of all machines has a server, and not its headers
if [ -z "${PG_CONFIG:-}" ] && ! find_pg_config > /dev/null && [ -n "$(installed_server)" ] && have apt-get && [ -w . ]; then
	get_headers "$(installed_server)" || true
fi
if pg_config=$(find_pg_config); then
	version=$(major_version "$pg_config")
elif [ -n "${PG_CONFIG:-}" ]; then
	echo "PG_CONFIG=$PG_CONFIG does not lead to a complete PostgreSQL: it takes the server, its programs" >&2
	echo "and the files for building extensions" >&2
	exit 1
else
	need postgresql
fi
case ${1:-} in
	test)
		perl -MIPC::Run -MTest::More -e 1 2> /dev/null || need libipc-run-perl
		have prove || need perl
		[ -n "$pg_config" ] && have_libpq "$pg_config" || need libpq-dev
		find_psycopg > /dev/null || need psycopg
		header png.h || need libpng-dev
		! have java || [ -e /usr/share/java/postgresql.jar ] || need libpostgresql-jdbc-java
		header archive.h || need libarchive-dev
		header jpeglib.h || need libjpeg62-turbo-dev
		compgen -G '/usr/include/openjpeg-2.*/openjpeg.h' > /dev/null || need libopenjp2-7-dev
		# wished for, where anything is installed at all
		[ ${#want[@]} -eq 0 ] || need if-known:clang-format-14 if-known:clang-tidy-14 if-known:postgresql-@-pgaudit if-known:postgresql-@-cron
		;;
	exchange)
		[ -n "$pg_config" ] && have_libpq "$pg_config" || need libpq-dev
		;;
	bench)
		[ -x /usr/bin/python3 ] || need python3
		have gnuplot || need gnuplot-nox
		;;
	arm)
		have aarch64-linux-gnu-gcc || need gcc-aarch64-linux-gnu libc6-dev-arm64-cross
		have qemu-aarch64 || have qemu-aarch64-static || need qemu-user
		;;
	asserts)
		perl -MIPC::Run -MTest::More -e 1 2> /dev/null || need libipc-run-perl
		have bison || need bison
		have flex || need flex
		have bunzip2 || need bzip2
		header openssl/ssl.h || need libssl-dev
		;;
	fuzz)
		have clang || need clang
		compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a' > /dev/null || need libclang-rt-dev
		;;
	valgrind)
		have valgrind || need valgrind
		;;
esac
[ ${#want[@]} -gt 0 ] || exit 0

if ! have apt-get; then
	echo "This machine lacks: ${want[*]#if-known:}" >&2
	echo "Only Debian's packages can be installed from here; please install these another way." >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as_root=()
elif have sudo && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
	as_root=(sudo)
else
	echo "This machine lacks: ${want[*]#if-known:}" >&2
	echo "Installing them takes root: run \"make setup\" as root once, then this again as yourself." >&2
	exit 1
fi
installing=1
as_root() { "${as_root[@]}" env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

# apt ARGUMENTS...: apt-get, which waits while another program installs, and says
# how far it is.
apt()
{
	local waited=0 part=$scratch/part rc

	while :; do
		rc=0
		as_root apt-get -o APT::Status-Fd=1 "$@" 2>&1 | tee "$part" | progress || rc=$?
		cat "$part" >> "$log"
		if [ $rc = 0 ] || ! grep -qE 'Could not get lock|Unable to lock' "$part" || [ $waited -ge 900 ]; then
			return $rc
		fi
		[ $waited -gt 0 ] || echo "Waiting: another program is installing packages ..."
		sleep 5
		waited=$((waited + 5))
	done
}

# Says every few seconds that something is going on, and what.
progress()
{
	local last=0 percent what

	while IFS=: read -r what _ percent _; do
		percent=${percent%%.*}
		case $what in
			dlstatus) what="downloading" ;;
			pmstatus) what="unpacking and installing" ;;
			*) continue ;;
		esac
		if [ $((SECONDS - last)) -ge 5 ] && [ -n "$percent" ]; then
			last=$SECONDS
			echo "   $what, $percent %"
		fi
	done
}

echo "This needs packages that are not installed; asking apt what it has ..."
apt update
known() { [ -n "$(apt-cache search --names-only "^$1\$")" ]; }

# Names with a version in them are settled now that the lists are there.
if [ -z "$version" ]; then
	# the server that is there already, else what Debian means by "postgresql"
	version=$(installed_server)
	[ -n "$version" ] || version=$(apt-cache depends postgresql |
		sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	[ -n "$version" ] || { echo "apt knows no package \"postgresql\"" >> "$log"; exit 1; }
fi
packages=()
for name in "${want[@]}"; do
	name=${name//@/$version}
	case $name in
		postgresql)
			# one that is there is not upgraded by the way
			[ -n "$(installed_server)" ] || packages+=("postgresql-$version")
			if [ ! -e "/usr/include/postgresql/$version/server/postgres.h" ] &&
				[ ! -e "$cache/postgresql-server-dev-$version/include" ] &&
				{ [ ! -w . ] || ! get_headers "$version"; }; then
				packages+=("postgresql-server-dev-$version")
			fi
			;;
		psycopg)
			if known python3-psycopg; then
				packages+=(python3-psycopg)
			else
				packages+=(python3-psycopg2)
			fi
			;;
		# not every release has them, or for every version of PostgreSQL
		if-known:*) ! known "${name#*:}" || packages+=("${name#*:}") ;;
		*) packages+=("$name") ;;
	esac
done

if [ ${#packages[@]} = 0 ]; then
	exit 0
fi
echo "Installing: ${packages[*]}"
# Installing the first PostgreSQL of a machine would also create a cluster, which
# is not wanted here.
if [ ! -e /usr/bin/pg_createcluster ] && [ ! -e "$no_cluster" ]; then
	no_cluster_written=1
	as_root mkdir -p "${no_cluster%/*}"
	echo "create_main_cluster = false" | as_root tee "$no_cluster" > /dev/null
fi
install=(install --no-install-recommends -o Dpkg::Options::=--force-confold)
as_root apt-get "${install[@]}" --assume-no "${packages[@]}" 2> /dev/null |
	sed -n 's/^Need to get \(.*\) of archives.*/   to download: \1/p; s/^After this operation, \(.*\) of additional disk space.*/   on the disk: \1/p' || true
apt "${install[@]}" -y "${packages[@]}"
echo "Installed."
