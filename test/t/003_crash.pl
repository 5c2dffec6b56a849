# Nothing that was committed is lost by a crash, and no index is left wrong:
# processes are killed during insertions, builds and rebuilds.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main', conf => <<'X');
restart_after_crash = on
wal_level = replica
autovacuum = off
X

# All processes of the server die at once, as with a power failure.
sub pull_the_plug
{
	my @pids = split(/\n/,
		$node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));

	open(my $pidfile, '<', $node->data_dir . '/postmaster.pid') or die $!;
	push @pids, <$pidfile> =~ /(\d+)/;
	close($pidfile);
	kill 9, @pids;
	$node->kill9;
	wait_until('the killed are gone', sub { !kill(0, @pids) });
	$node->start;
	return;
}

sub wait_until
{
	my ($what, $condition) = @_;

	foreach my $attempt (1 .. 600)
	{
		return if $condition->();
		select(undef, undef, undef, 0.1);
	}
	BAIL_OUT("waited in vain until $what");
	return;
}

# Inserts in the background, a row each, until it is killed.
sub insert_in_background
{
	my $seed = shift;
	my $script = $node->basedir . '/insert.sql';

	append_to_file($script, <<'X') if !-e $script;
\set finger random(1, 1000000)
INSERT INTO gallery VALUES (nextval('added'), synthetic_fingerprint(:finger), 0, 'added');
X
	return IPC::Run::start(
		[
			$node->installed_command('pgbench'), '--no-vacuum', '--client=3', '--time=600', '--rate=60',
			"--file=$script", "--random-seed=$seed", $node->connstr('postgres')
		],
		'>', \my $out, '2>', \my $err);
}

sub rows_added
{
	return $node->safe_psql('postgres', "SELECT count(*) FROM gallery WHERE note = 'added'");
}

add_gallery($node, subjects => 30, captures => 2, probes => 12);
$node->safe_psql('postgres', 'CREATE SEQUENCE added START 100000');

# Made again before a crash: no checkpoint has written its initial state.
sub add_unlogged
{
	$node->safe_psql('postgres', <<'X');
DROP TABLE IF EXISTS fleeting;
CREATE UNLOGGED TABLE fleeting AS SELECT * FROM gallery;
CREATE INDEX fleeting_print_idx ON fleeting USING biometric (print);
X
	return;
}

# During insertions: the whole server, a backend, an immediate shutdown.
foreach my $round (1 .. 6)
{
	my $means = ('the power', 'a backend', 'an immediate shutdown')[ $round % 3 ];
	my $before = rows_added();
	my $writers = insert_in_background($round);

	$node->poll_query_until('postgres', "SELECT count(*) > $before + 25 + 3 * $round FROM gallery WHERE note = 'added'")
	  or die 'no rows are inserted';
	$node->safe_psql('postgres', 'CHECKPOINT') if $round % 2;
	$node->safe_psql('postgres', 'DELETE FROM gallery WHERE id % 9 = 4; VACUUM gallery') if $round >= 3;
	add_unlogged() if $round <= 2;
	my $committed = rows_added();

	if ($means eq 'the power')
	{
		pull_the_plug();
	}
	elsif ($means eq 'a backend')
	{
		my $victim =
		  $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1");

		kill 9, $victim;
		$writers->finish;
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	else
	{
		$node->stop('immediate');
		$node->start;
	}
	$writers->finish if $means ne 'a backend';
	cmp_ok(rows_added(), '>=', $committed, "round $round: $means goes; what was committed is there");
	same_answers($node, "round $round: the index answers like a sequential scan");
	index_is_sound($node, "round $round: the index is sound");
	is( $node->safe_psql('postgres', <<'X'), '0', "round $round: every finger finds itself");
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM (SELECT * FROM gallery ORDER BY id DESC LIMIT 12) g
	WHERE NOT EXISTS (SELECT FROM (SELECT id, print <-> g.print AS d FROM gallery ORDER BY print <-> g.print LIMIT 3) n WHERE n.id = g.id)
X
	$node->safe_psql('postgres', "DELETE FROM gallery WHERE note = 'added' AND id % 2 = 0");
	if ($round == 1 || $round == 2)
	{
		is($node->safe_psql('postgres', 'SELECT count(*) FROM fleeting'), '0', "round $round: an unlogged table is empty");
		is( $node->safe_psql('postgres', <<'X'), "0\n60", "round $round: its index works on");
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT id FROM fleeting ORDER BY print <-> synthetic_fingerprint(1) LIMIT 5) x;
INSERT INTO fleeting SELECT * FROM gallery WHERE note = '' LIMIT 30;
INSERT INTO fleeting SELECT * FROM fleeting;
SELECT count(*) FROM (SELECT id FROM fleeting ORDER BY print <-> synthetic_fingerprint(1)) x;
X
		index_is_sound($node, "round $round: it is sound", index => 'fleeting_print_idx');
	}
}

