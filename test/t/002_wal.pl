# A standby replays every change of an index byte for byte, answers like the
# primary, and goes on as primary itself.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use Test::More;

# The standby compares each page it has replayed with an image of the primary's,
# and stops at the first difference.
#
# hot_standby_feedback stays off: it would make vacuum spare the rows that were
# deleted in the last seconds, which are all there are.
my $primary = new_server('primary', allows_streaming => 1, conf => "wal_consistency_checking = 'generic'\n");
my $standby = PostgreSQL::Test::Cluster->new('standby');

$primary->backup('base');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# What both say to the same questions, by the index
sub both_agree
{
	my ($modality, $promise) = @_;
	my $questions = join(";\n",
		'SET enable_seqscan = off',
		'SET enable_bitmapscan = off',
		"SELECT plan('SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM probe WHERE n = 1) LIMIT 5') !~ 'Index Scan using gallery_print_idx'",
		'SELECT count(*) FROM gallery',
		"SELECT pages, empty_pages, entries, free_bytes FROM biometric_index_stats('gallery_print_idx')",
		map {
			my $q = "(SELECT print FROM probe WHERE n = $_)";

			(
				"SELECT round((print <-> $q)::numeric, 12) FROM gallery ORDER BY print <-> $q",
				"SELECT id FROM gallery WHERE print % probe($q, 12) ORDER BY id + 0"
			)
		} (1, 2, 4, 9)) . ';';
	my ($here, $error_here) = session($primary, $questions);

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
	my ($there, $error_there) = session($standby, $questions);

	ok($here eq $there && $here =~ /^f\n/ && "$error_here$error_there" eq '', $promise)
	  or diag("$error_here$error_there", substr($here, 0, 200), "\n--\n", substr($there, 0, 200));
	return;
}

foreach my $modality ('fingerprint', 'iris')
{
	my $cycles = $modality eq 'iris' ? 3 : 10;

	$primary->safe_psql('postgres', 'DROP TABLE IF EXISTS gallery, probe');
	add_gallery($primary, modality => $modality, subjects => 30, captures => 2, probes => 12);
	both_agree($modality, "$modality: the standby has the index that was built");
	foreach my $cycle (1 .. $cycles)
	{
		my $fresh = synthetic($modality, 's', $cycle, 0);

		my $left = $primary->safe_psql('postgres', <<"X");
DELETE FROM gallery WHERE id % 10 = $cycle % 10 OR id % 7 = $cycle % 7;
VACUUM gallery;
SELECT entries - (SELECT count(*) FROM gallery) FROM biometric_index_stats('gallery_print_idx');
INSERT INTO gallery SELECT 10000 * $cycle + s, $fresh, s % 5, '' FROM generate_series(1, 25) s;
INSERT INTO gallery SELECT -10000 * $cycle - s, NULL, s % 5, '' FROM generate_series(1, 3) s;
UPDATE gallery SET print = print, note = 'moved' WHERE id % 11 = $cycle;
X
		is($left, '0', "$modality, cycle $cycle: vacuum leaves no entry of a deleted row");
		$primary->safe_psql('postgres', 'CHECKPOINT') if $cycle % 3 == 0;
		both_agree($modality, "$modality, cycle $cycle: the same answers after delete, vacuum and insert");
	}
	index_is_sound($primary, "$modality: the index on the primary is sound");
	index_is_sound($standby, "$modality: the index on the standby is sound");
	same_answers($standby, "$modality: on the standby, the index answers like a sequential scan");
}

# REINDEX and CREATE INDEX CONCURRENTLY travel too
$primary->safe_psql('postgres', 'DROP TABLE gallery, probe');
add_gallery($primary, subjects => 30, captures => 2, probes => 12);
$primary->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY gallery_print_idx');
both_agree('fingerprint', 'the standby has the index that was rebuilt');
$primary->safe_psql('postgres',
	'DROP INDEX gallery_print_idx; CREATE INDEX CONCURRENTLY gallery_print_idx ON gallery USING biometric (print)');
both_agree('fingerprint', 'the standby has the index that was built concurrently');

# A scan on the standby keeps its answer while replay goes on.
my $reader = $standby->background_psql('postgres');
my $expected = $standby->safe_psql('postgres',
	'SELECT id FROM gallery ORDER BY (print <-> (SELECT print FROM probe WHERE n = 1)) + 0, id');

$reader->query_safe(<<'X');
SET enable_seqscan = off; SET enable_sort = on;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE c CURSOR FOR SELECT id, print <-> (SELECT print FROM probe WHERE n = 1) AS d FROM gallery
	ORDER BY print <-> (SELECT print FROM probe WHERE n = 1);
X
my $fetched = $reader->query_safe('FETCH 5 FROM c') . "\n";

$primary->safe_psql('postgres', <<'X');
INSERT INTO gallery SELECT 700000 + n, print, 0, '' FROM probe, generate_series(1, 5);
X
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('flush'));
$fetched .= $reader->query_safe('FETCH ALL FROM c');
$reader->query_safe('COMMIT');
$reader->quit;

# rows of one distance come in any order; made comparable
my %distance = map { split /\|/ } split /\n/, $fetched;
my $ordered = join("\n", sort { $distance{$a} <=> $distance{$b} || $a <=> $b } keys %distance);
my @distances = map { (split /\|/)[1] } split /\n/, $fetched;

is($ordered, $expected, 'a scan on the standby keeps its answer while replay goes on');
is("@distances", join(' ', sort { $a <=> $b } @distances), 'and its order');

# Promotion
$standby->promote;
$primary->stop;
$standby->safe_psql('postgres', <<'X');
DELETE FROM gallery WHERE id % 3 = 0;
INSERT INTO gallery SELECT 800000 + n, print, 0, '' FROM probe;
VACUUM gallery;
INSERT INTO gallery SELECT 900000 + n, synthetic_fingerprint(n, 9), 0, '' FROM generate_series(1, 40) n;
X
same_answers($standby, 'the promoted standby takes new rows and answers on');
index_is_sound($standby, 'the index of the promoted standby is sound');
$standby->stop;

done_testing();
