# Two countries, two servers: a list that is sent by logical replication, a list
# that stays and is asked through postgres_fdw, alerts both ways; servers are
# killed at every step, and nothing is lost, shown twice or shown too much.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run qw(start finish pump timeout);
use PostgreSQL::Test::Utils;
use Test::More;

my %country = map { $_ => new_server($_, allows_streaming => 'logical', conf => 'wal_retrieve_retry_interval = 100ms') } qw(north south);
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

# the same as the types that servers speak to one another
sub prints
{
	my ($person, $capture) = @_;

	return fingers($person, $capture) . '::fingerprint[]';
}

sub irises
{
	my ($person, $capture) = @_;

	return "ARRAY[synthetic_iris($person, $capture)::text]";
}

# two fingers and an eye of persons on a list, as rows for a partner
sub share
{
	my ($from, $owner, $partner, $list, $sent, $first, $last) = @_;

	$from->safe_psql('postgres', <<"X");
INSERT INTO watchlist.shared_templates (owner, partner, list, reference, item, sent, print, eye)
	SELECT '$owner', '$partner', '$list', '$list-' || n, i, $sent,
		   CASE i WHEN 1 THEN synthetic_fingerprint(n, 0, 2) WHEN 2 THEN synthetic_fingerprint(n, 0, 7) END,
		   CASE i WHEN 3 THEN synthetic_iris(n) END
	FROM generate_series($first, $last) n, generate_series(1, 3) i;
X
	return;
}

sub check
{
	my ($where, $person, $case) = @_;

	return $where->safe_psql('postgres', "SELECT encounter, verdict, coalesce(reference, '-'), partners_pending FROM watchlist.check_traveller(" . fingers($person, 3) . ', ' . irises($person, 3) . ", 'entry', '$case')");
}

sub value
{
	my ($where, $query) = @_;

	return $where->safe_psql('postgres', $query);
}

foreach my $name (qw(north south))
{
	$country{$name}->safe_psql('postgres', <<"X");
CREATE EXTENSION biometric_watchlist CASCADE;
CREATE EXTENSION postgres_fdw;
INSERT INTO watchlist.this_country VALUES ('$name');
X
}

# each is a login at the other, and may ask, and nothing else
foreach my $pair ([ 'north', 'south' ], [ 'south', 'north' ])
{
	my ($here, $there) = @$pair;
	my ($host, $port) = ($country{$there}->host, $country{$there}->port);

	$country{$there}->safe_psql('postgres', <<"X");
CREATE ROLE $here LOGIN REPLICATION;
SELECT watchlist.grant_duty('partner', '$here');
X
}
foreach my $pair ([ 'north', 'south' ], [ 'south', 'north' ])
{
	my ($here, $there) = @$pair;
	my ($host, $port) = ($country{$there}->host, $country{$there}->port);

	$country{$here}->safe_psql('postgres', <<"X");
CREATE SERVER $there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres', connect_timeout '5');
CREATE USER MAPPING FOR PUBLIC SERVER $there OPTIONS (user '$here', password_required 'false');
SELECT watchlist.connect_partner('$there', '$there');
SELECT watchlist.publish_to('$here', '$there');
X
}

#
# A list that is sent: north's "wanted", of which some rows may go
#
share($north, 'north', 'south', 'wanted', 'true', 1, 20);
share($north, 'north', 'south', 'internal', 'false', 21, 30);
share($north, 'north', 'east', 'wanted', 'true', 31, 40);
my ($host, $port) = ($north->host, $north->port);
$south->safe_psql('postgres', "CREATE SUBSCRIPTION from_north CONNECTION 'host=$host port=$port dbname=postgres user=south' PUBLICATION watchlist_to_south");
$south->wait_for_subscription_sync($north, 'from_north');
is(value($south, "SELECT string_agg(DISTINCT owner || partner || list || sent, ',') , count(DISTINCT reference), count(*) FROM watchlist.shared_templates"),
	'northsouthwantedtrue|20|60', 'only rows that were released to it reach the partner');

# what stays: south's "smugglers"
share($south, 'south', 'north', 'smugglers', 'false', 101, 120);
share($south, 'south', 'east', 'smugglers', 'false', 121, 130);

