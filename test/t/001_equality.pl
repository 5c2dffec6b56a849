# An index answers exactly what a sequential scan answers.
#
# Thousands of random questions over tables that change between them: filters,
# joins, thresholds, LIMIT and OFFSET, NULL, duplicates, scans that take several
# passes, cursors, prepared statements, row-level security.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

# Irises are compared in a fraction of the time that fingers take, so most of
# the questions are about irises.
my %rounds = (fingerprint => 8, iris => 16);
my %per_round = (fingerprint => 50, iris => 110);

my $node = new_server('main');

my @settings = ("SET work_mem = '64kB'", 'SET enable_hashjoin = off', 'SET enable_mergejoin = off',
	'SET enable_nestloop = on');

# A template of the table of probes, or one that no table has
sub question
{
	my $modality = shift;

	return synthetic($modality, between(1, 60), between(0, 99), pick(0, 0, 2, 7)) if chance(25);
	return '(SELECT print FROM probe WHERE n = ' . between(1, 20) . ')';
}

sub threshold
{
	return pick(0, 1, 5, 10, 15, 20, 30, 40, 60, 100, -1, "''infinity''", "''-infinity''");
}

# A filter that the index does not know
sub filter
{
	return pick(
		'watchlist = ' . between(0, 4),
		'watchlist <> ' . between(0, 4),
		'id % 2 = ' . between(0, 1),
		'id BETWEEN 500 AND ' . between(500, 4000),
		"note = ''''",
		'id = ' . between(1, 40) * 100,
		'id < 0',
		'watchlist IN (SELECT id % 5 FROM gallery WHERE id < 250)',
		'print IS NOT NULL');
}

sub limit
{
	my $limit = '';

	$limit .= ' LIMIT ' . pick(0, 1, 1, 2, 5, 10, 50, 100000) if chance(75);
	$limit .= ' OFFSET ' . pick(1, 3, 20, 90, 100000) if chance(20);
	return $limit;
}

# One random question as a call of difference()
sub ask
{
	my $modality = shift;
	my $q = question($modality);
	my $t = threshold();
	my $match = pick("print % $q", "$q % print", "print % probe($q, $t)", "probe($q, $t) % print");
	my $distance = pick("print <-> $q", "$q <-> print");
	my $shape = between(1, 100);

	if ($shape <= 30)
	{
		# nearest first
		my $where = chance(50) ? 'WHERE ' . filter() : '';
		my $limit = limit();
		my $cut = $limit eq '' ? 'false' : 'true';

		return "SELECT difference('SELECT 0 AS grp, id, $distance AS d FROM gallery $where ORDER BY $distance $limit', cut => $cut)";
	}
	if ($shape <= 55)
	{
		# who matches, nearest first
		my $where = chance(40) ? 'AND ' . filter() : '';
		my $limit = limit();
		my $cut = $limit eq '' ? 'false' : 'true';

		# the order may be by another finger than the one that matches
		$distance = 'print <-> ' . question($modality) if chance(20);
		return "SELECT difference('SELECT 0 AS grp, id, $distance AS d FROM gallery WHERE $match $where ORDER BY $distance $limit', cut => $cut)";
	}
	if ($shape <= 75)
	{
		# who matches, in any order
		my $where = $match;
		my $path = pick('index', 'bitmap');

		$where .= ' AND ' . filter() if chance(40);
		$where .= " AND print % probe(" . question($modality) . ', ' . threshold() . ')' if chance(20);
		if (chance(15))
		{
			$path = 'bitmap';
			$where = "($match OR print % " . question($modality) . ')';
		}
		return "SELECT difference('SELECT 0 AS grp, id, $distance AS d FROM gallery WHERE $where', path => '$path', ordered => false, cut => false)";
	}
	if ($shape <= 85)
	{
		# a search for each of several people
		my $low = between(1, 18);
		my $high = $low + between(0, 3);
		my $on = pick('g.print % p.print', 'p.print % g.print', "g.print % probe(p.print, $t)");
		my $join = pick('JOIN', 'LEFT JOIN');

		return "SELECT difference('SELECT p.n AS grp, g.id, g.print <-> p.print AS d FROM probe p $join gallery g ON $on WHERE p.n BETWEEN $low AND $high', ordered => false, cut => false)";
	}
	if ($shape <= 95)
	{
		# the nearest of each of several people
		my $low = between(1, 18);
		my $high = $low + between(0, 3);
		my $k = between(1, 12);
		my $where = chance(50) ? 'WHERE ' . filter() : '';

		return "SELECT difference('SELECT p.n AS grp, x.id, x.d FROM probe p CROSS JOIN LATERAL (SELECT id, print <-> p.print AS d FROM gallery $where ORDER BY print <-> p.print LIMIT $k) x WHERE p.n BETWEEN $low AND $high', ordered => false)";
	}

	# who has a match at all
	return "SELECT difference('SELECT 0 AS grp, p.n AS id, NULL::float8 AS d FROM probe p WHERE p.n BETWEEN 1 AND 6 AND EXISTS (SELECT FROM gallery g WHERE g.print % p.print)', ordered => false, cut => false)";
}

