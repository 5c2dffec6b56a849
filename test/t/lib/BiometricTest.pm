# BiometricTest.pm
#	What the tests of test/t share: servers, made-up people, and the question
#	asked most often, whether an index answers what a sequential scan answers.
#
# Everything is drawn from a generator with a fixed seed, so that two runs ask
# the same questions.

package BiometricTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(
  new_server kill_server add_tools add_gallery synthetic iso_record
  seed pick chance between
  ask_all session data_folder slurp_binary
  index_is_sound same_answers
);

# A linear congruential generator: Perl's own differs between platforms.
my $state = 1;

sub seed
{
	$state = shift;
	return;
}

# a whole number in [$low, $high]
sub between
{
	my ($low, $high) = @_;

	$state = ($state * 1103515245 + 12345) & 0x7fffffff;
	return $low + ($state >> 8) % ($high - $low + 1);
}

sub pick
{
	return $_[ between(0, $#_) ];
}

# true in $percent of the cases
sub chance
{
	my $percent = shift;

	return between(1, 100) <= $percent;
}

# A running server with the extension in its database "postgres".  Options are
# those of PostgreSQL::Test::Cluster::init, conf, lines for postgresql.conf, and
# checksums, 0 for none.
sub new_server
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} || '';
	my $checksums = delete $options{checksums} // 1;
	my $node = PostgreSQL::Test::Cluster->new($name);

	# which PostgreSQL 18 has by default
	$options{extra} = ['--no-data-checksums'] if !$checksums && $node->pg_version >= 18;
	$node->init(%options);
	$node->append_conf('postgresql.conf', <<"X");
autovacuum = off
log_statement = none
jit = off
max_parallel_workers_per_gather = 0
$conf
X
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION biometric');
	add_tools($node, 'postgres');
	return $node;
}

# Kill a server with all processes, so that the next server does not wait for them.
sub kill_server
{
	my $node = shift;
	my @pids = split(/\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));

	# the postmaster first: it would start others in place of those that die
	open(my $pidfile, '<', $node->data_dir . '/postmaster.pid') or die $!;
	unshift @pids, <$pidfile> =~ /(\d+)/;
	close($pidfile);
	kill 9, @pids;
	$node->kill9;
	foreach my $attempt (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if !grep { kill(0, $_) } @pids;
		select(undef, undef, undef, 0.1);
	}
	die 'the killed do not go';
}

