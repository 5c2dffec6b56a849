# Vacuum takes away what is dead and nothing else, while others insert and
# search, and the space is used again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $node = new_server('main', conf => 'max_connections = 30');

add_gallery($node, subjects => 40, captures => 2, probes => 12);

#
# Many at once.  Rows of watchlist 99 stay from the beginning to the end, so
# every search must find them; every search must also agree with a sequential
# scan of the same snapshot.
#
$node->safe_psql('postgres', <<'X');
CREATE SEQUENCE added START 100000;
CREATE TABLE fixed AS SELECT n, synthetic_fingerprint(5000 + n) AS print FROM generate_series(1, 12) n;
INSERT INTO gallery SELECT -n, print, 99, 'stays' FROM fixed;

CREATE FUNCTION search(subject int) RETURNS void LANGUAGE plpgsql
	SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
	who int;
	why text;
	probe text := 'synthetic_fingerprint(' || subject || ', 7)';
BEGIN
	SELECT id INTO who FROM gallery
		WHERE print % probe((SELECT print FROM fixed WHERE n = 1 + subject % 12), 40) AND watchlist = 99
		ORDER BY print <-> (SELECT print FROM fixed WHERE n = 1 + subject % 12) LIMIT 1;
	IF who IS DISTINCT FROM -(1 + subject % 12) THEN
		RAISE EXCEPTION 'row % is not found, but %', -(1 + subject % 12), who;
	END IF;
	why := difference(format('SELECT 0 AS grp, id, print <-> %s AS d FROM gallery ORDER BY print <-> %1$s', probe), cut => false);
	IF why IS NOT NULL THEN
		RAISE EXCEPTION '%', why;
	END IF;
	why := difference(format('SELECT 0 AS grp, id, NULL::float8 AS d FROM gallery WHERE print %% probe(%s, 10)', probe),
					  path => 'bitmap', ordered => false, cut => false);
	IF why IS NOT NULL THEN
		RAISE EXCEPTION '%', why;
	END IF;
END $$;
X

sub crowd
{
	my ($promise, %scripts) = @_;

	$node->pgbench(
		'--no-vacuum --client=6 --jobs=2 --transactions=25 --random-seed=5 --max-tries=1',
		0,
		[qr{actually processed: 150/150}],
		[qr{^pgbench: setting random seed to \d+\n$}],
		$promise,
		\%scripts);
	return;
}

my $insert = <<'X';
\set finger random(1, 100000)
INSERT INTO gallery SELECT nextval('added'), synthetic_fingerprint(:finger + s), 0, '' FROM generate_series(1, 3) s;
X
my $delete = <<'X';
\set r random(0, 16)
DELETE FROM gallery WHERE watchlist <> 99 AND id % 17 = :r;
X
my $update = <<'X';
\set r random(0, 30)
UPDATE gallery SET print = synthetic_fingerprint(id), note = 'changed' WHERE watchlist = 0 AND id % 31 = :r;
X
my $search = <<'X';
\set finger random(1, 60)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT search(:finger);
COMMIT;
X

# An update may find its row deleted and a vacuum the table being vacuumed:
# each only waits.
crowd(
	'insertions, deletions, vacuum and searches side by side',
	'004_insert@4' => $insert,
	'004_delete@2' => $delete,
	'004_update@1' => $update,
	'004_vacuum@2' => 'VACUUM (INDEX_CLEANUP on) gallery;',
	'004_search@4' => $search);
index_is_sound($node, 'the index is sound after that');
same_answers($node, 'the index answers like a sequential scan after that');

crowd(
	'insertions and searches beside REINDEX CONCURRENTLY',
	'004_more_insert@4' => $insert,
	'004_more_search@4' => $search,
	'004_more_delete@2' => $delete,
	'004_reindex@1' => <<'X');
SELECT pg_try_advisory_lock(1) AS mine \gset
\if :mine
REINDEX INDEX CONCURRENTLY gallery_print_idx;
SELECT pg_advisory_unlock(1);
\endif
X
index_is_sound($node, 'the index is sound after that');
same_answers($node, 'the index answers like a sequential scan after that');

#
# CREATE INDEX CONCURRENTLY does not miss what others do meanwhile.
#
$node->safe_psql('postgres', 'DROP INDEX gallery_print_idx');
$node->safe_psql('postgres', <<'X');
CREATE FUNCTION wait_here(fingerprint, int) RETURNS fingerprint IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	IF $2 = -3 THEN
		PERFORM pg_advisory_lock_shared(42);
		PERFORM pg_advisory_unlock_shared(42);
	END IF;
	RETURN $1;
END $$;
X
my $holder = $node->background_psql('postgres');
my ($out, $err) = ('', '');

$holder->query_safe('SELECT pg_advisory_lock(42)');
my $builder = IPC::Run::start(
	[
		$node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c',
		'CREATE INDEX CONCURRENTLY late_print_idx ON gallery USING biometric (wait_here(print, id))'
	],
	'>', \$out, '2>', \$err);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
  or die "the build does not reach its middle: $err";