# Changes between the questions
sub change
{
	my ($modality, $round) = @_;
	my $subject = between(1, 60);
	my $rest = between(0, 6);

	return (
		"DELETE FROM gallery WHERE id % 7 = $rest AND id % 3 = 0",
		"UPDATE gallery SET note = note || 'x' WHERE id % 5 = " . between(0, 4),
		"UPDATE gallery SET print = " . synthetic($modality, $subject, 'id', 0) . " WHERE id % 23 = $rest",
		"UPDATE gallery SET print = NULL WHERE id % 37 = $rest",
		"INSERT INTO gallery SELECT 10000 * $round + s, " . synthetic($modality, 's', $round, 'CASE s % 3 WHEN 0 THEN 2 ELSE 0 END')
		  . ", s % 5, '' FROM generate_series($subject, $subject + 12) s",

		# the same finger many times over
		"INSERT INTO gallery SELECT 10000 * $round + 5000 + s, " . synthetic($modality, $subject, 0, 0)
		  . ", s % 5, '' FROM generate_series(1, 5) s",
		"BEGIN; INSERT INTO gallery SELECT -1, print, 0, '' FROM probe; ROLLBACK",
		pick('VACUUM gallery', 'VACUUM (INDEX_CLEANUP on) gallery', 'REINDEX INDEX gallery_print_idx', 'SELECT'),
	);
}

foreach my $modality ('fingerprint', 'iris')
{
	seed(20020731);
	$node->safe_psql('postgres', 'DROP TABLE IF EXISTS gallery, probe');
	add_gallery(
		$node,
		modality => $modality,
		subjects => $modality eq 'iris' ? 40 : 20,
		captures => $modality eq 'iris' ? 3 : 2,
		probes => 20);
	$node->safe_psql('postgres', <<"X");
INSERT INTO gallery SELECT -s, NULL, s % 5, 'no print' FROM generate_series(1, 5) s;
UPDATE probe SET print = NULL WHERE n = 13;
UPDATE probe SET print = (SELECT print FROM gallery WHERE id = 300 LIMIT 1) WHERE n = 14;
X
	if ($modality eq 'fingerprint')
	{
		# 0, 1, 2 and 255 minutiae
		my $n = 0;

		foreach my $count (0, 1, 2, 255)
		{
			my $hex = unpack('H*', iso_record(0, map { [ 20 + $_ % 16 * 20, 20 + int($_ / 16) * 20, $_ ] } 1 .. $count));

			$n++;
			$node->safe_psql('postgres',
				"INSERT INTO gallery SELECT 9990 + $n, '\\x$hex'::fingerprint, 0, 'odd' FROM generate_series(1, 2); "
				  . "UPDATE probe SET print = '\\x$hex'::fingerprint WHERE n = 14 + $n");
		}
	}
	foreach my $round (1 .. $rounds{$modality})
	{
		my @statements = (@settings, 'SET biometric.match_threshold = ' . pick(5, 15, 40));

		push @statements, ask($modality) foreach 1 .. $per_round{$modality};
		if ($round % 4 == 0)
		{
			# within a transaction, what it has done itself
			unshift @statements, 'BEGIN', change($modality, 50 + $round);
			@statements = grep { !/^(VACUUM|BEGIN;)/ } @statements;
			push @statements, 'ROLLBACK';
		}
		ask_all($node, \@statements, "$modality, round $round: the index answers like a sequential scan");

		my ($out, $err) = session($node, join(";\n", change($modality, $round)) . ';');
		is($err, '', "$modality, round $round: rows change");
	}
	index_is_sound($node, "$modality: the index is sound after all changes");
}

