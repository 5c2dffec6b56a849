# A gallery over three servers, searched by identify() from a fourth: the same
# candidates as one server finds, each server searching with its own index; a
# server that is away is never passed over in silence; servers come and go.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $hub = new_server('hub');

if ($hub->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0')
{
	$hub->stop;
	plan skip_all => 'postgres_fdw is not installed';
}

my %node = map { $_ => new_server("node_$_") } 1 .. 3;
my $user = getpwuid($<);
my $people = 120;
my $shards = 4;

$hub->safe_psql('postgres', <<'X');
CREATE EXTENSION postgres_fdw;
CREATE TABLE gallery (person int NOT NULL, shard int NOT NULL, list text, print fingerprint) PARTITION BY LIST (shard);
X

sub add_server
{
	my $n = shift;
	my ($host, $port) = ($node{$n}->host, $node{$n}->port);

	$hub->safe_psql('postgres', <<"X");
CREATE SERVER node_$n FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host '$host', port '$port', dbname 'postgres', extensions 'biometric', use_remote_estimate 'true', async_capable 'true');
CREATE USER MAPPING FOR PUBLIC SERVER node_$n OPTIONS (user '$user', password_required 'false');
X
	return;
}

# table shard_S on a server, and as foreign table shard_S on the hub
sub add_shard
{
	my ($n, $shard, $on_hub) = @_;

	$node{$n}->safe_psql('postgres', <<"X");
CREATE TABLE shard_$shard (person int NOT NULL, shard int NOT NULL, list text, print fingerprint);
CREATE INDEX shard_${shard}_print_idx ON shard_$shard USING biometric (print);
CREATE INDEX ON shard_$shard (person);
X
	return;
}

add_server($_) foreach 1, 2;
foreach my $shard (0 .. $shards - 1)
{
	my $n = 1 + $shard % 2;

	add_shard($n, $shard);
	$hub->safe_psql('postgres', "CREATE FOREIGN TABLE shard_$shard PARTITION OF gallery FOR VALUES IN ($shard) SERVER node_$n");
}

# two fingers each; person 7 is 7 and 1007, the same record: equal scores
$hub->safe_psql('postgres', <<"X");
INSERT INTO gallery
	SELECT s, s % $shards, CASE WHEN s % 3 = 0 THEN 'A' ELSE 'B' END, synthetic_fingerprint(s, 0, f)
	FROM generate_series(1, $people) s, (VALUES (2), (7)) v (f);
INSERT INTO gallery VALUES (900, 0, 'A', NULL);
CREATE TABLE one AS SELECT * FROM gallery;
CREATE INDEX one_print_idx ON one USING biometric (print);
CREATE INDEX ON one (person);
ANALYZE one;
X
foreach my $shard (0 .. $shards - 1)
{
	$node{ 1 + $shard % 2 }->safe_psql('postgres', "VACUUM ANALYZE shard_$shard");
}

#
# The same answers
#
my $row_search = "SELECT rank, key, score, fpir, verdict, searched FROM identify('%s', 'print', synthetic_fingerprint(%d, 3, %d), 7, %s, key_columns => '{person}')";
my $person_search = "SELECT rank, person, score, sources, fused_score, fpir, verdict, searched, depth, unseen_score FROM identify('%s', 'person', 'print', ARRAY[synthetic_fingerprint(%d, 3, 2), synthetic_fingerprint(%d, 3, 7)], 5, %s)";

sub differing
{
	my ($what, @cases) = @_;
	my @wrong;

	foreach my $case (@cases)
	{
		foreach my $search ($row_search, $person_search)
		{
			my ($person, $filter) = @$case;
			my ($far, $near) = map {
				$hub->safe_psql('postgres', sprintf($search, $_, $person, $search eq $row_search ? 2 : $person, $filter))
			} 'gallery', 'one';

			push @wrong, "$person $filter\n$far\nis not\n$near" if $far ne $near;
		}
	}
	is(join("\n", @wrong), '', $what);
	return;
}

my @cases = (
	(map { [ $_, 'NULL' ] } 7, 20, 33, 4711),
	(map { [ 12, $_ ] } q('{"list": "A"}'), q('{"list": ["A", "B"], "shard": [0, 1]}'), q('{"shard": 0}'), q('{"person": [12, 13, 14]}'), q('{"list": "nobody"}')));
differing('two servers answer what one table answers', @cases);

