# The way to a next version of the extensions: what ALTER EXTENSION ... UPDATE
# leaves behind is what CREATE EXTENSION makes, object by object, comments and
# rights included.
#
# There is no next version yet, so it is made up here: a version 2.1 as a whole
# script and as a step from 2.0.  A real step is compared in the same way, by
# compare_upgrade().

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $directory = `$ENV{PG_CONFIG} --sharedir`;
chomp($directory);
$directory .= '/extension';
plan skip_all => "$directory cannot be written to" if !-w $directory;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

my @written;

END
{
	unlink @written;
}

sub write_file
{
	my ($name, @text) = @_;

	push @written, "$directory/$name";
	open(my $file, '>', "$directory/$name") or die "$directory/$name: $!";
	print $file @text;
	close($file) or die $!;
	return;
}

# An extension like $name, called ${name}_next, with a version 2.1: the script of
# 2.0 with $additions behind it, and $step, that leads there.
sub write_extension
{
	my ($name, $additions, $step) = @_;
	my $control = slurp_file("$directory/$name.control");
	my $script = slurp_file("$directory/$name--2.0.sql");

	write_file("${name}_next.control", $control);
	write_file("${name}_next--2.0.sql", $script);
	write_file("${name}_next--2.1.sql", $script, $additions);
	write_file("${name}_next--2.0--2.1.sql", $step);
	return;
}

# All statements that make a database's objects, those of extensions one by one,
# in an order that does not depend on OIDs
sub objects
{
	my ($database) = @_;
	my ($dump, $err);

	IPC::Run::run([ 'pg_dump', '--binary-upgrade', '--schema-only', '-d', $node->connstr($database) ],
		'>', \$dump, '2>', \$err) or die $err;
	$dump =~ s/^SELECT pg_catalog\.binary_upgrade_set_next_\w+\(.*\);\n//mg;
	$dump =~ s/^UPDATE pg_catalog\.pg_class\nSET relfrozenxid .*\nWHERE .*\n//mg;
	$dump =~ s/^-- For binary upgrade.*\n//mg;
	$dump =~ s/^\\(un)?restrict .*\n//mg;
	$dump =~ s/; Owner: .*$//mg;

	# tables whose rows are dumped are listed by OID: by name below
	$dump =~ s/(binary_upgrade_create_empty_extension\(.*?), '\{[\d,]*\}'/$1/;
	# those that an extension requires come in the order in which pg_depend has them
	$dump =~ s/(binary_upgrade_create_empty_extension\(.*ARRAY\[)([^]]*)/$1 . join(',', sort split \/,\/, $2)/ge;
	$dump =~ s/\n{2,}/\n/g;
	my $tables = $node->safe_psql($database,
		'SELECT c.oid::regclass, w FROM pg_extension, unnest(extconfig, extcondition) u(o, w) JOIN pg_class c ON c.oid = o ORDER BY 1');
	return sort $tables, split /^--\n(?=-- Name: )/m, $dump;
}

# Whether an upgrade and an installation of version 2.1 have the same objects: an
# empty string, or what differs
sub compare_upgrade
{
	my ($name) = @_;
	my %count;
	my $databases = 0;

	foreach my $statements ([ "VERSION '2.1'" ], [ "VERSION '2.0'", "ALTER EXTENSION ${name}_next UPDATE TO '2.1'" ])
	{
		my $database = 'upgrade_' . ++$databases;
		my $sign = $databases == 1 ? 1 : -1;

		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database,
			join(';', "CREATE EXTENSION ${name}_next " . $statements->[0] . ' CASCADE', @$statements[ 1 .. $#$statements ]));
		$count{$_} += $sign foreach objects($database);
		$node->safe_psql('postgres', "DROP DATABASE $database");
	}
	return join("\n", map { ($count{$_} > 0 ? 'lacks ' : 'has ') . $_ } grep { $count{$_} != 0 } sort keys %count);
}

# What version 2.1 adds and changes
my %new = (
	biometric => [
		"CREATE FUNCTION is_thumb(fingerprint) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT finger_position(\$1) IN (1, 6)';",
		"COMMENT ON FUNCTION is_thumb(fingerprint) IS 'whether it is a thumb';",
		"REVOKE ALL ON FUNCTION is_thumb(fingerprint) FROM PUBLIC;",
		"ALTER FUNCTION match_score(iris, iris) COST 150;",
		"COMMENT ON TYPE iris IS 'another comment';",
		"CREATE CAST (iris AS text) WITH INOUT;" ],
	biometric_watchlist => [
		"CREATE FUNCTION watchlist.next_version() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';",
		"REVOKE ALL ON FUNCTION watchlist.next_version() FROM PUBLIC;" ]);

foreach my $name (sort keys %new)
{
	my @new = @{ $new{$name} };

	write_extension($name, join("\n", @new), join("\n", @new));
	is(compare_upgrade($name), '', "$name: an upgrade has the objects of an installation");

	# a step that forgets something is noticed, whatever it is
	foreach my $forgotten (1 .. $#new)
	{
		my @step = @new;

		splice(@step, $forgotten, 1);
		write_extension($name, join("\n", @new), join("\n", @step));
		isnt(compare_upgrade($name), '', "$name: a step is noticed that forgets $new[$forgotten]");
	}
}

done_testing();