# SQL functions that ask a query of a sequential scan and of an index.
#
# A query to compare yields columns grp, id, d (distance, or NULL).
#
# answer(query, path) runs it by one path alone: sequential, index, bitmap.
#
# difference(query, path, ordered, cut, index) is NULL when both paths answer
# the same, else says what differs.  ordered: the order of rows is part of the
# answer.  cut: LIMIT or OFFSET chose among rows of the same distance, so the
# ids of the nearest and of the farthest rows of a group are not compared,
# their distances are.  index: a regular expression which the plan must match.
sub add_tools
{
	my ($node, $database) = @_;

	$node->safe_psql($database, <<'X');
CREATE FUNCTION answer(query text, path text, OUT grps int[], OUT ids int[], OUT distances float8[], OUT plan text)
LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', (path = 'sequential')::text, true),
			set_config('enable_indexscan', (path = 'index')::text, true),
			set_config('enable_bitmapscan', (path = 'bitmap')::text, true),
			set_config('jit', 'off', true);
	plan := '';
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	EXECUTE 'SELECT array_agg(a.grp), array_agg(a.id), array_agg(a.d) FROM (' || query || ') a'
		INTO grps, ids, distances;
	PERFORM set_config(name, 'on', true)
		FROM unnest(ARRAY['enable_seqscan', 'enable_indexscan', 'enable_bitmapscan']) name;
END
$$;

CREATE FUNCTION difference(query text, path text DEFAULT 'index', ordered boolean DEFAULT true,
						   cut boolean DEFAULT true, index text DEFAULT 'print_idx') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	want record;
	got record;
	differing bigint;
BEGIN
	SELECT * INTO STRICT want FROM answer(query, 'sequential');
	SELECT * INTO STRICT got FROM answer(query, path);
	IF want.plan ~ 'print_idx' THEN
		RETURN 'a sequential scan was wanted: ' || query || E'\n' || want.plan;
	END IF;
	IF got.plan !~ index THEN
		RETURN 'plan without ' || index || ': ' || query || E'\n' || got.plan;
	END IF;
	IF cardinality(want.ids) IS DISTINCT FROM cardinality(got.ids) THEN
		RETURN format('%s rows instead of %s: %s', coalesce(cardinality(got.ids), 0),
					  coalesce(cardinality(want.ids), 0), query);
	END IF;
	IF ordered AND want.distances IS DISTINCT FROM got.distances THEN
		RETURN 'other distances, or in another order: ' || query;
	END IF;
	SELECT count(*) INTO differing FROM (
		(SELECT * FROM unnest(want.grps, want.distances) EXCEPT ALL SELECT * FROM unnest(got.grps, got.distances))
		UNION ALL
		(SELECT * FROM unnest(got.grps, got.distances) EXCEPT ALL SELECT * FROM unnest(want.grps, want.distances))) x;
	IF differing > 0 THEN
		RETURN format('%s distances differ: %s', differing, query);
	END IF;
	SELECT count(*) INTO differing FROM (
		(SELECT * FROM inner_rows(want.grps, want.ids, want.distances, cut)
		 EXCEPT ALL SELECT * FROM inner_rows(got.grps, got.ids, got.distances, cut))
		UNION ALL
		(SELECT * FROM inner_rows(got.grps, got.ids, got.distances, cut)
		 EXCEPT ALL SELECT * FROM inner_rows(want.grps, want.ids, want.distances, cut))) x;
	IF differing > 0 THEN
		RETURN format('%s rows differ: %s', differing, query);
	END IF;
	RETURN NULL;
END
$$;

-- the rows that must be the same, whoever is chosen among equals
CREATE FUNCTION inner_rows(grps int[], ids int[], distances float8[], cut boolean)
RETURNS TABLE (grp int, id int, d float8)
LANGUAGE sql IMMUTABLE AS $$
	SELECT grp, id, d
	FROM (SELECT *, min(d) OVER (PARTITION BY grp) AS nearest, max(d) OVER (PARTITION BY grp) AS farthest
		  FROM unnest(grps, ids, distances) AS u (grp, id, d)) r
	WHERE NOT cut OR d > nearest AND d < farthest
$$;

-- the plan that is chosen when nothing is forbidden
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END
$$;
X
	return;
}

# The expression of a made-up template.
sub synthetic
{
	my ($modality, $subject, $capture, $position) = @_;

	return "synthetic_iris($subject, $capture)" if $modality eq 'iris';
	return "synthetic_fingerprint($subject, $capture, $position)";
}

# A record of ISO/IEC 19794-2:2005 with one view, as bytes.  Minutiae are
# [x, y, angle in 1/256 turns].
sub iso_record
{
	my ($position, @minutiae) = @_;
	my $view = pack('CCCC', $position, 0, 80, scalar @minutiae);

	$view .= pack('nnCC', 0x4000 | $_->[0], $_->[1], $_->[2], 0) foreach @minutiae;
	$view .= pack('n', 0);
	return
	    pack('a4a4NnnnnnCC', "FMR\0", " 20\0", 24 + length($view), 0, 400, 400, 197, 197, 1, 0)
	  . $view;
}

