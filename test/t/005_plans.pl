# For each promised shape of a query the planner takes the index, without
# being told to, and does not where it should not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $node = new_server('main');

# Galleries large enough that the index is worth it; the same fingers again and
# again, as only their number counts here.
$node->safe_psql('postgres', <<'X');
SET synchronous_commit = off;
CREATE TABLE finger AS SELECT n, synthetic_fingerprint(n) AS print FROM generate_series(1, 50) n;
CREATE TABLE gallery (id int PRIMARY KEY, print fingerprint, watchlist int, country text);
INSERT INTO gallery SELECT s * 50 + n, print, n % 10, 'country ' || s % 7 FROM finger, generate_series(0, 59) s;
CREATE INDEX gallery_print_idx ON gallery USING biometric (print);
CREATE TABLE event (id int PRIMARY KEY, print fingerprint);
INSERT INTO event SELECT n, synthetic_fingerprint(n, 1) FROM generate_series(1, 20) n;
CREATE TABLE tiny (id int, print fingerprint);
INSERT INTO tiny SELECT n, print FROM finger LIMIT 1;
CREATE INDEX tiny_print_idx ON tiny USING biometric (print);
CREATE TABLE part (id int, print fingerprint, region int) PARTITION BY LIST (region);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3);
INSERT INTO part SELECT id, print, 1 + id % 3 FROM gallery;
CREATE INDEX part_print_idx ON part USING biometric (print);
CREATE TABLE record (id int, data bytea);
INSERT INTO record SELECT id, print::bytea FROM gallery WHERE id <= 1000;
CREATE INDEX record_print_idx ON record USING biometric ((data::fingerprint));
CREATE TABLE partial (id int, print fingerprint, active boolean);
INSERT INTO partial SELECT id, print, id % 2 = 0 FROM gallery WHERE id <= 2000;
CREATE INDEX partial_print_idx ON partial USING biometric (print) WHERE active;
CREATE MATERIALIZED VIEW mat AS SELECT id, print FROM gallery;
CREATE INDEX mat_print_idx ON mat USING biometric (print);
X
$node->safe_psql('postgres', 'VACUUM ANALYZE');

my $q = 'synthetic_fingerprint(7, 3)';

# plan_is(query, like => [..], unlike => [..], promise)
sub plan_is
{
	my ($promise, $query, $like, $unlike, $setup) = @_;
	my ($plan, $err) = session($node, ($setup ? "$setup;" : '') . 'EXPLAIN (COSTS OFF) ' . $query . ';');
	my @missing = grep { $plan !~ /$_/ } @$like;
	my @present = grep { $plan =~ /$_/ } @{ $unlike || [] };

	ok(!@missing && !@present && $err eq '', $promise)
	  or diag("missing: @missing; unwanted: @present\n$query\n$plan$err");
	return;
}

my $index_scan = qr/Index Scan using gallery_print_idx on gallery/;

