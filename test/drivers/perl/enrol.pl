# enrol.pl
#	An application in Perl: enrol and search through DBD::Pg.  Prints TAP.
#
# Bytes are bound with the type PG_BYTEA.

use strict;
use warnings;

use Test::More;

eval { require DBI; require DBD::Pg; DBD::Pg->import(':pg_types'); 1 } or plan skip_all => 'DBD::Pg is not installed';

my $db = DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, PrintError => 0 });

sub value
{
	return ($db->selectrow_array(@_))[0];
}

$db->do('CREATE SCHEMA driver_perl');
$db->do('SET search_path = driver_perl, public');
$db->do('CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)');
$db->do('CREATE INDEX ON visitor USING biometric (print)');
my $insert = $db->prepare('INSERT INTO visitor VALUES (?, ?)');
foreach my $finger (1 .. 20)
{
	my $format = $finger % 2 ? 'to_iso19794_2' : 'to_incits378';

	$insert->bind_param(1, $finger);
	$insert->bind_param(2, value("SELECT $format(synthetic_fingerprint($finger, 0, 2))"), { pg_type => DBD::Pg::PG_BYTEA() });
	$insert->execute;
}
is(value('SELECT count(*) FROM visitor'), 20, 'DBD::Pg: records enrolled');

my $probe = value('SELECT to_incits378(synthetic_fingerprint(9, 1, 2))');
my $search = $db->prepare('SELECT id FROM visitor ORDER BY print <-> ?::bytea::fingerprint LIMIT 1');
$search->bind_param(1, $probe, { pg_type => DBD::Pg::PG_BYTEA() });
$search->execute;
is(($search->fetchrow_array)[0], 9, 'DBD::Pg: search finds the finger');

my $record = value('SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))');
is(value('SELECT print::bytea FROM visitor WHERE id = 3'), $record, 'DBD::Pg: read back as bytes');
eval {
	$insert->bind_param(1, 999);
	$insert->bind_param(2, substr($record, 0, 40), { pg_type => DBD::Pg::PG_BYTEA() });
	$insert->execute;
};
like($db->state, qr/^22/, 'DBD::Pg: a truncated record is refused with SQLSTATE class 22');
$db->disconnect;
done_testing();