# Table gallery (id, print, watchlist, note) of $subjects people with
# $captures captures each, table probe (n, print) with later captures of some
# of them and with strangers, and index gallery_print_idx.
sub add_gallery
{
	my ($node, %options) = @_;
	my $database = $options{database} || 'postgres';
	my $modality = $options{modality} || 'fingerprint';
	my $subjects = $options{subjects} || 40;
	my $captures = $options{captures} || 3;
	my $probes = $options{probes} || 20;
	my $unlogged = $options{unlogged} ? 'UNLOGGED' : '';

	# positions: known for half of the people
	my $enrolled = synthetic($modality, 's', 'c', 'CASE s % 4 WHEN 0 THEN 2 WHEN 1 THEN 7 ELSE 0 END');
	my $asked = synthetic($modality, 's', '50', 'CASE s % 4 WHEN 0 THEN 2 WHEN 1 THEN 7 ELSE 0 END');

	$node->safe_psql($database, <<"X");
CREATE $unlogged TABLE gallery (id int, print $modality, watchlist int, note text);
INSERT INTO gallery
	SELECT s * 100 + c, $enrolled, s % 5, ''
	FROM generate_series(1, $subjects) s, generate_series(0, $captures - 1) c;
CREATE TABLE probe (n int, print $modality);
INSERT INTO probe
	SELECT n, $asked
	FROM (SELECT n, CASE WHEN n % 4 = 0 THEN 1000000 + n ELSE 1 + n * 7 % $subjects END AS s
		  FROM generate_series(1, $probes) n) x;
CREATE INDEX gallery_print_idx ON gallery USING biometric (print);
ANALYZE gallery, probe;
X
	return;
}

# Run statements in one session; what it printed on stdout and on stderr.
sub session
{
	my ($node, $sql, %options) = @_;
	my ($stdout, $stderr);

	$node->psql($options{database} || 'postgres', $sql,
		stdout => \$stdout, stderr => \$stderr, on_error_stop => 0,
		$options{user} ? (extra_params => [ '-U', $options{user} ]) : ());
	return ($stdout, $stderr);
}

# Run statements most of which are SELECT difference(...), in one session: a
# test that none of them has anything to say.
sub ask_all
{
	my ($node, $statements, $promise, %options) = @_;
	my ($stdout, $stderr) = session($node, join(";\n", @$statements) . ";\n", %options);
	my @differences = grep { $_ ne '' } split(/\n/, $stdout);
	my $asked = grep { /difference\(/ } @$statements;

	splice(@differences, 12) if @differences > 12;
	is(join("\n", @differences, substr($stderr, 0, 2000)), '', "$promise ($asked queries)");
	return;
}

# biometric_index_check, heap and all, finds nothing wrong.
sub index_is_sound
{
	my ($node, $promise, %options) = @_;
	my $index = $options{index} || 'gallery_print_idx';
	my ($stdout, $stderr) = session($node, "SELECT biometric_index_check('$index', true)", %options);

	is("$stdout$stderr", '', $promise);
	return;
}

# One of every kind of question about the tables of add_gallery.
sub same_answers
{
	my ($node, $promise, %options) = @_;
	my ($q, $r) = map { "(SELECT print FROM probe WHERE n = $_)" } (1, 4);

	ask_all(
		$node,
		[
			"SELECT difference('SELECT 0 AS grp, id, print <-> $q AS d FROM gallery ORDER BY print <-> $q', cut => false)",
			"SELECT difference('SELECT 0 AS grp, id, print <-> $r AS d FROM gallery ORDER BY print <-> $r LIMIT 5')",
			"SELECT difference('SELECT 0 AS grp, id, NULL::float8 AS d FROM gallery WHERE print % probe($q, 15)', path => 'bitmap', ordered => false, cut => false)"
		],
		$promise,
		%options);
	return;
}

# Where evaluation data lies, undef if it does not.
sub data_folder
{
	my $root = abs_path(dirname(__FILE__) . '/../../..');

	foreach my $folder ($ENV{BIOMETRIC_DATA}, "$root/../shared/data")
	{
		return $folder if defined $folder && -d $folder;
	}
	return;
}

sub slurp_binary
{
	my $path = shift;

	open(my $file, '<:raw', $path) or die "could not open \"$path\": $!";
	local $/ = undef;
	my $bytes = <$file>;
	close($file);
	return $bytes;
}

1;
