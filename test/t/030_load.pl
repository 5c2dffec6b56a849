# biometric-load: files, folders, archives and CSV into a table; bad records,
# refused rows, runs that are given twice, and a server that goes away.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use BiometricTest;
use IPC::Run qw(run);
use PostgreSQL::Test::Utils;
use Test::More;

my $program = `sh -c "command -v biometric-load"`;
plan skip_all => 'biometric-load is not installed' unless $program;

my $node = new_server('load');
my $dir = PostgreSQL::Test::Utils::tempdir();

sub value
{
	return $node->safe_psql('postgres', $_[0]);
}

# exit status, and what it said
sub load
{
	my @arguments = @_;
	my ($out, $err);

	run ['biometric-load', '-d', $node->connstr('postgres'), @arguments], '>', \$out, '2>', \$err;
	return ($? >> 8, $err);
}

# records of made-up fingers, two of them damaged
mkdir "$dir/records";
mkdir "$dir/records/more";
value('CREATE EXTENSION IF NOT EXISTS biometric');
foreach my $n (1 .. 40)
{
	my $hex = value("SELECT encode(synthetic_fingerprint(@{[ int(($n + 1) / 2) ]}, $n)::bytea, 'hex')");
	my $folder = $n % 2 ? "$dir/records" : "$dir/records/more";

	append_to_file("$folder/" . int(($n + 1) / 2) . "_$n.fmr", pack('H*', $hex));
}
append_to_file("$dir/records/50_1.fmr", "FMR\0 20\0cut off");
append_to_file("$dir/records/51_1.fmr", 'no record at all');
append_to_file("$dir/records/.hidden", 'not looked at');

my ($rc, $err) = load('-n', "$dir/records");
is($rc, 1, 'a dry run says that something would be rejected');
like($err, qr/^42 files, 40 rows would be loaded, 2 rejected/m, 'and counts');
like($err, qr/51_1\.fmr: it is text/, 'and says what it is');

($rc, $err) = load('--create-table', '--create-index', '-p', '{person}_{capture}.fmr', '--name-column', 'source',
	'--reject-table', 'rejects', '--reject-file', "$dir/rejects.csv", "$dir/records");
is($rc, 1, 'the same, loaded');
is(value('SELECT count(*), count(DISTINCT person) FROM fingerprints'), '40|20', 'rows with values of their names');
is(value(q{SELECT reason FROM rejects WHERE source LIKE '%50_1.fmr'}), 'ANSI/INCITS 378-2004: record header is cut off', 'rejects in a table');
like(slurp_file("$dir/rejects.csv"), qr/^source,view,byte,reason\n(".*",\d+,\d+,".*"\n){2}\z/m, 'and in a file');
is(value('SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
	WHERE i.indrelid = \'fingerprints\'::regclass AND amname = \'biometric\''), '1', 'an index');
is(value('SELECT person FROM fingerprints ORDER BY print <-> synthetic_fingerprint(7, 99) LIMIT 1'), '7', 'that finds');
is(value('SELECT count(*) FROM fingerprints WHERE print <> synthetic_fingerprint(person::int, capture::int)'), '0', 'templates are those of the files');

($rc, $err) = load('-p', '{person}_{capture}.fmr', '--name-column', 'source', "$dir/records");
is($rc, 0, 'the same command again');
like($err, qr/^42 files were loaded before/m, 'loads nothing');
is(value('SELECT count(*) FROM fingerprints'), '40', 'twice');
($rc, $err) = load('--again', '-p', '{person}_{capture}.fmr', '--name-column', 'source', "$dir/records");
is(value('SELECT count(*) FROM fingerprints'), '80', 'unless it is asked to');

# archives and standard input
value('CREATE TABLE archived (name text, print fingerprint, whole bytea, view int)');
system('tar', '-C', $dir, '-czf', "$dir/records.tgz", 'records') == 0 or die;
SKIP:
{
	($rc, $err) = load('-t', 'archived', '--name-column', 'name', '--bytes-column', 'whole', '--view-column', 'view', "$dir/records.tgz");
	skip 'built without libarchive', 3 if $rc == 4 && $err =~ /libarchive/;
	is(value('SELECT count(*), min(view), max(view) FROM archived WHERE whole = print::bytea'), '40|1|1', 'an archive');
	run ['biometric-load', '-q', '-t', 'archived', '-d', $node->connstr('postgres'), '-'], '<', "$dir/records.tgz", '2>', \$err;
	is(value('SELECT count(*) FROM archived'), '80', 'an archive from standard input');
	run ['biometric-load', '-q', '-n', '-'], '<', "$dir/records/1_1.fmr", '2>', \$err;
	is($?, 0, 'a record from standard input');
}

