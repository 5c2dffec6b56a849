# TwoCountries.pm
#	What doc/exchange.md takes to run: the names that the page shows, and what
#	they are here.  Used by its test and by the demonstration.

package TwoCountries;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(page_names partner_line);

# Replacements for Documentation's run_page.
sub page_names
{
	my %at = @_;	# country => [ host, port ]

	return {
		"'south.example', port '5432'" => "'$at{south}[0]', port '$at{south}[1]'",
		"'north.example', port '5433'" => "'$at{north}[0]', port '$at{north}[1]'",
	};
}

# The first line of pg_hba.conf: partners give a password.
sub partner_line
{
	return "local exchange north,south scram-sha-256\n";
}

1;
