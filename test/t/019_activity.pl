# What biometric_index_activity counts: by index, of all processes where the
# library is preloaded, for members of pg_monitor; and lines of EXPLAIN.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $gallery = <<'X';
CREATE TABLE person (id integer PRIMARY KEY, print fingerprint);
INSERT INTO person SELECT n, synthetic_fingerprint(n) FROM generate_series(1, 1500) n;
INSERT INTO person VALUES (0, NULL);
CREATE INDEX person_print_idx ON person USING biometric (print);
CREATE TABLE eye (id integer, code iris);
CREATE INDEX eye_code_idx ON eye USING biometric (code);
ANALYZE;
X
my $settings = <<'X';
max_parallel_workers_per_gather = 0
enable_seqscan = off
enable_bitmapscan = off
X
my $nearest = 'SELECT id FROM person ORDER BY print <-> synthetic_fingerprint(7, 1) LIMIT 3';
my $match = 'SELECT id FROM person WHERE print % synthetic_fingerprint(9)';

# counts(node, columns): of the index of fingers
sub counts
{
	my ($node, $columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM biometric_index_activity WHERE indexrelname = 'person_print_idx'");
}

# last_line(node, statements): of what they print
sub last_line
{
	my ($node, $statements) = @_;

	return (split /\n/, $node->safe_psql('postgres', $statements))[-1];
}

my $node = new_server('preloaded', conf => "shared_preload_libraries = 'biometric'\n$settings");
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
$node->safe_psql('postgres', $gallery);

is(counts($node, 'scope, exact_searches, last_search IS NULL, relname'),
	'server|0|t|person', 'an index that was never searched has a row of zeros');

$node->safe_psql('postgres', $nearest);
$node->safe_psql('postgres', "$nearest; $match");
is( counts($node,
		'exact_searches, fast_searches, parallel_searches, ended, entries_visited, rows_returned'),
	'3|0|0|3|4500|7',
	'searches of several sessions');
is(counts($node, 'comparisons <= entries_visited AND entries_passed <= entries_visited'),
	't', 'no entry is compared that was not visited');
is( counts($node,
		'total_time > 0 AND max_time <= total_time AND within_10ms <= within_100ms AND '
		  . 'within_100ms <= within_1s AND within_1s <= within_10s AND within_10s <= ended'),
	't', 'times');
is(counts($node, "last_search > now() - interval '1 hour' AND stats_since <= last_search"),
	't', 'when');
is( last_line($node,
		"SELECT exact_searches, stats_since IS NULL FROM biometric_index_activity WHERE indexrelname = 'eye_code_idx'"),
	'0|t', 'the other index');

# a bitmap scan, a scan that is begun again, a fast one
$node->safe_psql('postgres', 'SELECT biometric_index_activity_reset()');
is(counts($node, 'exact_searches, entries_visited, total_time'), '0|0|0', 'reset');
$node->safe_psql('postgres', "SET enable_bitmapscan = on; SET enable_indexscan = off; $match");
is(counts($node, 'exact_searches, ended, rows_returned'), '1|1|1', 'bitmap scan');
$node->safe_psql('postgres',
	'SELECT q, p.id FROM generate_series(1, 4) q, LATERAL '
	  . '(SELECT id FROM person ORDER BY print <-> synthetic_fingerprint(q, 1) LIMIT 1) p');
is(counts($node, 'exact_searches, ended, rows_returned'), '5|5|5', 'rescans are searches');
$node->safe_psql('postgres', "SET biometric.search_mode = fast; $nearest");
is(counts($node, 'exact_searches, fast_searches, candidates > 0, rows_returned'),
	'5|1|t|8', 'fast search');

# a search that fails has begun and never ends
$node->psql('postgres',
	'SELECT 1 / (id - 7) FROM person ORDER BY print <-> synthetic_fingerprint(7, 1) LIMIT 3');
is(counts($node, 'exact_searches, ended'), '6|6', 'a search that fails');

# several processes are one search
$node->safe_psql('postgres', 'SELECT biometric_index_activity_reset()');
my $parallel = <<'X';
SET max_parallel_workers_per_gather = 2;
SET min_parallel_index_scan_size = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
X
foreach my $leader ('on', 'off')
{
	$node->safe_psql('postgres', "$parallel SET parallel_leader_participation = $leader; $nearest");
}
is(counts($node, 'exact_searches, parallel_searches, ended, entries_visited'),
	'0|2|2|3000', 'workers count what they visit, and one search');

is( last_line($node,
		"$nearest; SELECT exact_searches, entries_visited FROM biometric_index_activity "
		  . "WHERE indexrelid IS NULL AND scope = 'backend'"),
	'1|1500',
	'totals of a process');

$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY person_print_idx');
is(counts($node, 'exact_searches, parallel_searches'), '0|0', 'another index of the same name');

# the check of biometric_health()
my $preloaded = "SELECT status FROM biometric_health() WHERE check_name = 'preloaded'";
is($node->safe_psql('postgres', $preloaded), 'ok', 'health: preloaded');

# who may look
$node->safe_psql('postgres', 'CREATE ROLE clerk; CREATE ROLE watch IN ROLE pg_monitor');
foreach my $query ('SELECT * FROM biometric_index_activity', 'SELECT biometric_activity()',
	'SELECT biometric_index_activity_reset()')
{
	my ($rc, $out, $error) = $node->psql('postgres', "SET ROLE clerk; $query");

	like($error, qr/permission denied/, "not for everybody: $query");
	$node->safe_psql('postgres', "SET ROLE watch; $query");
}

SKIP:
{
	skip 'EXPLAIN has no hook for nodes before PostgreSQL 18', 6 if $version < 180000;

	my $explain = sub {
		my ($before, $query) = @_;

		return $node->safe_psql('postgres',
			"$before; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $query");
	};

	like($explain->('SELECT', $nearest), qr/Entries Visited: 1500$/m, 'EXPLAIN (ANALYZE)');
	like($explain->('SET enable_bitmapscan = on; SET enable_indexscan = off', $match),
		qr/Entries Visited: 1500$/m, 'of a bitmap scan');
	like($explain->($parallel, $nearest), qr/Entries Visited: 1500$/m, 'with workers');
	unlike($node->safe_psql('postgres', "EXPLAIN $nearest"), qr/Entries Visited/,
		'not without ANALYZE');
	$node->safe_psql('postgres',
		'GRANT SELECT ON person TO clerk; ALTER TABLE person ENABLE ROW LEVEL SECURITY; '
		  . 'CREATE POLICY even ON person USING (id % 2 = 0)');
	unlike($explain->('SET ROLE clerk', $nearest),
		qr/Entries Visited/, 'nor where row-level security applies');
	like($explain->('SELECT', $nearest), qr/Entries Visited: 1500$/m, 'but to whom it does not apply');
}
$node->stop;

#
# Not preloaded: before PostgreSQL 17, each process counts for itself.
#
$node = new_server('plain', checksums => 0, conf => "$settings shared_buffers = 1MB\n");
$node->safe_psql('postgres', $gallery);
$node->safe_psql('postgres', $nearest);
is(counts($node, 'scope, exact_searches'),
	$version < 170000 ? 'backend|0' : 'server|1', 'what another process did');
is( last_line($node,
		"$nearest; SELECT exact_searches FROM biometric_index_activity WHERE indexrelname = 'person_print_idx'"),
	$version < 170000 ? '1' : '2',
	'what this one did');

# checks of biometric_health() that take a server of their own
is($node->safe_psql('postgres', $preloaded),
	$version < 170000 ? 'notice' : 'ok', 'health: not preloaded');
like( $node->safe_psql('postgres',
		"SELECT status, detail FROM biometric_health() WHERE check_name = 'memory'"),
	qr/^notice\|.* of indexes, 1MB of shared_buffers/, 'health: larger than memory');

# metapage(at, number): writes a number into the index's first block
sub metapage
{
	my ($at, $number) = @_;
	my $file = $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('person_print_idx')");

	$node->stop;
	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $at, 0;
	print $handle pack('L', $number);
	close $handle;
	$node->start;
	return;
}
my $index = "SELECT status, detail FROM biometric_health() WHERE object = 'person_print_idx'";
my $features = $node->safe_psql('postgres',
	"SELECT features_version FROM biometric_index_stats('person_print_idx')");

metapage(32, 1);
like($node->safe_psql('postgres', $index),
	qr/^error\|features of version 1/, "health: another matcher's index");
metapage(32, $features);
is($node->safe_psql('postgres', $index) =~ s/\|.*//r, 'ok', 'health: a sound index');
metapage(24, 12345);
like($node->safe_psql('postgres', $index), qr/^error\|/, 'health: a damaged index');

# more indexes than a process has room for: the one searched longest ago gives way
$node->safe_psql('postgres',
	join('', map { "CREATE TABLE t$_ (print fingerprint); CREATE INDEX ON t$_ USING biometric (print);\n" } 1 .. 40));
is( last_line($node,
		join('', map { "SELECT FROM t$_ ORDER BY print <-> synthetic_fingerprint(1);\n" } 1 .. 40)
		  . "SELECT exact_searches FROM biometric_index_activity WHERE indexrelid IS NULL AND scope = 'backend'"),
	'40',
	'totals are not forgotten');
$node->stop;

done_testing();
