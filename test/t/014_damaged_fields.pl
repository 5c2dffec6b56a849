# If any field of any page of an index is damaged, no operation crashes,
# hangs, or extends the file: each either works or says that the index is
# damaged.  What makes an operation fail, biometric_index_check finds.
#
# Many copies of one small index are damaged, one field each, while the server
# is down; then all operations are tried on each.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run qw(run);
use Test::More;

my $block_size = 8192;
my $contents = 24;
my %kinds = (1 => 'metapage', 2 => 'gallery', 3 => 'leaf', 4 => 'directory', 5 => 'pending', 6 => 'free', 7 => 'young', 8 => 'sketch');
my $node = new_server('main', checksums => 0, conf => "autovacuum = off\nshared_buffers = 64MB\nmax_locks_per_transaction = 1000\n");

# An index that has pages of all kinds, young ones among them that are being merged.
$node->safe_psql('postgres', <<'X');
CREATE TABLE pristine (id int, eye iris);
INSERT INTO pristine SELECT i, synthetic_iris(i) FROM generate_series(1, 20) AS i;
CREATE INDEX pristine_eye ON pristine USING biometric (eye) WITH (pending_limit = 32);
INSERT INTO pristine VALUES (0, NULL);
DO $$
DECLARE
	s record;
BEGIN
	FOR i IN 21 .. 400 LOOP
		INSERT INTO pristine VALUES (i, synthetic_iris(i));
		s := biometric_index_stats('pristine_eye');
		EXIT WHEN i > 100 AND s.free_pages > 0 AND s.pending_pages > 2;
	END LOOP;
END
$$;
CHECKPOINT;
X
index_is_sound($node, 'the index is sound', index => 'pristine_eye');

sub file_of
{
	return $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_[0]')");
}

my $file = file_of('pristine_eye');

$node->stop;
my $sound = slurp_binary($file);
$node->start;

my $blocks = length($sound) / $block_size;

sub field
{
	my ($block, $offset, $type) = @_;

	return unpack($type, substr($sound, $block * $block_size + $offset, { S => 2, L => 4, Q => 8 }->{$type}));
}

# Fast searches: a small gallery would be searched exactly.  The count of
# entries stands in the metapage, after 64 bytes of identity, 5 fixed fields, 3
# blocks and two lists of 24 bytes.
my $flags = $contents + 64;
my $lists = $flags + 32;
my $counts = $lists + 48;

substr($sound, $counts + 32, 8) = pack('Q', 5000);

my %of_kind;

foreach my $block (0 .. $blocks - 1)
{
	push @{ $of_kind{ $kinds{ field($block, $block_size - 4, 'S') } } }, $block;
}
is(join(' ', sort keys %of_kind), join(' ', sort values %kinds), 'the index has pages of all kinds');

# ---- what is damaged ---------------------------------------------------------

my @cases;    # name, block, offset, bytes

# A field in all ways that may matter: bits flipped, the extremes, any page
sub damage_field
{
	my ($name, $block, $offset, $type) = @_;
	my $old = field($block, $offset, $type);
	my $bits = { S => 16, L => 32, Q => 64 }->{$type};
	my %values = map { $_ => 1 } (0, $old ^ 1, $old ^ 1 << $bits / 2, $old ^ 1 << $bits - 1, $bits == 64 ? ~0 : (1 << $bits) - 1);

	delete $values{$old};
	push @cases, [ "$name $old to $_", $block, $offset, pack($type, $_) ] foreach sort { $a <=> $b } keys %values;
	return;
}

# A link: to each kind of page, to itself, out of the index
sub damage_link
{
	my ($name, $block, $offset) = @_;
	my $old = field($block, $offset, 'L');
	my %values = map { $_ => 1 } (0, $block, $blocks, 0xFFFFFFFF, map { ($_->[0], $_->[-1]) } values %of_kind);

	delete $values{$old};
	push @cases, [ "$name $old to $_", $block, $offset, pack('L', $_) ] foreach sort { $a <=> $b } keys %values;
	return;
}

