# A process that is killed just before or just after any WAL record of an index leaves
# an index behind that is sound, that answers as a sequential scan does, and that
# goes on working: one that inserts, merges, marks rows that are gone, or vacuums.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Cwd qw(abs_path);
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = abs_path("$FindBin::RealBin/../..");
my $module = "$tree/test/crash/biometric";
my ($made, $log) = run_command([ 'make', '-s', '-C', $tree, "PG_CONFIG=$ENV{PG_CONFIG}", 'test/crash/biometric.so' ]);

plan skip_all => "the module that dies cannot be made here: $log" if !-e "$module.so";

my $node = new_server('main', conf => "restart_after_crash = on\nautovacuum = off\nwal_level = replica\nfull_page_writes = off\n");

# People 1 to 60, some unknown.  Limits are small, so that each statement meets merges.
$node->safe_psql('postgres', "UPDATE pg_proc SET probin = '$module' WHERE probin LIKE '%/biometric'");
$node->safe_psql('postgres', <<'X');
CREATE TABLE gallery (id int, eye iris);
CREATE INDEX gallery_eye ON gallery USING biometric (eye) WITH (pending_limit = 16);
CREATE TABLE plain (id int, eye iris);
CREATE INDEX plain_eye ON plain USING biometric (eye) WITH (preselection = off);
-- by the index and without it
CREATE FUNCTION found(query text, by_index boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true);
	PERFORM set_config('enable_indexscan', CASE WHEN by_index THEN 'on' ELSE 'off' END, true);
	PERFORM set_config('enable_bitmapscan', 'off', true);
	PERFORM set_config('enable_sort', CASE WHEN by_index THEN 'off' ELSE 'on' END, true);
	EXECUTE format('SELECT array_agg(x) FROM (%s) AS s(x)', query) INTO result;
	RETURN result;
END
$$;
-- what is wrong with an index; NULL if nothing
CREATE FUNCTION wrong(gallery regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	query text;
BEGIN
	PERFORM biometric_index_check((gallery::text || '_eye')::regclass, true);
	FOREACH query IN ARRAY ARRAY[
		'SELECT eye <-> synthetic_iris(3, 1) FROM @ ORDER BY eye <-> synthetic_iris(3, 1)',
		'SELECT eye <-> synthetic_iris(3, 1) FROM @ WHERE eye % probe(synthetic_iris(3, 1), 30) ORDER BY eye <-> synthetic_iris(3, 1)',
		'SELECT eye <-> synthetic_iris(9, 1) FROM @ WHERE eye % probe(synthetic_iris(9, 1), 20) ORDER BY eye <-> synthetic_iris(9, 1)']
	LOOP
		query := replace(query, '@', gallery::text);
		IF found(query, true) IS DISTINCT FROM found(query, false) THEN
			RETURN format('%s: %s instead of %s', query, found(query, true), found(query, false));
		END IF;
	END LOOP;
	PERFORM set_config('biometric.search_mode', 'fast', true);
	query := replace('SELECT g.ctid FROM @ AS g WHERE NOT EXISTS (SELECT FROM (SELECT h.ctid AS place FROM @ AS h
		WHERE h.eye % probe(g.eye, 20)) AS s WHERE s.place = g.ctid) AND g.eye IS NOT NULL', '@', gallery::text);
	IF found(query, true) IS NOT NULL THEN
		RETURN format('%s: not found by themselves: %s', gallery, found(query, true));
	END IF;
	RETURN NULL;
END
$$;
X

# What one killed session does
my %work = (
	'insertions' => [ 'INSERT INTO %1$s SELECT i, CASE WHEN i % 7 > 0 THEN synthetic_iris(i) END FROM generate_series(1, 60) AS i' ],
	'insertions into an empty index' => [
		'TRUNCATE %1$s',
		'INSERT INTO %1$s SELECT i, CASE WHEN i % 7 > 0 THEN synthetic_iris(i) END FROM generate_series(1, 40) AS i' ],
	'updates' => [ 'UPDATE %1$s SET eye = synthetic_iris(id) WHERE id % 4 = 1' ],
	'marks and vacuum' => [
		'DELETE FROM %1$s WHERE id % 3 = 1', 'SET enable_seqscan = off',
		'SELECT count(*) FROM (SELECT id FROM %1$s ORDER BY eye <-> synthetic_iris(3, 1)) AS s',
		'VACUUM (INDEX_CLEANUP on) %1$s' ]);

# Runs it, perhaps to its death.  Returns whether it lived, and how many records it wrote.
sub run_work
{
	my ($name, $table, $at) = @_;
	my ($out, $err) = session($node,
		join(";\n", "INSERT INTO $table SELECT i, synthetic_iris(i) FROM generate_series(1, 20) AS i", "SET crash_point.at = '$at'", 'SET crash_point.count = 0', map { s/%1\$s/$table/gr } @{ $work{$name} })
		  . ";\nSELECT 'lived ' || current_setting('crash_point.count');\n");

	return $out =~ /lived (\d+)/ ? $1 : undef;
}

seed(18);
my $points_each = 14;
my @wrong;
my $killed = 0;

foreach my $table ('gallery', 'plain')
{
	foreach my $name (sort keys %work)
	{
		my $records = run_work($name, $table, '0 never');
		my %points = map { $_ => 1 } (1, $records, map { between(1, $records) } (1 .. $points_each - 2));

		cmp_ok($records, '>', 2, "$table, $name: writes records ($records)");
		foreach my $point (sort { $a <=> $b } keys %points)
		{
			my $at = "$point " . pick('before', 'after');

			# the work before may have left less to do
			if (!defined run_work($name, $table, $at))
			{
				$killed++;
				$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
			}
			my ($out, $err) = session($node, "SELECT wrong('$table')");

			push @wrong, "$table, $name, killed at $at: $out $err" if "$out$err" ne '';
			session($node, "CHECKPOINT; DELETE FROM $table WHERE random() < 0.3") if chance(30);
		}
		my ($out, $err) = session($node, "INSERT INTO $table SELECT i, synthetic_iris(i) FROM generate_series(1, 40) AS i;\nDELETE FROM $table WHERE id % 5 = 2;\nVACUUM (INDEX_CLEANUP on) $table;\nSELECT wrong('$table');");

		is("$out$err", '', "$table, $name: the index goes on working");
	}
}
cmp_ok($killed, '>', 40, "processes were killed: $killed");
splice(@wrong, 10) if @wrong > 10;
is(join("\n", @wrong), '', 'after each death the index is sound, and answers as a sequential scan does');
$node->stop;
done_testing();
