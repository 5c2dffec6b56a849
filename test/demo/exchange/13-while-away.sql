SELECT watchlist.add_person('Made Up ' || n, '1980-01-01', 'warrant', 'N-8', reference => 'W-' || n) FROM generate_series(401, 410) n;
SELECT count(*) AS enrolled
FROM generate_series(401, 410) n,
	 watchlist.enrol('W-' || n, ARRAY[synthetic_fingerprint(n, 0, 2), synthetic_fingerprint(n, 0, 7)]::bytea[], NULL, 'warrant', 'N-8');
SELECT count(watchlist.add_to_list('wanted', 'W-' || n, 'warrant', 'N-8')) AS entries FROM generate_series(401, 410) n;
SELECT watchlist.remove_from_list('wanted', 'W-7', 'warrant withdrawn', 'N-9');