# the metapage
damage_field("metapage, identity at $_", 0, $contents + $_, 'L') foreach (0, 4, 12);
damage_field("metapage, fixed field $_", 0, $flags + 4 * $_, 'L') foreach (0 .. 4);
damage_link("metapage, $_->[0]", 0, $_->[1])
  foreach ([ 'first leaf', $flags + 20 ], [ 'first directory page', $flags + 24 ], [ 'first free page', $flags + 28 ],
	[ 'first pending page', $lists ], [ 'last pending page', $lists + 4 ], [ 'first young page', $lists + 24 ], [ 'last young page', $lists + 28 ]);
damage_field("metapage, number at $_", 0, $_, 'Q')
  foreach ($lists + 8, $lists + 16, $lists + 32, $lists + 40, map { $counts + 8 * $_ } (0 .. 6));

foreach my $kind (sort keys %of_kind)
{
	my $block = $of_kind{$kind}[-1];

	# the header, and the special space at the end
	damage_field("$kind, header at $_", $block, $_, 'S') foreach (12, 14, 16, 18);
	damage_field("$kind, special space at $_", $block, $block_size - $_, 'S') foreach (2, 4);
	next if $kind eq 'metapage' || $kind eq 'gallery' || $kind eq 'sketch';
	foreach my $page ($kind eq 'pending' || $kind eq 'young' ? @{ $of_kind{$kind} }[ 0, -1 ] : $block)
	{
		damage_field("$kind, low", $page, $contents, 'Q');
		damage_field("$kind, high", $page, $contents + 8, 'Q');
		damage_link("$kind, right", $page, $contents + 16);
		damage_field("$kind, count", $page, $contents + 20, 'S');
		damage_field("$kind, sorted", $page, $contents + 22, 'S');
		next if field($page, $contents + 20, 'S') == 0;
		if ($kind eq 'pending')
		{
			damage_field("$kind, reference", $page, $contents + 24, 'L');
			next;
		}
		damage_field("$kind, item", $page, $contents + 24, 'Q');
		damage_link("$kind, block of the item", $page, $contents + 32) if $kind eq 'directory';
	}
}

# gallery and sketch pages: line pointers of 15 bits offset, 2 bits state, 15 bits length; then
# the entry or the sketch
foreach my $block (map { @{ $of_kind{$_} }[ 0, -1 ] } qw(gallery sketch))
{
	my $kind = $kinds{ field($block, $block_size - 4, 'S') };
	my $entries = (field($block, 12, 'S') - $contents) / 4;

	foreach my $at ($contents, $contents + 4 * ($entries - 1))
	{
		my $pointer = field($block, $at, 'L');
		my $entry = $pointer & 0x7fff;
		my @fields = $kind eq 'gallery' ? (0, 2, 4, 6, 8, 10) : grep { $_ < $pointer >> 17 } (0, 2, 4);

		push @cases, [ "$kind, line pointer $pointer, bit $_", $block, $at, pack('L', $pointer ^ 1 << $_) ] foreach (0 .. 31);
		damage_field("$kind, entry at $_", $block, $entry + $_, 'S') foreach @fields;
	}
}

# ---- damage, and work with it ----------------------------------------------------

# Tables with the same rows in the same places, whose indexes are exchanged for the damaged ones
$node->safe_psql('postgres', <<"X");
DO \$\$
BEGIN
	FOR i IN 0 .. @{[ scalar @cases - 1 ]} LOOP
		EXECUTE format('CREATE TABLE damaged_%s (id int, eye iris)', i);
		EXECUTE format('CREATE INDEX damaged_%s_eye ON damaged_%1\$s USING biometric (eye) WITH (pending_limit = 32)', i);
		EXECUTE format('UPDATE pg_index SET indisready = false WHERE indexrelid = %L::regclass', 'damaged_' || i || '_eye');
		EXECUTE format('INSERT INTO damaged_%s TABLE pristine', i);
		EXECUTE format('UPDATE pg_index SET indisready = true WHERE indexrelid = %L::regclass', 'damaged_' || i || '_eye');
	END LOOP;
END
\$\$;
CHECKPOINT;
X
my @files = map { $node->data_dir . "/$_" } split(
	/\n/,
	$node->safe_psql(
		'postgres', "SELECT pg_relation_filepath('damaged_' || i || '_eye') FROM generate_series(0, @{[ scalar @cases - 1 ]}) AS i"));

