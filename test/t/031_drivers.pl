# Drivers that take a server with a TCP port, or packages that are not always
# there: JDBC, node-postgres, postgres.js, DBD::Pg, PHP's PDO, Go's pq, ODBC.
# Each is an application in test/drivers that prints TAP; what is not installed
# is skipped, loudly.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use File::Temp qw(tempdir);
use IPC::Run qw(run timeout);
use PostgreSQL::Test::Utils;
use Test::More;

my $drivers = "$FindBin::RealBin/../drivers";

# only the loopback address, and only for the time of this test
my $node = new_server('drivers', conf => "listen_addresses = '127.0.0.1'\n");
my $user = $node->safe_psql('postgres', 'SELECT current_user');

delete $ENV{PGAPPNAME};
$ENV{PGHOST} = '127.0.0.1';
$ENV{PGPORT} = $node->port;
$ENV{PGUSER} = $user;
$ENV{PGDATABASE} = 'postgres';

sub have
{
	return system("sh -c 'command -v $_[0]' > /dev/null 2>&1") == 0;
}

# the program's tests as ours
sub application
{
	my ($name, @command) = @_;
	my ($out, $err) = ('', '');

	run \@command, '>', \$out, '2>', \$err, timeout(120);
	if ($out =~ /^1\.\.0 # SKIP (.*)/m)
	{
	  SKIP: { skip "$name: $1", 1; }
		return;
	}
	foreach my $line (split /\n/, $out)
	{
		ok($1 eq 'ok', $2) if $line =~ /^(ok|not ok) \d+ - (.*)/;
	}
	like($out, qr/^1\.\.\d+$/m, "$name: all of it ran") or diag($err);
	return;
}

SKIP:
{
	my $jar = $ENV{POSTGRESQL_JDBC} || '/usr/share/java/postgresql.jar';

	skip 'JDBC: java is not installed', 1 unless have('java');
	skip 'JDBC: libpostgresql-jdbc-java is not installed', 1 unless -e $jar;
	application('JDBC', 'java', '-Xshare:auto', '-cp', $jar, "$drivers/java/Enrol.java", "jdbc:postgresql://127.0.0.1:@{[ $node->port ]}/postgres", $user);
}

SKIP:
{
	my $modules = $ENV{NODE_DRIVERS} || tempdir(CLEANUP => 1);

	skip 'node: it is not installed', 1 unless have('node');
	if (!-d "$modules/node_modules/pg")
	{
		skip 'node: npm is not installed', 1 unless have('npm');
		skip 'node: npm cannot install pg and postgres', 1
		  unless system("cd '$modules' && timeout 100 npm install --no-save --no-audit --no-fund --silent pg\@8 postgres\@3 > /dev/null 2>&1") == 0;
	}
	$ENV{NODE_PATH} = "$modules/node_modules";
	application('node-postgres', 'node', "$drivers/node/enrol.js", 'pg');
	application('postgres.js', 'node', "$drivers/node/enrol.js", 'postgres');
}

application('DBD::Pg', $^X, "$drivers/perl/enrol.pl");

SKIP:
{
	skip 'PHP PDO: php is not installed', 1 unless have('php');
	application('PHP PDO', 'php', "$drivers/php/enrol.php");
}

SKIP:
{
	my $packages = '/usr/share/gocode';
	my $built = tempdir(CLEANUP => 1);

	skip 'Go pq: go is not installed', 1 unless have('go');
	skip 'Go pq: golang-github-lib-pq-dev is not installed', 1 unless -d "$packages/src/github.com/lib/pq";
	local @ENV{qw(GOPATH GO111MODULE GOCACHE)} = ($packages, 'off', "$built/cache");
	is(system('go', 'build', '-o', "$built/enrol", "$drivers/go/enrol.go"), 0, 'Go pq: it is built') or last SKIP;
	application('Go pq', "$built/enrol");
}

SKIP:
{
	my $driver = 'PostgreSQL Unicode';
	my $built = tempdir(CLEANUP => 1);

	skip 'ODBC: unixodbc is not installed', 1 unless have('odbcinst');
	skip 'ODBC: odbc-postgresql is not installed', 1 unless `odbcinst -q -d` =~ /^\[\Q$driver\E\]$/m;
	skip 'ODBC: unixodbc-dev is not installed', 1 unless -e '/usr/include/sql.h';
	is(system('cc', '-o', "$built/enrol", "$drivers/odbc/enrol.c", '-lodbc'), 0, 'ODBC: it is built') or last SKIP;
	application('ODBC', "$built/enrol", "Driver={$driver};Server=127.0.0.1;Port=@{[ $node->port ]};Database=postgres;UID=$user");
}

$node->stop;
done_testing();
