# Totals.pm
#	A harness for prove(1) that also writes its totals, "passed failed skipped",
#	into the file named by the environment variable TOTALS, and shows the end of
#	the server logs of a PostgreSQL test that failed.
#
#	PERL5LIB=test prove --harness=Totals ...

package Totals;

use strict;
use warnings;
use parent 'TAP::Harness';

use File::Basename qw(basename);

sub summary
{
	my ($self, $all) = @_;
	my ($passed, $failed, $skipped) = (0, 0, 0);

	$self->SUPER::summary($all);
	for my $test ($all->descriptions)
	{
		my ($parser) = $all->parsers($test);
		my $wrong = $parser->failed;

		# a whole file that was skipped counts as one
		$skipped += $parser->skip_all ? 1 : $parser->skipped;
		$passed += $parser->passed - $parser->skipped;
		# a wrong plan or a bad exit is a failure, even when every test passed
		$wrong = 1 if !$wrong && $parser->has_problems;
		$failed += $wrong;
		print "SKIPPED: $test: ", $parser->skip_all, "\n" if $parser->skip_all;
		show_logs(basename($test)) if $wrong;
	}
	open my $out, '>', $ENV{TOTALS} or die "cannot write $ENV{TOTALS}: $!\n";
	print $out "$passed $failed $skipped\n";
	close $out or die "cannot write $ENV{TOTALS}: $!\n";
	return;
}

sub show_logs
{
	my $name = shift =~ s/\.pl$//r;

	for my $log (glob("tmp_check/log/regress_log_$name tmp_check/log/${name}_*.log"))
	{
		next if !-s $log;
		print "-- end of $log\n";
		system('tail', '-n', '60', $log);
	}
	return;
}

1;
