# Random operations by random people, in one session, beside a sequential model
# of the rules: after each of them the watchlists and the model must be in the same
# state.  Fixed seed, so that two runs do the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $OPERATIONS = 800;
my $node = new_server('main');
my $session = $node->background_psql('postgres', on_error_stop => 0);

$node->safe_psql('postgres', <<'X');
SET client_min_messages = warning;
CREATE EXTENSION biometric_watchlist CASCADE;
INSERT INTO watchlist.this_country VALUES ('north');
CREATE ROLE border; CREATE ROLE police;
CREATE ROLE bea LOGIN IN ROLE border; CREATE ROLE pia LOGIN IN ROLE police;
CREATE ROLE south LOGIN; CREATE ROLE east LOGIN;
SELECT watchlist.add_agency('border', 'border'), watchlist.add_agency('police', 'police');
SELECT watchlist.grant_duty(d, r::regrole) FROM unnest('{officer,curator,releaser}'::text[]) d, unnest('{bea,pia}'::text[]) r;
SELECT watchlist.add_partner('south', 'south', 'x', 'x'), watchlist.add_partner('east', 'east', 'x', 'x');
X

my %who = (bea => 'border', pia => 'police');
my @partners = qw(south east);

#
# The model: what the rules say, in a few lines each
#
my %person;		# name => { agency, enrolled => { number => 1 }, hold, gone }
my %list;		# name => { agency, open, readers, closed, rules => { partner => sent } }
my %entry;		# "list person" => { withheld => { partner => 1 } }
my %consent;	# "person agency" => { partner => 1 }
my ($persons, $lists) = (0, 0);

sub sees_list
{
	my ($agency, $name) = @_;

	return $list{$name} && ($list{$name}{agency} eq $agency || $list{$name}{open} || $list{$name}{readers}{$agency});
}

# an entry counts if its list is not closed, and the keeper of the person allows it
sub in_force
{
	my $key = shift;
	my ($l, $p) = split / /, $key;

	return $entry{$key} && !$list{$l}{closed} && ($person{$p}{agency} eq $list{$l}{agency} || $consent{"$p $list{$l}{agency}"});
}

sub sees_person
{
	my ($agency, $name) = @_;

	return $person{$name} && ($person{$name}{agency} eq $agency || grep { my ($l, $p) = split / /; $p eq $name && in_force($_) && sees_list($agency, $l) } keys %entry);
}

# what the keeper's own entries withhold binds those of others
sub withheld
{
	my ($key, $partner) = @_;
	my ($l, $p) = split / /, $key;

	return 1 if $entry{$key}{withheld}{$partner};
	return 0 if $person{$p}{agency} eq $list{$l}{agency};
	return 1 if !$consent{"$p $list{$l}{agency}"}{$partner};
	return scalar grep { my ($ol, $op) = split / /; $op eq $p && $list{$ol}{agency} eq $person{$p}{agency} && $entry{$_}{withheld}{$partner} } keys %entry;
}

# what those entries withheld stays withheld when the last of them goes
sub bind_consents
{
	my ($p, %leaving) = @_;
	my @own = grep { my ($l, $q) = split / /; $q eq $p && $list{$l}{agency} eq $person{$p}{agency} } keys %entry;

	return if !@own || grep { !$leaving{$_} } @own;
	foreach my $consent (map { $consent{$_} } grep { /^\Q$p\E / } keys %consent)
	{
		delete $consent->{$_} foreach map { my $key = $_; grep { $entry{$key}{withheld}{$_} } @partners } @own;
	}
	return;
}

# the whole state as text, from the model and from the tables
sub model_state
{
	my @lines;

	foreach my $key (grep { in_force($_) } keys %entry)
	{
		my ($l, $p) = split / /, $key;
		my $numbers = join ',', sort { $a <=> $b } keys %{ $person{$p}{enrolled} };

		next if $numbers eq '';
		push @lines, "searched $l $p $numbers";
		foreach my $partner (@partners)
		{
			next if !exists $list{$l}{rules}{$partner} || withheld($key, $partner);
			push @lines, "asked $partner $l $p";
			push @lines, "sent $partner $l $p $numbers" if $list{$l}{rules}{$partner};
		}
	}
	push @lines, map { "person $_ $person{$_}{agency}" } keys %person;
	push @lines, map { "list $_ $list{$_}{agency}" } keys %list;
	push @lines, map { "entry $_" } keys %entry;
	return join "\n", sort @lines;
}

