-- south's list stays in the country: north may ask, and gets no rows
SELECT watchlist.create_list('smugglers', 'Smugglers', 'act 3', 'agreement 7', 'S-0');
SELECT count(watchlist.add_person('Made Up', '1980-01-01', 'file 9', 'S-0', reference => 'S-' || n)) AS persons
FROM generate_series(201, 300) n;
SELECT e.state, count(*)
FROM generate_series(201, 300) n,
	 watchlist.enrol('S-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[],
					 ARRAY[synthetic_iris(n), synthetic_iris(100000 + n)]::text[], 'file 9', 'S-0') e
GROUP BY e.state;
SELECT count(watchlist.add_to_list('smugglers', 'S-' || n, 'file 9', 'S-0')) AS entries FROM generate_series(201, 300) n;
SELECT watchlist.release_list('smugglers', 'north', sent => false, reason => 'agreement 7', case_reference => 'S-0');
