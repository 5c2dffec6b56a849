#!/bin/bash
# run.sh
#	Every test there is, against the server and the PostgreSQL that stage.sh
#	made.  Prints what fails in full, and ends with "N passed, N failed".
#
# Counted are: each suite of pg_regress and of the isolation tester, each test
# point of every program that prints TAP, each style check.
set -uo pipefail
cd "$(dirname "$0")/.."
: "${PG_CONFIG:?run this by "make test"}"

. test/postgres.sh

passed=0 failed=0 skipped=0
logs=$(mktemp -d -p "${HOME:-/tmp}")
jobs=$(nproc)
pgxs_tests=$(dirname "$("$PG_CONFIG" --pgxs)")/../test

say() { printf '\n== %s\n' "$*"; }
pass() { passed=$((passed + ${1:-1})); }
skip() { skipped=$((skipped + ${2:-1})); echo "SKIPPED: $1"; }
fail() { failed=$((failed + 1)); echo "FAILED: $1"; }

# count_tap NAME LOG EXITSTATUS [FILE...]: what a TAP program said.  Its output
# is shown when something is wrong with it, and then also the end of each FILE.
count_tap()
{
	local name=$1 log=$2 rc=$3 ok not_ok todo skips plan wrong=
	shift 3

	if grep -qi '^1\.\.0 # *SKIP' "$log"; then
		skip "$name: $(sed -n 's/^1\.\.0 # *SKIP *//pI' "$log")"
		return
	fi
	skips=$(grep -ciE '^ok\b.*# *SKIP' "$log")
	todo=$(grep -ciE '^not ok\b.*# *TODO' "$log")
	ok=$(($(grep -cE '^ok\b' "$log") - skips + todo))
	not_ok=$(($(grep -cE '^not ok\b' "$log") - todo))
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | head -n 1)
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	printf '%-44s %5d passed%s\n' "$name" "$ok" "$([ "$not_ok" = 0 ] || echo ", $not_ok FAILED")"
	if [ "$skips" -gt 0 ]; then
		skip "$name: $(sed -nE 's/^ok.*# *SKIP *//pI' "$log" | sort | uniq -c | sed 's/^ *//' | paste -sd ';')" "$skips"
	fi
	if [ "${plan:-none}" != $((ok + not_ok + skips)) ]; then
		wrong="planned ${plan:-nothing}, ran $((ok + not_ok + skips))"
	elif [ "$rc" != 0 ] && [ "$not_ok" = 0 ]; then
		wrong="exit status $rc"
	fi
	[ -z "$wrong" ] || fail "$name: $wrong"
	if [ -n "$wrong" ] || [ "$not_ok" != 0 ]; then
		tail -n 200 "$log"
		for log in "$@"; do
			[ ! -s "$log" ] || { echo "-- end of $log"; tail -n 60 "$log"; }
		done
	fi
}

# count_regress NAME LOG EXITSTATUS DIFFS: what pg_regress said; its suites are
# reported as "test NAME ... ok" before PostgreSQL 16, as TAP from then on.
count_regress()
{
	local name=$1 log=$2 rc=$3 diffs=$4 ok bad

	ok=$(grep -cE '^(test .*|     .*)\.\.\. ok|^ok +[0-9]+' "$log")
	bad=$(grep -cE '^(test .*|     .*)\.\.\. FAILED|^not ok +[0-9]+' "$log")
	passed=$((passed + ok))
	failed=$((failed + bad))
	grep -E '^(test |     |ok |not ok )' "$log"
	if [ "$rc" != 0 ]; then
		[ "$bad" != 0 ] || fail "$name: exit status $rc"
		[ -s "$diffs" ] && head -n 400 "$diffs" || tail -n 40 "$log"
	fi
}

#
# Compiler
#
say "compiler"
if grep -q 'warning:' "$HOME/build.log"; then
	fail "warnings of the compiler"
	grep -A5 'warning:' "$HOME/build.log"
else
	echo "no warnings"
	pass
fi

#
# Plain C, under the sanitizers
#
if compgen -G 'test/plain/test_*.c' > /dev/null; then
	say "plain C: matching and codecs, address and undefined behaviour sanitizers"
	if make -s -j"$jobs" -C test/plain > "$logs/kernel" 2>&1; then
		if grep -q 'warning:' "$logs/kernel"; then
			fail "compiler warnings in the plain C tests"
			grep -A5 'warning:' "$logs/kernel"
		fi
		for t in test/plain/test_*.c; do
			name=$(basename "$t" .c)
			(cd test/plain && ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
				timeout 900 "build/$name") > "$logs/$name" 2>&1
			count_tap "$name" "$logs/$name" $?
		done
	else
		fail "the plain C tests do not build"
		cat "$logs/kernel"
	fi
