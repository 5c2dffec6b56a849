#!/bin/bash
# evidence.sh [OPTION...]: what "evidence" runs inside stage.sh
set -euo pipefail
rows=10000000 captures=320 fingers=20000 workers=0
while [ $# -gt 0 ]; do
	case $1 in
		--rows) rows=$2 ;;
		--captures) captures=$2 ;;
		--fingers) fingers=$2 ;;
		--workers) workers=$2 ;;
		*) echo "unknown option $1: see --help" >&2; exit 2 ;;
	esac
	shift 2
done
createdb evidence
export PGDATABASE=evidence PGOPTIONS="-c max_parallel_workers_per_gather=$workers -c jit=off"
query() { psql -X -A -t -q -v ON_ERROR_STOP=1 "$@"; }
query -c "CREATE EXTENSION biometric"

now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"$1\n\", $2 }"; }

# measure STATEMENT: its seconds and what it added to the process's memory, in MB
measure()
{
	query <<Q
\t off
\pset tuples_only on
SELECT pg_backend_pid() AS pid \gset
SELECT count(*) FROM rates \g /dev/null
\setenv PID :pid
\! grep VmHWM /proc/\$PID/status | awk '{print \$2}' > $HOME/before
\! echo 5 2>/dev/null > /proc/\$PID/clear_refs
\! date +%s.%N > $HOME/start
$1 \g /dev/null
\! date +%s.%N > $HOME/stop
\! grep VmHWM /proc/\$PID/status | awk '{print \$2}' > $HOME/after
Q
	seconds=$(calc %.2f "$(cat "$HOME/stop") - $(cat "$HOME/start")")
	megabytes=$(calc %.0f "($(cat "$HOME/after") - $(cat "$HOME/before")) / 1024")
}

if [ "$rows" -gt 0 ]; then
	# mated and non-mated scores of every value, as match_score gives them, in no order
	query <<Q
CREATE UNLOGGED TABLE rates (score float8, mated boolean, person_a text, person_b text);
INSERT INTO rates SELECT CASE WHEN n % 10 = 0 THEN 60 + 25 * (u + v + w - 1.5) ELSE -10 * log(1 - u) END, n % 10 = 0,
	'p' || n % 5000, 'p' || (n + CASE WHEN n % 10 = 0 THEN 0 ELSE 1 + n / 5000 % 4999 END) % 5000
FROM (SELECT n, random() AS u, random() AS v, random() AS w FROM generate_series(1, $rows) n) r;
VACUUM ANALYZE rates;
Q
	echo "| over $rows rows, $((workers + 1)) processes | seconds | times percentile_cont | MB |"
	echo "|---|---|---|---|"
	base=
	for aggregate in "percentile_cont(0.5) WITHIN GROUP (ORDER BY score)" "eer(score, mated)" "fmr_at(score, mated, 40)" "fnmr_at_fmr(score, mated, 0.001)" \
		"det_curve(score, mated)" "cmc((score / 10)::integer + 1, 100)" "error_rates(score, mated, person_a, person_b, 40, 0.001)"; do
		measure "SELECT $aggregate FROM rates"
		base=${base:-$seconds}
		echo "| \`$aggregate\` | $seconds | $(calc %.2f "$seconds / $base") | $megabytes |"
	done
	query -c "DROP TABLE rates"
fi

query -c "CREATE TABLE rates ()"
if [ "$captures" -gt 0 ]; then
	query -c "CREATE TABLE captures AS SELECT p AS person, synthetic_fingerprint(p, c, 2) AS print FROM generate_series(1, $captures / 8) p, generate_series(0, 7) c"
	measure "SELECT length(evaluation_html(evaluate('captures', 'print', 'person')))"
	echo
	echo "evaluate() of $captures captures, and its page: $seconds s"
fi

if [ "$fingers" -gt 0 ]; then
	# one person in a thousand is there twice
	query <<Q
CREATE TABLE gallery AS SELECT p AS person, synthetic_fingerprint(p, 0, 2) AS print FROM generate_series(1, $fingers) p
	UNION ALL SELECT $fingers + p, synthetic_fingerprint(1000 * p, 1, 2) FROM generate_series(1, $fingers / 1000) p;
CREATE INDEX ON gallery USING biometric (print);
VACUUM ANALYZE gallery;
Q
	query -c "\timing on" -c "CREATE TABLE pairs AS SELECT * FROM find_duplicates('gallery', 'print', 'person')" > "$HOME/timing"
	seconds=$(sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' "$HOME/timing")
	echo
	echo "find_duplicates() of $fingers fingers: $(calc %.1f "$seconds / 1000") s, $(calc %.1f "$seconds / $fingers") ms a finger;" \
		"$(query -c "SELECT count(*) FILTER (WHERE person_b::integer = $fingers + person_a::integer / 1000) || ' of $((fingers / 1000)) found, ' || count(*) FILTER (WHERE person_b::integer IS DISTINCT FROM $fingers + person_a::integer / 1000) || ' false' FROM pairs")"
fi
