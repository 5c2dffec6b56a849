# Several processes search an index, or build it, and answer what one does;
# without shared memory, after an error, a cancellation or a crash too.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run;
use Test::More;

my $node = new_server('main', conf => <<'X');
dynamic_shared_memory_type = mmap
max_worker_processes = 8
max_parallel_maintenance_workers = 2
min_parallel_table_scan_size = 0
min_parallel_index_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
work_mem = 64kB
maintenance_work_mem = 128MB
X

# difference() of a query that several processes answer
$node->safe_psql('postgres', <<'X');
CREATE FUNCTION index_plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	lines text;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
	lines := plan(query);
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
	RETURN lines;
END
$$;
CREATE FUNCTION parallel_difference(query text, ordered boolean, cut boolean) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', '3', true);
	IF index_plan(query) !~ 'Gather.*Parallel Index Scan using gallery_print_idx' THEN
		RETURN 'no parallel plan: ' || query || E'\n' || index_plan(query);
	END IF;
	RETURN difference(query, 'index', ordered, cut);
END
$$;
X

#
# Searches
#
seed(12);
foreach my $modality ('iris', 'fingerprint')
{
	my $rounds = $modality eq 'iris' ? 60 : 25;
	my @questions;

	add_gallery($node, modality => $modality, subjects => $modality eq 'iris' ? 1500 : 60);
	$node->safe_psql('postgres',
		"INSERT INTO gallery SELECT -n, NULL, n % 5, '' FROM generate_series(1, 30) n; ANALYZE gallery");

	for (1 .. $rounds)
	{
		my $q = chance(50) ? synthetic($modality, between(1, 40), between(0, 90), 0)
		  : '(SELECT print FROM probe WHERE n = ' . between(1, 20) . ')';
		my $match = "print % probe($q, " . pick(0, 5, 10, 20, 40) . ')';
		my $filter = pick('true', 'watchlist = ' . between(0, 4), 'id % 2 = 0');
		my $limit = chance(60) ? 'LIMIT ' . pick(1, 3, 10, 1000) : '';
		my $cut = $limit eq '' ? 'false' : 'true';
		my $select = "SELECT parallel_difference('SELECT 0 AS grp, id";

		push @questions, pick(
			"$select, print <-> $q AS d FROM gallery WHERE $filter ORDER BY print <-> $q $limit', true, $cut)",
			"$select, print <-> $q AS d FROM gallery WHERE $match AND $filter ORDER BY print <-> $q $limit', true, $cut)",
			"$select, NULL::float8 AS d FROM gallery WHERE $match AND $filter', false, false)");
	}
	ask_all($node, \@questions, "$modality: several processes answer as a sequential scan");
	$node->safe_psql('postgres', 'DROP TABLE gallery, probe');
}

# EXPLAIN: the rows of all participants add up
add_gallery($node, modality => 'iris', subjects => 4000, captures => 2);
my ($plan) = session($node, <<'X');
SET max_parallel_workers_per_gather = 2;
SET enable_seqscan = off;
PREPARE p(iris) AS SELECT id FROM gallery ORDER BY print <-> $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) EXECUTE p(synthetic_iris(7, 3));
X
like($plan, qr/Gather Merge .*rows=8000 .*actual rows=8000/, 'all rows come together');
like($plan, qr/Parallel Index Scan using gallery_print_idx on gallery .*rows=3333 /, 'each takes its part');

#
# Building
#
my $create = 'CREATE INDEX gallery_print_idx ON gallery USING biometric (print)';

sub build
{
	my ($promise, $sql, $warning) = @_;
	my ($out, $err) = session($node, "DROP INDEX gallery_print_idx; $sql;");

	$warning ? like($err, $warning, "$promise: a warning") : is($err, '', "$promise: no warning");
	index_is_sound($node, "$promise: the index is sound");
	is($node->safe_psql('postgres', "SELECT entries FROM biometric_index_stats('gallery_print_idx')"),
		'8000', "$promise: all rows are there");
	return;
}

sub warning
{
	my $detail = shift;

	return qr/WARNING:  building index "gallery_print_idx" without parallel workers\nDETAIL:  $detail\nHINT:  /;
}

build('one process', "SET max_parallel_maintenance_workers = 0; $create");
build('several processes', $create);
build('several processes, concurrently',
	'CREATE INDEX CONCURRENTLY gallery_print_idx ON gallery USING biometric (print)');
build('little memory', "SET maintenance_work_mem = '1MB'; $create");
build('no workers', "SET max_parallel_workers = 0; $create", warning('No background worker could be started\.'));

my $shared_memory = $node->data_dir . '/pg_dynshmem';

SKIP:
{
	skip 'the superuser may write anywhere', 4 if $> == 0;
	chmod(0500, $shared_memory) or die "could not close the folder: $!";
	build('no shared memory', $create, warning('Could not allocate \d+ bytes of shared memory: .*'));
	build('no shared memory, none wanted', "SET max_parallel_maintenance_workers = 0; $create");
	chmod(0700, $shared_memory) or die "could not open the folder: $!";
}
build('shared memory again', $create);

#
# A build that does not end leaves nothing.  It takes long, as every row does.
#
$node->safe_psql('postgres', <<'X');
CREATE FUNCTION slow(print iris) RETURNS iris LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
	PERFORM pg_sleep(0.02);
	RETURN print;
END
$$;
CHECKPOINT;
X
my $folder = $node->data_dir . '/base/'
  . $node->safe_psql('postgres', "SELECT oid FROM pg_database WHERE datname = 'postgres'");

sub files
{
	my @names = map { s/.*\///r } glob("$folder/[0-9]*");

	return join(' ', sort grep { !/_/ } @names);
}

my $worker = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND query ~ 'gallery_slow_idx'};

sub begin_build
{
	my $output = '';
	my $session = IPC::Run::start(
		[ 'psql', '-X', '-q', '-d', $node->connstr('postgres'),
			'-c', 'CREATE INDEX gallery_slow_idx ON gallery USING biometric (slow(print))' ],
		'&>', \$output);

	$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM ($worker) w") or die 'there are no workers';
	$node->poll_query_until('postgres',
		"SELECT true FROM pg_stat_progress_create_index WHERE phase = 'building index: extracting features' AND tuples_done > 0 AND tuples_total = 8000")
	  or die 'there is no progress';
	return ($session, \$output);
}

my $files = files();
my ($session, $output) = begin_build();
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index');
IPC::Run::finish($session);
like($$output, qr/canceling statement/, 'a build is cancelled');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 'gallery_slow_idx'"),
	'0', 'it leaves no index');
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM ($worker) w") or die 'workers stay';
$node->safe_psql('postgres', 'CHECKPOINT');
is(files(), $files, 'nor a file');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'nor a temporary one');

# A worker that is killed takes the server down
$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
($session, $output) = begin_build();
kill('KILL', $node->safe_psql('postgres', "$worker LIMIT 1"));
IPC::Run::finish($session);
like($$output, qr/server closed the connection|terminating connection/, 'a worker is killed');
$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 'gallery_slow_idx'"),
	'0', 'that leaves no index either');
index_is_sound($node, 'the other index is sound');
build('after the crash', $create);

$node->stop;
done_testing();
