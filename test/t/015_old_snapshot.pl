# With old_snapshot_threshold, which PostgreSQL had until 16, vacuum may take away
# what an old snapshot still sees.  A search with such a snapshot says so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $node = new_server('main');

if ($node->safe_psql('postgres', "SELECT current_setting('server_version_num')::int") >= 170000)
{
	$node->stop;
	plan skip_all => 'this PostgreSQL has no old_snapshot_threshold';
}
$node->stop;
$node->append_conf('postgresql.conf', "old_snapshot_threshold = 0\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', <<'X');
CREATE TABLE old (id int, print fingerprint, eye iris);
INSERT INTO old SELECT i, synthetic_fingerprint(i), synthetic_iris(i) FROM generate_series(1, 1200) AS i;
CREATE INDEX old_print ON old USING biometric (print) WITH (pending_limit = 32);
CREATE INDEX old_eye ON old USING biometric (eye);
X

my @searches = (
	[ 'a sequential scan', 'SET enable_seqscan = on; SET enable_indexscan = off', 'SELECT count(*) FROM old' ],
	[ 'nearest fingers', '', 'SELECT count(*) FROM (SELECT id FROM old ORDER BY print <-> synthetic_fingerprint(5, 1)) AS s' ],
	[ 'matching eyes', '', 'SELECT count(id) FROM old WHERE eye % synthetic_iris(5, 1)' ],
	[ 'a bitmap scan', 'SET enable_indexscan = off; SET enable_bitmapscan = on', 'SELECT count(id) FROM old WHERE print % synthetic_fingerprint(5, 1)' ],
	[ 'a fast search', 'SET biometric.search_mode = fast', 'SELECT count(id) FROM old WHERE print % synthetic_fingerprint(5, 1)' ]);

# each with a session that has a snapshot
foreach my $search (@searches)
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->query(
		"SET enable_seqscan = off; SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 0; $search->[1]");
	$session->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
	push @$search, $session;
}

# PostgreSQL never takes a snapshot of the last five seconds for an old one
sleep 6;

# all pages are written after the snapshots were taken, and some rows are lost to them
$node->safe_psql('postgres', <<'X');
UPDATE old SET id = id WHERE id % 3 = 0;
DELETE FROM old WHERE id % 50 = 7;
VACUUM old;
X

foreach my $search (@searches)
{
	my ($name, undef, $query, $session) = @$search;
	my $answer = $session->query($query);
	my $errors = $session->{stderr};

	$session->{stderr} = '';
	$session->query('ROLLBACK');
	$session->quit;
	like($errors, qr/snapshot too old/, "$name: says that its snapshot is too old") or diag($answer);
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM old WHERE print % synthetic_fingerprint(5, 1)'),
	'1', 'a search with a new snapshot answers');

$node->stop;
done_testing();
