# The words of an index survive crashes, are the same on a standby, stay right
# when many write at once, and damage to their pages is noticed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $block_size = 8192;
my $primary = new_server('primary',
	allows_streaming => 1,
	checksums => 0,
	conf => "wal_consistency_checking = 'generic'\nautovacuum = off\n");

$primary->safe_psql('postgres', <<'X');
CREATE SEQUENCE added;
CREATE TABLE gallery (id int, print fingerprint);
CREATE INDEX gallery_print_idx ON gallery USING biometric (print) WITH (pending_limit = 30);
CREATE TABLE finger AS SELECT i, synthetic_fingerprint(i) AS print FROM generate_series(1, 400) AS i;
X
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# ---- many write at once ------------------------------------------------------

my $insert = $primary->basedir . '/insert.sql';
my $delete = $primary->basedir . '/delete.sql';
my $vacuum = $primary->basedir . '/vacuum.sql';
my $search = $primary->basedir . '/search.sql';

append_to_file($insert, <<'X');
\set finger random(1, 400)
INSERT INTO gallery SELECT nextval('added'), print FROM finger WHERE i = :finger;
X
append_to_file($delete, <<'X');
\set part random(0, 9)
DELETE FROM gallery WHERE id % 10 = :part AND id > 400;
X
append_to_file($vacuum, "VACUUM gallery;\n");
append_to_file($search, <<'X');
\set finger random(1, 400)
SET enable_seqscan = off;
SET biometric.search_mode = fast;
SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM finger WHERE i = :finger) LIMIT 1;
X

# the first 400 rows stay, one for each finger
$primary->safe_psql('postgres', "INSERT INTO gallery SELECT nextval('added'), print FROM finger");
$primary->command_ok(
	[
		'pgbench', '-n', '-c', '5', '-j', '2', '-t', '150',
		'-f', "$insert\@60", '-f', "$delete\@2", '-f', "$vacuum\@3", '-f', "$search\@8",
		'-h', $primary->host, '-p', $primary->port, 'postgres'
	],
	'insertions, deletions, vacuums and searches at the same time');
index_is_sound($primary, 'the index is sound afterwards');

# how many fingers are not found by the words of their own template
my $unfound = <<'X';
SET enable_seqscan = off;
SET biometric.search_mode = fast;
SET biometric.penetration_rate = 0.2;
SELECT count(*) FROM finger f WHERE i % 10 = 3 AND
	(SELECT g.print <-> f.print FROM gallery g ORDER BY g.print <-> f.print LIMIT 1) > (f.print <-> f.print);
X
is($primary->safe_psql('postgres', $unfound), '0', 'fast searches find the nearest');

# ---- a standby ------------------------------------------------------------------

$primary->wait_for_catchup($standby);
index_is_sound($standby, 'the index is sound on the standby');
is($standby->safe_psql('postgres', $unfound), '0', 'fast searches on the standby find the nearest');
is( $standby->safe_psql('postgres', "SELECT * FROM biometric_index_stats('gallery_print_idx')"),
	$primary->safe_psql('postgres', "SELECT * FROM biometric_index_stats('gallery_print_idx')"),
	'pages of all kinds are the same');
$standby->stop;

# ---- crashes --------------------------------------------------------------------

foreach my $round (1 .. 3)
{
	my $bench = IPC::Run::start(
		[
			'pgbench', '-n', '-c', '3', '-T', '60', '-f', "$insert\@60", '-f', "$delete\@1", '-f', "$vacuum\@3",
			'-h', $primary->host, '-p', $primary->port, 'postgres'
		],
		'>', \my $out, '2>', \my $err);

	select(undef, undef, undef, 0.4 + 0.3 * $round);
	$primary->stop('immediate');
	$bench->finish;
	$primary->start;
	index_is_sound($primary, "crash $round: the index is sound");
	$primary->safe_psql('postgres', 'VACUUM gallery');
	index_is_sound($primary, "crash $round: and after vacuum");
	is($primary->safe_psql('postgres', $unfound), '0', "crash $round: fast searches find the nearest");
}

# ---- damage ---------------------------------------------------------------------

$primary->safe_psql('postgres', <<'X');
INSERT INTO gallery SELECT nextval('added'), print FROM finger LIMIT 45;
CHECKPOINT;
X
my $file = $primary->data_dir . '/' . $primary->safe_psql('postgres', "SELECT pg_relation_filepath('gallery_print_idx')");

$primary->stop;
my $sound = slurp_binary($file);
my %block_of;

# the kind is in the last four bytes of a page
foreach my $block (1 .. length($sound) / $block_size - 1)
{
	my $kind = unpack('S', substr($sound, ($block + 1) * $block_size - 4, 2));

	$block_of{$kind} //= $block;
}

my %kinds = (3 => 'leaf', 4 => 'directory', 5 => 'pending');

# where the contents of a page begin: low, high, right, count
my %damage = (
	'count' => [ 44, pack('S', 60000) ],
	'right sibling' => [ 40, pack('L', 4000000) ],
	'lower bound' => [ 24, pack('Q', 987654321) ],
	'kind' => [ $block_size - 4, pack('S', 77) ]);

foreach my $kind (sort keys %kinds)
{
	ok(defined $block_of{$kind}, "there is a $kinds{$kind} page") or next;
	foreach my $name (sort keys %damage)
	{
		my $copy = $sound;

		substr($copy, $block_of{$kind} * $block_size + $damage{$name}[0], length($damage{$name}[1])) =
		  $damage{$name}[1];
		open(my $damaged, '>:raw', $file) or die $!;
		print $damaged $copy;
		close($damaged);
		$primary->start;
		my ($stdout, $stderr) = session($primary, <<'X');
\set VERBOSITY verbose
SET enable_seqscan = off;
SET biometric.search_mode = fast;
SELECT 'found', count(*) FROM (SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM finger WHERE i = 3) LIMIT 1) x;
INSERT INTO gallery SELECT nextval('added'), print FROM finger LIMIT 40;
VACUUM gallery;
SELECT biometric_index_check('gallery_print_idx', true);
SELECT 'alive';
X
		like($stdout, qr/alive$/, "$kinds{$kind}, $name: the session survives");
		is(join(' ', grep { $_ ne 'XX002' } $stderr =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g),
			'', "$kinds{$kind}, $name: errors say that the index is damaged");
		like($stderr, qr/ERROR:  XX002/, "$kinds{$kind}, $name: the damage is noticed");
		$primary->stop;
	}
}

done_testing();
