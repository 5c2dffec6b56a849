# Templates and indexes survive being dumped, copied, upgraded and moved.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');

add_gallery($node, subjects => 30, captures => 2, probes => 12);
$node->safe_psql('postgres', <<'X');
INSERT INTO gallery VALUES (-1, NULL, 0, 'no print');
CREATE TABLE eyes AS SELECT n AS id, synthetic_iris(n) AS code FROM generate_series(1, 30) n;
CREATE INDEX eyes_code_idx ON eyes USING biometric (code);
CREATE TABLE watch (id int, probe fingerprint_probe);
INSERT INTO watch SELECT n, probe(print, 35.5) FROM probe;
CREATE VIEW nearest AS SELECT id FROM gallery ORDER BY print <-> (SELECT print FROM probe WHERE n = 1) LIMIT 3;
CREATE INDEX partial_print_idx ON gallery USING biometric (print) WHERE watchlist = 1;
CREATE FUNCTION fingerprint_of(gallery) RETURNS text LANGUAGE sql AS 'SELECT md5($1::text)';
X

# All there is in a database, as one line
sub contents
{
	my ($node, $database) = @_;

	return $node->safe_psql($database, <<'X');
SELECT md5(string_agg(g::text, ',' ORDER BY id)) FROM gallery g;
SELECT md5(string_agg(p::text, ',' ORDER BY n)) FROM probe p;
SELECT md5(string_agg(e::text, ',' ORDER BY id)) FROM eyes e;
SELECT md5(string_agg(w::text, ',' ORDER BY id)) FROM watch w;
SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public';
X
}
my $contents = contents($node, 'postgres');

# pg_dump, as a script, as an archive, and schema and data apart
my $dir = PostgreSQL::Test::Utils::tempdir;

foreach my $format ('plain', 'custom', 'inserts')
{
	my $database = "restored_$format";

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	if ($format eq 'custom')
	{
		$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump.$format", 'postgres' ], "pg_dump, $format");
		$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $database, "$dir/dump.$format" ], "pg_restore, $format");
	}
	else
	{
		$node->command_ok([ 'pg_dump', ($format eq 'inserts' ? '--inserts' : ()), '-f', "$dir/dump.$format", 'postgres' ],
			"pg_dump, $format");
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', "$dir/dump.$format" ],
			"restore, $format");
	}
	is(contents($node, $database), $contents, "$format: the same templates and indexes");
	index_is_sound($node, "$format: the index is sound", database => $database);
	same_answers($node, "$format: the index answers like a sequential scan", database => $database);
}
my $dump = slurp_file("$dir/dump.plain");
unlike($dump, qr/CREATE (TYPE|OPERATOR|ACCESS METHOD|CAST)/, 'a dump leaves to the extension what belongs to it');

# COPY
foreach my $format ('text', 'csv', 'binary')
{
	foreach my $table ('gallery', 'eyes', 'watch')
	{
		is( $node->safe_psql('postgres', <<"X"), '0', "COPY $format brings $table back as it was");
COPY $table TO '$dir/$table.$format' (FORMAT $format);
CREATE TEMP TABLE copy (LIKE $table);
COPY copy FROM '$dir/$table.$format' (FORMAT $format);
SELECT count(*) FROM ((SELECT t::text FROM $table t EXCEPT ALL SELECT c::text FROM copy c)
	UNION ALL (SELECT c::text FROM copy c EXCEPT ALL SELECT t::text FROM $table t)) x;
X
	}
}

# A binary file that is damaged in any of its bytes is refused or read as some
# template, and nothing else happens.
$node->safe_psql('postgres',
	"COPY (SELECT print FROM gallery WHERE id = 100) TO '$dir/one' (FORMAT binary); CREATE TABLE one (print fingerprint)");
my $one = slurp_binary("$dir/one");
my ($accepted, $refused) = (0, 0);
my @load;

seed(7);
foreach my $trial (1 .. 250)
{
	my $copy = $one;

	substr($copy, between(25, length($copy) - 3), 1) = chr(between(0, 255)) foreach 1 .. between(1, 3);
	open(my $file, '>:raw', "$dir/one.$trial") or die $!;
	print $file $copy;
	close($file);
	push @load, "COPY one FROM '$dir/one.$trial' (FORMAT binary);";
}
my ($out, $err) =
  session($node, "\\set VERBOSITY verbose\n" . join("\n", @load) . "\nSELECT count(*), count(print <-> print) FROM one;");
my @codes = grep { !/^22/ } $err =~ /ERROR:  (\w{5}):/g;
like($out, qr/^(\d+)\|\1$/, 'damaged binary files: the session survives, and what was accepted can be compared');
is("@codes", '', 'damaged binary files: errors are of class 22');

# The extension itself
is($node->safe_psql('postgres', "SELECT DISTINCT trusted, relocatable FROM pg_available_extension_versions WHERE name = 'biometric'"),
	't|t', 'the extension is trusted and relocatable');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE DATABASE owned OWNER owner');
($out, $err) = session($node, <<'X', database => 'owned', user => 'owner');
CREATE SCHEMA tools;
CREATE EXTENSION biometric SCHEMA tools;
SET search_path = public, tools;
CREATE SCHEMA mine;
CREATE TABLE mine.gallery (id int, print fingerprint);
CREATE INDEX gallery_print_idx ON mine.gallery USING biometric (print);
INSERT INTO mine.gallery SELECT n, synthetic_fingerprint(n) FROM generate_series(1, 20) n;
SET enable_seqscan = off;
SELECT id FROM mine.gallery ORDER BY print <-> synthetic_fingerprint(5) LIMIT 1;
SELECT biometric_index_check('mine.gallery_print_idx', true);
X
is("$out$err", "5\n", 'who owns a database installs the extension, in a schema of choice');

