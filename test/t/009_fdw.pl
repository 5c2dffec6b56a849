# Galleries on other servers through postgres_fdw: the search is done there,
# and the answer is the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $node = new_server('main', conf => 'max_connections = 30');

if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0')
{
	$node->stop;
	plan skip_all => 'postgres_fdw is not installed';
}

my $host = $node->host;
my $port = $node->port;

foreach my $shard (1 .. 2)
{
	$node->safe_psql('postgres', "CREATE DATABASE shard_$shard");
	$node->safe_psql("shard_$shard", <<"X");
CREATE EXTENSION biometric;
CREATE TABLE gallery (id int, print fingerprint, shard int DEFAULT $shard);
INSERT INTO gallery SELECT s * 100 + c, synthetic_fingerprint(s, c)
	FROM generate_series($shard, 80, 2) s, generate_series(0, 1) c;
INSERT INTO gallery VALUES (-$shard, NULL);
CREATE INDEX gallery_print_idx ON gallery USING biometric (print);
VACUUM ANALYZE gallery;
X
}
$node->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw; CREATE TABLE gallery (id int, print fingerprint, shard int) PARTITION BY LIST (shard)');
foreach my $shard (1 .. 2)
{
	$node->safe_psql('postgres', <<"X");
CREATE SERVER shard_$shard FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host '$host', port '$port', dbname 'shard_$shard', extensions 'biometric', use_remote_estimate 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER shard_$shard;
CREATE FOREIGN TABLE gallery_$shard PARTITION OF gallery FOR VALUES IN ($shard)
	SERVER shard_$shard OPTIONS (table_name 'gallery');
X
}

# a larger one, for plans alone
$node->safe_psql('shard_1', <<'X');
CREATE TABLE large AS SELECT n AS id, print FROM gallery, generate_series(1, 25) n WHERE print IS NOT NULL;
CREATE INDEX large_print_idx ON large USING biometric (print);
VACUUM ANALYZE large;
X
$node->safe_psql('postgres', <<'X');
CREATE FOREIGN TABLE large (id int, print fingerprint) SERVER shard_1;
CREATE TABLE copy AS SELECT * FROM gallery;
CREATE TABLE probe AS SELECT n, synthetic_fingerprint(n * 7, 8) AS print FROM generate_series(1, 4) n;
ANALYZE;
X
is($node->safe_psql('postgres', 'SELECT count(*) FROM copy'), '162', 'templates travel');

sub plan_of
{
	my ($query, $setup) = @_;
	my ($plan, $err) = session($node, ($setup ? "$setup;" : '') . "EXPLAIN (VERBOSE, COSTS OFF) $query;");

	return "$plan$err";
}

my $q = 'synthetic_fingerprint(21, 9)';

