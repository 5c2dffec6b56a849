<?php
/*
 * enrol.php
 *		An application in PHP: enrol and search through PDO.  Prints TAP.
 *
 * Bytes are bound with the type PDO::PARAM_LOB.  They come back as a stream.
 */
if (!extension_loaded('pdo_pgsql')) {
	echo "1..0 # SKIP pdo_pgsql is not installed\n";
	exit(0);
}

$tests = 0;
function ok($good, $name)
{
	global $tests;
	$tests++;
	echo ($good ? 'ok' : 'not ok') . " $tests - $name\n";
}

$db = new PDO('pgsql:');
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);

function value($query, ...$records)
{
	global $db;
	$statement = $db->prepare($query);
	foreach ($records as $n => $record) {
		$statement->bindValue($n + 1, $record, PDO::PARAM_LOB);
	}
	$statement->execute();
	$value = $statement->fetchColumn();
	return is_resource($value) ? stream_get_contents($value) : $value;
}

$db->exec('CREATE SCHEMA driver_php');
$db->exec('SET search_path = driver_php, public');
$db->exec('CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)');
$db->exec('CREATE INDEX ON visitor USING biometric (print)');
$insert = $db->prepare('INSERT INTO visitor VALUES (?, ?)');
for ($finger = 1; $finger <= 20; $finger++) {
	$format = $finger % 2 ? 'to_iso19794_2' : 'to_incits378';
	$insert->bindValue(1, $finger, PDO::PARAM_INT);
	$insert->bindValue(2, value("SELECT $format(synthetic_fingerprint($finger, 0, 2))"), PDO::PARAM_LOB);
	$insert->execute();
}
ok(value('SELECT count(*) FROM visitor') == 20, 'PHP PDO: records enrolled');

$probe = value('SELECT to_incits378(synthetic_fingerprint(9, 1, 2))');
ok(value('SELECT id FROM visitor ORDER BY print <-> ?::bytea::fingerprint LIMIT 1', $probe) == 9,
	'PHP PDO: search finds the finger');

$more = value('SELECT to_iso19794_2(synthetic_fingerprint(9, 2, 2))');
ok(value("SELECT person FROM identify('visitor', 'id', 'print', ARRAY[?::bytea::fingerprint, ?::bytea::fingerprint], 3)",
	$probe, $more) === '9', 'PHP PDO: identify with several records');

$record = value('SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))');
ok(value('SELECT print::bytea FROM visitor WHERE id = 3') === $record, 'PHP PDO: read back as bytes');
try {
	$insert->bindValue(1, 999, PDO::PARAM_INT);
	$insert->bindValue(2, substr($record, 0, 40), PDO::PARAM_LOB);
	$insert->execute();
	ok(false, 'PHP PDO: a truncated record is refused');
} catch (PDOException $e) {
	ok(substr($e->getCode(), 0, 2) === '22', 'PHP PDO: a truncated record is refused with SQLSTATE class 22');
}
echo "1..$tests\n";