# During builds.  An expression that waits at one row for a lock holds a build
# in its middle until the server is gone.
$node->safe_psql('postgres', <<'X');
CREATE FUNCTION wait_here(fingerprint, int) RETURNS fingerprint IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	IF $2 = 2001 THEN
		PERFORM pg_advisory_lock_shared(42);
		PERFORM pg_advisory_unlock_shared(42);
	END IF;
	RETURN $1;
END $$;
CREATE INDEX wait_print_idx ON gallery USING biometric (wait_here(print, id));
X

foreach my $command (
	'CREATE INDEX built_print_idx ON gallery USING biometric (wait_here(print, id))',
	'CREATE INDEX CONCURRENTLY built_print_idx ON gallery USING biometric (wait_here(print, id))',
	'REINDEX INDEX wait_print_idx',
	'REINDEX INDEX CONCURRENTLY wait_print_idx',
	'VACUUM FULL gallery')
{
	my $holder = $node->background_psql('postgres', on_error_stop => 0);
	my ($out, $err) = ('', '');

	$holder->query_safe('SELECT pg_advisory_lock(42)');
	my $builder =
	  IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-c', $command, '-d', $node->connstr('postgres') ],
		'>', \$out, '2>', \$err);

	$node->poll_query_until('postgres',
		"SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	  or die "\"$command\" does not reach its middle: $err";
	pull_the_plug();
	$builder->finish;
	eval { $holder->quit };

	same_answers($node, "killed in $command: the other index answers like a sequential scan");
	index_is_sound($node, "killed in $command: the other index is sound");
	if ($command =~ /CREATE INDEX CONCURRENTLY/)
	{
		is($node->safe_psql('postgres', "SELECT indisvalid FROM pg_index WHERE indexrelid = 'built_print_idx'::regclass"),
			'f', 'an index built in part is not valid');
		$node->safe_psql('postgres', 'INSERT INTO gallery SELECT 300000 + n, print, 0, \'late\' FROM probe');
		$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY built_print_idx');
		index_is_sound($node, 'REINDEX completes it', index => 'built_print_idx');
		$node->safe_psql('postgres', 'DROP INDEX built_print_idx');
	}
	if ($command =~ /^CREATE INDEX built/)
	{
		is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 'built_print_idx'"),
			'0', 'an index built in part is not there');
	}
	index_is_sound($node, "killed in $command: the former index is sound", index => 'wait_print_idx');
	is( $node->safe_psql('postgres', <<'X'), '0', "killed in $command: the former index answers like a sequential scan");
SET enable_bitmapscan = off;
SELECT count(*) FROM (
	SELECT d, row_number() OVER () AS n FROM (SELECT wait_here(print, id) <-> synthetic_fingerprint(3, 9) AS d
		FROM gallery ORDER BY wait_here(print, id) <-> synthetic_fingerprint(3, 9) LIMIT 50) x
	EXCEPT
	SELECT d, row_number() OVER () AS n FROM (SELECT (wait_here(print, id) <-> synthetic_fingerprint(3, 9)) + 0 AS d
		FROM gallery ORDER BY 1 LIMIT 50) x) y
X
}

# A server that crashes again while it recovers
my $writers = insert_in_background(99);
my $before = rows_added();

$node->poll_query_until('postgres', "SELECT count(*) > $before + 60 FROM gallery WHERE note = 'added'")
  or die 'no rows are inserted';
my $committed = rows_added();
$node->stop('immediate');
$writers->finish;
system_log($node->installed_command('pg_ctl'), '-D', $node->data_dir, '-W', '-l', $node->logfile, 'start');
wait_until('the server begins to recover', sub { -e $node->data_dir . '/postmaster.pid' });
system_log($node->installed_command('pg_ctl'), '-D', $node->data_dir, '-m', 'immediate', 'stop');
$node->start;
cmp_ok(rows_added(), '>=', $committed, 'recovery is interrupted and repeated; what was committed is there');
same_answers($node, 'recovery is interrupted and repeated: the index answers like a sequential scan');
index_is_sound($node, 'recovery is interrupted and repeated: the index is sound');

$node->stop;
done_testing();