$node->safe_psql('postgres', <<'X');
INSERT INTO gallery SELECT 900000 + n, print, 0, 'meanwhile' FROM probe;
DELETE FROM gallery WHERE id % 19 = 3 AND watchlist <> 99;
UPDATE gallery SET print = synthetic_fingerprint(id, 2), note = 'changed' WHERE id % 23 = 5;
X
$holder->query_safe('SELECT pg_advisory_unlock(42)');
$builder->finish;
$holder->quit;
is($err, '', 'CREATE INDEX CONCURRENTLY ends well beside changes');
index_is_sound($node, 'it has missed nothing', index => 'late_print_idx');
$node->safe_psql('postgres', 'DROP INDEX late_print_idx; CREATE INDEX gallery_print_idx ON gallery USING biometric (print)');

#
# Progress of a build is reported.
#
$node->safe_psql('postgres', <<'X');
CREATE INDEX late_print_idx ON gallery USING biometric (wait_here(print, id));
X
$holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(42)');
$builder = IPC::Run::start(
	[ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c', 'REINDEX INDEX late_print_idx' ],
	'>', \$out, '2>', \$err);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
  or die 'the build does not reach its middle';
is( $node->safe_psql('postgres', <<'X'), 'building index: extracting features|t', 'a build tells its phase and how many rows are done');
SELECT phase, tuples_done BETWEEN 1 AND tuples_total FROM pg_stat_progress_create_index
X
$holder->query_safe('SELECT pg_advisory_unlock(42)');
$builder->finish;
$holder->quit;
$node->safe_psql('postgres', 'DROP INDEX late_print_idx');

#
# Space: after the same rows went and came again, the index is as large as
# before, and vacuum says what it took away.
#
$node->safe_psql('postgres', <<'X');
CREATE TABLE people AS SELECT id, synthetic_fingerprint(id) AS print FROM generate_series(1, 400) id;
CREATE TABLE space AS SELECT * FROM people;
CREATE INDEX space_print_idx ON space USING biometric (print);
X
my @sizes;

foreach my $cycle (1 .. 12)
{
	my $gone = $cycle % 3 == 0 ? 'true' : 'id % 2 = ' . $cycle % 2;

	$node->safe_psql('postgres', <<"X");
DELETE FROM space WHERE $gone;
VACUUM space;
INSERT INTO space SELECT * FROM people WHERE $gone;
X
	push @sizes, $node->safe_psql('postgres', "SELECT pg_relation_size('space_print_idx') / 8192");
}
cmp_ok($sizes[-1], '<=', $sizes[2] * 1.1, "space is used again: pages after each cycle: @sizes");
is( $node->safe_psql('postgres', 'SELECT entries FROM biometric_index_stats(\'space_print_idx\')'),
	'400', 'there is an entry for each row, and none for rows that are gone');
index_is_sound($node, 'the index is sound after the cycles', index => 'space_print_idx');

# Rows that are updated again and again, as a job does that refreshes a list
@sizes = ();
foreach my $cycle (1 .. 8)
{
	$node->safe_psql('postgres', 'UPDATE space SET print = print; VACUUM space;');
	push @sizes, $node->safe_psql('postgres', "SELECT pg_relation_size('space_print_idx') / 8192");
}
cmp_ok($sizes[-1], '<=', $sizes[1] * 1.1, "and after updates of all rows: @sizes");

# Space that an aborted insertion took
@sizes = ();
foreach my $cycle (1 .. 5)
{
	$node->safe_psql('postgres', 'BEGIN; INSERT INTO space SELECT * FROM people; ROLLBACK; VACUUM space;');
	push @sizes, $node->safe_psql('postgres', "SELECT pg_relation_size('space_print_idx') / 8192");
}
cmp_ok($sizes[-1], '<=', $sizes[0] * 1.1, "and after insertions that were rolled back: @sizes");
is( $node->safe_psql('postgres', 'SELECT entries FROM biometric_index_stats(\'space_print_idx\')'),
	'400', 'of which nothing remains');

# Everything goes
$node->safe_psql('postgres', 'DELETE FROM space; VACUUM space; VACUUM space;');
is( $node->safe_psql('postgres', 'SELECT entries, empty_pages = gallery_pages FROM biometric_index_stats(\'space_print_idx\')'),
	'0|t', 'an empty table has an empty index');
is( $node->safe_psql('postgres', <<'X'), "0\n1", 'which can be searched and filled');
SET enable_seqscan = off;
SELECT count(*) FROM (SELECT FROM space ORDER BY print <-> synthetic_fingerprint(1) LIMIT 5) x;
INSERT INTO space VALUES (1, synthetic_fingerprint(1));
SELECT id FROM space ORDER BY print <-> synthetic_fingerprint(1) LIMIT 5;
X
$node->safe_psql('postgres', 'INSERT INTO space SELECT * FROM people; TRUNCATE space');
index_is_sound($node, 'TRUNCATE leaves a sound index', index => 'space_print_idx');

#
# The bulk of a gallery goes while a scan is under way: the scan ends as it
# began.
#
$node->safe_psql('postgres', 'INSERT INTO space SELECT * FROM people');
my $reader = $node->background_psql('postgres');

$reader->query_safe(<<'X');
SET enable_seqscan = off; SET work_mem = '64kB';
BEGIN ISOLATION LEVEL REPEATABLE READ;
DECLARE c CURSOR FOR SELECT id FROM space ORDER BY print <-> synthetic_fingerprint(1);
X
my @seen = split(/\n/, $reader->query_safe('FETCH 5 FROM c'));
$node->safe_psql('postgres', 'DELETE FROM space WHERE id > 3; VACUUM space; INSERT INTO space SELECT 1000 + id, print FROM people; VACUUM space;');
push @seen, split(/\n/, $reader->query_safe('FETCH ALL FROM c'));
$reader->query_safe('COMMIT');
$reader->quit;
is(join(',', sort { $a <=> $b } @seen), join(',', 1 .. 400), 'a scan returns the rows of its snapshot, each once, while vacuum works');

#
# A search that began while vacuum was at work finds that rows are gone.  Before it says so,
# vacuum ends, and others take their places, in the table and in the index.  These are not gone.
#
$node->safe_psql('postgres', <<'X');
CREATE TABLE places (id int, eye iris);
INSERT INTO places SELECT i, synthetic_iris(i) FROM generate_series(1, 100) AS i;
CREATE INDEX places_eye ON places USING biometric (eye);
DELETE FROM places WHERE id > 95;
X
my $vacuum = $node->background_psql('postgres');

$reader = $node->background_psql('postgres');
$reader->query_safe('SET enable_seqscan = off; SET enable_sort = off; SELECT synthetic_iris(97, 1)');
$vacuum->query_safe('SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1; SET vacuum_cost_page_hit = 1');
$vacuum->query_until(qr/begins/, "\\echo begins\nVACUUM (INDEX_CLEANUP on) places;\n\\echo ends\n");
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE phase = 'vacuuming indexes'")
  or die 'vacuum does not reach the index';
$reader->query_safe(<<'X');
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM places ORDER BY eye <-> synthetic_iris(97, 1);
FETCH ALL FROM c;
X
$vacuum->query_until(qr/ends/, '');
$vacuum->quit;
$node->safe_psql('postgres', 'INSERT INTO places SELECT 200 + i, synthetic_iris(200 + i) FROM generate_series(1, 5) AS i');
$reader->query_safe('CLOSE c; COMMIT');
$reader->quit;
is( $node->safe_psql('postgres', <<'X'), 100, 'rows in the places of those that vacuum took away are found');
SET enable_seqscan = off; SET enable_sort = off;
SELECT count(*) FROM (SELECT id FROM places ORDER BY eye <-> synthetic_iris(97, 1)) s;
X
index_is_sound($node, 'and the index is sound', index => 'places_eye');

#
# Many sessions insert at the same time.  They add pages and merge entries
# concurrently, and none of them waits for ever.
#
$node->safe_psql('postgres', <<'X');
CREATE TABLE crowded (id bigserial, print fingerprint);
CREATE INDEX crowded_print_idx ON crowded USING biometric (print) WITH (pending_limit = 16);
CREATE TABLE source AS SELECT i, synthetic_fingerprint(i) AS print FROM generate_series(1, 300) i;
X
$node->pgbench(
	'--no-vacuum --client=12 --jobs=2 --transactions=30 --random-seed=3',
	0,
	[qr{actually processed: 360/360}],
	[qr{^pgbench: setting random seed to \d+\n$}],
	'a dozen insert at the same time',
	{
		'004_crowd' => <<'X'
\set a random(1, 280)
INSERT INTO crowded (print) SELECT print FROM source WHERE i BETWEEN :a AND :a + 19;
X
	});
is($node->safe_psql('postgres', 'SELECT count(*) FROM crowded'), '7200', 'and all is there');
index_is_sound($node, 'in a sound index', index => 'crowded_print_idx');

#
# No finger twice: an exclusion constraint holds among concurrent sessions.
#
$node->safe_psql('postgres', 'CREATE TABLE enrolled (id int, print fingerprint, EXCLUDE USING biometric (print WITH %))');
$node->pgbench(
	'--no-vacuum --client=5 --jobs=2 --transactions=16 --random-seed=7',
	0,
	[qr{actually processed: 80/80}],
	[qr{^pgbench: setting random seed to \d+\n$}],
	'enrolments compete',
	{
		'004_enrol' => <<'X'
\set finger random(1, 12)
\set capture random(0, 1)
INSERT INTO enrolled VALUES (:finger, synthetic_fingerprint(:finger)) ON CONFLICT DO NOTHING;
X
	});
is( $node->safe_psql('postgres', <<'X'), 't|0', 'an exclusion constraint lets nobody enrol twice');
SELECT (SELECT count(*) > 5 FROM enrolled), count(*) FROM enrolled a JOIN enrolled b ON a.print % b.print AND a.ctid <> b.ctid
X
index_is_sound($node, 'its index is sound', index => 'enrolled_print_excl');

$node->stop;
done_testing();