my $STATE = <<'X';
SELECT string_agg(line, chr(10) ORDER BY line COLLATE "C") FROM (
	SELECT format('searched %s/%s %s %s', t.owner, t.list, g.subject, string_agg(g.item::text, ',' ORDER BY g.item)) AS line
		FROM watchlist.gallery g JOIN watchlist.parts t USING (part) GROUP BY t.owner, t.list, g.subject
	UNION ALL SELECT DISTINCT format('asked %s %s/%s %s', p.partner, t.owner, t.list, g.subject)
		FROM watchlist.partners p, watchlist.gallery g JOIN watchlist.parts t USING (part) WHERE g.part = ANY (watchlist.parts_for_partner(p.partner))
	UNION ALL SELECT format('sent %s north/%s north/%s %s', partner, list, reference, string_agg(item::text, ',' ORDER BY item))
		FROM watchlist.released GROUP BY partner, list, reference
	UNION ALL SELECT format('person north/%s %s', reference, agency) FROM watchlist.persons
	UNION ALL SELECT format('list north/%s %s', list, agency) FROM watchlist.lists
	UNION ALL SELECT format('entry north/%s north/%s', list, reference) FROM watchlist.list_entries JOIN watchlist.persons USING (person)) l
X

sub some { return $_[ between(0, $#_) ]; }

# mostly of the agency's own, so that not everything is refused
sub some_of
{
	my ($of, $agency, $nothing) = @_;
	my @own = grep { $of->{$_}{agency} eq $agency } sort keys %$of;

	return some(@own && chance(60) ? @own : (sort(keys %$of), $nothing));
}
sub some_person { return some_of(\%person, $_[0], 'north/border/nobody'); }
sub some_list { return some_of(\%list, $_[0], 'north/border/nothing'); }

# One operation by one person: SQL, and what the model does if it is allowed;
# undef: it must be refused.
my %operation = (
	add_person => sub {
		my ($user, $agency) = @_;
		my $name = 'P' . ++$persons;

	return if keys %person > 25;

		return ("watchlist.add_person('x', NULL, 'x', 'x', reference => '$name')", sub { $person{"north/$agency/$name"} = { agency => $agency, enrolled => {}, next => 1 } });
	},
	enrol => sub {
		my ($user, $agency) = @_;
		my $name = some_person($agency);
		my $finger = between(1, 100000);

		return ("(SELECT count(*) FROM watchlist.enrol('$name', ARRAY[synthetic_fingerprint($finger, 0, 2)]::bytea[], NULL, 'x', 'x'))",
			$person{$name} && $person{$name}{agency} eq $agency ? sub { $person{$name}{enrolled}{ $person{$name}{next}++ } = 1 } : undef);
	},
	withdraw => sub {
		my ($user, $agency) = @_;
		my $name = some_person($agency);
		my $number = between(1, 3);

		return ("watchlist.withdraw_enrolment('$name', $number, 'x', 'x')",
			$person{$name} && $person{$name}{agency} eq $agency && $person{$name}{enrolled}{$number} ? sub { delete $person{$name}{enrolled}{$number} } : undef);
	},
	create_list => sub {
		my ($user, $agency) = @_;
		my $name = 'L' . ++$lists;
		my $open = chance(50) ? 'true' : 'false';

		return if $lists > 8;
		return ("watchlist.create_list('$name', 'x', 'act', 'x', 'x', open => $open)", sub { $list{"north/$agency/$name"} = { agency => $agency, open => $open eq 'true', readers => {}, rules => {} } });
	},
	open_list => sub {
		my ($user, $agency) = @_;
		my $name = some_list($agency);
		my $other = some('border', 'police');

		return ("watchlist.open_list_to('$name', '$other', 'x', 'x')", $list{$name} && $list{$name}{agency} eq $agency ? sub { $list{$name}{readers}{$other} = 1 } : undef);
	},
	close_list => sub {
		my ($user, $agency) = @_;
		my $name = some_list($agency);
		my $closed = chance(40) ? 1 : 0;

		return ("watchlist.close_list('$name', " . ($closed ? 'true' : 'false') . ", 'x', 'x')", $list{$name} && $list{$name}{agency} eq $agency ? sub { $list{$name}{closed} = $closed } : undef);
	},
	delete_list => sub {
		my ($user, $agency) = @_;
		my $name = some_list($agency);

		return if chance(80);
		return ("watchlist.delete_list('$name', 'x', 'x')",
			$list{$name} && $list{$name}{agency} eq $agency ? sub {
				my %leaving = map { $_ => 1 } grep { /^\Q$name\E / } keys %entry;

				bind_consents((split / /)[1], %leaving) foreach keys %leaving;
				delete $list{$name};
				delete @entry{keys %leaving};
			}
			: undef);
	},
	add_entry => sub {
		my ($user, $agency) = @_;
		my ($l, $p) = (some_list($agency), some_person($agency));
		my %withheld = map { $_ => 1 } grep { chance(25) } @partners;
		my $allowed = $list{$l} && $list{$l}{agency} eq $agency && sees_person($agency, $p) && !$entry{"$l $p"} && ($person{$p}{agency} eq $agency || $consent{"$p $agency"});

		return ("watchlist.add_to_list('$l', '$p', 'x', 'x', withheld_from => '{" . join(',', sort keys %withheld) . "}')", $allowed ? sub { $entry{"$l $p"} = { withheld => \%withheld } } : undef);
	},
	change_entry => sub {
		my ($user, $agency) = @_;
		my ($l, $p) = split / /, some(sort(keys %entry), 'north/border/nothing north/border/nobody');
		my %withheld = map { $_ => 1 } grep { chance(40) } @partners;

		return ("watchlist.change_entry('$l', '$p', 'x', 'x', withheld_from => '{" . join(',', sort keys %withheld) . "}')",
			$entry{"$l $p"} && $list{$l}{agency} eq $agency ? sub { $entry{"$l $p"}{withheld} = \%withheld } : undef);
	},
	remove_entry => sub {
		my ($user, $agency) = @_;
		my ($l, $p) = split / /, some(sort(keys %entry), 'north/border/nothing north/border/nobody');

		return ("watchlist.remove_from_list('$l', '$p', 'x', 'x')", $entry{"$l $p"} && ($list{$l}{agency} eq $agency || $person{$p}{agency} eq $agency) ? sub { bind_consents($p, "$l $p" => 1); delete $entry{"$l $p"} } : undef);
	},
	consent => sub {
		my ($user, $agency) = @_;
		my ($p, $other) = (some_person($agency), some('border', 'police'));
		my %partner = map { $_ => 1 } grep { chance(50) } @partners;

		return ("watchlist.consent_to_listing('$p', '$other', 'x', 'x', partners => '{" . join(',', sort keys %partner) . "}')",
			$person{$p} && $person{$p}{agency} eq $agency && $other ne $agency ? sub { $consent{"$p $other"} = \%partner } : undef);
	},
	end_consent => sub {
		my ($user, $agency) = @_;
		my ($p, $other) = split / /, some(sort(keys %consent), 'north/border/nobody police');

		return ("watchlist.end_consent('$p', '$other', 'x', 'x')",
			$consent{"$p $other"} && $person{$p} && $person{$p}{agency} eq $agency
			? sub { delete $consent{"$p $other"}; delete $entry{$_} foreach grep { my ($l, $q) = split / /; $q eq $p && $list{$l}{agency} eq $other } keys %entry }
			: undef);
	},
	release => sub {
		my ($user, $agency) = @_;
		my ($l, $partner, $sent) = (some_list($agency), some(@partners), chance(60));

		return ("watchlist.release_list('$l', '$partner', " . ($sent ? 'true' : 'false') . ", 'x', 'x')", $list{$l} && $list{$l}{agency} eq $agency ? sub { $list{$l}{rules}{$partner} = $sent } : undef);
	},
	end_release => sub {
		my ($user, $agency) = @_;
		my ($l, $partner) = (some_list($agency), some(@partners));

		return ("watchlist.end_release('$l', '$partner', 'x', 'x')", $list{$l} && $list{$l}{agency} eq $agency && exists $list{$l}{rules}{$partner} ? sub { delete $list{$l}{rules}{$partner} } : undef);
	},
	hold => sub {
		my ($user, $agency) = @_;
		my ($p, $hold) = (some_person($agency), chance(50));

		return ("watchlist.set_legal_hold('$p', " . ($hold ? "'court'" : 'NULL') . ", 'x', 'x')", $person{$p} && $person{$p}{agency} eq $agency ? sub { $person{$p}{hold} = $hold } : undef);
	},
	erase => sub {
		my ($user, $agency) = @_;
		my $p = some_person($agency);

		return if chance(60);
		return ("watchlist.erase_person('$p', 'x', 'x')",
			$person{$p} && $person{$p}{agency} eq $agency && !$person{$p}{hold}
			? sub { delete $person{$p}; delete $entry{$_} foreach grep { / \Q$p\E$/ } keys %entry; delete $consent{$_} foreach grep { /^\Q$p\E / } keys %consent }
			: undef);
	},
	view => sub {
		my ($user, $agency) = @_;
		my $p = some_person($agency);

		# it must show a name if the person is seen, and nothing if not
		return ("1 / (SELECT (count(*) = " . (sees_person($agency, $p) ? 1 : 0) . ")::int FROM watchlist.view_person('$p', 'x', 'x'))", sub { });
	},
	hand_over_person => sub {
		my ($user, $agency) = @_;
		my ($p, $other) = (some_person($agency), some('border', 'police'));

		return if chance(60) || $other eq $agency;
		return ("watchlist.hand_over_person('$p', '$other', 'x', 'x')",
			$person{$p} && $person{$p}{agency} eq $agency
			? sub {
				bind_consents($p, map { $_ => 1 } keys %entry);
				my @kept = grep { my ($l, $q) = split / /; $q eq $p && $list{$l}{agency} eq $agency } keys %entry;

				$consent{"$p $agency"} //= { map { $_ => 1 } map { my ($l) = split / /; keys %{ $list{$l}{rules} } } @kept } if @kept;
				delete $consent{"$p $other"};
				$person{$p}{agency} = $other;
			}
			: undef);
	});

seed(20261127);
my (%done, $refused, @wrong);
for my $n (1 .. $OPERATIONS)
{
	my $user = some(sort keys %who);
	my $name = $n < 40 ? some('add_person', 'enrol', 'create_list', 'add_entry') : chance(40) ? some('add_entry', 'consent', 'enrol') : some(sort keys %operation);
	my ($sql, $effect) = $operation{$name}->($user, $who{$user});

	next if !defined $sql;
	my ($out, $failed) = $session->query("SET SESSION AUTHORIZATION $user; SELECT 'returned ' || coalesce(($sql)::text, ''); RESET SESSION AUTHORIZATION;");
	my $worked = $out =~ /^returned/m;

	if ($worked != defined $effect)
	{
		push @wrong, "operation $n, $user: $sql was " . ($worked ? 'not refused' : "refused: $session->{stderr}");
		last;
	}
	$done{$name}++ if $worked;
	$refused++ if !$worked;
	$effect->() if $effect;
	$session->{stderr} = '';
	next if $n % 10;
	my $state = $session->query($STATE);
	my $expected = model_state();

	if ($state ne $expected)
	{
		my (%is, %should);

		@is{ split /\n/, $state } = ();
		@should{ split /\n/, $expected } = ();
		push @wrong, "after operation $n, $user: $sql: " . join('; ', (map { "too much: $_" } grep { !exists $should{$_} } sort keys %is), map { "missing: $_" } grep { !exists $is{$_} } sort keys %should);
		last;
	}
}
is(join("\n", @wrong), '', 'random operations end in the state of the model');
note(join ', ', (map { "$_ $done{$_}" } sort keys %done), "refused $refused");
ok($refused > 30 && keys(%done) > 15, 'of all kinds, allowed and refused');
is($session->query("SELECT string_agg(problem || ' ' || object, '; ') FROM watchlist.coverage() WHERE problem LIKE 'template%' OR problem LIKE 'number of%'"), '', 'the gallery follows, and is counted right');

# the partner has exactly what it may, however it came
$session->query('SELECT watchlist.number_changes()');
is($session->query(<<'X'), 't', 'what the feeds have given is what may be had');
SELECT coalesce((SELECT array_agg(DISTINCT (partner, list, reference)) FROM watchlist.released) = (SELECT array_agg((partner, list, reference) ORDER BY partner, list, reference) FROM watchlist.feed_sent),
	NOT EXISTS (SELECT FROM watchlist.feed_sent))
X
is($session->query("SELECT watchlist.seal_log() > 0"), 't', 'the log is sealed');
is($session->query("SELECT count(*) FROM watchlist.verify_log() WHERE problem !~ 'never committed'"), '0', 'and whole');
$session->quit;
$node->stop;
done_testing();
