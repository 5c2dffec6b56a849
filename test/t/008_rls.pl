# Row-level security: who may see some rows finds all of those and learns
# nothing of others, by the index.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $node = new_server('main');

$node->safe_psql('postgres', <<'X');
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE TABLE gallery (id int, agency text, print fingerprint, name text);
INSERT INTO gallery SELECT s * 100 + c, CASE WHEN s % 3 = 0 THEN 'alice' ELSE 'bob' END,
	synthetic_fingerprint(s, c), 'name ' || s
	FROM generate_series(1, 400) s, generate_series(0, 2) c;
CREATE INDEX gallery_print_idx ON gallery USING biometric (print);
CREATE TABLE probe AS SELECT n, synthetic_fingerprint(n * 3 % 40, 9) AS print FROM generate_series(1, 10) n;
ALTER TABLE gallery ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON gallery USING (agency = current_user);
CREATE VIEW shared WITH (security_barrier) AS SELECT * FROM gallery WHERE agency = 'alice';
GRANT SELECT, INSERT, UPDATE, DELETE ON gallery TO alice, bob;
GRANT SELECT ON probe, shared TO alice, bob;
GRANT CREATE ON SCHEMA public TO alice;
ANALYZE;
X

# What the planner promises
my $q = 'synthetic_fingerprint(7, 3)';

sub plan_is
{
	my ($promise, $query, $like, $unlike) = @_;
	my ($plan, $err) = session($node, "EXPLAIN (COSTS OFF) $query;", user => 'alice');
	my @missing = grep { $plan !~ /$_/ } @$like;
	my @present = grep { $plan =~ /$_/ } @$unlike;

	ok(!@missing && !@present && $err eq '', $promise) or diag("missing: @missing; unwanted: @present\n$plan$err");
	return;
}

plan_is(
	'nearest first keeps the index',
	"SELECT id FROM gallery ORDER BY print <-> $q LIMIT 5",
	[ qr/Index Scan using gallery_print_idx/, qr/Order By:/, qr/Filter: \(agency = / ], [qr/Sort/]);
plan_is(
	'who matches keeps the index',
	"SELECT id FROM gallery WHERE print % $q",
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % /, qr/Filter: \(agency = / ], [qr/Seq Scan/]);
plan_is(
	'who matches from a score on keeps the index',
	"SELECT id FROM gallery WHERE print % probe($q, 30)",
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % / ], [qr/Seq Scan/]);
plan_is(
	'a search for each of several people keeps the index',
	'SELECT p.n, g.id FROM probe p JOIN gallery g ON g.print % p.print',
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % p\.print/ ], [qr/Seq Scan on gallery/]);
plan_is(
	'a search for each of several people from a score on keeps the index',
	'SELECT p.n, g.id FROM probe p JOIN gallery g ON g.print % probe(p.print, 30)',
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % probe\(p\.print/ ],
	[qr/Seq Scan on gallery/]);
plan_is(
	'a query from a subquery keeps the index',
	'SELECT id FROM gallery WHERE print % probe((SELECT print FROM probe WHERE n = 2), 30)',
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % / ],
	[qr/Seq Scan on gallery/]);
