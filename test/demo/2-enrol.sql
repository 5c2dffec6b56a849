INSERT INTO watchlist (source, person, print)
SELECT 'synthetic', person, synthetic_fingerprint(person, 0, 2)
FROM generate_series(:first, :last) person;
