#!/bin/bash
# calibration.sh FILE: what "calibration" runs inside stage.sh
set -euo pipefail
createdb calibration
psql -X -q -At -F ' | ' -v ON_ERROR_STOP=1 -v captures="$1" calibration <<'SQL'
SET client_min_messages = warning;
SET jit = off;
CREATE EXTENSION biometric;
CREATE TABLE record (set text, grp text, person text, bytes bytea);
\set copy '\\copy record FROM ' :'captures'
:copy
CREATE TABLE capture AS
SELECT set, grp, grp || '/' || person AS person, row_number() OVER () AS n,
	CASE WHEN grp <> 'casia1' THEN bytes::fingerprint END AS print,
	CASE WHEN grp = 'casia1' THEN iris(substr(bytes, 1, 256), substr(bytes, 257), 128, 'unknown') END AS eye,
	-- half of the persons of each group
	(dense_rank() OVER (PARTITION BY grp ORDER BY hashtextextended(person, 1), person)) % 2 AS half
FROM record;
CREATE TABLE pair AS
SELECT a.set, a.half, a.person AS person_a, b.person AS person_b,
	CASE WHEN a.eye IS NULL THEN match_score(a.print, b.print) ELSE match_score(a.eye, b.eye) END AS score
FROM capture a JOIN capture b ON a.grp = b.grp AND a.half = b.half AND a.n < b.n AND a.person <> b.person;
CREATE TABLE fit AS
SELECT set, half, make_calibration(det_curve(score, false), count(*)) AS fit FROM pair GROUP BY set, half;
-- each half by the calibration of the other
CREATE TABLE calibrated AS
SELECT p.*, calibrated_score(p.score, f.fit) AS own, count(*) OVER (PARTITION BY p.set, p.half) AS comparisons
FROM pair p JOIN fit f ON f.set = p.set AND f.half <> p.half;
CREATE TABLE measured AS
SELECT set, half, t, (r).*, built_in
FROM (SELECT set, half, t, error_rates(own, mated, person_a, person_b, t, 0.01) AS r, count(*) FILTER (WHERE score >= t AND NOT mated) AS built_in
	-- error_rates() wants mated comparisons as well: each person with themselves
	FROM (SELECT set, half, person_a, person_b, score, own, comparisons, false AS mated FROM calibrated
		UNION ALL SELECT DISTINCT set, half, person_a, person_a, 1000.0, 1000.0, comparisons, true FROM calibrated) c, generate_series(10, 50, 5) t (t)
	WHERE comparisons * power(10, -t / 10.0) >= 10
	GROUP BY set, half, t) m;
SELECT '| set | score, dB | comparisons | false matches promised | counted by the built-in calibration | its ratio | counted by the own one | its ratio | 95 % interval |';
SELECT '|---|---|---|---|---|---|---|---|---|';
SELECT format('| %s, half %s | %s | %s | %s | %s | %s | %s | %s | %s to %s |', set, half + 1, t, non_mated, round((non_mated * power(10, -t / 10.0))::numeric, 1),
	built_in, round((built_in / (non_mated * power(10, -t / 10.0)))::numeric, 2), round((fmr * non_mated)::numeric), round((fmr / power(10, -t / 10.0))::numeric, 2),
	round((fmr_low / power(10, -t / 10.0))::numeric, 2), round((fmr_high / power(10, -t / 10.0))::numeric, 2))
FROM measured ORDER BY set, half, t;
SELECT format(E'\n%s of %s promises of ten or more false matches are kept within a factor of 2 by the own calibration, %s by the built-in one.',
	count(*) FILTER (WHERE fmr / power(10, -t / 10.0) BETWEEN 0.5 AND 2), count(*), count(*) FILTER (WHERE built_in / (non_mated * power(10, -t / 10.0)) BETWEEN 0.5 AND 2))
FROM measured;
SQL
