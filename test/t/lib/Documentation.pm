# Documentation.pm
#	Runs the commands and queries that a page of the documentation shows, and
#	compares what comes out with what the page shows.  CONTRIBUTING.md says how
#	a page marks its blocks ("Examples in the documentation").
#
#	use Documentation;
#	run_page('doc/exchange.md', north => $north->connstr('demo'), south => ...);
#
# prints one TAP test a block.  Connection strings are those of psql.  A block
# runs on the server that "<!-- on: NAME -->" names, else on the one called
# "default".  Blocks in a row on one server share a session.

package Documentation;

use strict;
use warnings;

use Exporter 'import';
use File::Temp qw(tempfile);
use Test::More;

our @EXPORT = qw(page_blocks run_page rewritten_page);

my $MARK = '== end of the block in line';

# The fenced blocks of a page in order, and the statements hidden in comments:
# language, text, line (of the fence, from 1), first and last (lines of the
# contents, from 0), the marks on, not_run, run_by and with; and expected, the
# block of language "output" behind it.
sub page_blocks
{
	my $page = shift;
	my (@blocks, %marks, %page_marks, $in);
	my @lines = page_lines($page);

	for my $n (0 .. $#lines)
	{
		my $line = $lines[$n];

		if ($in)
		{
			if ($line =~ $in->{end})
			{
				$in->{last} = $n - 1;
				$in->{text} = join "\n", @lines[ $in->{first} .. $n - 1 ];
				if ($in->{language} eq 'output')
				{
					$blocks[-1]{expected} = $in if @blocks;
					$in->{orphan} = !@blocks;
				}
				push @blocks, $in if $in->{language} ne 'output' || $in->{orphan};
				undef $in;
				%marks = ();
			}
		}
		elsif ($line =~ /^\s*(```+)\s*(\w*)/)
		{
			$in = { with_marks(\%page_marks, \%marks), language => $2, line => $n + 1, first => $n + 1, end => qr/^\s*$1\s*$/ };
		}
		elsif ($line =~ /^<!-- test\s*$/)
		{
			$in = { with_marks(\%page_marks, \%marks), language => 'sql', line => $n + 1, first => $n + 1, end => qr/^-->\s*$/ };
		}
		elsif ($line =~ /^<!-- (page )?(on|not run|run by): (.*?) -->/)
		{
			($1 ? \%page_marks : \%marks)->{ $2 =~ tr/ /_/r } = $3;
		}
		elsif ($line =~ /^<!-- (page )?with (.*?): (.*) -->/)
		{
			push @{ ($1 ? \%page_marks : \%marks)->{with} }, [ $2, $3 ];
		}
		elsif ($line =~ /\S/)
		{
			%marks = ();
		}
	}
	push @blocks, { %$in, text => '', language => 'unfinished' } if $in;
	return @blocks;
}

# The marks of a block: those of the page, and its own ones.
sub with_marks
{
	my ($page, $own) = @_;

	return (%$page, %$own, with => [ @{ $own->{with} // [] }, @{ $page->{with} // [] } ]);
}

# The statements of a block as they are executed.
sub statements
{
	my $block = shift;
	my $text = $block->{text};

	foreach my $pair (@{ $block->{with} })
	{
		my ($shown, $executed) = @$pair;

		# \$1 is not the beginning of \$10
		$text =~ s/\Q$shown\E(?!\d)/$executed/g;
	}
	return $text;
}

sub page_lines
{
	my $page = shift;

	open my $in, '<:encoding(UTF-8)', $page or die "cannot read $page: $!\n";
	chomp(my @lines = <$in>);
	return @lines;
}

# What is wrong with the marks of a block, or nothing.
sub marks_wrong
{
	my ($page, $block) = @_;

	return "the block is not closed" if $block->{language} eq 'unfinished';
	return "an output without a command" if $block->{orphan};
	return if $block->{not_run} || $block->{language} eq 'text';
	return "say which kind of block it is: sql, sh, output, text, or mark it <!-- not run: why -->"
	  if $block->{language} !~ /^(sql|sh)$/;
	if (my $file = $block->{run_by})
	{
		open my $in, '<', $file or return "is said to be run by $file: $!";
		local $/;
		return "is said to be run by $file, which does not name $page" if <$in> !~ /\Q$page\E/;
		return;
	}
	return "the last statement has no end"
	  if $block->{language} eq 'sql'
	  && $block->{text} =~ /\S/
	  && $block->{text} !~ /(;\s*(--.*)?|^\\.*|\\g\w*)\s*\z/m;
	return;
}

# The blocks of a page that are for this caller, of those whose marks are right.
sub queue
{
	my ($page, $server) = @_;
	my $by = delete $server->{by} // '';
	my $with = delete $server->{with} // {};
	my @queue;

	for my $block (page_blocks($page))
	{
		my $wrong = marks_wrong($page, $block);

		if ($wrong)
		{
			fail("$page:$block->{line}: $wrong");
			next;
		}
		next if $block->{not_run} || $block->{language} eq 'text' || ($block->{run_by} // '') ne $by;
		push @{ $block->{with} }, map { [ $_, $with->{$_} ] } keys %$with;
		push @queue, $block;
	}
	return @queue;
}

# Run all blocks of a page that are for this caller.  %server: connection
# strings by name.  Options: by => FILE, run the blocks that are marked as run
# by FILE, and only those; with => { SHOWN => EXECUTED }, replacements like those
# of the mark "with".
sub run_page
{
	my ($page, %server) = @_;
	my @queue = queue($page, \%server);

	execute($page, \%server, @queue);
	for my $block (@queue)
	{
		compare($page, $block);
	}
	return;
}

# The text of a page with every output as it is now, for the arguments of
# run_page().  Outputs with an ellipsis stay as they are as long as they agree.
sub rewritten_page
{
	my ($page, %server) = @_;
	my @lines = page_lines($page);
	my @queue = queue($page, \%server);

	execute($page, \%server, @queue);
	for my $block (reverse @queue)
	{
		my $expected = $block->{expected} or next;

		next if agrees($expected->{text}, $block->{actual});
		splice @lines, $expected->{first}, $expected->{last} - $expected->{first} + 1, split /\n/, tidy($block->{actual});
	}
	return join('', map { "$_\n" } @lines);
}

# Run blocks and note what each of them wrote, in "actual".
sub execute
{
	my ($page, $server, @queue) = @_;

	while (@queue)
	{
		my $on = $queue[0]{on} // 'default';
		my $language = $queue[0]{language};
		my @session;

		die "$page:$queue[0]{line}: no server is called $on\n" if $language eq 'sql' && !defined $server->{$on};
		push @session, shift @queue
		  while @queue && ($queue[0]{on} // 'default') eq $on && $queue[0]{language} eq $language;
		if ($language eq 'sql')
		{
			my $all = output_of([ 'psql', '-X', '-q', '-P', 'pager=off', '-P', 'footer=off', '-d', $server->{$on} ],
				join '', map { statements($_) . "\n\\echo '$MARK' $_->{line}\n" } @session);

			for my $block (@session)
			{
				if ($all =~ s/\A(.*?)^\Q$MARK\E $block->{line}\n//ms)
				{
					$block->{actual} = $1;
				}
				else
				{
					# the session ended early
					$block->{actual} = $all . "(the session ended here)\n";
					$all = '';
				}
			}
		}
		else
		{
			for my $block (@session)
			{
				$block->{actual} = output_of([ 'bash', '-e' ], statements($block));
				$block->{status} = $?;
			}
		}
	}
	return;
}

# What a program writes to both of its outputs, given this input.
sub output_of
{
	my ($command, $input) = @_;
	my ($file, $name) = tempfile(UNLINK => 1);

	binmode $file, ':encoding(UTF-8)';
	print $file $input;
	close $file;
	open my $pipe, '-|', 'sh', '-c', 'in=$1; shift; exec "$@" < "$in" 2>&1', 'sh', $name, @$command
	  or die "cannot run @$command: $!\n";
	binmode $pipe, ':encoding(UTF-8)';
	local $/;
	my $output = <$pipe> // '';
	close $pipe;
	return $output;
}

sub compare
{
	my ($page, $block) = @_;
	my $name = "$page:$block->{line}";
	my $actual = tidy($block->{actual});

	if ($block->{expected})
	{
		my $expected = tidy($block->{expected}{text});

		ok(agrees($expected, $actual), "$name: output as shown")
		  or diag("shown:\n$expected\nwritten:\n$actual\n");
	}
	else
	{
		ok(!$block->{status} && $actual !~ /^(ERROR|FATAL|PANIC): |\(the session ended here\)|^psql: error/m, "$name: runs")
		  or diag("wrote:\n$actual\n");
	}
	return;
}

# Without the spaces at the ends of lines, and without empty lines around.
sub tidy
{
	my $text = shift;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+//;
	$text =~ s/\s+\z//;
	return $text;
}

# Whether an output is as shown.  An ellipsis stands for anything: in a line
# for a part of it, in a line of its own for any number of lines.
sub agrees
{
	my ($expected, $actual) = map { tidy($_) } @_;
	my $pattern = quotemeta $expected;
	my $dots = quotemeta "\x{2026}";

	return 1 if $expected eq $actual;
	$pattern =~ s/(\A|\\\n)\Q$dots\E(\\\n|\z)/$1 . '(?:.*\n)*?' . ($2 eq '' ? '.*' : '')/ge;
	$pattern =~ s/\Q$dots\E/.*?/g;
	return $actual =~ /\A$pattern\z/;
}

1;
