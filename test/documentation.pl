#!/usr/bin/perl
# documentation.pl [PAGE...]
#	Runs every command and query of the documentation, or of these pages, and
#	compares the output with the one shown.  Each page has a database of its own
#	on the server of the environment.  Prints TAP.
# documentation.pl --write PAGE
#	Prints the page with its outputs as they are now to file descriptor 3.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/t/lib";

use Documentation;
use Test::More;

my $write = @ARGV && $ARGV[0] eq '--write' ? shift : undef;
my @pages = @ARGV ? @ARGV : ('README.md', 'CONTRIBUTING.md', sort glob 'doc/*.md');

$ENV{PGOPTIONS} = '-c client_min_messages=warning';
my @psql = qw(psql -X -q -A -t -v ON_ERROR_STOP=1);

sub query
{
	my ($database, $query) = @_;

	open my $pipe, '-|', @psql, '-d', $database, '-c', $query or die "cannot run psql: $!\n";
	chomp(my @lines = <$pipe>);
	close $pipe or die "failed: $query\n";
	return @lines;
}

binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR, Test::More->builder->output, Test::More->builder->failure_output;
for my $page (@pages)
{
	my $database = 'documentation_' . ($page =~ s/.*\///r =~ s/\.md$//r =~ tr/A-Z/a-z/r);
	my %role = map { $_ => 1 } query('postgres', 'SELECT rolname FROM pg_roles');

	query('postgres', "DROP DATABASE IF EXISTS $database");
	query('postgres', "CREATE DATABASE $database");
	# as "CREATE EXTENSION" leaves it, unless the page shows that itself
	query($database, 'CREATE EXTENSION biometric')
	  if !grep { $_->{text} =~ /CREATE EXTENSION (IF NOT EXISTS )?biometric/ && !$_->{not_run} && !$_->{run_by} } page_blocks($page);
	local $ENV{PGDATABASE} = $database;
	if ($write)
	{
		open my $out, '>&=', 3 or die "cannot write to descriptor 3: $!\n";
		binmode $out, ':encoding(UTF-8)';
		print $out rewritten_page($page, default => "dbname=$database");
		close $out or die "cannot write to descriptor 3: $!\n";
	}
	else
	{
		run_page($page, default => "dbname=$database");
	}
	query('postgres', "DROP DATABASE $database WITH (FORCE)");
	for my $role (query('postgres', 'SELECT quote_ident(rolname) FROM pg_roles'))
	{
		query('postgres', "DROP ROLE $role") if !$role{$role};
	}
}
if (!$write)
{
	pass('nothing to run') if !Test::More->builder->current_test;
	done_testing();
}
