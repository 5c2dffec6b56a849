# A crash after any WAL record of an index loses nothing.
#
# The WAL of a workload is given to a standby record by record.  Wherever it
# stands, it has what a server has that crashed after that record: the index is
# sound, and answers as it should.  At some points copies of it become servers of
# their own and go on working.

use strict;
use warnings;

use File::Copy qw(copy);
use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;

my $segment_size = 1024 * 1024;
my $primary = new_server('primary',
	allows_streaming => 1,
	extra => [ '--wal-segsize', '1' ],
	conf => "autovacuum = off\nfull_page_writes = off\nwal_keep_size = '1GB'\nmax_wal_size = '2GB'\ncheckpoint_timeout = '1h'\n");

# Each part of the work meets merges, as small as they come.  The eyes are those
# of 40 people; what a search finds of them is known at any time.
$primary->safe_psql('postgres', <<'X');
CREATE TABLE gallery (id int, eye iris);
INSERT INTO gallery SELECT i, synthetic_iris(i) FROM generate_series(1, 40) AS i;
INSERT INTO gallery VALUES (0, NULL);
CREATE INDEX gallery_eye ON gallery USING biometric (eye) WITH (pending_limit = 16);
CREATE TABLE other AS SELECT i, synthetic_iris(i) AS eye FROM generate_series(1, 5) AS i;
CREATE INDEX other_eye ON other USING biometric (eye) WITH (pending_limit = 16);
TRUNCATE other;
-- what is compared with what
CREATE FUNCTION wrong(index regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	gallery text := split_part(index::text, '_', 1);
	exact bigint[];
	fast bigint[];
	truth bigint[];
BEGIN
	PERFORM biometric_index_check(index, true);
	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_bitmapscan = off;
	SET LOCAL enable_sort = off;
	EXECUTE format('SELECT array_agg(i) FROM (SELECT %s AS i FROM %s ORDER BY eye <-> synthetic_iris(3, 1)) AS s',
		CASE gallery WHEN 'other' THEN 'i' ELSE 'id' END, gallery) INTO exact;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_sort = on;
	EXECUTE format('SELECT array_agg(i) FROM (SELECT %s AS i FROM %s ORDER BY eye <-> synthetic_iris(3, 1), ctid) AS s',
		CASE gallery WHEN 'other' THEN 'i' ELSE 'id' END, gallery) INTO truth;
	RETURN CASE WHEN exact IS DISTINCT FROM truth THEN format('%s: %s instead of %s', index, exact, truth) END;
END
$$;
X
$primary->backup('base');

my $start = $primary->lsn('insert');

$primary->safe_psql('postgres', $_) foreach (
	'INSERT INTO gallery SELECT 100 + i, synthetic_iris(100 + i) FROM generate_series(1, 36) AS i',
	'INSERT INTO other SELECT i, synthetic_iris(i) FROM generate_series(1, 20) AS i',
	'UPDATE gallery SET eye = synthetic_iris(id + 500) WHERE id % 6 = 0',
	"SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM gallery ORDER BY eye <-> synthetic_iris(3, 1)) AS s",
	'DELETE FROM gallery WHERE id % 5 = 2',
	'VACUUM (INDEX_CLEANUP on) gallery',
	'INSERT INTO gallery SELECT 200 + i, synthetic_iris(200 + i) FROM generate_series(1, 20) AS i',
	'DELETE FROM other',
	'VACUUM (INDEX_CLEANUP on) other',
	'INSERT INTO other SELECT i, synthetic_iris(i) FROM generate_series(1, 20) AS i');

my $timeline = '00000001';
my $end = $primary->lsn('insert');

$primary->stop;

my @records;

foreach my $line (
	split(
		/\n/,
		(run_command([ $primary->installed_command('pg_waldump'), '-p', $primary->data_dir . '/pg_wal', '-s', $start, '-e', $end ]))[0]))
{
	push @records, [ $1, $2 ] if $line =~ m{^rmgr: (\S+).* lsn: ([0-9A-F]+/[0-9A-F]+)};
}
# where those of indexes begin, and where the next ones do
my @begins = map { $records[$_][1] } grep { $records[$_][0] eq 'Generic' } (0 .. $#records - 1);
my @ends = map { $records[ $_ + 1 ][1] } grep { $records[$_][0] eq 'Generic' } (0 .. $#records - 1);

cmp_ok(scalar @ends, '>', 150, 'the work has many records: ' . @ends);

sub position
{
	my ($high, $low) = split(m{/}, shift);

	return hex($high) * 2**32 + hex($low);
}

sub segment_name
{
	my $number = shift;
	my $per_id = 2**32 / $segment_size;

	return sprintf('%s%08X%08X', $timeline, int($number / $per_id), $number % $per_id);
}

# The archive as it is when the WAL ends at a position
my $archive = $primary->basedir . '/archive';

mkdir($archive) or die $!;
sub archive_until
{
	my $position = shift;

	for (my $number = int(position($start) / $segment_size); $number * $segment_size < $position; $number++)
	{
		my $bytes = slurp_binary($primary->data_dir . '/pg_wal/' . segment_name($number));
		my $length = $position - $number * $segment_size;

		substr($bytes, $length) = "\0" x ($segment_size - $length) if $length < $segment_size;
		open(my $out, '>:raw', "$archive/new") or die $!;
		print $out $bytes;
		close($out);
		rename("$archive/new", "$archive/" . segment_name($number)) or die $!;
	}
	return;
}

my $standby = PostgreSQL::Test::Cluster->new('standby');

archive_until(position($ends[0]));
$standby->init_from_backup($primary, 'base');
$standby->append_conf('postgresql.conf', <<"X");
restore_command = 'cp "$archive/%f" "%p"'
wal_retrieve_retry_interval = '1ms'
hot_standby = on
primary_conninfo = ''
max_standby_archive_delay = -1
X
$standby->set_standby_mode;
$standby->start;

my @promoted = map { int($_ * $#ends / 8) } (1 .. 7);
my @wrong;

foreach my $i (0 .. $#ends)
{
	archive_until(position($ends[$i]));
	my ($out, $err) = session($standby, <<"X");
SET statement_timeout = '60s';
DO \$\$ BEGIN WHILE pg_last_wal_replay_lsn() <= '$begins[$i]' LOOP PERFORM pg_sleep(0.002); END LOOP; END \$\$;
SELECT wrong('gallery_eye'), wrong('other_eye');
X

	push @wrong, "record $i, $ends[$i]: $out $err" if $out ne '|' || $err ne '';
	next if !grep { $_ == $i } @promoted;

	my $copy = PostgreSQL::Test::Cluster->new("copy$i");

	$standby->stop;
	PostgreSQL::Test::RecursiveCopy::copypath($standby->data_dir, $copy->data_dir, filterfn => sub { $_[0] ne 'postmaster.pid' });
	chmod(0700, $copy->data_dir);
	$standby->start;
	$copy->append_conf('postgresql.conf', 'port = ' . $copy->port . "\n");
	$copy->start;
	$copy->promote;
	$copy->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
	($out, $err) = session($copy, <<'X');
SELECT wrong('gallery_eye'), wrong('other_eye');
INSERT INTO gallery SELECT 300 + i, synthetic_iris(300 + i) FROM generate_series(1, 70) AS i;
INSERT INTO other SELECT 300 + i, synthetic_iris(300 + i) FROM generate_series(1, 40) AS i;
SELECT wrong('gallery_eye'), wrong('other_eye');
DELETE FROM gallery WHERE id % 4 = 1;
VACUUM (INDEX_CLEANUP on) gallery;
VACUUM (INDEX_CLEANUP on) other;
INSERT INTO gallery SELECT 400 + i, synthetic_iris(400 + i) FROM generate_series(1, 70) AS i;
SELECT wrong('gallery_eye'), wrong('other_eye');
X
	is("$out$err", "|\n|\n|", "record $i: a server that crashed there goes on");
	$copy->stop;
}
splice(@wrong, 10) if @wrong > 10;
is(join("\n", @wrong), '', 'after each record the index is sound, and answers as a sequential scan');
$standby->stop;
done_testing();