# A gallery whose distances do not fit work_mem, full of rows of the same
# distance: the scan goes over the index several times.
$node->safe_psql('postgres', 'DROP TABLE gallery, probe');
add_gallery($node, modality => 'iris', subjects => 40, captures => 3, probes => 20);
$node->safe_psql('postgres', <<'X');
INSERT INTO gallery SELECT 100000 + 1000 * (g.id % 100) + s * 40 + g.id / 100, g.print, g.watchlist, 'copy'
	FROM gallery g, generate_series(1, 60) s;
INSERT INTO gallery SELECT -s, NULL, 0, 'no print' FROM generate_series(1, 20) s;
X
my @passes = (@settings);

foreach my $n (1, 4)
{
	my $d = "print <-> (SELECT print FROM probe WHERE n = $n)";

	push @passes,
	  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery ORDER BY $d', cut => false)",
	  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery ORDER BY $d LIMIT 20 OFFSET 6000')",
	  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery WHERE id < 300 ORDER BY $d LIMIT 20')",
	  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery WHERE print % probe((SELECT print FROM probe WHERE n = 2), 0.01) ORDER BY $d', cut => false)";
}
ask_all($node, \@passes, 'scans of several passes return every row once and in order');

# A few people with so many captures that the nearest rows are all mates: then their sketches
# rule out most others, in the first pass and in later ones.
foreach my $modality ('fingerprint', 'iris')
{
	my $captures = $modality eq 'iris' ? 500 : 330;

	$node->safe_psql('postgres', 'DROP TABLE gallery, probe');
	add_gallery($node, modality => $modality, subjects => 40, captures => 2, probes => 12);
	$node->safe_psql('postgres', "INSERT INTO gallery SELECT 50000 + 1000 * s + c, "
		  . synthetic($modality, 's', 'c', '0')
		  . ", c % 5, '' FROM generate_series(1, 2) AS s, generate_series(100, 99 + $captures) AS c; VACUUM ANALYZE gallery");

	my @questions = (@settings);

	foreach my $limit (1, 60, 200, 300, 600, 5000)
	{
		my ($q, $r) = map { synthetic($modality, $_, 50 + $limit % 7, '0') } (1, pick(2, 7));
		my $t = pick(25, 35, 50);
		my ($d, $e) = ("print <-> $q", "print <-> $r");

		push @questions,
		  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery ORDER BY $d LIMIT $limit')",
		  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery WHERE @{[filter()]} ORDER BY $d LIMIT $limit')",
		  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery WHERE print % probe($q, $t) ORDER BY $d LIMIT $limit')",
		  "SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery WHERE print % probe($r, $t) ORDER BY $d LIMIT $limit')",
		  "SELECT difference('SELECT 0 AS grp, id, $e AS d FROM gallery ORDER BY $d, $e LIMIT $limit')";
	}
	ask_all($node, \@questions, "$modality: searches for the nearest leave out what their sketches rule out");
	index_is_sound($node, "$modality: the index with many captures is sound");
}
$node->safe_psql('postgres', 'DROP TABLE gallery, probe');
add_gallery($node, modality => 'iris', subjects => 40, captures => 3, probes => 20);

# Two orders at a time, and ties broken by a column, for which the index is
# used from PostgreSQL 16 on
my $tie_break = $node->pg_version < 16 ? '' : 'print_idx';

ask_all(
	$node,
	[
		@settings,
		map {
			my $d = "print <-> (SELECT print FROM probe WHERE n = $_)";
			my $e = 'print <-> (SELECT print FROM probe WHERE n = 3)';

			(
				"SELECT difference('SELECT 0 AS grp, id, $d AS d FROM gallery ORDER BY $d, $e LIMIT 700')",
				"SELECT difference('SELECT row_number() OVER ()::int AS grp, id, d FROM (SELECT id, $d AS d FROM gallery ORDER BY $d, id LIMIT 300) x', cut => false, index => '$tie_break')"
			)
		} (1, 8)
	],
	'a second key breaks ties');

