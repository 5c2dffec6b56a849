-- captured at the border: two fingers, two eyes, a day later than enrolled
SELECT encounter, verdict, list, reference, score, searched, caveats, partners_pending
FROM watchlist.check_traveller(
	ARRAY[synthetic_fingerprint(:person, 3, 2), synthetic_fingerprint(:person, 3, 7)]::bytea[],
	ARRAY[synthetic_iris(:person, 3), synthetic_iris(100000 + :person, 3)]::text[],
	purpose => 'entry', case_reference => :'case');