#
# Travellers
#
like(check($south, 5, 'S-1'), qr/^\d+\|hit\|wanted-5\|1$/, 'a person of a list that was sent is a hit at once');
like(check($north, 105, 'N-1'), qr/^\d+\|clear\|-\|1$/, 'a person of a list that stays is not known here, and the partner is asked');
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '1|0', 'the partner answers');
is(value($north, 'SELECT state, band, reference FROM watchlist.remote_searches'), 'answered|hit|smugglers-105', 'hit and reference, nothing more');
is(value($north, "SELECT kind, list, reference, band FROM watchlist.alerts"), 'remote hit|south|smugglers-105|hit', 'an alert here');
is(value($south, "SELECT kind, list, reference FROM watchlist.alerts WHERE kind = 'partner asked'"), 'partner asked|smugglers|smugglers-105', 'and an alert there');
is(value($south, "SELECT partner, list, reference, what, purpose, case_reference FROM watchlist.disclosures"), 'north|smugglers|smugglers-105|search: hit|entry|N-1', 'which is in the log there, with purpose and case');
check($north, 125, 'N-2');
check($north, 4711, 'N-3');
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '2|0', 'two more searches');
is(value($north, "SELECT string_agg(coalesce(reference, band), ',' ORDER BY reference) FROM watchlist.remote_searches"), 'smugglers-105,clear,clear', 'what was released to somebody else is not found, and looks like nothing');

# Half a traveller
my $half = "SELECT verdict, coalesce(reference, '-') FROM watchlist.check_traveller(%s, 'entry', 'S-9')";
is(value($south, sprintf($half, "'{}', " . irises(11, 3))), 'hit|wanted-11', 'an eye alone');
is(value($south, sprintf($half, fingers(12, 3) . ', NULL')), 'hit|wanted-12', 'fingers alone');
is(value($south, sprintf($half, 'ARRAY[synthetic_fingerprint(13, 3, 0), NULL, synthetic_fingerprint(13, 3, 7)]::bytea[], ARRAY[NULL]::text[]')), 'hit|wanted-13', 'an unknown position, and captures that failed');
is(value($south, sprintf($half, "NULL, '{}'")), 'refer|-', 'nothing usable: no clear traveller');
my ($stdout, $stderr) = session($south, "SELECT * FROM watchlist.check_traveller(NULL, NULL, ' ', 'S-9')");
like($stderr, qr/a purpose and a case are needed/, 'no check without a purpose');

# An officer checks and is alerted, and reads no table
$south->safe_psql('postgres', <<'X');
CREATE ROLE officer LOGIN;
SELECT watchlist.grant_duty('officer', 'officer');
X
is($south->safe_psql('postgres', sprintf($half, fingers(14, 3) . ', NULL'), extra_params => [ '-U', 'officer' ]), 'hit|wanted-14', 'an officer checks a traveller');
is(value($south, 'SELECT officer FROM watchlist.encounters ORDER BY encounter DESC LIMIT 1'), 'officer', 'under his own name');
foreach my $table (split /\n/, value($south, "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'watchlist'::regnamespace AND relkind IN ('r', 'v', 'f')"))
{
	($stdout, $stderr) = session($south, "SELECT FROM $table", user => 'officer');
	like($stderr, qr/permission denied/, "he does not read $table");
}
is(value($south, "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE pronamespace = 'watchlist'::regnamespace AND a.grantee = 0"), '0', 'nothing is granted to PUBLIC');

#
# What a partner can do with his login
#
foreach my $query (
	'SELECT * FROM watchlist.persons', 'SELECT * FROM watchlist.encounters', 'SELECT * FROM watchlist.partner_requests',
	'SELECT * FROM watchlist.disclosures', 'SELECT watchlist.search_gallery(\'east\', ARRAY[\'south/smugglers\'], ' . prints(125, 3) . ', NULL, 10)',
	'SELECT * FROM watchlist.complete_remote_searches()', "DELETE FROM watchlist.partner_search", "INSERT INTO watchlist.release_decisions (partner, reference, reason) VALUES ('north', 'smugglers-105', 'x')")
{
	my ($stdout, $stderr) = session($south, $query, user => 'north');

	like($stderr, qr/permission denied/, "refused: $query");
}
is($south->safe_psql('postgres', 'SELECT count(*) FROM watchlist.shared_templates', extra_params => [ '-U', 'north' ]), '0', 'he reads no rows that were not sent');
is($north->safe_psql('postgres', "SELECT string_agg(DISTINCT partner || list, ',') FROM watchlist.shared_templates", extra_params => [ '-U', 'south' ]), 'southwanted', 'and none that were sent to others');
($stdout, $stderr) = session($south, "INSERT INTO watchlist.partner_search (request, prints) VALUES (gen_random_uuid(), " . prints(105, 3) . ")", user => 'north');
like($stderr, qr/a search needs a number, a purpose and a case/, 'refused: a search without purpose');