plan_is(
	'nearest first',
	"SELECT id FROM gallery ORDER BY print <-> $q LIMIT 10",
	[ $index_scan, qr/Order By: \(print <-> / ], [qr/Sort/, qr/Seq Scan/]);
plan_is(
	'nearest first, the query on the left',
	"SELECT id FROM gallery ORDER BY $q <-> print LIMIT 10",
	[ $index_scan, qr/Order By: \(print <-> / ], [qr/Sort/, qr/Seq Scan/]);
plan_is(
	'nearest first, with the distance and the score shown',
	"SELECT id, print <-> $q AS d, match_score(print, $q) FROM gallery ORDER BY d LIMIT 10",
	[ $index_scan, qr/Order By: / ], [qr/Sort/]);
plan_is(
	'nearest first, filtered',
	"SELECT id FROM gallery WHERE country <> 'country 3' ORDER BY print <-> $q LIMIT 10",
	[ $index_scan, qr/Order By: /, qr/Filter: \(country <> / ], [qr/Sort/]);
plan_is(
	'nearest first, ties broken',
	"SELECT id FROM gallery ORDER BY print <-> $q, id LIMIT 10",
	[ $index_scan, qr/Incremental Sort/, qr/Presorted Key: / ]) if $node->pg_version >= 16;
plan_is(
	'who matches',
	"SELECT id FROM gallery WHERE print % $q",
	[ qr/(Index Scan using|Bitmap Index Scan on) gallery_print_idx/, qr/Index Cond: \(print % / ], [qr/Seq Scan/]);
plan_is(
	'who matches, the query on the left',
	"SELECT id FROM gallery WHERE $q % print",
	[qr/Index Cond: \(print % /], [qr/Seq Scan/]);
plan_is(
	'who matches from a score on',
	"SELECT id FROM gallery WHERE print % probe($q, 35)",
	[qr/Index Cond: \(print % /], [qr/Seq Scan/]);
plan_is(
	'who matches, nearest first',
	"SELECT id FROM gallery WHERE print % $q ORDER BY print <-> $q LIMIT 10",
	[qr/Index Cond: \(print % /], [qr/Seq Scan/]);
plan_is(
	'who matches, nearest first, by one scan alone',
	"SELECT id FROM gallery WHERE print % probe($q, 20) ORDER BY print <-> $q LIMIT 10",
	[ $index_scan, qr/Index Cond: \(print % /, qr/Order By: \(print <-> / ], [qr/Sort/],
	'SET enable_bitmapscan = off');
plan_is(
	'a bitmap of two searches',
	"SELECT id FROM gallery WHERE print % $q OR print % probe(synthetic_fingerprint(8, 1), 30)",
	[qr/BitmapOr/, qr/Bitmap Index Scan on gallery_print_idx.*Bitmap Index Scan on gallery_print_idx/s]);
plan_is(
	'a query from a subquery',
	'SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM event WHERE id = 3) LIMIT 10',
	[$index_scan], [qr/Sort/]);
plan_is(
	'a search for each of several people',
	'SELECT e.id, g.id FROM event e JOIN gallery g ON g.print % e.print',
	[ qr/Nested Loop/, qr/(Index Scan using|Bitmap Index Scan on) gallery_print_idx/, qr/Index Cond: \(print % e\.print\)/ ],
	[qr/Seq Scan on gallery/]);
plan_is(
	'a search for each of several people from a score on',
	'SELECT e.id, g.id FROM event e JOIN gallery g ON g.print % probe(e.print, 35)',
	[ qr/Nested Loop/, qr/Index Cond: \(print % probe\(e\.print/ ],
	[qr/Seq Scan on gallery/]);
plan_is(
	'the nearest of each of several people',
	'SELECT e.id, n.id FROM event e, LATERAL (SELECT id FROM gallery ORDER BY print <-> e.print LIMIT 3) n',
	[ qr/Nested Loop/, $index_scan, qr/Order By: \(print <-> e\.print\)/ ], [qr/Sort/]);
plan_is(
	'a prepared statement with a generic plan, nearest first',
	"EXECUTE p($q)",
	[ $index_scan, qr/Order By: \(print <-> \$1\)/ ], [qr/Sort/],
	'SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint) AS SELECT id FROM gallery ORDER BY print <-> $1 LIMIT 10');
plan_is(
	'a prepared statement with a generic plan, who matches',
	"EXECUTE p($q, 30)",
	[ qr/Index Cond: \(print % probe\(\$1, \$2\)\)/ ], [qr/Seq Scan/],
	'SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint, float8) AS SELECT id FROM gallery WHERE print % probe($1, $2)');
plan_is(
	'a prepared statement with a generic plan and a probe as parameter',
	"EXECUTE p(probe($q, 30))",
	[ qr/Index Cond: \(print % \$1\)/ ], [qr/Seq Scan/],
	'SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint_probe) AS SELECT id FROM gallery WHERE print % $1');
plan_is(
	'partitions, nearest first: merged from the index of each',
	"SELECT id FROM part ORDER BY print <-> $q LIMIT 10",
	[ qr/Merge Append/, qr/part_1_print_idx/, qr/part_2_print_idx/, qr/part_3_print_idx/ ], [qr/Seq Scan/, qr/Sort\n/]);
plan_is(
	'partitions that cannot hold the answer are left out',
	"SELECT id FROM part WHERE region = 2 ORDER BY print <-> $q LIMIT 10",
	[qr/Index Scan using part_2_print_idx/], [ qr/part_1/, qr/part_3/, qr/Sort/ ]);
plan_is(
	'partitions, who matches',
	"SELECT id FROM part WHERE print % $q",
	[ qr/part_1_print_idx/, qr/part_2_print_idx/, qr/part_3_print_idx/ ], [qr/Seq Scan/]);
plan_is(
	'an index of an expression: records kept as they came',
	"SELECT id FROM record ORDER BY data::fingerprint <-> $q LIMIT 10",
	[qr/Index Scan using record_print_idx/], [qr/Sort/]);
plan_is(
	'an index of an expression: who matches',
	"SELECT id FROM record WHERE data::fingerprint % $q",
	[qr/record_print_idx/], [qr/Seq Scan/]);
plan_is(
	'a partial index, where its condition is part of the query',
	"SELECT id FROM partial WHERE active ORDER BY print <-> $q LIMIT 10",
	[qr/Index Scan using partial_print_idx/], [qr/Sort/]);
plan_is(
	'a partial index, not where it would miss rows',
	"SELECT id FROM partial ORDER BY print <-> $q LIMIT 10",
	[qr/Seq Scan on partial/], [qr/partial_print_idx/]);
plan_is(
	'a materialized view',
	"SELECT id FROM mat ORDER BY print <-> $q LIMIT 10",
	[qr/Index Scan using mat_print_idx/], [qr/Sort/]);
plan_is(
	'a view with a limit inside',
	'SELECT * FROM top',
	[$index_scan], [qr/Sort/],
	"CREATE TEMP VIEW top AS SELECT id, print <-> $q AS distance FROM gallery ORDER BY distance LIMIT 5");
plan_is(
	'an update of who matches',
	"UPDATE gallery SET country = 'x' WHERE print % $q",
	[qr/gallery_print_idx/], [qr/Seq Scan/]);
plan_is(
	'whether anybody matches',
	"SELECT EXISTS (SELECT FROM gallery WHERE print % $q)",
	[qr/gallery_print_idx/], [qr/Seq Scan/]);
plan_is(
	'whom nobody matches',
	'SELECT id FROM event e WHERE NOT EXISTS (SELECT FROM gallery g WHERE g.print % e.print)',
	[qr/gallery_print_idx/], [qr/Seq Scan on gallery/]);

#
# Where the index should not be used
#
plan_is(
	'one row, known by its key, is compared by itself',
	"SELECT match_score(print, $q) FROM gallery WHERE id = 17 AND print % $q",
	[qr/Index Scan using gallery_pkey/], [qr/gallery_print_idx/]);
plan_is(
	'few rows, known by their keys, are compared by themselves',
	"SELECT id FROM gallery WHERE id BETWEEN 5 AND 8 ORDER BY print <-> $q",
	[qr/gallery_pkey/], [qr/gallery_print_idx/]);
plan_is(
	'a query that does not ask for fingers has no use for their index',
	'SELECT count(*) FROM gallery',
	[], [qr/gallery_print_idx/]);
plan_is(
	'nor is it believed to count rows by itself',
	'SELECT count(*) FROM mat',
	[], [qr/Index Only Scan/],
	'SET enable_seqscan = off');
is($node->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM mat'),
	'3000', 'rows are counted, however it is done');
plan_is(
	'nor has one in another order',
	'SELECT id FROM gallery ORDER BY id LIMIT 10',
	[qr/gallery_pkey/], [qr/gallery_print_idx/]);
plan_is(
	'farthest first is no promise of the index',
	"SELECT id FROM gallery ORDER BY print <-> $q DESC LIMIT 10",
	[qr/Sort/], [qr/Order By: /]);
plan_is(
	'equality is no match',
	"SELECT id FROM gallery WHERE print = $q",
	[qr/Seq Scan/], [qr/gallery_print_idx/]);
plan_is(
	'a search of nothing',
	'SELECT id FROM gallery WHERE print % NULL::fingerprint',
	[qr/One-Time Filter: false/], [qr/gallery_print_idx/]);

#
# Estimates: a match is rare, and how rare follows from its score
#
sub estimate
{
	my ($out, $err) = session($node, "EXPLAIN $_[0];");

	return $out =~ /rows=(\d+)/ ? $1 : "$out$err";
}

cmp_ok(estimate("SELECT FROM gallery WHERE print % $q"), '<=', 3, 'few rows match at 40');
cmp_ok(estimate("SELECT FROM gallery WHERE print % probe($q, 60)"), '<=', 3, 'few rows match at 60');
cmp_ok(estimate("SELECT FROM gallery WHERE print % probe($q, 10)"), '>=', 150, 'a tenth of all rows match at 10');
cmp_ok(estimate("SELECT FROM gallery WHERE print % probe($q, 0)"), '>=', 2900, 'all rows match at 0');
cmp_ok(estimate('SELECT FROM event e JOIN gallery g ON g.print % e.print'), '<=', 60, 'a join finds a few rows for each');

#
# EXPLAIN shows no template that was passed as a parameter
#
my ($plan) = session($node,
	"SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint) AS SELECT id FROM gallery WHERE print % \$1; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE p($q);"
);
cmp_ok(length($plan), '<', 1000, 'a plan with parameters shows nobody\'s finger');

# Index scans are counted
$node->safe_psql('postgres', "SET enable_seqscan = off; SELECT id FROM gallery ORDER BY print <-> $q LIMIT 1");
$node->poll_query_until('postgres', "SELECT idx_scan > 0 AND idx_tup_read > 0 FROM pg_stat_user_indexes WHERE indexrelname = 'gallery_print_idx'")
  or diag('not counted');
ok(1, 'scans are counted in pg_stat_user_indexes');

# What the operator classes promise holds
is( $node->safe_psql('postgres', <<'X'), '', 'amvalidate finds nothing wrong');
SELECT opcname FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
WHERE a.amname = 'biometric' AND NOT amvalidate(c.oid)
X

$node->stop;
done_testing();
