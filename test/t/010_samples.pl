# Records that other people's software wrote, and fingers that other people's
# software measured, go through the whole extension.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $data = data_folder();

plan skip_all => 'no evaluation data: neither BIOMETRIC_DATA nor ../shared/data is a folder' unless defined $data;

my $node = new_server('main', conf => "wal_level = minimal\nmax_wal_senders = 0\nshared_buffers = 64MB\n");

sub hex_of
{
	return '\x' . unpack('H*', slurp_binary($_[0]));
}

#
# Sample records against an independent reading of each
#
my @oracles = sort glob("$data/records/oracle/*.json");

ok(@oracles > 0, 'there are sample records');
$node->safe_psql('postgres', 'CREATE TABLE sample (name text, record bytea, oracle jsonb)');
foreach my $oracle (@oracles)
{
	my ($name) = $oracle =~ m{([^/]+)\.json$};
	my $file = "$data/records/" . $name =~ s{__}{/}r;
	my $json = slurp_file($oracle) =~ s/'/''/gr;

	next unless -e $file;
	$node->safe_psql('postgres', "INSERT INTO sample VALUES ('$name', pg_read_binary_file('$file'), '$json')");
}

# Formats that this release reads, by the oracle's name
my ($out, $err) = session($node, <<'X');
CREATE TABLE reading (name text, view int, print fingerprint, error text, state text);
DO $$
DECLARE
	s record;
	message text;
	code text;
BEGIN
	FOR s IN SELECT * FROM sample LOOP
		BEGIN
			INSERT INTO reading SELECT s.name, n, print, NULL, NULL
				FROM fingerprints(s.record) WITH ORDINALITY AS f (print, n);
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
			INSERT INTO reading VALUES (s.name, NULL, NULL, message, code);
		END;
	END LOOP;
END $$;
X
is($err, '', 'all sample records are read or refused');
is( $node->safe_psql('postgres', "SELECT name, state, error FROM reading WHERE state NOT LIKE '22%' AND state NOT LIKE '0A%'"),
	'', 'a refusal is an error of class 22, or says what is not supported');
is( $node->safe_psql('postgres', <<'X'), '', 'records that are right in every respect are read');
SELECT s.name, r.error FROM sample s JOIN reading r USING (name)
WHERE (s.oracle->>'strict_ok')::boolean AND r.error IS NOT NULL
X
is( $node->safe_psql('postgres', <<'X'), '', 'each record that is read has the views and the minutiae that another reader finds');
SELECT s.name, v.n, minutia_count(r.print), jsonb_array_length(v.view->'minutiae')
FROM sample s CROSS JOIN LATERAL jsonb_array_elements(s.oracle->'views') WITH ORDINALITY AS v (view, n)
LEFT JOIN reading r ON r.name = s.name AND r.view = v.n
WHERE EXISTS (SELECT FROM reading x WHERE x.name = s.name AND x.error IS NULL)
  AND minutia_count(r.print) IS DISTINCT FROM jsonb_array_length(v.view->'minutiae')
X
is( $node->safe_psql('postgres', <<'X'), '', 'and every field of them, directions to half a step');
SELECT s.name, v.n, m.n
FROM sample s CROSS JOIN LATERAL jsonb_array_elements(s.oracle->'views') WITH ORDINALITY AS v (view, n)
JOIN reading r ON r.name = s.name AND r.view = v.n
CROSS JOIN LATERAL jsonb_array_elements(v.view->'minutiae') WITH ORDINALITY AS o (minutia, n)
JOIN LATERAL minutiae(r.print) m ON m.n = o.n
WHERE (finger_position(r.print), view_number(r.print), impression_type(r.print), quality(r.print))
		<> ((v.view->>'finger')::int, (v.view->>'view')::int, (v.view->>'impression')::int, (v.view->>'quality')::int)
	OR (m.type, m.x, m.y, m.quality)
		<> (o.minutia->>0, (o.minutia->>1)::int, (o.minutia->>2)::int, (o.minutia->>4)::int)
	OR abs(m.angle - (o.minutia->>3)::float8) > 360.0 / 256 / 2 + 1e-9
X

#
# ANSI/NIST files: each record, and the minutiae of Type-9 records in each form
#
is( $node->safe_psql('postgres', <<'X'), '', 'the records of ANSI/NIST files are those that another reader finds');
SELECT name FROM sample
WHERE oracle->>'format' = 'an2k'
  AND (SELECT jsonb_agg(type ORDER BY n) FROM an2k_records(record)) IS DISTINCT FROM oracle->'records'
