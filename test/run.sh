#!/bin/bash
# run.sh [T=NAMES] [SQL=NAMES] [ISOLATION=NAMES] [PLAIN=NAMES] [DRIVERS=NAMES] [DOC=NAMES] [ARM=1]
#	All tests, or only those named, against the server and the
#	PostgreSQL that stage.sh made.  Ends with "N passed, N failed[, N skipped]".
#
#	prove runs everything that prints TAP: plain C, servers, drivers, documentation.
#	pg_regress runs the SQL suites and the isolation tests.  This script adds up
#	what the two say.  Names may be shortened: T=012 is test/t/012_*.pl.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
: "${PG_CONFIG:?run this by "make test"}"

. test/postgres.sh

unset T SQL ISOLATION PLAIN DRIVERS DOC ARM
everything=1
for selection in "$@"; do
	case $selection in
		ARM=*) ARM=1 ;;
		T=* | SQL=* | ISOLATION=* | PLAIN=* | DRIVERS=* | DOC=*)
			declare "$selection"
			everything=
			;;
		*) echo "run.sh: what is \"$selection\"?" >&2; exit 2 ;;
	esac
done

passed=0 failed=0 skipped=0
logs=$(mktemp -d -p "${HOME:-/tmp}")
tree=$PWD
jobs=$(nproc)
pgxs_tests=$(dirname "$("$PG_CONFIG" --pgxs)")/../test

say() { since=$SECONDS; printf '\n== %s\n' "$*"; }
took() { echo "   ($((SECONDS - since)) s)"; }
skip() { skipped=$((skipped + 1)); echo "SKIPPED: $1"; }
fail() { failed=$((failed + 1)); echo "FAILED: $1"; }

# Whether the kind of tests KIND is to be run.
want() { [ -n "$everything" ] || [ -n "${!1:-}" ]; }

# files KIND PREFIX SUFFIX: the files of a kind that are to be run.
files()
{
	local kind=$1 prefix=$2 suffix=$3 name

	if [ -n "$everything" ]; then
		compgen -G "$prefix*$suffix"
		return
	fi
	for name in ${!kind}; do
		name=${name#"$prefix"} name=${name%"$suffix"}
		if [ -e "$prefix$name$suffix" ]; then
			echo "$prefix$name$suffix"
		else
			compgen -G "$prefix$name*$suffix" || echo "$kind=$name: no such test" >&2
		fi
	done
}

# names KIND PREFIX SUFFIX: the same without folder and suffix.
names()
{
	local file

	files "$@" | while read -r file; do basename "$file" "$3"; done | sort | paste -sd ' '
}

# tap NAME ARGUMENTS-OF-PROVE...
tap()
{
	local name=$1 ok bad skips rc
	shift

	[ -n "$everything" ] || set -- -v "$@"
	rm -f "$logs/totals"
	TOTALS=$logs/totals PERL5LIB=$tree/test${PERL5LIB:+:$PERL5LIB} prove --harness=Totals --merge --timer "$@" 2>&1
	rc=$?
	if read -r ok bad skips 2> /dev/null < "$logs/totals"; then
		passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skips))
		[ $rc = 0 ] || [ "$bad" != 0 ] || fail "$name: exit status $rc"
	else
		fail "$name: prove ended with status $rc"
	fi
}

# regress NAME DIFFS SECONDS TARGET ARGUMENTS-OF-MAKE...
regress()
{
	local name=$1 diffs=$2 limit=$3 log=$logs/$1 rc ok bad
	shift 3

	timeout "$limit" make -s "$@" PG_CONFIG="$PG_CONFIG" > "$log" 2>&1
	rc=$?
	grep -E '^(test |     |ok |not ok )' "$log"
	# "All 20 tests passed." or "2 of 20 tests failed.", from PostgreSQL 16 on behind "# "
	if read -r bad ok < <(sed -nE 's/^[ #]*All ([0-9]+) tests? passed.*/0 \1/p; s/^[ #]*([0-9]+) of ([0-9]+) tests? failed.*/\1 \2/p' "$log"); then
		passed=$((passed + ok - bad)) failed=$((failed + bad))
		[ $rc = 0 ] || [ "$bad" != 0 ] || fail "$name: exit status $rc"
	else
		bad=1
		fail "$name: exit status $rc"
		tail -n 40 "$log"
	fi
	[ "$bad" = 0 ] || [ ! -s "$diffs" ] || head -n 400 "$diffs"
}

#
# Compiler
#
if [ -n "$everything" ]; then
	say "compiler"
	if grep -q 'warning:' "$HOME/build.log"; then
		fail "warnings of the compiler"
		grep -A5 'warning:' "$HOME/build.log"
	else
		echo "no warnings"
		passed=$((passed + 1))
	fi
fi

#
# Plain C, under the sanitizers
#
if want PLAIN; then
	say "plain C, under the address and undefined behaviour sanitizers"
	programs=$(files PLAIN test/plain/test_ .c | sed 's|^test/plain/|build/|; s|\.c$||')
	# shellcheck disable=SC2086	# a list of names
	if [ -n "$programs" ] && make -s -j"$jobs" -C test/plain $programs > "$logs/plain" 2>&1; then
		if grep -q 'warning:' "$logs/plain"; then
			fail "compiler warnings in the plain C tests"
			grep -A5 'warning:' "$logs/plain"
		fi
		export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
		cd test/plain || exit
		# shellcheck disable=SC2086
		tap "plain C" -j "$jobs" --exec 'timeout 900' $programs
		cd "$tree" || exit
		unset ASAN_OPTIONS UBSAN_OPTIONS
	else
		fail "the plain C tests do not build"
		cat "$logs/plain" 2> /dev/null
	fi
	took
