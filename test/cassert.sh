#!/bin/bash
# cassert.sh
#	Builds the PostgreSQL that pg_config names once more, from Debian's sources,
#	with assertions, and prints the path of its pg_config.  The result is kept in
#	.cache and not built again.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
. test/postgres.sh
export LC_ALL=C.UTF-8

pg_config=$(find_pg_config) || { echo "no complete PostgreSQL found; try \"make setup\"" >&2; exit 1; }
major=$(major_version "$pg_config")
prefix=$cache/postgresql-$major-cassert
if [ -e "$prefix/.complete" ]; then
	echo "$prefix/bin/pg_config"
	exit 0
fi

mkdir -p "$cache"
scratch=$(mktemp -d "$cache/build.XXXXXX")
finish()
{
	local rc=$?

	[ $rc = 0 ] || tail -n 20 "$log" >&2
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
log=$cache/cassert.log
: > "$log"

# apt's sources once more, for source packages; takes no right to do anything
mkdir -p "$scratch"/{parts,lists/partial,archives/partial}
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file"
done > "$scratch/sources.list"
for file in /etc/apt/sources.list.d/*.sources; do
	[ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" > "$scratch/parts/${file##*/}"
done
apt=(apt-get -o Dir::Etc::SourceList="$scratch/sources.list" -o Dir::Etc::SourceParts="$scratch/parts" -o Dir::State::Lists="$scratch/lists"
	-o Dir::Cache="$scratch" -o APT::Sandbox::User=)
echo "== building PostgreSQL $major with assertions, once; $log" >&2
{
	"${apt[@]}" update
	# a mirror may list a version that it does not have
	cd "$scratch"
	for release in $("${apt[@]/#apt-get/apt-cache}" showsrc "postgresql-$major" | sed -n 's/^Version: //p' | sort -Vr -u); do
		"${apt[@]}" source --download-only "postgresql-$major=$release" && break
	done
	mkdir "$scratch/source"
	tar -C "$scratch/source" --strip-components=1 -xf "$scratch/postgresql-$major"_*.orig.tar.*
	cd "$scratch/source"
	./configure --prefix="$prefix" --enable-cassert --enable-debug --enable-tap-tests --with-openssl \
		--without-readline --without-zlib --without-icu CFLAGS="-O1 -g"
	make -s -j"$(nproc)"
	make -s -j"$(nproc)" -C contrib
	make -s install
	make -s -C contrib install
	touch "$prefix/.complete"
} >> "$log" 2>&1 < /dev/null
chmod -R a+rX "$cache"
echo "$prefix/bin/pg_config"
