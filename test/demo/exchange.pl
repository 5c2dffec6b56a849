#!/usr/bin/perl
# exchange.pl north=SOCKETDIR south=SOCKETDIR
#	Runs the statements of doc/exchange.md on two servers, and shows headings,
#	statements and what they say.

use strict;
use warnings;

use Documentation;
use TwoCountries;

my $page = 'doc/exchange.md';
my %socket = map { split /=/, $_, 2 } @ARGV;

binmode STDOUT, ':encoding(UTF-8)';
$| = 1;

open(my $in, '<:encoding(UTF-8)', $page) or die "cannot read $page: $!\n";
my @lines = <$in>;
close($in);

my @queue = Documentation::queue($page, { by => 'test/t/024_exchange_page.pl', with => page_names(map { $_ => [ $socket{$_}, 5432 ] } keys %socket) });
my $shown = 0;

# a session at a time, so that something is to be seen while it runs
while (@queue)
{
	my @session = shift @queue;

	push @session, shift @queue
	  while @queue && ($queue[0]{on} // '') eq ($session[0]{on} // '') && $queue[0]{language} eq $session[0]{language};
	Documentation::execute($page, { map { $_ => "host=$socket{$_} dbname=exchange" } keys %socket }, @session);
	for my $block (@session)
	{
		my $hidden = $lines[ $block->{line} - 1 ] =~ /^<!-- test/;

		# the headings that the block is under, if they are new
		my @headings;
		for my $n ($shown .. $block->{line} - 1)
		{
			next if $lines[$n] !~ /^(##+) (.*)/;
			@headings = grep { length $_->[0] < length $1 } @headings;
			push @headings, [ $1, $2 ];
		}
		print "\n== $_->[1]\n" for @headings;
		$shown = $block->{line};
		die "$page:$block->{line}: $block->{actual}\n" if $block->{status} || $block->{actual} =~ /^(ERROR|FATAL|PANIC): |\(the session ended here\)|^psql: error/m;
		print "\n", $block->{on} ? "-- in the $block->{on}\n" : '', "$block->{text}\n", $block->{actual} if !$hidden;
	}
}