like(
	plan_of("SELECT id FROM large ORDER BY print <-> $q LIMIT 5"),
	qr/^Foreign Scan.*Remote SQL: SELECT.* ORDER BY \(print OPERATOR\(public\.<->\).* LIMIT 5/s,
	'nearest first: order and limit are done there');
like(
	plan_of("SELECT id FROM large WHERE print % probe($q, 30)"),
	qr/Remote SQL: SELECT id FROM public\.large WHERE \(\(print OPERATOR\(public\.%\) /,
	'who matches from a score on: it is done there');
like(
	plan_of("SELECT id FROM large WHERE print % probe($q, 3) ORDER BY print <-> $q LIMIT 5"),
	qr/Remote SQL: SELECT.* WHERE \(\(print OPERATOR\(public\.%\) .* ORDER BY \(print OPERATOR\(public\.<->\)/s,
	'who matches, nearest first: both is done there');
like(
	plan_of("EXECUTE p($q)",
		'SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint) AS SELECT id FROM large ORDER BY print <-> $1 LIMIT 5'),
	qr/Remote SQL: SELECT.* ORDER BY \(print OPERATOR\(public\.<->\) \$1::public\.fingerprint\).* LIMIT 5/s,
	'nearest first to a parameter: order and limit are done there');
like(
	plan_of("EXECUTE p($q)",
		'SET plan_cache_mode = force_generic_plan; PREPARE p(fingerprint) AS SELECT id FROM large WHERE print % probe($1, 30)'),
	qr/Remote SQL: SELECT.* WHERE \(\(print OPERATOR\(public\.%\) public\.probe\(\$1::public\.fingerprint/s,
	'who matches a parameter: it is done there');
unlike(
	plan_of("SELECT id FROM large WHERE print % $q"),
	qr/Remote SQL:.*WHERE/,
	'a match by the session\'s own threshold, which no other server knows, is decided here');
like(
	plan_of("SELECT id FROM gallery WHERE print % probe($q, 30)"),
	qr/Append.*Remote SQL: SELECT.*gallery WHERE \(\(print OPERATOR\(public\.%\).*Remote SQL: SELECT.*gallery WHERE \(\(print OPERATOR\(public\.%\)/s,
	'partitions on two servers: each matches its own');
like(
	plan_of("SELECT id FROM gallery ORDER BY print <-> $q LIMIT 5", 'SET enable_sort = off'),
	qr/Merge Append.*Remote SQL:.* ORDER BY.*Remote SQL:.* ORDER BY/s,
	'partitions on two servers: each sorts its own');

# The remote servers use their indexes
add_tools($node, 'shard_1');
is( $node->safe_psql('shard_1', <<"X"), 't', 'there, the index is used');
SET search_path = pg_catalog;
SELECT public.plan('SELECT id FROM public.gallery WHERE print OPERATOR(public.%) public.probe(public.$q, 30) ORDER BY print OPERATOR(public.<->) public.$q LIMIT 5') ~ 'gallery_print_idx'
X

# The answers, near and far.  copy has no index: it is what a sequential scan
# says.
my @wrong;

foreach my $n (1 .. 4)
{
	my $p = "synthetic_fingerprint($n * 7, 8)";

	foreach my $tail (
		"ORDER BY print <-> $p LIMIT 7",
		"WHERE print % probe($p, 15) ORDER BY print <-> $p",
		"WHERE print IS NOT NULL AND id % 2 = 0 ORDER BY print <-> $p LIMIT 4 OFFSET 3")
	{
		my $far = $node->safe_psql('postgres', "SELECT print <-> $p FROM gallery $tail");
		my $near = $node->safe_psql('postgres', "SELECT print <-> $p FROM copy $tail");

		push @wrong, "$n $tail" if $far ne $near;
	}
	my $far = $node->safe_psql('postgres', "SELECT id FROM gallery WHERE print % probe($p, 12) ORDER BY id");
	my $near = $node->safe_psql('postgres', "SELECT id FROM copy WHERE print % probe($p, 12) ORDER BY id");

	push @wrong, "$n matches" if $far ne $near;
}
is(join("\n", @wrong), '', 'distances and matches agree to the bit, near and far');

# A search for each of several people, and a merge of the best of each server
is( $node->safe_psql('postgres', 'SELECT count(*) FROM probe p JOIN gallery g ON g.print % probe(p.print, 15)'),
	$node->safe_psql('postgres', 'SELECT count(*) FROM probe p JOIN copy g ON g.print % probe(p.print, 15)'),
	'a join finds the same pairs');
is( $node->safe_psql('postgres', <<"X"),
SELECT string_agg(d::text, ' ' ORDER BY d) FROM (
	(SELECT print <-> $q AS d FROM gallery_1 ORDER BY 1 LIMIT 5)
	UNION ALL (SELECT print <-> $q FROM gallery_2 ORDER BY 1 LIMIT 5) ORDER BY d LIMIT 5) x
X
	$node->safe_psql('postgres', "SELECT string_agg(d::text, ' ' ORDER BY d) FROM (SELECT print <-> $q AS d FROM copy ORDER BY 1 LIMIT 5) x"),
	'the best of each server, merged, are the best of all');

# Rows travel the other way
$node->safe_psql('postgres', 'INSERT INTO gallery SELECT 90000 + n, print, 1 + n % 2 FROM probe');
is($node->safe_psql('postgres', 'SELECT count(*) FROM gallery g JOIN probe p ON g.print = p.print'), '4', 'rows inserted from afar are there');
index_is_sound($node, "and in the index of shard $_", database => "shard_$_") foreach 1 .. 2;

$node->stop;
done_testing();
