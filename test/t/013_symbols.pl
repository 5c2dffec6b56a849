# The module shows other extensions, whose symbols are loaded beside its own,
# nothing but names with its prefix; and headers do not include postgres.h.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $library = `$ENV{PG_CONFIG} --pkglibdir`;
chomp($library);

foreach my $module (grep { $_ eq 'biometric' || -e "$library/$_.so" } 'biometric', 'biometric_image')
{
	my $file = "$library/$module.so";

  SKIP:
	{
		skip 'nm is not installed', 2 if system('nm --version > /dev/null 2>&1') != 0;
		my @symbols = map { /^\S* ?[A-TV-Z] (\S+)$/ ? $1 : () } split /\n/, `nm -D --defined-only '$file'`;
		my @others = grep { !/^(pg_finfo_)?biometric_/ && !/^(Pg_magic_func|_PG_init)$/ } @symbols;

		cmp_ok(scalar(@symbols), '>', 2, "$module: it has symbols");
		is("@others", '', "$module: all have the prefix biometric_");
	}
}

my @headers = split /\n/, `find '$FindBin::RealBin/../../src' -name '*.h'`;
cmp_ok(scalar(@headers), '>', 10, 'headers are found');
is(join(' ', grep { slurp_file($_) =~ /#include "postgres\.h"/ } @headers), '', 'postgres.h is included by .c files only');

# A .c file that includes another header of the server first would see other definitions.
my (@wrong, @lacking);

foreach my $file (split /\n/, `find '$FindBin::RealBin/../../src' -name '*.c'`)
{
	my @included = slurp_file($file) =~ /#include "(.*?)"/g;

	push @wrong, $file if grep({ $_ eq 'postgres.h' } @included) && $included[0] ne 'postgres.h';

	# From PostgreSQL 16 on, the macros of varlenas have a header of their own.
	push @lacking, $file if grep({ $_ eq 'postgres.h' } @included) && slurp_file($file) =~ /\b(VARDATA|VARSIZE|SET_VARSIZE)/ &&
		!grep({ /^(compat|varatt)\.h$/ } @included);
}
is("@wrong", '', 'postgres.h is the first header');
is("@lacking", '', 'compat.h is included where varlenas are taken apart');

done_testing();