# CSV
value('CREATE TABLE listed (person int, note text, print fingerprint NOT NULL)');
my $data = value("SELECT translate(encode(synthetic_fingerprint(3)::bytea, 'base64'), E'\\n', '')");
append_to_file("$dir/list.csv", qq{person,note,record\n1,"a ""quoted"", note",$data\n2,,"$data"\n3,x\nfour,x,$data\n\n5,x,?\n});
($rc, $err) = load('-t', 'listed', '--csv-data', 'record', '--csv-columns', 'person,note', "$dir/list.csv");
is($rc, 1, 'a CSV file');
is(value('SELECT string_agg(format(\'%s %L\', person, note), \' \' ORDER BY person) FROM listed WHERE print = synthetic_fingerprint(3)'),
	q{1 'a "quoted", note' 2 NULL}, 'its fields');
like($err, qr/list\.csv:4: the line has another number of fields/, 'a line that is too short');
like($err, qr/list\.csv:5, view 1: the value for column "person" does not fit/, 'a value that does not fit');
append_to_file("$dir/paths.csv", "person,file\n7,records/7_13.fmr\n8,records/nobody.fmr\n");
($rc, $err) = load('-t', 'listed', '--csv-path', 'file', '--csv-columns', 'person', "$dir/paths.csv");
is(value('SELECT print = synthetic_fingerprint(7, 13) FROM listed WHERE person = 7'), 't', 'a CSV file that names files');
like($err, qr/paths\.csv:3: No such file/, 'and one that is not there');

# rows that the server refuses do not take others along
value('CREATE TABLE once (person int UNIQUE, print fingerprint)');
($rc, $err) = load('-j', '1', '-t', 'once', '-p', '{person}_*.fmr', '--reject-table', 'refused', "$dir/records");
is(value('SELECT count(*) FROM once'), '20', 'each person once');
is(value(q{SELECT count(*) FROM refused WHERE reason LIKE 'duplicate key%'}), '20', 'the others are rejects');

# what is wrong with the command
is((load('-t', 'nobody', "$dir/records"))[0], 3, 'no such table');
is((load('-t', 'once', '-c', 'person', "$dir/records"))[0], 3, 'not a column of templates');
is((load('-t', 'once', '-p', '{nobody}.fmr', "$dir/records"))[0], 3, 'no such column');
is((load('-t', 'once', "$dir/nothing"))[0], 4, 'no such source');
is((load('-t', 'once'))[0], 2, 'no source');
is((load('-t', 'once', '--jobs', 'many', $dir))[0], 2, 'not a number');
value('CREATE TABLE dated (person date, print fingerprint)');
($rc, $err) = load('-t', 'dated', '-p', '{person}_*.fmr', "$dir/records");
like($err, qr/type date: load it into a text column/, 'a type that is not loaded');

# irises
append_to_file("$dir/eye.txt", value('SELECT synthetic_iris(5)') . "\n");
($rc, $err) = load('--iris', '--create-table', '-t', 'eyes', '-c', 'code', "$dir/eye.txt");
is(value('SELECT count(*) FROM eyes WHERE code = synthetic_iris(5)'), '1', 'an iris code');

# ... and what open-iris writes, alone or with the metadata of its pipeline
value(q{CREATE FUNCTION large_iris(seed int) RETURNS iris LANGUAGE sql RETURN
	iris((SELECT string_agg(sha256(format('%s %s', seed, n)::bytea), '') FROM generate_series(1, 64) n), decode(repeat('ff', 2048), 'hex'), 256)});
my $json = value(q{SELECT json_build_object('metadata', json_build_object('image_id', 'a "name" \u00e9', 'eye_side', 'left'), 'iris_template',
	json_build_object('iris_codes', open_iris_code(i), 'mask_codes', open_iris_mask(i), 'iris_code_version', 'v2.1'), 'list', '[1, [{"iris_codes": null}]]'::json)
	FROM large_iris(6) i});
append_to_file("$dir/eye.json", "$json\n");
append_to_file("$dir/bare.json", value('SELECT json_build_object(\'iris_codes\', open_iris_code(i), \'mask_codes\', open_iris_mask(i)) FROM large_iris(7) i'));
append_to_file("$dir/short.json", '{"iris_codes": "AAAA", "mask_codes": "AAAA"}');
append_to_file("$dir/cut.json", substr($json, 0, 200));
append_to_file("$dir/other.json", '{"iris_template": []}');
($rc, $err) = load('--iris', '-t', 'eyes', '-c', 'code', map { "$dir/$_.json" } qw(eye bare short cut other));
is(value(q{SELECT count(*) FILTER (WHERE code = iris_from_open_iris_json('} . $json . q{') AND eye(code) = 'left'), count(*) FROM eyes WHERE code <> synthetic_iris(5)}), '1|2',
	'open-iris JSON becomes the iris of the function');
