/*
 * enrol.js
 *		An application in JavaScript: enrol and search through node-postgres and
 *		postgres.js.  Prints TAP.
 *
 * node enrol.js pg|postgres, with PGHOST and so on in the environment
 *
 * A Buffer is sent as bytes.  Into a column of type fingerprint it goes as it is;
 * elsewhere $1::bytea::fingerprint makes a template of it.
 */
'use strict';

let tests = 0;
let failures = 0;

function ok(good, name) {
	tests++;
	failures += good ? 0 : 1;
	console.log(`${good ? 'ok' : 'not ok'} ${tests} - ${name}`);
}

/* what differs between the two: a function that runs a query and returns rows */
async function connect(driver) {
	if (driver === 'pg') {
		const { Client } = require('pg');
		const client = new Client();
		await client.connect();
		return {
			query: async (text, values) => (await client.query(text, values)).rows,
			end: () => client.end(),
		};
	}
	const postgres = require('postgres');
	const sql = postgres({ host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER,
		database: process.env.PGDATABASE, max: 1, onnotice: () => {} });
	return { query: (text, values) => sql.unsafe(text, values), end: () => sql.end() };
}

async function main() {
	const driver = process.argv[2];
	const name = driver === 'pg' ? 'node-postgres' : 'postgres.js';
	const db = await connect(driver);
	const value = async (text, values) => Object.values((await db.query(text, values))[0])[0];

	await db.query(`CREATE SCHEMA driver_${driver}`);
	await db.query(`SET search_path = driver_${driver}, public`);
	await db.query('CREATE TABLE visitor (id bigint PRIMARY KEY, print fingerprint)');
	await db.query('CREATE INDEX ON visitor USING biometric (print)');
	for (let finger = 1; finger <= 20; finger++) {
		const format = finger % 2 ? 'to_iso19794_2' : 'to_incits378';
		const record = await value(`SELECT ${format}(synthetic_fingerprint(${finger}, 0, 2))`);
		await db.query('INSERT INTO visitor VALUES ($1, $2::bytea)', [finger, record]);
	}
	ok(Number(await value('SELECT count(*) FROM visitor')) === 20, `${name}: records enrolled`);

	const probe = await value('SELECT to_incits378(synthetic_fingerprint(9, 1, 2))');
	const rows = await db.query(
		'SELECT id, match_score(print, q) AS score FROM visitor, (SELECT $1::bytea::fingerprint AS q) p ORDER BY print <-> q LIMIT 2', [probe]);
	ok(Number(rows[0].id) === 9 && rows[0].score > rows[1].score, `${name}: search finds the finger`);

	const more = await value('SELECT to_iso19794_2(synthetic_fingerprint(9, 2, 2))');
	const person = await value(
		`SELECT person FROM identify('visitor', 'id', 'print', ARRAY[$1::bytea::fingerprint, $2::bytea::fingerprint], 3)`, [probe, more]);
	ok(person === '9', `${name}: identify with several records`);

	const record = await value('SELECT to_iso19794_2(synthetic_fingerprint(3, 0, 2))');
	ok(record.equals(await value('SELECT print::bytea FROM visitor WHERE id = 3')), `${name}: read back as bytes`);
	try {
		await db.query('INSERT INTO visitor VALUES (999, $1::bytea)', [record.subarray(0, 40)]);
		ok(false, `${name}: a truncated record is refused`);
	} catch (error) {
		ok(error.code.startsWith('22'), `${name}: a truncated record is refused with SQLSTATE class 22`);
	}
	await db.end();
	console.log(`1..${tests}`);
	process.exit(failures);
}

main().catch((error) => {
	console.error(error);
	process.exit(99);
});
