#!/bin/bash
# style.sh format | format-check | lint
#	clang-format in place; what it would change; clang-tidy.
#
# What these tools find differs from version to version.  The checks are made
# for the versions of Debian 12; with others they exit 77, which "make test"
# shows as skipped.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
. test/postgres.sh

clang_version=14

mapfile -t sources < <(find src test -name '*.[ch]' -not -path '*/build/*' | sort)
mapfile -t units < <(find src -name '*.c' | sort)

skip() { echo "$*"; exit 77; }

# tool NAME: the version of it that we want, or any with ANY_VERSION set
tool()
{
	local name

	for name in "$1-$clang_version" "$1"; do
		if command -v "$name" > /dev/null &&
			{ [ -n "${ANY_VERSION:-}" ] || "$name" --version | grep -q "version $clang_version\."; }; then
			echo "$name"
			return
		fi
	done
	return 1
}

case ${1:-} in
	format)
		clang_format=$(ANY_VERSION=1 tool clang-format) || { echo "clang-format is not installed" >&2; exit 1; }
		"$clang_format" -i "${sources[@]}"
		;;
	format-check)
		clang_format=$(tool clang-format) || skip "format-check: needs clang-format $clang_version"
		rc=0
		for file in "${sources[@]}"; do
			"$clang_format" "$file" | diff -u --label "$file" --label "$file as \"make format\" writes it" "$file" - || rc=1
		done
		exit $rc
		;;
	lint)
		clang_tidy=$(tool clang-tidy) || skip "lint: needs clang-tidy $clang_version"
		pg_config=$(find_pg_config) || skip "lint: needs the files for building extensions"
		includes="-isystem $("$pg_config" --includedir-server) -isystem $("$pg_config" --includedir)"
		# what takes libraries that are not there is left out
		includes="$includes $(pkg-config --cflags libpng libjpeg libopenjp2 2> /dev/null | sed 's/-I/-isystem /g') -DHAVE_IMAGE_LIBRARIES -DHAVE_LIBARCHIVE"
		pkg-config --exists libpng libjpeg libopenjp2 libarchive 2> /dev/null ||
			mapfile -t units < <(printf '%s\n' "${units[@]}" | grep -vE '^src/(image|load)/')
		printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 1 bash -c '
			includes=$1 clang_tidy=$2
			shift 2
			"$clang_tidy" --quiet "$@" -- -std=gnu99 -Isrc $includes -D_GNU_SOURCE 2>&1' bash "$includes" "$clang_tidy" |
			sed '/warnings\{0,1\} generated\.$/d; /^Suppressed [0-9]* warnings/d; /^Use -header-filter/d'
		;;
	*)
		echo "style.sh format | format-check | lint" >&2
		exit 2
		;;
esac
