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

	return 'SELECT verdict, person FROM watchlist.check_traveller(' . fingers($person, 3) . ", ARRAY[synthetic_iris($person, 3)::text], 'entry', '$case')";
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
	UNION ALL SELECT format('%s %s %s', p.oid::regprocedure, p.proowner::regrole, p.proconfig) FROM pg_proc p WHERE pronamespace = 'watchlist'::regnamespace
	UNION ALL SELECT format('%s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE tgrelid::regclass::text ~ '^watchlist' AND NOT tgisinternal
	UNION ALL SELECT format('schema %s', a) FROM pg_namespace, unnest(nspacl::text[]) a WHERE nspname = 'watchlist') l
X
}

#
# Something of everything
#
$node->safe_psql('postgres', <<"X");
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
CREATE EXTENSION postgres_fdw;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE border;
CREATE ROLE police;
CREATE ROLE olga LOGIN IN ROLE border;
CREATE ROLE eva LOGIN IN ROLE border;
CREATE ROLE emil LOGIN IN ROLE border;
CREATE ROLE paul LOGIN IN ROLE police;
CREATE ROLE otto LOGIN;
CREATE ROLE south LOGIN;
SELECT watchlist.add_agency('border', 'border'), watchlist.add_agency('police', 'police');
SELECT watchlist.grant_duty('officer', 'olga'), watchlist.grant_duty('analyst', 'olga'), watchlist.grant_duty('supervisor', 'olga'), watchlist.grant_duty('curator', 'olga'),
	watchlist.grant_duty('releaser', 'olga'), watchlist.grant_duty('examiner', 'eva'), watchlist.grant_duty('examiner', 'emil'), watchlist.grant_duty('officer', 'paul'),
	watchlist.grant_duty('curator', 'paul'), watchlist.grant_duty('operator', 'otto');
