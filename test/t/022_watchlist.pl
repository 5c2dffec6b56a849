# The watchlists over time: a dump that is restored, people who work
# at the same time, a server that is killed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

sub value
{
	my ($query, $database) = @_;

	return $node->safe_psql($database || 'postgres', $query);
}

sub fingers
{
	my ($person, $capture) = @_;

	return "ARRAY[synthetic_fingerprint($person, $capture, 2), synthetic_fingerprint($person, $capture, 7)]::bytea[]";
}

sub check
{
	my ($person, $case) = @_;

	return 'SELECT verdict, reference FROM watchlist.check_traveller(' . fingers($person, 3) . ", ARRAY[synthetic_iris($person, 3)::text], 'entry', '$case')";
}

# everything that was there must be there again, and nothing else
sub contents
{
	my $database = shift;

	return value(<<'X', $database);
SELECT string_agg(format('%s %s', c.oid::regclass, (xpath('/row/n/text()', query_to_xml(
	format('SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '''')) AS n FROM %s t', c.oid::regclass), false, true, '')))[1]), chr(10) ORDER BY c.oid::regclass::text)
FROM pg_class c WHERE c.relnamespace = 'watchlist'::regnamespace AND c.relkind = 'r'
X
}

sub rights
{
	my $database = shift;

	return value(<<'X', $database);
SELECT string_agg(line, chr(10) ORDER BY line COLLATE "C") FROM (
	SELECT format('%s %s', oid::regclass, a) AS line FROM pg_class, unnest(relacl::text[]) a WHERE relnamespace = 'watchlist'::regnamespace
	UNION ALL SELECT format('%s %s', oid::regprocedure, a) FROM pg_proc, unnest(proacl::text[]) a WHERE pronamespace = 'watchlist'::regnamespace
	UNION ALL SELECT format('%s %s %s', tablename, policyname, qual) FROM pg_policies WHERE schemaname = 'watchlist'
	UNION ALL SELECT format('schema %s', a) FROM pg_namespace, unnest(nspacl::text[]) a WHERE nspname = 'watchlist') l
X
}

#
# Something of everything
#
$node->safe_psql('postgres', <<"X");
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE border;
CREATE ROLE olga LOGIN IN ROLE border;
CREATE ROLE eva LOGIN IN ROLE border;
CREATE ROLE emil LOGIN IN ROLE border;
CREATE ROLE south LOGIN;
SELECT watchlist.add_agency('border', 'border');
SELECT watchlist.grant_duty('officer', 'olga'), watchlist.grant_duty('analyst', 'olga'), watchlist.grant_duty('supervisor', 'olga'), watchlist.grant_duty('curator', 'olga'),
	watchlist.grant_duty('releaser', 'olga'), watchlist.grant_duty('examiner', 'eva'), watchlist.grant_duty('examiner', 'emil'), watchlist.grant_duty('partner', 'south');
INSERT INTO watchlist.retention VALUES ('encounter', '90 days');
SET SESSION AUTHORIZATION olga;
SELECT watchlist.create_list('wanted', 'Wanted', 'act 12', 'set-up', 'B-0', open => true);
SELECT watchlist.add_person('Made Up', '1980-01-01', 'set-up', 'B-0', reference => 'W-' || n) FROM generate_series(1, 20) n;
SELECT count(*) FROM generate_series(1, 20) n,
	watchlist.enrol('W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[] || '\\x00'::bytea, ARRAY[synthetic_iris(n)]::text[], 'set-up', 'B-0');
SELECT watchlist.add_to_list('wanted', 'W-' || n, 'warrant', 'B-0') FROM generate_series(1, 20) n;
SELECT watchlist.release_list('wanted', 'south', true, 'agreement 7', 'B-0');
@{[ join('', map { check($_, "B-$_") . ";\n" } 1 .. 6) ]}
SELECT watchlist.open_review(2, 1, 'entry', 'B-1'), watchlist.link_encounter(2, 'W-1', 'examined', 'B-1'), watchlist.decide_release('south', 'W-1', true, 'agreement 7', 'B-1');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION eva;
SELECT watchlist.take_review(1), watchlist.lock_marks(1, '[1]');
RESET SESSION AUTHORIZATION;
UPDATE watchlist.encounters SET retain_until = current_date - 1 WHERE case_reference = 'B-6';
SELECT count(*) FROM watchlist.purge_expired('retention', 'R-1');
SELECT watchlist.seal_log();
X
$node->poll_query_until('postgres', 'SELECT watchlist.seal_log() > 0') or die 'the log is not sealed';

#
# Dumped and restored
#
my $host = $node->host;
my $port = $node->port;
my $dump = "$PostgreSQL::Test::Utils::tmp_check/watchlist.dump";
my $before = contents('postgres');
command_ok([ 'pg_dump', '-h', $host, '-p', $port, '-Fc', '-f', $dump, 'postgres' ], 'a dump');
value('CREATE DATABASE custom');
command_ok([ 'pg_restore', '-h', $host, '-p', $port, '--exit-on-error', '-d', 'custom', $dump ], 'is restored');
is(contents('custom'), $before, 'to the same');
is(rights('custom'), rights('postgres'), 'with the same rights and policies');
value('CREATE DATABASE plain');
my $plain = "$PostgreSQL::Test::Utils::tmp_check/watchlist.sql";
command_ok([ 'pg_dump', '-h', $host, '-p', $port, '-f', $plain, 'postgres' ], 'a dump in plain SQL');
command_ok([ 'psql', '-X', '-q', '-h', $host, '-p', $port, '-v', 'ON_ERROR_STOP=1', '-1', '-o', '/dev/null', '-f', $plain, 'plain' ], 'is restored in one transaction');
is(contents('plain'), $before, 'to the same');
foreach my $database (qw(custom plain))
{
	is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'", $database), '0', "$database: the log is whole");
	is($node->safe_psql($database, check(7, 'B-7'), extra_params => [ '-U', 'olga' ]), 'hit|W-7', 'a traveller is found');
	is(value('SELECT max(entry) = (SELECT last_value FROM watchlist.log_numbers) FROM watchlist.log', $database), 't', 'numbers go on');
	is(value("SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template is missing%'", $database), '0', 'the gallery follows');
	value("SELECT watchlist.add_to_list('wanted', watchlist.add_person('Late', NULL, 'x', 'x', reference => 'L-1'), 'x', 'x')", $database);
	value('SELECT count(*) FROM watchlist.enrol(\'L-1\', ' . fingers(4711, 0) . ", NULL, 'x', 'x')", $database);
	is(value('SELECT partner FROM watchlist.shared_templates WHERE reference = \'L-1\' AND item = 1 ORDER BY partner', $database), "north\nsouth", 'and goes on following');
	ok($node->poll_query_until($database, 'SELECT waiting = 0 FROM watchlist.search_past_encounters(1000)'), 'past encounters are searched');
	ok($node->poll_query_until($database, 'SELECT watchlist.seal_log() > 0'), 'the log is sealed again');
	is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'", $database), '0', 'in the same chain');
}

#
# At the same time
#
my $other = $node->background_psql('postgres', on_error_stop => 0);
$other->query_safe('BEGIN; ' . check(1, 'C-1'));
my ($out, $err) = session($node, 'SET statement_timeout = 60000; ' . check(2, 'C-2') . ';');
like($out, qr/hit\|W-2/, 'one who checks and does not commit holds up nobody');
is(value('SELECT watchlist.seal_log() IS NULL'), 't', 'but his entry is not sealed');
value(check(3, 'C-3'));
$other->query_safe('COMMIT');
ok($node->poll_query_until('postgres', "SELECT watchlist.seal_log() IS NOT NULL OR (SELECT max(last_entry) FROM watchlist.seals) >= (SELECT max(entry) FROM watchlist.log)"), 'until he does');
is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'"), '0', 'and no seal is broken by it');

# waits until $count sessions wait for a lock
sub lock_waits
{
	my $count = shift;

	return $node->poll_query_until('postgres', "SELECT count(*) >= $count FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
}

# an enrolment and an entry of the same person, each unaware of the other
my $third = $node->background_psql('postgres', on_error_stop => 0);
foreach my $order (1, 2)
{
	my $reference = "R-$order";
	my $enrol = "SELECT count(*) FROM watchlist.enrol('$reference', " . fingers(600 + $order, 0) . ", NULL, 'x', 'x')";
	my $list = "SELECT watchlist.add_to_list('wanted', '$reference', 'x', 'x')";

	value("SELECT watchlist.add_person('Race', NULL, 'x', 'x', reference => '$reference')");
	$other->query_safe('BEGIN; ' . ($order == 1 ? $enrol : $list));
	$third->query_until(qr/sent/, "\\echo sent\n" . ($order == 1 ? $list : $enrol) . ";\n");
	ok(lock_waits(1), 'the second waits for the first');
	$other->query_safe('COMMIT');
	$third->query_safe('SELECT 1');
	is(value("SELECT count(*) FROM watchlist.shared_templates WHERE reference = '$reference' AND partner = 'north'"), '2', 'and the gallery has what both made');
}

# a rule and an entry
$other->query_safe("BEGIN; SELECT watchlist.release_list('wanted', 'east', false, 'agreement 8', 'x')");
value("SELECT watchlist.add_person('Race', NULL, 'x', 'x', reference => 'R-3')");
value('SELECT count(*) FROM watchlist.enrol(\'R-3\', ' . fingers(603, 0) . ", NULL, 'x', 'x')");
$third->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.add_to_list('wanted', 'R-3', 'x', 'x');\n");
ok(lock_waits(1), 'an entry waits for a rule of its list');
$other->query_safe('COMMIT');
$third->query_safe('SELECT 1');
is(value("SELECT count(*) FROM watchlist.shared_templates WHERE reference = 'R-3' AND partner = 'east'"), '2', 'and is released by it');
is(value("SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template is missing%'"), '0', 'nothing is missing');

# two examiners take what only one of them can
$other->query_safe('SET SESSION AUTHORIZATION emil; BEGIN; SELECT watchlist.take_review(1)');
value('CREATE ROLE erik LOGIN IN ROLE border');
value("SELECT watchlist.grant_duty('examiner', 'erik')");
$third->query_safe('SET SESSION AUTHORIZATION erik');
$third->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.take_review(1);\n");
ok(lock_waits(1), 'the second waits');
$other->query_safe('COMMIT');
$third->query('SELECT 1');
is(value("SELECT string_agg(examiner, ',' ORDER BY round) FROM watchlist.review_events WHERE review = 1 AND event = 'taken'"), 'eva,emil', 'and is refused');
$_->quit foreach $other, $third;

#
# Killed: what was committed is whole, and the rest is only missing numbers
#
my @checkers;
foreach my $n (1 .. 3)
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/checker$n.sql";
	open(my $script, '>', $file) or die $!;
	print $script check($n, "K-$n") . ";\n" foreach 1 .. 400;
	close($script);
	push @checkers, IPC::Run::start([ 'psql', '-X', '-q', '-h', $host, '-p', $port, '-f', $file, 'postgres' ], '<', \undef, '>', \my $o, '2>', \my $e);
}
ok($node->poll_query_until('postgres', "SELECT count(*) > 20 FROM watchlist.encounters WHERE case_reference LIKE 'K-%'"), 'travellers are checked');
kill_server($node);
$_->finish foreach @checkers;
$node->start;
is(value(<<'X'), '0|0|0', 'after a crash every encounter has its search, its entry in the log and its alert');
SELECT (SELECT count(*) FROM watchlist.encounters e WHERE NOT EXISTS (SELECT FROM watchlist.searches s WHERE s.encounter = e.encounter) AND e.case_reference LIKE 'K-%'),
	(SELECT count(*) FROM watchlist.encounters e WHERE NOT EXISTS (SELECT FROM watchlist.log l WHERE l.encounter = e.encounter AND l.action = 'search') AND e.case_reference LIKE 'K-%'),
	(SELECT count(*) FROM watchlist.encounters e WHERE NOT EXISTS (SELECT FROM watchlist.alerts a WHERE a.encounter = e.encounter) AND e.case_reference LIKE 'K-%')
X
value(check(4, 'K-4'));
ok($node->poll_query_until('postgres', "SELECT watchlist.seal_log() IS NOT NULL OR (SELECT max(last_entry) FROM watchlist.seals) >= (SELECT max(entry) FROM watchlist.log)"), 'the log is sealed');
is(value("SELECT coalesce(string_agg(DISTINCT problem, ','), '') FROM watchlist.verify_log() WHERE problem !~ 'never committed|not sealed yet'"), '', 'and whole');
index_is_sound($node, 'the index of past encounters', index => 'watchlist.encounter_items_print');
index_is_sound($node, 'the index of enrolments', index => 'watchlist.enrolments_print');

# the server's log has what was checked, whether it was committed or not, and no templates
my $literals = value("SELECT format('%L, %L', " . fingers(5, 3) . ', ARRAY[synthetic_iris(5, 3)])');
$node->safe_psql('postgres', "BEGIN; SELECT verdict FROM watchlist.check_traveller($literals, 'entry', E'X-1\\nforged line'); ROLLBACK");
my $log = slurp_file($node->logfile);
like($log, qr/watchlist: encounter \d+ is checked by \S+, purpose "entry", case "X-1\\nforged line"/, 'a check that was taken back is in the log of the server');
unlike($log, qr/FMR|464d52|e\d+,\d+,\d+,\d+ /, 'templates are not');

$node->stop;
done_testing();