($out, $err) = session($node, <<'X', database => 'owned');
CREATE SCHEMA elsewhere;
ALTER EXTENSION biometric SET SCHEMA elsewhere;
SET enable_seqscan = off;
SELECT id FROM mine.gallery ORDER BY print OPERATOR(elsewhere.<->) elsewhere.synthetic_fingerprint(6) LIMIT 1;
INSERT INTO mine.gallery SELECT id + 100, print FROM mine.gallery;
VACUUM mine.gallery;
REINDEX INDEX mine.gallery_print_idx;
SELECT elsewhere.biometric_index_check('mine.gallery_print_idx', true);
SELECT 'x'::elsewhere.fingerprint;
X
like($out, qr/^6\n/, 'the extension moves to another schema and works there');
is(scalar(() = $err =~ /ERROR/g), 1, 'bad input there is an error and nothing else') or diag($err);

($out, $err) = session($node, <<'X', database => 'owned');
DROP EXTENSION biometric;
DROP EXTENSION biometric CASCADE;
SELECT count(*) FROM pg_class WHERE relname = 'gallery_print_idx';
SELECT count(*) FROM pg_am WHERE amname = 'biometric';
SELECT count(*) FROM pg_attribute WHERE attrelid = 'mine.gallery'::regclass AND attname = 'print';
CREATE EXTENSION biometric;
SELECT count(*) FROM pg_am WHERE amname = 'biometric';
X
like($err, qr/cannot drop extension biometric because other objects depend on it/, 'the extension is not dropped from under a table');
is($out, "0\n0\n0\n1", 'unless told to; then it leaves nothing behind, and can come again');

# Releases: what was installed once and updated equals what is installed now.
my @versions = split /\n/, $node->safe_psql('postgres',
	"SELECT version FROM pg_available_extension_versions WHERE name = 'biometric' ORDER BY 1");
my $current = $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'biometric'");
my $members = <<'X';
SELECT pg_describe_object(classid, objid, 0) || coalesce(
	(SELECT ' ' || pg_get_functiondef(p.oid) FROM pg_proc p WHERE classid = 'pg_proc'::regclass AND p.oid = objid AND prokind IN ('f', 'p')),
	(SELECT format(' %s %s %s %s', oprcom, oprcode, oprrest, oprjoin) FROM pg_operator o WHERE classid = 'pg_operator'::regclass AND o.oid = objid AND false),
	'')
FROM pg_depend WHERE refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'biometric') AND deptype = 'e'
ORDER BY 1
X

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION biometric');
my $fresh = $node->safe_psql('fresh', $members);

ok((grep { $_ eq $current } @versions), "version $current can be installed");
foreach my $version (grep { $_ ne $current } @versions)
{
	my $database = "from_$version" =~ s/\W/_/gr;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	# the new library comes first, the update when the DBA gets to it
	is($node->safe_psql($database, <<"X"), "20||7", "version $version works with this library");
CREATE EXTENSION biometric VERSION '$version';
CREATE TABLE early (id int, print fingerprint);
CREATE INDEX early_print_idx ON early USING biometric (print);
INSERT INTO early SELECT n, synthetic_fingerprint(n) FROM generate_series(1, 20) n;
SET enable_seqscan = off;
SELECT (biometric_index_stats('early_print_idx')).entries, biometric_index_check('early_print_idx', true),
	(SELECT id FROM early ORDER BY print <-> synthetic_fingerprint(7) LIMIT 1);
X
	is($node->safe_psql($database, <<"X"), "20||8", "and after the update its indexes go on");
ALTER EXTENSION biometric UPDATE;
SET enable_seqscan = off;
SELECT (biometric_index_stats('early_print_idx')).entries, biometric_index_check('early_print_idx', true),
	(SELECT id FROM early ORDER BY print <-> synthetic_fingerprint(8) LIMIT 1);
X
	is($node->safe_psql($database, $members), $fresh, "version $version, updated, equals $current");
}

# Two databases of one server do not disturb each other, and a database made
# from a template has a working index.
$node->safe_psql('postgres', 'CREATE DATABASE twin TEMPLATE restored_plain');
same_answers($node, 'a database made from a template has a working index', database => 'twin');

# A new cluster by pg_upgrade, which takes the files of tables and indexes as
# they are
my $new = PostgreSQL::Test::Cluster->new('new');
my $bindir = $new->config_data('--bindir');

$new->init;
$new->append_conf('postgresql.conf', "autovacuum = off\n");
$node->safe_psql('postgres', "DROP DATABASE $_") foreach 'restored_inserts', 'restored_custom', 'owned', 'fresh', 'twin';
$node->stop;
chdir $dir;
command_ok(
	[
		'pg_upgrade', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir,
		'-s', $new->host, '-p', $node->port, '-P', $new->port
	],
	'pg_upgrade');
$new->start;
is(contents($new, 'postgres'), $contents, 'pg_upgrade keeps templates and indexes');
index_is_sound($new, 'the index is sound in the new cluster');
same_answers($new, 'and answers like a sequential scan');
$new->safe_psql('postgres', 'DELETE FROM gallery WHERE id % 3 = 1; VACUUM gallery; INSERT INTO gallery SELECT n, print, 0, \'\' FROM probe');
index_is_sound($new, 'and takes new rows');
$new->stop;

done_testing();