SELECT watchlist.add_partner('south', 'south', 'agreement 7', 'x');
CREATE SERVER south FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nowhere');
SELECT watchlist.connect_partner('south', 'south', 'agreement 7', 'x');
SELECT watchlist.set_default_retention('encounter', '90 days', 'decree', 'x');
SET SESSION AUTHORIZATION olga;
SELECT watchlist.create_list('wanted', 'Wanted', 'act 12', 'set-up', 'B-0', open => true);
SELECT watchlist.add_person('Made Up', '1980-01-01', 'set-up', 'B-0', reference => 'W-' || n) FROM generate_series(1, 20) n;
SELECT count(*) FROM generate_series(1, 20) n,
	watchlist.enrol('north/border/W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[] || '\\x00'::bytea, ARRAY[synthetic_iris(n)]::text[], 'set-up', 'B-0');
SELECT watchlist.add_to_list('north/border/wanted', 'north/border/W-' || n, 'warrant', 'B-0') FROM generate_series(1, 20) n;
SELECT watchlist.release_list('north/border/wanted', 'south', true, 'agreement 7', 'B-0');
@{[ join('', map { check($_, "B-$_") . ";\n" } 1 .. 6) ]}
SELECT watchlist.open_review(2, 1, 'entry', 'B-1'), watchlist.link_encounter(2, 'north/border/W-1', 'examined', 'B-1'), watchlist.decide_release('south', 'north/border/W-1', true, 'agreement 7', 'B-1');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM watchlist.store_batch('south', 0, ARRAY(SELECT ROW(n, '', 'border/wanted', 'border/S-' || n, 1, synthetic_fingerprint(300 + n)::text, NULL, '{}', NULL)::watchlist.feed_row FROM generate_series(1, 5) n));
SELECT watchlist.number_changes(), watchlist.search_past_encounters(10);
SET SESSION AUTHORIZATION eva;
SELECT watchlist.take_review(1), watchlist.lock_marks(1, '[1]');
RESET SESSION AUTHORIZATION;
UPDATE watchlist.encounters SET retain_until = '2020-01-01' WHERE case_reference = 'B-6';
SELECT count(*) FROM watchlist.purge_expired('retention', 'R-1');
SELECT watchlist.seal_log();
X

# a view of a name, taken back in every way
my $offset = -s $node->logfile;
my ($out, $err) = session($node, "SELECT name::int FROM watchlist.view_person('north/border/W-1', 'curiosity', 'none')", user => 'olga');
like($err, qr/Made Up/, 'a name is shown by an error');
session($node, "BEGIN; SAVEPOINT s; SELECT * FROM watchlist.view_person('north/border/W-2', 'curiosity', 'none'); ROLLBACK TO s; COMMIT", user => 'olga');
session($node, "BEGIN; SELECT * FROM watchlist.view_person('north/border/W-3', 'curiosity', 'none'); ROLLBACK", user => 'olga');
session($node, "BEGIN; SELECT * FROM watchlist.identity_conflicts('curiosity', 'none', 0.99, 1, 3); SELECT * FROM watchlist.view_search(1, 'curiosity', 'none'); ROLLBACK");
my $told = slurp_file($node->logfile, $offset);
like($told, qr/watchlist: entry \d+, view: .*"caller": "olga".*"north\/border\/W-$_"/, "fault: a view of W-$_ that is taken back leaves no trace") foreach 1, 2, 3;
like($told, qr/watchlist: entry \d+, view: .*identity conflicts/, 'nor does a report');
like($told, qr/watchlist: entry \d+, view: .*candidates/, 'nor do candidates');
is(value("SELECT count(*) >= 4 FROM watchlist.verify_log() WHERE problem = 'the number was never committed'"), 't', 'and the numbers are missing in the log');
($out, $err) = session($node, "BEGIN READ ONLY; SELECT * FROM watchlist.view_person('north/border/W-1', 'curiosity', 'none')", user => 'olga');
like("$out$err", qr/^(?!.*Made Up).*cannot execute .* in a read-only transaction/s, 'where nothing can be written, nothing is shown');

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
is(rights('custom'), rights('postgres'), 'with the same rights, owners, settings and triggers');
value('CREATE DATABASE plain');
my $plain = "$PostgreSQL::Test::Utils::tmp_check/watchlist.sql";
command_ok([ 'pg_dump', '-h', $host, '-p', $port, '-f', $plain, 'postgres' ], 'a dump in plain SQL');
command_ok([ 'psql', '-X', '-q', '-h', $host, '-p', $port, '-v', 'ON_ERROR_STOP=1', '-1', '-o', '/dev/null', '-f', $plain, 'plain' ], 'is restored in one transaction');
is(contents('plain'), $before, 'to the same');
foreach my $database (qw(custom plain))
{
	is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'", $database), '0', "$database: the log is whole");
	($out, $err) = session($node, 'DELETE FROM watchlist.log', database => $database);
	like($err, qr/never changed/, 'and protected');
	is(value('SELECT watchlist.refresh_gallery()', $database), '0', 'fault: the daily job after an upgrade empties the gallery');
	is($node->safe_psql($database, check(7, 'B-7'), extra_params => [ '-U', 'olga' ]), 'hit|north/border/W-7', 'a traveller is found');
	is(value('SELECT max(entry) = (SELECT last_value FROM watchlist.log_numbers) FROM watchlist.log', $database), 't', 'numbers go on');
	is(value("SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number%'", $database), '0', 'the gallery follows');
	$node->safe_psql($database, "SELECT watchlist.add_to_list('north/border/wanted', watchlist.add_person('Late', NULL, 'x', 'x', reference => 'L-1'), 'x', 'x'); SELECT count(*) FROM watchlist.enrol('north/border/L-1', " . fingers(7, 0) . ", NULL, 'x', 'x')", extra_params => [ '-U', 'olga' ]);
	is(value('SELECT count(*) FROM watchlist.gallery WHERE subject = \'north/border/L-1\'', $database), '2', 'and goes on following');
	value('UPDATE watchlist.this_country SET cluster = 1', $database);
	is(value('SELECT waiting = 0 FROM watchlist.search_past_encounters(1000)', $database), 't', 'past encounters are searched');
	is(value("SELECT count(*) FROM watchlist.alerts WHERE person = 'north/border/L-1'", $database), '2', 'with an alert for each agency');
	is(value('SELECT watchlist.seal_log() > 0', $database), 't', 'the log is sealed again');
	is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'", $database), '0', 'in the same chain');
	value("DROP DATABASE $database");
}

# An owner who is no superuser owns what is restored, as doc/watchlist.md says
value($_) foreach ('CREATE ROLE keeper LOGIN', 'GRANT watchlist_courier TO keeper',
	'GRANT SET ON PARAMETER log_min_error_statement, log_error_verbosity TO keeper',
	'CREATE DATABASE kept OWNER keeper', 'CREATE DATABASE kept_again OWNER keeper');
$node->safe_psql('kept', <<'X', extra_params => [ '-U', 'keeper' ]);
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
X
value('CREATE EXTENSION postgres_fdw', 'kept');
command_ok([ 'pg_dump', '-h', $host, '-p', $port, '-Fc', '-f', $dump, 'kept' ], 'a dump of what is not a superuser\'s');
$node->safe_psql('kept_again', 'CREATE EXTENSION biometric', extra_params => [ '-U', 'keeper' ]);
value('CREATE EXTENSION postgres_fdw', 'kept_again');
command_ok([ 'pg_restore', '-h', $host, '-p', $port, '--role=keeper', '--no-comments', '--exit-on-error', '-d', 'kept_again', $dump ],
	'is restored as its owner');
is(rights('kept_again'), rights('kept'), 'with the same rights, owners, settings and triggers');
is(value(<<'X', 'kept_again'), 'keeper', 'nothing of it is a superuser\'s');
SELECT string_agg(DISTINCT o::regrole::text, ' ') FROM (SELECT proowner FROM pg_proc WHERE pronamespace = 'watchlist'::regnamespace
	UNION ALL SELECT relowner FROM pg_class WHERE relnamespace = 'watchlist'::regnamespace) a (o) WHERE o <> 'watchlist_courier'::regrole
X
is( $node->safe_psql('kept_again', <<'X', extra_params => [ '-U', 'keeper' ]), "0\nt\n0", 'fault: an empty log cannot be verified; and its jobs go on');
SELECT count(*) FROM watchlist.verify_log();
DO $$ BEGIN PERFORM watchlist.add_agency('border', 'border'); END $$;
SELECT watchlist.seal_log() > 0;
SELECT count(*) FROM watchlist.verify_log();
X
value("DROP DATABASE $_") foreach ('kept', 'kept_again');

#
# At the same time
#
my $other = $node->background_psql('postgres', on_error_stop => 0);
my $third = $node->background_psql('postgres', on_error_stop => 0);

# finishes what was sent, and begins a new session: the old one may have an error left to say
sub renew
{
	my $session = shift;

	$session->query('SELECT 1');
	$session->quit;
	return $node->background_psql('postgres', on_error_stop => 0);
}

# waits until $count sessions wait for a lock
sub lock_waits
{
	my $count = shift;

	return $node->poll_query_until('postgres', "SELECT count(*) >= $count FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
}

sub as
{
	my ($user, $query) = @_;

	return $node->safe_psql('postgres', $query, extra_params => [ '-U', $user ]);
}

# an open transaction of anybody
$other->query_safe("SET SESSION AUTHORIZATION olga; BEGIN; " . check(1, 'C-1'));
($out, $err) = session($node, 'SET statement_timeout = 60000; ' . check(2, 'C-2'), user => 'olga');
like($out, qr/hit\|north\/border\/W-2/, 'one who checks and does not commit holds up nobody');
is(as('otto', 'SELECT watchlist.seal_log() > 0'), 't', 'fault: any login with an open transaction stops seals');
as('olga', check(4711, 'C-3'));
as('olga', "SELECT watchlist.add_to_list('north/border/wanted', watchlist.add_person('Late', NULL, 'x', 'x', reference => 'L-2'), 'x', 'x'); SELECT count(*) FROM watchlist.enrol('north/border/L-2', " . fingers(4711, 0) . ", NULL, 'x', 'x')");
is(as('otto', 'SELECT waiting FROM watchlist.search_past_encounters(1000)'), '0', 'fault: ... and late alerts');
is(value("SELECT count(*) FROM watchlist.alerts WHERE person = 'north/border/L-2' AND agency = 'border'"), '1', 'which come');
$other->query_safe('COMMIT');
is(as('otto', 'SELECT watchlist.seal_log() > 0'), 't', 'the entry that was open is sealed later');
is(value("SELECT count(*) FROM watchlist.verify_log() WHERE problem <> 'the number was never committed'"), '0', 'and no seal is broken by it');

# ... and a lock that anybody can take
$other->query_safe("SET SESSION AUTHORIZATION olga; SELECT pg_advisory_lock(hashtextextended('watchlist.search_past_encounters', 0))");
as('olga', check(4711, 'C-4'));
is(as('otto', 'SELECT searched > 0, waiting FROM watchlist.search_past_encounters(1000)'), 't|0', 'fault: any login with an advisory lock stops late alerts');
$other->query_safe('SELECT pg_advisory_unlock_all()');

# a partner in an old snapshot, its own or one that another session of it has exported
my $core_data = "INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/border/W-%s', 'entry', 'S-1') RETURNING released, name";
my $partner_search = 'INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES (gen_random_uuid(), \'entry\', \'S-1\', ' . fingers(3, 3) . '::fingerprint[]) RETURNING band';
my ($snapshot) = $other->query_safe('SET SESSION AUTHORIZATION south; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot()') =~ /^([0-9A-F-]+)$/m;
sub in_snapshot
{
	my $query = shift;
	my ($stdout, $stderr) = session($node, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '$snapshot'; $query; COMMIT", user => 'south');

	return "$stdout$stderr";
}
like(in_snapshot('SELECT count(*) > 0 FROM watchlist.partner_feed WHERE item IS NOT NULL'), qr/^t$/m, 'a partner reads in a snapshot that it kept');
value("SELECT watchlist.pause_partner('south', true, 'key lost', 'x')");
like(in_snapshot('SELECT count(*) FROM watchlist.partner_feed'), qr/permission denied/, 'fault: a pause is not seen in an older snapshot: the feed');
like(in_snapshot($partner_search), qr/the partner is paused/, 'fault: ... searches');
like(in_snapshot(sprintf $core_data, 1), qr/the partner is paused/, 'fault: ... core data');
value("SELECT watchlist.pause_partner('south', false, 'new key', 'x')");
value("SELECT watchlist.note('setting', 'x', 'x'); SELECT watchlist.seal_log()") foreach 1 .. 12;
like(in_snapshot('SELECT count(*) FROM watchlist.partner_feed'), qr/^0$/m, 'fault: a partner reads in a snapshot as old as it likes');
like(in_snapshot($partner_search), qr/is not that of a partner/, 'and searches');
is(as('south', 'SELECT count(*) > 0 FROM watchlist.partner_feed'), 't', 'in a new one it reads');
$other->query_safe('COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
as('olga', "SELECT watchlist.decide_release('south', 'north/border/W-1', false, 'misused', 'x'); SELECT watchlist.correct_person('north/border/W-2', 'x', 'x', caveat => 'changed')");
is($other->query_safe('SAVEPOINT s; ' . sprintf($core_data, 2)), 'f|', 'of a person who was changed but not released nothing is to be noticed');
$other->query(sprintf $core_data, 1);
like($other->{stderr}, qr/could not serialize/, 'fault: core data is given by a decision that was taken back since the snapshot');
$other->{stderr} = '';
$other->query_safe('ROLLBACK');
as('olga', "SELECT watchlist.add_person('Asked For', NULL, 'x', 'x', reference => 'W-ASKED'); SELECT watchlist.decide_release('south', 'north/border/W-ASKED', true, 'x', 'x')");
is($other->query_safe('BEGIN; ' . sprintf($core_data, 'ASKED')), 't|Asked For', 'a partner asks for core data and stays idle');
($out, $err) = session($node, "SET statement_timeout = '20s'; SELECT watchlist.erase_person('north/border/W-ASKED', 'x', 'x') > 0", user => 'olga');
is("$out$err", 't', 'fault: a person for whom an idle partner asked cannot be erased');
$other->query_safe('COMMIT; SET SESSION AUTHORIZATION olga');

# a check in an old snapshot and an entry that is committed meanwhile, in both orders of the job
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	foreach my $job_first (0, 1)
	{
		my $person = 950 + 2 * $job_first + ($level eq 'SERIALIZABLE');

		$other->query_safe("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM pg_class");
		as('olga', "SELECT watchlist.add_to_list('north/border/wanted', watchlist.add_person('Late', NULL, 'x', 'x', reference => 'R-$person'), 'x', 'x'); SELECT count(*) FROM watchlist.enrol('north/border/R-$person', " . fingers($person, 0) . ", NULL, 'x', 'x')");
		as('otto', 'SELECT watchlist.search_past_encounters(1000)') if $job_first;
		is($other->query_safe(check($person, "RR-$person")), 'clear|', 'a check in an old snapshot cannot see the entry');
		as('otto', 'SELECT watchlist.search_past_encounters(1000)') if $job_first;
		$other->query_safe('COMMIT');
		as('otto', 'SELECT watchlist.search_past_encounters(1000)');
		is(value("SELECT string_agg(DISTINCT a.person, ',') FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter) WHERE e.case_reference = 'RR-$person'"),
			"north/border/R-$person", "fault: a check in $level never meets an entry committed meanwhile");
	}
}

# a person is put on a list while a purge runs
as('olga', "SELECT watchlist.add_person('Old Record', NULL, 'x', 'x', reference => 'OLD', retain_until => '2020-01-01'); SELECT count(*) FROM watchlist.enrol('north/border/OLD', " . fingers(900, 0) . ", ARRAY[synthetic_iris(900)]::text[], 'x', 'x')");
$other->query_safe("BEGIN; SELECT watchlist.add_to_list('north/border/wanted', 'north/border/OLD', 'warrant issued now', 'x')");
is(as('otto', "SELECT kind, removed, reason FROM watchlist.purge_expired('retention', 'R-2') WHERE name = 'border/OLD'"), 'person|f|to be kept until 2020-01-01; somebody is changing it', 'fault: a person listed while a purge waits is purged');
$other->query_safe('COMMIT');
is(as('otto', "SELECT removed, reason FROM watchlist.purge_expired('retention', 'R-3') WHERE name = 'border/OLD'"), 'f|to be kept until 2020-01-01; is on list border/wanted', 'nor later');
is(as('olga', check(900, 'P-1')), 'hit|north/border/OLD', 'and is found');
# the other way round: who is being purged cannot be listed
as('olga', "SELECT watchlist.add_person('Old Record', NULL, 'x', 'x', reference => 'OLD-2', retain_until => '2020-01-01')");
$third->query_safe("BEGIN; SELECT count(*) FROM watchlist.purge_expired('retention', 'R-4')");
$other->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.add_to_list('north/border/wanted', 'north/border/OLD-2', 'x', 'x');\n");
ok(lock_waits(1), 'who lists a person that is being purged waits');
$third->query_safe('COMMIT');
$other = renew($other);
$other->query_safe('SET SESSION AUTHORIZATION olga');
is(value("SELECT count(*) FROM watchlist.list_entries e LEFT JOIN watchlist.persons p USING (person) WHERE p.person IS NULL OR reference = 'border/OLD-2'"), '0', 'and is told that there is none');

# the first entry of a list that was empty, beside the job that counts
as('olga', "SELECT watchlist.create_list('amber', 'Amber', 'act', 'x', 'x', open => true), watchlist.add_to_list('north/border/amber', 'north/border/W-11', 'x', 'x'), watchlist.remove_from_list('north/border/amber', 'north/border/W-11', 'x', 'x')");
$third->query_safe("BEGIN; SELECT * FROM watchlist.search_past_encounters(1000)");
as('olga', "SELECT watchlist.remove_from_list('north/border/wanted', 'north/border/W-12', 'x', 'x'), watchlist.add_to_list('north/border/amber', 'north/border/W-12', 'x', 'x')");
$third->query_safe('COMMIT');
is(as('paul', check(12, 'P-2')), 'hit|north/border/W-12', 'fault: the first entry of an empty list is not searched for after a race with the recount');
is(value("SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'number%' OR problem LIKE 'template%'"), '0', 'and sizes are right');

# an enrolment and an entry of the same person, each unaware of the other
$third->query_safe('SET SESSION AUTHORIZATION olga');
foreach my $order (1, 2)
{
	my $person = "north/border/X-$order";
	my $enrol = "SELECT count(*) FROM watchlist.enrol('$person', " . fingers(600 + $order, 0) . ", NULL, 'x', 'x')";
	my $list = "SELECT watchlist.add_to_list('north/border/wanted', '$person', 'x', 'x')";

	as('olga', "SELECT watchlist.add_person('Race', NULL, 'x', 'x', reference => 'X-$order')");
	$other->query_safe('BEGIN; ' . ($order == 1 ? $enrol : $list));
	$third->query_until(qr/sent/, "\\echo sent\n" . ($order == 1 ? $list : $enrol) . ";\n");
	ok(lock_waits(1), 'the second waits for the first');
	$other->query_safe('COMMIT');
	$third->query_safe('SELECT 1');
	is(value("SELECT count(*) FROM watchlist.gallery WHERE subject = '$person'"), '2', 'and the gallery has what both made');
}

# an entry and a rule: the partner gets it
$other->query_safe("BEGIN; SELECT watchlist.release_list('north/border/amber', 'south', true, 'agreement 8', 'x')");
as('olga', "SELECT watchlist.add_person('Race', NULL, 'x', 'x', reference => 'X-3'); SELECT count(*) FROM watchlist.enrol('north/border/X-3', " . fingers(603, 0) . ", NULL, 'x', 'x')");
$third->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.add_to_list('north/border/amber', 'north/border/X-3', 'x', 'x');\n");
ok(lock_waits(1), 'an entry waits for a rule of its list');
$other->query_safe('COMMIT');
$third->query_safe('SELECT 1');
value('SELECT watchlist.number_changes()');
is(value("SELECT count(*) FROM watchlist.feed_sent WHERE reference = 'border/X-3'"), '1', 'and is released by it');
# a withdrawal that is committed after a later change was numbered is not lost
$other->query_safe("BEGIN; SELECT watchlist.remove_from_list('north/border/amber', 'north/border/X-3', 'x', 'x')");
as('olga', "SELECT watchlist.add_to_list('north/border/amber', 'north/border/W-13', 'x', 'x')");
value('SELECT watchlist.number_changes()');
$other->query_safe('COMMIT');
is(value("SELECT watchlist.number_changes()"), '1', 'what is committed later is numbered later');
is($node->safe_psql('postgres', "SELECT f.reference, f.item IS NULL FROM watchlist.partner_feed f WHERE reference = 'border/X-3' AND number = (SELECT max(number) FROM watchlist.partner_feed)", extra_params => [ '-U', 'south' ]), 'border/X-3|t', 'as a withdrawal');
($out, $err) = session($node, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT watchlist.release_list('north/border/amber', 'south', true, 'x', 'x'); ROLLBACK", user => 'olga');
like($err, qr/read what is committed/, 'who changes what reaches a whole list does not do it in an old snapshot');

# examiners: two take what only one of them can, one takes two reviews of one candidate
my $search = value("SELECT search FROM watchlist.searches WHERE case_reference = 'C-2'");
as('olga', "SELECT watchlist.open_review($search, 1, 'x', 'x'), watchlist.open_review($search, 1, 'appeal', 'x')");
value('CREATE ROLE erik LOGIN IN ROLE border');
value("SELECT watchlist.grant_duty('examiner', 'erik'), watchlist.grant_duty('supervisor', 'erik')");
# the search was olga's
$other->query_safe('RESET SESSION AUTHORIZATION; SET SESSION AUTHORIZATION emil; BEGIN; SELECT watchlist.take_review(1)');
$third->query_safe('RESET SESSION AUTHORIZATION; SET SESSION AUTHORIZATION erik');
$third->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.take_review(1);\n");
ok(lock_waits(1), 'the second waits');
$other->query_safe('COMMIT');
$third = renew($third);
is(value("SELECT string_agg(examiner, ',' ORDER BY round) FROM watchlist.review_events WHERE review = 1 AND event = 'taken'"), 'eva,emil', 'and is refused');
$other->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
$third->query_safe('SET SESSION AUTHORIZATION emil');
$third->query_safe('SELECT watchlist.take_review(2)');
$other->query('SELECT watchlist.take_review(3)');
$other->query('COMMIT');
$other = renew($other);
is(value("SELECT count(*) FROM watchlist.review_events WHERE review IN (2, 3) AND event = 'taken' AND examiner = 'emil'"), '1', 'fault: one examiner can take both reviews');
# a review is withdrawn while it is decided
as('eva', 'SELECT watchlist.take_review(2), watchlist.lock_marks(2, \'[]\'); SELECT count(*) FROM watchlist.view_candidate(2); SELECT watchlist.decide(2, \'exclusion\', \'x\')');
$third->query_safe("SELECT watchlist.lock_marks(2, '[]')");
$third->query_safe('SELECT count(*) FROM watchlist.view_candidate(2)');
$third->query_safe("BEGIN; SELECT watchlist.decide(2, 'exclusion', 'x')");
$other->query_safe('SET SESSION AUTHORIZATION erik');
$other->query_until(qr/sent/, "\\echo sent\nSELECT watchlist.withdraw_review(2, 'inconvenient');\n");
ok(lock_waits(1), 'who withdraws waits for who decides');
$third->query_safe('COMMIT');
$other->query('SELECT 1');
is(value('SELECT outcome FROM watchlist.review_outcomes WHERE review = 2'), 'agreed', 'fault: a finished review can be withdrawn');
$_->quit foreach $other, $third;

# what the statistics of tables tell is for those who need it: the recipe of doc/watchlist.md
my ($recipe) = slurp_file("$FindBin::RealBin/../../doc/watchlist.md") =~ /<!-- recipe: statistics -->.*?```sql\n(.*?)```/s;
ok($recipe, 'the documentation has a recipe for statistics');
value($recipe) if $recipe;
foreach my $query ("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'review_events'", "SELECT pg_stat_get_tuples_inserted('watchlist.review_events'::regclass)", "SELECT pg_relation_size('watchlist.review_events'::regclass)", 'SELECT * FROM pg_statio_user_indexes')
{
	($out, $err) = session($node, $query, user => 'eva');
	like($err, qr/permission denied/, "fault: statistics betray the other's work: $query");
}

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
	push @checkers, IPC::Run::start([ 'psql', '-X', '-q', '-U', 'olga', '-h', $host, '-p', $port, '-f', $file, 'postgres' ], '<', \undef, '>', \my $o, '2>', \my $e);
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
as('olga', check(4, 'K-4'));
is(as('otto', 'SELECT watchlist.seal_log() > 0'), 't', 'the log is sealed');
is(value("SELECT coalesce(string_agg(DISTINCT problem, ','), '') FROM watchlist.verify_log() WHERE problem !~ 'never committed'"), '', 'and whole');
index_is_sound($node, 'the index of past encounters', index => 'watchlist.encounter_items_print');
index_is_sound($node, 'the index of enrolments', index => 'watchlist.enrolments_print');

# the server's log has what was checked, whether it was committed or not, and no templates
my $literals = value("SELECT format('%L, %L', " . fingers(5, 3) . ', ARRAY[synthetic_iris(5, 3)])');
$offset = -s $node->logfile;
as('olga', "BEGIN; SELECT verdict FROM watchlist.check_traveller($literals, 'entry', E'X-1\\nforged line'); ROLLBACK");
my $log = slurp_file($node->logfile, $offset);
like($log, qr/watchlist: entry \d+, search: .*"case": "X-1\\nforged line".*"north\/border\/W-5"/, 'a check that was taken back is in the log of the server');
unlike($log, qr/FMR|464d52|e\d+,\d+,\d+,\d+ /, 'templates are not');

$node->stop;
done_testing();