#
# How: each server sorts and limits, all of them at the same time
#
sub nested_plan
{
	my ($query, $setup) = @_;
	my $out = '';

	$hub->psql('postgres', <<"X", stdout => \my $stdout, stderr => \$out);
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_verbose = on;
SET client_min_messages = log;
@{[ $setup // '' ]};
$query;
X
	return $out;
}

my $plan = nested_plan(sprintf($row_search, 'gallery', 7, 2, 'NULL'));
my @remote = $plan =~ /Remote SQL: (SELECT[^\n]* ORDER BY [^\n]*<->[^\n]* LIMIT '?7)/g;
is(scalar @remote, $shards, 'each partition is asked for its nearest, with ORDER BY and LIMIT') or diag($plan);
is(() = $plan =~ /Async Foreign Scan[^\n]*\n[^\n]*Output[^\n]*\n[^\n]*Remote SQL: SELECT[^\n]*<->/g, $shards, 'all at the same time') or diag($plan);
is(() = $plan =~ /Remote SQL: SELECT count\(\*\)/g, $shards, 'and each counts its own') or diag($plan);
$plan = nested_plan(sprintf($row_search, 'gallery', 7, 2, q('{"shard": 3}')));
is(() = $plan =~ /Remote SQL: SELECT[^\n]*<->/g, 1, 'a filter on the partition key asks one server') or diag($plan);

my $scans = "SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname ~ 'print'";
my $before = $node{1}->safe_psql('postgres', $scans);
# a planner with the choice would read tables this small from end to end
$node{1}->append_conf('postgresql.conf', 'enable_seqscan = off');
$node{1}->reload;
$hub->safe_psql('postgres', sprintf($row_search, 'gallery', 7, 2, 'NULL'));
ok( $node{1}->poll_query_until('postgres', "SELECT sum(idx_scan) > $before FROM pg_stat_user_indexes WHERE indexrelname ~ 'print'"),
	'there, its own index is used');

#
# Rights: by the table's, where the partitions' are wanting
#
$hub->safe_psql('postgres', <<'X');
CREATE ROLE officer LOGIN;
GRANT SELECT ON gallery, one TO officer;
CREATE ROLE stranger LOGIN;
X
is( $hub->safe_psql('postgres', sprintf($person_search, 'gallery', 20, 20, 'NULL'), extra_params => [ '-U', 'officer' ]),
	$hub->safe_psql('postgres', sprintf($person_search, 'one', 20, 20, 'NULL')),
	'who may read the table alone gets the same answer');
my ($stdout, $stderr) = session($hub, sprintf($row_search, 'gallery', 20, 2, 'NULL'), user => 'stranger');
like($stderr, qr/permission denied for table gallery/, 'who may not read it gets none');
$hub->safe_psql('postgres', <<'X');
ALTER TABLE gallery ENABLE ROW LEVEL SECURITY;
CREATE POLICY a ON gallery TO officer USING (list = 'A');
GRANT SELECT ON ALL TABLES IN SCHEMA public TO officer;
X
is( $hub->safe_psql('postgres', "SELECT count(*), max(searched) FROM identify('gallery', 'print', synthetic_fingerprint(20, 3, 2), 100)", extra_params => [ '-U', 'officer' ]),
	'80|40', "the table's policies hold, though the partitions could be read");
($stdout, $stderr) = session($hub, "SELECT * FROM identify('gallery', 'print', synthetic_fingerprint(20, 3, 2), without_servers => '{node_1}')", user => 'officer');
like($stderr, qr/cannot leave out servers of "gallery"/, 'and cannot be gone around');
$hub->safe_psql('postgres', 'ALTER TABLE gallery DISABLE ROW LEVEL SECURITY; DROP POLICY a ON gallery');

#
# A server is away
#
$node{2}->stop('immediate');
($stdout, $stderr) = session($hub, sprintf($row_search, 'gallery', 7, 2, 'NULL'));
is($stdout, '', 'with a server away there is no answer');
like($stderr, qr/ERROR:  could not connect to server "node_2"/, 'but an error that names it');
($stdout, $stderr) = session($hub, sprintf($person_search, 'gallery', 7, 7, 'NULL'));
is($stdout, '', 'nor for persons');
like($stderr, qr/ERROR:  could not connect to server "node_2"/, 'but the same error');
is($hub->safe_psql('postgres', "SELECT server, partition, reachable, problem ~ 'node_2' FROM gallery_nodes('gallery')"),
	"node_1|shard_0|t|\nnode_2|shard_1|f|t\nnode_1|shard_2|t|\nnode_2|shard_3|f|t",
	'gallery_nodes says who is away');
is( $hub->safe_psql('postgres', "SELECT rank, key->>'person', searched FROM identify('gallery', 'print', synthetic_fingerprint(20, 0, 2), 1, without_servers => '{node_2}', key_columns => '{person}')"),
	"1|20|60", 'what is there is searched by who says what to leave out, and counted');
is( $hub->safe_psql('postgres', "SELECT rank, person, searched FROM identify('gallery', 'person', 'print', ARRAY[synthetic_fingerprint(20, 0, 2), synthetic_fingerprint(20, 0, 7)], 1, without_servers => (SELECT array_agg(DISTINCT server) FROM gallery_nodes('gallery') WHERE NOT reachable))"),
	"1|20|60", 'for persons, too');
is($hub->safe_psql('postgres', "SELECT rank, searched FROM identify('gallery', 'print', synthetic_fingerprint(20, 0, 2), 1, filter => '{\"shard\": 0}')"),
	'1|30', 'a search that does not need it is answered');
foreach my $case (
	[ "'{nobody}'", qr/server "nobody" does not exist/ ],
	[ "'{node_1,node_2}'", qr/every server of "gallery" is left out/ ],
	[ "'{NULL}'", qr/must not be null/ ])
{
	($stdout, $stderr) = session($hub, "SELECT * FROM identify('gallery', 'print', synthetic_fingerprint(20), without_servers => $case->[0])");
	like($stderr, $case->[1], "without_servers $case->[0]");
}
($stdout, $stderr) = session($hub, "SELECT * FROM identify('one', 'print', synthetic_fingerprint(20), without_servers => '{node_1}')");
like($stderr, qr/cannot leave out servers of "one"/, 'a table has none to leave out');
($stdout, $stderr) = session($hub, "SELECT * FROM gallery_nodes('one')");
like($stderr, qr/"one" has no partitions on other servers/, 'nor to list');
$node{2}->start;
differing('it is back', [ 7, 'NULL' ]);

#
# A server is added: shard 3 moves from node 2 to node 3.  Writers wait; the
# rows are committed there before they are looked for there.
#
add_server(3);
add_shard(3, 3);
$hub->safe_psql('postgres', <<'X');
CREATE FOREIGN TABLE shard_3_new (person int NOT NULL, shard int NOT NULL, list text, print fingerprint) SERVER node_3 OPTIONS (table_name 'shard_3');
BEGIN;
LOCK TABLE gallery IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO shard_3_new SELECT * FROM shard_3;
ALTER TABLE gallery DETACH PARTITION shard_3;
ALTER TABLE gallery ATTACH PARTITION shard_3_new FOR VALUES IN (3);
COMMIT;
DROP FOREIGN TABLE shard_3;
ALTER FOREIGN TABLE shard_3_new RENAME TO shard_3;
X
$node{2}->safe_psql('postgres', 'DROP TABLE shard_3');
$node{3}->safe_psql('postgres', 'VACUUM ANALYZE shard_3');
is($hub->safe_psql('postgres', "SELECT string_agg(server || ':' || partition, ' ' ORDER BY partition::text) FROM gallery_nodes('gallery')"),
	'node_1:shard_0 node_2:shard_1 node_1:shard_2 node_3:shard_3', 'a shard moved to a new server');
differing('three servers answer what one table answers', @cases);

#
# The receiving server fails between the copy and the commit: nothing happened
#
add_shard(3, 1);
$hub->safe_psql('postgres', "CREATE FOREIGN TABLE shard_1_new (person int NOT NULL, shard int NOT NULL, list text, print fingerprint) SERVER node_3 OPTIONS (table_name 'shard_1')");
my $move = $hub->background_psql('postgres', on_error_stop => 0);
$move->query_safe('BEGIN; LOCK TABLE gallery IN SHARE ROW EXCLUSIVE MODE; INSERT INTO shard_1_new SELECT * FROM shard_1');
$move->query_safe('ALTER TABLE gallery DETACH PARTITION shard_1; ALTER TABLE gallery ATTACH PARTITION shard_1_new FOR VALUES IN (1)');
$node{3}->stop('immediate');
$move->query('COMMIT');
$move->quit;
$node{3}->start;
is($hub->safe_psql('postgres', "SELECT string_agg(server || ':' || partition, ' ' ORDER BY partition::text) FROM gallery_nodes('gallery')"),
	'node_1:shard_0 node_2:shard_1 node_1:shard_2 node_3:shard_3', 'a move that failed left everything where it was');
is($node{3}->safe_psql('postgres', 'SELECT count(*) FROM shard_1'), '0', 'and no rows elsewhere');
differing('and nobody lost', @cases);

#
# Again, to drain node 2
#
$hub->safe_psql('postgres', <<'X');
BEGIN;
LOCK TABLE gallery IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO shard_1_new SELECT * FROM shard_1;
ALTER TABLE gallery DETACH PARTITION shard_1;
ALTER TABLE gallery ATTACH PARTITION shard_1_new FOR VALUES IN (1);
COMMIT;
DROP FOREIGN TABLE shard_1;
DROP SERVER node_2 CASCADE;
X
$node{2}->stop;
differing('a server was drained and is gone', @cases);

# Rows go where they belong
$hub->safe_psql('postgres', "INSERT INTO gallery SELECT 5000, s, 'A', synthetic_fingerprint(5000, s, 2) FROM generate_series(0, 3) s; INSERT INTO one SELECT * FROM gallery WHERE person = 5000");
differing('rows inserted from the hub are found', [ 5000, 'NULL' ]);
index_is_sound($node{3}, "index of shard $_ on the new server", index => "shard_${_}_print_idx") foreach 1, 3;

$_->stop foreach $hub, @node{ 1, 3 };
done_testing();
