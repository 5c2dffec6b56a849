# A damaged index raises an error that says so; it never brings the server
# down, and biometric_index_check finds the damage.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use Test::More;

my $block_size = 8192;
my $node = new_server('main', checksums => 0);

add_gallery($node, subjects => 60, captures => 2, probes => 12);
$node->safe_psql('postgres', 'CREATE TABLE pristine AS SELECT * FROM gallery; CREATE INDEX gallery_id_idx ON gallery (id); CHECKPOINT');

sub file_of
{
	return $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_[0]')");
}

my $file = file_of('gallery_print_idx');
my $other_file = file_of('gallery_id_idx');

$node->stop;
my $sound = slurp_binary($file);
my $other = slurp_binary($other_file);
$node->start;
my $blocks = length($sound) / $block_size;

cmp_ok($blocks, '>', 5, 'the index has several pages');

# Put bytes into the file while the server is down
sub damage
{
	my ($bytes) = @_;

	$node->stop;
	open(my $out, '>:raw', $file) or die "could not write \"$file\": $!";
	print $out $bytes;
	close($out);
	$node->start;
	return;
}

sub with_bytes
{
	my ($block, $offset, $bytes) = @_;
	my $copy = $sound;

	substr($copy, $block * $block_size + $offset, length($bytes)) = $bytes;
	return $copy;
}

# What happens in the daily work with the damaged index.  Everything that fails
# fails with an error of the class, all else works, and the session goes on.
sub work
{
	my @work = (
		'SELECT count(*) FROM (SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM probe WHERE n = 1)) x',
		'SELECT count(*) FROM gallery WHERE print % (SELECT print FROM probe WHERE n = 1)',
		"INSERT INTO gallery SELECT 800000 + n, print, 1, 'after damage' FROM probe",
		'DELETE FROM gallery WHERE id % 17 = 5',
		'VACUUM (INDEX_CLEANUP on) gallery',
		"SELECT pages FROM biometric_index_stats('gallery_print_idx')",
		"SELECT biometric_index_check('gallery_print_idx')");
	my ($out, $err) =
	  session($node,
		"\\set VERBOSITY verbose\nSET enable_seqscan = off; SET enable_bitmapscan = off;\n"
		  . join(";\n", @work)
		  . ";\nSELECT 'alive';\n");

	# what does not search the index does not meet the damage, not even in the planner
	is( $node->safe_psql(
			'postgres', 'SELECT count(*) > 0 FROM gallery; SET enable_indexscan = off; SET enable_bitmapscan = off;'
			  . 'SELECT count(*) > 0 FROM gallery WHERE print % (SELECT print FROM probe WHERE n = 1)'),
		"t\nt",
		'other statements work');
	return ($out, $err);
}

# damaged(name, bytes, expected): daily work meets the damage as an error of
# class XX with a hint; expected is what the check says about it.
sub damaged
{
	my ($name, $bytes, $expected, %options) = @_;

	damage($bytes);
	my ($out, $err) = work();
	my @codes = $err =~ /(?:ERROR|FATAL|PANIC):  (\w{5}):/g;
	my @wrong = grep { $_ ne 'XX002' && $_ ne ($options{also} || '') } @codes;

	like($out, qr/alive$/, "$name: the session survives");
	is("@wrong", '', "$name: errors are of the class of damaged indexes") or diag($err);
	if (!$options{silent})
	{
		cmp_ok(scalar @codes, '>', 0, "$name: the damage is noticed in the daily work");
		like($err, qr/HINT:  .*REINDEX/, "$name: the hint says what helps") unless $options{also};
	}
	($out, $err) = session($node, "\\set VERBOSITY verbose\nSELECT biometric_index_check('gallery_print_idx', true);");
	like($err, $expected, "$name: biometric_index_check finds it");

	# the advice is good
	$node->safe_psql('postgres', 'REINDEX INDEX gallery_print_idx');
	$file = file_of('gallery_print_idx');
	index_is_sound($node, "$name: REINDEX mends it");

	# back to where we came from
	$node->safe_psql('postgres', <<'X');
TRUNCATE gallery;
INSERT INTO gallery SELECT * FROM pristine;
REINDEX INDEX gallery_print_idx;
CHECKPOINT;
X
	$file = file_of('gallery_print_idx');
	return;
}

# The same rows in the same places give the same index.
sub refresh_sound
{
	$node->safe_psql('postgres', 'TRUNCATE gallery; INSERT INTO gallery SELECT * FROM pristine; REINDEX INDEX gallery_print_idx; CHECKPOINT');
	$file = file_of('gallery_print_idx');
	$node->stop;
	$sound = slurp_binary($file);
	$node->start;
	return;
}
refresh_sound();

my $corrupted = qr/ERROR:  XX002: /;

# The metapage
my $contents = 24;