plan_is(
	'a security barrier keeps the index',
	"SELECT id FROM shared WHERE print % $q",
	[ qr/gallery_print_idx/, qr/Index Cond: \(print % / ], [qr/Seq Scan/]);

# The answers
my @questions = ("SET work_mem = '64kB'");

foreach my $n (1 .. 10)
{
	my $p = "(SELECT print FROM probe WHERE n = $n)";

	push @questions,
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $p AS d FROM gallery ORDER BY print <-> $p LIMIT 15 OFFSET 2')",
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $p AS d FROM gallery WHERE print % probe($p, 10)', ordered => false, cut => false)",
	  "SELECT difference('SELECT 0 AS grp, id, NULL::float8 AS d FROM gallery WHERE print % probe($p, 10)', path => 'bitmap', ordered => false, cut => false)";
	push @questions,
	  "SELECT difference('SELECT 0 AS grp, id, print <-> $p AS d FROM gallery ORDER BY print <-> $p', cut => false)" if $n == 1;
}
foreach my $user ('alice', 'bob')
{
	ask_all($node, \@questions, "$user gets all the rows allowed", user => $user);
	my ($out, $err) = session($node, <<'X', user => $user);
SET enable_seqscan = off;
SELECT count(*), count(*) FILTER (WHERE agency <> current_user) FROM (SELECT * FROM gallery ORDER BY print <-> synthetic_fingerprint(1)) x;
X
	is("$out$err", ($user eq 'alice' ? 399 : 801) . '|0', "$user gets all of them and no other");
}

# Functions that want to know more.  They cost nothing, so that the planner
# calls them as early as it dares.
my ($out, $err) = session($node, <<'X', user => 'alice');
CREATE FUNCTION tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	RAISE NOTICE 'leak: %', $1;
	RETURN true;
END $$;
CREATE FUNCTION tell(fingerprint) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF $1 = synthetic_fingerprint(1) THEN
		RAISE NOTICE 'leak: print of 1';
	END IF;
	RETURN true;
END $$;
CREATE OPERATOR %%% (LEFTARG = fingerprint, RIGHTARG = fingerprint, FUNCTION = fingerprint_match);
SET enable_seqscan = off;
SELECT count(*) FROM gallery WHERE tell(name) AND print % synthetic_fingerprint(1);
SELECT count(*) FROM (SELECT * FROM gallery WHERE tell(name) AND tell(print) ORDER BY print <-> synthetic_fingerprint(1)) x;
SELECT count(*) FROM gallery WHERE tell(print) AND print % probe(synthetic_fingerprint(1), 0);
SELECT count(*) FROM (SELECT * FROM shared WHERE tell(name) AND print % probe(synthetic_fingerprint(2), 0)) x;
SELECT count(*) FROM probe p JOIN gallery g ON g.print % probe(p.print, 0) AND tell(g.name) WHERE p.n = 1;
SELECT count(*) FROM gallery WHERE 1 / (id - 100) <> 0 AND print % probe(synthetic_fingerprint(1), 0);
X
my %told = map { $_ => 1 } $err =~ /leak: name (\d+)/g;
is(join(',', grep { $_ % 3 != 0 } sort keys %told), '', 'a hostile function sees none of the forbidden rows');
unlike($err, qr/leak: print of 1|division by zero/, 'nor their fingers, nor provokes errors from them');
cmp_ok(scalar keys %told, '>', 100, '(it did see the rows allowed)');
like($out, qr/399/, '(and queries did return them)');

# The statistics of a column do not show what it holds
($out, $err) = session($node, <<'X', user => 'alice');
SELECT count(*) FROM pg_stats WHERE tablename = 'gallery' AND attname = 'print' AND
	(most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL);
EXPLAIN (COSTS OFF) SELECT id FROM gallery WHERE print % (SELECT print FROM probe WHERE n = 1);
SELECT biometric_index_check('gallery_print_idx', true);
SELECT * FROM biometric_index_stats('gallery_print_idx');
X
like($out, qr/^0\n/, 'pg_stats shows no finger to those who may not see all rows');
is(scalar(() = $err =~ /must be owner/g), 2, 'nor do they inspect the index');

# Policies apply to what is changed, too
($out, $err) = session($node, <<'X', user => 'alice');
SET enable_seqscan = off;
BEGIN;
WITH gone AS (DELETE FROM gallery WHERE print % probe(synthetic_fingerprint(1), 0) RETURNING agency)
	SELECT count(*), count(*) FILTER (WHERE agency <> 'alice') FROM gone;
ROLLBACK;
WITH changed AS (UPDATE gallery SET name = name WHERE print % probe(synthetic_fingerprint(2), 20) RETURNING agency)
	SELECT count(*) FILTER (WHERE agency <> 'alice') FROM changed;
INSERT INTO gallery VALUES (1, 'bob', synthetic_fingerprint(1), 'x');
X
is($out, "399|0\n0", 'rows of others are neither deleted nor changed through the index');
like($err, qr/violates row-level security policy/, 'nor added');

# Bad input does not end up in error messages
($out, $err) = session($node, <<'X');
SELECT '\x464d52002032300000deadbeefdeadbeefdeadbeef'::fingerprint;
SELECT '(secret 123456)'::fingerprint;
X
unlike($err =~ s/^LINE.*\n.*\n//mgr =~ s/STATEMENT.*//gr, qr/deadbeef|secret|123456/, 'an error message does not repeat a template');

$node->stop;
done_testing();
