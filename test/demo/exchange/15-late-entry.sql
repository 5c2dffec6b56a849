-- case S-3 was let through; now north lists the person
SELECT watchlist.add_person('Made Up 500', '1980-01-01', 'warrant', 'N-5', reference => 'W-500');
SELECT number, kind, state
FROM watchlist.enrol('W-500', ARRAY[synthetic_fingerprint(500, 0, 2), synthetic_fingerprint(500, 0, 7)]::bytea[], ARRAY[synthetic_iris(500)]::text[],
					 'warrant', 'N-5');
SELECT watchlist.add_to_list('wanted', 'W-500', 'warrant', 'N-5');