X
is( $node->safe_psql('postgres', <<'X'), 'nist-nbis__valid1.15.an2|The finger position (field 9.006) at byte 369 is not that of a finger.', 'what is not read has a reason: a palm');
SELECT name, problem FROM sample, an2k_records(record) WHERE oracle->>'format' = 'an2k' AND problem IS NOT NULL
X
my $type9 = <<'X';
WITH ours AS (
	SELECT name, row_number() OVER (PARTITION BY name ORDER BY n) AS k, print
	FROM sample, an2k_records(record) WHERE oracle->>'format' = 'an2k' AND type = 9),
theirs AS (
	SELECT name, k, t.r->>'block' AS block, t.r->'minutiae' AS minutiae
	FROM sample, jsonb_array_elements(oracle->'type9') WITH ORDINALITY AS t (r, k)
	WHERE oracle->>'format' = 'an2k'),
pair AS (
	SELECT name, k, block, print, m.n, m.type, m.x, m.y, m.angle, m.quality,
		   o->>0 AS o_type, (o->>1)::int AS o_x, (o->>2)::int AS o_y, (o->>3)::float8 AS o_angle, o->>4 AS o_quality
	FROM theirs JOIN ours USING (name, k) CROSS JOIN jsonb_array_elements(minutiae) WITH ORDINALITY AS j (o, n)
	LEFT JOIN LATERAL minutiae(print) m ON m.n = j.n
	WHERE print IS NOT NULL)
X
is( $node->safe_psql('postgres', "$type9 SELECT block, count(DISTINCT (name, k)), count(*) FROM pair GROUP BY 1 ORDER BY 1"),
	"efs|8|414\niafis|1|48\nm1|4|192\nstd|7|229", 'minutiae of Type-9 records to compare, by form');
is( $node->safe_psql('postgres', "$type9 " . <<'X'), '', 'each has the position, type and direction that another reader finds');
SELECT name, k, n FROM pair
WHERE n IS NULL OR x <> o_x
   OR CASE block WHEN 'std' THEN image_height(print) - 1 - y ELSE y END <> o_y
   OR type <> CASE WHEN block = 'm1' THEN (ARRAY['other', 'ending', 'bifurcation'])[o_type::int + 1]
				   WHEN o_type IN ('A', 'E') THEN 'ending' WHEN o_type = 'B' THEN 'bifurcation' ELSE 'other' END
   OR abs((angle - CASE block WHEN 'std' THEN o_angle + 180 WHEN 'm1' THEN o_angle * 2 ELSE o_angle END + 900)::numeric % 360 - 180)
		> 360.0 / 256 / 2 + 1e-9
   OR block = 'm1' AND quality <> o_quality::int
X
is( $node->safe_psql('postgres', <<'X'), 't', 'one print in standard and in M1 form is the same finger');
SELECT match_score(a.print, b.print) > 60
FROM (SELECT print FROM sample, fingerprints(record) print WHERE name = 'nist-ansi-refs__type-9-14-std.an2') a,
	 (SELECT print FROM sample, fingerprints(record) print WHERE name = 'nist-ansi-refs__type-9-14-m1.an2') b
X
is( $node->safe_psql('postgres', <<'X'), 't', 'and in IAFIS form');
SELECT match_score(a.print, b.print) > 60
FROM (SELECT print FROM sample, fingerprints(record) print WHERE name = 'nist-ansi-refs__type-9-4-iafis.an2') a,
	 (SELECT print FROM sample, fingerprints(record) print WHERE name = 'nist-ansi-refs__type-9-14-m1.an2') b
X

# What was read comes back out and is read again, in every format that can hold it
is( $node->safe_psql('postgres', <<'X'), '', 'what was read comes back from every format');
SELECT name, view, format
FROM reading,
	LATERAL (VALUES ('2011', fingerprint(to_iso19794_2(print, 2011), 1)),
					('2004', fingerprint(to_incits378(print, 1 << 16), 1)), ('2007', fingerprint(to_incits378(print, 1 << 16, 2007), 1)),
					('2009', fingerprint(to_incits378(print, 1 << 16, 2009), 1)), ('2010', fingerprint(to_incits378(print, 1 << 16, 2010), 1)))
		AS v (format, again)
