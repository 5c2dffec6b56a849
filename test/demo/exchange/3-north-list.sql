-- two fingers and both eyes of 100 made-up persons; 20 of them are withheld from the south
SELECT watchlist.create_list('wanted', 'Wanted persons', 'act 12', 'agreement 7', 'N-0', caveats => '{do not detain: call}');
SELECT count(watchlist.add_person('Made Up ' || n, '1980-01-01', 'warrant', 'N-0', reference => 'W-' || n)) AS persons
FROM generate_series(1, 100) n;
SELECT e.state, count(*)
FROM generate_series(1, 100) n,
	 watchlist.enrol('W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[],
					 ARRAY[synthetic_iris(n), synthetic_iris(100000 + n)]::text[], 'warrant', 'N-0') e
GROUP BY e.state;
SELECT count(watchlist.add_to_list('wanted', 'W-' || n, 'warrant', 'N-0', withheld_from => CASE WHEN n > 80 THEN ARRAY['south'] END)) AS entries
FROM generate_series(1, 100) n;

SELECT watchlist.release_list('wanted', 'south', sent => true, reason => 'agreement 7', case_reference => 'N-0');
SELECT watchlist.publish_to('north', 'south');
SELECT pubname, rowfilter FROM pg_publication_tables;