# Prepared statements with generic and custom plans
my ($stdout, $stderr) = session($node, <<'X');
SET enable_seqscan = off;
CREATE FUNCTION nearest(iris, int) RETURNS float8[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT array_agg(d) FROM (SELECT print <-> $1 AS d FROM gallery ORDER BY print <-> $1 LIMIT $2) x);
END $$;
CREATE FUNCTION matches(iris, float8) RETURNS int[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT array_agg(id ORDER BY id) FROM gallery WHERE print % probe($1, $2));
END $$;
CREATE FUNCTION true_nearest(iris, int) RETURNS float8[] LANGUAGE sql AS
	'SELECT array_agg(d) FROM (SELECT (print <-> $1) + 0 AS d FROM gallery ORDER BY 1 LIMIT $2) x';
CREATE FUNCTION true_matches(iris, float8) RETURNS int[] LANGUAGE sql AS
	'SELECT array_agg(id ORDER BY id) FROM gallery WHERE match_score(print, $1) >= $2';
DELETE FROM gallery WHERE id > 102000;
SELECT n, k FROM probe, unnest(ARRAY[1, 7, 100]) k
	WHERE n <= 4 AND nearest(print, k) IS DISTINCT FROM true_nearest(print, k);
SELECT n, t FROM probe, unnest(ARRAY[0, 5, 20, 40]) t
	WHERE n <= 4 AND matches(print, t) IS DISTINCT FROM true_matches(print, t);
X
is("$stdout$stderr", '', 'prepared statements answer anew for every parameter');

# Cursors: some rows, then more, while the table changes under them
($stdout, $stderr) = session($node, <<'X');
SET enable_seqscan = off;
CREATE TABLE fetched (n serial, id int, d float8);
CREATE TABLE expected AS SELECT id, (print <-> (SELECT print FROM probe WHERE n = 1)) + 0 AS d FROM gallery;
CREATE FUNCTION fetch_in_pieces(disturb boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c NO SCROLL CURSOR FOR SELECT id, print <-> (SELECT print FROM probe WHERE n = 1) AS d FROM gallery
		ORDER BY print <-> (SELECT print FROM probe WHERE n = 1);
	r record;
	rows int := 0;
BEGIN
	OPEN c;
	LOOP
		FETCH c INTO r;
		EXIT WHEN NOT FOUND;
		INSERT INTO fetched (id, d) VALUES (r.id, r.d);
		rows := rows + 1;
		IF disturb AND rows % 50 = 3 THEN
			INSERT INTO gallery SELECT 500000 + rows, print, 0, 'late' FROM probe WHERE probe.n <= 3;
			DELETE FROM gallery WHERE gallery.id % 13 = rows % 13;
			PERFORM id FROM gallery ORDER BY print <-> (SELECT print FROM probe WHERE n = 2) LIMIT 3;
		END IF;
	END LOOP;
END $$;
SET work_mem = '64kB';
BEGIN;
SELECT fetch_in_pieces(true);
SELECT 'lost or new', * FROM (
	(SELECT id, d FROM expected EXCEPT ALL SELECT id, d FROM fetched)
	UNION ALL (SELECT id, d FROM fetched EXCEPT ALL SELECT id, d FROM expected)) x LIMIT 5;
SELECT 'out of order' FROM (SELECT d, lag(d) OVER (ORDER BY n) AS previous FROM fetched) x WHERE d < previous LIMIT 1;
ROLLBACK;
X
is($stderr, '', 'cursor over a changing table: no error');
is($stdout, '', 'a cursor returns the rows of its moment, all of them, in order, whatever changes meanwhile');

($stdout, $stderr) = session($node, <<'X');
SET enable_seqscan = off;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM gallery WHERE print IS NOT NULL
	ORDER BY print <-> (SELECT print FROM probe WHERE n = 1), id LIMIT 9;
CREATE TEMP TABLE nine AS SELECT id FROM gallery ORDER BY (print <-> (SELECT print FROM probe WHERE n = 1)) + 0, id LIMIT 9;
MOVE FORWARD 4 IN c;
FETCH BACKWARD 2 IN c;
FETCH ABSOLUTE 9 IN c;
FETCH ABSOLUTE 1 IN c;
SELECT id FROM nine OFFSET 2 LIMIT 1;
SELECT id FROM nine OFFSET 1 LIMIT 1;
SELECT id FROM nine OFFSET 8 LIMIT 1;
SELECT id FROM nine LIMIT 1;
COMMIT;
X
my @ids = split /\n/, $stdout;
is("@ids[0 .. 3]$stderr", "@ids[4 .. 7]", 'a scrollable cursor goes back and forth');

# Row-level security discards rows inside the scan
$node->safe_psql('postgres', 'DROP TABLE gallery, probe');
add_gallery($node, subjects => 25, captures => 2, probes => 20);
$node->safe_psql('postgres', <<'X');
CREATE ROLE analyst LOGIN;
GRANT SELECT ON gallery, probe TO analyst;
ALTER TABLE gallery ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON gallery FOR SELECT TO analyst USING (watchlist <> 3 AND id % 3 <> 0);
X
my @secured = (@settings);

seed(8);
push @secured, ask('fingerprint') foreach 1 .. 50;
ask_all($node, \@secured, 'row-level security returns all the rows that are allowed', user => 'analyst');
$node->safe_psql('postgres', 'ALTER TABLE gallery DISABLE ROW LEVEL SECURITY; DROP OWNED BY analyst; DROP ROLE analyst');

# Temporary tables, partial and expression indexes, partitions, joins that
# rescan within a rescan
$node->safe_psql('postgres', <<'X');
CREATE INDEX partial_print_idx ON gallery USING biometric (print) WHERE watchlist = 1;
CREATE TABLE record (id int, person int, data bytea);
INSERT INTO record SELECT id, watchlist, print::bytea FROM gallery;
CREATE INDEX record_print_idx ON record USING biometric ((data::fingerprint));
CREATE TABLE part (id int, print fingerprint, watchlist int) PARTITION BY LIST (watchlist);
CREATE TABLE part_0 PARTITION OF part FOR VALUES IN (0);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1, 2);
CREATE TABLE part_rest PARTITION OF part DEFAULT;
INSERT INTO part SELECT id, print, watchlist FROM gallery;
CREATE INDEX part_print_idx ON part USING biometric (print);
ANALYZE;
X
my @others = (@settings);