WHERE print IS NOT NULL
  AND ((SELECT array_agg((n, x, y, type, quality)) FROM minutiae(print)) IS DISTINCT FROM (SELECT array_agg((n, x, y, type, quality)) FROM minutiae(again))
	OR EXISTS (SELECT FROM minutiae(print) a JOIN minutiae(again) b USING (n) WHERE abs(a.angle - b.angle) NOT BETWEEN 0 AND 1.5 AND abs(a.angle - b.angle) < 358.5)
	OR format = '2011' AND EXISTS (SELECT FROM minutiae(print) a JOIN minutiae(again) b USING (n) WHERE a.angle <> b.angle)
	OR (finger_position(print), image_width(print), image_height(print), horizontal_resolution(print), quality(print))
		<> (finger_position(again), image_width(again), image_height(again), horizontal_resolution(again), quality(again)))
X
is( $node->safe_psql('postgres', <<'X'), '', 'positions in hundredths of a millimetre come back exactly from Type-9 and card formats');
SELECT name, view
FROM reading, LATERAL (VALUES (fingerprint_from_card(to_card(print, 'normal'), 'normal'))) AS v (again)
WHERE horizontal_resolution(print) = 1000
  AND (SELECT array_agg((n, x, y, type, angle)) FROM minutiae(print)) IS DISTINCT FROM (SELECT array_agg((n, x, y, type, angle)) FROM minutiae(again))
X

# What was read comes back out and is read again
is( $node->safe_psql('postgres', <<'X'), '', 'what was read is written and read again without loss');
SELECT name, view FROM reading
WHERE print IS NOT NULL AND (print::text::fingerprint <> print OR print::bytea::fingerprint <> print
	OR to_iso19794_2(print)::fingerprint <> print)
X
($out) = session($node, "SELECT count(*) FILTER (WHERE print IS NOT NULL), count(DISTINCT name) FILTER (WHERE print IS NOT NULL) FROM reading;");
note("views and records read: $out");

#
# FVC2002: who is this?
#
$node->safe_psql('postgres', <<'X');
CREATE TABLE capture (source text, finger int, impression int, print fingerprint);
CREATE INDEX capture_print_idx ON capture USING biometric (print) WHERE impression = 1;
X
my $captures = 0;

foreach my $folder (sort glob("$data/fingerprint/fvc2002_db?_b"))
{
	my ($source) = $folder =~ m{([^/]+)$};
	my @rows;

	foreach my $file (glob("$folder/*.fmr"))
	{
		my ($finger, $impression) = $file =~ m{(\d+)_(\d+)\.fmr$};

		push @rows, "('$source', $finger, $impression, '" . hex_of($file) . "')";
	}
	next unless @rows;
	$captures += @rows;
	$node->safe_psql('postgres', 'INSERT INTO capture VALUES ' . join(",\n", @rows));
}

SKIP:
{
	skip 'no FVC2002 records', 5 unless $captures;

	is($node->safe_psql('postgres', 'SELECT count(*) FROM capture'), $captures, "$captures records of FVC2002 are read");

	my $rank_one = $node->safe_psql('postgres', <<'X');
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT round(100.0 * count(*) FILTER (WHERE found) / count(*), 1)
FROM (SELECT EXISTS (SELECT FROM (SELECT finger, source FROM capture g WHERE impression = 1
							ORDER BY g.print <-> c.print LIMIT 1) n
					 WHERE n.finger = c.finger AND n.source = c.source) AS found
	  FROM capture c WHERE impression > 1) x
X
	cmp_ok($rank_one, '>=', 96, "the right finger comes first for $rank_one % of all captures, all sets enrolled together");

	my $by_set = $node->safe_psql('postgres', <<'X');
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT round(100.0 * count(*) FILTER (WHERE found) / count(*), 1)
FROM (SELECT EXISTS (SELECT FROM (SELECT finger FROM capture g WHERE impression = 1 AND g.source = c.source
							ORDER BY g.print <-> c.print LIMIT 1) n
					 WHERE n.finger = c.finger) AS found
	  FROM capture c WHERE impression > 1) x
X
	cmp_ok($by_set, '>=', 96, "the right finger comes first for $by_set % of all captures within their set");

	ask_all(
		$node,
		[
			map {
				my $q = "(SELECT print FROM capture WHERE source = ''fvc2002_db${_}_b'' AND finger = 103 AND impression = 4)";

				(
					"SELECT difference('SELECT 0 AS grp, finger AS id, print <-> $q AS d FROM capture WHERE impression = 1 ORDER BY print <-> $q', cut => false)",
					"SELECT difference('SELECT 0 AS grp, finger AS id, NULL::float8 AS d FROM capture WHERE impression = 1 AND print % probe($q, 15)', ordered => false, cut => false)"
				)
			} 1 .. 4
		],
		'the index answers like a sequential scan');
	index_is_sound($node, 'the index is sound', index => 'capture_print_idx');
}

$node->stop;
done_testing();