#
# Core data: by the owner's decision
#
value($south, "INSERT INTO watchlist.persons (reference, name, born) VALUES ('smugglers-105', 'Made Up', '1980-01-01')");
value($north, "CREATE FOREIGN TABLE core_data_at_south (reference text, purpose text, case_reference text, name text, born date, caveat text, released boolean) SERVER south OPTIONS (schema_name 'watchlist', table_name 'partner_core_data')");
my $core = "INSERT INTO core_data_at_south (reference, purpose, case_reference) VALUES ('%s', 'entry', 'N-1') RETURNING released, name, born";
is(value($north, sprintf($core, 'smugglers-105')), 'f||', 'without a decision there is no core data');
is(value($north, sprintf($core, 'smugglers-999')), 'f||', 'nor a difference to a reference that does not exist');
is(value($south, "SELECT string_agg(reference, ',' ORDER BY entry) FROM watchlist.log WHERE action = 'refusal' AND partner = 'north'"), 'smugglers-105,smugglers-999', 'asking in vain leaves a trace');
value($south, "SELECT watchlist.decide_release('north', 'smugglers-105', true, 'agreement 7', 'S-77')");
is(value($north, sprintf($core, 'smugglers-105')), 't|Made Up|1980-01-01', 'with one there is');
value($south, "SELECT watchlist.decide_release('north', 'smugglers-105', false, 'appeal', 'S-78')");
is(value($north, sprintf($core, 'smugglers-105')), 'f||', 'and none after another');
is(value($south, 'SELECT count(*) FROM watchlist.release_decisions'), '2', 'both decisions are kept');
is(value($south, "SELECT count(*) FROM watchlist.disclosures WHERE what LIKE '%core data' AND partner = 'north' AND reference = 'smugglers-105'"), '3', 'every answer is logged');

#
# The partner is killed
#
kill_server($south);
like(check($north, 106, 'N-4'), qr/^\d+\|clear\|-\|1$/, 'with the partner away the local verdict comes all the same');
like(check($north, 4712, 'N-5'), qr/^\d+\|clear\|-\|1$/, 'again');
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '0|2', 'the searches wait');
like(value($north, "SELECT string_agg(problem, ';') FROM watchlist.remote_searches WHERE state = 'pending' AND attempts = 1"), qr/could not connect to server "south"/, 'and say why');
share($north, 'north', 'south', 'wanted', 'true', 41, 50);
value($north, "DELETE FROM watchlist.shared_templates WHERE reference = 'wanted-7'");
value($north, "UPDATE watchlist.shared_templates SET sent = false WHERE reference = 'wanted-8'");
$south->start;
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '2|0', 'the partner is back: they are answered');
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '0|0', 'once');
is(value($north, "SELECT count(*), count(DISTINCT request), count(*) FILTER (WHERE band = 'hit') FROM watchlist.remote_searches"), '5|5|2', 'nothing was lost or asked twice');
is(value($north, "SELECT count(*) FROM watchlist.alerts WHERE reference = 'smugglers-106'"), '1', 'one alert for the one that waited');
$north->wait_for_catchup('from_north');
is(value($south, "SELECT count(DISTINCT reference), count(*), count(*) FILTER (WHERE reference IN ('wanted-7', 'wanted-8')) FROM watchlist.shared_templates WHERE owner = 'north'"),
	'28|84|0', 'the list caught up: rows added, deleted and withdrawn meanwhile');
like(check($south, 45, 'S-2'), qr/^\d+\|hit\|wanted-45\|1$/, 'who was added while it was away is found');
like(check($south, 8, 'S-3'), qr/^\d+\|clear\|-\|1$/, 'who was withdrawn is not');