damaged('magic number', with_bytes(0, $contents, "\xde\xad\xbe\xef"), $corrupted);
damaged('format version of a later release', with_bytes(0, $contents + 4, pack('L', 99)), $corrupted);
damaged('format version 0', with_bytes(0, $contents + 4, pack('L', 0)), $corrupted);
damaged('name of the modality', with_bytes(0, $contents + 12, "palmprint\0"), $corrupted);
damaged('name of the modality without end', with_bytes(0, $contents + 12, 'x' x 52), $corrupted);
damaged('features of another release', with_bytes(0, $contents + 8, pack('L', 77)), qr/ERROR:  55000: .*features/, also => '55000');
damaged('metapage of zeroes', with_bytes(0, 0, "\0" x $block_size), $corrupted);
damaged('gallery page in place of the metapage', with_bytes(0, 0, substr($sound, 2 * $block_size, $block_size)), $corrupted);
damaged('btree page in place of the metapage', with_bytes(0, 0, substr($other, 0, $block_size)), $corrupted);

# Gallery pages
my $page = 2;
my $page_id = $block_size - 2;

damaged('page identifier', with_bytes($page, $page_id, pack('S', 0xFF83)), $corrupted);
damaged('kind of page', with_bytes($page, $page_id - 2, pack('S', 77)), $corrupted);
damaged('metapage in place of a gallery page', with_bytes($page, 0, substr($sound, 0, $block_size)), $corrupted);
damaged('btree page in place of a gallery page', with_bytes($page, 0, substr($other, $block_size, $block_size)), $corrupted);
damaged('another gallery page in its place', with_bytes($page, 0, substr($sound, 3 * $block_size, $block_size)), $corrupted, silent => 1);
damaged('gallery page of zeroes', with_bytes($page, 0, "\0" x $block_size), $corrupted, silent => 1);
damaged('file that ends too early', substr($sound, 0, 2 * $block_size), $corrupted, silent => 1);

# Line pointers: 15 bits offset, 2 bits state, 15 bits length
my $pointer = unpack('L', substr($sound, $page * $block_size + $contents, 4));
my $offset = $pointer & 0x7fff;
my $length = $pointer >> 17;

damaged('entry beyond the end of the page', with_bytes($page, $contents, pack('L', 8190 | 1 << 15 | $length << 17)), $corrupted);
damaged('entry that is too long', with_bytes($page, $contents, pack('L', $offset | 1 << 15 | 0x7fff << 17)), $corrupted);
damaged('entry without length', with_bytes($page, $contents, pack('L', $offset | 1 << 15)), $corrupted);
damaged('entry in the page header', with_bytes($page, $contents, pack('L', 8 | 1 << 15 | $length << 17)), $corrupted);
damaged('entry that is not aligned', with_bytes($page, $contents, pack('L', ($offset + 1) | 1 << 15 | ($length - 8) << 17)), $corrupted);
damaged('line pointer without use', with_bytes($page, $contents, pack('L', 0)), $corrupted, silent => 1);
damaged('line pointer that is dead', with_bytes($page, $contents, pack('L', $offset | 3 << 15 | $length << 17)), $corrupted);
damaged('two entries in one place', with_bytes($page, $contents + 4, pack('L', $pointer)), $corrupted, silent => 1);

# Entries
damaged('row that cannot be', with_bytes($page, $offset, pack('SSS', 0, 0, 0)), $corrupted);
damaged('row of someone else', with_bytes($page, $offset, pack('SSS', 0, 0, 2)), $corrupted, silent => 1);
damaged('row beyond the table', with_bytes($page, $offset, pack('SSS', 0, 999, 2)), $corrupted, silent => 1, also => 'XX001');
damaged('flags of an entry', with_bytes($page, $offset + 6, pack('S', 0xFFFF)), $corrupted);
damaged('entry that claims to have no template', with_bytes($page, $offset + 6, pack('S', 1)), $corrupted);
damaged('entry of a row that is there, said to be gone', with_bytes($page, $offset + 6, pack('S', 8)), $corrupted, silent => 1);
damaged('entry whose features end early', with_bytes($page, $contents, pack('L', $offset | 1 << 15 | 12 << 17)), $corrupted);
damaged('count of entries', with_bytes($page, 12, pack('S', $contents + 4)), $corrupted, silent => 1);

# Sketch pages: the first one, of the group that begins with the gallery page above
my $sketches = 1;
my $first = unpack('L', substr($sound, $sketches * $block_size + $contents, 4)) & 0x7fff;
my $lower = unpack('S', substr($sound, $sketches * $block_size + 12, 2));

damaged('gallery page in place of a sketch page', with_bytes($sketches, 0, substr($sound, $page * $block_size, $block_size)), $corrupted);
damaged('sketch page in place of a gallery page', with_bytes($page, 0, substr($sound, $sketches * $block_size, $block_size)), $corrupted);
damaged('sketch page of zeroes', with_bytes($sketches, 0, "\0" x $block_size), $corrupted, silent => 1);
damaged('sketches that are not there', with_bytes($sketches, 12, pack('S', $lower - 8)), $corrupted, silent => 1);
damaged('sketch of a page outside of the group', with_bytes($sketches, $first, pack('C', 255)), $corrupted);
damaged('sketch of a page that is not there', with_bytes($sketches, $first, pack('C', 8)), $corrupted, silent => 1);
damaged('sketch of no entry', with_bytes($sketches, $first + 1, pack('C', 31)), $corrupted, silent => 1);
damaged('sketch of an offset that cannot be', with_bytes($sketches, $first + 1, pack('C', 33)), $corrupted);
damaged('two sketches of an entry', with_bytes($sketches, $first + 1, pack('C', 2)), $corrupted);
damaged('line pointer of a sketch', with_bytes($sketches, $contents, pack('L', 8190 | 1 << 15 | 2 << 17)), $corrupted);