fi

#
# The same, compiled for arm64
#
if [ -n "${ARM:-}" ]; then
	say "plain C for arm64, under qemu"
	qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
	if make -s -j"$jobs" -C test/plain arm-programs > "$logs/arm" 2>&1; then
		# shellcheck disable=SC2046
		tap arm64 -j "$jobs" --exec "timeout 900 $qemu -L /usr/aarch64-linux-gnu" $(compgen -G 'test/plain/build/arm/test_*' | grep -v '\.[od]$')
	else
		fail "the plain C tests do not build for arm64"
		cat "$logs/arm"
	fi
	took
fi

#
# SQL
#
if want SQL; then
	say "SQL (pg_regress)"
	regress SQL regression.diffs 1200 installcheck ISOLATION= REGRESS="$(names SQL sql/ .sql)"
	if [ -z "$everything" ]; then
		:
	elif [ -e src/image/biometric_image.so ]; then
		regress pictures src/image/output_image/regression.diffs 600 installcheck-image
	else
		skip "biometric_image: the development files of libpng, libjpeg and OpenJPEG are not installed"
	fi
	took
fi
if want ISOLATION; then
	say "concurrent sessions (isolation tester)"
	mkdir -p output_iso
	regress isolation output_iso/regression.diffs 600 installcheck REGRESS= ISOLATION="$(names ISOLATION test/isolation/specs/ .spec)"
	took
fi

#
# Servers of their own: crashes, standbys, plans
#
if want T; then
	say "servers: crash, standby, vacuum, plans (TAP)"
	if ! perl -MIPC::Run -e 1 2> /dev/null; then
		skip "all of test/t: the Perl module IPC::Run is not installed"
	elif [ ! -d "$pgxs_tests/perl/PostgreSQL" ]; then
		skip "all of test/t: this PostgreSQL was installed without its Perl test modules"
	elif tests=$(files T test/t/ .pl) && [ -n "$tests" ]; then
		rm -rf tmp_check
		mkdir -p tmp_check/log
		# shellcheck disable=SC2086
		PG_REGRESS=$pgxs_tests/regress/pg_regress PGPORT=65432 TESTDIR=$PWD TESTDATADIR=$PWD/tmp_check TESTLOGDIR=$PWD/tmp_check/log \
			tap servers -j "$jobs" --exec "env -u PGHOST -u PGUSER -u PGDATABASE timeout 1200 perl -I $pgxs_tests/perl -I test/t" $tests
	else
		fail "no test of test/t is called ${T:-}"
	fi
	took
fi

#
# Drivers
#
if want DRIVERS; then
	createdb drivers && psql -X -q -v ON_ERROR_STOP=1 -d drivers -c 'CREATE EXTENSION biometric' || fail "database for the drivers"
fi
if want DRIVERS; then
	say "drivers"
	programs=()
	scripts=$(files DRIVERS test/drivers/ .py 2> /dev/null)
	for source in $(files DRIVERS test/drivers/ .c 2> /dev/null); do
		if [ ! -e "$("$PG_CONFIG" --includedir)/libpq-fe.h" ]; then
			skip "$source: libpq-fe.h is not installed"
			continue
		fi
		program=test/drivers/build/$(basename "$source" .c)
		mkdir -p test/drivers/build
		if cc -std=gnu99 -Wall -Wextra -Werror -g -I"$("$PG_CONFIG" --includedir)" -o "$program" "$source" \
			-L"$("$PG_CONFIG" --libdir)" -lpq > "$logs/driver" 2>&1; then
			programs+=("$program")
		else
			fail "$source does not build"
			cat "$logs/driver"
		fi
	done
	[ ${#programs[@]} = 0 ] || PGDATABASE=drivers tap drivers --exec 'timeout 120' "${programs[@]}"
	python=$(find_psycopg) || python=python3
	# shellcheck disable=SC2086
	[ -z "$scripts" ] || PGDATABASE=drivers tap drivers --exec "timeout 120 $python" $scripts
	took
fi

#
# Documentation
#
if want DOC; then
	say "documentation"
	if [ -n "$everything" ]; then
		PGDATABASE=drivers tap "names and links" --exec 'timeout 120 bash' test/docs.sh
		tap "examples" --exec 'timeout 900 perl' test/documentation.pl
	else
		pages=()
		for name in $DOC; do
			name=$(basename "$name" .md)
			[ -e "$name.md" ] || name=doc/$name
			pages+=("$name.md")
		done
		tap "examples" --exec 'timeout 900 perl' test/documentation.pl :: "${pages[@]}"
	fi
	took
fi

#
# Style
#
if [ -n "$everything" ]; then
	say "style"
	for check in format-check lint; do
		test/style.sh $check > "$logs/$check" 2>&1
		case $? in
			0) echo "$check: clean"; passed=$((passed + 1)) ;;
			77) skip "$(tail -n 1 "$logs/$check")" ;;
			*) fail "$check"; head -n 100 "$logs/$check" ;;
		esac
	done
	took
fi

rm -rf "$logs"
echo
summary="$passed passed, $failed failed"
[ $skipped = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
