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

	# transactions with images are as large as megabytes; a text cannot be
	next if !-e $file || -s $file > 400_000;
	$node->safe_psql('postgres', "INSERT INTO sample VALUES ('$name', '" . hex_of($file) . "', '$json')");
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
WHERE (s.oracle->>'strict_ok')::boolean AND s.oracle->>'format' IN ('iso19794-2:2005', 'ansi378-2004') AND r.error IS NOT NULL
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