like($err, qr/short\.json: The code has 3 bytes, not 2048/, 'and what is wrong is said: a code that is too short');
like($err, qr/cut\.json: The JSON is damaged or cut off at byte 200/, 'what is cut off');
like($err, qr/other\.json: The JSON has no iris_codes/, 'what is something else');

# the way out
mkdir "$dir/out";
($rc, $err) = load('--export', q{SELECT format('%s/%s.fmr', person, capture), to_iso19794_2(print) FROM fingerprints WHERE person IN ('1', '2') GROUP BY 1, 2}, "$dir/out");
is($rc, 0, 'rows to files');
is(slurp_file("$dir/out/2/3.fmr"), slurp_file("$dir/records/2_3.fmr"), 'that are those which were loaded');
($rc, $err) = load('--export', q{SELECT unnest(ARRAY['1/1.fmr', '../x', '/tmp/x', '', 'a/./b', NULL]), '\x00'::bytea}, "$dir/out");
is($rc, 1, 'files are not overwritten, and names stay in the folder');
like($err, qr/6 rejected/, 'each of them');
is((load('--export', 'SELECT 1', "$dir/out"))[0], 3, 'a query of another form');

# Pictures inside ANSI/NIST files, and finger image records keep their impression
SKIP:
{
	my $data = data_folder();

	skip 'no evaluation data: neither BIOMETRIC_DATA nor ../shared/data is a folder', 6 unless defined $data;
	value('CREATE TABLE agency (name text, view int, print fingerprint)');
	my @agency = (qw(-q -t agency --name-column name --view-column view --again));
	($rc, $err) = load(@agency, map { "$data/records/nist-ansi-refs/type-$_.an2" } qw(13-14-latent-match 9-13-9-14-m1 17-iris));
	is( value(q{SELECT string_agg(concat_ws(' ', view, finger_position(print), impression_type(print)), ', ' ORDER BY view) FROM agency WHERE name LIKE '%latent-match%'}),
		'1 8 6, 2 8 3', 'raw pictures of Type-13 and Type-14');
	is(value(q{SELECT count(*) FROM agency WHERE name LIKE '%9-13-9-14%'}), '2', 'minutiae are taken before the pictures they are from');
	is(value(q{SELECT match_score(a.print, b.print) > 60 FROM agency a, agency b WHERE a.name LIKE '%latent-match%' AND a.view = 2 AND b.name LIKE '%9-13-9-14%' AND b.view = 2}),
		't', 'and are of the same finger');
	like($err, qr/17-iris\.an2.*has neither minutiae nor pictures of fingers/, 'a transaction without fingers');
	($rc, $err) = load(@agency, "$data/records/nist-nbis/valid1.14.an2", "$data/records/nist-libbiomeval/type4-slaps.an2k");
	skip 'built without the libraries of pictures', 2 if $err =~ /built without the libraries/;
	is(value(q{SELECT string_agg(finger_position(print)::text, ' ' ORDER BY name, view) FROM agency WHERE name ~ 'valid|slaps'}), '6 1 10 1',
		'WSQ of Type-4: plain thumbs of slaps');
	like($err, qr/type4-slaps\.an2k, view 1: record 3 \(Type-4\): the finger position is that of several fingers/, 'and slaps of several fingers are refused');
}

# The server is stopped in the middle: the same command loads the rest, and
# nothing twice.
value('CREATE TABLE big (id bigint, print fingerprint)');
$node->safe_psql('postgres', "COPY (SELECT n AS id, translate(encode(synthetic_fingerprint(n % 50)::bytea, 'base64'), E'\\n', '') AS data
	FROM generate_series(1, 20000) n) TO '$dir/big.csv' (FORMAT csv, HEADER)");
my @big = ('biometric-load', '-q', '-d', $node->connstr('postgres'), '-t', 'big', '--batch', '100', '--csv-data', 'data', '--csv-columns', 'id', "$dir/big.csv");
my $harness = IPC::Run::start(\@big, '2>', \$err);
$node->poll_query_until('postgres', 'SELECT count(*) > 500 FROM big') or die;
$node->stop('immediate');
$harness->finish;
is($? >> 8, 3, 'a server that goes away');
$node->start;
cmp_ok(value('SELECT count(*) FROM big'), '<', 20000, 'took a part');
run \@big, '2>', \$err;
is($? >> 8, 0, 'the same command');
is(value('SELECT count(*), count(DISTINCT id) FROM big'), '20000|20000', 'loads the rest, nothing twice');

done_testing();