# Features overwritten at random never crash a search, whether they can be told
# from sound ones or not.
seed(6);
my $survived = 0;
my $detected = 0;
my $trials = 8;

foreach my $trial (1 .. $trials)
{
	my $copy = $sound;

	# some bytes of many entries
	foreach my $block (1 .. $blocks - 1)
	{
		# a gallery page
		next if unpack('S', substr($copy, ($block + 1) * $block_size - 4, 2)) != 2;

		my $entries = (unpack('S', substr($copy, $block * $block_size + 12, 2)) - $contents) / 4;

		foreach my $i (0 .. $entries - 1)
		{
			my $item = unpack('L', substr($copy, $block * $block_size + $contents + 4 * $i, 4));
			my $at = $block * $block_size + ($item & 0x7fff) + 8;
			my $size = ($item >> 17) - 8;

			foreach my $byte (1 .. between(1, 6))
			{
				my $where = $trial % 2 ? between(0, 24) : between(0, $size - 1);

				substr($copy, $at + ($where < $size ? $where : 0), 1) = chr(between(0, 255));
			}
		}
	}
	damage($copy);
	my ($out, $err) = work();
	$survived++ if $out =~ /alive$/ && $err !~ /server closed the connection|PANIC|FATAL/;
	($out, $err) = session($node, "\\set VERBOSITY verbose\nSELECT biometric_index_check('gallery_print_idx', true);");
	$detected++ if $err =~ /XX002/;
	refresh_sound();
}
is($survived, $trials, 'no damage to features crashes the server');
is($detected, $trials, 'biometric_index_check finds features that are not those of the row');

# An index that lacks a row: made by hiding the row from it while it is built
$node->safe_psql('postgres', <<'X');
CREATE FUNCTION keep(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 <> 1500 OR current_setting(''test.everyone'', true) = ''yes''';
INSERT INTO gallery SELECT 1500, print, 0, '' FROM probe WHERE n = 1;
CREATE INDEX lacking_print_idx ON gallery USING biometric (print) WHERE keep(id);
X
index_is_sound($node, 'an index with all its rows is sound', index => 'lacking_print_idx');
my ($out, $err) = session($node, <<'X');
\set VERBOSITY verbose
SET test.everyone = 'yes';
SELECT biometric_index_check('lacking_print_idx');
SELECT biometric_index_check('lacking_print_idx', true);
X
like($err, qr/XX002: index "lacking_print_idx" lacks an entry for row/, 'heapallindexed finds a row that has no entry');
unlike($err, qr/XX002.*XX002/s, 'which only heapallindexed can');

# A relation that is not a biometric index is refused
($out, $err) = session($node, <<'X');
\set VERBOSITY verbose
SELECT biometric_index_check('gallery_id_idx');
SELECT biometric_index_check('gallery');
SELECT * FROM biometric_index_stats('gallery_id_idx');
SELECT biometric_index_check(NULL);
SELECT 'alive';
X
my @codes = $err =~ /ERROR:  (\w{5}):/g;
is(scalar(grep { /^42/ } @codes), 3, 'what is no biometric index is refused') or diag($err);
like($out, qr/alive/, 'and the session goes on');

# Checks can be run by those who watch the server, not by everybody
($out, $err) = session($node, <<'X');
\set VERBOSITY verbose
CREATE ROLE nobody; CREATE ROLE watcher IN ROLE pg_stat_scan_tables;
SET ROLE nobody;
SELECT biometric_index_check('gallery_print_idx', true);
SELECT * FROM biometric_index_stats('gallery_print_idx');
SET ROLE watcher;
SELECT biometric_index_check('gallery_print_idx', true);
SELECT 'allowed' FROM biometric_index_stats('gallery_print_idx');
X
is(scalar(() = $err =~ /ERROR:  42501/g), 2, 'inspection is not for everybody');
like($out, qr/allowed/, 'but for those who watch the server');

# A check does not keep others from working, nor others a check
my $writer = $node->background_psql('postgres');
$writer->query_safe("BEGIN; INSERT INTO gallery SELECT 900000 + n, print, 0, '' FROM probe; DELETE FROM gallery WHERE id % 5 = 0; UPDATE gallery SET print = print WHERE id % 7 = 0;");
index_is_sound($node, 'rows that are being written are no damage');
$writer->query_safe('ROLLBACK');
$writer->quit;
index_is_sound($node, 'nor are rows that were rolled back');

$node->stop;
done_testing();