$node->stop;
foreach my $i (0 .. $#cases)
{
	my (undef, $block, $offset, $bytes) = @{ $cases[$i] };
	my $copy = $sound;

	substr($copy, $block * $block_size + $offset, length($bytes)) = $bytes;
	open(my $out, '>:raw', $files[$i]) or die "could not write \"$files[$i]\": $!";
	print $out $copy;
	close($out);
}
$node->start;

my $script = <<'X';
\set VERBOSITY verbose
SET statement_timeout = '20s';
SET max_parallel_workers_per_gather = 0;
X
my @work = (
	'SELECT count(*) FROM (SELECT id FROM ONLY %1$s ORDER BY eye <-> synthetic_iris(3, 1)) AS s',
	'SELECT count(*) FROM %1$s WHERE eye % probe(synthetic_iris(4, 1), 5)',
	'SET biometric.search_mode = fast',
	'SELECT count(*) FROM (SELECT id FROM %1$s ORDER BY eye <-> synthetic_iris(3, 1) LIMIT 150) AS s',
	'SELECT count(*) FROM %1$s WHERE eye % probe(synthetic_iris(4, 1), 5)',
	'RESET biometric.search_mode',
	"SELECT biometric_index_check('%1\$s_eye', true)",
	"SELECT entries FROM biometric_index_stats('%1\$s_eye')",
	(map { "INSERT INTO %1\$s SELECT 900 + i, synthetic_iris(1 + i % 7) FROM generate_series($_ * 20, $_ * 20 + 19) AS i" } (1 .. 4)),
	'INSERT INTO %1$s VALUES (999, NULL)',
	'DELETE FROM %1$s WHERE id % 7 = 3',
	'SELECT count(*) FROM (SELECT id FROM %1$s ORDER BY eye <-> synthetic_iris(3, 1)) AS s',
	'VACUUM (INDEX_CLEANUP on) %1$s',
	'INSERT INTO %1$s SELECT 1000 + i, synthetic_iris(1 + i % 7) FROM generate_series(1, 40) AS i',
	"SELECT 'size', pg_relation_size('%1\$s_eye')");

foreach my $i (0 .. $#cases)
{
	$script .= "\\echo case $i\n" . "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off;\n";
	foreach my $statement (@work)
	{
		my $text = $statement;

		$text =~ s/%1\$s/damaged_$i/g;
		$script .= "$text;\n";
		$script .= "\\warn checked\n" if $text =~ /biometric_index_check/;
	}
	$script .= "\\warn case $i\n";
}

my ($out, $err) = ('', '');
my $result = run(
	[ $node->installed_command('psql'), '-X', '-At', '-d', $node->connstr('postgres'), '-f', '-' ],
	'<' => \$script, '>' => \$out, '2>' => \$err);

ok($result, 'psql comes to its end');
unlike($err, qr/server closed the connection|PANIC|FATAL/, 'no operation brings the server down');
my (@wrong, @large, @missed);
my $noticed = 0;

# what psql says of a case comes before its mark
my @errors;
my $found;

foreach my $line (split(/\n/, $err))
{
	push @errors, $1 if $line =~ /ERROR:  (\w{5}: .*)$/;
	$found = @errors if $line eq 'checked';
	next if $line !~ /^case (\d+)$/;
	$noticed++ if @errors;
	push @missed, "$cases[$1][0]: $errors[0]" if @errors && !$found;
	push @wrong, map { "$cases[$1][0]: $_" } grep { !/^XX002: |^XX001: invalid page in block/ } @errors;
	@errors = ();
}
while ($out =~ /^case (\d+)$(.*?)(?=^case|\z)/msg)
{
	my ($i, $answers) = ($1, $2);

	push @large, $cases[$i][0] if $answers =~ /^size\|(\d+)$/m && $1 > 3 * length($sound);
}
splice(@wrong, 20) if @wrong > 20;
# PostgreSQL itself looks at the header of a page that it reads
is(join("\n", @wrong), '', 'all errors say that the index is damaged');
is(join("\n", @missed), '', 'biometric_index_check finds what makes other operations fail');
is(join("\n", @large), '', 'no index grows beyond measure');
cmp_ok($noticed, '>', @cases / 2, "most damage is noticed ($noticed of " . @cases . ')');

$node->stop;
done_testing();