# An entry that comes after the traveller
check($south, 60, 'S-6');
share($north, 'north', 'south', 'wanted', 'true', 60, 61);
$north->wait_for_catchup('from_north');
is(value($south, 'SELECT count(*) > 0 FROM watchlist.arrivals'), 't', 'entries that replication brought are noted');
my $open = $south->background_psql('postgres');
$open->query_safe('BEGIN; SELECT pg_current_xact_id()');
value($south, 'SELECT watchlist.search_past_encounters()');
is(value($south, 'SELECT waiting > 0 FROM watchlist.search_past_encounters()'), 't', 'they wait for transactions that may be checks');
$open->query_safe('COMMIT');
$open->quit;
ok($south->poll_query_until('postgres', 'SELECT waiting = 0 FROM watchlist.search_past_encounters()'), 'and are searched with');
is(value($south, "SELECT a.reference, a.band, e.case_reference FROM watchlist.alerts a JOIN watchlist.encounters e USING (encounter) WHERE a.kind = 'past encounter' AND a.reference = 'wanted-60'"),
	'wanted-60|hit|S-6', 'who was let through is alerted of afterwards');
is(value($south, "SELECT count(*) FROM watchlist.alerts WHERE kind = 'past encounter' AND reference = 'wanted-61'"), '0', 'nobody else');

# Killed after the partner has committed and before we have: asked again,
# answered the same, logged once
check($north, 107, 'N-6');
$stdout = $stderr = '';
session($north, 'BEGIN; SELECT watchlist.complete_remote_searches(); SELECT 1/0; COMMIT');
my $logged = value($south, "SELECT count(*) FROM watchlist.disclosures WHERE case_reference = 'N-6'");
is($logged, '0', 'what is rolled back here is rolled back there');
my $request = value($north, "SELECT request FROM watchlist.remote_searches WHERE case_reference = 'N-6'");
$south->safe_psql('postgres', "INSERT INTO watchlist.partner_search (request, purpose, case_reference, prints) VALUES ('$request', 'entry', 'N-6', " . prints(107, 3) . ")", extra_params => [ '-U', 'north' ]);
is(value($north, 'SELECT answered, pending FROM watchlist.complete_remote_searches()'), '1|0', 'a search that the partner knows already is answered');
is(value($north, "SELECT band, reference FROM watchlist.remote_searches WHERE request = '$request'"), 'hit|smugglers-107', 'the same');
is(value($south, "SELECT count(*) FROM watchlist.disclosures WHERE case_reference = 'N-6'"), '1', 'and logged once');
$south->safe_psql('postgres', 'CREATE ROLE east LOGIN; GRANT USAGE ON SCHEMA watchlist TO east; GRANT SELECT, INSERT ON watchlist.partner_search TO east');
($stdout, $stderr) = session($south, "INSERT INTO watchlist.partner_search (request, purpose, case_reference) VALUES ('$request', 'x', 'x') RETURNING band", user => 'east');
like($stderr, qr/was asked by somebody else/, 'and nobody else reads its answer by its number');

#
# The listener
#
SKIP:
{
	skip 'libpq-fe.h is not installed', 4 if !$have_listener;
	my $waiting = value($south, 'SELECT count(*) FROM watchlist.alerts WHERE delivered IS NULL');
	my ($out, $err) = ('', '');
	my $harness = start [ $listener, '--timeout', $PostgreSQL::Test::Utils::timeout_default, $south->connstr('postgres') ], '>', \$out, '2>', \$err, timeout(2 * $PostgreSQL::Test::Utils::timeout_default);

	pump $harness until (() = $out =~ /: alert /g) >= $waiting;
	is(() = $out =~ /: alert /g, $waiting, 'a listener gets what was waiting');
	check($south, 6, 'S-4');
	pump $harness until $out =~ /reference wanted-6,/;
	pass('and what comes');
	kill_server($south);
	pump $harness until $out =~ /connection is lost/;
	$south->start;
	check($south, 9, 'S-5');
	pump $harness until $out =~ /reference wanted-9,/;
	pass('and what comes after its server was killed and started');
	ok( $south->poll_query_until('postgres', 'SELECT count(*) = 0 FROM watchlist.alerts WHERE delivered IS NULL'), 'all is acknowledged');
	$harness->kill_kill;
}

index_is_sound($south, 'the index of rows received', index => 'watchlist.shared_templates_print');
$_->stop foreach values %country;
done_testing();
