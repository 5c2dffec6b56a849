# Two countries, two servers: a list that is sent by a feed that the partner
# pulls, a list that stays and is asked, alerts both ways.  The extension belongs
# to an ordinary role, partners log in with passwords; servers are killed, restored
# and lie, and nothing is lost, shown twice or shown too much.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run qw(start finish pump timeout);
use PostgreSQL::Test::Utils;
use Test::More;

my %country = map { $_ => new_server($_) } qw(north south);
my ($north, $south) = @country{qw(north south)};

if ($north->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0')
{
	$_->stop foreach values %country;
	plan skip_all => 'postgres_fdw is not installed';
}

# the listener, where libpq can be compiled against
my $listener = "$PostgreSQL::Test::Utils::tmp_check/listener";
my $config = $north->config_data('--includedir');
my $have_listener = -e "$config/libpq-fe.h" && system('cc', '-std=gnu99', "-I$config", '-o', $listener,
	"$FindBin::RealBin/../demo/listener.c", '-L' . $north->config_data('--libdir'), '-lpq') == 0;

sub fingers
{
	my ($person, $capture) = @_;

	return "ARRAY[synthetic_fingerprint($person, $capture, 2), synthetic_fingerprint($person, $capture, 7)]::bytea[]";
}

# a value, as the owner of the database unless said otherwise
sub value
{
	my ($where, $query, $user) = @_;

	return $where->safe_psql('exchange', $query, extra_params => [ '-U', $user || 'keeper' ]);
}

# what somebody sees who may fail
sub try
{
	my ($where, $query, $user) = @_;
	my ($stdout, $stderr) = session($where, $query, database => 'exchange', user => $user || 'keeper');

	return "$stdout$stderr";
}

sub check
{
	my ($where, $person, $case) = @_;

	return value($where, "SELECT verdict, coalesce(person, '-'), partners_pending FROM watchlist.check_traveller(" . fingers($person, 3) . ", NULL, 'entry', '$case')", 'olga');
}

# two fingers of persons on a list of the border
sub enlist
{
	my ($where, $country, $list, $first, $last) = @_;

	value($where, <<"X", 'carl');
SELECT count(watchlist.add_person('Made Up ' || n, '1980-01-01', 'x', 'x', reference => '$list-' || n)) FROM generate_series($first, $last) n;
SELECT count(*) FROM generate_series($first, $last) n, watchlist.enrol('$country/border/$list-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[], NULL, 'x', 'x');
SELECT count(watchlist.add_to_list('$country/border/$list', '$country/border/$list-' || n, 'x', 'x')) FROM generate_series($first, $last) n;
X
	return;
}

sub pull
{
	my ($where, $partner) = @_;

	return value($where, "SELECT * FROM watchlist.pull('$partner')", 'otto');
}

# persons and templates that are kept of a partner
sub received
{
	my ($where, $partner) = @_;

	return value($where, "SELECT (SELECT count(*) FROM watchlist.received_entries WHERE subject LIKE '$partner/%'), (SELECT count(*) FROM watchlist.received WHERE subject LIKE '$partner/%')");
}

#
# The DBA's step, then everything as an ordinary role
#
foreach my $pair ([ 'north', 'south' ], [ 'south', 'north' ])
{
	my ($here, $there) = @$pair;
	my $node = $country{$here};
	my $hba = $node->data_dir . '/pg_hba.conf';
	my $lines = slurp_file($hba);

	$node->safe_psql('postgres', <<"X");
CREATE ROLE keeper LOGIN;
CREATE ROLE watchlist_courier;
GRANT watchlist_courier TO keeper;
GRANT SET ON PARAMETER log_min_error_statement, log_error_verbosity TO keeper;
CREATE ROLE border;
CREATE ROLE olga LOGIN IN ROLE border;
CREATE ROLE carl LOGIN IN ROLE border;
CREATE ROLE otto LOGIN;
CREATE ROLE $there LOGIN PASSWORD 'secret of $there';
CREATE ROLE east LOGIN;
CREATE DATABASE exchange OWNER keeper;
X
	$node->safe_psql('exchange', 'CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO keeper');
	# partners give a password, from the first line on
	open(my $file, '>', $hba) or die $!;
	print $file "local all north,south scram-sha-256\n$lines";
	close($file);
	$node->reload;
	value($node, <<"X");
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('$here');
SELECT watchlist.add_agency('border', 'border');
SELECT watchlist.grant_duty('officer', 'olga'), watchlist.grant_duty('curator', 'carl'), watchlist.grant_duty('releaser', 'carl'), watchlist.grant_duty('operator', 'otto');
SELECT watchlist.add_partner('$there', '$there', 'agreement 7', 'x'), watchlist.add_partner('east', 'east', 'agreement 8', 'x');
X
}
is($north->safe_psql('exchange', "SELECT string_agg(DISTINCT r.rolname, ',' ORDER BY r.rolname), bool_or(r.rolsuper), bool_or(r.rolbypassrls), bool_or(r.rolreplication) FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.pronamespace = 'watchlist'::regnamespace"),
	'keeper,watchlist_courier|f|f|f', 'functions belong to an ordinary role, and what talks to partners to another');
foreach my $pair ([ 'north', 'south' ], [ 'south', 'north' ])
{
	my ($here, $there) = @$pair;
	my ($host, $port) = ($country{$there}->host, $country{$there}->port);

	value($country{$here}, <<"X");
CREATE SERVER $there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'exchange');
CREATE USER MAPPING FOR watchlist_courier SERVER $there OPTIONS (user '$here', password 'secret of $here');
SELECT watchlist.connect_partner('$there', '$there', 'agreement 7', 'x');
X
}
like(value($north, 'SELECT srvoptions FROM pg_foreign_server'), qr/connect_timeout=\d+.*statement_timeout/, 'a partner that does not answer is waited for so long');

#
# A list that is sent, a list that stays
#
value($_, "SELECT watchlist.create_list('wanted', 'x', 'act', 'x', 'x', caveats => '{call first}'), watchlist.create_list('internal', 'x', 'act', 'x', 'x')", 'carl') foreach $north, $south;
enlist($north, 'north', 'wanted', 1, 20);
enlist($north, 'north', 'internal', 21, 25);
enlist($south, 'south', 'wanted', 101, 120);
value($north, "SELECT watchlist.change_entry('north/border/wanted', 'north/border/wanted-20', 'x', 'x', withheld_from => '{south}')", 'carl');
value($north, "SELECT watchlist.release_list('north/border/wanted', 'south', true, 'agreement 7', 'x'), watchlist.release_list('north/border/internal', 'east', true, 'agreement 8', 'x')", 'carl');
value($south, "SELECT watchlist.release_list('south/border/wanted', 'north', false, 'agreement 7', 'x')", 'carl');
is(pull($south, 'north'), '19|f|', 'the list is pulled');
is(received($south, 'north'), '19|38', 'and only what was released');
is(value($south, "SELECT DISTINCT caveats FROM watchlist.received_entries"), '{"call first"}', 'with its caveats');
is(pull($south, 'north'), '0|f|', 'once');
is(value($north, 'SELECT not_numbered, not_acknowledged FROM watchlist.feed_lag() WHERE partner = \'south\''), '0|0', 'and is trimmed when it is acknowledged');
is(pull($north, 'south'), '0|f|', 'what stays is not sent');
is(received($north, 'south'), '0|0', 'nothing of it');
like(pull($south, 'nobody'), qr/not connected/, 'whom one is not connected to one does not pull from');

is(check($south, 5, 'S-1'), 'hit|north/border/wanted-5|1', 'a person of a list that was sent is a hit at once');
is(check($south, 20, 'S-1b'), 'clear|-|1', 'one who is withheld is not');
is(check($north, 105, 'N-1'), 'clear|-|1', 'a person of a list that stays is not known here, and the partner is asked');
is(value($north, "SELECT * FROM watchlist.complete_remote_searches('south')", 'otto'), '1|0|', 'the partner answers');
is(value($north, 'SELECT state, band, person FROM watchlist.remote_searches'), 'answered|hit|south/border/wanted-105', 'hit and name, nothing more');
is(value($north, "SELECT kind, partner, person, agency FROM watchlist.alerts"), 'remote hit|south|south/border/wanted-105|border', 'an alert here');
is(value($south, "SELECT kind, partner, list, person FROM watchlist.alerts WHERE kind = 'partner asked'"), 'partner asked|north|south/border/wanted|south/border/wanted-105', 'and an alert there');
is(value($south, "SELECT partner, lists, persons, what, purpose, case_reference FROM watchlist.disclosures WHERE what LIKE 'search%'"), 'north|{south/border/wanted}|{south/border/wanted-105}|search: hit|entry|N-1', 'which is in the log there, with purpose and case');

# core data, by the owner's decision
is(value($north, "SELECT * FROM watchlist.request_core_data('south/border/wanted-105', 'entry', 'N-1')", 'olga'), 'f||', 'without a decision there is no core data');
value($south, "SELECT watchlist.decide_release('north', 'south/border/wanted-105', true, 'agreement 7', 'x')", 'carl');
is(value($north, "SELECT * FROM watchlist.request_core_data('south/border/wanted-105', 'entry', 'N-1')", 'olga'), 't|Made Up 105|1980-01-01', 'with one there is');

#
# What a partner can do with its login
#
my $south_login = 'user=south password=\'secret of south\' dbname=exchange host=' . $north->host . ' port=' . $north->port;
sub as_south
{
	my $query = shift;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-X', '-A', '-t', '-q', '-d', $south_login, '-c', $query ], '>', \$out, '2>', \$err);
	return "$out$err";
}
like(try($north, 'SELECT 1', 'south'), qr/password/, 'a partner logs in with a password');
foreach my $query (
	'SELECT * FROM watchlist.persons', 'SELECT * FROM watchlist.gallery', 'SELECT * FROM watchlist.feed', 'SELECT * FROM watchlist.partner_requests', 'SELECT * FROM watchlist.disclosures',
	'SELECT * FROM watchlist.received', "SELECT watchlist.pull('south')", 'DELETE FROM watchlist.partner_search', "UPDATE watchlist.partner_feed SET list = 'x'",
	"SELECT watchlist.decide_release('south', 'north/border/wanted-1', true, 'x', 'x')")
{
	like(as_south($query), qr/permission denied|cannot update view/, "refused: $query");
}
like(as_south("SELECT pg_create_logical_replication_slot('spy', 'test_decoding')"), qr/permission denied|must be superuser or replication role|wal_level/, 'fault: a decoding slot of the partner\'s login reads persons');
is($north->safe_psql('postgres', "SELECT rolreplication FROM pg_roles WHERE rolname = 'south'"), 'f', 'for nobody needs REPLICATION');
is($north->safe_psql('exchange', "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE pronamespace = 'watchlist'::regnamespace AND a.grantee = 0"), '0', 'nothing is granted to PUBLIC');

# what was told is announced in the server's log, whatever becomes of the transaction
my $offset = -s $north->logfile;
value($north, "SELECT watchlist.decide_release('south', 'north/border/wanted-3', true, 'agreement 7', 'x')", 'carl');
like(as_south("BEGIN; INSERT INTO watchlist.partner_core_data (person, purpose, case_reference) VALUES ('north/border/wanted-3', 'entry', 'S-9') RETURNING name; ROLLBACK"), qr/Made Up 3/, 'a partner takes core data and rolls back');
is(value($north, "SELECT count(*) FROM watchlist.log WHERE action = 'disclosure' AND detail = 'core data'"), '0', 'the entry is gone');
like(slurp_file($north->logfile, $offset), qr/watchlist: entry \d+, disclosure: .*"north\/border\/wanted-3"/, 'fault: core data taken in a transaction that is rolled back leaves no trace');

#
# The partner is killed
#
kill_server($south);
is(check($north, 106, 'N-4'), 'clear|-|1', 'with the partner away the local verdict comes all the same');
like(value($north, "SELECT * FROM watchlist.complete_remote_searches('south')", 'otto'), qr/^0\|1\|.*could not connect to server "south"/, 'the search waits, and says why');
like(pull($north, 'south'), qr/^0\|f\|.*could not connect/, 'so does the feed');
like(value($north, "SELECT object, detail FROM watchlist.coverage() WHERE problem LIKE 'feed%'"), qr/^south\|could not connect/, 'and the report of what is not covered says so');
enlist($north, 'north', 'wanted', 41, 50);
value($north, "SELECT watchlist.remove_from_list('north/border/wanted', 'north/border/wanted-7', 'x', 'x'), watchlist.change_entry('north/border/wanted', 'north/border/wanted-8', 'x', 'x', caveats => '{armed}')", 'carl');
$south->start;
is(value($north, "SELECT * FROM watchlist.complete_remote_searches('south')", 'otto'), '1|0|', 'the partner is back: it is answered');
is(value($north, "SELECT * FROM watchlist.complete_remote_searches('south')", 'otto'), '0|0|', 'once');
is(pull($south, 'north'), '12|f|', 'the list catches up');
is(received($south, 'north'), '28|56', 'rows added and withdrawn meanwhile');
is(value($south, "SELECT caveats FROM watchlist.received_entries WHERE subject = 'north/border/wanted-8'"), '{"call first",armed}', 'and changed caveats');
is(check($south, 45, 'S-2'), 'hit|north/border/wanted-45|1', 'who was added while it was away is found');
is(check($south, 7, 'S-3'), 'clear|-|1', 'who was withdrawn is not');

# an entry that comes after the traveller
check($south, 60, 'S-6');
enlist($north, 'north', 'wanted', 60, 61);
is(pull($south, 'north'), '2|f|', 'an entry comes late');
value($south, 'SELECT watchlist.search_past_encounters(1000)', 'otto');
is(value($south, "SELECT a.kind, a.person, a.band, e.case_reference FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter) WHERE a.kind = 'past encounter'"),
	'past encounter|north/border/wanted-60|hit|S-6', 'who was let through is alerted of afterwards');

# the partner committed, and we did not: asked again, answered the same, logged once
check($north, 107, 'N-6');
try($north, "BEGIN; SELECT watchlist.complete_remote_searches('south'); SELECT 1/0; COMMIT");
is(value($south, "SELECT count(*) FROM watchlist.log WHERE case_reference = 'N-6'"), '0', 'what is rolled back here is rolled back there');
my $request = value($north, "SELECT request FROM watchlist.remote_searches WHERE case_reference = 'N-6'");
my $north_login = 'user=north password=\'secret of north\' dbname=exchange host=' . $south->host . ' port=' . $south->port;
IPC::Run::run([ 'psql', '-X', '-q', '-d', $north_login, '-c', "INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('$request', 'entry', 'N-6', " . fingers(107, 3) . '::fingerprint[])' ]);
is(value($north, "SELECT * FROM watchlist.complete_remote_searches('south')", 'otto'), '1|0|', 'a search that the partner knows already is answered');
is(value($north, "SELECT band, person FROM watchlist.remote_searches WHERE request = '$request'"), 'hit|south/border/wanted-107', 'the same');
is(value($south, "SELECT count(*) FROM watchlist.log WHERE case_reference = 'N-6'"), '1', 'and logged once');
try($south, "BEGIN; SELECT watchlist.pull('north'); SELECT 1/0; COMMIT");

#
# fault: TRUNCATE plus refresh at one side empties the other's gallery
#
my $own = value($south, 'SELECT count(*) FROM watchlist.gallery');
value($north, 'TRUNCATE watchlist.gallery; DELETE FROM watchlist.arrivals; DELETE FROM watchlist.part_sizes; SELECT watchlist.refresh_gallery()');
pull($south, 'north');
is(value($south, 'SELECT count(*) FROM watchlist.gallery'), $own, 'fault: TRUNCATE plus refresh at one side empties the other\'s gallery');
is(received($south, 'north'), '30|60', 'what was received is there, too');
is(check($south, 103, 'S-10'), 'hit|south/border/wanted-103|1', 'its own listed persons are found');
is(value($north, 'SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE \'template%\' OR problem LIKE \'number%\''), '0', 'and the truncated gallery is whole again');

#
# fault: a publisher marks a row with the subscriber as owner
#
# A hostile keeper can make its view say anything.
$north->safe_psql('exchange', <<'X');
CREATE TABLE lies AS SELECT 0::bigint AS number, ''::bytea AS hash, ''::text AS list, ''::text AS reference, 1 AS item, ''::text AS print, ''::text AS eye, '{}'::text[] AS caveats, NULL::date AS expires WHERE false;
ALTER VIEW watchlist.partner_feed RENAME TO partner_feed_kept;
CREATE VIEW watchlist.partner_feed AS SELECT * FROM lies;
GRANT SELECT ON watchlist.partner_feed, lies TO PUBLIC;
X
my $next = value($north, "SELECT last_number FROM watchlist.feeds WHERE partner = 'south'");
sub lie
{
	my ($list, $reference, $item, $print, $caveats) = @_;

	$next++;
	$north->safe_psql('exchange', "INSERT INTO lies VALUES ($next, '$next', $list, $reference, $item, $print, NULL, $caveats, NULL); UPDATE watchlist.feeds SET last_number = $next, last_hash = '$next' WHERE partner = 'south'");
	return;
}
lie("'../south/border/wanted'", "'south/border/wanted-103'", 1, 'synthetic_fingerprint(4000, 0, 2)::text', "'{shoot on sight}'");
lie("'south/border/wanted'", "'border/wanted-666'", 1, 'synthetic_fingerprint(4001, 0, 2)::text', 'NULL');
lie("'south/border/wanted'", "'border/wanted-103'", 'NULL', 'NULL', 'NULL');
lie("'border/wanted'", "'no template'", 1, "'(finger 1) nonsense'", 'NULL');
lie("'border/wanted'", "E'two\\nlines'", 1, 'synthetic_fingerprint(4002, 0, 2)::text', 'NULL');
lie("'border/wanted'", "'many caveats'", 1, 'synthetic_fingerprint(4003, 0, 2)::text', "(SELECT array_agg('c' || n) FROM generate_series(1, 100) n)");
lie("'border/wanted'", "'good'", 1, 'synthetic_fingerprint(4004, 0, 2)::text', 'NULL');
like(pull($south, 'north'), qr/^7\|f\|$/, 'what a hostile partner sends is looked at');
is(value($south, "SELECT string_agg(reference || ': ' || problem, '; ' ORDER BY number) FROM watchlist.received_problems"), "no template: a template cannot be read; two\nlines: not a name of a list or person; many caveats: too many caveats", 'what is wrong is refused, and said');
is(value($south, 'SELECT count(*) FROM watchlist.gallery'), $own, 'no row of ours was added, changed or removed');
is(value($south, "SELECT string_agg(DISTINCT split_part(subject, '/', 1), ',') FROM watchlist.received"), 'north', 'fault: a publisher marks a row with the subscriber as owner');
is(check($south, 103, 'S-11'), 'hit|south/border/wanted-103|1', 'a listed person of ours is still listed');
like(value($south, "SELECT person, lists FROM watchlist.check_traveller(ARRAY[synthetic_fingerprint(4000, 3, 2)]::bytea[], NULL, 'entry', 'S-12')", 'olga'), qr/^north\/south\/border\/wanted-103\|\{"?north\/\.\.\/south/, 'an innocent is a hit of the partner\'s, not of ours');
$north->safe_psql('exchange', 'DELETE FROM lies');
lie("'border/wanted'", "'too late'", 1, 'synthetic_fingerprint(4005, 0, 2)::text', 'NULL');
$north->safe_psql('exchange', "UPDATE watchlist.feeds SET last_number = last_number + 5 WHERE partner = 'south'");
like(pull($south, 'north'), qr/gap/, 'a feed with a gap stops, and says so');
value($south, "UPDATE watchlist.this_country SET max_received = 10");
like(pull($south, 'north'), qr/gap|as many entries as it may/, 'there is a limit to what a partner may send');
value($south, "UPDATE watchlist.this_country SET max_received = 1000000");
$north->safe_psql('exchange', 'DROP VIEW watchlist.partner_feed; ALTER VIEW watchlist.partner_feed_kept RENAME TO partner_feed; DROP TABLE lies');

# fault: a restored keeper gives numbers again, and nothing says so: it counts differently from what the partner knows
$north->safe_psql('exchange', "UPDATE watchlist.feeds SET last_number = 5, last_hash = 'old', acknowledged_number = 5, acknowledged_hash = 'old' WHERE partner = 'south'; DELETE FROM watchlist.feed WHERE partner = 'south'");
is(pull($south, 'north'), '30|f|', 'fault: a restored publication is empty and nothing says so');
is(received($south, 'north'), '30|60', 'what the partner had in excess is gone, the rest is there');
is(value($south, "SELECT generation, settles_at IS NULL FROM watchlist.received_feeds"), '1|t', 'it was given anew');
is(value($south, "SELECT count(*) FROM watchlist.log WHERE detail = 'the partner''s feed starts anew'"), '1', 'and the log says so');
is(check($south, 5, 'S-13'), 'hit|north/border/wanted-5|1', 'nobody was lost');
# the partner is restored to an earlier state; not more often than once a minute, for it is work
value($south, "UPDATE watchlist.received_feeds SET hash = 'x'");
like(pull($south, 'north'), qr/less than a minute ago/, 'a feed is not given anew all the time');
value($north, 'UPDATE watchlist.feeds SET anew_at = NULL');
value($south, "UPDATE watchlist.received_feeds SET number = 3, hash = 'x'; DELETE FROM watchlist.received_entries WHERE subject ~ '-1\$'; DELETE FROM watchlist.arrivals WHERE subject ~ 'north/border/wanted-1\$'; INSERT INTO watchlist.part_sizes SELECT part, -1 FROM watchlist.parts WHERE owner = 'north' AND list = 'border/wanted'");
is(pull($south, 'north'), '30|f|', 'a partner that was restored gets everything');
is(received($south, 'north'), '30|60', 'and has it');
is(value($south, 'SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE \'number%\''), '0', 'sizes are right');

# a partner that has sent as much as it may
value($south, "UPDATE watchlist.this_country SET max_received = 1");
value($north, "SELECT watchlist.remove_from_list('north/border/wanted', 'north/border/wanted-50', 'x', 'x')", 'carl');
is(pull($south, 'north'), '1|f|', 'fault: who has sent as much as it may cannot withdraw');
is(received($south, 'north'), '29|58', 'what it withdraws is gone');
value($north, "SELECT watchlist.add_to_list('north/border/wanted', 'north/border/wanted-50', 'x', 'x')", 'carl');
like(pull($south, 'north'), qr/as many entries as it may/, 'but it cannot send more');
value($south, "UPDATE watchlist.this_country SET max_received = 1000000");
is(pull($south, 'north'), '1|f|', 'until it may');

#
# Paused, resumed, removed; one that hangs
#
value($north, "SELECT watchlist.pause_partner('south', true, 'key lost', 'x')");
like(pull($south, 'north'), qr/paused/, 'a paused partner gets nothing');
value($north, "SELECT watchlist.pause_partner('south', false, 'new key', 'x')");
is(pull($south, 'north'), '0|f|', 'and goes on where it was');
# the partner's table is locked by somebody there: the wait is bounded, other jobs go on
value($south, "ALTER SERVER north OPTIONS (SET options '-c statement_timeout=1s')");
$south->restart;
my $blocker = $north->background_psql('exchange', on_error_stop => 0);
$blocker->query_safe("BEGIN; SELECT FROM watchlist.feeds WHERE partner = 'south' FOR UPDATE");
my $busy = start([ 'psql', '-X', '-A', '-t', '-U', 'otto', '-h', $south->host, '-p', $south->port, '-d', 'exchange', '-c', "SELECT * FROM watchlist.pull('north')" ], '>', \my $hung, '2>', \my $hung_error);
is(value($south, "SELECT watchlist.seal_log() > 0", 'otto'), 't', 'fault: a partner that hangs stops seals');
value($south, 'SELECT watchlist.search_past_encounters(1000)', 'otto');
is(value($south, 'SELECT waiting FROM watchlist.search_past_encounters(1000)', 'otto'), '0', 'and late alerts');
finish $busy;
like($hung, qr/timeout/, 'the wait for it is bounded');
$blocker->query_safe('COMMIT');
$blocker->quit;
is(pull($south, 'north'), '0|f|', 'then it goes on');

#
# The listener
#
SKIP:
{
	skip 'libpq-fe.h is not installed', 4 if !$have_listener;
	my $waiting = value($south, "SELECT count(*) FROM watchlist.alerts WHERE acknowledged_at IS NULL");
	my ($out, $err) = ('', '');
	my $harness = start [ $listener, '--timeout', $PostgreSQL::Test::Utils::timeout_default, 'user=olga ' . $south->connstr('exchange') ], '>', \$out, '2>', \$err, timeout(2 * $PostgreSQL::Test::Utils::timeout_default);

	pump $harness until (() = $out =~ /: alert /g) >= $waiting;
	is(() = $out =~ /: alert /g, $waiting, 'a listener gets what was waiting');
	check($south, 6, 'S-4');
	pump $harness until $out =~ /wanted-6,/;
	pass('and what comes');
	kill_server($south);
	pump $harness until $out =~ /connection is lost/;
	$south->start;
	check($south, 9, 'S-5');
	pump $harness until $out =~ /wanted-9,/;
	pass('and what comes after its server was killed and started');
	ok($south->poll_query_until('exchange', 'SELECT count(*) = 0 FROM watchlist.alerts WHERE acknowledged_at IS NULL'), 'all is acknowledged');
	$harness->kill_kill;
}
value($south, "SELECT watchlist.remove_partner('north', 'agreement ended', 'x')");
is(received($south, 'north'), '0|0', 'a partner that is removed leaves nothing');
is(value($south, "SELECT count(*) FROM watchlist.coverage() WHERE problem LIKE 'number%' OR problem LIKE '%feed%'"), '0', 'and nothing is missing');
index_is_sound($south, 'the index of rows received', index => 'watchlist.received_print', database => 'exchange');
index_is_sound($south, 'the index of rows of ours', index => 'watchlist.gallery_print', database => 'exchange');
$_->stop foreach values %country;
done_testing();
