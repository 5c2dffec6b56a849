# The page doc/exchange.md, on two servers: every statement runs, and says what
# the page shows.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Documentation;
use PostgreSQL::Test::Utils;
use Test::More;
use TwoCountries;

my %country = map { $_ => new_server($_) } qw(north south);

if ($country{north}->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0')
{
	$_->stop foreach values %country;
	plan skip_all => 'postgres_fdw is not installed';
}
foreach my $node (values %country)
{
	my $hba = $node->data_dir . '/pg_hba.conf';
	my $lines = slurp_file($hba);

	open(my $file, '>', $hba) or die $!;
	print $file partner_line(), $lines;
	close($file);
	$node->reload;
	$node->safe_psql('postgres', 'CREATE DATABASE exchange');
}
$ENV{SOUTH_DATA} = $country{south}->data_dir;
chdir "$FindBin::RealBin/../..";
my @arguments = ('doc/exchange.md', by => 'test/t/024_exchange_page.pl', with => page_names(map { $_ => [ $country{$_}->host, $country{$_}->port ] } keys %country),
	map { $_ => $country{$_}->connstr('exchange') } keys %country);

if ($ENV{WRITE_PAGE})
{
	# with the outputs as they are now
	open(my $page, '>:encoding(UTF-8)', $ENV{WRITE_PAGE}) or die $!;
	print $page Documentation::rewritten_page(@arguments);
	close($page);
	pass('the page is written');
}
else
{
	run_page(@arguments);
}
$_->stop foreach values %country;
done_testing();