fi

#
# SQL
#
say "SQL (pg_regress)"
timeout 1200 make -s installcheck PG_CONFIG="$PG_CONFIG" ISOLATION= > "$logs/regress" 2>&1
count_regress "pg_regress" "$logs/regress" $? regression.diffs

if compgen -G 'test/isolation/specs/*.spec' > /dev/null; then
	say "concurrent sessions (isolation tester)"
	mkdir -p output_iso
	timeout 600 make -s installcheck PG_CONFIG="$PG_CONFIG" REGRESS= > "$logs/isolation" 2>&1
	count_regress "isolation" "$logs/isolation" $? output_iso/regression.diffs
fi

#
# Servers of their own: crashes, standbys, plans
#
if compgen -G 'test/t/*.pl' > /dev/null; then
	say "servers: crash, standby, vacuum, plans (TAP)"
	if ! perl -MIPC::Run -e 1 2> /dev/null; then
		skip "all of test/t: the Perl module IPC::Run is not installed"
	elif [ ! -d "$pgxs_tests/perl/PostgreSQL" ]; then
		skip "all of test/t: this PostgreSQL was installed without its Perl test modules"
	else
		mkdir -p tmp_check/log
		export PG_REGRESS=$pgxs_tests/regress/pg_regress PGPORT=65432
		run_tap()
		{
			local name since=$SECONDS

			name=$(basename "$1" .pl)
			# one directory each: they run side by side
			mkdir -p "tmp_check/$name"
			env -u PGHOST -u PGUSER -u PGDATABASE TESTDIR="$PWD/tmp_check/$name" TESTDATADIR="$PWD/tmp_check/$name/tmp_check" \
				TESTLOGDIR="$PWD/tmp_check/$name/tmp_check/log" \
				timeout 1200 perl -I "$pgxs_tests/perl" -I test/t "$1" > "$2/$name" 2> "$2/$name.err"
			echo $? > "$2/$name.rc"
			echo "($name took $((SECONDS - since)) s)"
		}
		export -f run_tap
		export pgxs_tests
		printf '%s\n' test/t/*.pl | xargs -P "$jobs" -I{} bash -c 'run_tap "$1" "$2"' bash {} "$logs"
		for t in test/t/*.pl; do
			name=$(basename "$t" .pl)
			count_tap "$name" "$logs/$name" "$(cat "$logs/$name.rc")" "$logs/$name.err" tmp_check/"$name"/tmp_check/log/*
		done
		unset PG_REGRESS PGPORT
	fi
fi

#
# Drivers
#
say "drivers"
createdb drivers && psql -X -q -v ON_ERROR_STOP=1 -d drivers -c 'CREATE EXTENSION biometric' || fail "database for the drivers"
if [ -e "$("$PG_CONFIG" --includedir)/libpq-fe.h" ]; then
	mkdir -p test/drivers/build
	if cc -std=gnu99 -Wall -Wextra -Werror -g -I"$("$PG_CONFIG" --includedir)" -o test/drivers/build/libpq_enrol \
		test/drivers/libpq_enrol.c -L"$("$PG_CONFIG" --libdir)" -lpq > "$logs/libpq" 2>&1; then
		PGDATABASE=drivers timeout 120 test/drivers/build/libpq_enrol > "$logs/libpq" 2>&1
		count_tap libpq_enrol "$logs/libpq" $?
	else
		fail "libpq_enrol.c does not build"
		cat "$logs/libpq"
	fi
else
	skip "libpq_enrol: libpq-fe.h is not installed"
fi
python=$(find_psycopg) || python=python3
PGDATABASE=drivers timeout 120 "$python" test/drivers/psycopg_enrol.py > "$logs/psycopg" 2>&1
count_tap psycopg_enrol "$logs/psycopg" $?

#
# Documentation
#
say "documentation"
PGDATABASE=drivers timeout 120 test/docs.sh > "$logs/docs" 2>&1
count_tap docs "$logs/docs" $?

#
# Style
#
say "style"
for check in format-check lint; do
	test/style.sh $check > "$logs/$check" 2>&1
	case $? in
		0) echo "$check: clean"; pass ;;
		77) skip "$(tail -n 1 "$logs/$check")" ;;
		*) fail "$check"; head -n 100 "$logs/$check" ;;
	esac
done

rm -rf "$logs"
echo
summary="$passed passed, $failed failed"
[ $skipped = 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ $failed = 0 ]
