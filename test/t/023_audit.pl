# Beside pgaudit and pg_cron, which the watchlists do not replace: statements
# are audited, those of analysts by the tables they read, and jobs are the
# scheduler's; neither sees a template.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $library = PostgreSQL::Test::Cluster->new('nowhere')->config_data('--pkglibdir');

plan skip_all => 'pgaudit and pg_cron are not installed' if grep { !-e "$library/$_.so" } qw(pgaudit pg_cron);

my $node = new_server('main', conf => <<'X');
shared_preload_libraries = 'pgaudit,pg_cron'
cron.database_name = 'postgres'
pgaudit.role = 'auditing'
pgaudit.log = 'read'
pgaudit.log_parameter = off
X

$node->safe_psql('postgres', <<'X');
SET client_min_messages = warning;
CREATE EXTENSION pgaudit;
CREATE EXTENSION pg_cron;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE auditing;
GRANT SELECT ON watchlist.gallery, watchlist.enrolments TO auditing;
CREATE ROLE border;
CREATE ROLE olga LOGIN IN ROLE border;
CREATE ROLE otto LOGIN;
SELECT watchlist.add_agency('border', 'border');
SELECT watchlist.grant_duty('officer', 'olga'), watchlist.grant_duty('curator', 'olga'), watchlist.grant_duty('analyst', 'olga'), watchlist.grant_duty('operator', 'otto');
GRANT USAGE ON SCHEMA cron TO otto;
SET SESSION AUTHORIZATION olga;
SELECT watchlist.create_list('wanted', 'Wanted', 'act 12', 'x', 'x');
SELECT watchlist.add_person('Made Up', NULL, 'x', 'x', reference => 'W-1');
SELECT count(*) FROM watchlist.enrol('north/border/W-1', ARRAY[synthetic_fingerprint(1, 0, 2)]::bytea[], NULL, 'x', 'x');
SELECT watchlist.add_to_list('north/border/wanted', 'north/border/W-1', 'x', 'x');
X

# who asks, by function or by plain SQL, with the template bound
sub audited
{
	my $query = shift;
	my $offset = -s $node->logfile;

	$node->safe_psql('postgres', $query, extra_params => [ '-U', 'olga' ]);
	return slurp_file($node->logfile, $offset);
}

$node->safe_psql('postgres', 'CREATE TABLE traveller AS SELECT ARRAY[synthetic_fingerprint(1, 3, 2)]::bytea[] AS fingers, synthetic_fingerprint(1, 3, 2) AS print; GRANT SELECT ON traveller TO olga');
my $log = audited("SELECT verdict FROM traveller, watchlist.check_traveller(fingers, NULL, 'entry', 'B-1')");
like($log, qr/AUDIT: SESSION,.*,READ,SELECT,.*check_traveller/, 'a check of a traveller is audited');
like($log, qr/watchlist: entry \d+, search: .*"caller": "olga"/, 'beside the line that the watchlists write');
unlike($log, qr/464d52|e\d+,\d+,\d+,\d+ /, 'without a template');
$log = audited("SELECT person FROM watchlist.my_gallery('x', 'x') ORDER BY print <-> (SELECT print FROM traveller) LIMIT 1");
like($log, qr/AUDIT: SESSION,.*my_gallery/, 'so is a query of an analyst');
unlike($log, qr/464d52|e\d+,\d+,\d+,\d+ /, 'without a template');

# its own minute comes too late for a test
$node->safe_psql('postgres', "SELECT cron.schedule('seal', '* * * * *', 'SELECT watchlist.seal_log()')", extra_params => [ '-U', 'otto' ]);
is($node->safe_psql('postgres', 'SELECT username, command FROM cron.job'), 'otto|SELECT watchlist.seal_log()', 'who runs the jobs gives them to the scheduler');
is($node->safe_psql('postgres', 'SELECT seal_log > 0 FROM watchlist.seal_log()', extra_params => [ '-U', 'otto' ]), 't', 'and may run them');

$node->stop;
done_testing();