foreach my $n (1, 2, 5, 8)
{
	my $q = "(SELECT print FROM probe WHERE n = $n)";

	push @others,
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $q AS d FROM gallery WHERE watchlist = 1 ORDER BY print <-> $q LIMIT 10')",
	  "SELECT difference('SELECT 0 AS grp, id, data::fingerprint <-> $q AS d FROM record ORDER BY data::fingerprint <-> $q LIMIT 10')",
	  "SELECT difference('SELECT 0 AS grp, id, data::fingerprint <-> $q AS d FROM record WHERE data::fingerprint % probe($q, 10)', ordered => false, cut => false)",
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $q AS d FROM part ORDER BY print <-> $q LIMIT 10', index => 'part_.*_print_idx')",
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $q AS d FROM part WHERE print % $q', ordered => false, cut => false, index => 'part_.*_print_idx')",
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $q AS d FROM part WHERE watchlist = 2 ORDER BY print <-> $q LIMIT 10 OFFSET 2', index => 'part_.*_print_idx')",
	  "SELECT difference('SELECT p.n AS grp, a.id * 10000 + b.id AS id, a.print <-> b.data::fingerprint AS d FROM probe p JOIN part a ON a.print % p.print JOIN record b ON b.data::fingerprint % a.print WHERE p.n BETWEEN $n AND $n + 1', ordered => false, cut => false, index => 'record_print_idx')";
}
ask_all($node, \@others, 'partial indexes, expression indexes, partitions and nested joins answer alike');

($stdout, $stderr) = session($node, <<'X');
SET work_mem = '64kB';
CREATE TEMP TABLE gallery AS SELECT * FROM public.gallery;
CREATE INDEX gallery_print_idx ON pg_temp.gallery USING biometric (print);
INSERT INTO gallery SELECT 6000 + n, print, 0, '' FROM probe;
DELETE FROM gallery WHERE id % 5 = 1;
VACUUM gallery;
INSERT INTO gallery SELECT 7000 + n, print, 0, '' FROM probe;
SELECT difference(format('SELECT 0 AS grp, id, print <-> %1$s AS d FROM gallery ORDER BY print <-> %1$s',
	'(SELECT print FROM probe WHERE n = ' || n || ')'), cut => false) FROM generate_series(1, 5) n;
X
is("$stdout$stderr" =~ s/\n//gr, '', 'temporary tables answer alike');

$node->stop;
done_testing();
